"""How often the trigger condition was met so far, of a run that still goes on. Pure.

A sync run is looked at once, when everything is known that was there while it was at work, together with whatever the
sync runs before it have left: what `harness.overlap` does with the whole run, piece by piece. So the number is never
above that of the verdict. Where something becomes known too late for that, it cannot be told any more and is None.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from harness.coverage import Cell, cells_from_points
from harness.evidence.events import Events
from harness.overlap import exposures
from harness.records import PrintEvent, SyncRun

SETTLED_NS = 500_000_000
"""So long after an instant everything about it was told, but for prints that stay where they are."""
PATIENCE_NS = 30_000_000_000
"""A print that stays where it is for so long is lost; a sync run is told in less time."""
_REMEMBERED_RUNS = 500
_REMEMBERED_PRINTS = 10_000
_AFTER_A_WAIT = frozenset({"staged", "written", "read"})
"""Any other point ends a wait, too, but only where none of these follows."""
_THERE = frozenset({"waiting", "staged", "written", "read"})
"""Points by which a print is seen to have been in the stage or to have waited for it."""
_BEGINS_AGAIN = frozenset({"waiting", "staged", "written"})
_BEGINNING_NS = -(2**63)


class SyncRuns:
    """The sync runs that were told, each handed out once, in the order in which they choose their prints.

    Attributes:
        number: that were told.
        looked_at_ns: whoever began before this should have been handed out already, or never can be.
    """

    def __init__(self) -> None:
        self.number = 0
        self.looked_at_ns = _BEGINNING_NS
        self._last = _BEGINNING_NS, _BEGINNING_NS, ""
        self._waiting: list[SyncRun] = []
        self._latest: deque[SyncRun] = deque(maxlen=_REMEMBERED_RUNS)

    def add(self, runs: Sequence[SyncRun]) -> bool:
        """Whether all of them came in time."""
        runs = [run for run in runs if not run.is_unplaced]
        self.number += len(runs)
        self._latest.extend(runs)
        self._waiting = sorted((*self._waiting, *runs), key=_order)
        first = self._waiting[0] if self._waiting else None
        return first is None or (_order(first) > self._last and first.begin_ns >= self.looked_at_ns)

    def take(self, known_until_ns: int, until_ns: Callable[[SyncRun], int]) -> list[SyncRun]:
        """Those, in their order, of which everything is known.

        Args:
            until_ns: up to when it has to be known for one.
        """
        number = 0
        while number < len(self._waiting) and until_ns(self._waiting[number]) < known_until_ns:
            number += 1
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        if taken:
            self._last = _order(taken[-1])
            self.looked_at_ns = max(self.looked_at_ns, taken[-1].begin_ns)
        return taken

    def last_during(self, begin_ns: int, end_ns: int) -> str | None:
        """The last one that began by `end_ns` and was at work in the closed interval; None where none is known."""
        met = (run for run in self._latest if run.begin_ns <= end_ns and run.work_end_ns >= begin_ns)
        last = max(met, key=lambda run: (run.begin_ns, run.sync_run), default=None)
        return last.sync_run if last is not None else None


def _order(run: SyncRun) -> tuple[int, int, str]:
    return run.begin_ns, run.work_end_ns, run.sync_run


class _Print(msgspec.Struct):
    """A print that may still count.

    Args:
        events: in the order in which they were told; at_ns: when each point was reached last.
    """

    events: list[PrintEvent]
    at_ns: dict[str, int]
    last_ns: int
    is_used: bool = False


class PointsProgress:
    """By the points that prints reach inside the service.

    Attributes:
        runs: the sync runs.
        exposures: so far; None when that cannot be told any more. cells: each with the number of sync runs that hit it.
        resends: prints that arrived more than once, the second time soon after the first.
    """

    def __init__(self) -> None:
        self.runs = SyncRuns()
        self.exposures: int | None = 0
        self.cells: Counter[Cell] | None = Counter()
        self.resends = 0
        self._prints: dict[str, _Print] = {}
        # Since when prints wait or are in the stage of which the end is not known: nonce -> time.
        self._waiting: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._given_up: dict[str, None] = {}
        self._over: dict[str, dict[str, int]] = {}  # prints that were there: nonce -> when each point was reached
        self._newest_ns = _BEGINNING_NS
        self._settled_ns = _BEGINNING_NS  # what was there until then has been counted

    def add(self, runs: Sequence[SyncRun], events: Iterable[PrintEvent]) -> None:
        """What has become known, sync runs before the events that go with them."""
        in_time = self.runs.add(runs)
        for event in events:
            in_time &= self._add(event)
        if not in_time:
            self.exposures = self.cells = None
        self._give_up()
        known_until_ns = min((self._newest_ns - SETTLED_NS, *self._waiting.values(), *self._written.values()))
        ready = self.runs.take(known_until_ns, _known_until)
        if ready:
            self._settled_ns = max(self._settled_ns, *map(_known_until, ready))
            self._count(ready)
        self._forget(everything_old=bool(ready))

    def sync_run_of(self, nonce: str, sent_ns: int, answered_ns: int) -> str | None:
        """The last sync run that met the print from its wait on; None where none is known."""
        at_ns = self._prints[nonce].at_ns if nonce in self._prints else self._over.get(nonce, {})
        return self.runs.last_during(at_ns.get("waiting", sent_ns), at_ns.get("read", answered_ns))

    def _add(self, event: PrintEvent) -> bool:
        """Whether it came in time."""
        nonce, point, at_ns = event.nonce, event.point, event.at_ns
        print_ = self._prints.get(nonce)
        if print_ is None:
            print_ = self._prints[nonce] = _Print([], {}, at_ns)
        before_ns = print_.at_ns.get(point)
        in_time = at_ns > self._settled_ns and nonce not in self._given_up
        if nonce in self._over:
            in_time &= point not in _BEGINS_AGAIN
        if point == "waiting":
            self._waiting[nonce] = at_ns
            in_time &= before_ns is None or before_ns > self._settled_ns
        elif point in _AFTER_A_WAIT and nonce in self._waiting:
            del self._waiting[nonce]
        elif point == "staged" and before_ns is None:  # until now it seemed to have left its wait by another point
            in_time &= print_.at_ns.get("waiting", at_ns) > self._settled_ns
        if point == "written":
            self._written[nonce] = at_ns
            in_time &= before_ns is None or before_ns > self._settled_ns
        elif point == "read":
            self._written.pop(nonce, None)
        elif point == "applied" and len(print_.events) == 1 and before_ns is not None:
            self.resends += 1
        print_.events.append(event)
        print_.at_ns[point] = at_ns
        print_.last_ns = max(print_.last_ns, at_ns)
        self._newest_ns = max(self._newest_ns, at_ns)
        return in_time

    def _give_up(self) -> None:
        """Wait no longer for prints that do not go on."""
        for under_way in (self._waiting, self._written):
            for nonce in [nonce for nonce, at_ns in under_way.items() if at_ns < self._newest_ns - PATIENCE_NS]:
                del under_way[nonce]
                self._given_up[nonce] = None
        _shorten(self._given_up)

    def _count(self, runs: Sequence[SyncRun]) -> None:
        if self.exposures is None or self.cells is None:
            return
        events = Events.of(event for print_ in self._prints.values() for event in print_.events)
        hit = cells_from_points(runs, print_=events.print_, point=events.point, at_ns=events.at_ns, slot=events.slot)
        self.cells.update({cell: len(of_cell) for cell, of_cell in hit.items()})
        numbers = events.numbers_of(self._prints).tolist()
        used = {number for number, print_ in zip(numbers, self._prints.values(), strict=True) if print_.is_used}
        found = exposures(runs, events.without(used) if used else events)
        self.exposures += len(found)
        used = {number for exposure in found for number in (exposure.staged, exposure.waiting)}
        for number, print_ in zip(numbers, self._prints.values(), strict=True) if used else ():
            print_.is_used = print_.is_used or number in used

    def _forget(self, *, everything_old: bool) -> None:
        """Keep only prints that may be there during a sync run that is still to come."""
        self.runs.looked_at_ns = max(self.runs.looked_at_ns, self._newest_ns - PATIENCE_NS)
        for nonce in list(self._prints) if everything_old else self._oldest():
            if self._is_over(nonce):
                at_ns = self._prints.pop(nonce).at_ns
                if not _THERE.isdisjoint(at_ns):
                    self._over[nonce] = at_ns
        _shorten(self._over)

    def _oldest(self) -> Iterable[str]:
        """Those at the front that are over; what has come later is not looked at each time."""
        found = []
        for nonce in self._prints:
            if not self._is_over(nonce):
                break
            found.append(nonce)
        return found

    def _is_over(self, nonce: str) -> bool:
        print_ = self._prints[nonce]
        if print_.last_ns >= self.runs.looked_at_ns or nonce in self._waiting or nonce in self._written:
            return False
        was_there = not _THERE.isdisjoint(print_.at_ns)
        return was_there or print_.last_ns < self._newest_ns - PATIENCE_NS  # else it is still to come


def _shorten(remembered: dict[str, Any]) -> None:
    while len(remembered) > _REMEMBERED_PRINTS:
        del remembered[next(iter(remembered))]


def _known_until(run: SyncRun) -> int:
    return max(run.work_end_ns, run.acknowledged_ns or run.work_end_ns)
