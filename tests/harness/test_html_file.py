"""The file of a report: the same for the same ledger, small, alone, harmless, and discreet."""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.criteria import Criteria
from harness.evidence.ledger import INCIDENT_DIRECTORY, RUN_FILE, VERDICT_FILE, create_run_directory, write_json
from harness.fingerprint import checksum, sha256
from harness.gate import Decision, examine
from harness.records import Application, Document, ErrorNotice, Evidence, Fault, Group, Print, PrintEvent
from harness.report import files
from harness.report.files import HTML_FILE, html_of, masking_of
from harness.report.html import render_report
from harness.report.language import CODES, ENGLISH, JAPANESE, Language
from harness.report.pictures import Pair, Picture
from harness.report.sheet import LARGEST_BYTES
from harness.run import JudgedRun
from harness.target import Answer
from harness.verdict import Verdict
from targets.municipal.certificates import render
from targets.municipal.people import population
from tests.benchmarks.ledgers import write_ledger
from tests.harness.builders import INNOCENT, KIND, TARGET, describe, paper, sync_run, write_run, write_segment
from tests.harness.pages import Page
from tests.harness.stub import StubTarget
from tests.harness.test_html import HANDED

LANGUAGES = [Language(code=code) for code in CODES]
HARMLESS = "Owner", "Thief", "kind", "option", "error", "A1", "S1", "1"
EVIL = (
    '<script>alert("1")</script>',
    "</title><img src=x onerror=alert(1)>",
    "a&b'c\"d",
    "{{ 7 * 7 }}",
    "</style>",
    "<b>A1</b>",
    "<i>S1</i>",
    "<u>1</u>",
)
"""Names of the owner, the thief, a kind, an option, an error, an application, a sync run and a slot."""
MOST_BYTES = 2_000_000


def test_same_ledger_same_bytes(tmp_path: Path) -> None:
    """Two processes, with other orders of their sets, write the same file for the same ledger."""
    directory = tmp_path / "run"
    write_ledger(directory, prints=300, sync_runs=20, shows_points=True, wrong=5)
    nonce = examine(directory).verdict.incidents[0].nonce
    for person, name in zip(population(7, 2), (f"{nonce}.document", f"{nonce}.right.document"), strict=False):
        document = render("juminhyo", [person], (), issue_date="2023-04-30")
        (directory / INCIDENT_DIRECTORY / name).write_bytes(document)
    written = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.html"
        subprocess.run(
            [sys.executable, "-m", "harness", "report", str(directory), "--out", str(out)],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "LANG": "C"},
            stdout=subprocess.DEVNULL,
        )
        written.append(out.read_bytes())
    assert written[0] == written[1]
    assert written[0].count(b"data:image/png") == 2


@pytest.mark.parametrize("shows_points", [False, True], ids=["from_outside", "with_points"])
def test_a_large_run(tmp_path: Path, *, shows_points: bool) -> None:
    """The file stays small however many prints, persons and incidents there are, and says what it leaves out.

    Even if each picture is as large as one may be.
    """
    directory = tmp_path / "run"
    write_ledger(directory, prints=20_000, sync_runs=2_000, shows_points=shows_points, wrong=1_500)
    decision = examine(directory)
    largest = Picture(
        alt_text_key="pictures.delivered", data_uri=f"data:image/png;base64,{'A' * (LARGEST_BYTES * 4 // 3)}"
    )
    masking = masking_of(decision, JAPANESE, reveal=False)
    page = render_report(decision, JAPANESE, masking, lambda _: Pair(delivered=largest, right=largest))
    assert page.count("data:image/png") == 40
    assert len(page.encode()) < MOST_BYTES
    assert "ほか 1,000 件はここに示していません" in page


def named_run(directory: Path, names: Sequence[str] = EVIL) -> Path:
    """A run in which everything has these names that somebody else can choose."""
    owner, thief, kind, option, error, stolen, during, slot = names
    data = b"paper"
    document = Document(
        persons=(owner,),
        applicants=(owner,),
        group="G1",
        kind=kind,
        options=(option,),
        version=1,
        checksum=checksum(data),
        sha256=sha256(data),
    )

    def handed(name: str, person: str, group: str, at: int) -> Print:
        return Print(
            application=name,
            applicant=person,
            group=group,
            kind=kind,
            options=(option,),
            sent_ns=at,
            answered_ns=at + 100,
            checksum=document.checksum,
            size_bytes=len(data),
        )

    wrong = handed(stolen, thief, "G2", 150)
    right = handed("A2", owner, "G1", 300)
    failed = msgspec.structs.replace(handed("A2", owner, "G1", 160), answer="error", error=error, checksum="")
    load: list[Evidence] = [
        Group(group="G1", persons=(owner,)),
        Group(group="G2", persons=(thief,)),
        document,
        wrong,
        failed,
        msgspec.structs.replace(right, attempt=2),
        Fault(text=f"{owner} and {thief} broke {error}"),
    ]
    points = (
        (f"{stolen}.1", (("waiting", 155), ("staged", 170), ("written", 180), ("read", 240))),
        ("A2.1", (("waiting", 165), ("staged", 210), ("written", 220), ("read", 245))),
    )
    target: list[Evidence] = [
        sync_run(during, 190, 205),
        *(PrintEvent(nonce=nonce, point=p, at_ns=at, slot=slot) for nonce, of_one in points for p, at in of_one),
        ErrorNotice(nonce="A2.1", code=error, at_ns=250),
    ]
    fields: dict[str, Any] = {
        "profile": owner,
        "command": ("/bin/locust", owner),
        "parameters": {f"of {owner}": thief, "settings": {kind: option}},
        "versions": {error: owner},
        "died": f"killed by {error}",
    }
    return write_run(directory, load, target, shows_points=True, **fields)


