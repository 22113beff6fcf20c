"""A judged run: whatever goes wrong on the way, it ends with a verdict that knows of it."""

import shutil
import stat
import time
from pathlib import Path

import msgspec
import pytest

import harness.run
from harness.criteria import Criteria
from harness.evidence.ledger import RUN_FILE, VERDICT_FILE, LedgerError, read_run
from harness.evidence.reader import read_evidence
from harness.evidence.recorder import Recorder
from harness.gate import decide, examine
from harness.records import Application, ErrorNotice
from harness.report.files import junit_of, markdown_of
from harness.run import JudgedRun
from harness.target import Answer, Target, TargetError
from harness.verdict import Verdict
from tests.harness.builders import HOME, KIND, OTHER, change, paper, sentences, sync_run
from tests.harness.stub import StubTarget


def make(target: Target, directory: Path, criteria: Criteria | None = None) -> JudgedRun:
    return JudgedRun(
        target,
        directory,
        profile="test",
        seed=7,
        parameters={"users": 2},
        criteria=criteria or Criteria(self_test=False),
        planned_s=1.5,
    )


@pytest.fixture
def target() -> StubTarget:
    return StubTarget()


@pytest.fixture
def opened(target: StubTarget, tmp_path: Path) -> JudgedRun:
    """A run that was opened."""
    run = make(target, tmp_path / "run")
    run.open()
    run.open_recorder()
    return run


def recorder(run: JudgedRun) -> Recorder:
    """Of this process."""
    assert run.recorder is not None
    return run.recorder


def hand_out(run: JudgedRun, name: str, applicant: str, group: str, document: bytes) -> None:
    application = Application(application=name, applicant=applicant, group=group, kind=KIND)
    recorder(run).segment.issued += 1
    recorder(run).record(application, 100, 200, Answer(document=document))


def two_right(run: JudgedRun) -> None:
    """Two right prints at once, during the sync run that the target tells of."""
    hand_out(run, "A1", "A", "G1", paper("A"))
    hand_out(run, "A2", "X", "G2", paper("X"))


def test_pass(opened: JudgedRun, target: StubTarget) -> None:
    """A run opens its target, keeps its evidence, closes its target and says the verdict that the gate says again."""
    two_right(opened)
    verdict = opened.close()
    assert verdict.verdict == "PASS"
    assert (target.calls[0], target.calls.count("close")) == ("open", 1)
    assert decide(opened.directory) == verdict
    told = msgspec.json.decode((opened.directory / VERDICT_FILE).read_bytes(), type=Verdict)
    assert told == verdict


def test_fail(opened: JudgedRun) -> None:
    """Somebody else's paper is an incident, and its document is kept."""
    two_right(opened)
    hand_out(opened, "A3", "A", "G1", paper("X"))
    verdict = opened.close()
    assert verdict.verdict == "FAIL"
    assert [(incident.recipient, incident.owners) for incident in verdict.incidents] == [("A", ("X",))]
    assert (opened.directory / "incidents" / "A3.1.document").read_bytes() == paper("X")


def test_description(opened: JudgedRun) -> None:
    """run.json names everything that is needed to make the run again."""
    two_right(opened)
    opened.close()
    run = read_run(opened.directory)
    assert (run.profile, run.target, run.seed, run.planned_s) == ("test", "stub", 7, 1.5)
    assert run.parameters == {"users": 2, "settings": {"build": "stub"}}
    assert (run.ended, run.faults, run.died) == ("complete", (), "")
    assert run.segments == ("target", "load-1")
    assert run.command


def test_versions(opened: JudgedRun) -> None:
    """run.json names the versions of everything that the evidence and the documents depend on."""
    opened.close()
    assert set(read_run(opened.directory).versions) >= {
        "python",
        "misissue",
        "locust",
        "gevent",
        "geventhttpclient",
        "msgspec",
        "xxhash",
        "reportlab",
    }


