"""Overlaps equal what comparing everything with everything gives, and exposures are never overcounted."""

import random
from collections.abc import Iterator
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.overlap import Exposure, InFlight, exposures, exposures_from_outside, met, neighbours, runs_met
from harness.records import Print, PrintEvent, SyncRun

Interval = tuple[int, int]
Stays = dict[str, tuple[Interval, str]]
"""Nonce -> (closed interval, slot)."""


def run(name: str, begin_ns: int, end_ns: int | None) -> SyncRun:
    """A sync run that applied nothing of interest."""
    return SyncRun(sync_run=name, applied=(), begin_ns=begin_ns, end_ns=end_ns)


def flight(name: str, sent_ns: int, answered_ns: int) -> Print:
    """A print in flight; its nonce is `name.1`."""
    return Print(application=name, applicant="p", group="g", kind="k", sent_ns=sent_ns, answered_ns=answered_ns)


def at(nonce: str, slot: str = "s", **points: int) -> list[PrintEvent]:
    """The events of one print, point by point."""
    return [PrintEvent(nonce=nonce, point=point, at_ns=at_ns, slot=slot) for point, at_ns in points.items()]


# The naive versions read the definitions word for word.


def lasted(sync_run: SyncRun) -> Interval:
    """The closed interval of a sync run."""
    known = [t for t in (sync_run.applied_ns, sync_run.released_ns, sync_run.end_ns) if t is not None]
    return sync_run.begin_ns, max([sync_run.begin_ns, *known])


def share(*intervals: Interval) -> bool:
    """Whether closed intervals have an instant in common."""
    return max(begin for begin, _ in intervals) <= min(end for _, end in intervals)


def naive_states(events: list[PrintEvent]) -> tuple[Stays, Stays]:
    """Every print's time in the stage and its wait, by the intersection of all readings of its points."""
    stages: Stays = {}
    waits: Stays = {}
    for nonce in {event.nonce for event in events}:
        own = sorted((e for e in events if e.nonce == nonce), key=lambda e: (e.at_ns, e.slot))
        of = {point: [e for e in own if e.point == point] for point in ("waiting", "staged", "written", "read")}
        if of["written"] and of["read"]:
            stages[nonce] = (of["written"][-1].at_ns, of["read"][0].at_ns), of["written"][-1].slot
        if of["waiting"]:
            last = of["waiting"][-1]
            after = [e for e in own if e.point != "waiting" and e.at_ns >= last.at_ns]
            end = (of["staged"] or after or [last])[0].at_ns
            waits[nonce] = (last.at_ns, end), last.slot
    return stages, waits


def triples(runs: list[SyncRun], stages: Stays, waits: Stays) -> Iterator[tuple[str, str, str]]:
    """All (sync run, print in the stage, print waiting) that meet the definition, disjoint or not."""
    for sync_run in runs:
        for staged, (stage, stage_slot) in stages.items():
            for waiting, (wait, wait_slot) in waits.items():
                if staged != waiting and stage_slot == wait_slot and share(lasted(sync_run), stage, wait):
                    yield sync_run.sync_run, staged, waiting


def most_disjoint(candidates: list[tuple[str, str, str]]) -> int:
    """The largest number of triples that share no sync run and no print, by trying all."""
    if not candidates:
        return 0
    (sync_run, *pair), rest = candidates[0], candidates[1:]
    apart = [t for t in rest if t[0] != sync_run and not set(pair) & set(t[1:])]
    return max(1 + most_disjoint(apart), most_disjoint(rest)) if len(apart) < len(rest) else 1 + most_disjoint(rest)


