"""Our pages in every state that a run can be in: legible for everybody, and at a glance."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Look
from tests.browser.runs import RUNS


@pytest.mark.parametrize("run", RUNS)
def test_everybody_can_read_the_overview(page: Page, look: Look, made_up: str, run: str) -> None:
    """Wide and narrow, light and dark, whatever the state: nothing sticks out and axe finds nothing grave."""
    page.goto(f"{made_up}set/{run}")
    page.goto(f"{made_up}misissuance/")
    expect(page.locator("#title")).not_to_be_empty()
    look(page, f"overview-{run}")


@pytest.mark.parametrize("path", ["incident/A5.1", "incident/A9999.1", "report", "verdict.json"])
def test_everybody_can_read_the_other_pages(page: Page, look: Look, made_up: str, path: str) -> None:
    """Also where there is no such incident, no ledger and no verdict."""
    page.goto(f"{made_up}set/failing")
    page.goto(f"{made_up}misissuance/{path}")
    expect(page.locator("h1")).not_to_be_empty()
    look(page, f"other-{path.replace('/', '-')}")


def test_japanese(page: Page, look: Look, made_up: str) -> None:
    """The whole page in Japanese, also what its script writes."""
    page.goto(f"{made_up}set/failing")
    page.goto(f"{made_up}misissuance/?lang=ja")
    expect(page.locator("#title")).to_have_text("他人の証明書が交付された")
    expect(page.locator("#charts figcaption").first).to_contain_text("判定した証明書")
    expect(page.locator("#coverage summary").first).to_contain_text("同時に 1 件")
    look(page, "overview-ja")


def test_what_has_to_be_seen_is_seen_first(page: Page, made_up: str) -> None:
    """Without scrolling: whether somebody was handed somebody else's document, what was exercised, what is unknown."""
    page.goto(f"{made_up}set/failing")
    page.goto(f"{made_up}misissuance/")
    for place in ("#title", "#figure-misissued", "#figure-exposures", "#figure-gaps"):
        box = page.locator(place).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, place


def test_what_changes_is_shown_within_seconds(page: Page, made_up: str) -> None:
    """The page asks again by itself; a server that does not answer any more makes it say so."""
    page.goto(f"{made_up}set/running")
    page.goto(f"{made_up}misissuance/")
    expect(page.locator("#title")).to_have_text("No misissuance seen so far")
    expect(page.locator("#incidents")).to_be_hidden()
    page.request.get(f"{made_up}set/failing")
    expect(page.locator("#title")).to_have_text("Somebody was handed somebody else's document")
    expect(page.locator("#incidents tbody tr")).to_have_count(25)
    page.get_by_role("button", name="Show all that are known here").click()
    expect(page.locator("#incidents tbody tr")).to_have_count(100)
    expect(page.locator("#incidents-more")).to_contain_text("540 earlier ones")
    page.route("**/snapshot.json*", lambda route: route.abort())
    expect(page.locator("#stale")).to_contain_text("No answer since")


def test_a_server_that_hangs_is_no_answer(page: Page, made_up: str) -> None:
    """What is old is not shown as if it were new, also where the server takes questions and answers none."""
    page.goto(f"{made_up}set/running")
    page.goto(f"{made_up}misissuance/")
    page.route("**/snapshot.json*", lambda _: None)
    expect(page.locator("#stale")).to_contain_text("No answer since")
    page.unroute("**/snapshot.json*")
    expect(page.locator("#stale")).to_be_hidden()


def test_charts_and_cells_say_what_they_show(page: Page, made_up: str) -> None:
    """Each chart has its sentence and its numbers, each cell its count; what was never hit is a dash."""
    page.goto(f"{made_up}set/running")
    page.goto(f"{made_up}misissuance/")
    expect(page.get_by_role("img", name="documents judged: 3,315 after 39 s")).to_be_visible()
    page.get_by_text("The same as a table").click()
    last = page.locator("#course tr").last.locator("td")
    assert last.all_inner_texts() == ["39", "3,315", "7", "13", "108", "370", "0.2"]
    expect(page.locator("#coverage-0 summary")).to_have_text("prints together: 1; 13 of 20 cells hit")
    cells = page.locator("#coverage td").all_inner_texts()
    assert (len(cells), cells.count("–")) == (220, 74)


def test_unknown_cells_are_no_empty_ones(page: Page, made_up: str) -> None:
    """As long as nobody knows which cells were hit, each says so."""
    page.goto(f"{made_up}set/unknown")
    page.goto(f"{made_up}misissuance/")
    assert page.locator("#coverage td").all_inner_texts() == ["unknown"] * 9
    expect(page.locator("#course-none")).to_be_visible()


def test_without_sync_runs(page: Page, made_up: str) -> None:
    """Of a service that synchronises nothing the page tells pairs of prints in flight, and no sync run anywhere."""
    page.goto(f"{made_up}set/in-flight")
    page.goto(f"{made_up}misissuance/")
    expect(page.locator("#coverage-text")).to_contain_text("no sync runs")
    expect(page.locator("#figure-exposures dt")).to_have_text("pairs of prints in flight")
    expect(page.get_by_role("img", name="pairs of prints in flight: 108 after 39 s")).to_be_visible()
    page.get_by_text("The same as a table").click()
    last = page.locator("#course tr").last.locator("td")
    assert last.all_inner_texts() == ["39", "3,315", "7", "13", "108", "0.2"]
    expect(page.locator("#incidents tbody tr")).to_have_count(25)
    spoken = page.inner_text("#main").replace(page.inner_text("#coverage-text"), "")
    assert "sync run" not in spoken.lower()
    page.locator("#incidents a").first.click()
    expect(page.locator("dl.figures dt")).to_have_text(
        ["Time", "Applied for → handed out", "Outcome", "Suspected cause"]
    )


def test_keyboard(page: Page, made_up: str) -> None:
    """Whoever has no mouse comes past the links to the content, and to an incident."""
    page.goto(f"{made_up}set/failing")
    page.goto(f"{made_up}misissuance/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.keyboard.press("Tab")
    expect(page.locator("#incidents a").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/incident/A129.1")


def test_names_are_shown_on_demand_only(page: Page, made_up: str) -> None:
    """A link shows them, on this page and on those that it leads to, and another hides them again."""
    page.goto(f"{made_up}set/failing")
    page.goto(f"{made_up}misissuance/")
    row = page.locator("#incidents tbody tr").first
    expect(row).to_contain_text("Person ")
    assert "P00" not in page.inner_text("body")
    page.get_by_text("Show names").click()
    expect(row).to_contain_text("P00129")
    row.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("P00129 was handed the document of P00063, P00064")
    page.get_by_text("Hide names").click()
    expect(page.locator("h1")).not_to_contain_text("P00")
