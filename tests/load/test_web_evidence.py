"""What is told of an incident is what the ledger holds, and the process that tells it loads no Locust."""

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from harness.gate import Decision, evaluate
from harness.load.web.evidence import render_incident
from harness.report.files import masking_of
from harness.report.language import ENGLISH, JAPANESE
from harness.report.pictures import Pair, draw_pair
from tests.harness.builders import INNOCENT, delivery, evidence_of, failed, paper


def no_documents(_: str) -> Pair:
    """Pictures of documents that were not kept."""
    return draw_pair(None, None, reveal=False)


@pytest.fixture
def decision(tmp_path: Path) -> Decision:
    """A run in which A was handed X's document while X had an error beside it."""
    error = msgspec.structs.replace(failed("A4", "X"), error="no image of X")
    records = (*INNOCENT, delivery("A3", "A", paper("X")), error)
    evidence = evidence_of(tmp_path, records, planned_s=5.0)
    return evaluate(evidence, evidence.run.criteria)


def applicants(page: str) -> dict[str, str]:
    """Print -> who applied, of those that were in flight beside the incident."""
    return dict(re.findall(r'role="rowheader">(.*?)</th>\s*<td[^>]*>(.*?)</td>', page))


def test_incident(decision: Decision) -> None:
    """Who was handed what of whom, and who was in flight beside it with which error, without names."""
    page = render_incident(decision, "A3.1", ENGLISH, masking_of(decision, ENGLISH, reveal=False), no_documents)
    assert "Person 1 applied for" in page
    assert " of Person 2" in page
    assert applicants(page)["A4.1"] == "Person 2"
    assert "error_final" in page
    assert "no image of Person 2" in page
    assert "no image of X" not in page
    assert "The print of Person 1 and that of Person 2" in page
    assert page.count("<svg") == 1
    assert "no picture: the delivered document was not kept" in page


def test_names_and_language(decision: Decision) -> None:
    """Names where they are asked for, and the field's terms in Japanese."""
    page = render_incident(decision, "A3.1", JAPANESE, masking_of(decision, JAPANESE, reveal=True), no_documents)
    assert applicants(page)["A4.1"] == "X"
    assert "同時に印刷処理中だった申請" in page


def test_aliases_that_were_given_out_stay(decision: Decision) -> None:
    """Whoever has an alias on the pages has the same here."""
    masking = masking_of(decision, ENGLISH, reveal=False, known=("somebody", "X"))
    page = render_incident(decision, "A3.1", ENGLISH, masking, no_documents)
    assert applicants(page)["A4.1"] == "Person 2"
    assert "Person 3 applied for" in page


def test_an_incident_that_is_none(decision: Decision) -> None:
    """A sentence says so."""
    page = render_incident(decision, "A9.1", ENGLISH, masking_of(decision, ENGLISH, reveal=False), no_documents)
    assert page.strip() == "<p>The ledger holds no incident of that name so far.</p>"


def test_as_a_process(decision: Decision, tmp_path: Path) -> None:
    """It makes the report or an incident, takes the aliases that were given out, and says what is wrong in one line."""
    del decision

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = (sys.executable, "-m", "harness.load.web.evidence", *arguments)
        return subprocess.run(command, input=json.dumps(["X", "A"]), capture_output=True, text=True)

    assert "Person 2 applied for" in run(str(tmp_path), "en", "--incident=A3.1").stdout
    report = run(str(tmp_path), "ja")
    assert (report.stdout[:15], report.returncode) == ("<!doctype html>", 0)
    wrong = run(str(tmp_path / "nowhere"), "en")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (1, "", 1)
    assert "nowhere" in wrong.stderr


def test_no_locust() -> None:
    """Locust takes long to load and patches the interpreter."""
    code = "import sys, harness.load.web.evidence; sys.exit('locust' in sys.modules or 'gevent' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
