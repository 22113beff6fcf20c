"""What workers count comes to the master whole and once, whichever of their reports arrive."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from locust.rpc import Message

import harness.load.tallies
from harness.evidence.recorder import Recorder
from harness.evidence.segment import SegmentWriter
from harness.load.messages import WorkerTallies, pack, unpack
from harness.load.tallies import Incoming, Outgoing
from harness.outcome import Outcome
from harness.records import Application
from harness.target import Answer
from tests.harness.builders import CLOCK, HOME, KIND, OTHER, RUN, paper
from tests.harness.stub import StubTarget


class Desk:
    """A worker's recorder and what it tells."""

    def __init__(self, directory: Path) -> None:
        incidents = directory / "incidents"
        incidents.mkdir()
        self.recorder = Recorder(StubTarget(), SegmentWriter(directory, "load-1", run=RUN, clock=CLOCK), incidents)
        for group in (HOME, OTHER):
            self.recorder.add_group(group)
        self.offset_ns = 0
        self.outgoing = Outgoing(RUN, self.recorder, lambda: self.offset_ns)
        self._names: Iterator[int] = iter(range(10**6))

    def hand_out(self, document: bytes, times: int = 1) -> None:
        """A document to A."""
        for _ in range(times):
            self.recorder.segment.issued += 1
            application = Application(application=f"A{next(self._names)}", applicant="A", group="G1", kind=KIND)
            self.recorder.record(application, 100, 200, Answer(document=document))
        self.recorder.settle()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def on_the_wire(told: WorkerTallies) -> WorkerTallies:
    """As it arrives."""
    message: Any = Message  # Locust's has no types
    wire = message("stats", {"misissue": pack(told)}, "worker-1").serialize()
    return unpack(message.unserialize(wire).data["misissue"], WorkerTallies)


def test_counts_arrive(desk: Desk) -> None:
    """Counts, misissued prints and exposed persons arrive as they were, whatever Locust's messages do to them."""
    desk.hand_out(paper("A"), times=3)
    desk.hand_out(paper("X"), times=2)
    told = desk.outgoing.next()
    assert on_the_wire(told) == told
    incoming = Incoming(RUN)
    incoming.take(on_the_wire(told))
    assert incoming.tally == desk.recorder.tally()
    assert incoming.tally.outcomes == {Outcome.OK: {KIND: 3}, Outcome.WRONG_PERSON: {KIND: 2}}
    assert list(incoming.misissued.values()) == desk.recorder.counts.misissued
    assert (incoming.exposed, incoming.batch) == ({"X"}, desk.recorder.segment.batch)


def test_report_that_comes_twice_or_late(desk: Desk) -> None:
    """A report that comes twice, or after a newer one, changes nothing; one that is lost is made good by the next."""
    reports = []
    for _ in range(3):
        desk.hand_out(paper("X"))
        reports.append(desk.outgoing.next())
    incoming = Incoming(RUN)
    for report in (reports[0], reports[2], reports[0], reports[2], reports[1]):
        incoming.take(report)
    assert incoming.tally == reports[2].tally
    assert (incoming.tally.misissued, sorted(incoming.misissued)) == (3, ["A0.1", "A1.1", "A2.1"])


def test_report_of_an_earlier_run(desk: Desk) -> None:
    """A report of another run is none of this one, although its segment has the same name."""
    desk.hand_out(paper("X"))
    incoming = Incoming("run-2")
    incoming.take(desk.outgoing.next())
    assert (incoming.tally, incoming.misissued, incoming.exposed) == (None, {}, set())


def test_only_what_is_new(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report holds a limited number of misissued prints, those not told before; the last word holds the rest."""
    monkeypatch.setattr(harness.load.tallies, "_AT_ONCE", 2)
    desk.hand_out(paper("X"), times=5)
    first, second, rest = desk.outgoing.next(), desk.outgoing.next(), desk.outgoing.rest()
    told = [[misissued.nonce for misissued in one.misissued] for one in (first, second, rest)]
    assert told == [["A0.1", "A1.1"], ["A2.1", "A3.1"], ["A4.1"]]
    assert [one.exposed for one in (first, second, rest)] == [("X",), (), ()]
    assert {one.tally.misissued for one in (first, second, rest)} == {5}
    assert desk.outgoing.rest().misissued == ()


def test_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The master keeps a limited number of misissued prints of each worker, too."""
    monkeypatch.setattr(harness.load.tallies, "KEPT", 3)
    incoming = Incoming(RUN)
    for _ in range(5):
        desk.hand_out(paper("X"))
        incoming.take(desk.outgoing.next())
    assert list(incoming.misissued) == ["A0.1", "A1.1", "A2.1"]
    assert incoming.tally is not None
    assert incoming.tally.misissued == 5


def test_clock_of_another_host(desk: Desk) -> None:
    """The times of a misissued print are told on the run's clock."""
    desk.offset_ns = -40
    desk.hand_out(paper("X"))
    (misissued,) = desk.outgoing.next().misissued
    assert (misissued.sent_ns, misissued.answered_ns) == (60, 160)
    assert msgspec.structs.replace(misissued, sent_ns=100, answered_ns=200) == desk.recorder.counts.misissued[0]
