"""What judging costs: judged prints per second against Locust alone, on a service that hands out 60 KB documents."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from harness.evidence.ledger import segment_path
from harness.evidence.segment import SegmentReader
from harness.gate import decide
from harness.records import Print
from harness.verdict import Verdict
from tests.benchmarks.sides import USERS, Service, Side, Turn
from tests.benchmarks.spread import Spread
from tests.benchmarks.static_service import DOCUMENT_BYTES, PERSONS, person_name

RATIO_WANTED = 0.93
BUSY = 0.95
"""Share of its core that a side has to use for its rate to say what it costs: else it waited for something."""
_SESSIONS = 5
_ROUNDS = 4
_CYCLES = 4
_TRIES = 400
_TURN_S = 0.3
_WARM_UP_PRINTS = 5000
SIDES: Mapping[str, Callable[[Service, Path], Side]] = {
    "plain": lambda service, _: Side.plain(service),
    "lean": lambda service, _: Side.lean(service),
    "judged": Side.judged,
}


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What the sides did: plain, judged, plain without cookies (lean), and a second plain one for the noise."""

    before: Turn
    judged: Turn
    lean: Turn
    after: Turn

    def __add__(self, other: "Round") -> "Round":
        return Round(
            before=self.before + other.before,
            judged=self.judged + other.judged,
            lean=self.lean + other.lean,
            after=self.after + other.after,
        )

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All of them."""
        return self.before, self.judged, self.lean, self.after

    @property
    def plain(self) -> Turn:
        """Both plain sides together."""
        return self.before + self.after


def measure_cycle(sides: Sequence[Side], measure: Callable[[Side], Turn], *, backwards: bool) -> Round:
    """One turn of each, plain ones first and last, so that a machine that gets slower favours nobody."""
    turns = [measure(side) for side in (reversed(sides) if backwards else sides)]
    before, judged, lean, after = reversed(turns) if backwards else turns
    return Round(before=before, judged=judged, lean=lean, after=after)


def busy_turn(side: Side) -> Turn:
    """A turn in which nobody else used the core; one in which somebody did is measured again."""
    for _ in range(_TRIES):
        turn = side.turn(_TURN_S)
        if turn.cpu_share >= BUSY:
            return turn
    pytest.fail(f"in {_TRIES} turns no side had {BUSY:.0%} of its core for itself: measure on a quieter machine")


def measure_round(sides: Sequence[Side]) -> Round:
    """Some cycles together, every second one backwards."""
    first, *others = [measure_cycle(sides, busy_turn, backwards=number % 2 == 1) for number in range(_CYCLES)]
    return sum(others, first)


@contextmanager
def four_sides(service: Service, directory: Path, *, warm_up_prints: int) -> Iterator[Sequence[Side]]:
    """Four fresh processes, because one differs a little from the next for as long as it lives; warm, and stopped.

    They are started one after the other, so that what the service handed out was to the one that is being warmed up.
    """
    sides = Side.plain(service), Side.judged(service, directory), Side.lean(service), Side.plain(service)
    with ExitStack() as stack:
        for side in sides:
            stack.enter_context(side)
            side.print_until(service.served + warm_up_prints)
        yield sides
    assert [side.exit_code for side in sides if side is not sides[1]] == [0, 0, 0], [side.told for side in sides]


def assert_all_judged(directory: Path) -> Verdict:
    """Every application has ended, and ended well."""
    verdict = decide(directory)
    assert {name: count for name, count in verdict.outcomes.items() if count} == {"ok": verdict.prints_judged}
    assert verdict.in_flight_at_stop == 0
    return verdict


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the service and its client need a core each")
def test_judged_rate(tmp_path: Path) -> None:
    """A core that judges makes at least 93 of the 100 prints that it would make unjudged."""
    rounds: list[Round] = []
    with Service() as service:
        for number in range(_SESSIONS):
            directory = tmp_path / f"run{number}"
            with four_sides(service, directory, warm_up_prints=_WARM_UP_PRINTS) as sides:
                rounds += [measure_round(sides) for _ in range(_ROUNDS)]
            assert_all_judged(directory)

    def spread(quantity: Callable[[Round], float]) -> Spread:
        return Spread.of([quantity(round_) for round_ in rounds])

    ratio = spread(lambda round_: round_.judged.rate / round_.plain.rate)
    print(
        f"\njudged / plain, prints/s:             {ratio:.3f}",
        f"plain / plain, the noise:             {spread(lambda round_: round_.after.rate / round_.before.rate):.3f}",
        f"judged / plain without cookies:       {spread(lambda round_: round_.judged.rate / round_.lean.rate):.3f}",
        f"plain, prints/s:                      {spread(lambda round_: round_.plain.rate):.0f}",
        f"judged, prints/s:                     {spread(lambda round_: round_.judged.rate):.0f}",
        f"plain, CPU us a print:                {spread(lambda round_: round_.plain.cpu_us):.1f}",
        f"plain without cookies, CPU us a print: {spread(lambda round_: round_.lean.cpu_us):.1f}",
        f"judged, CPU us a print:               {spread(lambda round_: round_.judged.cpu_us):.1f}",
        f"share of the core, least:              {min(turn.cpu_share for r in rounds for turn in r.turns):.3f}",
        sep="\n",
    )
    assert ratio.median >= RATIO_WANTED


def test_every_print_is_judged(tmp_path: Path) -> None:
    """Short twin: every document that the service hands out to the judged side is on record and ok."""
    with Service() as service:
        with Side.judged(service, tmp_path / "run") as judged:
            judged.print_until(3 * PERSONS)
        assert_all_judged(tmp_path / "run")
        assert decide(tmp_path / "run").prints_judged == service.served >= 3 * PERSONS
    assert judged.exit_code == 3, judged.told  # nothing was synchronised here, so it met no exposure
    prints = [record for record in SegmentReader(segment_path(tmp_path / "run", "load-1")) if isinstance(record, Print)]
    assert {print_.applicant for print_ in prints} == set(map(person_name, range(PERSONS)))
    assert {print_.size_bytes for print_ in prints} == {DOCUMENT_BYTES}


def test_judged_for_real(tmp_path: Path) -> None:
    """Short twin: two people who get each other's document are found by the very side whose speed is measured."""
    with Service("--exchanged") as service, Side.judged(service, tmp_path) as judged:
        judged.print_until(3 * PERSONS)
    verdict = decide(tmp_path)
    assert judged.exit_code == 1, judged.told
    assert {incident.recipient for incident in verdict.incidents} == {person_name(0), person_name(1)}
    assert verdict.outcomes["wrong_person"] + verdict.outcomes["ok"] == verdict.prints_judged


