"""The sync agent among prints: its holds, and the release of the two builds in every deployment."""

import asyncio
import time
from itertools import product

import asyncpg
import pytest

from targets.municipal import sync_agent
from targets.municipal.points import read_points
from targets.municipal.sync_agent import _after_deadlocks
from tests.municipal.conftest import Gates, StartCity, stage_and_wait, until

DEFECT = ("seed", "split", "v2")
HARMLESS = [cell for cell in product(("seed", "fixed"), ("split", "joined"), ("v1", "v2")) if cell != DEFECT]
HOLDS = "SELECT owner, person, released FROM print_wait WHERE slot IS NULL ORDER BY person"


async def test_holds_of_v2(start_city: StartCity, gates: Gates) -> None:
    """Method v2 holds everybody of the household while their change is applied, and nobody afterwards."""
    city = await start_city(ap=False)
    gates.close("S1", "sync.applied")
    change = city.relocation("C1", city.people[0])
    synchronised = asyncio.create_task(city.synchronise(change))
    await gates.arrival("S1", "sync.applied")
    members = sorted(one.person for one in city.residents if one.household == change.household)
    assert [tuple(row) for row in await city.of_issuer.fetch(HOLDS)] == [("S1", person, False) for person in members]
    gates.open("S1", "sync.applied")
    await synchronised
    assert await city.of_issuer.fetchval("SELECT count(*) FROM print_wait") == 0


async def test_batch_of_v1(start_city: StartCity, gates: Gates) -> None:
    """Method v1 applies in one run whatever has gathered since the last, and holds nobody."""
    city = await start_city(sync="v1", ap=False)
    gates.close("S1", "sync.begin")
    gates.close("S3", "sync.applied")
    changes = [city.relocation(f"C{number}", city.people[number]) for number in (1, 2, 3)]
    first = asyncio.create_task(city.synchronise(changes[0]))
    await gates.arrival("S1", "sync.begin")
    for change in changes[1:]:
        await city.enter(change)
    gates.open("S1", "sync.begin")
    await gates.arrival("S3", "sync.applied")
    assert await city.of_issuer.fetchval("SELECT count(*) FROM print_wait") == 0
    gates.open("S3", "sync.applied")
    await asyncio.gather(first, *map(city.synchronise, changes))
    applied = {one.subject: one.applied for one in read_points(city.sync_log) if one.point == "sync.begin"}
    assert applied == {
        "S1": ((changes[0].household, 2),),
        "S3": tuple((change.household, 2) for change in changes[1:]),
    }


@pytest.mark.parametrize("sync", ["v1", "v2"])
async def test_late_repetition_brings_nothing_back(start_city: StartCity, sync: str) -> None:
    """A change that is applied once more, after a newer one, does not replace the newer version."""
    city = await start_city(sync=sync, ap=False)
    person = city.people[0]
    for change in ("C1", "C2"):
        await city.synchronise(city.relocation(change, person))
    await city.of_registry.execute("UPDATE outbox SET synchronised = false WHERE change = 'C1'; NOTIFY outbox")
    await city.synchronise(city.relocation("C1", person))
    version = "SELECT version FROM resident_copy WHERE person = $1"
    assert await city.of_issuer.fetchval(version, person.person) == 3


async def test_defect(start_city: StartCity, gates: Gates) -> None:
    """Build seed, v2, split: B is let in beside A and overwrites A's image; B errs and succeeds when applied again."""
    city = await start_city(build="seed")
    owner, other = city.people[:2]
    a, b = await stage_and_wait(city, gates, "read")
    await city.synchronise(city.relocation("C1", city.people[2]))
    await city.points(written=2)
    gates.open("A", "read")
    assert (await a).persons == (other.person,)
    gates.open("B", "read")
    answer = await b
    assert (answer.status, answer.reason) == (500, "image_missing")
    assert city.is_right(await city.begin("B2", other.person), other)
    assert city.is_right(await city.begin("A2", owner.person), owner)
    times = city.times()
    assert times["A", "written"] < times["B", "written"] < times["A", "read"]


async def test_error_without_misissuance(start_city: StartCity, gates: Gates) -> None:
    """Build seed, v2, split: B, let in between A's delivery and its removal, errs although A's paper is A's own."""
    city = await start_city(build="seed")
    a, b = await stage_and_wait(city, gates, "delivered")
    await city.synchronise(city.relocation("C1", city.people[2]))
    await city.points(written=1, read=1)
    gates.open("A", "delivered")
    assert city.is_right(await a, city.people[0])
    await until(lambda: city.waits_are(("B", True)))
    gates.open("B", "read")
    assert (await b).reason == "image_missing"


@pytest.mark.parametrize(("build", "topology", "sync"), HARMLESS)
async def test_no_defect_elsewhere(start_city: StartCity, gates: Gates, build: str, topology: str, sync: str) -> None:
    """When build, method or topology is another, a change between two prints of a slot leaves each its own paper."""
    city = await start_city(build=build, topology=topology, sync=sync)
    a, b = await stage_and_wait(city, gates, "read")
    gates.open("B", "read")
    await city.synchronise(city.relocation("C1", city.people[2]))
    assert topology == "joined" or await city.waits_are(("A", True), ("B", False))
    gates.open("A", "read")
    assert [city.is_right(await a, city.people[0]), city.is_right(await b, city.people[1])] == [True, True]
    times = city.times()
    assert times["A", "delivered"] < times["B", "staged"]


@pytest.mark.parametrize("topology", ["split", "joined"])
async def test_print_of_a_held_person_waits(start_city: StartCity, gates: Gates, topology: str) -> None:
    """While a person's change is applied their print does not reach the stage, and nobody else's waits for it."""
    city = await start_city(topology=topology)
    held, free = city.people[:2]
    gates.close("S1", "sync.applied")
    synchronised = asyncio.create_task(city.synchronise(city.relocation("C1", held)))
    await gates.arrival("S1", "sync.applied")
    waiting = await city.begin_in_line("H", held.person)
    assert city.is_right(await city.begin("F", free.person), free)
    opened_ns = time.monotonic_ns()
    gates.open("S1", "sync.applied")
    await synchronised
    paper = await waiting
    assert (paper.persons, paper.versions) == ((held.person,), {2})
    assert city.times()["H", "staged"] > opened_ns


async def test_deadlock_is_tried_again() -> None:
    """Work that the database chose as the victim of a deadlock is done again until it succeeds."""
    victims = [asyncpg.DeadlockDetectedError(), asyncpg.DeadlockDetectedError()]

    async def work() -> str:
        if victims:
            raise victims.pop()
        return "done"

    assert await _after_deadlocks(work) == "done"


def test_only_the_release_differs() -> None:
    """The builds are two statements that differ in one condition."""
    assert sync_agent.BUILDS["fixed"] == f"{sync_agent.BUILDS['seed']} AND owner = $1"
