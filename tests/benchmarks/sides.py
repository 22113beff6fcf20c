"""The sides that are compared, and the service they load, each as a process of its own; measured from outside.

Speeds of a shared machine drift within seconds, so the sides live side by side and take turns of a fraction of a
second: whoever is not measured is stopped by SIGSTOP. What is compared therefore met the same machine, and neither
side carries a line of code that measures.
"""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from targets.lifetime import die_with_parent

ROOT = Path(__file__).parents[2]
USERS = 10
_HERE = Path(__file__).parent
_POLL_S = 0.002


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a side did in one turn, or in several together; `cpu_ns` is the CPU time of its process."""

    prints: int
    wall_ns: int
    cpu_ns: int

    def __add__(self, other: "Turn") -> "Turn":
        return Turn(
            prints=self.prints + other.prints,
            wall_ns=self.wall_ns + other.wall_ns,
            cpu_ns=self.cpu_ns + other.cpu_ns,
        )

    @property
    def rate(self) -> float:
        """Prints per second."""
        return self.prints / self.wall_ns * 1e9

    @property
    def cpu_share(self) -> float:
        """Of one core."""
        return self.cpu_ns / self.wall_ns

    @property
    def cpu_us(self) -> float:
        """CPU microseconds a print."""
        return self.cpu_ns / self.prints / 1e3


class Service:
    """The static service while the context is open; `address` is HOST:PORT.

    Args:
        pinned: it has a core of its own, and each of the sides that load it has another, with all that it starts.
    """

    def __init__(self, *options: str, pinned: bool = True) -> None:
        self._options = options
        self.is_pinned = pinned

    def __enter__(self) -> Self:
        self._process = _start(["tests.benchmarks.static_service", *self._options], core=0 if self.is_pinned else None)
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        assert port, "the static service did not start"
        self.address = f"127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        with self._process:
            self._process.terminate()

    @property
    def served(self) -> int:
        """Documents handed out so far."""
        self._connection.request("GET", "/served")
        return int(self._connection.getresponse().read())


class Side:
    """A Locust process with one profile, at work while the context is open."""

    def __init__(self, service: Service, profile: str, *options: str, web_port: int | None = None) -> None:
        self._service = service
        self._words = ["locust", "-f", str(_HERE / profile), "--users", str(USERS), "--spawn-rate", "100"]
        self._words += ["--only-summary", "--loglevel", "WARNING", *options]
        if web_port is None:
            self._words.append("--headless")
        else:
            self._words += ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(web_port)]
        self._web_port = web_port
        self.told = ""
        self.exit_code: int | None = None

    @classmethod
    def plain(cls, service: Service) -> "Side":
        """Locust alone."""
        return cls(service, "plain_profile.py", "--host", f"http://{service.address}", "AsItIs")

    @classmethod
    def lean(cls, service: Service) -> "Side":
        """Locust alone, without the cookie jar that the shipped users do without."""
        return cls(service, "plain_profile.py", "--host", f"http://{service.address}", "WithoutCookies")

    @classmethod
    def judged(cls, service: Service, directory: Path, *options: str, **settings: str) -> "Side":
        """The shipped user class and plug-in, with its ledger in the run directory; settings of the static target."""
        told = {"address": service.address, **settings}
        words = [word for key, value in told.items() for word in ("--set", f"{key}={value}")]
        return cls(service, "judged_profile.py", *words, "--out", str(directory), *options)

    @classmethod
    def open_to_view(cls, service: Service, directory: Path, web_port: int) -> "Side":
        """The same with Locust's web UI, on which whoever likes may look at the run."""
        options = ("--set", f"address={service.address}", "--out", str(directory))
        return cls(service, "judged_profile.py", *options, web_port=web_port)

    def __enter__(self) -> Self:
        self._process = _start(self._words, core=-1 if self._service.is_pinned else None)
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            try:
                self._process.terminate()
                self._process.send_signal(signal.SIGCONT)
                self.told, _told = self._process.communicate(timeout=60)
                self.exit_code = self._process.returncode
            finally:
                self._process.kill()

    def print_until(self, served: int) -> None:
        """Let it work until the service has handed out so many documents."""
        self._process.send_signal(signal.SIGCONT)
        while self._service.served < served:
            assert self._process.poll() is None, self._process.communicate()[0]
            time.sleep(_POLL_S)
        self._pause()

    def wait(self) -> None:
        """Until its plan is through."""
        self.told, _told = self._process.communicate(timeout=60)

    def look(self, path: str) -> bytes:
        """What the web UI of a side that is at work answers.

        Raises:
            AssertionError: when it does not answer with 200.
        """
        assert self._web_port is not None
        connection = http.client.HTTPConnection("127.0.0.1", self._web_port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, (path, answer.status, body)
            return body
        finally:
            connection.close()

    def turn(self, seconds: float, *, looks: Sequence[str] = ()) -> Turn:
        """Let it work for about so long, alone.

        Args:
            looks: paths of its web UI at which somebody looks once meanwhile.
        """
        served, cpu_ns, begin_ns = self._service.served, self._cpu_ns(), time.monotonic_ns()
        end_s = time.monotonic() + seconds
        self._process.send_signal(signal.SIGCONT)
        for path in looks:
            self.look(path)
        time.sleep(max(0.0, end_s - time.monotonic()))
        self._pause()
        wall_ns = time.monotonic_ns() - begin_ns
        return Turn(prints=self._service.served - served, wall_ns=wall_ns, cpu_ns=self._cpu_ns() - cpu_ns)

    def _pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def _cpu_ns(self) -> int:
        """CPU time of all its threads (first number of schedstat, proc(5)); exact while it is stopped."""
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


def _start(words: Sequence[str], *, core: int | None) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent(),
    )
    if core is not None:
        os.sched_setaffinity(process.pid, {sorted(os.sched_getaffinity(0))[core]})
    return process
