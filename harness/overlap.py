"""Which prints met which sync runs, and how often the trigger condition was really met.

All intervals are closed, and all times given to one call are of one clock. Prints and events come in columns (see
`harness.prints` and `harness.events`), and a print is named by a number: its row, or that of its events. Three readings
of incomplete evidence hold throughout, each chosen so that exposures can only be undercounted:

* A sync run lasts from its begin to the last point at which it was at work for certain (`SyncRun.work_end_ns`).
* A print is in the stage from `written` to `read`. Where one of them is missing nobody saw how long, so it never was.
* A print waits from `waiting` to `staged`. Where it was never staged it waits until the first point that it reached
  afterwards, whatever its name, because from there on it did something else; without any, at the instant of `waiting`.

Where a point repeats, the latest begin and the earliest end are taken: the instants common to all readings.
"""

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.coverage import POINTS, in_order
from harness.events import Events
from harness.prints import Interval, Rows, Times
from harness.records import Record, SyncRun

_WAITING, _STAGED, _WRITTEN, _READ = (POINTS.index(point) for point in ("waiting", "staged", "written", "read"))
_RUN, _STAGE, _WAIT = range(3)  # roles of a stay, in the order in which those of one begin are swept


class Exposure(Record, frozen=True, kw_only=True, tag="exposure"):
    """The trigger condition, met once: a sync run, a print in the stage and a print waiting for it, at one instant.

    Args:
        sync_run: the sync run; it counts in this exposure only.
        at_ns: an instant common to the three closed intervals.
        staged: number of the print in the stage; waiting: of the print that waits. Both count in this exposure only.
    """

    sync_run: str
    at_ns: int
    staged: int
    waiting: int


def exposures(sync_runs: Sequence[SyncRun], events: Events) -> list[Exposure]:
    """Exposures by the points that the prints reached inside the service, in order of their instant.

    A service with a single slot may leave the name of the slot empty.
    """
    return _disjoint(sync_runs, _stays(events), pooled=False)


def exposures_from_outside(sync_runs: Sequence[SyncRun], prints: Interval) -> list[Exposure]:
    """Exposures of a service that shows only its outside: two prints in flight at one instant inside a sync run.

    Which of the two was in the stage is unknown here; they are named in an arbitrary, but repeatable order.
    """
    rows = np.arange(len(prints.sent_ns))
    flights = _Stays(prints.sent_ns, np.full(len(rows), _STAGE), rows, prints.answered_ns, np.zeros_like(rows))
    return _disjoint(sync_runs, flights, pooled=True)


def runs_met(sync_runs: Sequence[SyncRun], prints: Interval) -> int:
    """How many sync runs met a print; each print counts for one run only.

    The denominator where prints come one at a time. Runs choose in order of their begin, so the number never exceeds
    the largest that another choice could give (the argument is that of `_disjoint`).
    """
    near = np.flatnonzero(_meets_any(sync_runs, prints.sent_ns, prints.answered_ns))
    near = near[np.lexsort((prints.answered_ns[near], prints.sent_ns[near]))]
    upcoming = zip(prints.sent_ns[near].tolist(), prints.answered_ns[near].tolist(), strict=True)
    sent_ns, answered_ns = next(upcoming, (None, 0))
    in_flight: list[int] = []  # a heap of answered_ns
    count = 0
    for run in sorted(sync_runs, key=lambda run: (run.begin_ns, run.sync_run)):
        while sent_ns is not None and sent_ns <= run.begin_ns:
            heappush(in_flight, answered_ns)
            sent_ns, answered_ns = next(upcoming, (None, 0))
        while in_flight and in_flight[0] < run.begin_ns:
            heappop(in_flight)
        if in_flight:
            heappop(in_flight)
            count += 1
        elif sent_ns is not None and sent_ns <= run.work_end_ns:
            sent_ns, answered_ns = next(upcoming, (None, 0))
            count += 1
    return count


