"""One article of each duplicate cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import newsdata
from newsdata.dataset.deduplicate import cluster_representatives
from newsdata.dataset.parquet_rows import ShardRows
from newsdata.errors import CallError
from newsdata.storage.manifest import Shard

from .copies import FIRST, LATER, REPRINT, TWIN


@pytest.mark.slow
def test_one_article_of_each_cluster_is_kept(with_copies: Path) -> None:
    every = newsdata.load_dataset(with_copies, split="train")
    kept = newsdata.load_dataset(with_copies, split="train", deduplicate=True)
    assert kept["article_id"] == [name for name in every["article_id"] if name not in (REPRINT, TWIN, LATER)]
    assert kept.features == every.features


def test_of_the_rows_that_are_loaded_the_earliest_then_the_longest_is_kept(with_copies: Path) -> None:
    ids = newsdata.load_dataset(with_copies, split="train", columns=["article_id"])["article_id"]
    begin = ids.index(REPRINT)
    assert ids.index(FIRST) < begin
    kept = newsdata.load_dataset(with_copies, split=f"train[{begin}:]", deduplicate=True)["article_id"]
    assert set(kept) & {FIRST, REPRINT, TWIN, LATER} == {TWIN}


def test_splits_and_streams_keep_the_same_rows(with_copies: Path) -> None:
    both = newsdata.load_dataset(with_copies, split="train+test", deduplicate=True)["article_id"]
    every = newsdata.load_dataset(with_copies, deduplicate=True)
    frame = newsdata.load_pandas(with_copies, deduplicate=True, columns=["article_id"])
    assert frame.article_id.tolist() == [one for rows in every.values() for one in rows["article_id"]]
    assert both == [*every["train"]["article_id"], *every["test"]["article_id"]]
    streamed = newsdata.load_dataset(with_copies, deduplicate=True, streaming=True, columns=["title"])
    assert list(streamed["train"]) == [{"title": title} for title in every["train"]["title"]]
    assert list(streamed["newer"]) == []


def test_only_articles_have_clusters(with_copies: Path) -> None:
    with pytest.raises(CallError, match="no duplicate clusters"):
        newsdata.load_dataset(with_copies, "posts", deduplicate=True)
    assert len(newsdata.load_dataset(with_copies, "excluded", split="excluded", deduplicate=True)) == 0


keys = st.tuples(st.sampled_from("xyz"), st.none() | st.integers(0, 2), st.integers(0, 2))


@pytest.mark.slow
@given(rows=st.lists(keys, min_size=1, max_size=12), cut=st.integers(0, 12), begin=st.integers(0, 3))
def test_representatives_are_those_of_the_rule(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int | None, int]], cut: int, begin: int
) -> None:
    """Two slices of rows: cluster, day, length. The first slice starts at row `begin` of its shard."""
    folder = tmp_path_factory.mktemp("shards")
    named = [(f"{number:02d}", *row) for number, row in enumerate(rows)]
    shards = named[:cut], named[cut:]
    groups: list[list[ShardRows]] = []
    for number, some in enumerate(shards):
        skipped = min(begin, len(some)) if number == 0 else 0
        file = write(folder / f"{number}.parquet", some) if some else ""
        groups.append([ShardRows(shard=shard(some), file=file, rows=range(skipped, len(some)))] if some else [])
    wanted = [shards[0][begin:], shards[1]]
    best: dict[str, tuple[float, int, str]] = {}
    for name, cluster, day, length in [*wanted[0], *wanted[1]]:
        rank = (np.inf if day is None else day, -length, name)
        best[cluster] = min(best.get(cluster, rank), rank)
    kept = {name for _, _, name in best.values()}
    for some, group in zip(shards, cluster_representatives(groups), strict=True):
        found = [some[row][0] for part in group for row in part.rows]
        assert found == [row[0] for row in some if row[0] in kept]


def shard(rows: list[tuple[str, str, int | None, int]]) -> Shard:
    return Shard(path="x", config="articles", split="train", rows=len(rows), bytes=0, sha256="", digest="", start="")


def write(path: Path, rows: list[tuple[str, str, int | None, int]]) -> str:
    names, clusters, days, lengths = zip(*rows, strict=True)
    times = [None if day is None else datetime(2022, 3, 1 + day, tzinfo=UTC) for day in days]
    table = pa.table(
        {
            "article_id": pa.array(names, pa.string()),
            "duplicate_cluster": pa.array(clusters, pa.string()),
            "published_at": pa.array(times, pa.timestamp("ms", "UTC")),
            "num_chars": pa.array(lengths, pa.int32()),
        }
    )
    pq.write_table(table, path)
    return str(path)
