"""The dashboards are legible, and ask for nothing that there is not."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.outcome import Outcome
from tests.grafana.boards import (
    DASHBOARDS,
    GRAFANA,
    Board,
    Panel,
    annotations,
    panels,
    read_board,
    rule_expressions,
)
from tests.grafana.promql import read_names

BOARDS = [read_board(path) for path in DASHBOARDS]
PANELS = [pytest.param(panel, id=f"{board['title']} / {panel['title']}") for board in BOARDS for panel in panels(board)]
TYPES = {"bargauge", "gauge", "heatmap", "stat", "state-timeline", "table", "timeseries"}
UNITS = {"none", "percentunit", "s", "short", "suffix: /s"}
ORDER = ["Verdict", "Exposure", "Outcomes", "Latency", "Evidence"]
COLUMNS = 24
WITH_GREEN = {"palette-classic", "palette-classic-by-name", "continuous-GrYlRd", "continuous-RdYlGr"}
"""Palettes and schemes of Grafana's own that hold a green, or begin with one."""
EVERYWHERE = {"__rate_interval", "__range"}  # Grafana's own

each_board = pytest.mark.parametrize("board", BOARDS, ids=[path.stem for path in DASHBOARDS])
each_panel = pytest.mark.parametrize("panel", PANELS)


def colours(part: Any) -> Iterator[str]:
    """Every colour that is named anywhere in it."""
    if isinstance(part, dict):
        for key, value in part.items():
            if isinstance(value, str) and key in {"color", "fixedColor", "iconColor", "fill", "scheme", "mode"}:
                yield value
            yield from colours(value)
    elif isinstance(part, list):
        for value in part:
            yield from colours(value)


