"""The link between AP server and DB server: a TCP proxy with latency, jitter, bandwidth, cut and reset.

The rules are those of toxiproxy (github.com/Shopify/toxiproxy): each fault does one thing, switching a fault never
drops a byte, and data is stamped when it is READ, so that latency delays a stream without slowing it down.
Within one direction of a connection the order of bytes is always kept. With no conditions set, bytes go from
socket to socket at once. asyncio itself sets TCP_NODELAY on both sockets.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Self, TypeVar

import msgspec
from aiohttp import web

from targets.link_faults import Fault, draw_faults, misbehave
from targets.link_flow import CLEAR, End, LinkConditions, Parcel
from targets.process import OptionParser, address, listening, run_server, start_site

__all__ = ["Link", "LinkConditions", "control", "main", "serve"]

_T = TypeVar("_T")


class Link:
    """A TCP proxy in front of one upstream address, as an async context manager.

    Args:
        host, port: where to listen; port 0 takes a free one. Once entered, the attributes tell the real ones.
        conditions: may be replaced at any time by assignment; what is under way follows the new ones.
        seed: of the one random source of the jitter, which is drawn once for each piece that is read.

    Raises:
        StartError: on entering, when the address cannot be listened on.
    """

    def __init__(
        self,
        upstream_host: str,
        upstream_port: int,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        conditions: LinkConditions = CLEAR,
        seed: int = 0,
    ) -> None:
        self.upstream_host = upstream_host
        self.upstream_port = upstream_port
        self.host = host
        self.port = port
        self.is_cut = False
        self._conditions = conditions
        self.random = random.Random(seed)
        self._ends: set[End] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._whole = asyncio.Event()
        self._whole.set()
        self._restoring: asyncio.TimerHandle | None = None
        self.is_clear = conditions == CLEAR

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        with listening(self.host, self.port):
            server = await loop.create_server(self._accept, self.host, self.port, start_serving=False)
            self._server = server
            try:
                await server.start_serving()
            except BaseException:  # a cancellation, too, must not leave the port open
                server.close()
                raise
        self.host, self.port = server.sockets[0].getsockname()[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        # Everything that matters happens before the first wait, so a cancellation here loses nothing.
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._stop_timer()
        self.reset()
        while self._ends or self._tasks:  # noqa: ASYNC110 - a few turns of the loop; an event would need more care
            await asyncio.sleep(0)

    @property
    def conditions(self) -> LinkConditions:
        """What the link does now."""
        return self._conditions

    @conditions.setter
    def conditions(self, conditions: LinkConditions) -> None:
        self._conditions = conditions
        self._look_again()

    @property
    def connections(self) -> int:
        """How many clients are connected, those included that wait for the upstream."""
        return len(self._ends) // 2

    @property
    def in_flight(self) -> tuple[Parcel, ...]:
        """What was read and has not come out, the ends of streams included; in order within each direction."""
        return tuple(parcel for end in self._ends for parcel in end.queue)

    @property
    def in_flight_bytes(self) -> int:
        """The bytes of `in_flight`."""
        return sum(end.queued_bytes for end in self._ends)

    async def cut(self, seconds: float | None = None) -> None:
        """Stop the flow of bytes and hold new connections, until `restore` or for `seconds`; returns at once.

        Nothing is closed and nothing is lost. Bytes that the operating system already has, still arrive. The kernel
        accepts new connections as ever, but they do not reach the upstream.
        """
        self._stop_timer()
        self.is_cut = True
        self._whole.clear()
        self._look_again()
        if seconds is not None:
            self._restoring = asyncio.get_running_loop().call_later(seconds, self.restore)

    def restore(self) -> None:
        """Undo `cut`; everything that was held flows again."""
        self._stop_timer()
        self.is_cut = False
        self._whole.set()
        self._look_again()

    def reset(self) -> None:
        """Abort every connection with RST, on both sides; what is in flight is lost, new connections may come."""
        for end in self._ends:
            end.reset()

    def _stop_timer(self) -> None:
        if self._restoring is not None:
            self._restoring.cancel()
            self._restoring = None

    def _look_again(self) -> None:
        self.is_clear = self._conditions == CLEAR and not self.is_cut
        for end in self._ends:
            end.wake()

    def _accept(self) -> End:
        client, upstream = End(self), End(self)
        client.other, upstream.other = upstream, client
        return client

    def join(self, client: End) -> None:
        """Called by an end that has come into being and has no other end, or none any more."""
        self._ends |= {client, client.other}
        if self._server is None or client.other.lost:  # it came into being while its link or its client was going
            client.reset()
            return
        client.connecting = asyncio.get_running_loop().create_task(self._connect(client))
        self._tasks.add(client.connecting)
        client.connecting.add_done_callback(self._tasks.discard)

    async def _connect(self, client: End) -> None:
        await self._whole.wait()
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: client.other, self.upstream_host, self.upstream_port)
        except OSError:
            client.reset()  # as the refusing host itself would

    def part(self, end: End) -> None:
        """Called when both ends of a connection are gone."""
        self._ends -= {end, end.other}
        for task in (end.connecting, end.other.connecting):
            if task is not None:
                task.cancel()


class _Cut(msgspec.Struct, forbid_unknown_fields=True):
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None


def _decode(body: bytes, kind: type[_T], example: str) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the second for a text that is not UTF-8
        raise web.HTTPBadRequest(text=f"{error}; send for example {example}") from error


def control(link: Link) -> web.Application:
    """The HTTP interface to the faults of a link.

    `POST /cut` (optional body `{"seconds": number}`), `POST /restore`, `POST /reset`, `PUT /conditions` (the fields of
    `LinkConditions`; those left out are at their default) and `GET /state`. All answer with the state; a body that
    cannot be read is answered with 400 and a sentence.
    """

    async def state(_: web.Request) -> web.Response:
        facts = {
            "host": link.host,
            "port": link.port,
            "upstream": f"{link.upstream_host}:{link.upstream_port}",
            "conditions": link.conditions,
            "is_cut": link.is_cut,
            "connections": link.connections,
            "in_flight": len(link.in_flight),
            "in_flight_bytes": link.in_flight_bytes,
        }
        return web.Response(body=msgspec.json.encode(facts), content_type="application/json")

    async def cut(request: web.Request) -> web.Response:
        body = await request.read()
        wanted = _decode(body, _Cut, 'no body or {"seconds": 0.5}') if body else _Cut()
        await link.cut(wanted.seconds)
        return await state(request)

    async def restore(request: web.Request) -> web.Response:
        link.restore()
        return await state(request)

    async def reset(request: web.Request) -> web.Response:
        link.reset()
        return await state(request)

    async def put_conditions(request: web.Request) -> web.Response:
        link.conditions = _decode(await request.read(), LinkConditions, '{"latency_s": 0.05}')
        return await state(request)

    app = web.Application()
    app.add_routes(
        [
            web.post("/cut", cut),
            web.post("/restore", restore),
            web.post("/reset", reset),
            web.put("/conditions", put_conditions),
            web.get("/state", state),
        ]
    )
    return app


@asynccontextmanager
async def _misbehaving(link: Link, faults: Iterable[Fault], log: Path | None) -> AsyncIterator[None]:
    """Faults while the context lasts."""
    task = asyncio.create_task(misbehave(link, faults, log))
    task.add_done_callback(_end_process_on_failure)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _end_process_on_failure(task: asyncio.Task[None]) -> None:
    """A run must not go on without the faults that it was to have: whoever watches the process has to see it end."""
    if not task.cancelled() and (error := task.exception()) is not None:
        sys.exit(f"link: cannot go on with its faults: {error}")


@asynccontextmanager
async def _running(
    link: Link, control_address: tuple[str, int] | None, faults: Iterable[Fault], log: Path | None
) -> AsyncIterator[Mapping[str, object]]:
    async with link, _misbehaving(link, faults, log):
        if control_address is None:
            yield {"host": link.host, "port": link.port, "control_port": None}
        else:
            async with start_site(control(link), *control_address) as control_port:
                yield {"host": link.host, "port": link.port, "control_port": control_port}


async def serve(argv: Sequence[str]) -> int:
    """Run a link with command-line options; returns the exit code (see `targets.process.run_server`)."""
    parser = OptionParser(prog="link", description="A TCP proxy with latency and faults.")
    parser.add_argument("--upstream", type=address, required=True, metavar="HOST:PORT", help="where bytes go to")
    parser.add_argument("--listen", type=address, default=("127.0.0.1", 0), metavar="HOST:PORT", help="default: any")
    parser.add_argument("--latency-s", type=float, default=0.0, metavar="S", help="one-way delay")
    parser.add_argument("--jitter-s", type=float, default=0.0, metavar="S", help="largest further delay, drawn evenly")
    parser.add_argument("--bandwidth", type=float, metavar="N", help="bytes per second and direction of a connection")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the jitter and the faults")
    parser.add_argument("--control", type=address, metavar="HOST:PORT", help="serve the HTTP control here")
    parser.add_argument(
        "--fault-pause-s", type=float, default=0.0, metavar="S", help="mean pause between faults, 0: none"
    )
    parser.add_argument("--cut-s", type=float, default=2.0, metavar="S", help="length of a cut among the faults")
    parser.add_argument("--fault-log", type=Path, metavar="FILE", help="log of the faults")
    options = parser.parse_args(argv)
    try:
        conditions = LinkConditions(
            latency_s=options.latency_s, jitter_s=options.jitter_s, bandwidth_bytes_per_s=options.bandwidth
        )
    except ValueError as error:
        parser.error(str(error))
    host, port = options.listen
    link = Link(*options.upstream, host=host, port=port, conditions=conditions, seed=options.seed)
    pause_s = options.fault_pause_s
    faults = draw_faults(options.seed, pause_s=pause_s, cut_s=options.cut_s) if pause_s > 0 else ()
    return await run_server("link", _running(link, options.control, faults, options.fault_log))


def main() -> None:
    """Entry point of `python -m targets.link`."""
    sys.exit(asyncio.run(serve(sys.argv[1:])))


if __name__ == "__main__":
    main()
