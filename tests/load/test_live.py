"""What the owner of a run knows of it while it goes on."""

from pathlib import Path

import pytest

import harness.load.live
from harness.criteria import Criteria
from harness.load.live import Live
from harness.load.plan import Phase, Plan
from harness.outcome import Outcome
from harness.records import Application
from harness.run import JudgedRun
from harness.snapshot import OutcomeCount
from harness.target import Answer
from tests.harness.builders import KIND, paper
from tests.harness.stub import StubTarget

PLAN = Plan((Phase(name="calm", seconds=60.0, think_s=0.0), Phase(name="burst", seconds=60.0, think_s=0.0)))


class Desk:
    """A run of one process whose prints a test makes."""

    def __init__(self, directory: Path) -> None:
        self.target = StubTarget()
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
        self.live = Live(self.run, PLAN, lambda: 3)

    def answer(self, name: str, answer: Answer, applicant: str = "A", group: str = "G1") -> None:
        """The end of an application."""
        application = Application(application=name, applicant=applicant, group=group, kind=KIND)
        self.recorder.segment.issued += 1
        self.recorder.record(application, 100, 200, answer)

    def hand_out(self, name: str, document: bytes) -> None:
        """A document to A."""
        self.answer(name, Answer(document=document))
        self.recorder.settle()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """One whose snapshot is made anew each time."""
    monkeypatch.setattr(harness.load.live, "_FRESH_S", -1.0)
    return Desk(tmp_path)


def test_running(desk: Desk) -> None:
    """While a run goes on its attempts are counted, and what is unknown is None."""
    desk.hand_out("A1", paper("A"))
    desk.answer("A2", Answer(error="no image"))
    desk.recorder.segment.issued += 1
    seen = desk.live.snapshot()
    assert (seen.state, seen.verdict, seen.exit_code, seen.reasons) == ("running", None, None, ())
    assert (seen.issued, seen.in_flight, seen.prints_judged, seen.misissued, seen.users) == (3, 1, 1, 0, 3)
    assert {(count.outcome, count.number) for count in seen.outcomes} == {(Outcome.OK, 1), (Outcome.ERROR_FINAL, 1)}
    assert (seen.exposures, seen.bound_upper, seen.latency) == (None, None, None)
    assert (seen.phase, seen.planned_s, seen.confidence) == ("calm", 120.0, 0.9)
    assert desk.run.close().verdict == "INCONCLUSIVE"


def test_misissuance_while_it_goes_on(desk: Desk) -> None:
    """A misissuance makes the verdict FAIL while the run goes on."""
    desk.hand_out("A1", paper("X"))
    seen = desk.live.snapshot()
    assert (seen.verdict, seen.misissued, seen.papers) == ("FAIL", 1, 1)


def test_decided(desk: Desk) -> None:
    """When the load has ended a run is being decided, and then its snapshot is that of its verdict."""
    desk.hand_out("A1", paper("A"))
    desk.answer("A2", Answer(document=paper("X")), "X", "G2")
    desk.live.deciding()
    deciding = desk.live.snapshot()
    assert (deciding.state, deciding.phase, deciding.verdict) == ("deciding", "", None)
    desk.live.decided(desk.run.close())
    seen = desk.live.snapshot()
    assert (seen.state, seen.verdict, seen.exit_code, seen.exposures) == ("decided", "PASS", 0, 1)
    assert seen.outcomes == (OutcomeCount(outcome=Outcome.OK, kind=KIND, number=2),)
    assert seen.elapsed_s is not None


def test_many_who_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many look at a run, nothing is counted again before some time has passed."""
    assert desk.live.snapshot() is not desk.live.snapshot()
    monkeypatch.setattr(harness.load.live, "_FRESH_S", 3600.0)
    assert desk.live.snapshot() is desk.live.snapshot()
