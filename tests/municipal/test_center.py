"""The center: it forwards, keeps the time-out, and raises an error notice for an error and for nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from harness.records import ErrorNotice
from targets.municipal.center import run_center
from targets.process import start_site
from tests.municipal.conftest import Answer, City, Gates, StartCity, until


class Center:
    """A center in front of a city, or of any AP server."""

    def __init__(self, city: City, url: str, notices: Path) -> None:
        self._city = city
        self._url = url
        self._notices = notices

    def begin(self, nonce: str, applicant: str, kind: str = "juminhyo") -> asyncio.Task[Answer]:
        """Apply as a kiosk does."""
        return asyncio.create_task(self.send(self._city.form(nonce, applicant, kind)))

    async def send(self, body: bytes) -> Answer:
        """Apply with any form."""
        return await self._city.post(f"{self._url}/applications", body)

    def notices(self) -> list[tuple[str, str]]:
        """(nonce, code) of the error notices so far."""
        lines = self._notices.read_bytes().splitlines() if self._notices.exists() else []
        notices = [msgspec.json.decode(line, type=ErrorNotice) for line in lines]
        assert all(0 < before.at_ns <= after.at_ns for before, after in pairwise(notices))
        return [(notice.nonce, notice.code) for notice in notices]


OpenCenter = Callable[..., AbstractAsyncContextManager[Center]]


@pytest.fixture
def open_center(tmp_path: Path) -> OpenCenter:
    """Opens a center."""

    @asynccontextmanager
    async def open_(city: City, *, timeout_s: float = 0, ap: str = "") -> AsyncIterator[Center]:
        notices = tmp_path / "center.jsonl"
        async with run_center(ap or city.ap, timeout_s=timeout_s, notices=notices) as facts:
            yield Center(city, f"http://{facts['host']}:{facts['port']}", notices)

    return open_


async def test_what_is_no_error_passes(start_city: StartCity, open_center: OpenCenter) -> None:
    """Documents, refusals and the refusal of a broken form reach the kiosk as they are and raise no notice."""
    city = await start_city()
    async with open_center(city) as center:
        paper = await center.begin("A", city.people[0].person, "koseki")
        assert city.is_right(paper, city.people[0], kind="koseki")
        refusal = await center.begin("B", "P99999")
        assert (refusal.status, refusal.reason) == (409, "not_resident")
        for body in (b"{", b'{"nonce":"\xff"}', city.form("C", city.people[0].person, "kisai")):
            assert (await center.send(body)).status == 400
        assert center.notices() == []


@pytest.mark.parametrize("topology", ["split", "joined"])
async def test_time_out(
    start_city: StartCity, open_center: OpenCenter, gates: Gates, caplog: pytest.LogCaptureFixture, topology: str
) -> None:
    """A print that takes too long, staged or waiting, ends at the kiosk as 504 with a notice, and leaves nothing."""
    city = await start_city(topology=topology)
    gates.close("A", "read")
    async with open_center(city, timeout_s=0.5) as center:
        staged = center.begin("A", city.people[0].person)
        await gates.arrival("A", "read")
        waiting = center.begin("B", city.people[1].person)
        for answer in (await staged, await waiting):
            assert (answer.status, answer.reason) == (504, "timeout")
        assert sorted(center.notices()) == [("A", "timeout"), ("B", "timeout")]
        gates.open("A", "read")
        await until(lambda: ("B", "read") in city.times())
        await until(city.nothing_is_left)
        assert not {("A", "delivered"), ("B", "delivered")} & set(city.times())
        assert not caplog.records


async def test_error_of_the_ap_server(start_city: StartCity, open_center: OpenCenter, gates: Gates) -> None:
    """The AP server's own error reaches the kiosk as 502 and the log under its own name."""
    city = await start_city()
    gates.close("A", "read")
    async with open_center(city) as center:
        print_ = center.begin("A", city.people[0].person)
        await gates.arrival("A", "read")
        (city.spool / "slot-1.pdf").unlink()
        gates.open("A", "read")
        answer = await print_
        assert (answer.status, answer.reason) == (502, "image_missing")
        assert center.notices() == [("A", "image_missing")]


@pytest.mark.parametrize("body", [b"<h1>Oops</h1>", b"\xff", b"{}", b"[]", b'{"error":"\xff"}'])
async def test_nameless_error(start_city: StartCity, open_center: OpenCenter, body: bytes) -> None:
    """An error that the AP server did not name was none that it foresaw."""

    async def fail(_: web.Request) -> web.Response:
        return web.Response(status=500, body=body)

    app = web.Application()
    app.router.add_post("/prints", fail)
    city = await start_city(ap=False)
    async with start_site(app, "127.0.0.1", 0) as port, open_center(city, ap=f"http://127.0.0.1:{port}") as center:
        answer = await center.begin("A", "P00001")
        assert (answer.status, answer.reason) == (502, "internal_error")
        assert center.notices() == [("A", "internal_error")]


async def test_no_ap_server(start_city: StartCity, open_center: OpenCenter) -> None:
    """When nobody listens at the AP server's address the kiosk gets 502 and there is a notice."""
    city = await start_city(ap=False)
    async with start_site(web.Application(), "127.0.0.1", 0) as port:
        address = f"http://127.0.0.1:{port}"
    async with open_center(city, ap=address) as center:
        answer = await center.begin("A", "P00001")
        assert (answer.status, answer.reason) == (502, "unreachable")
        assert center.notices() == [("A", "unreachable")]
