"""A run is started from the form of Locust's web UI, or refused with a sentence."""

import pytest

from tests.load.web_site import MakeSite


def test_a_run_is_opened_by_the_form_and_then_started(site: MakeSite) -> None:
    """The form's fields are the options of the run, and Locust's users start only when it is open."""
    here = site()
    told = here.start(burst_s="2.5", confidence="", max="")
    assert told["success"] is True
    assert here.owner.opened == [{"num_users": 9, "spawn_rate": 9.0, "burst_s": 2.5, "confidence": None, "max": []}]
    assert (here.runner.started, here.owner.given_up) == (1, 0)
    # Locust reads what is left, and must not have spoilt what we read.
    options = vars(here.environment.parsed_options)
    assert (options["confidence"], options["max"]) == (None, [])


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"burst_s": "long"}, "--burst-s: found 'long', right would be a number"),
        ({"out": "/etc"}, "out: found '/etc', but there is no such field; give it on the command line"),
        ({"user_count": "many"}, "number of users: found 'many', right would be a whole number"),
    ],
)
def test_what_cannot_be_read_starts_nothing(site: MakeSite, fields: dict[str, str], sentence: str) -> None:
    """The form shows why, and neither a run nor a user is started."""
    here = site()
    told = here.start(**fields)
    assert (told["success"], told["message"]) == (False, sentence)
    assert (here.owner.opened, here.runner.started) == ([], 0)


def test_a_guest_takes_locusts_own_fields(site: MakeSite) -> None:
    """A locustfile with users of its own is told how long and against which host, or that nobody knows how long."""
    here = site()
    here.owner.is_guest = True
    for run_time, seconds in (("1m30s", 90), ("", None)):
        assert here.start(run_time=run_time, host="http://127.0.0.1:80")["success"] is True
        opened = here.owner.opened.pop()
        assert (opened["run_time"], opened["host"]) == (seconds, "http://127.0.0.1:80")
    told = here.start(run_time="soon")
    assert told["message"] == "run time: found 'soon', right would be such as 20s, 3m or 1h30m, or nothing"
    assert here.owner.opened == []


def test_what_cannot_begin_starts_nothing(site: MakeSite) -> None:
    """Whatever keeps the run from being opened is told at the form."""
    here = site()
    here.owner.refuses = "port: found 80, which is in use"
    told = here.start()
    assert (told["success"], told["message"]) == (False, "port: found 80, which is in use")
    assert here.runner.started == 0


@pytest.mark.parametrize(("state", "is_busy"), [("ready", True), ("running", False), ("stopping", False)])
def test_one_run_at_a_time(site: MakeSite, state: str, is_busy: bool) -> None:
    """While a run goes on, is decided or is being stopped no other is started."""
    here = site()
    here.runner.state, here.owner.is_busy = state, is_busy
    told = here.start()
    assert told["message"] == "a run goes on; stop it, or wait for its verdict, and then start the next one"
    assert (here.owner.opened, here.runner.started) == ([], 0)


def test_a_run_whose_users_do_not_come_is_ended(site: MakeSite) -> None:
    """What Locust itself refuses, or fails at, leaves no run open."""
    here = site()
    here.environment.runner = None
    assert here.start()["success"] is False
    here.environment.runner = here.runner
    here.runner.start_shape = lambda: 1 / 0  # type: ignore[assignment] # it fails, and makes no greenlet
    assert here.client.post("/swarm", data={"user_count": "9", "spawn_rate": "9"}).status_code == 500
    assert here.owner.given_up == 2


def test_fields_stand_in_the_order_of_the_options(site: MakeSite) -> None:
    """Locust's page gets our options as they were added, and those that are hidden not at all."""
    page = site().get("/").text
    fields = [page.index(f'"{name}": {{') for name in ("burst_s", "confidence", "max")]
    assert fields == sorted(fields)
    assert '"out"' not in page


def test_whoever_is_not_logged_in_starts_nothing(site: MakeSite) -> None:
    """The start form is behind Locust's login before anything of it is read."""
    here = site(login=True)
    here.app.secret_key = "of a test"  # noqa: S105 - of this test's own application
    here.web_ui.login_manager.user_loader(lambda _: None)
    assert here.client.post("/swarm", data={"user_count": "9", "spawn_rate": "9"}).status_code == 302
    assert here.owner.opened == []
