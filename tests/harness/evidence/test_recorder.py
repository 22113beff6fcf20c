"""Answers become evidence: known ones at once, unknown ones after one question, and none is ever lost or doubled."""

import errno
import os
import stat
from pathlib import Path
from random import Random

import pytest

from harness.evidence.ledger import LedgerError
from harness.evidence.recorder import RIGHT_DOCUMENTS, Recorder
from harness.evidence.segment import SegmentReader, SegmentWriter
from harness.outcome import Outcome
from harness.records import Application, Batch, Change, Document, Evidence, Fault, Group, Print, SelfTest
from harness.register import RegisterError
from harness.target import Answer
from tests.harness.builders import CLOCK, HOME, KIND, OTHER, RUN, change, entry, mark, paper, register
from tests.harness.stub import StubTarget


class Desk:
    """A recorder with its target, its ledger and its incidents."""

    def __init__(self, directory: Path) -> None:
        self.target = StubTarget()
        self.writer = SegmentWriter(directory, "load-1", run=RUN, clock=CLOCK)
        self.incidents = directory / "incidents"
        self.incidents.mkdir()
        self.recorder = Recorder(self.target, self.writer, self.incidents)
        for group in (HOME, OTHER):
            self.recorder.add_group(group)

    def answer(self, name: str, answer: Answer, applicant: str = "A") -> None:
        """The answer to an application of A, or of another."""
        application = Application(application=name, applicant=applicant, group="G1", kind=KIND)
        self.writer.issued += 1
        self.recorder.record(application, 100, 200, answer)

    def hand_out(self, name: str, document: bytes, applicant: str = "A") -> None:
        """A document as the answer."""
        self.answer(name, Answer(document=document), applicant)

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Of the attempts that are settled."""
        return {outcome: sum(kinds.values()) for outcome, kinds in self.recorder.tally().outcomes.items()}

    def ledger(self) -> list[Evidence]:
        """What is on record now, without the groups and the ends of batches."""
        self.writer.flush()
        return [record for record in SegmentReader(self.writer.path) if not isinstance(record, Group | Batch)]

    def prints(self) -> list[Print]:
        """The prints on record now."""
        return [record for record in self.ledger() if isinstance(record, Print)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_unknown_is_asked_once(desk: Desk) -> None:
    """The first document of its kind waits for the target's truth; the next ones are judged at once, without a word."""
    desk.hand_out("A1", paper("A"))
    assert desk.prints() == []
    assert not desk.outcomes
    desk.recorder.settle()
    assert desk.outcomes == {"ok": 1}
    desk.hand_out("A2", paper("A"))
    assert desk.outcomes == {"ok": 2}
    desk.recorder.settle()
    assert desk.target.calls == ["marks", "expected"]
    assert desk.ledger()[0] == entry("A")
    assert [print_.nonce for print_ in desk.prints()] == ["A1.1", "A2.1"]
    assert sum(isinstance(record, Document) for record in desk.ledger()) == 1


def test_two_of_the_same_unknown(desk: Desk) -> None:
    """Of several prints of the same unknown document the first is asked about and settles the others."""
    for name in ("A1", "A2", "A3"):
        desk.hand_out(name, paper("A"))
    desk.recorder.settle()
    assert desk.target.calls == ["marks", "expected"]
    assert desk.outcomes == {"ok": 3}


def test_print_on_record(desk: Desk) -> None:
    """A print is on record with whose it was, when, and what came: its checksum and size, never its bytes."""
    desk.hand_out("A1", paper("A"))
    desk.recorder.settle()
    (print_,) = desk.prints()
    assert (print_.applicant, print_.group, print_.kind, print_.attempt) == ("A", "G1", KIND, 1)
    assert (print_.sent_ns, print_.answered_ns, print_.answer) == (100, 200, "document")
    assert (print_.checksum, print_.size_bytes) == (entry("A").checksum, len(paper("A")))
    assert paper("A") not in desk.writer.path.read_bytes()