def check(found: list[Exposure], runs: list[SyncRun], stages: Stays, waits: Stays) -> None:
    """Definition, disjointness, and that no exposure could be added."""
    lasting = {sync_run.sync_run: lasted(sync_run) for sync_run in runs}
    for exposure in found:
        stage, stage_slot = stages[exposure.staged]
        wait, wait_slot = waits[exposure.waiting]
        instant = (exposure.at_ns, exposure.at_ns)
        assert exposure.staged != exposure.waiting
        assert stage_slot == wait_slot
        assert share(lasting[exposure.sync_run], stage, wait, instant)
    used_runs = [exposure.sync_run for exposure in found]
    used_prints = [nonce for exposure in found for nonce in (exposure.staged, exposure.waiting)]
    assert len(used_runs) == len(set(used_runs))
    assert len(used_prints) == len(set(used_prints))
    for sync_run, staged, waiting in triples(runs, stages, waits):
        assert sync_run in used_runs or staged in used_prints or waiting in used_prints


TIMES = st.integers(0, 25)


@st.composite
def sync_runs(draw: st.DrawFn, most: int) -> list[SyncRun]:
    """Sync runs with any of their points missing."""
    found = []
    for number in range(draw(st.integers(0, most))):
        begin = draw(TIMES)
        later = st.none() | st.integers(begin, begin + 12)
        found.append(
            SyncRun(
                sync_run=f"r{number}",
                applied=(),
                begin_ns=begin,
                applied_ns=draw(later),
                released_ns=draw(later),
                acknowledged_ns=draw(later),
                end_ns=draw(later),
            )
        )
    return found


@st.composite
def flights(draw: st.DrawFn, most: int) -> list[Print]:
    """Prints in flight, some of them for very long."""
    spans = st.tuples(TIMES, st.integers(0, 8) | st.integers(0, 1_000))
    spans_drawn = draw(st.lists(spans, max_size=most))
    return [flight(f"p{number}", sent, sent + lasting) for number, (sent, lasting) in enumerate(spans_drawn)]


@st.composite
def events_of(draw: st.DrawFn, most: int) -> list[PrintEvent]:
    """Mostly orderly prints, and some whose points are missing, repeated, foreign or out of order."""
    found: list[PrintEvent] = []
    points = st.sampled_from(["waiting", "staged", "written", "read", "failed"])
    for number in range(draw(st.integers(0, most))):
        slot = draw(st.sampled_from(["s", "s", "s", "other", ""]))
        if draw(st.integers(0, 3)):
            times = sorted(draw(st.lists(TIMES, min_size=4, max_size=4)))
            found += at(f"p{number}", slot, **dict(zip(("waiting", "staged", "written", "read"), times, strict=True)))
        for point, at_ns in draw(st.lists(st.tuples(points, TIMES), max_size=2)):
            found += at(f"p{number}", slot, **{point: at_ns})
    return found


@settings(deadline=None, max_examples=300)
@given(sync_runs(5), events_of(8))
def test_exposures_meet_the_definition_and_are_disjoint(runs: list[SyncRun], events: list[PrintEvent]) -> None:
    """Each exposure is one by the letter, none shares a run or a print with another, none was left out."""
    check(exposures(runs, events), runs, *naive_states(events))


@settings(deadline=None, max_examples=200)
@given(sync_runs(4), events_of(6))
def test_exposures_never_exceed_the_largest_disjoint_set(runs: list[SyncRun], events: list[PrintEvent]) -> None:
    """The greedy count is conservative, and finds at least one exposure where there is any."""
    largest = most_disjoint(list(triples(runs, *naive_states(events))))
    assert min(1, largest) <= len(exposures(runs, events)) <= largest


@settings(deadline=None)
@given(sync_runs(5), events_of(8), st.randoms(use_true_random=False))
def test_exposures_do_not_depend_on_the_order_of_the_evidence(
    runs: list[SyncRun], events: list[PrintEvent], shuffler: random.Random
) -> None:
    """Joining the segments of a ledger in another order changes nothing."""
    assert exposures(shuffler.sample(runs, len(runs)), shuffler.sample(events, len(events))) == exposures(runs, events)


