"""Snapshots of runs that tests make by hand."""

from msgspec.structs import replace

from harness.live.snapshot import CellSeen, IncidentSeen, Moment, OutcomeCount, ProcessState, Snapshot
from harness.outcome import Outcome
from harness.reason import make_reason

INCIDENT = IncidentSeen(
    nonce="A3.1",
    at="2023-04-30T10:11:12.500+09:00",
    at_ns=5_000,
    outcome=Outcome.WRONG_PERSON,
    recipient="P00057",
    owners=("P00063", "P00064"),
    kind="inkan",
    delivered_kind="juminhyo",
    sync_run="S8",
    cause="spurious_release",
)
_RUNNING = Snapshot(
    run="run-1",
    directory="runs/one",
    profile="april30",
    target="municipal",
    seed=7,
    synchronises=True,
    state="running",
    verdict=None,
    exit_code=None,
    reasons=(),
    elapsed_s=12.4,
    planned_s=40.0,
    phase="burst",
    users=10,
    processes=(ProcessState(segment="load-1", issued=1240, ended=1231, self_test="planted", faults=0),),
    issued=1240,
    prints_judged=1200,
    in_flight=9,
    outcomes=(
        OutcomeCount(outcome=Outcome.OK, kind="inkan", number=800),
        OutcomeCount(outcome=Outcome.OK, kind="juminhyo", number=400),
        OutcomeCount(outcome=Outcome.ERROR_FINAL, kind="inkan", number=31),
    ),
    misissued=0,
    papers=0,
    persons=0,
    sync_runs=21,
    exposures=12,
    cells=(CellSeen(phase="releasing", states=("waiting", "written"), sync_runs=12),),
    cells_known=220,
    bound_upper=0.2209,
    confidence=0.95,
    error_notices=0,
    late_starts=None,
    resends=None,
    may_have_printed=0,
    planned_rate_per_s=None,
    rate_share=None,
    latency=None,
    faults=(),
    incidents=(),
    series=(
        Moment(elapsed_s=1.0, prints_judged=90, misissued=0, errors=2, exposures=1, sync_runs=2, p95_s=0.12),
        Moment(elapsed_s=2.0, prints_judged=200, misissued=0, errors=4, exposures=3, sync_runs=5, p95_s=None),
    ),
)
IN_FLIGHT = replace(_RUNNING, synchronises=False, sync_runs=0, cells=(), cells_known=0)
"""Of a service that synchronises nothing."""


def running(**fields: object) -> Snapshot:
    """A run of one process in which nothing has gone wrong so far, with these fields in place of its own."""
    return Snapshot(**{name: getattr(_RUNNING, name) for name in _RUNNING.__struct_fields__} | fields)


def failing(**fields: object) -> Snapshot:
    """The same with one misissuance."""
    own = {
        "verdict": "FAIL",
        "misissued": 1,
        "papers": 1,
        "persons": 2,
        "outcomes": (*_RUNNING.outcomes, OutcomeCount(outcome=Outcome.WRONG_PERSON, kind="inkan", number=1)),
        "incidents": (INCIDENT,),
    }
    return running(**(own | fields))


def decided(verdict: str = "PASS", code: str = "shown", **fields: object) -> Snapshot:
    """The same when it is decided."""
    told: dict[str, dict[str, str | float]] = {
        "shown": {"documents": 1200, "exposures": 12, "cells_hit": 1, "cells": 220},
        "in_flight": {"number": 9},
        "evidence": {"fault": "P00063 was printed twice"},
    }
    own = {
        "state": "decided",
        "verdict": verdict,
        "exit_code": {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}[verdict],
        "phase": "",
        "reasons": (make_reason(code, **told[code]),),
    }
    return running(**(own | fields))
