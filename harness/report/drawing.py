"""Draws both documents of an incident for `harness.report.pictures`, with what is foreign marked.

Imported only when a picture is drawn.
"""

import struct
from collections.abc import Sequence
from io import BytesIO
from itertools import islice

from PIL import Image, ImageChops, ImageSequence

from harness.fingerprint.pdfium import PDFIUM
from harness.report.boxes import Box, joined
from harness.report.pdf import Drawing, Pdf, Text, UnreadableError, open_pdf
from harness.report.sheet import Bar, Page, Sheet, make_sheet, scaled

LONGEST_PX = 842
"""Longest side of a picture: one pixel a point for A4, at which the smallest print can just be read."""
_MOST_ENLARGED = 2.0
_MOST_PAGES = 20
_MOST_PIXELS = 50_000_000
_MARGIN = 0.075  # of a page's width
_LARGE_PRINT_PX = 60.0  # higher are only what lies across the whole page
_GRID_PX = 12
_CELL_PX = 24
_LEAST_DIFFERENCE = 32  # of 256 greys
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, Image.DecompressionBombError),
    *(IndexError, TypeError, struct.error),  # of a first page Pillow takes them for the damage that they are
)
"""What Pillow raises of damaged images."""


# ---- PDF ----


def draw_pdfs(delivered: bytes | None, right: bytes | None, *, reveal: bool) -> tuple[Sheet | None, Sheet | None]:
    """Of both the page of which most is foreign in the delivered one; None for what is not there, or damaged.

    Foreign is text that does not stand at that place in the right document; where there is none, what looks different.
    """
    with PDFIUM:
        texts, right_texts = _texts(delivered), _texts(right)
        foreign = _foreign(texts, right_texts)
        differing: list[list[Box]] = [[] for _ in texts]
        if delivered and right and texts and right_texts and not any([*foreign, *_foreign(right_texts, texts)]):
            pages = zip(_whole_pages(delivered), _whole_pages(right), strict=False)
            differing[: len(right_texts)] = [_differing(one, other) for one, other in pages]
        number = max(range(len(texts)), key=lambda one: (len(foreign[one]), len(differing[one])), default=0)
        of_page = (foreign[number], differing[number]) if texts else (set(), [])
        return (
            _draw_pdf(delivered, texts, number, *of_page, is_compared=bool(right_texts), reveal=reveal),
            _draw_pdf(
                right, right_texts, min(number, len(right_texts) - 1), set(), [], is_compared=False, reveal=reveal
            ),
        )


def _texts(data: bytes | None) -> list[list[Text]]:
    """Page by page; no page where nothing can be read."""
    if data is None:
        return []
    try:
        with open_pdf(data) as pdf:
            return [pdf.texts(number) for number in range(min(len(pdf), _MOST_PAGES))]
    except UnreadableError:
        return []


def _whole_pages(data: bytes) -> list[Image.Image]:
    with open_pdf(data, with_fields=True) as pdf:
        return [_draw_page(pdf, number, reveal=True).image for number in range(min(len(pdf), _MOST_PAGES))]


def _foreign(texts: Sequence[Sequence[Text]], right: Sequence[Sequence[Text]]) -> list[set[Text]]:
    """Page by page what does not stand at that place in the right document; nothing where there is none."""
    if not right:
        return [set() for _ in texts]
    standing = [{_at(text) for text in page} for page in right]
    return [
        {text for text in page if number >= len(standing) or _at(text) not in standing[number]}
        for number, page in enumerate(texts)
    ]


def _at(text: Text) -> tuple[str, float, float]:
    return text.text, round(text.box.left, 1), round(text.box.low, 1)


def _draw_pdf(
    data: bytes | None,
    texts: Sequence[Sequence[Text]],
    number: int,
    foreign: set[Text],
    differing: Sequence[Box],
    *,
    is_compared: bool,
    reveal: bool,
) -> Sheet | None:
    if data is None or not texts:
        return None
    try:
        with open_pdf(data, with_fields=reveal) as pdf:
            page = _page(_draw_page(pdf, number, reveal=reveal), texts[number], foreign, differing, reveal=reveal)
            return make_sheet(page, number + 1, len(pdf), is_compared=is_compared)
    except UnreadableError:
        return None


def _draw_page(pdf: Pdf, number: int, *, reveal: bool) -> Drawing:
    return pdf.draw(number, min(LONGEST_PX / pdf.longest_side(number), _MOST_ENLARGED), whole=reveal)


def _page(
    drawing: Drawing, texts: Sequence[Text], foreign: set[Text], differing: Sequence[Box], *, reveal: bool
) -> Page:
    placed = [Bar(drawing.place(text.box), text in foreign) for text in texts if not text.is_form]
    if reveal:
        return Page(drawing.image, frames=[*joined(bar.box for bar in placed if bar.is_foreign), *differing])
    words = [drawing.place(text.box) for text in texts if text.is_form]
    things = [Bar(box.on_grid(_GRID_PX), False) for box in drawing.left_out]
    return Page(drawing.image, [*things, *_bars(drawing, placed, words), *_whole_lines(drawing.image, differing)])


