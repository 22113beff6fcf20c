"""The truth: right certificates from the changes alone, apart from what the issuer has in its tables."""

import subprocess
import sys
from random import Random
from typing import get_args

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fingerprint import checksum, sha256
from harness.oracle import judge
from harness.outcome import Outcome
from harness.records import Application, Document, Group
from harness.register import Register
from targets.municipal.certificates import render
from targets.municipal.changes import ChangeKind, MoveIn, MoveOut, Relocate
from targets.municipal.forms import ApplicationForm, DocumentQuery, DrawnChange, DrawQuery
from targets.municipal.people import Person, population
from targets.municipal.truth import Truth, run_truth
from tests.municipal.conftest import HOUSEHOLDS, ISSUED, SEED, StartCity, as_print

RESIDENTS = population(SEED, HOUSEHOLDS)
ONE = next(one for one in RESIDENTS if one.relation == "子" and not one.protected)
ALONE = next(one for one in RESIDENTS if [one] == [member for member in RESIDENTS if member.household == one.household])
OTHER = next(one for one in RESIDENTS if one.household != ONE.household)
KINDS = get_args(ChangeKind)

IMPORTS = """
import sys, targets.municipal.truth
print(*[name for name in sys.modules if name.startswith("targets.municipal.") or name == "asyncpg"])
"""


@pytest.fixture
def truth() -> Truth:
    """A city in which nothing has happened yet."""
    return Truth(SEED, HOUSEHOLDS, ISSUED)


def query(*persons: str, kind: str = "juminhyo", options: tuple[str, ...] = (), version: int = 1) -> DocumentQuery:
    """Asks for a certificate."""
    return DocumentQuery(persons=persons, kind=kind, options=options, version=version)


def draw(truth: Truth, *kinds: ChangeKind, household: str = ONE.household, seed: int = 0) -> DrawnChange:
    """Let a change of one of the kinds happen."""
    return truth.draw_change(DrawQuery(change=f"C{seed}", household=household, kinds=kinds, seed=seed))


def test_document_is_the_rendered_certificate(truth: Truth) -> None:
    """A document says whose it is, who may have it, and what its bytes are."""
    document = truth.document(query(ONE.person, kind="zei"))
    paper = render("zei", [ONE], issue_date=ISSUED)
    assert document == Document(
        persons=(ONE.person,),
        applicants=(ONE.person,),
        group=ONE.household,
        kind="zei",
        version=1,
        checksum=checksum(paper),
        sha256=sha256(paper),
    )


@pytest.mark.parametrize(
    "asked",
    [
        query("P99999"),
        query(ONE.person, version=2),
        query(ONE.person, version=0),
        query(),
        query(ONE.person, OTHER.person),
        query(ONE.person, OTHER.person, options=("household",)),
        query(ONE.person, kind="inkan"),
        query(ONE.person, kind="kisai"),
        query(ONE.person, kind="zei", options=("my_number",)),
        query(ONE.person, options=("household",)),
    ],
    ids=str,
)
def test_what_nobody_should_have_got_is_none(truth: Truth, asked: DocumentQuery) -> None:
    """There is no right document for a person, a version, a company of people or a certificate that never existed."""
    assert truth.document(asked) is None


def test_every_version_keeps_its_document(truth: Truth) -> None:
    """After a change there is a document of the version before it and another of the version that it makes."""
    drawn = draw(truth, "relocate")
    assert isinstance(drawn.change, Relocate)
    assert drawn.version == 2
    assert set(drawn.persons) == {one.person for one in RESIDENTS if one.household == ONE.household}
    before, after = (truth.document(query(ONE.person, version=version)) for version in (1, 2))
    assert before is not None
    assert after is not None
    moved = msgspec.structs.replace(ONE, address=drawn.change.address, version=2)
    assert before.checksum == checksum(render("juminhyo", [ONE], issue_date=ISSUED))
    assert after.checksum == checksum(render("juminhyo", [moved], issue_date=ISSUED))


def test_nothing_is_right_for_who_has_left(truth: Truth) -> None:
    """Who has moved away has a document of the version before, and none of any later one."""
    drawn = draw(truth, "move_out")
    assert isinstance(drawn.change, MoveOut)
    (gone,) = drawn.change.persons
    assert truth.document(query(gone)) is not None
    assert truth.document(query(gone, version=2)) is None


def application(person: str, kind: str = "juminhyo", options: tuple[str, ...] = ()) -> ApplicationForm:
    """Somebody's application."""
    return ApplicationForm(nonce="A1.1", applicant=person, kind=kind, options=options)


