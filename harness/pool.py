"""Sync runs that take prints any of which can be together, as those of a service seen from outside. Pure.

It is the sweep of `harness.sweep`. But what a run takes while many prints are in flight can be told at once: if enough
of those that are there when it begins leave before the next one begins, it takes the first of them to leave, and the
next one misses nothing. So only where runs find few prints, and a little beyond, they are looked at one by one.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.evidence.prints import Interval, Rows, Times
from harness.evidence.run_times import UNSEEN_NS, RunTimes
from harness.ranges import changes
from harness.records import SyncRun
from harness.sweep import Served, runs_in_order, served_in_order

_AT_ONCE = 64  # runs; what fewer take is told more quickly one by one
_BEYOND = 16  # runs behind those that have to be looked at one by one, to begin with


class Pool:
    """Prints any of which can be together; those that leave first are taken first.

    Args:
        takes: how many a sync run needs.
    """

    def __init__(self, begin_ns: Times, end_ns: Times, *, takes: int) -> None:
        self.begin_ns, self.end_ns = begin_ns, end_ns
        self._takes = takes
        order = np.argsort(end_ns, kind="stable")
        self._rank = np.empty_like(order)
        self._rank[order] = np.arange(len(order))
        self._row, self._end_ns = order.data, end_ns[order].data  # by rank
        self._there: list[int] = []  # a heap of ranks

    def guests(self, stays: Rows) -> list[int]:
        """See `Room`: the ranks of these rows in the order of leaving."""
        ranks: list[int] = self._rank[stays].tolist()
        return ranks

    def enter(self, guests: Iterable[int]) -> None:
        """See `Room`."""
        for rank in guests:
            heappush(self._there, rank)

    def take(self, now_ns: int) -> tuple[int, ...] | None:
        """See `Room`."""
        there, end_ns = self._there, self._end_ns
        while there and end_ns[there[0]] < now_ns:
            heappop(there)
        # Where the first to leave is still there, the others are.
        return tuple([self._row[heappop(there)] for _ in range(self._takes)]) if len(there) >= self._takes else None


class Taken(NamedTuple):
    """What sync runs took, one row a run that got anything, in the order of the instants.

    Args:
        run: index of the sync run; at_ns: the instant; prints: rows of the prints, as many columns as a run needs.
    """

    run: Rows
    at_ns: Times
    prints: Rows


class Meetings:
    """Sync runs, and the prints any of which they may take: put in order once, whatever is asked for.

    Attributes:
        sync_runs: in the order in which they were given, which is that of `Taken.run`.
    """

    def __init__(self, sync_runs: Sequence[SyncRun], prints: Interval) -> None:
        self.sync_runs = sync_runs
        self._prints = prints
        times = RunTimes.of(sync_runs)
        self._order = runs_in_order(sync_runs, times)
        self._begins_ns, self._ends_ns = times.begin_ns[self._order], times.work_end_ns[self._order]
        leaving = np.argsort(prints.answered_ns, kind="stable")
        leaving = leaving[prints.sent_ns[leaving] <= prints.answered_ns[leaving]]
        begun = np.searchsorted(self._begins_ns, prints.answered_ns[leaving], side="right")
        last_begin_ns = np.append(UNSEEN_NS, self._begins_ns)[begun]
        meets = np.flatnonzero((begun > 0) & (last_begin_ns >= prints.sent_ns[leaving]))
        # Those that some run meets in the order of leaving, the last run that each meets, and where these begin.
        self._leaving, self._last_met = leaving[meets], begun[meets] - 1
        self._firsts = changes(self._last_met)

    def taken(self, takes: int) -> Taken:
        """What `served` finds in the pool of these prints, when each run needs so many."""
        order, begins_ns, ends_ns, prints = self._order, self._begins_ns, self._ends_ns, self._prints
        choices = self._choices(takes)
        stretches = iter([*_stretches(choices[:, 0] >= 0), (len(order), len(order))])
        found = [Taken(order[:0], begins_ns[:0], choices[:0])]
        done = 0  # no run before this one has taken what this one might, or looked further than to its begin
        while done < len(order):
            first, last = next(stretches)
            beyond, one_by_one = _BEYOND, list[Served]()
            while done < first:
                stop = min(first + beyond, last)
                rows = self._flights.around(begins_ns[done], ends_ns[done:stop].max())
                room = Pool(prints.sent_ns[rows], prints.answered_ns[rows], takes=takes)
                one_by_one = [
                    (done + run, at_ns, tuple(rows[list(taken)].tolist()))
                    for run, at_ns, taken in served_in_order(begins_ns[done:stop], ends_ns[done:stop], room)
                ]
                # Of a run that took some until these have left, of another one until it looks no longer.
                until_ns = ends_ns[done:stop].copy()
                for run, _, taken in one_by_one:
                    until_ns[run - done] = int(prints.answered_ns[list(taken)].max())
                until_ns = np.maximum.accumulate(until_ns)[first - 1 - done :]
                next_ns = begins_ns[first : stop + 1]
                settled = np.flatnonzero(until_ns[: len(next_ns)] < next_ns)
                if len(settled) or stop == len(order):
                    done = first + int(settled[0]) if len(settled) else stop
                elif stop == last:
                    first, last = next(stretches)
                else:
                    beyond *= 2
            settled_ones = [one for one in one_by_one if one[0] < done]
            if settled_ones:
                runs, instants_ns, rows_of = zip(*settled_ones, strict=True)
                found.append(Taken(order[list(runs)], np.array(instants_ns, dtype=np.int64), np.array(rows_of)))
            found.append(Taken(order[done:last], begins_ns[done:last], choices[done:last]))
            done = last
        return Taken(*map(np.concatenate, zip(*found, strict=True)))

    def _choices(self, takes: int) -> Rows:
        """What each run takes if nobody comes before it, one row a run; -1 where too few leave before the next begins.

        Runs are in the order in which they choose.
        """
        firsts = self._firsts[np.diff(self._firsts, append=len(self._leaving)) >= takes]
        choices = np.full((len(self._order), takes), -1, dtype=np.intp)
        choices[self._last_met[firsts]] = self._leaving[firsts[:, None] + np.arange(takes)]
        return choices

    @cached_property
    def _flights(self) -> "_Flights":
        return _Flights(self._prints)


def _stretches(sure: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The half-open ranges of runs that are all sure, as far as they pay."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], sure, [False])).astype(np.int8)))
    return [(first, last) for first, last in edges.reshape(-1, 2).tolist() if last - first >= _AT_ONCE]


class _Flights:
    """Prints in the order in which they were sent."""

    def __init__(self, prints: Interval) -> None:
        order = np.argsort(prints.sent_ns, kind="stable")
        self._rows = order[prints.sent_ns[order] <= prints.answered_ns[order]]
        self._sent_ns, self._answered_ns = prints.sent_ns[self._rows], prints.answered_ns[self._rows]
        self._latest_ns = np.maximum.accumulate(self._answered_ns)

    def around(self, begin_ns: int, end_ns: int) -> Rows:
        """Those in flight at some instant of the closed interval, in ascending order."""
        first = np.searchsorted(self._latest_ns, begin_ns, side="left")
        near = slice(first, np.searchsorted(self._sent_ns, end_ns, side="right"))
        return np.sort(self._rows[near][self._answered_ns[near] >= begin_ns])
