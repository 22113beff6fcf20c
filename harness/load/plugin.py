"""The Locust plug-in: makes every Locust run of a profile a judged run, by `locust -f` and `misissue verify` alike.

A profile makes one `LoadPlugin` at import time and gives it to its users. The plug-in adds the options, opens the run
when the test starts, and decides when the test has stopped: in the one process that there is, or on Locust's master,
which hands each of its workers a share of the run.

Its listeners never let an exception through to Locust, which would log it and go on with exit code 0: whatever goes
wrong becomes a fault of the run, and a run with a fault cannot pass.
"""

import logging
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import gevent
from locust import LoadTestShape, events, log
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import STATE_INIT, STATE_STOPPED, MasterRunner, WorkerRunner
from msgspec import structs

from harness.criteria_text import CriteriaError
from harness.evidence.ledger import LedgerError, free_directory
from harness.live.exporter import ExporterError
from harness.live.snapshot import Snapshot
from harness.load.active_run import ActiveRun
from harness.load.clock import Clock, machine_clock
from harness.load.live import Live
from harness.load.local_run import LocalRun
from harness.load.locust_process import (
    interrupt_between_greenlets,
    locust_faults,
    parsed_options,
    refuse,
    usage_error,
    user_count,
)
from harness.load.master_run import MasterRun
from harness.load.metrics import serve_metrics
from harness.load.options import Option, Setup, add_arguments, most_changes, read_setup
from harness.load.plan import Plan
from harness.load.web.ui import add_web_ui
from harness.load.worker import Worker
from harness.report.files import publish_summary
from harness.report.terminal import print_verdict
from harness.target import TargetError
from harness.verdict import EXIT_CODES, EXIT_DIED, Verdict

__all__ = ["LoadPlugin", "Option", "PlanShape"]

_log = logging.getLogger(__name__)
_POLL_S = 0.05
_KNOWN_ERRORS = TargetError, LedgerError, CriteriaError, ExporterError


