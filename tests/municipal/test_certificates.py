"""Certificates: a pure function of their data, with Japanese that is really visible and a mark on every page."""

import os
import subprocess
import sys

import msgspec
import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reportlab.pdfbase.ttfonts import TTFontFace

from harness.records import Mark
from targets.municipal.certificates import FONT_FILE, KINDS, read_marks, render
from targets.municipal.people import Person, glyphs, population

ISSUED = "2023-04-30"
BOTH = ("household", "my_number")
PAPERS: list[tuple[str, tuple[str, ...], int, int]] = [
    ("juminhyo", (), 1, 1),
    ("juminhyo", ("my_number",), 1, 1),
    ("juminhyo", ("household",), 1, 1),
    ("juminhyo", ("household",), 5, 1),
    ("juminhyo", BOTH, 6, 2),
    ("juminhyo", BOTH, 8, 2),
    ("inkan", (), 1, 1),
    ("koseki", (), 1, 3),
    ("zei", (), 1, 1),
]
"""Kind, options, people on the paper, pages."""

OTHER_PROCESS = """
import sys
from targets.municipal.certificates import render
from targets.municipal.people import population
one = next(one for one in population(7, 20) if one.seal)
for kind in ("juminhyo", "inkan", "koseki", "zei"):
    options = ("my_number", "household") if kind == "juminhyo" else ()
    sys.stdout.buffer.write(render(kind, [one], options, issue_date="2023-04-30"))
"""


def some_people(count: int) -> list[Person]:
    """People with seals, all at version 3; a certificate does not look at whether they are one household."""
    sealed = [one for one in population(7, 20) if one.seal is not None]
    return [msgspec.structs.replace(one, version=3) for one in sealed[:count]]


def changed(person: Person, /, **fields: object) -> Person:
    """The person with other values."""
    return msgspec.structs.replace(person, **fields)


def picture(document: bytes) -> npt.NDArray[np.uint8]:
    """The pages below one another as grey pixels, 0 black to 255 white, two a point, the top line first."""
    with pypdfium2.PdfDocument(document) as pdf:
        return np.vstack([page.render(scale=2, grayscale=True).to_numpy() for page in pdf])


def texts(document: bytes) -> list[str]:
    """The text of each page."""
    with pypdfium2.PdfDocument(document) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]


