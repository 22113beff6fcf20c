"""Two documents side by side: what is foreign is marked where it is, and of what is masked no pixel tells anything."""

import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageStat
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from harness.report.language import ENGLISH, JAPANESE
from harness.report.pictures import MOST_LINES, Mark, Picture, draw_incident, draw_pair
from harness.report.sheet import LARGEST_BYTES
from targets.municipal.certificates import render
from targets.municipal.paper import FONT_FILE
from targets.municipal.people import Person, population

Drawn = Callable[[Canvas], object]

RESIDENTS = [one for one in population(3, 80) if one.status == "resident" and one.seal is not None]
BASE = b"\x89PNG\r\n\x1a\n"


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


# ---- what is foreign ----


@pytest.mark.parametrize(
    ("right", "marks"),
    [
        pytest.param([at(100, 700, "TARO"), at(100, 600, "Tokyo")], 0, id="the same"),
        pytest.param([at(100, 700, "HANA"), at(100, 600, "Tokyo")], 1, id="another name"),
        pytest.param([at(100, 700, "TARO"), at(140, 600, "Tokyo")], 1, id="at another place of the line"),
        pytest.param([at(100, 700, "Tokyo"), at(100, 600, "TARO")], 2, id="each in the other's place"),
        pytest.param([at(100, 700, "TARO")], 1, id="missing there"),
        pytest.param([at(100, 700, "TARO"), at(100, 600, "Tokyo"), at(100, 500, "more")], 0, id="more there"),
    ],
)
def test_foreign_is_what_does_not_stand_there(right: list[Drawn], marks: int) -> None:
    """Of the delivered page is marked what does not stand at that place in the right document, and nothing else."""
    delivered = pdf(both(at(100, 700, "TARO"), at(100, 600, "Tokyo")))
    pair = draw_pair(delivered, pdf(both(*right)), reveal=True)
    assert len(pair.delivered.marks) == marks
    assert pair.delivered.alt_text_values == {"page": 1, "pages": 1, "marks": marks}
    assert pair.right.marks == ()


def _crop(canvas: Canvas) -> None:
    canvas.setCropBox((50, 300, 550, 800))


@pytest.mark.parametrize(
    ("before", "size", "place"),
    [
        pytest.param(lambda _: None, (595, 842), (100, 842 - 500), id="upright"),
        pytest.param(lambda canvas: canvas.setPageRotation(90), (595, 842), (500, 100), id="turned"),
        pytest.param(_crop, (842, 842), ((100 - 50) * 842 / 500, (800 - 500) * 842 / 500), id="cropped"),
    ],
)
def test_frame_is_around_the_foreign_text(before: Drawn, size: tuple[int, int], place: tuple[float, float]) -> None:
    """The frame is where the text is seen, also on a page that is turned or cropped, and the text in it is readable."""
    pair = draw_pair(pdf(both(before, at(100, 500, "HH"))), pdf(both(before, at(100, 500, "II"))), reveal=True)
    (mark,) = pair.delivered.marks
    assert (pair.delivered.width, pair.delivered.height) == size
    x, y = place
    assert mark.left < x + 1
    assert x - mark.left < 12
    assert mark.top - 3 <= y <= mark.top + mark.height + 12
    frame = inside(pair.delivered, mark)
    assert frame.getpixel((0, 0)) == 0
    ink = frame.crop((4, 4, frame.width - 4, frame.height - 4))
    assert ink.getextrema() == (0, 255)
    blank = pixels(pair.delivered)
    ImageDraw.Draw(blank).rectangle(
        (mark.left - 4, mark.top - 4, mark.left + mark.width + 4, mark.top + mark.height + 4), fill=255
    )
    assert blank.getextrema() == (255, 255), "something of the text is outside"


def test_the_page_with_most_that_is_foreign_is_shown() -> None:
    """Of a paper with a stranger's page among its own that one is shown, and beside it the one that belongs there."""
    own = [at(100, 700, f"page {number} of TARO") for number in (1, 2, 3)]
    mixed = [own[0], both(at(100, 700, "page 2 of HANA"), at(100, 650, "of another street")), own[2]]
    pair = draw_pair(pdf(*mixed), pdf(*own), reveal=True)
    assert pair.delivered.alt_text_values == {"page": 2, "pages": 3, "marks": 2}
    assert pair.right.alt_text_values == {"page": 2, "pages": 3}
    assert pair.right.data_uri == draw_pair(None, pdf(own[1]), reveal=True).right.data_uri


