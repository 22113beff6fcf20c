"""Pictures of an incident's two documents, side by side: what was delivered, with the foreign parts marked, and what
would have been right.

    pair = draw_incident(run_directory, incident.nonce, reveal=False)
    for picture in (pair.delivered, pair.right):
        words = language.text(picture.alt_text_key, **picture.alt_text_values)
        if picture.data_uri:
            ... <img src="{picture.data_uri}" width="{picture.width}" height="{picture.height}" alt="{words}">
        elif picture.lines:
            ... one element a line; mark those with is_foreign
        else:
            ... the words are all there is

The words are `pictures.*` of the catalogue; `pictures.how_masked` and `pictures.how_revealed` say how to read the pair.
Marks are drawn already: frames where personal data is revealed, else dark hatched bars among light ones.

Foreign is text that does not stand at that place in the right document, and where there is no such text whatever looks
different. Of PDF files and images the page with most foreign parts is shown; text in UTF-8 line by line; of anything
else, and of what is damaged, size and checksum are told. Only `*_compared` words say how much is foreign: with the
others nothing could be compared, and nothing is known of it.

Nothing personal is in a picture unless `reveal` says so. It is not known what of a document is personal, so everything
is masked but for what is known to be the form's own: of a PDF page words of `harness.report.form_words`, rectangles and
rules are drawn, after everything else has been taken out of it; of text the same words are shown, and of an image
nothing. Bars cover a field or a line whole, so that nothing tells how long a name is. What they do tell is which fields
differ, and so that two persons have another one in common.

The same documents make the same bytes. A picture is at most `harness.report.sheet.LARGEST_BYTES` (as data URI a third
more), which for A4 is one pixel a point or a little less, and takes about 50 ms of CPU. PDFium is no matter for several
threads: whoever has real ones beside gevent draws in one of them only.
"""

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.evidence.ledger import INCIDENT_DIRECTORY
from harness.fingerprint import checksum
from harness.records import Record
from harness.report.form_words import is_form

if TYPE_CHECKING:  # loads PDFium and Pillow, which only whoever draws needs
    from harness.report.sheet import Sheet

MOST_LINES = 60
MOST_CHARACTERS = 120
"""Of a line of text."""
_MASKED_LINE = "████████"
_IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*")
_PDF_WITHIN = 1024  # bytes, as readers of PDF have it

_Format = Literal["pdf", "image", "text", "other"]


class Line(Record, frozen=True, kw_only=True):
    """One line of a text document."""

    text: str
    is_foreign: bool = False


class Mark(Record, frozen=True, kw_only=True):
    """Where a foreign part is marked, in pixels from the upper left corner."""

    left: int
    top: int
    width: int
    height: int


class Picture(Record, frozen=True, kw_only=True):
    """One of the two documents.

    Args:
        alt_text_key, alt_text_values: what is to be seen, in words; of what is no picture all there is.
        data_uri: the picture, of the media type; empty where there is none. width, height: in pixels.
        marks: of the foreign parts, which are in the picture already.
        lines: of a text document, which has no picture; at most `MOST_LINES`.
    """

    alt_text_key: str
    alt_text_values: Mapping[str, str | int] = {}
    media_type: str = ""
    data_uri: str = ""
    width: int = 0
    height: int = 0
    marks: tuple[Mark, ...] = ()
    lines: tuple[Line, ...] = ()


class Pair(Record, frozen=True, kw_only=True):
    """What was delivered, and what would have been right."""

    delivered: Picture
    right: Picture


def draw_incident(directory: Path, nonce: str, *, reveal: bool) -> Pair:
    """The documents of an incident, as far as its run directory has them and they can be read."""
    return draw_pair(
        _read(directory, f"{nonce}.document"),
        _read(directory, f"{nonce}.right.document"),
        reveal=reveal,
    )


