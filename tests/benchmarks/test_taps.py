"""What it costs that somebody looks: judged prints with the tab open, its page polled and metrics scraped, and without.

With and without are turns of one process, so that nothing but the looks differs between the two.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.sides import Service, Side, Turn
from tests.benchmarks.spread import Spread
from tests.benchmarks.test_judged_rate import BUSY, assert_all_judged
from tests.ports import free_port

COST_US_WANTED = 3.0
METRICS, SNAPSHOT, TAB = "/metrics", "/misissuance/snapshot.json", "/stats/requests"
LOOKS = (METRICS, SNAPSHOT, TAB)
"""Prometheus, the live overview, and Locust's own page with our tab: in a turn somebody looks at each of them once."""
EVERY_S = 1.0
"""How often each of them is looked at. Turns are shorter, for what a look costs to stand out; it is scaled to that."""
_SESSIONS = 4
_ROUNDS = 5
_CYCLES = 5
_TURN_S = 0.3
_TRIES = 400
_WARM_UP_PRINTS = 5000


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Turns without looks, with one each, and without once more for the noise."""

    before: Turn
    seen: Turn
    after: Turn

    def __add__(self, other: "Round") -> "Round":
        return Round(before=self.before + other.before, seen=self.seen + other.seen, after=self.after + other.after)

    @property
    def unseen(self) -> Turn:
        """All that were without."""
        return self.before + self.after

    def cost_us(self, turns: int) -> float:
        """CPU microseconds a print that the looks take when there is one every `EVERY_S`.

        Args:
            turns: with a look that were made.
        """
        more_us = self.seen.cpu_us - self.unseen.cpu_us
        return more_us * self.seen.wall_ns / turns / 1e9 / EVERY_S


def measure_cycle(measure: Callable[[Sequence[str]], Turn]) -> Round:
    """Two turns with a look between two without: a machine that gets slower favours neither."""
    before, seen, again, after = (measure(looks) for looks in ((), LOOKS, LOOKS, ()))
    return Round(before=before, seen=seen + again, after=after)


def busy_turn(side: Side, looks: Sequence[str]) -> Turn:
    """A turn in which nobody else used the core; one in which somebody did is measured again."""
    for _ in range(_TRIES):
        turn = side.turn(_TURN_S, looks=looks)
        if turn.cpu_share >= BUSY:
            return turn
    pytest.fail(f"in {_TRIES} turns the side never had {BUSY:.0%} of its core for itself: measure on a quieter machine")


def measure_round(side: Side) -> Round:
    """Some cycles together."""
    first, *others = [measure_cycle(lambda looks: busy_turn(side, looks)) for _ in range(_CYCLES)]
    return sum(others, first)


@contextmanager
def side_at_work(service: Service, directory: Path, *, warm_up_prints: int) -> Iterator[Side]:
    """One that is warm, at which somebody has looked once, and stopped."""
    with Side.open_to_view(service, directory, free_port()) as side:
        side.print_until(service.served + warm_up_prints)
        side.turn(0.2, looks=LOOKS)
        yield side
    assert side.exit_code == 3, side.told  # it met no exposure


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the service and its client need a core each")
def test_cost_of_the_taps(tmp_path: Path) -> None:
    """That somebody looks every second costs at most 3 microseconds of CPU a judged print."""
    rounds: list[Round] = []
    with Service() as service:
        for number in range(_SESSIONS):
            directory = tmp_path / f"run{number}"
            with side_at_work(service, directory, warm_up_prints=_WARM_UP_PRINTS) as side:
                rounds += [measure_round(side) for _ in range(_ROUNDS)]
            assert_all_judged(directory)

    def spread(quantity: Callable[[Round], float]) -> Spread:
        return Spread.of([quantity(round_) for round_ in rounds])

    cost_us = spread(lambda round_: round_.cost_us(2 * _CYCLES))
    print(
        f"\nlooked at every second, CPU us a print more: {cost_us:.2f}",
        f"without / without, the noise, CPU us:        {spread(lambda r: r.after.cpu_us - r.before.cpu_us):.2f}",
        f"without, CPU us a print:                     {spread(lambda r: r.unseen.cpu_us):.1f}",
        f"without, prints/s:                           {spread(lambda r: r.unseen.rate):.0f}",
        f"CPU ms a look:                               "
        f"{spread(lambda r: (r.seen.cpu_us - r.unseen.cpu_us) * r.seen.prints / 2 / _CYCLES / 1e3):.1f}",
        sep="\n",
    )
    assert cost_us.median <= COST_US_WANTED


def test_what_is_looked_at(tmp_path: Path) -> None:
    """Short twin: every look shows the prints of the very run whose cost is measured."""
    with Service() as service, side_at_work(service, tmp_path / "run", warm_up_prints=200) as side:
        told: dict[str, bytes] = {}
        take = side.look

        def look(path: str) -> bytes:
            told[path] = take(path)
            return told[path]

        side.look = look  # type: ignore[method-assign] # to see what it sees
        round_ = measure_cycle(lambda looks: side.turn(0.2, looks=looks))
        served = service.served
    values = dict(line.rsplit(b" ", 1) for line in told[METRICS].splitlines() if not line.startswith(b"#"))
    (judged,) = [float(value) for name, value in values.items() if name.startswith(b"misissue_prints_judged_total")]
    assert 200 <= judged <= served
    seen = msgspec.json.decode(told[SNAPSHOT])["snapshot"]
    assert (seen["state"], seen["verdict"]) == ("running", None)
    assert judged <= seen["prints_judged"] <= served
    assert b"extended_stats" in told[TAB]
    assert min(turn.prints for turn in (round_.before, round_.seen, round_.after)) > 0
    assert round_.seen.wall_ns >= 4e8
    assert_all_judged(tmp_path / "run")
