"""Prometheus and promtool: found in PATH, run, and gone afterwards."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from targets.lifetime import die_with_parent
from tests.ports import free_port

_STOP_LIMIT_S = 10.0


def find_program(name: str) -> str:
    """Its path; the test fails when it is not there, because nothing else can say whether the rules are right."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not in PATH; the Debian package `prometheus` has it: apt-get install prometheus")
    return path


def promtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run promtool; both its outputs are in `stdout`."""
    return subprocess.run(
        [find_program("promtool"), *map(str, arguments)],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


class Prometheus:
    """A real Prometheus on a free port of the loopback, with its data in a private directory."""

    def __init__(self, config: Path, directory: Path) -> None:
        self.log = directory / "prometheus.log"
        self.url = f"http://127.0.0.1:{free_port()}"
        self._config = config
        self._data = directory / "data"

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    find_program("prometheus"),
                    f"--config.file={self._config}",
                    f"--storage.tsdb.path={self._data}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(),
            )
        while not self._is_ready():
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready") as answer:  # noqa: S310 - our own server
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False

    def ask(self, path: str, **parameters: str | float) -> Any:
        """The data of an answer of the API.

        Raises:
            AssertionError: with Prometheus' own words where it does not like the question.
        """
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:  # noqa: S310 - our own server
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            message = f"{parameters}: {json.load(error)['error']}"
            raise AssertionError(message) from error

    def value(self, expression: str) -> float | None:
        """Of an expression that has one value at most, now."""
        result = self.ask("query", query=expression)["result"]
        assert len(result) <= 1, result
        return float(result[0]["value"][1]) if result else None

    def firing(self) -> list[str]:
        """The names of the alerts that are firing."""
        return [alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"]

    def wait_for_rules(self, until_s: float) -> None:
        """Until all rules have been evaluated after this time of the clock on the wall."""
        while any(
            datetime.fromisoformat(one["lastEvaluation"]).timestamp() < until_s for one in self.ask("rules")["groups"]
        ):
            time.sleep(0.1)
