"""What cannot be drawn is told in words, and all that is to be seen is said in words, too."""

import struct
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.report.language import ENGLISH, JAPANESE
from harness.report.pictures import draw_pair
from targets.municipal.certificates import render
from tests.harness.pictures.drawn import RESIDENTS, at, pdf

BASE = b"\x89PNG\r\n\x1a\n"
_WIDTH = 256  # the tag by which a page of a TIFF file says how wide it is
WHOLE = render("koseki", [RESIDENTS[0]], issue_date="2023-04-30")


@pytest.mark.parametrize(
    ("document", "key"),
    [
        pytest.param(b"", "pictures.empty", id="empty"),
        pytest.param(b"\xff\xfe\x00\x01", "pictures.other", id="no text"),
        pytest.param(b"a\x00b", "pictures.other", id="a zero"),
        pytest.param(b"%PDF-1.4\nnothing more", "pictures.damaged", id="cut off"),
        pytest.param(BASE + b"nothing more", "pictures.damaged", id="half an image"),
        pytest.param(b"\xff\xd8\xff\xe0", "pictures.damaged", id="half a photograph"),
    ],
)
def test_in_words(document: bytes, key: str) -> None:
    """Of what cannot be drawn size and checksum are told; two such documents are told side by side like others."""
    for reveal in (True, False):
        pair = draw_pair(document, document, reveal=reveal)
        assert pair.delivered == pair.right
        picture = pair.delivered
        assert (picture.data_uri, picture.lines, picture.alt_text_key) == ("", (), key)
        if document:
            assert picture.alt_text_values["size_bytes"] == len(document)
            assert len(str(picture.alt_text_values["checksum"])) == 32


def test_documents_of_two_formats() -> None:
    """A text in place of a certificate is shown beside it, and not compared with it."""
    pair = draw_pair(b"out of order\n", pdf(at(100, 700, "TARO")), reveal=True)
    assert pair.delivered.alt_text_key == "pictures.text"
    assert pair.right.alt_text_key == "pictures.page"


@settings(deadline=None, max_examples=20)
@given(st.integers(0, len(WHOLE)), st.binary(max_size=8), st.booleans())
def test_damage(place: int, put: bytes, reveal: bool) -> None:
    """Wherever a document is cut off or overwritten, there is a picture or words, and never a failure."""
    for damaged in (WHOLE[:place], WHOLE[:place] + put + WHOLE[place + len(put) :]):
        pair = draw_pair(damaged, WHOLE, reveal=reveal)
        assert pair.delivered.data_uri or pair.delivered.lines or pair.delivered.alt_text_key != "pictures.page"
        assert pair.right.data_uri


def test_damage_of_a_later_page() -> None:
    """An image of which a page behind the first one cannot be read is damaged, and no failure."""
    pages = [Image.new("L", (40, 80), grey) for grey in (250, 200)]
    whole = BytesIO()
    pages[0].save(whole, format="TIFF", save_all=True, append_images=pages[1:])
    damaged = bytearray(whole.getvalue())
    (first,) = struct.unpack_from("<I", damaged, 4)
    (entries,) = struct.unpack_from("<H", damaged, first)
    (second,) = struct.unpack_from("<I", damaged, first + 2 + 12 * entries)
    struct.pack_into("<H", damaged, damaged.index(struct.pack("<H", _WIDTH), second), 0)
    pair = draw_pair(bytes(damaged), whole.getvalue(), reveal=True)
    assert (pair.delivered.alt_text_key, pair.right.alt_text_key) == ("pictures.damaged", "pictures.page")


@pytest.mark.parametrize(
    ("delivered", "right"),
    [
        (None, None),
        (b"", b"text\n"),
        (b"text\n", b"other\n"),
        (b"\0", b"%PDF-"),
        (WHOLE, None),
        (WHOLE, WHOLE),
    ],
    ids=lambda data: str(data)[:12],
)
def test_words(delivered: bytes | None, right: bytes | None) -> None:
    """What is to be seen is said in both languages, with all its values."""
    pair = draw_pair(delivered, right, reveal=False)
    for picture in (pair.delivered, pair.right):
        for language in (ENGLISH, JAPANESE):
            said = language.text(picture.alt_text_key, **picture.alt_text_values)
            assert "{" not in said
            assert all(str(value) in said for value in picture.alt_text_values.values())
