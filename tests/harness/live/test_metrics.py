"""A snapshot becomes exactly these series; what is unknown becomes none."""

import msgspec
from prometheus_client import CollectorRegistry, generate_latest

from harness.live.metrics import FAMILIES, VERDICTS, RunCollector
from harness.live.snapshot import (
    CellSeen,
    LatencyHistogram,
    OutcomeCount,
    ProcessState,
    Snapshot,
)
from harness.outcome import Outcome
from tests.scraping import Scrape

RUNNING = Snapshot(
    run="4c1b",
    directory="runs/20230430-090000-april30",
    profile="april30",
    target="municipal",
    seed=20230430,
    synchronises=True,
    state="running",
    verdict="FAIL",
    exit_code=None,
    reasons=(),
    elapsed_s=12.5,
    planned_s=40.0,
    phase="burst",
    users=10,
    processes=(
        ProcessState(segment="load-1", issued=300, ended=298, self_test="caught", faults=0),
        ProcessState(segment="load-2", issued=200, ended=199, self_test="planted", faults=0),
    ),
    issued=500,
    prints_judged=480,
    in_flight=3,
    outcomes=(
        OutcomeCount(outcome=Outcome.OK, kind="juminhyo", number=400),
        OutcomeCount(outcome=Outcome.OK, kind="inkan", number=78),
        OutcomeCount(outcome=Outcome.WRONG_PERSON, kind="inkan", number=2),
        OutcomeCount(outcome=Outcome.ERROR_FINAL, kind="juminhyo", number=17),
    ),
    misissued=2,
    papers=2,
    persons=4,
    sync_runs=90,
    exposures=31,
    cells=(
        CellSeen(phase="applying", states=("waiting", "written"), sync_runs=12),
        CellSeen(phase="begin", states=("read",), sync_runs=3),
    ),
    cells_known=220,
    bound_upper=0.0974,
    confidence=0.95,
    error_notices=18,
    late_starts=6,
    resends=1,
    may_have_printed=5,
    planned_rate_per_s=200.0,
    rate_share=0.99,
    latency=LatencyHistogram(bounds_s=(0.005, 0.1), counts=(100, 300, 97), sum_s=61.5),
    faults=("a worker was lost", "the disk was full"),
    incidents=(),
    series=(),
)

EXPECTED = """
misissue_run_info{profile="april30",RUN,seed="20230430",TARGET,version="VERSION"} 1
misissue_run_state{RUN,state="running",TARGET} 1
misissue_run_state{RUN,state="deciding",TARGET} 0
misissue_run_state{RUN,state="decided",TARGET} 0
misissue_verdict{RUN,TARGET,verdict="PASS"} 0
misissue_verdict{RUN,TARGET,verdict="FAIL"} 1
misissue_verdict{RUN,TARGET,verdict="INCONCLUSIVE"} 0
misissue_misissuances_total{RUN,TARGET} 2
misissue_exposed_persons{RUN,TARGET} 4
misissue_exposures_total{RUN,TARGET} 31
misissue_sync_runs_total{RUN,TARGET} 90
misissue_bound_ratio{confidence="0.95",RUN,TARGET} 0.0974
misissue_coverage_cells_hit{RUN,TARGET} 2
misissue_coverage_cells{RUN,TARGET} 220
misissue_coverage_cell_sync_runs{phase="applying",RUN,states="waiting+written",TARGET} 12
misissue_coverage_cell_sync_runs{phase="begin",RUN,states="read",TARGET} 3
misissue_prints_judged_total{RUN,TARGET} 480
misissue_attempts_issued_total{RUN,TARGET} 500
misissue_outcomes_total{kind="juminhyo",outcome="ok",RUN,TARGET} 400
misissue_outcomes_total{kind="inkan",outcome="ok",RUN,TARGET} 78
misissue_outcomes_total{kind="inkan",outcome="wrong_person",RUN,TARGET} 2
misissue_outcomes_total{kind="juminhyo",outcome="error_final",RUN,TARGET} 17
misissue_prints_in_flight{RUN,TARGET} 3
misissue_print_latency_seconds_bucket{le="0.005",RUN,TARGET} 100
misissue_print_latency_seconds_bucket{le="0.1",RUN,TARGET} 400
misissue_print_latency_seconds_bucket{le="+Inf",RUN,TARGET} 497
misissue_print_latency_seconds_count{RUN,TARGET} 497
misissue_print_latency_seconds_sum{RUN,TARGET} 61.5
misissue_error_notices_total{RUN,TARGET} 18
misissue_may_have_printed_total{RUN,TARGET} 5
misissue_resends_total{RUN,TARGET} 1
misissue_late_starts_total{RUN,TARGET} 6
misissue_planned_rate_per_second{RUN,TARGET} 200
misissue_rate_share_ratio{RUN,TARGET} 0.99
misissue_users{RUN,TARGET} 10
misissue_elapsed_seconds{RUN,TARGET} 12.5
misissue_planned_seconds{RUN,TARGET} 40
misissue_self_tests{RUN,state="none",TARGET} 0
misissue_self_tests{RUN,state="planted",TARGET} 1
misissue_self_tests{RUN,state="caught",TARGET} 1
misissue_self_tests{RUN,state="missed",TARGET} 0
misissue_evidence_gaps{RUN,TARGET} 2
"""


