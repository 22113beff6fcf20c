"""The named points that prints reached inside the service, in columns. Pure."""

from array import array
from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.coverage import POINTS
from harness.fingerprint import number_of
from harness.records import PrintEvent

_NUMBERS = {point: number for number, point in enumerate(POINTS)}
_OTHER = POINTS.index("other")


class Events:
    """One row an event; every print and every slot is a number that is the same throughout.

    Attributes, once sealed:
        print_: number of the print, made of its nonce by `number_of`.
        point: index into `harness.coverage.POINTS`.
        at_ns: on the run's clock; slot: number of the slot, -1 where the event has none.
    """

    def __init__(self) -> None:
        self._columns = array("Q"), array("b"), array("q"), array("i")
        self._slots: dict[str, int] = {}

    @classmethod
    def of(cls, events: Iterable[PrintEvent]) -> Self:
        """The columns of these."""
        made = cls()
        for event in events:
            made.add(event)
        made.seal()
        return made

    def add(self, event: PrintEvent) -> None:
        """One more row."""
        prints, points, times, slots = self._columns
        prints.append(number_of(event.nonce))
        points.append(_NUMBERS.get(event.point, _OTHER))
        times.append(event.at_ns)
        slots.append(self._slots.setdefault(event.slot, len(self._slots)) if event.slot else -1)

    def seal(self) -> None:
        """Make the columns; nothing is added any more."""
        prints, points, times, slots = self._columns
        self.print_: NDArray[np.int64] = np.frombuffer(prints, dtype=np.uint64).view(np.int64)
        self.point: NDArray[np.int8] = np.frombuffer(points, dtype=np.int8)
        self.at_ns: NDArray[np.int64] = np.frombuffer(times, dtype=np.int64)
        self.slot: NDArray[np.int32] = np.frombuffer(slots, dtype=np.int32)

    def resends(self) -> int:
        """Prints that reached the service more than once under one nonce: the client sent them again."""
        applied = self.print_[self.point == _NUMBERS["applied"]]
        return int((np.unique(applied, return_counts=True)[1] > 1).sum())

    def of_prints(self, nonces: Iterable[str]) -> dict[str, dict[str, int]]:
        """nonce -> point -> when the print was there last; costs one look at all events, however many are asked for."""
        found: dict[str, dict[str, int]] = {nonce: {} for nonce in nonces}
        names = {number_of(nonce): nonce for nonce in found}
        numbers = np.array(list(names), dtype=np.uint64)
        rows = np.flatnonzero(np.isin(self.print_.view(np.uint64), numbers))
        for row in rows[np.argsort(self.at_ns[rows], kind="stable")].tolist():
            points = found[names[int(self.print_.view(np.uint64)[row])]]
            points[POINTS[self.point[row]]] = int(self.at_ns[row])
        return found
