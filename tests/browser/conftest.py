"""A browser, servers for it to look at, and what every page has to be like."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from targets.lifetime import die_with_parent
from tests.e2e.conftest import Command, wait_until
from tests.ports import free_port

CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync"),
)
_PATIENCE_MS = 240_000  # a page of a run that goes on is made by whoever gives way to everybody else
AXE = "axe-core@4.14.1"
_AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
SCREENSHOTS = "MISISSUE_SCREENSHOTS"
"""Variable that names a directory in which the pictures of all pages are kept."""
WINDOWS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1440, "light"), (390, "dark"))
"""Width in pixels and colours; a page is opened in the first of them."""
_GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's; of a module, for playwright's loop would be in the way of tests that have a loop of their own."""
    if not CHROMIUM.exists():
        pytest.fail(f"there is no {CHROMIUM}; install it with: apt-get install chromium")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window in English, in whose scripts nothing may go wrong."""
    context = chromium.new_context(locale="en-US", viewport={"width": WINDOWS[0][0], "height": 900})
    context.set_default_timeout(_PATIENCE_MS)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda told: wrong.append(told.text) if "Content Security Policy" in told.text else None)
    yield opened
    context.close()
    assert not wrong


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """The script of axe-core, fetched once with npm and kept in pytest's cache."""
    assert pytestconfig.cache is not None
    place = pytestconfig.cache.mkdir("axe-core")
    archive = place / f"{AXE.replace('@', '-')}.tgz"
    if not archive.exists():
        fetched = subprocess.run(["npm", "pack", AXE], cwd=place, capture_output=True, text=True)
        if fetched.returncode:
            pytest.fail(f"npm pack {AXE}: {fetched.stderr}; it needs npm (apt-get install npm) and its registry")
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == _AXE_SHA512, archive
    with tarfile.open(archive) as files:
        script = files.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


Look = Callable[[Page, str], None]


@pytest.fixture
def look(axe: str, tmp_path: Path) -> Look:
    """Look at a page, wide and light, narrow and dark: nothing sticks out, and nobody is kept from reading it."""
    kept = Path(os.environ.get(SCREENSHOTS) or tmp_path)

    def look_at(page: Page, name: str) -> None:
        kept.mkdir(parents=True, exist_ok=True)
        for width, scheme in reversed(WINDOWS):  # afterwards it is as it was
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=kept / f"{name}-{width}-{scheme}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            assert grave_violations(page, axe) == [], (name, width, scheme)

    return look_at


def grave_violations(page: Page, axe: str) -> list[str]:
    """Each with its rule, how grave it is and the first element."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['impact']} {one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in _GRAVE]


class Served:
    """A command of ours that serves Locust's web UI, in a directory of its own."""

    def __init__(self, place: Path, *options: str, plan: Mapping[str, object]) -> None:
        port = str(free_port())
        self.place = place
        self.url = f"http://127.0.0.1:{port}/"
        words = [word for name, value in plan.items() for word in (f"--{name}", str(value))]
        self.command = Command(
            *("harness", "verify", "april30", "--web", "--web-port", port, "--out", "run", *options, "--", *words),
            cwd=place,
        )

    def get(self, path: str) -> Any:
        """A JSON answer."""
        with urllib.request.urlopen(self.url + path, timeout=240) as answer:  # noqa: S310 - http of the test's own server
            return json.load(answer)

    def has_ui(self, workers: int) -> bool:
        """Whether it answers, and has so many workers."""
        try:
            told = self.get("stats/requests")
        except urllib.error.URLError:
            return False
        return [worker["state"] for worker in told.get("workers", ())].count("ready") >= workers

    def snapshot(self) -> Any:
        """As programs get it."""
        return self.get("misissuance/snapshot.json?reveal=1")["snapshot"]

    def end(self) -> int:
        """The exit code when it is told to end; whatever it started is gone."""
        self.command.process.terminate()
        code = self.command.wait()
        assert not self.command.left_behind()
        return code


def open_form(page: Page, served: Served) -> None:
    """With all of its fields."""
    page.goto(served.url)
    page.get_by_text("Custom parameters").click()


def start_run(page: Page, **fields: str) -> None:
    """Fill in these fields and press the button."""
    for name, value in fields.items():
        page.fill(f"form input[name={name}]", value)
    page.click("form button[type=submit]")


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start `misissue verify april30 --web` with a plan and wait for its UI."""
    started: list[Served] = []

    def start(*options: str, workers: int = 0, **plan: object) -> Served:
        served = Served(tmp_path, *options, plan={name.replace("_", "-"): value for name, value in plan.items()})
        started.append(served)
        wait_until(lambda: served.has_ui(workers), served.command)
        return served

    yield start
    for served in started:
        served.command.end()


@pytest.fixture(scope="module")
def made_up() -> Iterator[str]:
    """Address of a server whose run is whatever `set/NAME` says, see `tests.browser.made_up`."""
    port = str(free_port())
    command = (sys.executable, "-m", "tests.browser.made_up", port)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=die_with_parent, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.communicate()
