"""What stands in the sections of a report, ready to be set by its templates. Pure."""

from collections.abc import Mapping
from itertools import chain, islice
from typing import NamedTuple

from harness.evidence.reader import RunEvidence
from harness.gate import Decision
from harness.incident import Neighbour, RetriedError
from harness.outcome import Outcome
from harness.reason import EVIDENCE_CODES, Reason
from harness.report.formats import count, duration, known, share
from harness.report.language import Language
from harness.report.masking import Masking
from harness.report.reasons import masked_reason, reason_text
from harness.verdict import Verdict

_REASONS_AT_MOST = 12
_GAPS_AT_MOST = 100
_ERRORS_AT_MOST = 50
_BESIDE_AT_MOST = 8
_LISTED_AT_MOST = 500
_MISISSUED = frozenset(outcome for outcome in Outcome if outcome.is_misissue)


class Tile(NamedTuple):
    """One figure with its name."""

    label: str
    value: str
    is_bad: bool = False


class OutcomeRow(NamedTuple):
    """One of the sixteen outcomes; `by_kind` in the order of the kinds."""

    outcome: Outcome
    is_misissue: bool
    number: int
    by_kind: tuple[int, ...]


class ErrorRow(NamedTuple):
    """An error that was closed as printed normally, with those beside it who got somebody's document first."""

    error: RetriedError
    misissued: tuple[Neighbour, ...]
    others: tuple[Neighbour, ...]
    left_out: int


class ProcessRow(NamedTuple):
    """Attempts of one load process, or of all of them."""

    name: str
    issued: int
    judged: int
    failed: int
    in_flight: int
    self_test: str

    @property
    def adds_up(self) -> bool:
        """Whether every attempt is accounted for."""
        return self.issued == self.judged + self.failed + self.in_flight


def verdict_section(decision: Decision, language: Language, masking: Masking) -> Mapping[str, object]:
    """The first screen: three sentences, the reasons, the figures."""
    verdict = decision.verdict
    reasons = [reason_text(masked_reason(reason, masking), language) for reason in verdict.reasons]
    return {
        "sentences": (
            _harm(verdict, language),
            _exercise(verdict, decision.evidence, language),
            _completeness(verdict, language),
        ),
        "reasons": reasons[:_REASONS_AT_MOST],
        "reasons_left_out": len(reasons[_REASONS_AT_MOST:]),
        "tiles": _tiles(verdict, language),
    }


def outcome_rows(verdict: Verdict) -> tuple[OutcomeRow, ...]:
    """All sixteen, the worst first."""
    return tuple(
        OutcomeRow(
            outcome,
            outcome.is_misissue,
            verdict.outcomes[outcome],
            tuple(of_kind.get(outcome, 0) for of_kind in verdict.outcomes_by_kind.values()),
        )
        for outcome in Outcome
    )


def doubts(verdict: Verdict, language: Language) -> tuple[Tile, ...]:
    """What is not the service's fault, or cannot be told apart from it."""
    unknown = language.text("common.unknown")
    figures = (
        ("may_have_printed", count(verdict.may_have_printed)),
        ("resends", known(count, verdict.resends, unknown)),
        ("late_starts", known(count, verdict.late_starts, unknown)),
        ("rate_share", known(share, verdict.rate_share, unknown)),
    )
    return tuple(Tile(language.text(f"html.{name}"), value) for name, value in figures)


def incidents_section(verdict: Verdict) -> Mapping[str, object]:
    """Who was handed whose document, in a table."""
    return {
        "listed": verdict.incidents[:_LISTED_AT_MOST],
        "incidents_left_out": len(verdict.incidents[_LISTED_AT_MOST:]),
    }


def errors_section(verdict: Verdict, language: Language) -> Mapping[str, object]:
    """The errors that were closed as "re-applied, printed normally"."""
    errors = verdict.retried_errors
    hiding = [error for error in errors if any(other.outcome in _MISISSUED for other in error.neighbours)]
    harmless = (error for error in errors if not any(other.outcome in _MISISSUED for other in error.neighbours))
    shown = islice(chain(hiding, harmless), _ERRORS_AT_MOST)  # those that hide something first, else in their order
    key = "errors_none" if not errors else "errors_hiding" if hiding else "errors_harmless"
    return {
        "errors_text": language.text(
            f"html.{key}", errors=counted("error_count", len(errors), language), hiding=count(len(hiding))
        ),
        "errors": [_error_row(error) for error in shown],
        "errors_left_out": max(0, len(errors) - _ERRORS_AT_MOST),
    }


