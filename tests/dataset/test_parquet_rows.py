"""Wanted rows of Parquet files, with row groups of any size and filters of any kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from datasets import Features, List, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.dataset.parquet_rows import (
    ShardRows,
    matching_rows,
    read_row_group,
    read_rows,
    read_typed,
    row_groups_of,
    take_rows,
)
from newsdata.errors import VerifyError
from newsdata.storage.manifest import Shard


def write(folder: Path, sizes: list[int], group: int) -> list[ShardRows]:
    """Shards with rows numbered over all of them, `group` rows in each row group; all rows are wanted."""
    found, first = [], 0
    for number, size in enumerate(sizes):
        numbers = range(first, first + size)
        table = pa.table({"number": pa.array(numbers, pa.int32()), "name": [f"n{one}" for one in numbers]})
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=group)
        found.append(whole(folder / f"{number}.parquet", size))
        first += size
    return found


def whole(file: Path, rows: int) -> ShardRows:
    shard = Shard(path=file.name, config="c", split="s", rows=rows, bytes=0, sha256="", digest="", start="")
    return ShardRows(shard=shard, file=str(file), rows=range(rows))


def numbers_of(tables: Iterable[pa.Table]) -> list[int]:
    return [int(name[1:]) for table in tables for name in table["name"].to_pylist()]


def blank_row_groups(file: str, groups: list[int]) -> None:
    """Overwrite the data of some row groups, so that reading them fails."""
    data = bytearray(Path(file).read_bytes())
    metadata = pq.read_metadata(file)
    for group in groups:
        for at in range(metadata.num_columns):
            column = metadata.row_group(group).column(at)
            begin = column.dictionary_page_offset or column.data_page_offset
            data[begin : begin + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    Path(file).write_bytes(data)


@pytest.mark.slow
@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    group=st.integers(1, 5),
    data=st.data(),
    low=st.integers(0, 20),
)
def test_rows_are_those_that_are_wanted_and_that_the_filter_holds_for(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], group: int, data: st.DataObject, low: int
) -> None:
    every = write(tmp_path_factory.mktemp("files"), sizes, group)
    some, numbers = [], []
    for part, start in zip(every, [sum(sizes[:at]) for at in range(len(sizes))], strict=True):
        size = part.shard.rows
        begin, end = sorted(data.draw(st.tuples(st.integers(0, size), st.integers(0, size))))
        picked = np.array(sorted(data.draw(st.sets(st.integers(0, size - 1)))), np.int64)
        rows = data.draw(st.sampled_from([range(begin, end), picked]))
        some.append(replace(part, rows=rows))
        numbers += [start + int(row) for row in rows]
    tables = list(read_rows(some, ["name", "number"]))
    assert all(table.column_names == ["name", "number"] and table.num_rows for table in tables)
    assert [n for table in tables for n in table["number"].to_pylist()] == numbers
    holds = pc.field("number") >= low
    fitting = [n for n in numbers if n >= low]
    assert numbers_of(read_rows(some, ["name"], holds)) == fitting, "the filter may use a column that is not asked for"
    assert numbers_of(read_rows(matching_rows(some, holds), ["name"])) == fitting
    places = np.array(sorted(data.draw(st.sets(st.sampled_from(range(len(numbers)))))) if numbers else [], np.int64)
    assert numbers_of(read_rows(take_rows(some, places), ["name"])) == [numbers[place] for place in places]


def test_row_groups_without_wanted_rows_are_not_read(tmp_path: Path) -> None:
    (every,) = write(tmp_path, [40], 10)
    blank_row_groups(every.file, [0, 2, 3])
    with pytest.raises(VerifyError, match=r"0\.parquet: cannot be read"):
        list(read_rows([every], ["name"]))
    in_tens = (pc.field("number") >= 10) & (pc.field("number") < 20)
    for rows in (range(12, 20), np.array([12, 15, 19])):
        assert numbers_of(read_rows([replace(every, rows=rows)], ["name"])) == list(rows)
    assert numbers_of(read_rows([every], ["name"], in_tens)) == list(range(10, 20))
    assert list(matching_rows([every], in_tens)[0].rows) == list(range(10, 20))


def test_row_groups_one_by_one(tmp_path: Path) -> None:
    (every,) = write(tmp_path, [25], 10)
    schema = Features({"name": Value("string")}).arrow_schema
    for rows in (range(25), range(8, 9), range(12, 21), np.array([3, 10, 19, 24]), np.array([], np.int64)):
        groups = row_groups_of(replace(every, rows=rows))
        assert [group.number for group in groups] == sorted({int(row) // 10 for row in rows})
        assert all(group.bytes > 0 for group in groups)
        assert numbers_of(read_row_group(group, schema) for group in groups) == [int(row) for row in rows]
    blank_row_groups(every.file, [1])
    first, second, _ = row_groups_of(every)
    assert numbers_of([read_row_group(first, schema)]) == list(range(10))
    with pytest.raises(VerifyError, match=r"0\.parquet: cannot be read"):
        read_row_group(second, schema)
    with pytest.raises(VerifyError, match=r"0\.parquet: has columns of other types: "):
        read_row_group(first, Features({"number": List(Value("int32"))}).arrow_schema)


def test_a_filter_that_is_null_for_a_row_does_not_hold(tmp_path: Path) -> None:
    pq.write_table(pa.table({"media": ["x", None, "y"], "row": [0, 1, 2]}), tmp_path / "a.parquet")
    every = whole(tmp_path / "a.parquet", 3)
    not_x = pc.field("media") != "x"
    assert [table["row"].to_pylist() for table in read_rows([every], ["row"], not_x)] == [[2]]
    assert list(matching_rows([every], not_x)[0].rows) == [2]


def test_files_that_are_no_such_shard(tmp_path: Path) -> None:
    (every,) = write(tmp_path, [4], 10)
    more = replace(every, shard=replace(every.shard, rows=5))
    with pytest.raises(VerifyError, match=r"0\.parquet: has 4 rows, the manifest says 5"):
        list(read_rows([more], ["name"]))
    with pytest.raises(VerifyError, match=r"0\.parquet: cannot be read: .*title"):
        list(read_rows([every], ["title"]))
    with pytest.raises(VerifyError, match=r"0\.parquet: has columns of other types: "):
        list(read_typed([every], Features({"name": Value("string"), "number": List(Value("int32"))})))
    Path(every.file).write_bytes(b"not Parquet")
    with pytest.raises(VerifyError, match=r"0\.parquet: cannot be read: "):
        list(matching_rows([every], pc.field("number") > 1))
    Path(every.file).unlink()
    with pytest.raises(VerifyError, match=r"0\.parquet: cannot be read: "):
        list(read_rows([every], ["name"]))


def test_text_that_is_not_utf8_is_an_error_of_the_shard(tmp_path: Path) -> None:
    binary = pa.array([b"good", b"\xff\xfebad"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, binary.buffers())
    pq.write_table(pa.table({"name": text}), tmp_path / "x.parquet")
    with pytest.raises(VerifyError, match="UTF"):
        list(read_rows([whole(tmp_path / "x.parquet", 2)], ["name"]))
