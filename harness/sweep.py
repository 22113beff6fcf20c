"""Sync runs take prints in the order of time, so that no sync run and no print counts twice. Pure.

Greedy: sync runs choose in order of (begin, end, id), each the earliest instant at which enough unused prints are there
for it. That needs one sweep over the begins: some intervals have a common instant exactly if the latest of their begins
is one, so prints become available at begins only, and the earliest run still without any takes what has become so.

The count is conservative: what is found is itself a set of disjoint choices, and so no larger than the largest such
set. A set to which no choice could be added is what the sweep leaves, so it finds one wherever there is one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.evidence.prints import Rows, Times
from harness.evidence.run_times import UNSEEN_NS, RunTimes
from harness.records import SyncRun

Served = tuple[int, int, tuple[int, ...]]
"""Index of the sync run, the instant at which it took some prints, and their numbers."""


_AT_ONCE = 4096
_Guest = TypeVar("_Guest")


class Room(Protocol[_Guest]):
    """Where prints stay, each for a closed interval, until they leave or are taken."""

    begin_ns: Times
    end_ns: Times

    def guests(self, stays: Rows) -> list[_Guest]:
        """What the room has to know of these stays when they begin."""

    def enter(self, guests: Iterable[_Guest]) -> None:
        """Their stays begin, in this order."""

    def take(self, now_ns: int) -> tuple[int, ...] | None:
        """Take out what a sync run needs, all of it there at this instant; None, and nothing taken, where it is not."""


def served(sync_runs: Sequence[SyncRun], room: Room[_Guest]) -> Iterator[Served]:
    """What each sync run that gets anything takes from the room, in the order of the instants."""
    times = RunTimes.of(sync_runs)
    order = runs_in_order(sync_runs, times)
    runs = order.tolist()
    for number, at_ns, taken in served_in_order(times.begin_ns[order], times.work_end_ns[order], room):
        yield runs[number], at_ns, taken


def served_in_order(begins_ns: Times, ends_ns: Times, room: Room[_Guest]) -> Iterator[Served]:
    """The same of sync runs in the order in which they choose, by when they begin and end."""
    stays = np.argsort(room.begin_ns, kind="stable")
    stays = stays[room.begin_ns[stays] <= room.end_ns[stays]]
    met_from = np.searchsorted(begins_ns, room.begin_ns[stays], side="left")
    met_until = np.searchsorted(begins_ns, room.end_ns[stays], side="right")
    # Only stays that are there when some run begins have to enter for it. Those that begin inside a run are needed only
    # while one waits for more.
    latest_end_ns = np.maximum.accumulate(np.append(UNSEEN_NS, ends_ns))
    there = _Arrivals(room, stays[met_from < met_until])
    inside = _Arrivals(room, stays[latest_end_ns[met_from] >= room.begin_ns[stays]])
    now_ns = UNSEEN_NS  # all that matter of the stays that begin until now have entered
    for run, (begin_ns, end_ns) in enumerate(zip(begins_ns.tolist(), ends_ns.tolist(), strict=True)):
        if begin_ns > now_ns:
            now_ns = begin_ns
            room.enter(there.until(now_ns))
        if now_ns > end_ns:
            continue
        taken = room.take(now_ns)
        while taken is None:
            inside.skip(now_ns)
            begin_of_next_ns = inside.next_ns
            if begin_of_next_ns is None or begin_of_next_ns > end_ns:
                break
            now_ns = begin_of_next_ns
            room.enter(inside.until(now_ns))
            there.skip(now_ns)
            taken = room.take(now_ns)
        else:
            yield run, now_ns, taken


def runs_in_order(sync_runs: Sequence[SyncRun], times: RunTimes) -> Rows:
    """In which runs choose, by (begin, end, id); the ids matter only where two runs share both."""
    order = np.lexsort((times.work_end_ns, times.begin_ns))
    begin_ns, end_ns = times.begin_ns[order], times.work_end_ns[order]
    if np.any((begin_ns[1:] == begin_ns[:-1]) & (end_ns[1:] == end_ns[:-1])):
        order = np.lexsort((np.array([run.sync_run for run in sync_runs]), times.work_end_ns, times.begin_ns))
    return order


class _Arrivals(Generic[_Guest]):
    """Some stays of a room in the order in which they begin; what is skipped costs nothing."""

    def __init__(self, room: Room[_Guest], stays: Rows) -> None:
        self._room, self._stays, self._all_begins_ns = room, stays, room.begin_ns[stays]
        self._load(0)

    def _load(self, first: int) -> None:
        """Make the next ones ready, those from `first` on."""
        part = slice(first, first + _AT_ONCE)
        self._first, self._next = first, 0
        self._begins_ns: list[int] = self._all_begins_ns[part].tolist()
        self._guests = self._room.guests(self._stays[part])

    @property
    def next_ns(self) -> int | None:
        """When the next one begins."""
        return self._begins_ns[self._next] if self._begins_ns else None

    def until(self, now_ns: int) -> list[_Guest]:
        """Those that follow and begin by now."""
        found = self._until(now_ns)
        while self._next == len(self._begins_ns) > 0:
            self._load(self._first + self._next)
            found += self._until(now_ns)
        return found

    def _until(self, now_ns: int) -> list[_Guest]:
        first = self._next
        self._next = bisect_right(self._begins_ns, now_ns, lo=first)
        return self._guests[first : self._next]

    def skip(self, now_ns: int) -> None:
        """Leave out those that begin by now."""
        if self._begins_ns and self._begins_ns[-1] <= now_ns:
            self._load(int(np.searchsorted(self._all_begins_ns, now_ns, side="right")))
        self._next = bisect_right(self._begins_ns, now_ns, lo=self._next)


class Stays(NamedTuple):
    """Columns of times in the stage of a slot (the others are waits for it); `print_` is the number of the print."""

    begin_ns: Times
    end_ns: Times
    in_stage: NDArray[np.bool_]
    print_: Times
    slot: NDArray[np.int_]


class Slots:
    """Prints by slot: a sync run needs one that is in the stage, and another one that waits for the same slot."""

    def __init__(self, stays: Stays) -> None:
        self.begin_ns, self.end_ns = stays.begin_ns, stays.end_ns
        self._stays = stays
        self._slots: dict[int, _Slot] = {}
        self._changed: set[int] = set()  # slots where a pair may be left, and the same as a heap
        self._in_order: list[int] = []
        self._used: set[int] = set()

    def guests(self, stays: Rows) -> list[tuple[int, bool, int, int]]:
        """See `Room`."""
        _, *columns = (column[stays].tolist() for column in self._stays)
        return list(zip(*columns, strict=True))

    def enter(self, guests: Iterable[tuple[int, bool, int, int]]) -> None:
        """See `Room`."""
        for end_ns, in_stage, print_, number in guests:
            if print_ in self._used:
                continue
            slot = self._slots.get(number)
            if slot is None:
                slot = self._slots[number] = _Slot()
            heappush(slot.stages if in_stage else slot.waits, (end_ns, print_))
            if number not in self._changed:
                self._changed.add(number)
                heappush(self._in_order, number)

    def take(self, now_ns: int) -> tuple[int, ...] | None:
        """See `Room`.

        From the first slot that has a pair: what is taken follows from what is there and not from what was there
        before, so that a run which goes on can be looked at piece by piece (see `harness.live.progress`).
        """
        while self._in_order:
            number = self._in_order[0]
            pair = self._slots[number].take_pair(now_ns, self._used)
            if pair:
                return pair
            self._changed.discard(heappop(self._in_order))
        return None


class _Slot:
    """The prints of one slot that have entered each state and were not taken, first to leave on top."""

    def __init__(self) -> None:
        self.stages: list[tuple[int, int]] = []
        self.waits: list[tuple[int, int]] = []

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
