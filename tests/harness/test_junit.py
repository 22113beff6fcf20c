"""What a CI service shows as tests: nothing that is not a PASS ever looks like one."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Property, TestCase, TestSuite

from harness.criteria import Criteria, Limit
from harness.gate import Decision, examine
from harness.outcome import Outcome
from harness.reason import make_reason
from harness.records import Evidence
from harness.report.files import junit_of
from harness.report.junit import junit_xml
from harness.report.language import ENGLISH, JAPANESE, Language
from harness.report.masking import Masking
from tests.harness.builders import INNOCENT, OTHER, delivery, describe, paper, write_run

THEFT = delivery("A3", "A", paper("X"), at=(300, 310))
MAXIMA = (Limit(metric="error_share", value=0.5), Limit(metric="p95_s", kind="inkan", value=1.0))
CRITERIA = Criteria(self_test=False, maximum=MAXIMA, minimum=(Limit(metric="exposures", value=1),))

# Element -> its children in their order, and its attributes; the strictest of the schemas that are about ("Apache Ant
# JUnit report format", in which all of these are required), so that every reader is content.
SCHEMA: dict[str, tuple[list[str], set[str]]] = {
    "testsuites": (["testsuite"], set()),
    "testsuite": (
        ["properties", "testcase", "system-out", "system-err"],
        {
            *("id", "package", "name", "timestamp", "hostname"),
            *("tests", "failures", "errors", "skipped", "time"),
        },
    ),
    "properties": (["property"], set()),
    "property": ([], {"name", "value"}),
    "testcase": (["error", "failure"], {"name", "classname", "time"}),
    "failure": ([], {"message", "type"}),
    "error": ([], {"message", "type"}),
    "system-out": ([], set()),
    "system-err": ([], set()),
}


def decided(directory: Path, *more: Evidence, **fields: Any) -> Decision:
    return examine(write_run(directory, (*INNOCENT, OTHER, *more), **fields))


def read(decision: Decision, language: Language = ENGLISH) -> TestSuite:
    (suite,) = JUnitXml.fromfile(io.BytesIO(junit_of(decision, language)))
    assert isinstance(suite, TestSuite)
    return suite


def problems(suite: TestSuite) -> dict[str, str]:
    """Name of the case -> "failure" or "error"; those that passed are left out."""
    return {case.name: type(case.result[0]).__name__.lower() for case in suite if case.result}


def one_case(suite: TestSuite, name: str) -> TestCase:
    (case,) = (case for case in suite if case.name == name)
    return case


RUNS: dict[str, tuple[tuple[Evidence, ...], dict[str, Any], dict[str, str]]] = {
    "PASS": ((), {}, {}),
    "FAIL": ((THEFT,), {}, {"wrong_person": "failure"}),
    "FAIL with gaps": (
        (THEFT,),
        {"ended": "interrupted"},
        {"wrong_person": "failure", "completeness": "error"},
    ),
    "INCONCLUSIVE interrupted": ((), {"ended": "interrupted"}, {"completeness": "error"}),
    "INCONCLUSIVE died": ((), {"died": "the target died"}, {"completeness": "error"}),
    "INCONCLUSIVE self-test": (
        (),
        {"criteria": Criteria()},
        {"completeness": "error"},
    ),
    "INCONCLUSIVE undecided": ((delivery("A3", "A", b"?", at=(300, 310)),), {}, {"undecided": "error"}),
    "INCONCLUSIVE no exposure": ((), {"target": ()}, {"exposure": "error"}),
    "INCONCLUSIVE criteria": (
        (),
        {"criteria": CRITERIA, "target": ()},
        {"exposure": "error", "minimum exposures": "error", "maximum p95_s:inkan": "error"},
    ),
    "FAIL criteria": (
        (msgspec.structs.replace(THEFT, answer="error", checksum="", error="no image"),),
        {"criteria": Criteria(self_test=False, maximum=(Limit(metric="error_share", value=0.1),))},
        {"maximum error_share": "failure"},
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_reason_is_a_case_that_did_not_pass(tmp_path: Path, name: str) -> None:
    """What fails a run is a failure, what keeps it inconclusive an error, and nothing is skipped."""
    more, fields, expected = RUNS[name]
    decision = decided(tmp_path, *more, **fields)
    assert decision.verdict.verdict == name.split()[0]
    suite = read(decision)
    assert problems(suite) == expected
    assert (suite.failures, suite.errors, suite.skipped) == (
        sum(kind == "failure" for kind in expected.values()),
        sum(kind == "error" for kind in expected.values()),
        0,
    )
    text = junit_of(decision, ENGLISH).decode()
    assert all(reason.text in text for reason in decision.verdict.reasons if name != "PASS")


def test_a_reason_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    """A reason without a case of its own stands with the evidence, so that none is lost."""
    verdict = decided(tmp_path, ended="interrupted").verdict
    reason = msgspec.structs.replace(make_reason("no_document"), code="something new", text="something new")
    document = junit_xml(msgspec.structs.replace(verdict, reasons=(reason,)), describe(), ENGLISH, Masking())
    (suite,) = JUnitXml.fromfile(io.BytesIO(document))
    assert problems(suite) == {"completeness": "error"}


def test_cases(tmp_path: Path) -> None:
    """There is one case for each outcome, each criterion, the exposures and the evidence, under stable names."""
    for language in (ENGLISH, JAPANESE):
        suite = read(decided(tmp_path / language.code, criteria=CRITERIA), language)
        assert [(case.classname, case.name) for case in suite] == [
            *(("misissue.test.outcomes", outcome.value) for outcome in Outcome),
            ("misissue.test.criteria", "maximum error_share"),
            ("misissue.test.criteria", "maximum p95_s:inkan"),
            ("misissue.test.criteria", "minimum exposures"),
            ("misissue.test.exposure", "exposure"),
            ("misissue.test.evidence", "completeness"),
        ]
        assert suite.tests == len(Outcome) + 5


def test_incidents_stand_in_the_failure(tmp_path: Path) -> None:
    """The failure tells who was handed whose document, with masked names."""
    suite = read(decided(tmp_path, THEFT))
    (failure,) = one_case(suite, "wrong_person").result
    assert isinstance(failure, Failure)
    assert failure.message == "1 print(s) ended as wrong_person"
    assert failure.text is not None
    assert failure.text.splitlines() == [
        "1 print(s) ended as wrong_person",
        (
            "wrong_person: Person 1 applied for juminhyo and was handed juminhyo of Person 2; suspected cause: "
            "left-over print image: that of an earlier print was read again"
        ),
    ]


def test_names_are_shown_when_asked_for(tmp_path: Path) -> None:
    """With reveal, and only with it, persons are named, in faults of the evidence too."""
    decision = decided(tmp_path, THEFT, faults=("the paper of X is gone",))
    hidden, shown = (junit_of(decision, ENGLISH, reveal=reveal).decode() for reveal in (False, True))
    assert "A applied for juminhyo and was handed juminhyo of X" in shown
    assert "evidence: the paper of X is gone" in shown
    assert "evidence: the paper of Person 2 is gone" in hidden


def test_in_japanese(tmp_path: Path) -> None:
    """What is told of a case is in the language that was asked for."""
    suite = read(decided(tmp_path, THEFT, ended="interrupted"), JAPANESE)
    (failure,) = one_case(suite, "wrong_person").result
    assert failure.text is not None
    assert "誤交付（別人の証明書）：人物 1 が住民票の写しを申請し、人物 2 の住民票の写しを交付された" in failure.text
    (error,) = one_case(suite, "completeness").result
    assert isinstance(error, Error)
    assert str(error.message).startswith("証拠の不備：the run was interrupted")


def test_many_incidents(tmp_path: Path) -> None:
    """The first incidents are told, and how many more there are."""
    thefts = [delivery(f"B{at_ns}", "A", paper("X"), at=(at_ns, at_ns + 10)) for at_ns in range(300, 1360, 20)]
    (failure,) = one_case(read(decided(tmp_path, *thefts)), "wrong_person").result
    assert failure.text is not None
    assert failure.text.count("applied for") == 50
    assert failure.text.splitlines()[-1] == "… and 3 more in verdict.json"


def test_several_reasons_in_one_case(tmp_path: Path) -> None:
    """The message is the first reason and how many there are beside it; the text holds all."""
    (error,) = one_case(read(decided(tmp_path, faults=("one", "two", "three"))), "completeness").result
    assert error.message == "evidence: one (+2)"
    assert error.text == "evidence: one\nevidence: two\nevidence: three"


def test_properties(tmp_path: Path) -> None:
    """What a reader of the suite may want to know without its cases is in its properties."""
    suite = read(decided(tmp_path, started="2023-04-30T12:00:01.500+09:00", elapsed_s=4.5))
    properties: Iterable[Property] = suite.properties()  # type: ignore[no-untyped-call]  # of junitparser
    assert {one.name: one.value for one in properties} == {
        "verdict": "PASS",
        "exit_code": "0",
        "target": "stub",
        "seed": "1",
        "exposures": "1",
        "bound": "0.95",
        "confidence": "0.95",
    }
    assert (suite.name, suite.timestamp, suite.hostname, suite.time) == (
        "misissue test",
        "2023-04-30T12:00:01",
        "localhost",
        4.5,
    )


@pytest.mark.parametrize("name", RUNS)
def test_schema(tmp_path: Path, name: str) -> None:
    """Elements, their order and their attributes are those that every reader of JUnit XML knows."""
    more, fields, _ = RUNS[name]
    root = ET.fromstring(junit_of(decided(tmp_path, *more, **fields), ENGLISH))  # noqa: S314 - made a moment ago
    assert root.tag == "testsuites"
    for element in root.iter():
        children, attributes = SCHEMA[element.tag]
        assert set(element.attrib) == attributes
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places)
        if element.tag == "testcase":
            assert len(element) <= 1
        if element.tag == "testsuite":
            assert {child.tag for child in element} == set(children)
            assert all(int(element.attrib[count]) >= 0 for count in ("tests", "failures", "errors", "skipped"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Decision:
    return decided(tmp_path_factory.mktemp("run"))


@given(fault=st.text(st.characters(exclude_categories=())))
def test_whatever_is_in_a_text_the_file_can_be_read(sound: Decision, fault: str) -> None:
    """Control characters and lone surrogates, which XML cannot hold, are replaced, and the rest stays."""
    reason = make_reason("evidence", fault=f"<{fault}>")
    verdict = msgspec.structs.replace(sound.verdict, verdict="INCONCLUSIVE", reasons=(reason,))
    document = junit_xml(verdict, sound.evidence.run, ENGLISH, Masking(reveal=True))
    (suite,) = JUnitXml.fromfile(io.BytesIO(document))
    assert suite.errors == 1
    if fault.isprintable():
        assert one_case(suite, "completeness").result[0].text == f"evidence: <{fault}>"
