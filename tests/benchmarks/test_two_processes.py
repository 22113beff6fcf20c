"""Two load processes at once: everything that they were handed is on record, once, and how much faster they are."""

import os
from pathlib import Path

import msgspec
import pytest

from harness.evidence.ledger import VERDICT_FILE, segments_in
from harness.evidence.reader import read_evidence
from harness.evidence.segment import SegmentReader
from harness.records import Print, SelfTest
from harness.verdict import Verdict
from tests.benchmarks.spread import Spread
from tests.benchmarks.synthetic_run import SyntheticRun
from tests.harness.builders import sentences

_DELIVERIES = 2_000_000
_RATE_DELIVERIES = 400_000
_ROUNDS = 5


def attempts_on_record(directory: Path) -> list[str]:
    """Nonce and applicant of every attempt in the ledger but the planted ones, in the order of the alphabet."""
    found: list[str] = []
    for path in segments_in(directory):
        planted = set()
        for record in SegmentReader(path):
            if isinstance(record, SelfTest):
                planted.add(record.application)
            elif isinstance(record, Print) and record.application not in planted:
                found.append(f"{record.nonce} {record.applicant}")
    return sorted(found)


def assert_none_lost_none_twice(directory: Path, deliveries: int) -> None:
    """Run two processes that make so many applications together, each of which ends in a document."""
    with SyntheticRun(directory, processes=2, applications=deliveries // 2) as run:
        run.wait()
    told, recorded = run.told(), attempts_on_record(directory)
    assert len(told) == len(set(told)) > deliveries
    assert recorded == told
    verdict = msgspec.json.decode((directory / VERDICT_FILE).read_bytes(), type=Verdict)
    assert verdict.prints_judged == deliveries
    assert {name: number for name, number in verdict.outcomes.items() if number} == {
        "error_retried_ok": len(told) - deliveries,
        "ok": 2 * deliveries - len(told),
    }
    assert sorted(process.issued for process in verdict.processes.values()) == [len(told) // 2] * 2
    assert {process.self_test for process in verdict.processes.values()} == {"caught"}
    interrupted, no_exposure = sentences(verdict)
    assert interrupted.startswith("evidence: the run was interrupted")
    assert no_exposure.startswith("no exposure")


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_two_million_deliveries(run_path: Path) -> None:
    """Of two million deliveries by two processes, none is lost and none is on record twice."""
    assert_none_lost_none_twice(run_path, _DELIVERIES)


def test_twenty_thousand_deliveries(run_path: Path) -> None:
    """Short twin: of twenty thousand deliveries by two processes, none is lost and none is on record twice."""
    assert_none_lost_none_twice(run_path, 20_000)


def judged_rate(directory: Path, processes: int | None) -> float:
    """Deliveries a second from the first that was sent to the last that was answered."""
    with SyntheticRun(directory, processes=processes, applications=_RATE_DELIVERIES // (processes or 1)) as run:
        run.wait()
    prints = read_evidence(directory).prints
    return len(prints) / (int(prints.certain.answered_ns.max()) - int(prints.certain.sent_ns.min())) * 1e9


@pytest.mark.bench
@pytest.mark.timeout(1200)
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two processes need a core each")
def test_two_processes_rate(run_path: Path) -> None:
    """Two processes record more than one does; how much more is only told, for it is the machine's doing."""
    rounds = [
        (judged_rate(run_path / f"one{number}", None), judged_rate(run_path / f"two{number}", 2))
        for number in range(_ROUNDS)
    ]
    ratio = Spread.of([two / one for one, two in rounds])
    print(
        f"\ntwo processes / one, deliveries/s: {ratio:.2f}",
        f"one process, deliveries/s:         {Spread.of([one for one, _ in rounds]):.0f}",
        f"two processes, deliveries/s:       {Spread.of([two for _, two in rounds]):.0f}",
        sep="\n",
    )
    assert ratio.median > 1
