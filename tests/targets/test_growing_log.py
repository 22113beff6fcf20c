"""A log is read as far as it has grown, every line once."""

from pathlib import Path

import msgspec
import pytest

from harness.records import ErrorNotice
from targets.growing_log import GrowingLog


def line(nonce: str) -> bytes:
    """As the writer of the log appends it."""
    return msgspec.json.encode(ErrorNotice(nonce=nonce, code="E", at_ns=1)) + b"\n"


class Log:
    """A log that a test writes, and its reader."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.reader = GrowingLog(path, msgspec.json.Decoder(ErrorNotice).decode)

    def append(self, data: bytes) -> None:
        """In one write."""
        with self._path.open("ab") as file:
            file.write(data)

    def new(self) -> list[str]:
        """Nonces of what is new."""
        return [notice.nonce for notice in self.reader.new()]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log.jsonl")


def test_each_line_once(log: Log) -> None:
    """A log that nobody has begun holds nothing; what is appended to it later is told once."""
    assert log.new() == []
    log.append(line("A") + line("B"))
    assert log.new() == ["A", "B"]
    assert log.new() == []
    log.append(line("C"))
    assert log.new() == ["C"]


@pytest.mark.parametrize("cut", range(1, len(line("B"))))
def test_half_a_line(log: Log, cut: int) -> None:
    """A line that is half written is told when it is whole, wherever it was cut."""
    log.append(line("A") + line("B")[:cut])
    assert log.new() == ["A"]
    assert log.new() == []
    log.append(line("B")[cut:] + line("C"))
    assert log.new() == ["B", "C"]


def test_whoever_stops_in_the_midst(log: Log) -> None:
    """Whoever stops after some lines gets the others the next time."""
    log.append(line("A") + line("B") + line("C"))
    assert next(log.reader.new()).nonce == "A"
    assert log.new() == ["B", "C"]


def test_line_of_another_kind(log: Log) -> None:
    """A line that is none of its kind is refused once, and those behind it are told."""
    log.append(line("A") + b"nonsense\n" + line("B"))
    with pytest.raises(msgspec.DecodeError):
        log.new()
    assert log.new() == ["B"]
