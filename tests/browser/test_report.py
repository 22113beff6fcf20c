"""The HTML report in every state that a run can be in: legible for everybody, on a screen and on paper."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from harness.evidence.ledger import INCIDENT_DIRECTORY
from harness.gate import examine
from harness.report.files import html_of
from harness.report.language import ENGLISH, JAPANESE, Language
from targets.municipal.certificates import render
from targets.municipal.people import population
from tests.benchmarks.ledgers import write_ledger
from tests.browser.conftest import Look
from tests.harness.builders import INNOCENT, paper, planted, write_run
from tests.harness.test_html import HANDED
from tests.harness.test_html_file import EVIL, HARMLESS, named_run


def failing(directory: Path) -> None:
    """One misissuance with its timeline and the two documents."""
    named_run(directory, HARMLESS)
    first, second = population(7, 2)[0], population(7, 2)[-1]
    for person, name in ((first, "A1.1.right.document"), (second, "A1.1.document")):
        document = render("juminhyo", [person], (), issue_date="2023-04-30")
        (directory / INCIDENT_DIRECTORY / name).write_bytes(document)


def hostile(directory: Path) -> None:
    """Names of every sort, and documents that are text."""
    named_run(directory, (*EVIL[:5], "A1", *EVIL[6:]))
    for name in ("A1.1.right.document", "A1.1.document"):
        (directory / INCIDENT_DIRECTORY / name).write_text(f"氏名\n{name}\n{'x' * 200}", encoding="utf-8")


def many(directory: Path) -> None:
    """More incidents than are shown in full, seen from outside only."""
    write_ledger(directory, prints=600, sync_runs=60, shows_points=False, wrong=60)


def passing(directory: Path) -> None:
    """Seen from outside only."""
    write_run(directory, [*INNOCENT, *planted("A", paper("X"))])


def unfinished(directory: Path) -> None:
    """Killed in the middle."""
    write_run(directory, [*INNOCENT, *HANDED[2:]], ended=None, issued=9)


STATES = [(failing, ENGLISH), (failing, JAPANESE), (hostile, ENGLISH), (many, ENGLISH), (passing, JAPANESE)]
STATES += [(unfinished, ENGLISH)]


def open_report(page: Page, place: Path, make: Callable[[Path], None], language: Language, *, reveal: bool) -> None:
    directory = place / make.__name__
    shutil.rmtree(directory, ignore_errors=True)
    make(directory)
    path = place / f"{make.__name__}.html"
    path.write_bytes(html_of(directory, examine(directory), language, reveal=reveal))
    page.goto(path.as_uri())


@pytest.mark.parametrize(("make", "language"), STATES)
def test_everybody_can_read_it(
    page: Page, look: Look, tmp_path: Path, make: Callable[[Path], None], language: Language
) -> None:
    """Wide and narrow, light and dark, in both languages: nothing sticks out and axe finds nothing grave."""
    open_report(page, tmp_path, make, language, reveal=make is hostile)
    expect(page.locator("#verdict")).to_be_visible()
    look(page, f"report-{make.__name__}-{language.code}")


def test_what_has_to_be_seen_is_seen_first(page: Page, tmp_path: Path) -> None:
    """Without scrolling: the verdict, the three sentences that justify it, and the figures."""
    open_report(page, tmp_path, failing, ENGLISH, reveal=False)
    for place in ("#verdict", ".verdict ol li:nth-child(3)", ".tiles"):
        box = page.locator(place).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, place


def test_keyboard(page: Page, tmp_path: Path) -> None:
    """The first stop of the keyboard skips to the content; what scrolls can be scrolled by it; links lead somewhere."""
    open_report(page, tmp_path, failing, ENGLISH, reveal=False)
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.set_viewport_size({"width": 390, "height": 900})
    scrolled = page.locator(".incident .region").first
    scrolled.focus()
    page.keyboard.press("ArrowRight")
    # Not `wait_for_function`: what it does when it has to wait the page's own policy forbids.
    while not scrolled.evaluate("region => region.scrollLeft"):
        page.wait_for_timeout(20)
    page.get_by_role("link", name="Incidents").click()
    expect(page.locator("#incidents")).to_be_in_viewport()


def test_both_documents_are_drawn(page: Page, tmp_path: Path) -> None:
    """What was right and what came out stand side by side, of one size."""
    open_report(page, tmp_path, failing, ENGLISH, reveal=False)
    right, delivered = (image.bounding_box() for image in page.locator(".papers img").all())
    assert right is not None
    assert delivered is not None
    assert right["y"] == delivered["y"]
    assert right["x"] + right["width"] <= delivered["x"]
    assert (right["width"], right["height"]) == (delivered["width"], delivered["height"])


def test_paper(page: Page, tmp_path: Path) -> None:
    """Printed, it is dark on light whatever the screen is like, each incident begins a page, and nothing is lost."""
    open_report(page, tmp_path, failing, ENGLISH, reveal=False)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    path = tmp_path / "report.pdf"
    page.pdf(path=path, prefer_css_page_size=True, print_background=True)
    document = pypdfium2.PdfDocument(path)
    texts = [" ".join(document[n].get_textpage().get_text_range().split()) for n in range(len(document))]
    document.close()
    assert all(texts)
    assert "FAIL" in texts[0]
    assert "Sections of this page" not in "".join(texts)
    (incident,) = [text for text in texts if "Incident 1 of 1" in text]
    assert incident.startswith("Incident 1 of 1")
    for told in ("Outcomes", "is overwritten", "Completeness of the evidence", "To repeat it", "Terms"):
        assert any(told in text for text in texts), told