def test_page_that_the_right_document_does_not_have() -> None:
    """Everything on a page too many is foreign; beside it the last page is shown that there is."""
    pair = draw_pair(pdf(at(100, 700, "A"), at(100, 700, "A")), pdf(at(100, 700, "A")), reveal=True)
    assert pair.delivered.alt_text_values == {"page": 2, "pages": 2, "marks": 1}
    assert pair.right.alt_text_values == {"page": 1, "pages": 1}


@pytest.mark.parametrize("reveal", [True, False])
def test_nothing_to_compare_with(reveal: bool) -> None:
    """Without the right document nothing is foreign, and that nothing was compared is said."""
    pair = draw_pair(pdf(at(100, 700, "TARO")), None, reveal=reveal)
    assert (pair.delivered.alt_text_key, pair.delivered.alt_text_values) == ("pictures.page", {"page": 1, "pages": 1})
    assert pair.delivered.marks == ()
    assert (pair.right.alt_text_key, pair.right.data_uri) == ("pictures.right_missing", "")
    other_way = draw_pair(None, pdf(at(100, 700, "TARO")), reveal=reveal)
    assert (other_way.delivered.alt_text_key, other_way.delivered.data_uri) == ("pictures.delivered_missing", "")
    assert other_way.right.data_uri == pair.delivered.data_uri


def test_certificates_of_two_persons() -> None:
    """On the paper of a stranger everything is marked that is the stranger's, and in print, not only in colour."""
    one, other = RESIDENTS[:2]
    delivered, right = (render("inkan", [person], issue_date="2023-04-30") for person in (one, other))
    for reveal in (True, False):
        pair = draw_pair(delivered, right, reveal=reveal)
        assert len(pair.delivered.marks) >= 5
        assert pair.delivered.data_uri != pair.right.data_uri
        for mark in pair.delivered.marks:
            assert inside(pair.delivered, mark).getextrema()[0] == 0, "a mark has a black edge"


# ---- what is masked ----


