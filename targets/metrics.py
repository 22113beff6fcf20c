"""What a server counts about itself, at GET /metrics in the text format of Prometheus.

Each server object has a registry of its own, because a test runs several of them in one process.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# In this format each would be one more family, and nobody asks when a counter was made.
disable_created_metrics()  # type: ignore[no-untyped-call] # it carries no types


def add_metrics(
    app: web.Application, registry: CollectorRegistry, refresh: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Let `app` answer GET /metrics with what is in the registry.

    Args:
        refresh: awaited first, for what has to be asked of somebody else.
    """

    async def metrics(_: web.Request) -> web.Response:
        if refresh is not None:
            await refresh()
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app.router.add_get("/metrics", metrics)
