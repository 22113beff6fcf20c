"""A run that is started from Locust's web UI is the same judged run."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import PROFILE, SHORT_PLAN, Command, free_port, read_verdict, sentences


def _start_the_test(url: str, command: Command) -> None:
    """As the form of the UI does, as soon as the UI is there."""
    while command.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/swarm", b"user_count=10&spawn_rate=100") as answer:  # noqa: S310
                assert b'"success": true' in answer.read() or answer.status == 200
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError(command.process.communicate())


def test_a_run_started_in_the_web_ui_is_judged_when_its_plan_is_through(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    """The verdict stands in the run directory after the plan, and is Locust's exit code when the UI is closed."""
    port = free_port()
    ui = ("--web-host", "127.0.0.1", "--web-port", str(port))
    locust = start("locust", "-f", str(PROFILE), *ui, "--out", "run", *SHORT_PLAN, "5")
    _start_the_test(f"http://127.0.0.1:{port}", locust)
    while not (tmp_path / "run" / "verdict.json").exists():
        assert locust.process.poll() is None, locust.process.communicate()
        time.sleep(0.05)
    locust.process.terminate()
    assert locust.wait() == 1, locust.stderr
    verdict = read_verdict(tmp_path / "run")
    assert verdict["verdict"] == "FAIL"
    assert not any("interrupted" in reason for reason in sentences(verdict))
    assert "FAIL" in locust.stdout
    assert not locust.left_behind()
