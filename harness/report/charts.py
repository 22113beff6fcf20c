"""The charts of a report: what happened over time, and how long prints took. Pure."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import ceil, floor, log10

from markupsafe import Markup

from harness.measures import Latency
from harness.report import svg
from harness.report.figures import End, Histogram, OverTime
from harness.report.formats import count, duration, share
from harness.report.language import Language

_UNITS = ((7200.0, 3600.0, "h"), (600.0, 60.0, "min"), (1.0, 1.0, "s"), (1e-3, 1e-3, "ms"), (1e-6, 1e-6, "µs"))
"""Lengths of time from which on an axis counts in a unit, that unit in seconds, and its name."""
_TIME_WIDTH, _LATENCY_WIDTH, _LATENCY_HEIGHT = 760.0, 420.0, 300.0
_LEFT, _RIGHT = 52.0, 24.0
_LABEL, _AXIS = 30.0, 36.0  # heights above a panel and below the last one
_LABEL_ROOM = 46.0  # between the middles of two labels of an axis
_LEAST_TICKS = 2


class _Panel:
    """One strip of the chart over time: bars on an axis of its own that begins at 0.

    Args:
        stacks: (class, one number a bin), from the bottom up.
    """

    def __init__(self, title: str, height: float, stacks: Sequence[tuple[str, Sequence[float]]]) -> None:
        self.title = title
        self.height = height
        self.stacks = stacks
        self.most = max(map(sum, zip(*(numbers for _, numbers in stacks), strict=True)), default=0)

    def draw(self, top: float, width: float) -> Iterable[Markup]:
        """The title stands above `top`."""
        yield svg.text(_LEFT, top - 8, self.title, class_="panel-title")
        step = svg.nice_step(self.most, 3 if self.height > 100 else 1)
        full = max(self.most, step if self.most else 1.0)
        base = top + self.height
        for tick in svg.ticks(0, full, 3 if self.height > 100 else 1):
            y = base - tick / full * self.height
            yield svg.line(_LEFT, y, _LEFT + width, y, "grid" if tick else "axis")
            yield svg.text(_LEFT - 6, y + 4, _tick(tick), class_="tick", anchor="end")
        bins = len(self.stacks[0][1])
        below = [0.0] * bins
        for class_, numbers in self.stacks:
            above = [low + number for low, number in zip(below, numbers, strict=True)]
            yield svg.bars(
                (
                    (_LEFT + width * place / bins, base - high / full * self.height, width / bins, height)
                    for place, (low, high) in enumerate(zip(below, above, strict=True))
                    if (height := (high - low) / full * self.height)
                ),
                class_,
            )
            below = above


def _sync_runs(over_time: OverTime, seconds: float, language: Language) -> _Panel:
    rates = [number / seconds for number in over_time.sync_runs]
    title = language.text("html.chart_sync_runs", share=share(sum(over_time.at_work) / len(over_time.at_work)))
    return _Panel(title, 48, [("sync", rates)])


def time_chart(
    over_time: OverTime, language: Language, *, name: str = "over-time", synchronises: bool = True
) -> Markup:
    """How attempts ended, sync runs, exposures and misissuances, one strip below the other on one axis of time.

    Args:
        name: unique on the page.
        synchronises: the service does; else there is no strip of sync runs.
    """
    seconds = over_time.width_ns / 1e9
    in_flight = "" if synchronises else "_in_flight"
    rate = [
        (f"end-{end}", [number / seconds for number in over_time.ended[end]])
        for end in End
        if any(over_time.ended[end])
    ]
    panels = [
        _Panel(language.text("html.chart_load"), 150, rate or [("end-ok", over_time.ended[End.OK])]),
        *([_sync_runs(over_time, seconds, language)] if synchronises else ()),
        _Panel(_in_bins(f"html.chart_exposures{in_flight}", seconds, language), 48, [("exposed", over_time.exposures)]),
        _Panel(
            _in_bins("html.chart_misissued", seconds, language), 48, [("end-misissued", over_time.ended[End.MISISSUED])]
        ),
    ]
    width = _TIME_WIDTH - _LEFT - _RIGHT
    height = sum(panel.height + _LABEL for panel in panels) + _AXIS
    drawn: list[Markup] = []
    top = 0.0
    for panel in panels:
        top += _LABEL
        drawn += panel.draw(top, width)
        top += panel.height
    drawn += _time_axis(over_time, top, width, language)
    return svg.picture(
        _TIME_WIDTH,
        height,
        *drawn,
        name=name,
        title=language.text("html.chart_time_title"),
        description=language.text(
            f"html.chart_time_description{in_flight}",
            length=duration(len(over_time.exposures) * seconds),
            peak=_tick(panels[0].most),
            sync_runs=count(sum(over_time.sync_runs)),
            exposures=count(sum(over_time.exposures)),
            misissued=count(sum(over_time.ended[End.MISISSUED])),
        ),
    )


def latency_chart(histogram: Histogram, latency: Latency, language: Language, *, name: str = "latency") -> Markup:
    """How many prints took how long, on a logarithmic axis, with the percentiles of the verdict.

    Args:
        name: unique on the page.
    """
    edges = [edge / 1e9 for edge in histogram.edges_ns]
    totals = [whole + cut for whole, cut in zip(histogram.documents, histogram.unanswered, strict=True)]
    width, base, top = _LATENCY_WIDTH - _LEFT - _RIGHT, _LATENCY_HEIGHT - _AXIS, 64.0
    most = max(totals)
    places = [_LEFT + width * number / len(totals) for number in range(len(edges))]

    def x_of(seconds: float) -> float:
        """Bins are of equal width, so within one of them a straight line is close enough."""
        for (low, high), (left, right) in zip(pairwise(edges), pairwise(places), strict=True):
            if seconds < high:
                return left + (right - left) * max(seconds - low, 0) / (high - low)
        return places[-1]

    def boxes(numbers: Sequence[int], below: Sequence[int]) -> Iterable[tuple[float, float, float, float]]:
        for left, right, number, low in zip(places, places[1:], numbers, below, strict=False):
            height = number / most * (base - top)
            yield left + 0.5, base - low / most * (base - top) - height, max(right - left - 1, 0.5), height

    drawn = [svg.text(_LEFT, 16, language.text("html.chart_latency_axis"), class_="panel-title")]
    for tick in svg.ticks(0, most, 4):
        y = base - tick / most * (base - top)
        drawn += [
            svg.line(_LEFT, y, _LEFT + width, y, "grid" if tick else "axis"),
            svg.text(_LEFT - 6, y + 4, _tick(tick), class_="tick", anchor="end"),
        ]
    drawn += [
        svg.bars(boxes(histogram.documents, [0] * len(totals)), "end-ok"),
        svg.bars(boxes(histogram.unanswered, histogram.documents), "end-undecided"),
    ]
    drawn += _log_axis(edges, base, x_of)
    percentiles = [("p50", latency.p50_s), ("p95", latency.p95_s), ("p99", latency.p99_s)]
    told = [(f"{label} {duration(seconds)}", x_of(seconds)) for label, seconds in percentiles if seconds is not None]
    # Each line begins beside its own label, and in this order it crosses none of the others: where there is room to the
    # right of the last one the labels go down, and only the median's stands to its left; else they all do, and go up.
    goes_down = not told or told[-1][1] + 2 * _LABEL_ROOM <= _LATENCY_WIDTH
    for number, (label, x) in enumerate(told):
        is_left = x > _LEFT + 2 * _LABEL_ROOM and (number == 0 or not goes_down)
        y = 34.0 + 12 * (number if goes_down else len(told) - 1 - number)
        drawn += [
            svg.line(x, y - 8, x, base, "percentile"),
            svg.text(x - 4 if is_left else x + 4, y, label, class_="note", anchor="end" if is_left else ""),
        ]
    return svg.picture(
        _LATENCY_WIDTH,
        _LATENCY_HEIGHT,
        *drawn,
        name=name,
        title=language.text("html.chart_latency_title"),
        description=language.text(
            "html.chart_latency_description",
            number=count(sum(totals)),
            percentiles=", ".join(label for label, _ in told),
        ),
    )


def _in_bins(key: str, seconds: float, language: Language) -> str:
    return language.text(key, width=duration(seconds))


def _time_axis(over_time: OverTime, top: float, width: float, language: Language) -> Iterable[Markup]:
    bins = len(over_time.exposures)
    begin_s, length_s = over_time.begin_ns / 1e9, bins * over_time.width_ns / 1e9
    unit_s, unit = next(((unit_s, name) for least_s, unit_s, name in _UNITS if length_s >= least_s), (1e-9, "ns"))
    for tick in svg.ticks(begin_s / unit_s, (begin_s + length_s) / unit_s, 10):
        x = _LEFT + width * (tick * unit_s - begin_s) / length_s
        yield svg.line(x, top, x, top + 4, "axis")
        yield svg.text(x, top + 16, _tick(tick), class_="tick", anchor="middle")
    label = language.text("html.chart_time_axis", unit=unit)
    yield svg.text(_LEFT + width, top + 31, label, class_="note", anchor="end")


def _log_axis(edges: Sequence[float], base: float, x_of: Callable[[float], float]) -> Iterable[Markup]:
    """Ticks at 1, 2 and 5 of each decade, and where that is too few at both ends; labels where they find room."""
    decades = range(floor(log10(max(edges[0], 1e-9))), ceil(log10(max(edges[-1], 1e-9))) + 1)
    times = [step * 10.0**power for power in decades for step in (1, 2, 5)]
    times = [seconds for seconds in times if edges[0] <= seconds <= edges[-1]]
    if len(times) < _LEAST_TICKS:
        times = [edges[0], edges[-1]]
    labelled = -_LABEL_ROOM
    for seconds in times:
        x = x_of(seconds)
        yield svg.line(x, base, x, base + 4, "axis")
        if x - labelled >= _LABEL_ROOM:
            labelled = x
            yield svg.text(x, base + 17, duration(seconds), class_="tick", anchor="middle")


def _tick(number: float) -> str:
    return f"{float(f'{number:.4g}'):,.12g}"
