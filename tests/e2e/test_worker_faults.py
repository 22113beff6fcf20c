"""The fault table: whatever goes wrong in a run, in one process or in a worker, is named, and never ends in PASS."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.evidence.ledger import read_run, segment_path
from harness.gate import RATE_SHARE, decide
from tests.e2e.conftest import Command, sentences, wait_for_prints, wait_until
from tests.e2e.paper_runs import Ended, at_once, begin, is_root, run, wait

pytestmark = pytest.mark.timeout(240)
_PRINTS = 50
_LONG_S = 60.0

THROWS_ONCE = """
from locust import events, runners

def throw(**_):
    events.request.remove_listener(throw)
    raise RuntimeError("planted")

@events.init.add_listener
def choose(environment, **_):
    if getattr(environment.runner, "worker_index", 0) == 0:
        events.request.add_listener(throw)
"""
THROWS_BEFORE_US = """
from locust import events, runners

def throw(environment, **_):
    if not isinstance(environment.runner, runners.MasterRunner):
        raise RuntimeError("planted")

events.test_start.remove_listener(plugin._on_test_start)
events.test_start.add_listener(throw)
events.test_start.add_listener(plugin._on_test_start)
"""
SLOW_KIOSKS = """
import gevent
from harness.load.users import KioskUser

attempt = KioskUser._attempt

def slow(self, *arguments):
    answer = attempt(self, *arguments)
    gevent.sleep(8)
    return answer

KioskUser._attempt = slow
"""
NO_LEASES = """
from harness.load.leases import Leases

class Bypass:
    def __init__(self, free):
        self.free = free
    def __enter__(self):
        return self.free[0]
    def __exit__(self, *_):
        pass

Leases.lease = lambda self: Bypass(self._free)
"""
ONE_SHARE = """
from harness.load.master_run import MasterRun

MasterRun._lease = lambda self, number: (0, 1, 2)
"""
SLOW_END = """
import gevent
from harness.run import JudgedRun

close = JudgedRun.close

def slow(self, *arguments, **more):
    (self.directory / "ending").touch()
    gevent.sleep(3)
    return close(self, *arguments, **more)

JudgedRun.close = slow
"""
INTERRUPTED_AT_WORK = """
import os, signal
from locust import events, runners

def interrupt(**_):
    event.remove_listener(interrupt)
    os.kill(os.getpid(), signal.SIGINT)

@events.init.add_listener
def choose(environment, **_):
    global event
    event = events.worker_report if isinstance(environment.runner, runners.MasterRunner) else events.request
    if not isinstance(environment.runner, runners.WorkerRunner):
        event.add_listener(interrupt)
"""
ORACLE = """
import harness.judging, harness.oracle, harness.evidence.recorder
from harness.outcome import Outcome

right = harness.oracle.judge_identity

def broken(print_, register):
    is_ok = {condition}
    return harness.oracle.Judgement(outcome=Outcome.OK) if is_ok else right(print_, register)

for module in (harness.judging, harness.oracle, harness.evidence.recorder):
    module.judge_identity = broken
"""


def _begin(place: Path, *options: str, **how: Any) -> Command:
    """A long run of two processes, when both have prints on record."""
    command = begin(place, *options, **{"processes": 2, "burst_s": _LONG_S, **how})
    for segment in ("load-1", "load-2")[: how.get("processes", 2)]:
        wait_for_prints(place / "run", _PRINTS, command, segment)
    return command


def _workers(command: Command) -> list[int]:
    return [pid for pid, line in command.processes().items() if " harness.load " in line and pid != command.process.pid]


def _kill_a_worker(place: Path) -> Ended:
    command = _begin(place, burst_s=4)
    os.kill(_workers(command)[0], signal.SIGKILL)
    return wait(command, place / "run")


def _end_a_worker(place: Path) -> Ended:
    command = _begin(place, burst_s=4)
    os.kill(_workers(command)[0], signal.SIGTERM)
    return wait(command, place / "run")


def _kill_the_master(place: Path, wrong_every: int = 0) -> Ended:
    command = _begin(place, wrong_every=wrong_every)
    if wrong_every:
        wait_until(lambda: any((place / "run" / "incidents").iterdir()), command)
    wait_for_prints(place / "run", 4 * _PRINTS, command)
    command.process.kill()
    command.process.wait()
    left_behind = command.left_behind()  # now, because the end of the output is that of the last worker
    return replace(wait(command, place / "run"), left_behind=left_behind)


def _interrupt(place: Path, number: signal.Signals, processes: int = 2) -> Ended:
    command = _begin(place, processes=processes)
    command.process.send_signal(number)
    return wait(command, place / "run")


def _interrupt_slow_kiosks(place: Path) -> Ended:
    """So early that the plan's time is over only because everybody goes on with what was begun."""
    command = begin(place, more=SLOW_KIOSKS, burst_s=5.0)
    wait_for_prints(place / "run", 3, command)
    command.process.send_signal(signal.SIGINT)
    return wait(command, place / "run")


def _press_ctrl_c(place: Path, processes: int) -> Ended:
    command = _begin(place, processes=processes)
    command.press_ctrl_c()
    return wait(command, place / "run")


