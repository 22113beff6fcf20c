"""Several hosts make one run: a master and two workers, each in a network namespace with an address of its own.

A worker does not see the master's directory, and one of them has another clock.
"""

import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest

from harness.clock import MAX_DRIFT
from harness.evidence.ledger import read_run, segment_path
from harness.evidence.prints import Interval, Rows
from harness.evidence.reader import RunEvidence, read_evidence
from harness.evidence.recorder import RIGHT_DOCUMENTS
from harness.evidence.segment import Footer, SegmentReader
from harness.fingerprint import checksum
from harness.gate import decide
from harness.load.worker import _PIECE_BYTES
from harness.overlap import exposures_from_outside
from harness.pool import Meetings
from harness.records import Batch, ClockReading, Evidence, Print, SyncRun
from harness.run import CLOCK
from tests.e2e.conftest import ROOT, Command, sentences, wait_until
from tests.e2e.paper_runs import TARGET_PLACE, Ended, at_once, is_root, wait
from tests.load.other_clock import other_clock
from tests.load.shared_papers import PRINT_LOG

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not is_root(), reason="only root can make network namespaces"),
]
PROFILE = ROOT / "tests" / "load" / "other_clock.py"
MASTER, SERVICE = "10.77.0.1", "10.77.0.2"
NEAR, FAR = "10.77.0.11", "10.77.0.12"
"""Addresses of the workers; the far one has the other clock, and no way to SERVICE."""


class Network:
    """Three hosts at one bridge."""

    def __init__(self) -> None:
        self._names = {address: f"misissue-{uuid.uuid4().hex[:8]}" for address in (MASTER, NEAR, FAR)}
        self._port = 6000

    def build(self) -> None:
        """Make it."""
        for name in self._names.values():
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        master = self._names[MASTER]
        _ip("-n", master, "link", "add", "bridge", "type", "bridge")
        _ip("-n", master, "link", "set", "bridge", "up")
        for address in (MASTER, SERVICE):
            _ip("-n", master, "address", "add", f"{address}/24", "dev", "bridge")
        for number, address in enumerate((NEAR, FAR)):
            name, port = self._names[address], f"port{number}"
            _ip("link", "add", port, "netns", master, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("-n", master, "link", "set", port, "master", "bridge", "up")
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", self._names[FAR], "route", "add", "unreachable", SERVICE)

    def remove(self) -> None:
        """Take away whatever of it was made; what lies in a namespace goes with it."""
        for name in self._names.values():
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def free_port(self) -> str:
        """Of the master, which no other run in this network has."""
        self._port += 1
        return str(self._port)

    def locust(
        self, address: str, place: Path, *options: str, mount: tuple[str, ...] = (), **environment: str
    ) -> Command:
        """Start Locust on a host.

        Args:
            mount: arguments of mount(8) for disks that this host alone sees.
        """
        before = ["ip", "netns", "exec", self._names[address]]
        if mount:
            script = (
                'while [ "$1" != -- ]; do mount -t tmpfs -o "$1" tmpfs "$2"; shift 2; done; shift; cd "$PWD"; exec "$@"'
            )
            before += ["sh", "-ec", script, "sh", *mount, "--"]
        arguments = ("locust", "-f", str(PROFILE), "--skip-log-setup", *options)
        place.mkdir(exist_ok=True)
        return Command(*arguments, cwd=place, before=before, PYTHONPATH=TARGET_PLACE, **environment)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _run(
    network: Network,
    place: Path,
    *,
    wrong_every: int = 0,
    burst_s: float = 5.0,
    host: str = MASTER,
    disk: str = "",
    kill: bool = False,
) -> Ended:
    """A master and two workers.

    Args:
        host: where the service listens.
        disk: size of the far worker's, if it is a small one.
        kill: the master, in mid-run.
    """
    port = network.free_port()
    master = network.locust(
        *(MASTER, place / "master", "--master", "--headless", "--only-summary", "--expect-workers", "2"),
        *("--master-bind-host", MASTER, "--master-bind-port", port, "--out", "run", "--burst-s", str(burst_s)),
        *("--set", f"wrong_every={wrong_every}", "--set", f"host={host}"),
    )
    joins = ("--worker", "--master-host", MASTER, "--master-port", port)
    hidden = ("size=1m", str(place / "master"))
    near, far = place / "near", place / "far"
    far.mkdir()
    workers = [
        network.locust(NEAR, near, *joins, mount=hidden, IMPATIENT="yes"),
        network.locust(
            *(FAR, far, *joins),
            mount=(*hidden, f"size={disk}", str(far)) if disk else hidden,
            IMPATIENT="yes",
            CLOCK_OF_ANOTHER_HOST="yes",
        ),
    ]
    try:
        if kill:
            for worker_place in (near, far):
                wait_until(partial(_has_prints, worker_place, 100), master)
            master.process.kill()
        ended = wait(master, place / "master" / "run")
        for worker in workers:
            worker.wait()
        return ended
    finally:
        for command in (master, *workers):
            command.end()


def _has_prints(worker: Path, number: int) -> bool:
    segments = worker.glob("runs/*/segments/*.jsonl")
    return sum(path.read_bytes().count(b'"type":"print"') for path in segments) >= number


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ended]]:
    """One run of each sort, in one network."""
    network = Network()
    try:
        network.build()
        yield at_once(
            tmp_path_factory.mktemp("hosts"),
            {
                "clean": partial(_run, network, burst_s=6.0),
                "wrong": partial(_run, network, wrong_every=25),
                "no way": partial(_run, network, host=SERVICE),
                "small disk": partial(_run, network, disk="64k"),
                "killed": partial(_run, network, wrong_every=25, burst_s=60.0, kill=True),
            },
        )
    finally:
        network.remove()


