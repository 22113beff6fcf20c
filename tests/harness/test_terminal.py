"""What a person sees: who was handed whose document, then the counts, then the verdict and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.evidence.ledger import RUN_FILE, create_run_directory, write_json
from harness.gate import decide
from harness.incident import Incident
from harness.reason import make_reason
from harness.records import Evidence
from harness.report.language import ENGLISH, JAPANESE, Language
from harness.report.terminal import print_progress, print_verdict
from harness.verdict import Verdict
from tests.harness.builders import (
    HOME,
    INNOCENT,
    LOAD,
    TARGET,
    delivery,
    describe,
    entry,
    failed,
    paper,
    planted,
    sync_run,
    write_run,
    write_segment,
)

NUMBER = ("my_number",)


def shown(
    directory: Path,
    capsys: pytest.CaptureFixture[str],
    load: Sequence[Evidence],
    language: Language = ENGLISH,
    **fields: Any,
) -> str:
    """The text of the verdict on such a run."""
    verdict = decide(write_run(directory, load, [sync_run("[b]S-1[/b]", 120, 230)], **fields))
    print_verdict(verdict, directory, language)
    return capsys.readouterr().out


def test_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A FAIL names recipient, owner, document, sync run and the error beside it, and ends with the verdict."""
    text = shown(
        tmp_path,
        capsys,
        [
            *INNOCENT,
            entry("X", options=NUMBER),
            delivery("A3", "B", paper("X", options=NUMBER), kind="inkan", at=(210, 250)),
            failed("A4", "X", at=(220, 240)),
            delivery("A4", "X", paper("X"), attempt=2, at=(300, 310)),
        ],
    )
    assert (
        "wrong_person: B applied for inkan and was handed juminhyo of X, with My Number, in sync run [b]S-1[/b]; "
        "beside it the error of A4.1, re-applied and printed normally\n"
    ) in text
    assert "1 papers with the data of 1 other persons, 1 with My Number; 0 error notices\n" in text
    assert "1 exposures in 1 sync runs; misissuance in 1; with 95% confidence at most 1 per exposure\n" in text
    assert "FAIL · 1 print(s) ended as wrong_person\n" in text
    assert text.splitlines()[-1] == f"evidence: {tmp_path}"
    assert text.index("wrong_person: B") < text.index("1 papers") < text.index("FAIL ·")


def test_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A PASS is never said without the bound that comes with it."""
    text = shown(tmp_path, capsys, INNOCENT)
    assert "with 95% confidence at most 0.95 per exposure\n" in text
    assert "PASS · 2 documents judged, 1 exposures, 4 of 9 coverage cells, no misissuance, nothing undecided" in text
    assert "4 of 9 coverage cells; never: after in flight, after in flight + in flight, before" in text
    assert "2 attempts = 2 judged + 0 failed + 0 in flight, in 1 process(es); self-test none\n" in text
    assert "latency p50 0.000 s, p95 0.000 s, p99 0.000 s\n" in text
    assert [line.split() for line in text.splitlines() if line.startswith("ok")] == [["ok", "2"]]
    assert "wrong_person" not in text


def test_fail_in_japanese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In Japanese everything but ids, figures and the word of the verdict is in the field's own terms."""
    text = shown(
        tmp_path,
        capsys,
        [
            *INNOCENT,
            entry("X", options=NUMBER),
            delivery("A3", "B", paper("X", options=NUMBER), kind="inkan", at=(210, 250)),
            failed("A4", "X", at=(220, 240)),
            delivery("A4", "X", paper("X"), attempt=2, at=(300, 310)),
        ],
        JAPANESE,
        planned_prints=4,
    )
    incident, *outcomes, papers, bound, coverage, completeness, latency, errors, verdict, evidence = text.splitlines()
    assert incident == (
        "誤交付（別人の証明書）：B が印鑑登録証明書を申請し、X の住民票の写しを交付された（マイナンバーの記載あり）、"
        "随時連携処理 [b]S-1[/b] の最中；並行していた A4.1 はエラーとなり、再度申請して正常に印刷された"
    )
    assert [line.split() for line in outcomes] == [
        ["誤交付（別人の証明書）", "1"],
        ["エラー後再申請・正常終了", "1"],
        ["正常交付", "2"],
    ]
    assert papers == "誤交付 1 件、漏えいした本人 1 名、うちマイナンバーの記載 1 件；エラー通知 0 件"
    assert bound == (
        "随時連携処理 1 回のうち条件成立 1 回、誤交付があったのは 1 回；信頼度 95% で条件成立 1 回あたり高々 1"
    )
    assert coverage == (
        "網羅セル 9 個のうち 6 個；一度も成立せず：連携前 印刷処理中 + 印刷処理中 + 印刷処理中、"
        "連携中 印刷処理中 + 印刷処理中 + 印刷処理中、連携後 印刷処理中 + 印刷処理中 + 印刷処理中"
    )
    assert completeness == ("試行 5 件 = 照合 4 件 + 失敗 1 件 + 処理中 0 件（プロセス 1 個）；自己検査：未実施")
    assert latency == ("応答時間 p50 0.000 秒、p95 0.000 秒、p99 0.000 秒；計画した到着率の 100.0%、開始の遅れ 0 件")
    assert errors == f"再度申請して正常に印刷されたエラー 1 件；同時に処理中だった印刷：{tmp_path / 'verdict.json'}"
    assert verdict == "FAIL（不合格） · 誤交付（別人の証明書）が 1 件あった"
    assert evidence == f"証拠：{tmp_path}"


