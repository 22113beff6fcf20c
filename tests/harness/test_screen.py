"""A screen that takes nothing ends nothing."""

import io
from pathlib import Path

import pytest

from harness.report.screen import Screen


class Gone(io.StringIO):
    """stdout whose reader has gone; what it is told goes nowhere, but for its file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("w")

    def write(self, text: str) -> int:
        """As often as it is tried."""
        raise BrokenPipeError(32, f"Broken pipe at {text!r}")

    def fileno(self) -> int:
        """Of the file, which a screen may put out of use."""
        return self._file.fileno()

    def close(self) -> None:
        """With the file."""
        self._file.close()
        super().close()


def test_letters_that_stdout_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict is shown in whatever letters there are, rather than not at all."""
    shown = io.BytesIO()
    with io.TextIOWrapper(shown, encoding="ascii") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        Screen().print("FAIL · 山田")
        assert shown.getvalue() == b"FAIL \\xb7 \\u5c71\\u7530\n"


def test_a_reader_that_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where rich would end the process with 1, which reads as FAIL, a line on stderr is all."""
    with Gone(tmp_path / "stdout") as gone:
        monkeypatch.setattr("sys.stdout", gone)
        Screen().print("PASS")
    assert capsys.readouterr().err.startswith("misissue: not all was shown on stdout: Broken pipe at 'PASS")
