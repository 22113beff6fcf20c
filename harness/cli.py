"""The command `misissue`: parses, calls, prints."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from harness.cli_options import EPILOG, Number, criteria_options, language_option
from harness.cli_runs import compare, gate, plan, purge, report
from harness.cli_targets import calibrate, probe
from harness.criteria_text import CriteriaError
from harness.evidence.ledger import LedgerError, default_directory
from harness.loading import load_attribute, load_target
from harness.ports import reserve_port
from harness.report.language import choose_language
from harness.target import TargetError, read_assignments
from harness.verdict import EXIT_DIED, EXIT_USAGE

DEFAULT_EXPERIMENT = "profiles.experiments.release_2023:EXPERIMENT"
DEFAULT_TARGET = "targets.municipal.target:Municipal"
_WATCH_S = 0.2
_LOOPBACK = "127.0.0.1"
_WEB_PORT = 8089
_PORT = click.IntRange(0, 65535)
_METRICS_PORT = 9646


@click.group(epilog=EPILOG)
@click.version_option(package_name="misissue")
def cli() -> None:
    """Drive a document-issuing service under load and prove who was handed whose document."""


for _command in (gate, report, purge, compare, plan, probe, calibrate):
    cli.add_command(_command)


@cli.command(epilog=EPILOG)
@click.argument("profile")
@click.option("--build", help="program of the target, such as seed or fixed")
@click.option("--topology", help="deployment of the target, such as split or joined")
@click.option("--sync", help="method of its synchronisation, such as v1 or v2")
@click.option("--users", type=click.IntRange(min=1), help="Locust users, counters included")
@click.option("--seed", type=int, help="of everything that is drawn at random")
@click.option("--out", type=click.Path(path_type=Path), help="run directory; runs/<time>-<profile> unless given")
@click.option("--target", help="target.toml or MODULE:ATTRIBUTE of another system under test")
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
@criteria_options
@language_option
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
    _check_company(options, profile_options)
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
        reserved = reserve_port(_LOOPBACK)
        port = str(reserved.getsockname()[1])
        os.set_inheritable(reserved.detach(), True)  # the run has it for as long as it goes on
        arguments += ["--master-bind-host", _LOOPBACK, "--master-bind-port", port, "--master-port", port]
    # In place of this process, because Locust wants to patch the interpreter before anything else is imported.
    command = [sys.executable, "-m", "harness.load", *arguments, *profile_options]
    os.execv(sys.executable, command)  # noqa: S606 - this very Python, and no shell reads the arguments


@cli.command(epilog="Exit codes: 0 exactly as claimed; 1 refuted; 2 usage; 3 too few exposures; 4 a deployment died.")
@click.option("--out", type=click.Path(path_type=Path), help="directory of the runs; runs/<time>-matrix unless given")
@click.option("--exposures", type=click.IntRange(min=1), default=30, show_default=True, help="wanted in each cell")
@click.option("--seed", type=int, default=20230430, show_default=True)
@click.option("--experiment", default=DEFAULT_EXPERIMENT, show_default=True, help="MODULE:ATTRIBUTE of another claim")
@language_option
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
@click.option(
    "--target", default=DEFAULT_TARGET, show_default=True, help="target.toml or MODULE:ATTRIBUTE of another system"
)
def up(target: str, settings: Sequence[str], **options: object) -> None:
    """Start the deployment alone, print its addresses, stop it on Ctrl-C."""
    chosen = {name: str(value) for name, value in options.items() if value is not None}
    system = load_target(target, read_assignments(settings, beside=chosen))
    asked: list[int] = []
    with TemporaryDirectory(prefix="misissue-") as logs:
        try:
            # SIGTERM ends it as Ctrl-C does, so that whoever supervises this process gets a stop in order.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            for name, value in system.open(Path(logs)).items():
                click.echo(f"{name}: {value}")
            for name, address in system.addresses().items():
                click.echo(f"{name} {address}")
            # From now on they leave word, which is read between two looks: torn out of one, Popen would keep its lock.
            # To block them would not do, for they go to any thread that does not, and numpy's library has one.
            for stop in (signal.SIGINT, signal.SIGTERM):
                signal.signal(stop, lambda number, _: asked.append(number))
            click.echo("running; Ctrl-C stops it")
            while not asked:
                if failure := system.failure():
                    click.echo(f"misissue: {failure}", err=True)
                    sys.exit(EXIT_DIED)
                time.sleep(_WATCH_S)
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            click.echo("stopping")
        finally:
            system.close()


@cli.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--port", type=_PORT, default=_METRICS_PORT, show_default=True, help="to be scraped at; 0 takes a free one"
)
@click.option("--host", default=_LOOPBACK, show_default=True, help="address to listen on")
@click.option("--every", type=Number(min=0.1), default=1.0, show_default=True, help="seconds between two looks")
def watch(path: Path, port: int, host: str, every: float) -> None:
    """Export metrics of the run or the log at PATH for Prometheus, while it grows and afterwards, until Ctrl-C.

    PATH is a run directory, one segment of a ledger, or a file of lines such as the ledger holds.
    """
    from harness.live.exporter import ExporterError
    from harness.live.watch import export, open_watched

    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
        with open_watched(path) as watched:
            export(watched, host=host, port=port, every_s=every, say=click.echo)
    except ExporterError as error:
        raise click.UsageError(str(error)) from error
    except KeyboardInterrupt:
        click.echo("stopped")


def _check_company(options: Mapping[str, object], profile_options: Sequence[str]) -> None:
    """Refuse what would be taken and then ignored.

    Raises:
        click.UsageError: when an option is given without the one that it belongs to.
    """
    for option, other in (("--arrivals", "--rate"), ("--metrics-host", "--metrics-port")):
        given, needed = (options[name.removeprefix("--").replace("-", "_")] is not None for name in (option, other))
        if given and not needed and not any(word.startswith(other) for word in profile_options):
            raise click.UsageError(f"{option} belongs to {other}, which is not there")


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


def _find_profile(profile: str) -> Path:
    """The Locust file of a profile.

    Raises:
        click.UsageError: when there is none.
    """
    if profile.endswith(".py"):
        path = Path(profile)
        if not path.is_file():
            raise click.UsageError(f"profile {profile!r} not found; name a Locust file that exists")
        text = path.read_text(errors="replace")
        if "LoadPlugin" not in text and "Checked" not in text:
            # Locust would end with 1, which reads as FAIL, when it has no users, and judge nothing when it has some.
            raise click.UsageError(
                f"{profile!r} is no profile: it makes no LoadPlugin, see profiles/april30.py, and no user of it is "
                "Checked, see docs/existing-locustfile.md"
            )
        return path
    package = find_spec("profiles")
    directory = Path((package.submodule_search_locations or [""])[0]) if package is not None else Path()
    found = directory / f"{profile}.py"
    if not profile.isidentifier() or not found.is_file():
        names = ", ".join(sorted(path.stem for path in directory.glob("[!_]*.py"))) or "none"
        raise click.UsageError(f"profile {profile!r} not found; there is {names}, or name a Locust file ending in .py")
    return found


def main() -> None:
    """Entry point: every error of the user's making is one line and exit code 2; one of ours is that of a death."""
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
    except Exception:  # noqa: BLE001 - Python would end with 1, which reads as FAIL
        traceback.print_exc()
        sys.exit(EXIT_DIED)


def _complain(message: str) -> int:
    for line in message.splitlines():
        print(f"misissue: {line}", file=sys.stderr)
    return EXIT_USAGE
