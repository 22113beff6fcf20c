"""All prints of a run in columns, so that ten million of them fit into memory and are judged by whole columns.

The ledger stays the only place in which a print is kept whole: a column tells where, and `fetch` reads it again.
Prints that are alike in everything but their times, their application and their attempt are of one *sort*, and there
are only so many sorts as there are documents and people: what a sort is judged to be is judged once.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.clock import ClockMap, UnknownClock
from harness.records import Answered, Print
from harness.segment import PrintLine, read_print, read_print_line

Times = NDArray[np.int64]
Rows = NDArray[np.intp]
_SORT = b'applicant":'
_SORT_AT_LEAST = len('{"type":"print","application":"","sent_ns":0,"answered_ns":0,')
_ANSWERS: tuple[Answered, ...] = get_args(Answered)
_Whole = TypeVar("_Whole", bound=np.integer[Any])


class Interval(NamedTuple):
    """When prints were in flight: two columns of one length, in nanoseconds of the run's clock; closed at both ends."""

    sent_ns: Times
    answered_ns: Times


class _Lines(NamedTuple):
    """The prints of one segment."""

    path: Path
    sort: "array[int]"
    attempt: "array[int]"
    application: "array[int]"
    sent_ns: "array[int]"
    answered_ns: "array[int]"
    late_ns: "array[int]"
    offset: "array[int]"


class Prints:
    """Columns with one row a print, in the order of the segments and of their lines.

    Attributes:
        sorts: one print of each sort; sort: number of the sort, by row.
        attempt: by row; application: a number that is the same for all attempts of an application, by row.
        segment: number of the segment in the order in which they were read, by row.
        possible: the longest time in which each can have been in flight, as far as the clocks tell.
        certain: the time in which each was in flight for certain; it may be empty (sent after answered).
        late_ns: how long after its intended start each was sent, by row; 0 where it had none.
        latency_ns: from the intended start to the answer, by row, on one clock.
    """

    def __init__(self) -> None:
        self.sorts: list[Print] = []
        self._known: dict[bytes, int] = {}
        self._segments: list[_Lines] = []
        self._clocks: list[ClockMap | UnknownClock | None] = []

    def begin_segment(self, path: Path) -> None:
        """What is added from now on comes from this one."""
        self._segments.append(_Lines(path, array("i"), array("i"), *(array("q") for _ in range(5))))
        self._clocks.append(None)

    def set_clock(self, clock: ClockMap | UnknownClock) -> None:
        """The segment's times are of another clock than the run's."""
        self._clocks[-1] = clock

    def add(self, prints: Sequence[PrintLine], lines: Sequence[bytes], offsets: Times) -> None:
        """Some more prints of the segment that was begun last, with their lines and where those begin.

        Raises:
            ValueError: when one of them is no print as this version writes it; then none of them is added.
        """
        columns = self._segments[-1]
        known = self._known
        keys = [line[line.index(_SORT, _SORT_AT_LEAST) :] for line in lines]
        sorts = [known.get(key, -1) for key in keys]
        if -1 in sorts:
            for place in [place for place, sort in enumerate(sorts) if sort < 0]:
                if keys[place] not in known:
                    self.sorts.append(read_print(lines[place]))
                    known[keys[place]] = len(known)
                sorts[place] = known[keys[place]]
        columns.sort.fromlist(sorts)
        columns.attempt.fromlist([print_.attempt for print_ in prints])
        # Only compared within this process; that any two of ten million share one has a chance of 3 in a million.
        columns.application.fromlist([hash(print_.application) for print_ in prints])
        columns.sent_ns.fromlist([print_.sent_ns for print_ in prints])
        columns.answered_ns.fromlist([print_.answered_ns for print_ in prints])
        intended = [print_.intended_ns for print_ in prints]
        if intended.count(None) == len(prints):
            columns.late_ns.frombytes(bytes(columns.late_ns.itemsize * len(prints)))
        else:
            columns.late_ns.fromlist(
                [0 if at is None else print_.sent_ns - at for at, print_ in zip(intended, prints, strict=True)]
            )
        columns.offset.frombytes(offsets.tobytes())

    def seal(self) -> None:
        """Make the columns; nothing is added any more."""
        segments = self._segments

        def column(name: str, dtype: type[_Whole]) -> NDArray[_Whole]:
            parts = [np.frombuffer(getattr(lines, name), dtype=dtype) for lines in segments if len(lines.sort)]
            return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)

        self.sort = column("sort", np.int32)
        self.attempt = column("attempt", np.int32)
        self.application = column("application", np.int64)
        self.late_ns = column("late_ns", np.int64)
        self._offset = column("offset", np.int64)
        self._answers = np.array([_ANSWERS.index(sort.answer) for sort in self.sorts], dtype=np.int8)
        self._kinds = np.array([sort.kind for sort in self.sorts], dtype=np.str_)
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
        for name in ("sort", "attempt", "application", "late_ns", "_offset", "segment", "latency_ns"):
            setattr(self, name, getattr(self, name)[kept])
        self.possible = Interval(*(column[kept] for column in self.possible))
        self.certain = Interval(*(column[kept] for column in self.certain))

    @cached_property
    def by_application(self) -> Rows:
        """All rows, those of one application together."""
        return np.argsort(self.application, kind="stable")

    @property
    def kinds(self) -> list[str]:
        """Every kind that was applied for, in alphabetical order."""
        return [str(kind) for kind in np.unique(self._kinds)]

    def answered_with(self, *answers: Answered) -> NDArray[np.bool_]:
        """Which rows ended so."""
        wanted: NDArray[np.bool_] = np.isin(self._answers, [_ANSWERS.index(answer) for answer in answers])
        return wanted[self.sort]

    def of_kind(self, kind: str) -> NDArray[np.bool_]:
        """Which rows applied for this kind."""
        wanted: NDArray[np.bool_] = self._kinds == kind
        return wanted[self.sort]

    def fetch(self, rows: Iterable[int]) -> dict[int, Print]:
        """The prints of some rows, in their order, read from the ledger again, with the possible time of each.

        Raises:
            OSError: when the ledger is gone meanwhile.
        """
        return {row: self._whole(row, line) for row, line in self._read_again(rows)}

    def nonces(self, rows: Iterable[int]) -> dict[int, str]:
        """Of some rows, in their order, read from the ledger again.

        Raises:
            OSError: when the ledger is gone meanwhile.
        """
        return {row: f"{line.application}.{line.attempt}" for row, line in self._read_again(rows)}

    def _read_again(self, rows: Iterable[int]) -> Iterator[tuple[int, PrintLine]]:
        wanted = np.array(sorted(set(rows)), dtype=np.intp)
        for number, segment in enumerate(self._segments):
            of_segment = wanted[self.segment[wanted] == number]
            if not len(of_segment):
                continue
            with segment.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as lines:
                for row, offset in zip(of_segment.tolist(), self._offset[of_segment].tolist(), strict=True):
                    lines.seek(offset)
                    yield row, read_print_line(lines.readline())

    def _whole(self, row: int, line: PrintLine) -> Print:
        """Of its sort, because in a damaged line nothing else was looked at; with its possible time."""
        sent_ns, answered_ns = int(self.possible.sent_ns[row]), int(self.possible.answered_ns[row])
        return msgspec.structs.replace(
            self.sorts[int(self.sort[row])],
            application=line.application,
            attempt=line.attempt,
            sent_ns=sent_ns,
            answered_ns=answered_ns,
            intended_ns=None if line.intended_ns is None else line.intended_ns - line.sent_ns + sent_ns,
        )
