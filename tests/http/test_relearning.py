"""What is right after a change is learnt from documents that come out twice, alone, marked, and nobody else's."""

from collections.abc import Callable

import msgspec
import pytest

from harness.calibration import Specimen
from harness.fingerprint import Fingerprint, checksum, sha256
from harness.records import Application, Document, Mark
from harness.target import Answer
from targets.http import relearning
from targets.http.golden import RightDocuments
from targets.http.relearning import Case, Twice, Weighed, ask, tell, weigh
from tests.harness.builders import change
from tests.harness.stub import StubTarget

MEMBERS = {"G1": ("A", "B"), "G2": ("X",)}
CHANGES = {"G1": change(2, sent_ns=5), "G2": msgspec.structs.replace(change(2, sent_ns=6), change="C9", group="G2")}


class Words:
    """Reads "of PERSON" in every line, and "as KIND" where it stands."""

    is_slow = False

    def read(self, document: bytes) -> tuple[Mark, ...]:
        """A mark a line."""
        lines = [line.split() for line in document.decode().splitlines()]
        return tuple(
            Mark(persons=(words[1],), kind=words[3] if "as" in words else "", version=1, page=number, pages=len(lines))
            for number, words in enumerate(lines, 1)
            if words[:1] == ["of"]
        )


def paper(person: str, version: int = 1, *, kind: str = "") -> bytes:
    """That says whose it is."""
    return f"of {person} {f'as {kind} ' if kind else ''}version {version}\n".encode()


def specimen(person: str, document: bytes, kind: str = "payslip", group: str = "G1") -> Specimen:
    """As calibration learnt it."""
    return Specimen(person=person, group=group, kind=kind, checksum=checksum(document), sha256=sha256(document))


RIGHT = RightDocuments([specimen("A", paper("A")), specimen("B", paper("B")), specimen("X", paper("X"), group="G2")])


def case(person: str, kind: str = "payslip") -> Case:
    """What the person applies for."""
    return Case("G2" if person == "X" else "G1", person, kind, ())


def twice(person: str, first: bytes, second: bytes | None = None, kind: str = "payslip") -> Twice:
    """Came out for the person, and again."""
    return Twice(case(person, kind), first, first if second is None else second)


def weighed(*found: Twice, right: RightDocuments = RIGHT, not_asked: dict[Case, str] | None = None) -> Weighed:
    """What follows from it."""
    fingerprint = Fingerprint(reader=Words())
    return weigh(found, not_asked or {}, right=right, members=MEMBERS, changes=CHANGES, fingerprint=fingerprint)


def is_perhaps(document: Document) -> bool:
    """Whether nobody knows if it is still right."""
    return document.still == "unknown" and document.version == 2


def test_new() -> None:
    """Twice the same, with the right marks, nobody else's: the document of the new version, and the old one is old."""
    found = weighed(twice("A", paper("A", 2)))
    document, old = found.documents
    assert (document.applicants, document.group, document.kind, document.version) == (("A",), "G1", "payslip", 2)
    assert (document.checksum, document.sha256) == (checksum(paper("A", 2)), sha256(paper("A", 2)))
    assert document.still == ""
    assert (old.checksum, old.version, old.still) == (checksum(paper("A")), 2, "altered")
    assert found.known == {case("A")}
    assert found.problems == {}


def test_unaltered() -> None:
    """What the change altered nothing of is right by both versions, and needs no mark."""
    bare = RightDocuments([specimen("A", b"bare")])
    found = weighed(twice("A", b"bare"), right=bare)
    (document,) = found.documents
    assert (document.still, document.version, document.checksum) == ("right", 2, checksum(b"bare"))
    assert found.known == {case("A")}


REFUSED = [
    ("not alike", twice("A", paper("A", 2), paper("A", 3)), "it was not the same twice"),
    ("not marked", twice("A", b"new"), "it shows no identity mark"),
    ("marked as a stranger's", twice("A", paper("X", 2)), "its marks are not those of the person who applied"),
    ("marked as another member's", twice("A", paper("B", 2)), "its marks are not those of the person who applied"),
    ("mixed", twice("A", paper("A", 2) + paper("X", 2)), "its marks are not those of the person who applied"),
    ("another kind", twice("A", paper("A", 2, kind="annual")), "its marks are not those of the kind"),
    ("another's", twice("A", paper("X")), "it is known as the right one of another application"),
    ("nothing", Twice(case("A"), problem="the service brought none: status 500"), "brought none: status 500"),
]