def _far_segment(directory: Path) -> str:
    """The one with the other clock."""
    readers = [SegmentReader(segment_path(directory, name)) for name in read_run(directory).segments]
    (found,) = [reader.path.stem for reader in readers if list(reader) and reader.clock != CLOCK]
    return found


def _records(directory: Path, segment: str) -> list[Evidence]:
    return list(SegmentReader(segment_path(directory, segment)))


def _rows(evidence: RunEvidence, segment: str) -> Rows:
    return np.flatnonzero(evidence.prints.segment == evidence.segments.index(segment))


def _service_log(directory: Path) -> dict[str, tuple[int, int]]:
    """nonce -> when the service itself had the print, on the run's clock."""
    lines = (directory / "target" / PRINT_LOG).read_text().splitlines()
    return {nonce: (int(begin_ns), int(end_ns)) for nonce, begin_ns, end_ns in map(str.split, lines)}


def _with_readings(
    directory: Path, copy: Path, change: Callable[[ClockReading], ClockReading | None]
) -> tuple[Path, str]:
    """A copy of the run in which the far worker wrote other clock readings; and its segment."""
    shutil.copytree(directory, copy)
    segment = _far_segment(copy)
    path = segment_path(copy, segment)
    header = path.read_bytes().partition(b"\n")[0]
    lines = [header]
    for record in _records(copy, segment):
        kept: object = change(record) if isinstance(record, ClockReading) else record
        if isinstance(kept, Batch):
            kept = msgspec.structs.replace(kept, records=len(lines) - 1)
        if kept is not None:
            lines.append(msgspec.json.encode(kept))
    body = b"".join(line + b"\n" for line in lines)
    footer = Footer(records=len(lines) - 1, digest=checksum(body))
    path.write_bytes(body + msgspec.json.encode(footer) + b"\n")
    return copy, segment