def _raw(content: str, **resources: str) -> bytes:
    """A page written by hand, with a stream of content and the streams that it uses: name -> dictionary|content."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        _stream("<<>>", content),
    ]
    used: dict[str, int] = {}
    for name, resource in resources.items():
        dictionary, _, stream = resource.partition("|")
        for known, number in used.items():
            dictionary = dictionary.replace(f"@{known}", f"{number} 0 R")
        objects.append(_stream(dictionary, stream) if stream else dictionary)
        used[name] = len(objects)
    kinds = {"X": "XObject", "G": "ExtGState", "P": "Pattern"}
    of_kinds = "".join(
        f"/{kind}<<{''.join(f'/{name} {number} 0 R' for name, number in used.items() if name.startswith(letter))}>>"
        for letter, kind in kinds.items()
    )
    annotations = "".join(f"{number} 0 R " for name, number in used.items() if name.startswith("A"))
    objects[2] = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Annots[{annotations}]"
        f"/Resources<</Font<</F 4 0 R>>{of_kinds}>>>>"
    )
    file, places = "%PDF-1.7\n", []
    for number, one in enumerate(objects, 1):
        places.append(f"{len(file):010} 00000 n \n")
        file += f"{number} 0 obj\n{one}\nendobj\n"
    table = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{''.join(places)}"
    return f"{file}{table}trailer\n<</Root 1 0 R/Size {len(places) + 1}>>\nstartxref\n{len(file)}\n%%EOF\n".encode()


def _stream(dictionary: str, content: str) -> str:
    return f"{dictionary.removesuffix('>>')}/Length {len(content)}>>stream\n{content}\nendstream"


_FORM = "<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F 4 0 R>>>>"


def _soft_mask(text: str) -> bytes:
    return _masked_by(text, "/G1 gs 0 g 100 500 400 100 re f")


def _soft_mask_of_a_form(text: str) -> bytes:
    return _masked_by(text, "/G1 gs /X2 Do")


def _masked_by(text: str, content: str) -> bytes:
    shape = f"BT /F 60 Tf 1 g 110 520 Td ({text}) Tj ET"
    return _raw(
        content,
        X1=f"{_FORM}/Group<</S/Transparency/CS/DeviceGray>>>>|{shape}",
        G1="<</Type/ExtGState/SMask<</S/Luminosity/G @X1>>>>",
        X2=f"{_FORM}>>|0 g 100 500 400 100 re f",
    )


def _clip_of_a_form(text: str) -> bytes:
    steps = " ".join(f"{100 + 20 * step} {500 + Random(f'{text}{step}').randrange(2) * 90} l" for step in range(20))
    return _raw(f"q 100 490 m {steps} 500 490 l W n /X1 Do Q", X1=f"{_FORM}>>|0 g 100 400 400 200 re f")


def _pattern(text: str) -> bytes:
    tile = f"BT /F 60 Tf 0 g 10 20 Td ({text}) Tj ET"
    of_tile = "/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 500 100]/XStep 500/YStep 100"
    return _raw(
        "/Pattern cs /P1 scn 100 500 400 100 re f",
        P1=f"<</Type/Pattern{of_tile}/Resources<</Font<</F 4 0 R>>>>>>|{tile}",
    )


def _stamp(text: str) -> bytes:
    return _raw(
        "0 g 100 100 300 100 re f",
        X1=f"{_FORM}>>|BT /F 60 Tf 0 g 110 520 Td ({text}) Tj ET",
        A1="<</Type/Annot/Subtype/Stamp/Rect[0 0 595 842]/F 4/AP<</N @X1>>>>",
    )


@pytest.mark.parametrize("draw", [_soft_mask, _soft_mask_of_a_form, _clip_of_a_form, _pattern, _stamp])
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


@pytest.mark.parametrize(("kind", "options"), [("juminhyo", ()), ("inkan", ()), ("koseki", ()), ("zei", ())])
def test_masked_certificates_are_the_same_for_everybody(kind: str, options: tuple[str, ...]) -> None:
    """Whoever the paper is about, however long the names are: the masked picture is byte for byte the same."""
    of_every_length = {(len(one.name), len(one.kana), len(one.address)): one for one in RESIDENTS}
    shown = sorted(of_every_length)[:: max(1, len(of_every_length) // 8)]
    assert len(shown) >= 8
    assert len({masked(render(kind, [of_every_length[one]], options, issue_date="2023-04-30")) for one in shown}) == 1


def test_form_stays_readable() -> None:
    """Of a masked certificate title and labels are drawn as in the whole one; bars cover the rest, and nothing more."""
    document = render("inkan", [RESIDENTS[0]], issue_date="2023-04-30")
    whole, hidden = (pixels(draw_pair(document, None, reveal=reveal).delivered) for reveal in (True, False))
    title, label, value = (200, 35, 395, 62), (49, 103, 70, 116), (132, 103, 190, 116)
    assert hidden.crop(title).tobytes() == whole.crop(title).tobytes()
    assert ImageStat.Stat(hidden.crop(label)).extrema[0][0] < 60
    assert hidden.crop(value).getextrema() == (204, 204)
    assert ImageStat.Stat(whole.crop(value)).extrema[0][0] < 60


def test_rules_and_labels_without_fields_stay_readable() -> None:
    """A rule across the page, and words of the form on an open line, are drawn; the bar covers the rest of the line."""

    def draw(canvas: Canvas) -> None:
        canvas.setLineWidth(3)
        canvas.line(100, 500, 400, 500)
        canvas.setFont("test", 12)
        canvas.drawString(100, 300, "氏名")
        canvas.drawString(150, 300, "山田花子")
        canvas.drawString(300, 300, "住所")
        canvas.drawString(350, 300, "見本県")

    whole, hidden = (pixels(draw_pair(pdf(draw), None, reveal=reveal).delivered) for reveal in (True, False))
    for left in (100, 300):
        word = (left, 842 - 311, left + 24, 842 - 299)
        assert hidden.crop(word).tobytes() == whole.crop(word).tobytes()
    for left, right in ((50, 94), (130, 290), (330, 545)):
        assert hidden.crop((left, 842 - 309, right, 842 - 300)).getextrema() == (204, 204)
    assert ImageStat.Stat(hidden.crop((101, 842 - 502, 399, 842 - 498))).extrema[0][0] < 100


def test_only_the_foreign_part_of_a_line_is_marked() -> None:
    """Of two names on one line, with a word of the form between them, the foreign one alone is marked."""

    def draw(address: str, canvas: Canvas) -> None:
        canvas.setFont("test", 12)
        for x, text in ((100, "氏名"), (150, "山田花子"), (300, "住所"), (350, address)):
            canvas.drawString(x, 300, text)

    delivered, right = (pdf(partial(draw, address)) for address in ("見本県", "見本県見本市"))
    (mark,) = draw_pair(delivered, right, reveal=False).delivered.marks
    assert (mark.left, mark.left + mark.width) == (327, 550)


def test_place_of_what_was_left_out() -> None:
    """An image is covered where it is on the page, also when it lies in a form that is moved and scaled."""

    def draw(canvas: Canvas) -> None:
        canvas.beginForm("photograph")
        canvas.drawImage(ImageReader(Image.new("L", (10, 10), 0)), 100, 100, 200, 100)
        canvas.endForm()
        canvas.translate(60, 50)
        canvas.scale(2, 2)
        canvas.doForm("photograph")

    hidden = pixels(draw_pair(pdf(draw), None, reveal=False).delivered)
    left, right, top, bottom = 260, 660, 842 - 450, 842 - 250
    assert hidden.crop((left, top, min(right, 595), bottom)).getextrema() == (204, 204)
    for blank in ((0, 0, 595, top - 12), (0, 0, left - 12, 842), (0, bottom + 12, 595, 842)):
        assert hidden.crop(blank).getextrema() == (255, 255)


def test_masked_marks() -> None:
    """A bar that covers something foreign is dark and hatched, and the others are light."""
    one = RESIDENTS[0]
    moved = type(one)(**{**{name: getattr(one, name) for name in Person.__struct_fields__}, "address": "見本県見本市"})
    delivered, right = (render("zei", [person], issue_date="2023-04-30") for person in (moved, one))
    pair = draw_pair(delivered, right, reveal=False)
    (mark,) = pair.delivered.marks
    assert ImageStat.Stat(inside(pair.delivered, mark)).mean[0] < 110
    assert ImageStat.Stat(inside(pair.right, mark)).mean[0] > 190


# ---- images and text ----


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF"])
def test_images(format_: str) -> None:
    """Images are shown with a frame around what differs; masked ones show in which lines, and not where."""
    delivered = png((400, 800), (50, 50, 90, 60), (200, 500, 300, 520), format_=format_)
    right = png((400, 800), (50, 50, 90, 60), format_=format_)
    pair = draw_pair(delivered, right, reveal=True)
    assert (pair.delivered.width, pair.delivered.height) == (421, 842)
    marks = pair.delivered.marks
    assert marks
    assert min(mark.left for mark in marks) <= 210 <= 316 <= max(mark.left + mark.width for mark in marks)
    assert all(490 <= mark.top <= 560 for mark in marks)
    assert pixels(pair.delivered).getpixel((70, 58)) == 0
    hidden = draw_pair(delivered, right, reveal=False)
    elsewhere = draw_pair(png((400, 800), (50, 50, 90, 60), (20, 500, 380, 520), format_=format_), right, reveal=False)
    assert hidden.delivered == elsewhere.delivered
    assert all(mark.width == 421 for mark in hidden.delivered.marks)
    assert pixels(hidden.right).getextrema() == (204, 204)


def test_images_of_two_sizes_are_not_compared() -> None:
    """What does not lie on one another cannot be compared, and is not said to hold nothing foreign."""
    pair = draw_pair(png((400, 800), (0, 0, 99, 99)), png((400, 700)), reveal=True)
    assert (pair.delivered.alt_text_key, pair.delivered.marks) == ("pictures.page", ())


def test_images_of_several_pages() -> None:
    """Of an image of several pages the one that differs is shown; with another number of pages nothing is compared."""
    frames = [Image.new("L", (400, 800), grey) for grey in (250, 200, 150)]
    own, foreign, short = BytesIO(), BytesIO(), BytesIO()
    frames[0].save(own, format="TIFF", save_all=True, append_images=frames[1:])
    frames[0].save(foreign, format="TIFF", save_all=True, append_images=[frames[2], frames[2]])
    frames[0].save(short, format="TIFF")
    pair = draw_pair(foreign.getvalue(), own.getvalue(), reveal=True)
    assert {**pair.delivered.alt_text_values, "marks": 0} == {"page": 2, "pages": 3, "marks": 0}
    assert pair.right.alt_text_values == {"page": 2, "pages": 3}
    assert pixels(pair.right).getextrema() == (204, 204)
    assert draw_pair(foreign.getvalue(), short.getvalue(), reveal=True).delivered.alt_text_key == "pictures.page"


def _scanned(*black: tuple[int, int, int, int]) -> Drawn:
    image = ImageReader(BytesIO(png((595, 842), *black)))
    return lambda canvas: canvas.drawImage(image, 0, 0, 595, 842)


def test_scanned_pages() -> None:
    """Of pages without text it is marked what looks different, on the page where it does; masked in which lines."""
    blank, stamped = _scanned(), _scanned((300, 400, 340, 420))
    pair = draw_pair(pdf(blank, stamped), pdf(blank, blank), reveal=True)
    assert {**pair.delivered.alt_text_values, "marks": 0} == {"page": 2, "pages": 2, "marks": 0}
    assert pair.delivered.marks
    assert all(mark.left >= 280 and mark.left + mark.width <= 370 for mark in pair.delivered.marks)
    hidden = draw_pair(pdf(blank, stamped), pdf(blank, blank), reveal=False)
    elsewhere = draw_pair(pdf(blank, _scanned((20, 400, 500, 420))), pdf(blank, blank), reveal=False)
    assert hidden.delivered == elsewhere.delivered
    assert {(mark.left, mark.width) for mark in hidden.delivered.marks} == {(0, 595)}
    same = draw_pair(pdf(stamped), pdf(stamped), reveal=True).delivered
    assert (same.alt_text_key, same.marks) == ("pictures.page_compared", ())


def test_damaged_right_document() -> None:
    """Beside what cannot be read nothing is said to be free of foreign parts."""
    picture = draw_pair(pdf(at(100, 700, "TARO")), b"%PDF-1.4\ncut off", reveal=True).delivered
    assert (picture.alt_text_key, picture.marks) == ("pictures.page", ())


def test_text() -> None:
    """Text is shown line by line with those marked that do not stand there; masked lines are all of one length."""
    delivered, right = (
        "印鑑登録証明書\n\n氏名 山田\n住所\nend\n".encode(),
        "印鑑登録証明書\n\n氏名 鈴木太郎\n住所\n".encode(),
    )
    pair = draw_pair(delivered, right, reveal=True)
    assert [(line.text, line.is_foreign) for line in pair.delivered.lines] == [
        ("印鑑登録証明書", False),
        ("", False),
        ("氏名 山田", True),
        ("住所", False),
        ("end", True),
    ]
    assert (pair.delivered.alt_text_key, pair.delivered.alt_text_values) == (
        "pictures.text_compared",
        {"lines": 5, "marks": 2},
    )
    assert [line.is_foreign for line in pair.right.lines] == [False] * 4
    hidden = draw_pair(delivered, right, reveal=False)
    assert [line.text for line in hidden.delivered.lines] == ["印鑑登録証明書", "", "████████", "住所", "████████"]
    assert hidden.right.lines[2].text == "████████"


def test_lines_in_another_order() -> None:
    """A line that stands at another place is foreign there."""
    picture = draw_pair(b"a\nb\nc\n", b"b\na\nc\n", reveal=True).delivered
    assert [line.is_foreign for line in picture.lines] == [True, True, False]


def test_long_text() -> None:
    """Of a long text the beginning is shown, and how long it is is said."""
    picture = draw_pair(("x" * 1000 + "\n").encode() * 500, None, reveal=True).delivered
    assert (len(picture.lines), len(picture.lines[0].text)) == (MOST_LINES, 120)
    assert picture.alt_text_values == {"lines": 500}


# ---- what is no picture ----


@pytest.mark.parametrize(
    ("document", "key"),
    [
        pytest.param(b"", "pictures.empty", id="empty"),
        pytest.param(b"\xff\xfe\x00\x01", "pictures.other", id="no text"),
        pytest.param(b"a\x00b", "pictures.other", id="a zero"),
        pytest.param(b"%PDF-1.4\nnothing more", "pictures.damaged", id="cut off"),
        pytest.param(BASE + b"nothing more", "pictures.damaged", id="half an image"),
        pytest.param(b"\xff\xd8\xff\xe0", "pictures.damaged", id="half a photograph"),
    ],
)
def test_in_words(document: bytes, key: str) -> None:
    """Of what cannot be drawn size and checksum are told; two such documents are told side by side like others."""
    for reveal in (True, False):
        pair = draw_pair(document, document, reveal=reveal)
        assert pair.delivered == pair.right
        picture = pair.delivered
        assert (picture.data_uri, picture.lines, picture.alt_text_key) == ("", (), key)
        if document:
            assert picture.alt_text_values["size_bytes"] == len(document)
            assert len(str(picture.alt_text_values["checksum"])) == 32


def test_documents_of_two_formats() -> None:
    """A text in place of a certificate is shown beside it, and not compared with it."""
    pair = draw_pair(b"out of order\n", pdf(at(100, 700, "TARO")), reveal=True)
    assert pair.delivered.alt_text_key == "pictures.text"
    assert pair.right.alt_text_key == "pictures.page"


WHOLE = render("koseki", [RESIDENTS[0]], issue_date="2023-04-30")


@settings(deadline=None, max_examples=20)
@given(st.integers(0, len(WHOLE)), st.binary(max_size=8), st.booleans())
def test_damage(place: int, put: bytes, reveal: bool) -> None:
    """Wherever a document is cut off or overwritten, there is a picture or words, and never a failure."""
    for damaged in (WHOLE[:place], WHOLE[:place] + put + WHOLE[place + len(put) :]):
        pair = draw_pair(damaged, WHOLE, reveal=reveal)
        assert pair.delivered.data_uri or pair.delivered.lines or pair.delivered.alt_text_key != "pictures.page"
        assert pair.right.data_uri


# ---- the picture itself ----


def _print_full(canvas: Canvas) -> None:
    canvas.setFont("test", 6)
    for line in range(130):
        canvas.drawString(20, 830 - 6.2 * line, "住民票の写し本籍筆頭者届出人個人番号" * 6)


@pytest.mark.parametrize("reveal", [True, False])
def test_size(reveal: bool) -> None:
    """However much there is on a page, its picture is small enough for forty of them in a report of 2 MB."""
    noise = Image.frombytes("L", (800, 1100), Random(1).randbytes(800 * 1100))
    buffer = BytesIO()
    noise.save(buffer, format="PNG")
    large, little = (pdf(at(9, 9, "x"), size=size) for size in ((9000, 14000), (50, 30)))
    for document in (pdf(_print_full), buffer.getvalue(), large, little):
        picture = draw_pair(document, None, reveal=reveal).delivered
        assert 0 < len(b64decode(picture.data_uri.partition(",")[2])) <= LARGEST_BYTES
        assert max(picture.width, picture.height) <= (842 if document is not little else 100)
    assert 40 * LARGEST_BYTES * 4 / 3 < 1.3e6


def test_the_same_documents_make_the_same_bytes() -> None:
    """A picture depends on the documents alone: nothing of when, where and by whom it was drawn is in it."""
    documents = [render("juminhyo", [one], issue_date="2023-04-30") for one in RESIDENTS[:2]]
    for reveal in (True, False):
        assert draw_pair(*documents, reveal=reveal) == draw_pair(*documents, reveal=reveal)
        picture = draw_pair(*documents, reveal=reveal).delivered
        data = b64decode(picture.data_uri.partition(",")[2])
        image = Image.open(BytesIO(data))
        image.load()
        assert image.info == {}
        assert not any(chunk in data for chunk in (b"tIME", b"tEXt", b"iTXt", b"zTXt", b"eXIf"))


def test_loaded_only_when_drawn() -> None:
    """Who only knows of pictures does not load what draws them."""
    program = "import sys, harness.report.pictures; print({'PIL', 'pypdfium2'} & set(sys.modules))"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert told == "set()\n"


# ---- of a run ----


def test_documents_of_a_run(tmp_path: Path) -> None:
    """An incident's documents are those in its run directory; one without them is told in words."""
    incidents = tmp_path / "incidents"
    incidents.mkdir()
    (incidents / "A1.1.document").write_bytes(b"of X\n")
    (incidents / "A1.1.right.document").write_bytes(b"of A\n")
    pair = draw_incident(tmp_path, "A1.1", reveal=True)
    assert [line.text for picture in (pair.delivered, pair.right) for line in picture.lines] == ["of X", "of A"]
    for nonce, directory in (("A2.1", tmp_path), ("A1.1", tmp_path / "nowhere"), ("../incidents/A1.1", tmp_path)):
        pair = draw_incident(directory, nonce, reveal=True)
        assert (pair.delivered.alt_text_key, pair.right.alt_text_key) == (
            "pictures.delivered_missing",
            "pictures.right_missing",
        )


@pytest.mark.parametrize(
    ("delivered", "right"),
    [
        (None, None),
        (b"", b"text\n"),
        (b"text\n", b"other\n"),
        (b"\0", b"%PDF-"),
        (WHOLE, None),
        (WHOLE, WHOLE),
    ],
    ids=lambda data: str(data)[:12],
)
def test_words(delivered: bytes | None, right: bytes | None) -> None:
    """What is to be seen is said in both languages, with all its values."""
    pair = draw_pair(delivered, right, reveal=False)
    for picture in (pair.delivered, pair.right):
        for language in (ENGLISH, JAPANESE):
            said = language.text(picture.alt_text_key, **picture.alt_text_values)
            assert "{" not in said
            assert all(str(value) in said for value in picture.alt_text_values.values())
