"""Metrics of a run beside Locust: on its web UI, and on a port of their own for whoever has no UI or cannot log in."""

import sys
from collections.abc import Callable, Mapping

from flask import Response
from gevent import socket
from gevent.pywsgi import WSGIServer
from locust.env import Environment
from locust.runners import WorkerRunner
from locust.web import WebUI

from harness.live.exporter import METRICS_PATH, TARGETS_PATH, Exporter, cannot_listen
from harness.live.metrics import RunCollector
from harness.live.snapshot import Snapshot
from harness.target import Target


def serve_metrics(
    environment: Environment, snapshot: Callable[[], Snapshot | None], target: Callable[[], Target | None]
) -> None:
    """Serve them as the options say, until the process ends; a worker serves none.

    Args:
        target: that is being driven; None while none is.

    Raises:
        ExporterError: when the port that was asked for cannot be had.
    """
    if isinstance(environment.runner, WorkerRunner):
        return

    def servers() -> tuple[str, Mapping[str, str]]:
        driven = target()
        return ("", {}) if driven is None else (driven.name, driven.addresses())

    options = environment.parsed_options
    if options is None:
        message = "this should never happen, because Locust parses its options before it fires init"
        raise AssertionError(message)
    exporter = Exporter(RunCollector(snapshot), servers)
    if environment.web_ui is not None:
        add_routes(environment.web_ui, exporter, options.web_base_path or "")
    if options.metrics_port is not None:
        url = listen(exporter, options.metrics_host, options.metrics_port)
        print(f"misissue: metrics at {url}", file=sys.stderr)  # noqa: T201 - whoever asked for any port has to know it


def add_routes(web_ui: WebUI, exporter: Exporter, base_path: str = "") -> None:
    """Answer scrapes on Locust's web UI, of those who are logged in where a login is asked for."""
    if web_ui.app is None:
        message = "this should never happen, because Locust makes the application with its web UI"
        raise AssertionError(message)
    for path in (METRICS_PATH, TARGETS_PATH):

        def view(path: str = path) -> Response:
            page = exporter.page(path)
            return Response(page.body, page.status, content_type=page.content_type)

        web_ui.app.add_url_rule(
            f"{base_path.rstrip('/')}{path}", f"misissue{path}", web_ui.auth_required_if_enabled(view)
        )


def listen(exporter: Exporter, host: str, port: int) -> str:
    """Answer scrapes on a port of their own from now on; returns where.

    Raises:
        ExporterError: when it cannot be had.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise cannot_listen(host, port, error) from error
    server = WSGIServer(listener, exporter, log=None, error_log=None)
    server.start()
    return f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}{METRICS_PATH}"
