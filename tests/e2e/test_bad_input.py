"""Bad input: one clear line that says what was found and what would be right, exit code 2, nothing left running."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import PROFILE, Command
from tests.e2e.paper_runs import TARGET_PLACE, ports


def _check(command: Command, *parts: str) -> None:
    assert command.wait() == 2, (command.stdout, command.stderr)
    lines = command.stderr.strip().splitlines()
    assert len(lines) == 1, command.stderr
    assert lines[0].startswith("misissue: ")
    for part in parts:
        assert part in lines[0]
    assert not command.left_behind()


@pytest.mark.parametrize(
    ("arguments", "found", "right"),
    [
        (("verify", "april31"), "april31", "april30"),
        (("verify", "nowhere.py"), "nowhere.py", "Locust file"),
        (("verify", __file__), "test_bad_input.py", "april30.py"),
        (("verify", "april30", "--build", "best"), "'best'", "seed or fixed"),
        (("verify", "april30", "--topology", "star"), "'star'", "split or joined"),
        (("verify", "april30", "--sync", "v3"), "'v3'", "v1 or v2"),
        (("verify", "april30", "--users", "0"), "0", "1"),
        (("verify", "april30", "--users", "1"), "1", "more than the 1"),
        (("verify", "april30", "--users", "many"), "many", "integer"),
        (("verify", "april30", "--seed", "x"), "'x'", "integer"),
        (("verify", "april30", "--set", "stage_ms"), "'stage_ms'", "KEY=VALUE"),
        (("verify", "april30", "--set", "stage_ms=long"), "'long'", "number"),
        (("verify", "april30", "--set", "colour=red"), "'colour'", "stage_ms"),
        (("verify", "april30", "--target", "nothing:Nothing"), "'nothing:Nothing'", "MODULE:ATTRIBUTE"),
        (("verify", "april30", "--target", "collections:OrderedDict"), "collections:OrderedDict", "cannot be used"),
        (("verify", "april30", "--target", "harness:__doc__"), "'harness:__doc__'", "target's class"),
        (("verify", "april30", "--", "--burst-s", "-1"), "-1", "0 or more"),
        (("verify", "april30", "--max", "error_share=2"), "2", "1"),
        (("verify", "april30", "--metrics-port", "70000"), "70000", "65535"),
        (("verify", "april30", "--metrics-port", "0", "--metrics-host", "no host"), "no host", "metrics"),
        (("up", "--build", "best"), "'best'", "seed or fixed"),
        (("up", "--port", "70000"), "70000", "65535"),
        (("matrix", "--exposures", "0"), "0", "1"),
        (("matrix", "--experiment", "profiles.april30"), "'profiles.april30'", "MODULE:ATTRIBUTE"),
        (("plan",), "--rate", "Missing option"),
        (("plan", "--rate", "2"), "2", "range"),
        (("plan", "--rate", "0.1", "--like", "nowhere"), "nowhere", "misissue verify"),
        (("gate", "nowhere"), "nowhere", "misissue verify"),
        (("watch", "nowhere"), "nowhere", "a run directory, a segment of one or a log"),
        (("watch", "."), "run.json", "misissue verify"),
        (("watch", __file__), "test_bad_input.py", "a run directory or such a file"),
        (("watch", ".", "--every", "0"), "0", "0.1"),
        (("fly",), "fly", "No such command"),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_be_right(
    start: Callable[..., Command], arguments: tuple[str, ...], found: str, right: str
) -> None:
    """One line on stderr names what was found and what would be right."""
    _check(start("harness", *arguments), found, right)


def test_a_run_directory_that_cannot_be_made_is_named(start: Callable[..., Command], tmp_path: Path) -> None:
    """A file where the run directory should be; root may write everywhere else."""
    (tmp_path / "file").write_text("")
    _check(start("harness", "verify", "april30", "--out", "file/run"), "file/run", "--out")
    _check(start("harness", "matrix", "--out", "file/run"), "file/run", "--out")


def test_a_run_directory_with_a_run_is_never_overwritten(start: Callable[..., Command], tmp_path: Path) -> None:
    """Evidence is not replaced."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    _check(start("harness", "verify", "april30", "--out", "run"), "holds a run already", "--out")
    assert (tmp_path / "run" / "run.json").read_text() == "{}"


def test_a_run_file_that_is_none_is_named(start: Callable[..., Command], tmp_path: Path) -> None:
    """`gate` on a directory with a broken run.json."""
    (tmp_path / "run.json").write_text("{]")
    _check(start("harness", "gate", "."), "run.json")


@pytest.fixture
def port() -> Iterator[int]:
    """A port that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_a_port_in_use_is_named(start: Callable[..., Command], port: int) -> None:
    """The center cannot listen where another listens."""
    _check(start("harness", "up", "--port", str(port)), str(port), "already in use")
    _check(start("harness", "verify", "april30", "--set", f"port={port}"), str(port), "already in use")


def test_a_port_that_the_web_ui_cannot_have_is_named(start: Callable[..., Command], port: int) -> None:
    """Locust itself would only log it, and end as after a run that went well."""
    run = start("locust", "-f", str(PROFILE), "--web-port", str(port), "--loglevel", "ERROR")
    _check(run, "--web-port", str(port), "Address already in use")


@pytest.mark.parametrize("several", [(), ("--processes", "2")])
def test_a_port_for_metrics_that_is_in_use_is_named(
    start: Callable[..., Command], tmp_path: Path, port: int, several: tuple[str, ...]
) -> None:
    """Metrics that were asked for and cannot be served are told before the run begins."""
    run = start("harness", "verify", "april30", "--metrics-port", str(port), *several)
    _check(run, f"port {port} on 127.0.0.1 is already in use", "another for the metrics")
    assert not list(tmp_path.iterdir())
    (tmp_path / "log").touch()
    _check(start("harness", "watch", "log", "--port", str(port)), f"port {port} on 127.0.0.1 is already in use")


def test_without_postgresql_the_error_says_what_to_install(
    start: Callable[..., Command], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the binaries' package nor a PostgreSQL of the machine."""
    monkeypatch.setenv("MISISSUE_PG_BIN", str(tmp_path))
    _check(start("harness", "verify", "april30"), str(tmp_path), "initdb")
    _check(start("harness", "up"), str(tmp_path), "initdb")


def test_locust_itself_refuses_as_misissue_does(start: Callable[..., Command], tmp_path: Path) -> None:
    """The plug-in's own refusals need no `misissue` command, and make no run directory."""
    run = start("locust", "-f", str(PROFILE), "--headless", "--loglevel", "ERROR", "--build", "best")
    _check(run, "'best'", "seed or fixed")
    run = start(
        "locust",
        "-f",
        str(PROFILE),
        "--processes",
        "2",
        *ports(),
        "--headless",
        "--loglevel",
        "ERROR",
        "--build",
        "best",
    )
    _check(run, "'best'", "seed or fixed")
    assert not list(tmp_path.iterdir())


def test_a_target_of_one_process_is_not_driven_by_several(start: Callable[..., Command]) -> None:
    """A target whose truth is in the memory of one process is refused with --processes."""
    target = ("--target", "tests.load.forty_lines:Target", "--processes", "2")
    run = start("harness", "verify", "april30", *target, "--", *ports(), PYTHONPATH=TARGET_PLACE)
    _check(run, "forty_lines:Target can be driven by the process that started it only", "leave out --master")
