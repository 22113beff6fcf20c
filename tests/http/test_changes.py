"""Changes during a run: their sync runs are the exposures, their documents are learnt anew, old ones are stale."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.evidence.ledger import read_run
from harness.gate import decide
from harness.verdict import Verdict
from tests.http.conftest import VALID, Service, describe, run

CHANGING = (
    VALID.replace('options = ["my_number"]\n', "").replace(', options = "{options}"', "").partition("[answer]")[0]
    + """
[answer.document]
status = [200]

[fingerprint.marks]
in = "text"
person = 'Employee no\\. (?P<person>\\w+)'

[changes.address]
path = "/people/{person}/address"
json = { id = "{change}", address = "{value}" }
accepted = { status = [202] }
acknowledged = { path = "/changes/{change}", json = { state = "synchronised" }, every_s = 0.02, within_s = 5.0 }
"""
)
ENDPOINT = """
[sync]
from = "endpoint"
path = "/sync-runs"
at = "runs"

[sync.fields]
sync_run = "id"
begin_at = "started"
applied_at = "applied"
acknowledged_at = "acknowledged"
end_at = "ended"
applied = "changes"
"""
LOG = """
[sync]
from = "log"
file = "sync.log"
lines = [
  '^(?P<begin_at>\\S+) (?P<sync_run>S\\d+) begins',
  '^(?P<end_at>\\S+) (?P<sync_run>S\\d+) ends, applied (?P<applied>.*)',
]
"""
ANSWERED = "\n".join(line for line in CHANGING.splitlines() if not line.startswith("acknowledged"))
"""Without anything to ask whether a change is done."""
MARKS = CHANGING[CHANGING.index("[fingerprint.marks]") : CHANGING.index("[changes.address]")]
PEOPLE = "person\n" + "".join(f"P{number:03}\n" for number in range(1, 17))
Begin = Callable[..., Service]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Starts a service with these options, described like this; what is right is learnt before."""
    started: list[Service] = []

    def start(*options: str, text: str = CHANGING) -> Service:
        service = Service(tmp_path, *options, program="changing_service.py")
        started.append(service)
        describe(tmp_path, text.replace("http://127.0.0.1:8080", service.url), PEOPLE)
        learnt = run("calibrate", "target.toml", cwd=tmp_path)
        assert learnt.returncode == 0, learnt.stderr
        return service

    yield start
    for service in started:
        service.stop()


def verify(directory: Path, *options: str, burst_s: float = 2.0) -> tuple[int, str, Verdict]:
    """Exit code, output and verdict of a short run with changes."""
    out = directory / "run"
    short = "--", "--calm-s", "0.3", "--bursts", "1", "--burst-s", str(burst_s), "--changes-per-s", "8"
    done = run(
        *("verify", "own_service", "--target", "target.toml", "--out", str(out), *options, *short), cwd=directory
    )
    return done.returncode, done.stdout + done.stderr, decide(out)


def test_clean(begin: Begin, tmp_path: Path) -> None:
    """Documents of the new version are right, those that no change altered stay so, and sync runs are exposures."""
    begin()
    code, output, verdict = verify(tmp_path, "--min", "exposures=3", "--max", "error_share=0")
    assert code == 0, output
    assert verdict.outcomes["ok"] == verdict.prints_judged > 50
    assert 3 <= verdict.exposures <= verdict.sync_runs
    assert {cell.phase for cell in verdict.cells if cell.sync_runs} >= {"before", "during"}
    assert read_run(tmp_path / "run").synchronises is True


def test_mixed(begin: Begin, tmp_path: Path) -> None:
    """Two prints in flight during a sync run are mixed up: found, paper by paper, with the right owners and run."""
    service = begin("--defect", "mixed", text=CHANGING + ENDPOINT)
    code, output, verdict = verify(tmp_path)
    assert code == 1, output
    found = sorted([incident.nonce, incident.recipient, *incident.owners] for incident in verdict.incidents)
    assert found == sorted(service.told)
    assert verdict.outcomes["wrong_person"] == len(found) > 3
    assert verdict.outcomes["undecided"] == 0
    # A paper that comes out in the last instant of a sync run, which nobody can be sure of, is charged to none.
    charged = [incident.sync_run for incident in verdict.incidents if incident.sync_run]
    assert len(charged) > len(found) / 2
    assert all(sync_run.startswith("S") for sync_run in charged)
    assert 0 < verdict.exposures <= verdict.sync_runs


def test_stale(begin: Begin, tmp_path: Path) -> None:
    """An old document after the acknowledgement, of which a log tells, is stale, and nothing else is wrong."""
    begin("--defect", "stale", "--log", str(tmp_path / "sync.log"), text=ANSWERED + LOG)
    code, output, verdict = verify(tmp_path)
    assert code == 1, output
    assert verdict.outcomes["stale"] == len(verdict.incidents) > 0
    assert {incident.kind for incident in verdict.incidents} == {"payslip"}
    assert verdict.outcomes["undecided"] == 0


UNDECIDED = [
    ("restless", CHANGING, "it was not the same twice"),
    ("", CHANGING.replace(MARKS, ""), "right is [fingerprint.marks] in the target.toml"),
]


@pytest.mark.long
@pytest.mark.parametrize(("defect", "text", "said"), UNDECIDED, ids=["restless", "no marks"])
def test_not_learnt_anew(begin: Begin, tmp_path: Path, defect: str, text: str, said: str) -> None:
    """What is not the same twice, or shows no marks, is neither right nor wrong, and it is said why."""
    begin(*(["--defect", defect] if defect else []), text=text)
    code, output, verdict = verify(tmp_path, burst_s=1.0)
    assert code == 3, output
    assert verdict.outcomes["undecided"] > 0
    assert verdict.incidents == ()
    assert said in output


@pytest.mark.long
def test_never_acknowledged(begin: Begin, tmp_path: Path) -> None:
    """A change that nobody acknowledges leaves both versions possible; nobody is blamed, and nobody cleared."""
    begin("--defect", "never", text=CHANGING.replace("within_s = 5.0", "within_s = 0.2"))
    code, output, verdict = verify(tmp_path, burst_s=1.0)
    assert code == 3, output
    assert verdict.incidents == ()
    assert "was not acknowledged in 20 tries (not acknowledged in time)" in output
    assert "changes were not synchronised within 10 s of the end" in output
