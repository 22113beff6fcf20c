"""AP server: turns an application into a print image and hands it over.

    application -> resident copy -> render -> wait for the stage of the slot (処理待ち) -> write the slot's print image
    file -> hold it for the stage time -> read it back -> deliver -> remove the file

POST /prints takes an `ApplicationForm` and answers with the PDF, 409 {"refused": ...} or 500 {"error": ...}.
GET /points answers with the prints under way by slot and point; with a query such as ?written=1&waiting=2 it answers as
soon as one slot has that many. GET /metrics: see `targets.municipal.metrics`.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count, cycle
from pathlib import Path
from typing import get_args

import msgspec
from aiohttp import web

from targets.metrics import add_metrics
from targets.municipal.certificates import check_kind, render
from targets.municipal.database import Database, read_household
from targets.municipal.forms import LOCAL_STORE, ApplicationForm
from targets.municipal.metrics import ApMetrics, count_answers
from targets.municipal.people import Person
from targets.municipal.points import Points, PrintPoint
from targets.municipal.print_wait import LocalPrintWait, PrintWait, SharedPrintWait
from targets.process import OptionParser, run_server, start_site

_POINTS = {str(point): str(point) for point in get_args(PrintPoint)}


class RefusedError(Exception):
    """Raised when the issuing rules forbid the certificate; the message is the reason's fixed name."""


def select(form: ApplicationForm, household: Sequence[Person]) -> list[Person]:
    """The people whom the certificate shows, by the issuing rules.

    Raises:
        RefusedError: when it must not be issued.
    """
    applicant = next((person for person in household if person.person == form.applicant), None)
    if applicant is None:
        raise RefusedError("not_resident")
    if applicant.status != "resident":
        raise RefusedError(applicant.status)
    if applicant.protected:
        raise RefusedError("protected")
    if form.kind == "inkan" and applicant.seal is None:
        raise RefusedError("no_seal")
    if "household" not in form.options:
        return [applicant]
    members = [person for person in household if person.status == "resident"]
    if any(person.protected for person in members):
        raise RefusedError("protected")
    return members


class ApServer:
    """The print processing over its store and its spool directory."""

    def __init__(
        self,
        database: Database,
        print_wait: PrintWait,
        points: Points,
        *,
        spool: Path,
        slots: int,
        stage_s: float,
        issue_date: str,
    ) -> None:
        names = [str(number) for number in range(1, slots + 1)]
        self.metrics = ApMetrics(points, names, spool)
        self._database = database
        self._print_wait = print_wait
        self._points = points
        self._spool = spool
        self._next_slot = cycle(names)
        self._next_job = count(1)
        self._stage_s = stage_s
        self._issue_date = issue_date

    async def print(self, request: web.Request) -> web.StreamResponse:
        """POST /prints."""
        try:
            form = msgspec.json.decode(await request.read(), type=ApplicationForm)
            check_kind(form.kind, form.options)
        except ValueError as error:  # of the certificate, of msgspec, or for a text that is not UTF-8
            return web.json_response({"error": str(error)}, status=400)
        try:
            await self._points.reach(form.nonce, "applied")
            household = await read_household(self._database, "resident_copy", form.applicant)
            persons = select(form, household)
            image = render(form.kind, persons, form.options, issue_date=self._issue_date)
            await self._points.reach(form.nonce, "rendered")
            return await self._stage(request, form, image)
        except RefusedError as refusal:
            return web.json_response({"refused": str(refusal)}, status=409)
        finally:
            self._points.leave(form.nonce)

    async def _stage(self, request: web.Request, form: ApplicationForm, image: bytes) -> web.StreamResponse:
        slot = next(self._next_slot)
        file = self._spool / f"slot-{slot}.pdf"
        # A job is one request: should a client send an application twice, each has a wait of its own.
        job = f"{form.nonce}#{next(self._next_job)}"

        async def wait(began_ns: int) -> None:
            await self._points.reach(form.nonce, "waiting", slot=slot, at_ns=began_ns)

        async with self._print_wait.turn(job, slot, form.applicant, wait) as end:
            self.metrics.waits.labels(end).inc()
            await self._points.reach(form.nonce, "staged", slot=slot)
            file.write_bytes(image)
            await self._points.reach(form.nonce, "written", slot=slot)
            await asyncio.sleep(self._stage_s)
            await self._points.reach(form.nonce, "read", slot=slot)
            try:
                printed = file.read_bytes()
            except FileNotFoundError:
                return web.json_response({"error": "image_missing"}, status=500)
            try:
                return await self._deliver(request, form, printed, slot)
            finally:
                file.unlink(missing_ok=True)

    async def _deliver(
        self, request: web.Request, form: ApplicationForm, printed: bytes, slot: str
    ) -> web.StreamResponse:
        response = web.Response(body=printed, content_type="application/pdf")
        with suppress(ConnectionResetError):  # who has given up waiting is delivered nothing
            await response.prepare(request)
            await response.write_eof()
            await self._points.reach(form.nonce, "delivered", slot=slot)
        return response

    async def points(self, request: web.Request) -> web.Response:
        """GET /points."""
        try:
            wanted = Counter({_POINTS[point]: int(number) for point, number in request.query.items()})
        except (KeyError, ValueError):
            reason = f"write ?POINT=NUMBER&..., such as ?written=1&waiting=1; the points are {', '.join(_POINTS)}"
            return web.json_response({"error": reason}, status=400)
        if wanted:
            await self._points.met(wanted)
        return web.json_response(self._points.by_slot())


