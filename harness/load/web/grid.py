"""Every coverage cell there is, as the heat map of the live overview lays them out. Pure."""

from itertools import groupby

from harness.coverage import OUTSIDE_CELLS, POINT_CELLS, Cell
from harness.report.language import Language


def grids(language: Language) -> dict[int, dict[str, object]]:
    """Number of cells -> their table: phases are columns, what stood together is a row, grouped by how many it was."""
    return {len(cells): _grid(cells, language) for cells in (POINT_CELLS, OUTSIDE_CELLS)}


def _grid(cells: tuple[Cell, ...], language: Language) -> dict[str, object]:
    phases = dict.fromkeys(cell.phase for cell in cells)
    crowds = sorted(dict.fromkeys(cell.states for cell in cells), key=len)
    return {
        "phases": [{"key": phase, "name": language.name("phase", phase)} for phase in phases],
        "groups": [
            {
                "number": number,
                "rows": [
                    {"key": "+".join(states), "name": " + ".join(language.name("state", state) for state in states)}
                    for states in of_number
                ],
            }
            for number, of_number in groupby(crowds, key=len)
        ],
    }
