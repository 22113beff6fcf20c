"""The command line where it decides by itself; what it starts is tested end to end."""

import sys

import pytest

from harness.cli import main
from harness.gate import EXIT_USAGE


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
