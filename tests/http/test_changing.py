"""Changes of a described service: drawn once for a group, followed to their acknowledgement, remembered for later."""

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random

import msgspec
import pytest

from harness.calibration import Calibration, Specimen
from harness.records import Application, Change, Group
from harness.relearning import Relearning
from harness.target import Answer, Request, TargetError
from targets.http import changing
from targets.http.changes import Changes
from targets.http.description import Source
from targets.http.golden import Golden, golden_path, note_changes, write_golden
from targets.http.relearning import Case, Twice
from targets.http.target import HttpTarget
from tests.harness.builders import delivery
from tests.http.conftest import VALID, describe, run
from tests.http.test_changes import CHANGING

PEOPLE = "person,group,receives_for\nA,G1,\nB,G1,\nC,G2,\nD,G2,A\nE,,C\n"
"""Of G2 C applies by the group and D as a proxy, so that no change of it is known by one group alone."""


class Clock:
    """A clock that a test sets."""

    now_ns = 100

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


def changes_of(directory: Path, clock: Callable[[], int], text: str = CHANGING, people: str = PEOPLE) -> Changes:
    """The changes of a description."""
    source = Source(describe(directory, text, people))
    return Changes(source.description, source.people, numbers=count(1), now_ns=clock)


def draw(changes: Changes, group: str = "G1") -> tuple[Change, Request]:
    """A change of the group."""
    drawn = changes.draw("C1", Group(group=group, persons=("A", "B")), (), Random(1), {})
    assert drawn is not None
    return drawn


def answered(request: Request, status: int, body: bytes = b"{}", **headers: str) -> Answer:
    """What the answer to the request means."""
    assert request.read is not None
    return request.read(status, headers, body)


def followed(answer: Answer) -> Request:
    """The request that has to be sent next."""
    assert answer.follow is not None
    return answer.follow


def test_request(tmp_path: Path, clock: Clock) -> None:
    """A change names its person, has an id of its own and a value that is new."""
    change, request = draw(changes_of(tmp_path, clock))
    assert (change.group, change.kind, change.version, change.persons) == ("G1", "address", 2, ("A", "B"))
    assert change.answers_synchronised
    assert request.url in {f"http://127.0.0.1:8080/people/{person}/address" for person in "AB"}
    assert msgspec.json.decode(request.body) == {"id": "C1-1", "address": "V2"}


def test_values(tmp_path: Path, clock: Clock) -> None:
    """Each value of a change is new, as wide as its service takes it."""
    text = CHANGING.replace('"{value}"', '"{value:street}, {value:phone}"').replace(
        "accepted =", 'values = { street = "Street {number}", phone = "+81-{number:03}" }\naccepted ='
    )
    changes = changes_of(tmp_path, clock, text)
    changes._numbers = count(123456)
    _, request = draw(changes)
    assert msgspec.json.decode(request.body)["address"] == "Street 123456, +81-457"


def test_once_for_each_group(tmp_path: Path, clock: Clock) -> None:
    """A group is changed once; one whose people apply by several groups never, for nobody could tell its versions."""
    changes = changes_of(tmp_path, clock)
    assert changes.most == 2  # G1, and E alone
    draw(changes)
    for group in ("G1", "G2"):
        assert changes.draw("C2", Group(group=group, persons=("C",)), (), Random(1), {}) is None
    other = Group(group="E for C", persons=("E", "C"))
    assert changes.draw("C3", other, ("name",), Random(1), {}) is None
    assert changes.draw("C3", other, ("address",), Random(1), {}) is not None


def test_without_changes(tmp_path: Path, clock: Clock) -> None:
    """Where none is described nothing is drawn."""
    changes = changes_of(tmp_path, clock, CHANGING[: CHANGING.index("[changes.address]")])
    assert changes.most == 0
    assert changes.draw("C1", Group(group="G1", persons=("A", "B")), (), Random(1), {}) is None


