"""Whose document came out: by content alone, and never better than what can be proved."""

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracle import judge, judge_identity
from harness.outcome import STRANGER_OUTCOMES, Outcome
from harness.records import Change, Document, Mark, Print, Refusal
from harness.register import Register
from tests.harness.builders import (
    HOME,
    OTHER,
    change,
    delivery,
    entry,
    failed,
    mark,
    paper,
    refused,
    register,
    sync_run,
)

NUMBER = ("my_number",)
KNOWN: tuple[Document, ...] = (
    entry("A"),
    entry("A", options=NUMBER),
    entry("A", kind="inkan"),
    entry("A", "B", options=("household",)),
    entry("B"),
    entry("X"),
    entry("X", options=NUMBER),
    entry("A", "X", applicants=("A",)),
)
NOBODYS = b"neither of one nor of the other"


def of(document: bytes, *marks: Mark, kind: str = "juminhyo", options: tuple[str, ...] = ()) -> Print:
    """What was handed to A, who had applied for his own."""
    return delivery("A1", "A", document, marks=marks, kind=kind, options=options)


@pytest.mark.parametrize(
    ("print_", "outcome"),
    [
        pytest.param(of(paper("A")), "ok", id="own paper"),
        pytest.param(of(paper("A", options=NUMBER), options=NUMBER), "ok", id="own paper with My Number as asked"),
        pytest.param(
            of(paper("A", "B", options=("household",)), options=("household",)), "ok", id="the household as asked"
        ),
        pytest.param(of(paper("X")), "wrong_person", id="paper of a stranger"),
        pytest.param(of(paper("X"), kind="inkan"), "wrong_person", id="paper of a stranger, of another kind too"),
        pytest.param(of(paper("A", "X")), "mixed", id="paper with a stranger on it"),
        pytest.param(of(paper("A", options=NUMBER)), "over_disclosed", id="My Number that was not asked for"),
        pytest.param(of(paper("A"), options=NUMBER), "wrong_kind", id="no My Number though it was asked for"),
        pytest.param(of(paper("A", kind="inkan")), "wrong_kind", id="paper of another kind"),
        pytest.param(of(paper("A", "B", options=("household",))), "wrong_kind", id="the household unasked"),
        pytest.param(of(paper("B")), "misdelivered", id="paper of a member of the household"),
        pytest.param(of(b""), "torn", id="empty"),
        pytest.param(of(NOBODYS, mark("A")), "torn", id="own mark on bytes of nobody"),
        pytest.param(of(NOBODYS, mark("A", "B")), "torn", id="marks of the household on bytes of nobody"),
        pytest.param(of(NOBODYS, mark("X")), "wrong_person", id="mark of a stranger on bytes of nobody"),
        pytest.param(of(NOBODYS, mark("A"), mark("X", page=2)), "mixed", id="page 2 of 3 is a stranger's"),
        pytest.param(of(NOBODYS, mark("A", "X")), "mixed", id="a stranger on one's own page"),
        pytest.param(
            of(NOBODYS, mark("A"), mark("A", options=NUMBER, page=2)), "over_disclosed", id="page 2 has My Number"
        ),
        pytest.param(of(NOBODYS), "undecided", id="no mark at all"),
        pytest.param(failed("A1", "A"), "error_final", id="error"),
        pytest.param(
            msgspec.structs.replace(failed("A1", "A"), answer="unanswered"), "error_final", id="may have printed"
        ),
        pytest.param(msgspec.structs.replace(failed("A1", "A"), answer="nothing"), "lost", id="nothing, and no error"),
    ],
)
def test_identity(print_: Print, outcome: str) -> None:
    """Every delivery has the outcome that its bytes and marks prove."""
    assert judge(print_, register(*KNOWN)).outcome == outcome
    assert judge_identity(print_, register(*KNOWN)).outcome == outcome


