"""Figures of a run: exact, from the intended start, and none where there is nothing to measure."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.criteria import Metrics
from harness.judging import judge_all
from harness.measures import LATE_NS, Latency, documents, late_starts, latency, may_have_printed, metrics, rate_share
from harness.outcome import Outcome
from harness.records import Evidence, Print, PrintEvent
from tests.harness.builders import (
    HOME,
    KIND,
    OTHER,
    change,
    delivery,
    ended,
    entry,
    evidence_of,
    failed,
    paper,
    planted,
    refused,
    sync_run,
)

GROUPS: tuple[Evidence, ...] = (HOME, OTHER, entry("A"), entry("A", kind="inkan"), entry("X"))


def took(number: int, taken_ns: int, *, answer: str = "document", late_ns: int | None = None) -> Print:
    """A print that took so long from its intended start, of which it was sent so much too late."""
    made = delivery(f"A{number}", "A", paper("A")) if answer == "document" else ended(answer, f"A{number}", "A")
    intended_ns = 10**12 * number
    sent_ns = intended_ns + (late_ns or 0)
    return msgspec.structs.replace(
        made,
        sent_ns=sent_ns,
        answered_ns=intended_ns + taken_ns,
        intended_ns=None if late_ns is None else intended_ns,
    )


def latency_of(*load: Evidence) -> Latency:
    """Over all prints of the load."""
    with TemporaryDirectory() as place:
        prints = evidence_of(Path(place) / "run", load).prints
        return latency(prints, np.ones(len(prints), dtype=np.bool_))


def nearest_rank(taken_ns: list[int], percent: int) -> float:
    """The smallest of them that at least so many per cent of them do not exceed, seconds."""
    return sorted(taken_ns)[math.ceil(len(taken_ns) * percent / 100) - 1] / 1e9


@settings(max_examples=60)
@given(taken_ns=st.lists(st.integers(1, 10**11), min_size=1, max_size=250), late=st.booleans())
def test_percentiles(taken_ns: list[int], late: bool) -> None:
    """A percentile is the very time of the print at that rank, and it begins where the print should have been sent."""
    late_ns = min(taken_ns) if late else None
    found = latency_of(*(took(number, taken, late_ns=late_ns) for number, taken in enumerate(taken_ns)))
    assert found == Latency(
        p50_s=nearest_rank(taken_ns, 50), p95_s=nearest_rank(taken_ns, 95), p99_s=nearest_rank(taken_ns, 99)
    )


def test_what_is_waited_for() -> None:
    """An answer that never came whole was waited for like a document; errors, refusals and self-tests were not."""
    load: list[Evidence] = [
        took(1, 100),
        took(2, 300, answer="unanswered"),
        took(3, 10**9, answer="error"),
        took(4, 10**9, answer="refused"),
        took(5, 10**9, answer="nothing"),
        *planted("X", paper("A"), at=(0, 10**9)),
    ]
    assert latency_of(*load) == Latency(p50_s=100 / 1e9, p95_s=300 / 1e9, p99_s=300 / 1e9)


def test_latency_of_nothing() -> None:
    """Where nothing was waited for there is no latency, rather than one of 0."""
    assert latency_of() == latency_of(took(1, 9, answer="error")) == Latency(p50_s=None, p95_s=None, p99_s=None)


@pytest.mark.parametrize(("late_ns", "number"), [(LATE_NS, 0), (LATE_NS + 1, 1), (None, 0)])
def test_late_starts(tmp_path: Path, late_ns: int | None, number: int) -> None:
    """A start is late by more than the allowed nanoseconds; without a plan of arrivals there is no late one."""
    load = [took(1, 10**9, late_ns=late_ns), took(2, 10**9, late_ns=0)]
    assert late_starts(evidence_of(tmp_path / "planned", load, planned_prints=2)) == number
    assert late_starts(evidence_of(tmp_path / "closed", load)) is None


@pytest.mark.parametrize(("planned", "share"), [(None, None), (0, None), (3, 2 / 3), (2, 1.0), (1, 2.0)])
def test_rate_share(tmp_path: Path, planned: int | None, share: float | None) -> None:
    """Applications count for the plan once, however often they were made again, and self-tests do not at all."""
    load: list[Evidence] = [
        took(1, 10),
        failed("A2", "X", at=(10, 20)),
        failed("A2", "X", attempt=2, at=(30, 40)),
        *planted("X", paper("A")),
    ]
    evidence = evidence_of(tmp_path / "run", load, planned_prints=planned)
    assert rate_share(evidence, judge_all(evidence.prints, evidence.register)) == share


@pytest.mark.parametrize(("planned", "p99_s"), [(None, 0.1), (100, 0.1), (101, 0.1), (102, None)])
def test_what_was_never_made(tmp_path: Path, planned: int | None, p99_s: float | None) -> None:
    """Who waits for a service that hangs makes nothing: that counts as slow, or the hang would hide itself."""
    load: list[Evidence] = [*GROUPS, *(took(number, 10**8, late_ns=0) for number in range(100))]
    found = metrics_of(tmp_path / "run", load, planned_prints=planned)
    assert (found["p99_s", ""], found["p99_s", KIND]) == (p99_s, p99_s)
    assert (found["p95_s", ""], found["p95_s", KIND]) == (0.1, 0.1)


def metrics_of(directory: Path, load: list[Evidence], **fields: Any) -> Metrics:
    """Of a run with this load."""
    evidence = evidence_of(directory, load, **fields)
    judged = judge_all(evidence.prints, evidence.register)
    return metrics(evidence, judged, exposures=7, cells=5, bound=0.25)


MIXED: list[Evidence] = [
    *GROUPS,
    took(1, 100),
    failed("E1", "A", at=(10, 20)),
    failed("E1", "A", attempt=2, at=(30, 40)),
    failed("E2", "X", at=(10, 20)),
    delivery("E2", "X", paper("X"), attempt=2, at=(30, 45)),
    delivery("I1", "A", paper("A", kind="inkan"), kind="inkan", at=(50, 80)),
    ended("unanswered", "U1", "A", at=(100, 190)),
    refused("R1", "A", kind="inkan", at=(200, 201)),
    change(2, sent_ns=10**14),
    change(2, sent_ns=10**14),
    msgspec.structs.replace(change(3, sent_ns=10**14), answered_ns=None),
    *planted("X", paper("A")),
]


def test_metrics(tmp_path: Path) -> None:
    """Every metric is counted over all kinds together and over each; what was given is told as it is."""
    found = metrics_of(tmp_path / "run", MIXED, planned_prints=7, planned_changes=2, shows_points=True)
    assert {metric: found[metric, ""] for metric in ("exposures", "cells", "bound", "sync_runs")} == {
        "exposures": 7,
        "cells": 5,
        "bound": 0.25,
        "sync_runs": 1,
    }
    assert found["rate_share", ""] == 6 / 7
    assert found["change_rate_share", ""] == 1 / 2
    assert found["may_have_printed", ""] == 1
    assert found["late_starts", ""] == found["resends", ""] == 0
    assert [found["prints", kind] for kind in ("", "juminhyo", "inkan")] == [3, 2, 1]
    assert [found["ok", kind] for kind in ("", "juminhyo", "inkan")] == [2, 1, 1]
    assert [found["error_final", kind] for kind in ("", "juminhyo", "inkan")] == [2, 2, 0]
    assert [found["error_retried_ok", kind] for kind in ("", "juminhyo", "inkan")] == [1, 1, 0]
    assert [found["refused_wrong", kind] for kind in ("", "juminhyo", "inkan")] == [1, 0, 1]
    assert [found["error_share", kind] for kind in ("", "juminhyo", "inkan")] == [3 / 6, 3 / 4, 0]
    assert [found["wrong_person", kind] for kind in ("", "juminhyo", "inkan")] == [0, 0, 0]
    assert (found["p50_s", "inkan"], found["p99_s", "inkan"]) == (30 / 1e9, None)  # one was never made
    assert {metric for metric, kind in found if kind == "inkan"} == {
        *(outcome.value for outcome in Outcome),
        *("error_share", "prints", "p50_s", "p95_s", "p99_s"),
    }


def test_metrics_without_a_value(tmp_path: Path) -> None:
    """What was not planned, not shown or never occurred has no value, so that no criterion on it is met."""
    found = metrics_of(tmp_path / "run", list(GROUPS))
    without = {metric for (metric, _), value in found.items() if value is None}
    assert without == {
        *(outcome.value for outcome in Outcome),
        *("error_share", "late_starts", "rate_share", "change_rate_share", "resends", "p50_s", "p95_s", "p99_s"),
    }


def test_resends(tmp_path: Path) -> None:
    """A print that reached the service twice under one nonce was sent again by the client, and counts once."""
    told = [
        PrintEvent(nonce=nonce, point="applied", at_ns=at) for at, nonce in enumerate(["A1.1", "A1.2", *["A2.1"] * 3])
    ]
    found = metrics_of(tmp_path / "run", list(GROUPS), target=[sync_run(), *told], shows_points=True)
    assert found["resends", ""] == 1


def test_counts_of_attempts(tmp_path: Path) -> None:
    """Documents and answers that were not seen whole are counted by attempt, without self-tests."""
    prints = evidence_of(tmp_path / "run", MIXED).prints
    assert (documents(prints), may_have_printed(prints)) == (3, 1)
