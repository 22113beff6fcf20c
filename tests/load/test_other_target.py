"""Any other service, described in forty lines, is driven and judged end to end by the very same Locust profile."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.evidence.ledger import read_run
from harness.gate import decide
from harness.target import Target
from harness.verdict import Verdict
from tests.harness.builders import sentences
from tests.load import forty_lines

HERE = Path(__file__).parent
PROFILE = HERE.parents[1] / "profiles" / "april30.py"
RUNS = {
    "wrong": ("--set", "wrong_every=50"),
    "clean": ("--max", "error_share=0"),
    "no sync": ("--changes-per-s", "0"),
}


@dataclass(frozen=True)
class Done:
    """A Locust run that has ended."""

    directory: Path
    exit_code: int
    output: str
    verdict: Verdict

    @property
    def service_pid(self) -> int:
        """Of the service that was under test."""
        told = read_run(self.directory).parameters["settings"]
        assert isinstance(told, dict)
        return int(told["pid"])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """One run of each sort, all at once: most of their time they wait for Locust."""
    place = tmp_path_factory.mktemp("runs")
    started = {name: start(place / name.replace(" ", "-"), *options) for name, options in RUNS.items()}
    try:
        outputs = {name: process.communicate(timeout=60)[0] for name, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
            process.communicate()
    return {
        name: Done(directory, process.returncode, outputs[name], decide(directory))
        for name, process in started.items()
        if (directory := place / name.replace(" ", "-"))
    }


def start(directory: Path, *options: str) -> subprocess.Popen[str]:
    """Locust itself, without anything of ours but the profile."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "locust", "-f", str(PROFILE)),
            *("--headless", "--only-summary", "--loglevel", "WARNING", "--users", "5", "--out", str(directory)),
            *("--target", "forty_lines:Target", "--calm-s", "0.2", "--bursts", "1", "--burst-s", "2"),
            *options,
        ],
        cwd=directory.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), os.environ.get("PYTHONPATH", "")))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_protocol(tmp_path: Path) -> None:
    """Forty lines are a target that starts, serves and stops, however often it is told to."""
    target: Target = forty_lines.Target({})
    settings = target.open(tmp_path / "target")
    assert target.addresses()["service"].startswith("http://127.0.0.1:")
    assert target.failure() == ""
    target.close()
    target.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(settings["pid"])), 0)


def test_defective_service(runs: dict[str, Done]) -> None:
    """A service that hands out the paper of the person before is found out, paper by paper, as it says itself."""
    done = runs["wrong"]
    assert done.exit_code == 1, done.output
    verdict = done.verdict
    assert verdict.verdict == "FAIL"
    told = [line.split() for line in (done.directory / "target" / "swaps.txt").read_text().splitlines()]
    found = [[incident.nonce, incident.recipient, *incident.owners] for incident in verdict.incidents]
    assert sorted(found) == sorted(told)
    assert len(found) >= 3
    assert verdict.outcomes["wrong_person"] == verdict.papers == len(found)
    assert verdict.outcomes["ok"] == verdict.prints_judged - len(found)
    nonce, recipient, owner = found[0]
    assert f"wrong_person: {recipient} applied for paper and was handed paper of {owner}" in done.output
    kept = (done.directory / "incidents" / f"{nonce}.document").read_text()
    assert kept.startswith(f"document of {owner} as of ")
    right = (done.directory / "incidents" / f"{nonce}.right.document").read_text()
    assert right.startswith(f"document of {recipient} as of ")


def test_clean_service(runs: dict[str, Done]) -> None:
    """A service that hands everybody their own paper, during sync runs with prints in flight, passes."""
    done = runs["clean"]
    assert done.exit_code == 0, done.output
    verdict = done.verdict
    assert verdict.verdict == "PASS"
    assert verdict.exposures > 0
    assert verdict.outcomes["ok"] == verdict.prints_judged > 0
    assert "PASS · " in done.output


def test_without_sync_runs(runs: dict[str, Done]) -> None:
    """Where no sync run was told of, good prints prove nothing, and that is said."""
    done = runs["no sync"]
    assert done.exit_code == 3, done.output
    assert done.verdict.verdict == "INCONCLUSIVE"
    assert sentences(done.verdict) == ("no exposure: the condition that the run is made to provoke never occurred",)
    assert done.verdict.outcomes["ok"] == done.verdict.prints_judged > 0


@pytest.mark.parametrize("name", RUNS)
def test_verdict_file(runs: dict[str, Done], name: str) -> None:
    """What Locust wrote as its verdict is what the ledger alone gives again."""
    done = runs[name]
    run = read_run(done.directory)
    assert (run.profile, run.target, run.ended, run.faults) == ("april30", "forty lines", "complete", ())
    assert f'"verdict": "{done.verdict.verdict}"' in (done.directory / "verdict.json").read_text()
    assert done.exit_code == done.verdict.exit_code


@pytest.mark.parametrize("name", RUNS)
def test_nothing_is_left(runs: dict[str, Done], name: str) -> None:
    """The service is gone when the run has ended."""
    with pytest.raises(ProcessLookupError):
        os.kill(runs[name].service_pid, 0)


ABANDON = """
import os, signal, sys
from pathlib import Path
from forty_lines import Target
target = Target({})
target.open(Path(sys.argv[1]))
print(target.url, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_is_left_of_a_killed_run(tmp_path: Path) -> None:
    """The service ends with the process that started it, however that ended."""
    done = subprocess.run(
        [sys.executable, "-c", ABANDON, str(tmp_path / "target")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), os.environ.get("PYTHONPATH", "")))},
        capture_output=True,  # the service shares stderr, so that its end is waited for
        timeout=30,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.startswith(b"http://127.0.0.1:")
