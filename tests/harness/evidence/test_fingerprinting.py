"""Documents whose fingerprints are slow or cannot be made are recorded like any others, later, and never as right."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import ClassVar

import msgspec
import pytest

from harness.evidence.fingerprinting import Fingerprinting, Read
from harness.evidence.recorder import Recorder
from harness.evidence.segment import SegmentReader, SegmentWriter
from harness.fingerprint import Fingerprint, UnreadableError
from harness.fingerprint.exact import checksum, is_unreadable
from harness.fingerprint.marks import MarkReader
from harness.outcome import Outcome
from harness.records import Application, Document, Fault, Print
from harness.target import Answer
from tests.harness.builders import CLOCK, HOME, KIND, OTHER, RUN, entry, paper
from tests.harness.fingerprint.masks import Troubled
from tests.harness.stub import StubTarget

SLOW = Fingerprint([Troubled()])


class SlowWords(msgspec.Struct, frozen=True):
    """The words of a text, as if they were hard to find; of "no text" none."""

    is_slow: ClassVar[bool] = True

    def texts(self, document: bytes) -> tuple[str, ...]:
        if document == b"no text":
            raise UnreadableError("no text")
        return (document.decode(),)


class Desk:
    """A recorder of a target that tells documents apart by a fingerprint."""

    def __init__(self, directory: Path, fingerprint: Fingerprint) -> None:
        self.target = StubTarget()
        self.target.fingerprint = fingerprint
        self.incidents = directory / "incidents"
        self.incidents.mkdir()
        self.writer = SegmentWriter(directory, "load-1", run=RUN, clock=CLOCK, checksum=fingerprint.name)
        self.recorder = Recorder(self.target, self.writer, self.incidents)
        for group in (HOME, OTHER):
            self.recorder.add_group(group)

    def hand_out(self, name: str, document: bytes, applicant: str = "A") -> None:
        """A document that came of an application."""
        application = Application(application=name, applicant=applicant, group="G1", kind=KIND)
        self.writer.issued += 1
        self.recorder.record(application, 100, 200, Answer(document=document))

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Of the attempts that are settled."""
        return {outcome: sum(kinds.values()) for outcome, kinds in self.recorder.tally().outcomes.items()}

    def prints(self) -> list[Print]:
        """The prints on record."""
        self.writer.flush()
        return [record for record in SegmentReader(self.writer.path) if isinstance(record, Print)]


@pytest.fixture
def made() -> Iterator[list[Desk]]:
    """What a test starts has ended when it has."""
    desks: list[Desk] = []
    yield desks
    for desk in desks:
        desk.recorder.close()


@pytest.fixture
def slow(tmp_path: Path, made: list[Desk]) -> Desk:
    """Every checksum is made by another process."""
    made.append(Desk(tmp_path, SLOW))
    return made[0]


def test_settled_later(slow: Desk) -> None:
    """Nothing is on record before its checksum is there; then it is what it would have been, self-test included."""
    slow.hand_out("A1", paper("A"))
    slow.hand_out("A2", paper("A"), applicant="B")
    slow.hand_out("A3", paper("X"))
    assert not slow.outcomes
    slow.recorder.settle_all()
    assert slow.outcomes == {"ok": 1, "misdelivered": 1, "wrong_person": 1}
    assert [print_.checksum for print_ in slow.prints()] == [checksum(paper(person)) for person in "AAX"]
    assert slow.recorder.plant_self_test(Random(1), 150)
    slow.recorder.settle_all()
    assert slow.recorder.self_test == "caught"
    assert slow.recorder.faults == []
    assert {path.name for path in slow.incidents.iterdir()} == {
        *("A2.1.document", "A2.1.right.document", "A3.1.document", "A3.1.right.document")
    }


def test_in_their_order(slow: Desk) -> None:
    """They come back in the order in which they went, and each with its own checksum."""
    documents = [paper("A", options=(str(number),)) for number in range(50)]
    for number, document in enumerate(documents):
        slow.hand_out(f"A{number}", document)
        slow.recorder.settle()
    slow.recorder.settle_all()
    assert [print_.checksum for print_ in slow.prints()] == list(map(checksum, documents))
    assert [print_.application for print_ in slow.prints()] == [f"A{number}" for number in range(50)]


