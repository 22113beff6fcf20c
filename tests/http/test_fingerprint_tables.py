# ruff: noqa: E501 - a table of cases is read by its lines
"""How documents are told apart stands in target.toml, and whatever is wrong with that is told with its cure."""

import sys
from pathlib import Path

import pytest

from harness.fingerprint import Fingerprint
from harness.records import Mark
from harness.target import TargetError
from targets.http.description import Source
from targets.http.target import HttpTarget
from tests.http.conftest import VALID, describe

TABLE = """
[fingerprint]
of = "bytes"
masks = [
  { text = 'Printed at (?P<varies>\\S+)' },
  { pdf = "metadata" },
]

[fingerprint.marks]
in = "text"
person = 'Employee no\\. (?P<person>\\w+)'
"""
LINES = len(VALID.splitlines()) + 1
"""Those before the table."""


def swapped(old: str, new: str) -> str:
    """The table with something in place of something else."""
    assert old in TABLE
    return TABLE.replace(old, new, 1)


def at(number: int) -> str:
    """How a complaint about a line of the table begins."""
    return f"target.toml:{LINES + number}: "


WRONG = [
    (swapped('"metadata"', '"data"'), f"{at(5)}fingerprint.masks.1.pdf: found 'data', right is: input should be 'metadata'"),
    (swapped("{ text", "{ txt"), f"{at(4)}fingerprint.masks.0.txt: no such key, the nearest is text"),
    (swapped("\\S+)'", "\\S+'"), f"{at(4)}fingerprint.masks.0.text: is no regular expression: missing ), "),
    (swapped("pdf =", "page = 1, pdf ="), f"{at(5)}fingerprint.masks.1: found one of page and rectangle_mm, right is both"),
    (swapped('pdf = "metadata"', "page = 1"), f"{at(5)}fingerprint.masks.1: found none, right is exactly one of text, json, "),
    (swapped('pdf = "metadata"', "page = 0, rectangle_mm = [0, 0, 1, 1]"), f"{at(5)}fingerprint.masks.1.page: found 0, "),
    (swapped('pdf = "metadata"', "page = 1, rectangle_mm = [0, 1]"), f"{at(5)}fingerprint.masks.1.rectangle_mm: found [0, 1], "),
    (swapped('pdf = "metadata"', "page = 1, rectangle_mm = [0, 0, 9, 0]"), "right is a width and a height above 0"),
    (swapped('"bytes"', '"pdf_text"'), f'{at(1)}fingerprint: masks: found pdf, which of = "pdf_text" has no use for; right is of = "bytes"'),
    (swapped('"bytes"', '"pixel"'), f"{at(2)}fingerprint.of: found 'pixel', right is: input should be 'bytes', "),
    (swapped('of = "bytes"', "dpi = 90"), 'fingerprint: dpi: found 90, which of = "bytes" has no use for; right is of = "pixels"'),
    (swapped("(?P<person>", "("), f"{at(8)}fingerprint.marks: person: found 'Employee no"),
    (swapped("\\w+)'", "\\w+'"), f"{at(8)}fingerprint.marks: person: is no regular expression: "),
    (swapped('in = "text"', 'in = "txt"'), f"{at(9)}fingerprint.marks.in: found 'txt', right is: input should be 'text', "),
    (swapped('in = "text"\n', ""), f"{at(8)}fingerprint.marks.in: is missing"),
    (swapped('in = "text"', 'in = "text"\nby = "number"'), f"{at(10)}fingerprint.marks.by: found number, right is a column of the people: other"),
    (swapped('in = "text"', 'in = "text"\nby = "other"'), f"{at(10)}fingerprint.marks.by: P001 and P002 have the same other; right is one that tells them apart"),
    ("[fingerprint]\nmask = []\n", "fingerprint.mask: no such key, the nearest is mask"),
    ("\n[[fingerprint.masks]]\ntext = 'a'\n\n[[fingerprint.masks]]\ntext = '('\n", f"{at(4)}fingerprint.masks.1.text: is no regular"),
    ("\n[fingerprint]\nmasks = [{ text = 'a' }, { text = '(' }]\n", f"{at(2)}fingerprint.masks.1.text: is no regular"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "said"), WRONG, ids=[said for _, said in WRONG])
