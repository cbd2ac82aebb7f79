"""The small columns: strange values, order, clusters, and what is compared between splits."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow.parquet as pq

from newsdata.dataset.open_version import find_version
from newsdata.explorer.clusters import all_clusters, members_of, sort_clusters
from newsdata.explorer.opened import open_for_page
from newsdata.explorer.splits_compared import compare_splits, typical_words
from newsdata.explorer.table import NO_DAY, Table, load_table
from newsdata.explorer.view import View

from .forged import article, forge
from .naive import Naive


def table_of(folder: Path) -> Table:
    return load_table(open_for_page(find_version(folder)))


def at(day: int, hour: int = 8) -> datetime.datetime:
    return datetime.datetime(2022, 1, day, hour, tzinfo=datetime.UTC)


def test_days_are_those_of_the_sites_zone(tmp_path: Path) -> None:
    rows = [article(1, published_at=at(1, 15)), article(2, published_at=at(1, 16)), article(3, published_at=None)]
    table = table_of(forge(tmp_path, {("articles", "train"): rows}))
    epoch = datetime.date(1970, 1, 1).toordinal()
    assert [datetime.date.fromordinal(int(day) + epoch).day for day in table.days[:2]] == [1, 2]
    assert table.days[2] == NO_DAY
    assert table.hours.tolist() == [23, 0, -1]
    assert [table.ids[int(row)].as_py()[-1] for row in table.newest] == ["2", "1", "3"]


def test_equal_times_are_in_the_order_of_ids(tmp_path: Path) -> None:
    rows = [article(number, published_at=at(1)) for number in (5, 3, 9, 1)]
    table = table_of(forge(tmp_path, {("articles", "train"): rows}))
    assert [int(table.ids[int(row)].as_py()) for row in table.newest] == [9, 5, 3, 1]


def test_a_publisher_is_media_or_else_source(tmp_path: Path) -> None:
    pairs = [("甲", "乙"), (None, "乙"), ("", "乙"), (None, None), ("", "")]
    rows = [article(number, media=media, source=source) for number, (media, source) in enumerate(pairs)]
    table = table_of(forge(tmp_path, {("articles", "train"): rows}))
    assert [table.publisher.at(row) for row in range(5)] == ["甲", "乙", "乙", None, None]


def test_a_code_has_its_most_frequent_words(tmp_path: Path) -> None:
    def mention(text: str) -> dict[str, object]:
        return {
            "start": 0,
            "end": 1,
            "text": text,
            "kind": "security",
            "market": 0,
            "code": "1",
            "exchange": None,
            "url": None,
        }

    rows = [
        article(n, mentions=[mention(text) for text in texts])
        for n, texts in enumerate([["青岚"], ["青岚股份"] * 2, []])
    ]
    table = table_of(forge(tmp_path, {("articles", "train"): rows}))
    assert table.name_of("1") == "青岚股份"
    assert table.name_of("2") == ""
    assert [table.codes.at(row) for row in range(3)] == [["1"], ["1"], []]


def test_clusters_count_excluded_members(tmp_path: Path) -> None:
    shards = {
        ("articles", "train"): [
            article(1, duplicate_cluster="a", media="甲", published_at=at(3)),
            article(2, duplicate_cluster="a", media="甲", published_at=at(1)),
            article(3, duplicate_cluster="b"),
        ],
        ("excluded", "excluded"): [
            article(4, duplicate_cluster="a", media="乙", published_at=at(9), excluded_reason="straddle"),
            article(5, duplicate_cluster="b", published_at=None, excluded_reason="no-date"),
            article(6, excluded_reason="no-date", published_at=None),
        ],
    }
    table = table_of(forge(tmp_path, shards))
    by_name = {one.name: one for one in all_clusters(table)}
    assert set(by_name) == {"a", "b"}
    a = by_name["a"]
    assert (a.size, a.publishers, a.span, a.splits) == (3, 2, 8, ("train", "excluded"))
    assert [table.ids[row].as_py()[-1] for row in members_of(table, "a")] == ["2", "1", "4"]
    assert [table.ids[row].as_py()[-1] for row in members_of(table, "b")] == ["3", "5"]
    assert members_of(table, "c") == []
    assert [one.name for one in sort_clusters(list(by_name.values()), "span")] == ["a", "b"]


def test_times_beyond_all_years_are_none(tmp_path: Path) -> None:
    folder = forge(tmp_path, {("articles", "train"): [article(1), article(2)]})
    path = folder / "articles" / "train-2022-01-0000000.parquet"
    table = pq.read_table(path, partitioning=None)
    place = table.schema.get_field_index("published_at")
    import pyarrow as pa

    far = pa.array([2**62, -(2**62)]).cast(table.schema.field(place).type)
    opened = open_for_page(find_version(folder))
    pq.write_table(table.set_column(place, table.schema.field(place), far), path)
    found = load_table(opened)
    assert found.days.tolist() == [NO_DAY, NO_DAY]


def test_splits_are_compared_by_counts_of_their_articles(archive: Path, view: View) -> None:
    naive, found = Naive(archive / "1.0.0"), compare_splits(view.table)
    assert dict(zip(found.splits, found.articles, strict=True)) == {
        split: sum(row["split"] == split for row in naive.rows) for split in found.splits
    }
    kinds = next(table for table in found.tables if table.title == "Kinds")
    flashes = [sum(row["is_flash"] and row["split"] == split for row in naive.rows) for split in found.splits]
    assert kinds.counts[1] == tuple(flashes)
    for table in found.tables:
        if table.title != "Codes":
            assert tuple(sum(column) for column in zip(*table.counts, strict=True)) == found.articles, table.title


def test_typical_words_are_those_of_one_split(tmp_path: Path) -> None:
    shards = {
        ("articles", "train"): [article(n, text=f"今日白糖现货价格第{n}次上调") for n in range(40)],
        ("articles", "test"): [article(100 + n, text=f"今日风电机组招标第{n}次开始 Wind Farm") for n in range(40)],
    }
    opened = open_for_page(find_version(forge(tmp_path, shards)))
    view = View(opened, shown_path="x")
    words = typical_words(view.table, view.rows)
    assert any("白糖" in word for word, _, _ in words["train"])
    assert {"wind", "farm"} <= {word for word, _, _ in words["test"]}
    assert "今日" not in [word for found in words.values() for word, _, _ in found]
