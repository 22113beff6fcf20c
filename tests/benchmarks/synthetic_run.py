"""A judged run of the synthetic profile, with the real commands, and what it tells on its own way."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from targets.lifetime import die_with_parent
from tests.benchmarks.sides import ROOT
from tests.ports import free_port

_PROFILE = Path(__file__).with_name("synthetic_profile.py")
_POLL_S = 0.05


class SyntheticRun:
    """At work while the context is open; ended in order when it closes.

    Args:
        processes: Locust workers beside a master; None for a single process that is neither.
        applications: how many each of them makes; every process of the load makes as many.
    """

    def __init__(self, directory: Path, *, processes: int | None, applications: int) -> None:
        self._directory = directory
        self._load_processes = processes or 1
        self._words = ["verify", str(_PROFILE), "--out", str(directory)]
        own = ["--applications", str(applications)]
        if processes is not None:
            self._words += ["--processes", str(processes)]
            port = str(free_port())
            own += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
        self._words += ["--", *own]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness", *self._words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=die_with_parent(),
        )
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            try:
                self._process.send_signal(signal.SIGTERM)
                said, _said = self._process.communicate()
            finally:
                self._process.kill()
        assert self._process.returncode == 3, said  # it was cut short, and nothing was synchronised

    def wait(self) -> None:
        """Until every process has made all of its applications."""
        while len(list(self._directory.glob("told-*.done"))) < self._load_processes:
            self._poll()

    def wait_for_attempts(self, wanted: int) -> int:
        """Until the single process of the load has recorded so many; returns its id."""
        while True:
            for path in self._directory.glob("told-*.txt"):
                if path.read_bytes().count(b"\n") >= wanted:
                    return int(path.stem.removeprefix("told-"))
            self._poll()

    def told(self) -> list[str]:
        """Nonce and applicant of every attempt, as the users tell them, in the order of the alphabet."""
        paths = self._directory.glob("told-*.txt")
        return sorted(line for path in paths for line in path.read_text(encoding="ascii").splitlines())

    def _poll(self) -> None:
        assert self._process.poll() is None, "it ended before it was through"
        time.sleep(_POLL_S)
