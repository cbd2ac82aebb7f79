"""The code beside a selection gives exactly its articles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from starlette.testclient import TestClient

from newsdata.explorer.parameters import Query, Reader, parse_query
from newsdata.explorer.snippets import datasets_snippet, duckdb_snippet, polars_snippet
from newsdata.explorer.view import View

QUERIES = [
    "",
    "q=%E4%B8%87",
    "q=%E4%B8%87&in=title&split=test&split=validation&kind=flash",
    "q=it%27s%22",
    "from=2022-02-01&to=2022-05-31&publisher=%28none%29",
    "publisher=%E6%9C%9B%E5%B1%B1%E8%B4%A2%E7%BB%8F&publisher=%28none%29&kind=article",
    "code=BK9000&code=BK9001&cluster=single",
    "cluster=copies&split=train",
    "issue=date-without-zone&issue=front-matter-lenient",
]


def ids_of(frame: pl.DataFrame) -> list[str]:
    return sorted(frame["article_id"].to_list())


@pytest.mark.parametrize("asked", QUERIES)
def test_snippets_give_the_selection(page: TestClient, archive: Path, asked: str) -> None:
    wanted = sorted(page.get(f"/export.txt?{asked}").text.splitlines())
    query, folder, zone = parse_query(Reader(asked.encode())), str(archive / "1.0.0"), "Asia/Shanghai"
    configs = [config for config in ("articles", "excluded") if (archive / "1.0.0" / config).exists()]
    names: dict[str, Any] = {}
    exec(polars_snippet(folder, query, zone, configs), names)
    assert ids_of(names["articles"]) == wanted
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        found = connection.sql(duckdb_snippet(folder, query, zone, configs)).to_arrow_table()
    assert sorted(found["article_id"].to_pylist()) == wanted


@pytest.mark.parametrize("asked", QUERIES[2::2])
def test_the_snippet_for_datasets_gives_the_selection(page: TestClient, archive: Path, asked: str) -> None:
    wanted = sorted(page.get(f"/export.txt?{asked}").text.splitlines())
    names: dict[str, Any] = {}
    exec(datasets_snippet(str(archive), "1.0.0", parse_query(Reader(asked.encode())), "Asia/Shanghai"), names)
    assert sorted(row for split in names["articles"].values() for row in split["article_id"]) == wanted


def test_snippets_are_on_the_page_as_text(page: TestClient, view: View) -> None:
    html = page.get("/", params={"q": "a'</code><script>", "publisher": "x"}).text
    assert "<script>'" not in html
    query = Query(q="\u202e'", split=("train",))
    assert "\u202e" not in datasets_snippet("out", "1.0.0", query, "UTC") + polars_snippet(
        "out", query, "UTC", ["articles"]
    )
