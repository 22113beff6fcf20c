"""Where no run was made there is no verdict either, and the exit code of `misissue verify` says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Command, wait_until

_LIKE_APRIL30 = "from profiles.april30 import *  # LoadPlugin and all\n"


@pytest.mark.parametrize(
    ("profile", "own", "code", "said"),
    [
        ("import nothing_such  # no Checked comes of it", (), 2, ": ModuleNotFoundError: No module named"),
        (_LIKE_APRIL30, ("NoSuchUser",), 2, ""),
        (_LIKE_APRIL30, ("--list",), 3, ""),
        (f"{_LIKE_APRIL30}import locust\nlocust.events.init.add_listener(lambda **_: 1 / 0)", (), 2, ""),
    ],
)
@pytest.mark.parametrize("several", [(), ("--processes", "2")])
def test_where_no_run_was_made_the_exit_code_is_that_of_no_verdict(
    start: Callable[..., Command],
    tmp_path: Path,
    profile: str,
    own: tuple[str, ...],
    code: int,
    said: str,
    several: tuple[str, ...],
) -> None:
    """Locust itself would end with 1, which reads as FAIL, or with 0, which reads as PASS."""
    (tmp_path / "own.py").write_text(profile)
    run = start("harness", "verify", "own.py", *several, "--", *own)
    assert run.wait() == code, (run.stdout, run.stderr)
    told = [line for line in run.stderr.splitlines() if line.startswith("misissue: ")]
    assert len(told) == 1, run.stderr
    assert told[0].startswith(f"misissue: no run was made{said}")
    assert not run.left_behind()


def test_an_interrupted_import_is_no_verdict(start: Callable[..., Command], tmp_path: Path) -> None:
    """Ctrl-C while the profile is being imported."""
    (tmp_path / "own.py").write_text("import time, pathlib  # Checked\npathlib.Path('here').touch()\ntime.sleep(60)")
    run = start("harness", "verify", "own.py")
    wait_until((tmp_path / "here").exists, run)
    run.press_ctrl_c()
    assert run.wait() == 3
    assert run.stderr.splitlines()[-1] == "misissue: interrupted"
    assert not run.left_behind()
