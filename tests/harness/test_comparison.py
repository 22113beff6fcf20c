"""What a person sees of two runs beside one another, on a terminal and as Markdown, in both languages."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.compare import Comparison, Difference
from harness.coverage import Cell
from harness.criteria import Criteria, Limit
from harness.gate import examine
from harness.report.comparison import comparison_markdown, print_comparison
from harness.report.language import ENGLISH, JAPANESE, Language
from tests.harness.builders import HOME, write_run
from tests.harness.test_compare import compared, run_of


@pytest.fixture
def worse(tmp_path: Path) -> Comparison:
    """A PASS, and beside it a FAIL that showed less."""
    criteria = Criteria(self_test=False, maximum=(Limit(metric="p95_s", kind="inkan", value=1.0),))
    a = run_of(tmp_path / "a", meetings=9, parameters={"build": "fixed"})
    b = run_of(
        tmp_path / "b", meetings=5, thefts=5, margin_ns=-20, parameters={"build": "seed", "x": [1]}, criteria=criteria
    )
    return compared(a, b, tolerance=0.1)


def shown(comparison: Comparison, capsys: pytest.CaptureFixture[str], language: Language = ENGLISH) -> list[str]:
    print_comparison(comparison, language)
    return capsys.readouterr().out.splitlines()


def test_on_the_terminal(worse: Comparison, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures, what differs, and at the end the result with its reasons."""
    lines = [" ".join(line.split()) for line in shown(worse, capsys)]
    assert lines == [
        "A: runs/a · PASS · started 2023-04-30T00:00:00+09:00",
        "B: runs/b · FAIL · started 2023-04-30T00:00:00+09:00",
        "what A B change",
        "wrong_person 0 5 +5",
        "ok 18 5 -13",
        "papers 0 5 +5",
        "other persons on them 0 1 +1",
        "exposures 9 5 -4",
        "sync runs 9 5 -4",
        "sync runs met 9 5 -4",
        "coverage cells 6 2 -4",
        "error share 0.00% 0.00%",
        "latency p50 0.000 s 0.000 s",
        "latency p95 0.000 s 0.000 s",
        "latency p99 0.000 s 0.000 s",
        (
            "misissuance in 0 of 9 exposures in A, 5 of 5 in B: "
            "chance hardly makes such a difference (Fisher's exact test, p = 0.0005)"
        ),
        (
            "exercised at least as much: exposures no, sync runs met no, coverage cells no, bound no "
            "(with a tolerance of 10%)"
        ),
        (
            "4 coverage cell(s) hit in A, not in B: before in flight, before in flight + in flight, after in flight, "
            "after in flight + in flight"
        ),
        "criterion maximum p95_s:inkan: not asked for in A, not shown in B",
        'parameters.build: "fixed" in A, "seed" in B',
        "parameters.x: none in A, [1] in B",
        "criteria.maximum.p95_s:inkan: none in A, 1.0 in B",
        (
            "B is worse than A · 5 print(s) ended as wrong_person, 0 in A; 5 exposures, 9 in A; "
            "5 sync runs met a print, 9 in A; 2 of the 6 coverage cells that A hit; "
            "at most 1 misissuances per exposure are shown, 0.283 in A"
        ),
    ]


def test_in_japanese(worse: Comparison, capsys: pytest.CaptureFixture[str]) -> None:
    """The same in Japanese, in the field's own terms."""
    lines = [" ".join(line.split()) for line in shown(worse, capsys, JAPANESE)]
    assert lines[1] == "B：runs/b · FAIL（不合格） · 開始 2023-04-30T00:00:00+09:00"
    assert {
        "誤交付（別人の証明書） 0 5 +5",
        "漏えいした本人（名） 0 1 +1",
        "条件成立 9 5 -4",
        "基準 maximum p95_s:inkan：A は対象外、B は不明",
        "parameters.x：A は なし、B は [1]",
        (
            "誤交付があったのは、A で条件成立 9 回のうち 0 回、B で 5 回のうち 5 回："
            "この差は偶然ではほとんど生じない（フィッシャーの正確確率検定、p = 0.0005）"
        ),
        (
            "少なくとも同じだけ検証されたか：条件成立 いいえ、印刷と重なった随時連携処理 いいえ、網羅セル いいえ、"
            "上限値 いいえ（許容 10%）"
        ),
    } <= set(lines)
    assert lines[-1] == (
        "B は A より悪い · 誤交付（別人の証明書）が 5 件あった（A では 0 件）；条件成立 5 回（A では 9 回）；"
        "印刷と重なった随時連携処理 5 回（A では 9 回）；A が成立させた網羅セル 6 個のうち 2 個；"
        "条件成立 1 回あたりの誤交付は高々 1 まで示された（A では 0.283）"
    )


