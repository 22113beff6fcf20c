"""The heat map of coverage cells, ready to be set by a template. Pure."""

from collections.abc import Sequence
from math import log
from typing import NamedTuple

from harness.report.figures import HeatMap, HeatRow
from harness.report.language import Language

_LEVELS = 5


class HeatCell(NamedTuple):
    """A coverage cell; level 0 for one that was never hit, up to 5."""

    sync_runs: int
    misissuances: int
    level: int


class HeatLine(NamedTuple):
    """The cells of one combination of states, phase by phase."""

    label: str
    is_trigger: bool
    cells: tuple[HeatCell, ...]


class HeatTable(NamedTuple):
    """Part of the heat map that stands in one column."""

    caption: str
    rows: tuple[HeatLine, ...]


def coverage_columns(heat: HeatMap, language: Language) -> tuple[tuple[HeatTable, ...], ...]:
    """The heat map in columns: those of one and of two prints below each other, those of three beside them."""

    def table(rows: Sequence[HeatRow]) -> HeatTable:
        caption = language.text("html.heat_prints", number=len(rows[0].states))
        return HeatTable(caption, tuple(_heat_line(row, heat.most, language) for row in rows))

    tables = [table(rows) for rows in heat.groups]
    return tuple(column for column in (tuple(tables[:-1]), tuple(tables[-1:])) if column)


def _heat_line(row: HeatRow, most: int, language: Language) -> HeatLine:
    label = " + ".join(language.name("state", state) for state in row.states)
    cells = (HeatCell(cell.sync_runs, cell.misissuances, _level(cell.sync_runs, most)) for cell in row.cells)
    return HeatLine(label, row.is_trigger, tuple(cells))


def _level(number: int, most: int) -> int:
    """By the order of magnitude, because rare situations are what the map is for."""
    if not number:
        return 0
    return 1 + min(_LEVELS - 1, int(_LEVELS * log(number) / log(most + 1)))
