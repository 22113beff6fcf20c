"""Options and sentences that several commands share."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.report.language import CODES

_LIMIT = "METRIC[:KIND]=VALUE"
_Command = TypeVar("_Command", bound=Callable[..., object])
EPILOG = (
    "Exit codes: 0 PASS; 1 FAIL; 2 usage or configuration error; 3 INCONCLUSIVE; 4 the harness or the target died. "
    "Where several hold: 1 before 4 before 3."
)


def criteria_options(command: _Command) -> _Command:
    """The options that say what a run is measured by; they win over those of a file."""
    for option in (
        click.option("--no-self-test", is_flag=True, help="do not ask that a planted wrong image is caught"),
        click.option(
            "--freshness-limit", type=float, help="how long an older version may still be handed out, seconds"
        ),
        click.option("--confidence", type=float, help="of every bound; 0.95 unless given"),
        click.option("--min", "minimum", multiple=True, metavar=_LIMIT, help="INCONCLUSIVE when a metric is below it"),
        click.option("--max", "maximum", multiple=True, metavar=_LIMIT, help="FAIL when a metric is above it"),
        click.option("--criteria", type=click.Path(path_type=Path), help="TOML file with the criteria of the gate"),
    ):
        command = option(command)
    return command


class Number(click.FloatRange):
    """A finite number within limits; to click itself `nan` lies within any, being neither below nor above one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See `click.ParamType`."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number; right is one in the range {self._describe_range()}.", param, ctx)
        return number


NEW_FILE = click.Path(dir_okay=False, path_type=Path)
language_option = click.option(
    "--lang", type=click.Choice(CODES), help="language of what a person reads; by the locale unless given"
)
