"""Pages, their JSON twins, and the states: nothing found, no text, damage, a version that changed, a slow search."""

from __future__ import annotations

import datetime
import json
import shutil
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from starlette.testclient import TestClient

import newsdata
from newsdata.explorer.search import Searcher
from newsdata.explorer.serve import open_library
from newsdata.storage.manifest import versions_in

from ..conftest import ROOT
from .conftest import client_of
from .forged import article, forge
from .links import Page, read_page, walk


@pytest.fixture
def changing(demo: Path, tmp_path: Path) -> Path:
    """A copy of the example that a test may change."""
    return Path(shutil.copytree(demo, tmp_path / "out"))


@pytest.fixture(scope="module")
def text_free(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    out = tmp_path_factory.mktemp("without-text")
    newsdata.build(ROOT / "examples" / "archive", out, num_proc=1, text="none")
    return client_of(out)


PAGES = (
    "/",
    "/articles",
    "/?view=table",
    "/clusters",
    "/excluded",
    "/rejects",
    "/issues",
    "/splits",
    "/about",
    "/facet/code",
)


@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_and_has_a_twin(page: TestClient, address: str) -> None:
    found = read_page(page, address)
    assert found.elements.count("h1") == 1
    path, _, query = address.partition("?")
    twin = page.get(f"{'/articles' if path == '/' else path}.json?{query}")
    assert twin.status_code == 200
    assert {"total", "facets", "rows"} <= twin.json().keys()


@pytest.mark.slow
def test_every_link_answers_and_no_page_runs_or_loads_anything_of_its_own(
    page: TestClient, demo_page: TestClient
) -> None:
    for client, start in ((page, "/splits"), (demo_page, "/")):
        pages = list(walk(client, start, 36))
        assert len(pages) > 30
        for address, found in pages:
            if found:
                assert found.inline == "", address
                assert not [name for name in found.attributes if name.startswith("on") or name == "style"], address
                assert all(load.startswith("/") for load in found.loads), address


def test_an_article_shows_its_text_and_what_it_was_read_from(demo_page: TestClient) -> None:
    found = read_page(demo_page, "/article/202202102275500014?q=青岚")
    for words in (
        "冷柜企业首轮提价落地",
        "003701",
        "望山财经",
        "2022-02-10-202202102275500014.md",
        "emnews",
        "near-copies",
        "leak_group",
    ):
        assert words in found.text, words
    assert found.elements.count("mark") >= 1
    data = demo_page.get("/article/202202102275500014.json").json()
    assert data["rows"][0]["num_chars"] == 439
    assert [file["path"] for file in data["files"]] == sorted(file["path"] for file in data["files"])
    assert len(data["files"]) == 2


def test_revisions_and_origins_are_shown_where_there_are_any(tmp_path: Path) -> None:
    when = datetime.datetime(2022, 1, 2, tzinfo=datetime.UTC)
    one = article(1)
    path = "_posts/2022-01-01-a.md"
    post = {
        "path": path,
        "sha256": "aa",
        "article_id": one["article_id"],
        "front_matter": '{"title": "raw"}',
        "body": "roh",
    }
    revisions = [
        {
            "article_id": one["article_id"],
            "path": path,
            "commit": "c" * 40,
            "revised_at": when,
            "title": "vorher",
            "text": "alt",
        },
        {"article_id": one["article_id"], "path": path, "commit": "d" * 40, "revised_at": when + datetime.timedelta(1)},
    ]
    forge(
        tmp_path,
        {
            ("articles", "train"): [one],
            ("posts", "posts"): [post],
            ("origins", "origins"): [{"path": path, "blob": "b" * 40, "commit": "e" * 40}],
            ("revisions", "revisions"): revisions,
        },
    )
    client = client_of(tmp_path)
    text = " ".join(read_page(client, f"/article/{one['article_id']}").text.split())
    for words in ("2 revisions", "vorher", "alt", "c" * 40, "the file was taken away", "commit " + "e" * 40, "roh"):
        assert words in text, words
    data = client.get(f"/article/{one['article_id']}.json").json()
    assert [row["commit"] for row in data["revisions"]] == ["c" * 40, "d" * 40]


def test_an_article_leads_through_the_search(page: TestClient) -> None:
    rows = page.get("/articles.json", params={"q": "万"}).json()["rows"]
    ids = [row["article_id"] for row in rows]
    found = read_page(page, f"/article/{ids[1]}?q=%E4%B8%87")
    assert f"/article/{ids[0]}?q=%E4%B8%87" in found.links
    assert f"/article/{ids[2]}?q=%E4%B8%87" in found.links


def test_a_site_post_has_slashes_in_its_id(demo_page: TestClient) -> None:
    assert "half" in read_page(demo_page, "/article/_posts/2022-06-02-half-year").text
    assert read_page(demo_page, f"/article/{quote('_posts/2022-06-02-half-year', safe='')}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "there is no article"),
        ("202205302396600016", "excluded; excluded: straddle, as a copy of"),
        ("_posts/2022-03-24-draft-notes.md", "reject"),
        ("_config.yml", "ignored; files like this one are ignored: configuration"),
    ],
)
def test_an_unknown_article_says_what_is_known(demo_page: TestClient, name: str, words: str) -> None:
    response = demo_page.get(f"/article/{name}")
    assert response.status_code == 404
    assert words in Page(response.text).text
    for link in Page(response.text).links:
        assert demo_page.get(link).status_code == 200, link
    assert demo_page.get(f"/article/{name}.json").json()["status"] == 404


