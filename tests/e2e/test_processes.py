"""Several Locust processes make one run: their identities, their evidence and their counts fit together."""

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from harness.evidence.ledger import read_run, segment_path
from harness.evidence.segment import SegmentReader
from harness.records import Print
from tests.e2e.conftest import (
    PROFILE,
    SHORT_PLAN,
    Command,
    read_verdict,
    sentences,
    wait_for_prints,
    wait_until,
)
from tests.e2e.paper_runs import TARGET, TARGET_PLACE, Ended, at_once, plan, ports, run, wait
from tests.ports import free_port

pytestmark = pytest.mark.timeout(180)
_COMMON = ("-f", str(PROFILE), "--only-summary", "--users", "6", "--target", TARGET)

SLOW_OPENING = """
import time
from harness.run import JudgedRun

open_run = JudgedRun.open

def slow(self):
    open_run(self)
    time.sleep(3)

JudgedRun.open = slow
"""

DEAF = """
from harness.load.worker import Worker

take_run, dropped = Worker._on_run, []

def deaf(self, msg, **others):
    if dropped:
        take_run(self, msg, **others)
    dropped.append(msg)

Worker._on_run = deaf
"""


def _let_a_worker_join_late(place: Path) -> Ended:
    """Locust's own master and workers, without anything of ours but the profile."""
    connection = ports()

    def locust(*options: str) -> Command:
        return Command("locust", *_COMMON, *options, *connection, cwd=place, PYTHONPATH=TARGET_PLACE)

    master = locust("--master", "--headless", "--expect-workers", "1", "--out", "run", *plan(14))
    workers = [locust("--worker")]
    try:
        wait_for_prints(place / "run", 50, master)
        # To begin takes it seconds where others use the machine, and it has to find something of the plan left.
        workers.append(locust("--worker"))
        return wait(master, place / "run")
    finally:
        for command in (master, *workers):
            command.end()


def _press_start_twice(place: Path) -> Ended:
    """From Locust's web UI; the first run is stopped there, and the second one comes to the end of its plan."""
    port = str(free_port())
    ui = ("--web-host", "127.0.0.1", "--web-port", port)
    locust = Command(
        *("locust", *_COMMON, "--processes", "2", *ports(), *ui, *plan(3)), cwd=place, PYTHONPATH=TARGET_PLACE
    )

    def ask(path: str, data: bytes | None = None) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", data, timeout=60) as answer:
            told: bytes = answer.read()
            return told

    def is_ready() -> bool:
        try:
            workers = json.loads(ask("stats/requests"))["workers"]
        except urllib.error.URLError:
            return False
        return [worker["state"] for worker in workers] == ["ready", "ready"]

    def start(number: int) -> Path:
        wait_until(is_ready, locust)
        time.sleep(1 - time.time() % 1)  # run directories are named by the second
        ask("swarm", b"user_count=6&spawn_rate=100")
        wait_until(lambda: len(list((place / "runs").glob("*"))) == number, locust)
        return max((place / "runs").iterdir())

    try:
        first = start(1)
        for segment in ("load-1", "load-2"):
            wait_for_prints(first, 50, locust, segment)
        ask("stop", b"")
        wait_until((first / "verdict.json").exists, locust)
        second = start(2)
        wait_until((second / "verdict.json").exists, locust)
        locust.process.terminate()
        return wait(locust, first)
    finally:
        locust.end()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """One of each sort."""
    return at_once(
        tmp_path_factory.mktemp("processes"),
        {
            "two": partial(run, processes=2),
            "slow": partial(run, processes=2, burst_s=1.5, more=SLOW_OPENING),
            "deaf": partial(run, processes=2, burst_s=3.0, more=DEAF),
            "late": _let_a_worker_join_late,
            "web": _press_start_twice,
            "wrong": partial(run, processes=2, wrong_every=50),
        },
    )


