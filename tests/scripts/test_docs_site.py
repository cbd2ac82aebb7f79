"""The documentation site, made as `make docs` makes it and read in a real browser, from the folder and without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("zensical")
pytest.importorskip("playwright")

from playwright.sync_api import Page, Route, sync_playwright

import newsdata

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from docs_pages import gather

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")


def make_site(folder: Path, append: str = "") -> subprocess.CompletedProcess[str]:
    """Make the site in `folder`, with something appended to a page."""
    folder.mkdir()
    shutil.copy(ROOT / "mkdocs.yml", folder)
    for name in ("newsdata", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    gather(folder / "build" / "docs")
    with (folder / "build" / "docs" / "docs" / "text.md").open("a", encoding="utf-8") as page:
        page.write(append)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "made"
    made = make_site(folder)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "site"


def test_links_that_lead_nowhere_end_it(tmp_path: Path) -> None:
    made = make_site(tmp_path / "made", append="\n[a](nowhere.md)\n[b](splits.md#nowhere)\n[c](../README.md#nowhere)\n")
    assert made.returncode != 0
    assert (made.stdout + made.stderr).count("does not exist") >= 3


def test_every_public_name_and_its_arguments_are_in_the_reference(site: Path) -> None:
    text = (site / "reference" / "python.html").read_text("utf-8")
    for name in newsdata.__all__:
        assert f'id="newsdata.{name}"' in text, name
    assert "&gt;&gt;&gt;" not in text.replace('<span class="gp">&gt;&gt;&gt; </span>', "")


@pytest.fixture
def tab(site: Path) -> Iterator[tuple[Page, list[str]]]:
    """A tab that may read files of the site only, and what it said or asked for beside that."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    complaints: list[str] = []

    def only_files(route: Route) -> None:
        if route.request.url.startswith(site.as_uri()):
            route.continue_()
        else:
            complaints.append(route.request.url)
            route.abort()

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/*", only_files)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page, complaints
        browser.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_read_without_a_network(site: Path, tab: tuple[Page, list[str]], width: int) -> None:
    page, complaints = tab
    page.set_viewport_size({"width": width, "height": 900})
    names = sorted(path for path in site.rglob("*.html") if path.name != "404.html")  # for servers
    assert len(names) > 20
    for name in names:
        page.goto(name.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    assert complaints == []


@pytest.mark.parametrize("words", ["leak group", "冷柜"])
def test_the_search_works_from_the_folder(site: Path, tab: tuple[Page, list[str]], words: str) -> None:
    page, complaints = tab
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill(words)
    results = page.get_by_role("listbox").get_by_role("option")
    results.first.wait_for(timeout=30_000)
    assert words.split()[0] in (results.first.text_content() or "").lower()
    assert complaints == []
