"""The command line where it decides by itself; what it starts is tested end to end."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from harness.bound import upper_bound
from harness.cli import cli, main
from harness.compare import Comparison
from harness.criteria import Criteria, Limit
from harness.evidence.ledger import segment_path
from harness.verdict import EXIT_CODES, EXIT_DIED, EXIT_USAGE
from tests.harness.builders import INNOCENT, LOAD, delivery, failed, paper, sync_run, write_run


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


TWO_EXPOSURES = (
    *INNOCENT,
    delivery("A3", "A", paper("A"), at=(1100, 1200)),
    delivery("A4", "X", paper("X"), at=(1100, 1200)),
)
TWO_SYNC_RUNS = (sync_run(), sync_run("S2", 1120, 1180))


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


def test_a_plan_takes_the_time_that_a_run_of_no_known_length_took(tmp_path: Path) -> None:
    """Where no length was planned the one that it had counts."""
    run = write_run(tmp_path / "run", planned_s=0.0, elapsed_s=2.5)
    told = CliRunner().invoke(cli, ["plan", "--rate", "0.05", "--like", str(run)], catch_exceptions=False).output
    assert told.splitlines()[1].endswith("that takes 148 s")


@pytest.mark.parametrize("ended", ["stopped", "interrupted", "complete"])
def test_a_plan_takes_the_time_until_a_run_ended_early(tmp_path: Path, ended: str) -> None:
    """Its exposures were met in the time that it had, and not in the one that was planned."""
    run = write_run(tmp_path / "run", planned_s=600.0, elapsed_s=2.5, ended=ended)
    told = CliRunner().invoke(cli, ["plan", "--rate", "0.05", "--like", str(run)], catch_exceptions=False).output
    assert told.splitlines()[1].endswith("that takes 148 s")


def test_a_plan_in_japanese(tmp_path: Path) -> None:
    """A plan is told in the language that was asked for."""
    run = write_run(tmp_path / "run", planned_s=2.5)
    plan = ("plan", "--rate", "0.05", "--like", str(run), "--lang", "ja")
    assert CliRunner().invoke(cli, plan, catch_exceptions=False).output.splitlines() == [
        "誤交付のない条件成立が 59 回あれば、信頼度 0.95 で 1 回あたり高々 0.05 と言える",
        f"{run} と同じく 2.5 秒に 1 回の頻度なら、148 秒かかる",
    ]


def test_a_run_without_exposures_is_no_measure(tmp_path: Path) -> None:
    """Without an exposure in it nobody can say how long a claim takes."""
    run = write_run(tmp_path / "run", target=(), planned_s=2.5)
    with pytest.raises(click.UsageError, match="met 0 exposures"):
        cli(["plan", "--rate", "0.05", "--like", str(run)], standalone_mode=False)


def gate(*arguments: str) -> tuple[int, str]:
    """Exit code and output of `misissue gate`."""
    done = CliRunner().invoke(cli, ["gate", *arguments], catch_exceptions=False)
    return done.exit_code, done.output


def test_a_gate_takes_other_criteria_for_a_finished_run(tmp_path: Path) -> None:
    """The criteria of a run hold unless others are given, from a file or one by one, and the later ones win."""
    run = str(write_run(tmp_path / "run", [*INNOCENT, failed("A3", "B", at=(300, 310))]))
    file = tmp_path / "criteria.toml"
    file.write_text("self_test = false\n[maximum]\nerror_share = 0.1\n", encoding="utf-8")
    assert gate(run)[0] == 0
    assert gate(run, "--max", "error_share=0.1")[0] == 1
    assert gate(run, "--criteria", str(file))[0] == 1
    assert gate(run, "--criteria", str(file), "--max", "error_share=0.5")[0] == 0
    assert gate(run, "--min", "exposures=2")[0] == 3
    assert gate(run, "--min", "prints:koseki=1")[0] == 3


def test_a_gate_writes_the_reports_that_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JUnit XML and Markdown go to the files that are named, and the run directory stays as it was."""
    run = write_run(tmp_path / "run", [*INNOCENT, delivery("A3", "A", paper("X"), at=(300, 310))])
    before = sorted(run.rglob("*"))
    junit, markdown, page = (tmp_path / name for name in ("out.xml", "out.md", "page.md"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert gate(str(run), "--junit", str(junit), "--markdown", str(markdown), "--lang", "ja")[0] == 1
    assert "人物 1 が住民票の写しを申請し、人物 2 の" in junit.read_text(encoding="utf-8")
    text = markdown.read_text(encoding="utf-8")
    assert "| 人物 1 | 住民票の写し |" in text
    assert page.read_text(encoding="utf-8") == f"{text}\n"
    assert sorted(run.rglob("*")) == before
    assert gate(str(run), "--junit", str(junit), "--markdown", str(markdown), "--reveal")[0] == 1
    assert "A applied for juminhyo and was handed juminhyo of X" in junit.read_text(encoding="utf-8")
    assert "| A | juminhyo |" in markdown.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_leaves_the_exit_code(tmp_path: Path) -> None:
    """The verdict is the verdict, wherever the report on it was to go."""
    run = write_run(tmp_path / "run")
    code, output = gate(str(run), "--junit", str(tmp_path / "nowhere" / "out.xml"))
    assert code == 0
    assert f"misissue: {tmp_path}/nowhere/out.xml was not written: No such file or directory" in output


def test_two_runs_beside_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is the answer: 0 no worse and shown as much, 1 worse, 3 less shown."""
    sound, more = write_run(tmp_path / "sound"), write_run(tmp_path / "more", TWO_EXPOSURES, TWO_SYNC_RUNS)
    bad = write_run(tmp_path / "bad", [*INNOCENT, delivery("A3", "A", paper("X"), at=(300, 310))])

    def compare(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["compare", *map(str, arguments)], catch_exceptions=False)
        return done.exit_code, done.output

    assert compare(sound, more)[0] == 0
    assert compare(sound, bad)[0] == 1
    assert compare(more, sound)[0] == 3
    assert compare(more, sound, "--tolerance", "0.6")[0] == 0
    json, markdown, page = (tmp_path / name for name in ("out.json", "out.md", "page.md"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    code, output = compare(sound, bad, "--json", json, "--markdown", markdown, "--lang", "ja")
    assert "B は A より悪い" in output
    assert markdown.read_text(encoding="utf-8").startswith("## ❌ B は A より悪い\n")
    assert page.read_text(encoding="utf-8") == markdown.read_text(encoding="utf-8") + "\n"
    told = msgspec.json.decode(json.read_bytes(), type=Comparison)
    assert (told.result, told.exit_code, told.a.directory) == ("worse", code, str(sound))


def test_a_gate_joins_segments_that_were_not_collected(tmp_path: Path) -> None:
    """A segment that lies in another directory counts once that directory is named, and is missed before."""
    run = write_run(tmp_path / "run")
    brought = tmp_path / "brought" / "segments"
    brought.mkdir(parents=True)
    path = segment_path(run, LOAD)
    path.rename(brought / path.name)
    assert gate(str(run))[0] == 3
    code, output = gate(str(run), str(brought.parent))
    assert (code, "PASS" in output) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--max", "p95=1"], "p95_s"),
        (["--min", "exposures=-1"], "exposures"),
        (["--confidence", "1.5"], "confidence"),
        (["--criteria", "missing.toml"], "missing.toml"),
    ],
)
def test_criteria_that_are_not_understood_are_a_usage_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    """What is not understood ends with exit code 2 and a line that names it, and the run stays as it was."""
    run = write_run(tmp_path / "run")
    monkeypatch.setattr(sys, "argv", ["misissue", "gate", str(run), *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == EXIT_USAGE
    error = capsys.readouterr().err
    assert error.startswith("misissue: ")
    assert told in error


@pytest.mark.parametrize("number", ["nan", "inf"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--rate"],
        ["plan", "--rate", "1e-3", "--confidence"],
        ["compare", "a", "b", "--tolerance"],
        ["watch", "a", "--every"],
    ],
)
def test_what_is_no_finite_number_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], number: str
) -> None:
    """A number that cannot be compared lies within no limits."""
    monkeypatch.setattr(sys, "argv", ["misissue", *arguments, number])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == EXIT_USAGE
    (told,) = capsys.readouterr().err.splitlines()
    assert f"'{arguments[-1]}': {number} is " in told


def test_an_error_of_ours_is_no_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What nobody foresaw is a death of the harness, and not the 1 that says who was handed a stranger's document."""

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("harness.cli_runs.examine", fail)
    monkeypatch.setattr(sys, "argv", ["misissue", "gate", str(write_run(tmp_path / "run"))])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == EXIT_DIED


def test_a_screen_that_takes_nothing_leaves_the_exit_code(tmp_path: Path) -> None:
    """A verdict that cannot be shown is still the verdict: its exit code is never that of another one."""
    run = write_run(tmp_path / "run", criteria=Criteria(self_test=False, minimum=(Limit(metric="exposures", value=9),)))
    command = [sys.executable, "-m", "harness", "gate", str(run)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == EXIT_CODES["INCONCLUSIVE"]
    (told,) = done.stderr.splitlines()
    assert told.startswith("misissue: not all was shown on stdout: ")


def test_verify_hands_every_option_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option of `misissue verify` reaches Locust under its own name, flags and lists too."""
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: started.append(arguments))
    options = [
        *("--build", "fixed", "--users", "5", "--rate", "20/s", "--arrivals", "constant", "--processes", "2"),
        *("--stop-on-misissuance", "--no-self-test", "--criteria", "c.toml", "--confidence", "0.9"),
        *("--freshness-limit", "1.5", "--max", "error_share=0", "--max", "p95_s=1", "--min", "cells=3"),
        *("--set", "host=10.0.0.1", "--lang", "ja"),
    ]
    CliRunner().invoke(cli, ["verify", "april30", *options, "--", "--bursts", "1"], catch_exceptions=False)
    given = " ".join(started[0])
    for option in (" ".join(options[at : at + 2]) for at in range(0, 10, 2)):
        assert option in given
    for option in ("--stop-on-misissuance --", "--no-self-test", "--criteria c.toml", "--confidence 0.9"):
        assert option in given
    for option in (
        "--freshness-limit 1.5",
        "--max error_share=0 --max p95_s=1",
        "--min cells=3",
        "--set host=10.0.0.1",
        "--lang ja",
    ):
        assert option in given
    assert given.endswith("--bursts 1")


def test_the_language_that_was_asked_for_or_that_of_the_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--lang` decides in which language a person is answered, and the locale where it is not given."""
    run = str(write_run(tmp_path / "run"))
    japanese = "PASS（合格）"
    assert japanese in gate(run, "--lang", "ja")[1]
    assert japanese not in gate(run)[1]
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert japanese in gate(run)[1]
    assert japanese not in gate(run, "--lang", "en")[1]


def test_verify_hands_no_option_on_that_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not asked for is left to the profile."""
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: started.append(arguments))
    CliRunner().invoke(cli, ["verify", "april30"], catch_exceptions=False)
    assert [word for word in started[0] if word.startswith("--")] == ["--headless", "--skip-log-setup"]


@pytest.mark.parametrize(
    ("option", "other"), [(("--arrivals", "constant"), "--rate"), (("--metrics-host", "::1"), "--metrics-port")]
)
def test_an_option_without_the_one_that_it_belongs_to(
    monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], other: str
) -> None:
    """What would be taken and ignored is refused; where the other one stands does not matter."""
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: started.append(arguments))
    with pytest.raises(click.UsageError, match=f"^{option[0]} belongs to {other}, which is not there$"):
        cli(["verify", "april30", *option], standalone_mode=False)
    for there in ((other, "5"), ("--", other, "5"), ("--", f"{other}=5")):
        CliRunner().invoke(cli, ["verify", "april30", *option, *there], catch_exceptions=False)
    assert len(started) == 3


@pytest.mark.parametrize(
    ("options", "given", "address"),
    [
        ((), ["--web-host", "127.0.0.1", "--web-port", "8089"], "http://127.0.0.1:8089/"),
        (("--web-host", "::1", "--web-port", "9"), ["--web-host", "::1", "--web-port", "9"], "http://[::1]:9/"),
    ],
)
def test_web(monkeypatch: pytest.MonkeyPatch, options: Sequence[str], given: list[str], address: str) -> None:
    """With `--web` Locust waits in its web UI, for this machine only unless told otherwise, and its address is told."""
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: started.append(arguments))
    answer = CliRunner().invoke(cli, ["verify", "april30", "--web", *options], catch_exceptions=False)
    assert started[0][5:] == [*given, "--skip-log-setup"]
    assert address in answer.stderr


def test_an_address_of_no_web_ui(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An address without `--web` is refused, and not left without effect."""
    monkeypatch.setattr(sys, "argv", ["misissue", "verify", "april30", "--web-port", "9"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == EXIT_USAGE
    assert "--web" in capsys.readouterr().err


def test_two_runs_of_several_processes_never_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of a run find one another at a port of their own on the loopback, unless another was asked for."""
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _, arguments: started.append(arguments))
    for more in ([], ["--", "--master-port", "7"]):
        CliRunner().invoke(cli, ["verify", "april30", "--processes", "2", *more], catch_exceptions=False)
    own, asked = started
    port = own[own.index("--master-bind-port") + 1]
    assert own[own.index("--master-port") + 1] == port != "5557"
    assert own[own.index("--master-bind-host") + 1] == "127.0.0.1"
    assert "--master-bind-port" not in asked