def test_acknowledged_by_polling(tmp_path: Path, clock: Clock) -> None:
    """It is asked for until the answer matches; the sync run lasts as long as it was surely not synchronised."""
    changes = changes_of(tmp_path, clock)
    change, request = draw(changes)
    change = msgspec.structs.replace(change, sent_ns=90)
    changes.made["G1"] = change
    assert answered(request, 500).error == "status 500"
    clock.now_ns = 200
    first = answered(request, 202)
    assert first.after_s == 0.02
    poll = followed(first)
    assert (poll.method, poll.url) == ("GET", "http://127.0.0.1:8080/changes/C1-1")
    clock.now_ns = 300
    second = answered(poll, 200, b'{"state": "waiting"}')
    clock.now_ns = 400
    third = answered(followed(second), 503)
    clock.now_ns = 500
    assert answered(followed(third), 200, b'{"state": "synchronised"}').document == b""
    assert list(changes.sync_runs(rest=False)) == []
    changes.made["G1"] = msgspec.structs.replace(change, answered_ns=510)
    (run,) = changes.sync_runs(rest=False)
    assert run.applied == (("G1", 2),)
    assert (run.begin_ns, run.work_end_ns, run.acknowledged_ns) == (100, 200, 510)
    assert list(changes.sync_runs(rest=True)) == []


def test_acknowledged_by_the_answer(tmp_path: Path, clock: Clock) -> None:
    """Without anything to ask, the accepting answer acknowledges, and the sync run lasts until it comes."""
    text = "\n".join(line for line in CHANGING.splitlines() if not line.startswith("acknowledged"))
    changes = changes_of(tmp_path, clock, text)
    change, request = draw(changes)
    assert answered(request, 202).document == b""
    changes.made["G1"] = msgspec.structs.replace(change, sent_ns=90, answered_ns=210)
    (run,) = changes.sync_runs(rest=False)
    assert (run.begin_ns, run.work_end_ns, run.acknowledged_ns) == (90, 210, 210)


def test_never_acknowledged(tmp_path: Path, clock: Clock) -> None:
    """After some time nobody asks any more; at the end it is told as far as it is known, if it was accepted at all."""
    changes = changes_of(tmp_path, clock)
    change, request = draw(changes)
    changes.made["G1"] = msgspec.structs.replace(change, sent_ns=90)
    assert list(changes.sync_runs(rest=True)) == []
    poll = followed(answered(request, 202))
    clock.now_ns += 6_000_000_000
    assert answered(poll, 200, b'{"state": "waiting"}').unanswered == "not acknowledged in time"
    assert list(changes.sync_runs(rest=False)) == []
    (run,) = changes.sync_runs(rest=True)
    assert (run.begin_ns, run.work_end_ns, run.acknowledged_ns) == (90, 100, None)


@pytest.mark.parametrize(
    ("told", "url"),
    [("/jobs/7", "http://127.0.0.1:8080/jobs/7"), ("http://elsewhere.example/7", ""), ("", "")],
)
def test_where_to_ask(tmp_path: Path, clock: Clock, told: str, url: str) -> None:
    """The accepting answer may say where; another host is not asked."""
    text = CHANGING.replace('path = "/changes/{change}"', 'location = { header = "Location" }')
    _, request = draw(changes_of(tmp_path, clock, text))
    answer = answered(request, 202, Location=told)
    if url:
        assert followed(answer).url == url
    else:
        assert answer.error == "nowhere to ask whether it is done"


def opened(directory: Path, text: str = CHANGING) -> HttpTarget:
    """A target of which something is known."""
    path = describe(directory, text.replace('{ path = "/version", at = "build" }', '"7"'), PEOPLE)
    target = HttpTarget({"file": str(path)})
    checksum = target.fingerprint.name
    write_golden(golden_path(path), Golden(checksum=checksum, service="payslips", version="7", specimens=()))
    target.open(directory / "logs")
    return target


def test_target(tmp_path: Path) -> None:
    """With changes it synchronises, and one process alone drives it; without any it is as it was."""
    target = opened(tmp_path)
    assert isinstance(target, Relearning)
    assert (target.synchronises, target.most_changes, target.share()) == (True, 2, None)
    target = opened(tmp_path, CHANGING[: CHANGING.index("[changes.address]")])
    assert (target.synchronises, target.most_changes, target.share()) == (False, 0, {"version": "7"})


