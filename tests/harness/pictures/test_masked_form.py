"""Of a masked certificate the form stays readable, and everything else is covered."""

from functools import partial

import pytest
from PIL import Image, ImageStat
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from harness.report.pictures import draw_pair
from targets.municipal.certificates import render
from targets.municipal.people import Person
from tests.harness.pictures.drawn import RESIDENTS, inside, masked, pdf, pixels


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
