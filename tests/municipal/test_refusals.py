"""What may not be issued: the truth's rules against those of the AP server, for all that can happen to a household."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from random import Random
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fingerprint import checksum
from harness.records import Refusal
from targets.municipal.ap_server import RefusedError, select
from targets.municipal.certificates import KINDS, OPTIONS
from targets.municipal.changes import ChangeKind
from targets.municipal.forms import ApplicationForm, DocumentQuery, DrawQuery
from targets.municipal.people import Person, population
from targets.municipal.refusals import refusals
from targets.municipal.registry import apply_change
from targets.municipal.truth import Truth
from tests.municipal.conftest import HOUSEHOLDS, ISSUED, SEED, StartCity

CHANGES = get_args(ChangeKind)
OPTION_LISTS = [options for number in range(len(OPTIONS) + 1) for options in permutations(OPTIONS, number)]
PAPERS = [(kind, options) for kind in KINDS for options in (OPTION_LISTS if kind == "juminhyo" else [()])]
FEW_PAPERS: Sequence[tuple[str, tuple[str, ...]]] = [("juminhyo", ()), ("juminhyo", ("household",)), ("inkan", ())]
ORDER: Sequence[ChangeKind] = (
    *("protect", "protect", "seal_abolish", "seal_register", "relocate", "rename"),
    *("move_out", "move_in", "move_in", "household", "death"),
)
"""Fits a household of one: it is left, returned to and joined before there is somebody to hand it over to."""
RESIDENTS = population(SEED, HOUSEHOLDS)
SIZES = Counter(one.household for one in RESIDENTS)
PAIR = [one for one in RESIDENTS if one.household == next(name for name, size in SIZES.items() if size == 2)]

Paper = tuple[str, str, tuple[str, ...]]
"""Applicant, kind and options."""


def issued(household: Sequence[Person], paper: Paper) -> tuple[str, ...] | str:
    """Whom the AP server would show, or why it refuses."""
    applicant, kind, options = paper
    try:
        shown = select(ApplicationForm(nonce="A", applicant=applicant, kind=kind, options=options), household)
    except RefusedError as refusal:
        return str(refusal)
    return tuple(one.person for one in shown)


def reason(told: Iterable[Refusal], paper: Paper) -> str:
    """Why the truth says that it has to be refused, or an empty text."""
    return next((one.reason for one in told if one.covers(*paper)), "")


@given(seed=st.integers(0, 2**32), steps=st.integers(0, 12))
def test_ap_server_and_truth_refuse_alike(seed: int, steps: int) -> None:
    """After whatever changes, the AP server refuses what the truth tells, with its reason, and issues all else."""
    random = Random(seed)
    truth = Truth(SEED, HOUSEHOLDS, ISSUED)
    name = random.choice(RESIDENTS).household
    members = [one for one in RESIDENTS if one.household == name]
    told = refusals(members)
    for step in range(steps):
        drawn = truth.draw_change(
            DrawQuery(change=f"C{step}", household=name, kinds=CHANGES, seed=random.getrandbits(32))
        )
        members, told = apply_change(drawn.change, members), drawn.refusals
        assert set(drawn.persons) == {one.person for one in members}
    papers = [(one.person, *paper) for one in members for paper in PAPERS]
    for paper in papers:
        shown = issued(members, paper)
        assert reason(told, paper) == (shown if isinstance(shown, str) else "")
    for applicant, kind, options in random.sample(papers, 3):
        shown = issued(members, (applicant, kind, options))
        staying = tuple(one.person for one in members if one.status == "resident")
        claimed = staying if "household" in options else (applicant,)
        query = DocumentQuery(persons=claimed, kind=kind, options=options, version=steps + 1)
        document = truth.document(query)
        if isinstance(shown, str):
            assert document is None or applicant not in document.applicants
        else:
            assert document is not None
            assert document.persons == shown
            assert applicant in document.applicants
        barred = {one.person for one in members if reason(told, (one.person, kind, options))}
        assert document is None or barred.isdisjoint(document.applicants)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"status": "moved_out"}, [(0, "", "", "moved_out")]),
        ({"status": "dead"}, [(0, "", "", "dead")]),
        ({"status": "dead", "protected": True, "seal": None}, [(0, "", "", "dead")]),
        ({"protected": True}, [(0, "", "", "protected"), (1, "juminhyo", "household", "protected")]),
        ({"seal": None}, [(0, "inkan", "", "no_seal")]),
    ],
    ids=str,
)
def test_rules(fields: dict[str, object], expected: list[tuple[int, str, str, str]]) -> None:
    """Nothing for who has left, died or is protected; no inkan without a seal; no household with somebody protected."""
    members = [msgspec.structs.replace(one, seal="1", protected=False) for one in PAIR]
    members[0] = msgspec.structs.replace(members[0], **fields)
    assert refusals(members) == tuple(
        Refusal(applicant=members[index].person, kind=kind, option=option, reason=why)
        for index, kind, option, why in expected
    )


def size_of_household(person: Person) -> int:
    """How many live there at first."""
    return SIZES[person.household]


@pytest.mark.parametrize("choose", [min, max])
async def test_every_change_on_its_way(start_city: StartCity, choose: Callable[..., Person]) -> None:
    """After each kind of change, in a household small or large, the city issues and refuses as the truth tells."""
    city = await start_city(slots=3)
    household = choose(city.people, key=size_of_household).household
    random = Random(SEED)
    for step, kind in enumerate(ORDER):
        seed = random.getrandbits(32)
        drawn = city.truth.draw_change(DrawQuery(change=f"C{step}", household=household, kinds=(kind,), seed=seed))
        assert await city.synchronise(drawn.change) == drawn.version
        papers = [(person, *paper) for person in drawn.persons for paper in FEW_PAPERS]
        answers = await asyncio.gather(
            *(city.begin(f"A{step}.{number}", *paper) for number, paper in enumerate(papers))
        )
        for answer, paper in zip(answers, papers, strict=True):
            if expected := reason(drawn.refusals, paper):
                assert (answer.status, answer.reason) == (409, expected)
                continue
            query = DocumentQuery(persons=answer.persons, kind=paper[1], options=paper[2], version=drawn.version)
            document = city.truth.document(query)
            assert document is not None
            assert paper[0] in document.applicants
            assert checksum(answer.body) == document.checksum


def test_every_kind_is_on_its_way() -> None:
    """The order of the test above has all kinds of changes."""
    assert set(ORDER) == set(CHANGES)
