"""The sync agent over a real registry and issuer: what it brings, and what it releases."""

import asyncio

import pytest

from tests.municipal.conftest import City, Gates, StartCity, until

OTHERS = ((build, topology, sync) for build in ("seed", "fixed") for topology in ("split", "joined") for sync in ("v1", "v2"))


async def a_staged_b_waiting(city: City, gates: Gates) -> list[asyncio.Task]:
    """A holds the stage and is not let to its reading, B waits behind it and is not let to its reading either."""
    gates.close("A", "read")
    gates.close("B", "read")
    first = await city.begin_in_line("A", city.people[0].person, written=1)
    return [first, await city.begin_in_line("B", city.people[1].person, written=1, waiting=1)]


async def test_defect(start_city: StartCity, gates: Gates) -> None:
    """x."""
    city = await start_city(build="seed")
    a, b = await a_staged_b_waiting(city, gates)
    await city.synchronise(city.relocation("c", city.people[2]))
    await city.points(written=2)
    gates.open("A", "read")
    assert (await a).persons == (city.people[1].person,)
    gates.open("B", "read")
    b = await b
    assert (b.status, b.reason) == (500, "image_missing")
    c = await city.begin("B2", city.people[1].person)
    assert city.is_right(c, city.people[1])
