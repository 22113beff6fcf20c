"""What the target tells of itself is on record once, whatever goes wrong when it is asked."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from harness.evidence.ledger import LedgerError
from harness.evidence.segment import SegmentWriter
from harness.evidence.target_evidence import TargetEvidence, Told
from harness.records import ErrorNotice, PrintEvent
from tests.harness.builders import CLOCK, RUN, TARGET, read_segment, sync_run
from tests.harness.stub import StubTarget

EVENT = PrintEvent(nonce="A1.1", point="written", at_ns=7, slot="2")
NOTICE = ErrorNotice(nonce="A1.2", code="証明書エラー", at_ns=8)
CUT_OFF = msgspec.structs.replace(sync_run("S9", applied=[("G2", 2)]), end_ns=None, acknowledged_ns=None)


class Desk:
    """A target, what is on record of it, and the faults."""

    def __init__(self, directory: Path) -> None:
        self.target = StubTarget()
        self.target.told = []
        self.writer = SegmentWriter(directory, TARGET, run=RUN, clock=CLOCK)
        self.faults: list[str] = []
        self.evidence = TargetEvidence(
            self.target, self.writer, has_died=lambda: bool(self.target.dead), add_fault=self.faults.append
        )

    def on_record(self) -> list[object]:
        """Records of the segment as it lies on the disk."""
        return list(read_segment(self.writer.path)[0])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_each_once(desk: Desk) -> None:
    """Everything is told once and on record at once, in the order in which it became known."""
    desk.target.told = [EVENT, NOTICE, sync_run("S1")]
    assert desk.evidence.pull(rest=False) == Told([sync_run("S1")], [EVENT], [NOTICE])
    assert desk.on_record() == [sync_run("S1"), EVENT, NOTICE]
    assert desk.evidence.pull(rest=False) == Told([], [], [])
    desk.target.told = [sync_run("S2")]
    assert desk.evidence.pull(rest=True) == Told([sync_run("S2")], [], [])
    assert desk.on_record() == [sync_run("S1"), EVENT, NOTICE, sync_run("S2")]
    assert desk.faults == []


def test_synchronised(desk: Desk) -> None:
    """A version counts as synchronised when the run that brought it was acknowledged; others are told with the rest."""
    whole = sync_run("S1", applied=[("G1", 2), ("G2", 3)])
    desk.target.told = [CUT_OFF, whole]
    assert desk.evidence.pull(rest=False).sync_runs == [whole]
    assert desk.evidence.synchronised == {("G1", 2), ("G2", 3)}
    assert desk.evidence.pull(rest=True).sync_runs == [CUT_OFF]
    assert desk.evidence.synchronised == {("G1", 2), ("G2", 3)}


def test_target_that_cannot_be_asked(desk: Desk) -> None:
    """What cannot be asked is a fault, and everything else is told all the same."""
    desk.target.told = [sync_run(), EVENT, NOTICE]
    desk.target.broken = {"new_sync_runs"}
    assert desk.evidence.pull(rest=False) == Told([], [EVENT], [NOTICE])
    assert desk.faults == ["OSError when the target was asked what is new: new_sync_runs is broken"]
    desk.target.broken = set()
    assert desk.evidence.pull(rest=False).sync_runs == [sync_run()]


def test_target_that_died(desk: Desk) -> None:
    """A target that died cannot be asked, which is no fault of the harness."""
    desk.target.broken = {"new_sync_runs"}
    desk.target.dead = "the AP server ended"
    desk.evidence.pull(rest=False)
    assert desk.faults == []


def test_full_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a full disk does not take is a fault, and is written as soon as there is room."""
    full = True
    write_out = SegmentWriter._write_out

    def write_out_if_there_is_room(writer: SegmentWriter) -> None:
        if full:
            raise LedgerError("cannot write: No space left on device")
        write_out(writer)

    monkeypatch.setattr(SegmentWriter, "_write_out", write_out_if_there_is_room)
    desk.target.told = [sync_run(), EVENT]
    assert desk.evidence.pull(rest=False) == Told([sync_run()], [EVENT], [])
    assert set(desk.faults) == {"cannot write: No space left on device"}
    full = False
    desk.evidence.close()
    assert desk.on_record() == [sync_run(), EVENT]


def test_very_many_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where very much has become known at once, others get their turn in between."""
    turns: list[int] = []
    monkeypatch.setattr(time, "sleep", lambda _: turns.append(desk.writer.records))
    desk.target.told = [msgspec.structs.replace(EVENT, at_ns=number) for number in range(1200)]
    desk.evidence.pull(rest=False)
    assert len(turns) == 2


def test_interrupted_in_the_midst(desk: Desk) -> None:
    """What was told before the target broke is kept, and what comes later is told the next time."""
    events = iter([EVENT])

    def one_and_then_none() -> Iterator[PrintEvent]:
        yield from events
        raise OSError("the log is gone")

    desk.target.new_print_events = one_and_then_none  # type: ignore[method-assign] # a target that breaks
    assert desk.evidence.pull(rest=False).events == [EVENT]
    assert desk.on_record() == [EVENT]
    assert len(desk.faults) == 1
