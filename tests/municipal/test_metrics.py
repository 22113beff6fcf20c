"""What the servers of the deployment count about themselves, after events that are known."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from targets.municipal.center import run_center
from targets.municipal.target import Municipal
from targets.process import start_site
from tests.municipal.conftest import SMALL, City, Gates, StartCity, stage_and_wait, until
from tests.scraping import Scrape


async def until_shown(city: City, server: str, expected: Mapping[str, float], name: str, *labels: str) -> None:
    """Scrape until the values of the labels show this; an answer is counted a moment after its client has it."""

    async def is_shown() -> bool:
        return (await city.scrape(server)).by(name, *labels) == expected

    await until(is_shown)


@pytest.mark.parametrize("topology", ["split", "joined"])
async def test_prints_and_their_waits(start_city: StartCity, topology: str) -> None:
    """Each answer of the AP server is counted as what it was, and each wait that the line itself ended as granted."""
    city = await start_city(topology=topology)
    for nonce in ("A", "B"):
        assert (await city.begin(nonce, city.people[0].person)).status == 200
    assert (await city.begin("C", "P99999")).status == 409
    assert (await city.begin("D", city.people[0].person, "kisai")).status == 400
    await until_shown(city, city.ap, {"document": 2, "refused": 1, "invalid": 1}, "municipal_prints_total", "answer")
    assert (await city.scrape(city.ap)).by("municipal_print_waits_total", "end") == {"granted": 2}


async def test_stage_and_spool(start_city: StartCity, gates: Gates) -> None:
    """A print counts at the point that it has reached, by slot, and an image that lies in the spool as a file."""
    city = await start_city()
    a, b = await stage_and_wait(city, gates, "read")
    scraped = await city.scrape(city.ap)
    assert scraped.by("municipal_stage_prints", "point", "slot") == {"written/1": 1, "waiting/1": 1}
    assert scraped.value("municipal_spool_files") == 1
    gates.open("A", "read")
    gates.open("B", "read")
    await asyncio.gather(a, b)
    await until(city.nothing_is_left)
    await until_shown(city, city.ap, {}, "municipal_stage_prints", "point")
    scraped = await city.scrape(city.ap)
    assert scraped.value("municipal_stage_prints", point="written", slot="1") == 0
    assert scraped.value("municipal_spool_files") == 0


@pytest.mark.parametrize(("build", "ends"), [("seed", {"granted": 1, "released": 1}), ("fixed", {"granted": 2})])
async def test_spurious_release(start_city: StartCity, gates: Gates, build: str, ends: Mapping[str, float]) -> None:
    """A wait that a sync run ended is told from one that the line ended, which is how the defect shows in operation."""
    city = await start_city(build=build)
    a, b = await stage_and_wait(city, gates, "read")
    await city.synchronise(city.relocation("C1", city.people[2]))
    if build == "seed":
        await city.points(written=2)
    gates.open("A", "read")
    await a
    gates.open("B", "read")
    await b
    await until_shown(city, city.ap, ends, "municipal_print_waits_total", "end")
    answers = {"document": 1, "error": 1} if build == "seed" else {"document": 2}
    await until_shown(city, city.ap, answers, "municipal_prints_total", "answer")


async def test_release_that_was_read_again(start_city: StartCity, gates: Gates) -> None:
    """How a wait ended is told rightly also where the notification of it was lost with the link."""
    city = await start_city(build="seed")
    a, b = await stage_and_wait(city, gates, "read")
    assert city.link is not None
    city.link.reset()
    await city.link.cut()
    await city.synchronise(city.relocation("C1", city.people[2]))
    city.link.restore()
    await city.points(written=2)
    for nonce in ("A", "B"):
        gates.open(nonce, "read")
    await asyncio.gather(a, b)
    assert (await city.scrape(city.ap)).by("municipal_print_waits_total", "end") == {"granted": 1, "released": 1}


@pytest.mark.parametrize("sync", ["v1", "v2"])
async def test_synchronisation(start_city: StartCity, gates: Gates, sync: str) -> None:
    """A change is pending, and its age grows, until it is synchronised; the run is counted and timed when it has."""
    city = await start_city(sync=sync, ap=False)
    before = await city.scrape(city.sync_agent)
    assert before.value("municipal_sync_runs_total") == before.value("municipal_sync_lag_seconds") == 0
    gates.close("S1", "sync.applied")
    synchronised = asyncio.create_task(city.synchronise(city.relocation("C1", city.people[0])))
    await gates.arrival("S1", "sync.applied")
    await city.enter(city.relocation("C2", city.people[1]))
    stuck = await city.scrape(city.sync_agent)
    assert stuck.value("municipal_sync_pending_changes") == 2
    later = await city.scrape(city.sync_agent)
    assert 0 < stuck.value("municipal_sync_lag_seconds") < later.value("municipal_sync_lag_seconds")
    assert stuck.value("municipal_sync_runs_total") == stuck.value("municipal_sync_run_seconds_count") == 0
    gates.open("S1", "sync.applied")
    await synchronised
    await city.synchronise(city.relocation("C2", city.people[1]))
    await until_shown(city, city.sync_agent, {"": 2}, "municipal_sync_runs_total")
    after = await city.scrape(city.sync_agent)
    assert after.value("municipal_sync_run_seconds_count") == 2
    assert after.value("municipal_sync_run_seconds_sum") > 0
    assert after.value("municipal_sync_pending_changes") == after.value("municipal_sync_lag_seconds") == 0


async def test_changes(start_city: StartCity) -> None:
    """A change is counted by its kind when it was committed, and neither when it is repeated nor when refused."""
    city = await start_city(ap=False)
    for change in ("C1", "C1", "C2"):
        await city.enter(city.relocation(change, city.people[0]))
    assert (await city.post(f"{city.registry}/changes", b"{}")).status == 400
    assert (await city.scrape(city.registry)).by("municipal_changes_total", "kind") == {"relocate": 2}


async def test_applications_and_error_notices(start_city: StartCity, gates: Gates) -> None:
    """Each answer of the center is counted as what it was, and each error notice by its code."""
    city = await start_city()
    gates.close("E", "read")
    async with start_site(web.Application(), "127.0.0.1", 0) as port:
        nobody = f"http://127.0.0.1:{port}"
    async with run_center(city.ap, timeout_s=0) as facts, run_center(nobody, timeout_s=0) as deaf_facts:
        center, deaf = (f"http://{one['host']}:{one['port']}" for one in (facts, deaf_facts))
        broken = asyncio.create_task(city.post(f"{center}/applications", city.form("E", city.people[0].person)))
        await gates.arrival("E", "read")
        (city.spool / "slot-1.pdf").unlink()
        gates.open("E", "read")
        assert (await broken).status == 502
        for form, status in (
            (city.form("A", city.people[0].person), 200),
            (city.form("B", "P99999"), 409),
            (b"{", 400),
        ):
            assert (await city.post(f"{center}/applications", form)).status == status
        scraped = await city.scrape(center)
        answers = {"document": 1, "refused": 1, "invalid": 1, "error": 1}
        assert scraped.by("municipal_applications_total", "answer") == answers
        assert scraped.by("municipal_error_notices_total", "code") == {"image_missing": 1}
        assert scraped.value("municipal_error_notices_total", code="timeout") == 0
        assert (await city.post(f"{deaf}/applications", city.form("A", "P1"))).status == 502
        assert (await city.scrape(deaf)).by("municipal_error_notices_total", "code") == {"unreachable": 1}


async def test_every_server_can_be_scraped(tmp_path: Path) -> None:
    """Whatever stands among the addresses of the deployment tells something of its own at /metrics."""
    told = {}
    municipal = Municipal(SMALL)
    municipal.open(tmp_path)
    try:
        async with aiohttp.ClientSession() as http:
            for server, address in municipal.addresses().items():
                async with http.get(f"{address}/metrics") as response:
                    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                    told[server] = Scrape(await response.text()).names
    finally:
        municipal.close()
    assert set(told) == {"center", "registry", "ap-server", "sync-agent"}
    assert all(name.startswith("municipal_") for names in told.values() for name in names)
    assert sum(map(len, told.values())) == len(set().union(*told.values()))
