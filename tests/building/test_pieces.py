"""Finished shards become files of a version: by a link, where that is possible, and never damaged."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

import newsdata
from newsdata.building.base import follow
from newsdata.building.pieces import Piece, filled_cells, piece_of, put_into
from newsdata.errors import MachineError
from newsdata.graph.task import Artifact, StoredFile
from newsdata.storage.manifest import Shard
from newsdata.storage.shards import Written

from ..conftest import many_posts, write_archive


def piece(file: Path, path: str = "posts/posts-2022-03-0000000.parquet") -> Piece:
    data = file.read_bytes()
    facts = {
        "rows": 3, "digest": "d", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "filled": {"title": 2},
    }  # fmt: skip
    stored = StoredFile.of(file)
    artifact = Artifact(key="parse1-0", facts={"written": {"posts": facts}}, files={"posts": stored})
    return piece_of(artifact, "posts", path, "posts", "2022-03-01/a")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a").write_bytes(b"rows of posts")
    return tmp_path / "store" / "a"


def test_a_piece_is_what_the_manifest_says(stored: Path) -> None:
    found = piece(stored)
    assert (found.config, found.split, found.start) == ("posts", "posts", "2022-03-01/a")
    assert found.shard == Shard(
        path="posts/posts-2022-03-0000000.parquet", config="posts", split="posts", rows=3, bytes=13,
        sha256=hashlib.sha256(b"rows of posts").hexdigest(), digest="d", start="2022-03-01/a",
    )  # fmt: skip


def test_filled_cells_are_the_sum_over_the_shards(stored: Path) -> None:
    one = piece(stored)
    written = Written(**{**{n: getattr(one.written, n) for n in ("rows", "digest", "bytes", "sha256")}, "filled": {"title": 1, "url": 4}})  # fmt: skip
    article = replace(one, path="articles/train-2022-03-0000000.parquet", config="articles", written=written)
    assert filled_cells([one, one, article]) == {"posts": {"title": 4}, "articles": {"title": 1, "url": 4}}
    assert filled_cells([]) == {}


def test_a_shard_gets_one_more_name(stored: Path, tmp_path: Path) -> None:
    put_into(tmp_path / "version", [piece(stored)], None)
    made = tmp_path / "version" / "posts" / "posts-2022-03-0000000.parquet"
    assert made.samefile(stored) and stored.stat().st_nlink == 2


def test_a_version_without_rows_is_a_folder(tmp_path: Path) -> None:
    put_into(tmp_path / "a" / "version", [], None)
    assert list((tmp_path / "a" / "version").iterdir()) == []


def test_it_is_copied_where_there_are_no_links(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refused)
    put_into(tmp_path / "version", [piece(stored)], None)
    made = tmp_path / "version" / "posts" / "posts-2022-03-0000000.parquet"
    assert made.read_bytes() == b"rows of posts" and not made.samefile(stored)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"rows of post5"), Path.unlink])
def test_a_damaged_shard_goes_into_no_version(stored: Path, tmp_path: Path, damage: object) -> None:
    found = piece(stored)
    damage(stored)  # type: ignore[operator]
    with pytest.raises(MachineError, match="changed or removed"):
        put_into(tmp_path / "version", [found], None)


@pytest.mark.parametrize("damage", [None, b"rows of post5", b"", "gone", "link"])
def test_the_file_of_the_base_is_linked_where_it_is_the_same(damage: bytes | str | None, tmp_path: Path) -> None:
    """A store that was lost costs no room on the disk; a damaged file of the base is not taken along."""
    newsdata.build(write_archive(tmp_path / "in", many_posts(2)), tmp_path / "out", num_proc=1)
    base = follow(tmp_path / "out", None)
    assert base.folder is not None
    path = "posts/posts-2022-03-0000000.parquet"
    old, copy = base.folder / path, tmp_path / "copy"
    copy.write_bytes(old.read_bytes())
    if damage is not None:
        old.unlink()
        if isinstance(damage, bytes):
            old.write_bytes(damage)
        elif damage == "link":
            old.symlink_to(copy)
    put_into(tmp_path / "version", [piece(copy, path)], base)
    made = tmp_path / "version" / path
    assert made.read_bytes() == copy.read_bytes() and not made.is_symlink()
    assert made.samefile(old) == (damage is None) if old.exists() and not old.is_symlink() else made.samefile(copy)
    other = piece(copy, "posts/posts-2022-04-0000000.parquet")
    put_into(tmp_path / "other", [other], base)
    assert (tmp_path / "other" / other.path).samefile(copy), "the base has no such shard"
