"""The plan of a load: phases, one after the other. Pure; the time is passed in."""

import math
from typing import Self

import msgspec


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the run.

    Args:
        seconds: how long it lasts; infinite where whoever ends the run says so.
        think_s: pause of a kiosk between two applications.
        changes_per_s: rate at which the counter enters changes, all counters together; 0 for none.
    """

    name: str
    seconds: float
    think_s: float
    changes_per_s: float = 0.0


class Plan(msgspec.Struct, frozen=True):
    """Phases in their order."""

    phases: tuple[Phase, ...]

    @property
    def seconds(self) -> float:
        """Length of the whole."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def changes(self) -> int:
        """How many changes the counters are to enter."""
        return round(sum(phase.seconds * phase.changes_per_s for phase in self.phases if phase.changes_per_s))

    @property
    def is_open(self) -> bool:
        """Nobody knows beforehand how long it takes."""
        return math.isinf(self.seconds)

    def at(self, elapsed_s: float) -> Phase | None:
        """The phase at `elapsed_s` after the start; None when the plan is through."""
        for phase in self.phases:
            elapsed_s -= phase.seconds
            if elapsed_s < 0:
                return phase
        return None

    @classmethod
    def bursts(cls, *, calm: Phase, burst: Phase, gap: Phase, count: int) -> Self:
        """Calm, `count` bursts with gaps between them, calm."""
        middle = [phase for _ in range(count) for phase in (burst, gap)][:-1]
        return cls((calm, *middle, calm))
