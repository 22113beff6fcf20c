"""Overlaps equal what comparing everything with everything gives, and exposures are never overcounted."""

import os
import random
import subprocess
import sys
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import overlap, sweep
from harness.evidence.events import Events
from harness.overlap import Exposure, exposures, exposures_from_outside, runs_met
from harness.pool import Meetings
from harness.records import PrintEvent, SyncRun
from tests.harness.overlaps import (
    Span,
    Stays,
    at,
    check,
    columns,
    events_of,
    flights,
    lasted,
    most_disjoint,
    naive_states,
    run,
    share,
    spans,
    sync_runs,
    triples,
)


@settings(deadline=None, max_examples=300)
@given(sync_runs(5), events_of(8))
def test_exposures_meet_the_definition_and_are_disjoint(runs: list[SyncRun], events: list[PrintEvent]) -> None:
    """Each exposure is one by the letter, none shares a run or a print with another, none was left out."""
    check(exposures(runs, Events.of(events)), runs, *naive_states(events))


@settings(deadline=None, max_examples=200)
@given(sync_runs(4), events_of(6))
def test_exposures_never_exceed_the_largest_disjoint_set(runs: list[SyncRun], events: list[PrintEvent]) -> None:
    """The greedy count is conservative, and finds at least one exposure where there is any."""
    largest = most_disjoint(list(triples(runs, *naive_states(events))))
    assert min(1, largest) <= len(exposures(runs, Events.of(events))) <= largest


@settings(deadline=None)
@given(sync_runs(5), events_of(8), st.randoms(use_true_random=False))
def test_exposures_do_not_depend_on_the_order_of_the_evidence(
    runs: list[SyncRun], events: list[PrintEvent], shuffler: random.Random
) -> None:
    """Joining the segments of a ledger in another order changes nothing."""
    shuffled = Events.of(shuffler.sample(events, len(events)))
    assert exposures(shuffler.sample(runs, len(runs)), shuffled) == exposures(runs, Events.of(events))


@settings(deadline=None, max_examples=300)
@given(sync_runs(5), flights, st.randoms(use_true_random=False))
def test_exposures_from_outside_obey_the_same_rules(
    runs: list[SyncRun], prints: list[Span], shuffler: random.Random
) -> None:
    """From outside a print in flight counts as either of the two; another order of the evidence changes names only."""
    stays: Stays = {row: (span, "") for row, span in enumerate(prints)}
    found = exposures_from_outside(Meetings(runs, columns(prints)))
    check(found, runs, stays, stays)
    shuffled = columns(shuffler.sample(prints, len(prints)))
    again = exposures_from_outside(Meetings(shuffler.sample(runs, len(runs)), shuffled))
    assert [(exposure.sync_run, exposure.at_ns) for exposure in again] == [
        (exposure.sync_run, exposure.at_ns) for exposure in found
    ]


@settings(deadline=None, max_examples=200)
@given(sync_runs(4), st.lists(spans, max_size=6))
def test_exposures_from_outside_never_exceed_the_largest_disjoint_set(runs: list[SyncRun], prints: list[Span]) -> None:
    """From outside too the greedy count is conservative, and finds at least one exposure where there is any."""
    stays: Stays = {row: (span, "") for row, span in enumerate(prints)}
    largest = most_disjoint([triple for triple in triples(runs, stays, stays) if triple[1] < triple[2]])
    assert min(1, largest) <= len(exposures_from_outside(Meetings(runs, columns(prints)))) <= largest


@settings(deadline=None, max_examples=200)
@given(sync_runs(5), flights, events_of(8), st.integers(1, 4))
def test_any_number_looked_at_once(
    runs: list[SyncRun], prints: list[Span], events: list[PrintEvent], at_once: int
) -> None:
    """How many arrivals are made ready at once is a matter of speed, and changes nothing that is found."""

    def found() -> tuple[list[Exposure], list[Exposure], int]:
        columns_ = columns(prints)
        return (
            exposures(runs, Events.of(events)),
            exposures_from_outside(Meetings(runs, columns_)),
            runs_met(Meetings(runs, columns_)),
        )

    before = found()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "_AT_ONCE", at_once)
        patch.setattr(overlap, "EVENTS_AT_ONCE", at_once)
        assert found() == before


def naive_runs_met(runs: list[SyncRun], prints: list[Span]) -> int:
    """Runs choose in order: the unused print in flight at their begin that leaves first, else the next to come."""
    free = list(prints)
    count = 0
    for sync_run in sorted(runs, key=lambda r: (*lasted(r), r.sync_run)):
        begin = sync_run.begin_ns
        here = [span for span in free if share(lasted(sync_run), span)]
        if here:
            free.remove(min(here, key=lambda span: (span[0] > begin, span[1] if span[0] <= begin else span)))
            count += 1
    return count