@pytest.mark.parametrize(
    ("version", "acknowledged_ns", "outcome"),
    [
        (1, 99, "stale"),
        (1, 100, "ok"),
        (2, 99, "ok"),
        (3, 99, "undecided"),
    ],
)
def test_version(version: int, acknowledged_ns: int, outcome: str) -> None:
    """A version is stale once a newer one was acknowledged before the print was sent; unknown before it can exist."""
    known = register(
        *(entry("A", version=number) for number in (1, 2, 3)),
        change(2, sent_ns=50),
        change(3, sent_ns=201),
        sync_run(begin_ns=60, end_ns=acknowledged_ns, applied=[("G1", 2)]),
    )
    judgement = judge(of(paper("A", version=version)), known)
    assert judgement.outcome == outcome
    assert judgement.strangers == ()
    if outcome != "ok":
        assert judgement.persons == ("A",)


@pytest.mark.parametrize(
    ("still", "acknowledged_ns", "outcome"),
    [
        ("", 99, "stale"),
        ("right", 99, "ok"),
        ("unknown", 99, "undecided"),
        ("unknown", 100, "ok"),
        ("altered", 99, "stale"),
    ],
)
def test_document_that_a_change_may_not_have_altered(
    still: Literal["", "right", "unknown", "altered"], acknowledged_ns: int, outcome: str
) -> None:
    """The same bytes may be right by a later version, too; where nobody knows, nobody is blamed and nobody cleared."""
    again = msgspec.structs.replace(entry("A"), version=2, still=still)
    known = register(
        *(entry("A"), *([again] if still else [])),
        change(2, sent_ns=50, synchronised_ns=acknowledged_ns),
    )
    assert judge(of(paper("A")), known).outcome == outcome


def test_document_that_was_altered_in_between() -> None:
    """What was right before and will be right again is stale in between."""
    known = register(
        *(entry("A"), msgspec.structs.replace(entry("A"), version=3, still="right")),
        *(change(2, sent_ns=50, synchronised_ns=60), change(3, sent_ns=201, synchronised_ns=210)),
    )
    assert judge(of(paper("A")), known).outcome == "stale"


BORN = change(2, sent_ns=50, persons=("A", "B", "N"))
FAMILY = ("household",)


@pytest.mark.parametrize(("known_change", "outcome"), [((BORN,), "ok"), ((), "undecided")])
def test_newcomer_of_whom_the_evidence_is_lost(known_change: tuple[Change, ...], outcome: str) -> None:
    """Of a version whose change is missing nobody knows who belonged to the group: whoever is of no other may have."""
    known = register(entry("A", "B", "N", options=FAMILY, version=2), *known_change)
    print_ = of(paper("A", "B", "N", options=FAMILY, version=2), options=FAMILY)
    assert judge(print_, known).outcome == judge_identity(print_, known).outcome == outcome


def test_group_of_which_the_evidence_is_lost() -> None:
    """Its own papers are no stranger's, and a stranger's are."""
    known = Register()
    for document in (entry("A"), entry("X")):
        known.add(document)
    known.add_group(OTHER)
    assert judge(of(paper("A")), known).outcome == "undecided"
    assert judge(of(paper("X")), known).outcome == "wrong_person"


MOVED_OUT = (Refusal(applicant="A", reason="moved_out"),)
NO_SEAL = (Refusal(applicant="A", kind="inkan", reason="no_seal"),)
NOT_TOGETHER = (Refusal(applicant="A", kind="juminhyo", option="household", reason="protected"),)


def test_permission_of_which_the_evidence_is_lost() -> None:
    """What the versions before it refused may be right by one whose change is missing."""
    known = register(msgspec.structs.replace(HOME, refusals=MOVED_OUT), entry("A", version=2))
    assert judge(of(paper("A", version=2)), known).outcome == "undecided"
    known.add_change(change(2, sent_ns=50))
    assert judge(of(paper("A", version=2)), known).outcome == "ok"


def with_version_2(refusals: tuple[Refusal, ...], *, sent_ns: int, acknowledged_ns: int) -> Register:
    """A register in which A's second version was sent and synchronised then, and refuses this."""
    return register(
        *KNOWN,
        change(2, sent_ns=sent_ns, refusals=refusals),
        sync_run(begin_ns=sent_ns, end_ns=acknowledged_ns, applied=[("G1", 2)]),
    )


