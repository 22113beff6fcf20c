"""What a page has to wait for, made by a process of its own: HTML on standard output.

    python -m harness.load.web.evidence DIRECTORY LANGUAGE [--reveal] [--incident NONCE]

Standard input tells, in JSON, whose aliases have been given out on the pages, in that order.
"""

import argparse
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.evidence.ledger import LedgerError
from harness.gate import Decision, examine
from harness.report.files import masking_of
from harness.report.html import render_report, render_story
from harness.report.language import Language, choose_language
from harness.report.masking import Masking
from harness.report.pictures import Pair, draw_incident
from harness.report.sentences import incident_sentence


def main() -> None:
    """The report of the run as its ledger stands, or what that tells of one incident."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("language")
    parser.add_argument("--reveal", action="store_true")
    parser.add_argument("--incident", default="")
    asked = parser.parse_args()
    language = choose_language(asked.language)
    known = msgspec.json.decode(sys.stdin.buffer.read() or b"[]", type=tuple[str, ...])
    try:
        decision = examine(asked.directory)
    except LedgerError as error:
        sys.exit(str(error))
    masking = masking_of(decision, language, reveal=asked.reveal, known=known)
    draw = partial(draw_incident, asked.directory, reveal=asked.reveal)
    if asked.incident:
        page = render_incident(decision, asked.incident, language, masking, draw)
    else:
        page = render_report(decision, language, masking, draw)
    sys.stdout.buffer.write(page.encode())


def render_incident(
    decision: Decision, nonce: str, language: Language, masking: Masking, draw: Callable[[str], Pair]
) -> str:
    """All that the ledger tells of an incident; a sentence where there is none by that name.

    Args:
        draw: see `render_report`.
    """
    found = next((incident for incident in decision.verdict.incidents if incident.nonce == nonce), None)
    return (
        _templates()
        .get_template("misissuance/evidence.html")
        .render(
            incident=found,
            story=render_story(decision, found, language, masking, draw) if found is not None else "",
            sentence=incident_sentence(found, language, masking) if found is not None else "",
            person=masking.person,
            told=masking.text,
            language=language,
            t=language.text,
        )
    )


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("harness.load.web"), autoescape=True, undefined=StrictUndefined)


if __name__ == "__main__":
    main()
