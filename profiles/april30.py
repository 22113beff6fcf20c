"""The load verification of 30 April 2023, as it should have been: concurrent prints during sync bursts.

Calm, then bursts in which every slot of the AP server has two or three prints while changes are being synchronised,
then calm again. Only changes that turn no print into a refusal: relocation, name, householder.
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
        gap=Phase(name="gap", seconds=options.gap_s, think_s=0.0),
        count=options.bursts,
    )


plugin = LoadPlugin(
    "april30",
    target="targets.municipal.target:Municipal",
    plan=plan,
    change_kinds=("relocate", "rename", "household"),
    users=10,  # one clerk, and nine kiosks: three for each of the three slots
    options=(
        Option(name="calm-s", default=2.0, help="length of the calm before and after, seconds"),
        Option(name="calm-think-s", default=0.5, help="pause between two applications of a kiosk in the calm, seconds"),
        Option(name="bursts", default=4, help="number of bursts"),
        Option(name="burst-s", default=7.0, help="length of a burst, seconds"),
        Option(name="gap-s", default=1.0, help="prints without changes between two bursts, seconds"),
        Option(name="changes-per-s", default=12.0, help="changes that the counter enters in a burst, per second"),
    ),
)


class Kiosk(KioskUser):
    """キオスク端末."""

    plugin = plugin


class Counter(CounterUser):
    """窓口."""

    plugin = plugin


class April30(PlanShape):
    """All users from beginning to end; the phases say what they do."""

    plugin = plugin
