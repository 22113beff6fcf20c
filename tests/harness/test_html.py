"""The report says what the verdict says, in one file that needs nothing else, and tells nobody's name unasked."""

import os
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.criteria import Criteria
from harness.criteria_text import add_options
from harness.evidence.ledger import RUN_FILE, create_run_directory, segment_path, write_json
from harness.gate import examine
from harness.outcome import Outcome
from harness.records import ErrorNotice, Evidence
from harness.report.files import html_of, masking_of
from harness.report.html import render_story
from harness.report.language import CODES, ENGLISH, JAPANESE, Language
from harness.report.pictures import draw_incident
from harness.report.repeat import repeat_command
from tests.harness.builders import (
    INNOCENT,
    LOAD,
    delivery,
    describe,
    entry,
    failed,
    paper,
    planted,
    sync_run,
    write_run,
)
from tests.harness.pages import Page

LANGUAGES = [Language(code=code) for code in CODES]
NUMBER = ("my_number",)
HANDED = (
    entry("X", options=NUMBER),
    delivery("A3", "B", paper("X", options=NUMBER), kind="inkan", at=(210, 250)),
    failed("A4", "X", at=(220, 240)),
    delivery("A4", "X", paper("X"), attempt=2, at=(300, 310)),
)
"""B was handed the paper of X; beside it X met an error, applied again, and all went well."""
OTHER_KIND = delivery("A3", "A", paper("A"), kind="inkan", at=(300, 400))


def page_of(
    directory: Path,
    load: Sequence[Evidence] = INNOCENT,
    target: Sequence[Evidence] = (sync_run("S1", 120, 230),),
    *,
    language: Language = ENGLISH,
    reveal: bool = False,
    **fields: Any,
) -> Page:
    """The report on such a run."""
    return Page(
        html_of(directory, examine(write_run(directory, load, target, **fields)), language, reveal=reveal).decode()
    )


def test_fail(tmp_path: Path) -> None:
    """The first screen says FAIL, how many papers and persons, how much was exercised, and whether all is there."""
    page = page_of(tmp_path, [*INNOCENT, *HANDED, *planted("A", paper("X"))])
    (verdict,) = page.all("section", **{"aria-labelledby": "verdict"})
    assert page.texts("h2", id="verdict") == ["FAIL"]
    assert (
        "FAIL The service handed out 1 misissued paper (件) and disclosed the data of 1 other person (名); "
        "1 paper carried a My Number. "
        "The trigger (two prints in flight at one instant inside a sync run) was met once in 1 sync run, and 6 of "
        "9 situations were seen; with 95 % confidence at most 100 % of such exposures end in a misissuance. "
        "The evidence is whole: 5 attempts = 4 judged + 1 failed, and every load process told the wrong image planted "
        "in it from a right one. Reasons 1 print(s) ended as wrong_person"
    ) in verdict.text
    tiles = dict(zip(page.texts("dt"), page.texts("dd"), strict=True))
    assert tiles["misissued papers (件)"] == tiles["persons exposed (名)"] == "1"
    assert tiles["documents judged"] == "4"
    assert page.texts("title") == [
        "FAIL · test · Misissue",
        "The run over time",
        "Latency from the intended start",
        "The print of Person 1",
    ]


def test_pass(tmp_path: Path) -> None:
    """A PASS is never shown without what was exercised and the bound that comes with it."""
    page = page_of(tmp_path, [*INNOCENT, *planted("A", paper("X"))])
    assert page.texts("h2", id="verdict") == ["PASS"]
    assert "No misissuance was found in 2 documents that the service handed out." in page.text
    assert "was met once in 1 sync run," in page.text
    assert "with 95 % confidence at most 95 % of such exposures end in a misissuance" in page.text
    assert "No incident is on record." in page.text


@pytest.mark.parametrize(
    ("load", "target", "fields", "sentence"),
    [
        ((), (sync_run(),), {}, "No document was judged, so nothing is known about misissuances."),
        (INNOCENT, (), {}, "was never met in 0 sync runs, so this run says nothing about what happens then."),
        (INNOCENT, (), {}, "but not every load process was tested with a planted wrong image."),
        (INNOCENT, (), {"issued": 5}, "The evidence is not whole (1 gap; 0 prints undecided)"),
        ((*INNOCENT, delivery("A3", "A", b"?", at=(300, 400))), (), {}, "(0 gaps; 1 print undecided)"),
        ((*INNOCENT, OTHER_KIND), (), {}, "handed out 1 misissued paper (件); as far as is known, no other person"),
    ],
)
def test_sentences(
    tmp_path: Path, load: Sequence[Evidence], target: Sequence[Evidence], fields: dict[str, Any], sentence: str
) -> None:
    """What is unknown is said to be unknown, and never reads as clean."""
    assert sentence in page_of(tmp_path, load, target, **fields).text


