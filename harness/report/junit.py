"""JUnit XML of a verdict, for the page on which a CI service shows tests.

One case for each outcome class, for each criterion, for the evidence and for the exposures. What the service did wrong
is a failure. What keeps the run from being conclusive is an error and never skipped, for nobody looks at what was
skipped. Every reason of a verdict other than PASS stands in one of the cases. Names of cases are the same in every
language, because CI services know a test by its name from run to run.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from harness.criteria import Criterion, metric_name, reason_of
from harness.diagnosis import Cause
from harness.evidence.ledger import RunDescription
from harness.incident import Incident
from harness.outcome import Outcome
from harness.reason import Reason
from harness.report.language import Language
from harness.report.masking import Masking
from harness.report.reasons import masked_reason, reason_text
from harness.report.sentences import (
    bound_sentence,
    completeness_sentence,
    coverage_sentence,
    incident_sentence,
    latency_sentence,
    papers_sentence,
)
from harness.verdict import Verdict

_SHOWN_INCIDENTS = 50
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EXPOSURE_CODES = "no_document", "no_exposure"


class _Case(NamedTuple):
    """One test case; `found` is empty when it passed.

    Args:
        problem: "failure" or "error".
        more: what stands below the first line.
    """

    group: str
    name: str
    problem: str = ""
    found: Sequence[str] = ()
    more: Sequence[str] = ()


def junit_xml(verdict: Verdict, run: RunDescription, language: Language, masking: Masking) -> bytes:
    """The document, in UTF-8.

    Args:
        masking: what persons are called.
    """
    cases = list(_cases(verdict, language, masking))
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.problem == "failure" for case in cases if case.found)),
        "errors": str(sum(case.problem == "error" for case in cases if case.found)),
        "time": f"{run.elapsed_s or 0.0:.3f}",
    }
    suites = ET.Element("testsuites")
    # What the schema wants. No name of the machine, though: the file is shown to whoever sees the project.
    about = {"id": "0", "package": "misissue", "skipped": "0", "timestamp": run.started[:19], "hostname": "localhost"}
    suite = ET.SubElement(suites, "testsuite", {"name": f"misissue {_clean(verdict.profile)}", **counts, **about})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(verdict).items():
        ET.SubElement(properties, "property", {"name": name, "value": _clean(str(value))})
    for case in cases:
        _add(suite, case, verdict.profile)
    summary = papers_sentence, bound_sentence, coverage_sentence, completeness_sentence, latency_sentence
    told = [text for text in (sentence(verdict, language) for sentence in summary) if text]
    ET.SubElement(suite, "system-out").text = _clean("\n".join(told))
    ET.SubElement(suite, "system-err")
    ET.indent(suites)
    text: str = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _add(suite: ET.Element, case: _Case, profile: str) -> None:
    about = {"classname": f"misissue.{_clean(profile)}.{case.group}", "name": _clean(case.name), "time": "0.000"}
    element = ET.SubElement(suite, "testcase", about)
    if case.found:
        first, *others = case.found
        message = _clean(first if not others else f"{first} (+{len(others)})")
        problem = ET.SubElement(element, case.problem, {"message": message, "type": case.group})
        problem.text = _clean("\n".join((*case.found, *case.more)))


def _cases(verdict: Verdict, language: Language, masking: Masking) -> Iterable[_Case]:
    told: dict[str, list[str]] = defaultdict(list)
    if verdict.verdict != "PASS":
        for reason in verdict.reasons:
            told[_place(reason)].append(reason_text(masked_reason(reason, masking), language))
    for outcome in Outcome:
        problem = "failure" if outcome.is_misissue else "error"
        yield _Case("outcomes", outcome.value, problem, told[outcome], _incidents(verdict, outcome, language, masking))
    for criterion in verdict.criteria:
        problem = "failure" if criterion.result == "broken" else "error"
        found = () if criterion.result == "met" else (reason_text(reason_of(criterion), language),)
        yield _Case("criteria", _name(criterion), problem, found)
    yield _Case("exposure", "exposure", "error", told["exposure"])
    yield _Case("evidence", "completeness", "error", told["evidence"])


def _place(reason: Reason) -> str:
    """The case that tells it; what has no place of its own is a matter of the evidence, so that nothing is lost."""
    if reason.code == "misissued":
        return str(reason.values["outcome"])
    if reason.code == "undecided":
        return Outcome.UNDECIDED.value
    if reason.code in ("maximum", "minimum"):
        return "criteria"  # told of the criteria themselves
    return "exposure" if reason.code in _EXPOSURE_CODES else "evidence"


def _incidents(verdict: Verdict, outcome: Outcome, language: Language, masking: Masking) -> list[str]:
    incidents = [incident for incident in verdict.incidents if incident.outcome == outcome]
    lines = [_sentence(incident, language, masking) for incident in incidents[:_SHOWN_INCIDENTS]]
    if len(incidents) > _SHOWN_INCIDENTS:
        lines.append(language.text("sentence.more_incidents", number=len(incidents) - _SHOWN_INCIDENTS))
    return lines


def _sentence(incident: Incident, language: Language, masking: Masking) -> str:
    text = incident_sentence(incident, language, masking)
    if incident.cause == Cause.UNKNOWN:
        return text
    return text + language.text("sentence.incident_cause", cause=language.text(f"common.cause_{incident.cause}"))


def _name(criterion: Criterion) -> str:
    return f"{criterion.side} {metric_name(criterion.metric, criterion.kind)}"


def _properties(verdict: Verdict) -> dict[str, object]:
    return {
        "verdict": verdict.verdict,
        "exit_code": verdict.exit_code,
        "target": verdict.target,
        "seed": verdict.seed,
        "exposures": verdict.exposures,
        "bound": verdict.bound.upper,
        "confidence": verdict.bound.confidence,
    }


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
