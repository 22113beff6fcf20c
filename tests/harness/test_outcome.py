"""Sixteen outcomes in a total order, and one of them for each application."""

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.outcome import STRANGER_OUTCOMES, Outcome, combine, worst

ORDER = (
    "wrong_person",
    "mixed",
    "over_disclosed",
    "should_refuse",
    "stale",
    "wrong_kind",
    "torn",
    "duplicate",
    "misdelivered",
    "lost",
    "undecided",
    "error_final",
    "error_retried_ok",
    "refused_ok",
    "refused_wrong",
    "ok",
)
MISISSUES = ORDER[: ORDER.index("undecided")]

of_an_attempt = [outcome for outcome in Outcome if outcome is not Outcome.ERROR_RETRIED_OK]  # which takes two
attempts = st.lists(st.sampled_from(of_an_attempt), min_size=1, max_size=6)


def test_sixteen() -> None:
    """There are sixteen outcomes, worst first."""
    assert tuple(Outcome) == ORDER
    assert len(Outcome) == 16


def test_documented() -> None:
    """docs/domain.md lists the very same outcomes in the very same order."""
    text = (Path(__file__).parents[2] / "docs" / "domain.md").read_text()
    assert tuple(re.findall(r"^\| \d+ \| `(\w+)` \|", text, re.MULTILINE)) == ORDER


@pytest.mark.parametrize(("worse", "better"), list(combinations(ORDER, 2)))
def test_total_order(worse: str, better: str) -> None:
    """Of any two outcomes the one that is listed first is the worse, whichever came first."""
    assert worst([Outcome(worse), Outcome(better)]) == worse
    assert worst([Outcome(better), Outcome(worse)]) == worse


def test_misissues() -> None:
    """Every outcome above undecided is a misissue, and none from undecided on."""
    assert [outcome for outcome in Outcome if outcome.is_misissue] == list(MISISSUES)


def test_strangers() -> None:
    """Somebody's data reached a stranger in wrong_person and mixed, both of which are misissues."""
    assert {"wrong_person", "mixed"} == STRANGER_OUTCOMES
    assert all(outcome.is_misissue for outcome in STRANGER_OUTCOMES)


@pytest.mark.parametrize("clean", ORDER[ORDER.index("undecided") + 1 :])
def test_unknown_is_never_clean(clean: str) -> None:
    """An attempt that could not be decided leaves the application undecided beside anything that is no misissue."""
    assert combine([Outcome.UNDECIDED, Outcome(clean)]) == "undecided"
    assert combine([Outcome(clean), Outcome.UNDECIDED]) == "undecided"


@pytest.mark.parametrize("misissue", MISISSUES)
def test_misissue_beats_undecided(misissue: str) -> None:
    """A misissue stays one beside an attempt that could not be decided."""
    assert combine([Outcome.UNDECIDED, Outcome(misissue)]) == misissue


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        (["ok"], "ok"),
        (["error_final"], "error_final"),
        (["error_final", "ok"], "error_retried_ok"),
        (["error_final", "error_final", "ok"], "error_retried_ok"),
        (["ok", "error_final", "ok"], "error_retried_ok"),
        (["error_final", "error_final"], "error_final"),
        (["ok", "error_final"], "error_final"),
        (["error_final", "wrong_person"], "wrong_person"),
        (["stale", "error_final", "ok"], "stale"),
        (["error_final", "undecided"], "undecided"),
        (["error_final", "undecided", "ok"], "undecided"),
        (["error_final", "refused_ok"], "error_final"),
    ],
)
def test_combine(made: list[str], outcome: str) -> None:
    """An error that the right document follows in the end was mended; an error that comes last was not."""
    assert combine(map(Outcome, made)) == outcome


@given(made=attempts)
def test_one_result(made: list[Outcome]) -> None:
    """The application's outcome is the worst of its attempts, but for a mended error."""
    outcome = combine(made)
    if outcome is Outcome.ERROR_RETRIED_OK:
        assert made[-1] is Outcome.OK
        assert worst(made) is Outcome.ERROR_FINAL
    else:
        assert outcome is worst(made)


@given(made=attempts, data=st.data())
def test_order_of_attempts(made: list[Outcome], data: st.DataObject) -> None:
    """The order of the attempts matters for nothing but whether an error was mended."""
    shuffled = data.draw(st.permutations(made))
    both = {combine(made), combine(shuffled)}
    assert len(both) == 1 or both == {Outcome.ERROR_FINAL, Outcome.ERROR_RETRIED_OK}


@given(made=attempts)
def test_never_ok_after_trouble(made: list[Outcome]) -> None:
    """Nothing is ok but an application all of whose attempts were."""
    assert (combine(made) is Outcome.OK) == (set(made) == {Outcome.OK})


@pytest.mark.parametrize("judge", [worst, combine])
def test_no_attempt(judge: Callable[[list[Outcome]], Outcome]) -> None:
    """Where there was no attempt there is no outcome, rather than a clean one."""
    with pytest.raises(ValueError, match="empty"):
        judge([])
