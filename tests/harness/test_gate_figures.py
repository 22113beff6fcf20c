"""The figures of a verdict: exposures, cells and their bounds, criteria, rates and the counts of each process."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from scipy.stats import beta

from harness.coverage import OUTSIDE_CELLS, POINT_CELLS
from harness.criteria import Criteria, Limit
from harness.evidence.ledger import RUN_FILE, VERDICT_FILE, write_json
from harness.gate import decide
from harness.records import Evidence, PrintEvent
from harness.verdict import CellCount, write_verdict
from tests.harness.builders import (
    HOME,
    INNOCENT,
    LOAD,
    OTHER,
    TARGET,
    change,
    delivery,
    describe,
    entry,
    failed,
    paper,
    planted,
    refused,
    sentences,
    sync_run,
    write_run,
    write_segment,
)

THEFT = delivery("A3", "A", paper("X"))
"""A was handed the paper of X."""
UNANSWERED = msgspec.structs.replace(failed("A3", "A", at=(300, 310)), answer="unanswered", error="no answer")
CAUGHT = planted("A", paper("X"))
APART = [
    PrintEvent(nonce="A1.1", point=point, at_ns=at_ns, slot="1")
    for point, at_ns in (("waiting", 110), ("staged", 111), ("written", 130), ("read", 140))
]
WAITS = [
    PrintEvent(nonce="A2.1", point=point, at_ns=at_ns, slot="1") for point, at_ns in (("waiting", 135), ("staged", 150))
]


def test_points_count_before_the_outside(tmp_path: Path) -> None:
    """Where the service tells its points, two prints in flight are no exposure unless one waits for the other."""
    apart = decide(write_run(tmp_path / "apart", target=[sync_run(), *APART], shows_points=True))
    assert (apart.verdict, apart.exposures) == ("INCONCLUSIVE", 0)
    together = decide(write_run(tmp_path / "together", target=[sync_run(), *APART, *WAITS], shows_points=True))
    assert (together.verdict, together.exposures) == ("PASS", 1)
    assert decide(write_run(tmp_path / "none told", shows_points=True)).verdict == "INCONCLUSIVE"


def test_prints_in_flight_where_nothing_is_synchronised(tmp_path: Path) -> None:
    """A service without sync runs is measured by pairs of prints in flight, and has no coverage cells."""
    met = decide(write_run(tmp_path / "met", target=(), synchronises=False))
    assert (met.verdict, met.exposures, met.cells, met.synchronises) == ("PASS", 1, (), False)
    assert sentences(met) == (
        "2 documents judged, 1 pair(s) of prints in flight at one instant, no misissuance, nothing undecided",
        "the self-test was not asked for",
    )
    assert met.bound.n == 1
    alone = [*INNOCENT[:5], delivery("A2", "X", paper("X"), at=(300, 400))]
    never = decide(write_run(tmp_path / "never", alone, target=(), synchronises=False))
    assert (never.verdict, never.exposures) == ("INCONCLUSIVE", 0)
    assert decide(write_run(tmp_path / "with", target=())).verdict == "INCONCLUSIVE"
    wrong = decide(write_run(tmp_path / "wrong", [*INNOCENT, THEFT], target=(), synchronises=False))
    assert (wrong.verdict, wrong.bound.events) == ("FAIL", 1)


def exposed(runs: int) -> list[Evidence]:
    """That many sync runs, each with two prints of its own in flight."""
    return [
        *(HOME, OTHER, entry("A"), entry("X")),
        *(
            delivery(f"{person}{run}", person, paper(person), at=(run * 1000 + 100, run * 1000 + 200))
            for run in range(runs)
            for person in ("A", "X")
        ),
    ]


def exact_bound(events: int, n: int, confidence: float) -> float:
    """The upper end of the interval of Clopper and Pearson."""
    return 1.0 if events == n else float(beta.ppf(confidence, events + 1, n - events))


@pytest.mark.parametrize("confidence", [0.95, 0.99])
@pytest.mark.parametrize("thefts", [0, 1, 3, 20])
def test_bound(tmp_path: Path, thefts: int, confidence: float) -> None:
    """The bound is the exact one of the exposures with a misissuance among all exposures, and so is each cell's."""
    runs = 20
    load = exposed(runs) + [
        delivery(
            f"T{run}-{number}", "B", paper("X"), at=(run * 1000 + 150 + 10 * number, run * 1000 + 155 + 10 * number)
        )
        for run in range(thefts)
        for number in range(2)  # two in one sync run are one event
    ]
    target = [sync_run(f"S{run}", run * 1000 + 120, run * 1000 + 180) for run in range(runs)]
    verdict = decide(write_run(tmp_path, load, target, criteria=Criteria(self_test=False, confidence=confidence)))
    bound = verdict.bound
    assert (bound.unit, bound.confidence) == ("exposure", confidence)
    assert (bound.n, bound.events) == (verdict.exposures, thefts) == (runs, thefts)
    assert bound.upper == pytest.approx(exact_bound(thefts, runs, confidence), rel=1e-9)
    assert len(verdict.incidents) == 2 * thefts
    cells = {(cell.phase, len(cell.states)): cell for cell in verdict.cells}
    assert len(cells) == len(verdict.cells) == len(OUTSIDE_CELLS)
    assert cells["during", 2].sync_runs == runs
    assert cells["during", 3].sync_runs == thefts
    for cell in verdict.cells:
        assert cell.misissuances == min(thefts, cell.sync_runs)
        assert cell.upper == pytest.approx(exact_bound(cell.misissuances, cell.sync_runs, confidence), rel=1e-9)
    assert verdict.cells_hit == sum(cell.sync_runs > 0 for cell in verdict.cells) < len(cells) + (thefts > 0)


