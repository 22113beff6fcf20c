"""The report of a run: one HTML file for people, made of the evidence and the verdict, that needs nothing else.

The same ledger, language and choice of names give the same bytes; nothing of the moment of its making is in it.
"""

from collections.abc import Callable
from functools import cache, partial

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.gate import Decision
from harness.incident import Incident
from harness.reason import plain
from harness.report.charts import latency_chart, time_chart
from harness.report.figures import figures_of
from harness.report.formats import clock, count, duration, share
from harness.report.heat import coverage_columns
from harness.report.incident_page import IN_FULL, details
from harness.report.language import JAPANESE, Language
from harness.report.masking import Masking
from harness.report.page import (
    counted,
    doubts,
    errors_section,
    evidence_section,
    incidents_section,
    outcome_rows,
    verdict_section,
)
from harness.report.pictures import Pair
from harness.report.repeat import run_section
from harness.report.sentences import asked_for, handed_out, owners_of

_PARTS = {"t": "html", "w": "common", "p": "pictures"}
"""By which name a template calls the texts of a part."""


def render_report(decision: Decision, language: Language, masking: Masking, draw: Callable[[str], Pair]) -> str:
    """The whole page.

    Args:
        masking: what persons are called.
        draw: nonce of an incident -> pictures of its documents, masked where persons are.
    """
    evidence, _, _, verdict = decision
    figures = figures_of(decision)
    incidents = dict(enumerate(verdict.incidents[:IN_FULL], start=1))
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            **_context(language, masking),
            run=evidence.run,
            verdict=verdict,
            ends=tuple(figures.over_time.ended),
            unplaced=figures.over_time.unplaced,
            time_chart=time_chart(figures.over_time, language, synchronises=verdict.synchronises),
            latency_chart=latency_chart(figures.latency, verdict.latency, language) if figures.latency.edges_ns else "",
            phases=figures.coverage.phases,
            heat=coverage_columns(figures.coverage, language),
            kinds=tuple(verdict.outcomes_by_kind),
            outcomes=outcome_rows(verdict),
            doubts=doubts(verdict, language),
            **verdict_section(decision, language, masking),
            details=details(evidence, incidents, language, masking, draw),
            **incidents_section(verdict),
            **errors_section(verdict, language),
            **evidence_section(verdict, language, masking),
            **run_section(evidence.run, masking),
        )
    )


def render_story(
    decision: Decision, incident: Incident, language: Language, masking: Masking, draw: Callable[[str], Pair]
) -> Markup:
    """Timeline, steps and documents of one incident, for a page that has the style of the report.

    Args:
        incident: one of the decision's; masking, draw: see `render_report`.
    """
    number = decision.verdict.incidents.index(incident) + 1
    (detail,) = details(decision.evidence, {number: incident}, language, masking, draw)
    page = _templates().get_template("story.html.j2")
    return Markup(page.render(**_context(language, masking), incident=incident, detail=detail, level=3))  # noqa: S704 - a template escapes by itself


def _context(language: Language, masking: Masking) -> dict[str, object]:
    """What every template needs."""
    return {
        "language": language,
        "japanese": JAPANESE,
        **{name: partial(_text, language, part) for name, part in _PARTS.items()},
        "person": masking.person,
        "told": masking.text,
        "masked": not masking.reveal,
        "asked_for": partial(asked_for, language=language),
        "handed_out": partial(handed_out, language=language),
        "owners_of": partial(owners_of, language=language, masking=masking),
        "clock": clock,
        "count": count,
        "counted": partial(counted, language=language),
        "duration": duration,
        "share": share,
        "plain": plain,
    }


def _text(language: Language, part: str, name: str, **values: object) -> str:
    return language.text(f"{part}.{name}", **values)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