def overrides(panel: Panel, property_: str) -> dict[str, Any]:
    """Name of a series -> what an override says of it."""
    return {
        override["matcher"]["options"]: one["value"]
        for override in panel["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] == property_
    }


def panel_named(board: str, title: str) -> Panel:
    """The panel with this title."""
    (found,) = [panel for one in BOARDS if one["uid"] == board for panel in panels(one) if panel["title"] == title]
    return found


@pytest.mark.parametrize("path", DASHBOARDS, ids=[path.stem for path in DASHBOARDS])
def test_the_files_are_tidy(path: Path) -> None:
    """Keys are sorted, so that a change shows as that change only; the id of some database is in no file."""
    board = read_board(path)
    assert path.read_text(encoding="utf-8") == json.dumps(board, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert "id" not in board
    assert board["uid"] == f"misissue-{path.stem}"


def test_schema() -> None:
    """The dashboards are written for the Grafana that compose.yaml starts."""
    image = re.search(r"image: grafana/grafana:(\S+)", (GRAFANA / "compose.yaml").read_text(encoding="utf-8"))
    assert image is not None
    assert {panel["pluginVersion"] for board in BOARDS for panel in panels(board)} == {image.group(1)}
    assert {board["schemaVersion"] for board in BOARDS} == {41}  # of Grafana 12.0 and 12.1


@each_board
def test_grid(board: Board) -> None:
    """No two panels overlap, none stands out of the grid, and none has the id of another."""
    cells: Counter[tuple[int, int]] = Counter()
    for panel in board["panels"]:
        at = panel["gridPos"]
        assert at["x"] >= 0 < at["w"] <= COLUMNS - at["x"], panel["title"]
        assert at["y"] >= 0 < at["h"], panel["title"]
        cells.update((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))
    assert set(cells.values()) == {1}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@each_board
def test_order(board: Board) -> None:
    """From top to bottom: verdict, exposure, outcomes, latency, evidence; panels stand in the file as on the screen."""
    headings = [panel["title"].partition(":")[0] for panel in board["panels"] if panel["type"] == "row"]
    assert headings == ORDER
    tops = [panel["gridPos"]["y"] for panel in board["panels"] if panel["type"] == "row"]
    assert tops == sorted(tops)
    assert board["panels"][0]["type"] == "row"


@each_panel
def test_panels_speak_for_themselves(panel: Panel) -> None:
    """Every panel has a title, a description in a sentence or more, and a unit that Grafana knows."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["type"] in TYPES
    assert len(panel["description"]) > len(panel["title"])


@each_panel
def test_nothing_is_shown_as_something(panel: Panel) -> None:
    """Where there is no value, a panel says so in a word, and never shows a zero."""
    assert panel["fieldConfig"]["defaults"]["noValue"] in {"unknown", "no verdict", "no run", "no plan", "never", "-"}
    assert " or vector(" not in " ".join(target["expr"] for target in panel["targets"])


def test_titles_are_unique() -> None:
    """Whoever names a panel names one."""
    for board in BOARDS:
        titles = [panel["title"] for panel in board["panels"]]
        assert len(set(titles)) == len(titles)
    assert len({board["uid"] for board in BOARDS}) == len({board["title"] for board in BOARDS}) == len(BOARDS) == 2


@each_board
def test_variables(board: Board) -> None:
    """Data source, run and target can be chosen; each of them is used, and no other variable is."""
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert variables == {"datasource", "run", "target"}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([board["panels"], board["annotations"]])))
    assert variables <= used <= variables | EVERYWHERE


@each_board
def test_data_source(board: Board) -> None:
    """Everything is asked of the data source that was chosen, and the one that is provisioned is chosen first."""
    asked = [one for panel in panels(board) for one in (panel, *panel["targets"])]
    for one in (*asked, *annotations(board), *board["templating"]["list"][1:]):
        assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    (provisioned,) = (GRAFANA / "provisioning" / "datasources").glob("*.yaml")
    uid = board["templating"]["list"][0]["current"]["value"]
    assert f"    uid: {uid}\n" in provisioned.read_text(encoding="utf-8")


def test_a_run_that_is_exported_twice_counts_once() -> None:
    """Of a run, by its web UI and by a port beside it, the greater figure is shown, and never the sum of both."""
    (board,) = [board for board in BOARDS if board["uid"] == "misissue-verification"]
    for panel in panels(board):
        for target in panel["targets"]:
            if "misissue_" in target["expr"].replace("run_target:misissue_", ""):
                assert "max by (" in target["expr"], panel["title"]
                assert not re.search(r"sum( by \(\w+\))? ?\((?!max by \()", target["expr"]), panel["title"]


@each_board
def test_annotations(board: Board) -> None:
    """Sync bursts and misissuances are marked on every chart, misissuances in red."""
    marks = {annotation["name"]: annotation for annotation in annotations(board)}
    assert marks.keys() == {"Sync burst", "Misissuance"}
    assert "misissue_sync_runs_total" in marks["Sync burst"]["target"]["expr"]
    assert "misissue_misissuances_total" in marks["Misissuance"]["target"]["expr"]
    assert marks["Misissuance"]["iconColor"] == "dark-red"
    assert all(mark["enable"] and not mark["hide"] for mark in marks.values())


def test_misissuances_are_all_counted() -> None:
    """What is drawn as misissuances are the outcomes that a verdict calls so, no more and no fewer."""
    panel = panel_named("misissue-verification", "Misissuances so far")
    selectors = [selector for target in panel["targets"] for selector in read_names(target["expr"]).selectors]
    (asked,) = [value for _, matchers in selectors for label, _, value in matchers if label == "outcome"]
    assert set(asked.split("|")) == {outcome for outcome in Outcome if outcome.is_misissue}


def test_colours_of_outcomes() -> None:
    """Misissuances are red or pink, what cannot be told is yellow, and nothing is green."""
    shown = overrides(panel_named("misissue-verification", "Outcomes"), "color")
    assert shown.keys() == {str(outcome) for outcome in Outcome}
    fixed = {outcome: one["fixedColor"] for outcome, one in shown.items()}
    misissues = [fixed[outcome] for outcome in Outcome if outcome.is_misissue]
    assert all(colour.endswith("red") or _is_pink(colour) for colour in misissues)
    assert fixed[Outcome.UNDECIDED] == "dark-yellow"
    assert not [outcome for outcome in Outcome if not outcome.is_misissue and "red" in fixed[outcome]]
    assert len(set(fixed.values())) == len(fixed)
    totals = overrides(panel_named("misissue-verification", "Misissuances so far"), "color")
    assert {outcome: totals[outcome] for outcome in totals if outcome != "all"} == {
        outcome: shown[outcome] for outcome in Outcome if outcome.is_misissue
    }


def _is_pink(colour: str) -> bool:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red > blue > green


@each_board
def test_only_pass_is_green(board: Board) -> None:
    """Green is the colour of PASS and of nothing else, whatever stands for clean without a verdict."""
    text = json.dumps(board)
    passes = text.count('{"color": "dark-green", "index": 1, "text": "PASS"}')
    assert passes >= 1
    assert [colour for colour in colours(board) if "green" in colour] == ["dark-green"] * passes
    assert not WITH_GREEN & set(colours(board))


@each_board
def test_colours_of_the_verdict(board: Board) -> None:
    """FAIL is red, INCONCLUSIVE yellow, no verdict grey; the numbers are those of the recording rule."""
    (verdict,) = [panel for panel in panels(board) if panel["title"] == "Verdict"]
    words, nothing = verdict["fieldConfig"]["defaults"]["mappings"]
    assert {number: (word["text"], word["color"]) for number, word in words["options"].items()} == {
        "0": ("no verdict yet", "#8e8e8e"),
        "1": ("PASS", "dark-green"),
        "2": ("INCONCLUSIVE", "dark-yellow"),
        "3": ("FAIL", "dark-red"),
    }
    assert nothing["options"]["result"]["color"] == "#8e8e8e"
    rule = rule_expressions(GRAFANA / "prometheus" / "rules" / "recording.yml")["run_target:misissue_verdict:code"]
    assert re.findall(r'(?:(\d) \* )?misissue_verdict\{verdict="(\w+)"\}', rule) == [
        ("", "PASS"),
        ("2", "INCONCLUSIVE"),
        ("3", "FAIL"),
    ]
