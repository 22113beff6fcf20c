"""What is known of a run at one moment: the only thing that web UI and metrics read while a run goes on.

A value that nobody knows is None and never 0: while a run goes on that can be anything whose evidence lies elsewhere.
All counts of attempts are by identity alone until the run is decided; then they are the verdict's, of applications.
"""

from pathlib import Path
from typing import Literal

import msgspec

from harness.evidence.ledger import RunDescription
from harness.incident import Incident
from harness.outcome import Outcome
from harness.reason import Reason
from harness.records import Record
from harness.verdict import Verdict

INCIDENTS_AT_MOST = 500
"""That a snapshot shows; all of them are in the verdict."""
State = Literal["running", "deciding", "decided"]
_ERRORS = Outcome.ERROR_FINAL, Outcome.LOST
_GAPS = {"died": "died", "evidence": "fault"}
"""Reasons that are gaps and have no figure of their own, and which of their values says what is missing."""
SelfTestState = Literal["none", "planted", "caught", "missed"]


class ProcessState(Record, frozen=True, kw_only=True, omit_defaults=False):
    """One load process.

    Args:
        issued: attempts that it sent; ended: those that came to an end of whatever kind.
        faults: how many it has put on record; None for a run that is decided, which tells them in words.
    """

    segment: str
    issued: int
    ended: int
    self_test: SelfTestState
    faults: int | None = None


class OutcomeCount(Record, frozen=True, kw_only=True, omit_defaults=False):
    """How often prints of a kind of document ended so."""

    outcome: Outcome
    kind: str
    number: int


