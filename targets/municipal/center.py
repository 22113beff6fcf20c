"""Center (証明書交付センター): forwards applications from the kiosks to the AP server and keeps the time-outs.

POST /applications is answered with what the AP server answers. An error of the AP server, or none within the time-out,
raises an error notice to the log and reaches the kiosk as 502 or 504. GET /metrics: see `targets.municipal.metrics`.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web

from harness.records import ErrorNotice
from targets.metrics import add_metrics
from targets.municipal.forms import ApplicationForm
from targets.municipal.metrics import CenterMetrics, count_answers
from targets.process import OptionParser, run_server, start_site


class Center:
    """Forwarding with a time-out and a log of error notices."""

    def __init__(self, ap: str, session: aiohttp.ClientSession, *, timeout_s: float, notices: Path | None) -> None:
        self._url = f"{ap}/prints"
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._notices = notices
        self.metrics = CenterMetrics()

    async def apply(self, request: web.Request) -> web.Response:
        """POST /applications."""
        body = await request.read()
        try:
            form = msgspec.json.decode(body, type=ApplicationForm)
        except ValueError as error:  # of msgspec, or for a text that is not UTF-8
            return web.json_response({"error": str(error)}, status=400)
        try:
            async with self._session.post(self._url, data=body, timeout=self._timeout) as answer:
                document = await answer.read()
                if answer.status < 500:
                    return web.Response(status=answer.status, body=document, content_type=answer.content_type)
                return self._fail(form, 502, _error_code(document))
        except TimeoutError:
            return self._fail(form, 504, "timeout")
        except aiohttp.ClientError:
            return self._fail(form, 502, "unreachable")

    def _fail(self, form: ApplicationForm, status: int, code: str) -> web.Response:
        notice = ErrorNotice(nonce=form.nonce, code=code, at_ns=time.monotonic_ns())
        self.metrics.notices.labels(code).inc()
        if self._notices is not None:
            with self._notices.open("ab") as log:
                log.write(msgspec.json.encode(notice) + b"\n")
        return web.json_response({"error": code}, status=status)


def _error_code(answer: bytes) -> str:
    """The AP server's own name for its error; an answer that has none came from a server that broke down."""
    try:
        return msgspec.json.decode(answer, type=dict[str, str])["error"]
    except (ValueError, KeyError):
        return "internal_error"


@asynccontextmanager
async def run_center(
    ap: str, *, timeout_s: float, notices: Path | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Mapping[str, object]]:
    """Serve while the context lasts; yields host and port.

    Args:
        ap: base URL of the AP server.
        timeout_s: how long the AP server may take for a print.
    """
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        center = Center(ap, session, timeout_s=timeout_s, notices=notices)
        app = web.Application()
        app.router.add_post("/applications", count_answers(center.apply, center.metrics.applications))
        add_metrics(app, center.metrics.registry)
        async with start_site(app, host, port) as actual_port:
            yield {"host": host, "port": actual_port}


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m targets.municipal.center`."""
    parser = OptionParser(prog="center", description="Certificate center")
    parser.add_argument("--ap", required=True, help="base URL of the AP server")
    parser.add_argument("--timeout-s", type=float, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--notices", type=Path, help="log of error notices")
    options = parser.parse_args(argv)
    return asyncio.run(
        run_server(
            "center",
            run_center(
                options.ap,
                timeout_s=options.timeout_s,
                notices=options.notices,
                host=options.host,
                port=options.port,
            ),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
