"""Judged runs of the paper service: short, and several at once, because most of the time they wait for Locust."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.conftest import PROFILE, ROOT, Command, read_verdict
from tests.ports import free_port

AT_ONCE = 6
TARGET_PLACE = str(ROOT)
TARGET = "tests.load.shared_papers:Target"
BEFORE = '"""april30 with its LoadPlugin, and what follows."""\nfrom profiles.april30 import *\n'


@dataclass(frozen=True)
class Ended:
    """A run that has ended, in a directory of its own."""

    directory: Path
    exit_code: int
    stdout: str
    stderr: str
    left_behind: Mapping[int, str]

    @property
    def verdict(self) -> dict[str, Any]:
        """What it wrote."""
        return read_verdict(self.directory)


def plan(burst_s: float) -> tuple[str, ...]:
    """Options of the profile for a plan of one burst."""
    return ("--calm-s", "0.2", "--calm-think-s", "0.05", "--bursts", "1", "--burst-s", str(burst_s))


def ports() -> tuple[str, ...]:
    """Options for a Locust master that no other run of this machine meets, and for its workers."""
    port = str(free_port())
    return ("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port)


def begin(
    place: Path,
    *options: str,
    processes: int = 1,
    burst_s: float = 2.0,
    wrong_every: int = 0,
    target: str = TARGET,
    more: str = "",
    out: str = "run",
) -> Command:
    """Start `misissue verify` in the place.

    Args:
        wrong_every: of the service.
        more: text that is added to the profile.
        out: the run directory.
    """
    profile = PROFILE
    if more:
        profile = place / "profile.py"
        profile.write_text(BEFORE + more)
    several = ("--processes", str(processes)) if processes > 1 else ()
    return Command(
        *("harness", "verify", str(profile), "--out", out, "--users", "6", *several),
        *("--target", target, "--set", f"wrong_every={wrong_every}", *options),
        *("--", *plan(burst_s), *(ports() if several else ())),
        cwd=place,
        PYTHONPATH=TARGET_PLACE,
    )


def wait(command: Command, directory: Path) -> Ended:
    """Until it has ended, and longer for what it leaves behind to go."""
    try:
        exit_code = command.wait()
        left_behind = command.left_behind()
    finally:
        command.end()
    return Ended(directory, exit_code, command.stdout, command.stderr, left_behind)


def run(place: Path, *options: str, **how: Any) -> Ended:
    """One that is left to itself; see `begin`."""
    return wait(begin(place, *options, **how), place / "run")


def at_once(place: Path, scenarios: Mapping[str, Callable[[Path], Ended]], most: int = AT_ONCE) -> dict[str, Ended]:
    """Play every scenario, each in a directory of its own, and at most so many at one time."""
    places = {name: place / name.replace(" ", "-") for name in scenarios}
    for own in places.values():
        own.mkdir()
    with ThreadPoolExecutor(most) as pool:
        return dict(zip(scenarios, pool.map(lambda name: scenarios[name](places[name]), scenarios), strict=True))


def is_root() -> bool:
    """Mounts and network namespaces are root's."""
    return os.geteuid() == 0
