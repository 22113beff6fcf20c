"""A run while its users are at work: what they share, and the work beside them."""

import logging
from collections.abc import Callable
from itertools import count
from random import Random

import gevent

from harness.gate import Verdict
from harness.load.leases import Leases
from harness.load.plan import Phase, Plan
from harness.report.terminal import print_progress
from harness.run import JudgedRun
from harness.target import Target

_log = logging.getLogger(__name__)
_FLUSH_S = 0.2
_WATCH_S = 0.25
_PROGRESS_S = 2.0
_SETTLE_S = 0.02
_DRAIN_S = 0.3


class ActiveRun:
    """What users ask for, and the greenlets beside them."""

    def __init__(self, run: JudgedRun, plan: Plan, *, seed: int) -> None:
        self.run = run
        self.plan = plan
        self.random = Random(seed)
        self.target: Target = run.target
        self.recorder = run.recorder
        groups = self.target.groups()
        self.applicants = Leases(groups, self.random)
        # Clerks do not apply: they enter changes of people who may be printing at the same time.
        self.changed = Leases(groups, self.random)
        self.cut_short = False
        self.next_application = count(1)
        self.next_change = count(1)
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        """Begin the plan and the work beside the users."""
        self.run.restart_clock()

        def watch() -> None:
            self.run.check_target()

        def show() -> None:
            print_progress(self.run.elapsed_s, self.plan.seconds, self.phase, self.recorder)

        for period_s, work in (
            (_SETTLE_S, self.recorder.settle),
            (_FLUSH_S, self.recorder.flush),
            (_WATCH_S, watch),
            (_PROGRESS_S, show),
        ):
            self._greenlets.append(gevent.spawn(self._repeat, period_s, work))

    @property
    def phase(self) -> Phase | None:
        """The phase of the plan that is on now; None when nothing more is to begin."""
        return None if self.cut_short or self.run.died else self.plan.at(self.run.elapsed_s)

    @property
    def is_through(self) -> bool:
        """The plan is through, and so long that users have seen it."""
        return self.run.elapsed_s > self.plan.seconds + _DRAIN_S

    @property
    def is_over(self) -> bool:
        """Locust may stop the users."""
        return self.is_through or self.cut_short or bool(self.run.died)

    def fault(self, place: str, error: Exception) -> None:
        """Count what went wrong in the harness; the run cannot pass any more."""
        text = f"{type(error).__name__} in {place}: {error}"
        if text not in self.recorder.faults:
            self.recorder.faults.append(text)
            _log.error("fault of the harness: %s", text)

    def finish(self) -> Verdict:
        """Stop the work beside the users, close the run and decide."""
        interrupted = not self.is_through
        gevent.killall(self._greenlets)
        return self.run.close(interrupted=interrupted)

    def _repeat(self, period_s: float, work: Callable[[], None]) -> None:
        while True:
            gevent.sleep(period_s)
            try:
                work()
            except Exception as error:  # noqa: BLE001 - counted, and the run fails closed
                if self.run.check_target():
                    self.fault(getattr(work, "__name__", "a listener"), error)
