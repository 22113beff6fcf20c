"""The necessity matrix on a terminal."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness.matrix import MATRIX_FILE, Cell, Matrix

_RESULTS = {
    0: "exactly as claimed",
    1: "the claim is refuted",
    3: "inconclusive: too few exposures, or incomplete evidence",
    4: "inconclusive: a deployment died",
}


def print_progress(cell: Cell) -> None:
    """One line on stderr for a cell that is done."""
    print(f"{_name(cell)}: {cell.misissuances} misissuances in {cell.n} × {cell.unit}", file=sys.stderr, flush=True)


def print_matrix(matrix: Matrix, directory: Path) -> None:
    """The table, then the result, on stdout."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in (*matrix.cells[0].conditions, "prints at once"):
        table.add_column(name)
    for name in ("prints", "n", "misissuances", "95 % bound"):
        table.add_column(name, justify="right")
    table.add_column("unit")
    for cell in matrix.cells:
        table.add_row(
            *("yes" if holds else "no" for holds in cell.conditions.values()),
            str(cell.prints_at_once),
            *(str(cell.prints), str(cell.n), str(cell.misissuances), f"{cell.upper:.3f}"),
            cell.unit,
            style="bold red" if cell.misissuances else "",
        )
    console.print(table)
    for cell in matrix.cells:
        if cell.complaint:
            console.print(f"{_name(cell)}: {cell.complaint}", markup=False)
    console.print(_RESULTS[matrix.exit_code])
    console.print(f"evidence: {directory / MATRIX_FILE}")


def _name(cell: Cell) -> str:
    held = ", ".join(f"{'' if holds else 'no '}{name}" for name, holds in cell.conditions.items())
    return f"{held}, {cell.prints_at_once} at once"
