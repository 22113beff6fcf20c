"""The binomial bound agrees with scipy's beta quantile and behaves as a bound should."""

import math
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bound import exposures_needed, upper_bound

beta = import_module("scipy.stats").beta  # by name, because scipy ships no types
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.999999])


@st.composite
def counts(draw: st.DrawFn, most: int) -> tuple[int, int]:
    """(events, n) with fewer events than n."""
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n - 1)), n


@settings(max_examples=300, deadline=None)
@given(counts(5_000), CONFIDENCES)
def test_bound_is_the_beta_quantile(counted: tuple[int, int], confidence: float) -> None:
    """The bound is the Clopper-Pearson bound, to nine digits."""
    events, n = counted
    assert upper_bound(events, n, confidence) == pytest.approx(
        float(beta.ppf(confidence, events + 1, n - events)), rel=1e-9
    )


@pytest.mark.parametrize("events", [0, 1, 2, 100, 5_000_000, 9_999_000, 9_999_998, 9_999_999])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999999])
def test_bound_keeps_nine_digits_in_ten_million(events: int, confidence: float) -> None:
    """Large numbers cost no digits, at either end or in the middle."""
    n = 10_000_000
    assert upper_bound(events, n, confidence) == pytest.approx(
        float(beta.ppf(confidence, events + 1, n - events)), rel=1e-9
    )


@settings(max_examples=100, deadline=None)
@given(counts(2_000), CONFIDENCES)
def test_bound_is_monotone(counted: tuple[int, int], confidence: float) -> None:
    """One more event raises the bound, one more exposure lowers it, and it lies above the observed share."""
    events, n = counted
    bound = upper_bound(events, n, confidence)
    assert events / n < bound <= 1
    assert upper_bound(events + 1, n, confidence) > bound
    assert upper_bound(events, n + 1, confidence) < bound


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(1, 300))
def test_more_confidence_asks_for_a_higher_bound(events: int, more: int) -> None:
    """Whoever wants to be surer may claim less."""
    assert upper_bound(events, events + more, 0.9) < upper_bound(events, events + more, 0.99)


@pytest.mark.parametrize("n", [100, 1_000, 28_000, 1_000_000])
def test_rule_of_three(n: int) -> None:
    """Zero events in n bound the rate by a little less than 3/n at 95 %."""
    assert 2.9 / n < upper_bound(0, n) < 3 / n


def test_nothing_tried_proves_nothing() -> None:
    """Without exposures, or with an event in each, any rate is possible."""
    assert upper_bound(0, 0) == 1.0
    assert upper_bound(7, 7) == 1.0


@settings(deadline=None)
@given(st.floats(1e-12, 0.999), CONFIDENCES)
def test_needed_exposures_are_enough_and_not_one_too_many(rate: float, confidence: float) -> None:
    """The number asked for carries the claim, and one exposure fewer does not."""
    needed = exposures_needed(rate, confidence)
    assert upper_bound(0, needed, confidence) <= rate
    assert upper_bound(0, needed - 1, confidence) > rate or math.isclose(rate, upper_bound(0, needed - 1, confidence))


def test_a_known_number_of_exposures() -> None:
    """59 exposures claim one in twenty, a figure printed in every table; two coins leave a quarter."""
    assert exposures_needed(0.05) == 59
    assert exposures_needed(0.5, confidence=0.75) == 2


@pytest.mark.parametrize(("events", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_refused(events: int, n: int) -> None:
    """Events outside 0..n are an error of the caller and are named in a sentence."""
    with pytest.raises(ValueError, match=f"{events} events in {n} exposures"):
        upper_bound(events, n)


@pytest.mark.parametrize("confidence", [-1.0, 0.0, 0.49, 1.0, 95.0, math.nan])
def test_impossible_confidence_is_refused(confidence: float) -> None:
    """A percentage, a certainty or a guess is no confidence."""
    with pytest.raises(ValueError, match="confidence"):
        upper_bound(1, 10, confidence)
    with pytest.raises(ValueError, match="confidence"):
        exposures_needed(0.1, confidence)


@pytest.mark.parametrize("rate", [-0.1, 0.0, 1e-16, 1.0, math.nan])
def test_impossible_rate_is_refused(rate: float) -> None:
    """No number of exposures proves a rate of zero."""
    with pytest.raises(ValueError, match="rate"):
        exposures_needed(rate)
