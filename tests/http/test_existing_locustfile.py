"""The page on an existing locustfile is followed by the letter."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.evidence.ledger import read_run
from tests.e2e.conftest import read_verdict
from tests.http.test_guide import PAGE as OWN_SERVICE
from tests.pages import ROOT, Reader, blocks

PAGE = (ROOT / "docs" / "existing-locustfile.md").read_text(encoding="utf-8")
BEFORE, AFTER = blocks(PAGE, "python")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Who has followed the page on one's own service, and has the locustfile as it is in the end."""
    made = Reader(tmp_path)
    (people,), (description,) = blocks(OWN_SERVICE, "csv"), blocks(OWN_SERVICE, "toml")
    made.write("people.csv", people)
    made.write("target.toml", description)
    made.write("locustfile.py", AFTER)
    yield made
    made.stop()


def test_three_lines_are_new() -> None:
    """So many lines are more than there were; all the others are there as before, or name what is new."""
    before, after = (re.sub(r"\(\n\s+(.*)\n\s+\)", r"(\1)", text).splitlines() for text in (BEFORE, AFTER))
    assert len(after) - len(before) == 3
    gone = [line[2:] for line in difflib.ndiff(before, after) if line.startswith("- ")]
    assert [line.split("(")[0].strip() for line in gone] == ["class Employee", "self.client.get"]


@pytest.mark.timeout(300)
def test_the_page_is_right(reader: Reader, tmp_path: Path) -> None:
    """Each command does what the page shows, with `misissue verify` and with Locust itself."""
    assert reader.follow(PAGE) == ["PASS", "FAIL"]
    clean, faulty = (read_verdict(tmp_path / name) for name in ("clean", "faulty"))
    assert {outcome for outcome, number in clean["outcomes"].items() if number} == {"ok"}
    assert clean["exposures"] > 0
    assert {incident["outcome"] for incident in faulty["incidents"]} == {"wrong_person"}
    run = read_run(tmp_path / "clean")
    assert (run.profile, run.planned_s, run.ended, run.faults) == ("locustfile", 3.0, "complete", ())
