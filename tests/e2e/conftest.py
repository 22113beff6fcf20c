"""Runs the real commands as processes of their own, and finds whatever they leave behind."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.evidence.ledger import segment_path

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "profiles" / "april30.py"
SHORT_PLAN = ("--calm-s", "0.3", "--bursts", "1", "--burst-s")
_TOKEN = "MISISSUE_TEST_TOKEN"  # noqa: S105 - marks the processes of one test
_GONE_LIMIT_S = 5.0


class Command:
    """A started command of ours; everything that it starts inherits its token."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        before: Sequence[str] = (),
        program: Sequence[str] = (sys.executable, "-m"),
        **environment: str,
    ) -> None:
        self.token = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [*before, *program, *arguments],
            cwd=cwd,
            env={**os.environ, **environment, _TOKEN: self.token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,  # as a shell does, so that a test can press Ctrl-C
        )
        self.stdout = self.stderr = ""

    def press_ctrl_c(self) -> None:
        """As in a terminal, which sends SIGINT to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self) -> int:
        """The exit code; the output is kept."""
        self.stdout, self.stderr = self.process.communicate()
        return self.process.returncode

    def processes(self) -> dict[int, str]:
        """pid -> command line of every live process that descends from it, itself included."""
        mark = f"{_TOKEN}={self.token}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes():
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
        return found

    def find(self, part: str) -> int:
        """The oldest process whose command line holds `part`."""
        return min(pid for pid, line in self.processes().items() if part in line)

    def left_behind(self) -> dict[int, str]:
        """What is still there after the time that it may take to go away."""
        give_up_s = time.monotonic() + _GONE_LIMIT_S
        while (left := self.processes()) and time.monotonic() < give_up_s:
            time.sleep(0.05)
        return left

    def end(self) -> None:
        """Whatever a failed test left running."""
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.process.communicate()
        for pid in self.left_behind():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Start `python -m ...` in a private directory."""
    commands = []

    def start_one(*arguments: str, **environment: str) -> Command:
        commands.append(Command(*arguments, cwd=tmp_path, **environment))
        return commands[-1]

    yield start_one
    for command in commands:
        command.end()


def wait_for_prints(directory: Path, number: int, command: Command, segment: str = "load-1") -> None:
    """Until so many prints are on record."""
    path = segment_path(directory, segment)
    wait_until(lambda: path.exists() and path.read_bytes().count(b'"type":"print"') >= number, command)


def wait_until(is_so: Callable[[], bool], command: Command) -> None:
    """Look again and again while the command is running."""
    while command.process.poll() is None:
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError(f"the command ended before that: {command.process.communicate()}")


def sentences(verdict: Mapping[str, Any]) -> list[str]:
    """The reasons of a verdict.json, in English."""
    return [reason["text"] for reason in verdict["reasons"]]


def read_verdict(directory: Path) -> dict[str, Any]:
    """verdict.json."""
    return msgspec.json.decode((directory / "verdict.json").read_bytes(), type=dict[str, Any])