@settings(deadline=None, max_examples=400)
@given(sync_runs(5), flights, st.randoms(use_true_random=False))
def test_runs_met_counts_each_print_for_one_run(
    runs: list[SyncRun], prints: list[Span], shuffler: random.Random
) -> None:
    """As many runs met a print as choosing one after the other gives, in whatever order the evidence comes."""
    naive = naive_runs_met(runs, prints)
    assert runs_met(Meetings(runs, columns(prints))) == naive
    assert runs_met(Meetings(shuffler.sample(runs, len(runs)), columns(shuffler.sample(prints, len(prints))))) == naive
    assert naive <= sum(any(share(lasted(sync_run), span) for span in prints) for sync_run in runs)


@pytest.mark.parametrize("order", list(permutations([(5, 6), (5, 30), (5, 7)])))
def test_prints_sent_at_once(order: list[Span]) -> None:
    """Of prints sent in one nanosecond the run takes the one that leaves first, whichever row it has."""
    assert runs_met(Meetings([run("r1", 4, 9), run("r2", 5, 9), run("r3", 20, 25)], columns(order))) == 3


@pytest.mark.parametrize("order", list(permutations([(0, 1), (0, 1), (0, 9), (0, 9)])))
def test_prints_sent_at_once_from_outside(order: list[Span]) -> None:
    """Of prints sent in one nanosecond the two that leave first make the pair, so that the others stay for later."""
    assert len(exposures_from_outside(Meetings([run("r1", 0, 0), run("r2", 4, 6)], columns(order)))) == 2


@pytest.mark.parametrize("backwards", [(20, 10), (16, 15)])
def test_an_empty_interval_counts_nowhere(backwards: Span) -> None:
    """A print of which no instant in flight is certain, sent after it was answered by the clocks, meets nothing."""
    prints = columns([(0, 30), backwards])
    runs = [run("r1", 0, 50), run("r2", 0, 50)]
    assert exposures_from_outside(Meetings(runs, prints)) == []
    assert runs_met(Meetings(runs, prints)) == 1


A = at("a", waiting=0, staged=10, written=12, read=20)
B = at("b", waiting=11, staged=21, written=22, read=30)
C = at("c", waiting=13, staged=31, written=32, read=40)
D = at("d", waiting=14, staged=41, written=42, read=50)

