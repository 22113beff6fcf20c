"""Adds to a Locust run what measures it: prints, time and CPU time of the process between two instants.

Both profiles import it, so that what is compared is measured by the same few lines.
"""

import time
from pathlib import Path

import gevent
import msgspec
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from tests.benchmarks.reading import Window


@events.init_command_line_parser.add_listener
def _add_options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--warm-up-s", type=float, default=1.0)
    parser.add_argument("--window-s", type=float, default=2.0)
    parser.add_argument("--window-file", default="")


@events.test_start.add_listener
def _on_test_start(environment: Environment, **_: object) -> None:
    gevent.spawn(_measure, environment)


def _measure(environment: Environment) -> None:
    options, total = environment.parsed_options, environment.stats.total
    if options is None or environment.runner is None:
        message = "this should never happen, because a test has started"
        raise AssertionError(message)
    gevent.sleep(options.warm_up_s)
    prints, wall_ns, cpu_ns = total.num_requests, time.monotonic_ns(), time.process_time_ns()
    gevent.sleep(options.window_s)
    window = Window(
        prints=total.num_requests - prints,
        wall_ns=time.monotonic_ns() - wall_ns,
        cpu_ns=time.process_time_ns() - cpu_ns,
        failures=total.num_failures,
    )
    Path(options.window_file).write_bytes(msgspec.json.encode(window))
    if environment.shape_class is None:
        environment.runner.quit()
