"""The commands on a target without a load: parse, call, print."""

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click

from harness.calibration import Calibrated, CalibrationError
from harness.calibration import calibrate as calibrate_target
from harness.cli_options import language_option
from harness.loading import load_target
from harness.report.language import choose_language
from harness.target import TargetError, read_assignments

_settings_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="any setting of a target MODULE:ATTRIBUTE"
)


@click.command(epilog="Exit codes: 0 as it should be; 1 something is not; 2 usage; 4 the service does not answer.")
@click.argument("target")
@_settings_option
@click.option("--seed", type=int, default=20230430, show_default=True, help="draws who is asked for what")
@language_option
def probe(target: str, settings: Sequence[str], seed: int, lang: str | None) -> None:
    """Check TARGET (a target.toml or MODULE:ATTRIBUTE) before any load, and show what was sent where it fails."""
    from harness.probe import Probe, exit_code
    from harness.report.probe import print_step

    language = choose_language(lang)
    system = load_target(target, {"seed": str(seed)} | read_assignments(settings))
    secrets: tuple[str, ...] = ()
    with TemporaryDirectory(prefix="misissue-") as logs:
        try:
            if isinstance(system, Calibrated):
                system.reach()
                system.recall()
                secrets = tuple(system.secrets())
            else:
                system.open(Path(logs) / "target")
            steps = []
            for step in Probe(system, Random(seed)).steps():
                print_step(step, language, secrets)
                steps.append(step)
        finally:
            system.close()
    sys.exit(exit_code(steps))


@click.command(epilog="Exit codes: 0 learnt; 1 nothing may be learnt from such documents; 2 usage.")
@click.argument("target")
@_settings_option
@click.option(
    "--times", type=click.IntRange(min=2), default=3, show_default=True, help="how often everything is printed"
)
@click.option("--exact", is_flag=True, help="refuse documents that vary by themselves")
@language_option
def calibrate(target: str, settings: Sequence[str], times: int, exact: bool, lang: str | None) -> None:
    """Learn which document is right for whom, and what varies by itself: print everything for everybody, alone.

    TARGET is a target.toml. What was learnt lies beside it, in a file readable by its owner alone.
    """
    from harness.report.calibration import print_learnt
    from harness.report.probe import progress

    language = choose_language(lang)
    system = load_target(target, read_assignments(settings))
    if not isinstance(system, Calibrated):
        raise TargetError(f"{target} makes its right documents by itself; right is a target.toml")
    system.reach()
    try:
        with progress(language) as show:
            calibration = calibrate_target(system, times=times, exact=exact, show=show)
        place = system.keep(calibration)
    except CalibrationError as error:
        for line in str(error).splitlines():
            click.echo(f"misissue: {line}", err=True)
        sys.exit(1)
    print_learnt(calibration.learnt, language, system.secrets())
    documents = sum(not one.refused for one in calibration.specimens)
    told = {"documents": documents, "refusals": len(calibration.specimens) - documents, "place": place}
    click.echo(language.text("terminal.calibrated", **told))
