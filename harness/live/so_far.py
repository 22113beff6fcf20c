"""From what is known of a run that still goes on to its snapshot. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.bound import upper_bound
from harness.coverage import OUTSIDE_CELLS, POINT_CELLS
from harness.evidence.ledger import RunDescription
from harness.live.progress import PointsProgress
from harness.live.progress_in_flight import InFlightProgress
from harness.live.progress_outside import OutsideProgress
from harness.live.snapshot import (
    INCIDENTS_AT_MOST,
    CellSeen,
    IncidentSeen,
    LatencyHistogram,
    Moment,
    OutcomeCount,
    ProcessState,
    Snapshot,
    State,
    planned_rate_per_s,
)
from harness.live.tally import Misissued, Tally
from harness.measures import BOUNDS_S
from harness.outcome import Outcome

SyncRunsProgress = PointsProgress | OutsideProgress
Progress = SyncRunsProgress | InFlightProgress
_LOOKS = 10
"""So often a sync run is looked for that goes with a misissued print, for it is told when it is over."""


class Counted(NamedTuple):
    """What one load process has counted; see `harness.live.tally`."""

    tally: Tally
    misissued: Collection[Misissued]
    exposed: Iterable[str]


class SoFar(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run by now.

    Args:
        counted: of every load process of which anything is known.
        progress: None where exposures can be told when the run is decided only.
        sync_runs, error_notices: that were told.
        faults: of the owner of the run.
    """

    description: RunDescription
    directory: Path
    state: State
    elapsed_s: float
    phase: str
    users: int
    counted: Sequence[Counted]
    incidents: tuple[IncidentSeen, ...]
    progress: Progress | None
    sync_runs: int
    error_notices: int
    faults: tuple[str, ...]
    series: tuple[Moment, ...]


class IncidentRows:
    """The first misissued prints as rows, each made once.

    Attributes:
        rows: in the order in which they were handed out.
    """

    def __init__(self) -> None:
        self.rows: tuple[IncidentSeen, ...] = ()
        self._rows: dict[str, IncidentSeen] = {}
        self._searched: dict[str, tuple[Misissued, int]] = {}  # without a sync run, and how often it was looked for

    def add(self, counted: Iterable[Counted], run: RunDescription) -> None:
        """Take up what is new."""
        before = len(self._rows)
        for process in counted:
            for misissued in process.misissued:
                if misissued.nonce not in self._rows:
                    self._rows[misissued.nonce] = _row(misissued, run)
                    if run.synchronises:
                        self._searched[misissued.nonce] = misissued, 0
        if len(self._rows) > before:
            self._sort()

    def search(self, progress: SyncRunsProgress) -> None:
        """Look for the sync runs that go with them, once more."""
        for nonce, (misissued, looks) in list(self._searched.items()):
            found = progress.sync_run_of(nonce, misissued.sent_ns, misissued.answered_ns)
            self._searched[nonce] = misissued, looks + 1
            if found is not None:
                self._rows[nonce] = msgspec.structs.replace(self._rows[nonce], sync_run=found)
            if found is not None or looks == _LOOKS:
                del self._searched[nonce]
        self._sort()

    def _sort(self) -> None:
        rows = sorted(self._rows.values(), key=lambda row: (row.at_ns, row.nonce))
        self.rows = tuple(rows[:INCIDENTS_AT_MOST])


def snapshot_so_far(known: SoFar) -> Snapshot:
    """The snapshot of a run that goes on."""
    run, progress = known.description, known.progress
    tallies = [one.tally for one in known.counted]
    misissued = sum(tally.misissued for tally in tallies)
    exposures = progress.exposures if progress is not None else None
    is_planned = run.planned_prints is not None
    return Snapshot(
        run=run.run,
        directory=str(known.directory),
        profile=run.profile,
        target=run.target,
        seed=run.seed,
        synchronises=run.synchronises,
        state=known.state,
        verdict="FAIL" if misissued else None,
        exit_code=None,
        reasons=(),
        elapsed_s=known.elapsed_s,
        planned_s=run.planned_s,
        phase=known.phase,
        users=known.users,
        processes=tuple(map(_process, tallies)),
        issued=sum(tally.issued for tally in tallies),
        prints_judged=sum(tally.documents for tally in tallies),
        in_flight=sum(tally.issued - tally.ended for tally in tallies),
        outcomes=_outcomes(tallies),
        misissued=misissued,
        papers=misissued,
        persons=len({person for one in known.counted for person in one.exposed}),
        sync_runs=known.sync_runs,
        exposures=exposures,
        cells=_cells(progress) if run.synchronises else (),
        cells_known=_cells_known(run),
        bound_upper=_bound(known.incidents, misissued, exposures, run.criteria.confidence),
        confidence=run.criteria.confidence,
        error_notices=known.error_notices,
        late_starts=sum(tally.late_starts for tally in tallies) if is_planned else None,
        resends=progress.resends if isinstance(progress, PointsProgress) else None,
        may_have_printed=sum(tally.may_have_printed for tally in tallies),
        planned_rate_per_s=planned_rate_per_s(run),
        rate_share=_rate_share(run, known.elapsed_s, sum(tally.applications for tally in tallies)),
        latency=histogram(tallies),
        faults=(*known.faults, *(fault for tally in tallies for fault in _faults(tally))),
        incidents=known.incidents,
        series=known.series,
    )