def test_inconclusive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An INCONCLUSIVE gives all its reasons, brackets and all."""
    text = shown(tmp_path, capsys, INNOCENT, faults=("[red]threw[/red] :smile:",), ended="interrupted")
    assert "INCONCLUSIVE · evidence: [red]threw[/red] :smile:; evidence: the run was interrupted" in text


def test_retried_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors that were closed as printed normally are counted, with where to look who was beside; none are not told."""
    again = failed("A4", "X", at=(220, 240)), delivery("A4", "X", paper("X"), attempt=2, at=(300, 310))
    text = shown(tmp_path / "one", capsys, [*INNOCENT, *again])
    assert (
        "1 error(s) re-applied and printed normally; "
        f"who was in flight beside them: {tmp_path / 'one' / 'verdict.json'}\n"
    ) in text
    assert "4 attempts = 3 judged + 1 failed + 0 in flight, in 1 process(es)" in text
    assert "re-applied" not in shown(tmp_path / "none", capsys, INNOCENT)


def test_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Attempts are added up over all processes, those still in flight too, and a self-test that was missed is seen."""
    directory = write_run(tmp_path / "two", [*INNOCENT, *planted("A", paper("X"))], issued=5)
    write_segment(directory, "load-2", planted("A", paper("A"), segment="load-2"))
    write_json(directory / RUN_FILE, describe(segments=(TARGET, LOAD, "load-2")))
    print_verdict(decide(directory), directory, ENGLISH)
    text = capsys.readouterr().out
    assert "5 attempts = 2 judged + 0 failed + 3 in flight, in 2 process(es); self-test caught, missed\n" in text


def test_nobody_applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that never came to its load is shown as that, without a latency that nobody measured."""
    create_run_directory(tmp_path)
    write_json(tmp_path / RUN_FILE, describe(segments=(), ended=None))
    print_verdict(decide(tmp_path), tmp_path, ENGLISH)
    text = capsys.readouterr().out
    assert "0 attempts = 0 judged + 0 failed + 0 in flight, in 0 process(es); self-test none\n" in text
    assert "latency" not in text


@pytest.mark.parametrize(
    ("planned", "ends"),
    [
        (None, "latency p50 0.100 s, p95 0.500 s, p99 0.500 s\n"),
        (4, "latency p50 0.500 s, p95 unknown, p99 unknown; 50.0% of the planned rate, 1 late starts\n"),
        (20, "latency p50 unknown, p95 unknown, p99 unknown; 10.0% of the planned rate, 1 late starts\n"),
    ],
)
def test_latency(tmp_path: Path, capsys: pytest.CaptureFixture[str], planned: int | None, ends: str) -> None:
    """Percentiles are told in seconds as far as known; what was late or missing, where arrivals were planned."""
    ms = 1_000_000
    late = msgspec.structs.replace(delivery("A1", "A", paper("A"), at=(100 * ms, 500 * ms)), intended_ns=0)
    quick = msgspec.structs.replace(delivery("A2", "X", paper("X"), at=(200 * ms, 300 * ms)), intended_ns=200 * ms)
    text = shown(tmp_path, capsys, [*INNOCENT[:4], late, quick], planned_prints=planned)
    assert ends in text


