# ruff: noqa: E501 - a table of cases is read by its lines
"""What is wrong with changes and sync runs in a target.toml is told in one line, with the cure."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.target import TargetError
from targets.http.description import Source
from tests.http.conftest import describe
from tests.http.test_changes import CHANGING, ENDPOINT, LOG
from tests.http.test_description import KEYS, VALUES, mutated, read
from tests.http.test_sync_sources import SQL


def swapped(old: str, new: str, text: str = CHANGING) -> str:
    """A valid file with something in place of something else."""
    assert old in text
    return text.replace(old, new, 1)


FROM = CHANGING + ENDPOINT
LINES = CHANGING + LOG
QUERY = CHANGING + SQL
WRONG = [
    ("a key", swapped("accepted =", "acepted ="), "changes.address.acepted: no such key, the nearest is accepted"),
    ("a key inside", swapped("every_s", "every"), "changes.address.acknowledged.every: no such key, the nearest is every_s"),
    ("no path", swapped('path = "/people/{person}/address"\n', ""), "changes.address.path: is missing"),
    ("a placeholder", swapped("{value}", "{valu}"), "changes.address.json.address: found {valu}, the nearest is {value}"),
    ("a value that is none", swapped("{value}", "{value:street}"), "changes.address.json.address: found {value:street}, "),
    ("nothing new", swapped("{value}", "the same"), "changes.address: lacks {value}; right is to send what is new"),
    ("nobody", swapped("{person}/address", "address"), "changes.address: lacks {person} or a column of the people"),
    ("a nonce", swapped("{change}\"", "{nonce}\""), "changes.address.json.id: found {nonce}, right is one of "),
    ("where to ask", swapped('path = "/changes/{change}", ', ""), "changes.address.acknowledged: found none, right is exactly one of path, location"),
    ("how to ask", swapped("/changes/{change}", "/changes/{chnge}"), "changes.address.acknowledged.path: found {chnge}, the nearest is {change}"),
    ("what is done", swapped('json = { state = "synchronised" }, ', ""), "changes.address.acknowledged: matches every answer"),
    ("a pattern of values", swapped("accepted =", 'values = { street = "Street" }\naccepted ='), "changes.address.values.street: found 'Street', right is: "),
    ("a header", swapped("accepted =", 'headers = { "X Y" = "1" }\naccepted ='), "changes.address.headers.X Y: is no name of a header"),
    ("a source", swapped('"endpoint"', '"somewhere"', FROM), "sync.from: found 'somewhere', right is one of changes, endpoint, log, sql"),
    ("no source", swapped('from = "endpoint"', "", FROM), "sync.from: found None, right is one of changes, endpoint, log, sql"),
    ("no changes", CHANGING[: CHANGING.index("[changes")] + '[sync]\nfrom = "changes"\n', 'sync.from: found "changes", but no change is described'),
    ("a key of a source", swapped('at = "runs"', 'att = "runs"', FROM), "sync.att: no such key, the nearest is at"),
    ("a key of another source", swapped('at = "runs"', 'query = "runs"', FROM), "sync.query: no such key, right is one of "),
    ("a field", swapped("ended", "ended\"\nfinish = \"x", FROM), "sync.fields.finish: no such key, "),
    ("no begin", swapped('begin_at = "started"\n', "", FROM), "sync.fields.begin_at: is missing"),
    ("no end", swapped('applied_at = "applied"\n', "", swapped('end_at = "ended"\n', "", FROM)), "sync.fields: lacks both end_at and applied_at"),
    ("a path of it", swapped('path = "/sync-runs"', 'path = "/{person}"', FROM), "sync.path: found {person}, right is one of "),
    ("a clock", swapped('at = "runs"', "clock_uncertainty_s = -1", FROM), "sync.clock_uncertainty_s: found -1, right is: "),
    ("a zone", swapped('at = "runs"', 'zone = "JST"', FROM), "sync.zone: "),
    ("a group", swapped("?P<applied>", "?P<changes>", LINES), "sync.lines: found the group changes, right is one of sync_run, begin_at"),
    ("no group", swapped("?P<sync_run>", "?:", LINES), "right is the group sync_run and at least one of the others"),
    ("no begin in it", swapped("?P<begin_at>", "?P<acknowledged_at>", LINES), "sync.lines: right are the groups begin_at, and end_at or applied_at"),
    ("a pattern", swapped("(?P<begin_at>", "((?P<begin_at>", LINES), "sync.lines.0: is no regular expression"),
    ("a secret of it", swapped("{secret:DSN}", "{secret:DNS}", QUERY), "sync.dsn: found {secret:DNS}, the nearest is {secret:DSN}"),
    ("a password", swapped("{secret:DSN}", "postgresql://me:word@host/db", QUERY), "sync.dsn: found no secret, right is such as {secret:DSN}"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "said"), WRONG, ids=[what for what, _, _ in WRONG])
def test_wrong(tmp_path: Path, what: str, text: str, said: str) -> None:
    """Each names the file and the key, what was found, and what would be right."""
    with pytest.raises(TargetError) as raised:
        Source(describe(tmp_path, text))
    lines = [line.removeprefix(f"{tmp_path}/") for line in str(raised.value).splitlines()]
    assert any(said in line for line in lines), lines
    assert all(line.startswith("target.toml:") for line in lines), (what, lines)


@pytest.mark.parametrize("text", [CHANGING, CHANGING + '[sync]\nfrom = "changes"\n', FROM, LINES, QUERY])
def test_right(tmp_path: Path, text: str) -> None:
    """The files from which all of the others are made are right."""
    assert Source(describe(tmp_path, text)).description.changes


def test_nobody_can_be_changed(tmp_path: Path) -> None:
    """Where everybody of a group applies by another one, too, no change is known by one group alone."""
    people = "person,group,receives_for\nA,G,\nB,G,A\n"
    with pytest.raises(
        TargetError, match=r"target\.toml:\d+: changes\.address: nobody can be changed, because everybody"
    ):
        Source(describe(tmp_path, CHANGING, people))


MORE_VALUES = [
    *VALUES,
    '{ path = "/{change}", text = "x" }',
    '"{number}"',
    '"+99:99"',
    '["(?P<sync_run>.)(?P<begin_at>.)"]',
]
MORE_KEYS = [*KEYS, "from", "zone", "fields", "lines", "dsn", "acknowledged", "values", "location", "headers"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files(tmp_path: Path, data: st.DataObject) -> None:
    """A valid file in which some things were changed gives nothing but sentences."""
    describe(tmp_path)
    text = data.draw(st.sampled_from([CHANGING, FROM, LINES, QUERY]))
    begin = text.index("[changes")  # what comes before is changed elsewhere
    read(tmp_path, text[:begin] + mutated(data, text[begin:], MORE_VALUES, MORE_KEYS))
