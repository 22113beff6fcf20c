"""A user of a locustfile in a run, and Locust's web UI, without Locust's runner."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.load.desk import Desk, Load
from tests.load.web_site import MakeSite, Site


@pytest.fixture(scope="module")
def load() -> Iterator[Load]:
    """Imports; Locust would patch the interpreter of all tests unless it is told not to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        yield import_module


@pytest.fixture
def desk(load: Load, tmp_path: Path) -> Desk:
    """One person and another household may apply at it."""
    return Desk(load, tmp_path)


@pytest.fixture
def site() -> Iterator[MakeSite]:
    """Makes one; Locust would patch the interpreter of all tests unless it is told not to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
        locust = import_module("locust")

        def add_options(parser: Any) -> None:
            parser.add_argument("--burst-s", type=float, default=7.0, help="length")
            parser.add_argument("--confidence", type=float, default=None)
            parser.add_argument("--max", action="append", default=[])
            parser.add_argument("--out", default="", include_in_web_ui=False)

        before = locust.events.init_command_line_parser._handlers
        locust.events.init_command_line_parser._handlers = [add_options]
        patch.setattr("sys.argv", ["locust"])
        patch.setenv("LC_ALL", "C.UTF-8")
        yield lambda **options: Site(lambda name: import_module(f"locust.{name}"), **options)
        locust.events.init_command_line_parser._handlers = before
