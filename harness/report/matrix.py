"""The necessity matrix on a terminal."""

import sys
from pathlib import Path

from rich.table import Table

from harness.matrix import MATRIX_FILE, Cell, Matrix
from harness.report.language import Language
from harness.report.screen import Screen

_UNITS = {"exposure": "exposure", "sync run met": "met"}


def print_progress(cell: Cell, language: Language) -> None:
    """One line on stderr for a cell that is done."""
    line = language.text(
        "terminal.matrix_progress",
        cell=_name(cell, language),
        misissuances=cell.misissuances,
        n=cell.n,
        unit=_unit(cell, language),
    )
    print(line, file=sys.stderr, flush=True)


def print_matrix(matrix: Matrix, directory: Path, language: Language) -> None:
    """The table, then the result, on stdout."""
    console = Screen()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in (*matrix.cells[0].conditions, _text("prints_at_once", language)):
        table.add_column(name)
    for column in ("prints", "n", "misissuances", "bound"):
        table.add_column(_text(column, language), justify="right")
    table.add_column(_text("unit", language))
    for cell in matrix.cells:
        table.add_row(
            *(_text("yes" if holds else "no", language) for holds in cell.conditions.values()),
            str(cell.prints_at_once),
            *(str(cell.prints), str(cell.n), str(cell.misissuances), f"{cell.upper:.3f}"),
            _unit(cell, language),
            style="bold red" if cell.misissuances else "",
        )
    console.print(table)
    for cell in matrix.cells:
        if cell.complaint:
            console.print(_text("complaint", language, cell=_name(cell, language), complaint=cell.complaint))
    console.print(_text(f"result_{matrix.exit_code}", language))
    console.print(language.text("terminal.evidence", place=directory / MATRIX_FILE))


def _text(name: str, language: Language, **values: object) -> str:
    return language.text(f"terminal.matrix_{name}", **values)


def _unit(cell: Cell, language: Language) -> str:
    return _text(f"unit_{_UNITS[cell.unit]}", language)


def _name(cell: Cell, language: Language) -> str:
    held = (_text("with" if holds else "without", language, condition=name) for name, holds in cell.conditions.items())
    conditions = language.text("common.list_separator").join(held)
    return _text("cell", language, conditions=conditions, prints_at_once=cell.prints_at_once)
