"""Whoever knows who has to be refused says so, and where a service sees it differently is told before any load."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.calibration import Calibration, CalibrationError, Specimen, cases
from harness.target import TargetError
from targets.http.golden import golden_path
from targets.http.target import HttpTarget
from tests.http.conftest import VALID, describe

REFUSED = """\
person,receives_for,refused
A,,
B,,annual; payslip+my_number
C,A,*
"""
OPTIONS = VALID.replace('{ path = "/version", at = "build" }', '"1"')


def specimens_of(target: HttpTarget, *refused: tuple[str, str, tuple[str, ...]]) -> Calibration:
    """Of everything that can be asked for, with this of it refused."""
    specimens = (
        Specimen(
            person=case.applicant,
            group=case.group,
            kind=case.kind,
            options=case.options,
            refused="status 409" if (case.applicant, case.kind, case.options) in refused else "",
            checksum="" if (case.applicant, case.kind, case.options) in refused else case.application,
        )
        for case in cases(target)
    )
    return Calibration(specimens=tuple(specimens))


MY_NUMBER = ("my_number",)
OF_B = ("B", "annual", ()), ("B", "payslip", MY_NUMBER)
OF_C = ("C", "annual", ()), ("C", "payslip", ()), ("C", "payslip", MY_NUMBER)


def test_who_has_to_be_refused(tmp_path: Path) -> None:
    """The column says it, of a kind, of one option or of everything; and who is not named has to be refused nothing."""
    target = HttpTarget({"file": str(describe(tmp_path, OPTIONS, REFUSED))})
    target.reach()
    for _ in ("before anything was learnt", "afterwards"):
        refusals = {group.group: group.refusals for group in target.groups()}
        assert refusals["of A"] == ()
        for_b, for_c = refusals["of B"], refusals["C for A"]
        for options, holds in (((), False), (MY_NUMBER, True)):
            assert any(refusal.covers("B", "payslip", options) for refusal in for_b) is holds
        assert any(refusal.covers("B", "annual", ()) for refusal in for_b)
        assert [refusal.covers("C", kind, ()) for refusal in for_c for kind in ("annual", "payslip")] == [True, True]
        target.keep(specimens_of(target, *OF_B, *OF_C))
        assert target.recall()


@pytest.mark.parametrize(
    ("refused", "problem"),
    [
        (
            OF_C,
            (
                "issued, although the column refused says that it has to be refused: payslip+my_number of B, "
                "annual of B; right is an answer as answer.refused describes it"
            ),
        ),
        (
            (*OF_B, *OF_C, ("A", "payslip", ()), ("A", "payslip", MY_NUMBER)),
            (
                "refused, although the column refused does not say so: payslip of A, payslip+my_number of A; right is "
                "to say it there where it has to be refused, and a service that issues everything else"
            ),
        ),
    ],
)
def test_a_service_that_refuses_others(
    tmp_path: Path, refused: Sequence[tuple[str, str, tuple[str, ...]]], problem: str
) -> None:
    """Nothing is kept of a service that issues what must not be, or refuses somebody whom nobody named."""
    path = describe(tmp_path, OPTIONS, REFUSED)
    target = HttpTarget({"file": str(path)})
    target.reach()
    with pytest.raises(CalibrationError) as raised:
        target.keep(specimens_of(target, *refused))
    assert str(raised.value) == problem
    assert not golden_path(path).exists()


def test_many_contradictions(tmp_path: Path) -> None:
    """The first few are named, and how many more there are."""
    people = "person,refused\n" + "".join(f"P{number},*\n" for number in range(9))
    target = HttpTarget({"file": str(describe(tmp_path, OPTIONS, people))})
    target.reach()
    with pytest.raises(CalibrationError, match=r"annual of P0, .*, and 22 more; right is"):
        target.keep(specimens_of(target))


@pytest.mark.parametrize(
    "entry", ["pay", "payslip+x", "*+x", "payslip+", "+my_number", "annual+my_number", "annual,payslip"]
)
def test_what_nobody_can_be_refused(tmp_path: Path, entry: str) -> None:
    """A kind or option that there is not is told with the person, and with what there is."""
    with pytest.raises(TargetError) as raised:
        HttpTarget({"file": str(describe(tmp_path, OPTIONS, f'person,refused\nA,\nB,"{entry}"\n'))})
    right = "*, payslip, annual, payslip+my_number; several with ; between"
    assert str(raised.value).endswith(f"people.csv: refused of B: found {entry!r}, right is {right}")
    assert f"{tmp_path / 'target.toml'}:9: people.file: " in str(raised.value)


def test_the_column_is_no_placeholder(tmp_path: Path) -> None:
    """Who has to be refused is not for the service to be told."""
    with pytest.raises(TargetError, match="refused"):
        HttpTarget({"file": str(describe(tmp_path, OPTIONS.replace('"/payslips"', '"/{refused}"'), REFUSED))})
