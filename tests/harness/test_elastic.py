"""An elastic axis keeps the order of time, gives every mark its room, and stays within its bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.elastic import ElasticAxis
from harness.report.text_width import fitting, text_width

marks = st.lists(
    st.tuples(st.integers(-(10**12), 10**12), st.sampled_from("abc"), st.sampled_from((0.0, 8.0, 22.0))),
    min_size=1,
    max_size=30,
)


@given(marks, st.integers(-(10**13), 10**13))
def test_order_and_bounds(times: list[tuple[int, str, float]], at: int) -> None:
    """A later time is never further left, one that differs is further right, and none is outside."""
    axis = ElasticAxis(times, left=100, width=800, least=4)
    known = sorted({at for at, _, _ in times})
    places = [axis.x(at) for at in known]
    assert all(before < after for before, after in pairwise(places))
    assert places[0] == 100
    assert places[-1] <= 900 + 1e-6
    if len(known) > 1:
        assert places[-1] == pytest.approx(900)
    assert 100 <= axis.x(at) <= 900 + 1e-6
    for before, after in pairwise(sorted([*known, at])):
        assert axis.x(before) <= axis.x(after)


@given(marks)
def test_room(times: list[tuple[int, str, float]]) -> None:
    """Where the width allows it, two marks of one lane at different times are as far apart as the larger needs."""
    axis = ElasticAxis(times, left=0, width=5000, least=4)
    for lane in "abc":
        of_lane = sorted((at, room) for at, other, room in times if other == lane)
        for (at, room), (later, other_room) in pairwise(of_lane):
            if at < later:
                assert axis.x(later) - axis.x(at) >= max(room, other_room) - 1e-6


def test_long_gaps_look_longer() -> None:
    """Of two gaps the longer one gets more, but not so much more that the short one cannot be seen."""
    axis = ElasticAxis([(0, "", 0), (1, "", 0), (10_001, "", 0)], left=0, width=1000, least=0)
    short, long = axis.x(1) - axis.x(0), axis.x(10_001) - axis.x(1)
    assert long == pytest.approx(100 * short)


def test_between_marks() -> None:
    """Between two marks time runs evenly."""
    axis = ElasticAxis([(0, "", 0), (100, "", 0)], left=10, width=50, least=4)
    assert [axis.x(at) for at in (-5, 0, 50, 100, 105)] == [10, 10, 35, 60, 60]


def test_text_width() -> None:
    """A Japanese character is as wide as it is high, a Latin one narrower."""
    assert text_width("処理待ち", 10) == 40
    assert text_width("wait", 10) == 24


@given(st.text(max_size=40), st.integers(10, 200))
def test_fitting(text: str, width: int) -> None:
    """A text that finds no room is cut at its end, which shows; one that does is left as it is."""
    shown = fitting(text, width, 10)
    assert text_width(shown, 10) <= width
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]) and text_width(text, 10) > width)
