"""Read the wanted rows of Parquet files. Row groups without wanted rows are not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from .slices import Slice

__all__ = ["matching_rows", "open_parquet", "read_rows", "spans_of"]

_HOLDS = "the filter holds"


def spans_of(part: Slice) -> list[tuple[int, int]]:
    """For each shard of a slice, the wanted rows: from, up to, counted in the shard."""
    ends = list(accumulate(shard.rows for shard in part.shards))
    begins = [end - shard.rows for end, shard in zip(ends, part.shards, strict=True)]
    return [(max(part.begin - begin, 0), min(part.end, end) - begin) for begin, end in zip(begins, ends, strict=True)]


def read_rows(
    files: Sequence[str],
    spans: Sequence[tuple[int, int]],
    columns: Sequence[str],
    row_filter: pc.Expression | None = None,
    token: str | bool | None = None,
) -> Iterator[pa.Table]:
    """The wanted rows of some Parquet files, one table for each row group that has some, in order.

    Args:
        files: paths or addresses.
        spans: for each file the rows to look at: from, up to.
        columns: the columns of the tables, in this order.
        row_filter: of these rows, only those that it holds for. It may use other columns. A row group is not read if
            its statistics show that it holds for none of its rows.
        token: of the Hub, for addresses that begin with hf://.
    """
    wanted = {name: ds.field(name) for name in columns}
    if row_filter is not None:
        wanted[_HOLDS] = row_filter  # computed as a column: rows are counted before they are filtered
    for file, (begin, end) in zip(files, spans, strict=True):
        with open_parquet(file, token) as handle:
            fragment = ds.ParquetFileFormat().make_fragment(handle)
            possible = fragment.row_groups if row_filter is None else fragment.subset(row_filter).row_groups
            possible_ids = {group.id for group in possible}
            before = 0
            for group in fragment.row_groups:
                if before < end and before + group.num_rows > begin and group.id in possible_ids:
                    first = max(begin - before, 0)
                    rows = fragment.subset(row_group_ids=[group.id]).to_table(columns=wanted)
                    rows = rows.slice(first, end - before - first)
                    if row_filter is not None:
                        rows = rows.filter(rows[_HOLDS]).select(list(columns))
                    if rows.num_rows:
                        yield rows
                before += group.num_rows


def matching_rows(files: Sequence[str], row_filter: pc.Expression) -> list[int]:
    """The numbers of the rows that a filter holds for, counted over all files."""
    found, before = [], 0
    for file in files:
        with open_parquet(file) as handle:
            holds = ds.ParquetFileFormat().make_fragment(handle).to_table(columns={_HOLDS: row_filter})[_HOLDS]
        found += [before + row for row in pc.indices_nonzero(holds.fill_null(False)).to_pylist()]
        before += len(holds)
    return found


def open_parquet(file: str, token: str | bool | None = None) -> Any:
    """A file or an address, open for reading bytes. Only addresses of the Hub are given the token."""
    import fsspec

    return fsspec.open(file, "rb", **({"token": token} if token is not None and file.startswith("hf://") else {}))
