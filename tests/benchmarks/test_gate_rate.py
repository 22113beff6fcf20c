"""What a verdict costs: judging a finished ledger against decoding it, and ten times the prints against one time."""

from pathlib import Path
from statistics import mean

import pytest

from harness.evidence.ledger import segments_in
from tests.benchmarks.costs import measure
from tests.benchmarks.ledgers import write_ledger
from tests.benchmarks.spread import Spread

RATIO_WANTED = 4.0
GROWTH_WANTED = 11.0
_PRINTS = 200_000
_ROUNDS = 9
_TIMES = 10
_GROWTH_ROUNDS = 5

# Of a short run that provokes what it can, and of one of days.
both_densities = pytest.mark.parametrize("prints_a_sync_run", [10, 100])
both_sorts = pytest.mark.parametrize("shows_points", [False, True], ids=["from_outside", "with_points"])


def _write(directory: Path, prints: int, prints_a_sync_run: int, *, shows_points: bool) -> Path:
    write_ledger(directory, prints=prints, sync_runs=prints // prints_a_sync_run, shows_points=shows_points)
    measure("read", directory)  # so that everybody finds it in the page cache
    return directory


@pytest.mark.bench
@pytest.mark.timeout(1800)
@both_densities
@both_sorts
def test_gate_rate(run_path: Path, prints_a_sync_run: int, *, shows_points: bool) -> None:
    """Judging a finished ledger takes at most four times as long as decoding its segments with msgspec alone."""
    directory = _write(run_path / "run", _PRINTS, prints_a_sync_run, shows_points=shows_points)
    rounds = [(measure("decode", directory), measure("judge", directory)) for _ in range(_ROUNDS)]
    assert {judged.found for _, judged in rounds} == {"PASS"}
    ratio = Spread.of([judged.cpu_ns / decoded.cpu_ns for decoded, judged in rounds])
    print(
        f"\njudging / decoding, CPU time: {ratio:.2f}",
        f"judging, us a print:          {Spread.of([judged.cpu_ns / _PRINTS / 1e3 for _, judged in rounds]):.2f}",
        f"decoding, us a print:         {Spread.of([decoded.cpu_ns / _PRINTS / 1e3 for decoded, _ in rounds]):.2f}",
        sep="\n",
    )
    assert ratio.median <= RATIO_WANTED


@pytest.mark.bench
@pytest.mark.timeout(3600)
@both_densities
@both_sorts
def test_gate_grows_linearly(run_path: Path, prints_a_sync_run: int, *, shows_points: bool) -> None:
    """Ten times the prints take at most eleven times as long to judge."""
    few = _write(run_path / "few", _PRINTS, prints_a_sync_run, shows_points=shows_points)
    many = _write(run_path / "many", _TIMES * _PRINTS, prints_a_sync_run, shows_points=shows_points)
    growth = Spread.of([_measure_growth(few, many) for _ in range(_GROWTH_ROUNDS)])
    print(f"\ntime for ten times the prints: {growth:.2f}")
    assert growth.median <= GROWTH_WANTED


def _measure_growth(few: Path, many: Path) -> float:
    """One decision on many prints against the mean of several on few: as many prints in all.

    Half of these before and half after, so that both take as long and meet a machine as quick: one decision on few
    prints takes a second, and a shared machine is half as quick again or not for some seconds at a time.
    """
    runs = [few] * (_TIMES // 2), [many], [few] * (_TIMES // 2)
    before, of_many, after = ([measure("judge", run) for run in part] for part in runs)
    assert {cost.found for cost in (*before, *of_many, *after)} == {"PASS"}
    return of_many[0].cpu_ns / mean(cost.cpu_ns for cost in (*before, *after))


@both_sorts
def test_costs_are_measured(run_path: Path, *, shows_points: bool) -> None:
    """Short twin: every piece of work goes through all of the evidence, and whoever judges also decodes."""
    directory = _write(run_path / "run", 2000, 10, shows_points=shows_points)
    segments = [path.read_bytes() for path in segments_in(directory)]
    read, decoded, judged = measure("read", directory), measure("decode", directory), measure("judge", directory)
    assert read.found == sum(map(len, segments))
    assert decoded.found == sum(segment.count(b"\n") for segment in segments)
    assert judged.found == "PASS"
    assert 0 < decoded.cpu_ns < judged.cpu_ns
    for cost in (read, decoded, judged):
        assert 0 < cost.start_bytes <= cost.peak_bytes


def test_wrong_is_found(run_path: Path) -> None:
    """Short twin: what is measured is the judging, for it tells a ledger with a misissuance from one without."""
    write_ledger(run_path, prints=1000, sync_runs=100, shows_points=False, wrong=1)
    assert measure("judge", run_path).found == "FAIL"


def test_every_line_is_decoded(run_path: Path) -> None:
    """Short twin: the reference decodes to the last line, so it stops at one that is no record."""
    write_ledger(run_path, prints=100, sync_runs=10, shows_points=False)
    with segments_in(run_path)[-1].open("a") as segment:
        segment.write('{"type":"print"}\n')
    with pytest.raises(AssertionError, match="ValidationError"):
        measure("decode", run_path)