@asynccontextmanager
async def run_ap_server(
    database: str,
    store: str,
    *,
    spool: Path,
    slots: int = 3,
    stage_s: float = 0.005,
    issue_date: str = "2023-04-30",
    log: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Mapping[str, object]]:
    """Serve while the context lasts; yields host and port.

    Args:
        database: where the resident copy and the holds are.
        store: where prints queue: a database, or `LOCAL_STORE`.
        stage_s: how long a print image lies in its slot before it is read back.
    """
    spool.mkdir(exist_ok=True, mode=0o700)  # noqa: ASYNC240 - before anything is served
    async with Points(log) as points, Database(database) as copy:
        # The tables are made by the initial load; until then there is nothing to serve.
        while await copy.value("SELECT to_regclass('print_wait')::text") is None:  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.02)
        print_wait = LocalPrintWait(database, copy) if store == LOCAL_STORE else SharedPrintWait(store, copy)
        async with print_wait:
            server = ApServer(
                copy, print_wait, points, spool=spool, slots=slots, stage_s=stage_s, issue_date=issue_date
            )
            app = web.Application()
            app.router.add_post("/prints", count_answers(server.print, server.metrics.prints))
            app.router.add_get("/points", server.points)
            add_metrics(app, server.metrics.registry)
            async with start_site(app, host, port) as actual_port:
                yield {"host": host, "port": actual_port}


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m targets.municipal.ap_server`."""
    parser = OptionParser(prog="ap-server", description="Print processing")
    parser.add_argument("--database", required=True, help="the database with the resident copy")
    parser.add_argument("--store", required=True, help=f"where prints queue: a database, or {LOCAL_STORE}")
    parser.add_argument("--spool", type=Path, required=True, help="directory of the print image files")
    parser.add_argument("--slots", type=int, default=3)
    parser.add_argument("--stage-s", type=float, default=0.005)
    parser.add_argument("--issue-date", default="2023-04-30")
    parser.add_argument("--log", type=Path, help="event log")
    options = parser.parse_args(argv)
    return asyncio.run(
        run_server(
            "ap-server",
            run_ap_server(
                options.database,
                options.store,
                spool=options.spool,
                slots=options.slots,
                stage_s=options.stage_s,
                issue_date=options.issue_date,
                log=options.log,
            ),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
