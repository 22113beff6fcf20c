"""The criteria of the gate: what a run has to keep to, and what it has to show, before it may pass. Pure.

A metric that never got a value is never met.
"""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from harness.outcome import Outcome
from harness.reason import Reason, make_reason
from harness.records import Record

Side = Literal["maximum", "minimum"]
Result = Literal["met", "broken", "unknown"]
Metrics = Mapping[tuple[str, str], float | None]
"""(metric, kind) -> value, kind "" for all kinds of documents together; None or absent: it never got a value."""


LONGEST_FRESHNESS_S = 1e9
"""In nanoseconds it still fits into 64 bits."""


# A key that a later version wrote and this one does not know must not be dropped: the gate would ask for less.
class Limit(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most or the least that a metric of `METRICS` may be; `kind` of documents, empty for all together."""

    metric: str
    kind: str = ""
    value: float


class Criteria(Record, frozen=True, kw_only=True, omit_defaults=False, forbid_unknown_fields=True):
    """What the verdict is measured by.

    Args:
        confidence: of every bound; below 0.5 it would be none.
        freshness_limit_s: how long after its synchronisation was acknowledged a newer version may be missing from what
            is handed out, seconds.
        self_test: the planted wrong image must have been caught.
    """

    confidence: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95
    freshness_limit_s: Annotated[float, Meta(ge=0, le=LONGEST_FRESHNESS_S)] = 0.0
    self_test: bool = True
    maximum: tuple[Limit, ...] = ()
    minimum: tuple[Limit, ...] = ()


class Criterion(Record, frozen=True, kw_only=True):
    """One limit beside what the run showed.

    Args:
        kind: of documents, empty for all together.
        value: None when the metric never got one.
        result: "broken" fails the run; "unknown" leaves it inconclusive.
    """

    side: Side
    metric: str
    kind: str
    limit: float
    value: float | None
    result: Result


class Range(Record, frozen=True, kw_only=True):
    """Which finite numbers are right for a limit or a setting; `text` completes the sentence "right is ..."."""

    text: str
    holds: Callable[[float], bool]


class Metric(Record, frozen=True, kw_only=True):
    """What can be asked for.

    Args:
        meaning: with its unit.
        side: on which a limit makes sense.
        right: limits that can be asked for.
        per_kind: whether it is told for each kind of documents too.
        violated: "broken" when the run did wrong, "unknown" when it only showed too little.
    """

    meaning: str
    side: Side
    right: Range
    per_kind: bool
    violated: Literal["broken", "unknown"]


_COUNT = Range(text="a whole number, 0 or more", holds=lambda number: number >= 0 and number.is_integer())
_NO_MISISSUANCE = Range(text="0, because a misissuance always fails the run", holds=lambda number: number == 0)
_SHARE = Range(text="a number from 0 to 1", holds=lambda number: 0 <= number <= 1)
_CHANCE = Range(text="a number above 0, at most 1", holds=lambda number: 0 < number <= 1)
_SECONDS = Range(text="a number of seconds above 0", holds=lambda number: number > 0)


def _most(meaning: str, right: Range, *, per_kind: bool = False) -> Metric:
    return Metric(meaning=meaning, side="maximum", right=right, per_kind=per_kind, violated="broken")


def _least(meaning: str, right: Range, *, per_kind: bool = False) -> Metric:
    return Metric(meaning=meaning, side="minimum", right=right, per_kind=per_kind, violated="unknown")


METRICS: Mapping[str, Metric] = {
    **{
        outcome.value: _most(
            f"applications that ended as {outcome.value}",
            _NO_MISISSUANCE if outcome.is_misissue else _COUNT,
            per_kind=True,
        )
        for outcome in Outcome
    },
    "error_share": _most("applications that met an error, of all", _SHARE, per_kind=True),
    **{
        f"p{percent}_s": _most(f"percentile {percent} of latency from the intended start", _SECONDS, per_kind=True)
        for percent in (50, 95, 99)
    },
    # It says how much was shown, not what the service did.
    "bound": replace(_most("upper bound on the chance of a misissuance in one exposure", _CHANCE), violated="unknown"),
    "late_starts": _most("applications sent later than planned", _COUNT),
    "resends": _most("attempts that the client sent more than once", _COUNT),
    "may_have_printed": _most("attempts whose answer was not seen whole", _COUNT),
    "exposures": _least("exposures", _COUNT),
    "cells": _least("coverage cells hit", _COUNT),
    "sync_runs": _least("sync runs", _COUNT),
    "prints": _least("documents judged", _COUNT, per_kind=True),
    "rate_share": _least("prints achieved, of those planned", _SHARE),
    "change_rate_share": _least("changes achieved, of those planned", _SHARE),
}


def check(criteria: Criteria, metrics: Metrics) -> tuple[Criterion, ...]:
    """Each limit beside its value: the maxima, then the minima, in their order. A limit just reached is met."""
    return (
        *(_criterion("maximum", limit, metrics) for limit in criteria.maximum),
        *(_criterion("minimum", limit, metrics) for limit in criteria.minimum),
    )


def metric_name(metric: str, kind: str) -> str:
    """A metric of a kind of documents, as on the command line."""
    return f"{metric}:{kind}" if kind else metric


def reason_of(criterion: Criterion) -> Reason:
    """What was found and what was asked for, as a reason of a verdict."""
    found = {} if criterion.value is None else {"value": criterion.value}
    return make_reason(criterion.side, metric=criterion.metric, kind=criterion.kind, limit=criterion.limit, **found)


def _criterion(side: Side, limit: Limit, metrics: Metrics) -> Criterion:
    known = METRICS.get(limit.metric)
    value = metrics.get((limit.metric, limit.kind))
    result: Result = "unknown"
    if value is not None and not math.isfinite(value):
        value = None  # JSON has no such number, and no limit can be held against it
    if value is not None and known is not None and known.side == side and math.isfinite(limit.value):
        met = value <= limit.value if side == "maximum" else value >= limit.value
        result = "met" if met else known.violated
    return Criterion(side=side, metric=limit.metric, kind=limit.kind, limit=limit.value, value=value, result=result)
