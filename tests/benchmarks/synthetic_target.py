"""The people and documents of the static service, without the service: nothing goes over a network."""

from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.static_target import StaticTarget


class SyntheticTarget(StaticTarget):
    """Its truth alone; nobody listens anywhere."""

    name = "synthetic"

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__({"address": "", **settings})

    def open(self, directory: Path) -> Mapping[str, object]:  # noqa: ARG002 - protocol
        """There is nothing to start."""
        return {}

    def addresses(self) -> Mapping[str, str]:
        """None."""
        return {}
