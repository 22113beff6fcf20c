"""A document says whose it is, by words or by a code."""

import io
import re
import sys

import pytest
import segno
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from harness.fingerprint import UnreadableError
from harness.fingerprint.barcode import Barcodes
from harness.fingerprint.json_mask import JsonValues
from harness.fingerprint.marks import MarkReader
from harness.fingerprint.pdf_text import PdfText
from harness.records import Mark
from tests.harness.fingerprint.pdfs import drawn

PATTERN = r"Employee no\. (?P<person>\w+)"


def shown(*persons: str, page: int = 1, pages: int = 1, kind: str = "") -> tuple[Mark, ...]:
    """A mark of each, on one page."""
    return tuple(Mark(persons=(person,), kind=kind, version=1, page=page, pages=pages) for person in persons)


def test_text() -> None:
    """Every match is a mark, in the order of the text; what matches nobody is none."""
    reader = MarkReader(PATTERN)
    assert reader.read(b"Employee no. E001 and Employee no. E002") == shown("E001", "E002")
    assert reader.read("氏名\xff Employee no. 山田".encode()) == shown("山田")
    assert reader.read(b"Employee no. ") == reader.read(b"\xff\xfe") == ()
    assert not reader.is_slow


def test_kind_and_persons() -> None:
    """A mark may show the kind, and something else in place of the person; whoever is no test person is told, too."""
    reader = MarkReader(r"(?P<kind>\w+) of (?P<person>\w+)", persons={"0815": "E001"})
    assert reader.read(b"payslip of 0815") == shown("E001", kind="payslip")
    assert reader.read(b"payslip of 4711") == shown("4711", kind="payslip")


def test_pages() -> None:
    """Of a PDF each mark has its page."""
    reader = MarkReader(PATTERN, PdfText())
    document = drawn("Employee no. E001", "nothing", "Employee no. E002")
    assert reader.read(document) == shown("E001", page=1, pages=3) + shown("E002", page=3, pages=3)
    assert reader.is_slow
    with pytest.raises(UnreadableError):
        reader.read(b"no PDF")


def test_json() -> None:
    """Of JSON what stands at a path."""
    reader = MarkReader("(?s)(?P<person>.+)", JsonValues("to.id"))
    assert reader.read(b'{"to": {"id": 7}}') == shown("7")
    assert reader.read(b'{"to": {}}') == ()


def picture(text: str, scale: int = 4) -> bytes:
    """A QR code, as PNG."""
    file = io.BytesIO()
    segno.make(text, micro=False).save(file, kind="png", scale=scale)
    return file.getvalue()


def paper(*texts: str) -> bytes:
    """A PDF with a QR code on each page."""
    file = io.BytesIO()
    canvas = Canvas(file)
    for text in texts:
        canvas.drawImage(ImageReader(io.BytesIO(picture(text))), 400, 700, 90, 90)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def test_codes() -> None:
    """QR codes of a picture, and of each page of a PDF."""
    reader = MarkReader("ID:(?P<person>[^;]+)", Barcodes())
    assert reader.read(picture("ID:E001;x")) == shown("E001")
    assert reader.read(paper("ID:E001;", "ID:E002;")) == (
        shown("E001", page=1, pages=2) + shown("E002", page=2, pages=2)
    )
    assert reader.read(drawn("ID:E001;")) == ()
    assert reader.is_slow


@pytest.mark.parametrize("document", [b"", b"text", b"%PDF-1.5", picture("x")[:60], b"BM" + b"\0" * 60])
def test_unreadable_codes(document: bytes) -> None:
    """What is neither a PDF nor a picture cannot be read."""
    with pytest.raises(UnreadableError):
        Barcodes().texts(document)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed what reads codes is told the name of the extra."""
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    with pytest.raises(RuntimeError, match=r"pip install 'misissue\[barcode\]'"):
        Barcodes().texts(picture("x"))


def test_no_pattern() -> None:
    """What is no expression is refused at once."""
    with pytest.raises(re.error):
        MarkReader("(")
