"""Only this machine's own names, only reading, a strict policy; and hostile text stays text on every page."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from newsdata.explorer.app import make_app
from newsdata.explorer.safety import POLICY, Guard, loopback_names
from newsdata.explorer.serve import open_library

from .conftest import client_of
from .forged import HOSTILE, hostile_version
from .links import Page, read_page, walk


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    out = tmp_path_factory.mktemp("hostile")
    hostile_version(out)
    return client_of(out)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LocalHost:8765"])
def test_own_names_answer(page: TestClient, host: str) -> None:
    assert page.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1", "127.0.0.1:80", "localhost:8766", "127.0.0.1:8765.evil.example", "localhost.:8765",
     "user@localhost:8765", "0.0.0.0:8765", "127.1:8765", ""],
)  # fmt: skip
def test_foreign_names_do_not(page: TestClient, host: str) -> None:
    response = page.get("/", headers={"host": host})
    assert response.status_code == 421
    assert "Articles" not in response.text


@pytest.mark.slow
def test_an_allowed_name_answers(archive: Path) -> None:
    app = Guard(make_app(open_library(str(archive))), {*loopback_names(8765), "jupyter.example:443"})
    client = TestClient(app, base_url="http://jupyter.example:443")
    assert client.get("/about", headers={"host": "jupyter.example:443"}).status_code == 200
    assert client.get("/about", headers={"host": "jupyter.example:444"}).status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_reading(page: TestClient, method: str) -> None:
    response = page.request(method, "/")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, 200),
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
    ],
)
def test_other_websites_cannot_load_from_it(page: TestClient, headers: dict[str, str], status: int) -> None:
    assert page.get("/articles.json", headers=headers).status_code == status


@pytest.mark.parametrize(
    "address", ["/", "/nothing", "/?page=x", "/articles.json", "/export.csv", "/static/page.js", "/reload"]
)
def test_every_response_has_the_headers(page: TestClient, address: str) -> None:
    headers = page.get(address).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "server" not in headers
    assert "unsafe" not in POLICY


@pytest.mark.parametrize(
    "path",
    ["/static/%2e%2e/app.py", "/static/..%2fapp.py", "/assets/%2e%2e/manifest.json", "/assets/../manifest.json", "/manifest.json",
     "/static//etc/passwd", "/v/../../etc/passwd", "/v/%2e%2e/", "/article/../../../../etc/passwd", "/articles/train-2021-12-0000000.parquet"],
)  # fmt: skip
def test_no_path_leads_to_a_file(page: TestClient, path: str) -> None:
    assert page.get(path).status_code == 404


def test_a_long_address_is_refused(page: TestClient) -> None:
    assert page.get("/?q=" + "x" * 20_000).status_code == 414


@pytest.mark.slow
def test_hostile_text_is_text_on_every_page(hostile: TestClient) -> None:
    pages = list(walk(hostile, "/", 90))
    assert len(pages) > 80
    for address, found in pages:
        if found is None:
            continue
        assert found.inline == "", address
        assert "img" not in found.elements or address.endswith("/about"), address
        assert not {name for name in found.attributes if name.startswith("on")} and "style" not in found.attributes, (
            address
        )
        assert found.elements.count("script") == 1, address
        assert all(load.startswith("/") for load in found.loads), address
        outside = [link for link in found.links if not link.startswith(("/", "#"))]
        assert set(outside) <= {"http://elsewhere.example/a.png"}, address
        for letter in "\x00\x07\x1b\u202e\u2066\u200b\ufeff":
            assert letter not in found.text, (address, letter)


def test_hostile_text_can_be_read(hostile: TestClient) -> None:
    text = read_page(hostile, "/").text
    for words in ("<script>alert(1)</script>", "{{ 7 * 7 }}{% raw %}", "⟨U+202E⟩evil", "nul⟨U+0000⟩", "&lt;b&gt;&amp;"):
        assert words in text, words


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_text_can_be_searched_and_stays_in_the_form(hostile: TestClient, words: str) -> None:
    response = hostile.get("/", params={"q": words})
    assert response.status_code == 200
    found = Page(response.text)
    assert found.elements.count("script") == 1
    assert "img" not in found.elements
    assert hostile.get("/articles.json", params={"q": words}).json()["total"] == len(HOSTILE) + 1
    assert hostile.get("/", params={"q": words, "view": "context"}).status_code == 200


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_not_found_quietly(hostile: TestClient, name: str) -> None:
    for place in ("article", "excluded", "cluster", "facet", "assets", "v", "static"):
        response = hostile.get(f"/{place}/{quote(name, safe='')}")
        assert response.status_code == 404, place
        assert Page(response.text).elements.count("script") == 1


def test_the_card_shows_its_own_pictures_only(hostile: TestClient) -> None:
    response = hostile.get("/about")
    assert '<img src="/assets/days.svg"' in response.text
    assert "elsewhere.example/a.png]" in response.text
    assert "<script>alert" not in response.text
    assert 'class="right"' in response.text
    picture = hostile.get("/assets/days.svg")
    assert picture.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert picture.headers["content-type"] == "image/svg+xml"


def test_the_pictures_of_a_build_are_shown(archive: Path) -> None:
    client = client_of(archive)
    card = client.get("/about").text
    for file in sorted((archive / "1.0.0" / "assets").iterdir()):
        assert f'<img src="/assets/{file.name}" alt="' in card
        assert client.get(f"/assets/{file.name}").content == file.read_bytes()
    assert card.count("<img ") == 4


def test_a_picture_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = hostile_version(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder / "assets" / "days.svg").unlink()
    (folder / "assets" / "days.svg").symlink_to(secret)
    assert client_of(tmp_path).get("/assets/days.svg").status_code == 404
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(secret)
    assert "secret" not in client_of(tmp_path).get("/about").text


def test_a_spreadsheet_gets_no_formulas(tmp_path: Path) -> None:
    from .forged import article, forge

    forge(
        tmp_path,
        {("articles", "train"): [article(1, title="=cmd|' /C calc'!A0", text="-1+1", media="@x", source="+y")]},
    )
    client = client_of(tmp_path)
    plain = client.get("/export.csv")
    assert next(csv.DictReader(io.StringIO(plain.text)))["title"] == "=cmd|' /C calc'!A0"
    safe = client.get("/export.csv?for=spreadsheet")
    assert safe.content.startswith(b"\xef\xbb\xbf")
    row = next(csv.DictReader(io.StringIO(safe.content.decode("utf-8-sig"))))
    assert [row[name] for name in ("title", "text", "media", "source")] == [
        "'=cmd|' /C calc'!A0",
        "'-1+1",
        "'@x",
        "'+y",
    ]


def test_the_name_of_a_download_is_safe(page: TestClient) -> None:
    header = page.get("/export.txt", params={"q": '净"\r\nx: y/../利', "in": "title"}).headers["content-disposition"]
    assert header.startswith('attachment; filename="newsdata-1.0.0-')
    assert "%E5%87%80" in header
    assert not set("\r\n/") & set(header.partition("UTF-8")[0])
