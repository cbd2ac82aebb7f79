"""A folder of versions with the cache of an earlier newsdata: it is built on, and what that cache held is gone afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import pytest

import newsdata
from newsdata.building.workspace import store_in

from ..conftest import many_posts, write_archive
from .edited_archive import digests


def without_statistics(version: Path) -> None:
    """Make a version look like one of an earlier newsdata: no statistics, no pictures."""
    shutil.rmtree(version / "assets")
    data = json.loads((version / "manifest.json").read_text("utf-8"))
    del data["statistics"]
    data["files"] = [file for file in data["files"] if not file["path"].startswith("assets/")]
    (version / "manifest.json").write_text(json.dumps(data), "utf-8")


@pytest.mark.slow
def test_a_version_without_statistics_is_kept_until_rows_change(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(12)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    without_statistics(out / "1.0.0")
    for cache in (True, False):
        made = newsdata.build(archive, out, num_proc=1, cache=cache)
        assert not made.created and made.manifest.statistics is None
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()
    write_archive(archive, many_posts(1, start_day=13))
    made = newsdata.build(archive, out, num_proc=1)
    assert made.version == "1.1.0" and made.manifest.statistics
    assert len(list((made.path / "assets").iterdir())) == 3  # the posts name no publisher
    assert {"assets/files.svg", "README.md"} <= {*newsdata.diff(out / "1.0.0", made.path).files}


def with_old_cache(tmp_path: Path) -> tuple[Path, Path, set[str]]:
    """An archive, a folder with one version of it, and the names of the files in its old cache."""
    archive, out = write_archive(tmp_path / "in", many_posts(12)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    cache = out / ".newsdata" / "cache"
    shutil.rmtree(cache)
    cache.mkdir()
    rng = random.Random(1)
    for number in range(3):
        key = hashlib.sha1(bytes([number]), usedforsecurity=False).hexdigest()
        record = json.dumps({"key": key, "rows": 12, "rejects": []})
        (cache / f"{key}.json").write_text(f"{hashlib.sha256(record.encode()).hexdigest()}\n{record}", "utf-8")
        for name in ("spool", "keys", "signatures"):
            (cache / f"{key}.{name}").write_bytes(rng.randbytes(5000))
            (cache / f"{key}.xxh3").write_text(f"{name} {'0' * 32}\n", "utf-8")
        os.link(next((out / "1.0.0" / "posts").iterdir()), cache / f"{key}.posts")
    (cache / f"{hashlib.md5(b'', usedforsecurity=False).hexdigest()}.boilerplate").write_bytes(rng.randbytes(400))
    for name in ("files.index", "counts.bin"):
        (cache / name).write_bytes(rng.randbytes(900))
    (cache / "shards.json").write_text('{"posts/posts-2022-03-0000000.parquet": "0"}', "utf-8")
    (cache / ("0" * 40 + ".spool.unfinished-1")).write_bytes(b"half")
    return archive, out, {path.name for path in cache.iterdir()}


@pytest.mark.slow
def test_the_next_version_is_that_of_a_full_build(tmp_path: Path) -> None:
    archive, out, old = with_old_cache(tmp_path)
    before = digests(out / "1.0.0")
    write_archive(archive, many_posts(2, start_day=13))
    made = newsdata.build(archive, out, num_proc=1)
    full = newsdata.build(archive, tmp_path / "full", base=out / "1.0.0", cache=False, num_proc=1)
    assert made.version == "1.1.0" and digests(made.path) == digests(full.path)
    assert digests(out / "1.0.0") == before, "a shard that the old cache shared is as it was"
    assert old.isdisjoint(path.name for path in (out / ".newsdata" / "cache").iterdir())
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()
    store = store_in(out)
    assert store is not None and set(store.keys()) == set(store.last().keys)


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
def test_nothing_changed(cache: bool, tmp_path: Path) -> None:
    archive, out, old = with_old_cache(tmp_path)
    made = newsdata.build(archive, out, num_proc=1, cache=cache)
    assert (made.created, made.version) == (False, "1.0.0")
    there = {path.name for path in (out / ".newsdata" / "cache").iterdir()}
    assert there.isdisjoint(old) if cache else there == old, "only a build that uses the cache looks after it"
    assert newsdata.verify(out).faults == ()


@pytest.mark.slow
def test_prune_leaves_it_to_the_next_build(tmp_path: Path) -> None:
    """Nothing tells which of its files are in use."""
    archive, out, old = with_old_cache(tmp_path)
    newsdata.prune(out, keep=1)
    assert newsdata.verify(out).faults == ()
    newsdata.build(archive, out, num_proc=1)
    assert old.isdisjoint(path.name for path in (out / ".newsdata" / "cache").iterdir())
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()
