"""From evidence to a verdict: PASS is said of whole and exposed runs only, and nothing else is ever taken for one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import harness.gate
from harness.bound import upper_bound
from harness.gate import EXIT_DIED, Verdict, decide, write_verdict
from harness.ledger import VERDICT_FILE, LedgerError, segment_path
from harness.oracle import Judgement
from harness.outcome import Outcome
from harness.records import ErrorNotice, Evidence, Print, PrintEvent
from tests.harness.builders import (
    HOME,
    INNOCENT,
    LOAD,
    OTHER,
    TARGET,
    change,
    delivery,
    entry,
    failed,
    mark,
    paper,
    strict,
    sync_run,
    write_run,
)

NUMBER = ("my_number",)
MISISSUES = [outcome for outcome in Outcome if outcome.is_misissue]
THEFT = delivery("A3", "A", paper("X"))
"""A was handed the paper of X."""


def test_pass(tmp_path: Path) -> None:
    """Whole evidence, judged documents, an exposure and no misissuance make a PASS, which says what it rests on."""
    verdict = decide(write_run(tmp_path))
    assert (verdict.verdict, verdict.exit_code) == ("PASS", 0)
    assert verdict.reasons == ("2 documents judged, 1 exposures, no misissuance, nothing undecided",)
    assert {name: number for name, number in verdict.outcomes.items() if number} == {"ok": 2}
    assert verdict.incidents == ()


@pytest.mark.parametrize("outcome", MISISSUES)
def test_every_misissue_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    """One print of any misissue outcome makes the verdict FAIL."""

    def judge(print_: Print, _: object) -> Judgement:
        return Judgement(outcome=outcome if print_.application == "A1" else Outcome.OK)

    monkeypatch.setattr(harness.gate, "judge", judge)
    verdict = decide(write_run(tmp_path))
    assert (verdict.verdict, verdict.exit_code) == ("FAIL", 1)
    assert verdict.reasons == (f"1 print(s) ended as {outcome}",)
    assert verdict.outcomes[outcome] == 1
    assert [incident.nonce for incident in verdict.incidents] == ["A1.1"]


@pytest.mark.parametrize(
    ("print_", "outcome"),
    [
        (THEFT, "wrong_person"),
        (delivery("A3", "A", b"?", marks=(mark("A"), mark("X", page=2))), "mixed"),
        (delivery("A3", "A", b"?", marks=(mark("A", options=NUMBER),)), "over_disclosed"),
        (delivery("A3", "A", paper("A"), at=(190, 200)), "stale"),
        (delivery("A3", "A", paper("A"), kind="inkan"), "wrong_kind"),
        (delivery("A3", "A", b""), "torn"),
        (delivery("A3", "B", paper("A")), "misdelivered"),
    ],
)
def test_fail_from_the_ledger(tmp_path: Path, print_: Print, outcome: str) -> None:
    """Every misissue that the oracle can prove makes the verdict FAIL, from the ledger alone."""
    load = [*INNOCENT, print_, change(2, sent_ns=90)]
    verdict = decide(write_run(tmp_path, load, [sync_run(applied=[("G1", 2)])]))
    assert (verdict.verdict, verdict.exit_code) == ("FAIL", 1)
    assert verdict.outcomes[outcome] == 1
    assert verdict.papers == 1


def cut(directory: Path) -> None:
    path = segment_path(directory, LOAD)
    path.write_bytes(path.read_bytes()[:-30])


def flip(directory: Path) -> None:
    path = segment_path(directory, TARGET)
    path.write_bytes(path.read_bytes().replace(b'"begin_ns":120', b'"begin_ns":121'))


def lose(directory: Path) -> None:
    segment_path(directory, TARGET).unlink()


@pytest.mark.parametrize(
    ("load", "target", "fields", "reason"),
    [
        pytest.param((*INNOCENT, delivery("A3", "A", b"?")), None, {}, "1 print(s) could not be decided", id="unknown"),
        pytest.param(
            (*INNOCENT, entry("A", version=2), delivery("A3", "A", paper("A", version=2))),
            None,
            {},
            "1 print(s) could not be decided",
            id="version that no change makes",
        ),
        pytest.param(
            (HOME, failed("A1", "A"), failed("A2", "B")), None, {}, "no whole document was judged", id="errors only"
        ),
        pytest.param((HOME,), None, {}, "no whole document was judged", id="nothing"),
        pytest.param(None, (), {}, "no exposure", id="no sync run"),
        pytest.param(None, (sync_run(begin_ns=201, end_ns=300),), {}, "no exposure", id="sync run too late"),
        pytest.param((HOME, entry("A"), INNOCENT[4]), None, {}, "no exposure", id="one print alone"),
        pytest.param(None, None, {"faults": ("a listener threw",)}, "evidence: a listener threw", id="fault"),
        pytest.param(None, None, {"ended": None}, "evidence: the run did not end", id="killed"),
        pytest.param(None, None, {"ended": "interrupted"}, "evidence: the run was interrupted", id="interrupted"),
        pytest.param(None, None, {"issued": 3}, "1 print(s) were still in flight", id="in flight"),
        pytest.param(None, None, {"issued": 1}, "evidence: more prints are on record", id="uncounted"),
        pytest.param((*INNOCENT, INNOCENT[4]), None, {}, "on record twice", id="twice"),
        pytest.param(None, None, {"clocks": ("a", "b")}, "evidence: the segments have different clocks", id="clocks"),
        pytest.param(
            None, None, {"segments": (LOAD, TARGET, "load-2")}, "evidence: segment load-2 cannot be read", id="lost"
        ),
    ],
)
def test_inconclusive(
    tmp_path: Path,
    load: tuple[Evidence, ...] | None,
    target: tuple[Evidence, ...] | None,
    fields: dict[str, Any],
    reason: str,
) -> None:
    """A run with no misissuance of which something is unknown is INCONCLUSIVE, for exactly that reason."""
    directory = write_run(
        tmp_path,
        INNOCENT if load is None else load,
        (sync_run(),) if target is None else target,
        **fields,
    )
    verdict = decide(directory)
    assert (verdict.verdict, verdict.exit_code) == ("INCONCLUSIVE", 3)
    assert any(reason in found for found in verdict.reasons)


@pytest.mark.parametrize("damage", [cut, flip, lose])
@pytest.mark.parametrize(("load", "expected"), [(INNOCENT, "INCONCLUSIVE"), ((THEFT, *INNOCENT), "FAIL")])
def test_damage(tmp_path: Path, damage: Callable[[Path], None], load: tuple[Evidence, ...], expected: str) -> None:
    """Damaged evidence can prove no innocence, but what it still proves stands: FAIL stays FAIL."""
    damage(write_run(tmp_path, load))
    verdict = decide(tmp_path)
    assert verdict.verdict == expected
    assert any(reason.startswith("evidence: segment") for reason in verdict.reasons)


def test_points_count_before_the_outside(tmp_path: Path) -> None:
    """Where the service tells its points, two prints in flight are no exposure unless one waits for the other."""
    apart = [
        PrintEvent(nonce="A1.1", point=point, at_ns=at_ns, slot="1")
        for point, at_ns in (("waiting", 110), ("staged", 111), ("written", 130), ("read", 140))
    ]
    assert (
        decide(write_run(tmp_path / "apart", target=[sync_run(), *apart], shows_points=True)).verdict == "INCONCLUSIVE"
    )
    waits = [
        PrintEvent(nonce="A2.1", point=point, at_ns=at_ns, slot="1")
        for point, at_ns in (("waiting", 135), ("staged", 150))
    ]
    verdict = decide(write_run(tmp_path / "together", target=[sync_run(), *apart, *waits], shows_points=True))
    assert (verdict.verdict, verdict.exposures) == ("PASS", 1)
    assert decide(write_run(tmp_path / "none told", shows_points=True)).verdict == "INCONCLUSIVE"


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
    decided = decide(write_run(tmp_path, load, issued=issued, died="the target died after 1.0 s"))
    assert (decided.verdict, decided.exit_code) == (verdict, exit_code)
    assert "the target died after 1.0 s" in decided.reasons


def test_exit_codes() -> None:
    """The exit codes are the documented ones."""
    assert harness.gate.EXIT_CODES == {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
    assert (harness.gate.EXIT_USAGE, EXIT_DIED) == (2, 4)


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(None, "PASS"), (0.5, "PASS"), (0.49, "FAIL"), (0.0, "FAIL")],
)
def test_error_share(tmp_path: Path, share: float | None, verdict: str) -> None:
    """Errors, mended ones too, fail a run only above the share of applications that was allowed."""
    load = [
        *INNOCENT,
        failed("A3", "A", at=(300, 310)),
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


@pytest.mark.parametrize("thefts", [0, 1, 3])
def test_bound(tmp_path: Path, thefts: int) -> None:
    """The bound is that of the exposures with a misissuance among all exposures."""
    runs = 20
    load = exposed(runs) + [
        delivery(f"T{run}-{number}", "A", paper("X"), at=(run * 1000 + 150, run * 1000 + 160))
        for run in range(thefts)
        for number in range(2)  # two in one sync run are one event
    ]
    target = [sync_run(f"S{run}", run * 1000 + 120, run * 1000 + 180) for run in range(runs)]
    verdict = decide(write_run(tmp_path, load, target))
    bound = verdict.bound
    assert (bound.unit, bound.confidence) == ("exposure", 0.95)
    assert (bound.n, bound.events) == (verdict.exposures, thefts) == (runs, thefts)
    assert bound.upper == upper_bound(thefts, runs, 0.95)


def test_bound_without_exposure(tmp_path: Path) -> None:
    """Nothing exposed proves nothing, also where a misissuance came without any exposure."""
    verdict = decide(write_run(tmp_path, [*INNOCENT, THEFT], ()))
    assert verdict.verdict == "FAIL"
    assert (verdict.bound.n, verdict.bound.events, verdict.bound.upper) == (0, 0, 1.0)


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