def draw_pair(delivered: bytes | None, right: bytes | None, *, reveal: bool) -> Pair:
    """Both documents, None for one that there is not."""
    of_delivered, of_right = _format(delivered), _format(right)
    if of_delivered == of_right:
        one, other = _draw(of_delivered, delivered, right, reveal=reveal)
    else:
        one, _ = _draw(of_delivered, delivered, None, reveal=reveal)
        _, other = _draw(of_right, None, right, reveal=reveal)
    return Pair(
        delivered=one or _in_words(delivered, of_delivered, "pictures.delivered_missing"),
        right=other or _in_words(right, of_right, "pictures.right_missing"),
    )


def _read(directory: Path, name: str) -> bytes | None:
    if Path(name).name != name:  # a name of somebody else's making, that leads elsewhere
        return None
    try:
        return (directory / INCIDENT_DIRECTORY / name).read_bytes()
    except OSError:
        return None


def _format(data: bytes | None) -> _Format:
    if not data:
        return "other"
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if data.startswith(_IMAGES):
        return "image"
    return "text" if _decode(data) else "other"


def _draw(
    format_: _Format, delivered: bytes | None, right: bytes | None, *, reveal: bool
) -> tuple[Picture | None, Picture | None]:
    """Both of one format; None for what cannot be drawn."""
    if format_ == "text":
        lines, right_lines = _lines(delivered), _lines(right)
        return (
            _written(lines, right_lines, reveal=reveal) if lines else None,
            _written(right_lines, [], reveal=reveal) if right_lines else None,
        )
    if format_ == "other":
        return None, None
    from harness.report.drawing import draw_images, draw_pdfs

    draw = draw_pdfs if format_ == "pdf" else draw_images
    one, other = draw(delivered, right, reveal=reveal)
    return _drawn(one), _drawn(other)


def _drawn(sheet: "Sheet | None") -> Picture | None:
    if sheet is None:
        return None
    marks = tuple(
        Mark(left=round(x), top=round(y), width=round(right - x), height=round(low - y))
        for x, y, right, low in sheet.marks
    )
    values: dict[str, str | int] = {"page": sheet.page, "pages": sheet.pages}
    return Picture(
        alt_text_key="pictures.page_compared" if sheet.is_compared else "pictures.page",
        alt_text_values=values | {"marks": len(marks)} if sheet.is_compared else values,
        media_type="image/png",
        data_uri=sheet.data_uri,
        width=sheet.width,
        height=sheet.height,
        marks=marks,
    )


def _decode(data: bytes) -> str:
    """The text of a document, or nothing when it is no text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    is_text = not any(unicodedata.category(one) in {"Cc", "Cn"} and one not in "\t\n\r\f" for one in text)
    return text if is_text else ""


def _lines(data: bytes | None) -> list[str]:
    return _decode(data).splitlines() if data is not None else []


def _written(lines: list[str], right: list[str], *, reveal: bool) -> Picture:
    """Text line by line; nothing is foreign where there is nothing to compare with."""
    foreign = [bool(right) and (number >= len(right) or line != right[number]) for number, line in enumerate(lines)]
    shown = tuple(
        Line(
            text=line[:MOST_CHARACTERS] if reveal or is_form(line) or not line.strip() else _MASKED_LINE,
            is_foreign=is_foreign,
        )
        for line, is_foreign in zip(lines[:MOST_LINES], foreign, strict=False)
    )
    values: dict[str, str | int] = {"lines": len(lines)}
    return Picture(
        alt_text_key="pictures.text_compared" if right else "pictures.text",
        alt_text_values=values | {"marks": sum(foreign)} if right else values,
        lines=shown,
    )


def _in_words(data: bytes | None, format_: _Format, missing: str) -> Picture:
    if data is None:
        return Picture(alt_text_key=missing)
    if not data:
        return Picture(alt_text_key="pictures.empty")
    key = "pictures.other" if format_ == "other" else "pictures.damaged"
    return Picture(alt_text_key=key, alt_text_values={"size_bytes": len(data), "checksum": checksum(data)})
