"""The link delays, holds and resets, but it never alters, reorders or loses a byte."""

import asyncio
import gc
import json
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from targets.lifetime import die_with_parent
from targets.link import Link, LinkConditions, control
from targets.link_flow import IN_FLIGHT_LIMIT_BYTES
from targets.process import StartError, start_site

_AN_HOUR = LinkConditions(latency_s=3600)
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Upstream:
    """A server that hands its connections to the test, in the order in which they come."""

    def __init__(self) -> None:
        self.accepted: asyncio.Queue[_Streams] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Upstream":
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


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - turns of the loop, not time; the test's own limit ends it
        await asyncio.sleep(0)


async def _send_one_by_one(link: Link, writer: asyncio.StreamWriter, messages: list[bytes]) -> None:
    """Send so that the link reads each message by itself."""
    for message in messages:
        before = link.in_flight_bytes
        writer.write(message)
        await _until(lambda before=before, size=len(message): link.in_flight_bytes == before + size)  # type: ignore[misc]


_MESSAGES = [f"message {n:03};".encode() for n in range(20)]
_ALL_CONDITIONS = [
    LinkConditions(),
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
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port, conditions=conditions) as link:
        async with _client(link) as (reader, writer):
            peer_reader, peer_writer = await upstream.accepted.get()

            async def echo() -> None:
                while data := await peer_reader.read(1 << 16):
                    peer_writer.write(data)
                    await peer_writer.drain()
                peer_writer.write_eof()

            async def send() -> None:
                at = 0
                while at < len(sent):
                    size = source.choice((1, 100, 10_000, 100_000))
                    writer.write(sent[at : at + size])
                    await writer.drain()
                    at += size
                    if change:
                        link.conditions = source.choice(_ALL_CONDITIONS)
                writer.write_eof()

            received, _, _ = await asyncio.gather(reader.read(), echo(), send())
            assert received == sent
            await _until(lambda: link.connections == 0)


async def test_half_close() -> None:
    """The end of one direction is passed on behind its bytes, and the other direction stays open."""
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port, conditions=_AN_HOUR) as link:
        async with _client(link) as (reader, writer):
            peer_reader, peer_writer = await upstream.accepted.get()
            writer.write(b"last words")
            writer.write_eof()
            await _until(lambda: link.in_flight_bytes == 10 and len(link.in_flight) == 2)
            link.conditions = LinkConditions()
            assert await peer_reader.read() == b"last words"
            peer_writer.write(b"answer")
            assert await reader.readexactly(6) == b"answer"
            assert link.connections == 1
            peer_writer.write_eof()
            assert await reader.read() == b""
            await _until(lambda: link.connections == 0)


async def test_latency_delays() -> None:
    """A round trip takes at least twice the latency."""
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port) as link, _client(link) as (reader, writer):
        peer_reader, peer_writer = await upstream.accepted.get()
        link.conditions = LinkConditions(latency_s=0.05)
        begin_s = time.monotonic()
        writer.write(b"?")
        peer_writer.write(await peer_reader.readexactly(1))
        await reader.readexactly(1)
        assert time.monotonic() - begin_s >= 0.1


async def test_latency_does_not_throttle() -> None:
    """A message does not wait for the one before it: all are in flight at once, and come out in order."""
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port, conditions=_AN_HOUR) as link:
        async with _client(link) as (_, writer):
            peer_reader, _ = await upstream.accepted.get()
            await _send_one_by_one(link, writer, _MESSAGES)
            assert [bytes(parcel.content) for parcel in link.in_flight] == _MESSAGES  # type: ignore[arg-type]
            link.conditions = LinkConditions()
            assert await peer_reader.readexactly(20 * 12) == b"".join(_MESSAGES)


