"""Mentions as one table, against a naive explode."""

from __future__ import annotations

import random
import shutil
import tarfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import newsdata
from newsdata.dataset.mentions import mention_table
from newsdata.errors import CallError
from newsdata.schema import table_schema

from ..conftest import ROOT
from ..source_files import git

COLUMNS = [
    "mention_id", "article_id", "published_at", "split", "publisher", "origin", "kind", "code", "exchange", "symbol",
    "start", "end", "text", "in_title", "first",
]  # fmt: skip


def naive(articles: Iterable[dict[str, Any]], split: str | None) -> list[dict[str, Any]]:
    """The table by plain loops over rows of `articles`."""
    rows = []
    for article in articles:
        own = [("link", n, mention) for n, mention in enumerate(article["mentions"])]
        own += [("text", n, code | {"kind": "security"}) for n, code in enumerate(article["text_codes"])]
        seen = set()
        for origin, number, one in sorted(own, key=lambda part: (part[2]["start"], part[0] == "text", part[1])):
            symbol = None
            if one["code"] is not None and one["exchange"] is not None:
                code = one["code"].zfill(5) if one["exchange"] == "XHKG" and one["code"].isdigit() else one["code"]
                symbol = f"{code}.{one['exchange']}"
            key = symbol or (one["kind"], one["code"] or ("words", one["text"]))
            if one["text"] is None and key == (one["kind"], ("words", None)):
                first = None
            else:
                first = key not in seen
            seen.add(key)
            known = None if article["title"] is None or one["text"] is None else one["text"] in article["title"]
            rows.append(
                {
                    "mention_id": f"{article['article_id']}#{origin}-{number}",
                    "article_id": article["article_id"],
                    "published_at": article["published_at"],
                    "split": split,
                    "publisher": article["publisher"],
                    "origin": origin,
                    **{name: one[name] for name in ("kind", "code", "exchange", "start", "end", "text")},
                    "symbol": symbol,
                    "in_title": known,
                    "first": first,
                }
            )
    return [{name: row[name] for name in COLUMNS} for row in rows]


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(k): v for k, v in row.items()} for row in records]


def some_articles(rng: random.Random, number: int) -> list[dict[str, Any]]:
    text = "青岚股份与禾渡食品签约，云溪钢铁（600519）随行；北渡物流（2318.HK）未到。"
    articles = []
    for identity in range(number):
        spans = sorted((start, start + rng.randrange(1, 5)) for start in rng.sample(range(30), rng.randrange(4)))
        mentions = [
            {
                "start": start, "end": end, "text": text[start:end], "market": 1, "url": None, **rng.choice((
                    {"kind": "security", "code": "600519", "exchange": "XSHG"},
                    {"kind": "security", "code": "02318", "exchange": "XHKG"},
                    {"kind": "security", "code": "430017", "exchange": None},
                    {"kind": "board", "code": "BK0475", "exchange": None},
                    {"kind": "glossary", "code": None, "exchange": None},
                )),
            }
            for start, end in spans
        ]  # fmt: skip
        codes = [
            {"start": 16, "end": 22, "text": "600519", "code": "600519", "exchange": "XSHG"},
            {"start": 31, "end": 38, "text": "2318.HK", "code": "2318", "exchange": "XHKG"},
        ]
        articles.append(
            {
                "article_id": f"{identity:018d}",
                "title": rng.choice((None, "", "青岚股份与禾渡食品", "600519")),
                "published_at": rng.choice((None, datetime(2022, 3, 1, identity % 24, tzinfo=UTC))),
                "publisher": rng.choice((None, "望山财经")),
                "mentions": mentions,
                "text_codes": rng.sample(codes, rng.randrange(3)),
            }
        )
    return articles


SCHEMA = pa.schema(
    [
        table_schema("articles").field(name)
        for name in ("article_id", "title", "published_at", "publisher", "mentions", "text_codes")
    ]
)


@pytest.mark.slow
def test_it_equals_a_naive_explode(demo: Path) -> None:
    for seed in range(30):
        articles = some_articles(random.Random(seed), 7)
        table = pa.Table.from_pylist(articles, SCHEMA)
        parts = pa.concat_tables([table.slice(0, 2), table.slice(2, 0), table.slice(2)])
        found = mention_table(parts, "train", "UTC").to_pylist()
        assert found == naive(articles, "train"), seed
    splits = newsdata.load_dataset(demo)
    expected = [row for split, rows in splits.items() for row in naive(rows, split)]
    frame = newsdata.load_mentions(demo)
    assert list(frame.columns) == COLUMNS and len(frame) > 40
    assert rows_of(frame) == expected
    assert frame["mention_id"].is_unique


def test_offsets_hold(demo: Path) -> None:
    frame = newsdata.load_mentions(demo)
    texts = {row["article_id"]: row for rows in newsdata.load_dataset(demo).values() for row in rows}
    for row in frame.itertuples():
        article = texts[row.article_id]
        assert article["text"][row.start : row.end] == row.text
        assert row.in_title == (row.text in article["title"])