@pytest.mark.parametrize(
    ("sent_ns", "acknowledged_ns", "for_a_refusal", "for_a_paper"),
    [
        (50, 99, "refused_ok", "should_refuse"),
        (50, 100, "refused_ok", "ok"),
        (200, 300, "refused_ok", "ok"),
        (201, 300, "refused_wrong", "ok"),
    ],
)
def test_refusals_by_time(sent_ns: int, acknowledged_ns: int, for_a_refusal: str, for_a_paper: str) -> None:
    """A refusal is right when some version that was right says so, a document wrong when all of them do."""
    known = with_version_2(MOVED_OUT, sent_ns=sent_ns, acknowledged_ns=acknowledged_ns)
    assert judge(refused("A1", "A"), known).outcome == for_a_refusal
    assert judge(of(paper("A")), known).outcome == for_a_paper


@pytest.mark.parametrize(
    ("refusals", "kind", "options", "outcome"),
    [
        (MOVED_OUT, "juminhyo", (), "refused_ok"),
        (MOVED_OUT, "inkan", (), "refused_ok"),
        (NO_SEAL, "inkan", (), "refused_ok"),
        (NO_SEAL, "juminhyo", (), "refused_wrong"),
        (NOT_TOGETHER, "juminhyo", ("household",), "refused_ok"),
        (NOT_TOGETHER, "juminhyo", (), "refused_wrong"),
        ((), "juminhyo", (), "refused_wrong"),
    ],
)
def test_refusals_by_rule(refusals: tuple[Refusal, ...], kind: str, options: tuple[str, ...], outcome: str) -> None:
    """A rule refuses the kind and the option that it names, and every one where it names none."""
    known = with_version_2(refusals, sent_ns=50, acknowledged_ns=60)
    print_ = msgspec.structs.replace(refused("A1", "A", kind=kind), options=options)
    assert judge(print_, known).outcome == outcome
    assert judge_identity(print_, known).outcome == "undecided"


def test_refusal_of_nobody_known() -> None:
    """Whether a refusal is right cannot be told of a group that nobody told of."""
    assert judge(refused("A1", "A"), Register()).outcome == "undecided"


def test_refusal_of_somebody_who_left() -> None:
    """Who is no member any more is refused rightly, and should be."""
    known = register(
        *KNOWN, change(2, sent_ns=10, persons=("B",)), sync_run(begin_ns=20, end_ns=30, applied=[("G1", 2)])
    )
    assert judge(refused("A1", "A"), known).outcome == "refused_ok"
    assert judge(of(paper("A")), known).outcome == "should_refuse"


@pytest.mark.parametrize(
    ("document", "marks", "outcome"),
    [
        (paper("X"), (), "wrong_person"),
        (paper("A", options=NUMBER), (), "over_disclosed"),
        (paper("B"), (), "should_refuse"),
        (NOBODYS, (mark("A"),), "should_refuse"),
        (NOBODYS, (mark("X"),), "wrong_person"),
        (NOBODYS, (), "undecided"),
        (b"", (), "torn"),
    ],
)
def test_should_refuse_among_others(document: bytes, marks: tuple[Mark, ...], outcome: str) -> None:
    """What came out for somebody who is to be refused is judged by the worst that holds of it."""
    known = with_version_2(MOVED_OUT, sent_ns=50, acknowledged_ns=60)
    assert judge(of(document, *marks), known).outcome == outcome


@pytest.mark.parametrize(
    ("document", "kind", "outcome"),
    [
        (paper("A"), "inkan", "stale"),  # worse than wrong_kind
        (paper("B"), "juminhyo", "stale"),  # worse than misdelivered
        (paper("A", options=NUMBER), "juminhyo", "over_disclosed"),
        (paper("X"), "juminhyo", "wrong_person"),
    ],
)
def test_worst_that_holds(document: bytes, kind: str, outcome: str) -> None:
    """Of several things that are wrong with one document the worst is its outcome."""
    known = register(
        *KNOWN,
        change(2, sent_ns=50),
        change(2, sent_ns=50, group="G2", persons=("X",)),
        sync_run(begin_ns=60, end_ns=70, applied=[("G1", 2), ("G2", 2)]),
    )
    assert judge(of(document, kind=kind), known).outcome == outcome


