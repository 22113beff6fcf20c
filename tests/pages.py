"""Follows a page of the documentation by the letter."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from targets.lifetime import die_with_parent
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
EXIT_CODES = {"FAIL": 1}
_GONE_LIMIT_S = 60.0


def blocks(page: str, language: str) -> list[str]:
    """What stands in the page's fences of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def commands(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines that it is said to print."""
    for block in blocks(page, "console"):
        for one in block.removeprefix("$ ").split("\n$ "):
            command, *told = one.splitlines()
            yield command, told


class Reader:
    """Somebody who follows the page in a directory, on a port that is free here."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._port = directory, str(free_port())
        self._service: subprocess.Popen[str] | None = None
        (tmp := directory / "bin").mkdir()
        (tmp / "misissue").write_text(f'#!/bin/sh\nexec {sys.executable} -m harness "$@"\n')
        (tmp / "locust").write_text(f'#!/bin/sh\nexec {sys.executable} -m locust "$@"\n')
        (tmp / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        for program in tmp.iterdir():
            program.chmod(0o700)
        self._environment = {**os.environ, "PATH": f"{tmp}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def write(self, name: str, text: str) -> None:
        """A file of the page, below the directory."""
        path = self._directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("8080", self._port), encoding="utf-8")

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

    def follow(self, page: str) -> list[str]:
        """Type each command of a page, which has to bring what the page shows; returns the verdicts, in their order."""
        verdicts = []
        for command, told in commands(page):
            code, output = self.type(command)
            found = [line.partition(" ")[0] for line in told if re.match(r"(PASS|FAIL) ", line)]
            assert code == (EXIT_CODES.get(found[0], 0) if found else 0), (command, output)
            pattern = "\n".join(re.escape(line).replace(re.escape("..."), ".*") for line in told)
            assert re.search(pattern, output, re.DOTALL), (command, output)
            verdicts += found
        return verdicts

    def stop(self) -> None:
        """End the service."""
        if self._service is not None:
            self._service.send_signal(signal.SIGTERM)
            self._service.communicate(timeout=_GONE_LIMIT_S)
            self._service = None
