"""The cheapest service that still hands everybody a document of their own: answers are made once, at the start.

A process of its own. It prints the port it listens on as its only line, and ends on SIGTERM.
"""

import argparse
import asyncio
import re
import signal
import socket
from pathlib import Path
from random import Random
from typing import IO

PERSONS = 64
DOCUMENT_BYTES = 60 * 1024
_SEND_BUFFER_BYTES = 1024 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def person_name(number: int) -> str:
    """Name of the person with this number, counted from 0."""
    return f"P{number:05d}"


def document(person: str) -> bytes:
    """The one right document of a person; its first line shows whose it is."""
    mark = f"{person}\n".encode()
    return mark + Random(person).randbytes(DOCUMENT_BYTES - len(mark))


def _answer(person: str) -> bytes:
    body = document(person)
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class _Connection(asyncio.Protocol):
    """One client at a time sends one request at a time; the path says who asks."""

    def __init__(self, answers: dict[bytes, bytes], log: IO[bytes] | None) -> None:
        self._answers = answers
        self._log = log
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # what a stream server makes
        # A whole answer goes out with one call, so that this process never is what the client waits for.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        request = self._received = self._received + data
        head, end, body = request.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        self._received = b""
        if self._log is not None:
            self._log.write(request + b"\0")
        self._transport.write(self._answers[head.split(b" ", 2)[1]])


async def _serve(log: IO[bytes] | None, *, exchanged: bool) -> None:
    answers = {f"/prints/{person}".encode(): _answer(person) for person in map(person_name, range(PERSONS))}
    if exchanged:
        first, second = (f"/prints/{person_name(number)}".encode() for number in range(2))
        answers[first], answers[second] = answers[second], answers[first]
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: _Connection(answers, log), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the starter waits for it
    await stop.wait()
    server.close()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, help="write every request there, each with a zero byte behind it")
    parser.add_argument("--exchanged", action="store_true", help="give the first two people each other's document")
    options = parser.parse_args()
    if options.log is None:
        asyncio.run(_serve(None, exchanged=options.exchanged))
    else:
        with options.log.open("wb") as log:
            asyncio.run(_serve(log, exchanged=options.exchanged))


if __name__ == "__main__":
    main()
