"""Concurrent prints against a service of one's own, described in a target.toml: calm, bursts of prints, calm.

In a burst every user applies again as soon as the last document has come, so that as many prints are in flight at one
instant as there are users; and changes are entered meanwhile, where the target.toml describes any.
"""

from argparse import Namespace

from harness.load.plan import Phase, Plan
from harness.load.plugin import LoadPlugin, Option, PlanShape
from harness.load.users import CounterUser, KioskUser


def plan(options: Namespace) -> Plan:
    """Calm, bursts, calm."""
    return Plan.bursts(
        calm=Phase(name="calm", seconds=options.calm_s, think_s=options.calm_think_s),
        burst=Phase(name="burst", seconds=options.burst_s, think_s=0.0, changes_per_s=options.changes_per_s),
        gap=Phase(name="gap", seconds=options.gap_s, think_s=options.calm_think_s),
        count=int(options.bursts),
    )


plugin = LoadPlugin(
    "own_service",
    target="",  # whose service it is has to be said
    plan=plan,
    change_kinds=(),
    users=8,
    options=(
        Option(name="calm-s", default=2.0, help="length of the calm before and after, seconds"),
        Option(name="calm-think-s", default=0.5, help="pause between two applications in the calm, seconds"),
        Option(name="bursts", default=4, help="number of bursts"),
        Option(name="burst-s", default=5.0, help="length of a burst, seconds"),
        Option(name="gap-s", default=1.0, help="calm between two bursts, seconds"),
        Option(name="changes-per-s", default=1.0, help="changes entered in a burst per second, where any is described"),
    ),
)


class Applicant(KioskUser):
    """申請者."""

    plugin = plugin


class Clerk(CounterUser):
    """変更する担当者; nobody is one where no change is described."""

    plugin = plugin


class OwnService(PlanShape):
    """All users from beginning to end; the phases say what they do."""

    plugin = plugin
