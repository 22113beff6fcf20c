"""Documents that follow a change wait until what is right has been learnt, and nobody is blamed or cleared before."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from harness.evidence.recorder import Recorder
from harness.evidence.segment import SegmentReader, SegmentWriter
from harness.evidence.waiting import Waiting
from harness.oracle import judge
from harness.records import Application, Change, Document, Print
from harness.relearning import Relearnt
from harness.target import Answer
from tests.harness.builders import CLOCK, HOME, KIND, OTHER, RUN, change, delivery, entry, mark, paper
from tests.harness.stub import StubTarget

NEW = paper("A", version=2)


class Changing(StubTarget):
    """A target whose household may have changed.

    Attributes:
        learns: what is learnt; may_follow: what it says of unknown documents; perhaps: what it says of old ones.
    """

    most_changes = 1

    def __init__(self) -> None:
        super().__init__()
        self.learns = Relearnt()
        self.may_follow = True
        self.perhaps: list[Document] = []
        self.noted: list[Change] = []
        self.asked: list[str] = []

    def note_change(self, change: Change) -> list[Document]:
        self.noted.append(change)
        return self.perhaps

    def awaits(self, print_: Print) -> bool:
        return self.may_follow and print_.group == "G1"

    def relearn(self, waiting: Sequence[Print]) -> Relearnt:
        self.asked = [print_.nonce for print_ in waiting]
        self._call("relearn")
        return self.learns


class Desk:
    """A recorder of a target that changes."""

    def __init__(self, directory: Path) -> None:
        self.target = Changing()
        self.incidents = directory / "incidents"
        self.incidents.mkdir()
        self.writer = SegmentWriter(directory, "load-1", run=RUN, clock=CLOCK)
        self.recorder = Recorder(self.target, self.writer, self.incidents)
        for group in (HOME, OTHER):
            self.recorder.add_group(group)

    def hand_out(self, name: str, document: bytes, applicant: str = "A", group: str = "G1") -> None:
        """A document as the answer."""
        application = Application(application=name, applicant=applicant, group=group, kind=KIND)
        self.recorder.record(application, 100, 200, Answer(document=document))
        self.recorder.settle()

    def end(self) -> dict[str, int]:
        """How many attempts ended so, when all is settled."""
        self.recorder.relearn()
        self.recorder.settle_waiting()
        return self.outcomes

    @property
    def outcomes(self) -> dict[str, int]:
        return {outcome.value: sum(kinds.values()) for outcome, kinds in self.recorder.tally().outcomes.items()}

    def prints(self) -> list[Print]:
        """On record, with what they showed."""
        self.writer.flush()
        return [record for record in SegmentReader(self.writer.path) if isinstance(record, Print)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_learnt(desk: Desk) -> None:
    """What turns out to be right was right from the beginning; its bytes are looked at once and kept nowhere."""
    for name in ("A1", "A2", "A3"):
        desk.hand_out(name, NEW)
    assert desk.outcomes == {}
    assert desk.target.calls.count("marks") == 1
    desk.target.learns = Relearnt(documents=[entry("A", version=2)])
    assert desk.end() == {"ok": 3}
    assert sorted(desk.target.asked) == ["A1.1", "A2.1", "A3.1"]
    assert list(desk.incidents.iterdir()) == []
    assert len(desk.prints()) == 3


def test_not_learnt(desk: Desk) -> None:
    """What was not learnt is undecided, whatever its marks say of its own people, and one of a kind is kept."""
    desk.target.marks_of[NEW] = (mark("A"),)
    desk.target.learns = Relearnt(faults=["not alike"])
    desk.hand_out("A1", NEW)
    desk.hand_out("A2", NEW)
    assert desk.end() == {"undecided": 2}
    assert len(list(desk.incidents.iterdir())) == 1
    assert {print_.marks for print_ in desk.prints()} == {()}
    assert desk.recorder.faults == ["not alike"]


def test_neither_old_nor_new(desk: Desk) -> None:
    """Where the new version is known, and nothing in between can be meant, bytes that are neither are torn."""
    torn = NEW[:-3]
    desk.target.marks_of[torn] = (mark("A"),)
    desk.hand_out("A1", torn)
    desk.target.may_follow = False
    assert desk.end() == {"torn": 1}


def test_a_stranger_waits_for_nothing(desk: Desk) -> None:
    """Whose data it is tells a misissuance, of whatever version."""
    desk.target.marks_of[NEW] = (mark("A"),)
    desk.hand_out("X1", NEW, applicant="X", group="G2")
    assert desk.outcomes == {"wrong_person": 1}
    mixed = b"both"
    desk.target.marks_of[mixed] = (mark("A"), mark("X"))
    desk.hand_out("A1", mixed)
    assert desk.outcomes == {"wrong_person": 1, "mixed": 1}


def test_learning_that_fails(desk: Desk) -> None:
    """Nothing is lost, and nothing is cleared."""
    desk.hand_out("A1", NEW)
    desk.target.broken.add("relearn")
    with pytest.raises(OSError, match="relearn is broken"):
        desk.recorder.relearn()
    desk.recorder.settle_waiting()
    assert desk.outcomes == {"undecided": 1}


def test_changes_are_told(desk: Desk) -> None:
    """The target hears of each when it is sent and when it was acknowledged."""
    sent = msgspec.structs.replace(change(2, sent_ns=5), answered_ns=None)
    desk.recorder.add_change(sent)
    desk.recorder.add_change(change(2, sent_ns=5))
    assert desk.target.noted == [sent, change(2, sent_ns=5)]


def test_a_run_that_ends_before_anything_was_learnt(desk: Desk) -> None:
    """What a change altered is known only then: whoever reads the ledger before calls no old document stale."""
    desk.hand_out("A1", paper("A"))
    desk.target.perhaps = [msgspec.structs.replace(entry("A"), version=2, still="unknown")]
    desk.recorder.add_change(msgspec.structs.replace(change(2, sent_ns=5), answered_ns=None))
    desk.recorder.add_change(msgspec.structs.replace(change(2, sent_ns=5), answered_ns=50, answers_synchronised=True))
    (print_,) = desk.prints()
    assert judge(print_, desk.recorder.register).outcome == "undecided"
    records = list(SegmentReader(desk.writer.path))
    assert [one for one in records if isinstance(one, Document) and one.still] == desk.target.perhaps
    desk.target.learns = Relearnt(documents=[msgspec.structs.replace(entry("A"), version=2, still="altered")])
    desk.recorder.relearn()
    assert judge(print_, desk.recorder.register).outcome == "stale"


def test_no_room(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be kept is undecided, and it is said why."""
    monkeypatch.setattr(desk.recorder, "_waiting", Waiting(most_prints=1))
    desk.target.marks_of[NEW] = (mark("A"),)
    desk.hand_out("A1", NEW)
    desk.hand_out("A2", NEW)
    assert desk.outcomes == {"undecided": 1}
    assert "more documents than can be kept" in desk.recorder.faults[0]


@pytest.mark.parametrize(
    ("most_bytes", "most_prints", "kept"),
    [(10, 10, [True, True, False, True]), (100, 3, [True, True, True, False]), (100, 10, [True] * 4)],
)
def test_bounds(most_bytes: int, most_prints: int, kept: list[bool]) -> None:
    """A document takes room once, however many prints brought it; what waits comes out as it went in."""
    waiting = Waiting(most_bytes, most_prints)
    documents = [b"12345678", b"12345678", b"another", b"12345678"]
    prints = [delivery(f"A{number}", "A", document) for number, document in enumerate(documents)]
    assert [waiting.add(*one) for one in zip(prints, documents, strict=True)] == kept
    wanted = [one for one, is_kept in zip(zip(prints, documents, strict=True), kept, strict=True) if is_kept]
    assert len(waiting.prints()) == len(wanted)
    assert sorted(waiting.take(), key=lambda one: one[0].nonce) == wanted
    assert waiting.prints() == []
    assert waiting.marks(prints[0].checksum) is None