def test_an_excluded_article_has_a_page_of_its_own(demo_page: TestClient) -> None:
    found = read_page(demo_page, "/excluded/202205302396600016")
    assert "Excluded: straddle" in found.text
    assert demo_page.get("/excluded/202202102275500014").status_code == 404


def test_a_cluster_is_shown_as_newsdata_duplicates_says(demo: Path, demo_page: TestClient) -> None:
    (cluster,) = newsdata.duplicates(demo)
    rows = demo_page.get(f"/cluster/{cluster.duplicate_cluster}.json").json()["rows"]
    assert [(row["article_id"], row["similarity"], row["split"]) for row in rows] == [
        (member.article_id, member.similarity, member.split) for member in cluster.members
    ]
    listed = demo_page.get("/clusters.json").json()
    assert listed["total"] == 1
    assert listed["rows"][0]["size"] == 3
    assert listed["rows"][0]["splits"] == ["train", "excluded"]
    ids = [row["article_id"] for row in rows]
    found = read_page(demo_page, f"/cluster/{cluster.duplicate_cluster}?left={ids[2]}&right={ids[0]}")
    assert {"del", "ins"} <= set(found.elements)
    assert "straddle" in found.text
    assert "3 publishers. They are in train; some are excluded. Cluster" in " ".join(found.text.split())
    assert demo_page.get(f"/cluster/{cluster.duplicate_cluster}?left=nobody").status_code == 400
    assert demo_page.get("/cluster/none").status_code == 404


def test_rejects_and_issues(demo: Path, demo_page: TestClient) -> None:
    rejects = list(newsdata.load_dataset(demo, "rejects", split="rejects"))
    found = demo_page.get("/rejects.json").json()
    assert sorted(row["path"] for row in found["rows"]) == sorted(row["path"] for row in rejects)
    assert demo_page.get("/rejects.json", params={"rule": "empty"}).json()["total"] == 1
    assert "the file has no bytes" in read_page(demo_page, "/rejects").text
    text = demo_page.get("/rejects.csv").text
    assert text.splitlines()[0] == "path,sha256,size,rule,reason,line,excerpt"
    assert len(text.splitlines()) == 3
    counts = newsdata.info(demo)["accounting"]["issues_by_code"]
    posts = list(newsdata.load_dataset(demo, "posts", split="posts"))
    issues = demo_page.get("/issues.json").json()
    assert issues["total"] == sum(bool(post["issues"]) for post in posts)
    assert issues["facets"]["issue"] == dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    one = demo_page.get("/issues.json", params={"issue": "front-matter-lenient"}).json()
    assert one["total"] == counts["front-matter-lenient"]
    assert demo_page.get("/issues.csv?issue=front-matter-lenient").text.count("\r\n") == one["total"] + 1


