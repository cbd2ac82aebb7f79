"""Rows of slices: loaded, streamed, and streamed by several workers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import VerifyError

from ..conftest import many_posts, write_archive


def test_streaming_slices_equal_the_rows(demo: Path) -> None:
    ids = newsdata.load_dataset(demo, split="train")["article_id"][:]
    for part in ("train", "train[:3]", "train[2:5]", "train[-2:]", "train[10%:50%]", "train[:1]+train[-1:]"):
        streamed = newsdata.load_dataset(demo, split=part, streaming=True, columns=["article_id"])
        loaded = newsdata.load_dataset(demo, split=part, columns=["article_id"])
        assert [row["article_id"] for row in streamed] == loaded["article_id"][:], part
    assert list(newsdata.load_dataset(demo, split="newer", streaming=True)) == []
    assert len(ids) > 5


@pytest.mark.slow
def test_a_streamed_slice_is_whole_in_any_number_of_workers(tmp_path: Path) -> None:
    from datasets.distributed import split_dataset_by_node

    newsdata.build(write_archive(tmp_path / "in", many_posts(150)), tmp_path / "out", num_proc=1)
    for part in ("train[25%:75%]", "train[1:]", "train[:-1]+test[3:5]"):
        loaded = newsdata.load_dataset(tmp_path / "out", split=part)
        wanted = loaded.to_list()
        stream = newsdata.load_dataset(tmp_path / "out", split=part, streaming=True)
        assert list(stream) == wanted, part
        assert stream.features == loaded.features
        for count in (2, 3):
            nodes = [list(split_dataset_by_node(stream, rank, count)) for rank in range(count)]
            assert sorted(row["article_id"] for rows in nodes for row in rows) == sorted(loaded["article_id"]), part
    few = newsdata.load_dataset(tmp_path / "out", split="train[25%:75%]", streaming=True)
    assert few.num_shards > 2
    parts = [list(few.shard(few.num_shards, number)) for number in range(few.num_shards)]
    assert sum(map(len, parts)) == newsdata.load_dataset(tmp_path / "out", split="train[25%:75%]").num_rows


@pytest.mark.slow
def test_other_rows_under_the_same_path_and_time_are_seen(tmp_path: Path) -> None:
    def titles(posts: dict[str, bytes]) -> list[str]:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        shutil.rmtree(tmp_path / "in", ignore_errors=True)
        newsdata.build(write_archive(tmp_path / "in", posts), tmp_path / "out", num_proc=1)
        for file in (tmp_path / "out").rglob("*"):
            os.utime(file, (1_600_000_000, 1_600_000_000))
        found: list[str] = newsdata.load_dataset(tmp_path / "out", split="train")["title"][:]
        return found

    posts = many_posts(4)
    first = titles(posts)
    changed = titles({path: data.replace("库存".encode(), "存货".encode()) for path, data in posts.items()})
    assert len(first) == len(changed) and all("存货" in title for title in changed)


def test_a_damaged_shard_is_not_streamed(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo / "1.0.0", tmp_path / "1.0.0")
    shard = next((tmp_path / "1.0.0" / "articles").glob("test-*"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(VerifyError, match=r"its bytes were changed|has .* bytes, not"):
        newsdata.load_dataset(tmp_path, split="test", streaming=True)
