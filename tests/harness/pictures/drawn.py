"""Documents to be looked at side by side, and what is to be seen in their pictures."""

from base64 import b64decode
from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from harness.report.pictures import Mark, Picture, draw_pair
from targets.municipal.paper import FONT_FILE
from targets.municipal.people import population

Drawn = Callable[[Canvas], object]

RESIDENTS = [one for one in population(3, 80) if one.status == "resident" and one.seal is not None]


def pdf(*pages: Drawn, size: tuple[float, float] = (595, 842)) -> bytes:
    """A file with these pages."""
    pdfmetrics.registerFont(TTFont("test", FONT_FILE))
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=size, invariant=1)
    for draw in pages:
        canvas.setFont("Helvetica", 12)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def at(x: float, y: float, text: str, font: str = "Helvetica", size: float = 12) -> Drawn:
    """Text at a place."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, size)
        canvas.drawString(x, y, text)

    return draw


def both(*parts: Drawn) -> Drawn:
    """Several things on one page."""

    def draw(canvas: Canvas) -> None:
        for part in parts:
            part(canvas)

    return draw


def pixels(picture: Picture) -> Image.Image:
    """What is to be seen, in grey."""
    assert picture.media_type == "image/png"
    kind, _, data = picture.data_uri.partition(",")
    assert kind == "data:image/png;base64"
    image = Image.open(BytesIO(b64decode(data)))
    assert image.size == (picture.width, picture.height)
    return image.convert("L")


def inside(picture: Picture, mark: Mark) -> Image.Image:
    """The part of a picture that is marked."""
    return pixels(picture).crop((mark.left, mark.top, mark.left + mark.width, mark.top + mark.height))


def masked(document: bytes) -> bytes:
    """The picture of a document by itself."""
    picture = draw_pair(document, None, reveal=False).delivered
    assert picture.data_uri, picture
    return b64decode(picture.data_uri.partition(",")[2])


def png(size: tuple[int, int], *black: tuple[int, int, int, int], format_: str = "PNG") -> bytes:
    """A white image with black rectangles."""
    image = Image.new("L", size, 255)
    for box in black:
        ImageDraw.Draw(image).rectangle(box, fill=0)
    buffer = BytesIO()
    image.save(buffer, format=format_)
    return buffer.getvalue()
