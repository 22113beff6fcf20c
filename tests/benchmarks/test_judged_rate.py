"""What judging costs: judged prints per second against Locust alone, on a service that hands out 60 KB documents."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from harness.gate import Verdict, decide
from harness.ledger import SegmentReader, segment_path
from harness.records import Print
from tests.benchmarks.sides import USERS, Service, Side, Turn
from tests.benchmarks.spread import Spread
from tests.benchmarks.static_service import DOCUMENT_BYTES, PERSONS, person_name

RATIO_WANTED = 0.90
BUSY = 0.95
"""Share of its core that a side has to use for its rate to say what it costs: else it waited for something."""
_SESSIONS = 5
_ROUNDS = 4
_CYCLES = 4
_TRIES = 10
_TURN_S = 0.4
_WARM_UP_PRINTS = 5000


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What the two plain sides and the judged one between them did."""

    before: Turn
    judged: Turn
    after: Turn

    def __add__(self, other: "Round") -> "Round":
        return Round(
            before=self.before + other.before, judged=self.judged + other.judged, after=self.after + other.after
        )

    @property
    def turns(self) -> tuple[Turn, Turn, Turn]:
        """All three."""
        return self.before, self.judged, self.after

    @property
    def plain(self) -> Turn:
        """Both plain sides together."""
        return self.before + self.after

    @property
    def is_busy(self) -> bool:
        """Whether nobody but the measured process used its core."""
        return min(turn.cpu_share for turn in self.turns) >= BUSY


def measure_cycle(sides: Sequence[Side], seconds: float, *, backwards: bool) -> Round:
    """One turn of each, judged in the middle, so that a machine that gets slower favours nobody."""
    first, judged, last = reversed(sides) if backwards else sides
    turns = first.turn(seconds), judged.turn(seconds), last.turn(seconds)
    before, middle, after = reversed(turns) if backwards else turns
    return Round(before=before, judged=middle, after=after)


def measure_round(sides: Sequence[Side]) -> Round:
    """Some cycles together; a cycle in which somebody else took the core is measured again."""
    valid: list[Round] = []
    for number in range(_CYCLES * _TRIES):
        cycle = measure_cycle(sides, _TURN_S, backwards=number % 2 == 1)
        if cycle.is_busy:
            valid.append(cycle)
        if len(valid) == _CYCLES:
            return sum(valid[1:], valid[0])
    pytest.fail(
        f"{len(valid)} of {_CYCLES * _TRIES} cycles had their core {BUSY:.0%} for themselves: measure again on a quieter machine"
    )


def measure_session(service: Service, directory: Path, rounds: int) -> list[Round]:
    """Rounds with three fresh processes, because two processes of one program differ a little for as long as they live."""
    with Side.plain(service) as before, Side.judged(service, directory) as judged, Side.plain(service) as after:
        sides = (before, judged, after)
        for side in sides:
            side.print_until(service.served + _WARM_UP_PRINTS)
        return [measure_round(sides) for _ in range(rounds)]


def assert_all_judged(directory: Path) -> Verdict:
    """Every application has ended, and ended well."""
    verdict = decide(directory)
    assert {name: count for name, count in verdict.outcomes.items() if count} == {"ok": verdict.prints_judged}
    assert verdict.in_flight_at_stop == 0
    return verdict


@pytest.mark.bench
@pytest.mark.timeout(900)
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the service and its client need a core each")
def test_judged_rate(tmp_path: Path) -> None:
    """A core that judges makes at least nine tenths of the prints that it would make unjudged."""
    rounds: list[Round] = []
    with Service() as service:
        for number in range(_SESSIONS):
            directory = tmp_path / f"run{number}"
            rounds += measure_session(service, directory, _ROUNDS)
            assert_all_judged(directory)
    ratio = Spread.of([round_.judged.rate / round_.plain.rate for round_ in rounds])
    print(
        f"\njudged / plain prints per second: {ratio:.3f}",
        f"plain / plain (noise): {Spread.of([round_.after.rate / round_.before.rate for round_ in rounds]):.3f}",
        f"plain, prints/s: {Spread.of([round_.plain.rate for round_ in rounds]):.0f}",
        f"judged, prints/s: {Spread.of([round_.judged.rate for round_ in rounds]):.0f}",
        f"plain, CPU us a print: {Spread.of([round_.plain.cpu_us for round_ in rounds]):.1f}",
        f"judged, CPU us a print: {Spread.of([round_.judged.cpu_us for round_ in rounds]):.1f}",
        f"judging, CPU us a print: {Spread.of([round_.judged.cpu_us - round_.plain.cpu_us for round_ in rounds]):.1f}",
        f"share of its core: {Spread.of([turn.cpu_share for round_ in rounds for turn in round_.turns]):.3f}",
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
    """Short twin: both sides send the same bytes but for numbers, and each request has a nonce of its own."""
    shapes = []
    for name in ("plain", "judged"):
        log = tmp_path / f"{name}.log"
        with Service("--log", str(log)) as service:
            side = Side.plain(service) if name == "plain" else Side.judged(service, tmp_path / "run")
            with side:
                side.print_until(PERSONS)
        requests = log.read_bytes().split(b"\0")[:-1]
        nonces = {re.findall(rb'"nonce":"(A\d+\.1)"', request)[0] for request in requests}
        assert len(nonces) == len(requests) >= PERSONS
        shapes.append({re.sub(rb"\d+", b"0", request) for request in requests})
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == 1


def test_turns(tmp_path: Path) -> None:
    """Short twin: a cycle gives every side a turn with prints, and nobody more than the one core they have."""
    with Service() as service:
        with Side.plain(service) as before, Side.judged(service, tmp_path) as judged, Side.plain(service) as after:
            sides = (before, judged, after)
            for side in sides:
                side.print_until(service.served + 50)
            handed_out = service.served
            cycle = measure_cycle(sides, 0.1, backwards=False) + measure_cycle(sides, 0.1, backwards=True)
            counted = sum(turn.prints for turn in cycle.turns)
            assert abs(service.served - handed_out - counted) <= 6 * USERS  # what is on its way when a side is stopped
        assert_all_judged(tmp_path)
    assert before.exit_code == after.exit_code == 0, before.told
    for turn in cycle.turns:
        assert turn.prints > 0
        assert turn.wall_ns >= 2e8
        assert 0 < turn.cpu_share < 1.05


def test_spread() -> None:
    """Quartiles are interpolated between the measurements."""
    assert f"{Spread.of([5.0, 1.0, 2.0, 4.0]):.2f}" == "median 3.00, quartiles 1.75 to 4.25, all 1.00 to 5.00 (n=4)"
