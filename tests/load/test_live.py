"""What the owner of a run knows of it while it goes on."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

import harness.load.live
import harness.run
from harness.criteria import Criteria
from harness.evidence.ledger import LedgerError
from harness.gate import Decision, examine
from harness.live.flights import Flights
from harness.live.snapshot import OutcomeCount, Snapshot
from harness.live.so_far import Counted
from harness.load.beside import in_a_thread
from harness.load.live import Live
from harness.load.plan import Phase, Plan
from harness.outcome import Outcome
from harness.records import Application, ErrorNotice, PrintEvent
from harness.run import JudgedRun
from harness.target import Answer
from harness.verdict import Verdict
from tests.harness.builders import KIND, paper, read_segment, sync_run
from tests.harness.stub import StubTarget

PLAN = Plan((Phase(name="calm", seconds=60.0, think_s=0.0), Phase(name="burst", seconds=60.0, think_s=0.0)))


class Desk:
    """A run of one process whose prints a test makes."""

    def __init__(
        self, directory: Path, *, shows_points: bool = False, synchronises: bool = True, alone: bool = True
    ) -> None:
        self.now_ns = 1000
        self.target = StubTarget()
        self.target.synchronises = synchronises
        self.target.shows_points = shows_points
        self.target.told = []
        self.run = JudgedRun(
            self.target,
            directory / "run",
            profile="test",
            seed=7,
            parameters={},
            criteria=Criteria(self_test=False, confidence=0.9),
            planned_s=PLAN.seconds,
        )
        self.run.open()
        self.recorder = self.run.open_recorder()
        self.recorder.counts.keep_flights()
        self.live = Live(self.run, PLAN, self.counted, lambda: 3, self.flights if alone else None)

    def counted(self) -> list[Counted]:
        return [Counted(self.recorder.tally(), self.recorder.counts.misissued, self.recorder.counts.exposed)]

    def flights(self) -> Flights:
        return Flights(self.now_ns, self.recorder.segment.issued, self.recorder.counts.take_flights())

    def answer(self, name: str, answer: Answer, applicant: str = "A", group: str = "G1") -> None:
        """The end of an application."""
        application = Application(application=name, applicant=applicant, group=group, kind=KIND)
        self.recorder.segment.issued += 1
        self.recorder.record(application, 100, 200, answer)
        self.recorder.settle()

    def hand_out(self, name: str, document: bytes) -> None:
        """A document to A."""
        self.answer(name, Answer(document=document))

    def two_right(self) -> None:
        """Two right papers, both in flight from 100 to 200."""
        self.hand_out("A1", paper("A"))
        self.answer("A2", Answer(document=paper("X")), "X", "G2")

    def until(self, is_so: Callable[[Snapshot], bool]) -> Snapshot:
        """What is seen as soon as it is so."""
        with gevent.Timeout(20):
            while not is_so(seen := self.live.snapshot()):
                gevent.sleep(0)
        return seen


@pytest.fixture(autouse=True)
def always_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots are made anew each time, and the target is asked all the time."""
    monkeypatch.setattr(harness.load.live, "_FRESH_S", -1.0)
    monkeypatch.setattr(harness.load.live, "_PULL_S", 0.0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.live.end()


def test_before_the_load(desk: Desk) -> None:
    """Before the load begins no time has passed and no phase is on."""
    seen = desk.live.snapshot()
    assert (seen.state, seen.elapsed_s, seen.phase, seen.issued, seen.verdict) == ("running", 0.0, "", 0, None)
    assert (seen.planned_s, seen.confidence, seen.users) == (120.0, 0.9, 3)


def test_running(desk: Desk) -> None:
    """While a run goes on its attempts are counted."""
    desk.live.start()
    desk.hand_out("A1", paper("A"))
    desk.answer("A2", Answer(error="no image"))
    desk.recorder.segment.issued += 1
    seen = desk.live.snapshot()
    assert (seen.state, seen.verdict, seen.exit_code, seen.reasons, seen.phase) == ("running", None, None, (), "calm")
    assert (seen.issued, seen.in_flight, seen.prints_judged, seen.misissued, seen.errors) == (3, 1, 1, 0, 1)
    assert {(count.outcome, count.number) for count in seen.outcomes} == {(Outcome.OK, 1), (Outcome.ERROR_FINAL, 1)}


def test_misissuance_while_it_goes_on(desk: Desk) -> None:
    """A misissuance makes the verdict FAIL and is an incident while the run goes on."""
    desk.live.start()
    desk.hand_out("A1", paper("X"))
    seen = desk.live.snapshot()
    assert (seen.verdict, seen.misissued, seen.papers, seen.persons) == ("FAIL", 1, 1, 1)
    assert [(one.nonce, one.recipient, one.owners, one.sync_run) for one in seen.incidents] == [
        ("A1.1", "A", ("X",), None)
    ]
    desk.target.told = [sync_run("S1", 150, 180)]
    seen = desk.until(lambda seen: seen.incidents[0].sync_run is not None)
    assert (seen.incidents[0].sync_run, seen.sync_runs) == ("S1", 1)


def test_what_the_target_tells(desk: Desk) -> None:
    """Sync runs, notices and exposures are seen while the run goes on, and so is their history."""
    desk.live.start()
    desk.two_right()
    desk.target.told = [sync_run("S1", 120, 180), ErrorNotice(nonce="A1.1", code="E", at_ns=5)]
    seen = desk.until(lambda seen: bool(seen.exposures))
    assert (seen.sync_runs, seen.exposures, seen.error_notices) == (1, 1, 1)
    assert seen.bound_upper == 0.9
    seen = desk.until(lambda seen: any(moment.exposures for moment in seen.series))
    last = seen.series[-1]
    assert (last.prints_judged, last.sync_runs, last.exposures, last.misissued) == (2, 1, 1, 0)


def test_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the target tells its points, exposures are seen by them, also when very many come at once."""
    monkeypatch.setattr(harness.load.live, "_EVENTS_AT_ONCE", 2)
    desk = Desk(tmp_path, shows_points=True, alone=False)
    desk.live.start()
    at_ns = {"waiting": 100, "staged": 110, "written": 120, "read": 300}
    desk.target.told = [
        sync_run("S1", 200, 250),
        *(PrintEvent(nonce="A1.1", point=point, at_ns=at_ns[point]) for point in at_ns),
        PrintEvent(nonce="A2.1", point="waiting", at_ns=150),
        PrintEvent(nonce="A2.1", point="staged", at_ns=310),
        PrintEvent(nonce="A3.1", point="applied", at_ns=10**12),
    ]
    seen = desk.until(lambda seen: bool(seen.exposures))
    assert (seen.exposures, seen.cells_known, seen.resends) == (1, 220, 0)
    assert seen.cells
    desk.live.end()


def test_several_processes_seen_from_outside(tmp_path: Path) -> None:
    """Where others send, too, and the target tells no points, exposures are not known before the run is decided."""
    desk = Desk(tmp_path, alone=False)
    desk.live.start()
    desk.two_right()
    desk.target.told = [sync_run("S1", 120, 180)]
    seen = desk.until(lambda seen: seen.sync_runs == 1)
    assert (seen.exposures, seen.cells, seen.bound_upper, seen.resends) == (None, None, None, None)
    desk.live.end()
    desk.live.decide(desk.run.close)
    assert desk.live.snapshot().exposures == 1


@pytest.mark.parametrize("alone", [True, False])
def test_without_sync_runs(tmp_path: Path, alone: bool) -> None:
    """Of a service that synchronises nothing one process counts pairs in flight; several leave it to the verdict."""
    desk = Desk(tmp_path, synchronises=False, alone=alone)
    desk.live.start()
    desk.two_right()
    desk.hand_out("A3", paper("X"))
    seen = desk.until(lambda seen: bool(seen.series and seen.series[-1].misissued))
    assert (seen.exposures, seen.bound_upper) == ((1, 1.0) if alone else (None, None))
    assert (seen.synchronises, seen.cells, seen.cells_known) == (False, (), 0)
    assert [one.sync_run for one in seen.incidents] == [""]
    desk.live.end()
    desk.live.decide(desk.run.close)
    seen = desk.live.snapshot()
    assert (seen.exposures, seen.synchronises, seen.cells) == (1, False, ())


def test_decided(desk: Desk) -> None:
    """When the load has ended a run is being decided, and then its snapshot is that of its verdict."""
    desk.live.start()
    desk.two_right()
    desk.target.told = [sync_run("S1", 120, 180)]
    desk.until(lambda seen: bool(seen.exposures and seen.series))
    desk.live.end()
    deciding = desk.live.snapshot()
    assert (deciding.state, deciding.phase, deciding.verdict) == ("deciding", "", None)
    assert desk.live.snapshot().elapsed_s == deciding.elapsed_s
    assert desk.live.decide(desk.run.close).verdict == "PASS"
    seen = desk.live.snapshot()
    assert (seen.state, seen.verdict, seen.exit_code, seen.exposures) == ("decided", "PASS", 0, 1)
    assert seen.outcomes == (OutcomeCount(outcome=Outcome.OK, kind=KIND, number=2),)
    assert seen.latency is not None
    assert sum(seen.latency.counts) == 2
    assert seen.elapsed_s is not None
    assert seen.series


def test_others_go_on_while_it_is_decided(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision may take minutes; meanwhile everybody else goes on and sees that the run is being decided."""
    goes_on = threading.Event()
    decide = examine

    def wait_and_decide(directory: Path) -> Decision:
        assert goes_on.wait(20)
        return decide(directory)

    def look() -> None:
        desk.until(lambda seen: seen.state == "deciding")
        goes_on.set()

    monkeypatch.setattr(harness.run, "examine", wait_and_decide)
    desk.live.start()
    desk.two_right()
    desk.live.end()
    looking = gevent.spawn(look)
    verdict = desk.live.decide(lambda: desk.run.close(beside=in_a_thread))
    looking.get()
    assert desk.live.snapshot().verdict == verdict.verdict


def test_decision_that_fails(capfd: pytest.CaptureFixture[str]) -> None:
    """What a decision raises in its thread is raised where it is waited for, and said nowhere else."""

    def fail() -> None:
        raise LedgerError("cannot read run.json")

    with pytest.raises(LedgerError, match=r"cannot read run\.json"):
        in_a_thread(fail)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("misissued", "word", "code"), [(False, None, 4), (True, "FAIL", 1)])
