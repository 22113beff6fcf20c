"""While a run goes on the exposures of a service that shows only its outside are told, never more than in the end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.live.progress_outside
from harness.coverage import Cell, cells_from_outside
from harness.evidence.prints import Interval
from harness.live.flights import Flights
from harness.live.progress_outside import OutsideProgress
from harness.overlap import exposures_from_outside
from harness.pool import Meetings
from harness.records import SyncRun
from tests.harness.builders import sync_run

MS = 1_000_000
S = 1000 * MS


class History(NamedTuple):
    """Sync runs and prints; a print is (sent_ns, answered_ns)."""

    runs: Sequence[SyncRun]
    prints: Sequence[tuple[int, int]]

    def final(self) -> tuple[int, Mapping[Cell, int]]:
        """What the gate says of the whole."""
        sent_ns, answered_ns = np.array(self.prints, dtype=np.int64).reshape(-1, 2).T
        hit = cells_from_outside(self.runs, sent_ns=sent_ns, answered_ns=answered_ns)
        found = exposures_from_outside(Meetings(self.runs, Interval(sent_ns, answered_ns)))
        return len(found), {cell: len(of_cell) for cell, of_cell in hit.items()}

    def pull(self, progress: OutsideProgress, after_ns: int, now_ns: int) -> None:
        """What became known after one instant, until another."""
        ended = [one for one in self.prints if after_ns < one[1] <= now_ns]
        issued = sum(sent_ns <= now_ns for sent_ns, _ in self.prints)
        runs = [run for run in self.runs if after_ns < run.work_end_ns <= now_ns]
        progress.add(runs, Flights(now_ns, issued, [at_ns for one in ended for at_ns in one]))


def ordinary(random: Random) -> History:
    """Sync runs one after the other, and prints of which one in fifty hangs."""
    runs, at_ns = [], 0
    for number in range(random.randint(0, 40)):
        begin_ns = at_ns + random.randint(1, 40) * MS
        at_ns = begin_ns + random.randint(0, 60) * MS
        runs.append(sync_run(f"S{number}", begin_ns, at_ns))
    prints = []
    for number in range(random.randint(0, 80)):
        sent_ns = random.randint(0, 2500) * MS + number
        length_ns = random.randint(0, 120) if random.random() < 0.98 else random.randint(0, 3000)
        prints.append((sent_ns, sent_ns + length_ns * MS))
    return History(runs, sorted(prints, key=lambda one: one[1]))


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_ordinary_histories(seed: int) -> None:
    """However a history is cut into pulls, its numbers grow to those of the gate and are never above them."""
    random = Random(seed)
    history = ordinary(random)
    in_the_end, cells_in_the_end = history.final()
    progress = OutsideProgress()
    before = 0
    pulls = sorted(random.randint(0, 6 * S) for _ in range(random.randint(0, 20)))
    for after_ns, now_ns in zip([-1, *pulls], [*pulls, 10 * S], strict=True):
        history.pull(progress, after_ns, now_ns)
        assert progress.exposures is not None
        assert before <= progress.exposures <= in_the_end
        assert progress.cells is not None
        assert progress.cells <= Counter(cells_in_the_end)
        before = progress.exposures
    assert progress.exposures == in_the_end
    assert progress.cells == cells_in_the_end
    assert progress.runs.number == len(history.runs)


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_sync_runs_beside_one_another(seed: int) -> None:
    """Where a sync run is told after one that chose later, no number is above that of the gate, or there is none."""
    random = Random(seed)
    history = ordinary(random)
    runs = [sync_run(run.sync_run, run.begin_ns, run.begin_ns + random.randint(0, 300) * MS) for run in history.runs]
    history = history._replace(runs=sorted(runs, key=lambda run: run.work_end_ns))
    in_the_end, cells_in_the_end = history.final()
    progress = OutsideProgress()
    pulls = sorted(random.randint(0, 6 * S) for _ in range(random.randint(0, 20)))
    for after_ns, now_ns in zip([-1, *pulls], [*pulls, 10 * S], strict=True):
        history.pull(progress, after_ns, now_ns)
    assert progress.exposures is None or progress.exposures <= in_the_end
    assert progress.cells is None or progress.cells <= Counter(cells_in_the_end)


def seen(progress: OutsideProgress) -> tuple[int | None, Mapping[Cell, int] | None]:
    """Exposures and cells so far."""
    return progress.exposures, progress.cells


TWO_AT_ONCE = [(1 * S, 3 * S), (1 * S + 1, 2 * S)]


def test_prints_under_way_are_waited_for() -> None:
    """A sync run is looked at when every print that was sent before its end has ended, and then once."""
    history = History([sync_run("S1", 1500 * MS, 1600 * MS)], TWO_AT_ONCE)
    progress = OutsideProgress()
    told = []
    for now_ns in range(1, 7):
        history.pull(progress, (now_ns - 1) * S, now_ns * S)
        told.append((progress.runs.number, progress.exposures))
    assert told == [(0, 0), (1, 0), (1, 1), (1, 1), (1, 1), (1, 1)]


def test_sync_run_that_cannot_be_placed() -> None:
    """It is neither counted nor does it make anything unknown."""
    progress = OutsideProgress()
    flights = [at_ns for _ in range(2) for at_ns in (1 * MS, 9 * MS)]
    runs = [msgspec.structs.replace(sync_run(begin_ns=3 * MS, end_ns=5 * MS), is_unplaced=True)]
    progress.add(runs, Flights(20 * MS, 2, flights))
    progress.add([], Flights(40 * MS, 2, []))
    assert seen(progress) == (0, {})


def test_sync_run_that_is_told_too_late() -> None:
    """A sync run that began before one that was looked at leaves nobody knowing what the two had taken together."""
    late = sync_run("S0", 1400 * MS, 4 * S)
    history = History([sync_run("S1", 1500 * MS, 1600 * MS), late], TWO_AT_ONCE)
    progress = OutsideProgress()
    for now_ns in range(1, 6):
        history.pull(progress, (now_ns - 1) * S, now_ns * S)
    assert seen(progress) == (None, None)
    assert progress.runs.number == 2


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is recent is kept; where prints hang for ever, nothing is known any more after some time."""
    progress = OutsideProgress()
    for second in range(1, 200):
        ended = [at_ns for number in range(100) for at_ns in (second * S + number, second * S + number + MS)]
        run = sync_run(f"S{second}", second * S, second * S + 2 * MS)
        progress.add([run], Flights((second + 1) * S - 1, second * 100, ended))
        assert progress._flights <= 300
    assert seen(progress)[0] == 199
    monkeypatch.setattr(harness.live.progress_outside, "_FLIGHTS_AT_MOST", 1000)
    for second in range(200, 211):
        ended = [at_ns for number in range(100) for at_ns in (second * S + number, second * S + number + MS)]
        progress.add([], Flights((second + 1) * S - 1, second * 100 + 1, ended))
    assert seen(progress) == (None, None)
    assert progress._flights == 0


def test_sync_run_of_a_print() -> None:
    """The sync run of a misissuance is the last one that began before its answer and met it."""
    progress = OutsideProgress()
    progress.add([sync_run("S1", 1, 5), sync_run("S2", 7, 9), sync_run("S3", 20, 30)], Flights(40, 0, []))
    assert progress.sync_run_of("A1.1", 4, 10) == "S2"
    assert progress.sync_run_of("A1.1", 4, 6) == "S1"
    assert progress.sync_run_of("A1.1", 10, 19) is None
