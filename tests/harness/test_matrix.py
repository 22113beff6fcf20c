"""What the cells of a necessity matrix say together."""

import pytest

from harness.matrix import Cell, decide_matrix

WANTED = 30


def _cell(*, expected: bool, misissuances: int, n: int = WANTED, complaint: str = "") -> Cell:
    return Cell(
        conditions={"v2": expected},
        prints_at_once=2,
        expected=expected,
        prints=2 * n,
        unit="exposure",
        n=n,
        misissuances=misissuances,
        events=min(misissuances, n),
        upper=0.1,
        complaint=complaint,
        directory="cell",
    )


@pytest.mark.parametrize(
    ("there", "elsewhere", "code"),
    [
        (_cell(expected=True, misissuances=30), _cell(expected=False, misissuances=0), 0),
        (_cell(expected=True, misissuances=1), _cell(expected=False, misissuances=1), 1),
        (_cell(expected=True, misissuances=0), _cell(expected=False, misissuances=0), 1),
        (_cell(expected=True, misissuances=0, n=29), _cell(expected=False, misissuances=0), 3),
        (_cell(expected=True, misissuances=9), _cell(expected=False, misissuances=0, n=29), 3),
        (_cell(expected=True, misissuances=9, n=29), _cell(expected=False, misissuances=0), 3),
        (_cell(expected=True, misissuances=9), _cell(expected=False, misissuances=0, complaint="2 undecided"), 3),
        (_cell(expected=True, misissuances=0, complaint="a fault"), _cell(expected=False, misissuances=0), 3),
        (_cell(expected=True, misissuances=9), _cell(expected=False, misissuances=0, complaint="it died after"), 4),
        (_cell(expected=True, misissuances=9, n=29), _cell(expected=False, misissuances=1, n=2), 1),
    ],
    ids=[
        "exactly as claimed",
        "misissuance where none may be",
        "none where it must be",
        "none where it must be, but hardly tried",
        "clean elsewhere, but hardly tried",
        "found, but hardly tried",
        "clean elsewhere, but with undecided prints",
        "none where it must be, but with a fault",
        "a deployment died",
        "one misissuance refutes, however little was tried",
    ],
)
def test_the_exit_code_follows_from_the_cells(there: Cell, elsewhere: Cell, code: int) -> None:
    """0 exactly as claimed; 1 refuted; 4 a deployment died; 3 any other doubt; 1 before 4 before 3."""
    assert decide_matrix([there, elsewhere], WANTED) == code
    assert decide_matrix([elsewhere, there], WANTED) == code
