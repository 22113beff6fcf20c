"""Of what is written in a masked document no pixel tells anything, in whatever way it is drawn."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from harness.report.pictures import draw_pair
from tests.harness.pictures.drawn import masked, pdf
from tests.harness.pictures.handwritten import clip_of_a_form, pattern, soft_mask, soft_mask_of_a_form, stamp


@pytest.mark.parametrize("draw", [soft_mask, soft_mask_of_a_form, clip_of_a_form, pattern, stamp])
def test_what_shows_through_other_things_is_masked(draw: Callable[[str], bytes]) -> None:
    """Text that is no text on the page, but the mask, the pattern or the note of something else, is not seen."""
    one, other = draw("TARO YAMADA"), draw("Kim")
    revealed = {draw_pair(document, None, reveal=True).delivered.data_uri for document in (one, other)}
    assert len(revealed - {""}) == 2
    assert masked(one) == masked(other)


def _clipped(canvas: Canvas, text: str) -> None:
    shape = canvas.beginText(100, 500)
    shape.setTextRenderMode(7)
    shape.setFont("Helvetica", 40)
    shape.textOut(text)
    canvas.drawText(shape)
    canvas.rect(90, 490, 300, 60, fill=1)


def _image(canvas: Canvas, text: str) -> None:
    image = Image.new("L", (200, 100), 255)
    ImageDraw.Draw(image).text((10, 10), text, fill=0)
    canvas.drawImage(ImageReader(image), 100, 400, 200, 100)


def _curve(canvas: Canvas, text: str) -> None:
    random = Random(text)
    path = canvas.beginPath()
    path.moveTo(100, 300)
    for _ in range(5):
        path.curveTo(*(random.uniform(110, 290) for _ in range(6)))
    path.lineTo(300, 100)
    path.lineTo(100, 100)
    canvas.drawPath(path)


def _bow(canvas: Canvas, text: str) -> None:
    path = canvas.beginPath()
    path.moveTo(100, 100)
    path.curveTo(*(Random(text + corner).uniform(110, 290) for corner in "abcd"), 300, 300)
    canvas.drawPath(path)


def _clipping_path(canvas: Canvas, text: str) -> None:
    path = canvas.beginPath()
    path.moveTo(100, 300)
    for number in range(20):
        path.lineTo(100 + number * 10, 350 + Random(f"{text}{number}").randrange(2) * 40)
    path.lineTo(290, 300)
    canvas.clipPath(path, stroke=0)
    canvas.rect(100, 300, 60, 90, fill=1)
    canvas.setFont("test", 50)
    canvas.drawString(180, 330, "住所")


def _deep_in_forms(canvas: Canvas, text: str) -> None:
    for level in range(20):
        canvas.beginForm(f"form{level}")
        if level == 0:
            _image(canvas, text)
        else:
            canvas.doForm(f"form{level - 1}")
        canvas.endForm()
    canvas.doForm("form19")


def _bar_code(canvas: Canvas, text: str) -> None:
    canvas.rect(300, 240, 1, 40, fill=1)
    canvas.rect(400, 240, 1, 40, fill=1)
    for bit in range(40):
        if Random(text).getrandbits(40) >> bit & 1:
            canvas.rect(304 + 2 * bit, 240, 1, 40, stroke=0, fill=1)


def _letter_of_lines(canvas: Canvas, text: str) -> None:
    path = canvas.beginPath()
    path.moveTo(100, 200)
    for number in range(20):
        path.lineTo(100 + number * 10, 200 + Random(f"{text}{number}").randrange(2) * 40)
    path.lineTo(300, 240)
    path.lineTo(300, 200)
    canvas.drawPath(path)


def _in_a_form(canvas: Canvas, text: str) -> None:
    canvas.beginForm("inner")
    canvas.setFont("Helvetica", 20)
    canvas.drawString(0, 0, text)
    canvas.endForm()
    canvas.beginForm("outer")
    canvas.translate(20, 10)
    canvas.doForm("inner")
    canvas.endForm()
    canvas.saveState()
    canvas.translate(100, 300)
    canvas.scale(0.5, 0.5)
    canvas.doForm("outer")
    canvas.restoreState()


def _shaded(canvas: Canvas, text: str) -> None:
    canvas.linearGradient(100, 100, 300, 300, [f"#{Random(text).getrandbits(24):06x}", "#ffffff"], extend=False)


def _coloured(canvas: Canvas, text: str) -> None:
    canvas.setFillGray(Random(text).random())
    canvas.setStrokeGray(Random(text).random())
    canvas.setLineWidth(4)
    canvas.rect(100, 100, 200, 100, fill=1)


def _filled_in(canvas: Canvas, text: str) -> None:
    canvas.acroForm.textfield(name="name", value=text, x=100, y=300, width=200, height=20)


def _note(canvas: Canvas, text: str) -> None:
    canvas.textAnnotation(text, Rect=[100, 300, 300, 400])


def _transparent(canvas: Canvas, text: str) -> None:
    canvas.setFillAlpha(0.5)
    canvas.setFont("Helvetica", 12)
    canvas.drawString(100, 300, text)


def _invisible(canvas: Canvas, text: str) -> None:
    canvas.drawString(100, 300, text, mode=3)


def _with_a_label(canvas: Canvas, text: str) -> None:
    canvas.setFont("test", 12)
    canvas.drawString(100, 300, "氏名")
    canvas.drawString(200, 300, text)


def _in_a_field(canvas: Canvas, text: str) -> None:
    canvas.rect(100, 300, 200, 100)
    canvas.setFont("Helvetica", 30 / len(text))
    for number, character in enumerate(text):
        canvas.drawCentredString(200, 380 - number * 60 / len(text), character)


UNSEEN = _invisible, _note
BESIDE_THE_PAGE = _filled_in, _note, _deep_in_forms


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(lambda canvas, text: canvas.drawString(100, 300, text), id="a line"),
        pytest.param(lambda canvas, text: canvas.drawCentredString(300, 300, text), id="in the middle"),
        pytest.param(lambda canvas, text: canvas.drawRightString(500, 300, text), id="at the right"),
        _invisible,
        pytest.param(lambda canvas, text: canvas.drawString(100, 300, text, mode=1), id="outlined"),
        _image,
        _curve,
        _bow,
        _clipping_path,
        _deep_in_forms,
        _bar_code,
        _letter_of_lines,
        _in_a_form,
        _shaded,
        _coloured,
        _filled_in,
        _note,
        _transparent,
        _with_a_label,
        _in_a_field,
    ],
)
def test_masked_pictures_of_two_persons_are_the_same(draw: Callable[[Canvas, str], None]) -> None:
    """No pixel of a masked picture depends on what is written or drawn in the document, nor on how long it is."""
    one, other = (pdf(partial(_draw_for, draw, text)) for text in ("TARO YAMADA", "Kim"))
    assert one != other
    if draw not in UNSEEN:
        assert draw_pair(one, None, reveal=True).delivered != draw_pair(other, None, reveal=True).delivered
    assert masked(one) == masked(other)
    if draw not in BESIDE_THE_PAGE:
        assert masked(one) != masked(pdf(lambda _: None)), "that something was there is shown"


def _draw_for(draw: Callable[[Canvas, str], None], text: str, canvas: Canvas) -> None:
    draw(canvas, text)


def test_text_that_shapes_something_else() -> None:
    """Where text is the shape of what is drawn, and cannot be left out, nothing is drawn; but it can be revealed."""
    document = pdf(lambda canvas: _clipped(canvas, "TARO"))
    picture = draw_pair(document, None, reveal=False).delivered
    assert (picture.data_uri, picture.alt_text_key) == ("", "pictures.damaged")
    assert draw_pair(document, None, reveal=True).delivered.data_uri
