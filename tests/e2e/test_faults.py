"""Whatever dies in mid-run: the exit code says so, the ledger stays readable, nothing is left running."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from harness.evidence.ledger import segment_path
from harness.evidence.segment import SegmentReader
from harness.gate import decide
from harness.records import Print
from tests.e2e.conftest import ROOT, SHORT_PLAN, Command, sentences, wait_for_prints, wait_until
from tests.e2e.paper_runs import Ended, at_once, wait

pytestmark = pytest.mark.timeout(240)
_PRINTS = 60
_AT_ONCE = 3
"""Deployments: each has processes enough of its own to start."""
VICTIMS = {
    "targets.municipal.ap_server": "ap-server was killed by signal 9",
    "targets.municipal.sync_agent": "sync-agent was killed by signal 9",
    "targets.municipal.truth": "truth was killed by signal 9",
    "postgres": "postgres ended",
}
SIGNALS = signal.SIGINT, signal.SIGTERM
KILLED = {"fixed": 3, "seed": 1}
"""Build -> exit code of the gate on what is left of a run whose harness was killed."""


def _prints_on_record(directory: Path) -> int:
    return sum(isinstance(record, Print) for record in SegmentReader(segment_path(directory, "load-1")))


def _has_incident(directory: Path) -> bool:
    return any((directory / "incidents").glob("*.document"))


def _play(do: Callable[[Command, Path], None], build: str, place: Path) -> Ended:
    """A long run to which this is done as soon as it has prints on record."""
    directory = place / "run"
    options = ("--build", build, "--out", "run", "--", *SHORT_PLAN, "60")
    command = Command("harness", "verify", "april30", *options, cwd=place)
    try:
        wait_for_prints(directory, _PRINTS, command)
        do(command, directory)
    except BaseException:
        command.end()
        raise
    return wait(command, directory)


def _kill(victim: str, command: Command, directory: Path) -> None:  # noqa: ARG001 - as all that is done
    os.kill(command.find("-D /" if victim == "postgres" else victim), signal.SIGKILL)


def _kill_after_a_misissuance(command: Command, directory: Path) -> None:
    wait_until(lambda: _has_incident(directory), command)
    _kill("targets.municipal.ap_server", command, directory)


def _kill_the_harness(build: str, command: Command, directory: Path) -> None:
    if build == "seed":
        wait_until(lambda: _has_incident(directory), command)
    wait_for_prints(directory, _prints_on_record(directory) + 50, command)  # the batch with the incident is on disk
    wait_until(lambda: b'"type":"sync_run"' in segment_path(directory, "target").read_bytes(), command)
    command.process.kill()


def _signal(number: signal.Signals, command: Command, directory: Path) -> None:  # noqa: ARG001 - as all that is done
    command.process.send_signal(number)


STOPPED_IN_A_LOOK = """
import os
import signal
import time

from tests.harness.stub import StubTarget


class Target(StubTarget):
    def open(self, directory):
        return {}

    def addresses(self):
        return {}

    def failure(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)  # another thread may get it, and tell this one a little later
        print("looked", flush=True)
        return ""
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """One of each sort."""
    return at_once(
        tmp_path_factory.mktemp("faults"),
        {
            **{victim: partial(_play, partial(_kill, victim), "fixed") for victim in VICTIMS},
            "after a misissuance": partial(_play, _kill_after_a_misissuance, "seed"),
            **{f"killed {build}": partial(_play, partial(_kill_the_harness, build), build) for build in KILLED},
            **{number.name: partial(_play, partial(_signal, number), "fixed") for number in SIGNALS},
        },
        most=_AT_ONCE,
    )


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_process_of_the_deployment_that_dies_ends_the_run_with_4(runs: dict[str, Ended], victim: str) -> None:
    """A deployment that is not whole any more proves nothing: INCONCLUSIVE, exit code 4, the ledger kept."""
    run = runs[victim]
    assert run.exit_code == 4, (run.stdout, run.stderr)
    assert run.verdict["verdict"] == "INCONCLUSIVE"
    assert VICTIMS[victim] in sentences(run.verdict)[0]
    assert run.verdict["prints_judged"] >= _PRINTS
    assert _prints_on_record(run.directory) >= _PRINTS
    assert not run.left_behind


def test_a_misissuance_on_record_outranks_the_death_of_the_target(runs: dict[str, Ended]) -> None:
    """Where a stranger's paper was handed out before the target died, the verdict is FAIL and the exit code 1."""
    run = runs["after a misissuance"]
    assert run.exit_code == 1, (run.stdout, run.stderr)
    assert run.verdict["verdict"] == "FAIL"
    assert [told for told in sentences(run.verdict) if "ap-server was killed by signal 9" in told]
    assert not run.left_behind


@pytest.mark.parametrize("build", KILLED)
def test_a_harness_killed_outright_leaves_a_ledger_that_the_gate_can_read(
    start: Callable[..., Command], runs: dict[str, Ended], build: str
) -> None:
    """After SIGKILL of the harness nothing is left running, and the gate says 3, or 1 with a misissuance on record."""
    run = runs[f"killed {build}"]
    assert run.exit_code == -signal.SIGKILL
    assert not run.left_behind
    assert _prints_on_record(run.directory) >= _PRINTS
    gate = start("harness", "gate", str(run.directory))
    assert gate.wait() == KILLED[build], (gate.stdout, gate.stderr)
    assert "the run did not end" in gate.stdout
    decided = decide(run.directory)
    assert decided.sync_runs > 0
    assert "evidence: segment target was never closed" in [reason.text for reason in decided.reasons]


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_run_is_inconclusive(runs: dict[str, Ended], number: signal.Signals) -> None:
    """A run that somebody ended before its plan was through ends with 3, however clean it was until then."""
    run = runs[number.name]
    assert run.exit_code == 3, (run.stdout, run.stderr)
    assert run.verdict["verdict"] == "INCONCLUSIVE"
    assert any("interrupted" in reason for reason in sentences(run.verdict))
    assert not run.left_behind


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


def test_ctrl_c_in_the_midst_of_a_look(start: Callable[..., Command], tmp_path: Path) -> None:
    """What is being looked at is not torn out of it, for it may hold a lock without which nothing can be stopped."""
    (tmp_path / "stopped.py").write_text(STOPPED_IN_A_LOOK)
    up = start("harness", "up", "--target", "stopped:Target", PYTHONPATH=str(ROOT))
    assert up.wait() == 0, up.stderr
    assert up.stdout == "running; Ctrl-C stops it\nlooked\nstopping\n"
