"""A tiny service that hands out papers over HTTP; it ends when its standard input does.

Called with a directory and a number N: every Nth print gets the paper of the person before it, and the service says so
in swaps.txt; 0 for never. Changes are synchronised at once, and told in sync-runs.jsonl.
"""

import json
import sys
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PRINT_S = 0.004
SYNC_S = 0.02


class Papers:
    """Versions by person, and who came last."""

    def __init__(self, directory: Path, wrong_every: int) -> None:
        self._directory = directory
        self._wrong_every = wrong_every
        self._lock = threading.Lock()
        self._versions: defaultdict[str, int] = defaultdict(lambda: 1)
        self._prints = self._runs = 0
        self._before = ""

    def issue(self, nonce: str, person: str) -> str:
        """The paper of the person."""
        time.sleep(PRINT_S)
        with self._lock:
            self._prints += 1
            is_wrong = self._wrong_every and self._prints % self._wrong_every == 0
            owner, self._before = self._before if is_wrong else person, person
            if owner != person:
                self._write("swaps.txt", f"{nonce} {person} {owner}")
            return f"document of {owner} as of {self._versions[owner]}"

    def synchronise(self, person: str, version: int) -> None:
        """Bring in a change, in a sync run of its own."""
        begin_ns = time.monotonic_ns()
        time.sleep(SYNC_S)
        with self._lock:
            self._versions[person] = max(version, self._versions[person])
            self._runs += 1
            end_ns = time.monotonic_ns()
            run = {
                "sync_run": f"S{self._runs}",
                "applied": [[person.replace("P", "G"), version]],
                "begin_ns": begin_ns,
                "acknowledged_ns": end_ns,
                "end_ns": end_ns,
            }
            self._write("sync-runs.jsonl", json.dumps({"type": "sync_run", **run}))

    def _write(self, name: str, line: str) -> None:
        with (self._directory / name).open("a") as file:
            file.write(line + "\n")


class Handler(BaseHTTPRequestHandler):
    """POST /print and POST /change."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: a second one would wait for the first to be acknowledged
    papers: Papers

    def do_POST(self) -> None:
        """The body is two words: nonce and person, or person and version."""
        one, two = self.rfile.read(int(self.headers["Content-Length"])).decode().split()
        body = b""
        if self.path == "/print":
            body = self.papers.issue(one, two).encode()
        else:
            self.papers.synchronise(one, int(two))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Nothing: the harness keeps the record."""


def main() -> None:
    """Serve on a free port of the loopback, told on standard output, until standard input ends."""
    Handler.papers = Papers(Path(sys.argv[1]), int(sys.argv[2]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
