"""Slow fingerprints come from another process: in their order, the same as ours, and none from one that has failed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped] # it has no types; it is there because Locust needs it
import pytest

from harness.fingerprint import Fingerprint
from harness.fingerprint.marks import MarkReader
from harness.fingerprint.pdf_text import PdfText
from harness.fingerprint.process import FingerprintProcess
from harness.fingerprint.worker import Made
from tests.harness.fingerprint.masks import Troubled
from tests.harness.fingerprint.pdfs import drawn

PATIENCE_S = 60.0
WORDS = Fingerprint([PdfText()], MarkReader(r"(?P<person>E\d+)", PdfText()))


@pytest.fixture
def started() -> Iterator[list[FingerprintProcess]]:
    """Whatever a test starts has ended when it has."""
    processes: list[FingerprintProcess] = []
    yield processes
    for process in processes:
        process.close()


def children() -> set[int]:
    """Processes that this one has started, also those that nobody has waited for."""
    return {child.pid for child in psutil.Process().children()}


def wait(process: FingerprintProcess, number: int) -> list[Made]:
    """So many answers, or as many as come before it fails."""
    found: list[Made] = []
    until_s = time.monotonic() + PATIENCE_S
    while len(found) < number and not process.failure:
        found += process.answers()
        assert time.monotonic() < until_s
        time.sleep(0.005)
    return found


def test_answers(started: list[FingerprintProcess]) -> None:
    """Each is the one that this process would have made, also of what cannot be read."""
    process = FingerprintProcess(WORDS)
    started.append(process)
    documents = [drawn(f"paper of E{number}") for number in range(3)] + [b"", b"no PDF" * 50_000]
    for document in documents:
        process.want_checksum(document)
        process.want_marks(document)
    found = wait(process, 2 * len(documents))
    assert [made.checksum for made in found[::2]] == [WORDS.checksum_on_record(document) for document in documents]
    assert [made.marks for made in found[1::2]] == [WORDS.marks(document) for document in documents]
    assert found[1].marks[0].persons == ("E0",)
    assert process.failure == ""


def test_gives_way_at_once(started: list[FingerprintProcess]) -> None:
    """The load comes first from the beginning, also while the process still imports what it needs."""
    before = children()
    started.append(FingerprintProcess(WORDS))
    (child,) = children() - before
    assert os.getpriority(os.PRIO_PROCESS, child) == 19


def test_nothing_waits(started: list[FingerprintProcess]) -> None:
    """Whoever asks goes on at once, though nobody reads what is asked."""
    process = FingerprintProcess(Fingerprint([Troubled()]))
    started.append(process)
    process.want_checksum(b"sleep")
    for _ in range(40):
        process.want_checksum(b"x" * 1_000_000)
    assert list(process.answers()) == []
    assert process.failure == ""


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"raise", "ValueError: nobody thought of it"),
        (b"raise slowly", "tests.harness.fingerprint.masks.SlowToTellError: nobody had the time"),
        (b"die", "it ended"),
        (b"say and die", "no more"),
    ],
)
def test_fails(started: list[FingerprintProcess], document: bytes, why: str) -> None:
    """One that has ended says why, as far as it said so itself, and answers no more."""
    process = FingerprintProcess(Fingerprint([Troubled()]))
    started.append(process)
    for one in (b"fine", document, b"fine"):
        process.want_checksum(one)
    assert [made.checksum for made in wait(process, 3)] == [Fingerprint().checksum(b"fine")]
    assert process.failure == why
    process.want_checksum(b"fine")
    assert list(process.answers()) == []


def test_takes_too_long(started: list[FingerprintProcess]) -> None:
    """One that takes too long for a document has failed, and is ended."""
    before = children()
    process = FingerprintProcess(Fingerprint([Troubled()]), limit_s=0.5)
    started.append(process)
    assert len(children() - before) == 1
    process.want_checksum(b"sleep")
    assert wait(process, 1) == []
    assert process.failure == "one document took longer than 0.5 s"
    assert children() <= before


def test_speech_is_no_answer(started: list[FingerprintProcess]) -> None:
    """What a library prints does not come among the answers."""
    process = FingerprintProcess(Fingerprint([Troubled()]))
    started.append(process)
    process.want_checksum(b"say")
    assert [made.checksum for made in wait(process, 1)] == [Fingerprint().checksum(b"say")]


def test_ends_with_its_parent(tmp_path: Path) -> None:
    """Also when that is killed in the middle of a document."""
    program = (
        "import sys, time\n"
        "from harness.fingerprint import Fingerprint\n"
        "from harness.fingerprint.process import FingerprintProcess\n"
        "from tests.harness.fingerprint.masks import Troubled\n"
        "process = FingerprintProcess(Fingerprint([Troubled(sys.argv[1])]))\n"
        "process.want_checksum(b'sleep')\n"
        "time.sleep(600)\n"
    )
    told = tmp_path / "pid"
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(told)], env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    try:
        child = _read(told)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    until_s = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def _read(path: Path) -> int:
    until_s = time.monotonic() + PATIENCE_S
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < until_s
        time.sleep(0.01)
    return int(path.read_text())