def test_what_is_right_for_an_application(truth: Truth) -> None:
    """It is the certificate of the applicant, or of the household, by the newest version."""
    assert truth.right(application(ONE.person)) == render("juminhyo", [ONE], issue_date=ISSUED)
    drawn = draw(truth, "relocate")
    assert isinstance(drawn.change, Relocate)
    moved = [
        msgspec.structs.replace(one, address=drawn.change.address, version=2)
        for one in RESIDENTS
        if one.household == ONE.household
    ]
    expected = render("juminhyo", moved, ("household",), issue_date=ISSUED)
    assert truth.right(application(ONE.person, options=("household",))) == expected


def test_nothing_is_right_for_what_has_to_be_refused(truth: Truth) -> None:
    """Who has left, who is nobody, and what there is no certificate of, gets nothing."""
    sealed = next(one for one in RESIDENTS if one.seal is not None and not one.protected)
    assert truth.right(application(sealed.person, "inkan")) is not None
    draw(truth, "seal_abolish", household=sealed.household)
    without = [one.person for one in RESIDENTS if one.household == sealed.household and one.seal is not None]
    rights = [truth.right(application(person, "inkan")) for person in without]
    assert rights.count(None) == 1
    drawn = draw(truth, "move_out")
    assert isinstance(drawn.change, MoveOut)
    assert truth.right(application(drawn.change.persons[0])) is None
    assert truth.right(application("P99999")) is None
    assert truth.right(application(OTHER.person, "kisai")) is None


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_drawn(truth: Truth, kind: ChangeKind) -> None:
    """Every kind of change fits some household, and is of the kind that was asked for."""
    for household in sorted({one.household for one in RESIDENTS}):
        try:
            drawn = draw(truth, kind, household=household)
        except LookupError:
            continue
        assert drawn.change.__struct_config__.tag == kind
        return
    pytest.fail(f"no household in which {kind} can happen")


def test_draws_follow_the_seed() -> None:
    """The same questions make the same changes, others make others."""
    first, second, third = (
        [draw(truth, *KINDS, household=OTHER.household, seed=seed) for seed in seeds]
        for truth, seeds in [(Truth(SEED, HOUSEHOLDS, ISSUED), range(start, start + 4)) for start in (0, 0, 50)]
    )
    assert first == second
    assert [one.change for one in first] != [one.change for one in third]


def test_no_change_fits(truth: Truth) -> None:
    """Where no change of the wanted kinds fits the household the error names both, and nothing happens."""
    with pytest.raises(LookupError, match=f"death.* {ALONE.household}"):
        draw(truth, "death", household=ALONE.household)
    with pytest.raises(LookupError, match=r"relocate, move_in .* H99999"):
        draw(truth, "relocate", "move_in", household="H99999")
    assert draw(truth, "relocate", household=ALONE.household).version == 2


@given(seed=st.integers(0, 2**32))
def test_some_change_always_fits(seed: int) -> None:
    """Whatever has happened to a household, somebody can come, go or change there, and it does not grow for ever."""
    random, truth = Random(seed), Truth(SEED, 10, ISSUED)
    household = random.choice(population(SEED, 10)).household
    persons = {one.person for one in RESIDENTS if one.household == household}
    for version in range(2, 60):
        drawn = draw(truth, *KINDS, household=household, seed=random.getrandbits(32))
        assert drawn.version == version
        if isinstance(drawn.change, MoveIn):
            persons |= {one.person for one in drawn.change.persons}
    assert set(drawn.persons) == persons
    assert len(drawn.persons) <= 8


def test_arrivals(truth: Truth) -> None:
    """A move in is a birth, somebody from elsewhere or somebody who returns; newcomers are new and have no seal."""
    arrivals: list[Person] = []
    random = Random(1)
    for _ in range(60):
        drawn = draw(truth, "move_in", "move_out", household=ALONE.household, seed=random.getrandbits(32))
        if isinstance(drawn.change, MoveIn):
            arrivals += drawn.change.persons
    known = {one.person: one.name for one in RESIDENTS}
    relations = set()
    for one in arrivals:
        assert one.status == "resident"
        relations.add("returns" if one.person in known else one.relation)
        assert one.person in known or one.seal is None
        assert known.setdefault(one.person, one.name) == one.name
    assert relations == {"returns", "子", "同居人"}
    household = {known[person] for person in drawn.persons}
    assert len(household) == len(drawn.persons)


