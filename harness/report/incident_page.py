"""What a report tells of single incidents, ready to be set by its templates."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup

from harness.evidence.reader import RunEvidence
from harness.incident import Incident, Neighbour
from harness.report.formats import milliseconds
from harness.report.language import Language
from harness.report.masking import Masking
from harness.report.pictures import Pair, Picture
from harness.report.timeline import Timeline
from harness.report.timeline_svg import draw_timeline
from harness.report.timeline_words import source_text, step_text, title_of
from harness.report.timelines import timelines

IN_FULL = 20
"""Incidents of a run that its report tells so; the others are in a table."""
_NEIGHBOURS_AT_MOST = 30
_DECISIVE = {"overwritten", "read_wrong", "handed"}


class StepRow(NamedTuple):
    """One step in words; number 0 for one that is no key step."""

    number: int
    who: str
    at: str
    lane: str
    text: str
    source: str
    is_decisive: bool


class Paper(NamedTuple):
    """One of the two documents.

    Args:
        role: a text of the part `pictures`; words: what is to be seen.
    """

    role: Literal["right", "delivered"]
    words: str
    picture: Picture


class Detail(NamedTuple):
    """One incident in full.

    Args:
        timeline: None where its print is not on record; title, picture, steps: of it.
        papers: what would have been right, and what was delivered.
        left_out: how many more neighbours there were.
    """

    number: int
    incident: Incident
    timeline: Timeline | None
    title: str
    picture: Markup
    steps: tuple[StepRow, ...]
    papers: tuple[Paper, Paper]
    neighbours: Sequence[Neighbour]
    left_out: int


def details(
    evidence: RunEvidence,
    incidents: Mapping[int, Incident],
    language: Language,
    masking: Masking,
    draw: Callable[[str], Pair],
) -> tuple[Detail, ...]:
    """Some incidents in full.

    Args:
        incidents: by the number that each has in its run.
        draw: see `harness.report.html.render_report`.

    Raises:
        OSError: when the ledger is gone meanwhile.
    """
    found = timelines(evidence, [*incidents.values()])
    return tuple(
        _detail(number, incident, found.get(incident.nonce), draw(incident.nonce), language, masking)
        for number, incident in incidents.items()
    )


def _detail(
    number: int, incident: Incident, timeline: Timeline | None, pair: Pair, language: Language, masking: Masking
) -> Detail:
    name = f"timeline-{number}"
    return Detail(
        number=number,
        incident=incident,
        timeline=timeline,
        title=title_of(timeline, language, masking) if timeline is not None else "",
        picture=draw_timeline(timeline, language, masking, name=name) if timeline is not None else Markup(),
        steps=tuple(_steps(timeline, incident, language, masking)) if timeline is not None else (),
        papers=(_paper("right", pair.right, language), _paper("delivered", pair.delivered, language)),
        neighbours=incident.neighbours[:_NEIGHBOURS_AT_MOST],
        left_out=len(incident.neighbours[_NEIGHBOURS_AT_MOST:]),
    )


def _paper(role: Literal["right", "delivered"], picture: Picture, language: Language) -> Paper:
    return Paper(role, language.text(picture.alt_text_key, **picture.alt_text_values), picture)


def _steps(timeline: Timeline, incident: Incident, language: Language, masking: Masking) -> Iterator[StepRow]:
    for number, step in zip(timeline.numbers, timeline.steps, strict=True):
        yield StepRow(
            number=number,
            who=step.who,
            at=milliseconds(step.at_ns),
            lane=language.text(f"timeline.lane_{step.lane}"),
            text=step_text(step, timeline, incident, language, masking),
            source=source_text(step, language),
            is_decisive=step.what in _DECISIVE,
        )