def test_markdown(worse: Comparison) -> None:
    """The result comes first, then its reasons, the table and what differs; nothing in it is mark-up."""
    lines = comparison_markdown(worse, ENGLISH).splitlines()
    assert lines[:3] == ["## ❌ B is worse than A", "", r"- 5 print(s) ended as wrong\_person, 0 in A"]
    assert lines[6:13] == [
        "- at most 1 misissuances per exposure are shown, 0.283 in A",
        "- A: runs/a · PASS · started 2023-04-30T00:00:00+09:00",
        "- B: runs/b · FAIL · started 2023-04-30T00:00:00+09:00",
        "",
        "| what | A | B | change |",
        "| --- | --- | --- | --- |",
        r"| wrong\_person | 0 | 5 | +5 |",
    ]
    assert lines[-2:] == [
        r"- parameters.x: none in A, \[1\] in B",
        r"- criteria.maximum.p95\_s:inkan: none in A, 1.0 in B",
    ]


@pytest.mark.parametrize("language", [ENGLISH, JAPANESE], ids=["en", "ja"])
@pytest.mark.parametrize(
    ("b", "sign"),
    [
        ({}, "✅"),
        ({"thefts": 1}, "❌"),
        ({"meetings": 2}, "⚠️"),
        ({"ended": "interrupted"}, "⚠️"),
        ({"shows_points": True}, "⚠️"),
    ],
)
def test_every_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: Language, b: dict[str, Any], sign: str
) -> None:
    """Each result has its sentence and its sign, on the terminal and in Markdown, in both languages."""
    comparison = compared(run_of(tmp_path / "a"), run_of(tmp_path / "b", **b))
    sentence = language.text(f"compare.result_{comparison.result}")
    last = shown(comparison, capsys, language)[-1]
    assert last.startswith(sentence)
    assert (" · " in last) == bool(comparison.reasons)
    assert comparison_markdown(comparison, language).startswith(f"## {sign} {sentence}\n")


def test_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is unknown is shown as unknown: figures, rates and exercise."""
    nobody = examine(write_run(tmp_path / "a", (HOME,), shows_points=True))
    lines = [" ".join(line.split()) for line in shown(compared(nobody, run_of(tmp_path / "b")), capsys)]
    assert "latency p50 unknown 0.000 s" in lines
    assert "error share unknown 0.00%" in lines
    assert "misissuance in 0 of 0 exposures in A, 0 of 3 in B: these cannot be compared" in lines
    assert (
        "exercised at least as much: exposures unknown, sync runs met unknown, coverage cells unknown, bound unknown"
    ) in lines


def test_latency_is_a_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A latency that changed is told as a ratio."""
    comparison = compared(run_of(tmp_path / "a"), run_of(tmp_path / "b"))
    figures = tuple(
        msgspec.structs.replace(one, a=0.5, b=0.75) if one.name == "p95_s" else one for one in comparison.figures
    )
    lines = [" ".join(line.split()) for line in shown(msgspec.structs.replace(comparison, figures=figures), capsys)]
    assert "latency p95 0.500 s 0.750 s ×1.50" in lines


def test_much(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of very many cells and differences the first are told, and that there are more."""
    comparison = compared(run_of(tmp_path / "a"), run_of(tmp_path / "b"))
    many = msgspec.structs.replace(
        comparison,
        cells_gained=tuple(Cell(phase="begin", states=("waiting",)) for _ in range(6)),
        setup=tuple(Difference(name=f"x{number}", a=1, b=2) for number in range(33)),
    )
    lines = shown(many, capsys)
    assert f"6 coverage cell(s) hit in B, not in A: {', '.join(['begin waiting'] * 5)}, …" in lines
    assert "x29: 1 in A, 2 in B" in lines
    assert "… and 3 more" in lines
    assert "x30: 1 in A, 2 in B" not in lines


def test_mark_up_is_text(tmp_path: Path) -> None:
    """A directory or a parameter with mark-up in it is shown letter by letter."""
    comparison = compared(run_of(tmp_path / "a"), run_of(tmp_path / "b", parameters={"<b>": "|*x*|"}))
    text = comparison_markdown(comparison, ENGLISH)
    assert r'- parameters.\<b\>: none in A, "\|\*x\*\|" in B' in text.splitlines()
