"""The payslip service: its defect is found with the right owners, and without it there is no alarm."""

import re
from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from flask import Flask

from targets.defects.ambient_state import recycled
from targets.examples.payslips.payroll import Payroll, Statement
from targets.examples.payslips.service import Visit, create_app, main
from tests.examples.conftest import EXAMPLES, Example, Start, Verification

SHORT = ("--users", "8", "--", "--calm-s", "0.5", "--bursts", "1", "--burst-s")
LONG_PRINTS = 5000
MANAGERS = ("E001", "E002")  # whose payslips E020 may see


@pytest.fixture
def payroll() -> Iterator[Payroll]:
    """Of the test persons."""
    with Payroll() as payroll:
        yield payroll


def _ask(app: Flask, person: str, kind: str = "payslip") -> bytes:
    answer = app.test_client().get(f"/documents/{kind}", headers={"X-Employee": person})
    assert answer.status_code == 200
    data: bytes = answer.data
    return data


def test_everybody_gets_a_document_of_his_own_and_the_same_each_time(payroll: Payroll) -> None:
    """Documents differ between persons and kinds, and never between two prints."""
    app = create_app(payroll)
    documents = [_ask(app, person, kind) for person in ("E001", "E002") for kind in ("payslip", "annual")]
    assert len(set(documents)) == len(documents)
    assert [_ask(app, person, kind) for person in ("E001", "E002") for kind in ("payslip", "annual")] == documents
    assert all(document.startswith(b"%PDF-") for document in documents)


@pytest.mark.parametrize("person", ["E024", "E025", ""])
def test_nobody_but_an_employee_gets_one(payroll: Payroll, person: str) -> None:
    """Whoever left, whoever was never there and whoever is not named is refused."""
    answer = create_app(payroll).test_client().get("/documents/payslip", headers={"X-Employee": person})
    assert answer.status_code == 403


def test_an_unknown_kind_is_not_found(payroll: Payroll) -> None:
    """A kind that there is not is nobody's."""
    answer = create_app(payroll).test_client().get("/documents/bonus", headers={"X-Employee": "E001"})
    assert answer.status_code == 404


