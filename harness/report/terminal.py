"""The run on a terminal: one line of progress, and at the end who was handed whose document."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.gate import Verdict
from harness.incident import Incident
from harness.ledger import VERDICT_FILE

_SHOWN_INCIDENTS = 8
_SHOWN_CELLS = 3
_SHOWN_REASONS = 12
_COLOURS = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow"}


def print_progress(elapsed_s: float, planned_s: float, phase: str, *, ok: int, misissued: int, errors: int) -> None:
    """One line on stderr."""
    print(
        f"{elapsed_s:4.0f} of {planned_s:.0f} s  {phase:<8}{ok:6d} ok {misissued:5d} misissued {errors:5d} errors",
        file=sys.stderr,
        flush=True,
    )


def print_verdict(verdict: Verdict, directory: Path) -> None:
    """Incidents first, then the counts, then the verdict with its reasons, on stdout."""
    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
    for incident in verdict.incidents[:_SHOWN_INCIDENTS]:
        console.print(_sentence(incident))
    if len(verdict.incidents) > _SHOWN_INCIDENTS:
        console.print(f"… and {len(verdict.incidents) - _SHOWN_INCIDENTS} more in {directory / VERDICT_FILE}")
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for outcome, number in verdict.outcomes.items():
        if number:
            table.add_row(outcome, str(number))
    console.print(table)
    bound = verdict.bound
    console.print(
        f"{verdict.papers} papers with the data of {verdict.persons} other persons, "
        f"{verdict.with_my_number} with My Number; {verdict.error_notices} error notices"
    )
    console.print(
        f"{verdict.exposures} exposures in {verdict.sync_runs} sync runs; misissuance in {bound.events}; "
        f"with {bound.confidence:.0%} confidence at most {bound.upper:.3g} per {bound.unit}"
    )
    console.print(_coverage(verdict))
    console.print(_completeness(verdict))
    if verdict.latency.p50_s is not None:
        console.print(_latency(verdict))
    if verdict.retried_errors:
        console.print(
            f"{len(verdict.retried_errors)} error(s) re-applied and printed normally; "
            f"who was in flight beside them: {directory / VERDICT_FILE}"
        )
    reasons = [reason.text for reason in verdict.reasons[:_SHOWN_REASONS]]
    if len(verdict.reasons) > _SHOWN_REASONS:
        reasons.append(f"and {len(verdict.reasons) - _SHOWN_REASONS} more in {directory / VERDICT_FILE}")
    console.print(Text(verdict.verdict, style=_COLOURS[verdict.verdict]), "·", "; ".join(reasons))
    console.print(f"evidence: {directory}")


def _coverage(verdict: Verdict) -> str:
    # The smallest first: where two prints were never seen together, three were not either.
    never = sorted((cell for cell in verdict.cells if not cell.sync_runs), key=lambda cell: len(cell.states))
    text = f"{verdict.cells_hit} of {len(verdict.cells)} coverage cells"
    if never:
        shown = ", ".join(f"{cell.phase} {'+'.join(cell.states)}" for cell in never[:_SHOWN_CELLS])
        text += f"; never: {shown}{', …' if len(never) > _SHOWN_CELLS else ''}"
    return text


def _completeness(verdict: Verdict) -> str:
    processes = verdict.processes.values()
    issued, judged, failed = (
        sum(getattr(process, name) for process in processes) for name in ("issued", "judged", "failed")
    )
    self_tests = sorted({process.self_test for process in processes}) or ["none"]
    return (
        f"{issued} attempts = {judged} judged + {failed} failed + {verdict.in_flight_at_stop} in flight, "
        f"in {len(processes)} process(es); self-test {', '.join(self_tests)}"
    )


def _latency(verdict: Verdict) -> str:
    taken = verdict.latency
    text = f"latency p50 {taken.p50_s:.3f} s, p95 {taken.p95_s:.3f} s, p99 {taken.p99_s:.3f} s"
    if verdict.rate_share is not None:
        text += f"; {verdict.rate_share:.1%} of the planned rate, {verdict.late_starts} late starts"
    return text


def _sentence(incident: Incident) -> str:
    """Who was handed what of whom."""
    asked = " ".join((incident.kind, *incident.options))
    got = incident.delivered_kind or "a document"
    whose = ", ".join(incident.exposed_persons or incident.owners) or "nobody"
    text = f"{incident.outcome}: {incident.recipient} applied for {asked} and was handed {got} of {whose}"
    if incident.my_number:
        text += ", with My Number"
    if incident.sync_run:
        text += f", in sync run {incident.sync_run}"
    if incident.error_retried_ok:
        text += f"; beside it the error of {', '.join(incident.error_retried_ok)}, re-applied and printed normally"
    return text
