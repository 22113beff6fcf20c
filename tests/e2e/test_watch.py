"""`misissue watch` shows from outside what lies on the disk, while it grows and afterwards."""

import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.records import ErrorNotice
from tests.e2e.conftest import SHORT_PLAN, Command, read_verdict, wait_for_prints, wait_until
from tests.e2e.test_metrics import check_against, is_in, scrape

pytestmark = pytest.mark.timeout(180)


def begin(start: Callable[..., Command], path: str, *options: str) -> tuple[Command, str]:
    """Watch what lies there; also where to scrape."""
    watch = start("harness", "watch", path, "--port", "0", "--every", "0.1", *options)
    assert watch.process.stdout is not None
    line = watch.process.stdout.readline()
    assert line.startswith("metrics at http://127.0.0.1:"), watch.process.communicate()
    return watch, line.split(";")[0].split()[-1].removesuffix("/metrics")


@pytest.mark.parametrize("several", [(), ("--processes", "2")])
def test_a_run(start: Callable[..., Command], tmp_path: Path, several: tuple[str, ...]) -> None:
    """While it goes on its misissuances are seen, and no gap; when it is over, the figures are those of its verdict."""
    run = start("harness", "verify", "april30", "--out", "run", *several, "--", *SHORT_PLAN, "8")
    wait_for_prints(tmp_path / "run", 5, run)
    watch, url = begin(start, "run")
    wait_until(lambda: scrape(url).by("misissue_misissuances_total") != {}, run)
    seen = scrape(url)
    assert run.process.poll() is None
    assert seen.by("misissue_run_state", "state") == {"running": 1}
    assert seen.by("misissue_verdict", "verdict") == {"FAIL": 1}
    assert seen.value("misissue_evidence_gaps") == 0
    assert run.wait() == 1, run.stderr
    wait_until(lambda: is_in("decided", url), watch)
    scraped = scrape(url)
    check_against(read_verdict(tmp_path / "run"), scraped)
    watch.process.terminate()
    assert watch.wait() == 0
    assert (watch.stdout, watch.stderr) == ("stopped\n", "")


def test_a_log(start: Callable[..., Command], tmp_path: Path) -> None:
    """Error notices of a service are counted as they come, and Ctrl-C ends it in order."""
    log = tmp_path / "center.jsonl"

    def report(code: str) -> None:
        with log.open("ab") as file:
            file.write(msgspec.json.encode(ErrorNotice(nonce="A", code=code, at_ns=1)) + b"\n")

    report("timeout")
    watch, url = begin(start, "center.jsonl")
    wait_until(lambda: scrape(url).by("misissue_log_error_notices_total", "code") == {"timeout": 1}, watch)
    report("image_missing")
    report("timeout")
    wait_until(lambda: scrape(url).value("misissue_error_notices_total") == 3, watch)
    assert scrape(url).by("misissue_log_error_notices_total", "code") == {"timeout": 2, "image_missing": 1}
    watch.process.send_signal(signal.SIGINT)
    assert watch.wait() == 0
    assert watch.stderr == ""
