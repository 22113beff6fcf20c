"""What a service tells of its sync runs, on the run's clock: never longer than they were, acknowledged no sooner."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clock import ClockError
from harness.records import SyncRun
from targets.http.sync_times import Told, WallClock, read_time, read_zone
from targets.http.sync_told import SyncRunsTold, Version

NOON_NS = 1_769_860_800 * 10**9  # 2026-01-31T12:00:00Z
SECOND_NS = 10**9
TIMES = [
    ("2026-01-31T12:00:00Z", 0, SECOND_NS),
    ("2026-01-31T12:00:00.25Z", 250_000_000, 10_000_000),
    ("2026-01-31 12:00:00,125+00:00", 125_000_000, 1_000_000),
    ("2026-01-31T21:00:00.000001+09:00", 1000, 1000),
    ("2026-01-31T12:00:00.123456789Z", 123_456_000, 1000),
    ("20260131T120000Z", 0, SECOND_NS),
    ("2026-01-31T12:00Z", 0, 60 * SECOND_NS),
    ("2026-01-31T21:00:00.5", 500_000_000, 100_000_000),  # of the zone of those that name none
    ("1769860800", 0, SECOND_NS),
    ("1769860800.50", 500_000_000, 10_000_000),
    (1769860800, 0, SECOND_NS),
    (1769860800.5, 500_000_000, 100_000_000),
    (1769860800.123, 123_000_000, 1_000_000),
]


@pytest.mark.parametrize(("told", "since_noon_ns", "rounding_ns"), TIMES, ids=[str(told) for told, _, _ in TIMES])
def test_times(told: object, since_noon_ns: int, rounding_ns: int) -> None:
    """ISO 8601 or Unix seconds, each with what its digits leave open."""
    assert read_time(told, read_zone("+09:00")) == Told(NOON_NS + since_noon_ns, rounding_ns)


@pytest.mark.parametrize(
    "told", ["", "noon", "2026-13-01T00:00:00Z", "1769860800000", 1769860800000, True, None, [], "1e9", "nan"]
)
def test_no_times(told: object) -> None:
    """Anything else is told, with what would be right."""
    with pytest.raises(ValueError, match="right is ISO 8601 with a zone"):
        read_time(told)


def test_without_a_zone() -> None:
    """A time of nobody knows where is no time."""
    with pytest.raises(ValueError, match=r"without a zone, .*; or zone in \[sync\]"):
        read_time("2026-01-31T12:00:00")


@pytest.mark.parametrize("text", ["", "UTC", "+9", "+09:00x", "+25:00", "0"])
def test_no_zones(text: str) -> None:
    """A zone is a distance from UTC."""
    with pytest.raises(ValueError, match=r"."):
        read_zone(text)


class Clocks:
    """The clocks of this machine, of which a test turns the hands."""

    def __init__(self) -> None:
        self.monotonic_ns, self.offset_ns = 5000 * SECOND_NS, NOON_NS

    def __call__(self) -> tuple[int, int, int]:
        at_ns = self.monotonic_ns
        return at_ns, at_ns + self.offset_ns, at_ns


def test_clocks() -> None:
    """What was told lies within its uncertainty and its rounding; after a clock was set nothing compares."""
    clocks = Clocks()
    clock = WallClock(0.5, clocks)
    clock.look()
    told = Told(clocks.monotonic_ns + clocks.offset_ns, SECOND_NS)
    assert clocks.monotonic_ns - clock.earliest(told) == pytest.approx(SECOND_NS / 2, abs=10)
    assert clock.latest(told) - clocks.monotonic_ns == pytest.approx(1.5 * SECOND_NS, rel=0.01)
    clocks.monotonic_ns += SECOND_NS
    clocks.offset_ns += 3600 * SECOND_NS
    with pytest.raises(ClockError, match="contradict"):
        clock.look()


def never(change: str) -> Version | None:  # noqa: ARG001 - of none is there a version
    """No change is ours."""
    return None


def runs_of(
    clocks: Clocks,
    wanted: Collection[str] = ("begin_at", "acknowledged_at", "end_at"),
    uncertainty_s: float = 0.0,
    version_of: Callable[[str], Version | None] = never,
) -> SyncRunsTold:
    """Told of, on clocks that were just compared."""
    clock = WallClock(uncertainty_s, clocks)
    clock.look()
    return SyncRunsTold(clock, wanted, version_of)


def wall(clocks: Clocks, at_ns: int, digits: str = "microseconds") -> str:
    """A time of the run's clock as the service tells it."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=(at_ns + clocks.offset_ns) // 1000)
    return moment.isoformat(timespec=digits)


