"""Every server starts, tells its address, and stops in the same way."""

import argparse
import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from targets.lifetime import die_with_parent
from targets.process import OptionParser, StartError, address, start_site

_SERVER = """
import asyncio, sys
from contextlib import asynccontextmanager
from aiohttp import web
from targets.process import run_server, start_site

@asynccontextmanager
async def server():
    async with start_site(web.Application(), "127.0.0.1", int(sys.argv[1])) as port:
        try:
            yield {"port": port}
        finally:
            print("left", flush=True)
            MORE

sys.exit(asyncio.run(run_server("example", server())))
"""


@asynccontextmanager
async def _process(port: int = 0, *, leaving: str = "pass") -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _SERVER.replace("MORE", leaving),
        str(port),
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


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode()


async def _get(port: int) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as response:
        return response.status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ready_then_stop(number: signal.Signals) -> None:
    """A server prints one line of JSON when it can be used, and leaves in order with exit code 0 when it is told to."""
    async with _process() as process:
        ready = json.loads(await _line(process))
        assert ready == {"ready": "example", "port": ready["port"]}
        assert await _get(ready["port"]) == 404
        process.send_signal(number)
        out, err = await process.communicate()
        assert (process.returncode, out, err) == (0, b"left\n", b"")


async def test_port_in_use() -> None:
    """A port in use is named on one line of stderr, with exit code 2 and nothing on stdout."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with _process(port) as process:
            out, err = await process.communicate()
    reason = f"example: port {port} on 127.0.0.1 is already in use; choose another or 0 for any free port\n"
    assert (process.returncode, out, err.decode()) == (2, b"", reason)


async def test_second_signal() -> None:
    """A server that hangs while leaving is ended by a second signal, and its exit code tells."""
    async with _process(leaving="await asyncio.Event().wait()") as process:
        await _line(process)
        process.terminate()
        assert await _line(process) == "left\n"
        process.terminate()
        assert await process.wait() == 1


async def test_launcher_gone() -> None:
    """A server whose ready line nobody can read does not stay."""
    async with _process() as process:
        transport = process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        transport.close()
        assert process.stderr is not None
        assert await process.stderr.read() == b""
        assert await process.wait() == 1


async def test_site_ends_with_its_context() -> None:
    """A site answers on a free port while its context lasts, and the port is closed afterwards."""
    async with start_site(web.Application(), "127.0.0.1", 0) as port:
        assert await _get(port) == 404
        with pytest.raises(StartError, match=f"port {port} on 127.0.0.1 is already in use"):
            async with start_site(web.Application(), "127.0.0.1", port):
                pass
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_site_elsewhere() -> None:
    """An address of another machine (TEST-NET-1, RFC 5737) is refused with a sentence."""
    with pytest.raises(StartError, match=r"cannot listen on port 1 of 192\.0\.2\.1"):
        async with start_site(web.Application(), "192.0.2.1", 1):
            pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:0", ("127.0.0.1", 0)), ("db:65535", ("db", 65535)), ("[::1]:80", ("::1", 80))],
)
def test_address(text: str, expected: tuple[str, int]) -> None:
    """An address is a host, a colon and a port."""
    assert address(text) == expected


@pytest.mark.parametrize("text", ["", "db", ":80", "db:", "db:x", "db:-1", "db:65536", "db:²"])
def test_no_address(text: str) -> None:
    """Anything else is refused with what would be right."""
    with pytest.raises(argparse.ArgumentTypeError, match="write HOST:PORT"):
        address(text)


def test_wrong_option(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong option is answered with one line on stderr and exit code 2."""
    parser = OptionParser(prog="example")
    parser.add_argument("--listen", type=address)
    with pytest.raises(SystemExit) as left:
        parser.parse_args(["--listen", "nowhere"])
    assert left.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "'nowhere' is no address" in lines[0]
