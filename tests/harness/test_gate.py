"""From evidence to a verdict: PASS is said of whole and exposed runs only, and nothing else is ever taken for one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import harness.gate
from harness.criteria import Criteria, Limit
from harness.evidence.ledger import VERDICT_FILE, LedgerError, Report, segment_path
from harness.gate import decide
from harness.outcome import Outcome
from harness.records import ErrorNotice, Evidence, Fault, Refusal
from harness.verdict import EXIT_DIED, Verdict, write_verdict
from tests.harness.builders import (
    HOME,
    INNOCENT,
    LOAD,
    OTHER,
    TARGET,
    change,
    delivery,
    ended,
    entry,
    failed,
    mark,
    paper,
    planted,
    sentences,
    strict,
    sync_run,
    write_run,
)

NUMBER = ("my_number",)
MISISSUES = [outcome for outcome in Outcome if outcome.is_misissue]
THEFT = delivery("A3", "A", paper("X"))
"""A was handed the paper of X."""
NOTHING = msgspec.structs.replace(failed("A3", "A"), answer="nothing", error="no image")
CAUGHT = planted("A", paper("X"))
MISSED = planted("A", paper("A"))


def hit(outcomes: Mapping[str, int]) -> dict[str, int]:
    """The outcomes that there were."""
    return {name: number for name, number in outcomes.items() if number}


def test_pass(tmp_path: Path) -> None:
    """Whole evidence, judged documents, an exposure and no misissuance make a PASS, which says what it rests on."""
    verdict = decide(write_run(tmp_path, (*INNOCENT, *CAUGHT), criteria=Criteria()))
    assert (verdict.verdict, verdict.exit_code) == ("PASS", 0)
    assert sentences(verdict) == (
        "2 documents judged, 1 exposures, 6 of 9 coverage cells, no misissuance, nothing undecided",
    )
    assert hit(verdict.outcomes) == {"ok": 2}
    assert (verdict.incidents, verdict.retried_errors, verdict.criteria) == ((), (), ())


def test_pass_without_self_test(tmp_path: Path) -> None:
    """Where the self-test was not asked for, the PASS itself says so."""
    assert sentences(decide(write_run(tmp_path)))[1:] == ("the self-test was not asked for",)


TWICE = delivery("A1", "A", paper("A"), attempt=2, at=(150, 160))
REFUSES = msgspec.structs.replace(HOME, refusals=(Refusal(applicant="A", reason="protected"),))
MISISSUED: list[tuple[tuple[Evidence, ...], str]] = [
    ((THEFT,), "wrong_person"),
    ((delivery("A3", "A", b"?", marks=(mark("A"), mark("X", page=2))),), "mixed"),
    ((delivery("A3", "A", b"?", marks=(mark("A", options=NUMBER),)),), "over_disclosed"),
    ((delivery("A3", "A", paper("A"), at=(190, 200)),), "stale"),
    ((delivery("A3", "A", paper("A"), kind="inkan"),), "wrong_kind"),
    ((delivery("A3", "A", b""),), "torn"),
    ((delivery("A3", "B", paper("A")),), "misdelivered"),
    ((TWICE,), "duplicate"),
    ((NOTHING,), "lost"),
    ((REFUSES, delivery("A3", "A", paper("A"), at=(10, 20))), "should_refuse"),
]


@pytest.mark.parametrize(("load", "outcome"), MISISSUED, ids=[outcome for _, outcome in MISISSUED])
def test_fail_from_the_ledger(tmp_path: Path, load: tuple[Evidence, ...], outcome: str) -> None:
    """Every misissue makes the verdict FAIL and an incident, from the ledger alone."""
    target = [sync_run(applied=[("G1", 2)])]
    verdict = decide(write_run(tmp_path, [*INNOCENT, change(2, sent_ns=90), *load], target))
    assert (verdict.verdict, verdict.exit_code) == ("FAIL", 1)
    assert f"1 print(s) ended as {outcome}" in sentences(verdict)
    assert verdict.outcomes[outcome] == 1
    told = [incident for incident in verdict.incidents if incident.outcome == outcome]
    assert len(told) == 1
    assert verdict.papers == len(verdict.incidents) - (outcome == "lost")


def test_every_misissue_has_its_row() -> None:
    """No misissue is left without a proof that it fails a run."""
    assert {outcome for _, outcome in MISISSUED} == set(MISISSUES)


def cut(directory: Path) -> None:
    path = segment_path(directory, LOAD)
    path.write_bytes(path.read_bytes()[:-30])


def flip(directory: Path) -> None:
    path = segment_path(directory, TARGET)
    path.write_bytes(path.read_bytes().replace(b'"begin_ns":120', b'"begin_ns":121'))


def lose(directory: Path) -> None:
    segment_path(directory, TARGET).unlink()


ONE_REASON: dict[str, tuple[tuple[Evidence, ...], tuple[Evidence, ...] | None, dict[str, Any], str]] = {
    "unknown bytes": (
        (*INNOCENT, delivery("A3", "A", b"?", at=(300, 310))),
        None,
        {},
        "1 print(s) could not be decided",
    ),
    "version that no change makes": (
        (*INNOCENT, entry("A", version=2), delivery("A3", "A", paper("A", version=2), at=(300, 310))),
        None,
        {},
        "1 print(s) could not be decided",
    ),
    "no sync run": (INNOCENT, (), {}, "no exposure"),
    "sync run too late": (INNOCENT, (sync_run(begin_ns=201, end_ns=300),), {}, "no exposure"),
    "sync run told twice": (
        INNOCENT,
        (sync_run(), sync_run()),
        {},
        "evidence: 1 sync run(s) are on record more than once, such as S1",
    ),
    "one answer alone": (
        (*INNOCENT[:-1], ended("unanswered", "A2", "X")),
        None,
        {},
        "no exposure",
    ),
    "one answer alone, without sync runs": (
        (*INNOCENT[:-1], ended("unanswered", "A2", "X")),
        (),
        {"synchronises": False},
        "no exposure",
    ),
    "one print alone": ((HOME, entry("A"), INNOCENT[4]), None, {}, "no exposure"),
    "errors only": ((HOME, failed("A1", "A"), failed("A2", "X")), None, {}, "no whole document was judged"),
    "in flight": (INNOCENT, None, {"issued": 3}, "1 print(s) were still in flight at the stop"),
    "killed": (INNOCENT, None, {"ended": None}, "evidence: the run did not end"),
    "interrupted": (INNOCENT, None, {"ended": "interrupted"}, "evidence: the run was interrupted"),
    "stopped": (INNOCENT, None, {"ended": "stopped"}, "evidence: the run was stopped at its first misissuance"),
    "fault of the owner": (INNOCENT, None, {"faults": ("a listener threw",)}, "evidence: a listener threw"),
    "fault of a process": ((*INNOCENT, Fault(text="it threw")), None, {}, "evidence: load-1: it threw"),
    "fault of the target's segment": (INNOCENT, (sync_run(), Fault(text="it threw")), {}, "evidence: target: it threw"),
    "uncounted": (INNOCENT, None, {"issued": 1}, "evidence: segment load-1 has 2 prints, but 1 were sent"),
    "segment lost": (INNOCENT, None, {"segments": (LOAD, TARGET, "load-2")}, "evidence: segment load-2 cannot be read"),
    "batch lost": (
        INNOCENT,
        None,
        {"reports": {LOAD: Report(batch=9, issued=2)}},
        "evidence: segment load-1 ends with batch",
    ),
    "another run's": (INNOCENT, None, {"run": "run-2"}, "evidence: segment"),
    "clock that cannot be placed": (INNOCENT, None, {"clocks": ("other", "monotonic")}, "evidence: segment load-1 has"),
    "one checksum of two documents": (
        (*INNOCENT, msgspec.structs.replace(entry("A"), version=7)),
        None,
        {},
        "evidence: documents",
    ),
    "one identity of two users": (
        (*INNOCENT, delivery("A3", "A", paper("A"), at=(110, 120))),
        None,
        {},
        "evidence: two users had one identity",
    ),
    "self-test missed": ((*INNOCENT, *MISSED), None, {"criteria": Criteria()}, "self-test: the wrong image planted in"),
    "no self-test": (INNOCENT, None, {"criteria": Criteria()}, "self-test: no wrong image was planted in load-1"),
    "too few exposures": (
        INNOCENT,
        None,
        {"criteria": Criteria(self_test=False, minimum=(Limit(metric="exposures", value=2),))},
        "exposures: 1, at least 2 is required",
    ),
    "too weak a bound": (
        INNOCENT,
        None,
        {"criteria": Criteria(self_test=False, maximum=(Limit(metric="bound", value=0.5),))},
        "bound: 0.95",
    ),
    "a value that never came": (
        INNOCENT,
        None,
        {"criteria": Criteria(self_test=False, maximum=(Limit(metric="p95_s", kind="inkan", value=9),))},
        "p95_s of inkan: it never got a value, at most 9 is allowed",
    ),
    "rate not kept": (
        INNOCENT,
        None,
        {"planned_prints": 3},
        "rate_share: 0.6666666666666666, at least 0.95 is required",
    ),
    "nothing planned": (INNOCENT, None, {"planned_prints": 0}, "rate_share: it never got a value"),
}


@pytest.mark.parametrize("case", ONE_REASON)
def test_inconclusive(tmp_path: Path, case: str) -> None:
    """A run with no misissuance of which one thing is unknown is INCONCLUSIVE, for that reason and no other."""
    load, target, fields, reason = ONE_REASON[case]
    verdict = decide(write_run(tmp_path, load, (sync_run(),) if target is None else target, **fields))
    assert (verdict.verdict, verdict.exit_code) == ("INCONCLUSIVE", 3)
    # Where no time of the load compares, nothing of it can have met a sync run either.
    reasons = (reason, "no exposure") if case == "clock that cannot be placed" else (reason,)
    assert all(found.startswith(reasons) for found in sentences(verdict)), sentences(verdict)
    assert verdict.incidents == ()


@pytest.mark.parametrize("case", ONE_REASON)
def test_a_misissuance_outranks_all(tmp_path: Path, case: str) -> None:
    """FAIL stays FAIL whatever else speaks against the run, and the reasons against the evidence are told with it."""
    load, target, fields, reason = ONE_REASON[case]
    theft = delivery("A9", "X", paper("X", options=NUMBER), at=(400, 410))
    evidence = (OTHER, entry("X", options=NUMBER), *load, theft)
    if fields.get("issued"):
        fields = fields | {"issued": fields["issued"] + 1}
    verdict = decide(write_run(tmp_path, evidence, (sync_run(),) if target is None else target, **fields))
    assert (verdict.verdict, verdict.exit_code) == ("FAIL", 1)
    assert sentences(verdict)[0] == "1 print(s) ended as over_disclosed"
    if case not in {"errors only", "rate not kept", "too weak a bound", "uncounted"}:
        assert any(found.startswith(reason) for found in sentences(verdict))


def test_a_segment_that_is_not_listed(tmp_path: Path) -> None:
    """A segment that run.json does not list is not read, and is told of."""
    verdict = decide(write_run(tmp_path, segments=(LOAD,)))
    assert verdict.verdict == "INCONCLUSIVE"
    assert "evidence: segment target is not listed in run.json" in sentences(verdict)


def test_nothing_at_all(tmp_path: Path) -> None:
    """A run in which nobody applied says that nothing was judged and nothing met."""
    verdict = decide(write_run(tmp_path, (HOME,)))
    assert (verdict.verdict, verdict.exit_code) == ("INCONCLUSIVE", 3)
    assert sentences(verdict) == (
        "no whole document was judged",
        "no exposure: the condition that the run is made to provoke never occurred",
    )
    assert sum(verdict.outcomes.values()) == 0


def test_on_record_twice(tmp_path: Path) -> None:
    """An attempt that is on record twice is a fault of the harness, and no second paper of the service."""
    verdict = decide(write_run(tmp_path, (*INNOCENT, INNOCENT[4])))
    assert (verdict.verdict, verdict.exit_code) == ("INCONCLUSIVE", 3)
    assert "evidence: 1 attempt(s) are on record more than once, such as A1.1" in sentences(verdict)


@pytest.mark.parametrize("damage", [cut, flip, lose])
@pytest.mark.parametrize(("load", "expected"), [(INNOCENT, "INCONCLUSIVE"), ((THEFT, *INNOCENT), "FAIL")])
def test_damage(tmp_path: Path, damage: Callable[[Path], None], load: tuple[Evidence, ...], expected: str) -> None:
    """Damaged evidence can prove no innocence, but what it still proves stands: FAIL stays FAIL."""
    damage(write_run(tmp_path, load))
    verdict = decide(tmp_path)
    assert verdict.verdict == expected
    assert any(reason.startswith("evidence: segment") for reason in sentences(verdict))


@pytest.mark.parametrize(
    ("load", "issued", "verdict", "exit_code"),
    [
        (INNOCENT, 2, "INCONCLUSIVE", EXIT_DIED),
        (INNOCENT, 3, "INCONCLUSIVE", EXIT_DIED),
        ((*INNOCENT, THEFT), 3, "FAIL", 1),
    ],
)
def test_died(tmp_path: Path, load: tuple[Evidence, ...], issued: int, verdict: str, exit_code: int) -> None:
    """A run whose target died ends with 4, and with 1 where a misissuance is on record."""
    died = "the target died after 1.0 s"
    decided = decide(write_run(tmp_path, load, issued=issued, died=died, faults=("a worker is gone",)))
    assert (decided.verdict, decided.exit_code) == (verdict, exit_code)
    assert {died, "evidence: a worker is gone"} <= set(sentences(decided))


def test_exit_codes() -> None:
    """The exit codes are the documented ones."""
    assert harness.verdict.EXIT_CODES == {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
    assert (harness.verdict.EXIT_USAGE, EXIT_DIED) == (2, 4)


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(None, "PASS"), (0.5, "PASS"), (0.49, "FAIL"), (0.0, "FAIL")],
)
def test_error_share(tmp_path: Path, share: float | None, verdict: str) -> None:
    """Errors, mended ones too, fail a run only above the share of applications that was allowed."""
    load = [
        *INNOCENT,
        failed("A3", "A", at=(340, 350)),
        failed("A4", "A", at=(300, 310)),
        delivery("A4", "A", paper("A"), attempt=2, at=(320, 330)),
    ]
    fields: dict[str, Any] = {} if share is None else {"criteria": strict(share)}
    decided = decide(write_run(tmp_path, load, **fields))
    assert decided.verdict == verdict
    assert (decided.outcomes["error_final"], decided.outcomes["error_retried_ok"]) == (1, 1)


def test_one_attempt_hides_no_other(tmp_path: Path) -> None:
    """A misissued attempt counts, whatever other end of the same attempt is on record beside it."""
    theft = delivery("A1", "A", paper("X"))
    for number, order in enumerate(((*INNOCENT, theft), (theft, *INNOCENT))):
        verdict = decide(write_run(tmp_path / str(number), order))
        assert verdict.verdict == "FAIL"
        assert verdict.outcomes["wrong_person"] == 1
        assert len(verdict.incidents) == 1


def test_numbers(tmp_path: Path) -> None:
    """Papers, persons, My Numbers, notices and prints are counted each by its own rule."""
    load = [
        *INNOCENT,
        entry("X", options=NUMBER),
        THEFT,
        delivery("A4", "B", paper("X", options=NUMBER)),
        delivery("A5", "A", b""),
        failed("A6", "A"),
    ]
    notices = [ErrorNotice(nonce="A6.1", code="E", at_ns=200)]
    verdict = decide(write_run(tmp_path, load, [sync_run(), sync_run("S2", 500, 600), *notices], issued=7))
    assert (verdict.papers, verdict.persons, verdict.with_my_number) == (3, 1, 1)
    assert (verdict.prints_judged, verdict.error_notices, verdict.in_flight_at_stop) == (5, 1, 1)
    assert (verdict.sync_runs, verdict.sync_runs_met, verdict.exposures) == (2, 1, 1)
    assert sum(verdict.outcomes.values()) == 6


def test_sync_run_that_cannot_be_placed(tmp_path: Path) -> None:
    """Of which no instant is certain it takes part in no exposure; what it acknowledges holds all the same."""
    load: list[Evidence] = [HOME, entry("A"), change(2, sent_ns=5)]
    load += [delivery(name, "A", paper("A")) for name in ("A1", "A2")]
    placed = sync_run(begin_ns=100, end_ns=150, applied=[("G1", 2)])
    unplaced = msgspec.structs.replace(placed, is_unplaced=True, acknowledged_ns=99)
    verdict = decide(write_run(tmp_path / "run", load, target=(unplaced,)))
    assert (verdict.exposures, verdict.sync_runs, verdict.cells_hit) == (0, 0, 0)
    assert verdict.outcomes["stale"] == 2
    assert decide(write_run(tmp_path / "other", load, target=(placed,))).exposures == 1


def test_verdict_file(tmp_path: Path) -> None:
    """verdict.json holds every documented key, those of an incident that met nothing included."""
    verdict = decide(write_run(tmp_path, [HOME, OTHER, entry("X"), THEFT], (), parameters={"users": 5}))
    write_verdict(tmp_path, verdict)
    told = msgspec.json.decode((tmp_path / VERDICT_FILE).read_bytes())
    assert set(told) >= {
        "verdict",
        "reasons",
        "outcomes",
        "papers",
        "persons",
        "with_my_number",
        "prints_judged",
        "exposures",
        "bound",
        "incidents",
        "target",
        "profile",
        "seed",
    }
    assert set(told["outcomes"]) == {outcome.value for outcome in Outcome}
    assert set(told["bound"]) == {"confidence", "unit", "n", "events", "upper"}
    assert (told["verdict"], told["profile"], told["target"], told["seed"]) == ("FAIL", "test", "stub", 1)
    assert told["parameters"] == {"users": 5}
    (incident,) = told["incidents"]
    assert incident["recipient"] == "A"
    assert incident["owners"] == ["X"]
    assert incident["kind"] == "juminhyo"
    assert (incident["sync_run"], incident["neighbours"]) == ("", [])
    assert msgspec.convert(told, Verdict) == verdict


def test_no_run(tmp_path: Path) -> None:
    """There is no verdict on a directory that holds no run."""
    with pytest.raises(LedgerError, match="is no run directory"):
        decide(tmp_path)
