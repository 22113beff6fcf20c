"""What calibration learnt, on a terminal: masks as a target.toml would have them."""

import json
from collections.abc import Collection, Iterator

from harness.calibration import Learnt
from harness.report.language import Language
from harness.report.probe import hide
from harness.report.screen import Screen

_SHOWN = 40  # characters of a sample


def print_learnt(learnt: Learnt, language: Language, secrets: Collection[str]) -> None:
    """The masks, each with some of what it hides; nothing when nothing varies."""
    if not learnt.masks and learnt.of == "bytes":
        return
    console = Screen()
    console.print(language.text("terminal.learnt"))
    for line in toml_lines(learnt):
        console.print(f"  {hide(line, secrets)}")
    if learnt.of == "pdf_text":
        console.print(language.text("terminal.learnt_pdf_text"))


def toml_lines(learnt: Learnt) -> Iterator[str]:
    """The table `[fingerprint]`; behind each mask a comment with samples."""
    yield "[fingerprint]"
    if learnt.of != "bytes":
        yield f'of = "{learnt.of}"'
    if learnt.masks:
        yield "masks = ["
        for mask in learnt.masks:
            samples = ", ".join(_quoted(sample[:_SHOWN]) for sample in mask.samples)
            yield f"  {{ {mask.key} = {_literal(mask.value)} }},{f'  # {samples}' if samples else ''}"
        yield "]"


def _literal(text: str) -> str:
    return f"'{text}'" if text.isprintable() and "'" not in text else _quoted(text)


def _quoted(text: str) -> str:
    """As JSON has it, which TOML reads, too."""
    return json.dumps(text, ensure_ascii=False)
