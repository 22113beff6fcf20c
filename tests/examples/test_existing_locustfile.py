"""A locustfile with users, a shape and an exit code of its own is judged like any other load."""

from pathlib import Path

import pytest

from tests.e2e.conftest import wait_for_prints
from tests.examples.conftest import Example, Start
from tests.examples.test_payslips import MANAGERS

TASK = """
from locust import FastHttpUser, HttpUser, LoadTestShape, constant, events, task

from harness.load.checked import Checked


class Employee(Checked, {client}):
    host = "{url}"
    wait_time = constant(0.01)

    @task
    def payslip(self):
        with self.checked(kind="payslip") as print_:
            headers = {{"X-Employee": print_.applicant, "X-Request-Id": print_.nonce}}
            print_.delivered(self.client.get("/documents/payslip", headers=headers))
"""
SHAPE = """

class Steps(LoadTestShape):
    def tick(self):
        run_time = self.get_run_time()
        return (8, 100) if run_time < 2 else (4, 100) if run_time < 3 else None


@events.quitting.add_listener
def decide(environment, **_):
    environment.process_exit_code = 0
"""


def write(example: Example, name: str, text: str, client: str) -> Path:
    path = example.target.parent / name
    path.write_text(text.format(client=client, url=example.url), encoding="utf-8")
    return path


@pytest.mark.timeout(120)
def test_the_defect_is_found_by_two_processes_and_a_shape(start: Start) -> None:
    """Every incident has the very owner that the service's log names, and the locustfile's own listener hides none."""
    example = start("payslips", "--defect", "ambient-state")
    example.prepare()
    locustfile = write(example, "steps.py", TASK + SHAPE, "FastHttpUser")
    run = example.verify("--processes", "2", profile=str(locustfile))
    run.check_found(example.served(), MANAGERS)
    assert len(run.verdict.processes) == 2
    assert {reason.code for reason in run.verdict.reasons} == {"misissued"}


@pytest.mark.timeout(120)
def test_who_ends_it_by_a_signal_has_not_ended_it(start: Start) -> None:
    """Without a run time Ctrl-C is the only end, and no verdict of a whole run."""
    example = start("payslips")
    example.prepare()
    locustfile = write(example, "endless.py", TASK, "HttpUser")
    directory, command = example.begin("--users", "2", "--", "--spawn-rate", "100", profile=str(locustfile))
    wait_for_prints(directory, 50, command)
    command.press_ctrl_c()
    run = example.finish(directory, command)
    assert run.verdict.verdict == "INCONCLUSIVE"
    faults = [reason.values["fault"] for reason in run.verdict.reasons if reason.code == "evidence"]
    assert faults == ["the run was interrupted"]
