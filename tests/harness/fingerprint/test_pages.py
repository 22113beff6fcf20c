"""A PDF by its words, and by what it looks like."""

import pytest

from harness.fingerprint import Fingerprint, UnreadableError
from harness.fingerprint.pdf_text import PdfText
from harness.fingerprint.pdfium import PDFIUM
from harness.fingerprint.pixels import Pixels
from harness.fingerprint.text_mask import TextMask
from tests.harness.fingerprint.pdfs import drawn, filled, pdf

A4_AT_50_DPI = b"414 585\n"  # 210 by 297 mm, whole pixels
MM_PER_POINT = 25.4 / 72


def test_text() -> None:
    """The words of each page, whatever else is different."""
    one, other = drawn("Payslip of E001", "page two"), drawn("Payslip of E001", "page two", at=(90, 600))
    assert PdfText().apply(one) == PdfText().apply(other) == b"Payslip of E001\x0cpage two\x0c"
    assert PdfText().texts(one) == ("Payslip of E001", "page two")
    assert PdfText().apply(one) != PdfText().apply(drawn("Payslip of E002", "page two"))
    assert PdfText().apply(one) != PdfText().apply(drawn("Payslip of E001 page two"))


@pytest.mark.parametrize("is_drawn", [True, False])
def test_forms(is_drawn: bool) -> None:
    """What is filled into a form stands on the page: with somebody else's data in it, it is another document."""
    one, other = (filled(f"Salary of {name}", is_drawn=is_drawn) for name in ("Alice", "Bob"))
    assert PdfText().apply(one) == b"Certificate of E001\r\nSalary of Alice\x0c"
    for mask in (PdfText(), Pixels(dpi=50)):
        assert mask.apply(one) == mask.apply(one)
        assert mask.apply(one) != mask.apply(other)


def test_masked_text() -> None:
    """What varies in the words can be masked further."""
    fingerprint = Fingerprint([PdfText(), TextMask(r"at (?P<varies>\S+)")])
    assert fingerprint.checksum(drawn("E001 at 10:01")) == fingerprint.checksum(drawn("E001 at 10:02"))
    assert fingerprint.checksum(drawn("E001 at 10:01")) != fingerprint.checksum(drawn("E002 at 10:01"))
    assert fingerprint.is_slow


def test_pixels() -> None:
    """What is seen counts: all of it, in grey, with the size of each page; dates that nobody sees do not."""
    one = Pixels(dpi=50).apply(drawn("E001"))
    assert one.startswith(A4_AT_50_DPI)
    assert len(one) == len(A4_AT_50_DPI) + 414 * 585
    assert one == Pixels(dpi=50).apply(drawn("E001"))
    assert one != Pixels(dpi=50).apply(drawn("E002"))
    assert one != Pixels(dpi=50).apply(drawn("E001", at=(101, 700)))
    assert one != Pixels(dpi=50).apply(drawn("E001", ""))
    assert one != Pixels(dpi=51).apply(drawn("E001"))


def test_rectangles() -> None:
    """What lies in a rectangle does not count, on its page alone; measured from the upper left corner."""
    x_mm, y_mm = 100 * MM_PER_POINT, (841.89 - 700) * MM_PER_POINT
    for page, is_same in ((1, True), (2, False)):
        mask = Pixels(dpi=50, rectangles_mm=[(page, x_mm - 1, y_mm - 5, 40.0, 8.0)])
        assert (mask.apply(drawn("E001")) == mask.apply(drawn("E002"))) is is_same
    beside = Pixels(dpi=50, rectangles_mm=[(1, x_mm - 1, y_mm + 5, 40.0, 8.0)])
    assert beside.apply(drawn("E001")) != beside.apply(drawn("E002"))
    everything = Pixels(dpi=50, rectangles_mm=[(1, 0.0, 0.0, 9_999.0, 9_999.0)])
    assert everything.apply(drawn("E001")) == A4_AT_50_DPI + b"\xff" * 414 * 585


@pytest.mark.parametrize("mask", [PdfText(), Pixels(dpi=20)], ids=lambda mask: mask.name)
@pytest.mark.parametrize("document", [b"", b"%PDF-1.5\n", b"<html>", drawn("E001")[:300]], ids=len)
def test_unreadable(mask: PdfText | Pixels, document: bytes) -> None:
    """What is no whole PDF cannot be read, and leaves nothing locked."""
    with pytest.raises(UnreadableError):
        mask.apply(document)
    assert not PDFIUM.locked()


def test_without_words() -> None:
    """Nor can the words of a PDF that has none: anybody's could be like it."""
    with pytest.raises(UnreadableError, match="a PDF without any text"):
        PdfText().apply(drawn(" "))
    assert Pixels(dpi=20).apply(drawn(" "))


def test_too_large() -> None:
    """A page that no memory could hold is not drawn."""
    huge = pdf().replace(b"/MediaBox [0 0 200 200]", b"/MediaBox [0 0 14000 14000]")
    with pytest.raises(UnreadableError, match="page 1 has 116667 times 116667 pixels"):
        Pixels(dpi=600).apply(huge)
