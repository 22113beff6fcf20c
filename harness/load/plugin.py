"""The Locust plug-in: makes every Locust run of a profile a judged run, by `locust -f` and `misissue verify` alike.

A profile makes one `LoadPlugin` at import time and gives it to its users. The plug-in adds the options, opens the run
when the test starts, watches the target, and decides when the test has stopped.

Its listeners never let an exception through to Locust, which would log it and go on with exit code 0: whatever goes
wrong becomes a fault of the run, and a run with a fault cannot pass.
"""

import logging
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

import gevent
import msgspec
from locust import LoadTestShape, events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import STATE_STOPPED, LocalRunner

from harness.gate import EXIT_DIED, EXIT_USAGE, Verdict
from harness.ledger import Criteria, LedgerError
from harness.load.active_run import ActiveRun
from harness.load.plan import Plan
from harness.report.terminal import print_verdict
from harness.run import JudgedRun, default_directory, load_target
from harness.target import TargetError, read_assignments

_log = logging.getLogger(__name__)
_STOP_TIMEOUT_S = 10.0


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A number that a profile lets its user choose; `name` as on the command line, without the dashes."""

    name: str
    default: float
    help: str

    @property
    def key(self) -> str:
        """The attribute of the parsed options."""
        return self.name.replace("-", "_")


class LoadPlugin:
    """One a profile.

    Args:
        profile: its name.
        target: `module:attribute` of the target unless --target says otherwise.
        plan: makes the plan from the parsed options.
        change_kinds: kinds of changes that the counters enter.
        options: the profile's own.
        users: default number of Locust users, counters included.
    """

    def __init__(
        self,
        profile: str,
        *,
        target: str,
        plan: Callable[[Namespace], Plan],
        change_kinds: Sequence[str],
        options: Sequence[Option],
        users: int,
    ) -> None:
        self.profile = profile
        self.change_kinds = tuple(change_kinds)
        self.active: ActiveRun | None = None
        self._default_target = target
        self._make_plan = plan
        self._options = tuple(options)
        self._users = users
        self._verdict: Verdict | None = None
        self._environment: Environment | None = None
        events.init_command_line_parser.add_listener(self._add_options)
        events.init.add_listener(self._on_init)
        events.test_start.add_listener(self._on_test_start)
        events.test_stop.add_listener(self._on_test_stop)
        events.quitting.add_listener(self._on_quitting)
        events.quit.add_listener(self._on_quit)

    def _add_options(self, parser: LocustArgumentParser) -> None:
        parser.set_defaults(num_users=self._users, spawn_rate=100, stop_timeout=_STOP_TIMEOUT_S)
        add = parser.add_argument
        add("--target", default=self._default_target, help="MODULE:ATTRIBUTE of the system under test")
        for name in ("build", "topology", "sync"):
            add(f"--{name}", default="", help=f"the target's setting {name}")
        add("--set", action="append", default=[], metavar="KEY=VALUE", help="any other setting of the target")
        add("--seed", type=int, default=20230430, help="of everything that is drawn at random")
        add("--out", default="", metavar="DIR", help="run directory; runs/<time>-<profile> unless given")
        add("--max-error-share", type=float, default=None, help="FAIL when more than this share of applications erred")
        for option in self._options:
            add(f"--{option.name}", type=float, default=option.default, help=option.help)

    def _on_init(self, environment: Environment, **_: object) -> None:
        self._environment = environment
        try:
            if sys.platform != "linux":
                message = f"misissue runs on Linux only for now; this is {sys.platform}"
                raise TargetError(message)
            if not isinstance(environment.runner, LocalRunner):
                message = (
                    "misissue judges runs of one Locust process only for now; leave out --master, --worker, --processes"
                )
                raise TargetError(message)
            self._check_options(environment)
            load_target(self._parsed(environment).target, self._settings(environment))
            if self._parsed(environment).headless:
                # Here, because a run that cannot begin should end with its reason before Locust starts anything.
                self._open(environment)
                # Locust's own handler comes into force when a shaped test is over, too late to end one in order.
                gevent.signal_handler(signal.SIGTERM, self._on_sigterm)
        except (TargetError, LedgerError) as error:
            sys.exit(_usage_error(error))
        except Exception as error:  # noqa: BLE001 - Locust would log it and end with 1, which reads as FAIL
            sys.exit(_usage_error(_not_a_target(self._parsed(environment).target, error)))

    def _on_sigterm(self) -> None:
        if self.active is not None:
            self.active.cut_short = True

    def _check_options(self, environment: Environment) -> None:
        options = self._parsed(environment)
        wrong = [option for option in self._options if not 0 <= getattr(options, option.key) < float("inf")]
        if wrong:
            message = f"--{wrong[0].name}: found {getattr(options, wrong[0].key)}, right would be 0 or more"
            raise TargetError(message)
        share = options.max_error_share
        if share is not None and not 0 <= share <= 1:
            message = f"--max-error-share: found {share}, right would be 0 to 1"
            raise TargetError(message)
        counters = sum(user.fixed_count for user in environment.user_classes)
        if options.num_users is not None and options.num_users <= counters:
            message = f"--users: found {options.num_users}, right would be more than the {counters} that enter changes"
            raise TargetError(message)

    def _settings(self, environment: Environment) -> dict[str, str]:
        options = self._parsed(environment)
        settings = {name: getattr(options, name) for name in ("build", "topology", "sync") if getattr(options, name)}
        settings["seed"] = str(options.seed)
        return settings | read_assignments(options.set)

    def _open(self, environment: Environment) -> None:
        options = self._parsed(environment)
        plan = self._make_plan(options)
        target = load_target(options.target, self._settings(environment))
        run = JudgedRun(
            target,
            Path(options.out) if options.out else default_directory(self.profile),
            profile=self.profile,
            seed=options.seed,
            parameters={
                "users": options.num_users,
                "target": options.target,
                **{option.name: getattr(options, option.key) for option in self._options},
            },
            criteria=Criteria(max_error_share=options.max_error_share),
            planned_s=plan.seconds,
        )
        run.open()
        self.active = ActiveRun(run, plan, seed=options.seed)

    def _on_test_start(self, environment: Environment, **_: object) -> None:
        if self.active is None:
            try:
                self._open(environment)
            except Exception as error:  # noqa: BLE001 - see _on_init
                known = isinstance(error, TargetError | LedgerError)
                shown = error if known else _not_a_target(self._parsed(environment).target, error)
                environment.process_exit_code = _usage_error(shown)
                gevent.spawn(self._stop_load, environment)
                return
        if self.active is not None:
            self.active.start()

    def _stop_load(self, environment: Environment) -> None:
        if environment.runner is not None:
            environment.runner.quit() if self._parsed(environment).headless else environment.runner.stop()

    def _on_test_stop(self, environment: Environment, **_: object) -> None:
        active, self.active = self.active, None
        if active is None:
            return
        try:
            verdict = active.finish()
        except Exception as error:  # noqa: BLE001 - a verdict that cannot be made must not look like a clean one
            _log.exception("the verdict could not be decided")
            print(f"misissue: no verdict: {error}", file=sys.stderr)
            environment.process_exit_code = EXIT_DIED
            return
        environment.process_exit_code = verdict.exit_code
        self._verdict, self._directory = verdict, active.run.directory
        if not self._parsed(environment).headless:
            print_verdict(verdict, self._directory)

    def _on_quitting(self, environment: Environment, **_: object) -> None:
        # A SIGTERM comes here while the users are still at work.
        if self.active is not None and environment.runner is not None:
            if environment.runner.state != STATE_STOPPED:
                environment.runner.stop()
            self._on_test_stop(environment)

    def _on_quit(self, **_: object) -> None:
        # After Locust has printed its statistics, so that the verdict is the last thing on the screen.
        if self._verdict is not None and self._environment is not None and self._parsed(self._environment).headless:
            print_verdict(self._verdict, self._directory)

    @staticmethod
    def _parsed(environment: Environment) -> Namespace:
        if environment.parsed_options is None:
            message = "this should never happen, because Locust parses its options before it fires init"
            raise AssertionError(message)
        options: Namespace = environment.parsed_options
        return options


class PlanShape(LoadTestShape):
    """Keeps all users at work from the beginning of the plan to its end; a profile derives its shape from it."""

    abstract = True
    use_common_options = True
    plugin: LoadPlugin

    def tick(self) -> tuple[int, float] | None:
        """See `LoadTestShape`; Locust asks about once a second."""
        active = self.plugin.active
        if self.runner is None or (active is not None and active.is_over):
            return None
        options = self.runner.environment.parsed_options
        return (options.num_users, options.spawn_rate) if options is not None else None


def _not_a_target(name: str, error: Exception) -> TargetError:
    """What to say of a target that breaks the protocol of `harness.target`."""
    return TargetError(f"the target {name} cannot be used, it raised {type(error).__name__}: {error}")


def _usage_error(error: Exception) -> int:
    print(f"misissue: {error}", file=sys.stderr)
    return EXIT_USAGE
