"""A disk that takes no more costs a run its time, never its evidence."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from harness.evidence.ledger import LedgerError, segment_path
from harness.evidence.segment import SegmentWriter
from harness.records import ErrorNotice, Group
from tests.harness.builders import (
    CLOCK,
    EVERY_KIND,
    HOME,
    RUN,
    read_segment,
)


class Disk:
    """Takes a number of bytes, in pieces of its own size, and then is full."""

    def __init__(self, room: int, piece: int) -> None:
        self.room = room
        self.piece = piece
        self._write = os.write

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(descriptor, data[: min(self.room, self.piece)])
        self.room -= written
        return written


@pytest.mark.parametrize("room", [0, 1, 40, 200, 2000])
@pytest.mark.parametrize("piece", [7, 1 << 20])
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, piece: int) -> None:
    """A full disk is said; nothing of the batch is lost or doubled when space comes back, and the digest is right."""
    writer = SegmentWriter(tmp_path, "load-1", run=RUN, clock=CLOCK)
    disk = Disk(room, piece)
    many = EVERY_KIND * 5
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", disk.write)
        for record in many:
            writer.write(record)
        for _ in range(2):
            with pytest.raises(LedgerError, match="No space left on device"):
                writer.flush()
        disk.room = 1 << 30
        writer.flush()
        writer.close()
    assert read_segment(writer.path) == (list(many), [])


def test_full_disk_in_mid_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record whose own write found the disk full is in the batch, once."""
    writer = SegmentWriter(tmp_path, "load-1", run=RUN, clock=CLOCK)
    disk = Disk(100_000, 1 << 20)
    monkeypatch.setattr(os, "write", disk.write)
    big = ErrorNotice(nonce="A1.1", code="x" * 70_000, at_ns=1)
    writer.write(big)
    with pytest.raises(LedgerError):
        writer.write(big)
    disk.room = 1 << 30
    writer.close()
    assert read_segment(writer.path) == ([big, big], [])


def test_disk_stays_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that could not be closed says so to its reader, and closing it again does nothing."""
    writer = SegmentWriter(tmp_path, "load-1", run=RUN, clock=CLOCK)
    monkeypatch.setattr(os, "write", Disk(0, 1).write)
    writer.write(HOME)
    with pytest.raises(LedgerError):
        writer.close()
    writer.close()
    assert read_segment(writer.path) == ([], ["segment load-1 was never closed"])


LIMITED = """
import signal, sys
from pathlib import Path
from harness.evidence.ledger import LedgerError
from harness.evidence.segment import SegmentWriter
from harness.records import Group
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = SegmentWriter(Path(sys.argv[1]), "load-1", run="run-1", clock="monotonic")
try:
    for count in range(1000):
        writer.write(Group(group=f"G{count}", persons=()))
        writer.flush()
except LedgerError as error:
    print(error)
"""


def test_file_size_limit(tmp_path: Path) -> None:
    """Where the system really takes no more the writer says which segment cannot be written."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        text=True,
        check=True,
    )
    path = segment_path(tmp_path, "load-1")
    assert done.stdout == f"cannot write the ledger segment {path}: File too large\n"
    records, faults = read_segment(path)
    assert records == [Group(group=f"G{count}", persons=()) for count in range(len(records))]
    assert "segment load-1 was never closed" in faults
