"""The deployment on an address that others can reach, and a target in another process that drives it."""

import json
import socket
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from random import Random
from urllib.parse import urlsplit

import pytest

from harness.target import Answer, TargetError
from targets.municipal.people import population
from targets.municipal.refusals import refusals
from targets.municipal.target import Municipal
from tests.municipal.conftest import LIMIT_S, SMALL, print_one, send, until
from tests.ports import free_port

HOST = "127.0.0.2"
SETTINGS = {**SMALL, "host": HOST, "build": "fixed"}

# Attaches itself, lets somebody move, prints one paper and tells what it found.
DRIVER = """
import json, sys
from random import Random
from targets.municipal.target import Municipal
from tests.municipal.conftest import print_one, send
settings, shared = map(json.loads, sys.argv[1:])
target = Municipal(settings)
target.attach(shared)
group = target.groups()[-1]
change, request = target.draw_change("D1", group, ["relocate"], Random(1))
told = json.loads(send(request))
print_ = print_one(target, target.draw_application("D1", group, Random(1)))
right = [document.checksum for document in target.expected(print_)]
print(json.dumps([change.version, told["version"], right == [print_.checksum], target.failure()]))
target.close()
"""


@pytest.fixture(scope="module")
def municipal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Municipal]:
    """A running deployment that others are to reach."""
    target = Municipal(SETTINGS)
    try:
        target.open(tmp_path_factory.mktemp("logs"))
        yield target
    finally:
        target.close()


def listens(address: str, host: str) -> bool:
    """Whether somebody accepts connections on that host at the port of the address."""
    try:
        socket.create_connection((host, urlsplit(address).port or 0), LIMIT_S).close()
    except ConnectionRefusedError:
        return False
    return True


def test_what_others_reach_is_at_the_host(municipal: Municipal) -> None:
    """Center, registry and truth listen at the host of the settings alone, the AP server on the loopback alone."""
    shared = municipal.share()
    assert set(shared) == {"center", "registry", "truth"}
    for address in shared.values():
        assert address.startswith(f"http://{HOST}:")
        assert [listens(address, host) for host in (HOST, "127.0.0.1")] == [True, False]
    assert [listens(municipal.running.ap, host) for host in (HOST, "127.0.0.1")] == [False, True]


def test_another_process_drives_it(municipal: Municipal) -> None:
    """A target that is attached draws, prints and knows what is right, and leaves the deployment as it was."""
    command = [sys.executable, "-c", DRIVER, json.dumps(SETTINGS), json.dumps(dict(municipal.share()))]
    driven = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S, check=True)
    assert json.loads(driven.stdout) == [2, 2, True, ""]
    assert municipal.failure() == ""
    application = municipal.draw_application("A1", municipal.groups()[0], Random(1))
    print_ = print_one(municipal, application)
    assert [document.checksum for document in municipal.expected(print_)] == [print_.checksum]


def test_nobody_at_the_address() -> None:
    """Attaching to an address at which nobody listens fails with that address."""
    center = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(TargetError, match=f"^center: nobody answers at {center} "):
        Municipal(SMALL).attach({"center": center, "registry": center, "truth": center})


def test_groups_tell_what_is_barred_at_first() -> None:
    """Each household in which somebody may apply comes with what may not be issued to it before the first change."""
    residents = population(5, 300)
    groups = Municipal({"seed": "5", "households": "300"}).groups()
    by_household = {
        one.household: [other for other in residents if other.household == one.household] for one in residents
    }
    assert {group.group: group.refusals for group in groups} == {
        name: refusals(members) for name, members in by_household.items() if not all(one.protected for one in members)
    }
    assert {refusal.reason for group in groups for refusal in group.refusals} == {"no_seal"}


async def test_who_has_moved_out_goes_on_applying(municipal: Municipal) -> None:
    """Who has moved out still applies, and is refused as the change says, once it is synchronised."""
    group = next(group for group in municipal.groups() if len(group.persons) > 1)
    change, request = municipal.draw_change("C1", group, ["move_out"], Random(1))
    send(request)
    (gone,) = (refusal.applicant for refusal in change.refusals if refusal.reason == "moved_out")
    applied = ((group.group, change.version),)
    await until(lambda: [run for run in municipal.new_sync_runs() if run.applied == applied and run.acknowledged_ns])
    random = Random(1)
    applications = (municipal.draw_application(f"M{number}", group, random) for number in range(40))
    application = next(application for application in applications if application.applicant == gone)
    with pytest.raises(urllib.error.HTTPError) as refused:
        send(municipal.print_request(application))
    answer = municipal.read_answer(refused.value.code, {}, refused.value.read())
    assert answer == Answer(refused="moved_out")
    assert any(one.covers(gone, application.kind, application.options) for one in change.refusals)
