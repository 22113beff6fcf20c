"""The steps of a CI workflow, carried out as the services do, as far as that goes without them.

Replaced are the working directory, the installation, and whatever only a service has: its actions are left out, and
what it would answer comes from here. The shell commands are those of the files in docs/ci.
"""

import re
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import yaml

from tests.e2e.conftest import ROOT, Command

FILES = ROOT / "docs" / "ci"
INSTALL = "python -m pip install -e '.[embedded]'"
TOKEN = "glpat-of-the-test"  # noqa: S105 - of a server that lives in this process
_INSTALLED = "misissue", "python"


class Done(NamedTuple):
    """What came of one job.

    Args:
        steps: exit code of each shell step that was carried out, by its name.
        output: of all of them.
    """

    steps: Mapping[str, int]
    output: str


def read_workflow(name: str) -> dict[str, Any]:
    """A file of docs/ci; "on" is a key of GitHub's, and in YAML 1.1 a truth."""
    loaded: dict[Any, Any] = yaml.safe_load((FILES / name).read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in loaded.items()}


def install(directory: Path) -> Path:
    """A directory for PATH in which there are the commands that the installation would have put there."""
    directory.mkdir()
    for name, arguments in zip(_INSTALLED, ("-m harness ", ""), strict=True):
        path = directory / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments}"$@"\n', encoding="utf-8")
        path.chmod(0o755)
    return directory


def run_github(directory: Path, programs: Path, *, event: str, env: Mapping[str, str]) -> Done:
    """The one job of github.yml in a checkout that is empty.

    Args:
        event: "push" or "pull_request".
        env: in place of what stands under `env` in the file, and of what the service sets.
    """
    workflow = read_workflow("github.yml")
    (job,) = workflow["jobs"].values()
    steps: dict[str, int] = {}
    output = []
    for step in job["steps"]:
        failed = any(steps.values())
        if "run" not in step or not _holds(step.get("if"), event, directory, failed=failed):
            continue
        script = step["run"].replace(INSTALL, "true")
        told = {**workflow["env"], **step.get("env", {}), **env, "PATH": f"{programs}:/usr/bin:/bin"}
        command = Command(script, cwd=directory, program=("bash", "-e", "-c"), PYTHONPATH=str(ROOT), **told)
        try:
            code = command.wait()
        finally:
            command.end()
        output.append(command.stdout + command.stderr)
        steps[step["name"]] = 0 if step.get("continue-on-error") else code
    return Done(steps, "".join(output))


def _holds(condition: str | None, event: str, directory: Path, *, failed: bool) -> bool:
    """A condition of a step: of those that GitHub knows the few that the file uses."""
    if condition is None:
        return not failed
    parts = condition.removeprefix("${{ ").removesuffix(" }}").split(" && ")
    return all(_part_holds(part, event, directory) for part in parts)


def _part_holds(part: str, event: str, directory: Path) -> bool:
    if part == "!cancelled()":
        return True
    if found := re.fullmatch(r"github\.event_name == '(\w+)'", part):
        return event == found[1]
    if found := re.fullmatch(r"hashFiles\('(.+)'\) != ''", part):
        return (directory / found[1]).is_file()
    raise AssertionError(f"this test does not know the condition {part!r}")


def fake_gh(programs: Path, artefact: Path) -> None:
    """GitHub's own command, which knows one run of the target branch: the artefact, where there is one."""
    path = programs / "gh"
    path.write_text(
        "#!/bin/sh\n"
        'if [ "$1 $2" = "run list" ]; then echo 17; exit; fi\n'
        '[ "$1 $2 $3 $4 $5 $6" = "run download 17 --name misissue-run --dir" ] || exit 9\n'
        f'[ -d {artefact} ] && cp -r {artefact} "$7"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)


def run_gitlab(directory: Path, programs: Path, job: str, env: Mapping[str, str]) -> Done:
    """One job of gitlab.yml in a checkout that is empty."""
    workflow = read_workflow("gitlab.yml")
    told = {**workflow[workflow[job]["extends"]], **workflow[job]}
    lines = [line for line in (*told["before_script"], *told["script"]) if line != INSTALL]
    variables = {**told["variables"], **env, "PATH": f"{programs}:/usr/bin:/bin"}
    script = "\n".join(("set -eo pipefail", *lines))
    command = Command(script, cwd=directory, program=("bash", "-c"), PYTHONPATH=str(ROOT), **variables)
    try:
        code = command.wait()
    finally:
        command.end()
    return Done({job: code}, command.stdout + command.stderr)


class GitLab:
    """The two things of GitLab that the jobs ask for: the artefacts of a branch, and notes on a merge request.

    Attributes:
        notes: texts that were written into the merge request.
        artefact: directory that the newest job of the target branch left; None before the first.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.artefact: Path | None = None
        gitlab = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                right = "/projects/7/jobs/artifacts/main/download?job=misissuance"
                if gitlab.artefact is None or self.path != right:
                    self._answer(404, b"")
                else:
                    self._answer(200, _zipped(gitlab.artefact))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path == "/projects/7/merge_requests/3/notes":
                    gitlab.notes += parse_qs(body)["body"]
                    self._answer(201, b"{}")
                else:
                    self._answer(404, b"")

            def _answer(self, status: int, body: bytes) -> None:
                if self.headers["PRIVATE-TOKEN"] != TOKEN:
                    status, body = 401, b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nowhere."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Of the API."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator["GitLab"]:
        """Answers while the block lasts."""
        thread = Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def _zipped(directory: Path) -> bytes:
    """As GitLab packs an artefact: with the directory itself."""
    path = directory.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for one in sorted(directory.rglob("*")):
            archive.write(one, one.relative_to(directory.parent))
    return path.read_bytes()


def keep(directory: Path, place: Path) -> Path:
    """What a service does with an artefact: a copy, without what only its owner may do with it."""
    shutil.copytree(directory, place)
    return place
