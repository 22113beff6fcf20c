"""While a run goes on pairs of prints in flight are counted, never more than in the end."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.prints import Interval
from harness.live import flights, progress_in_flight
from harness.live.flights import Flights
from harness.live.progress_in_flight import InFlightProgress
from harness.overlap import exposures_in_flight

MS = 1_000_000
S = 1000 * MS
Prints = Sequence[tuple[int, int]]
"""(sent_ns, answered_ns) of each, in the order in which they were answered."""


def pairs_of(prints: Prints) -> int:
    """What the gate says of these."""
    sent_ns, answered_ns = np.array(prints, dtype=np.int64).reshape(-1, 2).T
    return len(exposures_in_flight(Interval(sent_ns, answered_ns)))


def pull(progress: InFlightProgress, prints: Prints, after_ns: int, now_ns: int) -> None:
    """What became known after one instant, until another."""
    ended = [at_ns for one in prints if after_ns < one[1] <= now_ns for at_ns in one]
    progress.add(Flights(now_ns, sum(sent_ns <= now_ns for sent_ns, _ in prints), ended))


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_ordinary_histories(seed: int) -> None:
    """However a history is cut into pulls, the number grows to that of the gate and is never above it."""
    random = Random(seed)
    prints = []
    for number in range(random.randint(0, 80)):
        sent_ns = random.randint(0, 2500) * MS + number
        length_ns = random.randint(0, 120) if random.random() < 0.98 else random.randint(0, 3000)
        prints.append((sent_ns, sent_ns + length_ns * MS))
    prints.sort(key=lambda one: one[1])
    in_the_end = pairs_of(prints)
    progress = InFlightProgress()
    before = 0
    pulls = sorted(random.randint(0, 6 * S) for _ in range(random.randint(0, 20)))
    for after_ns, now_ns in zip([-1, *pulls], [*pulls, 10 * S], strict=True):
        pull(progress, prints, after_ns, now_ns)
        assert progress.exposures is not None
        whole = pairs_of([one for one in prints if one[0] <= now_ns])
        assert before <= progress.exposures <= whole <= in_the_end
        before = progress.exposures
    assert progress.exposures == in_the_end


def test_prints_under_way_are_waited_for() -> None:
    """Two prints count when nothing is under way any more that was sent before both had ended."""
    prints = [(1 * S + 1, 2 * S - 1), (1 * S + 2, 2 * S - 2), (1 * S, 4 * S - 1)]
    prints.sort(key=lambda one: one[1])
    progress = InFlightProgress()
    told = []
    for now_ns in range(1, 6):
        pull(progress, prints, (now_ns - 1) * S, now_ns * S)
        told.append(progress.exposures)
    assert told == [0, 0, 0, 1, 1]


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what may still count is kept; where prints hang for ever, nothing is known any more after some time."""
    progress = InFlightProgress()
    for second in range(1, 100):
        ended = [at_ns for number in range(100) for at_ns in (second * S + number, second * S + number + MS)]
        progress.add(Flights((second + 1) * S - 1, second * 100, ended))
        assert progress._number == 0
        assert not progress._pairs._there
    assert progress.exposures == 99 * 50
    monkeypatch.setattr(progress_in_flight, "_PRINTS_AT_MOST", 1000)
    for second in range(100, 111):
        ended = [at_ns for number in range(100) for at_ns in (second * S + number, second * S + number + MS)]
        progress.add(Flights((second + 1) * S - 1, second * 100 + 1, ended))
    assert progress.exposures is None
    assert not progress._later


def test_one_print_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where hardly anything else is printed, nobody waits for ever for a print that does not end."""
    monkeypatch.setattr(flights, "_MARKS_AT_MOST", 10)
    progress = InFlightProgress()
    known = []
    for second in range(1, 13):
        progress.add(Flights(second * S, 1, ()))
        known.append(progress.exposures)
    assert known == [0] * 10 + [None] * 2
