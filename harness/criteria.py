"""The criteria of the gate: what a run has to keep to, and what it has to show, before it may pass.

They come from a TOML file and from options of the command line, which win. Whatever is not understood is refused before
the run begins; a metric that never got a value is never met. Pure but for reading the one file.
"""

import math
import reprlib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from harness.outcome import Outcome
from harness.reason import Reason, make_reason, plain
from harness.records import Record

Side = Literal["maximum", "minimum"]
Result = Literal["met", "broken", "unknown"]
Metrics = Mapping[tuple[str, str], float | None]
"""(metric, kind) -> value, kind "" for all kinds of documents together; None or absent: it never got a value."""


class CriteriaError(Exception):
    """Raised when criteria cannot be read or are not understood; one line of the message for each thing wrong."""


# A key that a later version wrote and this one does not know must not be dropped: the gate would ask for less.
class Limit(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most or the least that a metric of `METRICS` may be; `kind` of documents, empty for all together."""

    metric: str
    kind: str = ""
    value: float


class Criteria(Record, frozen=True, kw_only=True, omit_defaults=False, forbid_unknown_fields=True):
    """What the verdict is measured by.

    Args:
        confidence: of every bound; at least 0.5 and below 1.
        freshness_limit_s: how long after its synchronisation was acknowledged a newer version may be missing from what
            is handed out, seconds.
        self_test: the planted wrong image must have been caught.
    """

    confidence: float = 0.95
    freshness_limit_s: float = 0.0
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

_NUMBERS = {
    "confidence": Range(text="a number of at least 0.5 and below 1", holds=lambda number: 0.5 <= number < 1),
    # In nanoseconds the upper end still fits into 64 bits.
    "freshness_limit_s": Range(
        text="a number of seconds from 0 to 1000000000", holds=lambda number: 0 <= number <= 1e9
    ),
}
_OTHERS: Mapping[str, tuple[str, tuple[bool, ...]]] = {
    "self_test": ("true or false", (True, False)),
    "completeness": ("true, because a run with incomplete evidence never passes", (True,)),
    "maximum": ("a table of metrics, [maximum]", ()),
    "minimum": ("a table of metrics, [minimum]", ()),
}
_OPTIONS: Mapping[Side, str] = {"maximum": "--max", "minimum": "--min"}


def read_criteria(path: Path) -> Criteria:
    """The criteria of a TOML file.

    Raises:
        CriteriaError: when it cannot be read, or anything in it is not understood; tells all of it at once.
    """
    problems: list[str] = []
    fields: dict[str, Any] = {}
    table = _load(path)
    for side in _OPTIONS:
        if isinstance(table.get(side), dict):
            limits = []
            for metric, kind, value in _flat(table.pop(side)):
                place = ".".join(_name(part) for part in (side, kind, metric) if part is not None)
                with _collecting(f"{path}: {place}", problems):
                    limits.append(_limit(side, metric, kind, value))
            fields[side] = tuple(limits)
    for key, value in table.items():
        with _collecting(f"{path}: {_name(key)}", problems):
            fields[key] = _setting(key, value)
    _raise_any(problems)
    fields.pop("completeness", None)
    return Criteria(**fields)


def add_options(
    criteria: Criteria,
    *,
    maximum: Iterable[str],
    minimum: Iterable[str],
    confidence: float | None = None,
    freshness_limit_s: float | None = None,
    self_test: bool | None = None,
) -> Criteria:
    """The criteria with the options of the command line put over them; None leaves a setting as it is.

    A later limit replaces an earlier one of the same metric and kind.

    Args:
        maximum: texts METRIC=VALUE or METRIC:KIND=VALUE, as given to --max; minimum: to --min.

    Raises:
        CriteriaError: when an option is not understood; tells all of them at once.
    """
    problems: list[str] = []
    fields: dict[str, Any] = {}
    settings = {"confidence": confidence, "freshness_limit_s": freshness_limit_s, "self_test": self_test}
    for key, value in settings.items():
        if value is not None:
            with _collecting(f"--{key.removesuffix('_s').replace('_', '-')}", problems):
                fields[key] = _setting(key, value)
    before: Mapping[Side, tuple[Limit, ...]] = {"maximum": criteria.maximum, "minimum": criteria.minimum}
    texts: Mapping[Side, Iterable[str]] = {"maximum": maximum, "minimum": minimum}
    for side, option in _OPTIONS.items():
        limits = {(limit.metric, limit.kind): limit for limit in before[side]}
        for text in texts[side]:
            with _collecting(f"{option} {_name(text)}", problems):
                limit = _limit(side, *_parse(text))
                limits[limit.metric, limit.kind] = limit
        fields[side] = tuple(limits.values())
    _raise_any(problems)
    return replace(criteria, **fields)


def check(criteria: Criteria, metrics: Metrics) -> tuple[Criterion, ...]:
    """Each limit beside its value: the maxima, then the minima, in their order. A limit just reached is met."""
    return (
        *(_criterion("maximum", limit, metrics) for limit in criteria.maximum),
        *(_criterion("minimum", limit, metrics) for limit in criteria.minimum),
    )


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


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise CriteriaError(f"{path}: cannot be read: {error.strerror}; name a TOML file of criteria") from error
    except UnicodeDecodeError as error:
        raise CriteriaError(f"{path}: byte {error.start} is not UTF-8, in which TOML is written") from error
    except RecursionError as error:
        raise CriteriaError(f"{path}: is nested too deeply; right are tables of numbers") from error
    except ValueError as error:  # beside TOMLDecodeError, what a number of thousands of digits raises
        raise CriteriaError(f"{path}: is not TOML: {error}") from error


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, str | None, object]]:
    """(metric, kind or None, value) of a table of limits; a table in it that is named like no metric is a kind's."""
    for name, value in table.items():
        if isinstance(value, dict) and name not in METRICS:
            yield from ((metric, name, number) for metric, number in value.items())
        else:
            yield name, None, value


def _parse(text: str) -> tuple[str, str | None, object]:
    """(metric, kind or None, value) of METRIC=VALUE or METRIC:KIND=VALUE."""
    name, equals, number = text.rpartition("=")
    if not equals:
        raise CriteriaError('found no "=", right is METRIC=VALUE or METRIC:KIND=VALUE')
    metric, colon, kind = name.partition(":")
    value: object = number
    with suppress(ValueError):
        value = float(number)
    return metric, kind if colon else None, value


def _limit(side: Side, metric: str, kind: str | None, value: object) -> Limit:
    known = METRICS.get(metric)
    if known is None:
        names = [name for name, other in METRICS.items() if other.side == side]
        raise CriteriaError(f"no such metric, {_nearest(metric, names)}")
    if known.side != side:
        raise CriteriaError(f"{metric} has a {known.side} only, right is [{known.side}] or {_OPTIONS[known.side]}")
    if kind is not None and not known.per_kind:
        raise CriteriaError(f"found the kind {_name(kind)}, right is {metric} of all kinds together")
    # One line each is what reasons are read as, and a lone surrogate could not be kept in run.json.
    if kind is not None and not (kind and kind.isprintable()):
        raise CriteriaError(f"found the kind {_name(kind)}, right is a name of printable characters")
    try:
        return Limit(metric=metric, kind=kind or "", value=_number(value, known.right))
    except CriteriaError as error:
        raise CriteriaError(f"{error} ({known.meaning})") from error


def _setting(key: str, value: object) -> float | bool:
    if key in _NUMBERS:
        return _number(value, _NUMBERS[key])
    if key not in _OTHERS:
        raise CriteriaError(f"no such key, {_nearest(key, [*_NUMBERS, *_OTHERS])}")
    text, right = _OTHERS[key]
    if isinstance(value, bool) and value in right:
        return value
    raise CriteriaError(f"found {_shown(value)}, right is {text}")


def _number(value: object, right: Range) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
            if math.isfinite(number) and right.holds(number):
                return number
    raise CriteriaError(f"found {_shown(value)}, right is {right.text}")


def _nearest(name: str, names: list[str]) -> str:
    near = get_close_matches(name.casefold(), names, 1)
    return f"the nearest is {near[0]}" if near else f"right is one of {', '.join(names)}"


def _shown(value: object) -> str:
    """A value as TOML writes it, in one short line."""
    match value:
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > 64:
            return "an integer of more than 64 bits"  # Python may refuse to write it
        case int() | float():
            return plain(value)
        case str():
            return f"the text {reprlib.repr(value)}"
        case _:
            return {"dict": "a table", "list": "a list"}.get(type(value).__name__, f"a {type(value).__name__}")


def _name(text: str) -> str:
    return text if text and text.isprintable() else repr(text)


@contextmanager
def _collecting(place: str, problems: list[str]) -> Iterator[None]:
    try:
        yield
    except CriteriaError as error:
        problems.append(f"{place}: {error}")


def _raise_any(problems: list[str]) -> None:
    if problems:
        raise CriteriaError("\n".join(problems))
