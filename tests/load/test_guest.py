"""The plug-in leaves a locustfile that was there before its users, its options and its own word on the exit code."""

from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def guest() -> Iterator[Any]:
    """The module; its plug-ins listen to events of a test's own, and Locust patches nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        module = import_module("harness.load.guest")
        events = import_module("locust.event").Events()
        patch.setattr(module, "events", events)
        patch.setattr(import_module("harness.load.plugin"), "events", events)
        yield module


def environment(*users: object, shape: object = None, **options: object) -> Any:
    """Locust's, as far as a setup needs it."""
    locust = import_module("locust.argument_parser")
    parser = locust.get_empty_argument_parser(add_help=False, default_config_files=[])
    locust.setup_parser_arguments(parser)
    import_module("harness.load.options").add_arguments(parser, target="", users=None, options=())
    parsed = parser.parse_args([])
    vars(parsed).update(options)
    return SimpleNamespace(parsed_options=parsed, runner=None, shape_class=shape, host=parsed.host, user_classes=users)


def user(host: str | None, **told: object) -> SimpleNamespace:
    """A user class that is checked."""
    return SimpleNamespace(host=host, fixed_count=2, checked=None, **told)


@pytest.mark.parametrize(
    ("run_time", "shape", "seconds"),
    [
        (30, None, 30),
        (None, None, inf),
        (30, SimpleNamespace(use_common_options=False), inf),
        (30, SimpleNamespace(use_common_options=True), 30),
    ],
)
def test_the_plan_is_as_long_as_locusts_run(guest: Any, run_time: int | None, shape: object, seconds: float) -> None:
    """A run time is the plan's length; a shape that does not look at it, or nothing at all, leaves it open."""
    setup = guest.GuestPlugin("locustfile")._read_setup(environment(user(None), shape=shape, run_time=run_time))
    assert setup.plan.seconds == seconds
    assert setup.ends_with_locust


def test_users_of_a_fixed_number_enter_no_changes(guest: Any) -> None:
    """Two users of a fixed number are as many as there need to be."""
    setup = guest.GuestPlugin("locustfile")._read_setup(environment(user(None), num_users=2))
    assert setup.parameters["users"] == 2


def test_a_worker_that_was_not_told_yet_plans_nothing(guest: Any) -> None:
    """Only the master knows how long the load is; until it says so there is none."""
    assert guest.plan(Namespace()).seconds == 0
    assert guest.plan(Namespace(load_s=None)).seconds == inf


@pytest.mark.parametrize(("option", "urls"), [(None, ("http://a", "http://b")), ("http://c", ("http://c",))])
def test_hosts_of_the_locustfile_are_told(guest: Any, option: str | None, urls: tuple[str, ...]) -> None:
    """The target is asked about each host to which checked users send, and about no other."""
    plain = SimpleNamespace(host="grpc-host:1", fixed_count=0)
    plugin = guest.GuestPlugin("locustfile")
    users = (user("http://b"), user("http://a"), user("http://a"), plain)
    assert plugin._read_setup(environment(*users, host=option)).urls == urls


def test_an_option_of_the_same_name(guest: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A locustfile that has one of our options already is told which, with exit code 2."""
    locust = import_module("locust.argument_parser")
    parser = locust.get_empty_argument_parser(add_help=False, default_config_files=[])
    parser.add_argument("--seed")
    with pytest.raises(SystemExit) as ended:
        guest.GuestPlugin("locustfile")._add_options(parser)
    assert ended.value.code == 2
    assert "argument --seed: conflicting option string" in capsys.readouterr().err


def test_a_listener_that_threw_before_the_run(
    guest: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locust would end with 1, which reads as FAIL; it is a mistake of the locustfile's instead."""
    monkeypatch.setattr(import_module("locust.log"), "unhandled_greenlet_exception", True)
    with pytest.raises(SystemExit) as ended:
        guest.GuestPlugin("locustfile")._on_init(environment(user(None), processes=None))
    assert ended.value.code == 2
    assert "a listener of the locustfile threw" in capsys.readouterr().err


def test_whoever_stops_the_users_cuts_the_plan_short(guest: Any) -> None:
    """A profile's plan ends when Locust is told to stop its users; a guest's run has no other end than that."""
    plugin_module = import_module("harness.load.plugin")
    ours = plugin_module.LoadPlugin(
        "profile", target="", plan=guest.plan, change_kinds=(), options=(), users=2, clock=None
    )
    theirs, cut = guest.GuestPlugin("locustfile"), list[str]()
    for name, plugin in (("ours", ours), ("theirs", theirs)):
        plugin._own = SimpleNamespace(cut_short=partial(cut.append, name))
    guest.events.test_stopping.fire(environment=None)
    assert cut == ["ours"]


@pytest.mark.parametrize("runs", [1, 2])
def test_a_listener_that_threw_is_a_fault_of_one_run(guest: Any, monkeypatch: pytest.MonkeyPatch, runs: int) -> None:
    """What threw before the load began, or while it went on, is told by the run that ends, and by no later one."""
    plugin, locust, told = guest.GuestPlugin("locustfile"), environment(user(None)), list[list[str]]()
    plugin._worker = SimpleNamespace(start=lambda: None, finish=told.append)
    monkeypatch.setattr(import_module("locust.log"), "unhandled_greenlet_exception", True)
    for _ in range(runs):
        plugin._on_test_start(locust)
        plugin._on_test_stop(locust)
    assert list(map(len, told)) == [1, 0][:runs]


@pytest.mark.parametrize(
    ("ours", "theirs", "code"), [(1, 0, 1), (3, 1, 3), (0, 1, None), (1, 1, None), (None, 0, None)]
)
def test_the_exit_code(guest: Any, ours: int | None, theirs: int, code: int | None) -> None:
    """A locustfile's own listener cannot make a run look clean that was not; its own complaint stands."""
    plugin = guest.GuestPlugin("locustfile")
    plugin._exit_code = ours
    if code is None:
        plugin._on_quit(exit_code=theirs)
        return
    with pytest.raises(SystemExit) as ended:
        plugin._on_quit(exit_code=theirs)
    assert ended.value.code == code


@pytest.mark.parametrize("is_guest", [True, False])
def test_tasks_that_end_in_an_exception(guest: Any, is_guest: bool) -> None:
    """Somebody else's tasks may, because a checked print tells what it hid; tasks of a profile may not."""
    faults = import_module("harness.load.locust_process").locust_faults
    broken = SimpleNamespace(runner=SimpleNamespace(exceptions={1: {"msg": "no such key"}}))
    assert guest.GuestPlugin("locustfile").is_guest
    assert faults(broken, with_tasks=not is_guest) == (
        [] if is_guest else ["a user's task ended in an exception: no such key"]
    )
