"""Which prints met which sync runs, and how often the trigger condition was really met.

All intervals are closed, and all times given to one call are of one clock. Prints and events come in columns (see
`harness.evidence.prints` and `harness.evidence.events`), and a print is named by a number: its row, or that of its
events. Three readings of incomplete evidence hold throughout, each chosen so that exposures can only be undercounted:

* A sync run lasts from its begin to the last point at which it was at work for certain (`SyncRun.work_end_ns`).
* A print is in the stage from `written` to `read`. Where one of them is missing nobody saw how long, so it never was.
* A print waits from `waiting` to `staged`. Where it was never staged it waits until the first point that it reached
  afterwards, whatever its name, because from there on it did something else; without any, at the instant of `waiting`.

Where a point repeats, the latest begin and the earliest end are taken: the instants common to all readings.
"""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from harness.coverage import EVENTS_AT_ONCE, POINTS
from harness.evidence.events import Events
from harness.evidence.prints import Interval, Rows
from harness.pool import Meetings
from harness.ranges import stretches
from harness.records import Record, SyncRun
from harness.sweep import Slots, Stays, served

_AT_ONCE = 65_536  # prints as Python's own numbers, which take many times the room
_WAITING, _STAGED, _WRITTEN, _READ = (POINTS.index(point) for point in ("waiting", "staged", "written", "read"))


class Exposure(Record, frozen=True, kw_only=True, tag="exposure", gc=False):
    """The trigger condition, met once: a sync run, a print in the stage and a print waiting for it, at one instant.

    Args:
        sync_run: the sync run; it counts in this exposure only. Empty of a service that synchronises nothing.
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
    return [
        Exposure(sync_run=sync_runs[run].sync_run, at_ns=at_ns, staged=staged, waiting=waiting)
        for run, at_ns, (staged, waiting) in served(sync_runs, Slots(_stays(events)))
    ]


def exposures_from_outside(meetings: Meetings) -> list[Exposure]:
    """Exposures of a service that shows only its outside: two prints in flight at one instant inside a sync run.

    Which of the two was in the stage is unknown here; they are named in an arbitrary, but repeatable order.
    """
    runs, at_ns, pairs = (column.tolist() for column in meetings.taken(2))
    return [
        Exposure(sync_run=meetings.sync_runs[run].sync_run, at_ns=at_ns, staged=staged, waiting=waiting)
        for run, at_ns, (staged, waiting) in zip(runs, at_ns, pairs, strict=True)
    ]


def exposures_in_flight(prints: Interval) -> list[Exposure]:
    """Exposures of a service that synchronises nothing: pairs of prints in flight at one instant, in order of it."""
    pairs = Pairs()
    found = [*pairs.add(prints), *pairs.leave()]
    return sorted(found, key=lambda exposure: exposure.at_ns)


class Pairs:
    """Prints in flight at one instant, two by two, as they come and leave.

    There are as many as any choice of disjoint pairs could give. The print that leaves first goes with the one of its
    companions that leaves next: whoever else is met by that one is met by every other companion, too, because all of
    them are there when the first one leaves. So what was found of the prints until one instant is found of all of them.
    """

    def __init__(self) -> None:
        self._there: list[tuple[int, int, int]] = []  # a heap of (answered, sent, row)

    def add(self, prints: Interval) -> Iterator[Exposure]:
        """Prints of which none was sent before one that was added earlier; the pairs that have left meanwhile."""
        order = np.argsort(prints.sent_ns, kind="stable")
        order = order[prints.sent_ns[order] <= prints.answered_ns[order]]
        there = self._there
        for begin in range(0, len(order), _AT_ONCE):
            rows = order[begin : begin + _AT_ONCE]
            columns = prints.answered_ns[rows].tolist(), prints.sent_ns[rows].tolist(), rows.tolist()
            for answered_ns, sent_ns, row in zip(*columns, strict=True):
                if there and there[0][0] < sent_ns:
                    yield from self.leave(sent_ns)
                heappush(there, (answered_ns, sent_ns, row))

    def leave(self, until_ns: int | None = None) -> Iterator[Exposure]:
        """The pairs of those who leave before that instant, the first one first; None: of all."""
        there = self._there
        while there and (until_ns is None or there[0][0] < until_ns):
            _, sent_ns, row = heappop(there)
            if there:
                _, other_sent_ns, other = heappop(there)
                yield Exposure(sync_run="", at_ns=max(sent_ns, other_sent_ns), staged=row, waiting=other)


def runs_met(meetings: Meetings) -> int:
    """How many sync runs met a print; each print counts for one run only.

    The denominator where prints come one at a time. Runs choose as for exposures, so the number never exceeds the
    largest that another choice could give.
    """
    return len(meetings.taken(1).run)


def _stays(events: Events) -> Stays:
    """When prints were in the stage, and when they waited for it."""
    print_, point, at_ns, slot = events.print_, events.point, events.at_ns, events.slot
    if not events.in_order:
        # Of several points in one nanosecond those that end a wait come after it, for no wait may be prolonged.
        order = np.lexsort((slot, point != _WAITING, at_ns, print_))
        print_, point, at_ns, slot = print_[order], point[order], at_ns[order], slot[order]
    limits = zip(*(column.tolist() for column in stretches(print_, EVENTS_AT_ONCE)), strict=True)
    parts = (slice(0, 0), *(slice(first, last) for first, last in limits))
    found = [_stays_of(print_[part], point[part], at_ns[part], slot[part]) for part in parts]
    return Stays(*map(np.concatenate, zip(*found, strict=True)))


def _stays_of(
    print_: NDArray[np.int32], point: NDArray[np.int8], at_ns: NDArray[np.int64], slot: NDArray[np.int32]
) -> Stays:
    """Of the events of some prints, in order."""

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
    return Stays(
        np.concatenate((at_ns[begin], at_ns[waiting])),
        np.concatenate((at_ns[end], at_ns[left])),
        np.repeat((True, False), (len(begin), len(waiting))),
        np.concatenate((print_[begin], print_[waiting])),
        np.concatenate((slot[begin], slot[waiting])),
    )
