"""What Locust's master and its workers tell one another beside Locust's own messages, on the same connection.

Few and small: Locust drops messages when they come faster than they are read. What has to arrive is acknowledged.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from harness.live.tally import Misissued, Tally
from harness.load.active_run import Share

RUN = "misissue_run"
"""Master to one worker, before its users start: `RunTold`."""
CLOCK = "misissue_clock"
"""Worker to master and back: `ClockQuestion`."""
FOUND = "misissue_found"
"""Worker to master, at its first misissuance: nothing."""
FILE = "misissue_file"
"""Worker to master: `Piece`; back: `PieceTaken`."""
DONE = "misissue_done"
"""Worker to master, when everything of a run is handed over: `Done`."""
REPORT = "misissue"
"""Key of `WorkerTallies` in Locust's own reports."""


class RunTold(msgspec.Struct, frozen=True, kw_only=True):
    """A run as a worker has to know it.

    Args:
        segment: name of the worker's segment; directory: of the run on the master's host.
        shared: what the target's `attach` takes.
        clock, clock_identity: name and identity of the run's clock.
        elapsed_s: since the plan began.
    """

    run: str
    segment: str
    directory: str
    shared: Mapping[str, str]
    share: Share
    clock: str
    clock_identity: str
    elapsed_s: float


class ClockQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Asked at `sent_ns` of the worker's clock; `at_ns` is the run's clock when the master saw it."""

    sent_ns: int
    at_ns: int = 0


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a file of a worker's directory for the run; `name` below it, `offset` in bytes."""

    run: str
    segment: str
    name: str
    offset: int
    data: bytes


class PieceTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How long the master's copy is now, bytes; `refused` says why there is none."""

    name: str
    size: int
    refused: str = ""


class WorkerTallies(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has counted of a run.

    Args:
        run: id of the run.
        batch: the last one of the worker's segment.
        tally: everything so far.
        misissued, exposed: what was not told before; see `harness.live.tally.Tallying`. Times are of the run's clock,
            as far as the worker knows it.
    """

    run: str
    batch: int
    tally: Tally
    misissued: tuple[Misissued, ...]
    exposed: tuple[str, ...]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's last word on a run.

    Args:
        run: id of the run.
        counted: None when it could not take part.
        newest: group -> newest version that a change sent from here makes.
        faults: what could not be written into the segment any more.
    """

    run: str
    segment: str
    counted: WorkerTallies | None
    newest: Mapping[str, int]
    faults: tuple[str, ...] = ()


_Told = TypeVar("_Told", bound=msgspec.Struct)


def pack(told: msgspec.Struct) -> Any:
    """As Locust's messages carry it."""
    return msgspec.to_builtins(told, builtin_types=(bytes,))


def unpack(data: object, kind: type[_Told]) -> _Told:
    """What `pack` made.

    Raises:
        msgspec.ValidationError: when it is something else.
    """
    return msgspec.convert(data, kind)
