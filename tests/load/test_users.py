"""What the harness's own users do when something goes wrong on their way."""

import socket
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.load.plan import Phase, Plan
from harness.records import Change
from harness.target import Request
from tests.load.desk import Desk


@pytest.fixture
def clerk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """At work among two households; Locust would patch the interpreter of all tests unless it is told not to."""
    monkeypatch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
    users = import_module("harness.load.users")
    monkeypatch.setattr(users, "_CHANGE_TRIES", 1)
    active = Desk(import_module, tmp_path).active
    active.plan = Plan((Phase(name="load", seconds=60.0, think_s=0.0, changes_per_s=1.0),))
    plugin = SimpleNamespace(active=active, change_kinds=("relocate",))
    return type("Clerk", (users.CounterUser,), {"plugin": plugin})(import_module("locust.env").Environment())


def test_a_household_whose_change_was_lost(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is changed no more: the registry may have taken only the second of two, and the truth counts both."""
    recorder, statuses = clerk.plugin.active.recorder, iter([500, 200, 200, 200])
    sent: list[Change] = []
    monkeypatch.setattr(recorder, "add_change", sent.append)
    monkeypatch.setattr(
        clerk, "send", lambda _request, _name: SimpleNamespace(status_code=next(statuses), headers={}, content=b"done")
    )
    for _ in range(4):
        clerk.enter()
    (fault,) = recorder.faults
    assert "change C1 was not acknowledged" in fault
    lost, *others = [change.group for change in sent if change.answered_ns is None]
    assert len(others) == 3
    assert lost not in others


def test_a_secret_in_a_url_is_in_no_statistics(clerk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a request that got no answer Locust keeps the error, and its client names the URL in it."""
    monkeypatch.setattr(clerk.plugin.active.target, "client_timeout_s", 0.02)
    waiting = type(clerk)(clerk.environment)
    told: list[Exception | None] = []
    clerk.environment.events.request.add_listener(lambda exception, **_: told.append(exception))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/?key=s3cret"
        response = waiting.send(Request(url=url, method="GET"), "card")
    assert response.status_code == 0
    assert [type(error) for error in told] == [TimeoutError]
    assert "s3cret" not in repr(told)
