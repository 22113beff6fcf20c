"""From an unknown service to a verdict, by the commands that a person types."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.evidence.ledger import read_run
from harness.gate import decide
from harness.verdict import Verdict
from tests.http.conftest import Service, run
from tests.http.service import REFUSED

Serve = Callable[..., tuple[Service, Path]]
SHORT = "--", "--calm-s", "0.3", "--bursts", "1"


def verify(directory: Path, *options: str, burst_s: float = 2.0) -> tuple[int, str, Verdict]:
    """Exit code, output and verdict of a short run."""
    out = directory / "run"
    done = run(
        *("verify", "own_service", "--target", "target.toml", "--out", str(out), *options, *SHORT),
        *("--burst-s", str(burst_s)),
        cwd=directory,
    )
    return done.returncode, done.stdout + done.stderr, decide(out)


def test_clean(serve: Serve, tmp_path: Path) -> None:
    """Probe, calibrate, verify: a service that hands everybody their own papers passes, with exposures to show."""
    serve()
    probed = run("probe", "target.toml", cwd=tmp_path)
    assert probed.returncode == 0, probed.stdout + probed.stderr
    assert [line.split(" ")[0] for line in probed.stdout.splitlines() if not line.startswith(" ")] == [
        *("ok", "ok", "ok", "skipped", "ok", "skipped")
    ]
    learnt = run("calibrate", "target.toml", cwd=tmp_path)
    assert learnt.returncode == 0, learnt.stderr
    assert learnt.stdout == "87 documents and 3 refusals learnt: target.golden.json\n"
    golden = tmp_path / "target.golden.json"
    assert golden.stat().st_mode & 0o777 == 0o600
    assert json.loads(golden.read_bytes())["version"] == "7"
    again = run("probe", "target.toml", cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert [line.split(" ")[0] for line in again.stdout.splitlines()] == ["ok"] * 6
    code, output, verdict = verify(tmp_path, "--min", "exposures=50", "--max", "error_share=0")
    assert code == 0, output
    assert verdict.verdict == "PASS"
    assert verdict.exposures >= 50
    assert verdict.outcomes["ok"] == verdict.prints_judged > 0
    assert verdict.outcomes["refused_ok"] > 0
    assert (verdict.cells, verdict.sync_runs) == ((), 0)
    assert read_run(tmp_path / "run").synchronises is False
    shown = output + (tmp_path / "run" / "report.html").read_text() + (tmp_path / "run" / "summary.md").read_text()
    assert f"{verdict.exposures} pair(s) of prints in flight at one instant" in output
    assert "Sync runs per second" not in shown
    assert "sync runs; misissuance" not in shown
    assert "coverage cells hit" not in shown


def test_defect(serve: Serve, tmp_path: Path) -> None:
    """A service that keeps the person in a variable that all requests share is found out, paper by paper."""
    serve()
    assert run("calibrate", "target.toml", cwd=tmp_path).returncode == 0
    service, _ = serve("--defect", "shared")
    code, output, verdict = verify(tmp_path, burst_s=1.0)
    assert code == 1, output
    found = [[incident.nonce, incident.recipient, *incident.owners] for incident in verdict.incidents]
    told = [line for line in service.told if REFUSED not in line]
    assert sorted(found) == sorted(told)
    assert verdict.outcomes["wrong_person"] == len(found) > 3
    nonce, recipient, owner = found[0]
    assert f"wrong_person: {recipient} applied for " in output
    assert f" of {owner}" in output
    assert nonce in (tmp_path / "run" / "verdict.json").read_text()


@pytest.mark.long
def test_two_processes(serve: Serve, tmp_path: Path) -> None:
    """Processes that share the load read description and golden file by themselves, and each is judged."""
    serve()
    assert run("calibrate", "target.toml", cwd=tmp_path).returncode == 0
    code, output, verdict = verify(tmp_path, "--processes", "2", burst_s=2.0)
    assert code == 0, output
    assert len(verdict.processes) == 2
    assert {process.self_test for process in verdict.processes.values()} == {"caught"}


JOB = """
[login]
path = "/login"
json = { employee = "{person}" }
cookie = true

