"""The charts show their figures: each bar is as high as its number, each line stands at its time."""

import re

import pytest

from harness.measures import Latency
from harness.report import svg
from harness.report.charts import latency_chart, time_chart
from harness.report.figures import End, Histogram, OverTime, heat_map
from harness.report.heat import coverage_columns
from harness.report.language import ENGLISH, JAPANESE
from harness.report.text_width import text_width
from harness.verdict import CellCount
from tests.harness.pages import Element, Page

OVER_TIME = OverTime(
    begin_ns=-1_000_000_000,
    width_ns=1_000_000_000,
    ended={
        End.OK: (0, 30, 60, 0),
        End.REFUSED: (0, 0, 0, 0),
        End.ERROR: (0, 0, 20, 0),
        End.UNDECIDED: (0, 0, 0, 0),
        End.MISISSUED: (0, 0, 20, 0),
    },
    unplaced=0,
    sync_runs=(0, 2, 4, 0),
    at_work=(0.0, 0.1, 0.2, 0.0),
    exposures=(0, 1, 2, 0),
)
HISTOGRAM = Histogram(
    edges_ns=(1_000_000, 10_000_000, 100_000_000, 1_000_000_000), documents=(10, 40, 20), unanswered=(0, 0, 5)
)
LATENCY = Latency(p50_s=0.0055, p95_s=0.055, p99_s=1.0)


def drawn(picture: str) -> Page:
    return Page(f"<body>{picture}</body>")


def of_class(page: Page, tag: str, class_: str) -> list[Element]:
    return [element for element in page.all(tag) if class_ in element.attributes.get("class", "").split()]


def bars(page: Page, class_: str) -> list[tuple[float, float, float, float]]:
    """(x, y, width, height) of each bar of a class, all panels together."""
    found = []
    for path in of_class(page, "path", class_):
        for x, y, width, height in re.findall(r"M(\S+) (\S+)h(\S+)v(\S+)h\S+z", path.attributes["d"]):
            found.append((float(x), float(y), float(width), float(height)))
    return found


def labels_below(page: Page) -> dict[str, float]:
    """Label of the axis of time -> where it stands."""
    ticks = of_class(page, "text", "tick")
    return {tick.text: float(tick.attributes["x"]) for tick in ticks if tick.attributes["text-anchor"] == "middle"}


def test_bars_are_as_high_as_their_numbers() -> None:
    """Heights are in proportion within a panel, and what ended otherwise stands on top of what ended well."""
    page = drawn(time_chart(OVER_TIME, ENGLISH))
    (first, second), (errors,) = bars(page, "end-ok"), bars(page, "end-error")
    assert second[3] == pytest.approx(2 * first[3], abs=0.2)
    assert errors[3] == pytest.approx(second[3] / 3, abs=0.2)
    assert errors[1] + errors[3] == pytest.approx(second[1], abs=0.2)
    stacked, alone = bars(page, "end-misissued")
    assert stacked[1] + stacked[3] == pytest.approx(errors[1], abs=0.2)
    assert alone[0] == stacked[0] == second[0]
    assert not bars(page, "end-refused")
    assert "Sync runs per second; at work 7.5 % of the time" in page.texts("text")
    of_sync = bars(page, "sync")
    assert of_sync[1][3] == pytest.approx(2 * of_sync[0][3], abs=0.2)
    assert [x for x, *_ in of_sync] == [first[0], second[0]]


def test_the_axis_of_time() -> None:
    """The plan begins at 0; what was before is negative, and a label stands where its bin begins."""
    page = drawn(time_chart(OVER_TIME, ENGLISH))
    ticks = {
        e.text: float(e.attributes["x"])
        for e in of_class(page, "text", "tick")
        if e.attributes["text-anchor"] == "middle"
    }
    assert {"-1", "0", "1", "2", "3"} <= set(ticks)
    assert ticks["0"] == pytest.approx(bars(page, "end-ok")[0][0], abs=0.2)
    assert ticks["1"] == pytest.approx(bars(page, "end-ok")[1][0], abs=0.2)


@pytest.mark.parametrize(
    ("width_ns", "unit"), [(10**6, "ms"), (10**9, "s"), (2 * 10**10, "min"), (10**12, "h"), (5, "ns")]
)
def test_units_of_the_axis(width_ns: int, unit: str) -> None:
    """A run of any length has an axis in a unit that suits it."""
    zeros = (0,) * 100
    over_time = OverTime(
        begin_ns=0,
        width_ns=width_ns,
        ended=dict.fromkeys(End, zeros),
        unplaced=0,
        sync_runs=zeros,
        at_work=(0.0,) * 100,
        exposures=zeros,
    )
    page = drawn(time_chart(over_time, ENGLISH))
    assert f"time since the plan began, {unit}" in page.texts("text")
    assert 3 <= len(labels_below(page)) <= 11