def test_same_bytes(tmp_path: Path) -> None:
    """Short twin: all sides send the same bytes but for numbers, and each request has a nonce of its own."""
    shapes = {}
    for name, make in SIDES.items():
        log = tmp_path / f"{name}.log"
        with Service("--log", str(log)) as service, make(service, tmp_path / name) as side:
            side.print_until(PERSONS)
        requests = log.read_bytes().split(b"\0")[:-1]
        nonces = {re.findall(rb'"nonce":"(A\d+\.1)"', request)[0] for request in requests}
        assert len(nonces) == len(requests) >= PERSONS
        shapes[name] = {re.sub(rb"\d+", b"0", request) for request in requests}
    assert shapes["plain"] == shapes["lean"] == shapes["judged"]
    assert len(shapes["plain"]) == 1


def test_no_cookies(tmp_path: Path) -> None:
    """Short twin: what a service remembers of one person never goes along with the application of the next."""
    cookies = {}
    for name, make in SIDES.items():
        log = tmp_path / f"{name}.log"
        with Service("--cookies", "--log", str(log)) as service, make(service, tmp_path / name) as side:
            side.print_until(PERSONS)
        cookies[name] = b"Cookie: person=" in log.read_bytes()
    assert cookies == {"plain": True, "lean": False, "judged": False}


def test_turns(tmp_path: Path) -> None:
    """Short twin: a cycle gives every side a turn with prints, and nobody more than the one core they have."""
    with Service() as service:
        with four_sides(service, tmp_path, warm_up_prints=50) as sides:
            handed_out = service.served
            cycles = [measure_cycle(sides, lambda side: side.turn(0.1), backwards=back) for back in (False, True)]
            cycle = cycles[0] + cycles[1]
            counted = sum(turn.prints for turn in cycle.turns)
            assert abs(service.served - handed_out - counted) <= 8 * USERS  # what is on its way when a side is stopped
        assert_all_judged(tmp_path)
    for turn in cycle.turns:
        assert turn.prints > 0
        assert turn.wall_ns >= 2e8
        assert 0 < turn.cpu_share < 1.05


def test_spread() -> None:
    """Quartiles are interpolated between the measurements."""
    assert f"{Spread.of([5.0, 1.0, 2.0, 4.0]):.2f}" == "median 3.00, quartiles 1.75 to 4.25, all 1.00 to 5.00 (n=4)"
