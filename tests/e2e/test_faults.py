"""Whatever dies in mid-run: the exit code says so, the ledger stays readable, nothing is left running."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.evidence.ledger import segment_path
from harness.evidence.segment import SegmentReader
from harness.gate import decide
from harness.records import Print
from tests.e2e.conftest import SHORT_PLAN, Command, read_verdict, sentences, wait_for_prints, wait_until

pytestmark = pytest.mark.timeout(120)
_PRINTS = 60


def _begin(start: Callable[..., Command], directory: Path, build: str) -> Command:
    run = start("harness", "verify", "april30", "--build", build, "--out", "run", "--", *SHORT_PLAN, "60")
    wait_for_prints(directory, _PRINTS, run)
    return run


def _prints_on_record(directory: Path) -> int:
    return sum(isinstance(record, Print) for record in SegmentReader(segment_path(directory, "load-1")))


@pytest.mark.parametrize(
    ("victim", "named"),
    [
        ("targets.municipal.ap_server", "ap-server was killed by signal 9"),
        ("targets.municipal.sync_agent", "sync-agent was killed by signal 9"),
        ("targets.municipal.truth", "truth was killed by signal 9"),
        ("postgres", "postgres ended"),
    ],
)
def test_a_process_of_the_deployment_that_dies_ends_the_run_with_4(
    start: Callable[..., Command], tmp_path: Path, victim: str, named: str
) -> None:
    """A deployment that is not whole any more proves nothing: INCONCLUSIVE, exit code 4, the ledger kept."""
    directory = tmp_path / "run"
    run = _begin(start, directory, "fixed")
    os.kill(run.find("-D /" if victim == "postgres" else victim), signal.SIGKILL)
    assert run.wait() == 4, (run.stdout, run.stderr)
    verdict = read_verdict(directory)
    assert verdict["verdict"] == "INCONCLUSIVE"
    assert named in sentences(verdict)[0]
    assert verdict["prints_judged"] >= _PRINTS
    assert _prints_on_record(directory) >= _PRINTS
    assert not run.left_behind()


def test_a_misissuance_on_record_outranks_the_death_of_the_target(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    """Where a stranger's paper was handed out before the target died, the verdict is FAIL and the exit code 1."""
    directory = tmp_path / "run"
    run = start("harness", "verify", "april30", "--out", "run", "--", *SHORT_PLAN, "60")
    while not any((directory / "incidents").glob("*.document")):
        assert run.process.poll() is None, run.process.communicate()
        wait_for_prints(directory, 1, run)
    os.kill(run.find("targets.municipal.ap_server"), signal.SIGKILL)
    assert run.wait() == 1, (run.stdout, run.stderr)
    assert read_verdict(directory)["verdict"] == "FAIL"
    assert not run.left_behind()


@pytest.mark.parametrize(("build", "code"), [("fixed", 3), ("seed", 1)])
def test_a_harness_killed_outright_leaves_a_ledger_that_the_gate_can_read(
    start: Callable[..., Command], tmp_path: Path, build: str, code: int
) -> None:
    """After SIGKILL of the harness nothing is left running, and the gate says 3, or 1 with a misissuance on record."""
    directory = tmp_path / "run"
    run = _begin(start, directory, build)
    while build == "seed" and not any((directory / "incidents").glob("*.document")):
        assert run.process.poll() is None
        wait_for_prints(directory, 1, run)
    wait_for_prints(directory, _prints_on_record(directory) + 50, run)  # the batch with the incident is on disk
    wait_until(lambda: b'"type":"sync_run"' in segment_path(directory, "target").read_bytes(), run)
    run.process.kill()
    assert run.wait() == -signal.SIGKILL
    assert not run.left_behind()
    assert _prints_on_record(directory) >= _PRINTS
    gate = start("harness", "gate", "run")
    assert gate.wait() == code, (gate.stdout, gate.stderr)
    assert "the run did not end" in gate.stdout
    decided = decide(directory)
    assert decided.sync_runs > 0
    assert "evidence: segment target was never closed" in [reason.text for reason in decided.reasons]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_inconclusive(
    start: Callable[..., Command], tmp_path: Path, number: signal.Signals
) -> None:
    """A run that somebody ended before its plan was through ends with 3, however clean it was until then."""
    run = _begin(start, tmp_path / "run", "fixed")
    run.process.send_signal(number)
    assert run.wait() == 3, (run.stdout, run.stderr)
    verdict = read_verdict(tmp_path / "run")
    assert verdict["verdict"] == "INCONCLUSIVE"
    assert any("interrupted" in reason for reason in sentences(verdict))
    assert not run.left_behind()


def test_the_deployment_alone_stops_cleanly_on_ctrl_c(start: Callable[..., Command]) -> None:
    """`misissue up` prints its addresses and leaves nothing behind after SIGINT."""
    up = start("harness", "up", "--topology", "joined", "--sync", "v1")
    assert up.process.stdout is not None
    lines = []
    for line in up.process.stdout:
        lines.append(line)
        if line.startswith("running"):
            break
    assert any(line.startswith("center http://127.0.0.1:") for line in lines)
    up.process.send_signal(signal.SIGINT)
    assert up.wait() == 0, up.stderr
    assert not up.left_behind()
