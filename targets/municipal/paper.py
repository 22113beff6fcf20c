"""Draws the pages of a certificate: A4, Japanese text, seals, the copy warning, and a foot that carries a mark.

What stands on the pages is said in `certificates`; here is only how it looks.
"""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from targets.municipal.people import CITY

FONT_FILE: Final = Path(__file__).parent / "fonts" / "NotoSansJP-subset.ttf"

_FONT: Final = "NotoSansJP-subset"
_LEFT, _RIGHT, _MIDDLE = 45.0, 550.0, 297.5
_LABEL_WIDTH: Final = 82.0
_ROW_HEIGHT: Final = 20.0
_BLACK: Final = (0.0, 0.0, 0.0)
_RED: Final = (0.78, 0.12, 0.12)
_RULE: Final = (0.35, 0.35, 0.35)
_LABEL_GROUND: Final = (0.93, 0.95, 0.93)
_COPY_GREY: Final = (0.9, 0.9, 0.9)
_SAMPLE_PINK: Final = (0.98, 0.86, 0.86)
_RENDERING: Final = Lock()
"""Guards the font, whose file position the canvases share while they embed it."""

Row = tuple[tuple[str, str], ...]
"""One or two pairs of (label, value)."""


class Page(NamedTuple):
    """What one page shows."""

    title: str
    tables: Sequence[Sequence[Row]]
    closing: str = ""
    """The attestation, with which the last page ends."""
    imprint: str = ""
    """Characters of the registered seal."""


def draw(title: str, pages: Sequence[Page], marks: Sequence[str], *, issued: str) -> bytes:
    """The pages as a PDF file, byte for byte a pure function of the arguments.

    Args:
        marks: for each page the line of ASCII characters that stands in its foot, as one literal text operator.
        issued: the day of issue as the attestation has it.

    Raises:
        ValueError: for a character for which the font has no glyph.
    """
    buffer = BytesIO()
    with _RENDERING:
        _register_font()
        canvas = Canvas(buffer, pagesize=A4, pageCompression=0, invariant=1, pdfVersion=(1, 4))
        canvas.setTitle(title)
        canvas.beginForm("ground", 0, 0, *A4)
        _draw_ground(canvas)
        canvas.endForm()
        for number, (page, mark) in enumerate(zip(pages, marks, strict=True), start=1):
            # Forms are written ahead of the font, page contents behind it, where a cut would take the mark away.
            form = f"page{number}"
            canvas.beginForm(form, 0, 0, *A4)
            _draw_page(canvas, page, issued)
            _draw_foot(canvas, f"{number} / {len(pages)} 頁", mark)
            canvas.endForm()
            canvas.doForm("ground")
            canvas.doForm(form)
            canvas.showPage()
        canvas.save()
    return buffer.getvalue()


@cache
def _register_font() -> TTFont:
    font = TTFont(_FONT, FONT_FILE, asciiReadable=False)
    pdfmetrics.registerFont(font)
    return font


def _write(canvas: Canvas, x: float, y: float, size: float, text: str, *, spacing: float = 0) -> None:
    """Write Japanese text; x is its left end, or its middle where the text is spaced out."""
    missing = {character for character in text if ord(character) not in _register_font().face.charToGlyph}
    if missing:
        raise ValueError(f"the font has no glyph for {''.join(sorted(missing))!r}")
    canvas.setFont(_FONT, size)
    if spacing:
        canvas.drawCentredString(x, y, text, charSpace=spacing)
    else:
        canvas.drawString(x, y, text)


def _draw_ground(canvas: Canvas) -> None:
    """The copy warning all over the page, and 見本 so large that nobody takes the paper for a real one."""
    canvas.saveState()
    canvas.rotate(30)
    canvas.setFillColorRGB(*_COPY_GREY)
    pattern = canvas.beginText(0, 720)
    pattern.setFont(_FONT, 18, leading=74)
    for line in range(14):
        pattern.textLine("複写　　　" * 10 if line % 2 else "　　複写　" * 10)
    canvas.drawText(pattern)
    canvas.setFillColorRGB(*_SAMPLE_PINK)
    _write(canvas, 290, 190, 150, "見本")
    canvas.restoreState()


def _draw_page(canvas: Canvas, page: Page, issued: str) -> None:
    canvas.setFillColorRGB(*_BLACK)
    _write(canvas, _MIDDLE, 785, 20, page.title, spacing=5)
    top = 762.0
    for rows in page.tables:
        top = _draw_table(canvas, top, rows) - 7
    if page.imprint:
        _draw_imprint(canvas, _MIDDLE, top - 95, page.imprint)
        top -= 190
    if page.closing:
        _write(canvas, _MIDDLE, top - 12, 9, "以下余白", spacing=4)
        _write(canvas, _LEFT, 118, 10, page.closing)
        _write(canvas, _LEFT, 96, 10, issued)
        _write(canvas, 302, 82, 13, f"{CITY}長　見本　太郎")
        _draw_official_seal(canvas, 488, 60)


def _draw_table(canvas: Canvas, top: float, rows: Sequence[Row]) -> float:
    """Draw the rows below one another; returns where the table ends."""
    canvas.setStrokeColorRGB(*_RULE)
    canvas.setLineWidth(0.6)
    for number, row in enumerate(rows):
        low = top - _ROW_HEIGHT * (number + 1)
        for (label, value), left in zip(row, (_LEFT, _MIDDLE), strict=False):
            canvas.setFillColorRGB(*_LABEL_GROUND)
            canvas.rect(left, low, _LABEL_WIDTH, _ROW_HEIGHT, stroke=1, fill=1)
            canvas.setFillColorRGB(*_BLACK)
            _write(canvas, left + 5, low + 6.5, 9, label)
            _write(canvas, left + _LABEL_WIDTH + 6, low + 6, 10.5, value)
        canvas.rect(_LEFT, low, _RIGHT - _LEFT, _ROW_HEIGHT)
    return top - _ROW_HEIGHT * len(rows)


def _draw_imprint(canvas: Canvas, x: float, y: float, surname: str) -> None:
    """A seal of 80 points across in its frame, the surname running down its middle; (x, y) is the middle."""
    canvas.rect(x - 80, y - 80, 160, 160)
    canvas.setStrokeColorRGB(*_BLACK)
    canvas.setLineWidth(2.5)
    canvas.circle(x, y, 40)
    size = min(34.0, 64 / len(surname))
    top = y + size * len(surname) / 2
    for number, character in enumerate(surname, start=1):
        _write(canvas, x - size / 2, top - size * number + size * 0.12, size, character)


def _draw_official_seal(canvas: Canvas, x: float, y: float) -> None:
    """The square seal of the issuing office, read in columns from the right; (x, y) is its lower left corner."""
    canvas.setStrokeColorRGB(*_RED)
    canvas.setFillColorRGB(*_RED)
    canvas.setLineWidth(1.8)
    canvas.rect(x, y, 58, 58)
    for column, characters in enumerate(("之印", "市長", "見本")):
        for row, character in enumerate(characters):
            _write(canvas, x + 3 + 18 * column, y + 34 - 25 * row, 16, character)


def _draw_foot(canvas: Canvas, count: str, mark: str) -> None:
    canvas.setFillColorRGB(*_RED)
    _write(canvas, _LEFT, 36, 9, "見本　試験用の架空の証明書であり、効力はない。")
    canvas.setFillColorRGB(*_BLACK)
    _write(canvas, 511, 36, 9, count)
    canvas.setFont("Courier", 6.5)
    canvas.drawString(_LEFT, 22, mark)
