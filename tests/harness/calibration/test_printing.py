"""Nothing is learnt that would blunt the proof: what is not one document for one person is told, and ends it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count

import pytest

from harness.calibration import Calibration, CalibrationError, calibrate, cases, printing
from harness.calibration.learning import Learnt
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

    def keep(self, calibration: Calibration) -> str:
        return str(len(calibration.specimens))

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

    monkeypatch.setattr(printing, "attempt", attempt)
    return made


def learnt(learner: Learner, *, times: int = 2, exact: bool = False) -> Calibration:
    """What is learnt of the service, without any pause."""
    return calibrate(learner, times=times, exact=exact, show=lambda _made, _all: None, pause=lambda _s: None)


def refused(learner: Learner, *, times: int = 2, exact: bool = False) -> str:
    """Why nothing was learnt."""
    with pytest.raises(CalibrationError) as raised:
        learnt(learner, times=times, exact=exact)
    return str(raised.value)


def test_everything_is_asked_for(learner: Learner) -> None:
    """Each person, kind and combination of options, as often as wanted, each time with a nonce of its own."""
    shown: list[tuple[int, int]] = []
    pauses: list[float] = []
    made = calibrate(learner, times=3, show=lambda made, all_: shown.append((made, all_)), pause=pauses.append)
    number = (len(HOME.persons) + len(OTHER.persons)) * 4
    assert len(made.specimens) == len(cases(learner)) == number
    assert len(set(learner.asked)) == 3 * number
    assert shown[-1] == (3 * number, 3 * number)
    assert made.specimens[0].checksum == checksum(b"A card ()")
    assert {specimen.options for specimen in made.specimens} == {(), ("photo",), ("stamp",), ("photo", "stamp")}
    assert made.learnt == Learnt()
    (pause_s,) = pauses
    assert 0 < pause_s <= 1.1  # so that a clock which shows seconds has gone on


def test_volatile(learner: Learner) -> None:
    """Where a document differs the second time is shown, if it must not."""
    learner.answers["A", ()] = [Answer(document=b"made at 10:01"), Answer(document=b"made at 10:02")]
    assert refused(learner, exact=True) == (
        "card of A is not the same twice: from byte 12 on, b'made at 10:01' and then b'made at 10:02'"
    )


def test_longer(learner: Learner) -> None:
    """Also a document that only goes on."""
    learner.answers["A", ()] = [Answer(document=b"abc"), Answer(document=b"abcd")]
    assert refused(learner, exact=True) == "card of A is not the same twice: 3 bytes, and then 4"


class Late(Learner):
    """Each answer is that to the application before, as of a connection in which an answer was left unread."""

    before = b"of somebody long ago"

    def answer(self, application: Application) -> Answer:
        found, self.before = self.before, super().answer(application).document or b""
        return Answer(document=found)


@pytest.mark.parametrize("exact", [True, False])
def test_answers_that_come_too_late(learner: Learner, monkeypatch: pytest.MonkeyPatch, exact: bool) -> None:
    """A service that mixes people up in the same way each time shows it when they are asked in another order."""
    late = Late()
    last = cases(learner)[-1]
    late.before = learner.answer(last).document or b""  # as after a calibration before
    monkeypatch.setattr(
        printing, "attempt", lambda _target, application, **_: Exchange(0, 0, late.answer(application), [], [])
    )
    said = refused(late, exact=exact)
    assert ("is not the same twice" if exact else "what varies by itself cannot be learnt") in said


class Numbering(Learner):
    """Each document has a serial number; the test says how it is written."""

    def __init__(self, write: Callable[[int, Application], str]) -> None:
        super().__init__()
        self._numbers = count(7)
        self._write = write

    def answer(self, application: Application) -> Answer:
        number = next(self._numbers)
        answer = super().answer(application)
        return Answer(document=(answer.document or b"") + self._write(number, application).encode())


def numbering(monkeypatch: pytest.MonkeyPatch, write: Callable[[int, Application], str]) -> Numbering:
    """Is asked in place of a service."""
    made = Numbering(write)
    monkeypatch.setattr(
        printing,
        "attempt",
        lambda _target, application, timeout_s: Exchange(0, 0, made.answer(application), [], []),  # noqa: ARG005
    )
    return made


def test_masks_are_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What varies is found, and the checksums are of what is left."""
    made = learnt(numbering(monkeypatch, lambda number, _: f"\nno. {number}\n"), times=3)
    (mask,) = made.learnt.masks
    assert mask.key == "text"
    assert made.specimens[0].checksum == checksum(b"A card ()\nno. *\n")


def test_what_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that varies from the last round on is learnt in rounds that are added, and tried in one more."""
    cases_ = (len(HOME.persons) + len(OTHER.persons)) * 4
    learner = numbering(monkeypatch, lambda number, _: f"\nno. {max(number, 7 + 2 * cases_)}\n")
    made = learnt(learner, times=3)
    assert len(learner.asked) == 4 * cases_
    assert len(made.learnt.masks) == 1


def test_what_does_not_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that always brings something new is refused after twice the rounds."""
    words = ["one", "two", "three", "four", "five", "six", "seven"]
    all_ = (len(HOME.persons) + len(OTHER.persons)) * 4
    learner = numbering(monkeypatch, lambda number, _: f"\n{words[(number - 7) // all_]}: {number}\n")
    assert "cannot be learnt" in refused(learner, times=2)


def test_what_a_mask_would_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that now and then prints a stranger's data is not taught to hide them."""

    def write(number: int, application: Application) -> str:
        return f"\nborn {1970 if number % 23 == 0 else 1950 + ord(application.applicant)}\n"

    assert "cannot be masked without hiding what does not vary" in refused(numbering(monkeypatch, write), times=3)


def test_strangers_who_differ_in_what_varies_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """When everything that tells two persons apart is masked, they are told."""
    learner = numbering(monkeypatch, lambda number, _: f"no. {number}")
    for person in ("A", "X"):
        learner.answers[person, ()] = [Answer(document=b"alike ")]
    assert refused(learner, times=3).startswith(
        "X and A get the same card but for what varies by itself: whose it is cannot be told; right are "
    )


@pytest.mark.parametrize("second", [Answer(refused="status 409"), Answer(document=b"A")])
def test_refused_once(learner: Learner, second: Answer) -> None:
    """Who is refused one time and gets a document another time is told."""
    first = Answer(document=b"A") if second.refused else Answer(refused="status 409")
    learner.answers["A", ()] = [first, second]
    assert "card of A was refused once, and once it was not" in refused(learner)


def test_two_strangers_with_one_document(learner: Learner) -> None:
    """Whose it is could not be told."""
    for person in ("A", "X"):
        learner.answers[person, ()] = [Answer(document=b"alike")]
    assert refused(learner).startswith("X and A get the same card: whose it is cannot be told; right are ")


def test_two_of_one_household(learner: Learner) -> None:
    """Those who may receive each other's documents may have one in common."""
    for person in ("A", "B"):
        learner.answers[person, ()] = [Answer(document=b"alike")]
    assert learnt(learner).specimens


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
        assert [one.options for one in learnt(learner).specimens if one.refused] == options
    else:
        assert "does not follow from its options one by one" in refused(learner)


def test_many_problems(learner: Learner) -> None:
    """The first few are shown, and how many more there are."""
    for person in ("A", "B", "X"):
        for options in ((), ("photo",)):
            learner.answers[person, options] = [Answer(error="status 500")]
    assert refused(learner).splitlines()[-1] == "and 1 more"
