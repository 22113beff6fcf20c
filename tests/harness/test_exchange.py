"""One request without load is read as the clients of the load read it."""

import gzip
import http.client
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from harness.exchange import send
from harness.target import Request

PAPER = b"payslip of A\n" * 20


@contextmanager
def service(body: bytes, encoding: str) -> Iterator[str]:
    """Answers everything with this body; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Whatever was asked for."""
            self.send_response(200)
            self.send_header("Content-Encoding", encoding)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(PAPER), "gzip"), (zlib.compress(PAPER), "deflate"), (PAPER, "identity"), (b"", "gzip")],
    ids=["gzip", "deflate", "identity", "empty"],
)
def test_a_body_that_came_packed(body: bytes, encoding: str) -> None:
    """It is unpacked, or calibration would learn other bytes than the load sees."""
    with service(body, encoding) as url:
        assert send(Request(url=url, method="GET"))[2] == (PAPER if body else b"")


@pytest.mark.parametrize("body", [gzip.compress(PAPER)[:30], b"no gzip", gzip.compress(PAPER)[:-2]], ids=len)
def test_a_body_that_cannot_be_unpacked(body: bytes) -> None:
    """That is no answer."""
    with service(body, "gzip") as url, pytest.raises((OSError, http.client.HTTPException)):
        send(Request(url=url, method="GET"))
