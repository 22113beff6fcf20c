"""The command line where it decides by itself; what it starts is tested end to end."""

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from harness.bound import upper_bound
from harness.cli import cli, main
from harness.gate import EXIT_USAGE
from tests.harness.builders import write_run


def test_other_systems_are_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Linux only for now, said in one line before anything is tried."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(sys, "argv", ["misissue", "verify", "april30"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == EXIT_USAGE
    assert capsys.readouterr().err == "misissue: misissue runs on Linux only for now; this is darwin\n"


def test_a_plan_names_the_least_number_of_exposures() -> None:
    """So many exposures without a misissuance prove the rate, and one less does not."""
    told = CliRunner().invoke(cli, ["plan", "--rate", "1e-3"], catch_exceptions=False).output
    needed = int(told.split()[0])
    assert upper_bound(0, needed) <= 1e-3 < upper_bound(0, needed - 1)


def test_a_plan_takes_its_time_from_an_earlier_run(tmp_path: Path) -> None:
    """One exposure in 2.5 s makes 59 of them last 148 s."""
    run = write_run(tmp_path / "run", planned_s=2.5)
    told = CliRunner().invoke(cli, ["plan", "--rate", "0.05", "--like", str(run)], catch_exceptions=False).output
    assert told.splitlines()[0].startswith("59 exposures")
    assert told.splitlines()[1].endswith("that takes 148 s")


def test_a_run_without_exposures_is_no_measure(tmp_path: Path) -> None:
    """Without an exposure in it nobody can say how long a claim takes."""
    run = write_run(tmp_path / "run", target=(), planned_s=2.5)
    with pytest.raises(click.UsageError, match="met 0 exposures"):
        cli(["plan", "--rate", "0.05", "--like", str(run)], standalone_mode=False)
