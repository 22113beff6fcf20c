"""The main job, end to end: the program of the release fails, its fixed twin passes, and the gate agrees."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.evidence.ledger import INCIDENT_DIRECTORY, TARGET_SEGMENT, segment_path
from harness.evidence.segment import SegmentReader
from harness.records import Print, PrintEvent
from harness.report.pictures import draw_incident
from targets.municipal.certificates import read_marks
from tests.e2e.conftest import PROFILE, SHORT_PLAN, Command, read_verdict
from tests.e2e.reports import check_report

pytestmark = pytest.mark.timeout(180)


def _overwriter(incident: dict[str, Any], prints: Mapping[str, Print], events: Sequence[PrintEvent]) -> Print:
    """By the AP server's own events: whose print was the last to be written before the recipient's image was read."""
    (read,) = [event for event in events if event.nonce == incident["nonce"] and event.point == "read"]
    written = [e for e in events if e.point == "written" and e.slot == read.slot and e.at_ns < read.at_ns]
    return prints[max(written, key=lambda event: event.at_ns).nonce]


_DRAWN = 10
"""So many incidents are drawn, masked and not: every one of them would take longer than the run."""


def _check_incidents(directory: Path) -> None:
    """Each names the true owner, and has what would have been right beside it."""
    prints = {r.nonce: r for r in SegmentReader(segment_path(directory, "load-1")) if isinstance(r, Print)}
    events = [r for r in SegmentReader(segment_path(directory, TARGET_SEGMENT)) if isinstance(r, PrintEvent)]
    for incident in read_verdict(directory)["incidents"]:
        writer = _overwriter(incident, prints, events)
        assert writer.applicant in incident["owners"]
        assert writer.kind == incident["delivered_kind"]
        assert incident["recipient"] not in incident["owners"]
        assert incident["sync_run"]
        right = (directory / INCIDENT_DIRECTORY / f"{incident['nonce']}.right.document").read_bytes()
        asked = incident["kind"], tuple(incident["options"])
        for mark in read_marks(right):
            assert incident["recipient"] in mark.persons
            assert (mark.kind, mark.options) == asked
        if incident["donor"]:
            assert incident["donor"] == writer.nonce
            assert incident["cause"] == "spurious_release"


def _check_failing_run(directory: Path) -> None:
    """As the incidents of 2023 were: not one but many, found by their cause, and hidden behind errors."""
    verdict = read_verdict(directory)
    assert verdict["verdict"] == "FAIL"
    assert len(verdict["incidents"]) >= 3
    assert verdict["exposures"] >= 30
    _check_incidents(directory)
    for incident in verdict["incidents"][:_DRAWN]:
        for reveal in (False, True):
            pair = draw_incident(directory, incident["nonce"], reveal=reveal)
            assert pair.delivered.marks
            assert len({pair.delivered.data_uri, pair.right.data_uri, ""}) == 3, "two pictures that differ"
    diagnosed = sum(bool(incident["donor"]) for incident in verdict["incidents"])
    print(f"{diagnosed} of {len(verdict['incidents'])} incidents diagnosed")
    assert diagnosed >= 0.9 * len(verdict["incidents"])
    noticed = {
        neighbour["nonce"]
        for incident in verdict["incidents"]
        for neighbour in incident["neighbours"]
        if neighbour.get("notice") == "image_missing" and neighbour["outcome"] == "error_retried_ok"
    }
    assert noticed, "no error notice beside an incident ended in a normal re-application"


def test_the_program_of_the_release_fails_and_every_incident_names_the_true_owner(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    """The seed build ends in FAIL, exit code 1; verdict and report agree with the deployment's own events."""
    run = start("harness", "verify", "april30", "--out", "run", "--", *SHORT_PLAN, "14")
    assert run.wait() == 1, run.stderr
    _check_failing_run(tmp_path / "run")
    assert "FAIL" in run.stdout
    verdict = read_verdict(tmp_path / "run")
    assert verdict["incidents"][0]["recipient"] in run.stdout
    check_report(tmp_path / "run", verdict)
    assert not run.left_behind()


def test_the_fixed_program_passes_with_nothing_but_ok(start: Callable[..., Command], tmp_path: Path) -> None:
    """The fixed build ends in PASS, exit code 0, and no outcome but ok is counted."""
    run = start("harness", "verify", "april30", "--build", "fixed", "--out", "run", "--", *SHORT_PLAN, "14")
    assert run.wait() == 0, (run.stdout, run.stderr)
    verdict = read_verdict(tmp_path / "run")
    assert {outcome for outcome, number in verdict["outcomes"].items() if number} == {"ok"}
    assert verdict["exposures"] >= 30
    assert verdict["bound"]["events"] == 0
    assert verdict["bound"]["n"] == verdict["exposures"]
    assert verdict["in_flight_at_stop"] == 0


def test_locust_alone_makes_the_same_run_and_the_gate_the_same_verdict(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    """`locust -f` decides as `misissue verify` does, and `misissue gate` reads the same verdict from the ledger."""
    run = start("locust", "-f", str(PROFILE), "--headless", "--only-summary", "--out", "run", *SHORT_PLAN, "5")
    assert run.wait() == 1, run.stderr
    assert read_verdict(tmp_path / "run")["incidents"]
    _check_incidents(tmp_path / "run")
    written = (tmp_path / "run" / "verdict.json").read_bytes()
    gate = start("harness", "gate", "run")
    assert gate.wait() == 1, gate.stderr
    assert "FAIL" in gate.stdout
    assert (tmp_path / "run" / "verdict.json").read_bytes() == written


def test_the_matrix_is_positive_in_one_cell_only(start: Callable[..., Command], tmp_path: Path) -> None:
    """Misissuance occurs with v2, split and two prints at once, and in none of the other seven cells."""
    matrix = start("harness", "matrix", "--out", "matrix")
    assert matrix.wait() == 0, (matrix.stdout, matrix.stderr)
    cells = read_matrix(tmp_path / "matrix")
    assert len(cells) == 8
    assert all(cell["n"] >= 30 for cell in cells)
    positive = [cell for cell in cells if cell["misissuances"]]
    assert [(cell["conditions"], cell["prints_at_once"]) for cell in positive] == [({"v2": True, "split": True}, 2)]


def read_matrix(directory: Path) -> list[dict[str, Any]]:
    """The cells of matrix.json."""
    cells: list[dict[str, Any]] = msgspec.json.decode((directory / "matrix.json").read_bytes())["cells"]
    return cells
