"""Named points: what a process has told is on record at once, and who waits for a state is woken by it."""

import asyncio
import time
from collections import Counter
from pathlib import Path

from targets.municipal.points import PointReached, Points, read_points


async def test_points_are_on_record_at_once(tmp_path: Path) -> None:
    """Each point can be read as soon as it was reached, so that a killed process has told everything it did."""
    log = tmp_path / "log.jsonl"
    before_ns = time.monotonic_ns()
    async with Points(log) as points:
        await points.reach("A", "waiting", slot="1")
        await points.reach("S1", "sync.begin", applied=(("H1", 2), ("H2", 3)))
        await points.reach("B", "waiting", slot="1", at_ns=before_ns)
        *told, earlier = read_points(log)
    assert [(one.subject, one.point, one.slot, one.applied) for one in told] == [
        ("A", "waiting", "1", ()),
        ("S1", "sync.begin", "", (("H1", 2), ("H2", 3))),
    ]
    assert before_ns <= told[0].at_ns <= told[1].at_ns <= time.monotonic_ns()
    assert earlier.at_ns == before_ns


async def test_unfinished_line_is_left_out(tmp_path: Path) -> None:
    """The line in which a process was killed is no line; a log that was never begun holds none."""
    log = tmp_path / "log.jsonl"
    assert read_points(log) == []
    async with Points(log) as points:
        await points.reach("A", "read", slot="1")
        await points.reach("A", "delivered", slot="1")
    log.write_bytes(log.read_bytes()[:-1])
    assert [one.point for one in read_points(log)] == ["read"]


async def test_log_is_continued(tmp_path: Path) -> None:
    """A process that is started again writes behind what the one before it told."""
    for subject in ("A", "B"):
        async with Points(tmp_path / "log.jsonl") as points:
            await points.reach(subject, "applied")
    told: list[PointReached] = read_points(tmp_path / "log.jsonl")
    assert [one.subject for one in told] == ["A", "B"]


async def test_where_prints_are() -> None:
    """A print is counted at the last point it reached, until it is through."""
    async with Points(None) as points:
        await points.reach("A", "waiting", slot="1")
        await points.reach("A", "staged", slot="1")
        await points.reach("B", "waiting", slot="1")
        await points.reach("C", "waiting", slot="2")
        assert points.by_slot() == {"1": Counter(staged=1, waiting=1), "2": Counter(waiting=1)}
        for subject in ("A", "C", "C", "never seen"):
            points.leave(subject)
        assert points.by_slot() == {"1": Counter(waiting=1)}


async def test_state_must_be_met_in_one_slot() -> None:
    """Whoever waits for a state is woken when one slot has it, not by prints of several, nor by those without any."""
    async with Points(None) as points:
        wanted = [Counter(written=1, waiting=2), Counter(written=1)]
        all_met, one_met = (asyncio.create_task(points.met(counts)) for counts in wanted)
        for subject, point, slot in (
            ("A", "waiting", "1"),
            ("B", "waiting", "1"),
            ("C", "written", "2"),
            ("D", "waiting", "2"),
            ("E", "written", ""),
        ):
            await points.reach(subject, point, slot=slot)  # type: ignore[arg-type] # each is a point
        await asyncio.wait_for(one_met, 20)
        assert not all_met.done()
        await points.reach("F", "written", slot="1")
        await asyncio.wait_for(all_met, 20)
