"""A short profile whose process may have the clock of another host, and may be told to give a dead master up quickly.

CLOCK_OF_ANOTHER_HOST in the environment: an hour ahead, and faster. IMPATIENT: seconds instead of a minute.
"""

import os
import time
from argparse import Namespace

from locust import runners

from harness.load import worker
from harness.load.clock import Clock
from harness.load.plan import Phase, Plan
from harness.load.plugin import LoadPlugin, Option, PlanShape
from harness.load.users import CounterUser, KioskUser


def other_clock(now_ns: int) -> int:
    """What the other host's clock shows when CLOCK_MONOTONIC is `now_ns`: an hour more, and 10 ppm faster."""
    return now_ns + now_ns // 100_000 + 3_600_000_000_000


def plan(options: Namespace) -> Plan:
    """Changes all the time."""
    return Plan((Phase(name="burst", seconds=options.burst_s, think_s=0.0, changes_per_s=12.0),))


if "IMPATIENT" in os.environ:
    runners.MASTER_HEARTBEAT_TIMEOUT = 4
    worker._ANSWER_LIMIT_S = 1.0

plugin = LoadPlugin(
    "other_clock",
    target="tests.load.shared_papers:Target",
    plan=plan,
    change_kinds=("rename",),
    users=8,
    options=(Option(name="burst-s", default=5.0, help="length of the plan, seconds"),),
    clock=Clock("another host", lambda: other_clock(time.monotonic_ns()))
    if "CLOCK_OF_ANOTHER_HOST" in os.environ
    else None,
)


class Kiosk(KioskUser):
    """Applies."""

    plugin = plugin


class Counter(CounterUser):
    """Enters changes."""

    plugin = plugin


class Shape(PlanShape):
    """All users from beginning to end."""

    plugin = plugin
