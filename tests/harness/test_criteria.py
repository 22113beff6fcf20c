"""Nothing that was not measured is ever met, and nothing that was asked for is forgotten."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.criteria import METRICS, Criteria, Criterion, Limit, check, reason_of

CRITERIA = Criteria(
    confidence=0.99,
    freshness_limit_s=2.0,
    self_test=False,
    maximum=(Limit(metric="error_share", value=0.05), Limit(metric="p99_s", kind="inkan", value=2.0)),
    minimum=(Limit(metric="prints", kind="住民票 写し", value=1000.0),),
)


def one(side: str, metric: str, limit: float, value: float | None, kind: str = "") -> Criterion:
    """The one criterion of a run."""
    criteria = Criteria(**{side: (Limit(metric=metric, kind=kind, value=limit),)})  # type: ignore[arg-type]
    (criterion,) = check(criteria, {(metric, kind): value})
    return criterion


@pytest.mark.parametrize("metric", METRICS)
def test_limit_just_reached_is_met(metric: str) -> None:
    """A limit that is just reached is met; the next number beyond it is what the metric's violation means."""
    known = METRICS[metric]
    for limit in (0.0, 0.05, 1.0, 3.0):
        worse = math.nextafter(limit, math.inf if known.side == "maximum" else -math.inf)
        better = math.nextafter(limit, -math.inf if known.side == "maximum" else math.inf)
        results = [one(known.side, metric, limit, value).result for value in (better, limit, worse)]
        assert results == ["met", "met", known.violated]


def test_only_what_was_done_wrong_breaks_a_run() -> None:
    """A maximum that is exceeded fails the run, except the bound; that and every minimum ask for more to be shown."""
    shown_too_little = {name for name, metric in METRICS.items() if metric.violated == "unknown"}
    assert shown_too_little == {"bound"} | {name for name, metric in METRICS.items() if metric.side == "minimum"}


@given(
    st.sampled_from(["maximum", "minimum"]),
    st.one_of(st.sampled_from(sorted(METRICS)), st.text()),
    st.one_of(st.floats(), st.integers(0, 10)),
    st.one_of(st.none(), st.floats()),
)
def test_met_only_by_a_number_within_the_limit(side: str, metric: str, limit: float, value: float | None) -> None:
    """Only a finite value of a metric of that side, within a finite limit, is met; and what was found can be kept."""
    criterion = one(side, metric, limit, value)
    if criterion.result != "unknown" or criterion.value is not None:
        assert value is not None
        assert math.isfinite(value)
    if criterion.result == "met":
        assert METRICS[metric].side == side
        assert value is not None
        assert math.isfinite(limit)
        assert value <= limit if side == "maximum" else value >= limit
    if math.isfinite(limit) and metric in METRICS:
        assert msgspec.json.decode(msgspec.json.encode(criterion), type=Criterion) == criterion


@pytest.mark.parametrize("limit", [math.nan, math.inf, -math.inf])
def test_limit_that_is_no_number_is_never_met(limit: float) -> None:
    """A limit that leaves everything open, or nothing, is unknown, whatever was found."""
    assert one("maximum", "p95_s", limit, 0.1).result == "unknown"
    assert one("minimum", "exposures", limit, 100.0).result == "unknown"


def test_value_of_another_kind_is_none() -> None:
    """A limit is held against the value of its own kind only; a kind of which nothing came is unknown."""
    metrics = {("p95_s", ""): 0.1, ("p95_s", "inkan"): 0.9, ("exposures", ""): None}
    limits = tuple(Limit(metric="p95_s", kind=kind, value=0.5) for kind in ("", "inkan", "koseki"))
    criteria = Criteria(maximum=limits, minimum=(Limit(metric="exposures", value=0.0),))
    assert [(criterion.kind, criterion.value, criterion.result) for criterion in check(criteria, metrics)] == [
        ("", 0.1, "met"),
        ("inkan", 0.9, "broken"),
        ("koseki", None, "unknown"),
        ("", None, "unknown"),
    ]


@pytest.mark.parametrize(
    ("criterion", "text"),
    [
        (one("maximum", "p95_s", 0.5, 0.82, "inkan"), "p95_s of inkan: 0.82, at most 0.5 is allowed"),
        (one("maximum", "late_starts", 3.0, 12), "late_starts: 12, at most 3 is allowed"),
        (one("maximum", "bound", 0.01, None), "bound: it never got a value, at most 0.01 is allowed"),
        (one("minimum", "exposures", 100.0, 99.0), "exposures: 99, at least 100 is required"),
        (
            one("maximum", "error_share", 0.05, math.nextafter(0.05, 1)),
            "error_share: 0.05000000000000001, at most 0.05 is allowed",
        ),
    ],
)
def test_sentence_tells_found_and_asked(criterion: Criterion, text: str) -> None:
    """A reason says what was found and what was asked for, without rounding one to the other."""
    reason = reason_of(criterion)
    assert reason.text == text
    assert reason.values.get("value") == criterion.value


def test_criteria_come_back_from_run_json() -> None:
    """Criteria that were kept in JSON are the same again, and nothing of them is left out of it."""
    kept = msgspec.json.encode(CRITERIA)
    assert msgspec.json.decode(kept, type=Criteria) == CRITERIA
    assert set(msgspec.json.decode(msgspec.json.encode(Criteria()))) == set(Criteria.__struct_fields__)


@pytest.mark.parametrize("kept", ['{"maximun": []}', '{"maximum": [{"metric": "ok", "value": 1, "kinds": "inkan"}]}'])
def test_unknown_key_in_run_json_is_not_dropped(kept: str) -> None:
    """Criteria of which this version knows only a part are not read at all."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(kept, type=Criteria)
