"""The run on a terminal: one line of progress, and at the end who was handed whose document."""

import sys
from pathlib import Path

from rich.table import Table
from rich.text import Text

from harness.evidence.ledger import VERDICT_FILE
from harness.report.language import Language
from harness.report.masking import Masking
from harness.report.reasons import reason_text
from harness.report.screen import Screen
from harness.report.sentences import (
    incident_sentence,
    what_was_shown,
)
from harness.verdict import Verdict

_SHOWN_INCIDENTS = 8
_SHOWN_REASONS = 12
_COLOURS = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow"}


def print_progress(
    elapsed_s: float, planned_s: float, phase: str, *, ok: int, misissued: int, errors: int, language: Language
) -> None:
    """One line on stderr; a plan of no known length has 0 seconds."""
    figures = {"ok": ok, "misissued": misissued, "errors": errors}
    key = "terminal.progress" if planned_s else "terminal.progress_open"
    line = language.text(key, elapsed_s=elapsed_s, planned_s=planned_s, phase=phase, **figures)
    print(line, file=sys.stderr, flush=True)


def print_verdict(verdict: Verdict, directory: Path, language: Language) -> None:
    """Incidents first, then the counts, then the verdict with its reasons, on stdout.

    Persons are named: who sits at the terminal has the ledger, too.
    """
    console = Screen()
    place = str(directory / VERDICT_FILE)
    names = Masking(reveal=True)
    for incident in verdict.incidents[:_SHOWN_INCIDENTS]:
        console.print(incident_sentence(incident, language, names))
    if len(verdict.incidents) > _SHOWN_INCIDENTS:
        number = len(verdict.incidents) - _SHOWN_INCIDENTS
        console.print(language.text("terminal.more_incidents", number=number, place=place))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for outcome, number in verdict.outcomes.items():
        if number:
            table.add_row(language.text(f"common.outcome_{outcome}"), str(number))
    console.print(table)
    for sentence in what_was_shown(verdict, language, place):
        console.print(sentence)
    reasons = [reason_text(reason, language) for reason in verdict.reasons[:_SHOWN_REASONS]]
    if len(verdict.reasons) > _SHOWN_REASONS:
        number = len(verdict.reasons) - _SHOWN_REASONS
        reasons.append(language.text("terminal.more_reasons", number=number, place=place))
    word = Text(language.text(f"common.verdict_{verdict.verdict}"), style=_COLOURS[verdict.verdict])
    console.print(word, "·", language.text("common.sentence_separator").join(reasons))
    console.print(language.text("terminal.evidence", place=directory))
