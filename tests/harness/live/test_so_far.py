"""What is known of a run that goes on is put together from all of its processes."""

from collections import Counter
from pathlib import Path

import pytest

from harness.bound import upper_bound
from harness.coverage import Cell
from harness.criteria import Criteria
from harness.live.progress import PointsProgress
from harness.live.snapshot import INCIDENTS_AT_MOST, CellSeen, OutcomeCount, ProcessState, Snapshot
from harness.live.so_far import Counted, IncidentRows, SoFar, SyncRunsProgress, snapshot_so_far
from harness.live.tally import Misissued, Tally
from harness.measures import BOUNDS_S
from harness.outcome import Outcome
from harness.records import PrintEvent
from tests.harness.builders import describe, sync_run

MS = 1_000_000
RUN = describe(
    started="2023-04-30T09:00:00.000+09:00",
    started_ns=5_000 * MS,
    shows_points=True,
    planned_s=100.0,
    criteria=Criteria(confidence=0.9),
)


def misissued(nonce: str, at_ms: int, recipient: str = "A", owner: str = "X") -> Misissued:
    """A paper of somebody else."""
    return Misissued(
        nonce=nonce,
        sent_ns=(at_ms - 10) * MS,
        answered_ns=at_ms * MS,
        outcome=Outcome.WRONG_PERSON,
        recipient=recipient,
        owners=(owner,),
        kind="inkan",
        delivered_kind="koseki",
    )


def counted(segment: str, *wrong: Misissued, right: int = 0, **fields: object) -> Counted:
    """A process with so many right prints and these wrong ones."""
    known: dict[str, object] = {
        "segment": segment,
        "issued": right + len(wrong) + 1,
        "outcomes": {Outcome.OK: {"inkan": right}, Outcome.WRONG_PERSON: {"inkan": len(wrong)}},
        "documents": right + len(wrong),
        "may_have_printed": 1,
        "applications": right,
        "late_starts": 2,
        "latency": (right, len(wrong), *(0,) * (len(BOUNDS_S) - 1)),
        "latency_ns": 500 * MS,
        "self_test": "caught",
        "faults": 0,
        "told": (),
    }
    return Counted(Tally(**(known | fields)), wrong, [one.owners[0] for one in wrong])  # type: ignore[arg-type] # by name


def snapshot(*processes: Counted, progress: SyncRunsProgress | None = None, **fields: object) -> Snapshot:
    """Of a run of these processes."""
    rows = IncidentRows()
    rows.add(processes, RUN)
    if progress is not None:
        rows.search(progress)
    known: dict[str, object] = {
        "description": RUN,
        "directory": Path("runs/1"),
        "state": "running",
        "elapsed_s": 10.0,
        "phase": "burst",
        "users": 7,
        "counted": processes,
        "incidents": rows.rows,
        "progress": progress,
        "sync_runs": 4,
        "error_notices": 3,
        "faults": (),
        "series": (),
    }
    return snapshot_so_far(SoFar(**(known | fields)))  # type: ignore[arg-type] # by name


def progress_of(exposures: int | None, cells: Counter[Cell] | None) -> PointsProgress:
    """As if so much had been seen."""
    made = PointsProgress()
    made.exposures, made.cells = exposures, cells
    return made


def test_all_processes_together() -> None:
    """Counts of several processes are added; who is exposed twice is one person."""
    seen = snapshot(
        counted("load-1", misissued("A1.1", 5_100), right=10), counted("load-2", misissued("B1.1", 5_050), right=20)
    )
    assert (seen.issued, seen.in_flight, seen.prints_judged, seen.may_have_printed) == (34, 2, 32, 2)
    assert seen.outcomes == (
        OutcomeCount(outcome=Outcome.WRONG_PERSON, kind="inkan", number=2),
        OutcomeCount(outcome=Outcome.OK, kind="inkan", number=30),
    )
    assert (seen.verdict, seen.misissued, seen.papers, seen.persons) == ("FAIL", 2, 2, 1)
    assert seen.processes == (
        ProcessState(segment="load-1", issued=12, ended=11, self_test="caught", faults=0),
        ProcessState(segment="load-2", issued=22, ended=21, self_test="caught", faults=0),
    )
    assert seen.latency is not None
    assert (seen.latency.counts[:3], seen.latency.sum_s) == ((30, 2, 0), 1.0)
    assert (seen.run, seen.directory, seen.phase, seen.users) == ("run-1", "runs/1", "burst", 7)
    assert (seen.sync_runs, seen.error_notices, seen.state, seen.elapsed_s) == (4, 3, "running", 10.0)


def test_incidents_in_order() -> None:
    """Incidents of all processes stand in the order in which they were handed out, by the clock on the wall."""
    seen = snapshot(counted("load-1", misissued("A1.1", 5_100)), counted("load-2", misissued("B1.1", 5_050, owner="Y")))
    assert [(one.nonce, one.at, one.owners) for one in seen.incidents] == [
        ("B1.1", "2023-04-30T09:00:00.050+09:00", ("Y",)),
        ("A1.1", "2023-04-30T09:00:00.100+09:00", ("X",)),
    ]
    (first, _) = seen.incidents
    assert (first.recipient, first.kind, first.delivered_kind, first.cause) == ("A", "inkan", "koseki", "unknown")


