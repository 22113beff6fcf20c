"""How often the trigger condition was met so far, of a service that shows only its outside. Pure.

See `harness.live.progress`; here prints are in flight from sent to answered, as one process that sends all of them
sees it.
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.coverage import Cell, cells_from_outside
from harness.evidence.prints import Interval, Times
from harness.live.flights import Flights, Horizon
from harness.live.progress import PATIENCE_NS, SyncRuns
from harness.overlap import exposures_from_outside
from harness.pool import Meetings
from harness.records import SyncRun

_BEFORE_NS = 1_000_000_000
_FLIGHTS_AT_MOST = 1_000_000


class _Part(NamedTuple):
    """Some prints that may still count, and which of them an exposure has used."""

    sent_ns: Times
    answered_ns: Times
    is_used: NDArray[np.bool_]


class OutsideProgress:
    """By what is in flight.

    Attributes:
        runs: the sync runs.
        exposures: so far; None when that cannot be told any more. cells: each with the number of sync runs that hit it.
    """

    def __init__(self) -> None:
        self.runs = SyncRuns()
        self.exposures: int | None = 0
        self.cells: Counter[Cell] | None = Counter()
        self._parts: deque[_Part] = deque()
        self._flights = 0  # in the parts
        self._horizon = Horizon()
        self._longest_ns = 0  # of the sync runs

    def add(self, runs: Sequence[SyncRun], flights: Flights) -> None:
        """What has become known: sync runs, and the flights as they were when those had been told."""
        in_time = self.runs.add(runs)
        self._longest_ns = max((self._longest_ns, *(run.work_end_ns - run.begin_ns for run in runs)))
        ended, known_until_ns = self._horizon.add(flights)
        number = len(ended.sent_ns)
        if number:
            self._parts.append(_Part(ended.sent_ns, ended.answered_ns, np.zeros(number, np.bool_)))
            self._flights += number
        if not in_time or self._flights > _FLIGHTS_AT_MOST or self._horizon.is_lost:
            self.exposures = self.cells = None
        if known_until_ns is not None:
            self._count(self.runs.take(known_until_ns + 1, _known_until))
            self.runs.looked_at_ns = max(self.runs.looked_at_ns, known_until_ns - PATIENCE_NS)
        self._forget()

    def sync_run_of(self, nonce: str, sent_ns: int, answered_ns: int) -> str | None:  # noqa: ARG002 - as from inside
        """The last sync run that met the print; None where none is known."""
        return self.runs.last_during(sent_ns, answered_ns)

    def _count(self, runs: Sequence[SyncRun]) -> None:
        if self.exposures is None or self.cells is None or not runs or not self._parts:
            return
        sent_ns, answered_ns, is_used = map(np.concatenate, zip(*self._parts, strict=True))
        hit = cells_from_outside(runs, sent_ns=sent_ns, answered_ns=answered_ns)
        self.cells.update({cell: len(of_cell) for cell, of_cell in hit.items()})
        free = np.flatnonzero(~is_used)
        found = exposures_from_outside(Meetings(runs, Interval(sent_ns[free], answered_ns[free])))
        self.exposures += len(found)
        is_used[free[[number for exposure in found for number in (exposure.staged, exposure.waiting)]]] = True
        kept = answered_ns >= self._needed_from_ns
        self._parts = deque([_Part(sent_ns[kept], answered_ns[kept], is_used[kept])]) if kept.any() else deque()
        self._flights = int(kept.sum())

    @property
    def _needed_from_ns(self) -> int:
        """A print may be in flight during a sync run that is still to come, or as long before it as it lasts."""
        return self.runs.looked_at_ns - max(self._longest_ns, _BEFORE_NS)

    def _forget(self) -> None:
        if self.exposures is None:
            self._parts.clear()
            self._flights = 0
        while self._parts and int(self._parts[0].answered_ns.max()) < self._needed_from_ns:
            self._flights -= len(self._parts.popleft().sent_ns)


def _known_until(run: SyncRun) -> int:
    """The last phase of a sync run that is told from outside is as long as the run."""
    return 2 * run.work_end_ns - run.begin_ns