[answer.job]
accepted = { status = [202] }
location = { header = "Location" }
pending = { status = [202] }
every_s = 0.01
"""


def test_several_requests_are_one_print(serve: Serve, tmp_path: Path) -> None:
    """Login with cookies, a job that is asked for, a link that is fetched: one attempt, judged by its document."""
    _, path = serve()
    text = path.read_text().replace('"/payslips"', '"/jobs"').replace('in = "body"', 'in = "link"')
    text = text.partition("[kinds.annual]")[0] + "[application]" + text.partition("[application]")[2]
    text = text.replace('options = ["my_number"]\n', "")
    people = "person\n" + "".join(f"P{number:03}\n" for number in range(1, 13))
    (tmp_path / "people.csv").write_text(people)
    path.write_text(f'{text}link = {{ json = "files.0" }}\n{JOB}')
    probed = run("probe", "target.toml", cwd=tmp_path)
    assert probed.returncode == 0, probed.stdout + probed.stderr
    learnt = run("calibrate", "target.toml", cwd=tmp_path)
    assert learnt.stdout == "12 documents and 0 refusals learnt: target.golden.json\n", learnt.stderr
    code, output, verdict = verify(tmp_path, "--max", "error_share=0", burst_s=1.0)
    assert code == 0, output
    (process,) = verdict.processes.values()
    assert process.issued == verdict.prints_judged == verdict.outcomes["ok"] > 20


def test_a_service_that_does_not_refuse(serve: Serve, tmp_path: Path) -> None:
    """Who has to be refused by the people's file and is not is told by the probe, and nothing is learnt."""
    serve()
    (tmp_path / "people.csv").write_text("person,refused\nP001,*\nP002,\n")
    probed = run("probe", "target.toml", cwd=tmp_path)
    assert probed.returncode == 1, probed.stdout + probed.stderr
    assert "FAILED · who has to be refused is refused" in probed.stdout
    learnt = run("calibrate", "target.toml", cwd=tmp_path)
    assert learnt.returncode == 1, learnt.stdout + learnt.stderr
    assert "of P001, payslip+my_number of P001, annual of P001; right is an answer" in learnt.stderr
    assert not (tmp_path / "target.golden.json").exists()


def account(verdict: Verdict, most: int) -> None:
    """Nothing of a slow service is a misissuance, and every attempt is accounted for."""
    assert verdict.incidents == ()
    assert verdict.in_flight_at_stop == 0
    (process,) = verdict.processes.values()
    assert process.issued == process.judged + process.failed >= most
    assert verdict.may_have_printed > 0
    assert process.failed > verdict.may_have_printed  # some were told to come again later
    assert verdict.outcomes["error_retried_ok"] > 0
    assert verdict.outcomes["undecided"] == 0


def test_slow_service(serve: Serve, tmp_path: Path) -> None:
    """Answers over the time-out, cut off and reset ones, and 503 with Retry-After raise no false alarm."""
    serve()
    assert run("calibrate", "target.toml", cwd=tmp_path).returncode == 0
    serve("--defect", "slow")
    code, output, verdict = verify(tmp_path, burst_s=4.0)
    assert code == 0, output
    account(verdict, 300)


@pytest.mark.long
def test_slow_service_at_length(serve: Serve, tmp_path: Path) -> None:
    """The same for 5,000 prints."""
    serve()
    assert run("calibrate", "target.toml", cwd=tmp_path).returncode == 0
    serve("--defect", "slow")
    code, output, verdict = verify(tmp_path, burst_s=60.0)
    assert code == 0, output
    account(verdict, 5000)


