"""What the web UI wants of the process that owns the runs."""

from collections.abc import Collection, Mapping
from typing import Protocol

from locust.env import Environment

from harness.live.snapshot import Snapshot


class Owner(Protocol):
    """Has one run after the other, as they are started."""

    @property
    def is_busy(self) -> bool:
        """A run goes on, or is being decided."""

    @property
    def is_guest(self) -> bool:
        """The users, their host and the end of the run are the locustfile's own."""

    def snapshot(self) -> Snapshot | None:
        """What is known of the run that goes on, else of the last one; None before the first."""

    @property
    def people(self) -> Collection[str]:
        """Everybody whose name may stand in a sentence of that run."""

    def open(self, environment: Environment, options: Mapping[str, object]) -> None:
        """Begin a run with these options in place of those of the command line; its users are still to come.

        Raises:
            Exception: with a sentence, why it cannot begin; the options are as they were.
        """

    def give_up(self, environment: Environment) -> None:
        """End the run that was opened, because its users do not come."""
