"""The AP server: what it prints and refuses, one print at a time in each slot, whatever the link does."""

import asyncio
import time
from itertools import pairwise

import msgspec
import pytest

from targets.link import Link, LinkConditions
from tests.municipal.conftest import Answer, City, Gates, StartCity, until

_ROW = "SELECT true FROM print_wait WHERE slot IS NOT NULL"
ALL_PAPERS = [
    ("juminhyo", ()),
    ("juminhyo", ("my_number",)),
    ("inkan", ()),
    ("koseki", ()),
    ("zei", ()),
]


@pytest.mark.parametrize("topology", ["split", "joined"])
async def test_right_papers(start_city: StartCity, topology: str) -> None:
    """Each certificate is, byte for byte, the one that the truth expects, and nothing of it stays behind."""
    city = await start_city(topology=topology, slots=3)
    person = city.people[0]
    for number, (kind, options) in enumerate(ALL_PAPERS):
        answer = await city.begin(f"A{number}", person.person, kind, options)
        assert city.is_right(answer, person, kind=kind, options=options)
    await until(city.nothing_is_left)


async def test_household_paper(start_city: StartCity) -> None:
    """A paper for the household shows exactly those members who are residents."""
    city = await start_city()
    members = next(
        members
        for one in city.people
        if len(members := [other for other in city.residents if other.household == one.household]) >= 4
    )
    gone, dead, *staying = (one.person for one in members)
    await city.of_issuer.execute("UPDATE resident_copy SET status = 'moved_out' WHERE person = $1", gone)
    await city.of_issuer.execute("UPDATE resident_copy SET status = 'dead', protected = true WHERE person = $1", dead)
    answer = await city.begin("A", staying[-1], "juminhyo", ("household", "my_number"))
    assert answer.persons == tuple(staying)


@pytest.mark.parametrize(
    ("alteration", "kind", "options", "reason"),
    [
        ("status = 'moved_out' WHERE person = $1", "zei", (), "moved_out"),
        ("status = 'dead' WHERE person = $1", "juminhyo", (), "dead"),
        ("protected = true WHERE person = $1", "koseki", (), "protected"),
        ("protected = true WHERE person <> $1", "juminhyo", ("household",), "protected"),
        ("seal = NULL WHERE person = $1", "inkan", (), "no_seal"),
        ("person = 'P99999' WHERE person = $1", "juminhyo", (), "not_resident"),
    ],
)
async def test_refusals(
    start_city: StartCity, alteration: str, kind: str, options: tuple[str, ...], reason: str
) -> None:
    """Who has moved away or died, is protected, or has no seal or no record, is refused before any wait."""
    city = await start_city()
    person = next(one for one in city.people if sum(other.household == one.household for other in city.residents) > 1)
    await city.of_issuer.execute(f"UPDATE resident_copy SET {alteration}", person.person)  # noqa: S608 - ours
    answer = await city.begin("A", person.person, kind, options)
    assert (answer.status, answer.reason) == (409, reason)
    assert [event.point for event in city.events()] == ["applied"]


def form(**fields: object) -> bytes:
    """An application as JSON."""
    return msgspec.json.encode({"nonce": "A", "applicant": "P00001", "kind": "juminhyo"} | fields)


@pytest.mark.parametrize(
    "body",
    [
        *(form(nonce="A\0"), form(applicant="\0P00001"), form(applicant="P00001\n\0"), form(kind="juminhyo\0")),
        *(b"", b"{", b"[]", b"\xff", b'{"nonce":"\xff"}', b'{"nonce":"A","applicant":"P00001"}'),
        *(form(kind="kisai"), form(nonce=1), form(options="household")),
        *(form(options=["colour"]), form(options=["household", "household"]), form(kind="zei", options=["my_number"])),
    ],
)
async def test_broken_form(start_city: StartCity, body: bytes) -> None:
    """An application that cannot be read, or asks for a certificate that does not exist, gets 400 and a reason."""
    city = await start_city()
    answer = await city.post(f"{city.ap}/prints", body)
    assert answer.status == 400
    assert answer.reason


@pytest.mark.parametrize("query", ["written=one", "wirtten=1", "waiting"])
async def test_broken_query_for_points(start_city: StartCity, query: str) -> None:
    """A question for points that can never be answered is refused, instead of being left open for ever."""
    city = await start_city()
    async with asyncio.timeout(20), city.http.get(f"{city.ap}/points?{query}") as response:
        assert response.status == 400
        assert "written=1" in (await response.json())["error"]


@pytest.mark.parametrize("topology", ["split", "joined"])
async def test_one_at_a_time(start_city: StartCity, topology: str) -> None:
    """No two prints of a slot are between staged and delivered at once, though changes go on; all papers are right."""
    city = await start_city(topology=topology, slots=2)
    printing, changing = city.people[:12], city.people[12:16]
    prints = [city.begin(f"A{number}", person.person) for number, person in enumerate(printing)]
    await asyncio.gather(*(city.synchronise(city.relocation(one.household, one)) for one in changing))
    answers = await asyncio.gather(*prints)
    assert all(map(city.is_right, answers, printing))
    times = city.times()
    for slot in ("1", "2"):
        staged = [event.subject for event in city.events() if event.slot == slot and event.point == "staged"]
        assert len(staged) == 6
        for before, after in pairwise(staged):
            assert times[before, "delivered"] <= times[after, "staged"]


