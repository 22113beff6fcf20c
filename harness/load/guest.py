"""The plug-in in a locustfile that was there before: users, tasks, shape and end of the run are the locustfile's own.

There is no plan but Locust's: a run time, a shape, or somebody who stops the run. Whatever ends Locust's test ends the
run in order, but for a signal.
"""

import sys
from argparse import ArgumentError, Namespace
from math import inf

import gevent
from locust import events, log
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner
from msgspec import structs

from harness.load.locust_process import parsed_options, refuse, usage_error
from harness.load.options import Setup
from harness.load.plan import Phase, Plan
from harness.load.plugin import LoadPlugin
from harness.target import TargetError

_WATCH_S = 0.1
_LOAD_S = "load_s"
"""Among the parsed options: how long the load lasts, None when nobody knows. Locust sends them to its workers."""


def plan(options: Namespace) -> Plan:
    """One phase, as long as the load is; a worker that has not been told yet knows of none."""
    seconds = getattr(options, _LOAD_S, 0.0)
    return Plan((Phase(name="load", seconds=inf if seconds is None else seconds, think_s=0.0),))


class GuestPlugin(LoadPlugin):
    """One a locustfile.

    Args:
        profile: what its runs are called.
    """

    def __init__(self, profile: str) -> None:
        super().__init__(profile, target="", plan=plan, change_kinds=(), options=(), users=None)
        self._is_stopping = False
        events.test_start.add_listener(self._on_guest_start)

    def _add_options(self, parser: LocustArgumentParser) -> None:
        try:
            super()._add_options(parser)
        except ArgumentError as error:
            message = f"the locustfile has an option of that name itself ({error}); right is another name for its own"
            sys.exit(usage_error(TargetError(message)))

    def _on_init(self, environment: Environment, **_: object) -> None:
        if log.unhandled_greenlet_exception:
            # Locust would end with 1, which reads as FAIL.
            message = "a listener of the locustfile threw an exception before the run began; see Locust's log"
            refuse(environment, TargetError(message))
        super()._on_init(environment)

    def _read_setup(self, environment: Environment) -> Setup:
        options = parsed_options(environment)
        if not isinstance(environment.runner, WorkerRunner):
            shape = environment.shape_class
            setattr(options, _LOAD_S, options.run_time if shape is None or shape.use_common_options else None)
        hosts = {
            options.host or environment.host or user.host
            for user in environment.user_classes
            if hasattr(user, "checked")
        }
        setup = super()._read_setup(environment)
        return structs.replace(setup, ends_with_locust=True, urls=tuple(sorted(host for host in hosts if host)))

    def _on_guest_start(self, environment: Environment, **_: object) -> None:
        self._is_stopping = False
        if self._own is not None:
            gevent.spawn(self._stop_when_over, environment)

    def _stop_when_over(self, environment: Environment) -> None:
        """End what Locust knows no end of: the first misissuance was asked for, the target died, a signal came."""
        own = self._own
        while own is not None and own is self._own and not self._is_stopping:
            if own.is_over:
                self._stop_load(environment)
                return
            gevent.sleep(_WATCH_S)

    def _on_test_stopping(self, **_: object) -> None:
        self._is_stopping = True
        if self.active is not None:
            self.active.drain()

    def _on_quit(self, **told: object) -> None:
        super()._on_quit()
        if self._exit_code and told.get("exit_code", self._exit_code) != self._exit_code:
            # A listener of the locustfile chose another; where ours is 0 that is its right.
            sys.exit(self._exit_code)
