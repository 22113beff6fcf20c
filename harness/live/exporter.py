"""What a scrape is answered: metrics in the text format of Prometheus, and where the servers of the target are.

Without HTTP server of its own, because Locust's web UI, gevent and a plain process each bring another.
"""

import errno
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

_log = logging.getLogger(__name__)
METRICS_PATH = "/metrics"
TARGETS_PATH = "/metrics/targets"


class ExporterError(Exception):
    """Raised when metrics cannot be served where they were asked for; the message is one line for its user."""


def cannot_listen(host: str, port: int, error: OSError | OverflowError) -> ExporterError:
    """What to say of an address that could not be listened on."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return ExporterError(f"port {port} on {host} is already in use; choose another for the metrics, or 0 for any")
    reason = error.strerror if isinstance(error, OSError) else f"{port} is no port"
    return ExporterError(f"metrics cannot be served on port {port} of {host}: {reason}")


class Page(NamedTuple):
    """One answer."""

    status: str
    content_type: str
    body: bytes


class Exporter:
    """Answers scrapes; whatever goes wrong while it does is logged, and never raised.

    Args:
        collector: of the metrics.
        servers: name of the target and, by their names, the addresses of its servers, as they are now.
    """

    def __init__(self, collector: Collector, servers: Callable[[], tuple[str, Mapping[str, str]]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        self._servers = servers

    def page(self, path: str) -> Page:
        """The answer to GET."""
        try:
            if path == METRICS_PATH:
                return Page("200 OK", CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self._registry))
            if path == TARGETS_PATH:
                return Page("200 OK", "application/json", msgspec.json.encode(self._discover()))
        except Exception as error:  # noqa: BLE001 - a run must not end because somebody looked at it
            _log.exception("a scrape of %s could not be answered", path)
            # Without its message, which may name a person.
            return Page("500 Internal Server Error", "text/plain", f"{type(error).__name__}; see the log\n".encode())
        return Page("404 Not Found", "text/plain", f"there is {METRICS_PATH} and {TARGETS_PATH}\n".encode())

    def __call__(self, environ: Mapping[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        """As a WSGI application."""
        page = self.page(str(environ.get("PATH_INFO")))
        start_response(page.status, [("Content-Type", page.content_type), ("Content-Length", str(len(page.body)))])
        return [page.body]

    def _discover(self) -> list[Mapping[str, object]]:
        """For `http_sd_configs`: one group a server, labelled with its name and its target's."""
        target, addresses = self._servers()
        return [
            {"targets": [urlsplit(address).netloc or address], "labels": {"server": server, "target": target}}
            for server, address in addresses.items()
        ]
