"""What the load does when, by the time that is passed in."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.plan import Phase, Plan

CALM = Phase(name="calm", seconds=2, think_s=0.5)
BURST = Phase(name="burst", seconds=3, think_s=0, changes_per_s=12)
GAP = Phase(name="gap", seconds=1, think_s=0)
PLAN = Plan.bursts(calm=CALM, burst=BURST, gap=GAP, count=2)


@pytest.mark.parametrize(
    ("elapsed_s", "phase"),
    [
        pytest.param(0.0, "calm", id="It begins with the calm."),
        pytest.param(1.999, "calm", id="The calm lasts to its end."),
        pytest.param(2.0, "burst", id="A phase is over in the instant in which the next begins."),
        pytest.param(4.999, "burst", id="The first burst."),
        pytest.param(5.0, "gap", id="A gap follows a burst."),
        pytest.param(6.0, "burst", id="The second burst."),
        pytest.param(9.0, "calm", id="No gap follows the last burst."),
        pytest.param(10.999, "calm", id="The calm at the end."),
        pytest.param(11.0, None, id="In the instant of its end the plan is through."),
        pytest.param(1e9, None, id="Once through, it stays so."),
        pytest.param(-0.1, "calm", id="Before its beginning it is in its first phase."),
    ],
)
def test_phase(elapsed_s: float, phase: str | None) -> None:
    """Phases follow one another without a hole and without an overlap."""
    at = PLAN.at(elapsed_s)
    assert (at.name if at else None) == phase


def test_a_plan_of_no_known_length() -> None:
    """It has no end and holds no change, and says of itself that nobody knows how long it takes."""
    plan = Plan((Phase(name="load", seconds=inf, think_s=0),))
    assert (plan.is_open, plan.changes, PLAN.is_open) == (True, 0, False)
    assert plan.at(1e9) == plan.phases[0]


def test_length() -> None:
    """The plan is as long as its phases together."""
    assert PLAN.seconds == 2 + 3 + 1 + 3 + 2
    assert Plan(()).seconds == 0


@pytest.mark.parametrize(
    ("plan", "changes"),
    [
        (PLAN, 2 * 3 * 12),
        (Plan((CALM, GAP)), 0),
        (Plan(()), 0),
        (Plan((Phase(name="slow", seconds=7, think_s=0, changes_per_s=0.1),) * 2), 1),
    ],
    ids=["those of both bursts", "none", "no phases", "whole ones of all phases together"],
)
def test_changes(plan: Plan, changes: int) -> None:
    """The plan holds as many changes as its phases are to enter together."""
    assert plan.changes == changes


@pytest.mark.parametrize(
    ("count", "names"),
    [
        (0, ["calm", "calm"]),
        (1, ["calm", "burst", "calm"]),
        (3, ["calm", "burst", "gap", "burst", "gap", "burst", "calm"]),
    ],
)
def test_bursts(count: int, names: list[str]) -> None:
    """Bursts have gaps between them and calm around them."""
    assert [phase.name for phase in Plan.bursts(calm=CALM, burst=BURST, gap=GAP, count=count).phases] == names


def test_empty() -> None:
    """A plan without phases is through at once."""
    assert Plan(()).at(0) is None


def test_phase_without_length() -> None:
    """A phase that lasts no time is never on."""
    plan = Plan((Phase(name="none", seconds=0, think_s=0), CALM))
    assert plan.at(0) is CALM


@given(lengths=st.lists(st.integers(0, 5), max_size=6), elapsed_s=st.integers(0, 40))
def test_against_a_list(lengths: list[int], elapsed_s: int) -> None:
    """The phase is the one that a list of seconds, one for each, would name."""
    phases = tuple(Phase(name=str(i), seconds=seconds, think_s=0) for i, seconds in enumerate(lengths))
    seconds = [phase for phase in phases for _ in range(int(phase.seconds))]
    assert Plan(phases).at(elapsed_s) is (seconds[elapsed_s] if elapsed_s < len(seconds) else None)
