"""How every server of the deployment runs as an operating-system process of its own.

A server is an async context manager that yields the facts of its ready line, so the same server also runs inside the
event loop of a test. What a launcher sees is the same for all of them: one line of JSON on stdout when the server can
be used, one line on stderr and exit code 2 when it cannot start with its settings, exit code 0 after SIGTERM or SIGINT.
"""

import argparse
import asyncio
import errno
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import NoReturn

import msgspec
from aiohttp import web

_SHUTDOWN_TIMEOUT_S = 1.0


class StartError(Exception):
    """Raised when a server cannot start with the settings it was given; the message is one line for its user."""


class OptionParser(argparse.ArgumentParser):
    """An argument parser that answers a wrong option with one line on stderr and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Leave the process; argparse's own version prints the whole usage before the reason."""
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def address(text: str) -> tuple[str, int]:
    """Read HOST:PORT, with an IPv6 host in brackets; to be used as the type of an option.

    Raises:
        argparse.ArgumentTypeError: when the text has another form.
    """
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; write HOST:PORT, such as 127.0.0.1:8080")
    return host.removeprefix("[").removesuffix("]"), int(port)


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Name the address in the error of a listener that is opened inside; the operating system's error lacks it.

    Raises:
        StartError: when the address cannot be listened on.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} on {host} is already in use; choose another or 0 for any free port"
        else:
            reason = f"cannot listen on port {port} of {host} ({error.strerror}); choose an address of this machine"
        raise StartError(reason) from error


@asynccontextmanager
async def start_site(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve `app` while the context lasts; yields the port, which is a free one where 0 was asked for.

    Requests that are still open when the context is left get one second to end and are then cancelled.

    Raises:
        StartError: when the address cannot be listened on.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT_S)
    try:
        await runner.setup()
        with listening(host, port):
            await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def run_server(name: str, server: AbstractAsyncContextManager[Mapping[str, object]]) -> int:
    """Run a server as this process's only purpose until SIGTERM or SIGINT; returns the exit code.

    Prints `{"ready": name, ...}` with the facts that `server` yields, once it can be used. A signal that comes before
    that line, or a second one while the server is leaving, cancels whatever the server is waiting for: a server behind
    a link that is cut can always be stopped.

    A launcher starts it with `targets.lifetime.die_with_parent`, so that being killed itself leaves nothing behind.

    Returns:
        0 after a stop in order; 1 when the stop was not in order, or nobody reads the ready line; 2 when the server
        could not start with its settings.
    """
    loop = asyncio.get_running_loop()
    this_task = asyncio.current_task()
    stop: asyncio.Future[None] | None = None

    def on_signal() -> None:
        if stop is not None and not stop.done():
            stop.set_result(None)
        elif this_task is not None:
            this_task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        async with server as facts:
            stop = loop.create_future()
            line = msgspec.json.encode({"ready": name, **facts}).decode()
            print(line, flush=True)  # noqa: T201 - the launcher waits for it
            await stop
    except StartError as error:
        print(f"{name}: {error}", file=sys.stderr)  # noqa: T201 - the line for the user
        return 2
    except (asyncio.CancelledError, BrokenPipeError):
        return 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0
