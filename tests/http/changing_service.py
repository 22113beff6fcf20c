"""A service with a registry of addresses and a copy of them, from which it prints: a sync run brings changes over.

It prints its address, and after a `--defect mixed` "NONCE RECIPIENT OWNER" of every paper for the wrong person.
"""

import argparse
import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DEFECTS = "mixed", "stale", "never", "restless"
CACHED_S = 0.6


def now() -> str:
    """By the clock on the wall."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Service(ThreadingHTTPServer):
    """Registry and copy; one thread synchronises."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, defect: str, pause_s: float, log: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.defect, self.pause_s = defect, pause_s
        self.lock = threading.Lock()
        self.copy: dict[str, str] = {}
        self.pending: list[tuple[str, str, str]] = []
        self.states: dict[str, str] = {}
        self.runs: list[dict[str, object]] = []
        self.cached: dict[str, tuple[float, str]] = {}
        self.is_synchronising = False
        self.last = ""
        self.printed = 0
        self._log = log
        if log is not None:
            log.touch()
        threading.Thread(target=self._synchronise, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is no news."""

    def _synchronise(self) -> None:
        while True:
            time.sleep(0.05)
            with self.lock:
                batch, self.pending = self.pending, []
            if not batch or self.defect == "never":
                continue
            run: dict[str, object] = {"id": f"S{len(self.runs) + 1}", "started": now()}
            self._tell(f"{now()} {run['id']} begins")
            self.is_synchronising = True
            time.sleep(0.25)
            with self.lock:
                for _, person, address in batch:
                    self.cached[person] = time.monotonic() + CACHED_S, self.address(person)
                    self.copy[person] = address
                run["applied"] = now()
            self.is_synchronising = False
            run |= {"ended": now(), "acknowledged": now(), "changes": [change for change, _, _ in batch]}
            self._tell(f"{now()} {run['id']} ends, applied {' '.join(change for change, _, _ in batch)}")
            with self.lock:
                self.states.update((change, "synchronised") for change, _, _ in batch)
                self.runs.append(run)

    def _tell(self, line: str) -> None:
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(line + "\n")

    def address(self, person: str) -> str:
        """As far as the copy knows."""
        return self.copy.get(person, "where they always lived")

    def paper(self, person: str, kind: str) -> bytes:
        """The annual one shows no address."""
        address = self.address(person) if kind == "payslip" else ""
        until_s, old = self.cached.get(person, (0.0, ""))
        if self.defect == "stale" and kind == "payslip" and time.monotonic() < until_s:
            address = old
        if self.defect == "restless" and person in self.copy:
            address += f", paper {self.printed}"
        return (f"{kind}\nEmployee no. {person}\n{address}\n" * 10).encode()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Service
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece, which nothing on the way holds back

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Nobody reads it."""

    def do_GET(self) -> None:
        """Its version, how far a change is, or the sync runs."""
        if self.path == "/version":
            self._answer(200, {"build": "7"})
        elif self.path == "/sync-runs":
            with self.server.lock:
                self._answer(200, {"runs": self.server.runs})
        else:
            state = self.server.states.get(self.path.rpartition("/")[2])
            self._answer(404 if state is None else 200, {"state": state})

    def do_POST(self) -> None:
        """A paper, or a change."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/people/"):
            person = self.path.split("/")[2]
            with self.server.lock:
                self.server.states[asked["id"]] = "waiting"
                self.server.pending.append((asked["id"], person, asked["address"]))
            self._answer(202, {})
        else:
            self._print(asked["employee"], asked["kind"])

    def _print(self, person: str, kind: str) -> None:
        server = self.server
        server.last = person
        server.printed += 1
        time.sleep(server.pause_s)
        is_mixed = server.defect == "mixed" and server.is_synchronising
        owner = server.last if is_mixed else person
        if owner != person:
            with server.lock:
                print(self.headers["X-Request-Id"], person, owner, flush=True)
        self._answer(200, server.paper(owner, kind))

    def _answer(self, status: int, told: dict[str, object] | bytes) -> None:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--defect", choices=DEFECTS, default="")
    parser.add_argument("--pause-s", type=float, default=0.006)
    parser.add_argument("--log", type=Path, default=None)
    options = parser.parse_args()
    service = Service(options.defect, options.pause_s, options.log)
    print(f"http://127.0.0.1:{service.server_port}", flush=True)
    service.serve_forever()


if __name__ == "__main__":
    main()