def _interrupt_the_end(place: Path) -> Ended:
    """Twice, and in vain: a misissuance was seen, and whoever decides must not be torn from it."""
    command = begin(place, more=SLOW_END, wrong_every=5)
    wait_until((place / "run" / "ending").exists, command)
    for _ in range(2):
        command.process.send_signal(signal.SIGINT)
    return wait(command, place / "run")


def _fill_the_disk(place: Path, size_kib: int = 64, **how: Any) -> Ended:
    """A run directory on a disk that holds some dozen prints; it is copied from there before the disk goes."""
    disk = place / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(disk)], check=True)
    try:
        ended = wait(begin(place, out="disk/run", **how), place / "run")
        shutil.copytree(disk / "run", place / "run")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    return ended


# What is done to a run, and the exit code, verdict and reason that have to come of it; None where nobody was left to
# write a verdict.
TABLE: dict[str, tuple[Callable[[Path], Ended], int, str | None, str]] = {
    "worker killed": (_kill_a_worker, 3, "INCONCLUSIVE", "was lost: it did not hand over its evidence"),
    "worker ended": (_end_a_worker, 3, "INCONCLUSIVE", "left before the plan was through"),
    "master killed": (_kill_the_master, -9, None, ""),
    "master killed late": (partial(_kill_the_master, wrong_every=20), -9, None, ""),
    "SIGINT": (partial(_interrupt, number=signal.SIGINT), 3, "INCONCLUSIVE", "was interrupted"),
    "SIGTERM": (partial(_interrupt, number=signal.SIGTERM), 3, "INCONCLUSIVE", "was interrupted"),
    "SIGINT of slow kiosks": (_interrupt_slow_kiosks, 3, "INCONCLUSIVE", "was interrupted"),
    "Ctrl-C": (partial(_press_ctrl_c, processes=2), 3, "INCONCLUSIVE", "was interrupted"),
    "Ctrl-C alone": (partial(_press_ctrl_c, processes=1), 3, "INCONCLUSIVE", "was interrupted"),
    "SIGINT at work": (
        lambda place: run(place, more=INTERRUPTED_AT_WORK, burst_s=_LONG_S, processes=2),
        3,
        "INCONCLUSIVE",
        "was interrupted",
    ),
    "SIGINT at work alone": (
        lambda place: run(place, more=INTERRUPTED_AT_WORK, burst_s=_LONG_S),
        3,
        "INCONCLUSIVE",
        "was interrupted",
    ),
    "SIGINT late": (_interrupt_the_end, 1, "FAIL", "wrong_person"),
    "listener": (partial(run, more=THROWS_ONCE), 3, "INCONCLUSIVE", "a Locust listener or greenlet threw"),
    "listener of a worker": (
        partial(run, more=THROWS_ONCE, processes=2),
        3,
        "INCONCLUSIVE",
        "a Locust listener or greenlet threw",
    ),
    "listener before us": (
        partial(run, more=THROWS_BEFORE_US),
        3,
        "INCONCLUSIVE",
        "a Locust listener or greenlet threw",
    ),
    "listener of a worker before us": (
        partial(run, more=THROWS_BEFORE_US, processes=2),
        3,
        "INCONCLUSIVE",
        "load-1: a Locust listener or greenlet threw",
    ),
    "no leases": (partial(run, more=NO_LEASES), 3, "INCONCLUSIVE", "two users had one identity"),
    "one share": (partial(run, more=ONE_SHARE, processes=2), 3, "INCONCLUSIVE", "two users had one identity"),
    "blind oracle": (
        partial(run, more=ORACLE.format(condition="True"), wrong_every=20),
        3,
        "INCONCLUSIVE",
        "self-test: no wrong image was planted in load-1",
    ),
    "lenient oracle": (
        partial(run, more=ORACLE.format(condition="register.find(print_.checksum)"), wrong_every=20, processes=2),
        3,
        "INCONCLUSIVE",
        "self-test: the wrong image planted in load-2 was not told from a right one",
    ),
    "out of reach": (
        lambda place: run(place, "--set", "reached_at=http://127.0.0.1:1", processes=2),
        3,
        "INCONCLUSIVE",
        "load-1: cannot start: nobody answers at http://127.0.0.1:1",
    ),
    "stopped": (
        lambda place: run(place, "--stop-on-misissuance", wrong_every=50, burst_s=_LONG_S),
        1,
        "FAIL",
        "print(s) ended as wrong_person",
    ),
    "stopped workers": (
        lambda place: run(place, "--stop-on-misissuance", wrong_every=50, burst_s=_LONG_S, processes=2),
        1,
        "FAIL",
        "print(s) ended as wrong_person",
    ),
    "rate": (lambda place: run(place, "--rate", "5000/s"), 3, "INCONCLUSIVE", "rate_share"),
    "rate of workers": (lambda place: run(place, "--rate", "5000/s", processes=2), 3, "INCONCLUSIVE", "rate_share"),
    "disk full": (_fill_the_disk, 4, None, "No space left on device"),
    "disk full of workers": (partial(_fill_the_disk, processes=2), 4, None, "No space left on device"),
    "disk full late": (partial(_fill_the_disk, size_kib=128, wrong_every=50), 1, None, "No space left on device"),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Every fault of the table, done, and a run of two processes without any."""
    faults = {name: fault for name, (fault, *_) in TABLE.items() if is_root() or "disk" not in name}
    return at_once(tmp_path_factory.mktemp("faults"), {**faults, "none": partial(run, processes=2)})


@pytest.fixture
def one(ended: dict[str, Ended], name: str) -> Ended:
    """The fault by its name."""
    if name not in ended:
        pytest.skip("only root can mount a disk that is small enough to be filled")
    return ended[name]


@pytest.mark.parametrize("name", TABLE)
def test_each_fault_has_its_exit_code_and_its_reason(one: Ended, name: str) -> None:
    """No fault ends in PASS; each is told by the exit code, by a sentence of its own, and leaves nothing running."""
    _, exit_code, verdict, reason = TABLE[name]
    assert one.exit_code == exit_code, (one.stdout, one.stderr)
    assert not one.left_behind
    assert "PASS" not in one.stdout
    if verdict is None:
        assert reason in one.stderr
    else:
        assert one.verdict["verdict"] == verdict
        assert [told for told in sentences(one.verdict) if reason in told], sentences(one.verdict)
        assert verdict in one.stdout


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("worker killed", "INCONCLUSIVE"),
        ("master killed", "INCONCLUSIVE"),
        ("master killed late", "FAIL"),
        ("SIGINT late", "FAIL"),
        ("blind oracle", "INCONCLUSIVE"),
        ("lenient oracle", "FAIL"),
        ("disk full", "INCONCLUSIVE"),
        ("disk full late", "FAIL"),
    ],
)
def test_the_gate_knows_the_fault_from_the_ledger(
    one: Ended, start: Callable[..., Command], name: str, verdict: str
) -> None:
    """What is on disk after a fault is decided on again, and a misissuance that is on record stays one."""
    gate = start("harness", "gate", str(one.directory))
    assert gate.wait() == {"INCONCLUSIVE": 3, "FAIL": 1}[verdict], (gate.stdout, gate.stderr)
    assert verdict in gate.stdout
    if name.startswith("master killed"):
        assert "the run did not end" in gate.stdout


@pytest.mark.parametrize("name", ["SIGINT at work", "SIGINT at work alone"])
def test_an_interruption_tears_nobody_from_what_they_do(one: Ended) -> None:
    """Who comes back with a document puts it on record first, and who reads what the workers tell goes on reading."""
    assert one.verdict["in_flight_at_stop"] == 0
    assert not [told for told in sentences(one.verdict) if "threw" in told or "lost" in told]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "Ctrl-C", "Ctrl-C alone", "worker ended"])
def test_an_interruption_costs_no_evidence(one: Ended) -> None:
    """Every process that is asked to end, by whomever, closes its segment and hands over what it knows first."""
    reasons = sentences(one.verdict)
    assert not [told for told in reasons if "lost" in told or "closed" in told or "no wrong image" in told], reasons


@pytest.mark.parametrize("name", ["rate", "rate of workers"])
def test_a_rate_that_is_not_kept_is_counted(one: Ended) -> None:
    """A plan of arrivals beyond what the service can do shows in the late starts and in the share that was made."""
    verdict = one.verdict
    assert verdict["late_starts"] > 0
    assert 0 < verdict["rate_share"] < RATE_SHARE
    p50_s = verdict["latency"]["p50_s"]  # None: it is one that was never made
    assert p50_s is None or p50_s > 0.05, "latency counts from the intended start"


@pytest.mark.parametrize("name", ["stopped", "stopped workers"])
def test_a_run_that_stops_at_the_first_misissuance_keeps_its_evidence(one: Ended) -> None:
    """`--stop-on-misissuance` ends every process long before the plan is through, and the incident is on record."""
    directory, verdict = one.directory, one.verdict
    assert read_run(directory).ended == "stopped"
    assert "evidence: the run was stopped at its first misissuance, as was asked for" in sentences(verdict)
    assert verdict["incidents"]
    kept = {path.name.removesuffix(".right.document") for path in (directory / "incidents").glob("*.right.document")}
    kept &= {path.stem for path in (directory / "incidents").iterdir()}
    assert kept == {one["nonce"] for one in verdict["incidents"]}
    assert not [told for told in sentences(verdict) if "cut off" in told or "closed" in told or "lost" in told]


@pytest.mark.parametrize("segment", ["load-1", "load-2", "target"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_segment_that_is_cut_off_afterwards_is_seen(
    ended: dict[str, Ended], tmp_path: Path, segment: str, share: float
) -> None:
    """A run that passed does not pass any more when any of its segments ends early."""
    assert ended["none"].verdict["verdict"] == "PASS"
    copy = tmp_path / "run"
    shutil.copytree(ended["none"].directory, copy)
    path = segment_path(copy, segment)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    verdict = decide(copy)
    assert (verdict.verdict, verdict.exit_code) == ("INCONCLUSIVE", 3)
    assert f"evidence: segment {segment} was never closed" in [reason.text for reason in verdict.reasons]
