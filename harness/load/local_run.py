"""A judged run of one Locust process, which owns the run and has the users."""

from collections.abc import Callable

import gevent

from harness.gate import Verdict
from harness.ledger import Ended
from harness.load.active_run import ActiveRun, Share
from harness.load.beside import every
from harness.load.clock import Clock
from harness.load.live import Live
from harness.load.options import Setup
from harness.outcome import Outcome
from harness.report.terminal import print_progress

_WATCH_S = 0.25
_PROGRESS_S = 2.0


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
        self.live = Live(self.run, setup.plan, users)
        self._stopped = False
        self.run.open()
        try:
            everybody = tuple(range(len(self.run.target.groups())))
            self.active = ActiveRun(
                setup,
                self.run.target,
                self.run.open_recorder(),
                share=Share(number=0, parts=1, applicants=everybody, changed=everybody),
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
        self.active.start()
        self.live.start()
        for period_s, work in ((_WATCH_S, self._watch), (_PROGRESS_S, self._show)):
            self._greenlets.append(every(period_s, work))

    def cut_short(self) -> None:
        """End the plan before its time: somebody interrupted the run."""
        self.active.cut_short = True

    @property
    def is_over(self) -> bool:
        """Locust may stop the users."""
        return self.active.is_through or self.active.cut_short

    def finish(self) -> Verdict:
        """Close the run and decide."""
        ended: Ended = "complete" if self.active.is_through else "stopped" if self._stopped else "interrupted"
        gevent.killall(self._greenlets)
        self.active.stop()
        self.live.deciding()
        verdict = self.run.close(ended)
        self.live.decided(verdict)
        return verdict

    def _stop(self) -> None:
        self._stopped = self.active.cut_short = True

    def _watch(self) -> None:
        if not self.run.check_target():
            self.active.cut_short = True

    def _show(self) -> None:
        phase, recorder = self.active.phase, self.active.recorder
        print_progress(
            self.active.elapsed_s,
            self.active.plan.seconds,
            phase.name if phase else "end",
            ok=recorder.tallies[Outcome.OK],
            misissued=recorder.misissued,
            errors=recorder.tallies[Outcome.ERROR_FINAL],
            language=self.run.language,
        )
