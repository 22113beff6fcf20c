"""The service: whoever the gateway in front of it says is asking gets his own document.

GET /documents/KIND with the employee's number in the header X-Employee; 403 for somebody who left, 503 with Retry-After
when as many documents as are allowed are being made already. GET /version tells the build.
"""

import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import BoundedSemaphore

import msgspec
from flask import Flask, Response, abort, g, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

from targets.defects.ambient_state import recycled
from targets.examples.payslips.paper import render
from targets.examples.payslips.payroll import Payroll
from targets.examples.service import HOST, Served, add_options, open_log
from targets.process import OptionParser, StartError, listening

BUILD = "payslips-1"
DEFECTS = ("ambient-state",)
_RETRY_AFTER_S = 1


class Visit:
    """Who is asking, from the beginning of a request to its end."""

    number = ""


class QuietHandler(WSGIRequestHandler):
    """Without a line on stderr for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def create_app(
    payroll: Payroll,
    *,
    new_visit: Callable[[], Visit] = Visit,
    at_once: int = 100,
    served: Served = lambda *_: None,
) -> Flask:
    """The WSGI application.

    Args:
        new_visit: called at the beginning of each request.
        at_once: how many documents are made at one time.
        served: called for each document.
    """
    app = Flask(__name__)
    free = BoundedSemaphore(max(0, at_once))

    @app.before_request
    def identify() -> None:
        g.visit = new_visit()
        g.visit.number = request.headers.get("X-Employee", "")

    @app.get("/documents/<kind>")
    def document(kind: str) -> Response:
        if not free.acquire(blocking=False):
            return Response(status=503, headers={"Retry-After": str(_RETRY_AFTER_S)})
        try:
            return make_document(kind)
        finally:
            free.release()

    def make_document(kind: str) -> Response:
        statement = payroll.statement(kind)
        if statement is None:
            abort(404)
        employee = payroll.employee(g.visit.number)
        if employee is None:
            abort(403)
        body = render(statement, employee)
        nonce, asked = (request.headers.get(name, "") for name in ("X-Request-Id", "X-Employee"))
        served(nonce, asked, employee.number, kind)
        return Response(body, mimetype="application/pdf")

    @app.get("/version")
    def version() -> Response:
        return jsonify(build=BUILD)

    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service as this process's only purpose; returns the exit code."""
    parser = OptionParser(prog="payslips", description="Hands each employee his payslip")
    add_options(parser, DEFECTS)
    parser.add_argument("--at-once", type=int, default=100, help="documents made at one time; more are answered 503")
    options = parser.parse_args(argv)
    try:
        with ExitStack() as stack:
            app = create_app(
                stack.enter_context(Payroll()),
                new_visit=recycled(Visit) if options.defect else Visit,
                at_once=options.at_once,
                served=open_log(options.log, stack),
            )
            with listening(HOST, options.port):
                listener = stack.enter_context(socket.create_server((HOST, options.port), backlog=128))
            port = listener.getsockname()[1]
            server = make_server(HOST, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno())
            ready = msgspec.json.encode({"ready": "payslips", "url": f"http://{HOST}:{port}"}).decode()
            print(ready, flush=True)  # noqa: T201 - whoever started it waits for the line
            server.serve_forever()
    except StartError as error:
        print(f"payslips: {error}", file=sys.stderr)  # noqa: T201 - the line for the user
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