@pytest.mark.parametrize(
    ("answer", "kind", "text", "outcome"),
    [
        (Answer(error="no image"), "error", "no image", "error_final"),
        (Answer(refused="moved out"), "refused", "moved out", "undecided"),
        (Answer(unanswered="no answer"), "unanswered", "no answer", "error_final"),
        (Answer(nothing="accepted"), "nothing", "accepted", "lost"),
        (Answer(), "error", "", "error_final"),
    ],
)
def test_no_document(desk: Desk, answer: Answer, kind: str, text: str, outcome: str) -> None:
    """An answer without a document is on record at once, and nobody is asked."""
    desk.answer("A1", answer)
    (print_,) = desk.prints()
    assert (print_.answer, print_.error, print_.checksum, print_.size_bytes) == (kind, text, "", 0)
    assert desk.outcomes == {outcome: 1}
    assert desk.target.calls == []


def test_empty_document(desk: Desk) -> None:
    """An empty document is a document, and torn."""
    desk.hand_out("A1", b"")
    desk.recorder.settle()
    assert desk.outcomes == {"torn": 1}
    assert desk.prints()[0].answer == "document"


def test_marks_of_unknown_bytes_only(desk: Desk) -> None:
    """Marks are kept where no register entry explains the bytes, and nowhere else."""
    desk.target.marks_of = {paper("A"): (mark("A"),), paper("X"): (mark("X"),), b"?": (mark("A"), mark("X", page=2))}
    for name, document in (("A1", paper("A")), ("A2", paper("X")), ("A3", b"?")):
        desk.hand_out(name, document)
    desk.recorder.settle()
    assert [print_.marks for print_ in desk.prints()] == [(), (), (mark("A"), mark("X", page=2))]
    assert desk.outcomes == {"ok": 1, "wrong_person": 1, "mixed": 1}


def test_known_paper_of_a_stranger(desk: Desk) -> None:
    """A stranger's paper that is known already needs no question, and is an incident."""
    desk.hand_out("A1", paper("A"))
    desk.recorder.settle()
    desk.hand_out("A2", paper("A"), applicant="B")
    desk.recorder.settle()
    assert desk.target.calls == ["marks", "expected", "right_document"]
    assert desk.outcomes == {"ok": 1, "misdelivered": 1}


def test_documents_are_kept_of_incidents_only(desk: Desk) -> None:
    """The document of an incident is kept for its owner's eyes alone; a right one, being personal data, never is."""
    before = os.umask(0)
    try:
        for name, document in (("A1", paper("A")), ("A2", paper("X")), ("A3", b"?")):
            desk.hand_out(name, document)
        desk.answer("A4", Answer(error="no image"))
        desk.recorder.settle()
    finally:
        os.umask(before)
    kept = {path.name: path.read_bytes() for path in desk.incidents.iterdir()}
    assert kept == {"A2.1.document": paper("X"), "A2.1.right.document": paper("A"), "A3.1.document": b"?"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in desk.incidents.iterdir()} == {0o600}


def test_most_right_documents(desk: Desk) -> None:
    """What would have been right is asked for the first hundred misissuances only, and for no right document."""
    for number in range(RIGHT_DOCUMENTS + 20):
        desk.hand_out(f"A{number}", paper("X"))
        desk.hand_out(f"B{number}", paper("A"))
    desk.recorder.settle()
    assert desk.target.calls.count("right_document") == RIGHT_DOCUMENTS
    assert len(list(desk.incidents.glob("*.right.document"))) == RIGHT_DOCUMENTS
    assert len(list(desk.incidents.iterdir())) == 2 * RIGHT_DOCUMENTS + 20


