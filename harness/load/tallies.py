"""How a worker's counts come to the master: on Locust's own reports.

Counts are told as a whole each time, so a report that is lost or comes twice is no harm. Misissued prints and the
persons on them are told once, some at a time.
"""

from collections.abc import Callable
from itertools import islice

import msgspec

from harness.evidence.recorder import Recorder
from harness.live.tally import KEPT, Misissued, Tally
from harness.load.messages import WorkerTallies

_AT_ONCE = 200


class Outgoing:
    """A worker's side.

    Args:
        offset_ns: to be added to the time of the recorder's clock for that of the run's.
    """

    def __init__(self, run: str, recorder: Recorder, offset_ns: Callable[[], int]) -> None:
        self._run = run
        self._recorder = recorder
        self._offset_ns = offset_ns
        self._misissued = self._exposed = 0  # that were told

    def next(self) -> WorkerTallies:
        """For one report."""
        return self._tell(_AT_ONCE)

    def rest(self) -> WorkerTallies:
        """For the last word."""
        return self._tell(None)

    def _tell(self, most: int | None) -> WorkerTallies:
        counts = self._recorder.counts
        misissued = tuple(map(self._on_run_clock, counts.misissued[self._misissued :][:most]))
        exposed = tuple(islice(counts.exposed, self._exposed, None if most is None else self._exposed + most))
        self._misissued += len(misissued)
        self._exposed += len(exposed)
        return WorkerTallies(
            run=self._run,
            batch=self._recorder.segment.batch,
            tally=self._recorder.tally(),
            misissued=misissued,
            exposed=exposed,
        )

    def _on_run_clock(self, misissued: Misissued) -> Misissued:
        offset_ns = self._offset_ns()
        return msgspec.structs.replace(
            misissued, sent_ns=misissued.sent_ns + offset_ns, answered_ns=misissued.answered_ns + offset_ns
        )


class Incoming:
    """The master's side: everything that one worker has told.

    Attributes:
        batch, tally: the newest; none before the first report.
        misissued: by nonce, `KEPT` at the most; exposed: the persons on all of them.
    """

    def __init__(self, run: str) -> None:
        self.batch = 0
        self.tally: Tally | None = None
        self.misissued: dict[str, Misissued] = {}
        self.exposed: set[str] = set()
        self._run = run

    def take(self, told: WorkerTallies) -> None:
        """One more report; one of an earlier run, or that was overtaken by another, changes no count."""
        if told.run != self._run:
            return
        if self.tally is None or (told.tally.issued, told.tally.ended) >= (self.tally.issued, self.tally.ended):
            self.batch, self.tally = max(self.batch, told.batch), told.tally
        self.exposed.update(told.exposed)
        for misissued in told.misissued:
            if len(self.misissued) < KEPT:
                self.misissued[misissued.nonce] = misissued
