"""The start form of Locust's web UI, with our options in it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Serve, open_form, start_run

pytestmark = pytest.mark.timeout(600)


def test_the_start_form(page: Page, serve: Serve) -> None:
    """Our options are fields with the defaults of the profile and of the command line; wrong input starts nothing."""
    served = serve("--seed", "5", bursts=1, burst_s=2)
    open_form(page, served)
    page.get_by_text("Advanced options").click()
    names = [field.get_attribute("name") for field in page.locator("form [name]").all()]
    assert names[5:13] == ["calmS", "calmThinkS", "bursts", "burstS", "gapS", "changesPerS", "seed", "rate"]
    assert not {"out", "target", "criteria", "lang"} & set(names)
    values = {name: page.input_value(f"form [name={name}]") for name in ("calmS", "burstS", "seed", "arrivals", "max")}
    assert values == {"calmS": "2", "burstS": "2", "seed": "5", "arrivals": "poisson", "max": ""}
    for name, wrong, sentence in (
        ("burstS", "long", "--burst-s: found 'long', right would be a number"),
        ("burstS", "-1", "--burst-s: found -1.0, right would be 0 or more"),
        ("userCount", "1", "--users: found 1, right would be more than the 1 that enter changes"),
        ("build", "best", "build: found 'best', right would be seed or fixed"),
        ("set", "slots", "--set: found 'slots', right would be KEY=VALUE"),
        ("max", "eror_share=1", "eror_share"),
        ("confidence", "0.4", "--confidence: found 0.4"),
        ("runTime", "3m", "run time: found '3m', right would be nothing"),
    ):
        before = page.input_value(f"form [name={name}]")
        start_run(page, **{name: wrong})
        expect(page.get_by_role("alert")).to_contain_text(sentence)
        page.fill(f"form [name={name}]", before)
    assert served.snapshot() is None
    assert not (served.place / "run").exists()
    assert served.end() == 3  # nothing was shown