def test_an_unfinished_run(tmp_path: Path) -> None:
    """The report on a run that goes on, or was killed, says so at once, and that nothing is decided."""
    directory = write_run(tmp_path / "run", [*INNOCENT], ended=None)
    with segment_path(directory, LOAD).open("r+b") as segment:
        segment.truncate(segment.seek(0, os.SEEK_END) - 30)  # its last line has not been written yet
    page = Page(html_of(directory, examine(directory), ENGLISH).decode())
    assert page.texts("h2", id="verdict") == ["INCONCLUSIVE"]
    assert page.texts("p", **{"class": "notice"})[0].startswith("This run has not ended")
    assert "segment load-1 was never closed" in page.text
    assert not page_of(tmp_path / "ended").all("p", **{"class": "notice"})


def test_an_empty_run(tmp_path: Path) -> None:
    """A run that never came to its load is shown as that, in both languages."""
    create_run_directory(tmp_path)
    write_json(tmp_path / RUN_FILE, describe(segments=(), ended=None))
    for language, sentence in ((ENGLISH, "No load process is on record."), (JAPANESE, "所要時間は不明です。")):
        assert sentence in Page(html_of(tmp_path, examine(tmp_path), language).decode()).text


def test_outcomes(tmp_path: Path) -> None:
    """All sixteen outcomes are there, the worst first, with the Japanese term beside it, in total and by kind."""
    for language in LANGUAGES:
        page = page_of(tmp_path / language.code, [*INNOCENT, *HANDED], language=language)
        head, *rows = page.rows(language.text("html.section_outcomes"))
        assert [row[0] for row in rows] == [outcome.value for outcome in Outcome]
        assert [row[1] for row in rows] == [JAPANESE.text(f"common.outcome_{outcome}") for outcome in Outcome]
        assert head[4:] == [language.name("kind", "inkan"), language.name("kind", "juminhyo")]
        numbers = {row[0]: row[3:] for row in rows}
        assert numbers["wrong_person"] == ["1", "1", "0"]
        assert numbers["error_retried_ok"] == ["1", "0", "1"]
        assert numbers["ok"] == ["2", "0", "2"]


def test_errors_that_hide_something(tmp_path: Path) -> None:
    """Each error that was closed as printed normally names who was handed a misissued document beside it."""
    notice = ErrorNotice(nonce="A4.1", code="no image", at_ns=239)
    page = page_of(tmp_path, [*INNOCENT, *HANDED], [sync_run("S1", 120, 230), notice], reveal=True)
    _, row = page.rows("Errors closed as printed normally")
    assert row[1:7] == ["A4.1", "X", "juminhyo", "no image", "no image", "B (A3.1, wrong_person)"]
    assert "In flight beside 1 of them somebody was handed a misissued document" in page.text


def test_what_hides_something_comes_first(tmp_path: Path) -> None:
    """Of many errors those beside which somebody was handed a misissued document are shown first, all are counted."""
    load = [
        *INNOCENT,
        *(
            print_
            for number in range(60)
            for print_ in (
                failed(f"B{number}", "A", at=(1000 + 10 * number, 1001 + 10 * number)),
                delivery(f"B{number}", "A", paper("A"), attempt=2, at=(1002 + 10 * number, 1003 + 10 * number)),
            )
        ),
        entry("X", options=NUMBER),
        delivery("C1", "B", paper("X"), at=(5000, 5100)),
        failed("C2", "X", at=(5010, 5020)),
        delivery("C2", "X", paper("X"), attempt=2, at=(5200, 5210)),
    ]
    page = page_of(tmp_path, load)
    _, *rows = page.rows("Errors closed as printed normally")
    assert [row[1] for row in rows[:3]] == ["C2.1", "B0.1", "B1.1"]
    assert len(rows) == 50
    assert "61 errors ended in a new application that was printed normally" in page.text
    assert "In flight beside 1 of them" in page.text
    assert "Not shown here: 11 errors." in page.text


def test_errors_that_hide_nothing(tmp_path: Path) -> None:
    """Errors beside which nobody was handed anything wrong are told apart from those, and none are not made up."""
    harmless = page_of(tmp_path / "one", [*INNOCENT, *HANDED[2:]])
    told = "1 error ended in a new application that was printed normally; beside none of them was a misissuance"
    assert told in harmless.text
    assert "No error was re-applied" in page_of(tmp_path / "none").text


