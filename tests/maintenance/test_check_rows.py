"""Rows of a version that contradict each other, and what is left out where a file is damaged."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsdata.maintenance.check_rows import RowsChecked, check_rows
from newsdata.storage.manifest import Manifest, read_manifest, shards_of


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo / "1.0.0", tmp_path / "1.0.0")


def check(folder: Path, *damaged: str, **changes: Any) -> RowsChecked:
    return check_rows(folder, dataclasses.replace(read_manifest(folder), **changes), frozenset(damaged))


def first(folder: Path, config: str) -> str:
    return shards_of(read_manifest(folder), config)[0].path


def test_a_whole_version_is_good(demo: Path) -> None:
    manifest = read_manifest(demo / "1.0.0")
    rows = sum(shard.rows for shard in manifest.shards)
    found = check(demo / "1.0.0")
    assert (found.rows, found.faults, found.not_checked) == (rows, (), ())
    assert len(found.checks) == 6 and not any(one.faults or one.left_out for one in found.checks)


def test_each_check_counts_its_own_faults(demo: Path) -> None:
    folder, manifest = demo / "1.0.0", read_manifest(demo / "1.0.0")
    wrong = {**manifest.accounting, "posts": 1}
    found = check(folder, accounting=wrong)
    assert found.faults and [(one.what, one.faults) for one in found.checks if one.faults] == [
        ("the sums in the manifest are right", len(found.faults))
    ]
    found = check(folder, first(folder, "posts"))
    assert [one.what for one in found.checks if one.left_out] == [
        "all rows have the right columns, offsets and dates",
        "the posts are the sources of the articles",
    ]
    assert len(check(folder, statistics=None).checks) == 5, "an older version has none to check"


@pytest.mark.parametrize("config", ["articles", "excluded", "posts", "rejects"])
def test_without_the_rows_of_a_damaged_shard_there_is_no_fault(config: str, demo: Path) -> None:
    folder = demo / "1.0.0"
    manifest = read_manifest(folder)
    shard = shards_of(manifest, config)[0]
    found = check(folder, shard.path)
    assert found.faults == () and found.rows == sum(s.rows for s in manifest.shards) - shard.rows
    unsure = () if config == "rejects" else ("whether the posts are the sources of the articles",)
    if config in ("articles", "excluded"):
        unsure = ("whether the statistics are those of the articles", *unsure)
    assert found.not_checked == (f"{shard.path}: its {shard.rows:,} rows", *unsure)


def test_a_damaged_ledger_is_left_out(demo: Path) -> None:
    found = check(demo / "1.0.0", "ledger.arrow")
    assert found.faults == () and found.not_checked == ("whether the ledger has all articles",)


def test_a_shard_that_cannot_be_read_is_one_fault(copy: Path) -> None:
    path = first(copy, "posts")
    (copy / path).write_bytes(b"PAR1 and nothing more PAR1")
    found = check(copy)
    assert len(found.faults) == 1 and found.faults[0].startswith(f"{path}: cannot be read as Parquet: ")
    (copy / path).unlink()
    assert len(check(copy).faults) == 1


def test_columns_of_another_config_are_one_fault(copy: Path) -> None:
    path = first(copy, "posts")
    shutil.copy(copy / first(copy, "rejects"), copy / path)
    assert check(copy).faults == (f"{path}: its columns are not those of config posts",)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"accounting": {}}, "manifest.json: accounting: a number is missing or no number: 'posts'"),
        ({"accounting": {"posts": "x", "rejects": 0, "ignored": 0}}, "manifest.json: accounting: a number is missing"),
        ({"configuration": {"timezone": "UTC"}}, "its columns are not those of config articles"),
        ({"configuration": {}}, "cannot be checked: KeyError: 'timezone'"),
        ({"configuration": {"timezone": "Asia/Shanghai"}}, "cannot be checked: KeyError: 'validation_from'"),
    ],
)
def test_a_manifest_with_other_content_is_a_fault(changes: dict[str, Any], fault: str, demo: Path) -> None:
    assert fault in "\n".join(check(demo / "1.0.0", **changes).faults)


def rewrite(folder: Path, path: str, change: Callable[[pa.Table], pa.Table]) -> Manifest:
    """Change a shard's rows and give the manifest that names its new hash, as a careless hand would."""
    pq.write_table(change(pq.read_table(folder / path, partitioning=None)), folder / path)
    manifest = read_manifest(folder)
    data = (folder / path).read_bytes()
    return dataclasses.replace(
        manifest,
        shards=tuple(
            dataclasses.replace(shard, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()) if shard.path == path else shard
            for shard in manifest.shards
        ),
    )  # fmt: skip


def faults(folder: Path, manifest: Manifest) -> str:
    return "\n".join(check_rows(folder, manifest, frozenset()).faults)


def test_an_offset_that_does_not_match(copy: Path) -> None:
    def shift(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        next(row for row in rows if row["mentions"])["mentions"][0]["start"] += 1
        return pa.Table.from_pylist(rows, schema=table.schema)

    with_mentions = next(
        shard.path for shard in shards_of(read_manifest(copy), "articles")
        if any(pq.read_table(copy / shard.path, columns=["mentions"])["mentions"].to_pylist())
    )  # fmt: skip
    assert "mentions[0]" in faults(copy, rewrite(copy, with_mentions, shift))


def test_wrong_counts_and_an_id_in_two_splits(copy: Path) -> None:
    test = pq.read_table(copy / shards_of(read_manifest(copy), "articles", "test")[0].path)
    found = faults(
        copy, rewrite(copy, first(copy, "articles"), lambda table: pa.concat_tables([table, test.slice(0, 1)]))
    )
    for part in (
        "stands in",
        "rows, not",
        "belongs to test",
        "rows of split train",
        "a post was lost or counted twice",
    ):
        assert part in found


def test_few_faults_of_one_shard_are_listed(copy: Path) -> None:
    def many(table: pa.Table) -> pa.Table:
        return pa.concat_tables([table.set_column(table.column_names.index("num_chars"), "num_chars", pa.array([99999] * table.num_rows, pa.int32()))] * 20)  # fmt: skip

    path = first(copy, "articles")
    manifest = rewrite(copy, path, many)
    assert faults(copy, manifest).count(f"{path}: row") == 20