def test_newcomer_is_permitted() -> None:
    """Who joined the household by a change is no stranger."""
    document = entry("A", "X", applicants=("A",))
    known = register(document, change(2, sent_ns=50, persons=("A", "B", "X")))
    assert judge(of(paper("A", "X")), known).outcome == "ok"


def test_details_of_a_wrong_person() -> None:
    """The judgement names whose data is on the paper, who of them is a stranger, and what it is."""
    judgement = judge(of(paper("X", options=NUMBER)), register(*KNOWN))
    assert (judgement.persons, judgement.strangers) == (("X",), ("X",))
    assert (judgement.kind, judgement.options) == ("juminhyo", NUMBER)


def test_details_of_a_mix() -> None:
    """Of a mix the stranger's page is described, and a page with My Number before one without."""
    marks = (mark("A", kind="koseki"), mark("X", page=2), mark("X", options=NUMBER, page=3))
    judgement = judge(of(NOBODYS, *marks), register())
    assert (judgement.persons, judgement.strangers) == (("A", "X"), ("X",))
    assert (judgement.kind, judgement.options) == ("juminhyo", NUMBER)


def test_details_of_a_second_page() -> None:
    """A My Number that only the second page shows is told."""
    judgement = judge(of(NOBODYS, mark("A"), mark("A", options=NUMBER, page=2)), register())
    assert judgement.options == NUMBER


people = st.sampled_from(["A", "B", "X"])
some_people = st.lists(people, min_size=1, max_size=3, unique=True).map(tuple)
some_options = st.sets(st.sampled_from(["my_number", "household"])).map(lambda chosen: tuple(sorted(chosen)))
some_marks = st.builds(
    lambda persons, options, page: mark(*persons, options=options, page=page),
    some_people,
    some_options,
    st.integers(1, 3),
)
documents = st.builds(
    lambda persons, options, version, applicants: entry(
        *persons, options=options, version=version, applicants=applicants
    ),
    some_people,
    some_options,
    st.integers(1, 3),
    some_people,
)


def filled(entries: list[Document]) -> Register:
    """A register of the entries; of those with the same bytes the last counts."""
    return register(*{document.checksum: document for document in entries}.values())


@given(
    entries=st.lists(documents, max_size=5),
    document=st.binary(max_size=8),
    options=some_options,
    marks=st.lists(some_marks, max_size=3),
)
def test_unknown_bytes_are_never_ok(
    entries: list[Document], document: bytes, options: tuple[str, ...], marks: list[Mark]
) -> None:
    """Bytes that are in no register entry are never ok, whatever their marks claim."""
    judgement = judge(of(document, *marks, options=options), filled(entries))
    assert judgement.outcome.is_misissue or judgement.outcome is Outcome.UNDECIDED


@given(delivered=documents, others=st.lists(documents, max_size=3), options=some_options)
def test_a_stranger_is_never_overlooked(delivered: Document, others: list[Document], options: tuple[str, ...]) -> None:
    """A document that shows a stranger is wrong_person or mixed, even where the truth claims it for the applicant."""
    data = paper(*delivered.persons, options=delivered.options, version=delivered.version)
    judgement = judge(of(data, options=options), filled([*others, delivered]))
    assert (judgement.outcome in STRANGER_OUTCOMES) == ("X" in delivered.persons)
    assert judgement.strangers == (("X",) if "X" in delivered.persons else ())


@given(marks=st.lists(some_marks, min_size=1, max_size=4))
def test_a_strangers_mark_is_never_overlooked(marks: list[Mark]) -> None:
    """A stranger's mark anywhere on bytes of nobody makes them wrong_person or mixed, in any order of the pages."""
    expected = any("X" in page.persons for page in marks)
    for order in (marks, marks[::-1]):
        assert (judge(of(NOBODYS, *order), register()).outcome in STRANGER_OUTCOMES) == expected
