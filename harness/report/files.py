"""The reports that a run leaves beside its verdict. They only say again what verdict.json says.

No report can change a verdict or an exit code: one that cannot be written is told on stderr, and the others are.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from harness.evidence.ledger import write_private
from harness.gate import Decision
from harness.report.junit import junit_xml
from harness.report.language import Language
from harness.report.markdown import markdown
from harness.report.masking import Masking
from harness.report.pictures import draw_incident

JUNIT_FILE = "junit.xml"
MARKDOWN_FILE = "summary.md"
HTML_FILE = "report.html"
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which GitHub Actions names the file that it shows on the page of a job."""


def write_reports(directory: Path, decision: Decision, language: Language) -> None:
    """Write all of them into the run directory, for its owner's eyes alone; persons are masked."""
    makers: dict[str, Callable[[], bytes]] = {
        JUNIT_FILE: lambda: junit_of(decision, language),
        MARKDOWN_FILE: lambda: markdown_of(decision, language).encode(),
        HTML_FILE: lambda: html_of(directory, decision, language),
    }
    for name, make in makers.items():
        try:
            write_private(directory / name, make())
        except Exception as error:  # noqa: BLE001 - the verdict stands, whatever becomes of what is made from it
            _tell(f"{name} was not written: {type(error).__name__}: {error}")


def junit_of(decision: Decision, language: Language, *, reveal: bool = False) -> bytes:
    """The JUnit XML of a decision."""
    return junit_xml(decision.verdict, decision.evidence.run, language, masking_of(decision, language, reveal=reveal))


def markdown_of(decision: Decision, language: Language, *, reveal: bool = False) -> str:
    """The Markdown of a decision."""
    return markdown(decision.verdict, decision.evidence.run, language, masking_of(decision, language, reveal=reveal))


def html_of(directory: Path, decision: Decision, language: Language, *, reveal: bool = False) -> bytes:
    """The HTML report of a decision on the run in the directory, where the documents of incidents are."""
    from harness.report.html import render_report  # here, because its template engine is needed for nothing else

    masking = masking_of(decision, language, reveal=reveal)
    return render_report(decision, language, masking, partial(draw_incident, directory, reveal=reveal)).encode()


def masking_of(decision: Decision, language: Language, *, reveal: bool, known: Iterable[str] = ()) -> Masking:
    """What persons are called in reports on this run: the same in all of them.

    Args:
        known: who has an alias already, in the order in which these were given out.
    """
    evidence, verdict = decision.evidence, decision.verdict
    people = {person for _, persons in evidence.register.groups() for person in persons}
    people.update(person for incident in verdict.incidents for person in (incident.recipient, *incident.owners))
    masking = Masking(reveal, language.text("common.alias", number="{number}"), people)
    masking.persons(known)
    masking.number_incidents(verdict.incidents)
    return masking


def publish_summary(directory: Path) -> None:
    """Show what `write_reports` wrote of a run on the page of the CI job, where there is one."""
    try:
        text = (directory / MARKDOWN_FILE).read_text(encoding="utf-8")
    except OSError:  # which was told when it could not be written
        return
    append_step_summary(text)


def write_asked_for(path: Path, content: bytes) -> None:
    """Write a report to where somebody wants it."""
    try:
        path.write_bytes(content)
    except OSError as error:
        _tell(f"{path} was not written: {error.strerror}")


def append_step_summary(text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Show the Markdown on the page of the CI job, where there is one."""
    page = environment.get(STEP_SUMMARY)
    if not page:
        return
    try:
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except OSError as error:
        _tell(f"nothing was added to {STEP_SUMMARY} ({page}): {error.strerror}")


def _tell(text: str) -> None:
    print("misissue:", " ".join(text.split()), file=sys.stderr)
