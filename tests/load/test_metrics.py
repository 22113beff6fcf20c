"""Scrapes beside Locust: on its web UI, behind its login, and on a port of their own."""

import urllib.request
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import gevent
import pytest

from harness.live.exporter import Exporter, ExporterError
from harness.live.metrics import RunCollector
from tests.load.snapshots import failing


def nobody() -> tuple[str, Mapping[str, str]]:
    """No target is driven."""
    return "", {}


EXPORTER = Exporter(RunCollector(failing), nobody)


@pytest.fixture(scope="module")
def environment() -> Iterator[Any]:
    """Locust's; it would patch the interpreter of all tests unless it is told not to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        yield import_module("locust.env").Environment()


@pytest.fixture
def load(environment: Any) -> Any:
    """The module."""
    del environment
    return import_module("harness.load.metrics")


@pytest.mark.parametrize("base_path", ["", "/load"])
def test_routes_of_the_web_ui(environment: Any, load: Any, base_path: str) -> None:
    """The web UI answers both paths, below its base path where it has one."""
    web_ui = environment.create_web_ui("127.0.0.1", 0, web_base_path=base_path or None, delayed_start=True)
    load.add_routes(web_ui, EXPORTER, base_path)
    client = web_ui.app.test_client()
    metrics = client.get(f"{base_path}/metrics")
    assert metrics.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert "misissue_misissuances_total{" in metrics.text
    assert client.get(f"{base_path}/metrics/targets").json == []


def test_login_is_asked_for(environment: Any, load: Any) -> None:
    """Where Locust's web UI asks for a login, nobody scrapes without one."""
    web_ui = environment.create_web_ui("127.0.0.1", 0, web_login=True, delayed_start=True)
    load.add_routes(web_ui, EXPORTER)
    web_ui.app.secret_key = "of this test"  # noqa: S105 - opens nothing
    web_ui.login_manager.user_loader(lambda _: None)
    for path in ("/metrics", "/metrics/targets"):
        answer = web_ui.app.test_client().get(path)
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/login")


def test_port_of_their_own(load: Any) -> None:
    """A free port is taken where 0 was asked for, and answers; one that cannot be had is refused in one line."""
    url = load.listen(EXPORTER, "127.0.0.1", 0)
    port = int(url.split(":")[2].partition("/")[0])
    with gevent.get_hub().threadpool.apply(urllib.request.urlopen, (url,)) as answer:
        assert b"misissue_misissuances_total{" in answer.read()
    with pytest.raises(ExporterError, match=f"port {port} on 127.0.0.1 is already in use"):
        load.listen(EXPORTER, "127.0.0.1", port)
    with pytest.raises(ExporterError, match="70000 is no port"):
        load.listen(EXPORTER, "127.0.0.1", 70000)
