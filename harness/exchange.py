"""One attempt at a target without any load: for the matrix, for a probe, for calibration."""

import gzip
import http.client
import time
import zlib
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from harness.records import Application
from harness.target import Answer, Request, Target
from harness.trust import ca_file_of, trust, unanswered


class Exchange(NamedTuple):
    """When the attempt was sent and answered, on the monotonic clock, and what came of it.

    Args:
        requests: that it took, in their order; answers: (status, headers, body) of each; the last one is missing when
            it did not come.
    """

    sent_ns: int
    answered_ns: int
    answer: Answer
    requests: list[Request]
    answers: list[tuple[int, Mapping[str, str], bytes]]


_BEGUN = int(time.time())
_numbers = count(1)


def new_name() -> str:
    """What an application is called that is made without load.

    Never used before, not even by another process, or a service that keeps to nonces would hand out the document of
    then. Of the form of a run's, because documents may show it, and masks are learnt for it.
    """
    return f"A{_BEGUN}-{next(_numbers)}"


def attempt(target: Target, application: Application, *, timeout_s: float | None = None) -> Exchange:
    """Send it and whatever follows, to its end.

    Args:
        timeout_s: for each request; without one what the target does cannot depend on the client's patience.
    """
    return converse(target, target.print_request(application), timeout_s=timeout_s)


def converse(target: Target, request: Request, *, timeout_s: float | None = None) -> Exchange:
    """Send the request and whatever follows it."""
    sent_ns = time.monotonic_ns()
    requests, answers = [request], []
    while True:
        try:
            answers.append(send(request, timeout_s=timeout_s, ca_file=ca_file_of(target)))
        except (OSError, http.client.HTTPException) as error:
            return Exchange(sent_ns, time.monotonic_ns(), unanswered(error), requests, answers)
        answered_ns = time.monotonic_ns()
        answer = (request.read or target.read_answer)(*answers[-1])
        if answer.follow is None:
            return Exchange(sent_ns, answered_ns, answer, requests, answers)
        time.sleep(answer.after_s)
        request = answer.follow
        requests.append(request)


def send(
    request: Request, *, timeout_s: float | None = None, ca_file: Path | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of the answer to one request, on a connection of its own.

    Args:
        ca_file: see `harness.trust.trust`.

    Raises:
        OSError, http.client.HTTPException: when no whole answer came.
    """
    url = urlsplit(request.url)
    host = url.hostname or ""
    if url.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, url.port, timeout=timeout_s, context=trust(ca_file)
        )
    else:
        connection = http.client.HTTPConnection(host, url.port, timeout=timeout_s)
    try:
        place = f"{url.path or '/'}{f'?{url.query}' if url.query else ''}"
        connection.request(request.method, place, request.body or None, dict(request.headers))
        response = connection.getresponse()
        headers: dict[str, str] = {}
        for name, value in response.getheaders():  # one that comes several times is one list, as RFC 9110 has it
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return response.status, headers, _unpacked(response.read(), response.getheader("Content-Encoding", ""))
    finally:
        connection.close()


def _unpacked(body: bytes, encoding: str) -> bytes:
    """As the clients of the load show it: some services pack what nobody asked them to."""
    try:
        if body and encoding.lower() in {"gzip", "x-gzip"}:
            return gzip.decompress(body)
        return zlib.decompress(body) if body and encoding.lower() == "deflate" else body
    except (EOFError, zlib.error) as error:  # damaged in another way it is an OSError
        raise http.client.HTTPException(f"a body that cannot be unpacked: {error}") from error
