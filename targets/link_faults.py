"""A link that misbehaves now and then, by a schedule: the same seed, the same faults.

Between two faults the link does what it was told to do. Of every three faults one is of each kind, so that a short run
has met them all.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Literal, Protocol, get_args

import msgspec

from targets.link_flow import LinkConditions

FaultKind = Literal["slow", "resets", "cut"]
SLOW = LinkConditions(latency_s=0.05, jitter_s=0.05)
_SLOW_S = _RESETS_S = 1.0
_RESET_EVERY_S = 0.1


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault.

    Args:
        pause_s: for which the link behaves before it.
        kind: `slow` is a burst of latency, `resets` breaks all connections again and again, `cut` holds every byte and
            loses none.
        seconds: how long it lasts.
    """

    pause_s: float
    kind: FaultKind
    seconds: float


class FaultBegun(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log of faults.

    Args:
        at_ns: on CLOCK_MONOTONIC.
        connections: clients that felt it from its beginning.
    """

    at_ns: int
    kind: FaultKind
    seconds: float
    connections: int


class Faulty(Protocol):
    """What of a `targets.link.Link` the faults need."""

    conditions: LinkConditions

    @property
    def connections(self) -> int:
        """See there."""

    async def cut(self, seconds: float | None = None) -> None:
        """See there."""

    def reset(self) -> None:
        """See there."""


def draw_faults(seed: int, *, pause_s: float, cut_s: float) -> Iterator[Fault]:
    """Faults without end.

    Args:
        pause_s: mean of the pauses, which are drawn evenly from half of it to one and a half.
        cut_s: how long a cut lasts.
    """
    random = Random(f"link faults {seed}")
    lasting: dict[FaultKind, float] = {"slow": _SLOW_S, "resets": _RESETS_S, "cut": cut_s}
    while True:
        for kind in random.sample(get_args(FaultKind), 3):
            yield Fault(pause_s=pause_s * random.uniform(0.5, 1.5), kind=kind, seconds=lasting[kind])


async def misbehave(link: Faulty, faults: Iterable[Fault], log: Path | None = None) -> None:
    """Let the faults happen to the link, one after the other, and tell of each when it begins."""
    for fault in faults:
        await asyncio.sleep(fault.pause_s)
        if log is not None:
            _tell(log, link, fault)
        if fault.kind == "slow":
            usual, link.conditions = link.conditions, SLOW
            await asyncio.sleep(fault.seconds)
            link.conditions = usual
        elif fault.kind == "resets":
            end_s = time.monotonic() + fault.seconds
            while time.monotonic() < end_s:
                link.reset()
                await asyncio.sleep(_RESET_EVERY_S)
        else:
            await link.cut(fault.seconds)
            await asyncio.sleep(fault.seconds)


def _tell(log: Path, link: Faulty, fault: Fault) -> None:
    begun = FaultBegun(at_ns=time.monotonic_ns(), kind=fault.kind, seconds=fault.seconds, connections=link.connections)
    with log.open("ab") as lines:
        lines.write(msgspec.json.encode(begun) + b"\n")


def read_faults(log: Path) -> list[FaultBegun]:
    """The log; empty when there is none, because no fault has begun yet."""
    return msgspec.json.Decoder(FaultBegun).decode_lines(log.read_bytes()) if log.exists() else []