def test_golden_file_of_the_past(tmp_path: Path) -> None:
    """What was learnt before a run changed documents is not used again, until it is learnt again."""
    target = opened(tmp_path)
    assert target.recall()
    target.draw_change("C1", target.groups()[0], (), Random(1))
    with pytest.raises(
        TargetError, match=r"changed by a run since it was learnt; .*: misissue calibrate .*target\.toml"
    ):
        target.recall()
    target.keep(Calibration(specimens=()))
    assert target.recall()
    note_changes(golden_path(tmp_path / "target.toml"))
    another = HttpTarget({"file": str(tmp_path / "target.toml")})
    with pytest.raises(TargetError, match="changed by a run"):
        another.open(tmp_path / "logs")


def test_waits_from_the_change_on(tmp_path: Path) -> None:
    """What is answered before its group's change was sent cannot follow it."""
    target = opened(tmp_path)
    drawn = target.draw_change("C1", target.groups()[0], (), Random(1))
    assert drawn is not None
    print_ = delivery("A1", "A", b"?", at=(100, 200))
    assert not target.awaits(print_)
    for sent_ns, awaits in ((201, False), (200, True)):
        target.note_change(msgspec.structs.replace(drawn[0], sent_ns=sent_ns))
        assert target.awaits(print_) is awaits
    assert not target.awaits(msgspec.structs.replace(print_, group="G2"))
    assert target.print_request(Application(application="A2", applicant="A", group="G1", kind="payslip"))


def test_old_documents_of_a_changed_group(tmp_path: Path) -> None:
    """From the change on nobody knows whether they are still right; those of everybody else are."""
    target = opened(tmp_path)
    drawn = target.draw_change("C1", target.groups()[0], (), Random(1))
    assert drawn is not None
    specimens = [
        Specimen(person=person, group=group, kind="payslip", checksum=f"of {person}", sha256="")
        for person, group in (("A", "G1"), ("B", "G1"), ("C", "G2"))
    ]
    target.keep(Calibration(specimens=tuple(specimens)))
    assert target.recall()
    found = [(one.checksum, one.version, one.still) for one in target.note_change(drawn[0])]
    assert found == [("of A", 2, "unknown"), ("of B", 2, "unknown")]


def test_after_it_was_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the old nor the new document may be right only as long as the change was under way."""
    target = opened(tmp_path)
    drawn = target.draw_change("C1", target.groups()[0], (), Random(1))
    assert drawn is not None
    target.note_change(msgspec.structs.replace(drawn[0], sent_ns=50))
    before, after = (delivery("A1", "A", b"?", kind="payslip", at=(sent_ns, 900)) for sent_ns in (300, 301))
    asked: list[list[Case]] = []

    def ask(_: object, cases: list[Case]) -> list[Twice]:
        asked.append(cases)
        document = f"Employee no. {cases[0].applicant}".encode() if cases else b""
        return [Twice(case, document, document) for case in cases]

    monkeypatch.setattr(changing, "ask", ask)
    learnt = target.relearn([before])
    assert "was not acknowledged as synchronised" in learnt.faults[0]
    assert (asked, learnt.documents) == ([[]], [])
    assert target.awaits(after)
    target.note_change(msgspec.structs.replace(drawn[0], sent_ns=50, answered_ns=300))
    (document,) = target.relearn([before]).documents
    assert (document.applicants, document.version) == (("A",), 2)
    assert asked[1] == [Case.of(before)]
    assert target.awaits(before)
    assert not target.awaits(after)
    assert target.awaits(msgspec.structs.replace(after, kind="annual"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CHANGING, "found 1, right would be more than the 1 that enter changes"),
        (VALID, "cannot be read|there is none|not answer"),
    ],
    ids=["changes", "none"],
)
def test_clerk(tmp_path: Path, text: str, said: str) -> None:
    """One of the users enters changes, and where there are none to enter all of them apply."""
    describe(tmp_path, text.replace("127.0.0.1:8080", "127.0.0.1:1"))
    done = run("verify", "own_service", "--target", "target.toml", "--users", "1", "--out", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(said, done.stderr), done.stderr
