"""The default runs, as often as it takes to trust them. Their short twins are in test_april30.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Command, read_verdict

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]


@pytest.mark.parametrize("number", range(20))
def test_the_fixed_program_raises_no_false_alarm(start: Callable[..., Command], tmp_path: Path, number: int) -> None:
    """Twenty default runs of the fixed build: PASS, at least 2,000 prints and 100 exposures, nothing but ok."""
    run = start("harness", "verify", "april30", "--build", "fixed", "--seed", str(number), "--out", "run")
    assert run.wait() == 0, (run.stdout, run.stderr)
    verdict = read_verdict(tmp_path / "run")
    assert {outcome for outcome, count in verdict["outcomes"].items() if count} == {"ok"}
    assert verdict["prints_judged"] >= 2000
    assert verdict["exposures"] >= 100
    print(f"{verdict['prints_judged']} prints, {verdict['exposures']} exposures")


@pytest.mark.parametrize("number", range(10))
def test_the_matrix_is_as_claimed_each_time(start: Callable[..., Command], number: int) -> None:
    """Ten runs of the matrix, each exactly as the release claims."""
    matrix = start("harness", "matrix", "--seed", str(number), "--out", "matrix")
    assert matrix.wait() == 0, (matrix.stdout, matrix.stderr)
    print(matrix.stdout)
