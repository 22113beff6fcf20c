"""Draws pages for `harness.report.pictures`: what is foreign framed, what is masked as bars, small enough for a report.

Everything is in grey, told apart by frames and hatching, so that it can be seen on paper and by everybody. Imported
only when a picture is drawn.
"""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageSequence

from harness.report.boxes import Box, joined
from harness.report.pdf import PDFIUM, Drawing, Text, UnreadableError, open_pdf

LONGEST_PX = 842
"""Longest side of a picture: one pixel a point for A4, at which the smallest print can just be read."""
LARGEST_BYTES = 22 * 1024
"""Of a picture, so that forty of them take a good megabyte, as data URIs."""
_RENDITIONS = ((1.0, 16), (1.0, 6), (0.85, 6), (0.7, 6), (0.5, 6), (0.35, 6), (0.25, 6))
"""Scale and number of greys, of which the first is taken that makes the picture small enough."""
_MOST_ENLARGED = 2.0
_MOST_PAGES = 20
_MOST_PIXELS = 50_000_000
_MARGIN = 0.075  # of a page's width
_LARGE_PRINT_PX = 60.0  # higher are only what lies across the whole page
_GRID_PX = 12
_CELL_PX = 24
_LEAST_DIFFERENCE = 32  # of 256 greys
_BLACK, _HATCH, _DARK, _BAR, _WHITE = 0, 34, 119, 204, 255


class Sheet(NamedTuple):
    """One page as a picture.

    Args:
        page: its number from 1 of `pages`.
        marks: the foreign parts, in pixels.
    """

    png: bytes
    width: int
    height: int
    page: int
    pages: int
    marks: Sequence[Box]

    @property
    def data_uri(self) -> str:
        """The picture itself, as an address."""
        return f"data:image/png;base64,{b64encode(self.png).decode()}"


class _Bar(NamedTuple):
    box: Box
    is_foreign: bool


class _Page(NamedTuple):
    image: Image.Image
    bars: Sequence[_Bar] = ()
    frames: Sequence[Box] = ()


# ---- PDF ----


def draw_pdfs(delivered: bytes | None, right: bytes | None, *, reveal: bool) -> tuple[Sheet | None, Sheet | None]:
    """Of both the page of which most is foreign in the delivered one; None for what is not there, or damaged."""
    with PDFIUM:
        texts, right_texts = _texts(delivered), _texts(right)
        foreign = _foreign(texts, right_texts)
        number = max(range(len(texts)), key=lambda one: len(foreign[one]), default=0)
        return (
            _draw_pdf(delivered, texts, number, foreign[number] if texts else set(), reveal=reveal),
            _draw_pdf(right, right_texts, min(number, len(right_texts) - 1), set(), reveal=reveal),
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
    data: bytes | None, texts: Sequence[Sequence[Text]], number: int, foreign: set[Text], *, reveal: bool
) -> Sheet | None:
    if data is None or not texts:
        return None
    try:
        with open_pdf(data, with_fields=reveal) as pdf:
            drawing = pdf.draw(number, min(LONGEST_PX / pdf.longest_side(number), _MOST_ENLARGED), whole=reveal)
            return _sheet(_page(drawing, texts[number], foreign, reveal=reveal), number + 1, len(pdf))
    except UnreadableError:
        return None


def _page(drawing: Drawing, texts: Sequence[Text], foreign: set[Text], *, reveal: bool) -> _Page:
    placed = [_Bar(drawing.place(text.box), text in foreign) for text in texts if not text.is_form]
    if reveal:
        return _Page(drawing.image, frames=joined(box for box, is_foreign in placed if is_foreign))
    words = [drawing.place(text.box) for text in texts if text.is_form]
    things = [_Bar(box.on_grid(_GRID_PX), False) for box in drawing.left_out]
    return _Page(drawing.image, [*things, *_bars(drawing, placed, words)])


def _bars(drawing: Drawing, masked: Sequence[_Bar], words: Sequence[Box]) -> list[_Bar]:
    """What stands for text that is masked; it tells neither how long the text is nor where in its field it stands.

    A text is covered with the smallest rectangle of the form around it, else with its line from margin to margin. What
    is left out of that are words of the form, and the other rectangles.
    """
    width, height = drawing.image.size
    fields = [box for box in drawing.rules if box.height <= height / 4]
    areas: dict[Box, list[_Bar]] = {}
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
                found.append(_Bar(part, is_foreign))
            left = max(left, box.right)
    return found


# ---- images ----


