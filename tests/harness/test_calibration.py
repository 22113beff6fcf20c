"""Nothing is learnt that would blunt the proof: what is not one document for one person is told, and ends it."""

from collections.abc import Mapping, Sequence

import pytest

from harness import calibration
from harness.calibration import CalibrationError, Specimen, calibrate, cases
from harness.exchange import Exchange
from harness.fingerprint import checksum
from harness.records import Application, Group
from harness.target import Answer, Target
from tests.harness.builders import HOME, OTHER
from tests.harness.stub import StubTarget

KINDS = {"card": ("photo", "stamp")}


class Learner(StubTarget):
    """Answers as the test says; else with a document of person, kind and options."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[tuple[str, tuple[str, ...]], list[Answer]] = {}
        self.asked: list[str] = []

    def reach(self) -> None:
        """Nothing to prepare."""

    def recall(self) -> bool:
        return False

    def secrets(self) -> Sequence[str]:
        return ()

    def kinds(self) -> Mapping[str, Sequence[str]]:
        return KINDS

    def applicants(self, group: Group) -> Sequence[str]:
        return group.persons

    def keep(self, specimens: Sequence[Specimen]) -> str:
        return str(len(specimens))

    def answer(self, application: Application) -> Answer:
        """What came of it."""
        self.asked.append(application.nonce)
        told = self.answers.get((application.applicant, application.options))
        if told:
            return told.pop(0) if len(told) > 1 else told[0]
        return Answer(document=f"{application.applicant} {application.kind} {application.options}".encode())


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Learner:
    """Is asked in place of a service."""
    made = Learner()

    def attempt(target: Target, application: Application, *, timeout_s: float | None) -> Exchange:
        assert target is made
        assert timeout_s == made.client_timeout_s
        return Exchange(0, 0, made.answer(application), [], [])

    monkeypatch.setattr(calibration, "attempt", attempt)
    return made


def refused(learner: Learner) -> str:
    """Why nothing was learnt."""
    with pytest.raises(CalibrationError) as raised:
        calibrate(learner, times=2, show=lambda _made, _all: None)
    return str(raised.value)


def test_everything_is_asked_for(learner: Learner) -> None:
    """Each person, kind and combination of options, as often as wanted, each time with a nonce of its own."""
    shown: list[tuple[int, int]] = []
    specimens = calibrate(learner, times=3, show=lambda made, all_: shown.append((made, all_)))
    number = (len(HOME.persons) + len(OTHER.persons)) * 4
    assert len(specimens) == len(cases(learner)) == number
    assert len(set(learner.asked)) == 3 * number
    assert shown[-1] == (3 * number, 3 * number)
    assert specimens[0].checksum == checksum(b"A card ()")
    assert {specimen.options for specimen in specimens} == {(), ("photo",), ("stamp",), ("photo", "stamp")}


def test_volatile(learner: Learner) -> None:
    """Where a document differs the second time is shown."""
    learner.answers["A", ()] = [Answer(document=b"made at 10:01"), Answer(document=b"made at 10:02")]
    assert refused(learner) == (
        "card of A is not the same twice: from byte 12 on, b'made at 10:01' and then b'made at 10:02'"
    )


def test_longer(learner: Learner) -> None:
    """Also a document that only goes on."""
    learner.answers["A", ()] = [Answer(document=b"abc"), Answer(document=b"abcd")]
    assert refused(learner) == "card of A is not the same twice: 3 bytes, and then 4"


def test_two_strangers_with_one_document(learner: Learner) -> None:
    """Whose it is could not be told."""
    for person in ("A", "X"):
        learner.answers[person, ()] = [Answer(document=b"alike")]
    assert refused(learner).startswith("X and A get the same card: whose it is cannot be told; right are ")


def test_two_of_one_household(learner: Learner) -> None:
    """Those who may receive each other's documents may have one in common."""
    for person in ("A", "B"):
        learner.answers[person, ()] = [Answer(document=b"alike")]
    assert calibrate(learner, times=2, show=lambda _made, _all: None)


def test_two_kinds_with_one_document(learner: Learner) -> None:
    """Which was asked for could not be told."""
    for options in ((), ("photo",)):
        learner.answers["A", options] = [Answer(document=b"alike")]
    assert refused(learner).startswith("A's card and A's card photo are the same document: ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(error="status 500"), "card of A brought neither a document nor a refusal: status 500"),
        (Answer(unanswered="no answer"), "card of A brought neither a document nor a refusal: no answer"),
        (Answer(document=b""), "card of A brought a document of no bytes, which anybody's could be"),
    ],
)
def test_no_document(learner: Learner, answer: Answer, said: str) -> None:
    """An error is no lesson."""
    learner.answers["A", ()] = [answer]
    assert said in refused(learner)


@pytest.mark.parametrize(
    ("options", "is_learnt"),
    [
        ([("photo",), ("photo", "stamp")], True),
        ([(), ("photo",), ("stamp",), ("photo", "stamp")], True),
        ([("photo", "stamp")], False),  # a rule for both together, which cannot be kept
        ([("photo",)], False),  # refused alone, and issued beside another
        ([()], False),
    ],
)
def test_refusals(learner: Learner, options: list[tuple[str, ...]], is_learnt: bool) -> None:
    """A refusal is learnt when it follows from a kind or from single options, and is told otherwise."""
    for one in options:
        learner.answers["A", one] = [Answer(refused="status 409")]
    if is_learnt:
        specimens = calibrate(learner, times=2, show=lambda _made, _all: None)
        assert [one.options for one in specimens if one.refused] == options
    else:
        assert "does not follow from its options one by one" in refused(learner)


def test_many_problems(learner: Learner) -> None:
    """The first few are shown, and how many more there are."""
    for person in ("A", "B", "X"):
        for options in ((), ("photo",)):
            learner.answers[person, options] = [Answer(error="status 500")]
    assert refused(learner).splitlines()[-1] == "and 1 more"