def test_a_run_of_several_hosts_passes_and_its_evidence_lies_with_the_master(runs: dict[str, Ended]) -> None:
    """Segments of several pieces arrive whole, and the workers, whose own copies are personal data, keep none."""
    one = runs["clean"]
    assert one.exit_code == 0, (one.stdout, one.stderr)
    assert one.verdict["verdict"] == "PASS"
    told = read_run(one.directory)
    assert set(told.segments) == {"target", "load-1", "load-2"}
    for segment in ("load-1", "load-2"):
        path = segment_path(one.directory, segment)
        assert path.stat().st_size > _PIECE_BYTES
        assert path.stat().st_mode & 0o777 == 0o600
        reader = SegmentReader(path, told.run)
        assert sum(isinstance(record, Print) for record in reader) == one.verdict["processes"][segment]["issued"] + 1
        assert not reader.faults
    for worker in ("near", "far"):
        assert not list((one.directory.parents[1] / worker / "runs").iterdir())


def test_times_of_another_clock_lie_where_they_were(runs: dict[str, Ended]) -> None:
    """Every print of the far host lies within its uncertainty of the true time, and around the service's own times."""
    directory = runs["clean"].directory
    segment, evidence, log = _far_segment(directory), read_evidence(directory), _service_log(directory)
    rows, records = _rows(evidence, segment), _records(directory, segment)
    raw = {record.nonce: record for record in records if isinstance(record, Print)}
    readings = [record for record in records if isinstance(record, ClockReading)]
    possible, certain = evidence.prints.possible, evidence.prints.certain
    assert len(rows) > 100
    for row, print_ in evidence.prints.fetch(rows.tolist()).items():
        own = raw[print_.nonce]
        assert other_clock(int(possible.sent_ns[row])) <= own.sent_ns <= other_clock(int(certain.sent_ns[row]))
        assert other_clock(int(certain.answered_ns[row])) <= own.answered_ns
        assert own.answered_ns <= other_clock(int(possible.answered_ns[row]))
        begin_ns, end_ns = log[print_.nonce]
        assert possible.sent_ns[row] <= begin_ns < end_ns <= possible.answered_ns[row]
    gap_ns = np.diff(sorted(reading.at_ns for reading in readings)).max()
    allowed_ns = 2 * (max(reading.uncertainty_ns for reading in readings) + MAX_DRIFT * gap_ns)
    assert (certain.sent_ns[rows] - possible.sent_ns[rows]).max() <= allowed_ns + 2


def _exposures(evidence: RunEvidence, segment: str) -> int:
    """Those that prints of this segment alone make."""
    rows = _rows(evidence, segment)
    return len(
        exposures_from_outside(
            Meetings(evidence.sync_runs, Interval(*(column[rows] for column in evidence.prints.certain)))
        )
    )


def test_an_exposure_counts_only_where_every_reading_of_the_clock_agrees(
    runs: dict[str, Ended], tmp_path: Path
) -> None:
    """Prints of a clock that is uncertain by more than they last make no exposure; with good readings they do."""
    directory = runs["clean"].directory
    copy, segment = _with_readings(
        directory, tmp_path / "run", lambda reading: msgspec.structs.replace(reading, uncertainty_ns=10**10)
    )
    good, vague = read_evidence(directory), read_evidence(copy)
    assert not vague.faults
    assert _exposures(good, segment) > 0
    assert _exposures(vague, segment) == 0


def test_without_readings_no_time_of_another_clock_counts(runs: dict[str, Ended], tmp_path: Path) -> None:
    """A segment of another clock without a reading of it leaves the run inconclusive, and that is said."""
    copy, segment = _with_readings(runs["clean"].directory, tmp_path / "run", lambda _: None)
    verdict = decide(copy)
    assert (verdict.verdict, verdict.exit_code) == ("INCONCLUSIVE", 3)
    (reason,) = [told.text for told in verdict.reasons if "no time compares" in told.text]
    assert f"segment {segment} has the clock" in reason