class LoadPlugin:
    """One a profile.

    Args:
        profile: its name.
        target: `module:attribute` of the target unless --target says otherwise.
        plan: makes the plan from the parsed options.
        change_kinds: kinds of changes that the counters enter.
        options: the profile's own.
        users: default number of Locust users, counters included; None where the locustfile has users of its own.
        clock: by which this process times its prints, where it is a worker.

    Attributes:
        active: what the users of this process share while a run is on.
    """

    def __init__(
        self,
        profile: str,
        *,
        target: str,
        plan: Callable[[Namespace], Plan],
        change_kinds: Sequence[str],
        options: Sequence[Option],
        users: int | None,
        clock: Clock | None = None,
    ) -> None:
        self.profile = profile
        self.change_kinds = tuple(change_kinds)
        self.active: ActiveRun | None = None
        self._own: LocalRun | MasterRun | None = None
        self._live: Live | None = None
        self._decider: object = None  # the greenlet by which a run is decided
        self._people: frozenset[str] = frozenset()
        self._worker: Worker | None = None
        self._clock = clock or machine_clock()
        self._default_target = target
        self._make_plan = plan
        self._options = tuple(options)
        self._users = users
        self._verdict: Verdict | None = None
        self._exit_code: int | None = None
        self._environment: Environment | None = None
        self._was_started_early = False
        events.init_command_line_parser.add_listener(self._add_options)
        events.init.add_listener(self._on_init)
        events.test_start.add_listener(self._on_test_start)
        events.test_stopping.add_listener(self._on_test_stopping)
        events.test_stop.add_listener(self._on_test_stop)
        events.quit.add_listener(self._on_quit)
        events.reset_stats.add_listener(self._on_reset)

    @property
    def is_over(self) -> bool:
        """Locust may stop the users."""
        return self._own is not None and self._own.is_over

    def snapshot(self) -> Snapshot | None:
        """What is known of the run that goes on, or else of the last one, on the process that owns it; half a second
        old at the most. None before the first run, and on a worker.
        """
        return self._live.snapshot() if self._live is not None else None

    @property
    def is_busy(self) -> bool:
        """A run goes on, or is being decided, on the process that owns it."""
        return self._own is not None or self._decider is not None

    @property
    def is_guest(self) -> bool:
        """The users, their host and the end of the run are the locustfile's own."""
        return self._users is None

    @property
    def people(self) -> frozenset[str]:
        """Everybody who may apply in the run that goes on, or else did in the last one."""
        return self._people

    def open(self, environment: Environment, options: Mapping[str, object]) -> None:
        """Begin a run with these options in place of those of the command line; its users are still to come.

        Raises:
            CriteriaError, LedgerError, TargetError: why it cannot begin; the options are as they were.
        """
        parsed = vars(parsed_options(environment))
        before, code = dict(parsed), self._exit_code
        parsed.update(options)
        # Whoever ends the process while the target starts has asked for a run that has shown nothing.
        self._end_with(environment, EXIT_CODES["INCONCLUSIVE"])
        try:
            self._open(environment)
        except Exception as error:
            parsed.update(before)
            self._end_with(environment, code)
            raise _as_known(environment, error) from error

    def give_up(self, environment: Environment) -> None:
        """End the run that was opened, because its users do not come."""
        self._on_test_stop(environment)

    def _add_options(self, parser: LocustArgumentParser) -> None:
        add_arguments(parser, target=self._default_target, users=self._users, options=self._options)

    def _leave_out_counters(self, environment: Environment) -> None:
        """Of a target that has nothing to change all users of a profile are kiosks."""
        if self.is_guest:
            return
        everybody = environment.user_classes
        environment.user_classes = [user for user in everybody if not user.fixed_count]
        if most_changes(self._read_setup(environment).load_target()) > 0:
            environment.user_classes = everybody

    def _read_setup(self, environment: Environment) -> Setup:
        return read_setup(
            parsed_options(environment),
            profile=self.profile,
            counters=0 if self.is_guest else sum(user.fixed_count for user in environment.user_classes),
            own=self._options,
            make_plan=self._make_plan,
        )

    def _on_init(self, environment: Environment, **_: object) -> None:
        self._environment = environment
        # Who listens last is told first: a worker must hand over its evidence before Locust tells the master that it
        # quits, for the master stops reading when the last one does.
        events.quitting.add_listener(self._on_quitting)
        main, headless = gevent.getcurrent(), bool(parsed_options(environment).headless)
        # Without UI the process ends by itself then, and an interrupted Locust would kill whoever decides.
        interrupt_between_greenlets(lambda: self._decider is main or (headless and self._decider is not None))
        try:
            if sys.platform != "linux":
                message = f"misissue runs on Linux only for now; this is {sys.platform}"
                raise TargetError(message)
            self._leave_out_counters(environment)
            self._read_setup(environment)
            serve_metrics(environment, self.snapshot, lambda: None if self._own is None else self._own.run.target)
            if isinstance(environment.runner, WorkerRunner):
                read_setup = partial(self._read_setup, environment)
                self._worker = Worker(environment, self._clock, read_setup, self._begin_worker)
                if self._was_started_early:
                    self._begin_worker()
            elif parsed_options(environment).headless:
                # Here, because a run that cannot begin should end with its reason before Locust starts anything.
                self._open(environment)
                # Locust's own handler comes into force when a shaped test is over, too late to end one in order.
                gevent.signal_handler(signal.SIGTERM, self._on_sigterm, environment, main)
            else:
                # A process that makes no run has shown nothing, and 0 would read as PASS.
                self._end_with(environment, EXIT_CODES["INCONCLUSIVE"])
                add_web_ui(environment, self)
        except Exception as error:  # noqa: BLE001 - Locust would log it and end with 1, which reads as FAIL
            refuse(environment, _as_known(environment, error))
        except KeyboardInterrupt:
            refuse(environment, TargetError("interrupted before the run began"), EXIT_CODES["INCONCLUSIVE"])

    def _on_sigterm(self, environment: Environment, main: Any) -> None:
        if self._own is not None:
            self._own.cut_short()
        if environment.runner is not None and environment.runner.state == STATE_INIT:
            # While a master waits for its workers, Locust itself hears nothing.
            self._on_test_stop(environment)
            self._on_quit()
            gevent.kill(main, SystemExit(environment.process_exit_code))

    def _open(self, environment: Environment) -> None:
        setup = self._read_setup(environment)
        if self._live is not None and setup.directory is not None:
            setup = structs.replace(setup, directory=free_directory(setup.directory))
        if isinstance(environment.runner, MasterRunner):
            self._own = MasterRun(setup, environment.runner, machine_clock())
        else:
            self._own = LocalRun(setup, machine_clock(), lambda: user_count(environment))
            self.active = self._own.active
        self._live = self._own.live
        self._people = frozenset(person for group in self._own.run.target.groups() for person in group.persons)

    def _on_test_start(self, environment: Environment, **_: object) -> None:
        if self._worker is not None:
            self._begin_worker()
            return
        if self._environment is None:
            # A worker whose users are started before Locust has fired init here; the master tells of the run again.
            self._was_started_early = True
            return
        if self._own is None:
            try:
                self._open(environment)
            except Exception as error:  # noqa: BLE001 - see _on_init
                self._end_with(environment, usage_error(_as_known(environment, error)))
                gevent.spawn(self._stop_load, environment)
                return
        if self._own is not None:
            self._own.start()

    def _begin_worker(self) -> None:
        if self._worker is not None:
            self.active = self._worker.start()

    def _stop_load(self, environment: Environment) -> None:
        if environment.runner is not None:
            environment.runner.quit() if parsed_options(environment).headless else environment.runner.stop()

    def _on_test_stopping(self, **_: object) -> None:
        # Whoever stops the users before the plan is through, in the web UI or by whatever: from now on nobody begins.
        if self._own is not None:
            self._own.cut_short()

    def _on_test_stop(self, environment: Environment, **_: object) -> None:
        self.active = None
        if self._worker is not None:
            self._worker.finish(self._take_faults(environment))
            return
        own, self._own = self._own, None
        if own is None:
            return
        self._decider = gevent.getcurrent()
        self._end_with(environment, EXIT_DIED)  # whoever ends the process from here on must not make it look clean
        try:
            for fault in self._take_faults(environment):
                own.run.add_fault(fault)
            verdict = own.finish()
        except Exception as error:  # noqa: BLE001 - a verdict that cannot be made must not look like a clean one
            _log.exception("the verdict could not be decided")
            print(f"misissue: no verdict: {error}", file=sys.stderr)
            if own.live.snapshot().misissued:  # what was handed out does not come back
                self._end_with(environment, EXIT_CODES["FAIL"])
            return
        finally:
            self._decider = None
        self._end_with(environment, verdict.exit_code)
        self._verdict, self._decided = verdict, own.run
        publish_summary(own.run.directory)
        if not parsed_options(environment).headless:
            print_verdict(verdict, own.run.directory, own.run.language)

    def _end_with(self, environment: Environment, code: int | None) -> None:
        environment.process_exit_code = self._exit_code = code

    def _faults(self, environment: Environment) -> list[str]:
        # What goes wrong in somebody else's tasks is their own; of a checked print the print itself tells.
        return locust_faults(environment, with_tasks=not self.is_guest)

    def _take_faults(self, environment: Environment) -> list[str]:
        faults = self._faults(environment)
        # They are those of the run that ends, whenever before its end, and of none that follows.
        log.unhandled_greenlet_exception = False
        return faults

    def _on_reset(self, **_: object) -> None:
        # With its statistics Locust forgets which users' tasks ended in an exception.
        if self._own is not None and self._environment is not None:
            for fault in self._faults(self._environment):
                self._own.run.add_fault(fault)

    def _on_quitting(self, environment: Environment, **_: object) -> None:
        # A SIGTERM comes here while the users are still at work.
        at_work = self._own is not None or self.active is not None
        if at_work and environment.runner is not None and environment.runner.state != STATE_STOPPED:
            if self._own is not None:
                self._own.cut_short()
            environment.runner.stop()
        self._on_test_stop(environment)  # what another greenlet has begun to hand over is waited for
        while self._decider is not None:
            gevent.sleep(_POLL_S)  # so is the verdict

    def _on_quit(self, **_: object) -> None:
        # After Locust has printed its statistics, so that the verdict is the last thing on the screen.
        if self._verdict is not None and self._environment is not None and parsed_options(self._environment).headless:
            print_verdict(self._verdict, self._decided.directory, self._decided.language)


class PlanShape(LoadTestShape):
    """Keeps all users at work from the beginning of the plan to its end; a profile derives its shape from it."""

    abstract = True
    use_common_options = True
    plugin: LoadPlugin

    def tick(self) -> tuple[int, float] | None:
        """See `LoadTestShape`; Locust asks about once a second."""
        if self.runner is None or self.plugin.is_over:
            return None
        options = self.runner.environment.parsed_options
        return (options.num_users, options.spawn_rate) if options is not None else None


def _as_known(environment: Environment, error: Exception) -> Exception:
    """The error, or what to say of a target that breaks the protocol of `harness.target`."""
    if isinstance(error, _KNOWN_ERRORS):
        return error
    name = parsed_options(environment).target
    return TargetError(f"the target {name} cannot be used, it raised {type(error).__name__}: {error}")
