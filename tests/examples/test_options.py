"""What all of the example services in Python are asked for on their command line."""

import re

import pytest

from targets.examples.lab_results import service as lab_results
from targets.examples.payslips import service as payslips
from tests.examples.conftest import EXAMPLES

SERVICES = {"payslips": payslips.main, "lab_results": lab_results.main}
each_service = pytest.mark.parametrize("name", SERVICES)


@each_service
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--port", "70000"), "no address"),
        (("--defect", "none"), "choose from"),
        (("--log", "/dev/null/served"), "cannot be written"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(
    name: str, options: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad options end the service with exit code 2 before it listens."""
    try:
        code: object = SERVICES[name](options)
    except SystemExit as error:
        code = error.code
    told = capsys.readouterr().err
    assert code == 2
    assert told.count("\n") == 1
    assert reason in told


@each_service
def test_every_option_is_in_the_readme(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What the service can be asked for is written down beside it."""
    with pytest.raises(SystemExit):
        SERVICES[name](["--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert {option for option in options if f"| `{option}" not in readme} == set()
    assert {"--port", "--defect", "--log"} <= options
