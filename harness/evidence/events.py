"""The named points that prints reached inside the service, in columns. Pure."""

from collections.abc import Callable, Collection, Iterable
from copy import copy
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from harness.coverage import POINTS, in_order
from harness.evidence.lines import EventColumns
from harness.evidence.texts import Texts, Words
from harness.ranges import changes, ranges
from harness.records import PrintEvent

_APPLIED = POINTS.index("applied")
_STATES = POINTS[:-1]
_MOST_OTHERS = 100
"""Points beside the states whose names are kept, so that numbers fit into a byte; of a service with more, none is."""


class Reached(NamedTuple):
    """When a print was at a point, and the number of the slot; -1 for none."""

    at_ns: int
    slot: int


class _Numbers:
    """A number for each of few texts that repeat very often.

    Args:
        number_of: the number of a text that was not seen before.
    """

    def __init__(self, number_of: Callable[[str], int]) -> None:
        self._number_of = number_of
        self._digests, self._numbers = Texts.of([""]).digests(), np.array([number_of("")], dtype=np.int32)

    def of(self, texts: Texts) -> NDArray[np.int32]:
        """The number of each."""
        digests = texts.digests()
        places = self._find(digests)
        new = np.flatnonzero(self._digests[places] != digests)
        if len(new):
            known, first = np.unique(digests[new], return_index=True)
            numbers = [self._number_of(texts.text(place)) for place in new[first].tolist()]
            self._digests, self._numbers = (
                np.append(self._digests, known),
                np.append(self._numbers, numbers).astype(np.int32),
            )
            order = np.argsort(self._digests)
            self._digests, self._numbers = self._digests[order], self._numbers[order]
            places = self._find(digests)
        return self._numbers[places]

    def _find(self, digests: Words) -> NDArray[np.intp]:
        return np.minimum(np.searchsorted(self._digests, digests), len(self._digests) - 1)


class Events:
    """One row an event, print by print and in the order of time; prints come in that of their first event.

    Attributes, once sealed:
        print_: number of the print, from 0 in the order of the rows.
        point: index into `points`, which begin as `harness.coverage.POINTS` do: a number that is not below that of
            "other" there is one that only ends a state.
        at_ns: on the run's clock; slot: index into `slots`; -1 where the event has none.
        points, slots: their names, but for the states in the order of the alphabet.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[Words, NDArray[np.int8], NDArray[np.int64], NDArray[np.int32]]] = []
        self._slot_names: list[str] = []
        self._other_points: list[str] = []
        self._points, self._slots = _Numbers(self._point_number), _Numbers(self._slot_number)

    @classmethod
    def of(cls, events: Iterable[PrintEvent]) -> Self:
        """The columns of these."""
        made = cls()
        made.add(EventColumns.of(list(events)))
        made.seal()
        return made

    def add(self, events: EventColumns) -> None:
        """Some more rows."""
        points, slots = self._points.of(events.point).astype(np.int8), self._slots.of(events.slot)
        self._parts.append((events.nonce.digests(), points, events.at_ns, slots))

    def _point_number(self, point: str) -> int:
        if point in _STATES:
            return _STATES.index(point)
        if len(self._other_points) <= _MOST_OTHERS:
            self._other_points.append(point or POINTS[-1])  # the first one asked for is that of no name
        return len(_STATES) + len(self._other_points) - 1

    def _slot_number(self, slot: str) -> int:
        if slot:
            self._slot_names.append(slot)
        return len(self._slot_names) - 1 if slot else -1

    def seal(self) -> None:
        """Make the columns; nothing is added any more."""
        self.add(EventColumns.of([]))  # so that there is something to concatenate
        digests, point, at_ns, slot = (np.concatenate(columns) for columns in zip(*self._parts, strict=True))
        self._parts.clear()
        # Events of a print that follow one another are sorted as one.
        begins = changes(digests)
        ends = np.append(begins[1:], len(digests))
        parts = np.argsort(digests[begins], kind="stable")
        sorted_ = digests[begins][parts]
        firsts = changes(sorted_)
        self._digests = sorted_[firsts]
        # In the order of time, since whoever looks for them looks for a time; what comes together then lies together.
        first_ns = np.minimum.reduceat(np.minimum.reduceat(at_ns, begins)[parts], firsts) if len(firsts) else at_ns
        prints = np.lexsort((self._digests, first_ns))
        self._numbers = np.empty(len(prints), dtype=np.int32)
        self._numbers[prints] = np.arange(len(prints), dtype=np.int32)
        print_of_part, places = ranges(firsts[prints], np.append(firsts[1:], len(parts))[prints])
        part_of_row, order = ranges(begins[parts[places]], ends[parts[places]])
        self.print_: NDArray[np.int32] = print_of_part[part_of_row].astype(np.int32)
        if not in_order(self.print_, at_ns[order]):
            order = order[np.lexsort((at_ns[order], self.print_))]
        others = self._other_points if len(self._other_points) <= _MOST_OTHERS else []
        self.points = *_STATES, *(sorted({*others}) or POINTS[-1:])
        self.slots = tuple(sorted(self._slot_names))
        # Numbered by their names, so that nothing depends on the order in which they were met.
        point_ranks = [self.points.index(name) for name in (*_STATES, *others)]
        point_ranks += [len(_STATES)] * (len(self._other_points) - len(others))
        slot_ranks = [*map(self.slots.index, self._slot_names), -1]  # the last one is that of none
        self.point: NDArray[np.int8] = np.array(point_ranks, dtype=np.int8)[point[order]]
        self.at_ns: NDArray[np.int64] = at_ns[order]
        self.slot: NDArray[np.int32] = np.array(slot_ranks, dtype=np.int32)[slot[order]]

    def without(self, prints: Collection[int]) -> Self:
        """All but the events of these prints, whose numbers nobody else gets."""
        made = copy(self)
        kept = ~np.isin(self.print_, list(prints))
        made.print_, made.point = self.print_[kept], self.point[kept]
        made.at_ns, made.slot = self.at_ns[kept], self.slot[kept]
        return made

    def number_of(self, nonce: str) -> int:
        """Of a print in the columns; -1 for one without an event."""
        return int(self.numbers_of([nonce])[0])

    def numbers_of(self, nonces: Iterable[str]) -> NDArray[np.int32]:
        """Of several prints."""
        digests = Texts.of(list(nonces)).digests()
        places = np.searchsorted(self._digests, digests)
        # Behind the last one there is another, which is that of nobody.
        known, numbers = np.append(self._digests, np.uint64(0)), np.append(self._numbers, np.int32(-1))
        return np.where(known[places] == digests, numbers[places], np.int32(-1))

    def resends(self) -> int:
        """Prints that reached the service more than once under one nonce: the client sent them again."""
        applied = self.print_[self.point == _APPLIED]
        return int((np.bincount(applied) > 1).sum())

    def reached(self, nonces: Iterable[str]) -> dict[str, dict[str, Reached]]:
        """nonce -> point -> when the print was there last, and in which slot.

        Costs one look at all events, however many prints are asked for.
        """
        found: dict[str, dict[str, Reached]] = {nonce: {} for nonce in nonces}
        names = {self.number_of(nonce): nonce for nonce in found}
        rows = np.flatnonzero(np.isin(self.print_, list(names)))
        for row in rows[np.argsort(self.at_ns[rows], kind="stable")].tolist():
            points = found[names[int(self.print_[row])]]
            points[self.points[self.point[row]]] = Reached(int(self.at_ns[row]), int(self.slot[row]))
        return found
