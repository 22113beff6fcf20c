"""The clock of a load process, and whether that of another process is the same one."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Clock(NamedTuple):
    """Tells the time in nanoseconds; two of one identity tell the same time. A test may hand in another."""

    identity: str
    now_ns: Callable[[], int]


def machine_clock() -> Clock:
    """CLOCK_MONOTONIC: one for each boot of a machine and each time namespace on it (time_namespaces(7))."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    try:
        namespace = str(Path("/proc/self/ns/time").readlink())
    except OSError:  # a kernel without time namespaces
        namespace = ""
    return Clock(f"{boot} {namespace}", time.monotonic_ns)
