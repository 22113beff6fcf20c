"""The link as a process: its options, its control, its end."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from targets.lifetime import die_with_parent
from targets.link import Link, LinkConditions, control
from targets.process import start_site


@asynccontextmanager
async def _upstream() -> AsyncIterator[int]:
    """A server that echoes what it reads; yields its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                writer.write(data)
        except ConnectionResetError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_control() -> None:
    """The control does to the link what its methods do, and answers nonsense with 400 and a sentence."""
    async with (
        Link("127.0.0.1", 1) as link,
        start_site(control(link), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):

        async def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
            async with session.request(method, path, data=body) as response:
                return response.status, await response.text()

        status, text = await ask("POST", "/cut")
        assert (status, json.loads(text)["is_cut"], link.is_cut) == (200, True, True)
        assert json.loads((await ask("GET", "/state"))[1])["upstream"] == "127.0.0.1:1"
        reader, writer = await asyncio.open_connection(link.host, link.port)
        while link.connections == 0:  # noqa: ASYNC110 - turns of the loop, not time
            await asyncio.sleep(0)
        assert (await ask("POST", "/reset"))[0] == 200
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        await ask("POST", "/restore")
        assert not link.is_cut
        assert (await ask("POST", "/cut", b'{"seconds": 0}'))[0] == 200
        while link.is_cut:  # noqa: ASYNC110 - turns of the loop, not time
            await asyncio.sleep(0)
        assert (await ask("PUT", "/conditions", b'{"latency_s": 1}'))[0] == 200
        assert link.conditions == LinkConditions(latency_s=1)
        for method, path, body, sentence in (
            ("PUT", "/conditions", b'{"latency_s": -1}', "latency_s is -1.0; it must be"),
            ("PUT", "/conditions", b'{"latency": 1}', "unknown field `latency`"),
            ("PUT", "/conditions", b"", "truncated"),
            ("PUT", "/conditions", b'{"\xff": 1}', "send for example"),
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
    async with _upstream() as upstream_port:
        options = ("--upstream", f"127.0.0.1:{upstream_port}", "--control", "127.0.0.1:0", "--latency-s", "0.001")
        async with _link_process(*options) as process:
            assert process.stdout is not None
            ready = json.loads(await process.stdout.readline())
            assert (ready["ready"], ready["host"]) == ("link", "127.0.0.1")
            reader, writer = await asyncio.open_connection(ready["host"], ready["port"])
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            url = f"http://127.0.0.1:{ready['control_port']}/state"
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                state = await response.json()
            assert (state["connections"], state["conditions"]["latency_s"]) == (1, 0.001)
            process.send_signal(signal.SIGTERM)
            assert await process.communicate() == (b"", b"")
            assert process.returncode == 0
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()


async def test_process_refuses() -> None:
    """A port in use or an impossible option is one line on stderr and exit code 2."""
    async with _upstream() as upstream_port:
        taken = f"127.0.0.1:{upstream_port}"
        for options, reason in (
            (("--upstream", taken, "--listen", taken), f"link: port {upstream_port} on 127.0.0.1 is already in use"),
            (("--upstream", taken, "--control", taken), f"link: port {upstream_port} on 127.0.0.1 is already in use"),
            (("--upstream", taken, "--latency-s", "-1"), "link: latency_s is -1.0"),
            (("--upstream", "db"), "link: argument --upstream: 'db' is no address"),
        ):
            async with _link_process(*options) as process:
                out, err = await process.communicate()
            lines = err.decode().splitlines()
            assert (process.returncode, out, len(lines)) == (2, b"", 1)
            assert lines[0].startswith(reason)
