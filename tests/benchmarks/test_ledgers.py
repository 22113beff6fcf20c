"""The run directories on which the gate is measured: what is in them, and that they mean what they say."""

from pathlib import Path

import pytest

from harness.evidence.ledger import LOAD_PREFIX, segments_in
from harness.evidence.reader import read_evidence
from harness.gate import decide
from tests.benchmarks.ledgers import write_ledger

_PRINTS, _SYNC_RUNS = 4000, 400


@pytest.mark.parametrize("shows_points", [False, True])
def test_passes(tmp_path: Path, *, shows_points: bool) -> None:
    """Everything that was written is in the verdict, which is PASS, and about every sync run met an exposure."""
    written = write_ledger(tmp_path, prints=_PRINTS, sync_runs=_SYNC_RUNS, shows_points=shows_points)
    verdict = decide(tmp_path)
    assert verdict.verdict == "PASS", verdict.reasons
    assert set(verdict.processes) == {f"{LOAD_PREFIX}1", f"{LOAD_PREFIX}2"}
    processes = verdict.processes.values()
    assert sum(process.issued for process in processes) == written.attempts == _PRINTS
    assert sum(process.failed for process in processes) == written.errors == verdict.error_notices
    assert {process.self_test for process in processes} == {"caught"}
    assert verdict.prints_judged == written.documents
    assert verdict.sync_runs == _SYNC_RUNS
    assert verdict.exposures > 0.9 * _SYNC_RUNS
    assert 0 < len(verdict.retried_errors) <= written.errors
    assert 0 < verdict.outcomes["refused_ok"] <= written.refusals
    assert verdict.outcomes["wrong_person"] == written.wrong == 0
    assert verdict.resends == (0 if shows_points else None)


@pytest.mark.parametrize("shows_points", [False, True])
def test_as_dense_as_it_says(tmp_path: Path, *, shows_points: bool) -> None:
    """About ten prints are in flight at any time, and the sync runs take about two fifths of it."""
    written = write_ledger(tmp_path, prints=_PRINTS, sync_runs=_SYNC_RUNS, shows_points=shows_points)
    evidence = read_evidence(tmp_path)
    sent_ns, answered_ns = evidence.prints.certain
    span_ns = int(answered_ns.max() - sent_ns.min())
    assert 9 < int((answered_ns - sent_ns).sum()) / span_ns < 12
    assert 0.35 < sum(run.work_end_ns - run.begin_ns for run in evidence.sync_runs) / span_ns < 0.45
    assert evidence.changes == written.changes == _SYNC_RUNS / 5
    assert len(evidence.events.at_ns) == written.events
    assert (written.events > 6 * _PRINTS) == shows_points
    assert len({sort.group for sort in evidence.prints.sorts}) > 300
    assert len({sort.kind for sort in evidence.prints.sorts}) == 4


@pytest.mark.parametrize("shows_points", [False, True])
def test_fails_when_asked_to(tmp_path: Path, *, shows_points: bool) -> None:
    """Each document that was planted in a stranger's hands is an incident, and nothing else is."""
    written = write_ledger(tmp_path, prints=_PRINTS, sync_runs=_SYNC_RUNS, shows_points=shows_points, wrong=3)
    verdict = decide(tmp_path)
    assert verdict.verdict == "FAIL"
    assert [incident.outcome for incident in verdict.incidents] == ["wrong_person"] * 3
    assert written.wrong == 3


def test_repeatable(tmp_path: Path) -> None:
    """One seed makes one ledger, byte for byte, and another seed another."""
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        write_ledger(tmp_path / name, prints=500, sync_runs=50, shows_points=True, seed=seed)
    one, same, other = (
        [path.read_bytes() for path in segments_in(tmp_path / name)] for name in ("one", "same", "other")
    )
    assert one == same
    assert all(mine != theirs for mine, theirs in zip(one, other, strict=True))
