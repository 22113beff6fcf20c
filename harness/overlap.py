"""Which prints met which sync runs, and how often the trigger condition was really met.

All intervals are closed, and all times given to one call are of one clock. Three readings of incomplete evidence hold
throughout, each chosen so that exposures can only be undercounted:

* A sync run lasts from its begin to the latest of its points applied, released and end: it was at work at each of them.
  The acknowledgement is left out, because it is the registry's and touches no print. A run that was cut off before any
  of them was at work for certain at its begin only, so it counts as that instant.
* A print is in the stage from `written` to `read`. Where one of them is missing nobody saw how long, so it never was.
* A print waits from `waiting` to `staged`. Where it was never staged it waits until the first point that it reached
  afterwards, whatever its name, because from there on it did something else; without any, at the instant of `waiting`.

Where a point repeats, the latest begin and the earliest end are taken: the instants common to all readings.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from operator import attrgetter
from typing import NamedTuple

from harness.records import Print, PrintEvent, Record, SyncRun


class Exposure(Record, frozen=True, kw_only=True, tag="exposure"):
    """The trigger condition, met once: a sync run, a print in the stage and a print waiting for it, at one instant.

    Args:
        sync_run: the sync run; it counts in this exposure only.
        at_ns: an instant common to the three closed intervals.
        staged: nonce of the print in the stage; waiting: of the print that waits. Both count in this exposure only.
    """

    sync_run: str
    at_ns: int
    staged: str
    waiting: str


def exposures(sync_runs: Iterable[SyncRun], events: Iterable[PrintEvent]) -> list[Exposure]:
    """Exposures by the points that the prints reached inside the service, in order of their instant.

    A service with a single slot may leave the name of the slot empty.
    """
    return _disjoint(sync_runs, _states(events))


def exposures_from_outside(sync_runs: Iterable[SyncRun], prints: Iterable[Print]) -> list[Exposure]:
    """Exposures of a service that shows only its outside: two prints in flight at one instant inside a sync run.

    Which of the two was in the stage is unknown here; they are named in an arbitrary, but repeatable order.
    """
    flights = [(print_.sent_ns, print_.answered_ns, print_.nonce) for print_ in prints]
    stays = [_Stay(sent, role, nonce, answered) for role in ("stage", "wait") for sent, answered, nonce in flights]
    return _disjoint(sync_runs, stays)


def met(sync_runs: Iterable[SyncRun], prints: Iterable[Print]) -> dict[str, list[str]]:
    """Sync run -> nonces of the prints in flight at some instant inside it, by time sent.

    Runs that met none are absent. Costs what it returns. To learn which runs a few prints met, give these few only.
    """
    index = InFlight(prints)
    found = ((run.sync_run, index.during(run.begin_ns, run_end_ns(run))) for run in sync_runs)
    return {sync_run: [print_.nonce for print_ in prints_met] for sync_run, prints_met in found if prints_met}


def runs_met(sync_runs: Iterable[SyncRun], prints: Iterable[Print]) -> int:
    """How many sync runs met a print; each print counts for one run only.

    The denominator where prints come one at a time. Runs choose in order of their begin, so the number never exceeds
    the largest that another choice could give (the argument is that of `_disjoint`).
    """
    upcoming = deque(sorted(prints, key=_when_sent))
    in_flight: list[int] = []  # a heap of answered_ns
    count = 0
    for run in sorted(sync_runs, key=attrgetter("begin_ns", "sync_run")):
        while upcoming and upcoming[0].sent_ns <= run.begin_ns:
            heappush(in_flight, upcoming.popleft().answered_ns)
        while in_flight and in_flight[0] < run.begin_ns:
            heappop(in_flight)
        if in_flight:
            heappop(in_flight)
            count += 1
        elif upcoming and upcoming[0].sent_ns <= run_end_ns(run):
            upcoming.popleft()
            count += 1
    return count


class InFlight:
    """Prints by the time in which they were in flight; a question costs about what its answer holds.

    The prints are kept apart by the order of magnitude of their duration, so that one print that hung for a minute does
    not make every question look a minute back.
    """

    def __init__(self, prints: Iterable[Print]) -> None:
        self._by_magnitude: dict[int, list[Print]] = {}
        for print_ in sorted(prints, key=_when_sent):
            self._by_magnitude.setdefault((print_.answered_ns - print_.sent_ns).bit_length(), []).append(print_)
        self._sent = {
            magnitude: [print_.sent_ns for print_ in prints_of] for magnitude, prints_of in self._by_magnitude.items()
        }

    def during(self, begin_ns: int, end_ns: int) -> list[Print]:
        """The prints in flight at some instant of the closed interval, in order of (sent_ns, nonce)."""
        found: list[Print] = []
        for magnitude, sent in self._sent.items():
            first = bisect_left(sent, begin_ns - (1 << magnitude))
            last = bisect_right(sent, end_ns)
            found += [p for p in self._by_magnitude[magnitude][first:last] if p.answered_ns >= begin_ns]
        return sorted(found, key=_when_sent)


def neighbours(print_: Print, index: InFlight) -> list[Print]:
    """The other prints that were in flight at one instant together with this one, in order of (sent_ns, nonce)."""
    return [other for other in index.during(print_.sent_ns, print_.answered_ns) if other.nonce != print_.nonce]


class _Stay(NamedTuple):
    """A print's time in the stage of a slot ("stage") or its wait for it ("wait"), or the time of a sync run ("run").

    The order of the fields is the order in which stays are swept.
    """

    begin_ns: int
    role: str
    name: str
    end_ns: int
    slot: str = ""


def _when_sent(print_: Print) -> tuple[int, str]:
    return print_.sent_ns, print_.nonce


def run_end_ns(run: SyncRun) -> int:
    return max(at_ns for at_ns in (run.begin_ns, run.applied_ns, run.released_ns, run.end_ns) if at_ns is not None)


def _states(events: Iterable[PrintEvent]) -> list[_Stay]:
    """When prints were in the stage, and when they waited for it."""
    by_nonce: dict[str, list[PrintEvent]] = {}
    for event in events:
        by_nonce.setdefault(event.nonce, []).append(event)
    stays = []
    for nonce, points in by_nonce.items():
        points.sort(key=_at)
        first: dict[str, PrintEvent] = {}
        last: dict[str, PrintEvent] = {}
        for event in points:
            first.setdefault(event.point, event)
            last[event.point] = event
        if "written" in last and "read" in first:
            written = last["written"]
            stays.append(_Stay(written.at_ns, "stage", nonce, first["read"].at_ns, written.slot))
        if "waiting" in last:
            waiting = last["waiting"]
            later = (event for event in points if event.point != "waiting" and event.at_ns >= waiting.at_ns)
            left = first.get("staged") or next(later, waiting)
            stays.append(_Stay(waiting.at_ns, "wait", nonce, left.at_ns, waiting.slot))
    return stays


def _at(event: PrintEvent) -> tuple[int, str]:
    return event.at_ns, event.slot


class _Slot:
    """The prints of one slot that have entered each state and that no exposure has used yet, first to leave on top."""

    def __init__(self) -> None:
        self.stages: list[tuple[int, str]] = []
        self.waits: list[tuple[int, str]] = []

    def take_pair(self, now_ns: int, used: set[str]) -> tuple[str, str] | None:
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


def _top(heap: list[tuple[int, str]], now_ns: int, used: set[str]) -> str | None:
    """The unused print that leaves first; the prints above it that are used or have left are dropped for good."""
    while heap and (heap[0][0] < now_ns or heap[0][1] in used):
        heappop(heap)
    return heap[0][1] if heap else None


def _second(heap: list[tuple[int, str]], now_ns: int, used: set[str]) -> str | None:
    top = heappop(heap)
    second = _top(heap, now_ns, used)
    heappush(heap, top)
    return second


def _disjoint(sync_runs: Iterable[SyncRun], stays: Iterable[_Stay]) -> list[Exposure]:
    """Exposures in which no sync run and no print occurs twice.

    Greedy: sync runs choose in order of (begin, id), each the earliest instant at which an unused pair is left for it.
    That needs one sweep over the begins: a triple has a common instant exactly if the latest of its three begins is
    one, so pairs become available at begins only, and the earliest run still without a pair takes what has become so.

    The count is conservative: what is returned is itself a set of disjoint exposures, and so no larger than the largest
    such set. A set to which no exposure could be added is what the sweep leaves, so it finds one wherever there is one.
    """
    runs_as_stays = (_Stay(run.begin_ns, "run", run.sync_run, run_end_ns(run)) for run in sync_runs)
    slots: dict[str, _Slot] = {}
    changed: dict[str, None] = {}  # slots where a pair may be left; a dict, because a set has no repeatable order
    runs: deque[_Stay] = deque()
    used: set[str] = set()
    found: list[Exposure] = []
    for stay in sorted([*stays, *runs_as_stays]):
        if stay.role == "run":
            runs.append(stay)
        elif stay.name not in used:
            slot = slots.setdefault(stay.slot, _Slot())
            heappush(slot.stages if stay.role == "stage" else slot.waits, (stay.end_ns, stay.name))
            changed[stay.slot] = None
        while runs and changed:
            if runs[0].end_ns < stay.begin_ns:
                runs.popleft()
                continue
            name, _ = changed.popitem()
            pair = slots[name].take_pair(stay.begin_ns, used)
            if pair:
                changed[name] = None
                found.append(
                    Exposure(sync_run=runs.popleft().name, at_ns=stay.begin_ns, staged=pair[0], waiting=pair[1])
                )
    return found