def _check_evidence(directory: Path) -> None:
    """That of two workers is whole, apart from one another, and adds up."""
    told, verdict = read_run(directory), read_verdict(directory)
    assert set(told.segments) == {"target", "load-1", "load-2"}
    groups: dict[str, set[str]] = {}
    nonces: Counter[str] = Counter()
    for segment in ("load-1", "load-2"):
        reader = SegmentReader(segment_path(directory, segment), told.run)
        prints = [record for record in reader if isinstance(record, Print)]
        assert reader.closed
        assert not reader.faults
        own = [print_ for print_ in prints if not print_.application.startswith("self-test")]
        assert len(prints) == len(own) + 1
        groups[segment] = {print_.group for print_ in own}
        nonces.update(print_.nonce for print_ in own)
        count = verdict["processes"][segment]
        assert count["issued"] == count["judged"] + count["failed"] + count["in_flight_at_stop"] == len(own) > 0
        assert count["self_test"] == "caught"
        assert told.reports[segment].issued == count["issued"]
    assert groups["load-1"].isdisjoint(groups["load-2"])
    assert max(nonces.values()) == 1
    assert sum(verdict["outcomes"].values()) == verdict["prints_judged"] == nonces.total()


@pytest.mark.parametrize("name", ["two", "slow", "deaf", "late"])
def test_two_workers_make_one_run_that_passes(runs: dict[str, Ended], name: str) -> None:
    """PASS, and the evidence of both fits together: also of a late one, where opening took longer than the plan, and
    where the first word on the run was lost.
    """
    one = runs[name]
    assert one.exit_code == 0, (one.stdout, one.stderr)
    assert one.verdict["verdict"] == "PASS"
    assert not one.left_behind
    _check_evidence(one.directory)


def test_a_mix_up_between_two_workers_is_found(runs: dict[str, Ended]) -> None:
    """Every wrong paper that the service tells of is an incident, also where its owner applied in another process."""
    one = runs["wrong"]
    assert one.exit_code == 1, (one.stdout, one.stderr)
    told = [line.split() for line in (one.directory / "target" / "swaps.txt").read_text().splitlines()]
    found = [[incident["nonce"], incident["recipient"], *incident["owners"]] for incident in one.verdict["incidents"]]
    assert sorted(found) == sorted(told)
    assert {nonce.split("-")[0] for nonce, *_ in told} == {"A1", "A2"}
    _check_evidence(one.directory)


def test_the_second_start_in_the_web_ui_is_a_run_of_its_own(runs: dict[str, Ended]) -> None:
    """A run that was stopped by hand and the one after it each have a directory, a verdict and whole evidence."""
    one = runs["web"]
    assert one.exit_code == 0, (one.stdout, one.stderr)
    assert not one.left_behind
    first, second = sorted(one.directory.parent.iterdir())
    assert first == one.directory
    assert read_verdict(first)["verdict"] == "INCONCLUSIVE"
    assert read_verdict(first)["exit_code"] == 3
    assert [told for told in sentences(read_verdict(first)) if "was interrupted" in told]
    assert read_verdict(second)["verdict"] == "PASS"
    for directory in (first, second):
        _check_evidence(directory)


def test_the_reference_deployment_passes_with_two_processes(start: Callable[..., Command], tmp_path: Path) -> None:
    """The fixed build, driven by two processes that share its truth and its registry: PASS, and nothing but ok."""
    options = ("--build", "fixed", "--processes", "2", "--out", "run")
    one = start("harness", "verify", "april30", *options, "--", *SHORT_PLAN, "4", *ports())
    assert one.wait() == 0, (one.stdout, one.stderr)
    verdict = read_verdict(tmp_path / "run")
    assert {outcome for outcome, number in verdict["outcomes"].items() if number} == {"ok"}
    assert verdict["exposures"] > 0
    assert not one.left_behind()
    _check_evidence(tmp_path / "run")


def test_ctrl_c_spares_the_reference_deployment_until_the_run_is_closed(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    """Ctrl-C in a terminal reaches every process of the run: it is interrupted, and nothing of it has died."""
    options = ("--build", "fixed", "--processes", "2", "--out", "run")
    one = start("harness", "verify", "april30", *options, "--", *SHORT_PLAN, "60", *ports())
    for segment in ("load-1", "load-2"):
        wait_for_prints(tmp_path / "run", 20, one, segment)
    one.press_ctrl_c()
    assert one.wait() == 3, (one.stdout, one.stderr)
    assert [told for told in sentences(read_verdict(tmp_path / "run")) if "was interrupted" in told]
    assert not one.left_behind()
