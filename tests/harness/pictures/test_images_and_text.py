"""Images and lines of text beside one another."""

from io import BytesIO

import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader

from harness.report.pictures import MOST_LINES, draw_pair
from tests.harness.pictures.drawn import Drawn, at, pdf, pixels, png


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
