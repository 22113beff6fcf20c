"""What the servers of the deployment count about themselves; docs/metrics.md describes each family.

Every series that can be known beforehand is there from the beginning, at zero: the first event of a series that comes
into being with it is none that Prometheus could count.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from targets.metrics import Handler
from targets.municipal.changes import ChangeKind
from targets.municipal.points import Points
from targets.municipal.print_wait import WaitEnd

_ANSWERS = ("document", "refused", "invalid", "error")
_ERROR_CODES = ("image_missing", "internal_error", "timeout", "unreachable")
_STAGE_POINTS = ("waiting", "staged", "written", "read", "delivered")
_SYNC_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ApMetrics:
    """Of the AP server."""

    def __init__(self, points: Points, slots: Sequence[str], spool: Path) -> None:
        self.registry = registry = CollectorRegistry()
        self.waits = _counter(
            registry, "municipal_print_waits", "Print waits by how they ended.", "end", get_args(WaitEnd)
        )
        self.prints = _counter(registry, "municipal_prints", "Prints by what was answered.", "answer", _ANSWERS)
        registry.register(_Stage(points, slots))
        files = Gauge("municipal_spool_files", "Print image files in the spool directory.", registry=registry)
        files.set_function(lambda: sum(1 for _ in spool.iterdir()))


class SyncMetrics:
    """Of the sync agent."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.runs = Counter("municipal_sync_runs", "Sync runs that the registry was told of.", registry=registry)
        self.seconds = Histogram(
            "municipal_sync_run_seconds",
            "Duration of a sync run, from its begin to the acknowledgement.",
            buckets=_SYNC_SECONDS,
            registry=registry,
        )
        self.lag = Gauge(
            "municipal_sync_lag_seconds",
            "Age of the oldest change that is not synchronised yet; 0 when there is none.",
            registry=registry,
        )
        self.pending = Gauge(
            "municipal_sync_pending_changes", "Changes that are not synchronised yet.", registry=registry
        )

    @contextmanager
    def run(self) -> Iterator[None]:
        """Count and time the sync run that is made inside; one that does not come to its end is none."""
        began_s = time.perf_counter()
        yield
        self.seconds.observe(time.perf_counter() - began_s)
        self.runs.inc()


class CenterMetrics:
    """Of the center."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.applications = _counter(
            registry, "municipal_applications", "Applications by what was answered.", "answer", _ANSWERS
        )
        self.notices = _counter(registry, "municipal_error_notices", "Error notices by code.", "code", _ERROR_CODES)


class RegistryMetrics:
    """Of the resident registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.changes = _counter(
            self.registry, "municipal_changes", "Changes that were committed, by kind.", "kind", get_args(ChangeKind)
        )


def count_answers(handler: Handler, answers: Counter) -> Handler:
    """The handler, with each of its answers counted; an answer counts whether or not somebody still waits for it."""

    async def counted(request: web.Request) -> web.StreamResponse:
        status = 500
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as raised:
            status = raised.status
            raise
        finally:
            answers.labels(_answer(status)).inc()
        return response

    return counted


def _answer(status: int) -> str:
    if status in {200, 409}:
        return "document" if status == 200 else "refused"
    return "invalid" if status < 500 else "error"


def _counter(registry: CollectorRegistry, name: str, meaning: str, label: str, values: Iterable[str]) -> Counter:
    counter = Counter(name, meaning, [label], registry=registry)
    for value in values:
        counter.labels(value)
    return counter


class _Stage(Collector):
    """Where the prints are that have a slot, at the moment of the scrape."""

    def __init__(self, points: Points, slots: Sequence[str]) -> None:
        self._points = points
        self._slots = slots

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "municipal_stage_prints", "Prints of a slot at the named point.", labels=["slot", "point"]
        )
        by_slot = self._points.by_slot()
        for slot in self._slots:
            for point in _STAGE_POINTS:
                family.add_metric([slot, point], by_slot[slot][point] if slot in by_slot else 0)
        yield family
