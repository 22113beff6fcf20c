"""The named points that prints reached inside the service, in columns. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator
from copy import copy
from functools import cached_property
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


class _Part(NamedTuple):
    """Some rows, not sorted yet.

    Args:
        digests: of the nonces of its pieces, which are events of one print that follow one another.
        begins: the row in which each piece begins, and first_ns: when the first of its events was.
    """

    digests: Words
    begins: NDArray[np.intp]
    first_ns: NDArray[np.int64]
    point: NDArray[np.int8]
    at_ns: NDArray[np.int64]
    slot: NDArray[np.int32]


class Events:
    """One row an event, print by print and in the order of time; prints come in that of their first event.

    Attributes, once sealed:
        print_: number of the print, from 0 in the order of the rows.
        point: index into `points`, which begin as `harness.coverage.POINTS` do: a number that is not below that of
            "other" there is one that only ends a state.
        at_ns: on the run's clock; slot: index into `slots`; -1 where the event has none.
        in_order: whether no print reached two points in one nanosecond, so that the order of time is the only one.
        points, slots: their names, but for the states in the order of the alphabet.
    """

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._rows = 0
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
        digests = events.nonce.digests()
        begins = changes(digests)
        first_ns = np.minimum.reduceat(events.at_ns, begins) if len(begins) else events.at_ns
        self._parts.append(_Part(digests[begins], self._rows + begins, first_ns, points, events.at_ns, slots))
        self._rows += len(digests)

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
        digests = np.concatenate([part.digests for part in self._parts])
        of_next = changes(digests)  # one that goes on in the next part is one
        begins = np.concatenate([part.begins for part in self._parts])[of_next]
        first_ns = np.concatenate([part.first_ns for part in self._parts])
        lengths = np.diff(begins, append=self._rows)
        order, numbers = _print_by_print(
            digests[of_next], np.minimum.reduceat(first_ns, of_next) if len(of_next) else first_ns
        )
        self._digests = digests[of_next[order[changes(numbers)]]]
        self.print_: NDArray[np.int32] = np.repeat(numbers, lengths[order])
        # By how many rows each piece moves, and so each piece of a part.
        moves = np.empty_like(begins)
        moves[order] = np.cumsum(lengths[order]) - lengths[order] - begins[order]
        moves = np.repeat(moves, np.diff(of_next, append=len(digests)))
        others = self._other_points if len(self._other_points) <= _MOST_OTHERS else []
        self.points = *_STATES, *(sorted({*others}) or POINTS[-1:])
        self.slots = tuple(sorted(self._slot_names))
        # Numbered by their names, so that nothing depends on the order in which they were met.
        names = [self.points.index(name) for name in (*_STATES, *others)]
        names += [len(_STATES)] * (len(self._other_points) - len(others))
        point_ranks = np.array(names, dtype=np.int8)
        slot_ranks = np.array(
            [*map(self.slots.index, self._slot_names), -1], dtype=np.int32
        )  # the last is that of none
        self.point: NDArray[np.int8] = np.empty(self._rows, dtype=np.int8)
        self.at_ns: NDArray[np.int64] = np.empty(self._rows, dtype=np.int64)
        self.slot: NDArray[np.int32] = np.empty(self._rows, dtype=np.int32)
        done = pieces = 0
        for part in self._take_parts():
            here = np.arange(done, done := done + len(part.point))
            of_part = moves[pieces : (pieces := pieces + len(part.begins))]
            to = here + np.repeat(of_part, np.diff(part.begins, append=done))
            self.point[to], self.at_ns[to] = point_ranks[part.point], part.at_ns
            self.slot[to] = slot_ranks[part.slot]
        self.in_order = in_order(self.print_, self.at_ns)
        if not self.in_order:
            rows = np.lexsort((self.at_ns, self.print_))
            self.point, self.at_ns, self.slot = self.point[rows], self.at_ns[rows], self.slot[rows]
            self.in_order = in_order(self.print_, self.at_ns)

    def _take_parts(self) -> Iterator[_Part]:
        """Each part, of which nothing is kept."""
        self._parts.reverse()
        while self._parts:
            yield self._parts.pop()

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
        places = np.searchsorted(self._digests, digests, sorter=self._by_digest)
        # Behind the last one there is another, which is that of nobody.
        numbers = np.append(self._by_digest, -1)[places]
        known = np.append(self._digests, np.uint64(0))
        return np.where(known[numbers] == digests, numbers, -1).astype(np.int32)

    @cached_property
    def _by_digest(self) -> NDArray[np.intp]:
        """The numbers of the prints in the order of their nonces' digests; most runs need none of it."""
        return np.argsort(self._digests)

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


def _print_by_print(digests: Words, first_ns: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Pieces of prints, and beside each the number of its print: prints come in the order of their first event.

    Args:
        digests: of the nonce of each piece; first_ns: when its first event was.
    """
    known = np.sort(digests)
    if not np.any(known[1:] == known[:-1]):  # each print is one piece
        return _by_time(first_ns, digests), np.arange(len(digests), dtype=np.int32)
    by_digest = np.argsort(digests, kind="stable")
    firsts = changes(known)
    lasts = np.append(firsts[1:], len(digests))
    prints = _by_time(np.minimum.reduceat(first_ns[by_digest], firsts), known[firsts])
    numbers, places = ranges(firsts[prints], lasts[prints])
    return by_digest[places], numbers.astype(np.int32)


def _by_time(first_ns: NDArray[np.int64], digests: Words) -> NDArray[np.intp]:
    """The order of time, and of digests where that is one, so that nothing depends on the order in which they came.

    What came almost in the order of time is sorted by it in no time, but not by both at once.
    """
    order = np.argsort(first_ns, kind="stable")
    same = first_ns[order[1:]] == first_ns[order[:-1]]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same)) if len(order) else order
    order[tied] = order[tied][np.lexsort((digests[order[tied]], first_ns[order[tied]]))]
    return order
