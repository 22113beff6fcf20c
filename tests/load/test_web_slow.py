"""Slow work is done by other processes, one at a time, and whatever goes wrong there is told."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the jobs ran."""
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def told(place: Path) -> Any:
    """What came of each job."""
    environment = {**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{ROOT}"}
    command = (sys.executable, str(Path(__file__).with_name("slow_work.py")))
    return json.loads(subprocess.run(command, cwd=place, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def test_result(told: Any) -> None:
    """What a process writes comes back whole, and it is told what it has to know."""
    assert told["much"] == "200000 ['a'] 誤交付"


def test_failures(told: Any) -> None:
    """The last line that it said, or how it ended."""
    assert told["fail"] == "SlowError: misissue: there is no such run"
    assert told["silent"] == "SlowError: it ended with 3"
    assert told["kill"] == "SlowError: it ended with -9"


def test_what_does_not_change_is_made_once(told: Any, place: Path) -> None:
    """A result that is kept is not made again, another one is, and what is under way is shared."""
    jobs = Counter((place / "jobs").read_text().splitlines())
    assert told["kept"] == ["0 ['kept'] 誤交付"] * 2
    assert told["not kept"] == ["0 ['not kept'] 誤交付"] * 2
    assert told["at once"] == ["0 ['at once'] 誤交付"] * 3
    assert (jobs["['kept']"], jobs["['not kept']"], jobs["['at once']"]) == (1, 2, 1)


def test_what_will_not_change_is_not_what_was_there_before(told: Any, place: Path) -> None:
    """A report that was begun while the run went on is not shown as that of the run that is decided."""
    jobs = Counter((place / "jobs").read_text().splitlines())
    assert told["at the end"] == ["0 ['at the end'] 誤交付"] * 3
    assert jobs["['at the end']"] == 2


def test_a_failure_is_shared_as_a_result_is(told: Any) -> None:
    """Whoever waits for the same work hears the same."""
    assert told["fail at once"] == ["SlowError: misissue: there is no such run"] * 2


def test_what_takes_too_long_is_ended(told: Any, place: Path) -> None:
    """And the next one has its turn."""
    assert (place / "hangs").exists()
    assert told["hang"] == "SlowError: it took longer than 1 s"
    assert told["after"] == "0 ['a'] 誤交付"
