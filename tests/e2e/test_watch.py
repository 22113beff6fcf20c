"""`misissue watch` shows a log while it grows; what it shows of runs is looked at beside their own metrics."""

import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.records import ErrorNotice
from tests.e2e.conftest import Command, wait_until
from tests.e2e.scrapes import begin_watch, scrape

pytestmark = pytest.mark.timeout(180)


def test_a_log(start: Callable[..., Command], tmp_path: Path) -> None:
    """Error notices of a service are counted as they come, and Ctrl-C ends it in order."""
    log = tmp_path / "center.jsonl"

    def report(code: str) -> None:
        with log.open("ab") as file:
            file.write(msgspec.json.encode(ErrorNotice(nonce="A", code=code, at_ns=1)) + b"\n")

    report("timeout")
    watch, url = begin_watch(start, "center.jsonl")
    wait_until(lambda: scrape(url).by("misissue_log_error_notices_total", "code") == {"timeout": 1}, watch)
    report("image_missing")
    report("timeout")
    wait_until(lambda: scrape(url).value("misissue_error_notices_total") == 3, watch)
    assert scrape(url).by("misissue_log_error_notices_total", "code") == {"timeout": 2, "image_missing": 1}
    watch.process.send_signal(signal.SIGINT)
    assert watch.wait() == 0
    assert watch.stderr == ""
