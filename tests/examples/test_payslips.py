"""The payslip service: its defect is found with the right owners, and without it there is no alarm."""

from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from flask import Flask

from targets.defects.ambient_state import recycled
from targets.examples.payslips.payroll import Payroll, Statement
from targets.examples.payslips.service import Visit, create_app
from tests.examples.conftest import Start

SHORT = ("--users", "8", "--", "--calm-s", "0.5", "--bursts", "1", "--burst-s")
LONG_PRINTS = 5000
MANAGERS = {"E020": ("E001", "E002")}


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


def test_the_defect_is_found_with_the_right_owners(start: Start) -> None:
    """Calibration, which asks alone, sees nothing; concurrent prints end in FAIL, and the service's log agrees."""
    example = start("payslips", "--defect", "ambient-state")
    example.prepare()
    run = example.verify(*SHORT, "2")
    assert run.verdict.prints_judged >= 100
    run.check_found(example.served(), MANAGERS)


def test_a_busy_service_is_asked_again_and_accused_of_nothing(start: Start) -> None:
    """503 with Retry-After is an error that was re-applied, however many there are."""
    example = start("payslips", "--at-once", "1")
    example.prepare()
    run = example.verify(*SHORT, "2")
    run.check_clean(may_fail=True)
    assert run.outcomes["error_retried_ok"] >= 1


@pytest.mark.long
@pytest.mark.timeout(600)
def test_five_thousand_prints_of_the_clean_service(start: Start) -> None:
    """No incident in 5,000 prints."""
    example = start("payslips")
    example.prepare()
    prints = 0
    while prints < LONG_PRINTS:
        run = example.verify(*SHORT, "20")
        run.check_clean()
        prints += run.verdict.prints_judged
    print(f"no incident in {prints} prints")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_five_thousand_prints_of_the_defective_service(start: Start) -> None:
    """Every single one of the incidents among 5,000 prints has the owner that the service's log names."""
    example = start("payslips", "--defect", "ambient-state")
    example.prepare()
    prints = 0
    while prints < LONG_PRINTS:
        run = example.verify(*SHORT, "20")
        run.check_found(example.served(), MANAGERS)
        prints += run.verdict.prints_judged
