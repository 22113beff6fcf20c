"""Criteria in a file or in options are understood whole or refused whole."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.criteria import METRICS, Criteria, Limit
from harness.criteria_text import CriteriaError, add_options, read_criteria
from harness.outcome import Outcome

WHOLE = """
confidence = 0.99
freshness_limit_s = 2
self_test = false
completeness = true
[maximum]
error_share = 0.05
refused_wrong = 0
bound = 0.01
[maximum.inkan]
p99_s = 2.0
[minimum]
exposures = 100
[minimum."住民票 写し"]
prints = 1_000
"""
READ = Criteria(
    confidence=0.99,
    freshness_limit_s=2.0,
    self_test=False,
    maximum=(
        Limit(metric="error_share", value=0.05),
        Limit(metric="refused_wrong", value=0.0),
        Limit(metric="bound", value=0.01),
        Limit(metric="p99_s", kind="inkan", value=2.0),
    ),
    minimum=(Limit(metric="exposures", value=100.0), Limit(metric="prints", kind="住民票 写し", value=1000.0)),
)
BAD_FILES = [
    ("confidence = 1", ["confidence: found 1, right is a number of at least 0.5 and below 1"]),
    ("confidence = 0.4999", ["confidence: found 0.4999"]),
    ("confidence = true", ["confidence: found true"]),
    ('confidence = "0.95"', ["confidence: found the text '0.95'"]),
    ("freshness_limit_s = -1", ["freshness_limit_s: found -1"]),
    ("freshness_limit_s = inf", ["freshness_limit_s: found inf"]),
    ("freshness_limit_s = 1e9999", ["freshness_limit_s: found inf"]),
    ("self_test = 1", ["self_test: found 1, right is true or false"]),
    ("completeness = false", ["completeness: found false", "a run with incomplete evidence never passes"]),
    ("completeness = 1", ["completeness: found 1, right is true"]),
    ("confidense = 0.95", ["confidense: no such key, the nearest is confidence"]),
    ("p95_s = 1.0", ["p95_s: no such key", "maximum"]),
    ("[maxima]\nok = 1", ["maxima: no such key, the nearest is maximum"]),
    ("maximum = 3", ["maximum: found 3, right is a table"]),
    ("minimum = true", ["minimum: found true, right is a table"]),
    ("[[maximum]]\nok = 1", ["maximum: found a list, right is a table"]),
    ("[maximum]\nLATE_STARTS = 1", ["maximum.LATE_STARTS: no such metric, the nearest is late_starts"]),
    ("[maximum]\nzzzzzz = 1", ["maximum.zzzzzz: no such metric, right is one of wrong_person, "]),
    ("[maximum.inkan]\nerorr_share = 1", ["maximum.inkan.erorr_share: no such metric, the nearest is error_share"]),
    ('[maximum]\n"a\\nb" = 1', ["maximum.'a\\nb': no such metric"]),
    ("[maximum]\nexposures = 1", ["maximum.exposures: exposures has a minimum only, right is [minimum] or --min"]),
    ("[minimum]\nbound = 0.1", ["minimum.bound: bound has a maximum only, right is [maximum] or --max"]),
    ("[maximum.inkan]\nbound = 0.1", ["maximum.inkan.bound: found the kind inkan", "bound of all kinds together"]),
    ("[minimum.inkan]\ncells = 1", ["minimum.inkan.cells: found the kind inkan"]),
    ('[maximum.""]\nok = 1', ["maximum.''.ok: found the kind '', right is a name"]),
    ('[maximum."a\\nb"]\nok = 1', ["maximum.'a\\nb'.ok: found the kind 'a\\nb', right is a name of printable"]),
    ("[maximum]\nerror_share = 1.01", ["maximum.error_share: found 1.01, right is a number from 0 to 1"]),
    ("[maximum]\nerror_share = -0.1", ["maximum.error_share: found -0.1"]),
    ("[maximum]\np95_s = 0", ["maximum.p95_s: found 0, right is a number of seconds above 0", "percentile 95"]),
    ("[maximum]\np95_s = inf", ["maximum.p95_s: found inf"]),
    ("[maximum]\np95_s = nan", ["maximum.p95_s: found nan"]),
    ("[maximum]\np95_s = true", ["maximum.p95_s: found true"]),
    ("[maximum]\np95_s = []", ["maximum.p95_s: found a list"]),
    ("[maximum]\np95_s = 2023-04-30", ["maximum.p95_s: found a date"]),
    ("[maximum.p95_s]\ninkan = 1", ["maximum.p95_s: found a table, right is a number of seconds above 0"]),
    ("[maximum.inkan.p95_s]\na = 1", ["maximum.inkan.p95_s: found a table"]),
    ("[maximum]\nlate_starts = 0.5", ["maximum.late_starts: found 0.5, right is a whole number, 0 or more"]),
    ("[maximum]\nlate_starts = -1", ["maximum.late_starts: found -1"]),
    (f"[maximum]\nresends = 1{'0' * 400}", ["maximum.resends: found an integer of more than 64 bits"]),
    (f"[maximum]\nresends = 0x{'f' * 5000}", ["maximum.resends: found an integer of more than 64 bits"]),
    (f"[maximum]\nresends = {'1' * 5000}", ["is not TOML: "]),
    ("[maximum]\nbound = 0", ["maximum.bound: found 0, right is a number above 0, at most 1"]),
    ("[minimum]\nrate_share = 95", ["minimum.rate_share: found 95, right is a number from 0 to 1"]),
    ("[maximum", ["is not TOML: "]),
    ("[maximum]\nok = 1\nok = 2", ["is not TOML: "]),
    (f"a = {'[' * 5000}", ["is nested too deeply"]),
]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], Criteria]:
    """Reads criteria from a file that holds just this."""

    def written(content: str | bytes) -> Criteria:
        path = tmp_path / "gate.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_criteria(path)

    return written


def options(*maximum: str, minimum: tuple[str, ...] = (), onto: Criteria = READ, **rest: Any) -> Criteria:
    """The criteria with these options."""
    return add_options(onto, maximum=maximum, minimum=minimum, **rest)


def test_file_is_read_whole(read: Callable[[str], Criteria]) -> None:
    """Every key of a file reaches the criteria, with its kind, in its order."""
    assert read(WHOLE) == READ


def test_empty_file_asks_for_what_is_always_asked(read: Callable[[str], Criteria]) -> None:
    """What a file leaves out stays at its default, and the default demands the self-test."""
    assert read("") == Criteria()
    assert Criteria().self_test


@pytest.mark.parametrize(("content", "told"), BAD_FILES)
def test_bad_file_is_refused(read: Callable[[str], Criteria], tmp_path: Path, content: str, told: list[str]) -> None:
    """A file with anything wrong in it is refused in one line: file, key, what was found, what is right."""
    with pytest.raises(CriteriaError) as caught:
        read(content)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path / 'gate.toml'}: {told[0]}")
    assert all(part in line for part in told)


def test_all_errors_of_a_file_are_told_at_once(read: Callable[[str], Criteria]) -> None:
    """Each thing that is wrong in a file has a line of its own."""
    with pytest.raises(CriteriaError) as caught:
        read("confidence = 2\nnew = 1\n[maximum]\nok = -1\ncells = 1\n[maximum.a]\nbound = 1\n[minimum]\nprints = 1.5")
    lines = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert lines == ["maximum.ok", "maximum.cells", "maximum.a.bound", "minimum.prints", "confidence", "new"]


def test_file_that_cannot_be_read_is_refused(read: Callable[[bytes], Criteria], tmp_path: Path) -> None:
    """A file that is missing, a directory or not UTF-8 is refused by name."""
    with pytest.raises(CriteriaError, match=r"none\.toml: cannot be read: No such file"):
        read_criteria(tmp_path / "none.toml")
    with pytest.raises(CriteriaError, match="cannot be read: Is a directory"):
        read_criteria(tmp_path)
    with pytest.raises(CriteriaError, match=r"gate\.toml: byte 12 is not UTF-8"):
        read(b"[maximum]\n# \x8a\xdd = 1")


@pytest.mark.parametrize("outcome", Outcome)
def test_no_misissuance_can_be_allowed(outcome: Outcome) -> None:
    """A maximum can be set for each of the sixteen outcomes, but for a misissuance none other than 0."""
    (limit,) = options(f"{outcome}:inkan=0", onto=Criteria()).maximum
    assert limit == Limit(metric=outcome, kind="inkan", value=0.0)
    if outcome.is_misissue:
        with pytest.raises(
            CriteriaError, match=f"--max {outcome}=1: found 1, right is 0, because a misissuance always"
        ):
            options(f"{outcome}=1")
    else:
        assert options(f"{outcome}=1", onto=Criteria()).maximum == (Limit(metric=outcome, value=1.0),)


def test_option_replaces_limit_of_same_metric_and_kind() -> None:
    """A later option replaces the limit of the same metric and kind, wherever that came from, and no other."""
    criteria = options("bound=0.5", "p99_s:inkan=3", "p99_s=4", "p99_s=5", minimum=("exposures=7", "exposures=8"))
    assert [(limit.metric, limit.kind, limit.value) for limit in criteria.maximum] == [
        ("error_share", "", 0.05),
        ("refused_wrong", "", 0.0),
        ("bound", "", 0.5),
        ("p99_s", "inkan", 3.0),
        ("p99_s", "", 5.0),
    ]
    assert criteria.minimum == (Limit(metric="exposures", value=8.0), READ.minimum[1])


def test_options_replace_settings() -> None:
    """A setting that is given replaces that of the file, also by a false value; one that is not given stays."""
    assert options() == READ
    given = options(onto=Criteria(), confidence=0.8, freshness_limit_s=3.0, self_test=False)
    assert given == Criteria(confidence=0.8, freshness_limit_s=3.0, self_test=False)
    assert options(freshness_limit_s=0.0).freshness_limit_s == 0
    assert options(self_test=True).self_test


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("p95_s", 'found no "=", right is METRIC=VALUE or METRIC:KIND=VALUE'),
        ("", 'found no "="'),
        ("=1", "no such metric"),
        ("p95_s=", "found the text ''"),
        ("p95_s=fast", "found the text 'fast', right is a number of seconds above 0"),
        ("p95_s=nan", "found nan"),
        ("p95_s=inf", "found inf"),
        ("p95_s:=1", "found the kind '', right is a name"),
        ("p95_s:\udc80=1", "found the kind '\\udc80', right is a name"),
        ("p95s=1", "no such metric, the nearest is p95_s"),
        ("cells=1", "cells has a minimum only"),
        ("bound:inkan=1", "found the kind inkan"),
    ],
)
def test_bad_option_is_refused(text: str, told: str) -> None:
    """An option that is not understood is refused in one line that names it as it was given."""
    with pytest.raises(CriteriaError) as caught:
        options(text)
    shown = text if text.isprintable() and text else repr(text)
    assert str(caught.value).startswith(f"--max {shown}: {told}")


def test_all_bad_options_are_told_at_once() -> None:
    """Each option that is wrong has a line of its own."""
    with pytest.raises(CriteriaError) as caught:
        options("a=1", "p95_s=1", minimum=("p95_s=1",), confidence=math.nan, freshness_limit_s=-1.0)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "--confidence",
        "--freshness-limit",
        "--max a=1",
        "--min p95_s=1",
    ]


NAMES = st.one_of(
    st.sampled_from([*METRICS, *Criteria.__struct_fields__, "completeness", "inkan"]), st.text(max_size=4)
)
SCALARS = st.one_of(
    st.sampled_from(["0", "1", "0.5", "0.96", "100", "-1", "nan", "inf", "true", "false", '""', "[]", "1979-05-27"]),
    st.floats().map(repr),
    st.integers().map(str),
)


@st.composite
def tables(draw: st.DrawFn, depth: int = 3) -> str:
    """An inline table of TOML, or a scalar."""
    if not depth or draw(st.booleans()):
        return draw(SCALARS)
    names = draw(st.lists(NAMES, unique=True, max_size=4))
    return "{" + ", ".join(f"{msgspec.json.encode(name).decode()} = {draw(tables(depth - 1))}" for name in names) + "}"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text().map(str.encode), st.binary(), st.lists(st.tuples(NAMES, tables()), max_size=4)))
def test_any_file_is_understood_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | list[tuple[str, str]]
) -> None:
    """Whatever a file holds, it gives criteria that can be kept, or the one error, whose every line names the file."""
    path = tmp_path_factory.getbasetemp() / "fuzz.toml"
    if isinstance(content, list):
        content = b"\n".join(msgspec.json.encode(name) + b" = " + value.encode() for name, value in content)
    path.write_bytes(content)
    lines: list[str] = []
    criteria = Criteria()
    try:
        criteria = read_criteria(path)
    except CriteriaError as error:
        lines = str(error).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    assert msgspec.json.decode(msgspec.json.encode(criteria), type=Criteria) == criteria


@st.composite
def right_limits(draw: st.DrawFn) -> tuple[str, Limit]:
    """A limit that can be asked for, and its side."""
    metric = draw(st.sampled_from(sorted(METRICS)))
    known = METRICS[metric]
    value = draw(st.one_of(st.integers(0, 100).map(float), st.floats(0, 1)).filter(known.right.holds))
    kinds = st.text("a=:. 住'\"\\", min_size=1).filter(lambda kind: kind.isprintable() and kind not in METRICS)
    return known.side, Limit(metric=metric, kind=draw(st.just("") | kinds) if known.per_kind else "", value=value)


@given(st.lists(right_limits(), unique_by=lambda drawn: (drawn[1].metric, drawn[1].kind)))
def test_file_and_options_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, limits: list[tuple[str, Limit]]
) -> None:
    """What can be asked for in a file can be asked for by options, to the last digit, and run.json keeps it."""
    path = tmp_path_factory.getbasetemp() / "same.toml"
    lines = [
        ".".join(msgspec.json.encode(part).decode() for part in (side, limit.kind, limit.metric) if part)
        + f" = {limit.value!r}"
        for side, limit in limits
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    read = read_criteria(path)
    maximum, minimum = (tuple(limit for side, limit in limits if side == of) for of in ("maximum", "minimum"))
    asked = add_options(Criteria(), maximum=as_options(maximum), minimum=as_options(minimum))
    assert asked == Criteria(maximum=maximum, minimum=minimum)
    assert (set(read.maximum), set(read.minimum)) == (set(maximum), set(minimum))
    assert msgspec.json.decode(msgspec.json.encode(read), type=Criteria) == read


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.text(), st.tuples(NAMES, NAMES, SCALARS).map(lambda parts: "{}:{}={}".format(*parts)))))
def test_any_option_is_understood_or_refused(texts: list[str]) -> None:
    """Whatever options are given, they give criteria that can be kept, or the one error."""
    try:
        criteria = options(*texts, minimum=tuple(texts[:1]))
    except CriteriaError:
        return
    assert msgspec.json.decode(msgspec.json.encode(criteria), type=Criteria) == criteria


def as_options(limits: tuple[Limit, ...]) -> list[str]:
    """The limits as they would be given on the command line."""
    return [f"{limit.metric}{limit.kind and ':'}{limit.kind}={limit.value!r}" for limit in limits]
