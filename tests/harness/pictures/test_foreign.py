"""What is foreign in the delivered document is marked where it is."""

import pytest
from PIL import ImageDraw
from reportlab.pdfgen.canvas import Canvas

from harness.report.pictures import draw_pair
from targets.municipal.certificates import render
from tests.harness.pictures.drawn import RESIDENTS, Drawn, at, both, inside, pdf, pixels


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
