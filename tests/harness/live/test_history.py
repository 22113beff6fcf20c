"""The history of a run is short, however long the run is."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.live.history import MOMENTS_AT_MOST, History, percentile_s
from harness.live.snapshot import LatencyHistogram, Moment, OutcomeCount
from harness.measures import BOUNDS_S
from harness.outcome import Outcome
from tests.load.snapshots import running


def buckets(**numbers: int) -> tuple[int, ...]:
    """Attempts in the buckets of these numbers, written `b3=1`."""
    return tuple(numbers.get(f"b{number}", 0) for number in range(len(BOUNDS_S) + 1))


def latency(**numbers: int) -> LatencyHistogram:
    """Of so many attempts."""
    return LatencyHistogram(bounds_s=BOUNDS_S, counts=buckets(**numbers), sum_s=0.0)


def test_moment() -> None:
    """A moment shows the counts as they were, and the latency of what came since the moment before."""
    errors = (OutcomeCount(outcome=Outcome.ERROR_FINAL, kind="inkan", number=2),)
    history = History()
    history.add(running(elapsed_s=1.00049, latency=latency(b9=100), exposures=None))
    history.add(
        running(
            elapsed_s=2.0,
            prints_judged=20,
            misissued=3,
            exposures=4,
            sync_runs=5,
            outcomes=errors,
            latency=latency(b9=100, b0=100),
        )
    )
    first, second = history.moments
    assert (first.elapsed_s, first.exposures) == (1.0, None)
    assert [first.p95_s, second.p95_s] == pytest.approx([0.9875, 0.00475])
    assert second == Moment(
        elapsed_s=2.0, prints_judged=20, misissued=3, errors=2, exposures=4, sync_runs=5, p95_s=second.p95_s
    )


@pytest.mark.parametrize("number", [1, MOMENTS_AT_MOST, MOMENTS_AT_MOST + 1, 5 * MOMENTS_AT_MOST, 10_000])
def test_long_runs(number: int) -> None:
    """However long a run is, its history goes from its beginning to now in equal steps."""
    history = History()
    for second in range(1, number + 1):
        history.add(running(elapsed_s=float(second), latency=latency(b3=second)))
    times = [moment.elapsed_s for moment in history.moments]
    assert len(times) <= MOMENTS_AT_MOST
    assert len(times) >= min(number, MOMENTS_AT_MOST // 2)
    steps = {later - earlier for earlier, later in pairwise(times)}
    assert len(steps) <= 1
    assert times[0] <= number / len(times) + 1
    assert times[-1] > number - max(steps, default=1)
    assert {moment.p95_s is None for moment in history.moments} == {False}


def test_no_prints() -> None:
    """Where no print has ended since, there is no percentile."""
    history = History()
    for second in range(2):
        history.add(running(elapsed_s=float(second), latency=latency(b3=7)))
    assert [moment.p95_s is None for moment in history.moments] == [False, True]


@given(st.lists(st.sampled_from([0.004, 0.06, 0.9, 7.0, 20.0, 300.0]), min_size=1), st.floats(0.01, 1.0))
def test_percentile(taken_s: list[float], share: float) -> None:
    """A percentile lies in the bucket in which the latency of that rank lies; above the last bound it is that bound."""
    counts = [0] * (len(BOUNDS_S) + 1)
    for one in taken_s:
        counts[sum(one > bound for bound in BOUNDS_S)] += 1
    rank = next(number for number in range(1, len(taken_s) + 1) if number >= share * len(taken_s))
    exact = sorted(taken_s)[rank - 1]
    found = percentile_s(counts, share)
    assert found is not None
    bucket = sum(exact > bound for bound in BOUNDS_S)
    if bucket == len(BOUNDS_S):
        assert found == BOUNDS_S[-1]
    else:
        assert (BOUNDS_S[bucket - 1] if bucket else 0.0) <= found <= BOUNDS_S[bucket]


def test_percentile_of_nothing() -> None:
    """Nothing has no percentile."""
    assert percentile_s(buckets(), 0.95) is None