def test_private(opened: JudgedRun) -> None:
    """The run directory, the segments and the verdict are for their owner's eyes alone."""
    two_right(opened)
    opened.close()
    assert stat.S_IMODE(opened.directory.stat().st_mode) == 0o700
    files = [path for path in opened.directory.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {VERDICT_FILE, RUN_FILE, "target.jsonl", "load-1.jsonl"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_reports(opened: JudgedRun) -> None:
    """Every run leaves JUnit XML and Markdown, those that `misissue gate` would make of its ledger."""
    two_right(opened)
    opened.close()
    decision = examine(opened.directory)
    assert (opened.directory / "junit.xml").read_bytes() == junit_of(decision, opened.language)
    assert (opened.directory / "summary.md").read_text(encoding="utf-8") == markdown_of(decision, opened.language)


def test_groups_and_notices(opened: JudgedRun, target: StubTarget) -> None:
    """Who may receive whose documents is on record, and so is what the target tells at the end."""
    target.told.append(ErrorNotice(nonce="A1.1", code="E", at_ns=5))
    opened.close()
    evidence = read_evidence(opened.directory)
    assert evidence.register.permitted("G1") == set(HOME.persons)
    assert evidence.register.permitted("G2") == set(OTHER.persons)
    assert evidence.sync_runs == [sync_run()]
    assert evidence.notices == [ErrorNotice(nonce="A1.1", code="E", at_ns=5)]


def test_killed(opened: JudgedRun) -> None:
    """A run that never came to its close is INCONCLUSIVE for whoever looks at it."""
    two_right(opened)
    recorder(opened).settle()
    recorder(opened).segment.flush()
    verdict = decide(opened.directory)
    assert (verdict.verdict, verdict.exit_code) == ("INCONCLUSIVE", 3)
    assert any("the run did not end" in reason for reason in sentences(verdict))


def test_interrupted(opened: JudgedRun) -> None:
    """A run that was stopped before its plan was through cannot pass."""
    two_right(opened)
    verdict = opened.close("interrupted")
    assert verdict.verdict == "INCONCLUSIVE"
    assert read_run(opened.directory).ended == "interrupted"


def test_in_flight(opened: JudgedRun) -> None:
    """A print that was sent and never answered cannot be passed over."""
    two_right(opened)
    recorder(opened).segment.issued += 1
    verdict = opened.close()
    assert (verdict.verdict, verdict.in_flight_at_stop) == ("INCONCLUSIVE", 1)


@pytest.mark.parametrize("broken", ["marks", "expected", "failure", "close"])
def test_fault_at_the_end(opened: JudgedRun, target: StubTarget, broken: str) -> None:
    """Whatever throws at the end is a fault; the target is closed and the verdict written all the same."""
    two_right(opened)
    target.broken = {broken}
    verdict = opened.close()
    assert verdict.verdict == "INCONCLUSIVE"
    assert any(f"OSError at the end of the run: {broken} is broken" in reason for reason in sentences(verdict))
    assert (opened.directory / VERDICT_FILE).is_file()
    assert target.calls[-1] == "close"


def test_fault_and_misissuance(opened: JudgedRun, target: StubTarget) -> None:
    """A misissuance that was settled before the truth broke is a FAIL."""
    hand_out(opened, "A9", "A", "G1", paper("X"))
    recorder(opened).settle()
    target.broken = {"marks", "expected", "new_sync_runs", "close"}
    two_right(opened)
    verdict = opened.close()
    assert (verdict.verdict, verdict.exit_code) == ("FAIL", 1)
    assert verdict.in_flight_at_stop == 1  # the paper of X was known by then, that of A was not


def test_fault_during_the_run(opened: JudgedRun) -> None:
    """A fault that was noted during the run keeps it from passing."""
    two_right(opened)
    recorder(opened).add_fault("a listener threw")
    opened.add_fault("so did another")
    verdict = opened.close()
    assert verdict.verdict == "INCONCLUSIVE"
    assert set(sentences(verdict)) == {"evidence: load-1: a listener threw", "evidence: so did another"}


def test_target_died(opened: JudgedRun, target: StubTarget) -> None:
    """A target that died is dead for good, by the first reason, and the run ends with 4."""
    two_right(opened)
    assert opened.check_target()
    target.dead = "the AP server ended"
    assert not opened.check_target()
    for later in ("", "the registry ended too"):
        target.dead = later
        assert not opened.check_target()
    verdict = opened.close()
    assert (verdict.verdict, verdict.exit_code) == ("INCONCLUSIVE", 4)
    assert sentences(verdict)[0].startswith("the target died after ")
    assert sentences(verdict)[0].endswith(": the AP server ended")


def test_waits_for_the_synchronisation(opened: JudgedRun, target: StubTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """The target is asked for the rest once every change has been synchronised, however late that is."""
    target.told = []
    two_right(opened)
    recorder(opened).add_change(change(2, sent_ns=110))
    pauses: list[float] = []

    def synchronise(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            target.told.append(sync_run(applied=[("G1", 2)]))

    monkeypatch.setattr(time, "sleep", synchronise)
    assert opened.close().verdict == "PASS"
    assert len(pauses) == 3
    assert read_evidence(opened.directory).sync_runs == [sync_run(applied=[("G1", 2)])]


def test_synchronised_long_ago(opened: JudgedRun, target: StubTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was synchronised while the run went on is not waited for at its end."""
    two_right(opened)
    recorder(opened).add_change(change(2, sent_ns=110))
    target.told = [sync_run(applied=[("G1", 2)])]
    opened.pull()

    def pause(_: float) -> None:
        raise AssertionError("nothing has to be waited for")

    monkeypatch.setattr(time, "sleep", pause)
    assert opened.close().verdict == "PASS"


def test_ledger_of_the_run_so_far(opened: JudgedRun, target: StubTarget) -> None:
    """What the target tells is on record, once, as soon as it was asked for; the ledger shows that more may come."""
    target.told = [sync_run("S1"), ErrorNotice(nonce="A1.1", code="E", at_ns=5)]
    opened.pull()
    opened.pull()
    target.told = [sync_run("S2")]
    opened.pull()
    evidence = read_evidence(opened.directory)
    assert evidence.sync_runs == [sync_run("S1"), sync_run("S2")]
    assert evidence.notices == [ErrorNotice(nonce="A1.1", code="E", at_ns=5)]
    assert "segment target was never closed" in evidence.faults
    opened.close()
    assert read_evidence(opened.directory).sync_runs == [sync_run("S1"), sync_run("S2")]


def test_run_that_cannot_begin(opened: JudgedRun, target: StubTarget) -> None:
    """A run that is given up before it begins stops its target, and never looks like one that has ended."""
    opened.abandon()
    assert target.calls[-1] == "close"
    assert decide(opened.directory).verdict == "INCONCLUSIVE"


def test_never_synchronised(opened: JudgedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that is never synchronised leaves open which version is right, which is a fault."""
    monkeypatch.setattr(harness.run, "_SYNC_LIMIT_S", 0.01)
    two_right(opened)
    recorder(opened).add_change(change(2, sent_ns=110))
    verdict = opened.close()
    assert verdict.verdict == "INCONCLUSIVE"
    assert "evidence: changes were not synchronised within 0.01 s of the end" in sentences(verdict)


def test_criteria(target: StubTarget, tmp_path: Path) -> None:
    """The criteria of the run are kept with it, so that the gate says the same again."""
    run = make(target, tmp_path / "run", Criteria(confidence=0.99))
    run.open()
    run.open_recorder()
    two_right(run)
    verdict = run.close()
    assert verdict.bound.confidence == 0.99
    assert decide(run.directory) == verdict


class Unstartable(StubTarget):
    """Cannot be started."""

    def open(self, directory: Path) -> dict[str, object]:
        raise TargetError(f"no PostgreSQL below {directory}; install it")


def test_target_that_cannot_be_opened(tmp_path: Path) -> None:
    """A target that cannot be opened leaves the description of a run that never ended, and says why."""
    with pytest.raises(TargetError, match="install it"):
        make(Unstartable(), tmp_path / "run").open()
    assert read_run(tmp_path / "run").ended is None
    assert decide(tmp_path / "run").verdict == "INCONCLUSIVE"


def test_target_that_opens_and_then_fails(target: StubTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that was started is stopped again when what was started cannot be put on record."""
    run = make(target, tmp_path / "run")

    def vanish(directory: Path) -> dict[str, object]:
        shutil.rmtree(directory.parent)
        return {}

    monkeypatch.setattr(target, "open", vanish)
    with pytest.raises(LedgerError, match="cannot write"):
        run.open()
    assert target.calls == ["close"]


def test_self_test_at_the_end(target: StubTarget, tmp_path: Path) -> None:
    """A run that was too short for its self-test makes it when it is closed."""
    run = make(target, tmp_path / "run", Criteria())
    run.open()
    run.open_recorder()
    two_right(run)
    verdict = run.close()
    assert verdict.verdict == "PASS", verdict.reasons
    assert verdict.processes["load-1"].self_test == "caught"
    assert verdict.prints_judged == 2


def test_segments_are_listed_before_they_are_written(opened: JudgedRun) -> None:
    """A segment that never comes into being is missed, for it is listed first."""
    assert opened.add_segment() == "load-2"
    assert read_run(opened.directory).segments == ("target", "load-1", "load-2")
    two_right(opened)
    assert any("segment load-2 cannot be read" in reason for reason in sentences(opened.close()))


def test_changes_of_other_processes(opened: JudgedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run waits for the synchronisation of changes that other processes sent, too."""
    monkeypatch.setattr(harness.run, "_SYNC_LIMIT_S", 0.01)
    two_right(opened)
    opened.expect_versions({"G1": 5})
    assert "evidence: changes were not synchronised within 0.01 s of the end" in sentences(opened.close())


def test_stopped(opened: JudgedRun) -> None:
    """A run that was stopped at its first misissuance says so, and cannot pass without one."""
    two_right(opened)
    verdict = opened.close("stopped")
    assert verdict.verdict == "INCONCLUSIVE"
    assert sentences(verdict) == ("evidence: the run was stopped at its first misissuance, as was asked for",)


@pytest.mark.parametrize(("document", "verdict"), [("A", None), ("X", "FAIL")])
def test_verdict_that_cannot_be_written(
    opened: JudgedRun, monkeypatch: pytest.MonkeyPatch, document: str, verdict: str | None
) -> None:
    """Where the disk takes no verdict a misissuance is told all the same, and anything else is no verdict."""
    two_right(opened)
    hand_out(opened, "A3", "A", "G1", paper(document))

    def refuse(*_: object) -> None:
        raise LedgerError("cannot write verdict.json: No space left on device")

    monkeypatch.setattr(harness.run, "write_verdict", refuse)
    if verdict is None:
        with pytest.raises(LedgerError, match="No space left"):
            opened.close()
    else:
        assert opened.close().verdict == verdict


def test_directory_in_use(opened: JudgedRun) -> None:
    """A directory that holds a run is refused before the target is started."""
    opened.close()
    second = StubTarget()
    with pytest.raises(LedgerError, match="holds a run already"):
        make(second, opened.directory).open()
    assert second.calls == []


def test_clock(opened: JudgedRun) -> None:
    """The plan's time goes on from when it was last restarted."""
    before = opened.elapsed_s
    assert opened.elapsed_s >= before >= 0
    opened.started_ns -= 3_000_000_000
    assert opened.elapsed_s >= 3
    opened.restart_clock()
    assert opened.elapsed_s < 3
    opened.close()