def test_a_wrong_person_on_a_host_with_another_clock_is_found_with_its_surroundings(runs: dict[str, Ended]) -> None:
    """Each incident is the one of which the service tells; beside it stand whoever and whichever sync run was there."""
    one = runs["wrong"]
    assert one.exit_code == 1, (one.stdout, one.stderr)
    told = [line.split() for line in (one.directory / "target" / "swaps.txt").read_text().splitlines()]
    incidents = one.verdict["incidents"]
    assert sorted([found["nonce"], found["recipient"], *found["owners"]] for found in incidents) == sorted(told)
    log, evidence = _service_log(one.directory), read_evidence(one.directory)
    far = {record.nonce for record in _records(one.directory, _far_segment(one.directory)) if isinstance(record, Print)}
    sync_runs = [record for record in _records(one.directory, "target") if isinstance(record, SyncRun)]
    on_far = [found for found in incidents if found["nonce"] in far]
    assert on_far
    assert any(found["sync_run"] for found in on_far)
    all_ = evidence.prints.fetch(range(len(evidence.prints)))
    possible = {print_.nonce: print_ for print_ in all_.values()}
    for found in on_far:
        own, (begin_ns, end_ns) = possible[found["nonce"]], log[found["nonce"]]
        beside = {neighbour["nonce"] for neighbour in found["neighbours"]}
        assert beside >= {
            nonce for nonce, (b_ns, e_ns) in log.items() if b_ns <= end_ns and e_ns >= begin_ns and nonce in possible
        } - {own.nonce}
        for nonce in beside:
            assert possible[nonce].sent_ns <= own.answered_ns
            assert possible[nonce].answered_ns >= own.sent_ns
        during = {sync.sync_run for sync in sync_runs if sync.begin_ns <= end_ns and sync.work_end_ns >= begin_ns}
        assert found["sync_run"] or not during
        kept = one.directory / "incidents" / f"{own.nonce}.document"
        assert kept.read_text().startswith(f"document of {found['owners'][0]} as of ")
    rights = {found["recipient"]: one.directory / "incidents" / f"{found['nonce']}.right.document" for found in on_far}
    kept_rights = {recipient: path for recipient, path in rights.items() if path.exists()}
    assert len(kept_rights) == len(rights) if len(on_far) <= RIGHT_DOCUMENTS else kept_rights
    for recipient, path in kept_rights.items():
        assert path.read_text().startswith(f"document of {recipient} as of ")
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_worker_that_cannot_reach_the_service_is_named(runs: dict[str, Ended]) -> None:
    """The run is inconclusive, however well the other worker reached it."""
    one = runs["no way"]
    assert one.exit_code == 3, (one.stdout, one.stderr)
    assert [told for told in sentences(one.verdict) if f"cannot start: nobody answers at http://{SERVICE}" in told]


def test_a_full_disk_on_one_host_is_named(runs: dict[str, Ended]) -> None:
    """What fitted on it is handed over, and what went wrong there is told by the master."""
    one = runs["small disk"]
    assert one.exit_code == 3, (one.stdout, one.stderr)
    assert [told for told in sentences(one.verdict) if "No space left on device" in told], sentences(one.verdict)
    segment = _far_segment(one.directory)
    assert one.verdict["processes"][segment]["judged"] > 0
    assert f"evidence: segment {segment} was never closed" in sentences(one.verdict)


def test_evidence_that_was_not_collected_is_joined_by_the_gate(
    runs: dict[str, Ended], start: Callable[..., Command]
) -> None:
    """After the master's death each worker keeps what it wrote, and the gate reads it from there."""
    directory = runs["killed"].directory
    kept = [path for worker in ("near", "far") for path in (directory.parents[1] / worker / "runs").iterdir()]
    assert len(kept) == 2
    alone = start("harness", "gate", str(directory))
    assert alone.wait() == 3, (alone.stdout, alone.stderr)
    assert "segment load-1 cannot be read" in alone.stdout
    joined = start("harness", "gate", str(directory), *map(str, kept))
    assert joined.wait() == 1, (joined.stdout, joined.stderr)
    assert "the run did not end" in joined.stdout
    assert "segment load-" not in joined.stdout, "both are whole"
    verdict = decide(directory, *kept)
    assert all(count.judged > 0 for count in verdict.processes.values())
    assert len(verdict.processes) == 2