@pytest.mark.parametrize(
    ("conditions", "share", "size_bytes", "free_s", "due_s", "why"),
    [
        (LinkConditions(), 0.0, 1000, 0.0, 10.0, "nothing is done by default"),
        (LinkConditions(latency_s=2), 0.0, 1000, 11.5, 12.0, "stamped on read: the piece before does not add to it"),
        (LinkConditions(latency_s=2), 0.0, 1000, 12.5, 12.5, "nothing overtakes"),
        (LinkConditions(latency_s=2, jitter_s=4), 0.25, 1, 0.0, 13.0, "the share of the jitter comes on top"),
        (LinkConditions(bandwidth_bytes_per_s=500), 0.0, 1000, 0.0, 12.0, "an idle link begins when the piece comes"),
        (LinkConditions(bandwidth_bytes_per_s=500), 0.0, 1000, 11.0, 13.0, "a busy link begins when it is free"),
    ],
)
def test_due(conditions: LinkConditions, share: float, size_bytes: int, free_s: float, due_s: float, why: str) -> None:
    """The moment at which a piece read at 10 s comes out follows from the conditions alone."""
    assert conditions.due_s(10.0, share, size_bytes, free_s) == due_s, why


async def test_bandwidth_limits() -> None:
    """Bytes come no faster than the bandwidth allows."""
    conditions = LinkConditions(bandwidth_bytes_per_s=100_000)
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port, conditions=conditions) as link:
        async with _client(link) as (_, writer):
            peer_reader, _ = await upstream.accepted.get()
            begin_s = time.monotonic()
            writer.write(bytes(10_000))
            await peer_reader.readexactly(10_000)
            assert time.monotonic() - begin_s >= 0.1


async def test_jitter_keeps_order() -> None:
    """Pieces that are late by different shares of the jitter still come out in order."""
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port, seed=3) as link:
        async with _client(link) as (_, writer):
            peer_reader, _ = await upstream.accepted.get()
            await link.cut()
            link.conditions = LinkConditions(jitter_s=0.02)
            await _send_one_by_one(link, writer, _MESSAGES)
            link.restore()
            assert await peer_reader.readexactly(20 * 12) == b"".join(_MESSAGES)


async def _shares(seed: int) -> list[float]:
    conditions = LinkConditions(latency_s=3600, jitter_s=1)
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port, conditions=conditions, seed=seed) as link:
        async with _client(link) as (_, writer):
            await upstream.accepted.get()
            await _send_one_by_one(link, writer, _MESSAGES)
            return [parcel.share for parcel in link.in_flight]


async def test_jitter_is_seeded() -> None:
    """The same seed gives the same jitter, another seed another one."""
    first, again, other = await _shares(1), await _shares(1), await _shares(2)
    assert first == again
    assert len(set(first)) == 20
    assert first != other


async def test_cut_holds_and_restore_loses_nothing() -> None:
    """While the link is cut no byte flows either way and newcomers hang; restoring brings everything, in order."""
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port) as link, _client(link) as (reader, writer):
        peer_reader, peer_writer = await upstream.accepted.get()
        await link.cut()
        writer.write(b"question")
        peer_writer.write(b"notice")
        async with _client(link) as (_, late_writer):
            late_writer.write(b"hello")
            await _until(lambda: link.in_flight_bytes == 14 and link.connections == 2)
            assert upstream.accepted.empty()
            link.restore()
            assert await peer_reader.readexactly(8) == b"question"
            assert await reader.readexactly(6) == b"notice"
            late_reader, _ = await upstream.accepted.get()
            assert await late_reader.readexactly(5) == b"hello"


async def test_cut_for_a_while() -> None:
    """A cut with a duration ends by itself, unless another cut came after it."""
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port) as link, _client(link) as (_, writer):
        peer_reader, _ = await upstream.accepted.get()
        await link.cut(3600)
        await link.cut(0.01)
        writer.write(b"x")
        assert await peer_reader.readexactly(1) == b"x"
        assert not link.is_cut


@pytest.mark.parametrize("is_cut", [False, True], ids=["flowing", "cut"])
async def test_reset(is_cut: bool) -> None:
    """A reset is seen as RST by both sides, held bytes or not, and new connections may come."""
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port) as link, _client(link) as (reader, writer):
        peer_reader, _ = await upstream.accepted.get()
        if is_cut:
            await link.cut()
            await _send_one_by_one(link, writer, _MESSAGES)
        link.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        with pytest.raises(ConnectionResetError):
            await peer_reader.read()
        link.restore()
        async with _client(link) as (_, new_writer):
            new_reader, _ = await upstream.accepted.get()
            new_writer.write(b"x")
            assert await new_reader.readexactly(1) == b"x"


