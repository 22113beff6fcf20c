"""The link misbehaves by its schedule, in every three faults once in each way, and behaves in between."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import pytest

from targets.link import Link, LinkConditions
from targets.link_faults import SLOW, Fault, FaultKind, draw_faults, misbehave, read_faults

_USUAL = LinkConditions(latency_s=0.001)
_NOW = 0.0


class Scripted:
    """Stands in for a link and keeps what was done to it."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.connections = 3
        self._conditions = _USUAL

    @property
    def conditions(self) -> LinkConditions:
        """What the link does now."""
        return self._conditions

    @conditions.setter
    def conditions(self, conditions: LinkConditions) -> None:
        self._conditions = conditions
        self.done.append(conditions)

    async def cut(self, seconds: float | None = None) -> None:
        """Kept with its length."""
        self.done.append(f"cut {seconds}")

    def reset(self) -> None:
        """Kept."""
        self.done.append("reset")


def _fault(kind: FaultKind, seconds: float = 0.001) -> Fault:
    return Fault(pause_s=_NOW, kind=kind, seconds=seconds)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - turns of the loop, not time; the test's own limit ends it
        await asyncio.sleep(0)


def test_the_same_seed_draws_the_same_faults() -> None:
    """A schedule follows from its seed alone, and another seed has another one."""
    drawn = [list(islice(draw_faults(seed, pause_s=1, cut_s=2), 30)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("seed", range(20))
def test_every_three_faults_are_one_of_each_kind(seed: int) -> None:
    """Pauses keep to their mean by a half, cuts last as long as was asked, and a run of three faults meets them all."""
    faults = list(islice(draw_faults(seed, pause_s=4, cut_s=7), 30))
    for first in range(0, 30, 3):
        assert {fault.kind for fault in faults[first : first + 3]} == {"slow", "resets", "cut"}
    assert all(2 <= fault.pause_s <= 6 for fault in faults)
    assert {fault.seconds for fault in faults if fault.kind == "cut"} == {7}


@pytest.mark.parametrize(
    ("faults", "done"),
    [
        ([_fault("slow")], [SLOW, _USUAL]),
        ([_fault("cut", 0.002)], ["cut 0.002"]),
        ([_fault("resets")], ["reset"]),
        ([_fault("resets"), _fault("slow"), _fault("cut")], ["reset", SLOW, _USUAL, "cut 0.001"]),
    ],
)
async def test_each_fault_does_its_own(faults: Iterable[Fault], done: list[object], tmp_path: Path) -> None:
    """A fault does one thing, the conditions after it are those from before, and the log tells it with who felt it."""
    link, log = Scripted(), tmp_path / "link.jsonl"
    assert read_faults(log) == []
    await misbehave(link, faults, log)
    assert link.done == done
    told = read_faults(log)
    assert [(one.kind, one.seconds, one.connections) for one in told] == [(one.kind, one.seconds, 3) for one in faults]
    assert [one.at_ns for one in told] == sorted(one.at_ns for one in told)


async def test_resets_are_many() -> None:
    """In the time of the resets connections that were made again are reset again."""
    link = Scripted()
    task = asyncio.create_task(misbehave(link, [_fault("resets", 3600)]))
    await _until(lambda: link.done == ["reset", "reset"])
    task.cancel()


async def test_a_real_link_is_whole_between_its_faults() -> None:
    """A cut comes to an end by itself and before the next fault; a reset reaches whoever is connected."""
    async with Link("127.0.0.1", 1) as link:
        await misbehave(link, [_fault("cut")])
        await _until(lambda: not link.is_cut)
        await link.cut()  # holds the connection, which nobody upstream would take
        reader, writer = await asyncio.open_connection(link.host, link.port)
        await _until(lambda: link.connections == 1)
        await misbehave(link, [_fault("resets")])
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


def test_a_link_that_cannot_misbehave_ends(tmp_path: Path) -> None:
    """Faults that break off end the link's process, so that no run goes on without the faults it was to have."""
    options = ("--upstream", "127.0.0.1:1", "--fault-pause-s", "0.001", "--fault-log", str(tmp_path))
    link = subprocess.run([sys.executable, "-m", "targets.link", *options], capture_output=True, text=True, check=False)
    assert link.returncode == 1
    assert link.stderr.startswith("link: cannot go on with its faults: [Errno 21] Is a directory")
    assert len(link.stderr.splitlines()) == 1
