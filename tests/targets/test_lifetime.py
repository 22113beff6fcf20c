import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from targets.lifetime import PrivateDirectory, die_with_parent

LIMIT_S = 20.0

# Each maker prints what it made, one word a line, and then waits to be killed.
MAKER_OF_A_CHILD = """
import subprocess, sys
from targets.lifetime import die_with_parent
child = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL, preexec_fn=die_with_parent())
print(child.pid, flush=True)
sys.stdin.read()
"""
MAKER_OF_A_DIRECTORY = """
import subprocess, sys
from targets.lifetime import PrivateDirectory
with PrivateDirectory() as directory:
    (directory / "spool").mkdir()
    (directory / "spool" / "print").write_bytes(b"image")
    bystander = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL)
    print(directory, bystander.pid, sep="\\n", flush=True)
    sys.stdin.read()
"""


@contextmanager
def running(script: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as maker:
        try:
            yield maker
        finally:
            maker.kill()


def word(maker: "subprocess.Popen[str]") -> str:
    assert maker.stdout is not None
    return maker.stdout.readline().strip()


def ends(pidfd: int) -> bool:
    """Whether a process ends before the limit; a zombie that nobody has collected yet has ended."""
    return bool(select.select([pidfd], [], [], LIMIT_S)[0])


def becomes_true(condition: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + LIMIT_S
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return condition()


def test_a_child_ends_when_its_parent_is_killed() -> None:
    """A child started with die_with_parent does not outlive a parent that could not clean up."""
    with running(MAKER_OF_A_CHILD) as maker:
        pidfd = os.pidfd_open(int(word(maker)))
        try:
            maker.kill()
            assert ends(pidfd)
        finally:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)


def test_a_child_whose_parent_is_already_gone_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent that died between fork and prctl is noticed: the program is never executed."""
    monkeypatch.setattr(os, "getpid", lambda: 0)
    orphaned = die_with_parent()
    monkeypatch.undo()
    child = subprocess.run(["true"], preexec_fn=orphaned, check=False)
    assert child.returncode == os.EX_OSERR


def test_a_private_directory_is_private_and_short() -> None:
    """Only its owner may enter the directory, and a Unix socket's path still fits below it."""
    with PrivateDirectory() as directory:
        assert directory.stat().st_mode & 0o777 == 0o700
        assert len(os.fsencode(directory / "municipal" / ".s.PGSQL.65535")) <= 107


def test_a_private_directory_is_gone_after_its_context() -> None:
    """Leaving the context removes the directory with all it holds and ends the janitor."""
    private = PrivateDirectory()
    with private as directory:
        (directory / "spool").mkdir()
        (directory / "spool" / "print").write_bytes(b"image")
    assert not directory.exists()
    assert private._janitor.returncode == 0


def test_a_private_directory_is_gone_without_its_janitor() -> None:
    """A janitor that somebody killed is no reason to leave the directory behind."""
    private = PrivateDirectory()
    with private as directory:
        (directory / "print").write_bytes(b"image")
        private._janitor.kill()
    assert not directory.exists()


def test_a_private_directory_is_gone_after_its_maker_was_killed() -> None:
    """SIGKILL of the maker removes the directory too, also while other children of the maker live on."""
    with running(MAKER_OF_A_DIRECTORY) as maker:
        directory, bystander = Path(word(maker)), os.pidfd_open(int(word(maker)))
        try:
            assert (directory / "spool" / "print").exists()
            maker.kill()
            assert becomes_true(lambda: not directory.exists())
            assert not select.select([bystander], [], [], 0)[0]
        finally:
            signal.pidfd_send_signal(bystander, signal.SIGKILL)
            os.close(bystander)


def test_the_janitor_is_out_of_reach_of_ctrl_c() -> None:
    """The terminal's signals go to a session that the janitor is no member of."""
    private = PrivateDirectory()
    with private:
        assert os.getsid(private._janitor.pid) != os.getsid(0)
