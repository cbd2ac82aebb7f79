"""Real posts of the first archive: counts and some rows must stay the same. (None of their text is stored here.)"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import newsdata

from ..conftest import SHARED, needs_finews

pytestmark = needs_finews


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finews")
    newsdata.build(SHARED / "finews", folder, num_proc=1)
    return folder


@pytest.fixture(scope="module")
def rows(out: Path) -> Mapping[str, Any]:
    frame = newsdata.load_pandas(out)
    return {str(row["article_id"]): row for row in frame.to_dict("records")}


def test_every_file_is_accounted_for(out: Path) -> None:
    accounting = newsdata.info(out)["accounting"]
    names = ("files_seen", "posts", "rejects", "ignored", "articles", "merged_posts", "excluded")
    assert {name: accounting[name] for name in names} == {
        "files_seen": 25, "posts": 24, "rejects": 0, "ignored": 1, "articles": 19, "merged_posts": 5, "excluded": 0,
    }  # fmt: skip


def test_a_post_of_the_market_feed(rows: Mapping[str, Mapping[str, Any]]) -> None:
    row = rows["202201272263299588"]
    assert row["published_at"].isoformat() == "2022-01-27T08:18:45+08:00"
    assert (row["category"], list(row["tags"])) == ("mianyangribao", ["绵阳日报新闻"])
    assert (row["media"], row["source"], row["feed"]) == ("绵阳日报", "绵阳日报", "market")
    assert "infoCode=NW202201272263299588" in row["url"]
    paragraphs = row["text"].split("\n")
    assert len(paragraphs) == 7
    assert paragraphs[0].startswith("本报讯(") and paragraphs[-1].endswith("参加调研。")
    assert not set("<>[]") & set(row["text"]) and "文章来源" not in row["text"]
    assert len(row["mentions"]) == 0 and len(row["issues"]) == 0


def test_an_article_is_merged_from_three_files(rows: Mapping[str, Mapping[str, Any]]) -> None:
    row = rows["202205302396671645"]
    assert (row["source"], row["media"], row["category"]) == ("中国证券报", "中国证券报", "zhongguozhengquanbao")
    assert sorted(s["feed"] for s in row["sources"]) == ["emnews", "emnews", "market"]
    mentions = list(row["mentions"])
    assert [m["start"] for m in mentions] == sorted(m["start"] for m in mentions)
    assert all(row["text"][m["start"] : m["end"]] == m["text"] for m in mentions)
    by_text = {m["text"]: m for m in mentions}
    assert by_text["贵州茅台"]["code"] == "600519" and by_text["贵州茅台"]["exchange"] == "XSHG"
    assert by_text["中国平安"]["code"] == "601318"  # the copy in _posts, not the one in old_post
    assert by_text["腾讯控股"]["code"] == "00700"
    assert by_text["PPI"]["kind"] == "glossary" and by_text["PPI"]["code"] is None
    assert row["digest_credit"] == "中国证券报"


def test_a_copy_with_an_empty_title(rows: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    row = rows["202205262391921712"]
    assert len(row["title"]) > 10 and row["published_at"].isoformat() == "2022-05-26T00:19:55+08:00"
    assert row["url"].endswith("202205262391921712.html")
    assert len(row["sources"]) == 2 and "title-empty" in row["issues"]
    assert row["chart_symbols"].tolist() == ["106.NIO"] and len(row["images"]) >= 2
    posts = newsdata.load_pandas(out, "posts", split="posts")
    malformed = posts[posts.path == "_posts/-202205262391921712.md"].iloc[0]
    assert malformed.title == "" and malformed.article_id == "202205262391921712"


def codes(row: Mapping[str, Any]) -> list[str]:
    assert all(row["text"][code["start"] : code["end"]] == code["text"] for code in row["text_codes"])
    return [code["text"] for code in row["text_codes"]]


def test_some_more_articles(rows: Mapping[str, Mapping[str, Any]]) -> None:
    assert codes(rows["202112082206779752"]) == ["002456"]
    assert codes(rows["202112082207152228"]) == ["601633.SH"]
    assert rows["202201212257099936"]["chart_symbols"].tolist() == ["0.002752"]
    assert rows["_posts/2021-12-01-init"]["feed"] == "site"
    flash = rows["202112082206742097"]
    assert flash["is_flash"] and pd.isna(flash["digest"]) and flash["num_chars"] == 13
    assert flash["published_at"].isoformat() == "2021-12-08T10:40:58+08:00"
    assert set(flash["issues"]) == {"front-matter-leading-blank", "date-without-zone"}


def test_generations(out: Path) -> None:
    posts = newsdata.load_pandas(out, "posts", split="posts").set_index("path")
    assert posts.generation["_posts/2021-12-08-202112082206742097.md"] == "G0"
    assert posts.generation["_posts/2022-01-07-202201072239307540.md"] == "G1"
    assert posts.isna().generation["_posts/2021-12-01-init.md"]


def test_verify_finds_no_fault(out: Path) -> None:
    assert newsdata.verify(out).faults == ()
