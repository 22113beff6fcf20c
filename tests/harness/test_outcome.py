"""Sixteen outcomes in a total order, and one of them for each application."""

import re
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

TAKES_TWO = {Outcome.ERROR_RETRIED_OK, Outcome.DUPLICATE}
WITHOUT_DOCUMENT = {Outcome.LOST, Outcome.ERROR_FINAL, Outcome.REFUSED_OK, Outcome.REFUSED_WRONG}
Made = list[tuple[Outcome, bool]]


def ends(*outcomes: str) -> Made:
    """Attempts with these outcomes, of which only the last that can have brought a document did."""
    made = [(Outcome(outcome), False) for outcome in outcomes]
    able = [number for number, (outcome, _) in enumerate(made) if outcome not in WITHOUT_DOCUMENT]
    for number in able[-1:]:
        made[number] = made[number][0], True
    return made


attempts = st.lists(
    st.sampled_from([outcome for outcome in Outcome if outcome not in TAKES_TWO]).flatmap(
        lambda outcome: st.tuples(st.just(outcome), st.just(False) if outcome in WITHOUT_DOCUMENT else st.booleans())
    ),
    min_size=1,
    max_size=6,
)


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
    assert combine(ends("undecided", clean)) == "undecided"
    assert combine(ends(clean, "undecided")) == "undecided"


@pytest.mark.parametrize("misissue", MISISSUES)
def test_misissue_beats_undecided(misissue: str) -> None:
    """A misissue stays one beside an attempt that could not be decided."""
    assert combine([(Outcome.UNDECIDED, False), (Outcome(misissue), misissue != "lost")]) == misissue


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
        (["lost"], "lost"),
        (["lost", "ok"], "error_retried_ok"),
        (["lost", "wrong_person"], "wrong_person"),
        (["lost", "error_final"], "lost"),
        (["lost", "error_final", "ok"], "error_retried_ok"),
    ],
)
def test_combine(made: list[str], outcome: str) -> None:
    """An error that the right document follows in the end was mended, and nothing that came later is lost."""
    assert combine(ends(*made)) == outcome


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        ([("ok", True), ("ok", True)], "duplicate"),
        ([("ok", True), ("error_final", False), ("ok", True)], "duplicate"),
        ([("ok", True), ("stale", True)], "stale"),
        ([("ok", True), ("misdelivered", True)], "duplicate"),
        ([("ok", True), ("undecided", True)], "duplicate"),
        ([("undecided", False), ("ok", True)], "undecided"),
    ],
)
def test_duplicate(made: list[tuple[str, bool]], outcome: str) -> None:
    """A second document for one application is a duplicate, unless something worse came out."""
    assert combine([(Outcome(name), handed_out) for name, handed_out in made]) == outcome


@given(made=attempts)
def test_one_result(made: Made) -> None:
    """The application's outcome is the worst of its attempts, but for what a later document mends or doubles."""
    outcome = combine(made)
    outcomes = [outcome for outcome, _ in made]
    documents = sum(handed_out for _, handed_out in made)
    if outcome is Outcome.ERROR_RETRIED_OK:
        assert outcomes[-1] is Outcome.OK
        assert worst(outcomes) in {Outcome.ERROR_FINAL, Outcome.LOST}
    elif outcome is Outcome.DUPLICATE:
        assert documents > 1
    elif Outcome.LOST in outcomes and documents:
        assert outcome is worst(one if one is not Outcome.LOST else Outcome.ERROR_FINAL for one in outcomes)
    else:
        assert outcome is worst(outcomes)


@given(made=attempts, data=st.data())
def test_order_of_attempts(made: Made, data: st.DataObject) -> None:
    """The order of the attempts matters for nothing but whether an error was mended."""
    shuffled = data.draw(st.permutations(made))
    both = {combine(made), combine(shuffled)}
    assert len(both) == 1 or both == {Outcome.ERROR_FINAL, Outcome.ERROR_RETRIED_OK}


@given(made=attempts)
def test_never_ok_after_trouble(made: Made) -> None:
    """Nothing is ok but an application all of whose attempts were, with one document at the most."""
    fine = {outcome for outcome, _ in made} == {Outcome.OK} and sum(handed_out for _, handed_out in made) <= 1
    assert (combine(made) is Outcome.OK) == fine


def test_no_attempt() -> None:
    """Where there was no attempt there is no outcome, rather than a clean one."""
    with pytest.raises(ValueError, match="empty"):
        worst([])
    with pytest.raises(ValueError, match="empty"):
        combine([])
