"""While a run goes on its exposures and coverage cells are told, and never more of them than in the end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.coverage import Cell, cells_from_points
from harness.evidence.events import Events
from harness.live.progress import PointsProgress
from harness.overlap import exposures
from harness.records import PrintEvent, SyncRun
from tests.harness.builders import sync_run

SECOND_NS = 1_000_000_000
Told = SyncRun | PrintEvent
"""What a target tells, at the time at which it tells it."""


def final(history: Sequence[Told]) -> tuple[int, Mapping[Cell, int]]:
    """What the gate says of the whole."""
    runs = [record for record in history if isinstance(record, SyncRun)]
    events = Events.of(record for record in history if isinstance(record, PrintEvent))
    hit = cells_from_points(runs, print_=events.print_, point=events.point, at_ns=events.at_ns, slot=events.slot)
    return len(exposures(runs, events)), {cell: len(of_cell) for cell, of_cell in hit.items()}


def pull(progress: PointsProgress, told: Sequence[Told]) -> None:
    """What was told since the last time."""
    progress.add(
        [record for record in told if isinstance(record, SyncRun)],
        [record for record in told if isinstance(record, PrintEvent)],
    )


LATER = PrintEvent(nonce="later", point="applied", at_ns=10**15)
"""Long after everything else."""


MS = 1_000_000


def ordinary(random: Random) -> list[Told]:
    """Sync runs one after the other, and prints that queue for some slots; one in twenty stays somewhere for ever."""
    told: list[tuple[int, Told]] = []
    at_ns = 0
    for number in range(random.randint(0, 40)):
        begin_ns = at_ns + random.randint(1, 40) * MS
        end_ns = begin_ns + random.randint(0, 60) * MS
        at_ns = end_ns + random.randint(0, 5) * MS
        told.append((at_ns, sync_run(f"S{number}", begin_ns, end_ns)))
    slots = [str(number) for number in range(random.randint(1, 4))]
    for number in range(random.randint(0, 60)):
        at_ns = random.randint(0, 2000) * MS
        slot = random.choice(slots)
        passed = 7 if random.random() < 0.95 else random.randint(1, 6)
        for point in ("applied", "rendered", "waiting", "staged", "written", "read", "delivered")[:passed]:
            at_ns += random.randint(0, 120) * MS + random.randint(0, 2)
            told.append((at_ns, PrintEvent(nonce=f"A{number}.1", point=point, at_ns=at_ns, slot=slot)))
    return [record for _, record in sorted(told, key=lambda one: (one[0], isinstance(one[1], SyncRun)))]


def cut(history: Sequence[Told], places: Sequence[int]) -> list[Sequence[Told]]:
    """The history as it is told in several pulls."""
    bounds = [0, *sorted(min(place, len(history)) for place in places), len(history)]
    return [history[begin:end] for begin, end in pairwise(bounds)]


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_ordinary_histories(seed: int) -> None:
    """However a history is cut into pulls, its numbers grow to those of the gate and are never above them."""
    random = Random(seed)
    history = ordinary(random)
    places = random.choices(range(len(history) + 1), k=random.randint(0, 40))
    in_the_end, cells_in_the_end = final(history)
    progress = PointsProgress()
    before = 0
    for told in cut(history, places):
        pull(progress, told)
        assert progress.exposures is not None
        assert before <= progress.exposures <= in_the_end
        assert progress.cells is not None
        assert progress.cells <= Counter(cells_in_the_end)
        before = progress.exposures
    pull(progress, [LATER])
    pull(progress, [])
    assert progress.exposures == in_the_end
    assert progress.cells == cells_in_the_end


def disturbed(random: Random) -> list[Told]:
    """A history of which some records are told late, and some points are reached again, much later."""
    history = ordinary(random)
    for _ in range(random.randint(1, 4) if history else 0):
        place = random.randrange(len(history))
        record = history[place]
        if isinstance(record, PrintEvent) and random.random() < 0.5:
            record = msgspec.structs.replace(record, at_ns=record.at_ns + random.randint(0, 1500) * MS)
        else:
            del history[place]
        history.insert(random.randint(place, len(history)), record)
    return history


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_disturbed_histories(seed: int) -> None:
    """Whatever comes late or again, no number is above what the gate would say of all that was told by then."""
    random = Random(seed)
    history = disturbed(random)
    progress = PointsProgress()
    so_far: list[Told] = []
    for told in [*cut(history, random.choices(range(len(history) + 1), k=random.randint(0, 20))), [LATER]]:
        so_far += told
        pull(progress, told)
        by_now, cells_by_now = final(so_far)
        assert progress.exposures is None or progress.exposures <= by_now
        assert progress.cells is None or progress.cells <= Counter(cells_by_now)


def passing(nonce: str, *points: tuple[str, int], slot: str = "1") -> list[Told]:
    """A print that is at these points at these times, in milliseconds."""
    return [PrintEvent(nonce=nonce, point=point, at_ns=at_ms * MS, slot=slot) for point, at_ms in points]


STAGED = passing("A", ("waiting", 100), ("staged", 110), ("written", 120), ("read", 300))
WAITING = passing("B", ("waiting", 150), ("staged", 310), ("written", 320), ("read", 330))
RUN = sync_run("S1", 200 * MS, 250 * MS)
LATER_ON = passing("C", ("applied", 2000))


def test_prints_under_way_are_waited_for() -> None:
    """A sync run is looked at when it is known how long everybody stayed who was there, and then once."""
    progress = PointsProgress()
    seen = []
    for told in ([RUN, *STAGED[:3], *WAITING[:1], *LATER_ON], STAGED[3:], WAITING[1:], []):
        # What is told late here is no later than what was waited for.
        pull(progress, told)
        seen.append((progress.runs.number, progress.exposures))
    assert seen == [(1, 0), (1, 0), (1, 1), (1, 1)]


def test_nothing_is_settled_at_once() -> None:
    """What is told of one instant may come a little later than what is told of another."""
    progress = PointsProgress()
    pull(progress, [RUN, *passing("C", ("applied", 700))])
    pull(progress, [*STAGED, *WAITING, *LATER_ON])
    assert progress.exposures == 1


def test_print_that_stays_for_ever() -> None:
    """A print that does not go on is waited for until it is given up; if it goes on all the same, nobody knows."""
    progress = PointsProgress()
    seen = []
    for told in (
        [RUN, *passing("H", ("waiting", 10)), *STAGED, *WAITING, *passing("M", ("applied", 29_000))],
        passing("M", ("applied", 31_000)),
        passing("H", ("staged", 32_000)),
    ):
        pull(progress, told)
        seen.append(progress.exposures)
    assert seen == [0, 1, None]
    assert progress.cells is None


def test_what_is_told_too_late() -> None:
    """What would have counted in a sync run that was looked at leaves nobody knowing; what comes after it does not."""
    for late, known in (
        (passing("L", ("waiting", 250)), False),
        (passing("L", ("waiting", 251)), True),
        (passing("A", ("written", 1000)), False),
        (passing("A", ("waiting", 1000)), False),
        (passing("A", ("delivered", 1000)), True),
        ([sync_run("S0", 199 * MS, 300 * MS)], False),
        ([sync_run("S2", 200 * MS, 300 * MS)], True),
    ):
        progress = PointsProgress()
        pull(progress, [RUN, *STAGED, *WAITING, *LATER_ON])
        assert progress.exposures == 1
        pull(progress, late)
        assert (progress.exposures is not None) is known, late
    assert progress.runs.number == 2


def test_another_point_in_a_wait() -> None:
    """A point that is none of the stage may be the end of a wait; that shows when nothing else follows."""
    for end, expected in ((passing("B", ("staged", 2100)), 1), (passing("M", ("applied", 31_000)), 0)):
        progress = PointsProgress()
        told = [RUN, *STAGED, *passing("B", ("waiting", 150), ("rendered", 151)), *LATER_ON]
        pull(progress, told)
        assert progress.exposures == 0
        pull(progress, [*end, *passing("M", ("applied", 32_000))])
        assert progress.exposures == final([*told, *end])[0] == expected


def test_stage_after_the_stage() -> None:
    """A print that is staged when it was written already had waited for longer than was known."""
    progress = PointsProgress()
    pull(progress, [RUN, *STAGED, *passing("B", ("waiting", 150), ("written", 210)), *LATER_ON])
    assert progress.exposures == 0
    pull(progress, passing("B", ("read", 2100)))
    assert progress.exposures == 1
    pull(progress, passing("B", ("staged", 2200)))
    assert progress.exposures is None


def test_print_that_takes_long_to_come() -> None:
    """A print that has applied and comes to the stage much later counts like any other."""
    progress = PointsProgress()
    pull(progress, [RUN, *passing("A", ("applied", 10)), *passing("B", ("applied", 20)), *LATER_ON])
    stays = [
        *passing("A", ("waiting", 3000), ("staged", 3010), ("written", 3020), ("read", 3200)),
        *passing("B", ("waiting", 3050), ("staged", 3210)),
    ]
    pull(progress, [sync_run("S2", 3000 * MS, 3100 * MS), *stays, *passing("D", ("applied", 5000))])
    assert progress.exposures == 1


def test_resends() -> None:
    """A print that arrives more than once is one re-send, however often it arrives."""
    progress = PointsProgress()
    pull(progress, passing("A", ("applied", 1), ("applied", 2), ("applied", 3)))
    pull(progress, passing("B", ("applied", 4)))
    pull(progress, passing("B", ("applied", 5)))
    pull(progress, passing("C", ("applied", 6)))
    assert progress.resends == 2


def test_sync_run_of_a_print() -> None:
    """The sync run of a misissuance met the print from its wait until it was read back; else while it was in flight."""
    progress = PointsProgress()
    pull(progress, [RUN, sync_run("S2", 400 * MS, 500 * MS), *STAGED])
    assert progress.sync_run_of("A", 0, 10**12) == "S1"
    assert progress.sync_run_of("unheard of", 0, 10**12) == "S2"
    assert progress.sync_run_of("unheard of", 0, 1) is None


def test_memory() -> None:
    """Only prints that may still count are kept, whether there are sync runs or none."""
    for with_runs in (False, True):
        progress = PointsProgress()
        for second in range(1, 120):
            at_ms = second * 1000
            run = sync_run(f"S{second}", at_ms * MS, (at_ms + 20) * MS)
            told: list[Told] = [run] if with_runs else []
            for number in range(10):
                points = [(point, at_ms + number) for point in ("waiting", "staged", "written", "read")]
                told += passing(f"A{second}-{number}", *points)
            pull(progress, told)
            assert len(progress._prints) <= (30 if with_runs else 320)
        assert progress.exposures is not None
