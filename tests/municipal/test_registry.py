"""The registry, and how its changes reach the resident copy; its rules against those of the truth."""

import asyncio
from itertools import pairwise
from random import Random
from typing import get_args

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.municipal import changes
from targets.municipal.forms import DrawQuery
from targets.municipal.people import Person, population
from targets.municipal.registry import apply_change
from targets.municipal.truth import _after, _draw
from tests.municipal.conftest import SEED, City, StartCity

KINDS = get_args(changes.ChangeKind)
RESIDENTS = population(SEED, 10)
HEAD, SECOND = next(
    (head, second)
    for head, second in pairwise(RESIDENTS)
    if head.seal and not second.seal and head.household == second.household and head.relation == "世帯主"
)
COMMON = {"change": "C1", "household": HEAD.household}
NEWCOMER = msgspec.structs.replace(population(SEED + 1, 1)[0], person="P90001", household="H90001")

CHANGES: list[tuple[changes.ResidentChange, dict[str, dict[str, object]]]] = [
    (
        changes.Relocate(**COMMON, address="見本県見本市本町1丁目1番1号"),
        {one.person: {"address": "見本県見本市本町1丁目1番1号"} for one in (HEAD, SECOND)},
    ),
    (
        changes.Rename(**COMMON, person=HEAD.person, name="森　花", kana="モリ　ハナ"),
        {
            HEAD.person: {"name": "森　花", "kana": "モリ　ハナ", "householder": "森　花"},
            SECOND.person: {"householder": "森　花", "name": SECOND.name},
        },
    ),
    (
        changes.ChangeHouseholder(**COMMON, householder=SECOND.person, relations={HEAD.person: "夫"}),
        {
            HEAD.person: {"relation": "夫", "householder": SECOND.name},
            SECOND.person: {"relation": "世帯主", "householder": SECOND.name},
        },
    ),
    (
        changes.MoveIn(change="C1", household=NEWCOMER.household, persons=(NEWCOMER,)),
        {NEWCOMER.person: {"name": NEWCOMER.name, "my_number": NEWCOMER.my_number}},
    ),
    (
        changes.MoveOut(**COMMON, persons=(HEAD.person,)),
        {HEAD.person: {"status": "moved_out", "seal": None}, SECOND.person: {"status": "resident"}},
    ),
    (changes.Death(**COMMON, person=HEAD.person), {HEAD.person: {"status": "dead", "seal": None}}),
    (changes.RegisterSeal(**COMMON, person=SECOND.person, seal="00001"), {SECOND.person: {"seal": "00001"}}),
    (changes.AbolishSeal(**COMMON, person=HEAD.person), {HEAD.person: {"seal": None}}),
    (changes.Protect(**COMMON, person=HEAD.person, protected=True), {HEAD.person: {"protected": True}}),
]
"""Each kind of change, and what it makes of whom."""


def kind_of(change: object) -> str:
    """A name for the test; what is no change has none."""
    return str(type(change).__struct_config__.tag) if isinstance(change, msgspec.Struct) else "result"


async def records(connection: asyncpg.Connection, table: str) -> dict[str, Person]:
    """The people in a table."""
    rows = await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608 - a word of ours
    return {row["person"]: msgspec.convert(dict(row), Person) for row in rows}


async def everything(city: City) -> tuple[object, ...]:
    """What the registry has on record."""
    outbox = await city.of_registry.fetch("SELECT change, household, version, rows FROM outbox ORDER BY seq")
    return await records(city.of_registry, "resident"), [tuple(row) for row in outbox]


@pytest.mark.parametrize("sync", ["v1", "v2"])
@pytest.mark.parametrize(("change", "result"), CHANGES, ids=kind_of)
async def test_change_reaches_the_copy(
    start_city: StartCity, sync: str, change: changes.ResidentChange, result: dict[str, dict[str, object]]
) -> None:
    """What is entered at the registry is in the resident copy with its version, and nothing else is touched there."""
    city = await start_city(sync=sync, ap=False)
    before = await records(city.of_issuer, "resident_copy")
    version = await city.synchronise(change)
    assert version == (1 if isinstance(change, changes.MoveIn) else 2)
    after = await records(city.of_issuer, "resident_copy")
    assert after == await records(city.of_registry, "resident")
    changed = {name for name, one in after.items() if before.get(name) != one}
    assert changed == {name for name, one in after.items() if one.household == change.household}
    assert {after[name].version for name in changed} == {version}
    for person, fields in result.items():
        assert {field: getattr(after[person], field) for field in fields} == fields


