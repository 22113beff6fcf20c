"""What a person reads of a service that synchronises nothing does not speak of sync runs."""

import re
from pathlib import Path

import pytest

from harness.gate import examine
from harness.report.files import html_of, markdown_of
from harness.report.language import CODES, Language
from harness.report.terminal import print_verdict
from tests.harness.builders import write_run


@pytest.mark.parametrize("code", CODES)
def test_words(tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str) -> None:
    """Neither the terminal nor Markdown nor the page; the glossary may."""
    language = Language(code="ja" if code == "ja" else "en")
    decision = examine(write_run(tmp_path, target=(), synchronises=False))
    print_verdict(decision.verdict, tmp_path, language)
    page = html_of(tmp_path, decision, language).decode()
    spoken = page.partition('id="run"')[0]
    for text in (capsys.readouterr().out, markdown_of(decision, language), re.sub(r"<style>.*?</style>", "", spoken)):
        told = text.replace(language.text("html.heat_none"), "")
        assert re.search(r"sync runs?\b|coverage cell|随時連携|網羅セル", told) is None, told
    assert language.text("html.heat_none") in page
    assert language.text("html.trigger_in_flight") in page