def test_smallest_cells_first(verdict: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the cells that were never hit those with the fewest prints are named, for the larger ones hang on them."""
    hit = [msgspec.structs.replace(cell, sync_runs=len(cell.states) == 1) for cell in verdict.cells]
    hit[0] = msgspec.structs.replace(hit[0], sync_runs=0)
    print_verdict(msgspec.structs.replace(verdict, cells=tuple(reversed(hit))), Path("runs"), ENGLISH)
    assert (
        "2 of 9 coverage cells; never: before in flight, after in flight + in flight, during in flight + in flight, …\n"
    ) in capsys.readouterr().out


@pytest.fixture
def verdict(tmp_path: Path) -> Verdict:
    return decide(write_run(tmp_path / "run", [HOME, entry("X"), delivery("A1", "A", paper("X"))]))


def test_brackets(verdict: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids and directories are shown letter by letter: brackets are no markup and colons no pictures."""
    incident = msgspec.structs.replace(
        verdict.incidents[0],
        recipient="[bold]A[/bold]",
        exposed_persons=("[/]", ":smile:"),
        sync_run="[red]",
        error_retried_ok=("[link=x]A2.1[/link]",),
    )
    print_verdict(msgspec.structs.replace(verdict, incidents=(incident,) * 9), Path("[red]runs[/red]/:smile:"), ENGLISH)
    text = capsys.readouterr().out
    assert "[bold]A[/bold] applied for juminhyo" in text
    assert "of [/], :smile:, in sync run [red]; beside it the error of [link=x]A2.1[/link]" in text
    assert "… and 1 more in [red]runs[/red]/:smile:/verdict.json\n" in text
    assert "evidence: [red]runs[/red]/:smile:\n" in text


@pytest.mark.parametrize(("number", "told", "more"), [(0, 0, False), (8, 8, False), (9, 8, True)])
def test_many_incidents(
    verdict: Verdict, capsys: pytest.CaptureFixture[str], number: int, told: int, more: bool
) -> None:
    """The first incidents are told, and where the others are."""
    print_verdict(msgspec.structs.replace(verdict, incidents=verdict.incidents * number), Path("runs"), ENGLISH)
    text = capsys.readouterr().out
    assert text.count("wrong_person: A applied") == told
    assert ("… and 1 more in runs/verdict.json" in text) == more


def told(incident: Incident, **fields: object) -> Incident:
    return msgspec.structs.replace(incident, **fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"options": ("household", "my_number")}, "applied for juminhyo household my_number and was handed"),
        ({"delivered_kind": ""}, "was handed a document of X"),
        ({"exposed_persons": (), "owners": ("A", "B")}, "was handed juminhyo of A, B"),
        ({"exposed_persons": (), "owners": ()}, "was handed juminhyo of nobody"),
    ],
)
def test_sentence(verdict: Verdict, capsys: pytest.CaptureFixture[str], fields: dict[str, object], text: str) -> None:
    """The sentence says what was asked for, and what is known of what came."""
    incident = told(verdict.incidents[0], **fields)
    print_verdict(msgspec.structs.replace(verdict, incidents=(incident,)), Path("runs"), ENGLISH)
    assert text in capsys.readouterr().out


def test_options_in_japanese(verdict: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    """Options stand in brackets behind the document, under their names."""
    incident = told(verdict.incidents[0], options=("household", "my_number"))
    print_verdict(msgspec.structs.replace(verdict, incidents=(incident,)), Path("runs"), JAPANESE)
    assert "A が住民票の写し（世帯全員 マイナンバー記載）を申請し、" in capsys.readouterr().out


def test_long_lines(verdict: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence is one line however long, so that it can be searched for."""
    incident = told(verdict.incidents[0], error_retried_ok=tuple(f"A{number}.1" for number in range(200)))
    print_verdict(msgspec.structs.replace(verdict, incidents=(incident,)), Path("runs"), ENGLISH)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("wrong_person:")]
    assert line.endswith("A199.1, re-applied and printed normally")


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress is one line on stderr, out of the way of what is piped on."""
    for language in (ENGLISH, JAPANESE):
        print_progress(3.2, 31, "burst", ok=5, misissued=3, errors=4, language=language)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "   3 of 31 s  burst        5 ok     3 misissued     4 errors",
        "   3 / 31 秒  burst   正常交付      5  誤交付     3  エラー     4",
    ]


def test_progress_of_a_load_of_no_known_length(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody knows how long the load takes only the time that has passed is told."""
    for language in (ENGLISH, JAPANESE):
        print_progress(3.2, 0.0, "load", ok=5, misissued=3, errors=4, language=language)
    assert capsys.readouterr().err.splitlines() == [
        "   3 s  load         5 ok     3 misissued     4 errors",
        "   3 秒  load    正常交付      5  誤交付     3  エラー     4",
    ]


def test_many_reasons(verdict: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    """Of very many reasons the first are told, and where the others are."""
    reasons = tuple(make_reason("evidence", fault=f"reason {n}") for n in range(500))
    print_verdict(msgspec.structs.replace(verdict, reasons=reasons), Path("runs"), ENGLISH)
    text = capsys.readouterr().out
    assert "reason 11; and 488 more in runs/verdict.json" in text
    assert "reason 12" not in text
