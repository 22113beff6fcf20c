"""The true time of another clock always lies between earliest and latest, and these are as close as they can be."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clock import MAX_DRIFT, ClockError, ClockMap, read_clock
from harness.records import ClockReading

DRIFT = Fraction(MAX_DRIFT).limit_denominator(10**6)
TIMES = st.integers(-(10**6), 10**6)
readings_of_any_clock = st.lists(
    st.builds(
        ClockReading,
        at_ns=TIMES,
        offset_ns=st.integers(10**15 - 2000, 10**15 + 2000),
        uncertainty_ns=st.integers(0, 2000),
    ),
    min_size=1,
    max_size=8,
)


def reading(at_ns: int, offset_ns: int, uncertainty_ns: int = 0) -> ClockReading:
    return ClockReading(at_ns=at_ns, offset_ns=offset_ns, uncertainty_ns=uncertainty_ns)


def naive_bounds(readings: list[ClockReading], at_ns: int) -> tuple[Fraction, Fraction]:
    """The intersection of what each reading alone says of the offset at that time."""
    slack = [r.uncertainty_ns + DRIFT * abs(at_ns - r.at_ns) for r in readings]
    return (
        max(r.offset_ns - s for r, s in zip(readings, slack, strict=True)),
        min(r.offset_ns + s for r, s in zip(readings, slack, strict=True)),
    )


@st.composite
def clocks(draw: st.DrawFn) -> tuple[list[ClockReading], dict[int, Fraction]]:
    """Readings of a clock that drifts within the limit, and its true offset at many times."""
    times = sorted(draw(st.sets(TIMES, min_size=1, max_size=12)))
    offset = Fraction(draw(st.integers(-(10**12), 10**12)))
    offsets = {times[0]: offset}
    for last, at_ns in pairwise(times):
        offset += (at_ns - last) * DRIFT * draw(st.fractions(-1, 1, max_denominator=50))
        offsets[at_ns] = offset
    readings = []
    for at_ns in draw(st.lists(st.sampled_from(times), min_size=1, max_size=6)):
        uncertainty_ns = draw(st.integers(1, 5000))
        error = uncertainty_ns * draw(st.fractions(-1, 1, max_denominator=50))
        readings.append(reading(at_ns, int(offsets[at_ns] + error), uncertainty_ns + 1))
    return readings, offsets


@given(readings_of_any_clock, st.lists(TIMES, max_size=10))
def test_naive_intersection(readings: list[ClockReading], times: list[int]) -> None:
    """The map is the intersection of all readings, rounded outward; where it is empty at a reading there is no map."""
    contradicting = any(low > high for low, high in (naive_bounds(readings, r.at_ns) for r in readings))
    if contradicting:
        with pytest.raises(ClockError, match="contradict each other"):
            ClockMap(readings)
        return
    clock = ClockMap(readings)
    times += [r.at_ns for r in readings]
    bounds = [naive_bounds(readings, t) for t in times]
    asked = np.array(times, np.int64)
    assert clock.earliest(asked).tolist() == [t + low.__floor__() for t, (low, _) in zip(times, bounds, strict=True)]
    assert clock.latest(asked).tolist() == [t + high.__ceil__() for t, (_, high) in zip(times, bounds, strict=True)]


@given(clocks())
def test_true_time_is_never_excluded(clock: tuple[list[ClockReading], dict[int, Fraction]]) -> None:
    """Whatever a clock does within the limit of drift, its true time lies between earliest and latest."""
    readings, offsets = clock
    clock_map, times = ClockMap(readings), np.array(list(offsets), np.int64)
    earliest, latest = clock_map.earliest(times).tolist(), clock_map.latest(times).tolist()
    for (at_ns, offset), low, high in zip(offsets.items(), earliest, latest, strict=True):
        assert low <= at_ns + offset <= high


@given(clocks(), st.integers(1, 5))
def test_more_readings_never_widen(clock: tuple[list[ClockReading], dict[int, Fraction]], fewer: int) -> None:
    """A further reading of the same clock leaves earliest where it was or later, and latest or earlier."""
    readings, offsets = clock
    times = np.array(list(offsets), np.int64)
    few, many = ClockMap(readings[:fewer]), ClockMap(readings)
    assert (few.earliest(times) <= many.earliest(times)).all()
    assert (many.latest(times) <= few.latest(times)).all()


def test_shares_the_run_clock() -> None:
    """An exact reading places its own time exactly, and others within the drift since then."""
    clock = ClockMap([reading(5_000_000_000, 7)])
    times = np.array([5_000_000_000, 6_000_000_000, 4_999_999_999])
    assert clock.earliest(times).tolist() == [5_000_000_007, 6_000_000_007 - 1_000_000, 5_000_000_005]
    assert clock.latest(times).tolist() == [5_000_000_007, 6_000_000_007 + 1_000_000, 5_000_000_007]


def test_exact_far_from_zero() -> None:
    """Offsets and times of years in nanoseconds lose no digit."""
    year_ns = 365 * 86_400 * 10**9
    clock = ClockMap([reading(55 * year_ns + 1, -54 * year_ns, 3), reading(55 * year_ns + 10**13, -54 * year_ns, 3)])
    times = np.array([55 * year_ns + 1])
    assert clock.earliest(times).tolist() == [year_ns - 2]
    assert clock.latest(times).tolist() == [year_ns + 4]


@given(
    st.integers(0, 10**12),
    st.integers(0, 10**10),
    st.fractions(0, 1, max_denominator=10**4),
    st.fractions(-1, 1, max_denominator=50),
    st.integers(-(10**15), 10**15),
)
def test_a_question_for_the_time(asked_ns: int, took_ns: int, part: Fraction, drift: Fraction, ahead_ns: int) -> None:
    """Whenever between question and answer the run's clock was looked at, the true offset is within the uncertainty."""
    told_ns, looked_ns = asked_ns + took_ns, asked_ns + took_ns * part

    def offset(at_ns: Fraction) -> Fraction:
        return ahead_ns + DRIFT * drift * (at_ns - asked_ns)

    found = read_clock(asked_ns, int(looked_ns + offset(looked_ns)), told_ns)
    assert abs(offset(Fraction(found.at_ns)) - found.offset_ns) <= found.uncertainty_ns
    assert found.uncertainty_ns <= took_ns * (1 + DRIFT) / 2 + 3, "no more than it has to be"


def test_no_reading() -> None:
    """A clock without a reading is never taken for the run's clock."""
    with pytest.raises(ValueError, match="at least one clock reading"):
        ClockMap([])


@pytest.mark.parametrize(
    "readings",
    [
        pytest.param([reading(0, 0), reading(10**9, 1_000_001)], id="set forward"),
        pytest.param([reading(0, 0), reading(10**9, -1_000_001)], id="set back"),
        pytest.param([reading(0, 0, 5), reading(0, 11, 5)], id="two truths at one time"),
        pytest.param([reading(0, 0, -1)], id="less than no uncertainty"),
    ],
)
def test_contradiction(readings: list[ClockReading]) -> None:
    """Readings that no clock within the limit of drift can have given are an error, by as little as a nanosecond."""
    with pytest.raises(ClockError, match="contradict each other"):
        ClockMap(readings)


def test_boundless_readings() -> None:
    """Readings that leave weeks open are an error, not a number out of range."""
    with pytest.raises(ClockError, match="bound nothing"):
        ClockMap([reading(0, 0, 2**63)])
