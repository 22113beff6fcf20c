"""Configuration and rules are right by Prometheus' own tools, and say what they should when they should."""

import re
from pathlib import Path

import pytest

from tests.grafana.boards import CONFIG, GRAFANA, RULE_TESTS, RULES, rule_expressions
from tests.grafana.programs import find_program, promtool

RULES_TEXT = "\n".join(path.read_text(encoding="utf-8") for path in RULES)
TESTS_TEXT = "\n".join(path.read_text(encoding="utf-8") for path in RULE_TESTS)
ALERTS = re.findall(r"- alert: (\w+)\n(.*?)(?=\n      (?:#|- )|\n  - |\Z)", RULES_TEXT, re.DOTALL)


def test_configuration() -> None:
    """Prometheus takes its configuration, and the rules that it names are ours."""
    checked = promtool("check", "config", "--lint-fatal", CONFIG)
    assert checked.returncode == 0, checked.stdout
    assert f"{len(RULES)} rule files found" in checked.stdout


def test_rules() -> None:
    """Prometheus takes the rules, and no two are the same."""
    checked = promtool("check", "rules", "--lint-fatal", *RULES)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("SUCCESS") == len(RULES) == 2


def test_what_the_rules_say() -> None:
    """Every rule fires and does not fire when its unit test says so."""
    checked = promtool("test", "rules", *RULE_TESTS)
    assert checked.returncode == 0, checked.stdout


def test_every_rule_has_a_unit_test() -> None:
    """No rule is left without a test: an alert is tested with its words, a recording rule by its values."""
    assert len(ALERTS) == RULES_TEXT.count("- alert: ")
    for name, _ in ALERTS:
        assert re.search(rf"alertname: {name}\n        exp_alerts:\n", TESTS_TEXT), f"{name} never fires in a test"
        assert re.search(rf"alertname: {name}\n        exp_alerts: \[\]\n", TESTS_TEXT), f"{name} always fires"
    for name in rule_expressions(GRAFANA / "prometheus" / "rules" / "recording.yml"):
        assert f"expr: {name}\n" in TESTS_TEXT


@pytest.mark.parametrize(("name", "rule"), ALERTS, ids=[name for name, _ in ALERTS])
def test_alerts_speak_for_themselves(name: str, rule: str) -> None:
    """Every alert has a severity, and says in words what happened, and what to do or to think."""
    assert re.search(r"severity: (critical|warning)\n", rule)
    assert re.search(r"summary: '.+'\n", rule)
    assert re.search(r"description: >-\n( {12}\S.+\n?){1,3}", rule)
    comment = RULES_TEXT.partition(f"- alert: {name}\n")[0].rstrip().rpartition("\n")[2]
    assert comment.lstrip().startswith("#"), "a comment says why it waits, or why it does not"


def test_every_alert_is_documented() -> None:
    """The README lists the alerts that there are, in the order of the rules."""
    readme = (GRAFANA / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == [name for name, _ in ALERTS]


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever lacks promtool is told which package to install; no test is passed over for it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="promtool is not in PATH; the Debian package `prometheus`"):
        find_program("promtool")