def test_cells_by_points(tmp_path: Path) -> None:
    """Every cell is listed; those that were never hit with 0 and a bound of 1, for nothing tried proves nothing."""
    verdict = decide(write_run(tmp_path, target=[sync_run(), *APART, *WAITS], shows_points=True))
    assert [(cell.phase, cell.states) for cell in verdict.cells] == [(cell.phase, cell.states) for cell in POINT_CELLS]
    never = [cell for cell in verdict.cells if not cell.sync_runs]
    assert never == [
        CellCount(phase=cell.phase, states=cell.states, sync_runs=0, misissuances=0, upper=1.0) for cell in never
    ]
    assert any(cell.states == ("waiting", "written") and cell.sync_runs == 1 for cell in verdict.cells)
    assert verdict.cells_hit == len(verdict.cells) - len(never) > 0


def test_bound_without_exposure(tmp_path: Path) -> None:
    """Nothing exposed proves nothing, also where a misissuance came without any exposure."""
    verdict = decide(write_run(tmp_path, [*INNOCENT, THEFT], ()))
    assert verdict.verdict == "FAIL"
    assert (verdict.bound.n, verdict.bound.events, verdict.bound.upper) == (0, 0, 1.0)


def limited(**maximum: float) -> Criteria:
    """Maxima by metric, or by metric__kind."""
    limits = []
    for name, value in maximum.items():
        metric, _, kind = name.partition("__")
        limits.append(Limit(metric=metric, kind=kind, value=value))
    return Criteria(self_test=False, maximum=tuple(limits))


@pytest.mark.parametrize(
    ("criteria", "verdict", "reason"),
    [
        (limited(error_final=0), "FAIL", "error_final: 1, at most 0 is allowed"),
        (limited(error_final=1), "PASS", ""),
        (limited(error_final__inkan=0), "FAIL", "error_final of inkan: 1, at most 0 is allowed"),
        (limited(error_final__juminhyo=0), "PASS", ""),
        (limited(error_share__inkan=0.5), "PASS", ""),
        (limited(error_share__inkan=0.49), "FAIL", "error_share of inkan: 0.5, at most 0.49 is allowed"),
        (limited(error_share__koseki=0.5), "INCONCLUSIVE", "error_share of koseki: it never got a value"),
        (limited(p99_s__inkan=0.3), "FAIL", "p99_s of inkan: 0.5, at most 0.3 is allowed"),
        (limited(p99_s__juminhyo=0.3), "PASS", ""),
        (limited(p50_s=0.3, p99_s=0.3), "FAIL", "p99_s: 0.5, at most 0.3 is allowed"),
        (limited(may_have_printed=0), "PASS", ""),
        (limited(resends=0), "INCONCLUSIVE", "resends: it never got a value"),
    ],
)
def test_criteria(tmp_path: Path, criteria: Criteria, verdict: str, reason: str) -> None:
    """A criterion that is broken fails the run, one without a value leaves it open; one of a kind looks at its kind."""
    slow = delivery("A3", "A", paper("A", kind="inkan"), kind="inkan", at=(1000, 500_001_000))
    bad = msgspec.structs.replace(failed("A4", "X", at=(600, 700)), kind="inkan")
    load = [*INNOCENT, entry("A", kind="inkan"), slow, bad]
    decided = decide(write_run(tmp_path, load, criteria=criteria))
    assert decided.verdict == verdict
    assert len(decided.criteria) == len(criteria.maximum)
    if reason:
        (found,) = sentences(decided)
        assert found.startswith(reason)
    else:
        assert {criterion.result for criterion in decided.criteria} == {"met"}


