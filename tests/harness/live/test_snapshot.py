"""A snapshot of a finished run says what its verdict says."""

from pathlib import Path

import msgspec

from harness.evidence.ledger import read_run
from harness.gate import evaluate
from harness.live.snapshot import (
    INCIDENTS_AT_MOST,
    CellSeen,
    IncidentSeen,
    OutcomeCount,
    ProcessState,
    Snapshot,
    snapshot_of,
)
from harness.outcome import Outcome
from harness.records import Evidence
from harness.verdict import Verdict
from tests.harness.builders import INNOCENT, KIND, LOAD, delivery, evidence_of, failed, paper


def finished(directory: Path, *more: Evidence, **fields: object) -> tuple[Verdict, Snapshot]:
    """The verdict and the snapshot of a run of two right prints and these."""
    evidence = evidence_of(directory, (*INNOCENT, *more), **fields)
    verdict = evaluate(evidence, evidence.run.criteria).verdict
    return verdict, snapshot_of(verdict, read_run(directory), directory)


def test_pass(tmp_path: Path) -> None:
    """Every figure of a snapshot of a finished run is that of its verdict."""
    verdict, seen = finished(tmp_path, elapsed_s=4.5, planned_s=4.0)
    assert (seen.state, seen.verdict, seen.exit_code) == ("decided", "PASS", 0)
    assert seen.reasons == verdict.reasons
    assert (seen.run, seen.directory, seen.profile, seen.target) == ("run-1", str(tmp_path), "test", "stub")
    assert (seen.elapsed_s, seen.planned_s, seen.phase, seen.users) == (4.5, 4.0, "", 0)
    assert seen.processes == (ProcessState(segment=LOAD, issued=2, ended=2, self_test="none", faults=None),)
    assert (seen.issued, seen.prints_judged, seen.in_flight) == (2, 2, 0)
    assert seen.outcomes == (OutcomeCount(outcome=Outcome.OK, kind=KIND, number=2),)
    assert (seen.misissued, seen.papers, seen.persons, seen.incidents) == (0, 0, 0, ())
    assert (seen.sync_runs, seen.exposures, seen.bound_upper) == (1, 1, verdict.bound.upper)
    assert seen.cells is not None
    assert CellSeen(phase="during", states=("in_flight", "in_flight"), sync_runs=1) in seen.cells
    assert (len(seen.cells), seen.cells_known) == (verdict.cells_hit, 9)
    assert seen.faults == ()


def test_unknown_is_none(tmp_path: Path) -> None:
    """What nobody knows is None: late starts without a plan of arrivals, re-sends of a service that does not tell."""
    _, seen = finished(tmp_path)
    assert (seen.late_starts, seen.resends, seen.planned_rate_per_s, seen.rate_share) == (None, None, None, None)
    assert (seen.latency, seen.elapsed_s) == (None, None)


def test_incident(tmp_path: Path) -> None:
    """A misissued print is a row with recipient, owner and sync run."""
    verdict, seen = finished(tmp_path, delivery("A3", "A", paper("X")), failed("A4", "X"), planned_s=5.0)
    assert (seen.verdict, seen.misissued, seen.papers, seen.persons) == ("FAIL", 1, 1, 1)
    (incident,) = verdict.incidents
    assert seen.incidents == (
        IncidentSeen(
            nonce="A3.1",
            at=incident.at,
            at_ns=200,
            outcome=Outcome.WRONG_PERSON,
            recipient="A",
            owners=("X",),
            kind=KIND,
            delivered_kind=KIND,
            sync_run="S1",
            cause=incident.cause,
        ),
    )
    numbers = {count.outcome: count.number for count in seen.outcomes}
    assert numbers == {Outcome.OK: 2, Outcome.WRONG_PERSON: 1, Outcome.ERROR_FINAL: 1}


def test_very_many_incidents(tmp_path: Path) -> None:
    """The first so many incidents are shown, and all of them are counted."""
    many = [delivery(f"B{number}", "A", paper("X")) for number in range(INCIDENTS_AT_MOST + 5)]
    _, seen = finished(tmp_path, *many)
    assert (len(seen.incidents), seen.misissued) == (INCIDENTS_AT_MOST, INCIDENTS_AT_MOST + 5)


def test_gaps_in_the_evidence(tmp_path: Path) -> None:
    """What keeps the evidence from being whole is told as a fault, other reasons are not."""
    verdict, seen = finished(tmp_path, issued=3, faults=("the disk was full",), planned_prints=100, planned_s=10.0)
    assert verdict.verdict == "INCONCLUSIVE"
    assert seen.faults == ("the disk was full",)
    assert seen.in_flight == 1
    assert (seen.planned_rate_per_s, seen.rate_share, seen.late_starts) == (10.0, 0.02, 0)


def test_a_target_that_died_is_a_gap(tmp_path: Path) -> None:
    """As it was while the run went on: no gap heals by the verdict."""
    _, seen = finished(tmp_path, died="the target died after 3.0 s: killed", faults=("the disk was full",))
    assert seen.faults == ("the target died after 3.0 s: killed", "the disk was full")


def test_json(tmp_path: Path) -> None:
    """A snapshot goes through JSON and is the same."""
    _, seen = finished(tmp_path, delivery("A3", "A", paper("X")))
    assert msgspec.json.decode(msgspec.json.encode(seen), type=Snapshot) == seen
