"""A small version for the tests of the card: shards as a build writes them, and a manifest with every part filled."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from newsdata.storage.manifest import Manifest, Shard
from newsdata.storage.shards import shard_schema, write_shard

__all__ = ["PAIR", "ZONE", "build_version"]

ZONE = "Asia/Shanghai"
PAIR = {
    "split": "test",
    "against": "train",
    "rows": 3,
    "leak_j50": 0.0,
    "leak_j80": 0.0,
    "coverage_50gram": 0.0123,
}


def _articles(count: int, day: datetime, title: str) -> list[dict[str, Any]]:
    mention = {"start": 0, "end": 2, "text": "甲厂", "kind": "security", "market": 1, "code": "000333"}
    return [
        {
            "article_id": f"{day:%Y%m%d}{number:010}",
            "title": title,
            "text": "甲厂今日公布了新的数字。\n其余不变。",
            "published_at": day,
            "feed": "emnews",
            "mentions": [mention] if number % 2 else [],
            "tags": ["甲新闻"],
        }
        for number in range(count)
    ]


def build_version(folder: Path, title: str = "甲厂公布数字") -> Manifest:
    """A small version: its shards, written as a build writes them, and its manifest."""
    december, february = datetime(2021, 12, 5, tzinfo=UTC), datetime(2022, 2, 3, tzinfo=UTC)
    tables = {
        ("articles", "train", "2021-12"): _articles(5, december, title),
        ("articles", "train", "2022-01"): _articles(3, datetime(2022, 1, 2, tzinfo=UTC), title),
        ("articles", "test", "2022-02"): _articles(3, february, title),
        ("posts", "posts", "2021-12"): [{"path": "_posts/a.md", "title": title, "categories": ["甲"]}],
        ("rejects", "rejects", "undated"): [{"path": "_posts/b.md", "rule": "empty", "reason": "no bytes"}],
    }
    shards = []
    columns: dict[str, dict[str, int]] = {}
    for (config, split, month), rows in tables.items():
        path = folder / config / f"{split}-{month}-0000000.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = shard_schema(config, ZONE)
        written = write_shard(path, [pa.Table.from_pylist(rows, schema=schema)], config, schema)
        counts = columns.setdefault(config, dict.fromkeys(schema.names, 0))
        for name, filled in written.filled.items():
            counts[name] += filled
        shards.append(
            Shard(
                path=f"{config}/{path.name}",
                config=config,
                split=split,
                rows=written.rows,
                bytes=written.bytes,
                sha256=written.sha256,
                digest=written.digest,
                start=f"0/{month}",
            )
        )
    return Manifest(
        dataset_version="1.2.0",
        schema_version="2.0",
        configuration={
            "timezone": ZONE,
            "test_from": "2022-02-01",
            "test_until": "2022-02-28",
            "text": "full",
        },
        source={"files": 14, "bytes": 1234, "digest": "ab" * 32},
        tools={"pyarrow": "26.0.1"},
        accounting={
            "files_seen": 14,
            "posts": 12,
            "rejects": 1,
            "ignored": 1,
            "rejects_by_rule": {"empty": 1},
            "posts_by_feed": {"emnews": 12},
            "dates_by_split": {"train": ["2021-12-05", "2022-01-02"], "test": ["2022-02-03", "2022-02-03"]},
        },
        columns=columns,
        shards=tuple(shards),
        duplicates={"dedup_version": "1", "clusters": 2},
        leakage={"pairs": [PAIR], "random": [PAIR | {"leak_j50": 0.5}], "examples": [{"title": "甲厂公布"}]},
        statistics={
            "unit": "day",
            "articles": {"train": {"2021-12-05": 5, "2022-01-02": 3}, "test": {"2022-02-03": 3}},
            "lengths": {"from": [0, 1, 50], "articles": {"train": [1, 6, 1], "test": [0, 3, 0]}},
            "publishers": {"names": 1, "top": [{"name": "甲报", "articles": 9}], "others": 0, "none": 2},
            "near_copies": {"train": 2, "test": 0},
            "sample": {"article_id": "7", "title": title, "mentions": '{"start": 0}'},
        },
        changes=({"version": "1.0.0", "rows_added": 5}, {"version": "1.2.0", "rows_added": 6}),
    )
