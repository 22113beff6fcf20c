"""The workflows of docs/ci work: their own shell commands, one after the other, against real runs."""

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from junitparser import JUnitXml

from harness.compare import Comparison
from tests.e2e.ci_services import (
    FILES,
    INSTALL,
    TOKEN,
    Done,
    GitLab,
    fake_gh,
    install,
    keep,
    read_workflow,
    run_github,
    run_gitlab,
)
from tests.e2e.conftest import ROOT, SHORT_PLAN

GOOD = "april30 --build fixed"
BAD = "april30 --build seed --stop-on-misissuance"
PLAN = " ".join((*SHORT_PLAN, "3"))
LONG_PLAN = " ".join((*SHORT_PLAN, "60"))
pytestmark = pytest.mark.timeout(180)
REPORTS = {"verdict.json", "junit.xml", "summary.md", "report.html", "run.json", "segments"}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    return install(tmp_path / "programs")


def checkout(tmp_path: Path, name: str) -> Path:
    directory = tmp_path / name
    directory.mkdir()
    return directory


def failed_cases(run: Path) -> set[str]:
    (suite,) = JUnitXml.fromfile(str(run / "junit.xml"))
    return {str(case.name) for case in suite if case.result}


def test_github(tmp_path: Path, programs: Path) -> None:
    """A push that is good passes; a pull request that is bad fails, shows why, and is worse than its target branch."""
    fake_gh(programs, tmp_path / "artefact")
    page = tmp_path / "page.md"
    env = {"GITHUB_STEP_SUMMARY": str(page), "GITHUB_BASE_REF": "main"}
    main = checkout(tmp_path, "main")
    done = run_github(main, programs, event="push", env={**env, "RUN": GOOD, "PLAN": PLAN})
    assert done.steps == {"Install": 0, "Verify": 0}, done.output
    assert {path.name for path in (main / "misissue-run").iterdir()} >= REPORTS
    assert failed_cases(main / "misissue-run") == set()
    assert page.read_text(encoding="utf-8").startswith("## ✅ PASS · misissue april30\n")
    keep(main / "misissue-run", tmp_path / "artefact")
    page.unlink()
    change = checkout(tmp_path, "change")
    done = run_github(change, programs, event="pull_request", env={**env, "RUN": BAD, "PLAN": LONG_PLAN})
    assert done.steps == {"Install": 0, "Verify": 1, "Fetch the run of the target branch": 0, "Compare": 1}, done.output
    assert "wrong_person" in failed_cases(change / "misissue-run")
    assert re.findall("^## .*", page.read_text(encoding="utf-8"), re.MULTILINE) == [
        "## ❌ FAIL · misissue april30",
        "## ❌ B is worse than A",
    ]
    told = msgspec.json.decode((change / "misissue-run" / "compare.json").read_bytes(), type=Comparison)
    assert {"parameters.settings.build"} <= {one.name for one in told.setup}


def test_github_without_a_run_to_compare_with(tmp_path: Path, programs: Path) -> None:
    """The first time there is nothing to compare with, and only the verdict counts; 2 is no success either."""
    fake_gh(programs, tmp_path / "artefact")
    done = run_github(
        checkout(tmp_path, "change"), programs, event="pull_request", env={"RUN": "april30 --min cells=x", "PLAN": ""}
    )
    assert done.steps == {"Install": 0, "Verify": 2, "Fetch the run of the target branch": 0}, done.output