def test_no_right_document(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the application had to be refused there is none, and no file."""
    monkeypatch.setattr(desk.target, "right_document", lambda _: None)
    desk.hand_out("A1", paper("X"))
    desk.recorder.settle()
    assert [path.name for path in desk.incidents.iterdir()] == ["A1.1.document"]


def test_right_document_that_cannot_be_had(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """That what would have been right is not known is told in the log, and takes nothing from the evidence."""
    desk.target.broken = {"right_document"}
    desk.hand_out("A1", paper("X"))
    desk.recorder.settle()
    assert caplog.messages == ["A1.1: what would have been right is not kept: right_document is broken"]
    assert (desk.outcomes, desk.recorder.faults) == ({"wrong_person": 1}, [])
    assert [path.name for path in desk.incidents.iterdir()] == ["A1.1.document"]


def test_right_document_that_does_not_fit_on_the_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what would have been right is not left for a picture of it."""
    write = Path.write_bytes

    def write_half(path: Path, data: bytes) -> int:
        if ".right." not in path.name:
            return write(path, data)
        write(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    desk.hand_out("A1", paper("X"))
    desk.recorder.settle()
    assert [path.name for path in desk.incidents.iterdir()] == ["A1.1.document"]


def test_self_test(desk: Desk) -> None:
    """A right document is recorded as a stranger's, caught, and counted nowhere else."""
    assert not desk.recorder.plant_self_test(Random(1), 300)
    desk.hand_out("A1", paper("A"))
    desk.recorder.settle()
    assert desk.recorder.plant_self_test(Random(1), 300)
    states: list[str] = [desk.recorder.self_test]
    desk.recorder.settle()
    assert desk.recorder.plant_self_test(Random(1), 400)
    desk.recorder.settle()
    assert [*states, desk.recorder.self_test] == ["planted", "caught"]
    assert (desk.outcomes, desk.recorder.tally().misissued, desk.writer.issued) == ({"ok": 1}, 0, 1)
    assert list(desk.incidents.iterdir()) == []
    (announced,) = [record for record in desk.ledger() if isinstance(record, SelfTest)]
    (planted,) = [print_ for print_ in desk.prints() if print_.application == announced.application]
    assert (planted.applicant, planted.group, planted.checksum) == ("X", "G2", entry("A").checksum)
    assert (planted.sent_ns, planted.answered_ns) == (300, 300)


def test_no_stranger_to_plant(tmp_path: Path) -> None:
    """Where everybody may see everything there is nothing to plant."""
    desk = Desk(tmp_path)
    desk.recorder.register = register(change(2, sent_ns=1, group="G2", persons=("A", "X")))
    desk.hand_out("A1", paper("A"))
    desk.recorder.settle()
    assert not desk.recorder.plant_self_test(Random(1), 300)
    assert desk.recorder.self_test == "none"


def test_faults_are_on_record(desk: Desk) -> None:
    """A fault is on record once, however often it occurs."""
    for text in ("it broke", "it broke", "it broke again"):
        desk.recorder.add_fault(text)
    assert [record.text for record in desk.ledger() if isinstance(record, Fault)] == ["it broke", "it broke again"]


def test_changes(desk: Desk) -> None:
    """A change is on record before it is sent and again when it was answered."""
    made = change(2, sent_ns=10, persons=("A", "B", "X"))
    desk.recorder.add_change(made)
    assert [record for record in desk.ledger() if isinstance(record, Change)] == [made]
    assert desk.recorder.register.newest_versions() == {"G1": 2}
    assert desk.recorder.register.permitted("G1") == {"A", "B", "X"}


@pytest.mark.parametrize("broken", ["marks", "expected"])
def test_truth_that_fails(desk: Desk, broken: str) -> None:
    """When the truth cannot be asked nothing is settled and nothing is lost; when it can be again all is settled."""
    desk.target.broken = {broken}
    desk.hand_out("A1", paper("A"))
    desk.hand_out("A2", paper("X"))
    for _ in range(2):
        with pytest.raises(OSError, match="is broken"):
            desk.recorder.settle()
    assert desk.prints() == []
    assert not desk.outcomes
    desk.answer("A3", Answer(error="no image"))
    desk.target.broken = set()
    desk.recorder.settle()
    assert [print_.nonce for print_ in desk.prints()] == ["A3.1", "A1.1", "A2.1"]
    assert desk.outcomes == {"ok": 1, "wrong_person": 1, "error_final": 1}


def test_truth_that_contradicts_itself(desk: Desk) -> None:
    """A truth that calls the same bytes two documents is not believed."""
    desk.target.documents = [entry("A"), entry("A", applicants=("X",))]
    desk.hand_out("A1", paper("A"))
    with pytest.raises(RegisterError, match="cannot be told apart"):
        desk.recorder.settle()


def test_full_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full for a while loses no print, and puts none on record twice."""

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    desk.target.documents += [entry("A", version=number) for number in range(2, 400)]
    for number in range(1, 400):
        desk.hand_out(f"A{number}", paper("A", version=number))
    failures = 0
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", refuse)
        for _ in range(400):
            try:
                desk.recorder.settle()
            except LedgerError:
                failures += 1
    assert failures > 1
    desk.recorder.settle()
    assert [print_.nonce for print_ in desk.prints()] == [f"A{number}.1" for number in range(1, 400)]
    assert desk.outcomes == {Outcome.OK: 399}
    desk.writer.close()
    reader = SegmentReader(desk.writer.path)
    assert len([record for record in reader if isinstance(record, Document)]) == 399
    assert reader.faults == []
