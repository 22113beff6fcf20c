"""What is known of a real run while it goes on, in one process and with two workers."""

import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from harness.live.snapshot import Snapshot
from tests.e2e.conftest import SHORT_PLAN, Command, read_verdict, sentences, wait_until
from tests.e2e.paper_runs import BEFORE, Ended, at_once, begin, run, wait
from tests.e2e.test_web_ui import Ui

WATCH = """
import gevent
import msgspec
from locust import events


def look():
    seen = plugin.snapshot()
    if seen is not None:
        with open("snapshots.jsonl", "ab") as file:
            file.write(msgspec.json.encode(seen) + b"\\n")


@events.test_start.add_listener
def watch(**_):
    def repeat():
        while True:
            look()
            gevent.sleep(0.1)

    gevent.spawn(repeat)


@events.quit.add_listener
def watch_the_end(**_):
    look()
"""
SCENARIOS = {"one process": 1, "two workers": 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """A run of a service that mixes up every twentieth paper, of which a note is taken ten times a second."""
    return at_once(
        tmp_path_factory.mktemp("runs"),
        {
            name: lambda place, processes=processes: run(  # type: ignore[misc] # its own number
                place, processes=processes, wrong_every=20, burst_s=5.0, more=WATCH
            )
            for name, processes in SCENARIOS.items()
        },
    )


def seen_in(place: Path) -> list[Snapshot]:
    """What was noted there, in its order."""
    lines = (place / "snapshots.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Snapshot) for line in lines]


def seen(ended: Ended) -> list[Snapshot]:
    """What was noted of a run."""
    return seen_in(ended.directory.parent)


@pytest.mark.parametrize("name", SCENARIOS)
def test_states(runs: dict[str, Ended], name: str) -> None:
    """A run goes on, is decided, and stays so; all of the time it is the same run."""
    told = seen(runs[name])
    states = [one.state for one in told]
    assert set(states) >= {"running", "decided"}
    assert states == sorted(states, key=["running", "deciding", "decided"].index)
    assert {(one.profile, one.target, Path(one.directory).name) for one in told} == {
        ("april30", "shared papers", "run")
    }
    assert len({one.run for one in told}) == 1
    assert {"burst", "calm"} <= {one.phase for one in told}
    assert max(one.users or 0 for one in told if one.state == "running") == 6


@pytest.mark.parametrize("name", SCENARIOS)
def test_counts(runs: dict[str, Ended], name: str) -> None:
    """Counts grow while the run goes on, and in the end they are those of the verdict."""
    told, verdict = seen(runs[name]), runs[name].verdict
    for field in ("issued", "prints_judged", "misissued", "papers", "persons", "sync_runs"):
        numbers: Sequence[int] = [getattr(one, field) for one in told]
        assert numbers == sorted(numbers), field
        assert any(0 < one < numbers[-1] for one in numbers), field
    last = told[-1]
    assert (last.prints_judged, last.persons, last.sync_runs) == (
        verdict["prints_judged"],
        verdict["persons"],
        verdict["sync_runs"],
    )
    assert {count.kind for one in told for count in one.outcomes} == {"paper"}
    before = next(one for one in reversed(told) if one.state != "decided")
    assert before.latency is not None
    assert sum(before.latency.counts) == before.prints_judged + before.may_have_printed
    assert len(last.series) >= 3
    assert {process.self_test for process in last.processes} == {"caught"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_misissuance(runs: dict[str, Ended], name: str) -> None:
    """Long before the verdict a misissuance is seen as FAIL, with the very papers that the service mixed up."""
    told = seen(runs[name])
    first = next(one for one in told if one.misissued)
    assert (first.state, first.verdict, first.exit_code) == ("running", "FAIL", None)
    swaps = [line.split() for line in (runs[name].directory / "target" / "swaps.txt").read_text().splitlines()]
    shown = {incident.nonce: (incident.recipient, *incident.owners) for one in told for incident in one.incidents}
    assert shown == {nonce: (recipient, owner) for nonce, recipient, owner in swaps}
    while_it_went_on = next(one for one in reversed(told) if one.state == "running")
    final = {incident.nonce: incident for incident in told[-1].incidents}
    for incident in while_it_went_on.incidents:
        assert incident.at[:19] == final[incident.nonce].at[:19]
        assert (incident.kind, incident.delivered_kind) == ("paper", "paper")
        assert incident.sync_run in {None, final[incident.nonce].sync_run}


def test_exposures_of_one_process(runs: dict[str, Ended]) -> None:
    """Exposures, cells and bound are seen while the run of one process goes on, never more than in the end."""
    told, verdict = seen(runs["one process"]), runs["one process"].verdict
    numbers = [one.exposures for one in told]
    assert None not in numbers
    assert any(0 < (number or 0) < verdict["exposures"] for number in numbers)
    assert all((number or 0) <= verdict["exposures"] for number in numbers)
    in_the_end = {(cell["phase"], *cell["states"]): cell["sync_runs"] for cell in verdict["cells"]}
    for one in told:
        assert one.cells is not None
        assert all(cell.sync_runs <= in_the_end[cell.phase, *cell.states] for cell in one.cells)
        assert one.bound_upper is not None
    assert any(incident.sync_run for one in told if one.state == "running" for incident in one.incidents)


def test_exposures_of_two_workers(runs: dict[str, Ended]) -> None:
    """From outside nobody sees the prints of all processes at once, so exposures are not known before the verdict."""
    told = seen(runs["two workers"])
    assert {(one.exposures, one.cells, one.bound_upper) for one in told if one.state != "decided"} == {
        (None, None, None)
    }
    assert told[-1].exposures == runs["two workers"].verdict["exposures"] > 0
    assert len(told[-1].processes) == 2


def test_exposures_by_points(start: Callable[..., Command], tmp_path: Path) -> None:
    """By the points of the deployment exposures, cells and sync runs of incidents are seen as they are in the end."""
    profile = tmp_path / "profile.py"
    profile.write_text(BEFORE + WATCH)
    command = start("harness", "verify", str(profile), "--out", "run", "--", *SHORT_PLAN, "6")
    assert command.wait() == 1, command.stderr
    told, verdict = seen_in(tmp_path), read_verdict(tmp_path / "run")
    in_the_end = {(cell["phase"], *cell["states"]): cell["sync_runs"] for cell in verdict["cells"]}
    for one in told:
        assert one.exposures is not None
        assert one.exposures <= verdict["exposures"]
        assert one.cells is not None
        assert all(cell.sync_runs <= in_the_end[cell.phase, *cell.states] for cell in one.cells)
    assert any(0 < (one.exposures or 0) < verdict["exposures"] for one in told if one.state == "running")
    sync_runs = {incident["nonce"]: incident["sync_run"] for incident in verdict["incidents"]}
    shown = {one.nonce: one.sync_run for seen in told if seen.state != "decided" for one in seen.incidents}
    assert shown
    assert all(sync_run in {None, sync_runs[nonce]} for nonce, sync_run in shown.items())
    assert any(shown.values())


def test_one_run_after_the_other(tmp_path: Path) -> None:
    """Each Start is a run of its own with counts of its own; a reset of Locust's statistics takes none of them away."""
    ui = Ui()
    command = begin(tmp_path, "--web", *ui.options, processes=2, burst_s=60.0, wrong_every=20)

    def snapshot() -> Snapshot:
        return msgspec.convert(ui.ask("misissuance/snapshot.json")["snapshot"], Snapshot)

    ended = []
    try:
        ui.wait(command, workers=2)
        for name in ("run", "run-2"):
            ui.start(command)
            wait_until(lambda: snapshot().misissued > 5, command)
            before = snapshot()
            with urllib.request.urlopen(f"{ui.url}/stats/reset", b"") as answer:  # noqa: S310 - of our own
                assert answer.status == 200
            assert snapshot().misissued >= before.misissued
            ui.ask("stop", b"")
            wait_until(lambda: snapshot().state == "decided", command)
            ended.append((before, snapshot(), read_verdict(tmp_path / name)))
    finally:
        command.process.terminate()
        wait(command, tmp_path / "run-2")
    for before, last, verdict in ended:
        assert (before.verdict, last.verdict) == ("FAIL", "FAIL")
        assert before.misissued <= last.misissued == len(verdict["incidents"])
        assert last.run == before.run
        counts = [process["issued"] for process in verdict["processes"].values()]
        assert (len(counts), last.issued) == (2, sum(counts))
        assert [text for text in sentences(verdict) if text.startswith("evidence: ")] == [
            "evidence: the run was interrupted before its plan of 60.4 s was through"
        ]
    (_, first, _), (_, second, _) = ended
    assert first.run != second.run
    assert [Path(one.directory).name for one in (first, second)] == ["run", "run-2"]