def draw_images(delivered: bytes | None, right: bytes | None, *, reveal: bool) -> tuple[Sheet | None, Sheet | None]:
    """Of both the page that differs most, or None; only pages of one size can be compared.

    What is where on an image is not known, so of a masked one nothing is shown but its outline, and in which lines it
    differs.
    """
    pages, right_pages = _open_image(delivered), _open_image(right)
    differing = [_differing(one, other) for one, other in zip(pages, right_pages, strict=False)]
    number = max(range(len(differing)), key=lambda one: len(differing[one]), default=0)
    return (
        _draw_image(pages, number, differing[number] if differing else [], reveal=reveal),
        _draw_image(right_pages, min(number, len(right_pages) - 1), [], reveal=reveal),
    )


def _open_image(data: bytes | None) -> list[Image.Image]:
    """Its pages, on white paper and in the size of a picture; none of what is damaged."""
    if data is None:
        return []
    try:
        image = Image.open(BytesIO(data), formats=("PNG", "JPEG", "TIFF"))
        return [_on_paper(page) for page in islice(ImageSequence.Iterator(image), _MOST_PAGES)]
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # what Pillow raises of damaged images
        return []


def _on_paper(image: Image.Image) -> Image.Image:
    if image.width * image.height > _MOST_PIXELS:
        raise ValueError("the page is too large")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    scale = min(LONGEST_PX / max(image.size), _MOST_ENLARGED)
    return paper.convert("L").resize(_scaled(image.size, scale), Image.Resampling.LANCZOS)


def _differing(one: Image.Image, other: Image.Image) -> list[Box]:
    """Cells of a grid in which they do, next to each other as one."""
    if one.size != other.size:
        return []
    difference = ImageChops.difference(one, other)
    cells = []
    for top in range(0, one.height, _CELL_PX):
        for left in range(0, one.width, _CELL_PX):
            cell = left, top, min(left + _CELL_PX, one.width), min(top + _CELL_PX, one.height)
            if any(difference.crop(cell).histogram()[_LEAST_DIFFERENCE:]):
                cells.append(Box(*map(float, cell)))
    return joined(cells)


def _draw_image(pages: Sequence[Image.Image], number: int, differing: Sequence[Box], *, reveal: bool) -> Sheet | None:
    if not pages:
        return None
    image = pages[number]
    if reveal:
        return _sheet(_Page(image, frames=differing), number + 1, len(pages))
    blank = Image.new("L", image.size, _WHITE)
    whole = Box(0, 0, image.width, image.height)
    lines = {whole._replace(low=box.low, high=box.high) for box in differing}
    bars = [_Bar(whole, is_foreign=False), *(_Bar(line, is_foreign=True) for line in sorted(lines))]
    return _sheet(_Page(blank, bars), number + 1, len(pages))


# ---- pictures ----


def _sheet(page: _Page, number: int, pages: int) -> Sheet:
    """The largest picture that is small enough, and that is at the smallest scale in any case."""
    for scale, greys in _RENDITIONS:
        image = page.image.resize(_scaled(page.image.size, scale), Image.Resampling.LANCZOS)
        pen = ImageDraw.Draw(image)
        marks = []
        for box, is_foreign in page.bars:
            bar = box.times(scale)
            _draw_bar(image, bar, is_foreign=is_foreign)
            marks += [bar] if is_foreign else []
        for box in page.frames:
            frame = box.times(scale).wider(3)
            _draw_frame(pen, frame)
            marks.append(frame)
        png = _png(image, greys)
        if len(png) <= LARGEST_BYTES:
            break
    return Sheet(png, image.width, image.height, number, pages, marks)


def _draw_bar(image: Image.Image, box: Box, *, is_foreign: bool) -> None:
    left, top, right, bottom = map(round, box)
    size = max(right - left, 1), max(bottom - top, 1)
    bar = Image.new("L", size, _DARK if is_foreign else _BAR)
    if is_foreign:
        pen = ImageDraw.Draw(bar)
        for x in range(-size[1], size[0], 6):
            pen.line((x, size[1], x + size[1], 0), fill=_HATCH, width=2)
        pen.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=_BLACK, width=2)
    image.paste(bar, (left, top))


def _draw_frame(pen: ImageDraw.ImageDraw, box: Box) -> None:
    pen.rectangle(box.wider(1), outline=_WHITE, width=4)
    pen.rectangle(box, outline=_BLACK, width=2)


def _png(image: Image.Image, greys: int) -> bytes:
    """Without a time or anything else that is not in the picture, so that the same picture is the same bytes."""
    step = 255 // (greys - 1)
    coarse = image.point([round(grey / step) for grey in range(256)])
    palette = Image.frombytes("P", coarse.size, coarse.tobytes())
    palette.putpalette([level * step for level in range(greys) for _ in range(3)])
    buffer = BytesIO()
    palette.save(buffer, format="PNG", bits=4, optimize=True)
    return buffer.getvalue()


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