def exposition(seen: Snapshot | None) -> str:
    """What a scrape shows."""
    registry = CollectorRegistry()
    registry.register(RunCollector(lambda: seen))
    return generate_latest(registry).decode()


def test_every_series_of_a_run() -> None:
    """Each figure of a snapshot is one series, with the labels of the run, and there is no other series."""
    expected = EXPECTED.replace("RUN", 'run="20230430-090000-april30"').replace("TARGET", 'target="municipal"')
    scraped = exposition(RUNNING)
    version = scraped.partition('version="')[2].partition('"')[0]
    assert version[0].isdigit() or version == "unknown"
    assert Scrape(scraped).series == Scrape(expected.replace("VERSION", version)).series


def test_types() -> None:
    """Counters, gauges and the histogram are told apart, under the names by which they are queried."""
    scraped = exposition(RUNNING)
    told = {line.split()[2]: line.split()[3] for line in scraped.splitlines() if line.startswith("# TYPE")}
    assert told == {family.name: family.kind for family in FAMILIES}
    assert told["misissue_misissuances_total"] == "counter"
    assert told["misissue_exposed_persons"] == "gauge"
    assert told["misissue_print_latency_seconds"] == "histogram"


def test_unknown_is_absent() -> None:
    """What nobody knows has neither a sample nor a family, and is not 0."""
    names = ("exposures", "cells", "bound_upper", "late_starts", "resends", "planned_rate_per_s", "rate_share")
    seen = msgspec.structs.replace(RUNNING, **dict.fromkeys((*names, "elapsed_s", "latency")))
    gone = {
        *("misissue_exposures_total", "misissue_bound_ratio", "misissue_coverage_cells_hit"),
        *("misissue_coverage_cell_sync_runs", "misissue_late_starts_total", "misissue_resends_total"),
        *("misissue_planned_rate_per_second", "misissue_rate_share_ratio", "misissue_elapsed_seconds"),
        "misissue_print_latency_seconds",
    }
    told = {line.split()[2] for line in exposition(seen).splitlines() if line.startswith("#")}
    assert {family.name for family in FAMILIES} - told == gone
    open_ended = msgspec.structs.replace(RUNNING, planned_s=0.0)
    assert "misissue_planned_seconds" not in exposition(open_ended)


def test_no_verdict_yet() -> None:
    """While nobody knows the verdict, none of the three holds."""
    scraped = Scrape(exposition(msgspec.structs.replace(RUNNING, verdict=None)))
    assert [scraped.value("misissue_verdict", verdict=verdict) for verdict in VERDICTS] == [0, 0, 0]


def test_outcomes_of_attempts_are_not_left_standing() -> None:
    """With the verdict every outcome of a kind has a value, so that none of before stays beside them."""
    outcomes = (OutcomeCount(outcome=Outcome.ERROR_RETRIED_OK, kind="inkan", number=3),)
    decided = Scrape(exposition(msgspec.structs.replace(RUNNING, state="decided", outcomes=outcomes)))
    values = {one: decided.value("misissue_outcomes_total", outcome=one, kind="inkan") for one in Outcome}
    assert values == {**dict.fromkeys(Outcome, 0), Outcome.ERROR_RETRIED_OK: 3}


def test_no_run_yet() -> None:
    """Before the first run there is nothing to show."""
    assert exposition(None) == ""


def test_the_snapshot_is_read_for_each_scrape_only() -> None:
    """A registry does not read a run to learn its names, and each scrape reads it anew."""
    seen = [RUNNING, msgspec.structs.replace(RUNNING, users=7)]
    registry = CollectorRegistry()
    registry.register(RunCollector(lambda: seen.pop(0)))
    scrapes = [Scrape(generate_latest(registry).decode()) for _ in range(2)]
    assert [scraped.value("misissue_users") for scraped in scrapes] == [10, 7]
