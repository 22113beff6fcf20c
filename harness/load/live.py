"""What the process that owns a run knows of it while it goes on."""

import time
from collections.abc import Callable, Mapping

import gevent
from gevent.event import Event

from harness.coverage import OUTSIDE_CELLS, POINT_CELLS
from harness.gate import Verdict
from harness.load.plan import Plan
from harness.outcome import Outcome
from harness.recorder import Recorder
from harness.run import JudgedRun
from harness.snapshot import OutcomeCount, ProcessState, Snapshot, State, planned_rate_per_s, snapshot_of

_PULL_S = 1.0
_FRESH_S = 0.5
"""For which a snapshot is shown again: many may look at one run."""


class Live:
    """A run from its beginning until after its verdict; about once a second it asks the target what is new.

    Args:
        users: how many of Locust's are at work.
    """

    def __init__(self, run: JudgedRun, plan: Plan, users: Callable[[], int]) -> None:
        self._run = run
        self._plan = plan
        self._users = users
        self._state: State = "running"
        self._snapshot: Snapshot | None = None
        self._made_s = 0.0
        self._ended = Event()
        self._follower: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """The load begins."""
        self._follower = gevent.spawn(self._follow)

    def snapshot(self) -> Snapshot:
        """As it was half a second ago at the latest."""
        now_s = time.monotonic()
        if self._snapshot is None or (self._state != "decided" and now_s > self._made_s + _FRESH_S):
            self._snapshot, self._made_s = self._make(), now_s
        return self._snapshot

    def deciding(self) -> None:
        """The load has ended; nobody but the run itself asks the target any more."""
        self._ended.set()
        if self._follower is not None:
            self._follower.join()  # it must not be killed in the midst of what the target tells only once
        self._state, self._snapshot = "deciding", None

    def decided(self, verdict: Verdict) -> None:
        """Nothing changes any more."""
        self._state = "decided"
        self._snapshot = snapshot_of(verdict, self._run.description, self._run.directory)

    def _follow(self) -> None:
        while not self._ended.wait(_PULL_S):
            self._run.pull()

    def _make(self) -> Snapshot:
        run, description = self._run, self._run.description
        processes: tuple[ProcessState, ...] = ()
        outcomes: Mapping[Outcome, int] = {}
        if run.recorder is not None:
            processes, outcomes = (_process(run.recorder),), run.recorder.tallies
        misissued = sum(number for outcome, number in outcomes.items() if outcome.is_misissue)
        elapsed_s = run.elapsed_s
        phase = self._plan.at(elapsed_s) if self._state == "running" else None
        return Snapshot(
            run=run.id,
            directory=str(run.directory),
            profile=description.profile,
            target=description.target,
            seed=description.seed,
            state=self._state,
            verdict="FAIL" if misissued else None,
            exit_code=None,
            reasons=(),
            elapsed_s=elapsed_s,
            planned_s=description.planned_s,
            phase=phase.name if phase is not None else "",
            users=self._users(),
            processes=processes,
            issued=sum(process.issued for process in processes),
            prints_judged=sum(number for outcome, number in outcomes.items() if outcome is not Outcome.ERROR_FINAL),
            in_flight=sum(process.issued - process.ended for process in processes),
            outcomes=tuple(
                OutcomeCount(outcome=outcome, kind="", number=number) for outcome, number in outcomes.items()
            ),
            misissued=misissued,
            papers=misissued,
            persons=0,
            sync_runs=0,
            exposures=None,
            cells=None,
            cells_known=len(POINT_CELLS if description.shows_points else OUTSIDE_CELLS),
            bound_upper=None,
            confidence=description.criteria.confidence,
            error_notices=0,
            late_starts=None,
            resends=None,
            may_have_printed=0,
            planned_rate_per_s=planned_rate_per_s(description),
            rate_share=None,
            latency=None,
            faults=(*run.faults, *(run.recorder.faults if run.recorder is not None else ())),
            incidents=(),
            series=(),
        )


def _process(recorder: Recorder) -> ProcessState:
    return ProcessState(
        segment=recorder.segment.segment,
        issued=recorder.segment.issued,
        ended=recorder.tallies.total(),
        self_test=recorder.self_test,
        faults=len(recorder.faults),
    )