TABLE = [
    ("one print in the stage, another waiting, inside a sync run: the trigger condition, once",
     [run("r", 15, 16)], A + B, [("r", "a", "b")]),
    ("a kiosk alone scores none", [run("r", 0, 100)], A, []),
    ("a kiosk alone scores none, however often it prints", [run("r", 0, 100)], A + at("e", waiting=25, staged=26), []),
    ("a print that leaves the wait and is in the stage in one nanosecond is not its own neighbour",
     [run("r", 0, 100)], at("a", waiting=5, staged=5, written=5, read=5), []),
    ("each of two prints meets the run, but not the other print",
     [run("r", 0, 100)], A + at("b", waiting=21, staged=22, written=23, read=30), []),
    ("two prints wait, and nobody is in the stage", [run("r", 0, 5)], at("a", waiting=0) + at("b", waiting=1), []),
    ("two prints in the stage, and nobody waits",
     [run("r", 0, 9)], at("a", written=1, read=9) + at("b", written=2, read=9), []),
    ("the other print waits for another slot",
     [run("r", 0, 100)], A + at("b", "other", waiting=11, staged=21, written=22, read=30), []),
    ("the pair met, but before the sync run", [run("r", 21, 100)], A + B, []),
    ("the pair met, but after the sync run", [run("r", 0, 11)], A + B, []),
    ("the sync run begins in the nanosecond of `read`: closed", [run("r", 20, 100)], A + B, [("r", "a", "b")]),
    ("the sync run ends in the nanosecond of `written`: closed", [run("r", 0, 12)], A + B, [("r", "a", "b")]),
    ("the wait begins in the nanosecond of `read`: closed",
     [run("r", 0, 100)], A + at("b", waiting=20, staged=21), [("r", "a", "b")]),
    ("the wait ends in the nanosecond of `written`: closed",
     [run("r", 0, 100)], A + at("b", waiting=9, staged=12), [("r", "a", "b")]),
    ("two runs over one pair are one exposure", [run("r1", 13, 14), run("r2", 15, 16)], A + B, [("r1", "a", "b")]),
    ("the earlier run has the choice, and equal begins are decided by the name",
     [run("r2", 13, 14), run("r1", 13, 14)], A + B, [("r1", "a", "b")]),
    ("one run over two pairs is one exposure", [run("r", 0, 100)], A + B + C + D, [("r", "a", "b")]),
    ("two runs over two pairs are two exposures; of two waiting prints the one that leaves first is taken",
     [run("r1", 15, 16), run("r2", 35, 36)], A + B + C + D, [("r1", "a", "b"), ("r2", "c", "d")]),
    ("two pairs at one slot and one instant serve two runs",
     [run("r1", 15, 16), run("r2", 15, 16)], A + at("c", written=12, read=21) + B + D,
     [("r1", "a", "b"), ("r2", "c", "d")]),
    ("points out of order are no interval",
     [run("r", 0, 100)], at("a", written=20, read=12) + at("b", waiting=11, staged=30), []),
    ("three prints are no two pairs", [run("r1", 15, 16), run("r2", 25, 26)], A + B + C, [("r1", "a", "b")]),
    ("three common instants two by two are no instant common to all three",
     [SyncRun(sync_run="r", applied=(), begin_ns=18, end_ns=30)], A + at("b", waiting=2, staged=15), []),
    ("a run without any end counts at its begin", [run("r", 15, None)], A + B, [("r", "a", "b")]),
    ("a run without any end does not last", [run("r", 5, None)], A + B, []),
    ("a run that was cut off lasts until its last point of work",
     [SyncRun(sync_run="r", applied=(), begin_ns=1, applied_ns=9, released_ns=12)], A + B, [("r", "a", "b")]),
    ("the acknowledgement does not make a run longer",
     [SyncRun(sync_run="r", applied=(), begin_ns=1, applied_ns=9, acknowledged_ns=15)], A + B, []),
    ("nobody saw the print leave the stage",
     [run("r", 0, 100)], at("a", waiting=0, staged=10, written=12) + B[:1], []),
    ("a print that was never staged waits until it gives up",
     [run("r", 15, 16)], A + at("b", waiting=11, failed=15), [("r", "a", "b")]),
    ("a print that gave up waits no longer", [run("r", 15, 16)], A + at("b", waiting=11, failed=14), []),
    ("a print of which nothing more is known waited at that instant only", [run("r", 15, 16)], A + B[:1], []),
    ("a repeated `waiting` shortens the wait",
     [run("r", 15, 16)], A + at("b", waiting=11, staged=30) + at("b", waiting=17), []),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "runs", "events", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_table(rule: str, runs: list[SyncRun], events: list[PrintEvent], expected: list[tuple[str, str, str]]) -> None:
    """The sentence of the row holds for every order of its evidence."""
    number_of = Events.of(events).number_of
    numbers = [(sync_run, number_of(staged), number_of(waiting)) for sync_run, staged, waiting in expected]
    for order in permutations(runs):
        found = [(e.sync_run, e.staged, e.waiting) for e in exposures(order, Events.of(events[::-1]))]
        assert found == numbers, rule


def test_outside_two_flights_that_do_not_meet_score_none() -> None:
    """Two prints that meet the sync run one after the other are no exposure, though a count of pairs would say two."""
    assert exposures_from_outside(Meetings([run("r", 0, 100)], columns([(1, 10), (11, 20)]))) == []
    assert exposures_from_outside(Meetings([run("r", 0, 100)], columns([(1, 10)]))) == []


def test_outside_touching_at_one_nanosecond_counts() -> None:
    """Closed intervals: answered in the nanosecond in which the other is sent is in flight together."""
    (found,) = exposures_from_outside(Meetings([run("r", 10, 10)], columns([(1, 10), (10, 20)])))
    assert (found.sync_run, found.at_ns, {found.staged, found.waiting}) == ("r", 10, {0, 1})


def crowd(slots: int) -> tuple[list[SyncRun], list[PrintEvent]]:
    """Each slot with two pairs of prints at the same instants, and as many sync runs as pairs."""
    events = []
    for slot in range(slots):
        for number in range(2):
            events += at(f"s{slot}-{number}.1", f"slot {slot}", written=10, read=20)
            events += at(f"w{slot}-{number}.1", f"slot {slot}", waiting=10, staged=20)
    return [run(f"r{number}", 5, 15) for number in range(2 * slots)], events


def test_many_slots() -> None:
    """In each of a thousand slots the pairs are found among their own, and none is left over."""
    runs, events = crowd(1_000)
    columns_ = Events.of(events)
    names = {columns_.number_of(event.nonce): event.nonce for event in events}
    found = exposures(runs, columns_)
    assert len(found) == len(runs)
    slots = [tuple(names[number].split("-")[0] for number in (one.staged, one.waiting)) for one in found]
    assert all(staged[1:] == waiting[1:] for staged, waiting in slots)


def test_many_to_choose_from() -> None:
    """Of a hundred thousand sync runs and prints at once each run gets its pair."""
    runs = [run(f"r{number}", number * 10, number * 10 + 9) for number in range(100_000)]
    flights_at_once = [(number * 10 + part, number * 10 + 5) for number in range(100_000) for part in (1, 2)]
    assert len(exposures_from_outside(Meetings(runs, columns(flights_at_once)))) == len(runs)
    assert runs_met(Meetings(runs, columns(flights_at_once))) == len(runs)


def told() -> list[str]:
    """What is found in a crowd of ties, letter by letter."""
    runs, events = crowd(7)
    return [f"{one.sync_run} {one.at_ns} {one.staged} {one.waiting}" for one in exposures(runs[:9], Events.of(events))]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_in_another_process(seed: str) -> None:
    """Whoever decides again in a process of his own finds the same exposures, however that process hashes its texts."""
    program = "from tests.harness.test_overlap import told; print('\\n'.join(told()))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split("\n")[:-1] == told()
