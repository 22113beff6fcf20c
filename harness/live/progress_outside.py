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
from harness.live.progress import PATIENCE_NS, SyncRuns
from harness.overlap import exposures_from_outside
from harness.records import SyncRun

_BEFORE_NS = 1_000_000_000
_FLIGHTS_AT_MOST = 1_000_000
_MARKS_AT_MOST = 1000


class Flights(NamedTuple):
    """What one process has sent and seen answered.

    Args:
        now_ns: the instant at which this was so; issued: attempts sent until then.
        ended: of the attempts that have ended since the last time, `sent_ns` and `answered_ns` by turns.
    """

    now_ns: int
    issued: int
    ended: Sequence[int]


class _Part(NamedTuple):
    """Some prints that may still count, and which of them an exposure has used."""

    sent_ns: Times
    answered_ns: Times
    is_used: NDArray[np.bool_]


class _Mark:
    """An instant, and how many of the attempts that were sent until then have not ended."""

    def __init__(self, at_ns: int, missing: int) -> None:
        self.at_ns = at_ns
        self.missing = missing


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
        self._marks: deque[_Mark] = deque()
        self._ended = 0
        self._longest_ns = 0  # of the sync runs

    def add(self, runs: Sequence[SyncRun], flights: Flights) -> None:
        """What has become known: sync runs, and the flights as they were when those had been told."""
        in_time = self.runs.add(runs)
        self._longest_ns = max((self._longest_ns, *(run.work_end_ns - run.begin_ns for run in runs)))
        ended = np.array(flights.ended, dtype=np.int64).reshape(-1, 2)
        self._ended += len(ended)
        if len(ended):
            self._parts.append(_Part(ended[:, 0].copy(), ended[:, 1].copy(), np.zeros(len(ended), np.bool_)))
            self._flights += len(ended)
        for mark in self._marks:
            mark.missing -= int((ended[:, 0] <= mark.at_ns).sum())
        self._marks.append(_Mark(flights.now_ns, flights.issued - self._ended))
        known_until_ns: int | None = None
        while self._marks and self._marks[0].missing <= 0:
            known_until_ns = self._marks.popleft().at_ns
        if not in_time or self._flights > _FLIGHTS_AT_MOST or len(self._marks) > _MARKS_AT_MOST:
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
        found = exposures_from_outside(runs, Interval(sent_ns[free], answered_ns[free]))
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
            self._marks.clear()
            self._flights = 0
        while self._parts and int(self._parts[0].answered_ns.max()) < self._needed_from_ns:
            self._flights -= len(self._parts.popleft().sent_ns)


def _known_until(run: SyncRun) -> int:
    """The last phase of a sync run that is told from outside is as long as the run."""
    return 2 * run.work_end_ns - run.begin_ns