class InFlight:
    """Prints by the time in which they were in flight; a question costs about what its answer holds.

    The prints are kept apart by the order of magnitude of their duration, so that one print that hung for a minute does
    not make every question look a minute back.
    """

    def __init__(self, prints: Interval) -> None:
        self._prints = prints
        duration_ns = np.maximum(prints.answered_ns - prints.sent_ns, 0)
        magnitude = np.frexp(duration_ns.astype(np.float64))[1]
        self._by_magnitude: dict[int, tuple[Rows, Times]] = {}
        for value in np.unique(magnitude).tolist():
            rows = np.flatnonzero(magnitude == value)
            rows = rows[np.argsort(prints.sent_ns[rows], kind="stable")]
            self._by_magnitude[value] = rows, prints.sent_ns[rows]

    def during(self, begin_ns: int, end_ns: int) -> list[int]:
        """Rows of the prints in flight at some instant of the closed interval, in order of the time sent."""
        found: list[int] = []
        for magnitude, (rows, sent_ns) in self._by_magnitude.items():
            first = np.searchsorted(sent_ns, begin_ns - (1 << magnitude), side="left")
            last = np.searchsorted(sent_ns, end_ns, side="right")
            near = rows[first:last]
            found += near[self._prints.answered_ns[near] >= begin_ns].tolist()
        return sorted(found, key=lambda row: (self._prints.sent_ns[row], row))

    def neighbours(self, row: int) -> list[int]:
        """The other prints that were in flight at one instant together with this one."""
        begin_ns, end_ns = int(self._prints.sent_ns[row]), int(self._prints.answered_ns[row])
        return [other for other in self.during(begin_ns, end_ns) if other != row]


class _Stays(NamedTuple):
    """Columns of times in the stage of a slot, of waits for it, or of sync runs; `name` is that of the print or run."""

    begin_ns: Times
    role: NDArray[np.int_]
    name: Times
    end_ns: Times
    slot: NDArray[np.int_]


def _stays(events: Events) -> _Stays:
    """When prints were in the stage, and when they waited for it."""
    print_, point, at_ns, slot = events.print_, events.point, events.at_ns, events.slot
    if not in_order(print_, at_ns):
        # Of several points in one nanosecond those that end a wait come after it, for no wait may be prolonged.
        order = np.lexsort((slot, point != _WAITING, at_ns, print_))
        print_, point, at_ns, slot = print_[order], point[order], at_ns[order], slot[order]

    def last(wanted: int) -> Rows:
        rows = np.flatnonzero(point == wanted)
        return rows[np.append(print_[rows][1:] != print_[rows][:-1], True)] if len(rows) else rows

    def first(wanted: int) -> Rows:
        rows = np.flatnonzero(point == wanted)
        return rows[np.insert(print_[rows][1:] != print_[rows][:-1], 0, True)] if len(rows) else rows

    def match(rows: Rows, others: Rows) -> tuple[NDArray[np.bool_], Rows]:
        """Which of the rows have one of the others of the same print, and which it is."""
        place = np.searchsorted(print_[others], print_[rows])
        place = np.minimum(place, len(others) - 1)
        return (print_[others][place] == print_[rows] if len(others) else np.zeros(len(rows), np.bool_)), others[place]

    written, read = last(_WRITTEN), first(_READ)
    was_read, read_of = match(written, read) if len(read) else (np.zeros(len(written), np.bool_), written)
    begin, end = written[was_read], read_of[was_read]
    waiting, staged = last(_WAITING), first(_STAGED)
    after = np.minimum(waiting + 1, max(len(print_) - 1, 0))
    left = np.where(print_[after] == print_[waiting], after, waiting)
    if len(staged):
        was_staged, staged_of = match(waiting, staged)
        left = np.where(was_staged, staged_of, left)
    return _Stays(
        np.concatenate((at_ns[begin], at_ns[waiting])),
        np.repeat((_STAGE, _WAIT), (len(begin), len(waiting))),
        np.concatenate((print_[begin], print_[waiting])),
        np.concatenate((at_ns[end], at_ns[left])),
        np.concatenate((slot[begin], slot[waiting])),
    )


def _meets_any(sync_runs: Sequence[SyncRun], begin_ns: Times, end_ns: Times) -> NDArray[np.bool_]:
    """Which closed intervals have an instant in common with some run."""
    begins = np.array([run.begin_ns for run in sync_runs], dtype=np.int64)
    ends = np.array([run.work_end_ns for run in sync_runs], dtype=np.int64)
    if not len(begins):
        return np.zeros(len(begin_ns), dtype=np.bool_)
    order = np.argsort(begins)
    latest_end = np.maximum.accumulate(ends[order])
    # Of the runs that began by the interval's end, the one that lasted longest decides.
    last = np.searchsorted(begins[order], end_ns, side="right") - 1
    return (last >= 0) & (latest_end[np.maximum(last, 0)] >= begin_ns) & (begin_ns <= end_ns)


