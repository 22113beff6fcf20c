"""Reports are written at the end of every run, and none of them can change what the run came to."""

from pathlib import Path
from typing import Any

import pytest

from harness.evidence.ledger import VERDICT_FILE
from harness.gate import Decision, examine
from harness.records import Fault, Group
from harness.report import files
from harness.report.files import append_step_summary, publish_summary, write_asked_for, write_reports
from harness.report.language import ENGLISH, JAPANESE, Language
from tests.harness.builders import INNOCENT, delivery, paper, write_run


@pytest.fixture
def decision(tmp_path: Path) -> Decision:
    return examine(write_run(tmp_path / "run"))


def test_written(decision: Decision, tmp_path: Path) -> None:
    """JUnit XML, Markdown and HTML lie in the run directory, readable by their owner alone."""
    run = tmp_path / "run"
    before = {path.name for path in run.iterdir()}
    write_reports(run, decision, ENGLISH)
    assert {path.name for path in run.iterdir()} - before == {"junit.xml", "summary.md", "report.html"}
    assert (
        (run / "junit.xml")
        .read_text(encoding="utf-8")
        .startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>')
    )
    assert (run / "summary.md").read_text(encoding="utf-8").startswith("## ✅ PASS")
    assert {(run / name).stat().st_mode & 0o777 for name in ("junit.xml", "summary.md", "report.html")} == {0o600}


@pytest.mark.parametrize("language", [ENGLISH, JAPANESE], ids=["en", "ja"])
def test_a_count_is_no_person(tmp_path: Path, language: Language) -> None:
    """Where persons are called 1, 2 and 3, what a verdict counts is still told."""
    persons = Group(group="G9", persons=("1", "2", "3"))
    run = write_run(tmp_path / "run", (*INNOCENT, persons, delivery("A3", "A", paper("X")), Fault(text="3 is gone")))
    write_reports(run, examine(run), language)
    for name in ("junit.xml", "summary.md", "report.html"):
        text = (run / name).read_text(encoding="utf-8").replace("\\", "")
        counted = {"en": "1 print(s) ended as wrong_person", "ja": "誤交付（別人の証明書）が 1 件あった"}
        assert counted[language.code] in text
        assert "3 is gone" not in text


def test_deterministic(tmp_path: Path) -> None:
    """Two reports on one ledger are the same, byte by byte, and in another language they are not."""
    run = write_run(tmp_path / "run")
    told = []
    for language in (ENGLISH, ENGLISH, JAPANESE):
        write_reports(run, examine(run), language)
        told.append([(run / name).read_bytes() for name in ("junit.xml", "summary.md", "report.html")])
    assert told[0] == told[1] != told[2]


def test_one_that_fails(
    decision: Decision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report that cannot be made is told on stderr; the others are written, and nothing is thrown."""

    def broken(*_: Any, **__: Any) -> bytes:
        raise ValueError("no such thing")

    monkeypatch.setattr(files, "junit_of", broken)
    write_reports(tmp_path / "run", decision, ENGLISH)
    assert capsys.readouterr().err == "misissue: junit.xml was not written: ValueError: no such thing\n"
    assert (tmp_path / "run" / "summary.md").is_file()
    assert not (tmp_path / "run" / "junit.xml").exists()


def test_no_place(decision: Decision, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing can be written, each report says so, and that is all."""
    write_reports(tmp_path / "nowhere", decision, ENGLISH)
    write_asked_for(tmp_path / "nowhere" / "mine.xml", b"")
    junit, summary, page, mine = capsys.readouterr().err.splitlines()
    assert junit.startswith("misissue: junit.xml was not written: LedgerError: cannot write ")
    assert summary.startswith("misissue: summary.md was not written: ")
    assert page.startswith("misissue: report.html was not written: ")
    assert mine == f"misissue: {tmp_path}/nowhere/mine.xml was not written: No such file or directory"


def test_the_page_of_a_ci_job(decision: Decision, tmp_path: Path) -> None:
    """The Markdown of a run is added to what is on the page of the job already."""
    run, page = tmp_path / "run", tmp_path / "page.md"
    page.write_text("before\n", encoding="utf-8")
    write_reports(run, decision, ENGLISH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_STEP_SUMMARY", str(page))
        publish_summary(run)
    assert page.read_text(encoding="utf-8") == f"before\n{(run / 'summary.md').read_text(encoding='utf-8')}\n"


def test_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a page nothing is written; a page that cannot be written to is told, and nothing is thrown."""
    append_step_summary("text", {})
    append_step_summary("text", {"GITHUB_STEP_SUMMARY": ""})
    publish_summary(tmp_path)
    assert list(tmp_path.iterdir()) == []
    append_step_summary("text", {"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert capsys.readouterr().err == (
        f"misissue: nothing was added to GITHUB_STEP_SUMMARY ({tmp_path}): Is a directory\n"
    )


def test_the_verdict_comes_first(decision: Decision, tmp_path: Path) -> None:
    """Reports leave verdict.json alone."""
    write_reports(tmp_path / "run", decision, ENGLISH)
    assert not (tmp_path / "run" / VERDICT_FILE).exists()
