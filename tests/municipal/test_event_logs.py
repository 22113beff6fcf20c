"""What the deployment tells of itself: sync runs as a whole, points and notices as they come, each of them once."""

from pathlib import Path

import pytest

from harness.records import ErrorNotice, PrintEvent, SyncRun
from targets.municipal.deployment import NOTICE_LOG, Deployment
from targets.municipal.event_logs import EventLogs
from targets.municipal.points import Points, PrintPoint, SyncPoint, read_points
from targets.municipal.settings import read_settings


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """One that is not started: a test writes what its servers would tell."""
    return Deployment(read_settings({}), tmp_path)


async def tell(deployment: Deployment, server: str, *reached: tuple[str, PrintPoint | SyncPoint]) -> dict[str, int]:
    """Reach the points; when each was, by its name."""
    path = deployment.event_log(server)
    before = len(read_points(path))
    async with Points(path) as points:
        for subject, point in reached:
            applied = (("H1", 2),) if point == "sync.begin" else ()
            await points.reach(subject, point, slot="3" if server == "ap-server" else "", applied=applied)
    return {told.point: told.at_ns for told in read_points(path)[before:]}


async def test_sync_run_is_told_as_a_whole(deployment: Deployment) -> None:
    """A sync run is told once, when it was acknowledged, with all its points; one that never was, with the rest."""
    logs = EventLogs(deployment)
    begun = await tell(deployment, "sync-agent", ("S1", "sync.begin"), ("S1", "sync.applied"))
    assert list(logs.new_sync_runs(rest=False)) == []
    ended = await tell(deployment, "sync-agent", ("S1", "sync.released"), ("S1", "sync.acknowledged"))
    cut_off = await tell(deployment, "sync-agent", ("S2", "sync.begin"))
    whole = SyncRun(
        sync_run="S1",
        applied=(("H1", 2),),
        begin_ns=begun["sync.begin"],
        applied_ns=begun["sync.applied"],
        released_ns=ended["sync.released"],
        acknowledged_ns=ended["sync.acknowledged"],
        end_ns=ended["sync.released"],
    )
    assert list(logs.new_sync_runs(rest=False)) == [whole]
    assert list(logs.new_sync_runs(rest=False)) == []
    rest = SyncRun(sync_run="S2", applied=(("H1", 2),), begin_ns=cut_off["sync.begin"])
    assert list(logs.new_sync_runs(rest=True)) == [rest]
    assert list(logs.new_sync_runs(rest=True)) == []


async def test_batch_has_nothing_to_release(deployment: Deployment) -> None:
    """A sync run of method v1 is over when it has applied."""
    at_ns = await tell(
        deployment, "sync-agent", ("S1", "sync.begin"), ("S1", "sync.applied"), ("S1", "sync.acknowledged")
    )
    (run,) = EventLogs(deployment).new_sync_runs(rest=False)
    assert (run.released_ns, run.end_ns) == (None, at_ns["sync.applied"])


async def test_points_and_notices(deployment: Deployment) -> None:
    """A point of a print is told with its slot and time, an error notice as the center wrote it."""
    logs = EventLogs(deployment)
    at_ns = await tell(deployment, "ap-server", ("A1.1", "waiting"))
    notice = b'{"type":"notice","nonce":"A1.1","code":"E","at_ns":5}\n'
    deployment.event_log(NOTICE_LOG).write_bytes(notice)
    waiting = PrintEvent(nonce="A1.1", point="waiting", at_ns=at_ns["waiting"], slot="3")
    assert list(logs.new_print_events()) == [waiting]
    assert list(logs.new_print_events()) == []
    assert list(logs.new_error_notices()) == [ErrorNotice(nonce="A1.1", code="E", at_ns=5)]
    assert list(logs.new_error_notices()) == []
