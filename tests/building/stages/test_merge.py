"""Stage merge: what it leaves is what merging gives, and posts that stay the same are not merged again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import newsdata
from newsdata.building import shard_plan
from newsdata.building.stages.merge import read_articles
from newsdata.building.workspace import store_in
from newsdata.curation.merge import Articles, PostHashes, merge_posts, take_keys
from newsdata.graph.task import Artifact

from ...conftest import many_posts, post, write_archive
from ..executors import Noting


def artifacts(out: Path, kind: str) -> list[Artifact]:
    store = store_in(out)
    assert store is not None
    found = [store.find(key) for key in store.last().keys if key.startswith(kind)]
    assert found and all(found)
    return [artifact for artifact in found if artifact]


def keys_of(artifact: Artifact) -> pa.Table:
    with pa.OSFile(str(artifact.files["keys"].path)) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def equal(one: Articles | PostHashes, other: Articles | PostHashes) -> bool:
    names = type(one).__slots__ if hasattr(type(one), "__slots__") else vars(one)
    return all(np.array_equal(np.asarray(getattr(one, name)), np.asarray(getattr(other, name))) for name in names)


@pytest.mark.slow
def test_what_is_read_is_what_was_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 7)
    twins = {
        f"_posts/2022-03-0{day}-NW2022030{day}0000000001.md": post(category="chenbao", tag="晨报新闻")
        for day in range(1, 5)
    }
    undated = {"_posts/x.md": post(date="").replace(b"date: \n", b"")}
    newsdata.build(write_archive(tmp_path / "in", many_posts(8) | twins | undated), tmp_path / "out", num_proc=1)
    (merged,) = artifacts(tmp_path / "out", "merge")
    store = store_in(tmp_path / "out")
    assert store is not None
    shards = sorted((place, key) for place, key in store.last().places.items() if place.startswith("parse "))
    order = [artifact for _, key in shards if (artifact := store.find(key))]
    undated_first = [a for a in order if keys_of(a)["path"][0].as_py() == "_posts/x.md"]
    keys, posts = take_keys(keys_of(a) for a in [*undated_first, *(a for a in order if a not in undated_first)])
    expected = merge_posts(keys)
    articles, hashes = read_articles(merged)
    assert equal(articles, expected) and equal(hashes, posts)
    assert len(articles) == merged.facts["articles"] == 25 and len(hashes.sha256) == 29
    assert sorted(articles.members.tolist()) == list(range(29)), "every post belongs to one article"


@pytest.mark.slow
def test_nothing_is_merged_where_no_post_changed(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(3)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    noting = Noting()
    assert newsdata.build(archive, out, version="1.1.0", executor=noting).created
    assert "merge" not in noting.kinds and "parse" not in noting.kinds


def test_no_posts(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", {"_posts/2022-03-01-a.md": b""})
    newsdata.build(archive, tmp_path / "out", num_proc=1, max_reject_share=1.0)
    (merged,) = artifacts(tmp_path / "out", "merge")
    articles, posts = read_articles(merged)
    assert len(articles) == 0 and posts.sha256.shape == (0, 32)
