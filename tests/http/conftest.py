"""Services of somebody else's as processes of their own, and descriptions of them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from targets.lifetime import die_with_parent
from tests.http.service import REFUSED

HERE = Path(__file__).parent
PERSONS = [f"P{number:03}" for number in range(1, 31)]
assert REFUSED in PERSONS
VALID = """\
[service]
name = "payslips"
base_url = "http://127.0.0.1:8080"
version = { path = "/version", at = "build" }
timeout_s = 0.5
reapply_after_s = [0.0, 0.05]

[people]
file = "people.csv"

[kinds.payslip]
weight = 3
options = ["my_number"]

[kinds.annual]

[application]
path = "/payslips"
headers = { X-Request-Id = "{nonce}" }
json = { employee = "{person}", kind = "{kind}", options = "{options}" }

[answer]
refused = { status = [409], json = { refused = "*" } }
retry_later = { status = [503] }

[answer.document]
status = [200]
in = "body"
"""


class Service:
    """`tests/http/service.py`, or another program beside it, at work.

    Attributes:
        url: of the service; told: what it has said since.
    """

    def __init__(self, directory: Path, *options: str, program: str = "service.py") -> None:
        self._out = directory / "service.txt"
        self._file = self._out.open("w")
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / program), *options],
            stdout=self._file,
            preexec_fn=die_with_parent(),
        )

    @property
    def url(self) -> str:
        while not (text := self._out.read_text()).endswith("\n"):
            assert self.process.poll() is None
        return text.splitlines()[0]

    @property
    def told(self) -> list[list[str]]:
        return [line.split() for line in self._out.read_text().splitlines()[1:]]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._file.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[Service, Path]]]:
    """Starts a service with these options; gives it and the target.toml that describes it."""
    started: list[Service] = []

    def start(*options: str) -> tuple[Service, Path]:
        for earlier in started:
            earlier.stop()
        service = Service(tmp_path, *options)
        started.append(service)
        return service, describe(tmp_path, VALID.replace("http://127.0.0.1:8080", service.url))

    yield start
    for service in started:
        service.stop()


def describe(directory: Path, text: str = VALID, people: str | None = None) -> Path:
    """A target.toml of this text beside its people."""
    rows = "person\n" + "".join(f"{person}\n" for person in PERSONS)
    (directory / "people.csv").write_text(rows if people is None else people, encoding="utf-8")
    path = directory / "target.toml"
    path.write_text(text, encoding="utf-8")
    return path


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of ours."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
