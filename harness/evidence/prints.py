"""All prints of a run in columns, so that ten million of them fit into memory and are judged by whole columns.

The ledger stays the only place in which a print is kept whole: a column tells where, and `fetch` reads it again.
Prints that are alike in everything but their times, their application and their attempt are of one *sort*, and there
are only so many sorts as there are documents and people: what a sort is judged to be is judged once.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.clock import ClockMap, UnknownClock
from harness.evidence.lines import NAME_AT, PrintColumns, PrintLine, read_print_line
from harness.evidence.run_times import UNSEEN_NS
from harness.evidence.sorts import Sorts
from harness.evidence.texts import Texts
from harness.ranges import changes
from harness.records import Answered, Print

Times = NDArray[np.int64]
Rows = NDArray[np.intp]


class Interval(NamedTuple):
    """When prints were in flight: two columns of one length, in nanoseconds of the run's clock; closed at both ends."""

    sent_ns: Times
    answered_ns: Times


class _Part(NamedTuple):
    """Some prints that follow one another in a segment."""

    sort: NDArray[np.int32]
    attempt: NDArray[np.int32]
    application: NDArray[np.int64]
    sent_ns: Times
    answered_ns: Times
    late_ns: Times
    offset: Times
    name_bytes: NDArray[np.int16]


_NO_NUMBERS, _NO_TIMES = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
_NO_LENGTHS = np.zeros(0, dtype=np.int16)
_NONE = _Part(_NO_NUMBERS, _NO_NUMBERS, _NO_TIMES, _NO_TIMES, _NO_TIMES, _NO_TIMES, _NO_TIMES, _NO_LENGTHS)