@pytest.mark.parametrize(
    ("criteria", "planned", "verdict"),
    [
        (Criteria(self_test=False), None, "PASS"),
        (Criteria(self_test=False), 20, "PASS"),
        (Criteria(self_test=False), 21, "PASS"),
        (Criteria(self_test=False), 22, "INCONCLUSIVE"),
        (Criteria(self_test=False, minimum=(Limit(metric="rate_share", value=0.9),)), 22, "PASS"),
        (Criteria(self_test=False, minimum=(Limit(metric="rate_share", value=1),)), 21, "INCONCLUSIVE"),
        (Criteria(self_test=False, minimum=(Limit(metric="exposures", value=1),)), 22, "INCONCLUSIVE"),
    ],
)
def test_planned_rate(tmp_path: Path, criteria: Criteria, planned: int | None, verdict: str) -> None:
    """Whoever plans arrivals gets no PASS below 0.95 of them, unless another share was asked for."""
    runs = [sync_run(f"S{number}", number * 1000 + 120, number * 1000 + 180) for number in range(10)]
    decided = decide(write_run(tmp_path, exposed(10), runs, criteria=criteria, planned_prints=planned))
    assert decided.verdict == verdict
    assert decided.rate_share == (None if planned is None else 20 / planned)
    assert (decided.late_starts is None) == (planned is None)


def test_late_starts(tmp_path: Path) -> None:
    """What was sent more than 10 ms after its intended start is counted, and its latency begins with that."""
    late = [
        msgspec.structs.replace(print_, sent_ns=1_000_000_000, answered_ns=1_100_000_000, intended_ns=intended_ns)
        for print_, intended_ns in ((INNOCENT[4], 600_000_000), (INNOCENT[5], 990_000_000))
    ]
    run = sync_run(begin_ns=1_000_000_000, end_ns=1_050_000_000)
    verdict = decide(write_run(tmp_path, (*INNOCENT[:4], *late), [run], planned_prints=2))
    assert verdict.late_starts == 1
    assert (verdict.latency.p50_s, verdict.latency.p99_s) == (0.11, 0.5)


def test_another_freshness_limit(tmp_path: Path) -> None:
    """Deciding again with another freshness limit judges anew, from the very same ledger."""
    load = [
        *INNOCENT,
        change(2, sent_ns=90),
        delivery("A3", "A", paper("A"), at=(1_000_000_180, 1_000_000_190)),
    ]
    directory = write_run(tmp_path, load, [sync_run(applied=[("G1", 2)])])
    assert decide(directory).outcomes["stale"] == 1
    for limit_s, verdict in ((1.0, "PASS"), (0.999, "FAIL"), (0.0, "FAIL")):
        decided = decide(directory, criteria=Criteria(self_test=False, freshness_limit_s=limit_s))
        assert decided.verdict == verdict
    lenient = write_run(
        tmp_path / "lenient",
        load,
        [sync_run(applied=[("G1", 2)])],
        criteria=Criteria(self_test=False, freshness_limit_s=1.0),
    )
    assert decide(lenient).verdict == "PASS"
    assert decide(lenient, criteria=Criteria(self_test=False)).verdict == "FAIL"


