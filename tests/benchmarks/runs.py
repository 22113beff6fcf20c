"""Starts the two sides against the static service, each as a Locust process of its own on a core of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from targets.lifetime import die_with_parent
from tests.benchmarks.reading import Window

ROOT = Path(__file__).parents[2]
USERS = 10
_HERE = Path(__file__).parent


@contextmanager
def static_service(*options: str) -> Iterator[str]:
    """The running service; yields HOST:PORT."""
    service = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.static_service", *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(),
    )
    _pin(service, 0)
    with service:
        try:
            assert service.stdout is not None
            port = service.stdout.readline().strip()
            assert port, "the static service did not start"
            yield f"127.0.0.1:{port}"
        finally:
            service.terminate()


def plain(address: str, file: Path, *, warm_up_s: float, window_s: float) -> Window:
    """One run of Locust alone, measured."""
    return _measure("plain_profile.py", file, {"host": f"http://{address}", "spawn-rate": 100}, warm_up_s, window_s)


def judged(address: str, file: Path, out: Path, *, warm_up_s: float, window_s: float) -> Window:
    """One judged run into the run directory `out`, measured."""
    options = {"set": f"address={address}", "out": out, "load-s": warm_up_s + window_s + 0.1}
    return _measure("judged_profile.py", file, options, warm_up_s, window_s)


def _measure(profile: str, file: Path, options: Mapping[str, object], warm_up_s: float, window_s: float) -> Window:
    measured = {"users": USERS, "warm-up-s": warm_up_s, "window-s": window_s, "window-file": file}
    words = [word for name, value in (measured | dict(options)).items() for word in (f"--{name}", str(value))]
    locust = subprocess.Popen(
        [
            *(sys.executable, "-m", "locust", "-f", str(_HERE / profile)),
            *("--headless", "--only-summary", "--loglevel", "WARNING", *words),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent(),
    )
    _pin(locust, -1)
    with locust:
        try:
            told, _ = locust.communicate()
        finally:
            locust.kill()
    # 3: nothing is ever synchronised here, so a judged run met no exposure and cannot pass.
    assert locust.returncode in (0, 3), told
    return msgspec.json.decode(file.read_bytes(), type=Window)


def _pin(process: "subprocess.Popen[str]", index: int) -> None:
    """To one core, the first or the last, so that the two processes do not push each other away."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(process.pid, {cores[index]})
