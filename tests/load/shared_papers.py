"""The service of `paper_service` at an address that other processes and other hosts can reach, and what it saw itself.

`python -m tests.load.shared_papers DIRECTORY WRONG_EVERY HOST` serves; the class describes it to the harness.
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from harness.fingerprint import checksum, sha256
from harness.records import Document, Print
from harness.target import TargetError
from tests.load import forty_lines
from tests.load.paper_service import Handler, Papers

PRINT_LOG = "prints.txt"
_CONNECT_LIMIT_S = 2.0


class Target(forty_lines.Target):
    """Settings: `wrong_every` of the service, `host` to listen at, `reached_at` where it claims to be."""

    name = "shared papers"

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._settings = settings
        self._owns = False
        self.url = ""

    def open(self, directory: Path) -> Mapping[str, object]:
        directory.mkdir(mode=0o700)
        host = self._settings.get("host", "127.0.0.1")
        command = [sys.executable, "-m", __name__, str(directory), self.wrong_every, host]
        self.service = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,  # Ctrl-C is meant for the load
        )
        assert self.service.stdout is not None
        self.url, self.sync_log = self.service.stdout.readline().strip(), directory / "sync-runs.jsonl"
        self._owns = True
        return {"pid": self.service.pid}

    def share(self) -> Mapping[str, str]:  # type: ignore[override] # that of the base class cannot be shared
        return {"url": self._settings.get("reached_at", self.url)}

    def attach(self, shared: Mapping[str, str]) -> None:
        self.url = shared["url"]
        address = urlsplit(self.url)
        try:
            socket.create_connection((address.hostname or "", address.port or 0), _CONNECT_LIMIT_S).close()
        except OSError as error:
            message = f"nobody answers at {self.url} ({error}), right would be an address within reach"
            raise TargetError(message) from error

    def close(self) -> None:
        if self._owns:
            super().close()

    def failure(self) -> str:
        return super().failure() if self._owns else ""

    def expected(self, print_: Print) -> Iterable[Document]:
        for mark in print_.marks:  # another process may have entered the change that makes the version
            for person in mark.persons:
                data = f"document of {person} as of {mark.version}".encode()
                yield Document(
                    persons=(person,),
                    applicants=(person,),
                    group=person.replace("P", "G"),
                    kind="paper",
                    version=mark.version,
                    checksum=checksum(data),
                    sha256=sha256(data),
                )


class LoggedPapers(Papers):
    """Says of each print when it was in the service, by CLOCK_MONOTONIC."""

    def issue(self, nonce: str, person: str) -> str:
        begin_ns = time.monotonic_ns()
        paper = super().issue(nonce, person)
        with self._lock:
            self._write(PRINT_LOG, f"{nonce} {begin_ns} {time.monotonic_ns()}")
        return paper


def main() -> None:
    """Serve on a free port of the host, told on standard output, until standard input ends."""
    directory, wrong_every, host = sys.argv[1:]
    Handler.papers = LoggedPapers(Path(directory), int(wrong_every))
    server = ThreadingHTTPServer((host, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://{host}:{server.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
