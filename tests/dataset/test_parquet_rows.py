"""Wanted rows of Parquet files, with row groups of any size and filters of any kind."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.dataset.parquet_rows import matching_rows, read_rows


def write(folder: Path, sizes: list[int], group: int) -> list[str]:
    """Files with rows numbered over all files, `group` rows in each row group."""
    files, first = [], 0
    for number, size in enumerate(sizes):
        numbers = range(first, first + size)
        table = pa.table({"number": pa.array(numbers, pa.int32()), "name": [f"n{one}" for one in numbers]})
        files.append(str(folder / f"{number}.parquet"))
        pq.write_table(table, files[-1], row_group_size=group)
        first += size
    return files


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


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    group=st.integers(1, 5),
    data=st.data(),
    low=st.integers(0, 20),
)
def test_rows_are_those_of_the_spans_that_the_filter_holds_for(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], group: int, data: st.DataObject, low: int
) -> None:
    files = write(tmp_path_factory.mktemp("files"), sizes, group)
    spans = [tuple(sorted(data.draw(st.tuples(st.integers(0, size), st.integers(0, size))))) for size in sizes]
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    wanted = [n for at, (begin, end) in enumerate(spans) for n in range(starts[at] + begin, starts[at] + end)]
    tables = list(read_rows(files, [(a, b) for a, b in spans], ["name", "number"]))
    assert all(table.column_names == ["name", "number"] and table.num_rows for table in tables)
    assert [n for table in tables for n in table["number"].to_pylist()] == wanted
    holds = pc.field("number") >= low
    names = [
        n for table in read_rows(files, [(a, b) for a, b in spans], ["name"], holds) for n in table["name"].to_pylist()
    ]
    assert names == [f"n{n}" for n in wanted if n >= low], "the filter may use a column that is not asked for"
    assert matching_rows(files, holds) == [n for n in range(sum(sizes)) if n >= low]


def test_row_groups_without_wanted_rows_are_not_read(tmp_path: Path) -> None:
    (file,) = write(tmp_path, [40], 10)
    blank_row_groups(file, [0, 2, 3])
    with pytest.raises(OSError):
        list(read_rows([file], [(0, 40)], ["name"]))
    by_span = [table.num_rows for table in read_rows([file], [(12, 20)], ["name"])]
    in_tens = (pc.field("number") >= 10) & (pc.field("number") < 20)
    by_filter = [table.num_rows for table in read_rows([file], [(0, 40)], ["name"], in_tens)]
    assert (by_span, by_filter) == ([8], [10])


def test_a_filter_that_is_null_for_a_row_does_not_hold(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"media": ["x", None, "y"], "row": [0, 1, 2]}), file)
    not_x = pc.field("media") != "x"
    assert [table["row"].to_pylist() for table in read_rows([str(file)], [(0, 3)], ["row"], not_x)] == [[2]]
    assert matching_rows([str(file)], not_x) == [2]
