"""What a person reads of a service that synchronises nothing does not speak of sync runs."""

import re
from pathlib import Path

import pytest

from harness.compare import compare
from harness.gate import Decision, examine
from harness.report.comparison import comparison_markdown, print_comparison
from harness.report.files import html_of, markdown_of
from harness.report.language import CODES, ENGLISH, choose_language
from harness.report.terminal import print_verdict
from tests.harness.builders import INNOCENT, delivery, paper, write_run

OF_SYNC_RUNS = re.compile(r"sync runs?\b|coverage cell|in the stage|随時連携|網羅|読み戻", re.IGNORECASE)


@pytest.fixture
def wrong(tmp_path: Path) -> Decision:
    """Two right prints in flight together, and one that was misissued."""
    load = (*INNOCENT, delivery("A3", "A", paper("X"), at=(300, 400)))
    return examine(write_run(tmp_path / "wrong", load, target=(), synchronises=False))


@pytest.mark.parametrize("code", CODES)
def test_words(wrong: Decision, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str) -> None:
    """Neither the terminal nor Markdown nor the page, its glossary and its incidents included."""
    language = choose_language(code)
    print_verdict(wrong.verdict, tmp_path, language)
    page = html_of(tmp_path / "wrong", wrong, language).decode()
    told_on_the_page = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    for text in (capsys.readouterr().out, markdown_of(wrong, language), told_on_the_page):
        told = text.replace(language.text("html.heat_none"), "")
        assert OF_SYNC_RUNS.search(told) is None, told
    assert wrong.verdict.exit_code == 1
    for key in ("html.heat_none", "html.trigger_in_flight", "html.tile_exposures_in_flight", "html.term_exposure"):
        assert language.text(key) in page, key


@pytest.mark.parametrize("code", CODES)
def test_beside_one_another(wrong: Decision, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str) -> None:
    """Nor does a comparison of two such runs, and it takes nothing for less exercised that there cannot be."""
    language = choose_language(code)
    right = examine(write_run(tmp_path / "right", target=(), synchronises=False))
    compared = compare(right, wrong, directories=("right", "wrong"))
    print_comparison(compared, language)
    for text in (capsys.readouterr().out, comparison_markdown(compared, language)):
        assert OF_SYNC_RUNS.search(text) is None, text
        assert text.count(language.text("compare.figure_exposures_in_flight")) >= 2, text
    assert [check.name for check in compared.exercise] == ["exposures", "bound"]


def test_with_sync_runs(tmp_path: Path) -> None:
    """What is not said of such a service is said of others, or else the tests above would find nothing."""
    for synchronises in (True, False):
        decision = examine(write_run(tmp_path / str(synchronises), target=(), synchronises=synchronises))
        compared = compare(decision, decision, directories=("a", "b"))
        text = markdown_of(decision, ENGLISH) + comparison_markdown(compared, ENGLISH)
        assert bool(OF_SYNC_RUNS.search(text)) is synchronises
