"""The cheapest service that still hands everybody a document of their own: answers are made once, at the start.

A process of its own. It prints the port it listens on as its only line, and ends on SIGTERM. `GET /served` answers how
many documents it has handed out so far, so that a load can be measured without a line of code in whoever makes it.
"""

import argparse
import asyncio
import io
import math
import re
import signal
import socket
from contextlib import nullcontext
from pathlib import Path
from random import Random
from typing import IO

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

PERSONS = 64
DOCUMENT_BYTES = 60 * 1024
_WORDS = ["salary", "tax", "insurance", "april", "allowance", "hours", "total", "paid"]
_WORDS += ["氏名", "住所", "給与", "控除", "合計", "令和", "支給", "明細"]
_SERVED = b"GET /served "
_SEND_BUFFER_BYTES = 1024 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def person_name(number: int) -> str:
    """Name of the person with this number, counted from 0."""
    return f"P{number:05d}"


def document(person: str, form: str = "random") -> bytes:
    """The one right document of a person, of `DOCUMENT_BYTES`; its first line shows whose it is.

    Args:
        form: "random" bytes; a "text" with a stamp and a serial number; a "pdf" of one page with text and a picture.
    """
    random = Random(person)
    mark = f"{person}\n".encode()
    match form:
        case "text":
            return _text(mark + b"Printed at 2026-04-01T12:00:00Z\n", random)
        case "pdf":
            return _pdf(person, random)
    return mark + random.randbytes(DOCUMENT_BYTES - len(mark))


def _text(beginning: bytes, random: Random) -> bytes:
    """Lines of words, half of them Japanese; the serial number stands in the midst."""
    end = b"Serial no. 12345678\n"
    lines = []
    left = DOCUMENT_BYTES - len(beginning) - len(end)
    while left > 0:
        line = (" ".join(random.choices(_WORDS, k=10)) + "\n").encode()[:left]
        lines.append(line)
        left -= len(line)
    half = len(lines) // 2
    return b"".join((beginning, *lines[:half], end, *lines[half:]))


def _pdf(person: str, random: Random) -> bytes:
    """As large as that by its picture, which does not shrink when it is packed."""
    file = io.BytesIO()
    canvas = Canvas(file, invariant=1)
    canvas.drawString(100, 700, f"Payslip of {person}")
    for line in range(30):
        canvas.drawString(100, 680 - 12 * line, " ".join(random.choices(_WORDS[:8], k=10)))
    side = math.isqrt((DOCUMENT_BYTES - 3500) * 4 // 5)  # as text, in which four bytes take five
    picture = Image.frombytes("L", (side, side), random.randbytes(side * side))
    canvas.drawImage(ImageReader(picture), 100, 80, 200, 200)
    canvas.save()
    return file.getvalue()


class _Service:
    """What its connections share."""

    def __init__(self, log: IO[bytes] | None, form: str, *, exchanged: bool, cookies: bool) -> None:
        self.log = log
        self.served = 0
        self.answers = {
            _path(number): _answer(
                document(person, form), b"Set-Cookie: person=%b\r\n" % person.encode() if cookies else b""
            )
            for number, person in enumerate(map(person_name, range(PERSONS)))
        }
        if exchanged:
            first, second = _path(0), _path(1)
            self.answers[first], self.answers[second] = self.answers[second], self.answers[first]


class _Connection(asyncio.Protocol):
    """Its client sends one request at a time; the path says who asks."""

    def __init__(self, service: _Service) -> None:
        self._service = service
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # what a stream server makes
        # A whole answer goes out with one call, so that this process never is what the client waits for.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        request = self._received = self._received + data
        head, end, body = request.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or (length is not None and len(body) < int(length[1])):
            return
        self._received = b""
        service = self._service
        if head.startswith(_SERVED):
            self._transport.write(_answer(b"%d" % service.served))
            return
        self._transport.write(service.answers[head.split(b" ", 2)[1]])
        service.served += 1
        if service.log is not None:
            service.log.write(request + b"\0")


def _path(number: int) -> bytes:
    return f"/prints/{person_name(number)}".encode()


def _answer(body: bytes, more_headers: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: %d\r\n%b\r\n"
    return head % (len(body), more_headers) + body


async def _serve(service: _Service) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: _Connection(service), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # the starter waits for it
    await stop.wait()
    server.close()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, help="write every request there, each with a zero byte behind it")
    parser.add_argument("--exchanged", action="store_true", help="give the first two people each other's document")
    parser.add_argument("--cookies", action="store_true", help="send a cookie with each document")
    parser.add_argument("--form", default="random", help="of the documents: random, text or pdf")
    options = parser.parse_args()
    with options.log.open("wb") if options.log is not None else nullcontext() as log:
        asyncio.run(_serve(_Service(log, options.form, exchanged=options.exchanged, cookies=options.cookies)))


if __name__ == "__main__":
    main()
