"""The page in a real browser, Debian's Chromium: keys only, no script, both themes, hostile text, accessibility.

Skipped where the browser or its driver is missing. No request may leave the machine.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from .forged import HOSTILE, hostile_version

CHROMIUM = shutil.which("chromium")

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if CHROMIUM is None:
    pytest.skip("Chromium is not installed (Debian's package chromium)", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import Browser, Page, Route, sync_playwright  # noqa: E402

pytestmark = pytest.mark.slow

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PAGES = (
    "/",
    "/?view=table",
    "/?q=%E4%B8%87&view=context&sort=1R",
    "/clusters",
    "/splits",
    "/excluded",
    "/rejects",
    "/issues",
    "/about",
    "/facet/code",
    "/nothing",
    "/?page=x",
    "/?q=nowhere",
)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of the page over a folder, without the slash at its end."""
    command = [sys.executable, "-m", "newsdata", "explore", str(folder), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip().rstrip("/")
        finally:
            process.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(archive: Path) -> Iterator[str]:
    with serving(archive) as started:
        yield started


class Watched:
    """A tab in which every console message, error and request elsewhere is noted."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.address = address
        self.faults: list[str] = []
        self._context = browser.new_context(**options)
        self.page: Page = self._context.new_page()
        self.page.on("console", lambda message: self.faults.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        self._context.route("**/*", self._route)

    def _route(self, route: Route) -> None:
        if route.request.url.startswith(f"{self.address}/"):
            route.continue_()
        else:
            self.faults.append(f"request: {route.request.url}")
            route.abort()

    def go(self, path: str) -> Page:
        """Open a page of the server. Its own error pages are no fault."""
        response = self.page.goto(self.address + path)
        if response and response.status >= 400:
            self.faults = [fault for fault in self.faults if "Failed to load resource" not in fault]
        return self.page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits_and_is_accessible(browser: Browser, address: str, scheme: str, width: int) -> None:
    tab = Watched(browser, address, viewport={"width": width, "height": 900}, color_scheme=scheme)
    first = tab.go("/").locator("[data-item] a").first.get_attribute("href")
    cluster = tab.go("/clusters").locator("[data-item] a").first.get_attribute("href")
    serious = []
    for path in (*PAGES, f"{first}?q=%E4%B8%87", cluster):
        page = tab.go(str(path))
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 0, path
        assert page.evaluate("document.querySelector('link[rel=stylesheet]').sheet.cssRules.length") > 50
        found = Axe().run(page).response["violations"]
        serious += [
            (path, one["id"], node["html"])
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
    assert serious == []
    assert tab.faults == []


def test_everything_is_done_with_keys_alone(browser: Browser, address: str) -> None:
    tab = Watched(browser, address, viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page, keys = tab.go("/"), tab.page.keyboard

    def press(key: str) -> None:
        with page.expect_navigation():
            keys.press(key)

    keys.press("?")
    assert page.locator("dialog[open]").is_visible()
    keys.press("Escape")
    keys.press("/")
    keys.type("利好")
    press("Enter")
    assert page.locator("mark").first.inner_text() == "利好"
    total = page.locator(".count strong").inner_text()

    for _ in range(2):
        keys.press("j")
    keys.press("k")
    assert page.locator("[data-item].here").count() == 1
    title = page.locator("[data-item] h3").first.inner_text()
    press("Enter")
    assert page.locator("h1").inner_text() == title
    press("n")
    assert page.locator(".beside .muted").inner_text().startswith("2 of ")
    press("p")
    page.locator("a.mention").first.focus()
    press("Enter")
    assert page.locator(".chips").inner_text().startswith("code ")

    tab.go("/?q=%E5%88%A9%E5%A5%BD")
    last = int(page.locator(".pager span", has_text=" of ").inner_text().split(" of ")[1])
    for number in range(2, last + 1):
        press("n")
        assert f"{number} of {last}" in page.locator(".pager").inner_text()
    assert page.locator("[data-item]").count() >= 1

    tab.go("/?q=%E5%88%A9%E5%A5%BD")
    page.locator(".js-brush").focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight"):
        keys.press(key)
    said = page.locator(".readout").inner_text()
    press("Enter")
    assert said.startswith(page.locator("#from").input_value())
    count = said.split(": ")[1].split(" of ")[0]
    assert page.locator(".count strong").inner_text() == count

    tab.go("/?q=%E5%88%A9%E5%A5%BD")
    page.locator("#take a", has_text="Parquet").focus()
    with page.expect_download() as download:
        keys.press("Enter")
    table = pq.read_table(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert f"{table.num_rows:,}" == total
    page.locator("#take summary").first.focus()
    keys.press("Enter")
    assert "newsdata.load_dataset(" in page.locator("#take pre").first.inner_text()

    tab.go("/clusters")
    keys.press("j")
    press("Enter")
    assert page.locator(".diff").is_visible()
    press("]")
    press("[")
    press("u")
    assert page.locator("h1").inner_text() == "Near-copies"
    assert tab.faults == []


def test_the_brush_filters_by_days(browser: Browser, address: str) -> None:
    tab = Watched(browser, address, viewport={"width": 1280, "height": 900})
    page = tab.go("/?page=2")
    box = page.locator("svg.days.wide").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.30, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.40, box["y"] + 60, steps=4)
    with page.expect_navigation():
        page.mouse.up()
    first, last = page.locator("#from").input_value(), page.locator("#to").input_value()
    assert "2021-12" < first < last
    assert "page=" not in page.url
    assert page.locator("rect.selected").count() == 2
    assert tab.faults == []


def test_without_javascript_all_but_the_brush_works(browser: Browser, address: str) -> None:
    tab = Watched(browser, address, java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = tab.go("/")
    page.fill("#q", "利好")
    page.press("#q", "Enter")
    assert "q=%E5%88%A9%E5%A5%BD" in page.url
    assert page.locator("mark").count() > 3
    total = page.locator(".count strong").inner_text()
    page.locator(".facets a", has_text="validation").click()
    assert page.locator(".count strong").inner_text() != total
    page.locator(".months summary").click()
    page.locator(".months a").first.click()
    assert page.locator("#from").input_value().endswith("-01")
    page.locator(".chips a", has_text="clear all").click()
    page.locator(".tabs a", has_text="Table").click()
    page.locator("[data-item] a").first.click()
    assert page.locator("article h1").is_visible()
    tab.go("/clusters").locator("[data-item] a").first.click()
    page.locator("input[name=left]").nth(1).check()
    page.locator("input[name=right]").nth(0).check()
    page.locator("button", has_text="Compare").click()
    assert "left=" in page.url
    assert page.locator(".diff").is_visible()
    assert page.locator(".js-only").first.is_hidden()
    assert tab.faults == []


def test_hostile_text_does_nothing(browser: Browser, tmp_path: Path) -> None:
    hostile_version(tmp_path)
    with serving(tmp_path) as address:
        tab = Watched(browser, address, viewport={"width": 1280, "height": 900})
        page = tab.go("/")
        links = page.locator("[data-item] a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        clusters = (
            tab.go("/clusters").locator("[data-item] a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        )
        assert len(links) > len(HOSTILE)
        for path in (*PAGES[:-3], *links, *clusters, "/?view=table", "/excluded"):
            page = tab.go(path)
            assert page.evaluate("document.querySelectorAll('script').length") == 1, path
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, (
                path
            )
        for words in HOSTILE:
            tab.go("/")
            page.fill("#q", words.replace("\x00", ""))
            page.press("#q", "Enter")
            page.wait_for_load_state()
        assert tab.faults == []