def test_evidence(tmp_path: Path) -> None:
    """Each process shows what it issued, judged, failed and left in flight, whether that adds up, and its self-test."""
    page = page_of(tmp_path, [*INNOCENT, failed("A9", "A", at=(300, 310)), *planted("A", paper("A"))], issued=5)
    head, row = page.rows("Completeness of the evidence")
    assert row == ["load-1", "5", "2", "1", "2", "yes", "missed"]
    assert len(head) == len(row)
    more = page_of(tmp_path / "more", [*INNOCENT], issued=1)  # one print more than was sent
    assert more.rows("Completeness of the evidence")[1][5] == "no"
    assert "segment load-1 has 2 prints, but 1 were sent" in more.text


def test_unknown_is_not_zero(tmp_path: Path) -> None:
    """What the service does not tell, and a plan of arrivals that there was not, are shown as unknown."""
    page = page_of(tmp_path)
    tiles = dict(zip(page.texts("dt"), page.texts("dd"), strict=True))
    assert tiles["attempts that the client sent more than once"] == "unknown"
    assert tiles["of the planned rate"] == tiles["applications sent later than planned"] == "unknown"
    assert tiles["attempts without a whole answer, which may have printed"] == "0"


def test_criteria(tmp_path: Path) -> None:
    """Each criterion stands beside its value and its result; one that never got a value is unknown."""
    maximum = ("error_share=0.1", "late_starts=3")
    criteria = add_options(Criteria(self_test=False), maximum=maximum, minimum=("prints:juminhyo=1",))
    decision = examine(write_run(tmp_path, [*INNOCENT, *HANDED]), criteria=criteria)
    _, *rows = Page(html_of(tmp_path, decision, ENGLISH).decode()).rows("Criteria")
    assert rows == [
        ["error_share", "all", "at most 0.1", "0.25", "broken"],
        ["late_starts", "all", "at most 3", "unknown", "not shown"],
        ["prints", "juminhyo", "at least 1", "3", "met"],
    ]


def test_the_run(tmp_path: Path) -> None:
    """Every parameter, those of the target too, and every version is shown."""
    parameters = {"users": 9, "rate": "", "settings": {"build": "seed", "stage_ms": 5.0}}
    page = page_of(tmp_path, parameters=parameters, versions={"python": "3.11", "locust": "2.47"}, seed=7)
    assert page.rows("Parameters")[2:] == [
        ["seed", "7"],
        ["users", "9"],
        ["rate", ""],
        ["settings.build", "seed"],
        ["settings.stage_ms", "5.0"],
    ]
    assert page.rows("Versions")[1:] == [["locust", "2.47"], ["python", "3.11"]]


@pytest.mark.parametrize(
    ("command", "again"),
    [
        ((), ""),
        (
            ("/usr/lib/locust/__main__.py", "-f", "a b.py", "--headless", "--out", "run", "--build", "it's"),
            "python3 -m locust -f 'a b.py' --headless --build 'it'\"'\"'s' --seed 7",
        ),
        (("/usr/bin/locust", "--seed", "7", "--out=run", "--headless"), "locust --seed 7 --headless"),
        (("/usr/bin/misissue", "matrix", "--seed=7"), "misissue matrix --seed=7"),
    ],
)
def test_the_command_that_repeats_the_run(command: tuple[str, ...], again: str) -> None:
    """It can be pasted into a shell, has the seed, and names no directory that is taken already."""
    assert repeat_command(describe(command=command, seed=7)) == again
    if again:
        assert shlex.split(again)[-1] in {"7", "--headless", "--seed=7"}


def test_a_run_of_the_web_ui(tmp_path: Path) -> None:
    """What was chosen in the form is not in the command, so the page says that the parameters have to be chosen."""
    said = "started from Locust's web UI"
    assert said in page_of(tmp_path / "ui", command=("/bin/locust", "-f", "x.py")).text
    assert said not in page_of(tmp_path / "headless", command=("/bin/locust", "-f", "x.py", "--headless")).text
    assert "not on record" in page_of(tmp_path / "unknown").text


def test_one_incident_for_another_page(tmp_path: Path) -> None:
    """The story of any incident can be had alone, with its number in the run and the aliases of the page."""
    load = [*INNOCENT, *(delivery(f"B{n}", "A", paper("X"), at=(1000 * n, 1000 * n + 50)) for n in range(1, 31))]
    decision = examine(write_run(tmp_path, load))
    incident = decision.verdict.incidents[24]
    masking = masking_of(decision, ENGLISH, reveal=False)
    page = Page(render_story(decision, incident, ENGLISH, masking, partial(draw_incident, tmp_path, reveal=False)))
    assert page.texts("h3") == [
        "The print of Person 1 and that of Person 2",
        "What Person 1 applied for, and what came out",
    ]
    steps = [row[3] for row in page.rows("Steps of incident 25")]
    assert "Person 1 applies for juminhyo (B25.1)." in steps
    assert page.all("svg")[0].attributes["aria-labelledby"].startswith("timeline-25-")