class _Slot:
    """The prints of one slot that have entered each state and that no exposure has used yet, first to leave on top.

    Args:
        pooled: every print here is in both states, and any two are a pair.
    """

    def __init__(self, *, pooled: bool) -> None:
        self.stages: list[tuple[int, int]] = []
        self.waits: list[tuple[int, int]] = self.stages if pooled else []

    def take_pair(self, now_ns: int, used: set[int]) -> tuple[int, int] | None:
        """Take out two different prints, one in the stage and one waiting at this instant, and mark them as used."""
        staged = _top(self.stages, now_ns, used)
        waiting = _top(self.waits, now_ns, used)
        if staged is None or waiting is None:
            return None
        if staged == waiting:  # it left the wait and entered the stage in one nanosecond, but is no pair with itself
            waiting = _second(self.waits, now_ns, used)
            if waiting is None:
                waiting, staged = staged, _second(self.stages, now_ns, used)
                if staged is None:
                    return None
        used.update((staged, waiting))
        return staged, waiting


def _top(heap: list[tuple[int, int]], now_ns: int, used: set[int]) -> int | None:
    """The unused print that leaves first; the prints above it that are used or have left are dropped for good."""
    while heap and (heap[0][0] < now_ns or heap[0][1] in used):
        heappop(heap)
    return heap[0][1] if heap else None


def _second(heap: list[tuple[int, int]], now_ns: int, used: set[int]) -> int | None:
    top = heappop(heap)
    second = _top(heap, now_ns, used)
    heappush(heap, top)
    return second


def _disjoint(sync_runs: Sequence[SyncRun], stays: _Stays, *, pooled: bool) -> list[Exposure]:
    """Exposures in which no sync run and no print occurs twice.

    Greedy: sync runs choose in order of (begin, end, id), each the earliest instant at which an unused pair is left for
    it. That needs one sweep over the begins: a triple has a common instant exactly if the latest of its three begins is
    one, so pairs become available at begins only, and the earliest run still without a pair takes what has become so.

    The count is conservative: what is returned is itself a set of disjoint exposures, and so no larger than the largest
    such set. A set to which no exposure could be added is what the sweep leaves, so it finds one wherever there is one.
    """
    named = sorted(sync_runs, key=lambda run: run.sync_run)
    near = _meets_any(named, stays.begin_ns, stays.end_ns)
    runs_as_stays = _Stays(
        np.array([run.begin_ns for run in named], dtype=np.int64),
        np.full(len(named), _RUN),
        np.arange(len(named)),
        np.array([run.work_end_ns for run in named], dtype=np.int64),
        np.zeros(len(named), dtype=np.int64),
    )
    columns = [np.concatenate((column[near], of_runs)) for column, of_runs in zip(stays, runs_as_stays, strict=True)]
    begins_ns, roles, names, ends_ns, _ = columns
    # The names come last: those of prints seen from outside are their rows, which the order of the segments decides.
    order = np.lexsort((names, ends_ns, roles, begins_ns))
    slots: dict[int, _Slot] = {}
    changed: dict[int, None] = {}  # slots where a pair may be left; a dict, because a set has no repeatable order
    runs: deque[tuple[int, int]] = deque()
    used: set[int] = set()
    found: list[Exposure] = []
    for begin_ns, role, name, end_ns, slot in zip(*(column[order].tolist() for column in columns), strict=True):
        if role == _RUN:
            runs.append((end_ns, name))
        elif name not in used:
            prints = slots.get(slot)
            if prints is None:
                prints = slots[slot] = _Slot(pooled=pooled)
            heappush(prints.stages if role == _STAGE else prints.waits, (end_ns, name))
            changed[slot] = None
        while runs and changed:
            if runs[0][0] < begin_ns:
                runs.popleft()
                continue
            of_slot, _ = changed.popitem()
            pair = slots[of_slot].take_pair(begin_ns, used)
            if pair:
                changed[of_slot] = None
                run = named[runs.popleft()[1]].sync_run
                found.append(Exposure(sync_run=run, at_ns=begin_ns, staged=pair[0], waiting=pair[1]))
    return found
