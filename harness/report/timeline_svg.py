"""Draws a timeline: lanes from the people down to the data, numbered steps, and the moment of the overwriting. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from markupsafe import Markup

from harness.report import svg
from harness.report.elastic import ElasticAxis
from harness.report.formats import milliseconds
from harness.report.language import Language
from harness.report.masking import Masking
from harness.report.text_width import fitting, text_width
from harness.report.timeline import Lane, Span, Step, Timeline
from harness.report.timeline_words import title_of

WIDTH = 1000.0
_LEFT, _RIGHT = 148.0, 26.0
_GAP, _CAPTION, _AXIS = 8.0, 18.0, 44.0
_HEIGHTS = {Lane.STAGE: 66.0, Lane.IMAGE: 44.0}
_HEIGHT = 38.0
_RADIUS = 9.0
_SMALL, _LARGE = 11.0, 12.0  # sizes of text
_TIES = 64  # steps that can stand side by side
_SHORT = {"sent", "handed", "answered_error", "answered_document", "sent_again", "again_document", "again_error"}
"""Steps at the kiosks that have a few words beside them."""
_BAR = 22.0


class _Band(NamedTuple):
    """The strip of a lane."""

    top: float
    height: float

    def middle(self, lane: Lane, who: str) -> float:
        """Of the track of a print; only in the stage has each of them its own."""
        if lane is not Lane.STAGE:
            return self.top + self.height / 2
        return self.top + self.height * (0.28 if who == "a" else 0.72)


class _Flag(NamedTuple):
    """A line through all lanes at one instant, with its caption above them; row 0 is the lowest."""

    x: float
    class_: str
    caption: str
    row: int
    text_x: float
    anchor: str


def draw_timeline(timeline: Timeline, language: Language, masking: Masking, *, name: str) -> Markup:
    """The picture.

    Args:
        name: unique on the page.
    """
    axis = _Axis(timeline, language)
    flags = _flags(timeline, axis, language)
    head = 8 + _CAPTION * (max((flag.row for flag in flags), default=-1) + 1)
    bands, bottom = _bands(timeline, head)
    drawn = [_hatch(name, who) for who in ("a", "b")]
    for lane, band in bands.items():
        drawn += _lane(lane, band, timeline, language, masking)
    drawn += [_span(span, bands[span.lane], axis, name, language) for span in timeline.spans]
    for flag in flags:
        y = head - 6 - _CAPTION * flag.row
        drawn += [
            svg.line(flag.x, y - 10, flag.x, bottom, f"marker {flag.class_}"),
            svg.text(flag.text_x, y, flag.caption, class_=f"caption {flag.class_}", anchor=flag.anchor),
        ]
    drawn += _captions(timeline, bands, axis, language)
    # The numbers last, so that none is covered.
    numbers = timeline.numbers
    for place in sorted(range(len(numbers)), key=numbers.__getitem__):
        step = timeline.steps[place]
        y = bands[step.lane].middle(step.lane, step.who)
        drawn += _step(step, numbers[place], axis.steps[place], y)
    drawn += _time_axis(timeline, axis, bottom, language)
    return svg.picture(
        WIDTH,
        bottom + _AXIS,
        *drawn,
        name=name,
        title=title_of(timeline, language, masking),
        description=language.text("timeline.description", number=max(numbers)),
    )


class _Axis:
    """Where the times of a timeline are, from left to right.

    Attributes:
        steps: place of each step; those of one track at one instant stand side by side.
    """

    def __init__(self, timeline: Timeline, language: Language) -> None:
        last = max(timeline.steps, key=lambda step: step.at_ns)
        tail = text_width(_short(last, language), _SMALL) if last.what in _SHORT else 0.0
        left = _LEFT + _RADIUS + 5
        beside: Counter[tuple[int, str]] = Counter()
        times = []
        marks = [(at_ns * _TIES, "", 0.0) for span in timeline.spans for at_ns in (span.begin_ns, span.end_ns)]
        for step in timeline.steps:
            track = f"{step.lane}{step.who if step.lane is Lane.STAGE else ''}"
            times.append(step.at_ns * _TIES + min(beside[step.at_ns, track], _TIES - 1))
            beside[step.at_ns, track] += 1
            room = 2 * _RADIUS + 4 if step.is_key else 8.0
            if step.what in _SHORT:
                room += text_width(_short(step, language), _SMALL)
            marks += [(times[-1], track, room), (step.at_ns * _TIES, "", 0.0)]
        self._axis = ElasticAxis(marks, left=left, width=WIDTH - _RIGHT - tail - left, least=7)
        self.steps = [self._axis.x(time) for time in times]

    def x(self, at_ns: int) -> float:
        """The place of a time."""
        return self._axis.x(at_ns * _TIES)


def _flags(timeline: Timeline, axis: _Axis, language: Language) -> list[_Flag]:
    """The decisive moments. Each line begins at its caption, so that none crosses another one's.

    The rightmost caption stands to the right of its line. The others stand to the left of theirs, the further right the
    higher, so that the lines to their left begin below them.
    """
    found = [(step.at_ns, "releasing", "flag_released") for step in timeline.steps if step.what == "sync_released"]
    if timeline.overwritten_ns is not None:
        found.append((timeline.overwritten_ns, "overwriting", "flag_overwritten"))
    if timeline.read_ns is not None:
        key = "flag_read" if timeline.overwritten_ns is None else "flag_read_wrong"
        found.append((timeline.read_ns, "reading", key))
    flags = []
    lowest_ends = 0.0
    for row, (at_ns, class_, key) in enumerate(sorted(found)):
        x, caption = axis.x(at_ns), language.text(f"timeline.{key}", at=milliseconds(at_ns))
        width = text_width(caption, _LARGE)
        if row == len(found) - 1 and x + 5 + width <= WIDTH:
            flags.append(_Flag(x, class_, caption, 0 if lowest_ends < x else row, x + 5, ""))
        elif x - 5 - width >= 0:
            flags.append(_Flag(x, class_, caption, row, x - 5, "end"))
        else:
            flags.append(_Flag(x, class_, caption, row, 0.0, ""))  # across its own line, rather than cut off
        lowest_ends = lowest_ends or max(x - 5, width)
    return flags


def _captions(timeline: Timeline, bands: Mapping[Lane, _Band], axis: _Axis, language: Language) -> Iterator[Markup]:
    """A few words beside what people see: to the right of the step, else to its left, where there is room for them."""
    for lane in (Lane.KIOSK_A, Lane.KIOSK_B):
        shown = [
            (step, x)
            for step, x in zip(timeline.steps, axis.steps, strict=True)
            if step.lane is lane and step.what in _SHORT
        ]
        after = [*(x for _, x in shown[1:]), WIDTH + _RADIUS]
        free = _LEFT
        for (step, x), next_x in zip(shown, after, strict=False):
            caption = _short(step, language)
            width = text_width(caption, _SMALL)
            class_ = "span-name overwriting" if step.what == "handed" else "span-name"
            y = bands[lane].top + bands[lane].height / 2 - 7
            begin, end = x + _RADIUS + 4, next_x - _RADIUS
            if begin + width <= end:
                yield svg.text(begin, y, caption, class_=class_)
                free = begin + width
            elif free + width + 4 <= x - _RADIUS - 4:
                yield svg.text(x - _RADIUS - 4, y, caption, class_=class_, anchor="end")
                free = x


def _short(step: Step, language: Language) -> str:
    return language.text(f"timeline.short_{step.what}")


def _bands(timeline: Timeline, head: float) -> tuple[dict[Lane, _Band], float]:
    bands = {}
    top = head
    for lane in timeline.lanes:
        bands[lane] = _Band(top, _HEIGHTS.get(lane, _HEIGHT))
        top += bands[lane].height + _GAP
    return bands, top - _GAP


def _hatch(name: str, who: str) -> Markup:
    return svg.element(
        "pattern",
        svg.rectangle(0, 0, 6, 6, f"ground-{who}"),
        svg.element("path", d="M0 6L6 0M-1 1L1 -1M5 7L7 5", class_=f"hatch-{who}"),
        id=f"{name}-waits-{who}",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
    )


def _lane(lane: Lane, band: _Band, timeline: Timeline, language: Language, masking: Masking) -> Iterable[Markup]:
    yield svg.rectangle(_LEFT, band.top, WIDTH - _LEFT - 4, band.height, "lane", rounding=4)
    first, second = language.text(f"timeline.lane_{lane}"), ""
    match lane:
        case Lane.KIOSK_A:
            second = masking.person(timeline.a.person)
        case Lane.KIOSK_B if timeline.b is not None:
            second = masking.person(timeline.b.person)
        case Lane.STAGE | Lane.IMAGE if timeline.slot:
            second = language.text("timeline.of_slot", slot=timeline.slot)
        case Lane.SYNC_RUN:
            names = dict.fromkeys(step.values["sync_run"] for step in timeline.steps if step.lane is Lane.SYNC_RUN)
            second = language.text("common.list_separator").join(names)
        case _:
            pass
    y = band.top + band.height / 2 + (-3 if second else 4)
    yield svg.text(_LEFT - 10, y, first, class_=f"lane-name {lane}", anchor="end")
    if second:
        yield svg.text(_LEFT - 10, y + 14, fitting(second, _LEFT - 14, _SMALL), class_="note", anchor="end")


def _span(span: Span, band: _Band, axis: _Axis, name: str, language: Language) -> Markup:
    left, right = axis.x(span.begin_ns), axis.x(span.end_ns)
    height = {"in_flight": 8.0, "holds": band.height - 10, "at_work": 14.0, "releases": 14.0}.get(span.what, _BAR)
    y = band.middle(span.lane, span.who) - height / 2
    fill = f"url(#{name}-waits-{span.who})" if span.what == "waits" else None
    box = svg.element(
        "rect",
        x=left,
        y=y,
        width=max(right - left, 1.5),
        height=height,
        rx=2,
        fill=fill,
        class_=f"{span.what} {span.who}",
    )
    key = f"timeline.span_{span.what}"
    letter = span.who.upper()
    for caption in (language.text(key, letter=letter), letter) if span.what in _CAPTIONED else ():
        if text_width(caption, 11) + 2 * _RADIUS + 10 <= right - left:
            return box + svg.text(left + _RADIUS + 6, y + height / 2 + 4, caption, class_="span-name")
    return box


_CAPTIONED = {"waits", "in_stage", "holds"}


def _step(step: Step, number: int, x: float, y: float) -> Iterable[Markup]:
    if not number:
        yield svg.element("circle", cx=x, cy=y, r=2.5, class_=f"minor {step.who or 'sync'}")
        return
    yield svg.element("circle", cx=x, cy=y, r=_RADIUS, class_=f"step {step.who or 'sync'}")
    yield svg.text(x, y + 3.8, str(number), class_="step-number", anchor="middle")


def _time_axis(timeline: Timeline, axis: _Axis, bottom: float, language: Language) -> Iterable[Markup]:
    """The times of the key steps, as many as find room: those of the flags first."""
    y = bottom + 8
    yield svg.line(_LEFT, y, WIDTH - 4, y, "axis")
    marked = {timeline.overwritten_ns, timeline.read_ns, 0}
    marked |= {step.at_ns for step in timeline.steps if step.what == "sync_released"}
    taken: list[tuple[float, float]] = []
    times = {step.at_ns for step in timeline.steps if step.is_key}
    for at_ns in sorted(times, key=lambda at_ns: (at_ns not in marked, at_ns)):
        x, label = axis.x(at_ns), milliseconds(at_ns, digits=1)
        width = text_width(label, _SMALL)
        left = min(x - width / 2, WIDTH - width)
        yield svg.line(x, y, x, y + 4, "axis")
        if all(left + width + 5 <= other_left or right + 5 <= left for other_left, right in taken):
            taken.append((left, left + width))
            yield svg.text(left + width / 2, y + 17, label, class_="tick", anchor="middle")
    yield svg.text(WIDTH - 4, y + 33, language.text("timeline.axis"), class_="note", anchor="end")