def test_the_process_fails(slow: Desk) -> None:
    """What was made before is judged; the rest is undecided, though it may have been right, and the run has a fault."""
    slow.hand_out("A1", paper("A"))
    slow.recorder.settle_all()
    for name, document in (("A2", b"say and die"), ("A3", paper("A")), ("A4", paper("X"))):
        slow.hand_out(name, document)
    slow.recorder.settle_all()
    slow.hand_out("A5", paper("A"))
    slow.recorder.settle_all()
    assert slow.outcomes == {"ok": 1, "undecided": 4}
    assert slow.recorder.faults == ["the process that makes fingerprints has failed: no more"]
    assert all(is_unreadable(print_.checksum) for print_ in slow.prints()[1:])
    assert (slow.incidents / "A3.1.document").read_bytes() == paper("A")
    faults = [record for record in SegmentReader(slow.writer.path) if isinstance(record, Fault)]
    assert len(faults) == 1


def test_too_many_wait() -> None:
    """What there is no room for is told as unreadable, with the reason and the cure; what is kept is made."""
    fingerprinting = Fingerprinting(SLOW, most_bytes=3 * 1024 * 1024)
    try:
        print_ = Print(application="A", sent_ns=1, answered_ns=2, applicant="A", group="G1", kind=KIND)
        for number in range(5):
            fingerprinting.want_checksum(print_, bytes([number]) * 1024 * 1024)
        assert fingerprinting.waiting == 5
        read: list[Read] = []
        while fingerprinting.waiting:
            read += fingerprinting.take()
        readable = sorted(one.document[0] for one in read if not is_unreadable(one.print_.checksum))
        assert readable == [0, 1, 2]
        assert len(read) == 5
        (fault,) = fingerprinting.faults
        assert "more than 3 MB of them waited" in fault
        assert "right is a lower rate or a faster fingerprint" in fault
        fingerprinting.want_checksum(print_, b"x" * 4 * 1024 * 1024)  # larger than all the room there is, alone
        while fingerprinting.waiting:
            assert not any(is_unreadable(one.print_.checksum) for one in fingerprinting.take())
    finally:
        fingerprinting.close()


def test_slow_marks(tmp_path: Path, made: list[Desk]) -> None:
    """Marks that are slow to read are read of what nobody knows alone, by the other process and not by the target."""
    desk = Desk(tmp_path, Fingerprint(reader=MarkReader("torn paper of (?P<person>.)", SlowWords())))
    made.append(desk)
    desk.target.broken = {"marks"}
    for name, document in (
        *(("A1", paper("A")), ("A2", b"torn paper of X"), ("A3", b"torn paper of A")),
        *(("A4", b"no text"), ("A5", paper("A"))),
    ):
        desk.hand_out(name, document)
    desk.recorder.settle_all()
    assert desk.outcomes == {"ok": 2, "wrong_person": 1, "torn": 1, "undecided": 1}
    shown = {print_.application: [mark.persons for mark in print_.marks] for print_ in desk.prints()}
    assert shown == {"A1": [], "A2": [("X",)], "A3": [("A",)], "A4": [], "A5": []}
    assert desk.recorder.faults == []


class Picky(msgspec.Struct, frozen=True):
    """Takes the stamp off what has one, and reads nothing else."""

    is_slow: ClassVar[bool] = False
    name: ClassVar[str] = "picky"

    def apply(self, content: bytes) -> bytes:
        text, stamp, _ = content.partition(b" stamped ")
        if not stamp:
            raise UnreadableError("no stamp")
        return text


def test_masked(tmp_path: Path, made: list[Desk]) -> None:
    """With its mask a document is right whatever varies; an unreadable one is undecided and kept, and never right."""
    desk = Desk(tmp_path, Fingerprint([Picky()], MarkReader("of (?P<person>.)")))
    made.append(desk)
    desk.target.marks_of = {paper("A"): desk.target.fingerprint.marks(paper("A")), b"of X": ()}
    desk.hand_out("A1", paper("A") + b" stamped 10:01")
    desk.hand_out("A2", paper("A") + b" stamped 10:02")
    desk.hand_out("A3", paper("A"))  # what the mask would leave, and unreadable all the same
    desk.recorder.settle()
    assert desk.outcomes == {"ok": 2, "undecided": 1}
    (unreadable,) = (print_ for print_ in desk.prints() if print_.application == "A3")
    assert is_unreadable(unreadable.checksum)
    assert unreadable.marks == ()
    assert (desk.incidents / "A3.1.document").read_bytes() == paper("A")
    assert [record for record in SegmentReader(desk.writer.path) if isinstance(record, Document)] == [entry("A")]


def test_fast_ones_need_no_process(tmp_path: Path, made: list[Desk]) -> None:
    """Where nothing is slow nothing is started."""
    made.append(Desk(tmp_path, Fingerprint([Picky()], MarkReader("of (?P<person>.)"))))
    children = Path("/proc/thread-self/children").read_text().split()
    assert not any(b"harness.fingerprint.worker" in Path(f"/proc/{child}/cmdline").read_bytes() for child in children)