class CellSeen(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A coverage cell that was hit (see `harness.coverage.Cell`), by how many sync runs."""

    phase: str
    states: tuple[str, ...]
    sync_runs: int


class LatencyHistogram(Record, frozen=True, kw_only=True, omit_defaults=False):
    """Times from the intended start to the answer, as `harness.measures.Latency` counts them.

    Args:
        bounds_s: upper bounds of the buckets, closed; ascending.
        counts: for each bucket, not cumulative, and one more for what lies above the last bound.
        sum_s: of all of them.
    """

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    sum_s: float


class IncidentSeen(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A misissued print; see `harness.incident.Incident`, of which it shows what fits into a row.

    Args:
        sync_run: None while that is not known; empty where none met the print, or there are none.
        cause: the suspected mechanism, "unknown" as long as nothing speaks for one.
    """

    nonce: str
    at: str
    at_ns: int
    outcome: Outcome
    recipient: str
    owners: tuple[str, ...]
    kind: str
    delivered_kind: str
    sync_run: str | None
    cause: str = "unknown"


class Moment(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A point of the run's history, for charts: the counts as they were `elapsed_s` after the plan began.

    Args:
        p95_s: percentile 95 of latency of the prints since the moment before.
    """

    elapsed_s: float
    prints_judged: int
    misissued: int
    errors: int
    exposures: int | None
    sync_runs: int
    p95_s: float | None


class Snapshot(Record, frozen=True, kw_only=True, omit_defaults=False):
    """What is known of a run at one moment.

    Args:
        run: its id; directory: where it lies.
        synchronises: the service has sync runs; else exposures are pairs of prints in flight at one instant, and there
            are no coverage cells.
        verdict: "FAIL" as soon as a misissuance is seen, else None while the run goes on; the final word then.
        reasons: of the verdict, empty until the run is decided.
        elapsed_s: since the plan began, until it ended; None of a run that was killed.
        phase: of the plan; empty when nothing more begins.
        users: Locust's, at work now; None where the run is seen from outside.
        prints_judged: documents that were handed out and judged.
        outcomes: attempts by identity alone until the run is decided; applications then.
        misissued: prints that are misissuances; papers: documents among them (件); persons: people whose data a
            stranger got (名).
        exposures, cells, bound_upper: of what is complete; None where it can be told when the run is decided only.
        cells: those that were hit; cells_known: how many there are.
        planned_rate_per_s, late_starts, rate_share: of the plan of arrivals; None without one.
        latency: None where no process counted it.
        faults: what keeps the evidence from being whole, as far as it is known by now.
        incidents: the first `INCIDENTS_AT_MOST`.
        series: the history, thinned.
    """

    run: str
    directory: str
    profile: str
    target: str
    seed: int
    synchronises: bool
    state: State
    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"] | None
    exit_code: int | None
    reasons: tuple[Reason, ...]
    elapsed_s: float | None
    planned_s: float
    phase: str
    users: int | None
    processes: tuple[ProcessState, ...]
    issued: int
    prints_judged: int
    in_flight: int
    outcomes: tuple[OutcomeCount, ...]
    misissued: int
    papers: int
    persons: int
    sync_runs: int
    exposures: int | None
    cells: tuple[CellSeen, ...] | None
    cells_known: int
    bound_upper: float | None
    confidence: float
    error_notices: int
    late_starts: int | None
    resends: int | None
    may_have_printed: int
    planned_rate_per_s: float | None
    rate_share: float | None
    latency: LatencyHistogram | None
    faults: tuple[str, ...]
    incidents: tuple[IncidentSeen, ...]
    series: tuple[Moment, ...]

    @property
    def errors(self) -> int:
        """Attempts, or applications when it is decided, that ended in an error or brought nothing."""
        return sum(count.number for count in self.outcomes if count.outcome in _ERRORS)


def snapshot_of(verdict: Verdict, run: RunDescription, directory: Path) -> Snapshot:
    """A run that is decided, as it lies in its directory."""
    return Snapshot(
        run=run.run,
        directory=str(directory),
        profile=run.profile,
        target=run.target,
        seed=run.seed,
        synchronises=run.synchronises,
        state="decided",
        verdict=verdict.verdict,
        exit_code=verdict.exit_code,
        reasons=verdict.reasons,
        elapsed_s=run.elapsed_s,
        planned_s=run.planned_s,
        phase="",
        users=0,
        processes=tuple(
            ProcessState(
                segment=segment,
                issued=process.issued,
                ended=process.judged + process.failed,
                self_test=process.self_test,
            )
            for segment, process in verdict.processes.items()
        ),
        issued=sum(process.issued for process in verdict.processes.values()),
        prints_judged=verdict.prints_judged,
        in_flight=verdict.in_flight_at_stop,
        outcomes=tuple(
            OutcomeCount(outcome=Outcome(outcome), kind=kind, number=number)
            for kind, outcomes in verdict.outcomes_by_kind.items()
            for outcome, number in outcomes.items()
            if number
        ),
        misissued=len(verdict.incidents),
        papers=verdict.papers,
        persons=verdict.persons,
        sync_runs=verdict.sync_runs,
        exposures=verdict.exposures,
        cells=tuple(
            CellSeen(phase=cell.phase, states=cell.states, sync_runs=cell.sync_runs)
            for cell in verdict.cells
            if cell.sync_runs
        ),
        cells_known=len(verdict.cells),
        bound_upper=verdict.bound.upper,
        confidence=verdict.bound.confidence,
        error_notices=verdict.error_notices,
        late_starts=verdict.late_starts,
        resends=verdict.resends,
        may_have_printed=verdict.may_have_printed,
        planned_rate_per_s=planned_rate_per_s(run),
        rate_share=verdict.rate_share,
        latency=None,
        faults=tuple(str(reason.values[_GAPS[reason.code]]) for reason in verdict.reasons if reason.code in _GAPS),
        incidents=tuple(map(_row, verdict.incidents[:INCIDENTS_AT_MOST])),
        series=(),
    )


def planned_rate_per_s(run: RunDescription) -> float | None:
    """Applications a second by the plan of arrivals; None without one."""
    return run.planned_prints / run.planned_s if run.planned_prints is not None and run.planned_s else None


def _row(incident: Incident) -> IncidentSeen:
    return IncidentSeen(
        nonce=incident.nonce,
        at=incident.at,
        at_ns=incident.at_ns,
        outcome=incident.outcome,
        recipient=incident.recipient,
        owners=incident.owners,
        kind=incident.kind,
        delivered_kind=incident.delivered_kind,
        sync_run=incident.sync_run,
        cause=incident.cause or "unknown",
    )
