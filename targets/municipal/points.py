"""Named points: where the processes of the deployment say what they are doing, and when.

Every print and every sync run passes a few named points. Reaching one is stamped and appended to the process's own
event log with one write, so that a killed process has told everything it did. `reach` is awaited although it never
waits by itself, because a named point is where a print can be held.
"""

import asyncio
import os
import time
from collections import Counter, defaultdict
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from targets.growing_log import GrowingLog

PrintPoint = Literal["applied", "rendered", "waiting", "staged", "written", "read", "delivered"]
SyncPoint = Literal["sync.begin", "sync.applied", "sync.released", "sync.acknowledged"]

CLOCK = "monotonic"
"""All processes of the deployment run on one machine and stamp with its CLOCK_MONOTONIC."""


class PointReached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an event log.

    Args:
        subject: nonce of a print, or id of a sync run.
        slot: of the print image, for a print that has one.
        applied: (household, version) pairs of a sync run, told at its begin.
    """

    subject: str
    point: PrintPoint | SyncPoint
    at_ns: int
    slot: str = ""
    applied: tuple[tuple[str, int], ...] = ()


class Points:
    """The event log of one process and, while they are under way, where its prints are."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._descriptor = -1
        self._encoder = msgspec.json.Encoder()
        self._under_way: dict[str, tuple[str, str]] = {}  # subject -> (slot, point)
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        if self._path is not None:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    async def reach(
        self,
        subject: str,
        point: PrintPoint | SyncPoint,
        *,
        slot: str = "",
        applied: tuple[tuple[str, int], ...] = (),
        at_ns: int | None = None,
    ) -> None:
        """Stamp and log that `subject` is at `point`; `at_ns` where that is known from elsewhere and has passed."""
        at_ns = time.monotonic_ns() if at_ns is None else at_ns
        reached = PointReached(subject=subject, point=point, at_ns=at_ns, slot=slot, applied=applied)
        if self._descriptor >= 0:
            os.write(self._descriptor, self._encoder.encode(reached) + b"\n")
        self._under_way[subject] = (slot, point)
        self._wake()

    def leave(self, subject: str) -> None:
        """`subject` is through, well or not."""
        self._under_way.pop(subject, None)
        self._wake()

    def by_slot(self) -> dict[str, Counter[str]]:
        """slot -> point -> number of prints that are there now."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for slot, point in self._under_way.values():
            counts[slot][point] += 1
        return dict(counts)

    async def met(self, wanted: Counter[str]) -> None:
        """Return once some slot has at least the wanted number of prints at each point."""
        while not any(slot and wanted <= counts for slot, counts in self.by_slot().items()):
            self._changed.clear()
            await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()


decode_point = msgspec.json.Decoder(PointReached).decode
"""A line of an event log."""


def read_points(path: Path) -> list[PointReached]:
    """An event log, without a last line that a killed process left unfinished; empty when there is none."""
    return list(GrowingLog(path, decode_point).new())
