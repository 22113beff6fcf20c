"""A page as a picture that is small enough for a report: frames around what is foreign, bars over what is masked.

Everything is in grey, told apart by frames and hatching, so that it can be seen on paper and by everybody. Imported
only when a picture is drawn.
"""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageDraw

from harness.report.boxes import Box

LARGEST_BYTES = 22 * 1024
"""Of a picture, so that forty of them take a good megabyte, as data URIs."""
_RENDITIONS = ((1.0, 16), (1.0, 6), (0.85, 6), (0.7, 6), (0.5, 6), (0.35, 6), (0.25, 6))
"""Scale and number of greys, of which the first is taken that makes the picture small enough."""
_BLACK, _HATCH, _DARK, _BAR, _WHITE = 0, 34, 119, 204, 255


class Sheet(NamedTuple):
    """One page as a picture.

    Args:
        page: its number from 1 of `pages`.
        marks: the foreign parts, in pixels.
        is_compared: else nothing is known of what is foreign.
    """

    png: bytes
    width: int
    height: int
    page: int
    pages: int
    marks: Sequence[Box]
    is_compared: bool

    @property
    def data_uri(self) -> str:
        """The picture itself, as an address."""
        return f"data:image/png;base64,{b64encode(self.png).decode()}"


class Bar(NamedTuple):
    """Covers a part of a page."""

    box: Box
    is_foreign: bool


class Page(NamedTuple):
    """What a sheet is made of: boxes in pixels of the image."""

    image: Image.Image
    bars: Sequence[Bar] = ()
    frames: Sequence[Box] = ()


def make_sheet(page: Page, number: int, pages: int, *, is_compared: bool) -> Sheet:
    """The largest picture that is small enough, and that is at the smallest scale in any case."""
    for scale, greys in _RENDITIONS:
        image = page.image.resize(scaled(page.image.size, scale), Image.Resampling.LANCZOS)
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
    return Sheet(png, image.width, image.height, number, pages, marks, is_compared)


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


def scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """In whole pixels, of which there is always one."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
