"""PDF pages through PDFium: what text stands where, and a picture of the page, whole or of nothing but its form.

PDFium is not thread-safe, not even for two documents, so whoever uses it holds `harness.fingerprint.pdfium.PDFIUM`
meanwhile. Imported only when a picture is drawn.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from math import ceil
from typing import Any, NamedTuple

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from harness.report.boxes import Box, around
from harness.report.form_words import is_form

_LEAST_SIDE = 12.0  # points: smaller rectangles may be the modules of a bar code
_LEAST_RULE = 72.0
_LEVELS = 10  # of forms within forms, deeper than which nobody looks
_PATH_SEGMENTS = 5  # of a rectangle
_FILL, _STROKE = (238, 238, 238, 255), (85, 85, 85, 255)
_CLIPPING_TEXT = raw.FPDF_TEXTRENDERMODE_FILL_CLIP


class UnreadableError(Exception):
    """Raised when a document cannot be drawn, or nothing but its form."""


class Text(NamedTuple):
    """What one text object of a page says, and where, in points. Its height is that of its font, whatever it says."""

    text: str
    box: Box

    @property
    def is_form(self) -> bool:
        """Whether it is nothing but the form's own, so that it is the same on everybody's paper."""
        return is_form(self.text)


class Drawing(NamedTuple):
    """A picture of a page in grey, one pixel a point at the scale 1.

    Args:
        rules: rectangles of the form; left_out: where something other than text was left out; both in pixels, and of a
            picture of the whole page none.
        place: where a box of the page is in the picture.
    """

    image: Image.Image
    rules: Sequence[Box]
    left_out: Sequence[Box]
    place: Callable[[Box], Box]


class Pdf:
    """An open document; see `open_pdf`."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def __len__(self) -> int:
        return len(self._document)

    def texts(self, number: int) -> list[Text]:
        """All text of a page, in the order in which it is drawn."""
        with closing(self._document[number]) as page, closing(page.get_textpage()) as text_page:
            return [_text(characters) for characters in _characters(text_page).values()]

    def draw(self, number: int, scale: float, *, whole: bool) -> Drawing:
        """A picture of a page.

        Args:
            whole: else only words of the form, and rectangles and rules in one grey: everything else is taken out
                before anything is drawn, so that no pixel depends on it.

        Raises:
            UnreadableError: when that cannot be told apart from the rest.
        """
        with closing(self._document[number]) as page:
            width, height = ceil(page.get_width() * scale), ceil(page.get_height() * scale)  # as PDFium has it
            if min(width, height) < 1:
                raise UnreadableError("the page has no size")

            place = _placing(page, width, height)
            rules, left_out = ([], []) if whole else _leave_form_only(page)
            bitmap = page.render(scale=scale, grayscale=True, draw_annots=whole)
            with closing(bitmap):
                image = bitmap.to_pil().copy()
            return Drawing(image, [place(box) for box in rules], [place(box) for box in left_out], place)

    def longest_side(self, number: int) -> float:
        """Of a page, in points."""
        return float(max(self._document.get_page_size(number)))


