"""A moving day at the end of March: what people may be issued changes while they apply for it.

Changes of every kind, without a break: people move out, die, are born, have their seals registered and abolished, come
under protection and out of it. Whoever may be issued nothing any more goes on applying, as a person with an old card
can. So many an application has to be refused, some in the very moment in which the change is being synchronised: this
profile is for finding papers that should have been refusals, and refusals that should have been papers.
"""

from argparse import Namespace
from typing import get_args

from harness.load.plan import Phase, Plan
from harness.load.plugin import LoadPlugin, Option, PlanShape
from harness.load.users import CounterUser, KioskUser
from targets.municipal.changes import ChangeKind


def plan(options: Namespace) -> Plan:
    """Calm, the rush at the counter, calm."""
    calm = Phase(name="calm", seconds=options.calm_s, think_s=options.calm_think_s)
    rush = Phase(name="rush", seconds=options.rush_s, think_s=0.0, changes_per_s=options.changes_per_s)
    return Plan((calm, rush, calm))


plugin = LoadPlugin(
    "moving_day",
    target="targets.municipal.target:Municipal",
    plan=plan,
    change_kinds=get_args(ChangeKind),
    users=10,  # one clerk, and nine kiosks: three for each of the three slots
    options=(
        Option(name="calm-s", default=1.0, help="length of the calm before and after, seconds"),
        Option(name="calm-think-s", default=0.5, help="pause between two applications of a kiosk in the calm, seconds"),
        Option(name="rush-s", default=18.0, help="length of the rush, seconds"),
        Option(name="changes-per-s", default=12.0, help="changes that the counter enters in the rush, per second"),
    ),
)


class Kiosk(KioskUser):
    """キオスク端末."""

    plugin = plugin


class Counter(CounterUser):
    """窓口."""

    plugin = plugin


class MovingDay(PlanShape):
    """All users from beginning to end; the phases say what they do."""

    plugin = plugin