def test_what_a_chart_says_aloud() -> None:
    """Title and description say in words what the bars show."""
    page = drawn(time_chart(OVER_TIME, ENGLISH))
    assert page.texts("desc") == [
        "4 s of load. At its peak 100 attempts ended per second. 6 sync runs, 3 exposures, 20 misissuances."
    ]
    assert drawn(latency_chart(HISTOGRAM, LATENCY, JAPANESE)).texts("desc") == [
        "75 件。p50 5.5 ms, p95 55 ms, p99 1 s。"
    ]


def test_percentiles_stand_at_their_times() -> None:
    """Half way through a bin is half way between its edges; what is at the last edge is at the end of the axis."""
    page = drawn(latency_chart(HISTOGRAM, LATENCY, ENGLISH))
    boxes = bars(page, "end-ok")
    lines = [float(line.attributes["x1"]) for line in of_class(page, "line", "percentile")]
    width = boxes[1][0] - boxes[0][0]
    assert lines == pytest.approx(
        [boxes[0][0] - 0.5 + width / 2, boxes[1][0] - 0.5 + width / 2, boxes[0][0] - 0.5 + 3 * width], abs=0.3
    )
    assert [text.split()[0] for text in page.texts("text") if text.startswith("p")] == ["p50", "p95", "p99"]
    (unanswered,) = bars(page, "end-undecided")
    assert unanswered[3] == pytest.approx(boxes[2][3] / 4, abs=0.2)
    assert unanswered[1] + unanswered[3] == pytest.approx(boxes[2][1], abs=0.2)


@pytest.mark.parametrize(("known", "labels"), [(None, []), (0.05, ["p50"])])
def test_percentiles_that_are_not_known(known: float | None, labels: list[str]) -> None:
    """They have no line: what was planned and never made is slower than everything."""
    page = drawn(latency_chart(HISTOGRAM, Latency(p50_s=known, p95_s=None, p99_s=None), ENGLISH))
    assert [text.split()[0] for text in page.texts("text") if text.startswith("p")] == labels
    assert len(of_class(page, "line", "percentile")) == len(labels)


@pytest.mark.parametrize("p99_s", [0.06, 0.3, 0.9])
@pytest.mark.parametrize("p95_s", [0.05, 0.055])
def test_lines_of_percentiles_cross_no_label(p95_s: float, p99_s: float) -> None:
    """Wherever the percentiles lie, no line runs through the label of another one, and no label is cut off."""
    page = drawn(latency_chart(HISTOGRAM, Latency(p50_s=0.03, p95_s=p95_s, p99_s=p99_s), ENGLISH))
    labels = [text for text in of_class(page, "text", "note") if text.text.startswith("p")]
    for text in labels:
        x, y, width = float(text.attributes["x"]), float(text.attributes["y"]), text_width(text.text, 11)
        left = x - width if text.attributes.get("text-anchor") == "end" else x
        assert left >= 0
        assert left + width <= 420
        for line in of_class(page, "line", "percentile"):
            at, top = float(line.attributes["x1"]), float(line.attributes["y1"])
            assert not (left < at < left + width and top < y), (text.text, at)


def test_levels_of_the_heat_map() -> None:
    """A cell that was never hit has no colour, and the more often one was hit the stronger it is."""
    cells = [
        CellCount(phase=phase, states=("in_flight",), sync_runs=hit, misissuances=0, upper=1.0)
        for phase, hit in (("before", 0), ("during", 1), ("after", 1000))
    ]
    ((table,),) = coverage_columns(heat_map(cells), ENGLISH)
    (row,) = table.rows
    assert [cell.level for cell in row.cells] == [0, 1, 5]
    assert row.label == "in flight"
    many = [
        CellCount(phase=str(hit), states=("in_flight",), sync_runs=hit, misissuances=0, upper=1.0)
        for hit in (1, 2, 5, 20, 80, 300, 1000)
    ]
    ((table,),) = coverage_columns(heat_map(many), ENGLISH)
    levels = [cell.level for cell in table.rows[0].cells]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (1, 5)


@pytest.mark.parametrize(
    ("begin", "end", "most", "ticks"),
    [
        (0, 10, 5, [0, 2, 4, 6, 8, 10]),
        (-3, 3, 3, [-2, 0, 2]),
        (0, 0, 5, [0]),
        (0.1, 0.35, 5, [0.1, 0.15, 0.2, 0.25, 0.3, 0.35]),
    ],
)
def test_ticks(begin: float, end: float, most: int, ticks: list[float]) -> None:
    """Ticks are multiples of 1, 2 or 5 and no more than asked for, both ends included."""
    assert list(svg.ticks(begin, end, most)) == pytest.approx(ticks)


def test_numbers_in_pictures() -> None:
    """A tenth of a pixel, and nothing that says nothing."""
    assert [svg.plain(number) for number in (3.0, 3.14, -0.02, 0, -2.25)] == ["3", "3.1", "0", "0", "-2.2"]