def test_document_asked_for_too_early(truth: Truth) -> None:
    """A document of a version that does not exist yet is none, and is there once a change has made the version."""
    asked = query(ONE.person, version=2)
    assert truth.document(asked) is None
    draw(truth, "relocate")
    assert truth.document(asked) is not None


def test_household_under_protection(truth: Truth) -> None:
    """While one of a household is under protection no paper for the household is right, though the one before was."""
    members = tuple(one.person for one in RESIDENTS if one.household == ONE.household)
    begun = draw(truth, "protect").version
    before, under = (truth.document(query(*members, options=("household",), version=version)) for version in (1, begun))
    assert before is not None
    assert before.applicants == members
    assert under is None


@pytest.mark.parametrize(
    ("alteration", "options"),
    [
        ("address = '見本県見本市本町1丁目1番1号' WHERE person = $1", ()),
        ("name = '森　花' WHERE person = $1", ()),
        ("my_number = '000000000001' WHERE person = $1", ("my_number",)),
        ("version = 2 WHERE person = $1", ()),
        ("person = person || '9' WHERE person <> $1", ("household",)),
        ("relation = '同居人' WHERE person <> $1", ("household",)),
    ],
)
async def test_altered_row_is_never_ok(start_city: StartCity, alteration: str, options: tuple[str, ...]) -> None:
    """A paper made of a row that was altered by hand, past the registry, is never the right one."""
    city = await start_city()
    person = next(one for one in city.people if sum(other.household == one.household for other in RESIDENTS) > 1)
    outcomes = []
    for nonce in ("A", "B"):
        application = Application(
            application=nonce, applicant=person.person, group=person.household, kind="juminhyo", options=options
        )
        answer = await city.begin(nonce, person.person, "juminhyo", options)
        print_ = as_print(application, answer.body, answer.sent_ns, answer.answered_ns)
        register = Register()
        household = tuple(one.person for one in RESIDENTS if one.household == person.household)
        register.add_group(Group(group=person.household, persons=household))
        for mark in print_.marks:
            claimed = query(*mark.persons, kind=mark.kind, options=mark.options, version=mark.version)
            if (document := city.truth.document(claimed)) is not None:
                register.add(document)
        outcomes.append(judge(print_, register).outcome)
        await city.of_issuer.execute(f"UPDATE resident_copy SET {alteration}", person.person)  # noqa: S608 - ours
    altered_people = "person =" in alteration.partition("WHERE")[0]
    assert outcomes == [Outcome.OK, Outcome.MIXED if altered_people else Outcome.TORN]


def test_truth_is_apart_from_the_issuer() -> None:
    """The truth loads neither the database nor any rule of registry and issuer."""
    loaded = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True).stdout.split()
    issuing = ("registry", "sync_agent", "ap_server", "print_wait", "database")
    assert "targets.municipal.truth" in loaded
    assert not {"asyncpg", *(f"targets.municipal.{name}" for name in issuing)} & set(loaded)


async def test_truth_as_a_server() -> None:
    """Over HTTP the truth draws changes, leaves out documents that are none, and answers nonsense with 400."""
    async with (
        run_truth(seed=SEED, households=HOUSEHOLDS, issue_date=ISSUED) as facts,
        aiohttp.ClientSession(f"http://{facts['host']}:{facts['port']}") as http,
    ):

        async def post(path: str, body: bytes) -> tuple[int, bytes]:
            async with http.post(path, data=body) as response:
                return response.status, await response.read()

        asked = DrawQuery(change="C1", household=ONE.household, kinds=("relocate",), seed=Random(1).getrandbits(32))
        status, body = await post("/changes", msgspec.json.encode(asked))
        assert status == 200
        assert msgspec.json.decode(body, type=DrawnChange).version == 2
        queries = [query(ONE.person, version=version) for version in (1, 2, 3)]
        status, body = await post("/documents", msgspec.json.encode(queries))
        assert status == 200
        assert [document.version for document in msgspec.json.decode(body, type=list[Document])] == [1, 2]
        image = render("zei", [OTHER], issue_date=ISSUED)
        assert await post("/right", msgspec.json.encode(application(OTHER.person, "zei"))) == (200, image)
        assert await post("/right", msgspec.json.encode(application("P99999"))) == (204, b"")
        for path in ("/changes", "/documents", "/right"):
            for nonsense in (b"{", b'"\xff"', b"[{}]"):
                assert (await post(path, nonsense))[0] == 400
        impossible = msgspec.structs.replace(asked, household="H99999")
        assert (await post("/changes", msgspec.json.encode(impossible)))[0] == 400