def test_wrong(tmp_path: Path, table: str, said: str) -> None:
    """Each names the line and the key, what was found, and what would be right."""
    path = describe(tmp_path, VALID + table, "person,other\nP001,1\nP002,1\n")
    with pytest.raises(TargetError) as raised:
        Source(path)
    lines = [line.removeprefix(f"{tmp_path}/") for line in str(raised.value).splitlines()]
    assert any(said in line for line in lines), lines
    assert all(line.startswith("target.toml:") for line in lines), lines


def test_nobody_in_a_column(tmp_path: Path) -> None:
    """A column that is to tell people apart has to have something for everybody."""
    table = swapped('in = "text"', 'in = "text"\nby = "other"')
    with pytest.raises(TargetError, match=r"fingerprint\.marks\.by: P002 has no other; right is one for each person"):
        Source(describe(tmp_path, VALID + table, "person,other\nP001,1\nP002,\n"))


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants codes to be read and has not installed what reads them is told the name of the extra."""
    path = describe(tmp_path, VALID + swapped('in = "text"', 'in = "barcode"'))
    assert Source(path)
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    with pytest.raises(
        TargetError, match=r"fingerprint\.marks\.in: found barcode, .* pip install 'misissue\[barcode\]'"
    ):
        Source(path)


def fingerprint(directory: Path, table: str, people: str | None = None) -> Fingerprint:
    """What a target makes of the table."""
    return HttpTarget({"file": str(describe(directory, VALID + table, people))}).fingerprint


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("", "xxh3_128"),
        (TABLE, "xxh3_128 of text 'Printed at (?P<varies>\\\\S+)', pdf metadata"),
        ('\n[fingerprint]\nof = "json"\n', "xxh3_128 of json"),
        ('\n[fingerprint]\nof = "text"\n', "xxh3_128 of utf-8"),
        ('\n[fingerprint]\nof = "pixels"\n', "xxh3_128 of pixels with forms 100dpi"),
        (
            '\n[fingerprint]\nof = "pixels"\ndpi = 50\nmasks = [{ page = 2, rectangle_mm = [1, 2.5, 3.0, 4.0] }]\n',
            "xxh3_128 of pixels with forms 50dpi without 2:1.0:2.5:3.0:4.0mm",
        ),
        ('\n[fingerprint]\nof = "pdf_text"\nmasks = [{ text = "a" }]\n', "xxh3_128 of pdf text with forms, text 'a'"),
        (
            '\n[fingerprint]\nmasks = [{ json = "a" }, { text = "x" }, { json = "b.*" }]\n',
            "xxh3_128 of json 'a' 'b.*', text 'x'",
        ),
    ],
)
def test_masks(tmp_path: Path, table: str, name: str) -> None:
    """The masks in their order; all paths of JSON at once, for the document is read once."""
    assert fingerprint(tmp_path, table).name == name


@pytest.mark.parametrize(
    ("marks", "document", "person"),
    [
        ("in = \"text\"\nperson = 'no (?P<person>.+)'", b"no 17", "17"),
        ('in = "text"\nperson = \'no (?P<person>.+)\'\nby = "number"', b"no 17", "P001"),
        ('in = "text"\nperson = \'no (?P<person>.+)\'\nby = "person"', b"no P001", "P001"),
        ('in = "json"\nperson = "to.0.id"\nby = "number"', b'{"to": [{"id": 17}]}', "P001"),
    ],
)
def test_marks(tmp_path: Path, marks: str, document: bytes, person: str) -> None:
    """A target tells whose document it is, by a column of the people where the document shows that."""
    table = f"\n[fingerprint.marks]\n{marks}\n"
    target = HttpTarget({"file": str(describe(tmp_path, VALID + table, "person,number\nP001,17\nP002,18\n"))})
    assert target.marks(document) == (Mark(persons=(person,), kind="", version=1, page=1, pages=1),)
    assert target.marks(b"\xff") == ()
