"""A difference between two builds is called one only when chance would hardly make it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import fisher_exact as scipy_fisher_exact

from harness.difference import fisher_exact


@pytest.mark.parametrize(
    ("a", "b", "p_value"),
    [
        # Fisher's lady tasting tea: 3 of 4 against 1 of 4 (Agresti, Categorical Data Analysis, section 3.5).
        ((3, 4), (1, 4), 34 / 70),
        ((4, 4), (0, 4), 2 / 70),
        ((0, 250), (0, 250), 1.0),
        ((0, 0), (5, 10), 1.0),
        ((5, 5), (5, 5), 1.0),
    ],
)
def test_known_values(a: tuple[int, int], b: tuple[int, int], p_value: float) -> None:
    """Published values are met; where nothing differs, or nothing was tried, all of it may be chance."""
    assert fisher_exact(*a, *b) == pytest.approx(p_value, rel=1e-12)


TRIALS = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(TRIALS, TRIALS)
@example((41, 250), (0, 250))
@example((1, 400), (0, 400))
@example((400, 400), (0, 400))
def test_as_scipy(a: tuple[int, int], b: tuple[int, int]) -> None:
    """The value is that of scipy, and the same whichever run comes first."""
    table = [[a[0], a[1] - a[0]], [b[0], b[1] - b[0]]]
    expected = float(scipy_fisher_exact(table).pvalue)
    assert fisher_exact(*a, *b) == pytest.approx(expected, rel=1e-9)
    assert fisher_exact(*b, *a) == pytest.approx(fisher_exact(*a, *b), rel=1e-12)


def test_very_many() -> None:
    """Millions of exposures cost neither digits nor the range of a float."""
    assert fisher_exact(3, 10_000_000, 3, 10_000_000) == pytest.approx(1.0)
    assert fisher_exact(0, 10_000_000, 20, 10_000_000) == pytest.approx(2 * 0.5**20, rel=1e-4)
    assert fisher_exact(5_000, 1_000_000, 0, 1_000_000) < 1e-300


@pytest.mark.parametrize("wrong", [(-1, 5, 0, 5), (0, 5, 6, 5)])
def test_more_events_than_exposures(wrong: tuple[int, int, int, int]) -> None:
    """Events outside 0..n are an error of the caller and are named in a sentence."""
    with pytest.raises(ValueError, match="events must be at least 0 and at most the exposures"):
        fisher_exact(*wrong)
