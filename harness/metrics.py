"""A run's snapshot as metrics of Prometheus; docs/metrics.md describes each family.

`FAMILIES` is the only place where names, labels and meanings are written down. A value that nobody knows has no sample,
and a family without samples is absent. No label ever names a person.
"""

import importlib.metadata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, get_args

from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from harness.snapshot import SelfTestState, Snapshot, State

RUN_LABELS = ("run", "target")
"""Of every series: the name of the run directory, and the target's."""
VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE")

Value = float | None
Samples = Iterable[tuple[tuple[str, ...], Value]]
"""(label values, value) of each series."""


class Family(NamedTuple):
    """One metric.

    Args:
        name: as it is scraped; that of a counter ends in `_total`.
        read: label values and value of each series; of a histogram a count for each bucket, not cumulative.
        labels: beside `RUN_LABELS`.
        sum_of: of a histogram, the sum of all values.
    """

    name: str
    meaning: str
    read: Callable[[Snapshot], Samples]
    labels: tuple[str, ...] = ()
    sum_of: Callable[[Snapshot], Value] | None = None

    @property
    def kind(self) -> str:
        """As Prometheus calls it."""
        if self.sum_of is not None:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "gauge"


def _number(name: str, meaning: str, read: Callable[[Snapshot], Value]) -> Family:
    return Family(name, meaning, lambda seen: [((), read(seen))])


def _flag(name: str, meaning: str, label: str, values: Iterable[str], read: Callable[[Snapshot], str | None]) -> Family:
    return Family(name, meaning, lambda seen: [((value,), read(seen) == value) for value in values], (label,))


def _info(seen: Snapshot) -> Samples:
    yield (seen.profile, str(seen.seed), _version()), 1


@cache
def _version() -> str:
    try:
        return importlib.metadata.version("misissue")
    except importlib.metadata.PackageNotFoundError:  # run from its sources
        return "unknown"


def _outcomes(seen: Snapshot) -> Samples:
    return [((count.outcome, count.kind), count.number) for count in seen.outcomes]


def _cells(seen: Snapshot) -> Samples:
    return [((cell.phase, "+".join(cell.states)), cell.sync_runs) for cell in seen.cells or ()]


def _bound(seen: Snapshot) -> Samples:
    yield (f"{seen.confidence:g}",), seen.bound_upper


def _self_tests(seen: Snapshot) -> Samples:
    states = [process.self_test for process in seen.processes]
    return [((state,), states.count(state)) for state in get_args(SelfTestState)]


def _latency(seen: Snapshot) -> Samples:
    if seen.latency is not None:
        bounds = [*map(str, seen.latency.bounds_s), "+Inf"]
        yield from (((bound,), count) for bound, count in zip(bounds, seen.latency.counts, strict=True))


