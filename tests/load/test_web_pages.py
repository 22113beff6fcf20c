"""Our part of Locust's web UI, on Locust's own application, with a run that a test makes up."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.gate import decide
from harness.live.snapshot import snapshot_of
from harness.records import ErrorNotice, Evidence
from harness.verdict import write_verdict
from tests.harness.builders import INNOCENT, delivery, describe, failed, paper, sync_run, write_run
from tests.load.snapshots import decided, failing, running
from tests.load.web_site import MakeSite

PAPERS: tuple[Evidence, ...] = (
    *INNOCENT,
    delivery("A3", "A", paper("X"), at=(210, 250)),
    replace(failed("A4", "X", at=(220, 240)), error="no image of X"),
    delivery("A4", "X", paper("X"), attempt=2, at=(300, 310)),
)
TOLD: tuple[Evidence, ...] = (sync_run("S1", 120, 230), ErrorNotice(nonce="A4.1", code="X", at_ns=240))


def test_the_tab_is_in_locusts_page(site: MakeSite) -> None:
    """In the reader's language, with the script that makes links."""
    here = site()
    page = here.get("/").text
    assert '{"title": "Misissuance", "key": "misissuance"}' in page
    assert '<script src="./misissuance/static/tab.js" defer></script></body>' in page
    assert "\\u8aa4\\u4ea4\\u4ed8" in here.get("/", Accept_Language="ja-JP,ja;q=0.9,en;q=0.5").text
    assert here.get("/misissuance/static/tab.js").text.startswith("//")


def test_rows_ride_on_locusts_statistics(site: MakeSite) -> None:
    """Locust's own figures are as they were, and the rows of our tables are beside them."""
    here = site()
    here.owner.seen = failing()
    told = here.get("/stats/requests").get_json()
    assert told["stats"][0]["name"] == "Aggregated"
    assert [table["key"] for table in told["extended_stats"]] == ["misissuance", "misissuance-incidents"]
    assert told["extended_stats"][0]["data"][0]["value"].startswith(
        "Somebody was handed somebody else's document: FAIL"
    )
    assert told["extended_stats"][1]["data"][0]["recipient"] == "Person 1"
    assert here.get("/stats/requests").get_json()["extended_stats"] == told["extended_stats"]


@pytest.mark.parametrize(
    ("state", "is_busy", "shown"),
    [
        ("ready", False, "ready"),
        ("stopped", False, "stopped"),
        ("ready", True, "running"),
        ("stopped", True, "running"),
        ("spawning", True, "spawning"),
        ("stopping", False, "running"),
        ("cleanup", False, "running"),
    ],
)
def test_the_page_goes_on_asking_until_the_verdict_is_there(
    site: MakeSite, state: str, is_busy: bool, shown: str
) -> None:
    """Locust's page asks only while a test runs, and so it does until the run is decided and all has come to rest."""
    here = site()
    here.runner.state, here.owner.is_busy = state, is_busy
    assert here.get("/stats/requests").get_json()["state"] == shown


def test_snapshot(site: MakeSite) -> None:
    """Programs and the live overview get the snapshot, without names unless they are asked for."""
    here = site()
    assert here.get("/misissuance/snapshot.json").get_json()["snapshot"] is None
    here.owner.seen = failing(faults=("P00063 was printed twice",))
    told = here.get("/misissuance/snapshot.json").get_json()
    assert (told["snapshot"]["prints_judged"], told["snapshot"]["exposures"]) == (1200, 12)
    assert told["snapshot"]["incidents"][0]["owners"] == ["Person 2", "Person 3"]
    assert told["snapshot"]["faults"] == ["Person 2 was printed twice"]
    assert told["view"]["title"] == "Somebody was handed somebody else's document"
    assert "P000" not in str(told)
    told = here.get("/misissuance/snapshot.json?reveal=1").get_json()
    assert told["snapshot"]["incidents"][0]["recipient"] == "P00057"
    assert here.get("/misissuance/snapshot.json?lang=ja").get_json()["view"]["title"] == "他人の証明書が交付された"


def test_reasons_name_nobody(site: MakeSite) -> None:
    """Neither the sentence of a reason nor its values."""
    here = site()
    here.owner.seen = decided("INCONCLUSIVE", "evidence")
    assert "P000" not in here.get("/misissuance/snapshot.json").text
    assert "P00063" in here.get("/misissuance/snapshot.json?reveal=1").text


