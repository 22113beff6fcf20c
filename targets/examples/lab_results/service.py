"""The service: a patient logs in, asks for results, asks again until they are there, and fetches them once.

POST /login takes number and birthday and gives a bearer token, which everything that follows wants to see. POST
/requests starts a job and answers 202 with its Location, or 403 where a doctor has to tell the results first. There the
job is `working` and then `done`, with the address of the result. GET /version tells the build.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Annotated
from uuid import uuid4

import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel

from targets.defects.same_tick import clock_names
from targets.examples.lab_results.clinic import ALL, Patient, read_patients
from targets.examples.lab_results.jobs import Job, Spool, Tokens
from targets.examples.lab_results.report import TITLES, render, subject
from targets.examples.service import HOST, Served, add_options, open_log
from targets.lifetime import PrivateDirectory
from targets.process import OptionParser, StartError, listening, run_server

BUILD = "lab-results-1"
DEFECTS = ("same-tick",)
_LOOK_UP_S = 0.025


class Credentials(BaseModel):
    """Who logs in."""

    patient: str
    birthday: str


class Order(BaseModel):
    """Which results are asked for."""

    kind: str


class EmbeddedServer(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


def unique_name() -> str:
    """Of a file that nobody else has."""
    return uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


async def _look_up() -> None:
    """The laboratory's own system, which takes its time."""
    await asyncio.sleep(_LOOK_UP_S)


def create_app(
    spool: Spool,
    *,
    new_name: Callable[[], str] = unique_name,
    now: Callable[[], datetime] = _now,
    look_up: Callable[[], Awaitable[object]] = _look_up,
    served: Served = lambda *_: None,
) -> FastAPI:
    """The ASGI application.

    Args:
        new_name: gives each job the name of the file that its result will be.
        now: the time, which each document tells, beside a number of its own.
        look_up: what a job waits for.
        served: called for each document.
    """
    app = FastAPI(openapi_url=None)
    patients = read_patients()
    tokens = Tokens()
    jobs: dict[str, Job] = {}  # until their results are fetched
    numbers, serial_numbers = count(1), count(1)

    async def logged_in(authorization: Annotated[str, Header()] = "") -> Patient:
        number = tokens.number(authorization.removeprefix("Bearer "))
        if number is None:
            raise HTTPException(401)
        return patients[number]

    async def own_job(number: str, patient: Annotated[Patient, Depends(logged_in)]) -> Job:
        job = jobs.get(number)
        if job is None or job.patient != patient:
            raise HTTPException(404)
        return job

    async def work(job: Job) -> None:
        await look_up()
        stamp = f"Printed {now():%Y-%m-%d %H:%M:%S.%f}, serial number {next(serial_numbers):06}"
        spool.put(job.name, render(job.patient, job.kind, stamp))
        job.done = True

    @app.post("/login")
    async def login(credentials: Credentials) -> Mapping[str, str]:
        patient = patients.get(credentials.patient)
        if patient is None or patient.birthday != credentials.birthday:
            raise HTTPException(401)
        return {"token": tokens.issue(patient.number)}

    @app.post("/requests", status_code=202)
    async def start(
        order: Order,
        patient: Annotated[Patient, Depends(logged_in)],
        background: BackgroundTasks,
        response: Response,
        x_request_id: Annotated[str, Header()] = "",
    ) -> Mapping[str, str]:
        if order.kind not in TITLES:
            raise HTTPException(404)
        if not {order.kind, ALL}.isdisjoint(patient.held):
            raise HTTPException(403)
        number = str(next(numbers))
        job = jobs[number] = Job(patient=patient, kind=order.kind, nonce=x_request_id, name=new_name())
        background.add_task(work, job)
        response.headers["Location"] = f"/requests/{number}"
        return {"state": "working"}

    @app.get("/requests/{number}")
    async def look(number: str, job: Annotated[Job, Depends(own_job)]) -> Mapping[str, str]:
        return {"state": "done", "result": f"/requests/{number}/result"} if job.done else {"state": "working"}

    @app.get("/requests/{number}/result")
    async def fetch(number: str, job: Annotated[Job, Depends(own_job)]) -> Response:
        document = spool.take(job.name)
        if document is None:
            raise HTTPException(404)
        del jobs[number]
        served(job.nonce, job.patient.number, *subject(document))
        return Response(document, media_type="text/plain")

    @app.get("/version")
    async def version() -> Mapping[str, str]:
        return {"build": BUILD}

    return app


@asynccontextmanager
async def serving(app: FastAPI, port: int) -> AsyncIterator[Mapping[str, object]]:
    """Serve while the context lasts, with one worker; yields the URL.

    Raises:
        StartError: when the port cannot be listened on.
    """
    with listening(HOST, port):
        bound = socket.create_server((HOST, port), backlog=128)
    # By name, because asyncio spares only sockets that say so the wait for more to send, of 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=bound.detach())
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = EmbeddedServer(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield {"url": f"http://{HOST}:{listener.getsockname()[1]}"}
    finally:
        server.should_exit = True
        await running


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service as this process's only purpose; returns the exit code."""
    parser = OptionParser(prog="lab-results", description="Hands each patient the results of his laboratory tests")
    add_options(parser, DEFECTS)
    options = parser.parse_args(argv)
    try:
        with ExitStack() as stack:
            app = create_app(
                Spool(stack.enter_context(PrivateDirectory())),
                new_name=clock_names() if options.defect else unique_name,
                served=open_log(options.log, stack),
            )
            return asyncio.run(run_server("lab-results", serving(app, options.port)))
    except StartError as error:
        print(f"lab-results: {error}", file=sys.stderr)  # noqa: T201 - the line for the user
        return 2


if __name__ == "__main__":
    sys.exit(main())
