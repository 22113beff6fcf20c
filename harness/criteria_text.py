"""The criteria of the gate as people write them: in a TOML file, and as options of the command line, which win.

Whatever is not understood is refused before the run begins, all of it at once. Pure but for reading the one file.
"""

import math
import reprlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from harness.criteria import LONGEST_FRESHNESS_S, METRICS, Criteria, Limit, Range, Side
from harness.reason import plain


class CriteriaError(Exception):
    """Raised when criteria cannot be read or are not understood; one line of the message for each thing wrong."""


_NUMBERS = {
    "confidence": Range(text="a number of at least 0.5 and below 1", holds=lambda number: 0.5 <= number < 1),
    "freshness_limit_s": Range(
        text=f"a number of seconds from 0 to {LONGEST_FRESHNESS_S:.0f}",
        holds=lambda number: 0 <= number <= LONGEST_FRESHNESS_S,
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