async def test_reset_of_a_peer_is_passed_on() -> None:
    """An RST travels as bytes do: it waits while the link is cut and is passed on afterwards."""
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port) as link, _client(link) as (_, writer):
        peer_reader, _ = await upstream.accepted.get()
        await link.cut()
        linger_zero = b"\1\0\0\0\0\0\0\0"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        writer.transport.abort()
        await _until(lambda: len(link.in_flight) == 1)
        assert not peer_reader.at_eof()
        link.restore()
        with pytest.raises(ConnectionResetError):
            await peer_reader.read()
        await _until(lambda: link.connections == 0)


async def test_refused_upstream() -> None:
    """Where the upstream refuses, the client's connection is reset."""
    async with Upstream() as upstream:
        port = upstream.port
    async with Link("127.0.0.1", port) as link, _client(link) as (reader, _):
        with pytest.raises(ConnectionResetError):
            await reader.read()


@pytest.mark.parametrize("is_cut", [False, True], ids=["slow receiver", "cut"])
async def test_back_pressure(is_cut: bool) -> None:
    """A sender is slowed down when its receiver does not read or the link is cut; the link holds a bounded amount."""
    size_bytes = 48 << 20  # more than all socket buffers on the way take
    async with Upstream() as upstream, Link("127.0.0.1", upstream.port) as link, _client(link) as (_, writer):
        peer_reader, _ = await upstream.accepted.get()
        if is_cut:
            await link.cut()
        writer.write(bytes(size_bytes))
        left, calm = -1, 0
        while calm < 2000:
            await asyncio.sleep(0)
            now_left = writer.transport.get_write_buffer_size()
            left, calm = now_left, calm + 1 if now_left == left else 0
        assert left > 0
        assert link.in_flight_bytes <= IN_FLIGHT_LIMIT_BYTES + (1 << 16)
        link.restore()
        received = 0
        while received < size_bytes:
            received += len(await peer_reader.read(1 << 20))


@pytest.mark.parametrize("conditions", [LinkConditions(), _AN_HOUR], ids=["clear", "delayed"])
async def test_exit_leaves_nothing(conditions: LinkConditions) -> None:
    """After the link is left there are no connections, no tasks and no listener, whatever was under way."""
    tasks = asyncio.all_tasks()
    async with Upstream() as upstream:
        async with Link("127.0.0.1", upstream.port, conditions=conditions) as link:
            async with _client(link) as (reader, writer):
                await upstream.accepted.get()
                writer.write(b"x")
                await link.cut(3600)
                hanging = await asyncio.open_connection(link.host, link.port)
                await _until(lambda: link.connections == 2)
                await link.__aexit__()
                assert asyncio.all_tasks() == tasks
                assert link.connections == 0
                for a_reader in (reader, hanging[0]):
                    with pytest.raises(ConnectionResetError):
                        await a_reader.read()
                hanging[1].transport.abort()
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection(link.host, link.port)
    gc.collect()


async def test_cancelled_exit() -> None:
    """A cancellation while the link is being left keeps no connection open."""
    async with Upstream() as upstream:
        link = await Link("127.0.0.1", upstream.port).__aenter__()
        async with _client(link) as (reader, _):
            await upstream.accepted.get()
            leaving = asyncio.create_task(link.__aexit__())
            await asyncio.sleep(0)
            leaving.cancel()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            await _until(lambda: link.connections == 0)


async def test_port_in_use() -> None:
    """A link on a port in use says so."""
    async with Upstream() as upstream:
        with pytest.raises(StartError, match=f"port {upstream.port} on 127.0.0.1 is already in use"):
            async with Link("127.0.0.1", 1, port=upstream.port):
                pass