def test_every_kind_of_change_is_tried() -> None:
    """The table of this test has every change that the message format knows."""
    assert {type(change) for change, _ in CHANGES} == set(get_args(changes.ResidentChange))


async def test_repeated_request_changes_nothing(start_city: StartCity) -> None:
    """A request that is sent again, at once or after the synchronisation, is answered with the version it made."""
    city = await start_city(ap=False)
    change = CHANGES[0][0]
    twice = await asyncio.gather(city.enter(change), city.enter(change))
    assert await city.synchronise(change) == 2
    before = await everything(city)
    late = await city.enter(changes.Relocate(**COMMON, address="見本県見本市上町1丁目1番1号"))
    assert [msgspec.json.decode(answer.body) for answer in (*twice, late)] == [{"version": 2}] * 3
    assert await everything(city) == before


async def test_versions_count_up_one_by_one(start_city: StartCity) -> None:
    """Changes of one household that arrive together make one version each, and the copy ends with the last."""
    city = await start_city(ap=False)
    together = [msgspec.structs.replace(CHANGES[0][0], change=f"C{number}") for number in range(6)]
    answers = await asyncio.gather(*map(city.enter, together))
    assert sorted(msgspec.json.decode(answer.body)["version"] for answer in answers) == [2, 3, 4, 5, 6, 7]
    await asyncio.gather(*map(city.synchronise, together))
    assert (await records(city.of_issuer, "resident_copy"))[HEAD.person].version == 7


def wrong(**fields: object) -> bytes:
    """A change as JSON."""
    return msgspec.json.encode({"change": "C1", "household": HEAD.household} | fields)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"kind":"relocate","change":"\xff"}',
        wrong(),
        wrong(kind="divorce"),
        wrong(kind="relocate"),
        wrong(kind="relocate", address="a", household="H99999"),
        wrong(kind="relocate", address="a\0b"),
        wrong(kind="death", person="P99999"),
        wrong(kind="move_out", persons=[HEAD.person, RESIDENTS[-1].person]),
        wrong(kind="household", householder=SECOND.person, relations={"P99999": "子"}),
        wrong(kind="move_in", persons=[], household="H99999"),
        wrong(kind="move_in", persons=[NEWCOMER]),
        wrong(kind="move_in", persons=[msgspec.structs.replace(HEAD, household="H99999")], household="H99999"),
    ],
    ids=[
        *("cut off", "no JSON", "no UTF-8", "no kind", "unknown kind", "no address", "nobody's household"),
        *("character 0", "nobody dies", "other household moves out", "relation of nobody", "nobody moves in"),
        *("into another household", "resident moves in"),
    ],
)
async def test_wrong_change_is_refused(start_city: StartCity, body: bytes) -> None:
    """What cannot be read, or does not fit the people on record, gets 400 and a reason, and does nothing."""
    city = await start_city(ap=False)
    before = await everything(city)
    answer = await city.post(f"{city.registry}/changes", body)
    assert answer.status == 400
    assert answer.reason
    assert await everything(city) == before


@given(seed=st.integers(0, 2**32), steps=st.integers(1, 15))
def test_registry_and_truth_agree(seed: int, steps: int) -> None:
    """Whatever happens to a household one after another, registry and truth make the same of it."""
    random = Random(seed)
    household = random.choice(RESIDENTS).household
    registered = [one for one in RESIDENTS if one.household == household]
    believed = {one.person: one for one in registered}
    for step in range(steps):
        query = DrawQuery(change=f"C{step}", household=household, kinds=KINDS, seed=0)
        change = _draw(random.choice(KINDS), query, believed, random)
        if change is not None:
            version = believed[registered[0].person].version + 1
            registered, believed = apply_change(change, registered), _after(change, believed, version)
        assert {one.person: one for one in registered} == believed