def test_a_busy_service_says_when_to_come_again(payroll: Payroll) -> None:
    """More documents at one time than are allowed are answered 503 with Retry-After."""
    answer = create_app(payroll, at_once=0).test_client().get("/documents/payslip", headers={"X-Employee": "E001"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(("new_visit", "owner"), [(Visit, "E003"), (recycled(Visit), "E004")])
def test_an_object_that_is_made_once_hands_the_next_ones_document_to_whoever_was_there(
    payroll: Payroll, new_visit: Callable[[], Visit], owner: str
) -> None:
    """A request that begins before another one looks into the payroll takes that one's place."""

    class Interrupted(Payroll):
        """Somebody else asks in the middle of the first request."""

        interrupted = False

        def statement(self, kind: str) -> Statement | None:
            if not self.interrupted:
                self.interrupted = True
                other = Thread(target=_ask, args=(app, "E004"))
                other.start()
                other.join()
            return super().statement(kind)

    with Interrupted() as interrupted:
        app = create_app(interrupted, new_visit=new_visit)
        assert _ask(app, "E003") == _ask(create_app(payroll), owner)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--port", "70000"), "no address"),
        (("--defect", "none"), "ambient-state"),
        (("--log", "/dev/null/served"), "cannot be written"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(
    options: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad options end the service with exit code 2 before it listens."""
    try:
        code: object = main(options)
    except SystemExit as error:
        code = error.code
    told = capsys.readouterr().err
    assert code == 2
    assert told.count("\n") == 1
    assert reason in told


def test_every_option_is_in_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    """What the service can be asked for is written down beside it."""
    with pytest.raises(SystemExit):
        main(["--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    readme = (EXAMPLES / "payslips" / "README.md").read_text(encoding="utf-8")
    assert {option for option in options if f"| `{option}" not in readme} == set()
    assert len(options) == 4


def _prepare(example: Example) -> None:
    """As the guide says: probe, then calibrate."""
    probe = example.misissue("probe", str(example.target))
    assert probe.process.returncode == 0, probe.stdout + probe.stderr
    calibration = example.misissue("calibrate", str(example.target))
    assert calibration.process.returncode == 0, calibration.stdout + calibration.stderr


def _check_found(example: Example, run: Verification) -> None:
    """FAIL, and of each document the very owner that the service's own log names."""
    assert run.exit_code == 1, run.output
    assert run.verdict.verdict == "FAIL"
    handed_out = {line.nonce: line for line in example.served() if line.nonce in run.documents}
    wrong = {nonce: (line.asked, (line.owner,)) for nonce, line in handed_out.items() if line.asked != line.owner}
    incidents = {one.nonce: one for one in run.verdict.incidents}
    assert {nonce: (one.recipient, one.owners) for nonce, one in incidents.items()} == wrong
    for one in incidents.values():
        proxy = one.recipient == "E020" and one.owners[0] in MANAGERS
        assert one.outcome == ("misdelivered" if proxy else "wrong_person")
        assert one.delivered_kind == one.kind
    assert run.outcomes["wrong_person"] >= 1
    first = min(incidents.values(), key=lambda one: one.at_ns)
    prints = list(run.documents).index(first.nonce) + 1
    print(f"{len(wrong)} of {len(handed_out)} documents went to somebody else; found with print {prints}")


def _check_clean(run: Verification) -> None:
    """Neither a misissuance nor anything that nobody knows."""
    assert run.exit_code == 0, run.output
    assert not run.verdict.incidents
    assert set(run.outcomes) <= {"ok", "refused_ok"}
    assert run.verdict.bound.events == 0
    assert run.verdict.exposures == run.verdict.bound.n > 0


def test_the_defect_is_found_with_the_right_owners(start: Start) -> None:
    """Calibration, which asks alone, sees nothing; concurrent prints end in FAIL, and the service's log agrees."""
    example = start("payslips", "--defect", "ambient-state")
    _prepare(example)
    run = example.verify(*SHORT, "2")
    assert run.verdict.prints_judged >= 100
    _check_found(example, run)


def test_the_clean_service_passes(start: Start) -> None:
    """Without the defect some hundred prints are ok, or refused to him who left."""
    example = start("payslips")
    _prepare(example)
    run = example.verify(*SHORT, "2")
    assert run.verdict.prints_judged >= 100
    _check_clean(run)
    assert all(line.asked == line.owner for line in example.served())


def test_a_busy_service_is_asked_again_and_accused_of_nothing(start: Start) -> None:
    """503 with Retry-After is an error that was re-applied, however many there are."""
    example = start("payslips", "--at-once", "1")
    _prepare(example)
    run = example.verify(*SHORT, "2")
    assert run.exit_code == 0, run.output
    assert not run.verdict.incidents
    assert set(run.outcomes) <= {"ok", "refused_ok", "error_retried_ok", "error_final"}
    assert run.outcomes["error_retried_ok"] >= 1


@pytest.mark.long
@pytest.mark.timeout(600)
def test_five_thousand_prints_of_the_clean_service(start: Start) -> None:
    """No incident in 5,000 prints."""
    example = start("payslips")
    _prepare(example)
    prints = 0
    while prints < LONG_PRINTS:
        run = example.verify(*SHORT, "20")
        _check_clean(run)
        prints += run.verdict.prints_judged
    print(f"no incident in {prints} prints")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_five_thousand_prints_of_the_defective_service(start: Start) -> None:
    """Every single one of the incidents among 5,000 prints has the owner that the service's log names."""
    example = start("payslips", "--defect", "ambient-state")
    _prepare(example)
    prints = 0
    while prints < LONG_PRINTS:
        run = example.verify(*SHORT, "20")
        _check_found(example, run)
        prints += run.verdict.prints_judged
