"""The command `misissue`: parses, calls, prints."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import click

from harness.bound import exposures_needed
from harness.criteria_text import CriteriaError, add_options, read_criteria
from harness.gate import EXIT_DIED, EXIT_USAGE, decide, examine
from harness.ledger import LedgerError, read_run, write_private
from harness.report.language import CODES, choose_language
from harness.run import default_directory, load_attribute, load_target
from harness.target import TargetError, read_assignments

DEFAULT_EXPERIMENT = "profiles.experiments.release_2023:EXPERIMENT"
DEFAULT_TARGET = "targets.municipal.target:Municipal"
_WATCH_S = 0.2
_LOOPBACK = "127.0.0.1"
_WEB_PORT = 8089
_LIMIT = "METRIC[:KIND]=VALUE"
_PORT = click.IntRange(0, 65535)
_Command = TypeVar("_Command", bound=Callable[..., object])
_EPILOG = (
    "Exit codes: 0 PASS; 1 FAIL; 2 usage or configuration error; 3 INCONCLUSIVE; 4 the harness or the target died. "
    "Where several hold: 1 before 4 before 3."
)


@click.group(epilog=_EPILOG)
@click.version_option(package_name="misissue")
def cli() -> None:
    """Drive a document-issuing service under load and prove who was handed whose document."""


def _criteria_options(command: _Command) -> _Command:
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


_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_language_option = click.option(
    "--lang", type=click.Choice(CODES), help="language of what a person reads; by the locale unless given"
)


@cli.command(epilog=_EPILOG)
@click.argument("profile")
@click.option("--build", help="program of the target, such as seed or fixed")
@click.option("--topology", help="deployment of the target, such as split or joined")
@click.option("--sync", help="method of its synchronisation, such as v1 or v2")
@click.option("--users", type=click.IntRange(min=1), help="Locust users, counters included")
@click.option("--seed", type=int, help="of everything that is drawn at random")
@click.option("--out", type=click.Path(path_type=Path), help="run directory; runs/<time>-<profile> unless given")
@click.option("--target", help="MODULE:ATTRIBUTE of another system under test")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="any other setting of the target")
@click.option("--rate", metavar="N/s", help="plan of arrivals: applications per second, whoever is free")
@click.option("--arrivals", type=click.Choice(["poisson", "constant"]), help="how the plan of arrivals is drawn")
@click.option("--processes", type=click.IntRange(min=1), help="Locust processes that make the load on this machine")
@click.option("--stop-on-misissuance", is_flag=True, help="end the run at the first misissuance")
@click.option(
    "--metrics-port", type=_PORT, metavar="N", help="serve metrics for Prometheus on this port; 0 takes a free one"
)
@click.option("--metrics-host", help=f"address on which --metrics-port listens; {_LOOPBACK} unless given")
@click.option("--web", is_flag=True, help="wait in Locust's web UI for whoever starts runs there")
@click.option("--web-host", help=f"address on which the web UI listens; {_LOOPBACK} unless given")
@click.option("--web-port", type=click.IntRange(1, 65535), metavar="N", help="of the web UI; 8089 unless given")
@_criteria_options
@_language_option
@click.argument("profile_options", nargs=-1, type=click.UNPROCESSED)
def verify(
    profile: str,
    settings: Sequence[str],
    maximum: Sequence[str],
    minimum: Sequence[str],
    profile_options: Sequence[str],
    web: bool,
    web_host: str | None,
    web_port: int | None,
    **options: object,
) -> None:
    """Run PROFILE (a name or a Locust file) and decide.

    Options of the profile itself come after `--`, such as `misissue verify april30 -- --bursts 8`; `locust -f
    profiles/april30.py --help` lists them. It is the very run that `locust -f PROFILE --headless` makes.
    With --web each start in Locust's web UI is a run of its own, and the exit code is that of the last one.
    """
    arguments = ["-f", str(_find_profile(profile)), *_web_or_headless(web, web_host, web_port), "--skip-log-setup"]
    for name, value in options.items():
        if value is True:
            arguments.append(f"--{name.replace('_', '-')}")
        elif value is not None and value is not False:
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    for name, values in (("set", settings), ("max", maximum), ("min", minimum)):
        for text in values:
            arguments += [f"--{name}", text]
    if options["processes"] is not None and not any(word.startswith("--master-port") for word in profile_options):
        # Locust's own port is one for the whole machine, and workers of two runs would meet there.
        port = str(_free_port())
        arguments += ["--master-bind-host", _LOOPBACK, "--master-bind-port", port, "--master-port", port]
    # In place of this process, because Locust wants to patch the interpreter before anything else is imported.
    os.execv(sys.executable, [sys.executable, "-m", "locust", *arguments, *profile_options])  # noqa: S606 - our own


@cli.command(epilog=_EPILOG)
@click.argument("directory", nargs=-1, required=True, type=click.Path(path_type=Path))
@_criteria_options
@click.option("--junit", type=_NEW_FILE, help="write JUnit XML to this file")
@click.option("--markdown", type=_NEW_FILE, help="write a summary in Markdown to this file")
@click.option("--reveal", is_flag=True, help="name persons in these files instead of masking them")
@_language_option
def gate(
    directory: Sequence[Path],
    criteria: Path | None,
    maximum: Sequence[str],
    minimum: Sequence[str],
    confidence: float | None,
    freshness_limit: float | None,
    no_self_test: bool,
    junit: Path | None,
    markdown: Path | None,
    reveal: bool,
    lang: str | None,
) -> None:
    """Decide again on the run in DIRECTORY, from its ledger alone.

    Where segments of load processes were not collected, name their directories behind it. Criteria are those that the
    run was made with, or those of the file; single ones are added to them or replaced.
    """
    from harness.report.files import append_step_summary, junit_of, markdown_of, write_asked_for
    from harness.report.terminal import print_verdict

    asked = add_options(
        read_criteria(criteria) if criteria is not None else read_run(directory[0]).criteria,
        maximum=maximum,
        minimum=minimum,
        confidence=confidence,
        freshness_limit_s=freshness_limit,
        self_test=False if no_self_test else None,
    )
    decision, language = examine(*directory, criteria=asked), choose_language(lang)
    print_verdict(decision.verdict, directory[0], language)
    if junit is not None:
        write_asked_for(junit, junit_of(decision, language, reveal=reveal))
    if markdown is not None:
        write_asked_for(markdown, markdown_of(decision, language, reveal=reveal).encode())
    append_step_summary(markdown_of(decision, language))
    sys.exit(decision.verdict.exit_code)


@cli.command(epilog="Exit codes: 0 the report was written, whatever the verdict in it; 2 usage or configuration error.")
@click.argument("directory", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--reveal", is_flag=True, help="show persons by name; unless given they are hidden behind aliases")
@click.option("--out", type=click.Path(path_type=Path), help="HTML file; report.html in the run directory unless given")
@_language_option
def report(directory: Sequence[Path], reveal: bool, out: Path | None, lang: str | None) -> None:
    """Write the report of the run in DIRECTORY, one HTML file, from its ledger alone.

    Where segments of load processes were not collected, name their directories behind it.
    """
    from harness.report.files import HTML_FILE, html_of

    path = directory[0] / HTML_FILE if out is None else out
    decision = examine(*directory)
    page = html_of(decision, choose_language(lang), reveal=reveal)
    try:
        write_private(path, page)
    except LedgerError as error:
        raise LedgerError(f"{error}; name another file with --out") from error
    click.echo(f"{decision.verdict.verdict} · {path}")


@cli.command()
@click.option("--rate", type=click.FloatRange(1e-15, 1, max_open=True), required=True, help="to be shown, per exposure")
@click.option("--confidence", type=click.FloatRange(0.5, 1, max_open=True), default=0.95, show_default=True)
@click.option(
    "--like", type=click.Path(path_type=Path), help="an earlier run, whose exposure rate says how long it takes"
)
@_language_option
def plan(rate: float, confidence: float, like: Path | None, lang: str | None) -> None:
    """Say how many exposures without a misissuance show that at most RATE of them end in one, and how long it takes."""
    language = choose_language(lang)
    needed = exposures_needed(rate, confidence)
    click.echo(language.text("terminal.plan_needed", needed=needed, rate=rate, confidence=confidence))
    if like is None:
        return
    met, planned_s = decide(like).exposures, read_run(like).planned_s
    if not met or not planned_s:
        raise click.UsageError(
            f"--like: the run in {like} met {met} exposures in {planned_s:g} s; name one that met some"
        )
    time_s = needed * planned_s / met
    click.echo(language.text("terminal.plan_time", met=met, planned_s=planned_s, like=like, time_s=time_s))


@cli.command(epilog="Exit codes: 0 exactly as claimed; 1 refuted; 2 usage; 3 too few exposures; 4 a deployment died.")
@click.option("--out", type=click.Path(path_type=Path), help="directory of the runs; runs/<time>-matrix unless given")
@click.option("--exposures", type=click.IntRange(min=1), default=30, show_default=True, help="wanted in each cell")
@click.option("--seed", type=int, default=20230430, show_default=True)
@click.option("--experiment", default=DEFAULT_EXPERIMENT, show_default=True, help="MODULE:ATTRIBUTE of another claim")
@_language_option
def matrix(out: Path | None, exposures: int, seed: int, experiment: str, lang: str | None) -> None:
    """Test the claim that misissuance takes all of its conditions, in every combination of them."""
    from harness.matrix import MATRIX_FILE, Experiment, run_matrix
    from harness.report.matrix import print_matrix, print_progress

    language = choose_language(lang)
    claim = load_attribute(experiment)
    if not isinstance(claim, Experiment):
        raise TargetError(f"{experiment} is {type(claim).__name__}, right would be an Experiment of harness.matrix")
    directory = out or default_directory("matrix")
    if (directory / MATRIX_FILE).exists():
        raise LedgerError(f"{directory} holds a matrix already; name another directory with --out")
    result = run_matrix(claim, directory, wanted=exposures, seed=seed, show=lambda cell: print_progress(cell, language))
    print_matrix(result, directory, language)
    sys.exit(result.exit_code)


@cli.command()
@click.option("--build", help="program of the deployment, such as seed or fixed")
@click.option("--topology", help="split or joined")
@click.option("--sync", help="method of the synchronisation, v1 or v2")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="any other setting of the target")
@click.option("--port", type=_PORT, help="of the place that takes applications; 0 takes a free one")
@click.option("--target", default=DEFAULT_TARGET, show_default=True, help="MODULE:ATTRIBUTE of another system")
def up(target: str, settings: Sequence[str], **options: object) -> None:
    """Start the deployment alone, print its addresses, stop it on Ctrl-C."""
    chosen = {name: str(value) for name, value in options.items() if value is not None}
    system = load_target(target, chosen | read_assignments(settings))
    with TemporaryDirectory(prefix="misissue-") as logs:
        try:
            # SIGTERM ends it as Ctrl-C does, so that whoever supervises this process gets a stop in order.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            for name, value in system.open(Path(logs)).items():
                click.echo(f"{name}: {value}")
            for name, address in system.addresses().items():
                click.echo(f"{name} {address}")
            click.echo("running; Ctrl-C stops it")
            while not (failure := system.failure()):
                time.sleep(_WATCH_S)
            click.echo(f"misissue: {failure}", err=True)
            sys.exit(EXIT_DIED)
        except KeyboardInterrupt:
            click.echo("stopping")
        finally:
            system.close()


def _web_or_headless(web: bool, host: str | None, port: int | None) -> list[str]:
    """Locust's options; the address of the web UI is told, for Locust itself would tell it in its log only.

    Raises:
        click.UsageError: when an address is given for no web UI.
    """
    if not web:
        if host is not None or port is not None:
            raise click.UsageError("--web-host and --web-port belong to --web, which is not there")
        return ["--headless"]
    host, port = host or _LOOPBACK, port or _WEB_PORT
    click.echo(f"web UI: http://{f'[{host}]' if ':' in host else host}:{port}/ (Ctrl-C ends it)", err=True)
    return ["--web-host", host, "--web-port", str(port)]


def _free_port() -> int:
    with socket.create_server((_LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _find_profile(profile: str) -> Path:
    """The Locust file of a profile.

    Raises:
        click.UsageError: when there is none.
    """
    if profile.endswith(".py"):
        path = Path(profile)
        if not path.is_file():
            raise click.UsageError(f"profile {profile!r} not found; name a Locust file that exists")
        if "LoadPlugin" not in path.read_text(errors="replace"):
            # Locust would end with 1, which reads as FAIL, when it has no users, and judge nothing when it has some.
            raise click.UsageError(f"{profile!r} is no profile: it makes no LoadPlugin; see profiles/april30.py")
        return path
    package = find_spec("profiles")
    directory = Path((package.submodule_search_locations or [""])[0]) if package is not None else Path()
    found = directory / f"{profile}.py"
    if not profile.isidentifier() or not found.is_file():
        names = ", ".join(sorted(path.stem for path in directory.glob("[!_]*.py"))) or "none"
        raise click.UsageError(f"profile {profile!r} not found; there is {names}, or name a Locust file ending in .py")
    return found


def main() -> None:
    """Entry point: every error of the user's making is one line and exit code 2."""
    if sys.platform != "linux":
        sys.exit(_complain(f"misissue runs on Linux only for now; this is {sys.platform}"))
    try:
        cli(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.exit(_complain(error.format_message()))
    except click.ClickException as error:
        sys.exit(_complain(error.format_message()))
    except click.exceptions.Abort:
        sys.exit(3)
    except (TargetError, LedgerError, CriteriaError) as error:
        sys.exit(_complain(str(error)))


def _complain(message: str) -> int:
    for line in message.splitlines():
        print(f"misissue: {line}", file=sys.stderr)
    return EXIT_USAGE
