"""The service for laboratory results: its defect is found with the right owners, and without it there is no alarm."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil  # type: ignore[import-untyped] # Locust needs it, too
import pytest

from targets.defects.same_tick import clock_names
from targets.examples.lab_results.jobs import Spool, Tokens
from targets.examples.lab_results.report import subject
from targets.examples.lab_results.service import create_app, serving, unique_name
from targets.municipal.deployment import Server
from tests.examples.conftest import EXAMPLES, Read, Start, Verification, read_served
from tests.pages import ROOT, blocks

HOME = EXAMPLES / "lab_results"
PAGE = (
    (ROOT / "docs" / "own-service.md")
    .read_text(encoding="utf-8")
    .partition("\n### Laboratory results")[2]
    .partition("\n### ")[0]
)
LONG = ("--", "--calm-s", "0.5", "--bursts", "1", "--burst-s", "20")
LONG_PRINTS = 5000
NOON = datetime(2026, 4, 30, 12, tzinfo=UTC)
RUNS = 3
LIMIT_S = 10.0
BIRTHDAYS = {"P003": "1986-05-27", "P004": "1941-10-10", "P012": "1941-09-12"}


class Client:
    """Asks a running service, by the way that its description tells."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def may_log_in(self, patient: str, birthday: str) -> int:
        """The status."""
        async with self._session.post(f"{self._url}/login", json={"patient": patient, "birthday": birthday}) as answer:
            return answer.status

    async def log_in(self, patient: str) -> str:
        """The token."""
        credentials = {"patient": patient, "birthday": BIRTHDAYS[patient]}
        async with self._session.post(f"{self._url}/login", json=credentials) as answer:
            assert answer.status == 200
            return str((await answer.json())["token"])

    async def order(self, token: str, kind: str = "blood_count") -> aiohttp.ClientResponse:
        """The answer to a request for results."""
        headers = {"Authorization": f"Bearer {token}", "X-Request-Id": "nonce"}
        async with self._session.post(f"{self._url}/requests", json={"kind": kind}, headers=headers) as answer:
            return answer

    async def get(self, path: str, token: str) -> tuple[int, bytes]:
        """Status and body."""
        async with self._session.get(f"{self._url}{path}", headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status, await answer.read()

    async def start(self, token: str, kind: str = "blood_count") -> str:
        """Path of a job that was accepted."""
        answer = await self.order(token, kind)
        assert answer.status == 202
        return answer.headers["Location"]

    async def finish(self, job: str, token: str) -> str:
        """Path of its result, once it is done."""
        while True:
            status, body = await self.get(job, token)
            assert status == 200
            if b'"working"' not in body:
                return f"{job}/result"

    async def fetch(self, job: str, token: str) -> tuple[int, bytes]:
        """Its result."""
        return await self.get(await self.finish(job, token), token)


async def _at_once() -> None:
    pass


@asynccontextmanager
async def serve(directory: Path, **arguments: object) -> AsyncIterator[Client]:
    """A client of a service in this event loop, whose jobs take no time unless something else is said."""
    app = create_app(Spool(directory), **{"look_up": _at_once, **arguments})  # type: ignore[arg-type] # as create_app has them
    async with serving(app, 0) as facts, aiohttp.ClientSession() as session:
        yield Client(session, str(facts["url"]))


async def test_everybody_gets_a_document_of_his_own_and_the_same_but_for_its_stamp(tmp_path: Path) -> None:
    """Documents differ between persons and kinds, and two prints in nothing but the last line."""
    documents, stamps = [], []
    async with serve(tmp_path, now=lambda: NOON) as client:
        for person in ("P003", "P004", "P003", "P004"):
            token = await client.log_in(person)
            for kind in ("blood_count", "metabolism"):
                status, document = await client.fetch(await client.start(token, kind), token)
                assert (status, subject(document)) == (200, (person, kind))
                *lines, stamp = document.decode().splitlines()
                documents.append(tuple(lines))
                stamps.append(stamp)
    assert documents[:4] == documents[4:]
    assert len(set(documents)) == 4
    assert stamps == [f"Printed 2026-04-30 12:00:00.000000, serial number {number:06}" for number in range(1, 9)]


async def test_a_job_works_before_it_is_done(tmp_path: Path) -> None:
    """Whoever asks too early is told to ask again, and gets no result."""
    found = asyncio.Event()
    async with serve(tmp_path, look_up=found.wait) as client:
        token = await client.log_in("P003")
        job = await client.start(token)
        assert await client.get(job, token) == (200, b'{"state":"working"}')
        assert (await client.get(f"{job}/result", token))[0] == 404
        found.set()
        assert (await client.fetch(job, token))[0] == 200


def _files(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def test_a_result_is_handed_out_once(tmp_path: Path) -> None:
    """Afterwards neither the job nor a file is left."""
    async with serve(tmp_path) as client:
        token = await client.log_in("P003")
        job = await client.start(token)
        assert (await client.fetch(job, token))[0] == 200
        for path in (job, f"{job}/result"):
            assert (await client.get(path, token))[0] == 404
        assert not _files(tmp_path)


async def test_nobody_sees_the_jobs_of_others(tmp_path: Path) -> None:
    """With a token of one's own somebody else's job is not there; without one nothing is told."""
    async with serve(tmp_path) as client:
        token, other = await client.log_in("P003"), await client.log_in("P004")
        job = await client.start(token)
        result = await client.finish(job, token)
        for path in (job, result):
            assert (await client.get(path, other))[0] == 404
            assert (await client.get(path, "P003.0"))[0] == 401


async def test_who_is_refused(tmp_path: Path) -> None:
    """Results that a doctor has to tell first are not handed out, and there are no others than those of a kind."""
    async with serve(tmp_path) as client:
        token = await client.log_in("P012")
        assert (await client.order(token)).status == 403
        assert (await client.order(token, "genome")).status == 404


@pytest.mark.parametrize("credentials", [("P003", "1941-10-10"), ("P013", "1986-05-27"), ("", "")])
async def test_who_may_not_log_in(tmp_path: Path, credentials: tuple[str, str]) -> None:
    """Number and birthday have to belong together."""
    async with serve(tmp_path) as client:
        assert await client.may_log_in(*credentials) == 401


def test_a_token_that_was_changed_is_nobodys() -> None:
    """Neither another number before the seal nor the seal of another process is taken."""
    tokens = Tokens()
    token = tokens.issue("P003")
    assert tokens.number(token) == "P003"
    assert tokens.number(token.replace("P003", "P004")) is None
    assert tokens.number(Tokens().issue("P003")) is None
    assert tokens.number("") is None


P003, P004 = ("P003", "blood_count"), ("P004", "metabolism")


@pytest.mark.parametrize(("new_name", "owners"), [(unique_name, [P003, P004]), (clock_names(now_ns=lambda: 1), [P004])])
async def test_two_jobs_of_one_name_have_one_result(
    tmp_path: Path, new_name: Callable[[], str], owners: list[tuple[str, str]]
) -> None:
    """The later of two jobs in one tick replaces the result of the earlier, whoever fetches it; and so says the log."""
    lines: list[tuple[str, ...]] = []
    async with serve(tmp_path, new_name=new_name, served=lambda *line: lines.append(line)) as client:
        jobs = [(await client.log_in(person), kind) for person, kind in (P003, P004)]
        started = [(await client.start(*job), job[0]) for job in jobs]
        results = [(await client.finish(*job), job[1]) for job in started]
        answers = [await client.get(*result) for result in results]
    assert [status for status, _ in answers] == [200] * len(owners) + [404] * (2 - len(owners))
    assert [subject(document) for status, document in answers if status == 200] == owners
    assert lines == [("nonce", asked, *owner) for asked, owner in zip(("P003", "P004"), owners, strict=False)]


def test_a_clock_gives_one_name_for_each_of_its_ticks() -> None:
    """Names within a tick are alike, those of two ticks differ."""
    times = iter((0, 3_999_999, 4_000_000, 7_999_999, 8_000_000))
    name = clock_names(4_000_000, lambda: next(times))
    names = [name() for _ in range(5)]
    assert names[0] == names[1] != names[2] == names[3] != names[4]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_service_that_has_ended(tmp_path: Path, number: signal.Signals) -> None:
    """Neither a process nor the results that nobody has fetched, however it ends."""
    files = tmp_path / "files"
    files.mkdir()
    server = Server(
        "targets.examples.lab_results.service", ("--port", "0"), {"TMPDIR": str(files)}, tmp_path / "service.err"
    )
    try:
        server.wait_ready()
        assert len(list(files.iterdir())) == 1
        service = psutil.Process(server.pid)
        processes = [service, *service.children()]
        os.kill(server.pid, number)
        assert psutil.wait_procs(processes, timeout=LIMIT_S)[1] == []
        assert not list(files.iterdir())
    finally:
        server.stop()


def test_the_page_is_right_and_so_are_its_verdicts(read: Read, tmp_path: Path) -> None:
    """PASS without the defect; FAIL with it, and of each document the owner that the service's log names."""
    assert read("lab_results").follow(PAGE) == ["PASS", "FAIL"]
    clean, faulty = (Verification(tmp_path / name) for name in ("clean", "faulty"))
    assert clean.verdict.prints_judged >= 50
    clean.check_clean()
    assert all(line.asked == line.owner for line in read_served(tmp_path / "clean.jsonl"))
    faulty.check_found(read_served(tmp_path / "faulty.jsonl"))


def test_the_tables_on_the_page_are_those_of_the_example() -> None:
    """What the guide shows of the description is what stands in it."""
    (shown,) = blocks(PAGE, "text")
    assert shown in (HOME / "target.toml").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_five_thousand_prints_of_the_clean_service(start: Start) -> None:
    """No incident in 5,000 prints."""
    example = start("lab_results")
    example.prepare()
    prints = 0
    while prints < LONG_PRINTS:
        run = example.verify(*LONG)
        run.check_clean()
        prints += run.verdict.prints_judged
    print(f"no incident in {prints} prints")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_defect_is_found_each_time(start: Start) -> None:
    """Of each of some thousand documents the owner is the one that the service's log names."""
    for _ in range(RUNS):
        example = start("lab_results", "--defect", "same-tick")
        example.prepare()
        example.verify(*LONG).check_found(example.served())
