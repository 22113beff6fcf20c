"""What a merge request shows of a run: the verdict first, nobody's name, and nothing that is read as mark-up."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.criteria import Criteria, Limit
from harness.gate import Decision, examine
from harness.reason import make_reason
from harness.records import Evidence
from harness.report.files import markdown_of
from harness.report.language import ENGLISH, JAPANESE
from harness.report.markdown import escape, markdown
from harness.report.masking import Masking
from tests.harness.builders import INNOCENT, OTHER, delivery, failed, paper, sync_run, write_run

THEFT = delivery("A3", "A", paper("X"), at=(210, 250))
CRITERIA = Criteria(
    self_test=False,
    maximum=(Limit(metric="error_share", value=0.1), Limit(metric="p95_s", kind="inkan", value=1.0)),
    minimum=(Limit(metric="exposures", value=1),),
)
RUN: tuple[Evidence, ...] = (
    *INNOCENT,
    OTHER,
    THEFT,
    failed("A4", "X", at=(220, 240)),
    delivery("A4", "X", paper("X"), attempt=2, at=(300, 310)),
)


def decided(directory: Path, load: tuple[Evidence, ...] = RUN, **fields: Any) -> Decision:
    return examine(write_run(directory, load, [sync_run("S1", 120, 230)], **fields))


def test_fail(tmp_path: Path) -> None:
    """The page begins with the verdict and its reasons, then tells who was handed whose document, masked."""
    assert markdown_of(decided(tmp_path, criteria=CRITERIA), ENGLISH).splitlines() == [
        "## ❌ FAIL · misissue test",
        "",
        r"- 1 print(s) ended as wrong\_person",
        r"- error\_share: 0.25, at most 0.1 is allowed",
        r"- p95\_s of inkan: it never got a value, at most 1 is allowed",
        "",
        "### Incidents",
        "",
        "| time | outcome | recipient | asked for | handed out | of | sync run | suspected cause |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        (
            r"| 2023-04-30T00:00:00.000+09:00 | wrong\_person | Person 1 | juminhyo | juminhyo | Person 2 | S1 "
            "| two prints in flight at one instant; what they shared cannot be seen from outside |"
        ),
        "",
        "### What was exercised",
        "",
        "- 1 papers with the data of 1 other persons, 0 with My Number; 0 error notices",
        "- 1 exposures in 1 sync runs; misissuance in 1; with 95% confidence at most 1 per exposure",
        (
            r"- 6 of 9 coverage cells; never: before in flight + in flight + in flight, "
            r"during in flight + in flight + in flight, after in flight + in flight + in flight"
        ),
        r"- 5 attempts = 4 judged + 1 failed + 0 in flight, in 1 process(es); self-test none",
        "- latency p50 0.000 s, p95 0.000 s, p99 0.000 s",
        r"- 1 error(s) re-applied and printed normally; who was in flight beside them: verdict.json",
        "",
        "### Outcomes",
        "",
        "| outcome | number |",
        "| --- | --- |",
        r"| wrong\_person | 1 |",
        r"| error\_retried\_ok | 1 |",
        "| ok | 2 |",
        "",
        "### Criteria",
        "",
        "| criterion | found | limit | result |",
        "| --- | --- | --- | --- |",
        r"| error\_share | 0.25 | ≤ 0.1 | broken |",
        r"| p95\_s:inkan | unknown | ≤ 1 | not shown |",
        "| exposures | 1 | ≥ 1 | met |",
        "",
        r"Target stub, seed 1, started 2023-04-30T00:00:00+09:00, run run-1",
    ]


def test_in_japanese(tmp_path: Path) -> None:
    """The same in Japanese, in the field's own terms."""
    lines = markdown_of(decided(tmp_path, criteria=CRITERIA), JAPANESE).splitlines()
    assert lines[0] == "## ❌ FAIL（不合格） · misissue test"
    assert lines[2] == "- 誤交付（別人の証明書）が 1 件あった"
    assert [line for line in lines if line.startswith("### ")] == [
        "### 誤交付の一覧",
        "### 実施した内容",
        "### 結果の内訳",
        "### 合否基準",
    ]
    assert (
        r"| 2023-04-30T00:00:00.000+09:00 | 誤交付（別人の証明書） | 人物 1 | 住民票の写し | 住民票の写し | 人物 2 "
        "| S1 | 二つの印刷が同時に処理中だった（何を共有していたかは外側からは分からない） |"
    ) in lines
    assert r"| p95\_s:inkan | 不明 | ≤ 1 | 不明 |" in lines


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({}, "## ✅ PASS · misissue test"),
        ({"ended": "interrupted"}, "## ⚠️ INCONCLUSIVE · misissue test"),
    ],
)
def test_without_incidents(tmp_path: Path, fields: dict[str, Any], first: str) -> None:
    """A run without incidents and criteria has no tables of them, and is not called anything that it is not."""
    text = markdown_of(decided(tmp_path, INNOCENT, **fields), ENGLISH)
    assert text.splitlines()[0] == first
    assert "### Incidents" not in text
    assert "### Criteria" not in text


def test_names_are_shown_when_asked_for(tmp_path: Path) -> None:
    """With reveal, and only with it, persons are named, in reasons too."""
    decision = decided(tmp_path, faults=("the paper of X is gone",))
    hidden, shown = (markdown_of(decision, ENGLISH, reveal=reveal) for reveal in (False, True))
    assert "| A | juminhyo | juminhyo | X |" in shown
    assert "evidence: the paper of X is gone" in shown
    assert "evidence: the paper of Person 2 is gone" in hidden


def test_much(tmp_path: Path) -> None:
    """Of very many incidents and reasons the first are told, and how many more there are."""
    thefts = [delivery(f"B{at_ns}", "A", paper("X"), at=(at_ns, at_ns + 10)) for at_ns in range(300, 760, 20)]
    decision = decided(tmp_path, (*INNOCENT, *thefts), faults=tuple(f"fault {number}" for number in range(22)))
    lines = markdown_of(decision, ENGLISH).splitlines()
    assert sum("| Person 1 |" in line for line in lines) == 20
    assert "… and 3 more in verdict.json" in lines
    assert "- … and 3 more in verdict.json" in lines
    assert sum(line.startswith("- evidence: fault") for line in lines) == 19


def test_a_sync_run_that_nobody_knows(tmp_path: Path) -> None:
    """Where an incident met no sync run, that is said."""
    far = delivery("A3", "A", paper("X"), at=(900, 910))
    assert "| Person 2 | none | left-over print image" in markdown_of(decided(tmp_path, (*INNOCENT, far)), ENGLISH)


@given(st.text())
def test_mark_up_is_text(text: str) -> None:
    """Whatever a text holds, it stays on its line and in its cell, and no tag, link or mark comes of it."""
    told = escape(text)
    assert len(told.splitlines()) <= 1
    for position, character in enumerate(told):
        if character in "`*_[]<>|#&":
            assert told[position - 1] == "\\"


def test_faults_are_no_mark_up(tmp_path: Path) -> None:
    """A fault with mark-up in it is shown letter by letter."""
    decision = decided(tmp_path, INNOCENT)
    reason = make_reason("evidence", fault="<img src=x> | *bold*\n# head")
    verdict = msgspec.structs.replace(decision.verdict, reasons=(reason,))
    text = markdown(verdict, decision.evidence.run, ENGLISH, Masking())
    assert r"- evidence: \<img src=x\> \| \*bold\* \# head" in text.splitlines()
