"""A run's snapshot as metrics of Prometheus; docs/metrics.md describes each family.

A value that nobody knows has no sample, and a family without samples is absent. No label ever names a person.
"""

import importlib.metadata
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import get_args

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from harness.live.families import Family, Samples, buckets, metrics_of, number
from harness.live.snapshot import SelfTestState, Snapshot, State
from harness.outcome import Outcome

VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE")


def _flag(
    name: str, meaning: str, label: str, values: Iterable[str], read: Callable[[Snapshot], str | None]
) -> Family[Snapshot]:
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
    counts = {(str(count.outcome), count.kind): count.number for count in seen.outcomes}
    if seen.state == "decided":
        # Of applications now: what was counted of attempts before must not stay beside it as the last that was seen.
        counts = {(outcome.value, kind): 0 for _, kind in counts for outcome in Outcome} | counts
    return counts.items()


def _cells(seen: Snapshot) -> Samples:
    return [((cell.phase, "+".join(cell.states)), cell.sync_runs) for cell in seen.cells or ()]


def _bound(seen: Snapshot) -> Samples:
    yield (f"{seen.confidence:g}",), seen.bound_upper


def _self_tests(seen: Snapshot) -> Samples:
    states = [process.self_test for process in seen.processes]
    return [((state,), states.count(state)) for state in get_args(SelfTestState)]


def _latency(seen: Snapshot) -> Samples:
    return [] if seen.latency is None else buckets(seen.latency.bounds_s, seen.latency.counts)


FAMILIES: tuple[Family[Snapshot], ...] = (
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
    number(
        "misissue_misissuances_total",
        "Prints that are misissuances, by identity alone until the run is decided.",
        lambda seen: seen.misissued,
    ),
    number("misissue_exposed_persons", "People whose data a stranger was handed.", lambda seen: seen.persons),
    number(
        "misissue_exposures_total",
        "Exposures: how often what has to coincide did; without sync runs pairs of prints in flight at one instant.",
        lambda seen: seen.exposures,
    ),
    number("misissue_sync_runs_total", "Sync runs.", lambda seen: seen.sync_runs),
    Family(
        "misissue_bound_ratio",
        "Upper bound on the chance of a misissuance in one exposure, at the confidence of the label.",
        _bound,
        ("confidence",),
    ),
    number(
        "misissue_coverage_cells_hit",
        "Coverage cells that some sync run has hit.",
        lambda seen: None if seen.cells is None else len(seen.cells),
    ),
    number(
        "misissue_coverage_cells",
        "Coverage cells that there are; 0 of a service without sync runs.",
        lambda seen: seen.cells_known,
    ),
    Family(
        "misissue_coverage_cell_sync_runs",
        "Sync runs that have hit a coverage cell, for each cell that was hit.",
        _cells,
        ("phase", "states"),
    ),
    number(
        "misissue_prints_judged_total", "Documents that were handed out and judged.", lambda seen: seen.prints_judged
    ),
    number("misissue_attempts_issued_total", "Attempts that were sent.", lambda seen: seen.issued),
    Family(
        "misissue_outcomes_total",
        "Outcomes by kind: of attempts, by identity alone, until the run is decided; of applications then.",
        _outcomes,
        ("outcome", "kind"),
    ),
    number("misissue_prints_in_flight", "Attempts that were sent and have not ended.", lambda seen: seen.in_flight),
    Family(
        "misissue_print_latency_seconds",
        "Time from the intended start of a print to its answer.",
        _latency,
        ("le",),
        lambda seen: None if seen.latency is None else seen.latency.sum_s,
    ),
    number("misissue_error_notices_total", "Errors that the service itself reported.", lambda seen: seen.error_notices),
    number(
        "misissue_may_have_printed_total",
        "Attempts whose answer was not seen whole: they may have printed.",
        lambda seen: seen.may_have_printed,
    ),
    number("misissue_resends_total", "Attempts that the client sent more than once.", lambda seen: seen.resends),
    number(
        "misissue_late_starts_total", "Applications that were sent later than planned.", lambda seen: seen.late_starts
    ),
    number(
        "misissue_planned_rate_per_second",
        "Applications a second that the plan of arrivals holds.",
        lambda seen: seen.planned_rate_per_s,
    ),
    number("misissue_rate_share_ratio", "Applications made, of those that were planned.", lambda seen: seen.rate_share),
    number("misissue_users", "Locust users at work.", lambda seen: seen.users),
    number("misissue_elapsed_seconds", "Time since the plan began, until it ended.", lambda seen: seen.elapsed_s),
    number("misissue_planned_seconds", "Length of the plan.", lambda seen: seen.planned_s or None),
    Family("misissue_self_tests", "Load processes by what became of their self-test.", _self_tests, ("state",)),
    number(
        "misissue_evidence_gaps",
        "What keeps the evidence from being whole, as far as known.",
        lambda seen: len(seen.faults),
    ),
)


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
        """See `FAMILIES`."""
        seen = self._snapshot()
        return () if seen is None else metrics_of(FAMILIES, seen, run=Path(seen.directory).name, target=seen.target)