@pytest.mark.parametrize(("found", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_not_learnt(found: Twice, said: str) -> None:
    """Anything else is not learnt; and as nobody knows the new one, nobody may call the old one stale."""
    result = weighed(found)
    assert said in result.problems[case("A")]
    assert result.known == frozenset()
    (document,) = result.documents
    assert document.checksum == checksum(paper("A"))
    assert is_perhaps(document)


def test_not_asked() -> None:
    """So it is with what was never asked for again."""
    result = weighed(not_asked={case("X"): "not acknowledged"})
    (document,) = result.documents
    assert document.group == "G2"
    assert is_perhaps(document)


def test_the_same_for_two() -> None:
    """The same document for two applications tells nothing of either; people of a group may share one."""
    both = paper("A", 2) + paper("B", 2)
    result = weighed(twice("A", both), twice("B", both))
    document, *old = result.documents
    assert document.applicants == ("A", "B")
    assert {one.still for one in old} == {"altered"}
    assert result.problems == {}
    result = weighed(twice("A", both), twice("A", both, kind="annual"))
    assert set(result.problems.values()) == {"the same was learnt for another application"}
    assert result.known == frozenset()
    assert all(map(is_perhaps, result.documents))


def test_shared_document_of_which_one_was_altered() -> None:
    """A document that is still right for one of its people and not for the other may not be called stale for either."""
    shared = paper("A") + paper("B")
    right = RightDocuments([specimen("A", shared), specimen("B", shared)])
    result = weighed(twice("A", shared), twice("B", paper("B", 2)), right=right)
    assert [is_perhaps(document) for document in result.documents if document.checksum == checksum(shared)] == [True]


def test_sentences() -> None:
    """Each reason is told once, by the change and not by the person, because everybody may read it."""
    problems = {case("A"): "torn", case("B"): "torn", case("X"): "late"}
    assert list(tell(problems, CHANGES)) == [
        "2 document(s) that follow a change were not learnt anew, such as payslip after change C2: torn",
        "1 document(s) that follow a change were not learnt anew, such as payslip after change C9: late",
    ]


class Asked:
    """A service that a test plays."""

    def __init__(self, answer: Callable[[str], Answer]) -> None:
        self.nonces: list[str] = []
        self.applicants: list[str] = []
        self._answer = answer

    def __call__(self, target: object, application: Application, *, timeout_s: float | None) -> "Asked":
        del target, timeout_s
        self.nonces.append(application.nonce)
        self.applicants.append(application.applicant)
        self.answer = self._answer(application.applicant)
        return self


def test_asked_twice_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """First all of them, then all of them again, each print with a nonce of its own."""
    asked = Asked(lambda person: Answer(document=paper(person)) if person == "A" else Answer(refused="no"))
    monkeypatch.setattr(relearning, "attempt", asked)
    assert ask(StubTarget(), [case("A"), case("B")]) == [
        twice("A", paper("A")),
        Twice(case("B"), problem="the service brought none: no"),
    ]
    assert asked.applicants == ["A", "B", "A", "B"]
    assert len(set(asked.nonces)) == 4


def test_a_service_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever: a silent service is given up, and so is one that takes too long."""
    asked = Asked(lambda _: Answer(unanswered="no answer"))
    monkeypatch.setattr(relearning, "attempt", asked)
    told = ask(StubTarget(), [case("A", f"kind{number}") for number in range(9)])
    assert len(asked.nonces) == 5
    assert told[8].problem == "time ran out before the service was asked"
    asked = Asked(lambda person: Answer(document=paper(person)))
    monkeypatch.setattr(relearning, "attempt", asked)
    seconds = iter([0.0, 1.0, relearning.LONGEST_S + 1.0, relearning.LONGEST_S + 2.0, relearning.LONGEST_S + 3.0])
    ask(StubTarget(), [case("A"), case("B")], now_s=lambda: next(seconds))
    assert len(asked.nonces) == 1