@contextmanager
def open_pdf(data: bytes, *, with_fields: bool = False) -> Iterator[Pdf]:
    """A document; the caller holds `harness.fingerprint.pdfium.PDFIUM`.

    Args:
        with_fields: what was filled into its fields is drawn, too; never draw such a one but as a whole.

    Raises:
        UnreadableError: when it is none, is damaged or has no page.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise UnreadableError(str(error)) from error
    with closing(document):
        try:
            if with_fields:
                document.init_forms()
            if not len(document):
                raise UnreadableError("it has no page")
            yield Pdf(document)
        except pypdfium2.PdfiumError as error:
            raise UnreadableError(str(error)) from error


_Character = tuple[str, Box]


def _characters(text_page: Any) -> dict[int, list[_Character]]:
    """Those of each text object."""
    found: dict[int, list[_Character]] = {}
    box = raw.FS_RECTF()
    for index in range(text_page.count_chars()):
        handle = raw.FPDFText_GetTextObject(text_page, index)
        if not handle:  # a space or the end of a line, which PDFium makes up
            continue
        raw.FPDFText_GetLooseCharBox(text_page, index, box)
        address = ctypes.cast(handle, ctypes.c_void_p).value or 0
        character = chr(raw.FPDFText_GetUnicode(text_page, index))
        found.setdefault(address, []).append((character, Box(box.left, box.bottom, box.right, box.top)))
    return found


def _text(characters: Sequence[_Character]) -> Text:
    boxes = [box for _, box in characters]
    return Text("".join(character for character, _ in characters), around(boxes))


def _leave_form_only(page: Any) -> tuple[list[Box], list[Box]]:
    """Take out of the page whatever is not known to be the form's own.

    Returns the places of the rectangles and rules that are left, and of what is not, but for text.
    """
    with closing(page.get_textpage()) as text_page:
        form = {address for address, of in _characters(text_page).items() if is_form(_text(of).text)}
    rules, left_out = [], []
    for thing in list(page.get_objects()):
        address = ctypes.cast(thing.raw, ctypes.c_void_p).value
        is_plain = not raw.FPDFPageObj_HasTransparency(thing) and _has_plain_clip(thing)
        match thing.type:
            case raw.FPDF_PAGEOBJ_TEXT:
                if raw.FPDFTextObj_GetTextRenderMode(thing) >= _CLIPPING_TEXT:
                    raise UnreadableError("text shapes what else is drawn, which cannot be left out")
                keep = is_plain and address in form
            case raw.FPDF_PAGEOBJ_PATH:
                keep = is_plain and _is_rule(thing)
                if keep:
                    rules.append(_box_on_page(thing))
                    raw.FPDFPageObj_SetFillColor(thing, *_FILL)
                    raw.FPDFPageObj_SetStrokeColor(thing, *_STROKE)
            case raw.FPDF_PAGEOBJ_FORM:
                keep = is_plain and thing.level < _LEVELS
            case _:
                keep = False
        if not keep:
            raw.FPDFPageObj_SetIsActive(thing, False)
            if thing.type not in {raw.FPDF_PAGEOBJ_TEXT, raw.FPDF_PAGEOBJ_FORM}:  # which is as large as its text
                left_out.append(_box_on_page(thing))
    return rules, left_out


def _is_rule(path: Any) -> bool:
    """A rectangle or a line across."""
    box = _box_on_page(path)
    width, height = box.right - box.left, box.high - box.low
    is_large = width >= _LEAST_RULE or min(width, height) >= _LEAST_SIDE
    count = raw.FPDFPath_CountSegments(path)
    return is_large and _are_plain([raw.FPDFPath_GetPathSegment(path, index) for index in range(count)])


def _has_plain_clip(thing: Any) -> bool:
    clip = raw.FPDFPageObj_GetClipPath(thing)
    if not clip:
        return True
    return all(
        _are_plain(
            [
                raw.FPDFClipPath_GetPathSegment(clip, path, index)
                for index in range(max(raw.FPDFClipPath_CountPathSegments(clip, path), 0))
            ]
        )
        for path in range(max(raw.FPDFClipPath_CountPaths(clip), 0))
    )


def _are_plain(segments: Sequence[Any]) -> bool:
    """Whether they are too few and too straight to be a letter."""
    straight = raw.FPDF_SEGMENT_MOVETO, raw.FPDF_SEGMENT_LINETO
    return len(segments) <= _PATH_SEGMENTS and all(raw.FPDFPathSegment_GetType(one) in straight for one in segments)


def _box_on_page(thing: Any) -> Box:
    """The box of an object on the page, through the forms that it lies in."""
    box = Box(*thing.get_bounds())
    while (thing := thing.container) is not None:
        matrix = thing.get_matrix()
        corners = [matrix.on_point(x, y) for x in (box.left, box.right) for y in (box.low, box.high)]
        box = around([Box(x, y, x, y) for x, y in corners])
    return box


def _placing(page: Any, width: int, height: int) -> Callable[[Box], Box]:
    """Where boxes of a page are in its picture, also when the page is turned or cropped."""

    def to_device(x: float, y: float) -> tuple[float, float]:
        # Told in whole pixels only; so asked for a picture of a hundred times the size.
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page, 0, 0, width * 100, height * 100, 0, x, y, device_x, device_y)
        return device_x.value / 100, device_y.value / 100

    # It is the same affine map everywhere, which three points tell; nobody may ask when the page is closed.
    (x0, y0), (x1, y1), (x2, y2) = to_device(0, 0), to_device(1000, 0), to_device(0, 1000)

    def place(box: Box) -> Box:
        xs = [x0 + (x1 - x0) * x / 1000 + (x2 - x0) * y / 1000 for x, y in (box[:2], box[2:])]
        ys = [y0 + (y1 - y0) * x / 1000 + (y2 - y0) * y / 1000 for x, y in (box[:2], box[2:])]
        return Box(min(xs), min(ys), max(xs), max(ys))

    return place
