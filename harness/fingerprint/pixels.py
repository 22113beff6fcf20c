"""A PDF as it looks: the pixels of its pages, without rectangles whose content varies by itself."""

from collections.abc import Sequence
from contextlib import closing
from math import ceil, floor
from typing import Any, ClassVar

import msgspec

from harness.fingerprint.base import UnreadableError
from harness.fingerprint.pdfium import open_pages

_POINTS_PER_INCH = 72
_MM_PER_INCH = 25.4
_MOST_PIXELS = 100_000_000  # of a page: an A0 sheet at 200 dpi has 62 million
_WHITE = 255


Rectangle = tuple[int, float, float, float, float]
"""Page from 1, left and upper edge, width and height; in millimetres from the upper left corner as the page is seen."""


class Pixels(msgspec.Struct, frozen=True, kw_only=True):
    """Every page drawn in grey, with white rectangles on it, and its size.

    Args:
        rectangles_mm: what lies in them does not count; one that touches a pixel covers it.
    """

    dpi: int = 100
    rectangles_mm: Sequence[Rectangle] = ()
    is_slow: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """See `Mask`."""
        but = "".join(f" without {':'.join(map(repr, one))}mm" for one in self.rectangles_mm)
        return f"pixels with forms {self.dpi}dpi{but}"

    def apply(self, content: bytes) -> bytes:
        """For each page a line with its width and height in pixels, and then a byte for each of them.

        Raises:
            UnreadableError: when it is no PDF, or has a page of no size or of more than can be drawn.
        """
        drawn = []
        with open_pages(content) as pages:
            for number, page in enumerate(pages, 1):
                with closing(page):
                    drawn.append(self._draw(page, number))
        return b"".join(drawn)

    def _draw(self, page: Any, number: int) -> bytes:
        scale = self.dpi / _POINTS_PER_INCH
        size = page.get_width() * scale, page.get_height() * scale
        if min(size) < 1 or size[0] * size[1] > _MOST_PIXELS:
            raise UnreadableError(f"a PDF whose page {number} has {size[0]:.0f} times {size[1]:.0f} pixels")
        with closing(page.render(scale=scale, grayscale=True)) as bitmap:
            pixels = bitmap.to_numpy().copy()
        for of_page, x_mm, y_mm, width_mm, height_mm in self.rectangles_mm:
            if of_page == number:
                pixels[self._covered(y_mm, height_mm), self._covered(x_mm, width_mm)] = _WHITE
        height, width = pixels.shape[:2]
        return b"%d %d\n%b" % (width, height, pixels.tobytes())

    def _covered(self, begin_mm: float, length_mm: float) -> slice:
        per_mm = self.dpi / _MM_PER_INCH
        return slice(max(0, floor(begin_mm * per_mm)), max(0, ceil((begin_mm + length_mm) * per_mm)))
