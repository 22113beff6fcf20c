"""Sentences on a verdict, which terminal, Markdown and JUnit share."""

from collections.abc import Iterable
from typing import Protocol

from harness.coverage import Cell
from harness.incident import Incident
from harness.report.formats import known
from harness.report.language import Language
from harness.report.masking import Masking
from harness.verdict import CellCount, Verdict

_SHOWN_CELLS = 3


def incident_sentence(incident: Incident, language: Language, masking: Masking) -> str:
    """Who was handed what of whom."""
    separator = language.text("common.list_separator")
    more = ""
    if incident.my_number:
        more += language.text("sentence.incident_my_number")
    if incident.sync_run:
        more += language.text("sentence.incident_sync_run", sync_run=incident.sync_run)
    if incident.error_retried_ok:
        more += language.text("sentence.incident_errors", errors=separator.join(incident.error_retried_ok))
    return language.text(
        "sentence.incident",
        outcome=language.text(f"common.outcome_{incident.outcome}"),
        recipient=masking.person(incident.recipient),
        asked=asked_for(incident, language),
        got=handed_out(incident, language),
        whose=owners_of(incident, language, masking),
        more=more,
    )


class Asked(Protocol):
    """Whatever tells what was applied for."""

    @property
    def kind(self) -> str:
        """Of the document."""

    @property
    def options(self) -> tuple[str, ...]:
        """Of the application."""


def asked_for(asked: Asked, language: Language) -> str:
    """The kind of document and its options."""
    text = language.name("kind", asked.kind)
    if asked.options:
        text += language.text("sentence.options", options=_named("option", asked.options, " ", language))
    return text


def handed_out(incident: Incident, language: Language) -> str:
    """The kind of document that came."""
    kind = incident.delivered_kind
    return language.name("kind", kind) if kind else language.text("sentence.any_document")


def owners_of(incident: Incident, language: Language, masking: Masking) -> str:
    """Those who are strangers to the recipient; where nobody is, everybody whose data was on the document."""
    names = masking.persons(incident.exposed_persons or incident.owners)
    return language.text("common.list_separator").join(names) or language.text("sentence.nobody")


def what_was_shown(verdict: Verdict, language: Language, place: str) -> list[str]:
    """The sentences that terminal and Markdown say of every run.

    Args:
        place: where the errors that were re-applied and printed normally can be looked up.
    """
    sentences = (
        papers_sentence(verdict, language),
        bound_sentence(verdict, language),
        coverage_sentence(verdict, language),
        completeness_sentence(verdict, language),
        latency_sentence(verdict, language),
        retried_errors_sentence(verdict, language, place),
    )
    return [sentence for sentence in sentences if sentence]


def papers_sentence(verdict: Verdict, language: Language) -> str:
    """How many papers, and how many people's data."""
    return language.text(
        "sentence.papers",
        papers=verdict.papers,
        persons=verdict.persons,
        with_my_number=verdict.with_my_number,
        error_notices=verdict.error_notices,
    )


def bound_sentence(verdict: Verdict, language: Language) -> str:
    """What was exercised, and what that proves."""
    bound = verdict.bound
    return language.text(
        "sentence.bound" if verdict.synchronises else "sentence.bound_in_flight",
        exposures=verdict.exposures,
        sync_runs=verdict.sync_runs,
        events=bound.events,
        confidence=bound.confidence,
        upper=bound.upper,
        unit=language.name("unit", bound.unit),
    )


def coverage_sentence(verdict: Verdict, language: Language) -> str:
    """How many coverage cells were hit, and some of those that never were; empty where there are none."""
    if not verdict.cells:
        return ""
    # The smallest first: where two prints were never seen together, three were not either.
    never = sorted((cell for cell in verdict.cells if not cell.sync_runs), key=lambda cell: len(cell.states))
    text = language.text("sentence.coverage", hit=verdict.cells_hit, cells=len(verdict.cells))
    if never:
        names = [cell_name(cell, language) for cell in never[:_SHOWN_CELLS]]
        shown = language.text("common.list_separator").join((*names, "…") if len(never) > _SHOWN_CELLS else names)
        text += language.text("sentence.coverage_never", cells=shown)
    return text


def cell_name(cell: Cell | CellCount, language: Language) -> str:
    """The phase, and the states that stood together in it."""
    return f"{language.name('phase', cell.phase)} {_named('state', cell.states, ' + ', language)}"


def _named(group: str, words: Iterable[str], separator: str, language: Language) -> str:
    return separator.join(language.name(group, word) for word in words)


def completeness_sentence(verdict: Verdict, language: Language) -> str:
    """Where every attempt went."""
    processes = verdict.processes.values()
    self_tests = sorted({process.self_test for process in processes}) or ["none"]
    return language.text(
        "sentence.completeness",
        issued=sum(process.issued for process in processes),
        judged=sum(process.judged for process in processes),
        failed=sum(process.failed for process in processes),
        in_flight=verdict.in_flight_at_stop,
        processes=len(processes),
        self_test=language.text("common.list_separator").join(
            language.text(f"common.self_test_{state}") for state in self_tests
        ),
    )


def latency_sentence(verdict: Verdict, language: Language) -> str:
    """Percentiles as far as known, and how the plan of arrivals was kept to; empty when nothing was measured."""
    taken = verdict.latency
    if not (verdict.prints_judged or verdict.may_have_printed):
        return ""

    def told(seconds: float | None) -> str:
        unknown = language.text("common.unknown")
        return known(lambda seconds: language.text("sentence.seconds", seconds=seconds), seconds, unknown)

    text = language.text("sentence.latency", p50=told(taken.p50_s), p95=told(taken.p95_s), p99=told(taken.p99_s))
    if verdict.rate_share is not None:
        text += language.text("sentence.planned", rate_share=verdict.rate_share, late_starts=verdict.late_starts)
    return text


def retried_errors_sentence(verdict: Verdict, language: Language, place: str) -> str:
    """The errors that were closed as printed normally, and where to read who was beside; empty without any."""
    number = len(verdict.retried_errors)
    return language.text("sentence.retried_errors", number=number, place=place) if number else ""