def test_no_verdict(desk: Desk, misissued: bool, word: str | None, code: int) -> None:
    """Where no verdict can be made, that is seen, and nothing looks clean; what was handed out does not come back."""
    desk.live.start()
    if misissued:
        desk.hand_out("A1", paper("X"))
    desk.live.end()

    def close() -> Verdict:
        raise LedgerError("cannot read run.json")

    with pytest.raises(LedgerError):
        desk.live.decide(close)
    seen = desk.live.snapshot()
    assert (seen.state, seen.verdict, seen.exit_code) == ("decided", word, code)
    assert seen.faults[-1] == "no verdict: cannot read run.json"


def test_whatever_the_target_does(desk: Desk) -> None:
    """A target that cannot be asked, or tells nonsense, is a fault that is seen; the run is followed all the same."""
    desk.target.broken = {"new_sync_runs"}
    desk.live.start()
    seen = desk.until(lambda seen: bool(seen.faults))
    assert seen.faults == ("OSError when the target was asked what is new: new_sync_runs is broken",)
    desk.target.broken = set()
    desk.target.told = [sync_run("S1", 120, 180)]
    assert desk.until(lambda seen: seen.sync_runs == 1).faults == seen.faults


def test_fault_of_our_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong while the run is followed is a fault, so that the run cannot pass, and not the end of it."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the history is broken")

    monkeypatch.setattr("harness.live.history.History.add", fail)
    desk.live.start()
    seen = desk.until(lambda seen: bool(seen.faults))
    assert seen.faults == ("ZeroDivisionError while the run was followed: the history is broken",)
    desk.target.told = [sync_run("S1", 120, 180)]
    desk.until(lambda seen: seen.sync_runs == 1)


def test_end_in_the_midst(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the target is telling when the load ends is told to its end, for it is told only once."""
    events = [PrintEvent(nonce="A1.1", point="applied", at_ns=number) for number in range(3)]
    asked = []

    def tell() -> Iterator[PrintEvent]:
        asked.append(True)
        for event in events if len(asked) == 1 else ():
            yield event
            gevent.sleep(0.01)

    monkeypatch.setattr(desk.target, "new_print_events", tell)
    desk.live.start()
    desk.until(lambda _: bool(asked))
    desk.live.end()
    desk.run.close()
    kept = read_segment(desk.run.directory / "segments" / "target.jsonl")[0]
    assert [record for record in kept if isinstance(record, PrintEvent)] == events


def test_many_who_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many look at a run, nothing is counted again before some time has passed."""
    assert desk.live.snapshot() is not desk.live.snapshot()
    monkeypatch.setattr(harness.load.live, "_FRESH_S", 3600.0)
    assert desk.live.snapshot() is desk.live.snapshot()
