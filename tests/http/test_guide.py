"""The page on one's own service is followed by the letter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from targets.http.description import Source
from tests.pages import ROOT, Reader, blocks

PAGE = (ROOT / "docs" / "own-service.md").read_text(encoding="utf-8").partition("\n## Ready examples\n")[0]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Who has written the two files of the page."""
    made = Reader(tmp_path)
    (people,), (description,) = blocks(PAGE, "csv"), blocks(PAGE, "toml")
    made.write("people.csv", people)
    made.write("target.toml", description)
    yield made
    made.stop()


@pytest.mark.timeout(300)
def test_the_page_is_right(reader: Reader) -> None:
    """Each command does what the page shows: from a service that nobody knows to PASS, and to FAIL with its defect."""
    assert reader.follow(PAGE) == ["PASS", "FAIL"]


def test_other_tables_of_the_page(tmp_path: Path) -> None:
    """Those that calibration shows, that tell of changes, and that allow another machine, are ones that are taken."""
    masks, changes, safety = blocks(PAGE, "text")
    (description,), (people,) = blocks(PAGE, "toml"), blocks(PAGE, "csv")
    (tmp_path / "people.csv").write_text(people)
    path = tmp_path / "target.toml"
    path.write_text(f"{description.replace('127.0.0.1:8080', 'payslips.test.example')}\n{masks}{changes}{safety}")
    described = Source(path).description
    assert (described.safety.max_duration_s, len(described.fingerprint.masks)) == (600, 2)
    assert described.fingerprint.marks is not None
    assert described.changes["address"].acknowledged is not None
