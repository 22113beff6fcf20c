"""A run that is started from Locust's web UI is the same judged run."""

import json
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.conftest import PROFILE, SHORT_PLAN, Command, read_verdict, sentences, wait_until
from tests.e2e.paper_runs import begin, run, wait
from tests.ports import free_port

SLOW_CLOSING = """
import time
from harness.run import JudgedRun

close = JudgedRun.close

def slow(self, *arguments, **options):
    time.sleep(3)
    return close(self, *arguments, **options)

JudgedRun.close = slow
"""
SLOW_OPENING = """
import os
import time
from tests.load import shared_papers

start = shared_papers.Target.open

def slow(self, directory):
    if os.path.exists("run/verdict.json"):
        open("opening", "w").close()
        time.sleep(60)
    return start(self, directory)

shared_papers.Target.open = slow
"""
LATE = """
import os
import time
from locust.env import Environment
from harness.load.worker import Worker

make = {place}.{name}
master = os.getpid()

def late(self, *arguments):
    while os.getppid() == master:
        time.sleep(0.05)
    return make(self, *arguments)

{place}.{name} = late
"""
CLUMSY = """
from locust import task

class Clumsy(Kiosk):
    fixed_count = 1

    @task
    def apply(self):
        raise RuntimeError("clumsy")
"""


class Ui:
    """Locust's web UI on a port of its own."""

    def __init__(self) -> None:
        port = str(free_port())
        self.options = ("--web-host", "127.0.0.1", "--web-port", port)
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, data: bytes | None = None) -> Any:
        """A JSON answer."""
        with urllib.request.urlopen(f"{self.url}/{path}", data, timeout=60) as answer:  # noqa: S310 - of our own
            return json.load(answer)

    def wait(self, command: Command, workers: int = 0) -> None:
        """Until it is there, and so many workers are known to it."""
        wait_until(lambda: self._has(workers), command)

    def _has(self, workers: int) -> bool:
        try:
            return len(self.ask("stats/requests").get("workers", ())) >= workers
        except urllib.error.URLError:
            return False

    def start(self, command: Command) -> None:
        """As the form of the UI does, as soon as the UI is there."""
        self.wait(command)
        told = self.ask("swarm", b"user_count=10&spawn_rate=100")
        assert told["success"] is True, told

    def state(self) -> str:
        """Of the run."""
        state: str = self.ask("misissuance/snapshot.json")["snapshot"]["state"]
        return state


def test_a_run_started_in_the_web_ui_is_judged_when_its_plan_is_through(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    """The verdict stands in the run directory after the plan, and is Locust's exit code when the UI is closed."""
    ui = Ui()
    locust = start("locust", "-f", str(PROFILE), *ui.options, "--out", "run", *SHORT_PLAN, "5")
    ui.start(locust)
    wait_until((tmp_path / "run" / "verdict.json").exists, locust)
    locust.process.terminate()
    assert locust.wait() == 1, locust.stderr
    verdict = read_verdict(tmp_path / "run")
    assert verdict["verdict"] == "FAIL"
    assert not any("interrupted" in reason for reason in sentences(verdict))
    assert "FAIL" in locust.stdout
    assert not locust.left_behind()


def test_whoever_ends_the_process_waits_for_the_verdict(tmp_path: Path) -> None:
    """A SIGTERM while a run is being decided does not take its verdict away."""
    ui = Ui()
    command = begin(tmp_path, "--web", *ui.options, burst_s=0.5, more=SLOW_CLOSING)
    try:
        ui.start(command)
        wait_until(lambda: ui.state() == "deciding", command)
        command.process.terminate()
        ended = wait(command, tmp_path / "run")
    finally:
        command.end()
    assert ended.exit_code == ended.verdict["exit_code"]
    assert "evidence: run" in ended.stdout


def test_whoever_ends_the_process_while_the_next_target_starts_has_shown_nothing(tmp_path: Path) -> None:
    """Also where the run before passed: the exit code is that of the last start."""
    ui = Ui()
    command = begin(tmp_path, "--web", *ui.options, burst_s=0.5, more=SLOW_OPENING)
    try:
        ui.start(command)
        wait_until(lambda: ui.state() == "decided", command)
        wait_until(lambda: bool(ui.ask("stats/requests")["state"] == "stopped"), command)
        form = HTTPConnection(urlsplit(ui.url).netloc)
        form.request("POST", "/swarm", "user_count=10", {"Content-Type": "application/x-www-form-urlencoded"})
        wait_until((tmp_path / "opening").exists, command)
        command.process.terminate()
        ended = wait(command, tmp_path / "run")
        form.close()
    finally:
        command.end()
    assert (ended.verdict["verdict"], ended.exit_code) == ("PASS", 3)


def test_a_reset_forgets_nothing_that_counts(tmp_path: Path) -> None:
    """With its statistics Locust forgets what threw an exception; the run does not."""
    ui = Ui()
    command = begin(tmp_path, "--web", *ui.options, burst_s=60.0, more=CLUMSY)
    try:
        ui.start(command)
        wait_until(lambda: bool(ui.ask("exceptions")["exceptions"]), command)
        with urllib.request.urlopen(f"{ui.url}/stats/reset", b"") as answer:  # noqa: S310 - of our own
            assert answer.status == 200
        ui.ask("stop", b"")
        command.process.terminate()
        ended = wait(command, tmp_path / "run")
    finally:
        command.end()
    assert any("a user's task ended in an exception: clumsy" in text for text in sentences(ended.verdict))


def test_workers_end_with_a_master_that_cannot_begin(tmp_path: Path) -> None:
    """Also those that have not found it yet."""
    more = LATE.format(place="Environment", name="create_worker_runner")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run(tmp_path, "--web", "--web-port", port, processes=2, more=more)
    assert ended.exit_code == 2
    assert f"127.0.0.1:{port} cannot be listened on" in ended.stderr
    assert not ended.left_behind


def test_workers_end_with_a_master_that_was_killed_early(tmp_path: Path) -> None:
    """Also those that learn only after its death that they are workers of ours."""
    ui = Ui()
    command = begin(tmp_path, "--web", *ui.options, processes=2, more=LATE.format(place="Worker", name="__init__"))
    try:
        ui.wait(command, workers=2)
        command.process.kill()
        assert wait(command, tmp_path / "run").exit_code == -signal.SIGKILL
        assert not command.left_behind()
    finally:
        command.end()