def test_its_types_do_not_depend_on_the_rows(demo: Path) -> None:
    every = newsdata.load_mentions(demo)
    none = newsdata.load_mentions(demo, split="newer")
    assert len(none) == 0 and list(none.columns) == COLUMNS
    for frame in (every, none):
        assert str(frame["published_at"].dtype) == "datetime64[ms, Asia/Shanghai]"
        assert frame["start"].dtype == frame["end"].dtype == "int32"
    assert every["in_title"].dtype == every["first"].dtype == bool


def test_splits_slices_and_periods(demo: Path) -> None:
    every = newsdata.load_mentions(demo)
    some = newsdata.load_mentions(demo, split="test + validation[:2]")
    ids = newsdata.load_dataset(demo, split="validation[:2]")["article_id"][:]
    expected = every[(every["split"] == "test") | every["article_id"].isin(ids)]
    assert sorted(some["mention_id"]) == sorted(expected["mention_id"])
    assert list(some["split"].unique()) == ["test", "validation"]
    march = newsdata.load_mentions(demo, since="2022-03-01", until="2022-04-01", split="all")
    inside = every[(every["published_at"] >= "2022-03-01") & (every["published_at"] < "2022-04-01")]
    assert march["mention_id"].tolist() == inside["mention_id"].tolist() != []
    twice = newsdata.load_mentions(demo, split="train[:5]+train[3:8]")
    pd.testing.assert_frame_equal(twice, newsdata.load_mentions(demo, split="train[:8]"))
    assert twice["mention_id"].is_unique and len(twice)
    with pytest.raises(CallError, match="no list of splits"):
        newsdata.load_mentions(demo, split=["train"])
    with pytest.raises(CallError, match="there is no split 'exam'"):
        newsdata.load_mentions(demo, split="exam")


@pytest.mark.slow
def test_what_was_known_at_a_time(tmp_path: Path, demo: Path) -> None:
    archive = shutil.copytree(ROOT / "examples" / "archive", tmp_path / "archive")
    git(archive, "init", "-q", "-b", "main")
    git(archive, "add", "-A")
    git(archive, "commit", "-q", "-m", "one")
    newsdata.build(f"{archive}@main", tmp_path / "out", history=True, num_proc=1)
    known = newsdata.load_mentions(tmp_path / "out", as_of="2100-01-01T00:00Z")
    assert known["split"].isna().all() and list(known.columns) == COLUMNS
    every = newsdata.load_mentions(demo)
    assert set(every["mention_id"]) <= set(known["mention_id"]), "and those of excluded articles"
    both = known[known["mention_id"].isin(set(every["mention_id"]))].sort_values("mention_id")
    rest = [name for name in COLUMNS if name != "split"]
    assert rows_of(both[rest]) == rows_of(every.sort_values("mention_id")[rest])
    assert len(newsdata.load_mentions(tmp_path / "out", as_of="2000-01-01T00:00Z")) == 0


@pytest.mark.slow
def test_a_version_without_text(tmp_path: Path, demo: Path) -> None:
    newsdata.build(ROOT / "examples" / "archive", tmp_path / "free", text="none", num_proc=1)
    free, full = newsdata.load_mentions(tmp_path / "free"), newsdata.load_mentions(demo)
    assert free["text"].isna().all() and free["in_title"].isna().all()
    same = ["mention_id", "kind", "code", "exchange", "symbol", "start", "end"]
    assert rows_of(free[same]) == rows_of(full[same])
    words = full["code"].isna()
    assert free["first"][words].isna().all() and words.any()
    assert free["first"][~words].tolist() == full["first"][~words].tolist()


def test_versions_of_schema_1(tmp_path: Path) -> None:
    with tarfile.open(ROOT / "tests" / "schema_1" / "versions.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    frame = newsdata.load_mentions(tmp_path / "full")
    rows = [row for rows in newsdata.load_dataset(tmp_path / "full").values() for row in rows]
    assert len(frame) == sum(len(row["mentions"]) + len(row["text_codes"]) for row in rows) > 4
    codes = frame[frame["origin"] == "text"]
    assert codes["start"].isna().all() and codes["end"].isna().all()
    assert [code for row in rows for code in row["text_codes"]] == codes["text"].tolist()
    assert dict(zip(codes["text"], codes["symbol"], strict=True))["600519"] == "600519.XSHG"
    assert [row["publisher"] for row in rows_of(frame)] == [
        row["media"] or row["source"] for row in rows for _ in (*row["mentions"], *row["text_codes"])
    ]
    with pytest.raises(CallError, match=r"as_of: the revisions of 1\.0\.0 have no mentions: they are of schema 1\.1"):
        newsdata.load_mentions(tmp_path / "history", as_of="2022-03-02T12:00:00+00:00")