class Prints:
    """Columns with one row a print, in the order of the segments and of their lines.

    Attributes:
        sorts: one print of each sort; sort: number of the sort, by row; known_sorts: gives them their numbers.
        attempt: by row; application: a number that is the same for all attempts of an application, by row.
        segment: number of the segment in the order in which they were read, by row.
        possible: the longest time in which each can have been in flight, as far as the clocks tell.
        certain: the time in which each was in flight for certain; it may be empty (sent after answered).
        late_ns: how long after its intended start each was sent, by row; 0 where it had none.
        kinds: every kind that was applied for, in alphabetical order.
        latency_ns: from the intended start to the answer, by row, on one clock.
    """

    def __init__(self) -> None:
        self.known_sorts = Sorts()
        self.sorts = self.known_sorts.prints
        self._paths: list[Path] = []
        self._parts: list[list[_Part]] = []
        self._clocks: list[ClockMap | UnknownClock | None] = []

    def begin_segment(self, path: Path) -> None:
        """What is added from now on comes from this one."""
        self._paths.append(path)
        self._parts.append([_NONE])
        self._clocks.append(None)

    def set_clock(self, clock: ClockMap | UnknownClock) -> None:
        """The segment's times are of another clock than the run's."""
        self._clocks[-1] = clock

    def add(self, prints: PrintColumns) -> None:
        """Some more prints of the segment that was begun last; their sorts are those of `known_sorts`."""
        applications = _numbers(prints.application)
        times = prints.sent_ns, prints.answered_ns, prints.late_ns
        self._parts[-1].append(
            _Part(prints.sort, prints.attempt, applications, *times, prints.offset, prints.name_bytes)
        )

    def seal(self) -> None:
        """Make the columns; nothing is added any more."""
        lengths = [sum(len(part.sort) for part in parts) for parts in self._parts]
        parts = [_NONE, *chain.from_iterable(self._parts)]
        self._parts.clear()
        self.sort: NDArray[np.int32] = np.concatenate([part.sort for part in parts])
        self.attempt: NDArray[np.int32] = np.concatenate([part.attempt for part in parts])
        self.application: NDArray[np.int64] = np.concatenate([part.application for part in parts])
        self.late_ns: NDArray[np.int64] = np.concatenate([part.late_ns for part in parts])
        self._offset: NDArray[np.int64] = np.concatenate([part.offset for part in parts])
        self._name_bytes: NDArray[np.int16] = np.concatenate([part.name_bytes for part in parts])
        sent_ns = np.concatenate([part.sent_ns for part in parts])
        answered_ns = np.concatenate([part.answered_ns for part in parts])
        self.segment = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        answers, self._answer = numbered(self.known_sorts.answers)
        self._answers = dict(zip(answers, range(len(answers)), strict=True))
        self.kinds, self._kind = numbered(self.known_sorts.kinds)
        self.latency_ns = answered_ns - sent_ns + self.late_ns
        self.possible = self.certain = Interval(sent_ns, answered_ns)
        if self._has_clocks:
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

    @property
    def _has_clocks(self) -> bool:
        """Whether some times are of another clock than the run's, so that not all is certain that is possible."""
        return any(clock is not None for clock in self._clocks)

    @property
    def in_service(self) -> Interval:
        """The time in which each was in the service for certain, as far as its outside shows.

        Empty for an attempt whose answer the client did not see: nobody knows whether it ever got there, and what came
        out was judged by nobody.
        """
        unseen = self.answered_with("unanswered")
        if not unseen.any():
            return self.certain
        sent_ns, answered_ns = self.certain
        return Interval(sent_ns, np.where(unseen, UNSEEN_NS, answered_ns))

    def drop(self, rows: Iterable[int]) -> None:
        """Take these rows out of every column."""
        kept = np.ones(len(self), dtype=np.bool_)
        kept[list(rows)] = False
        for name in ("sort", "attempt", "application", "late_ns", "_offset", "_name_bytes", "segment", "latency_ns"):
            setattr(self, name, getattr(self, name)[kept])
        certain, self.possible = self.certain, Interval(*(column[kept] for column in self.possible))
        self.certain = Interval(*(column[kept] for column in certain)) if self._has_clocks else self.possible

    @cached_property
    def by_application(self) -> Rows:
        """All rows, those of one application together, in any order among themselves."""
        return np.argsort(self.application)  # numpy's quickest

    def answered_with(self, *answers: Answered) -> NDArray[np.bool_]:
        """Which rows ended so."""
        wanted: NDArray[np.bool_] = np.isin(self._answer, [self._answers.get(answer, -1) for answer in answers])
        return wanted[self.sort]

    def of_kind(self, kind: str) -> NDArray[np.bool_]:
        """Which rows applied for this kind."""
        wanted: NDArray[np.bool_] = self._kind == (self.kinds.index(kind) if kind in self.kinds else -1)
        return wanted[self.sort]

    def of_applications(self, applications: Iterable[str]) -> Rows:
        """Which rows are attempts of one of these; costs one look at all rows, however many are asked for."""
        return np.flatnonzero(np.isin(self.application, _numbers(Texts.of(applications))))

    def fetch(self, rows: Iterable[int] | Rows) -> dict[int, Print]:
        """The prints of some rows, in their order, read from the ledger again, with the possible time of each.

        Raises:
            OSError: when the ledger is gone meanwhile.
        """
        found: dict[int, Print] = {}
        for data, of_segment in self._ledger(_in_order(rows)):
            for row, begin in zip(of_segment.tolist(), self._offset[of_segment].tolist(), strict=True):
                data.seek(begin)
                found[row] = self._whole(row, read_print_line(data.readline()))
        return found

    def nonces(self, rows: Rows) -> dict[int, str]:
        """Of some rows, read from the ledger again.

        Raises:
            OSError: when the ledger is gone meanwhile.
        """
        wanted = _in_order(rows)
        is_plain = self._name_bytes[wanted] > 0
        found = {row: print_.nonce for row, print_ in self.fetch(wanted[~is_plain]).items()}
        for data, of_segment in self._ledger(wanted[is_plain]):
            begins = self._offset[of_segment] + NAME_AT
            ends = begins + self._name_bytes[of_segment]
            places = zip(begins.tolist(), ends.tolist(), self.attempt[of_segment].tolist(), strict=True)
            nonces = [f"{data[begin:end].decode()}.{attempt}" for begin, end, attempt in places]
            found |= zip(of_segment.tolist(), nonces, strict=True)
        return found

    def _ledger(self, rows: Rows) -> Iterator[tuple[mmap, Rows]]:
        """The segments in which some rows stand, each with those rows."""
        for number, path in enumerate(self._paths):
            of_segment = rows[self.segment[rows] == number]
            if len(of_segment):
                with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                    yield data, of_segment

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


def _numbers(applications: Texts) -> NDArray[np.int64]:
    """By which applications are known in the columns."""
    return applications.digests().view(np.int64)


def numbered(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int32]]:
    """The different ones among these texts in alphabetical order, and the number that each has there."""
    known: dict[str, int] = {}
    met = np.array([known.setdefault(text, len(known)) for text in texts], dtype=np.int32)
    names = sorted(known)
    ranks = np.empty(len(names), dtype=np.int32)
    ranks[[known[name] for name in names]] = np.arange(len(names))
    return names, ranks[met]


def _in_order(rows: Iterable[int] | Rows) -> Rows:
    """Each of them once, in ascending order."""
    ordered = np.sort(rows if isinstance(rows, np.ndarray) else np.fromiter(rows, dtype=np.intp))
    return ordered[changes(ordered)]