@pytest.mark.skipif(shutil.which("curl") is None, reason="the job asks GitLab by curl")
def test_gitlab(tmp_path: Path, programs: Path) -> None:
    """A merge request that is as good as its target branch passes both jobs, and both results are noted in it."""
    env = {"RUN": f"{GOOD} --lang ja", "PLAN": PLAN, "CI_PROJECT_DIR": str(tmp_path)}
    change = checkout(tmp_path, "change")
    done = run_gitlab(change, programs, "misissuance", env)
    assert done.steps == {"misissuance": 0}, done.output
    assert "PASS（合格） · 証明書" in done.output
    assert {path.name for path in (change / "misissue-run").iterdir()} >= REPORTS
    with GitLab().serving() as gitlab:
        first = _compare(change, programs, gitlab, env)
        assert first.steps == {"misissuance-compare": 0}, first.output
        assert "nothing to compare with" in first.output
        gitlab.artefact = keep(change / "misissue-run", tmp_path / "artefact" / "misissue-run")
        done = _compare(change, programs, gitlab, env)
        assert done.steps == {"misissuance-compare": 0}, done.output
        gitlab.artefact = _spoil(gitlab.artefact)
        spoilt = _compare(change, programs, gitlab, env)
        assert spoilt.steps == {"misissuance-compare": 3}, spoilt.output
    verdict, again, as_good, third, doubt = (note.splitlines()[0] for note in gitlab.notes)
    assert verdict == again == third == "## ✅ PASS（合格） · misissue april30"
    assert as_good == "## ✅ B is no worse than A, and was exercised at least as much"
    assert doubt == "## ⚠️ nothing can be said of B beside A"


def _compare(directory: Path, programs: Path, gitlab: GitLab, env: dict[str, str]) -> Done:
    service = {
        "CI_API_V4_URL": gitlab.url,
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "MISISSUE_TOKEN": TOKEN,
    }
    return run_gitlab(directory, programs, "misissuance-compare", {**env, **service})


def _spoil(run: Path) -> Path:
    """The run without its last bytes."""
    path = run / "segments" / "load-1.jsonl"
    path.write_bytes(path.read_bytes()[:-100])
    return run


def test_what_is_kept_and_shown() -> None:
    """Both services keep the run directory and are given junit.xml, also of a run that failed."""
    (job,) = read_workflow("github.yml")["jobs"].values()
    steps = {step.get("uses", "").partition("@")[0]: step for step in job["steps"]}
    assert steps["actions/upload-artifact"]["with"]["path"] == "misissue-run"
    assert steps["mikepenz/action-junit-report"]["with"]["report_paths"] == "misissue-run/junit.xml"
    for step in ("actions/upload-artifact", "mikepenz/action-junit-report"):
        assert steps[step]["if"] == "${{ !cancelled() }}"
    artefacts = read_workflow("gitlab.yml")["misissuance"]["artifacts"]
    assert artefacts["paths"] == ["misissue-run/"]
    assert artefacts["reports"] == {"junit": "misissue-run/junit.xml"}
    assert artefacts["when"] == "always"


def test_no_exit_code_is_swallowed() -> None:
    """Nothing turns a verdict that is no PASS into success, and the step that may fail is not one that decides."""
    (job,) = read_workflow("github.yml")["jobs"].values()
    loose = {step["name"] for step in job["steps"] if "continue-on-error" in step}
    assert loose == {"Fetch the run of the target branch"}
    for name, told in read_workflow("gitlab.yml").items():
        assert "allow_failure" not in told, name


def test_pip_is_cached() -> None:
    """What pip has loaded is kept from one run to the next."""
    (job,) = read_workflow("github.yml")["jobs"].values()
    (python,) = (step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python@"))
    assert (ROOT / python["with"]["cache-dependency-path"]).is_file()
    assert python["with"]["cache"] == "pip"
    template: dict[str, Any] = read_workflow("gitlab.yml")[".misissuance"]
    assert template["variables"]["PIP_CACHE_DIR"] == f"$CI_PROJECT_DIR/{template['cache']['paths'][0]}"
    assert all((ROOT / file).is_file() for file in template["cache"]["key"]["files"])


def test_both_install_as_the_readme_says() -> None:
    """The step that is replaced here is the command that the README gives for it."""
    assert INSTALL.removeprefix("python -m ") in (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("github.yml", "gitlab.yml"):
        assert (FILES / name).read_text(encoding="utf-8").count(INSTALL) == 1
        assert f"](ci/{name})" in (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