def _cells_known(run: RunDescription) -> int:
    if not run.synchronises:
        return 0
    return len(POINT_CELLS if run.shows_points else OUTSIDE_CELLS)


def histogram(tallies: Sequence[Tally]) -> LatencyHistogram:
    """Of all processes together."""
    counts = (sum(numbers) for numbers in zip(*(tally.latency for tally in tallies), strict=True))
    return LatencyHistogram(
        bounds_s=BOUNDS_S,
        counts=tuple(counts) or (0,) * (len(BOUNDS_S) + 1),
        sum_s=sum(tally.latency_ns for tally in tallies) / 1e9,
    )


def _row(misissued: Misissued, run: RunDescription) -> IncidentSeen:
    since_start = timedelta(microseconds=(misissued.answered_ns - run.started_ns) / 1000)
    return IncidentSeen(
        nonce=misissued.nonce,
        at=(datetime.fromisoformat(run.started) + since_start).isoformat(timespec="milliseconds"),
        at_ns=misissued.answered_ns,
        outcome=misissued.outcome,
        recipient=misissued.recipient,
        owners=misissued.owners,
        kind=misissued.kind,
        delivered_kind=misissued.delivered_kind,
        sync_run=None if run.synchronises else "",
    )


def _process(tally: Tally) -> ProcessState:
    return ProcessState(
        segment=tally.segment,
        issued=tally.issued,
        ended=tally.ended,
        self_test=tally.self_test,
        faults=tally.faults,
    )


def _outcomes(tallies: Iterable[Tally]) -> tuple[OutcomeCount, ...]:
    counts = Counter[tuple[Outcome, str]]()
    for tally in tallies:
        for outcome, kinds in tally.outcomes.items():
            for kind, number in kinds.items():
                counts[outcome, kind] += number
    rank = {outcome: number for number, outcome in enumerate(Outcome)}
    ordered = sorted(counts.items(), key=lambda one: (one[0][1], rank[one[0][0]]))
    return tuple(OutcomeCount(outcome=outcome, kind=kind, number=number) for (outcome, kind), number in ordered)


def _cells(progress: Progress | None) -> tuple[CellSeen, ...] | None:
    if progress is None or isinstance(progress, InFlightProgress) or progress.cells is None:
        return None
    hit = sorted(progress.cells.items(), key=lambda one: (one[0].phase, one[0].states))
    return tuple(CellSeen(phase=cell.phase, states=cell.states, sync_runs=number) for cell, number in hit)


def _bound(incidents: Sequence[IncidentSeen], misissued: int, exposures: int | None, confidence: float) -> float | None:
    """As the gate's; a misissued print of which the sync run is not known counts as if it had one of its own."""
    if exposures is None:
        return None
    hit = len({incident.sync_run or incident.nonce for incident in incidents}) + misissued - len(incidents)
    return upper_bound(min(hit, exposures), exposures, confidence)


def _rate_share(run: RunDescription, elapsed_s: float, applications: int) -> float | None:
    """Applications that have ended, as a share of those that the plan of arrivals holds until now."""
    if not run.planned_prints or elapsed_s <= 0 or not run.planned_s:
        return None
    return applications / (run.planned_prints * min(1.0, elapsed_s / run.planned_s))


def _faults(tally: Tally) -> Iterable[str]:
    for text in tally.told:
        yield f"{tally.segment}: {text}"
    if tally.faults > len(tally.told):
        yield f"{tally.segment}: and {tally.faults - len(tally.told)} more"
