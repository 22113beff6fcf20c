"""One table says what a metric is called, what it means and how its value is read; from it come scrape and docs."""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar

from prometheus_client.metrics_core import HistogramMetricFamily, Metric

RUN_LABELS = ("run", "target")
"""Of every series: the name of the run directory, and the target's."""

Seen = TypeVar("Seen")
Value = float | None
Samples = Iterable[tuple[tuple[str, ...], Value]]
"""(label values, value) of each series."""


class Family(NamedTuple, Generic[Seen]):
    """One metric.

    Args:
        name: as it is scraped; that of a counter ends in `_total`.
        read: label values and value of each series; of a histogram a count for each bucket, not cumulative.
        labels: beside `RUN_LABELS`.
        sum_of: of a histogram, the sum of all values.
    """

    name: str
    meaning: str
    read: Callable[[Seen], Samples]
    labels: tuple[str, ...] = ()
    sum_of: Callable[[Seen], Value] | None = None

    @property
    def kind(self) -> str:
        """As Prometheus calls it."""
        if self.sum_of is not None:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "gauge"


def number(name: str, meaning: str, read: Callable[[Seen], Value]) -> Family[Seen]:
    """A family of one series."""
    return Family(name, meaning, lambda seen: [((), read(seen))])


def buckets(bounds: Iterable[float], counts: Iterable[int]) -> Samples:
    """The series of a histogram: one for each upper bound, and one more for what lies above the last."""
    return [((bound,), count) for bound, count in zip([*map(str, bounds), "+Inf"], counts, strict=True)]


def metrics_of(families: Iterable[Family[Seen]], seen: Seen, *, run: str, target: str) -> Iterator[Metric]:
    """What a scrape shows; a family without a known value is absent."""
    for family in families:
        samples = [(values, value) for values, value in family.read(seen) if value is not None]
        if samples:
            total = None if family.sum_of is None else family.sum_of(seen)
            yield _metric(family, samples, total, (run, target))


def _metric(
    family: Family[Seen], samples: list[tuple[tuple[str, ...], float]], total: Value, own: tuple[str, str]
) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.meaning, labels=RUN_LABELS)
        counts = accumulate(value for _, value in samples)
        histogram.add_metric(own, [(bound, count) for ((bound,), _), count in zip(samples, counts, strict=True)], total)
        return histogram
    metric = Metric(family.name.removesuffix("_total"), family.meaning, family.kind)
    for values, value in samples:
        metric.add_sample(family.name, dict(zip((*RUN_LABELS, *family.labels), (*own, *values), strict=True)), value)
    return metric