@settings(deadline=None, max_examples=200)
@given(sync_runs(5), flights(8), st.randoms(use_true_random=False))
def test_exposures_from_outside_obey_the_same_rules(
    runs: list[SyncRun], prints: list[Print], shuffler: random.Random
) -> None:
    """From outside a print in flight counts as either of the two; everything else stays as it is from inside."""
    stays: Stays = {p.nonce: ((p.sent_ns, p.answered_ns), "") for p in prints}
    found = exposures_from_outside(runs, prints)
    check(found, runs, stays, stays)
    assert found == exposures_from_outside(shuffler.sample(runs, len(runs)), shuffler.sample(prints, len(prints)))


@settings(deadline=None, max_examples=200)
@given(sync_runs(6), flights(12))
def test_met_equals_comparing_all_with_all(runs: list[SyncRun], prints: list[Print]) -> None:
    """A sync run met exactly the prints whose closed interval touches its own."""
    in_order = sorted(prints, key=lambda p: (p.sent_ns, p.nonce))
    naive = {r.sync_run: [p.nonce for p in in_order if share(lasted(r), (p.sent_ns, p.answered_ns))] for r in runs}
    assert met(runs, prints) == {sync_run: nonces for sync_run, nonces in naive.items() if nonces}


@settings(deadline=None, max_examples=200)
@given(flights(15))
def test_neighbours_equal_comparing_all_with_all(prints: list[Print]) -> None:
    """The neighbours of a print are all others that share an instant with it, however long they hung."""
    index = InFlight(reversed(prints))
    for print_ in prints:
        own = (print_.sent_ns, print_.answered_ns)
        naive = [p for p in prints if p is not print_ and share(own, (p.sent_ns, p.answered_ns))]
        assert neighbours(print_, index) == sorted(naive, key=lambda p: (p.sent_ns, p.nonce))


@settings(deadline=None, max_examples=200)
@given(sync_runs(5), flights(6))
def test_runs_met_counts_each_print_for_one_run(runs: list[SyncRun], prints: list[Print]) -> None:
    """Runs choose in order: the unused print in flight at their begin that leaves first, else the next to come."""
    free = list(prints)
    naive = 0
    for sync_run in sorted(runs, key=lambda r: (r.begin_ns, r.sync_run)):
        begin, end = lasted(sync_run)
        here = [p for p in free if share((begin, end), (p.sent_ns, p.answered_ns))]
        if here:
            free.remove(
                min(here, key=lambda p: (p.sent_ns > begin, p.answered_ns if p.sent_ns <= begin else p.sent_ns))
            )
            naive += 1
    assert runs_met(reversed(runs), reversed(prints)) == naive
    assert naive <= min(len(prints), len(met(runs, prints)))


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
    for order in permutations(runs):
        found = [(e.sync_run, e.staged, e.waiting) for e in exposures(order, events[::-1])]
        assert found == expected, rule


def test_outside_two_flights_that_do_not_meet_score_none() -> None:
    """Two prints that meet the sync run one after the other are no exposure, though a count of pairs would say two."""
    assert exposures_from_outside([run("r", 0, 100)], [flight("a", 1, 10), flight("b", 11, 20)]) == []
    assert exposures_from_outside([run("r", 0, 100)], [flight("a", 1, 10)]) == []


def test_outside_touching_at_one_nanosecond_counts() -> None:
    """Closed intervals: answered in the nanosecond in which the other is sent is in flight together."""
    (found,) = exposures_from_outside([run("r", 10, 10)], [flight("a", 1, 10), flight("b", 10, 20)])
    assert (found.sync_run, found.at_ns, {found.staged, found.waiting}) == ("r", 10, {"a.1", "b.1"})


def test_attempts_of_one_application_are_different_prints() -> None:
    """A re-application sent while the first attempt is still in flight is its neighbour, not itself."""
    first = flight("a", 0, 10)
    again = Print(application="a", attempt=2, applicant="p", group="g", kind="k", sent_ns=5, answered_ns=9)
    assert neighbours(first, InFlight([first, again])) == [again]
