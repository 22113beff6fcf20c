"""A plan of arrivals holds exactly what was planned, however many processes share it, and nobody waits for anybody."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.load.arrivals import Arrivals, planned_arrivals, read_rate
from harness.target import TargetError

rates = st.floats(0.01, 300)
lengths_s = st.floats(0.1, 30)
processes = st.integers(1, 7)
seeds = st.none() | st.integers(0, 99)


def taken(
    rate_per_s: float, seconds: float, *, seed: int | None = None, part: int = 0, parts: int = 1, limit: int = 10**6
) -> list[float]:
    """All intended starts of one process, in the order in which it takes them."""
    random = None if seed is None else Random(f"{seed} {part}")
    arrivals = Arrivals(rate_per_s, seconds, random=random, part=part, parts=parts)
    due_s = [at_s for _ in range(limit) if (at_s := arrivals.take()) is not None]
    assert arrivals.take() is None
    return due_s


@given(rates, lengths_s, processes, seeds)
def test_all_parts_together(rate_per_s: float, seconds: float, parts: int, seed: int | None) -> None:
    """All processes together send exactly the planned number, each in ascending order and inside the plan."""
    planned = planned_arrivals(rate_per_s, seconds)
    by_part = [
        taken(rate_per_s, seconds, seed=seed, part=part, parts=parts, limit=planned + 1) for part in range(parts)
    ]
    assert sum(map(len, by_part)) == planned
    for due_s in by_part:
        assert due_s == sorted(due_s)
        assert all(0 <= at_s < seconds for at_s in due_s)
    assert max(map(len, by_part)) - min(map(len, by_part)) <= 1


@given(rates, lengths_s, processes)
def test_constant(rate_per_s: float, seconds: float, parts: int) -> None:
    """At constant intervals the parts are disjoint, and together they are what one process alone would send."""
    planned = planned_arrivals(rate_per_s, seconds)
    together = sorted(
        at_s for part in range(parts) for at_s in taken(rate_per_s, seconds, part=part, parts=parts, limit=planned + 1)
    )
    assert together == taken(rate_per_s, seconds, limit=planned + 1)
    assert np.allclose(together, np.arange(planned) / rate_per_s)


@pytest.mark.parametrize("parts", [1, 3])
def test_poisson(parts: int) -> None:
    """Arrivals by chance are those of a Poisson process: the times uniform, the gaps of all together exponential."""
    rate_per_s, seconds = 200.0, 50.0
    due_s = sorted(
        at_s
        for part in range(parts)
        for at_s in taken(rate_per_s, seconds, seed=1, part=part, parts=parts, limit=20_000)
    )
    assert len(due_s) == 10_000
    assert stats.kstest(due_s, stats.uniform(scale=seconds).cdf).pvalue > 0.01
    assert stats.kstest(np.diff(due_s), stats.expon(scale=1 / rate_per_s).cdf).pvalue > 0.01
    counts = np.bincount(np.array(due_s).astype(int), minlength=int(seconds))
    assert 0.5 < counts.var() / counts.mean() < 1.6  # 1 for Poisson, 0 for constant intervals


@pytest.mark.parametrize("planned", [1, 2, 5])
def test_few_by_chance(planned: int) -> None:
    """In a plan of a few arrivals, too, each instant is as likely as any other, up to the end."""
    random = Random(planned)
    plans = [Arrivals(planned, 1.0, random=random) for _ in range(2_000)]
    due_s = [at_s for arrivals in plans for _ in range(planned) if (at_s := arrivals.take()) is not None]
    assert len(due_s) == 2_000 * planned
    assert stats.kstest(due_s, stats.uniform.cdf).pvalue > 0.01


def test_drawn_from_what_is_given() -> None:
    """The same random numbers make the same plan, others another."""
    one, again, other = (taken(10, 5, seed=seed, limit=100) for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize("part", [3, 4, 100])
def test_who_comes_late(part: int) -> None:
    """A process that joins when all parts are taken sends nothing."""
    assert taken(100, 10, part=part, parts=3, limit=10) == []


@pytest.mark.parametrize(
    ("rate_per_s", "seconds", "planned"), [(200, 30, 6000), (0.1, 4, 0), (0.1, 6, 1), (2.5, 1.8, 4), (1 / 60, 120, 2)]
)
def test_planned(rate_per_s: float, seconds: float, planned: int) -> None:
    """A plan holds its rate times its length, to the nearest whole number."""
    assert planned_arrivals(rate_per_s, seconds) == planned


@pytest.mark.parametrize(
    ("text", "rate_per_s"),
    [
        ("", None),
        ("200/s", 200),
        ("200", 200),
        ("0.5/s", 0.5),
        ("12000/min", 200),
        ("3600/h", 1),
        (" 200 / s ", 200),
        ("1e3/s", 1000),
    ],
)
def test_rate(text: str, rate_per_s: float | None) -> None:
    """A rate is a number for a second, a minute or an hour; without any there is no plan."""
    assert read_rate(text) == rate_per_s


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0/s",
        "-1/s",
        "nan",
        "inf/s",
        "fast",
        "/s",
        "200/d",
        "200/s/s",
        "200 per s",
        "1e400",
        "1e300/s",
        "1000001/s",
        "200/ms",
    ],
)
def test_no_rate(text: str) -> None:
    """Whatever is no rate that anybody could send at is refused, with what was found and what would be right."""
    with pytest.raises(TargetError) as caught:
        read_rate(text)
    assert repr(text) in str(caught.value)
    assert "200/s" in str(caught.value)
