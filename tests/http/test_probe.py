"""A probe shows what was sent and what came back where it fails, and a secret never."""

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from harness import probe
from harness.exchange import Exchange
from harness.probe import Probe, Step, exit_code
from harness.records import Application, Refusal
from harness.report.language import ENGLISH
from harness.report.probe import hide, print_step
from harness.target import Answer, Request, Target
from targets.http.target import HttpTarget
from tests.http.conftest import VALID, describe

SECRET = 's3&"cret ü'  # noqa: S105 - nobody's
LOGIN = """
[login]
path = "/login"
query = { key = "{secret:KEY}" }
json = { user = "{person}", password = "{secret:KEY}" }
token = { json = "token" }

[secrets]
KEY = { env = "MISISSUE_TEST_KEY" }
"""
Answered = tuple[int, Mapping[str, str], bytes]


class Service:
    """Played by a test: answers by path and what is in the body."""

    def __init__(self) -> None:
        self.documents = {"P001": b"one"}
        self.status = 200

    def __call__(self, request: Request, *, timeout_s: float | None, ca_file: Path | None) -> Answered:  # noqa: ARG002 - as `send`
        if "/login" in request.url:
            return 200, {}, b'{"token": "t0ken"}'
        person = request.body.decode().split('"employee":"')[1].partition('"')[0]
        return self.status, {"Set-Cookie": "sid=s1d"}, self.documents.get(person, person.encode())


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HttpTarget:
    """Everybody logs in with a secret."""
    monkeypatch.setenv("MISISSUE_TEST_KEY", SECRET)
    text = VALID.replace("{ X-", '{ Authorization = "Bearer {token}", X-')
    text = text.replace('{ path = "/version", at = "build" }', '"1"')
    made = HttpTarget({"file": str(describe(tmp_path, text + LOGIN, "person\nP001\nP002\nP003\n"))})
    made.reach()
    return made


def probed(target: Target, service: Service, monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """All steps."""
    monkeypatch.setattr("harness.exchange.send", service)
    return list(Probe(target, Random(1)).steps())


def results(steps: list[Step]) -> dict[str, str]:
    """By name."""
    return {step.name: step.result for step in steps}


def test_all_is_well(target: HttpTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be checked yet is skipped, and everything else holds."""
    steps = probed(target, Service(), monkeypatch)
    assert results(steps) == {
        "reached": "ok",
        "same_twice": "ok",
        "strangers": "ok",
        "right": "skipped",
        "self_test": "ok",
        "refused": "skipped",
    }
    assert exit_code(steps) == 0


def test_secrets_are_not_shown(
    target: HttpTarget, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither those of the description, in whatever way they are written, nor what a login brought."""
    service = Service()
    service.status = 500
    steps = probed(target, service, monkeypatch)
    assert (results(steps), exit_code(steps)) == ({"reached": "failed"}, 1)
    print_step(steps[0], ENGLISH, target.secrets())
    shown = capsys.readouterr().out
    assert "FAILED · an application brings a document\n  found: status 500; right is a document" in shown
    assert "> POST http://127.0.0.1:8080/login?key=***" in shown
    assert '> {"user":"P0' in shown
    assert '"password":"***"}' in shown
    assert "> Authorization: ***" in shown
    assert "< Set-Cookie: ***" in shown
    assert '< {"token": "***"}' in shown
    assert "< 500" in shown
    for told in ("s3", "cret", "t0ken", "s1d"):
        assert told not in shown


@pytest.mark.parametrize("way", [SECRET, "s3%26%22cret%20%C3%BC", "s3%26%22cret+%C3%BC", 's3&\\"cret ü'])
def test_every_way_to_write_a_secret(way: str) -> None:
    """As it is, in a URL, in a form, in JSON."""
    assert hide(f"key={way}.", [SECRET]) == "key=***."


def test_no_answer(target: HttpTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is not there ends it with the code of a dead target."""

    def nobody(_: Request, *, timeout_s: float | None, ca_file: Path | None) -> Answered:  # noqa: ARG001 - as `send`
        raise ConnectionRefusedError

    monkeypatch.setattr("harness.exchange.send", nobody)
    steps = list(Probe(target, Random(1)).steps())
    assert (results(steps), exit_code(steps)) == ({"reached": "unreachable"}, 4)


def test_everybody_alike(target: HttpTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two persons with one document are a fault of the description or of the service, and so is a blind self-test."""
    service = Service()
    service.documents = dict.fromkeys(("P001", "P002", "P003"), b"alike")
    steps = probed(target, service, monkeypatch)
    assert (results(steps)["strangers"], results(steps)["self_test"]) == ("failed", "failed")
    assert exit_code(steps) == 1


def test_not_twice(target: HttpTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that differs by itself is told; before anything was learnt it says nothing of who gets what."""
    made = iter(range(99))

    def attempt(target: Target, application: Application, *, timeout_s: float | None) -> Exchange:  # noqa: ARG001 - as it is called
        return Exchange(0, 0, Answer(document=f"{application.applicant} {next(made)}".encode()), [], [])

    monkeypatch.setattr(probe, "attempt", attempt)
    steps = {step.name: step for step in Probe(target, Random(1)).steps()}
    assert (steps["same_twice"].result, steps["same_twice"].found) == ("skipped", "varies")
    assert (steps["strangers"].result, steps["strangers"].found) == ("skipped", "varies")
    monkeypatch.setattr(HttpTarget, "recall", lambda _: True)
    assert results(list(Probe(target, Random(1)).steps()))["same_twice"] == "failed"


def test_who_has_to_be_refused(target: HttpTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who is known to be refused, and gets a document, is a failure."""
    groups = [
        replace(group, refusals=(Refusal(applicant="P003", kind="annual", reason="left"),))
        if "P003" in group.persons
        else group
        for group in target.groups()
    ]
    monkeypatch.setattr(target, "groups", lambda: groups)
    assert results(probed(target, Service(), monkeypatch))["refused"] == "failed"