@given(
    begin=st.integers(0, 2000),
    length=st.integers(0, 2000),
    off=st.integers(-50, 50),
    digits=st.sampled_from(["seconds", "milliseconds", "microseconds"]),
)
def test_never_longer_than_it_was(begin: int, length: int, off: int, digits: str) -> None:
    """Whatever the service's clock is off by within its uncertainty, and however it rounds: the inner side, or none."""
    clocks = Clocks()
    begin_ns = clocks.monotonic_ns + begin * 1_000_000
    end_ns = begin_ns + length * 1_000_000
    told = runs_of(clocks, uncertainty_s=0.05)
    times = {
        "begin_at": wall(clocks, begin_ns + off * 1_000_000, digits),
        "end_at": wall(clocks, end_ns + off * 1_000_000, digits),
        "acknowledged_at": wall(clocks, end_ns + off * 1_000_000, digits),
    }
    told.take({"sync_run": "S1", **times})
    (run,) = told.new(rest=False)
    assert run.acknowledged_ns is not None
    assert run.acknowledged_ns >= end_ns
    assert run.begin_ns >= begin_ns
    assert run.end_ns is not None
    assert run.end_ns <= end_ns
    assert run.is_unplaced is (run.end_ns < run.begin_ns)
    if length > 2500 or (digits == "microseconds" and length > 250):
        assert not run.is_unplaced


def told_at(clocks: Clocks, **at_s: float) -> dict[str, object]:
    """Times by their names, seconds after the clocks were compared."""
    return {name: wall(clocks, clocks.monotonic_ns + round(s * SECOND_NS)) for name, s in at_s.items()}


def test_told_when_it_is_whole() -> None:
    """However it comes, a sync run is told once, when all that the service tells of one is there."""
    clocks = Clocks()
    told = runs_of(clocks)
    told.take({"sync_run": "S1", **told_at(clocks, begin_at=0.0)})
    told.take({"sync_run": "S2", **told_at(clocks, begin_at=0.1), "end_at": None})
    told.take({"sync_run": None, **told_at(clocks, begin_at=0.1)})
    told.take({"sync_run": "S1", **told_at(clocks, end_at=0.5)})
    assert list(told.new(rest=False)) == []
    told.take({"sync_run": "S1", **told_at(clocks, acknowledged_at=0.6)})
    assert [run.sync_run for run in told.new(rest=False)] == ["S1"]
    told.take({"sync_run": "S1", **told_at(clocks, begin_at=0.0, end_at=0.5, acknowledged_at=0.6)})
    told.take({"sync_run": 3, **told_at(clocks, end_at=0.5)})
    (left,) = told.new(rest=True)  # what never began cannot be placed
    assert (left.sync_run, left.acknowledged_ns, left.end_ns) == ("S2", None, None)
    assert list(told.new(rest=True)) == []


def test_before_the_run() -> None:
    """What was there before the run is none of its sync runs, also when more of it is told."""
    clocks = Clocks()
    told = runs_of(clocks)
    told.take({"sync_run": "S1", **told_at(clocks, begin_at=0.0)})
    told.forget()
    told.take({"sync_run": "S1", **told_at(clocks, begin_at=0.0, end_at=0.1, acknowledged_at=0.2)})
    assert list(told.new(rest=True)) == []


def test_acknowledged_by_its_end() -> None:
    """Where nobody tells of an acknowledgement the end of the run is one, as late as it can have been."""
    clocks = Clocks()
    told = runs_of(clocks, wanted=("begin_at", "end_at"))
    told.take({"sync_run": "S1", **told_at(clocks, begin_at=0.0, end_at=0.5)})
    (run,) = told.new(rest=False)
    assert run.acknowledged_ns is not None
    assert run.end_ns is not None
    assert run.end_ns < clocks.monotonic_ns + SECOND_NS // 2 < run.acknowledged_ns


@pytest.mark.parametrize("applied", [["C1-7", "C2-8", 9], "C1-7, C2-8;C9", " C2-8 C1-7 "])
def test_applied(applied: object) -> None:
    """Which changes it brought in, as a list or in a text; those of somebody else are left out."""
    ours = {"C1-7": ("G1", 2), "C2-8": ("G2", 2)}
    clocks = Clocks()
    told = runs_of(clocks, version_of=ours.get)
    told.take({"sync_run": "S1", "applied": applied, **told_at(clocks, begin_at=0, end_at=1, acknowledged_at=1)})
    (run,) = told.new(rest=False)
    assert set(run.applied) == set(ours.values())


def test_time_that_is_none() -> None:
    """It is told with its sync run, and does not come again."""
    clocks = Clocks()
    told = runs_of(clocks)
    told.take({"sync_run": "S1", "begin_at": "noon", "end_at": "later", "acknowledged_at": "then"})
    with pytest.raises(ValueError, match="a time of sync run S1: found 'noon'"):
        list(told.new(rest=False))
    assert list(told.new(rest=True)) == []


def test_unplaced_without_an_end() -> None:
    """A run of which only the begin is known is an instant, and placed."""
    clocks = Clocks()
    told = runs_of(clocks, uncertainty_s=5.0)
    told.take({"sync_run": "S1", **told_at(clocks, begin_at=0)})
    (run,) = told.new(rest=True)
    assert isinstance(run, SyncRun)
    assert not run.is_unplaced