def test_a_person_keeps_the_alias_while_the_run_goes_on(site: MakeSite) -> None:
    """An incident that becomes known late, but was earlier, does not rename anybody; the next run begins anew."""
    here = site()
    (first,) = failing().incidents
    late = first.__class__(**{name: getattr(first, name) for name in first.__struct_fields__} | {"recipient": "P1"})

    def recipients() -> list[str]:
        told = here.get("/misissuance/snapshot.json").get_json()
        return [incident["recipient"] for incident in told["snapshot"]["incidents"]]

    here.owner.seen = failing()
    assert recipients() == ["Person 1"]
    here.owner.seen = failing(incidents=(late, first))
    assert recipients() == ["Person 4", "Person 1"]
    here.owner.seen = failing(incidents=(late, first), state="decided")
    assert recipients() == ["Person 1", "Person 4"]
    here.owner.seen = failing(run="run-2")
    assert recipients() == ["Person 1"]


def test_overview(site: MakeSite) -> None:
    """The page brings what it shows at first, its texts, and the table of every coverage cell there is."""
    here = site()
    here.owner.seen = failing()
    answer = here.get("/misissuance/?lang=ja")
    assert '<html lang="ja">' in answer.text
    data = json.loads(answer.text.partition('id="page">')[2].partition("</script>")[0])
    assert data["first"] == here.get("/misissuance/snapshot.json?lang=ja").get_json()
    assert data["texts"]["chart_errors"] == "エラー"
    grid = data["grids"]["220"]
    assert sum(len(group["rows"]) for group in grid["groups"]) * len(grid["phases"]) == 220
    assert [group["number"] for group in data["grids"]["9"]["groups"]] == [1, 2, 3]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What other processes were asked for; they answer with a page, or fail where the directory is called so."""
    asked: list[tuple[object, ...]] = []
    slow = import_module("harness.load.web.slow")

    def run(_: object, *arguments: str, told: bytes, keep: bool) -> bytes:
        asked.append((*arguments, json.loads(told), keep))
        if "broken" in arguments:
            raise slow.SlowError("broken holds no run")
        return b"<!doctype html><body><h1>made</h1>"

    monkeypatch.setattr(slow.SlowWork, "run", run)
    return asked


def test_incident(site: MakeSite, work: list[tuple[object, ...]]) -> None:
    """Its page tells at once what the snapshot tells; the rest is made by another process, with the same aliases."""
    here = site()
    here.owner.seen = failing()
    page = here.get("/misissuance/incident/A3.1?lang=en").text
    assert "Person 1 was handed the document of Person 2, Person 3" in page
    assert 'data-address="A3.1/evidence?lang=en"' in page
    assert "P000" not in page
    assert here.get("/misissuance/incident/A3.1/evidence?lang=en").text.endswith("<h1>made</h1>")
    module = "harness.load.web.evidence"
    assert work == [(module, "runs/one", "en", "--incident=A3.1", ["P00057", "P00063", "P00064"], False)]
    page = here.get("/misissuance/incident/A3.1?reveal=1").text
    assert "P00057 was handed the document of P00063, P00064" in page
    here.get("/misissuance/incident/A3.1/evidence?reveal=1&lang=ja")
    assert work[-1] == (module, "runs/one", "ja", "--reveal", "--incident=A3.1", [], False)


def test_an_incident_that_nobody_knows(site: MakeSite) -> None:
    """It is called unknown, and what stands in its address is no part of the page."""
    here = site()
    here.owner.seen = failing()
    answer = here.get("/misissuance/incident/<b>A9")
    assert answer.status_code == 404
    assert "No incident of that name is known of this run" in answer.text
    assert "<b>" not in answer.text


def test_report(site: MakeSite, work: list[tuple[object, ...]]) -> None:
    """As the ledger stands: while the run goes on that is said above it, once it is decided it stays as it is."""
    here = site()
    assert here.get("/misissuance/report").status_code == 404
    here.owner.seen = running()
    answer = here.get("/misissuance/report?lang=en")
    assert "The run goes on." in answer.text
    assert answer.text.endswith("<h1>made</h1>")
    here.owner.seen = decided()
    answer = here.get("/misissuance/report?lang=en")
    assert answer.text == "<!doctype html><body><h1>made</h1>"
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert [asked[-1] for asked in work] == [False, True]


def test_what_cannot_be_made_is_told(site: MakeSite, work: list[tuple[object, ...]]) -> None:
    """Why there is no report, and why an incident's page tells no more."""
    del work
    here = site()
    here.owner.seen = failing(directory="broken")
    answer = here.get("/misissuance/report?lang=en")
    assert (answer.status_code, "The report cannot be made: broken holds no run" in answer.text) == (404, True)
    part = here.get("/misissuance/incident/A3.1/evidence?lang=en").text
    assert part == "<p class=notice>It cannot be told: broken holds no run</p>"


