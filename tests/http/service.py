"""A small service of somebody else's, which hands people their papers over HTTP: run as a process of its own.

It prints its address, and after a `--defect` "NONCE RECIPIENT OWNER" of every paper that it hands to the wrong person.
"""

import argparse
import json
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from itertools import count

REFUSED = "P013"
DEFECTS = "shared", "alike", "wordy", "slow"


def paper(person: str, kind: str = "payslip", options: str = "") -> bytes:
    """The right one."""
    return f"{kind} of {person} with {options or 'nothing'}\n".encode() * 20


def text(person: str, kind: str, options: str, serial: int, nonce: str) -> bytes:
    """A paper that is new each time, as text."""
    stamp = f"Printed {datetime.now():%d.%m.%Y %H:%M:%S}, no. {serial}, request {nonce}"  # noqa: DTZ005 - as people write
    return f"{stamp}\nEmployee {person}, born {born(person)}\n".encode() + paper(person, kind, options)


def tree(person: str, kind: str, options: str, serial: int, nonce: str) -> bytes:
    """The same in JSON."""
    pages = [{"page": page, "made": time.time(), "text": f"{kind} of {person}"} for page in (1, 2)]
    meta = {"printed_at": datetime.now().astimezone().isoformat(), "note": f"no. {serial} for request {nonce}"}
    return json.dumps({"meta": meta, "born": born(person), "options": options, "pages": pages}).encode()


def pdf(person: str, kind: str, options: str, serial: int, nonce: str) -> bytes:
    """The same as a PDF, whose dates and id are new, too."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(file := BytesIO())
    lines = text(person, kind, options, serial, nonce).decode().splitlines()
    for number, line in enumerate(lines[:8]):
        canvas.drawString(72, 700 - 20 * number, line)
    canvas.save()
    return file.getvalue()


def born(person: str) -> str:
    """Something that looks like a time stamp, and is none."""
    number = int(person[1:])
    return f"{number % 28 + 1:02}.{number % 12 + 1:02}.{1950 + number}"


VOLATILE: dict[str, Callable[[str, str, str, int, str], bytes]] = {"text": text, "json": tree, "pdf": pdf}


class Job:
    """Of one person."""

    def __init__(self, number: int, person: str) -> None:
        self.number, self.person, self.asked = number, person, 0


class Service(ThreadingHTTPServer):
    """Its state is what its defects are about."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, defect: str, pause_s: float, volatile: str, wrong_every: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.defect, self.pause_s, self.volatile, self.wrong_every = defect, pause_s, volatile, wrong_every
        self.serials = count(998)
        self.person = ""
        self.jobs: list[Job] = []
        self.lock = threading.Lock()
        self.random = random.Random(5)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Service
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece, which nothing on the way holds back

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Nobody reads it."""

    def do_GET(self) -> None:
        """Its version; or of a job how far it is, and its paper, to whoever began it."""
        if self.path == "/version":
            self._answer(200, b'{"build": "7"}')
            return
        with self.server.lock:
            job = self.server.jobs[int(self.path.rpartition("/")[2])]
            job.asked += 1
        if self.headers["Cookie"] != f"sid={job.person}; lang=ja":
            self._answer(403, b"")
        elif self.path.startswith("/papers/"):
            self._answer(200, paper(job.person))
        elif job.asked == 1:
            self._answer(202, b"")
        else:
            self._answer(200, json.dumps({"files": [f"/papers/{job.number}"]}).encode())

    def _begin(self, asked: dict[str, str]) -> None:
        """A job, for whoever has logged in."""
        person = self.headers["Cookie"].partition("=")[2].partition(";")[0]
        with self.server.lock:
            job = Job(len(self.server.jobs), person if asked["employee"] == person else "")
            self.server.jobs.append(job)
        self._answer(202, b"", {"Location": f"/jobs/{job.number}"})

    def _log_in(self, person: str) -> None:
        """Cookies, and a redirection that nobody has to follow."""
        self.send_response(302)
        for name, value in (
            *(("Set-Cookie", f"sid={person}; Path=/"), ("Set-Cookie", "lang=ja; HttpOnly")),
            *(("Location", "/nowhere"), ("Content-Length", "0")),
        ):
            self.send_header(name, value)
        self.end_headers()

    def do_POST(self) -> None:
        """A paper for somebody."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["employee"] == REFUSED:
            self._answer(409, b'{"refused": "left the company"}')
        elif self.path == "/login":
            self._log_in(asked["employee"])
        elif self.path == "/jobs":
            self._begin(asked)
        else:
            self._print(asked)

    def _print(self, asked: dict[str, str]) -> None:
        person, kind, options = asked["employee"], asked["kind"], asked["options"]
        server = self.server
        if server.defect == "slow" and self._is_slow():
            return
        server.person = person
        time.sleep(server.pause_s)
        with server.lock:
            serial = next(server.serials)
        owner = server.person if server.defect == "shared" else person
        if server.wrong_every and serial % server.wrong_every == 0:
            owner = "P001" if person != "P001" else "P002"
        if owner != person:
            with server.lock:
                print(self.headers["X-Request-Id"], person, owner, flush=True)
        content = paper("everybody" if server.defect == "alike" else owner, kind, options)
        if server.volatile:
            content = VOLATILE[server.volatile](owner, kind, options, serial, self.headers["X-Request-Id"])
        if server.defect == "wordy":
            content += b"tip of the day: " + server.random.choice([b"save", b"spend", b"wait"])
        self._answer(200, content)

    def _is_slow(self) -> bool:
        """One of seven answers is late, cut off, reset, or asks for patience."""
        with self.server.lock:
            what = self.server.random.randrange(28)
        if what == 0:
            time.sleep(0.6)  # the client waits for less; its paper may have been printed
        elif what == 1:
            self._cut(reset=True)
        elif what == 2:
            self._cut(reset=False)
        elif what == 3:
            self._answer(503, b"later", {"Retry-After": "0"})
        return 0 < what < 4

    def _cut(self, *, reset: bool) -> None:
        """Half of a paper, and then nothing more."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + paper("P001")[:250])
        self.wfile.flush()
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--defect", choices=DEFECTS, default="")
    parser.add_argument("--pause-s", type=float, default=0.004)
    parser.add_argument("--volatile", choices=VOLATILE, default="")
    parser.add_argument("--wrong-every", type=int, default=0)
    parser.add_argument("--certificate", help="with its key, in one file of PEM: speak TLS")
    options = parser.parse_args()
    service = Service(options.defect, options.pause_s, options.volatile, options.wrong_every)
    scheme = "http"
    if options.certificate:
        scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        # Hands are shaken by the thread of each connection, so that nobody who breaks off holds up the others.
        service.socket = context.wrap_socket(service.socket, server_side=True, do_handshake_on_connect=False)
    print(f"{scheme}://127.0.0.1:{service.server_port}", flush=True)
    service.serve_forever()


if __name__ == "__main__":
    main()