def _whole_lines(image: Image.Image, differing: Sequence[Box]) -> list[Bar]:
    """In which lines something differs, and not where."""
    lines = {Box(0, box.low, image.width, box.high) for box in differing}
    return [Bar(line, is_foreign=True) for line in sorted(lines)]


def _bars(drawing: Drawing, masked: Sequence[Bar], words: Sequence[Box]) -> list[Bar]:
    """What stands for text that is masked; it tells neither how long the text is nor where in its field it stands.

    A text is covered with the smallest rectangle of the form around it, else with its line from margin to margin. What
    is left out of that are words of the form, and the other rectangles.
    """
    width, height = drawing.image.size
    fields = [box for box in drawing.rules if box.height <= height / 4]
    areas: dict[Box, list[Bar]] = {}
    for text in masked:
        around = [box for box in fields if box.holds(text.box)]
        line = Box(width * _MARGIN, text.box.low, width * (1 - _MARGIN), text.box.high)
        areas.setdefault(min(around, key=lambda box: (box.area, box), default=line), []).append(text)
    islands = [box.wider(3) for box in words if box.height <= _LARGE_PRINT_PX]
    found = []
    for area, texts in areas.items():
        is_field = area in fields
        inner = area.wider(-3) if is_field else area
        others = [box for box in fields if not is_field or (box.area, box) < (area.area, area)]
        beside = sorted(box for box in [*islands, *others] if min(box.high, inner.high) - max(box.low, inner.low) > 1)
        left = inner.left
        for box in [*beside, Box(inner.right, 0, inner.right, 0)]:
            part = Box(left, inner.low, min(box.left, inner.right), inner.high)
            if part.width >= 6:
                is_foreign = any(text.is_foreign and text.box.meets(part) for text in texts)
                found.append(Bar(part, is_foreign))
            left = max(left, box.right)
    return found


# ---- images ----


def draw_images(delivered: bytes | None, right: bytes | None, *, reveal: bool) -> tuple[Sheet | None, Sheet | None]:
    """Of both the page that differs most, or None; only images of one size and number of pages can be compared.

    What is where on an image is not known, so of a masked one nothing is shown but its outline, and in which lines it
    differs.
    """
    pages, right_pages = _open_image(delivered), _open_image(right)
    is_compared = [page.size for page in pages] == [page.size for page in right_pages]
    differing = [_differing(*both) for both in zip(pages, right_pages, strict=True)] if is_compared else [[]]
    number = max(range(len(differing)), key=lambda one: len(differing[one]), default=0)
    return (
        _draw_image(pages, number, differing[number] if pages else [], is_compared=is_compared, reveal=reveal),
        _draw_image(right_pages, number, [], is_compared=False, reveal=reveal),
    )


def _open_image(data: bytes | None) -> list[Image.Image]:
    """Its pages, on white paper and in the size of a picture; none of what is damaged."""
    if data is None:
        return []
    try:
        image = Image.open(BytesIO(data), formats=("PNG", "JPEG", "TIFF"))
        return [_on_paper(page) for page in islice(ImageSequence.Iterator(image), _MOST_PAGES)]
    except _DAMAGED:
        return []


def _on_paper(image: Image.Image) -> Image.Image:
    if image.width * image.height > _MOST_PIXELS:
        raise ValueError("the page is too large")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    scale = min(LONGEST_PX / max(image.size), _MOST_ENLARGED)
    return paper.convert("L").resize(scaled(image.size, scale), Image.Resampling.LANCZOS)


def _differing(one: Image.Image, other: Image.Image) -> list[Box]:
    """Cells of a grid in which they do, next to each other as one."""
    if one.size != other.size:
        return [Box(0, 0, *map(float, one.size))]
    difference = ImageChops.difference(one, other)
    cells = []
    for top in range(0, one.height, _CELL_PX):
        for left in range(0, one.width, _CELL_PX):
            cell = left, top, min(left + _CELL_PX, one.width), min(top + _CELL_PX, one.height)
            if any(difference.crop(cell).histogram()[_LEAST_DIFFERENCE:]):
                cells.append(Box(*map(float, cell)))
    return joined(cells)


def _draw_image(
    pages: Sequence[Image.Image], number: int, differing: Sequence[Box], *, is_compared: bool, reveal: bool
) -> Sheet | None:
    if not pages:
        return None
    image = pages[number]
    if reveal:
        page = Page(image, frames=differing)
    else:
        whole = Bar(Box(0, 0, image.width, image.height), is_foreign=False)
        page = Page(Image.new("L", image.size, "white"), [whole, *_whole_lines(image, differing)])
    return make_sheet(page, number + 1, len(pages), is_compared=is_compared)
