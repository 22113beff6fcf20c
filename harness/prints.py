"""All prints of a run in columns, so that ten million of them fit into memory and are judged by whole columns.

The ledger stays the only place in which a print is kept whole: a column tells where, and `fetch` reads it again.
Prints that are alike in everything but their times, their application and their attempt are of one *sort*, and there
are only so many sorts as there are documents and people: what a sort is judged to be is judged once.
"""

from array import array
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.clock import ClockMap
from harness.fingerprint import digest
from harness.ledger import SegmentReader
from harness.records import Evidence, Print

Times = NDArray[np.int64]
Rows = NDArray[np.intp]
_sort_key = attrgetter("checksum", "applicant", "group", "kind", "options", "answer", "marks")
_Whole = TypeVar("_Whole", bound=np.integer[Any])


class Interval(NamedTuple):
    """When prints were in flight: two columns of one length, in nanoseconds of the run's clock; closed at both ends."""

    sent_ns: Times
    answered_ns: Times


class _Lines(NamedTuple):
    """The prints of one segment."""

    reader: SegmentReader
    sort: "array[int]"
    attempt: "array[int]"
    application: "array[int]"
    sent_ns: "array[int]"
    answered_ns: "array[int]"
    late_ns: "array[int]"
    offset: "array[int]"
    place: "array[int]"


class Prints:
    """Columns with one row a print, in the order of the segments and of their lines.

    Attributes:
        sorts: one print of each sort; sort: number of the sort, by row.
        attempt: by row; application: a number that is the same for all attempts of an application (`number_of` its id),
            by row.
        segment: number of the segment in the order in which they were read, by row.
        possible: the longest time in which each can have been in flight, as far as the clocks tell.
        certain: the time in which each was in flight for certain; it may be empty (sent after answered).
        late_ns: how long after its intended start each was sent, by row; 0 where it had none.
        latency_ns: from the intended start to the answer, by row, on one clock.
    """

    def __init__(self) -> None:
        self.sorts: list[Print] = []
        self._known: dict[object, int] = {}
        self._segments: list[_Lines] = []
        self._clocks: list[ClockMap | None] = []

    def begin_segment(self, reader: SegmentReader) -> None:
        """What is added from now on comes from this one."""
        self._segments.append(_Lines(reader, array("i"), array("i"), array("Q"), *(array("q") for _ in range(5))))
        self._clocks.append(None)

    def set_clock(self, clock: ClockMap) -> None:
        """The segment's times are of another clock than the run's."""
        self._clocks[-1] = clock

    def add(self, prints: Sequence[Print], offset: int, places: Sequence[int]) -> None:
        """Some more prints of the segment that was begun last: those at these places of the chunk at `offset`."""
        lines, number_of_sort = self._segments[-1], self._known.get
        for print_, key in zip(prints, map(_sort_key, prints), strict=True):
            sort = number_of_sort(key)
            if sort is None:
                sort = self._known[key] = len(self.sorts)
                self.sorts.append(print_)
            lines.sort.append(sort)
        lines.attempt.extend([print_.attempt for print_ in prints])
        lines.application.extend([digest(print_.application.encode()) for print_ in prints])
        lines.sent_ns.extend([print_.sent_ns for print_ in prints])
        lines.answered_ns.extend([print_.answered_ns for print_ in prints])
        lines.late_ns.extend(
            [0 if print_.intended_ns is None else print_.sent_ns - print_.intended_ns for print_ in prints]
        )
        lines.offset.extend([offset] * len(prints))
        lines.place.extend(places)

    def seal(self) -> None:
        """Make the columns; nothing is added any more."""
        segments = self._segments

        def column(name: str, dtype: type[_Whole]) -> NDArray[_Whole]:
            parts = [np.frombuffer(getattr(lines, name), dtype=dtype) for lines in segments if len(lines.sort)]
            return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)

        self.sort = column("sort", np.int32)
        self.attempt = column("attempt", np.int32)
        self.application = column("application", np.uint64)
        self.late_ns = column("late_ns", np.int64)
        self._offset, self._index = column("offset", np.int64), column("place", np.int64)
        lengths = [len(lines.sort) for lines in segments]
        self.segment = np.repeat(np.arange(len(segments), dtype=np.int32), lengths)
        sent_ns, answered_ns = column("sent_ns", np.int64), column("answered_ns", np.int64)
        self.latency_ns = answered_ns - sent_ns + self.late_ns
        self.possible = self.certain = Interval(sent_ns, answered_ns)
        if any(clock is not None for clock in self._clocks):
            self.possible = Interval(sent_ns.copy(), answered_ns.copy())
            self.certain = Interval(sent_ns.copy(), answered_ns.copy())
            for number, clock in enumerate(self._clocks):
                if clock is not None:
                    rows = self.segment == number
                    self.possible.sent_ns[rows] = clock.earliest(sent_ns[rows])
                    self.certain.sent_ns[rows] = clock.latest(sent_ns[rows])
                    self.certain.answered_ns[rows] = clock.earliest(answered_ns[rows])
                    self.possible.answered_ns[rows] = clock.latest(answered_ns[rows])

    def __len__(self) -> int:
        return len(self.sort)

    def drop(self, rows: Iterable[int]) -> None:
        """Take these rows out of every column."""
        kept = np.ones(len(self), dtype=np.bool_)
        kept[list(rows)] = False
        for name in ("sort", "attempt", "application", "late_ns", "_offset", "_index", "segment", "latency_ns"):
            setattr(self, name, getattr(self, name)[kept])
        self.possible = Interval(*(column[kept] for column in self.possible))
        self.certain = Interval(*(column[kept] for column in self.certain))

    def by_sort(self, wanted: Iterable[bool]) -> NDArray[np.bool_]:
        """The rows whose sort is wanted; one truth value for each sort."""
        return np.fromiter(wanted, dtype=np.bool_, count=len(self.sorts))[self.sort]

    def fetch(self, rows: Iterable[int]) -> dict[int, Print]:
        """The prints of some rows, read from the ledger again; each with its possible time on the run's clock."""
        found: dict[int, Print] = {}
        chunk: tuple[int, int] = -1, -1
        records: Sequence[Evidence] = ()
        for row in sorted(set(rows)):
            place = int(self.segment[row]), int(self._offset[row])
            if place != chunk:
                chunk, records = place, self._segments[place[0]].reader.reread(place[1])
            print_ = records[int(self._index[row])]
            if not isinstance(print_, Print):
                message = f"row {row} is no print: this should never happen, because a segment is never written again"
                raise AssertionError(message)
            if self._clocks[place[0]] is not None:
                print_ = _at(print_, int(self.possible.sent_ns[row]), int(self.possible.answered_ns[row]))
            found[row] = print_
        return found


def _at(print_: Print, sent_ns: int, answered_ns: int) -> Print:
    """The print with its times on another clock."""
    intended_ns = None if print_.intended_ns is None else print_.intended_ns - print_.sent_ns + sent_ns
    return msgspec.structs.replace(print_, sent_ns=sent_ns, answered_ns=answered_ns, intended_ns=intended_ns)
