"""A file that grows is read once, and a rotated or truncated one is noticed."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.live import follow
from harness.live.follow import Follower


def write(path: Path, *lines: str) -> None:
    """Add lines, as their writer does."""
    with path.open("ab") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def read(follower: Follower) -> list[str]:
    """What is new."""
    return [line.decode() for line in follower.lines()]


@pytest.fixture
def follow_it(path: Path) -> Iterator[Follower]:
    """Somebody who follows it."""
    with closing(Follower(path)) as follower:
        yield follower


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a log with two lines."""
    write(tmp_path / "log", "one", "two")
    return tmp_path / "log"


def test_each_line_once(path: Path, follow_it: Follower) -> None:
    """What was there comes first, then what has been added since; never a line twice."""
    assert read(follow_it) == ["one", "two"]
    assert read(follow_it) == []
    write(path, "three", "")
    assert read(follow_it) == ["three", ""]
    assert follow_it.restarts == 0


def test_half_a_line_is_waited_for(path: Path, follow_it: Follower) -> None:
    """A line that is being written is read when it is whole."""
    with path.open("ab", buffering=0) as file:
        file.write(b"thr")
        assert read(follow_it) == ["one", "two"]
        file.write(b"ee\nfo")
        assert read(follow_it) == ["three"]
        file.write(b"ur\n")
    assert read(follow_it) == ["four"]


def test_longer_than_a_chunk(path: Path, follow_it: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line may be longer than what is read at once."""
    monkeypatch.setattr(follow, "_CHUNK_BYTES", 4)
    write(path, "a" * 11)
    assert read(follow_it) == ["one", "two", "a" * 11]


def test_no_line_at_all(path: Path, follow_it: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    """What never ends fills no memory."""
    monkeypatch.setattr(follow, "_CHUNK_BYTES", 4)
    monkeypatch.setattr(follow, "_LONGEST_LINE_BYTES", 10)
    write(path, "a" * 30)
    assert read(follow_it) == ["one", "two", *["a" * 12] * 2, "a" * 6]


def test_rotated(path: Path, follow_it: Follower) -> None:
    """A renamed file is read to its end before its successor is begun, also when that comes later."""
    assert read(follow_it) == ["one", "two"]
    old = path.rename(path.with_suffix(".1"))
    write(old, "three")
    assert read(follow_it) == ["three"]
    with old.open("ab") as file:
        file.write(b"four\nfi")
    write(path, "a", "b")
    assert read(follow_it) == ["four", "fi", "a", "b"]
    assert follow_it.restarts == 1
    write(old, "nobody looks here any more")
    write(path, "c")
    assert read(follow_it) == ["c"]


def test_truncated(path: Path, follow_it: Follower) -> None:
    """A truncated file is read from its beginning."""
    assert read(follow_it) == ["one", "two"]
    path.write_bytes(b"")
    write(path, "new")
    assert read(follow_it) == ["new"]
    assert follow_it.restarts == 1


def test_truncated_and_grown_again(path: Path, follow_it: Follower) -> None:
    """It is noticed also when it has become longer than it was."""
    assert read(follow_it) == ["one", "two"]
    path.write_bytes(b"")
    write(path, "another", "and", "more", "than", "before")
    assert read(follow_it) == ["another", "and", "more", "than", "before"]
    assert follow_it.restarts == 1


def test_not_there_yet(tmp_path: Path) -> None:
    """A file that is not there yet is waited for, and so is one that is empty."""
    with closing(Follower(tmp_path / "log")) as follower:
        assert read(follower) == []
        (tmp_path / "log").touch()
        assert read(follower) == []
        write(tmp_path / "log", "one")
        assert read(follower) == ["one"]
        assert follower.restarts == 0
