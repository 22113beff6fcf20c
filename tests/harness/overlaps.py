"""Sync runs and prints of every shape, and what the definition of an exposure says of them, read word for word."""

from collections.abc import Iterator, Sequence

import numpy as np
from hypothesis import strategies as st

from harness.evidence.events import Events
from harness.evidence.prints import Interval
from harness.overlap import Exposure
from harness.records import PrintEvent, SyncRun

Span = tuple[int, int]
"""A closed interval."""
Stays = dict[int, tuple[Span, str]]
"""Number of the print -> (closed interval, slot)."""


def run(name: str, begin_ns: int, end_ns: int | None) -> SyncRun:
    """A sync run that applied nothing of interest."""
    return SyncRun(sync_run=name, applied=(), begin_ns=begin_ns, end_ns=end_ns)


def columns(flights: Sequence[Span]) -> Interval:
    """Prints in flight, whose names are their rows."""
    sent_ns, answered_ns = np.array(flights, dtype=np.int64).reshape(-1, 2).T.copy()
    return Interval(sent_ns, answered_ns)


def at(nonce: str, slot: str = "s", **points: int) -> list[PrintEvent]:
    """The events of one print, point by point."""
    return [PrintEvent(nonce=nonce, point=point, at_ns=at_ns, slot=slot) for point, at_ns in points.items()]


# The naive versions read the definitions word for word.


def lasted(sync_run: SyncRun) -> Span:
    """The closed interval of a sync run."""
    known = [t for t in (sync_run.applied_ns, sync_run.released_ns, sync_run.end_ns) if t is not None]
    return sync_run.begin_ns, max([sync_run.begin_ns, *known])


def share(*intervals: Span) -> bool:
    """Whether closed intervals have an instant in common."""
    return max(begin for begin, _ in intervals) <= min(end for _, end in intervals)


def naive_states(events: list[PrintEvent]) -> tuple[Stays, Stays]:
    """Every print's time in the stage and its wait, by the intersection of all readings of its points."""
    number_of = Events.of(events).number_of
    stages: Stays = {}
    waits: Stays = {}
    for nonce in {event.nonce for event in events}:
        own = sorted((e for e in events if e.nonce == nonce), key=lambda e: (e.at_ns, e.slot))
        of = {point: [e for e in own if e.point == point] for point in ("waiting", "staged", "written", "read")}
        if of["written"] and of["read"]:
            stages[number_of(nonce)] = (of["written"][-1].at_ns, of["read"][0].at_ns), of["written"][-1].slot
        if of["waiting"]:
            last = of["waiting"][-1]
            after = [e for e in own if e.point != "waiting" and e.at_ns >= last.at_ns]
            end = (of["staged"] or after or [last])[0].at_ns
            waits[number_of(nonce)] = (last.at_ns, end), last.slot
    return stages, waits


def triples(runs: list[SyncRun], stages: Stays, waits: Stays) -> Iterator[tuple[str, int, int]]:
    """All (sync run, print in the stage, print waiting) that meet the definition, disjoint or not."""
    for sync_run in runs:
        for staged, (stage, stage_slot) in stages.items():
            for waiting, (wait, wait_slot) in waits.items():
                if staged != waiting and stage_slot == wait_slot and share(lasted(sync_run), stage, wait):
                    yield sync_run.sync_run, staged, waiting


def most_disjoint(candidates: list[tuple[str, int, int]]) -> int:
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
    used_prints = [print_ for exposure in found for print_ in (exposure.staged, exposure.waiting)]
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


spans = st.tuples(TIMES, st.integers(0, 8) | st.integers(0, 1_000)).map(lambda one: (one[0], one[0] + one[1]))
flights = st.lists(spans, max_size=8)


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