REFUSALS = [
    (("--defect", "alike"), (), "P002 and P001 get the same payslip: whose it is cannot be told", 1),
    (("--defect", "wordy"), (), "what varies by itself cannot be learnt: what is ", 0),
    (("--volatile", "text"), ("--exact",), "payslip of P001 is not the same twice: from byte ", 0),
]


@pytest.mark.parametrize(("service", "options", "said", "probed"), REFUSALS, ids=["alike", "wordy", "exact"])
def test_nothing_is_learnt(
    serve: Serve, tmp_path: Path, service: tuple[str, str], options: tuple[str, ...], said: str, probed: int
) -> None:
    """Two persons with one document, or documents that change in what must not be hidden, are no base for a proof."""
    serve(*service)
    done = run("calibrate", "target.toml", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr, done.stderr
    assert not (tmp_path / "target.golden.json").exists()
    done = run("probe", "target.toml", cwd=tmp_path)
    assert done.returncode == probed, done.stdout
    if probed:
        assert "FAILED" in done.stdout
        assert '> {"employee":"P0' in done.stdout  # what was sent
        assert "< 200" in done.stdout
    else:
        assert "misissue calibrate learns what varies by itself" in done.stdout


def test_no_golden_file(serve: Serve, tmp_path: Path) -> None:
    """A run without anything to measure by is refused, with the command that makes it."""
    serve()
    done = run("verify", "own_service", "--target", "target.toml", "--out", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "misissue: target.golden.json: there is none; right is to learn the right documents first: "
        "misissue calibrate target.toml\n"
    )


def test_another_version(serve: Serve, tmp_path: Path) -> None:
    """What was learnt of another version of the service is not used."""
    _, path = serve()
    assert run("calibrate", "target.toml", cwd=tmp_path).returncode == 0
    path.write_text(path.read_text().replace('{ path = "/version", at = "build" }', '"8"'))
    for command in (["verify", "own_service", "--target", "target.toml"], ["probe", "target.toml"]):
        done = run(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert "version 7, right is" in done.stderr
        assert "make it again: misissue calibrate target.toml" in done.stderr


def test_no_target(tmp_path: Path) -> None:
    """Whose service it is has to be said."""
    done = run("verify", "own_service", cwd=tmp_path)
    assert done.returncode == 2
    assert (
        "misissue: --target: found none; write MODULE:ATTRIBUTE, or the path of a service's target.toml" in done.stderr
    )


def test_unreachable(serve: Serve, tmp_path: Path) -> None:
    """A service that is not there is named with the key that says where it should be."""
    service, path = serve()
    service.stop()
    done = run("probe", "target.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("misissue: target.toml:4: service.version: /version of http://127.0.0.1:")
    path.write_text(path.read_text().replace('version = { path = "/version", at = "build" }\n', ""))
    done = run("probe", "target.toml", cwd=tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stdout.startswith("NO ANSWER · an application brings a document\n")


def test_load_that_is_not_allowed(tmp_path: Path, serve: Serve) -> None:
    """Rate and duration against another host are bounded before anything is sent."""
    _, path = serve()
    host = "payslips.test.example"
    text = path.read_text()
    address = text.split('base_url = "')[1].split('"')[0]
    safety = (
        f'\n[safety]\nallowed_hosts = ["{host}"]\nmax_rate_per_s = 20\nmax_duration_s = 5\n'
        f'statement = "I operate {host}, and there are test persons only."\n'
    )
    path.write_text(text.replace(address, f"http://{host}") + safety)
    for options, said in (
        ((), "--rate: found none, right against payslips.test.example is a plan of arrivals, such as --rate 20/s"),
        (("--rate", "30/s"), "--rate: found 30/s, right against payslips.test.example is at most 20/s"),
        (("--rate", "20/s"), "the plan takes 27 s, right against payslips.test.example is at most 5 s"),
    ):
        done = run("verify", "own_service", "--target", "target.toml", *options, cwd=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