async def test_slots_do_not_wait_for_each_other(start_city: StartCity, gates: Gates) -> None:
    """While a print lies in one slot, the next is printed in the other."""
    city = await start_city(slots=2)
    gates.close("A", "read")
    first = city.begin("A", city.people[0].person)
    await gates.arrival("A", "read")
    assert city.is_right(await city.begin("B", city.people[1].person), city.people[1])
    gates.open("A", "read")
    assert city.is_right(await first, city.people[0])


async def test_same_application_twice(start_city: StartCity, gates: Gates) -> None:
    """An application that a client sends twice has two waits, and gets its paper twice."""
    city = await start_city()
    gates.close("A", "read")
    first = city.begin("A", city.people[0].person)
    await gates.arrival("A", "read")
    second = await city.begin_in_line("A", city.people[0].person)
    await until(lambda: city.waits_are(("A", True), ("A", False)))
    gates.open("A", "read")
    assert [city.is_right(await print_, city.people[0]) for print_ in (first, second)] == [True, True]


async def one_staged_one_waiting(city: City, gates: Gates) -> tuple[Link, list[asyncio.Task[Answer]]]:
    """A lies on the stage, B waits behind it."""
    assert city.link is not None
    gates.close("A", "read")
    first = city.begin("A", city.people[0].person)
    await gates.arrival("A", "read")
    return city.link, [first, await city.begin_in_line("B", city.people[1].person)]


async def test_cut_link_frees_nothing(start_city: StartCity, gates: Gates) -> None:
    """While the link is cut nobody is let in, not even by a print that has ended; then all papers come out right."""
    city = await start_city()
    link, (a, b) = await one_staged_one_waiting(city, gates)
    await link.cut()
    await city.synchronise(city.relocation("C1", city.people[2]))
    gates.open("A", "read")
    assert city.is_right(await a, city.people[0])
    assert await city.waits_are(("A", True), ("B", False))
    assert ("B", "staged") not in city.times()
    link.restore()
    assert city.is_right(await b, city.people[1])
    await until(city.nothing_is_left)


async def test_reset_link_frees_nothing(start_city: StartCity, gates: Gates) -> None:
    """When all connections are aborted nobody is let in; after reconnecting all papers come out right."""
    city = await start_city()
    link, (a, b) = await one_staged_one_waiting(city, gates)
    link.reset()
    await city.synchronise(city.relocation("C1", city.people[2]))
    await until(lambda: link.connections > 0)
    assert await city.waits_are(("A", True), ("B", False))
    assert ("B", "staged") not in city.times()
    gates.open("A", "read")
    assert [city.is_right(await a, city.people[0]), city.is_right(await b, city.people[1])] == [True, True]
    await until(city.nothing_is_left)


async def test_a_print_waits_when_its_wait_is_on_record(start_city: StartCity, gates: Gates) -> None:
    """Before its row has come over the link no sync run can meet its wait, and so none makes an exposure with it."""
    city = await start_city()
    assert city.link is not None
    for nonce, point in (("A", "read"), ("B", "rendered")):
        gates.close(nonce, point)
    a = city.begin("A", city.people[0].person)
    await gates.arrival("A", "read")
    b = city.begin("B", city.people[1].person)
    await gates.arrival("B", "rendered")
    await city.link.cut()
    gates.open("B", "rendered")
    await until(lambda: ("B", "rendered") in city.times())
    await city.synchronise(city.relocation("C1", city.people[2]))
    city.link.restore()
    await city.points(waiting=1)
    gates.open("A", "read")
    assert [city.is_right(await a, city.people[0]), city.is_right(await b, city.people[1])] == [True, True]
    times = city.times()
    assert times["S1", "sync.released"] < times["B", "waiting"] < times["A", "read"]


@pytest.mark.parametrize("lost", [False, True])
async def test_a_wait_began_before_that_was_heard(start_city: StartCity, gates: Gates, lost: bool) -> None:
    """A slow link delays the news of it, or loses it, and not the wait, in which a sync run may meet it."""
    city = await start_city()
    assert city.link is not None
    gates.close("B", "rendered")
    b = city.begin("B", city.people[1].person)
    await gates.arrival("B", "rendered")
    city.link.conditions = LinkConditions(latency_s=0.2)
    gates.open("B", "rendered")
    await until(lambda: city.of_issuer.fetchval(_ROW))
    on_record_ns = time.monotonic_ns()
    if lost:
        city.link.reset()
    assert city.is_right(await b, city.people[1])
    times = city.times()
    assert times["B", "rendered"] + 200_000_000 <= times["B", "waiting"] <= on_record_ns