def test_words_in_context(page: TestClient) -> None:
    first = page.get("/articles.json", params={"q": "利好", "view": "context", "sort": "2R", "window": 20}).json()
    assert first["rows"]
    rights = [row["right"][:2] for row in first["rows"]]
    assert rights == sorted(rights)
    assert all(row["node"] == "利好" and len(row["left"]) <= 20 for row in first["rows"])
    for row in first["rows"][:10]:
        data = page.get(f"/article/{row['article_id']}.json").json()["rows"][0]
        assert data[row["field"]][row["start"] : row["start"] + 2] == "利好"
    assert sum(first["neighbours"]["right"].values()) <= first["lines"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=x", "page"), ("page=0", "page"), ("page=1&page=2", "page"), ("from=2022-02-30", "from"),
        ("from=20220201", "from"), ("from=2022-03-02&to=2022-03-01", "to"), ("split=trian", "split"), ("kind=long", "kind"),
        ("cluster=x", "cluster"), ("sort=x", "sort"), ("view=x", "view"), ("in=body", "in"), ("issue=none", "issue"),
        ("spilt=test", "spilt"), ("q=%ff", "query"), ("view=context", "view"), ("window=9", "window"),
        ("q=" + "x" * 1001, "q"), ("page=%D9%A1", "page"), ("share=yes", "share"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named_and_the_form_kept(page: TestClient, query: str, field: str) -> None:
    response = page.get(f"/?{query}&to=2022-04-01" if "to=" not in query else f"/?{query}")
    assert response.status_code == 400
    assert f"<code>{field}</code>" in response.text
    assert 'value="2022-0' in response.text
    if "split" not in query:
        kept = page.get(f"/?{query}&split=test&split=train").text
        assert all(f'name="split" value="{split}"' in kept for split in ("test", "train"))
    data = page.get(f"/articles.json?{query}")
    assert (data.status_code, data.json()["field"]) == (400, field)


@pytest.mark.parametrize(
    "address",
    ["/nothing", "/articles/x", "/facet/color", "/static/../app.py", "/assets/x.svg", "/v/9.9.9/", "/?page=9999"],
)
def test_nothing_there(page: TestClient, address: str) -> None:
    response = page.get(address)
    assert response.status_code == 404
    assert "Nothing here" in response.text


def test_nothing_found_says_which_filter_to_drop(page: TestClient) -> None:
    found = read_page(page, "/?q=%E4%B8%87&publisher=nobody&split=test")
    assert "No article has all of this" in found.text
    with_publisher = page.get("/articles.json?publisher=nobody&split=test").json()["total"]
    without = page.get("/articles.json?q=%E4%B8%87&split=test").json()["total"]
    assert f"without publisher nobody: {without:,} articles" in " ".join(found.text.split())
    assert with_publisher == 0
    blank = read_page(page, "/?q=%20%E4%B8%87%E4%B8%87%20")
    assert "searched exactly as written" in blank.text


@pytest.mark.slow
def test_a_version_without_text(text_free: TestClient) -> None:
    for address in ("/", "/clusters", "/excluded", "/rejects", "/issues", "/splits", "/article/202202102275500014"):
        told = read_page(text_free, address).text
        assert "This version holds no text." in told, address
        assert told.count("no publisher") <= (address == "/"), address  # the facet has it
    response = text_free.get("/?q=x")
    assert response.status_code == 400
    assert "there is nothing to search" in response.text
    assert text_free.get("/articles.json?split=train&kind=flash").status_code == 200
    assert text_free.get("/export.csv").text.count("\r\n") == 36
    (cluster,) = text_free.get("/clusters.json").json()["rows"]
    assert "texts cannot be compared" in read_page(text_free, f"/cluster/{cluster['duplicate_cluster']}").text


def test_an_empty_version(tmp_path: Path) -> None:
    forge(tmp_path, {})
    client = client_of(tmp_path)
    assert "This version has no articles" in read_page(client, "/").text
    assert "Every file could be read" in read_page(client, "/rejects").text
    assert "No article has a near-copy" in read_page(client, "/clusters").text
    assert "Nothing was excluded" in read_page(client, "/excluded").text
    assert "No post has an issue" in read_page(client, "/issues").text
    assert "nothing to compare" in read_page(client, "/splits").text
    assert client.get("/export.csv").status_code == 200


def test_a_version_with_rejects_only(tmp_path: Path) -> None:
    reject = {"path": "_posts/a.md", "sha256": "00", "size": 0, "rule": "empty", "reason": "the file has no text"}
    forge(tmp_path, {("rejects", "rejects"): [reject]})
    client = client_of(tmp_path)
    assert "See the excluded articles and the rejects" in " ".join(read_page(client, "/").text.split())
    assert "1 file should be posts" in " ".join(read_page(client, "/rejects").text.split())


def test_a_damaged_file_is_named_and_the_rest_is_shown(changing: Path) -> None:
    shard = changing / "1.0.0" / "articles" / "train-2022-03-0000000.parquet"
    shard.write_bytes(shard.read_bytes()[:-9])
    client = client_of(changing)
    found = read_page(client, "/")
    assert "1 file of this version cannot be trusted" in found.text
    assert "articles/train-2022-03-0000000.parquet" in found.text
    assert "newsdata verify" in found.text
    rows = newsdata.info(changing)["accounting"]["articles"] - 1
    assert 0 < client.get("/articles.json").json()["total"] < rows


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["posts/posts-2022-03-0000000.parquet", "rejects/rejects-undated-0000000.parquet", "README.md"]
)
def test_damage_of_any_file_is_named(changing: Path, name: str) -> None:
    (changing / "1.0.0" / name).unlink()
    client = client_of(changing)
    for address in ("/", "/rejects", "/issues", "/about"):
        assert f"{name} is missing" in " ".join(read_page(client, address).text.split())


def test_a_byte_that_changed_is_found_by_the_hash(changing: Path) -> None:
    shard = changing / "1.0.0" / "articles" / "train-2022-03-0000000.parquet"
    data = bytearray(shard.read_bytes())
    data[len(data) // 3] ^= 1
    shard.write_bytes(data)
    client = client_of(changing)
    response = client.get("/")
    assert "articles/train-2022-03-0000000.parquet" in response.text
    assert client.get("/articles.json", params={"q": "的"}).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("config", ["articles/train-2022-03", "posts/posts-2022-03"])
def test_pages_and_exports_leave_out_a_shard_with_other_bytes(changing: Path, config: str) -> None:
    (shard,) = (changing / "1.0.0").glob(f"{config}-*.parquet")
    every = client_of(changing).get("/articles.json").json()["total"]
    data = bytearray(shard.read_bytes())
    data[150:400] = bytes(250)  # in the first columns, not in those that lists are counted from
    shard.write_bytes(data)
    client = client_of(changing)
    ids = client.get("/export.txt").text.split()
    is_article = config.startswith("articles")
    assert (0 < len(ids) < every) if is_article else len(ids) == every
    assert client.get("/export.csv").text.count("\r\n") == len(ids) + 1
    for address in ("/", "/?view=table", "/?q=的&view=context", "/splits", "/clusters", "/issues", "/issues.csv"):
        assert client.get(address).status_code == 200, address
    assert f"{config}-" in read_page(client, "/").text


@pytest.mark.slow
def test_names_with_a_meaning_in_addresses_have_pages(tmp_path: Path) -> None:
    names = ["..", ".", "a", "a/", "a//..", "_posts/2022-01-01-data", "_posts/2022-01-01-data.json", "x.json.json"]
    rows = [article(n, article_id=name, duplicate_cluster=name) for n, name in enumerate(names)]
    copies = [article(n + 50, duplicate_cluster=name, excluded_reason="straddle") for n, name in enumerate(names)]
    aside = [row | {"article_id": f"{row['duplicate_cluster']}/../.."} for row in copies]
    forge(tmp_path, {("articles", "train"): rows, ("excluded", "excluded"): aside})
    client = client_of(tmp_path)
    for start, name_of, wanted in (
        ("/", "/article/", set(names)),
        ("/excluded", "/excluded/", {row["article_id"] for row in aside}),
    ):
        found = set()
        for link in read_page(client, start).links:
            if link.startswith(name_of):
                beside = read_page(client, link)
                assert {"/v/1.0.0" + link.replace("/_posts/", "/_posts%2F")} <= set(beside.links), link
                (twin,) = [other for other in beside.links if other.endswith(".json") and other.startswith(name_of)]
                found.add(client.get(twin).json()["rows"][0]["article_id"])
        assert found == wanted
    clusters = [link for link in read_page(client, "/clusters").links if link.startswith("/cluster/")]
    assert len(clusters) == len(names)
    assert all("2 near-copies" in read_page(client, link).text for link in clusters)


def test_a_file_that_goes_away_while_it_is_looked_at(changing: Path) -> None:
    client = client_of(changing)
    (changing / "1.0.0" / "articles" / "train-2022-02-0000000.parquet").unlink()
    response = client.get("/article/202202102275500014")
    assert response.status_code == 500
    assert "This part of the version cannot be read" in response.text
    assert "newsdata verify" in response.text
    assert client.get("/articles.json", params={"q": "的"}).status_code in (200, 500)
    assert "cannot be trusted" in client.get("/splits").text


@pytest.mark.slow
def test_a_version_that_changed_on_the_disk_says_so_and_can_be_read_anew(changing: Path) -> None:
    client = client_of(changing)
    first = client.get("/")
    assert client.get("/", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    manifest = changing / "1.0.0" / "manifest.json"
    data = json.loads(manifest.read_text())
    data["shards"] = [shard for shard in data["shards"] if shard["split"] != "test"]
    manifest.write_text(json.dumps(data))
    again = client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 200
    assert "This version changed on the disk" in again.text
    back = client.get("/reload", params={"to": "/?split=train"})
    assert (back.status_code, back.headers["location"]) == (303, "/?split=train")
    found = client.get("/articles.json").json()
    assert "test" not in found["facets"]["split"]
    assert "changed on the disk" not in client.get("/").text
    for elsewhere in ("//evil.example", "http://evil.example", "/\\evil.example", "/\r\nx: y"):
        assert client.get("/reload", params={"to": elsewhere}).headers["location"] == "/"


def test_a_yanked_version_says_why(changing: Path) -> None:
    newsdata.yank(changing / "1.0.0", reason="wrong <b>dates</b>")
    client = client_of(changing / "1.0.0")
    assert "This version was yanked: wrong <b>dates</b>" in " ".join(read_page(client, "/").text.split())


def test_a_version_that_is_built_meanwhile_is_found(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(demo / "1.0.0", out / "1.0.0")
    client = client_of(out)
    before = client.get("/")
    assert client.get("/v/2.0.0/").status_code == 404 and "/v/2.0.0/" not in before.text
    shutil.copytree(demo / "1.0.0", out / "2.0.0")
    path = out / "2.0.0" / "manifest.json"
    path.write_text(
        path.read_text("utf-8").replace('"dataset_version": "1.0.0"', '"dataset_version": "2.0.0"'), "utf-8"
    )
    after = client.get("/", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200 and 'href="/v/2.0.0/"' in after.text, "the old page is not taken for this one"
    assert client.get("/v/2.0.0/").status_code == 200
    shutil.rmtree(out)
    assert client.get("/").status_code == 200 and client.get("/v/3.0.0/").status_code == 404


def test_versions_are_listed_once_a_second_and_stay_while_the_folder_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    for version in ("1.0.0", "1.1.0"):
        forge(out, {("articles", "train"): [article(1)]}, version=version)
    listed: list[Path] = []

    def list_versions(folder: Path) -> list[str]:
        listed.append(folder)
        return versions_in(folder)

    monkeypatch.setattr("newsdata.explorer.serve.versions_in", list_versions)
    library = open_library(str(out))
    now = 100.0
    monkeypatch.setattr("newsdata.explorer.serve.monotonic", lambda: now)
    assert [list(library.names) for _ in range(9)] == [["1.0.0", "1.1.0"]] * 9 and len(listed) == 1
    forge(out, {("articles", "train"): [article(1)]}, version="1.2.0")
    assert list(library.names) == ["1.0.0", "1.1.0", "1.2.0"], "the folder changed"
    (out / "1.0.0" / "manifest.json").unlink()
    now += 1
    assert list(library.names) == ["1.1.0", "1.2.0"] and len(listed) == 3
    out.rename(tmp_path / "away")
    assert list(library.names) == ["1.1.0", "1.2.0"]


def test_versions_are_a_menu_and_permalinks(tmp_path: Path) -> None:
    forge(tmp_path, {("articles", "train"): [article(1)]})
    forge(tmp_path, {("articles", "train"): [article(1), article(2)]}, version="1.1.0")
    client = client_of(tmp_path)
    assert client.get("/articles.json").json()["total"] == 2
    assert client.get("/v/1.0.0/articles.json").json()["total"] == 1
    found = read_page(client, "/v/1.0.0/?split=train")
    assert {"/v/1.0.0/", "/v/1.1.0/"} <= set(found.links)
    pages = [link for link in found.links if link.startswith("/") and not link.startswith("/v/")]
    assert pages == []
    assert client_of(tmp_path, revision="1.0.0").get("/articles.json").json()["total"] == 1
    assert client_of(tmp_path / "1.1.0").get("/v/1.0.0/").status_code == 404


def test_an_answer_is_not_made_again_when_nothing_changed(page: TestClient) -> None:
    for address in ("/?q=%E4%B8%87", "/articles.json", "/splits", "/export.csv", "/static/style.css"):
        first = page.get(address)
        assert first.headers["cache-control"] == "no-cache"
        again = page.get(address, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), address
    assert page.get("/").headers["etag"] != page.get("/?page=2").headers["etag"]
    assert "total;dur=" in page.get("/").headers["server-timing"]


def test_head_has_no_body(page: TestClient) -> None:
    for address in ("/", "/export.csv", "/articles.json"):
        response = page.head(address)
        assert (response.status_code, response.content) == (200, b"")


def test_a_slow_search_says_how_far_it_is(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    search = Searcher._search_shards

    def slowly(self: Searcher, *arguments: Any) -> np.ndarray:
        go_on.wait(20)
        return search(self, *arguments)

    monkeypatch.setattr(Searcher, "_search_shards", slowly)
    client = client_of(demo, patience=0.05)
    response = client.get("/?q=%E4%BB%B7")
    assert response.status_code == 503
    assert response.headers["refresh"] == "2"
    assert "Searching for 价" in " ".join(Page(response.text).text.split())
    assert client.get("/articles.json?q=%E4%BB%B7").json()["error"].startswith("still searching")
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "search":
            thread.join()
    assert client.get("/articles.json?q=%E4%BB%B7").json()["total"] > 0
