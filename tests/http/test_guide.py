"""The page on one's own service is followed by the letter."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from targets.http.description import Source
from targets.lifetime import die_with_parent

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-service.md").read_text(encoding="utf-8")
EXIT_CODES = {"FAIL": 1}
_GONE_LIMIT_S = 60.0


def blocks(language: str) -> list[str]:
    """What stands in the page's fences of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines that it is said to print."""
    for block in blocks("console"):
        for one in block.removeprefix("$ ").split("\n$ "):
            command, *told = one.splitlines()
            yield command, told


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


class Reader:
    """Somebody who follows the page in a directory, on a port that is free here."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._port = directory, free_port()
        self._service: subprocess.Popen[str] | None = None
        (tmp := directory / "bin").mkdir()
        (tmp / "misissue").write_text(f'#!/bin/sh\nexec {sys.executable} -m harness "$@"\n')
        (tmp / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        for program in tmp.iterdir():
            program.chmod(0o700)
        self._environment = {**os.environ, "PATH": f"{tmp}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def write(self, name: str, text: str) -> None:
        (self._directory / name).write_text(text.replace("8080", self._port), encoding="utf-8")

    def type(self, command: str) -> tuple[int, str]:
        """Exit code and what is printed of one command; a service is waited for until it is there, or gone."""
        command = command.replace("8080", self._port)
        if command.endswith(" &"):
            self._service = subprocess.Popen(  # noqa: S602 - as a reader's shell does
                f"exec {command.removesuffix(' &')}",
                shell=True,
                cwd=self._directory,
                env=self._environment,
                stdout=subprocess.PIPE,
                text=True,
                preexec_fn=die_with_parent(),
            )
            assert self._service.stdout is not None
            assert "ready" in self._service.stdout.readline()
            return 0, ""
        if command == "kill %1":
            self.stop()
            return 0, ""
        done = subprocess.run(  # noqa: S602 - as a reader's shell does
            command,
            shell=True,
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + (done.stderr if done.returncode > 1 else "")

    def stop(self) -> None:
        if self._service is not None:
            self._service.send_signal(signal.SIGTERM)
            self._service.communicate(timeout=_GONE_LIMIT_S)
            self._service = None


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Who has written the two files of the page."""
    made = Reader(tmp_path)
    (people,), (description,) = blocks("csv"), blocks("toml")
    made.write("people.csv", people)
    made.write("target.toml", description)
    yield made
    made.stop()


@pytest.mark.timeout(300)
def test_the_page_is_right(reader: Reader) -> None:
    """Each command does what the page shows: from a service that nobody knows to PASS, and to FAIL with its defect."""
    words = []
    for command, told in commands():
        code, output = reader.type(command)
        verdicts = [line.partition(" ")[0] for line in told if re.match(r"(PASS|FAIL) ", line)]
        assert code == (EXIT_CODES.get(verdicts[0], 0) if verdicts else 0), (command, output)
        pattern = "\n".join(re.escape(line).replace(re.escape("..."), ".*") for line in told)
        assert re.search(pattern, output, re.DOTALL), (command, output)
        words += verdicts
    assert words == ["PASS", "FAIL"]


def test_the_safety_of_the_page(tmp_path: Path) -> None:
    """The table that allows another machine is one that is taken."""
    (safety,) = blocks("text")
    (description,), (people,) = blocks("toml"), blocks("csv")
    (tmp_path / "people.csv").write_text(people)
    path = tmp_path / "target.toml"
    path.write_text(f"{description.replace('127.0.0.1:8080', 'payslips.test.example')}\n{safety}")
    assert Source(path).description.safety.max_duration_s == 600
