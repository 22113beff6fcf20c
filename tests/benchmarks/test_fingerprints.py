"""What it costs to tell documents apart by less than all of their bytes: rates, and latencies meanwhile."""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from harness.evidence.ledger import read_run, segment_path
from harness.evidence.segment import SegmentReader
from harness.fingerprint.process import FingerprintProcess
from harness.gate import decide
from harness.records import Print
from tests.benchmarks.sides import Service, Side, Turn
from tests.benchmarks.spread import Spread
from tests.benchmarks.static_service import PERSONS, document, person_name
from tests.benchmarks.static_target import FINGERPRINTS
from tests.benchmarks.test_judged_rate import assert_all_judged, busy_turn

MASKED_TEXT_WANTED = 0.80
SLOWER_AT_MOST = 1.25
"""p99 beside slow fingerprints over p99 without: two runs alike differ by as much."""
SEEN_FROM = 2.0
"""The same when they are made in the load: less than that, and the measure could not see them."""
_SESSIONS = 3
_ROUNDS = 3
_CYCLES = 2
_WARM_UP_PRINTS = 3000
_WARM_UP_NS = 1_000_000_000
_LOADS = 6
_LOAD = "--rate", "40/s", "--load-s", "7"
_DOCUMENTS = 100


@pytest.mark.bench
@pytest.mark.timeout(900)
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the service and its client need a core each")
def test_masked_text_rate(tmp_path: Path) -> None:
    """A core that masks a text before it judges makes at least 80 of the 100 prints that it would make unjudged."""
    rounds: list[dict[str, Turn]] = []
    with Service("--form", "text") as service:
        for number in range(_SESSIONS):
            directory = tmp_path / f"run{number}"
            sides = {
                "plain": Side.plain(service),
                "exact": Side.judged(service, directory / "exact", form="text"),
                "masked": Side.judged(service, directory / "masked", form="text", by="masked text"),
                "plain again": Side.plain(service),
            }
            with ExitStack() as stack:
                for side in sides.values():
                    stack.enter_context(side)
                    side.print_until(service.served + _WARM_UP_PRINTS)
                for _ in range(_ROUNDS):
                    turns = [_cycle(sides, backwards=back) for back in [False, True] * _CYCLES]
                    rounds.append({name: sum((turn[name] for turn in turns[1:]), turns[0][name]) for name in sides})
            for name in ("exact", "masked"):
                assert_all_judged(directory / name)

    def ratio(name: str) -> Spread:
        return Spread.of([turns[name].rate / (turns["plain"] + turns["plain again"]).rate for turns in rounds])

    again = Spread.of([turns["plain again"].rate / turns["plain"].rate for turns in rounds])
    print(
        f"\nmasked text / plain, prints/s:        {ratio('masked'):.3f}",
        f"all bytes / plain, prints/s:          {ratio('exact'):.3f}",
        f"plain / plain, the noise:             {again:.3f}",
        sep="\n",
    )
    assert ratio("masked").median >= MASKED_TEXT_WANTED


def _cycle(sides: dict[str, Side], *, backwards: bool) -> dict[str, Turn]:
    return {name: busy_turn(sides[name]) for name in (reversed(sides) if backwards else sides)}


@pytest.mark.bench
@pytest.mark.parametrize("by", ["pdf text", "pixels"])
def test_slow_rate(by: str) -> None:
    """How many documents a second the process of slow fingerprints takes; reported only."""
    process = FingerprintProcess(FINGERPRINTS[by])
    try:
        documents = [document(person_name(number), "pdf") for number in range(PERSONS)]
        _make(process, documents[:1])
        begin_s = time.monotonic()
        _make(process, [documents[number % PERSONS] for number in range(_DOCUMENTS)])
        print(f"\n{by}: {_DOCUMENTS / (time.monotonic() - begin_s):.0f} documents/s")
    finally:
        process.close()


def _make(process: FingerprintProcess, documents: Sequence[bytes]) -> None:
    for one in documents:
        process.want_checksum(one)
    made = 0
    while made < len(documents):
        made += sum(1 for _ in process.answers())
        assert process.failure == ""
        time.sleep(0.001)


@pytest.mark.bench
@pytest.mark.timeout(600)
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the service and its client need a core each")
def test_latency_beside_slow_fingerprints(tmp_path: Path) -> None:
    """The slowest prints in a hundred are no slower when pixels are drawn of each; drawn in the load they would be.

    Nothing is kept on a core of its own: what the load starts would have to share that of the load.
    """
    p99: dict[str, list[float]] = {"bytes": [], "pixels": [], "pixels in the load": []}
    with Service("--form", "pdf", pinned=False) as service:
        for number in range(_LOADS):
            for by, found in p99.items():
                directory = tmp_path / f"{by} {number}"
                with Side.judged(service, directory, *_LOAD, form="pdf", by=by) as side:
                    side.wait()
                assert_all_judged(directory)
                found.append(_p99_ms(directory))
    spread = {by: Spread.of(found) for by, found in p99.items()}
    print("", *(f"p99 by {by}, ms: {found:.2f}" for by, found in spread.items()), sep="\n")
    assert spread["pixels"].median <= SLOWER_AT_MOST * spread["bytes"].median
    assert spread["pixels in the load"].median >= SEEN_FROM * spread["bytes"].median


def _p99_ms(directory: Path) -> float:
    """Of the prints after the first second, in which processes start."""
    prints = [
        print_
        for print_ in SegmentReader(segment_path(directory, "load-1"), checksum=read_run(directory).checksum)
        if isinstance(print_, Print) and not print_.application.startswith("self-test")
    ]
    from_ns = min(print_.sent_ns for print_ in prints) + _WARM_UP_NS
    latencies = [print_.answered_ns - print_.sent_ns for print_ in prints if print_.sent_ns >= from_ns]
    return float(np.percentile(latencies, 99)) / 1e6


@pytest.mark.parametrize(("form", "by"), [("text", "masked text"), ("pdf", "pdf text")])
def test_judged_by_less_than_all_bytes(tmp_path: Path, form: str, by: str) -> None:
    """Short twin: two people who get each other's document are found, also when another process settles that."""
    with Service("--form", form, "--exchanged") as service, Side.judged(service, tmp_path, form=form, by=by) as judged:
        judged.print_until(3 * PERSONS)
    verdict = decide(tmp_path)
    assert judged.exit_code == 1, judged.told
    assert {incident.recipient for incident in verdict.incidents} == {person_name(0), person_name(1)}
    assert verdict.outcomes["wrong_person"] + verdict.outcomes["ok"] == verdict.prints_judged >= 3 * PERSONS
    assert read_run(tmp_path).checksum == FINGERPRINTS[by].name
