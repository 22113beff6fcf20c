"""The named points that prints reached inside the service, in columns. Pure."""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.coverage import POINTS
from harness.fingerprint import digest
from harness.records import PrintEvent
from harness.segment import EventLine


class _PointNumbers(dict[str, int]):
    def __missing__(self, point: str) -> int:
        return self["other"]


class _SlotNumbers(dict[str, int]):
    def __missing__(self, slot: str) -> int:
        self[slot] = number = len(self) - 1
        return number


class Reached(NamedTuple):
    """When a print was at a point, and the number of the slot; -1 for none."""

    at_ns: int
    slot: int


def print_number(nonce: str) -> int:
    """By which a print is known in the columns."""
    return int(np.uint64(digest(_raw(nonce))).view(np.int64))


def _raw(nonce: str) -> msgspec.Raw:
    """As it stands in the ledger."""
    return msgspec.Raw(msgspec.json.encode(nonce))


_NUMBERS = _PointNumbers((point, number) for number, point in enumerate(POINTS))


class Events:
    """One row an event, print by print; every print and every slot is a number that is the same throughout.

    Attributes, once sealed:
        print_: number of the print, made of its nonce by `digest`.
        point: index into `harness.coverage.POINTS`.
        at_ns: on the run's clock; slot: number of the slot, in the order of their names; -1 where the event
            has none.
    """

    def __init__(self) -> None:
        self._columns = array("Q"), array("b"), array("q"), array("i")
        self._slots = _SlotNumbers({"": -1})

    @classmethod
    def of(cls, events: Iterable[PrintEvent]) -> Self:
        """The columns of these."""
        made = cls()
        made.add([EventLine(nonce=_raw(e.nonce), point=e.point, at_ns=e.at_ns, slot=e.slot) for e in events])
        made.seal()
        return made

    def add(self, events: Sequence[EventLine]) -> None:
        """Some more rows."""
        prints, points, times, slots = self._columns
        prints.fromlist([digest(event.nonce) for event in events])
        points.fromlist([_NUMBERS[event.point] for event in events])
        times.fromlist([event.at_ns for event in events])
        slot_number = self._slots
        slots.fromlist([slot_number[event.slot] for event in events])

    def seal(self) -> None:
        """Make the columns; nothing is added any more."""
        prints, points, times, slots = self._columns
        print_, at_ns = np.frombuffer(prints, dtype=np.uint64).view(np.int64), np.frombuffer(times, dtype=np.int64)
        # Whoever looks at them wants them print by print; what is sorted already is quickly sorted again.
        order = np.lexsort((at_ns, print_))
        self.print_: NDArray[np.int64] = print_[order]
        self.point: NDArray[np.int8] = np.frombuffer(points, dtype=np.int8)[order]
        self.at_ns: NDArray[np.int64] = at_ns[order]
        # Numbered by their names, so that nothing depends on the order in which they were met; the last one is -1.
        names = sorted(self._slots.keys() - {""})
        ranks = np.full(len(names) + 1, -1, dtype=np.int32)
        ranks[[self._slots[name] for name in names]] = np.arange(len(names))
        self.slot: NDArray[np.int32] = ranks[np.frombuffer(slots, dtype=np.int32)[order]]

    def resends(self) -> int:
        """Prints that reached the service more than once under one nonce: the client sent them again."""
        applied = self.print_[self.point == _NUMBERS["applied"]]
        return int((np.unique(applied, return_counts=True)[1] > 1).sum())

    def reached(self, nonces: Iterable[str]) -> dict[str, dict[str, Reached]]:
        """nonce -> point -> when the print was there last, and in which slot.

        Costs one look at all events, however many prints are asked for.
        """
        found: dict[str, dict[str, Reached]] = {nonce: {} for nonce in nonces}
        names = {print_number(nonce): nonce for nonce in found}
        rows = np.flatnonzero(np.isin(self.print_, np.array(list(names), dtype=np.int64)))
        for row in rows[np.argsort(self.at_ns[rows], kind="stable")].tolist():
            points = found[names[int(self.print_[row])]]
            points[POINTS[self.point[row]]] = Reached(int(self.at_ns[row]), int(self.slot[row]))
        return found
