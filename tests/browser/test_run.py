"""A run in Locust's web UI, from the start form to the verdict, as somebody sees it who watches it there."""

import pytest
from playwright.sync_api import Page, expect

from harness.evidence.ledger import read_run
from tests.browser.conftest import Look, Serve, Served, open_form, start_run
from tests.e2e.conftest import read_verdict, wait_until

pytestmark = pytest.mark.timeout(900)


def _open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def _watch_until_an_incident_shows(page: Page) -> None:
    """In Locust's own UI: our tab, and the table of incidents."""
    _open_tab(page, "Misissuance")
    expect(page.get_by_role("cell", name="Somebody was handed somebody else's document: FAIL")).to_be_visible()
    _open_tab(page, "Misissuance: incidents")
    expect(page.get_by_role("row").nth(1)).to_contain_text("wrong_person")


def _stop(page: Page, served: Served) -> None:
    """In Locust's own UI, until the verdict shows there."""
    page.goto(f"{served.url}?tab=misissuance")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="New")).to_be_visible()
    expect(page.get_by_role("cell", name="decided, ")).to_be_visible()


def test_a_run_is_watched_from_start_to_verdict(page: Page, serve: Serve, look: Look) -> None:
    """Tab and incident show while it goes on, its page opens, Stop decides, Reset loses nothing, the next starts."""
    served = serve(calm_s=0.3, bursts=1, burst_s=600)
    run = served.place / "run"
    open_form(page, served)
    start_run(page, seed="7")
    _watch_until_an_incident_shows(page)
    page.get_by_role("row").nth(1).get_by_role("link").click()
    expect(page.locator("h1")).to_contain_text("was handed the document of")
    expect(page.locator("#beside")).to_be_visible()
    assert served.snapshot()["state"] == "running"
    page.goto(f"{served.url}misissuance/")
    expect(page.locator("#title")).to_have_text("Somebody was handed somebody else's document")
    judged = page.locator("#figure-prints_judged dd")
    before = judged.inner_text()
    expect(judged).not_to_have_text(before)
    page.goto(f"{served.url}misissuance/report")
    expect(page.locator(".notice").first).to_contain_text("The run goes on.")
    assert not (run / "verdict.json").exists()

    _stop(page, served)
    verdict = read_verdict(run)
    assert (verdict["verdict"], read_run(run).seed) == ("FAIL", 7)
    page.get_by_role("button", name="Reset").click()
    assert served.snapshot()["misissued"] == len(verdict["incidents"]) > 0
    nonce = verdict["incidents"][0]["nonce"]
    for path, last in (("", "#charts svg"), (f"incident/{nonce}", "#beside"), ("report", "#incidents")):
        page.goto(f"{served.url}misissuance/{path}")
        expect(page.locator(last).first).to_be_visible()
        look(page, f"decided-{path.partition('/')[0] or 'overview'}")
    page.goto(f"{served.url}misissuance/incident/{nonce}")
    expect(page.locator("svg").first).to_be_visible()
    expect(page.locator("#evidence img")).to_have_count(2)

    page.goto(served.url)
    page.get_by_role("button", name="New").click()
    page.get_by_text("Custom parameters").click()
    start_run(page, burstS="2")
    wait_until((served.place / "run-2" / "verdict.json").exists, served.command)
    expect(page.get_by_role("button", name="New")).to_be_visible()
    assert served.snapshot()["directory"] == "run-2"
    assert read_run(served.place / "run-2").parameters["burst-s"] == 2.0
    assert read_verdict(run) == verdict
    assert served.end() == read_verdict(served.place / "run-2")["exit_code"]


def test_a_run_of_several_processes_is_watched(page: Page, serve: Serve) -> None:
    """On Locust's master the same: tab and incident while it goes on, its page, Stop decides, the next one starts."""
    served = serve("--processes", "2", workers=2, calm_s=0.3, bursts=1, burst_s=600)
    open_form(page, served)
    start_run(page)
    _watch_until_an_incident_shows(page)
    page.get_by_role("row").nth(1).get_by_role("link").click()
    expect(page.locator("#beside")).to_be_visible()
    seen = served.snapshot()
    assert (seen["state"], len(seen["processes"])) == ("running", 2)
    _stop(page, served)
    assert read_verdict(served.place / "run")["verdict"] == "FAIL"
    page.get_by_role("button", name="New").click()
    page.get_by_text("Custom parameters").click()
    start_run(page, burstS="2")
    wait_until((served.place / "run-2" / "verdict.json").exists, served.command)
    assert len(read_verdict(served.place / "run-2")["processes"]) == 2
    served.end()