def test_verdict(site: MakeSite, tmp_path: Path) -> None:
    """The file when there is one, for keeping, and without names unless they are asked for."""
    here = site()
    here.owner.people = ("A", "1")
    write_run(tmp_path / "run", PAPERS, TOLD, parameters={"settings": {"clerk": "A", "beside": 1}}, faults=("A and X",))
    verdict = decide(tmp_path / "run")
    write_verdict(tmp_path / "run", verdict)
    seen = snapshot_of(verdict, describe(), tmp_path / "run")
    here.owner.seen = replace(seen, state="deciding")
    assert here.get("/misissuance/verdict.json").status_code == 404
    here.owner.seen = seen
    answer = here.get("/misissuance/verdict.json?lang=en")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="run-verdict.json"'
    hidden, shown = answer.get_json(), here.get("/misissuance/verdict.json?reveal=1").get_json()
    assert shown == json.loads((tmp_path / "run" / "verdict.json").read_bytes())
    names = {"A": "Person 1", "X": "Person 2"}  # whom nobody knows as a test person has an alias all the same
    for theft in shown["incidents"]:
        theft["recipient"], theft["owners"] = names[theft["recipient"]], [names[one] for one in theft["owners"]]
        theft["exposed_persons"] = [names[one] for one in theft["exposed_persons"]]
    for error in shown["retried_errors"]:
        error |= {"applicant": names[error["applicant"]], "error": "no image of Person 2", "notice": "Person 2"}
    for one in (*shown["incidents"], *shown["retried_errors"]):
        for other in one["neighbours"]:
            other["applicant"] = names[other["applicant"]]
            other["error"] = other["error"].replace("of X", "of Person 2")
            other["notice"] = other["notice"].replace("X", "Person 2")
    gap = next(reason for reason in shown["reasons"] if reason["code"] == "evidence")
    gap |= {"values": {"fault": "Person 1 and Person 2"}, "text": "evidence: Person 1 and Person 2"}
    shown["parameters"]["settings"]["clerk"] = "Person 1"
    assert hidden == shown


def test_a_verdict_that_could_not_be_kept(site: MakeSite, tmp_path: Path) -> None:
    """Where there is none in the run directory, that is said."""
    here = site()
    here.owner.seen = decided(directory=str(tmp_path))
    answer = here.get("/misissuance/verdict.json?lang=en")
    assert (answer.status_code, "There is no verdict.json in the run directory" in answer.text) == (404, True)


def test_no_other_page_may_read_ours(site: MakeSite) -> None:
    """Locust lets every origin read its answers, we let none; and nothing of ours is kept by a cache."""
    here = site()
    here.owner.seen = running()
    headers = here.get("/misissuance/snapshot.json", Origin="https://elsewhere.example").headers
    assert not [name for name, _ in headers if name.startswith("Access-Control")]
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" in here.get("/stats/requests", Origin="https://elsewhere.example").headers


def test_language(site: MakeSite) -> None:
    """That of the address wins, then that of the command line, then that of the browser."""
    japanese, english = "他人の証明書が交付された", "Somebody was handed somebody else's document"
    for lang, path, accepted, title in (
        ("", "", "ja-JP", japanese),
        ("", "", "de, ja;q=0.5, en;q=0.2", japanese),
        ("", "", "de", english),
        ("en", "", "ja", english),
        ("ja", "", "en", japanese),
        ("ja", "?lang=en", "ja", english),
        ("ja", "?lang=fr", "en", japanese),
    ):
        here = site(lang=lang)
        here.owner.seen = failing()
        told = here.get(f"/misissuance/snapshot.json{path}", Accept_Language=accepted).get_json()
        assert told["view"]["title"] == title


def test_our_pages_are_below_locusts(site: MakeSite) -> None:
    """Also where Locust's own are moved."""
    here = site(web_base_path="/load")
    assert here.get("/load/misissuance/snapshot.json").status_code == 200
    assert here.get("/misissuance/snapshot.json").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/stats/requests", "/misissuance/", "/misissuance/snapshot.json", "/misissuance/static/tab.js"),
        *("/misissuance/report", "/misissuance/verdict.json", "/misissuance/incident/A3.1"),
        "/misissuance/incident/A3.1/evidence",
    ],
)
def test_whoever_is_not_logged_in_sees_nothing(site: MakeSite, path: str) -> None:
    """Where Locust asks for a login, all of our pages are behind it."""
    here = site(login=True)
    here.app.secret_key = "of a test"  # noqa: S105 - of this test's own application
    here.web_ui.login_manager.user_loader(lambda _: None)
    answer = here.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login")
