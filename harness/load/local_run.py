"""A judged run of one Locust process, which owns the run and has the users."""

from collections.abc import Callable

import gevent

from harness.evidence.ledger import Ended
from harness.live.flights import Flights
from harness.live.so_far import Counted
from harness.load.active_run import ActiveRun, Share
from harness.load.beside import every, in_a_thread
from harness.load.clock import Clock
from harness.load.live import Live
from harness.load.options import Setup
from harness.verdict import Verdict

_WATCH_S = 0.25


class LocalRun:
    """From its making, which starts the target, to `finish`, which says the verdict.

    Args:
        users: how many of Locust's are at work.

    Attributes:
        live: what is known of it at any time.

    Raises:
        LedgerError, TargetError: see `JudgedRun.open`.
    """

    def __init__(self, setup: Setup, clock: Clock, users: Callable[[], int]) -> None:
        self.run = setup.make_run()
        flights = self._flights if self.run.description.is_seen_by_flights else None
        self.live = Live(self.run, setup.plan, self._counted, users, flights)
        self._clock = clock
        self._ends_with_locust = setup.ends_with_locust
        self._stopped = False
        self.run.open()
        try:
            self.active = ActiveRun(
                setup,
                self.run.target,
                self.run.open_recorder(),
                share=Share(number=0, parts=1, groups=tuple(range(len(self.run.target.groups())))),
                clock=clock,
                on_misissuance=self._stop if setup.stop_on_misissuance else lambda: None,
            )
        except BaseException:
            self.run.abandon()
            raise
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        """Begin the plan."""
        self.run.restart_clock()
        if self.run.description.is_seen_by_flights:
            self.active.recorder.counts.keep_flights()
        self.active.start()
        self.live.start()
        self._greenlets.append(every(_WATCH_S, self._watch))

    def cut_short(self) -> None:
        """End the plan before its time, if it is not through yet: somebody interrupted the run."""
        self.active.cut_short = self.active.cut_short or not self._is_through

    @property
    def is_over(self) -> bool:
        """Locust may stop the users."""
        return self._is_through or self.active.cut_short

    @property
    def _is_through(self) -> bool:
        return not self._ends_with_locust and self.active.is_through

    def finish(self) -> Verdict:
        """Close the run and decide."""
        # Users may go on with what they have begun until the plan's time is over.
        is_complete = (self._is_through or self._ends_with_locust) and not self.active.cut_short
        ended: Ended = "complete" if is_complete else "stopped" if self._stopped else "interrupted"
        gevent.killall(self._greenlets)
        self.active.stop()
        self.live.end()
        return self.live.decide(lambda: self.run.close(ended, beside=in_a_thread))

    def _counted(self) -> list[Counted]:
        recorder = self.active.recorder
        return [Counted(recorder.tally(), recorder.counts.misissued, recorder.counts.exposed)]

    def _flights(self) -> Flights:
        recorder = self.active.recorder
        return Flights(self._clock.now_ns(), recorder.segment.issued, recorder.counts.take_flights())

    def _stop(self) -> None:
        self.cut_short()
        self._stopped = self.active.cut_short

    def _watch(self) -> None:
        if not self.run.check_target():
            self.cut_short()
