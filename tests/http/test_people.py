"""Households share their papers, a proxy may receive those of others, and never the other way round."""

from pathlib import Path
from random import Random

import pytest

from harness.calibration import Specimen
from harness.fingerprint import checksum, sha256
from harness.oracle import judge_identity
from harness.outcome import Outcome
from harness.records import Print
from harness.register import Register
from harness.target import TargetError
from targets.http.golden import Golden, golden_path, write_golden
from targets.http.target import HttpTarget
from tests.http.conftest import VALID, describe

PEOPLE = """\
person,group,receives_for,room
A,home,,1
B,home,,2
C,,A;D,3
D,,,4
"""


def paper(person: str) -> bytes:
    """Of one person; a household has one in common."""
    return f"paper of {'A and B' if person in 'AB' else person}".encode()


@pytest.fixture
def target(tmp_path: Path) -> HttpTarget:
    """Four people and what is right for each of them."""
    path = describe(tmp_path, VALID.replace('{ path = "/version", at = "build" }', '"1"'), PEOPLE)
    made = HttpTarget({"file": str(path)})
    specimens = tuple(
        Specimen(
            person=person,
            group=group.group,
            kind="annual",
            checksum=checksum(paper(person)),
            sha256=sha256(paper(person)),
        )
        for group in made.groups()
        for person in made.applicants(group)
    )
    refused = Specimen(person="D", group="of D", kind="payslip", options=("my_number",), refused="status 409")
    write_golden(golden_path(path), Golden(service="payslips", version="1", specimens=(*specimens, refused)))
    made.open(tmp_path)
    return made


def test_space_beside_the_names_of_columns(tmp_path: Path) -> None:
    """Columns are known with space around their names, too, and with what spreadsheets leave at the end of rows."""
    made = HttpTarget({"file": str(describe(tmp_path, VALID, "person, group , refused,,\nA,home,*,,,,\nB,home,,,\n"))})
    (group,) = made.groups()
    assert (group.group, group.persons, [one.applicant for one in group.refusals]) == ("home", ("A", "B"), ["A"])


def test_a_group_that_is_called_like_that_of_a_proxy(tmp_path: Path) -> None:
    """Its people would be known as those for whom the proxy receives."""
    with pytest.raises(TargetError, match="found two groups that are called 'A for B', right is another group"):
        HttpTarget({"file": str(describe(tmp_path, VALID, "person,group,receives_for\nA,,B\nB,,\nC,A for B,\n"))})


def test_groups(target: HttpTarget) -> None:
    """Who lives together applies by one group; a proxy applies by a group with those for whom it receives."""
    assert {group.group: (group.persons, target.applicants(group)) for group in target.groups()} == {
        "home": (("A", "B"), ("A", "B")),
        "of D": (("D",), ("D",)),
        "C for A, D": (("C", "A", "D"), ("C",)),
    }


@pytest.mark.parametrize(
    ("applicant", "delivered", "outcome"),
    [
        ("A", "A", Outcome.OK),
        ("A", "B", Outcome.OK),  # one paper for both
        ("C", "C", Outcome.OK),
        ("C", "D", Outcome.MISDELIVERED),  # may see it, but has asked for another
        ("D", "C", Outcome.WRONG_PERSON),
        ("A", "C", Outcome.WRONG_PERSON),
        ("A", "D", Outcome.WRONG_PERSON),
        ("C", "nobody", Outcome.UNDECIDED),
    ],
)
def test_who_may_receive(target: HttpTarget, applicant: str, delivered: str, outcome: Outcome) -> None:
    """A proxy may receive the papers of others; the others may not receive the proxy's."""
    register = Register()
    for group in target.groups():
        register.add_group(group)
    (of,) = (group.group for group in target.groups() if applicant in target.applicants(group))
    content = b"???" if delivered == "nobody" else paper(delivered)
    print_ = Print(
        application="1",
        applicant=applicant,
        group=of,
        kind="annual",
        sent_ns=0,
        answered_ns=1,
        checksum=checksum(content),
        size_bytes=len(content),
    )
    for document in target.expected(print_):
        register.add(document)
    assert judge_identity(print_, register).outcome is outcome


def test_refusals(target: HttpTarget) -> None:
    """What was refused when it was learnt has to be refused, for that option alone."""
    refusals = {group.group: group.refusals for group in target.groups()}
    (refusal,) = refusals["of D"]
    assert refusal.covers("D", "payslip", ("my_number",))
    assert not refusal.covers("D", "payslip", ())
    assert refusals["home"] == ()


def test_generated(tmp_path: Path) -> None:
    """People by number, so many to a household."""
    text = VALID.replace('file = "people.csv"', 'generate = { count = 5, person = "T{number:03}-x", group_of = 2 }')
    made = HttpTarget({"file": str(describe(tmp_path, text))})
    assert [group.persons for group in made.groups()] == [
        ("T001-x", "T002-x"),
        ("T003-x", "T004-x"),
        ("T005-x",),
    ]


def test_json(tmp_path: Path) -> None:
    """People from JSON, whose other columns are placeholders."""
    (tmp_path / "people.json").write_text('[{"person": "A", "pin": 7}, {"person": "B", "pin": "x y"}]')
    text = VALID.replace("people.csv", "people.json").replace('"/payslips"', '"/payslips/{pin}"')
    made = HttpTarget({"file": str(describe(tmp_path, text))})
    urls = {
        made.print_request(made.draw_application("1", group, Random(1))).url.rpartition("/")[2]
        for group in made.groups()
    }
    assert urls == {"7", "x%20y"}
