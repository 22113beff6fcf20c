"""The picture of a timeline: everything in its lane, nothing on top of anything else, the overwriting marked."""

import re
from collections import defaultdict
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.report.language import ENGLISH, JAPANESE, Language
from harness.report.masking import Masking
from harness.report.text_width import text_width
from harness.report.timeline import Lane, Timeline, timeline_of
from harness.report.timeline_svg import WIDTH, draw_timeline
from tests.harness.pages import Element, Page
from tests.harness.test_timeline import A_POINTS, B_POINTS, RELEASING, B, overwriting, side

LANGUAGES = [ENGLISH, JAPANESE]
SIZES = {"caption": 12.0, "tick": 11.0, "span-name": 11.0, "note": 11.0, "lane-name": 12.0}


def drawn(timeline: Timeline, language: Language = ENGLISH, *, reveal: bool = True) -> Page:
    return Page(f"<body>{draw_timeline(timeline, language, Masking(reveal), name='t')}</body>")


def number(element: Element, name: str) -> float:
    return float(element.attributes[name])


def box(element: Element) -> tuple[float, float, float, float]:
    """Left, right, top and bottom of a text."""
    size = SIZES[element.attributes["class"].split()[0]]
    width, x, y = text_width(element.text, size), number(element, "x"), number(element, "y")
    left = x - {"end": width, "middle": width / 2}.get(element.attributes.get("text-anchor", ""), 0)
    return left, left + width, y - size * 0.8, y + size * 0.2


def of_class(page: Page, tag: str, class_: str) -> list[Element]:
    return [element for element in page.all(tag) if class_ in element.attributes.get("class", "").split()]


def check_picture(page: Page) -> None:
    """No two numbered steps overlap, no two texts do, and nothing lies outside."""
    (svg,) = page.all("svg")
    height = float(svg.attributes["viewbox"].split()[3])
    steps = of_class(page, "circle", "step")
    for one, other in combinations(steps, 2):
        distance = abs(number(one, "cx") - number(other, "cx")) + abs(number(one, "cy") - number(other, "cy"))
        assert distance >= 2 * number(one, "r") - 0.2
    texts = [e for e in page.all("text") if e.attributes["class"].split()[0] in SIZES]
    for element in texts:
        left, right, top, bottom = box(element)
        assert left >= -0.1, element.text
        assert right <= WIDTH + 0.1, element.text
        assert 0 <= top < bottom <= height
    apart = [e for e in texts if e.attributes["class"].split()[0] != "span-name"]
    for one, other in combinations(apart, 2):
        a, b = box(one), box(other)
        assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2], (one.text, other.text)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_nothing_overlaps(language: Language) -> None:
    """The picture of a whole story has every number and caption where it can be read."""
    check_picture(drawn(overwriting(), language))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 10**10), min_size=17, max_size=17), st.sampled_from(LANGUAGES))
def test_nothing_overlaps_whatever_the_times(times: list[int], language: Language) -> None:
    """However long or short the steps took, no number covers another one, and no caption another caption."""
    ordered = sorted(times)
    a = dict(zip(A_POINTS, [ordered[0], ordered[1], ordered[3], ordered[4], ordered[13], ordered[14]], strict=True))
    b = dict(zip(B_POINTS, [ordered[i] for i in (2, 5, 6, 11, 12, 15)], strict=True))
    names = ("begin_ns", "applied_ns", "released_ns", "acknowledged_ns")
    run = replace(RELEASING, **dict(zip(names, ordered[7:11], strict=True)), end_ns=ordered[10])
    check_picture(drawn(timeline_of(side("A1", "A", a), side("A2", "X", b, fails=True), [run], ("1",)), language))


def test_the_overwriting_is_marked() -> None:
    """Lines at the release, the overwriting and the reading, in that order, each with its time in milliseconds."""
    page = drawn(overwriting())
    lines = {e.attributes["class"].split()[1]: number(e, "x1") for e in of_class(page, "line", "marker")}
    assert lines["releasing"] < lines["overwriting"] < lines["reading"]
    captions = {e.attributes["class"].split()[1]: e.text for e in of_class(page, "text", "caption")}
    assert captions == {
        "releasing": "waits released: 0.000 ms",
        "overwriting": "A's image overwritten: 0.000 ms",
        "reading": "A reads B's image: 0.000 ms",
    }


def test_lines_do_not_cross_captions() -> None:
    """The line of one decisive moment does not run through the caption of another one."""
    page = drawn(overwriting())
    for line in of_class(page, "line", "marker"):
        x, top = number(line, "x1"), number(line, "y1")
        for caption in of_class(page, "text", "caption"):
            left, right, _, bottom = box(caption)
            assert not (left < x < right and bottom > top), (line.attributes["class"], caption.text)


def test_bars_follow_the_times() -> None:
    """The file's band changes from A to B where the overwriting is marked, and ends where A reads."""
    page = drawn(overwriting())
    lines = {e.attributes["class"].split()[1]: number(e, "x1") for e in of_class(page, "line", "marker")}
    of_a, of_b = ((number(e, "x"), number(e, "x") + number(e, "width")) for e in of_class(page, "rect", "holds"))
    assert of_a[1] == pytest.approx(of_b[0], abs=0.2) == pytest.approx(lines["overwriting"], abs=0.2)
    assert of_b[1] == pytest.approx(lines["reading"], abs=0.2)


def test_lanes_and_persons() -> None:
    """Each lane is named, those of the kiosks with the person, who is masked unless revealed."""
    names = [text.text for text in of_class(drawn(overwriting()), "text", "lane-name")]
    assert names == ["Kiosk A", "Kiosk B", "Center", "AP stage", "Image file", "Sync run"]
    notes = [text.text for text in of_class(drawn(overwriting(), reveal=False), "text", "note")]
    assert notes[:5] == ["Person 1", "Person 2", "slot 1", "slot 1", "S1"]
    assert [text.text for text in of_class(drawn(overwriting()), "text", "note")][:2] == ["A", "X"]
    heights = defaultdict(set)
    for lane, text in zip(Lane, of_class(drawn(overwriting()), "text", "lane-name"), strict=True):
        heights[number(text, "y")].add(lane)
    assert list(heights) == sorted(heights)


def test_it_can_be_read_out() -> None:
    """A title says who was handed whose document, and a description where it stands in words."""
    page = drawn(overwriting(), reveal=False)
    assert page.texts("title") == ["How Person 1 was handed the document of Person 2"]
    assert page.texts("desc")[0].startswith("A timeline with 15 numbered steps")
    (svg,) = page.all("svg")
    assert svg.attributes["aria-labelledby"].split() == [
        e.attributes["id"] for e in page.elements if e.tag in {"title", "desc"}
    ]


def test_two_pictures_on_a_page() -> None:
    """Ids begin with the name that a picture has on its page, so that two of them do not share one."""
    ids = [
        set(re.findall(r'id="([^"]+)"', draw_timeline(overwriting(), ENGLISH, Masking(), name=name)))
        for name in ("one", "two")
    ]
    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(
    "timeline",
    [
        overwriting(b=None, runs=()),
        timeline_of(side("A1", "A", {}), side("A2", "X", {}), [], ()),
        timeline_of(side("A1", "A", {"read": 150}), B, [RELEASING, RELEASING], ("1",)),
    ],
    ids=["alone", "from outside", "two sync runs"],
)
def test_less_is_known(timeline: Timeline) -> None:
    """Whatever is missing from the evidence is missing from the picture, and the rest can be read."""
    check_picture(drawn(timeline))