FAMILIES = (
    Family("misissue_run_info", "Always 1; its labels say what is run.", _info, ("profile", "seed", "version")),
    _flag(
        "misissue_run_state",
        "1 for the state in which the run is, 0 for the others.",
        "state",
        get_args(State),
        lambda seen: seen.state,
    ),
    _flag(
        "misissue_verdict",
        "1 for the verdict, 0 for the others; FAIL as soon as a misissuance is seen.",
        "verdict",
        VERDICTS,
        lambda seen: seen.verdict,
    ),
    _number(
        "misissue_misissuances_total",
        "Prints that are misissuances, by identity alone until the run is decided.",
        lambda seen: seen.misissued,
    ),
    _number("misissue_exposed_persons", "People whose data a stranger was handed.", lambda seen: seen.persons),
    _number("misissue_exposures_total", "Exposures: how often what has to coincide did.", lambda seen: seen.exposures),
    _number("misissue_sync_runs_total", "Sync runs.", lambda seen: seen.sync_runs),
    Family(
        "misissue_bound_ratio",
        "Upper bound on the chance of a misissuance in one exposure, at the confidence of the label.",
        _bound,
        ("confidence",),
    ),
    _number(
        "misissue_coverage_cells_hit",
        "Coverage cells that some sync run has hit.",
        lambda seen: None if seen.cells is None else len(seen.cells),
    ),
    _number("misissue_coverage_cells", "Coverage cells that there are.", lambda seen: seen.cells_known),
    Family(
        "misissue_coverage_cell_sync_runs",
        "Sync runs that have hit a coverage cell, for each cell that was hit.",
        _cells,
        ("phase", "states"),
    ),
    _number(
        "misissue_prints_judged_total", "Documents that were handed out and judged.", lambda seen: seen.prints_judged
    ),
    _number("misissue_attempts_issued_total", "Attempts that were sent.", lambda seen: seen.issued),
    Family(
        "misissue_outcomes_total",
        "Outcomes by kind: of attempts, by identity alone, until the run is decided; of applications then.",
        _outcomes,
        ("outcome", "kind"),
    ),
    _number("misissue_prints_in_flight", "Attempts that were sent and have not ended.", lambda seen: seen.in_flight),
    Family(
        "misissue_print_latency_seconds",
        "Time from the intended start of a print to its answer.",
        _latency,
        ("le",),
        lambda seen: None if seen.latency is None else seen.latency.sum_s,
    ),
    _number(
        "misissue_error_notices_total", "Errors that the service itself reported.", lambda seen: seen.error_notices
    ),
    _number(
        "misissue_may_have_printed_total",
        "Attempts whose answer was not seen whole: they may have printed.",
        lambda seen: seen.may_have_printed,
    ),
    _number("misissue_resends_total", "Attempts that the client sent more than once.", lambda seen: seen.resends),
    _number(
        "misissue_late_starts_total", "Applications that were sent later than planned.", lambda seen: seen.late_starts
    ),
    _number(
        "misissue_planned_rate_per_second",
        "Applications a second that the plan of arrivals holds.",
        lambda seen: seen.planned_rate_per_s,
    ),
    _number(
        "misissue_rate_share_ratio", "Applications made, of those that were planned.", lambda seen: seen.rate_share
    ),
    _number("misissue_users", "Locust users at work.", lambda seen: seen.users),
    _number("misissue_elapsed_seconds", "Time since the plan began, until it ended.", lambda seen: seen.elapsed_s),
    _number("misissue_planned_seconds", "Length of the plan.", lambda seen: seen.planned_s),
    Family("misissue_self_tests", "Load processes by what became of their self-test.", _self_tests, ("state",)),
    _number(
        "misissue_evidence_gaps",
        "What keeps the evidence from being whole, as far as known.",
        lambda seen: len(seen.faults),
    ),
)


def families_of(seen: Snapshot) -> Iterator[Metric]:
    """What a scrape shows of the snapshot."""
    own = Path(seen.directory).name, seen.target
    for family in FAMILIES:
        if metric := _metric(family, seen, own):
            yield metric


def _metric(family: Family, seen: Snapshot, own: tuple[str, ...]) -> Metric | None:
    samples = [(values, value) for values, value in family.read(seen) if value is not None]
    if not samples:
        return None
    if family.sum_of is not None:
        histogram = HistogramMetricFamily(family.name, family.meaning, labels=RUN_LABELS)
        counts = accumulate(value for _, value in samples)
        buckets = [(bound, count) for ((bound,), _), count in zip(samples, counts, strict=True)]
        histogram.add_metric(own, buckets, family.sum_of(seen))
        return histogram
    metric = Metric(family.name.removesuffix("_total"), family.meaning, family.kind)
    for values, value in samples:
        metric.add_sample(family.name, dict(zip((*RUN_LABELS, *family.labels), (*own, *values), strict=True)), value)
    return metric


class RunCollector(Collector):
    """Reads the snapshot anew for each scrape; shows nothing while there is none.

    Args:
        snapshot: of the run that goes on, or of the last one.
    """

    def __init__(self, snapshot: Callable[[], Snapshot | None]) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry that asks would otherwise collect, to learn the names."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """See `families_of`."""
        seen = self._snapshot()
        return () if seen is None else families_of(seen)
