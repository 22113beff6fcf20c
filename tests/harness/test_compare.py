"""Two builds beside one another: worse is never missed, and less shown is never taken for as good."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from scipy.stats import fisher_exact

from harness.compare import Comparison, Exercise, Figure, Result, compare
from harness.criteria import Criteria, Limit
from harness.gate import Decision, examine
from harness.records import Evidence, SyncRun
from tests.harness.builders import HOME, OTHER, delivery, entry, failed, paper, sync_run, write_run

EVERYBODY: tuple[Evidence, ...] = (HOME, OTHER, entry("A"), entry("X"))


def meeting(number: int, *, theft: bool = False, margin_ns: int = 20) -> tuple[SyncRun, tuple[Evidence, ...]]:
    """One exposure, and whether it ended in A's being handed the paper of X.

    Args:
        margin_ns: by which both prints are in flight before and after the sync run as well.
    """
    at = 1000 * number
    prints = (
        delivery(f"A{number}", "A", paper("X" if theft else "A"), at=(at, at + 100)),
        delivery(f"X{number}", "X", paper("X"), at=(at, at + 100)),
    )
    return sync_run(f"S{number}", at + margin_ns, at + 100 - margin_ns), prints


def run_of(directory: Path, **fields: Any) -> Decision:
    """A run of exposures.

    Args:
        meetings: how many; thefts: how many of them, the first ones, ended in a misissuance.
        margin_ns: see `meeting`; more: other records of the load.
    """
    thefts, margin_ns = fields.pop("thefts", 0), fields.pop("margin_ns", 20)
    numbers = range(1, fields.pop("meetings", 3) + 1)
    made = [meeting(number, theft=number <= thefts, margin_ns=margin_ns) for number in numbers]
    load = (*EVERYBODY, *(print_ for _, prints in made for print_ in prints), *fields.pop("more", ()))
    target = fields.pop("target_evidence", tuple(run for run, _ in made))
    return examine(write_run(directory, load, target, **fields))


def compared(a: Decision, b: Decision, tolerance: float = 0.0) -> Comparison:
    return compare(a, b, directories=("runs/a", "runs/b"), tolerance=tolerance)


UNDECIDED = delivery("A9", "A", b"?", at=(90_000, 90_010))
MAXIMUM = Criteria(self_test=False, maximum=(Limit(metric="p50_s", value=1e-5),))
OF_INKAN = Criteria(self_test=False, maximum=(Limit(metric="p50_s", kind="inkan", value=1e-5),))
SLOW_INKAN = msgspec.structs.replace(failed("B1", "A", at=(10**6, 10**6 + 20_000)), kind="inkan", answer="unanswered")
SLOW = tuple(
    delivery(f"B{number}", "A", paper("A"), at=(10**6 * number, 10**6 * number + 20_000)) for number in range(1, 9)
)

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], float, Result, tuple[str, ...]]] = {
    "the same": ({}, {}, 0, "no_worse", ()),
    "more of all": ({}, {"meetings": 5}, 0, "no_worse", ()),
    "cured": ({"thefts": 2}, {}, 0, "no_worse", ()),
    "as bad": ({"thefts": 2}, {"thefts": 2}, 0, "no_worse", ()),
    "a new sort": ({}, {"thefts": 1}, 0, "worse", ("more_misissued", "less_bound")),
    "one more": ({"thefts": 1}, {"thefts": 2}, 0, "worse", ("more_misissued", "less_bound")),
    "one more in far more exposures": (
        {"thefts": 1},
        {"thefts": 2, "meetings": 20},
        0,
        "worse",
        ("more_misissued",),
    ),
    "worse and less exercised": (
        {},
        {"thefts": 1, "meetings": 2},
        0,
        "worse",
        ("more_misissued", "less_exposures", "less_sync_runs_met", "less_bound"),
    ),
    "worse than an inconclusive one": (
        {"ended": "interrupted"},
        {"thefts": 1},
        0,
        "worse",
        ("more_misissued", "run_inconclusive"),
    ),
    "fewer exposures": (
        {},
        {"meetings": 2},
        0,
        "less_exercised",
        ("less_exposures", "less_sync_runs_met", "less_bound"),
    ),
    "as many as the tolerance asks for": ({"meetings": 10}, {"meetings": 9}, 0.1, "no_worse", ()),
    "fewer than the tolerance asks for": (
        {"meetings": 10},
        {"meetings": 8},
        0.1,
        "less_exercised",
        ("less_exposures", "less_sync_runs_met", "less_bound"),
    ),
    "A interrupted": ({"ended": "interrupted"}, {}, 0, "inconclusive", ("run_inconclusive",)),
    "B interrupted": ({}, {"ended": "interrupted"}, 0, "inconclusive", ("run_inconclusive",)),
    "B died": ({}, {"died": "the target died"}, 0, "inconclusive", ("run_inconclusive",)),
    "both without exposure": (
        {"target_evidence": ()},
        {"target_evidence": ()},
        0,
        "inconclusive",
        ("run_inconclusive", "run_inconclusive"),
    ),
    "A fails with gaps": ({"thefts": 1, "faults": ("it threw",)}, {}, 0, "inconclusive", ("run_with_gaps",)),
    "B as bad, with gaps": (
        {"thefts": 1},
        {"thefts": 1, "faults": ("it threw",)},
        0,
        "inconclusive",
        ("run_with_gaps",),
    ),
    "B as bad, with one undecided": (
        {"thefts": 1},
        {"thefts": 1, "more": (UNDECIDED,)},
        0,
        "inconclusive",
        ("run_with_gaps",),
    ),
    "B breaks a criterion that A kept to": (
        {"criteria": MAXIMUM},
        {"criteria": MAXIMUM, "more": SLOW},
        0,
        "worse",
        ("newly_broken",),
    ),
    "B breaks a criterion that A was not measured by": (
        {},
        {"criteria": MAXIMUM, "more": SLOW},
        0,
        "worse",
        ("newly_broken",),
    ),
    "B breaks a criterion of which A showed nothing": (
        {"criteria": OF_INKAN},
        {"criteria": OF_INKAN, "more": (SLOW_INKAN,)},
        0,
        "worse",
        ("newly_broken", "run_inconclusive"),
    ),
    "both break it": (
        {"criteria": MAXIMUM, "more": SLOW},
        {"criteria": MAXIMUM, "more": SLOW},
        0,
        "no_worse",
        (),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_results(tmp_path: Path, name: str) -> None:
    """B is no worse only when nothing of it is, both runs are conclusive, and it showed at least as much."""
    a, b, tolerance, result, codes = CASES[name]
    comparison = compared(run_of(tmp_path / "a", **a), run_of(tmp_path / "b", **b), tolerance)
    assert (comparison.result, tuple(reason.code for reason in comparison.reasons)) == (result, codes)
    assert comparison.exit_code == {"no_worse": 0, "worse": 1, "less_exercised": 3, "inconclusive": 3}[result]


def test_what_is_unknown_is_not_as_much(tmp_path: Path) -> None:
    """Where the evidence of a run has a gap, nobody knows how much was shown, however much is on record."""
    gaps: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
        ({"faults": ("it threw",)}, {"meetings": 9}),
        ({}, {"meetings": 9, "issued": 19}),
    )
    for number, (a, b) in enumerate(gaps):
        comparison = compared(run_of(tmp_path / f"a{number}", **a), run_of(tmp_path / f"b{number}", **b))
        assert [one.holds for one in comparison.exercise] == [None] * 4
        assert comparison.exit_code == 3


def test_seen_from_inside_and_from_outside(tmp_path: Path) -> None:
    """Exposures of a service that tells its points are no measure for one that does not."""
    comparison = compared(run_of(tmp_path / "a", shows_points=True), run_of(tmp_path / "b"))
    assert comparison.result == "inconclusive"
    assert "not_comparable" in {reason.code for reason in comparison.reasons}
    assert (comparison.rates.p_value, comparison.rates.told) == (None, False)
    assert [one.holds for one in comparison.exercise] == [None] * 4


def test_with_and_without_synchronisation(tmp_path: Path) -> None:
    """Pairs of prints in flight are no measure for sync runs that met two."""
    comparison = compared(run_of(tmp_path / "a"), run_of(tmp_path / "b", synchronises=False))
    assert comparison.result == "inconclusive"
    assert "not_comparable_synchronisation" in {reason.code for reason in comparison.reasons}
    assert (comparison.rates.p_value, comparison.rates.told) == (None, False)
    assert ("synchronises", True, False) in {(one.name, one.a, one.b) for one in comparison.setup}


def test_cells(tmp_path: Path) -> None:
    """Every cell that A hit counts, whatever others B hit in their place."""
    a, b = run_of(tmp_path / "a"), run_of(tmp_path / "b", margin_ns=-20)
    comparison = compared(a, b)
    assert [(cell.phase, len(cell.states)) for cell in comparison.cells_lost] == [
        ("before", 1),
        ("before", 2),
        ("after", 1),
        ("after", 2),
    ]
    assert comparison.cells_gained == ()
    (cells,) = (one for one in comparison.exercise if one.name == "cells")
    assert (cells.a, cells.b, cells.holds) == (6, 2, False)
    assert [reason.text for reason in comparison.reasons] == ["2 of the 6 coverage cells that A hit"]
    assert comparison.result == "less_exercised"
    assert compared(b, a).result == "no_worse"
    assert compared(b, a).cells_gained == comparison.cells_lost
    assert compared(a, b, tolerance=0.7).result == "no_worse"


def test_other_cells_make_up_for_none(tmp_path: Path) -> None:
    """What B hit beside the cells of A does not count in their place."""
    a = run_of(tmp_path / "a", target_evidence=[sync_run(f"S{n}", 1000 * n + 20, 1000 * n + 120) for n in (1, 2, 3)])
    b = run_of(tmp_path / "b", target_evidence=[sync_run(f"S{n}", 1000 * n - 20, 1000 * n + 80) for n in (1, 2, 3)])
    comparison = compared(a, b)
    assert {cell.phase for cell in comparison.cells_lost} == {"before"}
    assert {cell.phase for cell in comparison.cells_gained} == {"after"}
    (cells,) = (one for one in comparison.exercise if one.name == "cells")
    assert (cells.a, cells.b, cells.holds) == (4, 2, False)


def test_exercise(tmp_path: Path) -> None:
    """Exposures, sync runs met, cells and the bound are held beside one another."""
    comparison = compared(run_of(tmp_path / "a"), run_of(tmp_path / "b", meetings=4))
    *counts, bound = comparison.exercise
    assert counts == [
        Exercise(name="exposures", a=3, b=4, holds=True),
        Exercise(name="sync_runs_met", a=3, b=4, holds=True),
        Exercise(name="cells", a=6, b=6, holds=True),
    ]
    assert (bound.name, bound.holds) == ("bound", True)
    assert (bound.a, bound.b) == pytest.approx((1 - 0.05 ** (1 / 3), 1 - 0.05 ** (1 / 4)))


def test_bounds_of_two_confidences(tmp_path: Path) -> None:
    """A bound is no lower because less confidence was asked for."""
    a = run_of(tmp_path / "a", criteria=Criteria(self_test=False, confidence=0.99))
    b = run_of(tmp_path / "b", criteria=Criteria(self_test=False, confidence=0.5))
    (bound,) = (one for one in compared(a, b).exercise if one.name == "bound")
    assert bound.a == bound.b == pytest.approx(1 - 0.01 ** (1 / 3))
    assert compared(a, b).rates.confidence == 0.99


@pytest.mark.parametrize(("thefts", "told"), [((6, 0), True), ((5, 1), False), ((3, 0), False), ((0, 0), False)])
def test_rates(tmp_path: Path, thefts: tuple[int, int], told: bool) -> None:
    """A difference is called one when chance hardly makes it, by the exact test on exposures."""
    a, b = (run_of(tmp_path / str(number), meetings=10, thefts=count) for number, count in enumerate(thefts))
    rates = compared(a, b).rates
    assert (rates.a_events, rates.a_n, rates.b_events, rates.b_n) == (thefts[0], 10, thefts[1], 10)
    expected = float(fisher_exact([[thefts[0], 10 - thefts[0]], [thefts[1], 10 - thefts[1]]]).pvalue)
    assert rates.p_value == pytest.approx(expected)
    assert rates.told is told is (expected <= 0.05)


def test_figures(tmp_path: Path) -> None:
    """Every outcome stands beside its counterpart, and so do papers, persons, exercise, errors and latency."""
    a = run_of(tmp_path / "a", thefts=1, more=(failed("F1", "A", at=(50_000, 50_100)),))
    figures = {one.name: (one.a, one.b) for one in compared(a, run_of(tmp_path / "b", meetings=4)).figures}
    assert {name: pair for name, pair in figures.items() if any(pair)} == {
        "wrong_person": (1, 0),
        "error_final": (1, 0),
        "ok": (5, 8),
        "papers": (1, 0),
        "persons": (1, 0),
        "exposures": (3, 4),
        "sync_runs": (3, 4),
        "sync_runs_met": (3, 4),
        "cells_hit": (6, 6),
        "error_share": (1 / 7, 0.0),
        "p50_s": (1e-7, 1e-7),
        "p95_s": (1e-7, 1e-7),
        "p99_s": (1e-7, 1e-7),
    }


def test_figures_that_there_are_not(tmp_path: Path) -> None:
    """What was never measured is unknown, and no zero."""
    nobody = examine(write_run(tmp_path / "a", (HOME,)))
    figures = {one.name: one for one in compared(nobody, run_of(tmp_path / "b")).figures}
    assert figures["p50_s"] == Figure(name="p50_s", a=None, b=1e-7)
    assert figures["error_share"] == Figure(name="error_share", a=None, b=0.0)


def test_criteria(tmp_path: Path) -> None:
    """Criteria that either run did not keep to are told; those that both kept to are not."""
    kept, missed = Limit(metric="error_share", value=0.5), Limit(metric="exposures", value=4)
    a = run_of(tmp_path / "a", criteria=Criteria(self_test=False, maximum=(kept,)))
    b = run_of(tmp_path / "b", criteria=Criteria(self_test=False, maximum=(kept,), minimum=(missed,)))
    (change,) = compared(a, b).criteria
    assert change.a is None
    assert change.b is not None
    assert (change.b.metric, change.b.result) == ("exposures", "unknown")


def test_setup(tmp_path: Path) -> None:
    """Whatever was asked for or installed and was not the same is told, and nothing else."""
    a = run_of(
        tmp_path / "a",
        parameters={"users": 5, "settings": {"build": "seed", "slots": 3}, "rate": ""},
        versions={"locust": "2.47.0", "numpy": "2.4"},
    )
    b = run_of(
        tmp_path / "b",
        parameters={"users": 5, "settings": {"build": "fixed", "slots": 3}, "rate": "20/s"},
        versions={"locust": "2.48.0"},
        seed=2,
        run="run-1",
        started="2024-01-01T00:00:00+09:00",
        criteria=Criteria(self_test=False, confidence=0.9),
    )
    assert {(one.name, one.a, one.b) for one in compared(a, b).setup} == {
        ("seed", 1, 2),
        ("parameters.settings.build", "seed", "fixed"),
        ("parameters.rate", "", "20/s"),
        ("versions.locust", "2.47.0", "2.48.0"),
        ("versions.numpy", "2.4", None),
        ("criteria.confidence", 0.95, 0.9),
    }


def test_sides(tmp_path: Path) -> None:
    """It is told which runs were compared."""
    comparison = compared(run_of(tmp_path / "a", thefts=1), run_of(tmp_path / "b"))
    assert msgspec.to_builtins((comparison.a, comparison.b)) == (
        {"directory": "runs/a", "run": "run-1", "started": "2023-04-30T00:00:00+09:00", "verdict": "FAIL"},
        {"directory": "runs/b", "run": "run-1", "started": "2023-04-30T00:00:00+09:00", "verdict": "PASS"},
    )


def test_json(tmp_path: Path) -> None:
    """A comparison goes through JSON and is the same."""
    comparison = compared(run_of(tmp_path / "a", thefts=1), run_of(tmp_path / "b", ended="interrupted"))
    assert msgspec.json.decode(msgspec.json.encode(comparison), type=Comparison) == comparison