def evidence_section(verdict: Verdict, language: Language, masking: Masking) -> Mapping[str, object]:
    """Whether every attempt is accounted for, and whatever is missing."""
    rows = [
        ProcessRow(
            segment,
            process.issued,
            process.judged,
            process.failed,
            process.in_flight_at_stop,
            language.text(f"common.self_test_{process.self_test}"),
        )
        for segment, process in verdict.processes.items()
    ]
    if len(rows) > 1:
        issued, judged, failed, in_flight = (sum(column) for column in zip(*(row[1:5] for row in rows), strict=True))
        rows.append(ProcessRow(language.text("html.all_processes"), issued, judged, failed, in_flight, ""))
    gaps = [reason_text(masked_reason(reason, masking), language) for reason in _gaps(verdict)]
    return {"processes": rows, "gaps": gaps[:_GAPS_AT_MOST], "gaps_left_out": len(gaps[_GAPS_AT_MOST:])}


def counted(thing: str, number: int, language: Language) -> str:
    """So many of a thing, as the language says it.

    Args:
        thing: the texts `html.<thing>_one` and `html.<thing>_many`.
    """
    return language.text(f"html.{thing}_{'one' if number == 1 else 'many'}", number=count(number))


def _harm(verdict: Verdict, language: Language) -> str:
    if not verdict.prints_judged and not verdict.incidents:
        key = "harm_nothing"
    elif not verdict.incidents:
        key = "harm_none"
    elif not verdict.papers:
        key = "harm_unhanded"
    else:
        key = "harm_strangers" if verdict.persons else "harm_own"
    return language.text(
        f"html.{key}",
        documents=counted("document", verdict.prints_judged, language),
        applications=counted("application", len(verdict.incidents), language),
        papers=counted("misissued_paper", verdict.papers, language),
        persons=counted("other_person", verdict.persons, language),
        my_number=counted("paper", verdict.with_my_number, language),
    )


def _exercise(verdict: Verdict, evidence: RunEvidence, language: Language) -> str:
    bound = verdict.bound
    trigger = "trigger" if evidence.run.shows_points else "trigger_outside"
    key = "exercised" if verdict.exposures else "exercised_never"
    if not evidence.run.synchronises:
        trigger, key = "trigger_in_flight", f"{key}_in_flight"
    return language.text(
        f"html.{key}",
        trigger=language.text(f"html.{trigger}"),
        times=counted("time", verdict.exposures, language),
        sync_runs=counted("sync_run_count", verdict.sync_runs, language),
        cells_hit=count(verdict.cells_hit),
        cells=count(len(verdict.cells)),
        confidence=share(bound.confidence),
        upper=share(bound.upper),
    )


def _completeness(verdict: Verdict, language: Language) -> str:
    processes = verdict.processes.values()
    undecided = verdict.outcomes[Outcome.UNDECIDED]
    gaps = len(_gaps(verdict))
    tests = {process.self_test for process in processes}
    key = "gaps" if gaps or undecided else "whole" if tests == {"caught"} else "whole_untested"
    return language.text(
        f"html.evidence_{key}",
        gaps=counted("gap", gaps, language),
        undecided=counted("print_count", undecided, language),
        attempts=counted("attempt_count", sum(process.issued for process in processes), language),
        judged=count(sum(process.judged for process in processes)),
        failed=count(sum(process.failed for process in processes)),
    )


def _gaps(verdict: Verdict) -> list[Reason]:
    return [reason for reason in verdict.reasons if reason.code in EVIDENCE_CODES]


def _tiles(verdict: Verdict, language: Language) -> tuple[Tile, ...]:
    unknown = language.text("common.unknown")
    in_flight = "" if verdict.synchronises else "_in_flight"
    of_sync_runs = (
        ("tile_sync_runs", count(verdict.sync_runs), False),
        ("tile_cells", f"{verdict.cells_hit} / {len(verdict.cells)}", False),
    )
    figures = (
        ("tile_documents", count(verdict.prints_judged), False),
        ("tile_papers", count(verdict.papers), verdict.papers > 0),
        ("tile_persons", count(verdict.persons), verdict.persons > 0),
        (f"tile_exposures{in_flight}", count(verdict.exposures), False),
        (f"tile_bound{in_flight}", share(verdict.bound.upper), False),
        *(of_sync_runs if verdict.synchronises else ()),
        ("tile_p95", known(duration, verdict.latency.p95_s, unknown), False),
    )
    return tuple(Tile(language.text(f"html.{name}"), value, is_bad) for name, value, is_bad in figures)


def _error_row(error: RetriedError) -> ErrorRow:
    misissued = tuple(other for other in error.neighbours if other.outcome in _MISISSUED)
    others = tuple(other for other in error.neighbours if other.outcome not in _MISISSUED)
    return ErrorRow(error, misissued, others[:_BESIDE_AT_MOST], len(others[_BESIDE_AT_MOST:]))
