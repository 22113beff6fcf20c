"""What one direction of one connection does under the conditions of a link: the queue behind `targets.link.Link`."""

import asyncio
import random
import socket
import struct
import sys
from collections import deque
from contextlib import suppress
from enum import Enum, auto
from typing import NamedTuple, Protocol, cast

import msgspec

IN_FLIGHT_LIMIT_BYTES = 1 << 20
"""A direction of a connection that holds this much stops reading, which is what slows its sender down."""
_READ_BYTES = 1 << 16
_PACKET_BYTES = 1460  # what one Ethernet frame carries of a TCP stream
_SLICE_S = 0.01
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then sends RST, see socket(7) SO_LINGER


class LinkConditions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the link does to each direction of each connection; by default nothing.

    Args:
        latency_s: one-way delay, so a round trip takes twice as long.
        jitter_s: each piece that is read is late by a further uniform share of this.
        bandwidth_bytes_per_s: rate of one direction of one connection; None is unlimited.

    Raises:
        ValueError: when a delay is negative or not finite, or the bandwidth is not positive.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bandwidth_bytes_per_s: float | None = None

    def __post_init__(self) -> None:
        """Comparisons are written so that NaN fails them."""
        for name, value in (("latency_s", self.latency_s), ("jitter_s", self.jitter_s)):
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} is {value}; it must be a number of seconds, 0 or more")
        rate = self.bandwidth_bytes_per_s
        if rate is not None and not 0 < rate < float("inf"):
            raise ValueError(f"bandwidth_bytes_per_s is {rate}; it must be more than 0, or null for no limit")

    def due_s(self, read_s: float, share: float, size_bytes: int, free_s: float) -> float:
        """The moment at which `size_bytes` have come out at the far end, on the clock of `read_s`.

        Args:
            read_s: when they were read at the near end.
            share: their share of the jitter, 0 to 1.
            free_s: when the piece before them had come out; nothing overtakes it.
        """
        begin_s = max(read_s + self.latency_s + share * self.jitter_s, free_s)
        return begin_s if self.bandwidth_bytes_per_s is None else begin_s + size_bytes / self.bandwidth_bytes_per_s

    def slice_bytes(self) -> int:
        """How many bytes may come out at once, so that a slow link trickles instead of bursting."""
        if self.bandwidth_bytes_per_s is None:
            return sys.maxsize
        return max(_PACKET_BYTES, int(self.bandwidth_bytes_per_s * _SLICE_S))


CLEAR = LinkConditions()


class Sign(Enum):
    """What travels behind the bytes of a direction, under the same conditions."""

    END = auto()
    RESET = auto()


class Parcel(NamedTuple):
    """Something that was read at one end and has not come out at the other: its time, share of jitter and content."""

    read_s: float
    share: float
    content: memoryview | Sign


class Faults(Protocol):
    """What an end has to know of its link."""

    conditions: LinkConditions
    is_cut: bool
    is_clear: bool
    """True when nothing at all is to be done to the bytes; kept ready because it is asked for each piece."""
    random: random.Random

    def join(self, end: "End") -> None:
        """Called by an end that has come into being and has no other end, or none any more."""

    def part(self, end: "End") -> None:
        """Called when both ends of a connection are gone."""


class End(asyncio.BufferedProtocol):
    """One of the two sockets of a connection, with the queue of what was read from it.

    It reads into a buffer of its own, because a plain protocol of asyncio allocates 256 KiB for each read; in about
    half of the processes measured, round trips of small messages then took twice as long.

    Everything happens in the one thread of the event loop, and no method waits, so no state needs a guard.
    """

    def __init__(self, link: Faults) -> None:
        self.link = link
        self.other = self
        self.transport: asyncio.Transport | None = None
        self.connecting: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.read_buffer = memoryview(bytearray(_READ_BYTES))
        self.queue: deque[Parcel] = deque()
        self.queued_bytes = 0
        self.free_s = 0.0
        self.writable = False
        self.ended = False
        self.passed_end = False
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.writable = True
        # Not at once: asyncio of Python 3.11.2 starts reading after this method, even where it was paused in it.
        asyncio.get_running_loop().call_soon(self.regulate)
        if self.other.transport is None or self.other.lost:
            self.link.join(self)
        else:
            self.other.pump()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio names it
        return self.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self.read_buffer[:nbytes])
        other = self.other
        if self.link.is_clear and not self.queue and other.writable:
            cast("asyncio.Transport", other.transport).write(data)
        else:
            self.queued_bytes += len(data)
            self.send(memoryview(data))

    def eof_received(self) -> bool:
        self.ended = True
        self.send(Sign.END)
        return True  # the other direction stays open

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.writable = False
        self.other.drop()
        if exc is None:
            self.drop()
        else:
            self.send(Sign.RESET)
        if self.other.lost or self.other.transport is None:
            self.link.part(self)

    def pause_writing(self) -> None:
        self.writable = False
        self.other.regulate()

    def resume_writing(self) -> None:
        self.writable = True
        self.other.wake()

    def send(self, content: memoryview | Sign) -> None:
        """Queue what was read, stamped with the time of reading."""
        share = self.link.random.random() if self.link.conditions.jitter_s else 0.0
        self.queue.append(Parcel(asyncio.get_running_loop().time(), share, content))
        if len(self.queue) == 1:
            self.pump()
        else:
            self.regulate()

    def wake(self) -> None:
        """Look again after a standstill or a change; bandwidth that went unused meanwhile is gone."""
        self.free_s = asyncio.get_running_loop().time()
        self.pump()

    def pump(self) -> None:
        """Let out what is due and set the timer for what is not."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        loop = asyncio.get_running_loop()
        conditions = self.link.conditions
        slice_bytes = conditions.slice_bytes()
        while self.queue and self.other.writable and not self.link.is_cut:
            read_s, share, content = self.queue[0]
            piece = content if isinstance(content, Sign) else content[:slice_bytes]
            size_bytes = 0 if isinstance(piece, Sign) else len(piece)
            due_s = conditions.due_s(read_s, share, size_bytes, self.free_s)
            if due_s > loop.time():
                self.timer = loop.call_at(due_s, self.pump)
                break
            self.free_s = due_s
            self.queue.popleft()
            if not isinstance(content, Sign) and size_bytes < len(content):
                self.queue.appendleft(Parcel(read_s, share, content[size_bytes:]))
            self.queued_bytes -= size_bytes
            self.let_out(piece)
        self.regulate()

    def let_out(self, piece: memoryview | Sign) -> None:
        """Hand over to the other socket."""
        transport = cast("asyncio.Transport", self.other.transport)
        if piece is Sign.RESET:
            self.other.reset()
        elif piece is Sign.END:
            self.passed_end = True
            with suppress(OSError):  # the peer was faster and has reset the connection; its RST is read next
                transport.write_eof()
            if self.other.passed_end:
                transport.close()
                cast("asyncio.Transport", self.transport).close()
        else:
            transport.write(piece)

    def regulate(self) -> None:
        """Read only as long as there is room, so that the sender feels how fast the receiver and the link are."""
        if self.transport is None or self.ended:  # resuming after the end would read the end once more
            return
        if self.other.writable and self.queued_bytes < IN_FLIGHT_LIMIT_BYTES:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def drop(self) -> None:
        """Forget what was read here: there is nobody left to give it to."""
        self.queue.clear()
        self.queued_bytes = 0
        if self.timer is not None:
            self.timer.cancel()
        self.regulate()

    def reset(self) -> None:
        """Abort this socket with RST."""
        if self.transport is not None and not self.lost:
            sock: socket.socket = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self.transport.abort()