def test_bytes_are_the_same_in_every_process() -> None:
    """A certificate is the same byte for byte in processes with different hash seeds."""
    first, second = (
        subprocess.run(
            [sys.executable, "-c", OTHER_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in ("1", "2")
    )
    assert first.count(b"%%EOF") == len(KINDS)
    assert first == second


def test_bytes_do_not_depend_on_what_was_rendered_before() -> None:
    """A certificate is the same whatever the process printed before it."""
    one, other = some_people(2)
    before = render("juminhyo", [one], issue_date=ISSUED)
    render("koseki", [other], issue_date=ISSUED)
    assert render("juminhyo", [one], issue_date=ISSUED) == before


def test_each_argument_shows_in_the_bytes() -> None:
    """Another person, kind, option, version or date gives other bytes."""
    one, other = some_people(2)
    papers = [render(kind, [one], issue_date=ISSUED) for kind in KINDS]
    papers += [render(kind, [other], issue_date=ISSUED) for kind in KINDS]
    papers += [render(kind, [changed(one, version=4)], issue_date=ISSUED) for kind in KINDS]
    papers += [render(kind, [one], issue_date="2023-05-01") for kind in KINDS]
    papers += [
        render("juminhyo", [one], options, issue_date=ISSUED) for options in (("household",), ("my_number",), BOTH)
    ]
    papers += [render("juminhyo", [one, other], ("household",), issue_date=ISSUED)]
    papers += [render("juminhyo", [other, one], ("household",), issue_date=ISSUED)]
    assert len(set(papers)) == len(papers)


def test_order_of_options_does_not_matter() -> None:
    """Options are a set: their order changes no byte."""
    people = some_people(2)
    assert render("juminhyo", people, BOTH, issue_date=ISSUED) == render(
        "juminhyo", people, BOTH[::-1], issue_date=ISSUED
    )


@pytest.mark.parametrize(
    ("kind", "options", "fields"),
    [
        ("juminhyo", (), {"name": "見本　花子"}),
        ("juminhyo", (), {"kana": "ミホン　ハナコ"}),
        ("juminhyo", (), {"birth": "1999-12-31"}),
        ("juminhyo", (), {"sex": "女"}),
        ("juminhyo", (), {"address": "見本県見本市川町"}),
        ("juminhyo", (), {"householder": "見本　花子"}),
        ("juminhyo", (), {"relation": "子"}),
        ("juminhyo", (), {"honseki": "見本県見本市川町"}),
        ("juminhyo", (), {"head_of_register": "見本　花子"}),
        ("juminhyo", (), {"resident_since": "1999-12-31"}),
        ("juminhyo", (), {"status": "dead"}),
        ("juminhyo", ("my_number",), {"my_number": "000000000001"}),
        ("inkan", (), {"seal": "999999"}),
        ("inkan", (), {"address": "見本県見本市川町"}),
        ("koseki", (), {"honseki": "見本県見本市川町"}),
        ("koseki", (), {"birth": "1999-12-31"}),
        ("zei", (), {"income_yen": 1}),
        ("zei", (), {"tax_yen": 1}),
    ],
)
def test_each_field_is_on_the_picture(kind: str, options: tuple[str, ...], fields: dict[str, object]) -> None:
    """A changed field of the record is seen on the paper, not only in its mark."""
    one = changed(some_people(1)[0], sex="男", relation="世帯主")
    before = picture(render(kind, [one], options, issue_date=ISSUED))
    after = picture(render(kind, [changed(one, **fields)], options, issue_date=ISSUED))
    assert (before != after).any()


@pytest.mark.parametrize("kind", KINDS)
def test_name_is_really_visible(kind: str) -> None:
    """Where the names of two persons differ both are printed in black, and less is there when the name is empty."""
    one = some_people(1)[0]
    pictures = [
        picture(render(kind, [changed(one, name=name)], issue_date=ISSUED)) for name in ("森　花", "高橋　光太郎", "　")
    ]
    lines, columns = np.nonzero(pictures[0] != pictures[1])
    area = (slice(lines.min(), lines.max() + 1), slice(columns.min(), columns.max() + 1))
    short, long, empty = (int((pixels[area] < 100).sum()) for pixels in pictures)
    assert empty + 100 < short < long


def test_every_glyph_has_an_outline() -> None:
    """The font holds every character that can be printed, none of them blank but the spaces."""
    face = TTFontFace(FONT_FILE)
    missing = [one for one in glyphs() if ord(one) not in face.charToGlyph]
    assert not missing
    numbers = [face.charToGlyph[ord(one)] for one in glyphs() if not one.isspace()]
    assert all(face.glyphPos[number] < face.glyphPos[number + 1] for number in numbers)


@pytest.mark.parametrize(("kind", "options", "count", "pages"), PAPERS)
def test_every_page_says_what_it_is(kind: str, options: tuple[str, ...], count: int, pages: int) -> None:
    """Each page carries its mark in order and 見本, and nine tenths of the file are enough to find all marks."""
    people = some_people(count)
    document = render(kind, people, options, issue_date=ISSUED)
    marks = tuple(
        Mark(
            persons=tuple(one.person for one in people),
            kind=kind,
            options=options,
            version=3,
            page=page,
            pages=pages,
        )
        for page in range(1, pages + 1)
    )
    assert read_marks(document) == marks
    assert read_marks(document[: len(document) * 9 // 10]) == marks
    pages_of_text = texts(document)
    assert len(pages_of_text) == pages
    assert all("見本　試験用の架空の証明書" in text for text in pages_of_text)
    assert all(one.name in "".join(pages_of_text) for one in people)
    assert 15_000 < len(document) < 80_000


@pytest.mark.parametrize("options", [(), ("household",), ("my_number",), BOTH])
def test_my_number_is_printed_on_demand_only(options: tuple[str, ...]) -> None:
    """The My Numbers are on the paper with "my_number", and nowhere without."""
    people = some_people(3 if "household" in options else 1)
    text = "".join(texts(render("juminhyo", people, options, issue_date=ISSUED)))
    assert [one.my_number in text for one in people] == ["my_number" in options] * len(people)


@pytest.mark.parametrize(
    ("kind", "options", "count", "fields", "message"),
    [
        ("kisai", (), 1, {}, "kind 'kisai' is none of"),
        ("inkan", ("my_number",), 1, {}, "inkan takes"),
        ("juminhyo", ("colour",), 1, {}, "juminhyo takes"),
        ("juminhyo", ("household", "household"), 1, {}, "at most once"),
        ("juminhyo", (), 2, {}, "only a household"),
        ("koseki", (), 0, {}, "only a household"),
        ("juminhyo", ("household",), 2, {"version": 9}, "more than one version"),
        ("inkan", (), 1, {"seal": None}, "no registered seal"),
        ("zei", (), 1, {"name": "鷗外"}, "no glyph"),
        ("zei", (), 1, {"person": "P 1"}, "identity mark"),
        ("zei", (), 1, {"birth": "soon"}, "isoformat"),
    ],
)
def test_what_cannot_be_certified_is_refused(
    kind: str, options: tuple[str, ...], count: int, fields: dict[str, object], message: str
) -> None:
    """A wrong kind, option, number of people, version, seal, character, id or date raises ValueError."""
    people = some_people(count)
    people[:1] = [changed(one, **fields) for one in people[:1]]
    with pytest.raises(ValueError, match=message):
        render(kind, people, options, issue_date=ISSUED)


@example(b"(MISISSUE persons=P1 kind=zei options= version=" + b"9" * 5000 + b" page=1/1) Tj")
@given(
    st.binary()
    | st.lists(
        st.sampled_from(
            [b"(MISISSUE persons=P1", b" kind=zei", b" options=", b" version=", b"9" * 5000, b" page=1/1) Tj", b"\xff"]
        )
    ).map(b"".join)
)
def test_reading_marks_never_raises(garbage: bytes) -> None:
    """Bytes that hold no whole mark give no marks, and never an exception."""
    assert read_marks(garbage) in ((), read_marks(b"(MISISSUE persons=P1 kind=zei options= version=1 page=1/1) Tj"))


def test_broken_mark_is_passed_over() -> None:
    """A mark that was cut in two is ignored, and the whole one behind it is found."""
    whole = b"(MISISSUE persons=P1,P2 kind=zei options=household version=2 page=1/2) Tj"
    found = read_marks(whole[:-5] + b"\n" + whole)
    assert [(one.persons, one.options, one.page, one.pages) for one in found] == [(("P1", "P2"), ("household",), 1, 2)]
