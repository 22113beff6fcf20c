"""What a scrape is answered, whatever becomes of what it asks for."""

import errno
from collections.abc import Iterable, Mapping

import msgspec
import pytest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from harness.live.exporter import Exporter, cannot_listen


class One(Collector):
    """Shows one gauge, or fails when it has no value."""

    value: float | None = 7

    def describe(self) -> Iterable[Metric]:
        """Nothing."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The gauge."""
        if self.value is None:
            raise RuntimeError("the run is gone")
        yield GaugeMetricFamily("one", "A number.", self.value)


def nobody() -> tuple[str, Mapping[str, str]]:
    """No target is driven."""
    return "", {}


def test_metrics() -> None:
    """/metrics shows what the collector has, in the text format that every Prometheus reads."""
    page = Exporter(One(), nobody).page("/metrics")
    assert (page.status, page.content_type) == ("200 OK", "text/plain; version=0.0.4; charset=utf-8")
    assert page.body == b"# HELP one A number.\n# TYPE one gauge\none 7.0\n"


def test_targets() -> None:
    """/metrics/targets lists every server of the target as Prometheus discovers services by HTTP."""
    addresses = {"center": "http://127.0.0.1:8080", "ap-server": "http://[::1]:8081/x", "other": "10.0.0.1:9"}
    page = Exporter(One(), lambda: ("municipal", addresses)).page("/metrics/targets")
    assert (page.status, page.content_type) == ("200 OK", "application/json")
    assert msgspec.json.decode(page.body) == [
        {"targets": ["127.0.0.1:8080"], "labels": {"server": "center", "target": "municipal"}},
        {"targets": ["[::1]:8081"], "labels": {"server": "ap-server", "target": "municipal"}},
        {"targets": ["10.0.0.1:9"], "labels": {"server": "other", "target": "municipal"}},
    ]
    assert Exporter(One(), nobody).page("/metrics/targets").body == b"[]"


def test_whatever_fails_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    """A failure is logged and answered, without its message for it may name a person; the next scrape goes well."""

    def closed() -> tuple[str, Mapping[str, str]]:
        raise RuntimeError("the target is gone")

    collector = One()
    exporter = Exporter(collector, closed)
    collector.value = None
    page = exporter.page("/metrics")
    assert (page.status, page.body) == ("500 Internal Server Error", b"RuntimeError; see the log\n")
    assert "the run is gone" in caplog.text
    assert exporter.page("/metrics/targets").status == "500 Internal Server Error"
    collector.value = 8
    assert exporter.page("/metrics").body.endswith(b"one 8.0\n")


def test_as_wsgi_application() -> None:
    """A WSGI server gets status, headers and body of the page; of any other path it gets the names of these two."""
    told: list[object] = []
    (body,) = Exporter(One(), nobody)({"PATH_INFO": "/metric"}, lambda *answer: told.extend(answer))
    assert told == ["404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]]
    assert body == b"there is /metrics and /metrics/targets\n"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.EADDRINUSE, "in use"), "port 80 on 127.0.0.1 is already in use; choose another for the metrics"),
        (OSError(errno.EACCES, "Permission denied"), "cannot be served on port 80 of 127.0.0.1: Permission denied"),
        (OverflowError("bind(): port must be 0-65535."), "cannot be served on port 80 of 127.0.0.1: 80 is no port"),
    ],
)
def test_address_that_cannot_be_had(error: OSError | OverflowError, message: str) -> None:
    """The reason names the address."""
    assert message in str(cannot_listen("127.0.0.1", 80, error))
