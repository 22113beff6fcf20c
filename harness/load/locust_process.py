"""A Locust process as Locust itself leaves it to its plug-ins: what it was started with, what it only logs, its end."""

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import gevent
import psutil  # type: ignore[import-untyped] # Locust needs it, too
from locust import log
from locust.env import Environment
from locust.runners import WorkerRunner

from harness.verdict import EXIT_USAGE


def parsed_options(environment: Environment) -> Namespace:
    """The options of Locust and of the plug-in."""
    if environment.parsed_options is None:
        message = "this should never happen, because Locust parses its options before it fires init"
        raise AssertionError(message)
    options: Namespace = environment.parsed_options
    return options


def user_count(environment: Environment) -> int:
    """Users that are at work."""
    return environment.runner.user_count if environment.runner is not None else 0


def locust_faults(environment: Environment, *, with_tasks: bool) -> list[str]:
    """What Locust only logs: a listener of somebody's, a greenlet, or a user's task ended in an exception."""
    faults = ["a Locust listener or greenlet threw an exception; see Locust's log"] * log.unhandled_greenlet_exception
    if with_tasks and environment.runner is not None:
        faults += [
            f"a user's task ended in an exception: {told['msg']}" for told in environment.runner.exceptions.values()
        ]
    return faults


def interrupt_between_greenlets(is_ending: Callable[[], bool]) -> None:
    """From now on Ctrl-C interrupts the greenlet that calls this one, for which Locust waits, and no other.

    It does so once: whoever presses it again, or while it would take a verdict away, waits for that.

    Args:
        is_ending: it would.

    Python raises it in whoever is at work: in a user whose print would never be on record although it was handed out,
    or in the greenlet that reads what the workers tell. Whoever has a handler already keeps it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    main = gevent.getcurrent()
    pressed: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if pressed or is_ending():
            os.write(2, b"misissue: it ends in order; kill -9 takes the verdict away\n")
            return
        pressed.append(number)
        if gevent.getcurrent() is main:
            signal.default_int_handler(number, frame)
        gevent.kill(main, KeyboardInterrupt)

    signal.signal(signal.SIGINT, interrupt)


def usage_error(error: Exception) -> int:
    """Tell it; the exit code that it has."""
    for line in str(error).splitlines():
        sys.stderr.write(f"misissue: {line}\n")
    return EXIT_USAGE


def refuse(environment: Environment, error: Exception, code: int = EXIT_USAGE) -> NoReturn:
    """End a process that cannot begin, with the reason."""
    if parsed_options(environment).processes:
        if isinstance(environment.runner, WorkerRunner):
            sys.exit(code)  # the master beside it says the same
        # Locust means to end its workers, but forgets those that have not found their master yet, and these would go on
        # looking for it for minutes.
        for worker in psutil.Process().children():
            worker.terminate()
    usage_error(error)
    sys.exit(code)