@pytest.mark.parametrize(
    "wrong",
    [{"latency_s": -1.0}, {"jitter_s": float("nan")}, {"latency_s": float("inf")}, {"bandwidth_bytes_per_s": 0.0}],
    ids=repr,
)
def test_impossible_conditions(wrong: dict[str, float]) -> None:
    """Conditions that no link can have are refused, naming the field."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LinkConditions(**wrong)


async def test_control() -> None:
    """The control does to the link what its methods do, and answers nonsense with 400 and a sentence."""
    async with Link("127.0.0.1", 1) as link, start_site(control(link), "127.0.0.1", 0) as port:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            async def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
                async with session.request(method, path, data=body) as response:
                    return response.status, await response.text()

            status, text = await ask("POST", "/cut")
            assert (status, json.loads(text)["is_cut"], link.is_cut) == (200, True, True)
            assert json.loads((await ask("GET", "/state"))[1])["upstream"] == "127.0.0.1:1"
            async with _client(link) as (reader, _):
                await _until(lambda: link.connections == 1)
                assert (await ask("POST", "/reset"))[0] == 200
                with pytest.raises(ConnectionResetError):
                    await reader.read()
            await ask("POST", "/restore")
            assert not link.is_cut
            assert (await ask("POST", "/cut", b'{"seconds": 0}'))[0] == 200
            await _until(lambda: not link.is_cut)
            assert (await ask("PUT", "/conditions", b'{"latency_s": 1}'))[0] == 200
            assert link.conditions == LinkConditions(latency_s=1)
            for method, path, body, sentence in (
                ("PUT", "/conditions", b'{"latency_s": -1}', "latency_s is -1.0; it must be"),
                ("PUT", "/conditions", b'{"latency": 1}', "unknown field `latency`"),
                ("PUT", "/conditions", b"", "truncated"),
                ("PUT", "/conditions", b'{"\xff": 1}', "send an object"),
                ("POST", "/cut", b'{"seconds": -1}', "seconds"),
            ):
                status, text = await ask(method, path, body)
                assert status == 400
                assert sentence in text
            assert link.conditions == LinkConditions(latency_s=1)
            assert not link.is_cut


@asynccontextmanager
async def _link_process(*options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "targets.link",
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent(),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_as_process() -> None:
    """As a process the link passes bytes on, obeys its options and its control, and ends with 0 on SIGTERM."""
    async with Upstream() as upstream:
        options = ("--upstream", f"127.0.0.1:{upstream.port}", "--control", "127.0.0.1:0", "--latency-s", "0.001")
        async with _link_process(*options) as process:
            assert process.stdout is not None
            ready = json.loads(await process.stdout.readline())
            assert (ready["ready"], ready["host"]) == ("link", "127.0.0.1")
            reader, writer = await asyncio.open_connection(ready["host"], ready["port"])
            peer_reader, _ = await upstream.accepted.get()
            writer.write(b"x")
            assert await peer_reader.readexactly(1) == b"x"
            url = f"http://127.0.0.1:{ready['control_port']}/state"
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                state = await response.json()
            assert (state["connections"], state["conditions"]["latency_s"]) == (1, 0.001)
            process.send_signal(signal.SIGTERM)
            assert await process.communicate() == (b"", b"")
            assert process.returncode == 0
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.transport.abort()


async def test_process_refuses() -> None:
    """A port in use or an impossible option is one line on stderr and exit code 2."""
    async with Upstream() as upstream:
        taken = f"127.0.0.1:{upstream.port}"
        for options, reason in (
            (("--upstream", taken, "--listen", taken), f"link: port {upstream.port} on 127.0.0.1 is already in use"),
            (("--upstream", taken, "--control", taken), f"link: port {upstream.port} on 127.0.0.1 is already in use"),
            (("--upstream", taken, "--latency-s", "-1"), "link: latency_s is -1.0"),
            (("--upstream", "db"), "link: argument --upstream: 'db' is no address"),
        ):
            async with _link_process(*options) as process:
                out, err = await process.communicate()
            lines = err.decode().splitlines()
            assert (process.returncode, out, len(lines)) == (2, b"", 1)
            assert lines[0].startswith(reason)
