"""What can be asked for is written down, and what is written down can be asked for."""

import re
from pathlib import Path

import click
import pytest

from harness.cli import cli
from harness.criteria import METRICS
from harness.criteria_text import read_criteria
from harness.outcome import Outcome

ROOT = Path(__file__).parents[1]
GATE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
TOLD = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/gate.md"))
OPTIONS = sorted(
    {(name, option) for name, command in cli.commands.items() for one in command.params for option in one.opts}
)


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {outcome.value for outcome in Outcome}))
def test_every_metric_is_documented(metric: str) -> None:
    """Each metric has its row, with the side on which it can be limited and with its meaning."""
    told = METRICS[metric]
    per_kind = "yes" if told.per_kind else "no"
    assert f"| `{metric}` | {told.side} | {per_kind} | {told.meaning} |" in GATE


def test_no_metric_is_made_up() -> None:
    """Each row of the table of metrics is one that there is."""
    assert set(re.findall(r"^\| `(\w+)` \| (?:maximum|minimum) \|", GATE, re.MULTILINE)) <= set(METRICS)


def test_the_criteria_of_the_page_can_be_read(tmp_path: Path) -> None:
    """The file that the page shows is one that the gate takes."""
    path = tmp_path / "criteria.toml"
    path.write_text(GATE.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    assert read_criteria(path).minimum


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_every_option_is_documented(command: str, option: str) -> None:
    """Each option of each command is named in the README or in the page on the gate."""
    if option.startswith("--") and option != "--help":
        assert f"`{option}" in TOLD or f"{option} " in TOLD, f"misissue {command} {option}"


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_documented(outcome: Outcome) -> None:
    """Each outcome is defined where the field's terms are."""
    assert f"`{outcome}`" in (ROOT / "docs" / "domain.md").read_text(encoding="utf-8")


def test_every_command_is_documented() -> None:
    """Each command is named in the README, in English and in Japanese."""
    assert isinstance(cli, click.Group)
    for name in cli.commands:
        for readme in ("README.md", "README.ja.md"):
            assert f"`misissue {name}" in (ROOT / readme).read_text(encoding="utf-8"), (name, readme)
