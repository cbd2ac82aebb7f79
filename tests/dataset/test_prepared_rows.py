"""Row groups in the cache: each is prepared once, and a damaged one anew."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Features, Value

from newsdata.dataset.parquet_rows import ShardRows
from newsdata.dataset.prepared_rows import Cache, Prepared, prepare_rows
from newsdata.errors import MachineError, VerifyError
from newsdata.storage.manifest import Shard

EVERY = Features({"number": Value("int32"), "name": Value("string"), "size": Value("int64")})
NAMES = Features({"name": Value("string"), "number": Value("int32")})


@pytest.fixture
def shard(tmp_path: Path) -> ShardRows:
    """A shard with the rows 0 to 9 in row groups of 4."""
    table = pa.table(
        {
            "name": [f"n{number}" for number in range(10)],
            "number": pa.array(range(10), pa.int32()),
            "size": pa.array(range(10), pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=4)
    named = Shard(path="a.parquet", config="c", split="s", rows=10, bytes=0, sha256="ab", digest="", start="")
    return ShardRows(shard=named, file=str(tmp_path / "a.parquet"), rows=range(10))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(folder=tmp_path / "cache")


def numbers(groups: list[Prepared]) -> list[int]:
    return [group.table["number"][int(row)].as_py() for group in groups for row in group.rows]


def files(cache: Cache) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in cache.folder.iterdir()}


def test_a_row_group_is_prepared_once(shard: ShardRows, cache: Cache) -> None:
    assert numbers(prepare_rows([replace(shard, rows=range(5, 7))], EVERY, EVERY, cache)) == [5, 6]
    first = files(cache)
    assert len(first) == 1, "other row groups are not needed"
    assert numbers(prepare_rows([replace(shard, rows=range(3, 10))], EVERY, EVERY, cache)) == list(range(3, 10))
    every = files(cache)
    assert len(every) == 3 and first.items() <= every.items()
    groups = prepare_rows([shard], NAMES, EVERY, replace(cache, num_threads=3))
    assert numbers(groups) == list(range(10)) and files(cache) == every, "the file with all columns serves for some"
    assert groups[0].table.schema == NAMES.arrow_schema


def test_the_order_of_columns_makes_no_second_file(shard: ShardRows, cache: Cache) -> None:
    for columns in (NAMES, Features({name: NAMES[name] for name in reversed(NAMES)})):
        groups = prepare_rows([shard], columns, EVERY, cache)
        assert numbers(groups) == list(range(10)) and groups[0].table.column_names == list(columns)
    assert len(files(cache)) == 3


def test_other_contents_and_types_have_files_of_their_own(shard: ShardRows, cache: Cache) -> None:
    prepare_rows([shard], EVERY, EVERY, cache)
    table = pq.read_table(shard.file)
    pq.write_table(table.set_column(1, "number", pa.array(range(10, 20), pa.int32())), shard.file, row_group_size=4)
    other = replace(shard, shard=replace(shard.shard, sha256="cd"))
    assert numbers(prepare_rows([other], EVERY, EVERY, cache)) == list(range(10, 20))
    wide = Features({**EVERY, "number": Value("int64")})
    assert prepare_rows([other], wide, wide, cache)[0].table.schema.field("number").type == pa.int64()
    assert len(files(cache)) == 9


def test_what_is_damaged_in_the_cache_is_prepared_anew(shard: ShardRows, cache: Cache, tmp_path: Path) -> None:
    wanted = [replace(shard, rows=range(4))]
    prepare_rows(wanted, EVERY, EVERY, cache)
    (name,) = files(cache)
    kept = cache.folder / name
    good = kept.read_bytes()

    def other_rows() -> None:
        with pa.OSFile(str(kept), "wb") as sink, pa.ipc.new_stream(sink, EVERY.arrow_schema) as writer:
            writer.write_table(EVERY.arrow_schema.empty_table())

    damages = (
        lambda: kept.write_bytes(good[: len(good) // 2]),
        lambda: kept.write_bytes(b""),
        other_rows,
        lambda: os.mkfifo(kept),
        lambda: kept.symlink_to(tmp_path / "elsewhere"),
    )
    (tmp_path / "elsewhere").write_bytes(good)
    for damage in damages:
        kept.unlink()
        damage()
        assert numbers(prepare_rows(wanted, EVERY, EVERY, cache)) == [0, 1, 2, 3]
        assert kept.is_file() and not kept.is_symlink() and kept.read_bytes() == good
    assert len(files(cache)) == 1, "nothing is left beside it"


def test_again_prepares_anew(shard: ShardRows, cache: Cache) -> None:
    prepare_rows([shard], EVERY, EVERY, cache)
    before = files(cache)
    assert numbers(prepare_rows([shard], EVERY, EVERY, replace(cache, again=True))) == list(range(10))
    after = files(cache)
    assert after.keys() == before.keys() and not after.items() & before.items()


def test_a_cache_that_cannot_be_written(shard: ShardRows, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    said = r"rows cannot be kept here: .*; give another folder as cache_dir=, or use keep_in_memory=True"
    with pytest.raises(MachineError, match=said):
        prepare_rows([shard], EVERY, EVERY, Cache(folder=tmp_path / "file" / "cache"))


def test_a_damaged_shard_leaves_no_file(shard: ShardRows, cache: Cache) -> None:
    shutil.copyfile(__file__, shard.file)
    with pytest.raises(VerifyError, match="cannot be read"):
        prepare_rows([shard], EVERY, EVERY, cache)
    assert not files(cache)