def test_no_process_yet() -> None:
    """Before any process has told anything, nothing has been issued and nothing is wrong."""
    seen = snapshot()
    assert (seen.issued, seen.verdict, seen.outcomes, seen.processes) == (0, None, (), ())
    assert seen.latency is not None
    assert seen.latency.counts == (0,) * (len(BOUNDS_S) + 1)


def test_sync_run_that_is_told_later() -> None:
    """The sync run of an incident is looked for until it is known, and then kept."""
    rows, progress = IncidentRows(), PointsProgress()
    rows.add([counted("load-1", misissued("A1.1", 5_100))], RUN)
    points = [
        PrintEvent(nonce="A1.1", point=point, at_ns=at_ms * MS)
        for point, at_ms in (("waiting", 5_040), ("read", 5_055))
    ]
    seen = []
    for name, begin_ms in (("", 0), ("S1", 5_000), ("S2", 5_054)):
        progress.add([sync_run(name, begin_ms * MS, (begin_ms + 50) * MS)] if name else [], points if not name else [])
        rows.search(progress)
        seen.append(rows.rows[0].sync_run)
    assert seen == [None, "S1", "S1"]


def test_incident_without_a_sync_run() -> None:
    """A sync run that is not told soon is not looked for any more."""
    rows, progress = IncidentRows(), PointsProgress()
    rows.add([counted("load-1", misissued("A1.1", 5_100))], RUN)
    for _ in range(20):
        rows.search(progress)
    progress.add([sync_run("S1", 5_000 * MS, 5_200 * MS)], [])
    rows.search(progress)
    assert rows.rows[0].sync_run is None


def test_very_many_incidents() -> None:
    """The first so many are shown, whichever process had them; all of them count for the bound."""
    one, two = (
        counted(segment, *(misissued(f"{segment}-{number}", 5_000 + 2 * number + late) for number in range(400)))
        for segment, late in (("load-1", 0), ("load-2", 1))
    )
    seen = snapshot(one, two, progress=progress_of(1000, Counter()))
    assert (len(seen.incidents), seen.misissued) == (INCIDENTS_AT_MOST, 800)
    assert [incident.nonce for incident in seen.incidents[:3]] == ["load-1-0", "load-2-0", "load-1-1"]
    assert seen.bound_upper == upper_bound(800, 1000, 0.9)


def test_bound_and_cells() -> None:
    """The bound is that of the exposures so far, and the cells are those that were hit."""
    cell = Cell(phase="applying", states=("waiting",))
    seen = snapshot(counted("load-1"), progress=progress_of(30, Counter({cell: 5})))
    assert (seen.exposures, seen.bound_upper, seen.confidence) == (30, upper_bound(0, 30, 0.9), 0.9)
    assert seen.cells == (CellSeen(phase="applying", states=("waiting",), sync_runs=5),)
    assert seen.cells_known == 220


def test_misissuances_of_one_sync_run() -> None:
    """Misissuances of one sync run are one event of the bound, as in the verdict, and never more than exposures."""
    progress = progress_of(10, Counter())
    progress.runs.add([sync_run("S1", 5_000 * MS, 5_200 * MS)])
    both = counted("load-1", misissued("A1.1", 5_100), misissued("A2.1", 5_110))
    assert snapshot(both, progress=progress).bound_upper == upper_bound(1, 10, 0.9)
    progress.exposures = 0
    assert snapshot(both, progress=progress).bound_upper == 1.0


@pytest.mark.parametrize("progress", [None, progress_of(None, None)])
def test_unknown_is_none(progress: SyncRunsProgress | None) -> None:
    """What can be told when the run is decided only is None, and so is what goes with a plan of arrivals."""
    seen = snapshot(counted("load-1"), progress=progress)
    assert (seen.exposures, seen.cells, seen.bound_upper) == (None, None, None)
    assert (seen.late_starts, seen.planned_rate_per_s, seen.rate_share) == (None, None, None)
    assert (seen.resends is None) is (progress is None)


def test_plan_of_arrivals() -> None:
    """The share of the rate is of what the plan holds until now, and of the whole plan when its time is over."""
    planned = describe(planned_prints=500, planned_s=100.0)
    shares = [
        snapshot(counted("load-1", right=40), description=planned, elapsed_s=elapsed_s).rate_share
        for elapsed_s in (0.0, 10.0, 100.0, 200.0)
    ]
    assert shares == [None, 0.8, 0.08, 0.08]
    seen = snapshot(counted("load-1"), counted("load-2"), description=planned)
    assert (seen.planned_rate_per_s, seen.late_starts) == (5.0, 4)


def test_plan_of_no_arrival() -> None:
    """Of a plan too short for a single arrival there is no share."""
    planned = describe(planned_prints=0, planned_s=100.0)
    assert snapshot(counted("load-1"), description=planned, elapsed_s=10.0).rate_share is None


def test_faults() -> None:
    """Faults of the owner stand first, then those of each process, as far as it told them."""
    seen = snapshot(counted("load-1", faults=3, told=("it broke", "so did that")), faults=("the disk is full",))
    assert seen.faults == ("the disk is full", "load-1: it broke", "load-1: so did that", "load-1: and 1 more")
