"""The link delays, holds and resets, but it never alters, reorders or loses a byte."""

import asyncio
import random
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple, Self

import pytest

from targets.link import Link, LinkConditions
from targets.link_flow import IN_FLIGHT_LIMIT_BYTES

_NOTHING = LinkConditions()
_AN_HOUR = LinkConditions(latency_s=3600)
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Upstream:
    """A server that hands its connections to the test, in the order in which they come."""

    def __init__(self) -> None:
        self.accepted: asyncio.Queue[_Streams] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.accepted.put_nowait((reader, writer))


@asynccontextmanager
async def _client(link: Link) -> AsyncIterator[_Streams]:
    reader, writer = await asyncio.open_connection(link.host, link.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


class Scene(NamedTuple):
    """A link, and a connection through it as its two sides see it."""

    link: Link
    upstream: Upstream
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    peer_reader: asyncio.StreamReader
    peer_writer: asyncio.StreamWriter


@asynccontextmanager
async def _scene(conditions: LinkConditions = _NOTHING, *, seed: int = 0) -> AsyncIterator[Scene]:
    async with (
        Upstream() as upstream,
        Link("127.0.0.1", upstream.port, conditions=conditions, seed=seed) as link,
        _client(link) as (reader, writer),
    ):
        yield Scene(link, upstream, reader, writer, *await upstream.accepted.get())


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - turns of the loop, not time; the test's own limit ends it
        await asyncio.sleep(0)


async def _after(seconds: float) -> None:
    """Let time pass where it is time that the rule speaks of."""
    end_s = time.monotonic() + seconds
    await _until(lambda: time.monotonic() >= end_s)


async def _send_one_by_one(scene: Scene, messages: list[bytes]) -> None:
    """Send so that the link reads each message by itself; it has to hold them."""
    expected = 0
    for message in messages:
        expected += len(message)
        scene.writer.write(message)
        while scene.link.in_flight_bytes < expected:  # noqa: ASYNC110 - turns of the loop, not time
            await asyncio.sleep(0)


_MESSAGES = [f"message {n:03};".encode() for n in range(20)]
_ALL_CONDITIONS = [
    _NOTHING,
    LinkConditions(latency_s=0.001, jitter_s=0.002),
    LinkConditions(bandwidth_bytes_per_s=20e6),
    LinkConditions(latency_s=0.001, jitter_s=0.001, bandwidth_bytes_per_s=50e6),
]


@pytest.mark.parametrize("change", [False, True], ids=["constant", "changing"])
@pytest.mark.parametrize("conditions", _ALL_CONDITIONS, ids=repr)
async def test_bytes_unchanged(conditions: LinkConditions, change: bool) -> None:
    """Whatever the chunks and the conditions, also when these change in mid-stream, both directions arrive whole."""
    source = random.Random(2)
    sent = source.randbytes(1_500_000)

    async def echo(scene: Scene) -> None:
        while data := await scene.peer_reader.read(1 << 16):
            scene.peer_writer.write(data)
            await scene.peer_writer.drain()
        scene.peer_writer.write_eof()

    async def send(scene: Scene) -> None:
        at = 0
        while at < len(sent):
            size = source.choice((1, 100, 10_000, 100_000))
            scene.writer.write(sent[at : at + size])
            await scene.writer.drain()
            at += size
            if change:
                scene.link.conditions = source.choice(_ALL_CONDITIONS)
        scene.writer.write_eof()

    async with _scene(conditions) as scene:
        received, _, _ = await asyncio.gather(scene.reader.read(), echo(scene), send(scene))
        assert received == sent
        await _until(lambda: scene.link.connections == 0)


async def test_half_close() -> None:
    """The end of one direction is passed on behind its bytes, and the other direction stays open."""
    async with _scene(_AN_HOUR) as scene:
        scene.writer.write(b"last words")
        scene.writer.write_eof()
        await _until(lambda: scene.link.in_flight_bytes == 10 and len(scene.link.in_flight) == 2)
        scene.link.conditions = _NOTHING
        assert await scene.peer_reader.read() == b"last words"
        scene.peer_writer.write(b"answer")
        assert await scene.reader.readexactly(6) == b"answer"
        assert scene.link.connections == 1
        scene.peer_writer.write_eof()
        assert await scene.reader.read() == b""
        await _until(lambda: scene.link.connections == 0)


async def test_latency_delays() -> None:
    """A round trip takes at least twice the latency."""
    async with _scene(LinkConditions(latency_s=0.05)) as scene:
        begin_s = time.monotonic()
        scene.writer.write(b"?")
        scene.peer_writer.write(await scene.peer_reader.readexactly(1))
        await scene.reader.readexactly(1)
        assert time.monotonic() - begin_s >= 0.1


async def test_latency_does_not_throttle() -> None:
    """A message does not wait for the one before it: all are in flight at once, and come out in order."""
    async with _scene(_AN_HOUR) as scene:
        await _send_one_by_one(scene, _MESSAGES)
        assert [bytes(parcel.content) for parcel in scene.link.in_flight] == _MESSAGES  # type: ignore[arg-type]
        scene.link.conditions = _NOTHING
        assert await scene.peer_reader.readexactly(20 * 12) == b"".join(_MESSAGES)


async def test_bandwidth_limits() -> None:
    """Bytes come no faster than the bandwidth allows, also those that a cut has piled up for long."""
    async with _scene(LinkConditions(bandwidth_bytes_per_s=100_000)) as scene:
        await scene.link.cut()
        await _send_one_by_one(scene, [bytes(5_000), bytes(5_000)])
        await _after(0.12)
        begin_s = time.monotonic()
        scene.link.restore()
        await scene.peer_reader.readexactly(10_000)
        assert time.monotonic() - begin_s >= 0.1


async def test_jitter_keeps_order() -> None:
    """Pieces that are late by different shares of the jitter still come out in order."""
    async with _scene(LinkConditions(jitter_s=0.02), seed=3) as scene:
        await scene.link.cut()
        await _send_one_by_one(scene, _MESSAGES)
        scene.link.restore()
        assert await scene.peer_reader.readexactly(20 * 12) == b"".join(_MESSAGES)


async def test_jitter_is_seeded() -> None:
    """The same seed gives the same jitter, another seed another one."""

    async def shares(seed: int) -> list[float]:
        async with _scene(LinkConditions(latency_s=3600, jitter_s=1), seed=seed) as scene:
            await _send_one_by_one(scene, _MESSAGES)
            return [parcel.share for parcel in scene.link.in_flight]

    first, again, other = await shares(1), await shares(1), await shares(2)
    assert first == again
    assert len(set(first)) == 20
    assert first != other


async def test_cut_holds_and_restore_loses_nothing() -> None:
    """While the link is cut no byte flows either way and newcomers hang; restoring brings everything, in order."""
    async with _scene() as scene:
        link = scene.link
        await link.cut()
        scene.writer.write(b"question")
        scene.peer_writer.write(b"notice")
        async with _client(link) as (_, late_writer):
            late_writer.write(b"hello")
            await _until(lambda: link.in_flight_bytes == 14 and link.connections == 2)
            assert scene.upstream.accepted.empty()
            link.restore()
            assert await scene.peer_reader.readexactly(8) == b"question"
            assert await scene.reader.readexactly(6) == b"notice"
            late_reader, _ = await scene.upstream.accepted.get()
            assert await late_reader.readexactly(5) == b"hello"


async def test_cut_for_a_while() -> None:
    """A cut with a duration ends by itself; a later cut replaces the duration of the one before."""
    async with _scene() as scene:
        await scene.link.cut(0.01)
        await scene.link.cut()
        await _after(0.02)
        assert scene.link.is_cut
        await scene.link.cut(0.01)
        scene.writer.write(b"x")
        assert await scene.peer_reader.readexactly(1) == b"x"
        assert not scene.link.is_cut


@pytest.mark.parametrize("is_cut", [False, True], ids=["flowing", "cut"])
async def test_reset(is_cut: bool) -> None:
    """A reset is seen as RST by both sides, held bytes or not, and new connections may come."""
    async with _scene() as scene:
        if is_cut:
            await scene.link.cut()
            await _send_one_by_one(scene, _MESSAGES)
        scene.link.reset()
        for reader in (scene.reader, scene.peer_reader):
            with pytest.raises(ConnectionResetError):
                await reader.read()
        scene.link.restore()
        async with _client(scene.link) as (_, new_writer):
            new_reader, _ = await scene.upstream.accepted.get()
            new_writer.write(b"x")
            assert await new_reader.readexactly(1) == b"x"


async def test_reset_of_a_peer_is_passed_on() -> None:
    """An RST waits while the link is cut and is passed on afterwards; bytes for the one that sent it are dropped."""
    async with _scene() as scene:
        await scene.link.cut()
        scene.peer_writer.write(b"to nobody")
        await _until(lambda: scene.link.in_flight_bytes == 9)
        sock: socket.socket = scene.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        scene.writer.transport.abort()
        await _until(lambda: len(scene.link.in_flight) == 1 and scene.link.in_flight_bytes == 0)
        scene.link.restore()
        with pytest.raises(ConnectionResetError):
            await scene.peer_reader.read()
        await _until(lambda: scene.link.connections == 0)


async def test_refused_upstream() -> None:
    """Where the upstream refuses, the client's connection is reset."""
    async with Upstream() as upstream:
        port = upstream.port
    async with Link("127.0.0.1", port) as link, _client(link) as (reader, _):
        with pytest.raises(ConnectionResetError):
            await reader.read()


@pytest.mark.parametrize("cause", ["slow receiver", "cut", "newcomer while cut"])
async def test_back_pressure(cause: str) -> None:
    """A sender is slowed down when its receiver does not read or the link is cut; the link holds a bounded amount."""
    size_bytes = 48 << 20  # more than all socket buffers on the way take
    async with _scene() as scene, AsyncExitStack() as stack:
        writer, peer_reader = scene.writer, scene.peer_reader
        if cause != "slow receiver":
            await scene.link.cut()
        if cause == "newcomer while cut":
            _, writer = await stack.enter_async_context(_client(scene.link))
        writer.write(bytes(size_bytes))
        left_bytes, calm_turns = -1, 0
        while calm_turns < 2000:
            await asyncio.sleep(0)
            before, left_bytes = left_bytes, writer.transport.get_write_buffer_size()
            calm_turns = calm_turns + 1 if left_bytes == before else 0
        assert left_bytes > 0
        assert scene.link.in_flight_bytes <= IN_FLIGHT_LIMIT_BYTES + (1 << 16)
        scene.link.restore()
        if cause == "newcomer while cut":
            peer_reader, _ = await scene.upstream.accepted.get()
        received = 0
        while received < size_bytes:
            received += len(await peer_reader.read(1 << 20))


@pytest.mark.parametrize("conditions", [_NOTHING, _AN_HOUR], ids=["clear", "delayed"])
async def test_exit_leaves_nothing(conditions: LinkConditions) -> None:
    """After the link is left there are no connections, no tasks and no listener, whatever was under way."""
    tasks = asyncio.all_tasks()
    async with _scene(conditions) as scene:
        link = scene.link
        scene.writer.write(b"x")
        await link.cut(3600)
        async with _client(link) as (hanging_reader, _):
            await _until(lambda: link.connections == 2)
            await link.__aexit__()
            assert asyncio.all_tasks() == tasks
            assert link.connections == 0
            for reader in (scene.reader, hanging_reader):
                with pytest.raises(ConnectionResetError):
                    await reader.read()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(link.host, link.port)


async def test_cancelled_exit() -> None:
    """A cancellation while the link is being left keeps no connection open."""
    async with _scene() as scene:
        leaving = asyncio.create_task(scene.link.__aexit__())
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(ConnectionResetError):
            await scene.reader.read()
        await _until(lambda: scene.link.connections == 0)
        assert leaving.cancelled()
