"""JSON by path, PDF by metadata or words, text by pattern; and what must not be hidden is not."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from io import BytesIO

import pytest
from reportlab.pdfgen.canvas import Canvas

from harness.calibration.forms import Near
from harness.calibration.learning import Learnt, LearntMask, contradicting, learn, masks_of
from harness.calibration.texts import UnlearnableError
from harness.fingerprint import Fingerprint

NOW = datetime(2026, 11, 26, 11, 3, tzinfo=UTC)
NEAR = Near(NOW, NOW)
Write = Callable[[int, int], bytes]
"""(person, number of the print) -> document."""


def cases(write: Write, persons: int = 6, rounds: int = 3) -> list[list[bytes]]:
    """The prints of each person; numbers go up from print to print, as they do in a service."""
    return [[write(person, 7 + round_ * persons + person) for round_ in range(rounds)] for person in range(persons)]


def left(learnt: Learnt, prints: Sequence[Sequence[bytes]]) -> list[set[bytes]]:
    """What the masks leave of the prints of each person."""
    fingerprint = Fingerprint(masks_of(learnt))
    return [{fingerprint.masked(document) for document in documents} for documents in prints]


def of_text(form: str) -> Write:
    """Text with {person}, {born} and {number} in it."""
    return lambda person, number: form.format(person=f"E{person:03}", born=1950 + person, number=number).encode()


def of_json(make: Callable[[int, int], object]) -> Write:
    """JSON."""
    return lambda person, number: json.dumps(make(person, number)).encode()


def pdf(person: int, line: str) -> bytes:
    """A PDF with two lines, and dates and an id of its own."""
    canvas = Canvas(file := BytesIO())
    for place, text in enumerate((f"Employee E{person}", line)):
        canvas.drawString(72, 700 - 20 * place, text)
    canvas.save()
    return file.getvalue()


def scan(width: int, *, made: str = "2026") -> bytes:
    """A PDF with no words on its page."""
    canvas = Canvas(file := BytesIO(), invariant=1)
    canvas.rect(72, 700, width, 20)
    canvas.save()
    return file.getvalue().replace(b"/CreationDate (D:2000", f"/CreationDate (D:{made}".encode())


def test_steady_documents_are_left_alone() -> None:
    """Nothing varies, nothing is masked, of whatever sort it is."""
    for prints in (
        cases(of_text("Employee {person}")),
        cases(of_json(lambda person, _: {"person": person})),
        cases(lambda person, _: bytes([255, 0, person])),
        [[b"text"], [b'{"a": 1}'], [b"%PDF-"], [b"\xff"]],
        [[b"%PDF-"] * 2, [scan(1)] * 2],
        [[b'{"a": NaN}'] * 2, [b'{"a": 1, "a": 2}'] * 2],
    ):
        assert learn(prints, NEAR) == Learnt()


@pytest.mark.parametrize(
    ("make", "paths"),
    [
        (lambda person, number: {"person": person, "meta": {"serial": number}}, ["meta.serial"]),
        (lambda person, number: {"a": [{"id": f"S{number}", "of": person}] * 2}, ["a.*.id"]),
        (lambda person, number: {"a": [{"id": number, "of": person}] * (1 + person % 3)}, ["a.*.id"]),
        (lambda person, number: {"a": [person, number, 5]}, ["a.1"]),  # the other items do not vary
        (lambda person, number: {"a": f"E{person:03}-{number:05}"}, []),  # the person stands in it
        (lambda person, number: {"x.y": number, "of": person}, []),  # no dotted path says that
    ],
)
def test_json(make: Callable[[int, int], object], paths: list[str]) -> None:
    """A value that varies as a whole is masked by its path, and part of a text by what stands around it."""
    prints = cases(of_json(make))
    learnt = learn(prints, NEAR)
    assert learnt.of == "json"
    assert [mask.value for mask in learnt.masks if mask.key == "json"] == paths
    assert bool([mask for mask in learnt.masks if mask.key == "text"]) is not bool(paths)
    told = left(learnt, prints)
    assert {len(documents) for documents in told} == {1}
    assert len({document for documents in told for document in documents}) == len(prints)


def test_json_that_is_written_in_another_way() -> None:
    """Keys in another order are no other document."""
    prints = cases(
        of_json(lambda person, number: dict([("a", 1), ("b", person)][:: 1 if number % 2 else -1])), persons=5
    )
    assert learn(prints, NEAR) == Learnt(of="json")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _, number: {"m": {str(number): 1}}, "m does not have the same keys each time"),
        (lambda _, number: {"m": [1] * (number // 6)}, "m does not have as many items each time"),
        (lambda _, number: {"m": [1] if number > 18 else 2}, "m is not of the same kind each time"),
        (lambda _, number: {"m": ["save", "spend", "wait"][number % 5 % 3]}, "cannot be masked without hiding"),
    ],
)
def test_json_that_cannot_be_masked(make: Callable[[int, int], object], said: str) -> None:
    """What a mask would have to hide whole is told by its path."""
    with pytest.raises(UnlearnableError, match=said):
        learn(cases(of_json(make)), NEAR)


def test_pdf_metadata() -> None:
    """Dates and ids of its own making are enough where nothing on the pages varies."""
    papers = [pdf(person, "steady") for person in range(3)]
    prints = [[paper, paper.replace(b"/CreationDate (D:2", b"/CreationDate (D:1")] for paper in papers]
    learnt = learn(prints, NEAR)
    assert learnt == Learnt(masks=(LearntMask(key="pdf", value="metadata"),))
    assert {len(documents) for documents in left(learnt, prints)} == {1}


def test_pdf_without_words() -> None:
    """A scanned page can be learnt as long as nothing but the metadata varies."""
    learnt = learn([[scan(width, made=made) for made in ("2025", "2026")] for width in (10, 20)], NEAR)
    assert learnt == Learnt(masks=(LearntMask(key="pdf", value="metadata"),))
    with pytest.raises(UnlearnableError, match="of which the words cannot be compared: a PDF without any text"):
        learn([[scan(10), scan(20)]], NEAR)


def test_json_that_not_everybody_reads_the_same() -> None:
    """What is nearly JSON is text."""
    prints = cases(lambda person, number: b'{"E%d": NaN, "no": %d}' % (person, number))
    learnt = learn(prints, NEAR)
    assert (learnt.of, [mask.key for mask in learnt.masks]) == ("bytes", ["text"])
    assert {len(documents) for documents in left(learnt, prints)} == {1}


def test_pdf_words() -> None:
    """Where something on a page varies the words are compared."""
    prints = cases(lambda person, number: pdf(person, f"serial {number}"), persons=3)
    learnt = learn(prints, NEAR)
    assert (learnt.of, [mask.key for mask in learnt.masks]) == ("pdf_text", ["text"])
    assert {len(documents) for documents in left(learnt, prints)} == {1}


@pytest.mark.parametrize(
    ("prints", "said"),
    [
        ([[b"\xff\x001", b"\xff\x002"]], "neither JSON nor PDF nor text in UTF-8"),
        ([[b"no. 1", b"no. 2"], [b'{"a": 1}'] * 2], "some documents are JSON and some text, and they vary"),
    ],
)
def test_other_sorts(prints: list[list[bytes]], said: str) -> None:
    """What cannot be looked into, or not by one fingerprint, is refused."""
    with pytest.raises(UnlearnableError, match=said):
        learn(prints, NEAR)


@pytest.mark.parametrize(
    "form",
    [
        "{person} born 01.02.{born} no. {number}",  # a day before a number
        "Date: 01.02.{born}\nDate: 26.11.2026 11:03:{number:02}",  # two of one label, of which one varies
        "{person} 01.02.{born} 11:03:{number:02}",  # a day of birth right before a time
        "ref {person}-{number:05}",
        "<td>{born}</td><td>{number}</td>",
        "{person} made 11:03:{number:02}-{born}",  # which is no zone
    ],
)
def test_what_stays_is_seen(form: str) -> None:
    """Days of birth, persons and other numbers are no part of what is hidden, however alike they look."""
    prints = cases(of_text(form))
    told = left(learn(prints, NEAR), prints)
    assert {len(documents) for documents in told} == {1}
    for person, (document,) in enumerate(told):
        for key, value in (("{born}", str(1950 + person)), ("{person}", f"E{person:03}")):
            assert (value in document.decode()) is (key in form)


@pytest.mark.parametrize(
    ("form", "is_masked"),
    [
        ("{person} printed on 26.11.2026 for {person}", True),
        ("{person} printed on 令和8年11月26日", True),
        ("{person} printed on 26.11.2016 for {person}", False),
        ("{person} born on 26.11.{born}", False),
    ],
)
def test_day_of_today(form: str, is_masked: bool) -> None:
    """A day that everybody's paper shows and that is today's will be another one tomorrow."""
    learnt = learn(cases(of_text(form)), NEAR)
    assert bool(learnt.masks) is is_masked


@pytest.mark.parametrize(
    "form",
    [
        "{person} sample of 1{own}:30, 26.11.2026\n",
        "{person} sample of 2026-11-26 1{own}:30\n",
        "{person} sample of 20261126T1{own}3000\n",
        "{person} sample no. 20261126-000{own}\n",
        "{person} member since 2026-000{own}\n",
    ],
)
def test_what_is_somebodys_own_beside_the_day_of_today(form: str) -> None:
    """An appointment of today, or a number that was given today, is not hidden with the day."""
    prints = cases(lambda person, _: form.format(person=f"E{person:03}", own=person).encode())
    learnt = learn(prints, NEAR)
    mixed = form.format(person="E001", own=2).encode()
    assert len({document for documents in left(learnt, [[mixed], prints[1]]) for document in documents}) == 2


def test_a_time_of_another_zone() -> None:
    """A minute of printing that everybody's paper shows is masked, wherever the service's clock is."""
    prints = cases(lambda person, _: f"E{person:03} printed on 26.11.2026 20:03\n".encode())
    fingerprint = Fingerprint(masks_of(learn(prints, NEAR)))
    assert fingerprint.masked(b"E001 printed on 27.11.2026 08:15\n") == fingerprint.masked(prints[1][0])


def test_a_time_that_has_not_gone_on_is_no_context() -> None:
    """A stamp beside a number may be written in another way later, such as with a fraction of a second."""
    prints = cases(of_text("made 2026-11-26T11:03:00 no. {number} for {person}"))
    fingerprint = Fingerprint(masks_of(learn(prints, NEAR)))
    later = b"made 2026-12-04T09:07:00.123456 no. 12345 for E001"
    assert fingerprint.masked(later) == fingerprint.masked(prints[1][0])


def test_one_print_of_a_stranger() -> None:
    """What came out wrong once during calibration is not taken for something that varies."""
    prints = cases(of_text("Payslip of {person}, born {born}\nno. {number}\n"))
    prints[2][1] = prints[4][1]
    with pytest.raises(UnlearnableError, match="cannot be masked without hiding what does not vary"):
        learn(prints, NEAR)


def test_masks_that_contradict() -> None:
    """Masks that do not do, or that hide what does not vary, are held against the cases in which they fail."""
    prints = cases(of_text("age {born} no. {number}"))
    numbered = list(enumerate(prints))
    right = LearntMask(key="text", value=r"no\. (?P<varies>\d{1,4})")
    assert contradicting(Learnt(masks=(right,)), numbered, NEAR) == []
    assert contradicting(Learnt(), numbered, NEAR) == [number for number, _ in numbered]
    wide = LearntMask(key="text", value=r"(?:age|no\.) (?P<varies>\d{1,4})")
    assert contradicting(Learnt(masks=(wide,)), numbered, NEAR)
    narrow = LearntMask(key="text", value=r"no\. (?P<varies>[1-9])")
    assert contradicting(Learnt(masks=(narrow,)), numbered, NEAR)
    unread = [*numbered, (99, [b"%PDF-", b"%PDF-"])]
    assert contradicting(Learnt(of="json"), unread, NEAR) == [number for number, _ in unread]
