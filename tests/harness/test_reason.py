"""The reasons of a verdict: one code, the values, and the same sentence in both languages."""

from pathlib import Path
from string import Formatter

import msgspec
import pytest

from harness.gate import decide
from harness.outcome import Outcome
from harness.reason import SENTENCES, Reason, make_reason, phrase
from harness.report.language import ENGLISH, JAPANESE, catalogue
from harness.report.reasons import reason_text
from harness.verdict import Verdict
from tests.harness.builders import INNOCENT, OTHER, delivery, entry, paper, write_run

CASES: list[tuple[Reason, str, str]] = [
    (
        make_reason("misissued", number=41, outcome="wrong_person"),
        "41 print(s) ended as wrong_person",
        "誤交付（別人の証明書）が 41 件あった",
    ),
    (
        make_reason("maximum", metric="p95_s", kind="inkan", limit=0.5, value=0.82),
        "p95_s of inkan: 0.82, at most 0.5 is allowed",
        "印鑑登録証明書の p95_s：0.82（上限 0.5）",
    ),
    (
        make_reason("maximum", metric="bound", kind="", limit=1.0),
        "bound: it never got a value, at most 1 is allowed",
        "bound：値が得られなかった（上限 1）",
    ),
    (
        make_reason("minimum", metric="exposures", kind="", limit=2.0, value=0),
        "exposures: 0, at least 2 is required",
        "exposures：0（下限 2）",
    ),
    (make_reason("died", died="the target died"), "the target died", "実行中に停止した：the target died"),
    (make_reason("evidence", fault="{it} threw"), "evidence: {it} threw", "証拠の不備：{it} threw"),
    (
        make_reason("shown", documents=10, exposures=3, cells_hit=6, cells=9),
        "10 documents judged, 3 exposures, 6 of 9 coverage cells, no misissuance, nothing undecided",
        "証明書 10 件を照合、条件成立 3 回、網羅セル 9 個のうち 6 個、誤交付なし、判定不能なし",
    ),
]


@pytest.mark.parametrize(("reason", "english", "japanese"), CASES, ids=[english for _, english, _ in CASES])
def test_sentences(reason: Reason, english: str, japanese: str) -> None:
    """A reason says the same in both languages; faults of the evidence stay English in a Japanese frame."""
    assert reason_text(reason, ENGLISH) == reason.text == english
    assert reason_text(reason, JAPANESE) == japanese


def test_both_languages_know_every_code() -> None:
    """No code lacks its Japanese sentence, and none of its values gets lost in it."""
    japanese = catalogue("reason", "ja")
    assert set(japanese) == set(SENTENCES)
    for code, text in SENTENCES.items():
        assert _names(text) == _names(japanese[code]), code


def test_the_verdict_keeps_code_values_and_sentence(tmp_path: Path) -> None:
    """A program finds in verdict.json what it needs without reading English."""
    theft = delivery("A3", "A", paper("X"), at=(300, 310))
    verdict = decide(write_run(tmp_path, (*INNOCENT, OTHER, entry("X"), theft), faults=("a listener threw",)))
    told = msgspec.json.decode(msgspec.json.encode(verdict))
    assert told["reasons"] == [
        {
            "code": "misissued",
            "values": {"number": 1, "outcome": "wrong_person"},
            "text": "1 print(s) ended as wrong_person",
        },
        {"code": "evidence", "values": {"fault": "a listener threw"}, "text": "evidence: a listener threw"},
    ]
    assert msgspec.convert(told, Verdict) == verdict


@pytest.mark.parametrize("outcome", Outcome)
def test_outcomes_are_named(outcome: Outcome) -> None:
    """The Japanese sentence calls an outcome by the field's term."""
    told = reason_text(make_reason("misissued", number=1, outcome=outcome.value), JAPANESE)
    assert told == f"{JAPANESE.text(f'common.outcome_{outcome}')}が 1 件あった"


def test_a_lost_value_is_an_error() -> None:
    """A sentence with a gap in it is never made."""
    with pytest.raises(KeyError, match="outcome"):
        phrase("misissued", {"number": 1}, SENTENCES)


def _names(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)
