"""Markdown of a verdict, for the page of a merge request or of a CI job: the verdict first, then why, then the rest."""

import re
from collections.abc import Iterable, Iterator

from harness.criteria import Criterion, metric_name
from harness.evidence.ledger import VERDICT_FILE, RunDescription
from harness.incident import Incident
from harness.reason import plain
from harness.report.language import Language
from harness.report.masking import Masking
from harness.report.reasons import masked_reason, reason_text
from harness.report.sentences import (
    asked_for,
    handed_out,
    owners_of,
    what_was_shown,
)
from harness.verdict import Verdict

_SHOWN_INCIDENTS = 20
_SHOWN_REASONS = 20
_SIGNS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "⚠️"}
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&@])")


def markdown(verdict: Verdict, run: RunDescription, language: Language, masking: Masking) -> str:
    """The page.

    Args:
        masking: what persons are called.
    """
    return "\n".join(_lines(verdict, run, language, masking))


def _lines(verdict: Verdict, run: RunDescription, language: Language, masking: Masking) -> Iterator[str]:
    word = language.text(f"common.verdict_{verdict.verdict}")
    yield f"## {_SIGNS[verdict.verdict]} {word} · misissue {escape(verdict.profile)}"
    yield ""
    for reason in verdict.reasons[:_SHOWN_REASONS]:
        yield f"- {escape(reason_text(masked_reason(reason, masking), language))}"
    if len(verdict.reasons) > _SHOWN_REASONS:
        yield f"- {_more(len(verdict.reasons) - _SHOWN_REASONS, language)}"
    yield from _incidents(verdict, language, masking)
    yield from _section("exercised", language)
    for sentence in what_was_shown(verdict, language, VERDICT_FILE):
        yield f"- {escape(sentence)}"
    yield from _section("outcomes", language)
    yield from table_lines(
        (language.text("markdown.outcome"), language.text("markdown.number")),
        (
            (language.text(f"common.outcome_{outcome}"), str(number))
            for outcome, number in verdict.outcomes.items()
            if number
        ),
    )
    if verdict.criteria:
        yield from _section("criteria", language)
        yield from table_lines(
            tuple(language.text(f"markdown.{name}") for name in ("criterion", "found", "limit", "result")),
            (_criterion(criterion, language) for criterion in verdict.criteria),
        )
    yield ""
    yield escape(
        language.text("markdown.run", target=verdict.target, seed=verdict.seed, started=run.started, run=run.run)
    )
    yield ""


def _incidents(verdict: Verdict, language: Language, masking: Masking) -> Iterator[str]:
    if not verdict.incidents:
        return
    yield from _section("incidents", language)
    columns = ["time", "outcome", "recipient", "asked_for", "handed_out", "whose", "sync_run", "cause"]
    if not verdict.synchronises:
        columns.remove("sync_run")
    cells = (_incident(incident, language, masking) for incident in verdict.incidents[:_SHOWN_INCIDENTS])
    yield from table_lines(
        tuple(language.text(f"markdown.{name}") for name in columns),
        (tuple(of_incident[name] for name in columns) for of_incident in cells),
    )
    if len(verdict.incidents) > _SHOWN_INCIDENTS:
        yield ""
        yield _more(len(verdict.incidents) - _SHOWN_INCIDENTS, language)


def _incident(incident: Incident, language: Language, masking: Masking) -> dict[str, str]:
    """Column -> what stands in it."""
    return {
        "time": incident.at,
        "outcome": language.text(f"common.outcome_{incident.outcome}"),
        "recipient": masking.person(incident.recipient),
        "asked_for": asked_for(incident, language),
        "handed_out": handed_out(incident, language),
        "whose": owners_of(incident, language, masking),
        "sync_run": incident.sync_run or language.text("markdown.none"),
        "cause": language.text(f"common.cause_{incident.cause}"),
    }


def _criterion(criterion: Criterion, language: Language) -> tuple[str, ...]:
    sign = "≤" if criterion.side == "maximum" else "≥"
    return (
        metric_name(criterion.metric, criterion.kind),
        language.text("common.unknown") if criterion.value is None else plain(criterion.value),
        f"{sign} {plain(criterion.limit)}",
        language.text(f"markdown.result_{criterion.result}"),
    )


def _section(name: str, language: Language) -> Iterator[str]:
    yield ""
    yield f"### {language.text(f'markdown.section_{name}')}"
    yield ""


def table_lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table, with whatever is in its rows as text."""
    yield _row(head)
    yield _row(("---",) * len(head))
    for row in rows:
        yield _row(tuple(map(escape, row)))


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _more(number: int, language: Language) -> str:
    return escape(language.text("markdown.more", number=number, place=VERDICT_FILE))


def escape(text: str) -> str:
    """The text on one line, with nothing in it that Markdown or HTML would read as anything but text."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
