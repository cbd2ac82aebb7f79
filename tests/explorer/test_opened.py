"""Which files of a version the page trusts enough to read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsdata.dataset.open_version import find_version
from newsdata.explorer.opened import DamagedFile, Opened, check_bytes, open_for_page, read_table, stamp_of
from newsdata.storage.manifest import MANIFEST_NAME

from .forged import article, forge


def opened(folder: Path) -> Opened:
    return open_for_page(find_version(folder))


def rewrite(folder: Path, table: pa.Table) -> None:
    """Write another table in the place of the first shard, with a manifest that fits it."""
    path = folder / "articles" / "train-2022-01-0000000.parquet"
    pq.write_table(table, path)
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    manifest["shards"][0] |= {"bytes": path.stat().st_size, "rows": table.num_rows}
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return forge(
        tmp_path / "out", {("articles", "train"): [article(n) for n in range(3)], ("articles", "test"): [article(9)]}
    )


def to_link(shard: Path) -> None:
    shard.rename(shard.parent.parent.parent / "elsewhere")
    shard.symlink_to("../../elsewhere")


def to_pipe(shard: Path) -> None:
    shard.unlink()
    os.mkfifo(shard)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (Path.unlink, "is missing"),
        (to_link, "is a link to a file elsewhere"),
        (to_pipe, "no regular file"),
        (lambda shard: shard.write_bytes(b"x" * shard.stat().st_size), "is no Parquet file"),
        (lambda shard: shard.write_bytes(b""), "has 0 bytes"),
    ],
)
def test_a_shard_that_cannot_be_used_is_left_out(folder: Path, damage: Callable[[Path], Any], words: str) -> None:
    damage(folder / "articles" / "train-2022-01-0000000.parquet")
    found = opened(folder)
    assert [damage.path for damage in found.damaged] == ["articles/train-2022-01-0000000.parquet"]
    assert words in found.damaged[0].reason
    assert found.articles == found.rows == 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"article_id": [1]}, "column article_id is int64"),
        ({"title": ["x"]}, "no column article_id"),
        ({"article_id": ["1"], "mentions": ["x"]}, "column mentions is string"),
        ({"article_id": ["1"], "published_at": ["2022"]}, "column published_at is string"),
    ],
)
def test_columns_of_other_types_are_damage(folder: Path, columns: dict[str, list[Any]], words: str) -> None:
    rewrite(folder, pa.table(columns))
    assert words in opened(folder).damaged[0].reason


def test_columns_of_later_schemas_are_no_damage(folder: Path) -> None:
    table = pq.read_table(folder / "articles" / "train-2022-01-0000000.parquet", partitioning=None)
    rewrite(folder, table.append_column("mood", pa.array(["calm"] * 3)).drop_columns(["digest", "media"]))
    assert opened(folder).damaged == ()


def test_a_folder_that_is_a_link_leads_nowhere(folder: Path) -> None:
    (folder / "articles").rename(folder.parent / "elsewhere")
    (folder / "articles").symlink_to("../elsewhere")
    assert [damage.reason for damage in opened(folder).damaged] == [
        "is a link to a file elsewhere, or in a folder that is one"
    ] * 2


def test_text_that_is_not_utf_8_is_damage(folder: Path) -> None:
    bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    rewrite(folder, pa.table({"article_id": pa.array(["1"]), "title": bad}))
    found = opened(folder)
    with pytest.raises(DamagedFile, match="cannot be read"):
        read_table(found, found.groups[0].shard, None, 0)


def test_bytes_are_compared_and_changes_noticed(folder: Path) -> None:
    found = opened(folder)
    assert list(check_bytes(found)) == []
    shard = folder / "articles" / "test-2022-01-0000000.parquet"
    data = bytearray(shard.read_bytes())
    data[10] ^= 1
    shard.write_bytes(data)
    assert [damage.path for damage in check_bytes(found)] == ["articles/test-2022-01-0000000.parquet"]
    assert stamp_of(folder) == found.stamp
    (folder / MANIFEST_NAME).write_text("{}")
    assert stamp_of(folder) != found.stamp
    (folder / MANIFEST_NAME).unlink()
    assert stamp_of(folder) == ()