@pytest.mark.parametrize("language", LANGUAGES, ids=CODES)
@pytest.mark.parametrize("reveal", [False, True], ids=["masked", "revealed"])
def test_hostile_names(tmp_path: Path, language: Language, *, reveal: bool) -> None:
    """Whatever a name is made of, the page has the same elements with the same attributes, and shows it as it is."""
    pages = [
        Page(html_of(tmp_path / name, examine(named_run(tmp_path / name, names)), language, reveal=reveal).decode())
        for name, names in (("harmless", HARMLESS), ("evil", EVIL))
    ]
    harmless, evil = ([(one.tag, list(one.attributes)) for one in page.elements] for page in pages)
    assert harmless == evil
    for name in EVIL[2:]:
        assert name in pages[1].text
    assert reveal == (pages[1].text.count(EVIL[1]) > 1)  # one is the value of a parameter


def test_names_are_hidden(tmp_path: Path) -> None:
    """No name of a person is in the file, in its text, its attributes or anything embedded; with reveal they are."""
    directory = tmp_path / "run"
    write_ledger(directory, prints=2_000, sync_runs=200, shows_points=True, wrong=40)
    decision = examine(directory)
    people = {person for _, persons in decision.evidence.register.groups() for person in persons}
    hidden = html_of(tmp_path, decision, ENGLISH).decode()
    embedded = b"".join(base64.b64decode(data) for data in re.findall(r"base64,([\w+/=]+)", hidden))
    assert not [name for name in people if name in hidden or name.encode() in embedded]
    revealed = html_of(tmp_path, decision, ENGLISH, reveal=True).decode()
    shown = {incident.recipient for incident in decision.verdict.incidents}
    assert shown
    assert all(name in revealed for name in shown)


def test_documents_are_hidden(tmp_path: Path) -> None:
    """What stands in the documents of an incident is masked with the rest, and shown with it."""
    directory = named_run(tmp_path, HARMLESS)
    for name, secret in (("A1.1.document", "Mr Foreign"), ("A1.1.right.document", "Mrs Right")):
        (directory / INCIDENT_DIRECTORY / name).write_text(secret, encoding="utf-8")
    decision = examine(directory)
    hidden, shown = (html_of(directory, decision, ENGLISH, reveal=reveal).decode() for reveal in (False, True))
    for secret in ("Mr Foreign", "Mrs Right"):
        assert secret not in hidden
        assert secret in shown


def test_names_in_sentences_are_hidden(tmp_path: Path) -> None:
    """A fault that names somebody is told with the alias."""
    page = Page(html_of(tmp_path, examine(named_run(tmp_path)), ENGLISH).decode())
    assert "load-1: Person 2 and Person 1 broke </style>" in page.text


def test_names_in_errors_are_hidden(tmp_path: Path) -> None:
    """What the service says of an error, or in a notice of one, may name somebody."""
    names = (*HARMLESS[:4], "no paper of Owner", *HARMLESS[5:])
    text = html_of(tmp_path, examine(named_run(tmp_path, names)), ENGLISH).decode()
    assert "no paper of Person 2" in text
    assert text.count("no paper of Owner") == 1  # the name of a version, of all things


def test_nothing_else_is_needed(tmp_path: Path) -> None:
    """The file asks nobody for anything: no script, no link but to its own sections, no address in its style."""
    page = Page(html_of(tmp_path, examine(write_run(tmp_path, [*INNOCENT, *HANDED])), ENGLISH).decode())
    assert not {element.tag for element in page.elements} & {"script", "link", "iframe", "object", "embed", "form"}
    for element in page.elements:
        for name in ("href", "src", "srcset", "action", "data", "xlink:href"):
            value = element.attributes.get(name, "")
            assert not value or value.startswith(("#", "data:image/"))
    (style,) = page.texts("style")
    assert not re.search(r"@import|url\(", style)
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy.attributes["content"].startswith("default-src 'none'")


