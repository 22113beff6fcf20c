"""The judged side: the shipped user class and the shipped plug-in, as a profile of a user's own would take them."""

from argparse import Namespace

from harness.load.plan import Phase, Plan
from harness.load.plugin import LoadPlugin, Option, PlanShape
from harness.load.users import KioskUser


def plan(options: Namespace) -> Plan:
    """One phase without a pause between two applications."""
    return Plan((Phase(name="load", seconds=options.load_s, think_s=0.0),))


plugin = LoadPlugin(
    "judged",
    target="tests.benchmarks.static_target:StaticTarget",
    plan=plan,
    change_kinds=(),
    options=(Option(name="load-s", default=3600.0, help="length of the load, seconds"),),
    users=10,
)


class Kiosk(KioskUser):
    """As shipped."""

    plugin = plugin


class Load(PlanShape):
    """As shipped."""

    plugin = plugin