def test_planted_print_counts_nowhere(tmp_path: Path) -> None:
    """Beside that it was caught, the self-test changes nothing in the verdict."""
    without = decide(write_run(tmp_path / "without", criteria=Criteria()))
    with_it = decide(write_run(tmp_path / "with", (*INNOCENT, *CAUGHT), criteria=Criteria()))
    assert without.processes[LOAD].self_test == "none"
    assert with_it.processes[LOAD].self_test == "caught"
    same = {"processes": {}, "verdict": "PASS", "exit_code": 0, "reasons": ()}
    assert msgspec.structs.replace(with_it, **same) == msgspec.structs.replace(without, **same)


def test_processes(tmp_path: Path) -> None:
    """Issued = judged + failed + in flight, for each load process and in total; a self-test is asked of each."""
    write_run(tmp_path, (*INNOCENT, *CAUGHT, refused("A3", "A", at=(300, 310)), failed("A4", "A", at=(320, 330))))
    second = [
        entry("B"),
        delivery("B1", "B", paper("B"), at=(340, 350)),
        msgspec.structs.replace(UNANSWERED, application="B2", sent_ns=360, answered_ns=370),
        *planted("B", paper("B"), segment="load-2"),
    ]
    write_segment(tmp_path, "load-2", second, issued=5)
    write_segment(tmp_path, "load-3", [])
    write_json(
        tmp_path / RUN_FILE, describe(segments=(TARGET, LOAD, "load-2", "load-3"), criteria=Criteria(confidence=0.9))
    )
    verdict = decide(tmp_path)
    told = {
        name: (count.issued, count.judged, count.failed, count.in_flight_at_stop, count.self_test)
        for name, count in verdict.processes.items()
    }
    assert told == {
        LOAD: (4, 3, 1, 0, "caught"),
        "load-2": (5, 1, 1, 3, "missed"),
        "load-3": (0, 0, 0, 0, "none"),
    }
    for count in verdict.processes.values():
        assert count.issued == count.judged + count.failed + count.in_flight_at_stop
    assert (verdict.in_flight_at_stop, verdict.may_have_printed, verdict.prints_judged) == (3, 1, 3)
    assert "self-test: the wrong image planted in load-2 was not told from a right one" in sentences(verdict)
    assert not any("load-3" in reason for reason in sentences(verdict))


@pytest.mark.parametrize(("times", "number"), [(1, 0), (2, 1)])
def test_resends(tmp_path: Path, times: int, number: int) -> None:
    """What the client sent more than once is told where the service tells its points, and unknown where it does not."""
    applied = [PrintEvent(nonce="A1.1", point="applied", at_ns=105 + count) for count in range(times)]
    verdict = decide(write_run(tmp_path / "in", target=[sync_run(), *APART, *WAITS, *applied], shows_points=True))
    assert (verdict.verdict, verdict.resends) == ("PASS", number)
    assert decide(write_run(tmp_path / "out", target=[sync_run(), *applied])).resends is None


@pytest.mark.parametrize("points", [True, False])
def test_in_another_process(tmp_path: Path, points: bool) -> None:
    """Whoever decides again in a process of his own writes the very same file, however that process hashes texts."""
    runs = [sync_run(f"S{run}", run * 1000 + 120, run * 1000 + 180) for run in range(9)]
    at_once = [
        PrintEvent(nonce=f"{person}{run}.1", point=point, at_ns=run * 1000 + 130, slot=f"slot {run % 3}")
        for run in range(9)
        for person, points_of in (("A", ("written", "read")), ("X", ("waiting", "staged")))
        for point in points_of
    ]
    errors = [failed("E1", "B", at=(8150, 8160)), failed("E2", "A", at=(9300, 9310)), INNOCENT[4], THEFT]
    directory = write_run(tmp_path / "run", [*exposed(9), *errors], [*runs, *at_once], shows_points=points)
    verdict = decide(directory)
    assert verdict.exposures == 9
    write_verdict(directory, verdict)
    expected = (directory / VERDICT_FILE).read_bytes()
    program = (
        "import sys; from pathlib import Path; from harness.gate import decide; "
        "from harness.verdict import write_verdict; "
        "directory = Path(sys.argv[1]); write_verdict(directory, decide(directory))"
    )
    for seed in ("1", "2"):
        (directory / VERDICT_FILE).unlink()
        subprocess.run(
            [sys.executable, "-c", program, str(directory)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            timeout=60,
        )
        assert (directory / VERDICT_FILE).read_bytes() == expected
