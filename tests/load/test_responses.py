"""What a client did not get whole is no document, however the service said how long it is."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

from harness.load.responses import read_response
from harness.target import Answer

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TO_THE_END = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
TIMEOUT_S = 0.2


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """That of a FastHttpUser; Locust would patch the interpreter of all tests unless it is told not to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        locust = import_module("locust")
        environment = import_module("locust.env").Environment()
    fields = {"abstract": True, "host": "http://nowhere", "network_timeout": TIMEOUT_S}
    made = type("User", (locust.FastHttpUser,), fields)(environment).client
    yield made
    made.client.clientpool.close()


@contextmanager
def service(answer: bytes, *, hangs: bool) -> Iterator[str]:
    """Answers one request with these bytes, and then ends the connection; or never, when it hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                if hangs:
                    connection.recv(1)  # until the client gives up

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10.0)


def delivered(client: Any, answer: bytes, *, hangs: bool = False) -> Answer:
    """What it means."""
    with service(answer, hangs=hangs) as url:
        return read_response(
            client.request("POST", url, data=b"{}"), lambda _status, _headers, body: Answer(document=body)
        )


@pytest.mark.parametrize(
    "answer",
    [LENGTH + b"papers", CHUNKED + b"4\r\npape\r\n2\r\nrs\r\n0\r\n\r\n", TO_THE_END + b"papers"],
    ids=["length", "chunks", "to the end"],
)
def test_whole(client: Any, answer: bytes) -> None:
    """Whatever tells where the document ends."""
    assert delivered(client, answer) == Answer(document=b"papers")


PACKED = gzip.compress(b"papers")
CUT = {
    "packed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED[:-9],
    "length": LENGTH + b"pape",
    "between chunks": CHUNKED + b"4\r\npape\r\n",
    "within a chunk": CHUNKED + b"6\r\npape",
    "before the first chunk": CHUNKED,
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT)
def test_cut_off(client: Any, answer: bytes) -> None:
    """A connection that ends too early."""
    assert delivered(client, answer) == Answer(unanswered="cut off")


@pytest.mark.parametrize("answer", [*CUT.values(), TO_THE_END + b"pape"], ids=[*CUT, "to the end"])
def test_timed_out(client: Any, answer: bytes) -> None:
    """A client that waits no longer: what it has by then is not what the service handed out."""
    assert delivered(client, answer, hangs=True) == Answer(unanswered="cut off")