@pytest.mark.parametrize("language", LANGUAGES, ids=CODES)
def test_it_can_be_read_out(tmp_path: Path, language: Language) -> None:
    """Language, headings in their order, heads of tables, names of pictures and regions, and ids that are unique."""
    page = Page(html_of(tmp_path, examine(named_run(tmp_path)), language).decode())
    assert page.all("html")[0].attributes["lang"] == language.code
    levels = [int(element.tag[1]) for element in page.elements if re.fullmatch(r"h[1-6]", element.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(head.attributes.get("scope") in {"row", "col"} for head in page.all("th"))
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in page.elements:
        wanted = element.attributes.get("aria-labelledby", "").split()
        wanted += [element.attributes["href"][1:]] if element.tag == "a" else []
        assert set(wanted) <= set(ids)
        if element.attributes.get("role") in {"region", "img"}:
            assert element.attributes.get("aria-label") or element.attributes.get("aria-labelledby")
    assert page.all("svg")
    assert page.elements[page.elements.index(page.all("body")[0]) + 1].attributes["class"] == "skip"


def test_the_command(tmp_path: Path) -> None:
    """`misissue report` writes beside the ledger or where it is told to, in the language asked for, and names both."""
    run = write_run(tmp_path / "run", [*INNOCENT, *HANDED])
    told = CliRunner().invoke(cli, ["report", str(run), "--lang", "ja"], catch_exceptions=False)
    assert (told.exit_code, told.output) == (0, f"FAIL · {run / HTML_FILE}\n")
    page = Page((run / HTML_FILE).read_text(encoding="utf-8"))
    assert page.all("html")[0].attributes["lang"] == "ja"
    assert "人物 1" in page.text
    out = tmp_path / "other.html"
    CliRunner().invoke(cli, ["report", str(run), "--out", str(out), "--reveal"], catch_exceptions=False)
    assert "Person 1" not in out.read_text(encoding="utf-8")
    assert not (run / VERDICT_FILE).exists()


def test_segments_from_elsewhere(tmp_path: Path) -> None:
    """Segments that were not collected are read from the directories behind the first."""
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    for directory in (run, elsewhere):
        create_run_directory(directory)
    write_segment(run, TARGET, [sync_run()])
    write_segment(elsewhere, "load-1", INNOCENT)
    write_json(run / RUN_FILE, describe())
    told = CliRunner().invoke(cli, ["report", str(run), str(elsewhere)], catch_exceptions=False)
    assert told.output.startswith("PASS")


@pytest.mark.parametrize("arguments", [["nowhere"], ["run", "--out", "nowhere/out.html"], ["run", "--lang", "xx"]])
def test_bad_input(tmp_path: Path, arguments: list[str]) -> None:
    """What cannot be read or written is one line on stderr that says what would be right, and exit code 2."""
    write_run(tmp_path / "run")
    done = subprocess.run(
        [sys.executable, "-m", "harness", "report", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert re.search("name (one|another)|is not one of", done.stderr)


@pytest.mark.parametrize("fails", [False, True], ids=["whole", "broken"])
def test_the_verdict_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, fails: bool
) -> None:
    """A run writes its verdict, then its report; the verdict is the same whether there is a report or not."""
    run = JudgedRun(
        StubTarget(),
        tmp_path / "run",
        profile="test",
        seed=7,
        parameters={},
        criteria=Criteria(self_test=False),
        planned_s=1.0,
        language=JAPANESE,
    )
    run.open()
    recorder = run.open_recorder()
    for name, person, group in (("A1", "A", "G1"), ("A2", "X", "G2")):
        application = Application(application=name, applicant=person, group=group, kind=KIND)
        recorder.segment.issued += 1
        recorder.record(application, 100, 200, Answer(document=paper(person)))
    at_the_time: list[bytes] = []

    def watched(directory: Path, decision: Decision, language: Language) -> bytes:
        at_the_time.append((run.directory / VERDICT_FILE).read_bytes())
        if fails:
            raise OSError(28, "No space\nleft on device")
        return html_of(directory, decision, language)

    monkeypatch.setattr(files, "html_of", watched)
    verdict = run.close()
    assert verdict.verdict == "PASS"
    assert at_the_time == [(run.directory / VERDICT_FILE).read_bytes()]
    assert msgspec.json.decode(at_the_time[0], type=Verdict) == verdict
    report = run.directory / HTML_FILE
    assert report.exists() != fails
    assert fails or 'lang="ja"' in report.read_text(encoding="utf-8")
    assert len(capsys.readouterr().err.splitlines()) == int(fails)
