"""Purging takes the documents out of a run, and nothing else, wherever links lead."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.cli_runs import purge
from harness.evidence.ledger import INCIDENT_DIRECTORY, RUN_FILE, LedgerError
from harness.evidence.purge import kept_documents
from harness.gate import examine
from harness.report.files import write_reports
from harness.report.language import ENGLISH
from tests.harness.builders import write_run

NAMES = ("A1.1.document", "A1.1.right.document")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with its reports, two documents, and other things beside them."""
    directory = write_run(tmp_path / "run")
    incidents = directory / INCIDENT_DIRECTORY
    incidents.mkdir(exist_ok=True)
    for name in (*NAMES, "notes.txt"):
        (incidents / name).write_text("of P001")
    write_reports(directory, examine(directory), ENGLISH)
    return directory


def files(directory: Path) -> dict[str, bytes]:
    """All files of the run but its report."""
    found = (path for path in directory.rglob("*") if path.is_file() and path.name != "report.html")
    return {str(path.relative_to(directory)): path.read_bytes() for path in found}


def typed(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and output of `misissue purge`."""
    done = CliRunner().invoke(purge, [*map(str, arguments), "--lang", "en"])
    return done.exit_code, done.output


def test_documents_are_removed(run: Path) -> None:
    """They go, each is named, and everything else is as it was, byte for byte."""
    before = files(run)
    places = [run / INCIDENT_DIRECTORY / name for name in NAMES]
    shown = "".join(f"{place}\n" for place in places)
    assert typed(run, "--dry-run") == (0, f"{shown}2 documents would be removed\n")
    assert files(run) == before
    assert typed(run) == (0, f"{shown}2 documents removed; what the ledger says of them stays\n")
    kept = {name: content for name, content in before.items() if Path(name).name not in NAMES}
    assert files(run) == kept
    assert typed(run) == (0, "0 documents removed; what the ledger says of them stays\n")


def test_the_report_shows_them_no_longer(run: Path) -> None:
    """A report with pictures in it is written again, and only where there is one."""
    report = run / "report.html"
    report.write_text("<img src='data:image/png;base64,AAAA'>")
    assert typed(run, "--dry-run")[0] == 0
    assert "AAAA" in report.read_text()
    assert typed(run)[0] == 0
    assert "AAAA" not in report.read_text()
    report.unlink()
    assert typed(run)[0] == 0
    assert not report.exists()


def test_links_are_not_followed(run: Path, tmp_path: Path) -> None:
    """What a link leads to is somebody else's, be it a document, a directory or a report."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "B.document").write_text("mine")
    (run / INCIDENT_DIRECTORY / "L.document").symlink_to(elsewhere / "B.document")
    (run / INCIDENT_DIRECTORY / "D.document").mkdir()
    (run / "report.html").unlink()
    (run / "report.html").symlink_to(elsewhere / "B.document")
    assert [path.name for path in kept_documents(run)] == [*NAMES]
    assert typed(run)[0] == 0
    assert (run / "report.html").is_symlink()
    for entry in (run / INCIDENT_DIRECTORY).iterdir():
        if entry.is_dir():
            entry.rmdir()
        else:
            entry.unlink()
    (run / INCIDENT_DIRECTORY).rmdir()
    (run / INCIDENT_DIRECTORY).symlink_to(elsewhere)
    assert typed(run)[0] == 0
    assert (elsewhere / "B.document").read_text() == "mine"


def test_no_run(run: Path, tmp_path: Path) -> None:
    """A directory that is no run is refused before anything is removed, also of the others."""
    (tmp_path / INCIDENT_DIRECTORY).mkdir()
    (tmp_path / INCIDENT_DIRECTORY / "A.document").touch()
    with pytest.raises(LedgerError, match="is no run directory"):
        CliRunner().invoke(cli, ["purge", str(run), str(tmp_path)], standalone_mode=False, catch_exceptions=False)
    assert len(kept_documents(run)) == 2
    assert (tmp_path / INCIDENT_DIRECTORY / "A.document").exists()
    assert not (tmp_path / RUN_FILE).exists()


def test_one_that_stays(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that cannot be removed is named."""

    def refuse(self: Path) -> None:
        raise PermissionError(13, os.strerror(13), str(self))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(LedgerError, match=r"A1\.1\.document cannot be removed: Permission denied"):
        CliRunner().invoke(purge, [str(run)], standalone_mode=False, catch_exceptions=False)
