"""Read the wanted rows of shards. Row groups without wanted rows are not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ..errors import VerifyError, first_line
from ..storage.manifest import Shard
from .hub_stream import open_on_the_hub
from .slices import Slice

if TYPE_CHECKING:
    import datasets

__all__ = [
    "RowGroup",
    "Rows",
    "ShardRows",
    "matching_rows",
    "opened",
    "read_row_group",
    "read_rows",
    "read_typed",
    "row_groups_of",
    "rows_of_slice",
    "rows_within",
    "take_rows",
]

Rows = range | np.ndarray
"""Numbers of rows of a shard, ascending: a range, or an array (int64)."""

_HOLDS = "the filter holds"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShardRows:
    """Rows of one shard.

    Attributes:
        shard: the shard, as the manifest names it.
        file: where it is: a path, or an address (hf://…).
        rows: the numbers of its wanted rows.
    """

    shard: Shard
    file: str
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowGroup:
    """Rows of one row group.

    Attributes:
        part: its shard, and the numbers of its wanted rows, counted from its first one.
        number: which one of the shard.
        bytes: of all its columns, before compression.
    """

    part: ShardRows
    number: int
    bytes: int


def rows_of_slice(part: Slice, files: Sequence[str]) -> list[ShardRows]:
    """The rows of a slice, shard by shard.

    Args:
        part: the slice.
        files: where each of its shards is.
    """
    ends = list(accumulate(shard.rows for shard in part.shards))
    found = []
    for shard, file, end in zip(part.shards, files, ends, strict=True):
        begin = end - shard.rows
        rows = range(max(part.begin - begin, 0), min(part.end, end) - begin)
        found.append(ShardRows(shard=shard, file=file, rows=rows))
    return found


def take_rows(wanted: Sequence[ShardRows], positions: Rows) -> list[ShardRows]:
    """Some of the wanted rows.

    Args:
        wanted: rows of shards.
        positions: which of them, counted over all of `wanted`, ascending.
    """
    taken, before = [], 0
    for part in wanted:
        here = np.asarray(rows_within(positions, before, before + len(part.rows)), np.int64)
        taken.append(replace(part, rows=np.asarray(part.rows, np.int64)[here]))
        before += len(part.rows)
    return taken


def rows_within(rows: Rows, begin: int, end: int) -> Rows:
    """Those of some row numbers that are in `begin` up to, not including, `end`, counted from `begin`.

    >>> rows_within(range(3, 9), 5, 20)
    range(0, 4)
    """
    if isinstance(rows, range):
        return range(max(rows.start - begin, 0), max(min(rows.stop, end) - begin, 0))
    return rows[np.searchsorted(rows, begin) : np.searchsorted(rows, end)] - begin


def read_rows(
    wanted: Sequence[ShardRows],
    columns: Sequence[str] | Mapping[str, pc.Expression],
    row_filter: pc.Expression | None = None,
    token: str | bool | None = None,
) -> Iterator[pa.Table]:
    """Tables of the wanted rows, one for each row group that has some, in order.

    Args:
        wanted: rows of shards.
        columns: the columns of the tables, in this order; or a name and an expression for each.
        row_filter: only the rows that it holds for. It may use other columns. A row group is not read if its statistics
            show that it holds for none of its rows.
        token: of the Hub, for addresses that begin with hf://.

    Raises:
        VerifyError: a shard cannot be read as Parquet with these columns.
    """
    names = dict(columns) if isinstance(columns, Mapping) else {name: ds.field(name) for name in columns}
    if row_filter is not None:
        names[_HOLDS] = row_filter  # computed as a column: rows are counted before they are filtered
    for part in wanted:
        with opened(part, token) as fragment:
            for group, here in _groups(fragment, part.rows, row_filter):
                table = _read_group(fragment, group, names)
                table = _at(table, here)
                if row_filter is not None:
                    table = table.filter(table[_HOLDS]).select(list(columns))
                if table.num_rows:
                    yield table


def read_typed(
    wanted: Sequence[ShardRows],
    features: datasets.Features,
    row_filter: pc.Expression | None = None,
    token: str | bool | None = None,
) -> Iterator[pa.Table]:
    """Like `read_rows`, with the columns, types and metadata of `features`.

    Raises:
        VerifyError: a shard cannot be read, or a column has another type.
    """
    schema = features.arrow_schema
    for part in wanted:
        for table in read_rows([part], schema.names, row_filter, token):
            yield _cast(table, schema, part)


def matching_rows(
    wanted: Sequence[ShardRows], row_filter: pc.Expression, token: str | bool | None = None
) -> list[ShardRows]:
    """Those of the wanted rows that a filter holds for. Only the columns that the filter uses are read.

    Args:
        wanted, row_filter, token: as for `read_rows`.

    Raises:
        VerifyError: as for `read_rows`.
    """
    matching = []
    for part in wanted:
        found = [np.zeros(0, np.int64)]
        with opened(part, token) as fragment:
            before = list(accumulate((group.num_rows for group in fragment.row_groups), initial=0))
            for group, here in _groups(fragment, part.rows, row_filter):
                holds = _read_group(fragment, group, {_HOLDS: row_filter})[_HOLDS]
                rows = np.asarray(here, np.int64)
                found.append(rows[holds.fill_null(False).to_numpy()[rows]] + before[group])
        matching.append(replace(part, rows=np.concatenate(found)))
    return matching


def row_groups_of(part: ShardRows) -> list[RowGroup]:
    """The row groups of a shard that hold wanted rows. The shard is a local file.

    Raises:
        VerifyError: it cannot be read as Parquet, or has another number of rows.
    """
    with opened(part) as fragment:
        sizes = {group.id: group.total_byte_size for group in fragment.row_groups}
        return [
            RowGroup(part=replace(part, rows=here), number=number, bytes=sizes[number])
            for number, here in _groups(fragment, part.rows, None)
        ]


def read_row_group(group: RowGroup, schema: pa.Schema) -> pa.Table:
    """The wanted rows of a row group of a local file. Text is not checked to be UTF-8: Python does when it makes strings.

    Args:
        group: the row group.
        schema: the columns with the types and the metadata of `datasets`.

    Raises:
        VerifyError: it cannot be read, or a column has another type.
    """
    columns = {name: ds.field(name) for name in schema.names}
    with opened(group.part) as fragment:
        table = _read_group(fragment, group.number, columns, is_checked=False)
        return _cast(_at(table, group.part.rows), schema, group.part)


def _cast(table: pa.Table, schema: pa.Schema, part: ShardRows) -> pa.Table:
    from datasets.table import table_cast

    try:
        return table_cast(table, schema)
    except (TypeError, ValueError) as error:
        raise VerifyError(f"has columns of other types: {first_line(error)}", path=part.file) from None


def _at(table: pa.Table, rows: Rows) -> pa.Table:
    return table.slice(rows.start, len(rows)) if isinstance(rows, range) else table.take(pa.array(rows))


def _groups(fragment: Any, rows: Rows, row_filter: pc.Expression | None) -> Iterator[tuple[int, Rows]]:
    """The row groups that hold wanted rows for which a filter may hold, each with its wanted rows."""
    possible = fragment.row_groups if row_filter is None else fragment.subset(row_filter).row_groups
    possible_ids = {group.id for group in possible}
    before = 0
    for group in fragment.row_groups:
        here = rows_within(rows, before, before + group.num_rows)
        before += group.num_rows
        if len(here) and group.id in possible_ids:
            yield group.id, here


def _read_group(
    fragment: ds.ParquetFileFragment, group: int, columns: Mapping[str, pc.Expression], *, is_checked: bool = True
) -> pa.Table:
    """The columns of a row group. With `is_checked`, text that is not UTF-8 is an error.

    Arrow's own threads must not read ahead from a file of Python: one that still reads when the program ends aborts it.
    """
    options = ds.ParquetFragmentScanOptions(pre_buffer=False)
    table = fragment.subset(row_group_ids=[group]).to_table(
        columns=dict(columns), fragment_scan_options=options, use_threads=is_checked
    )
    if is_checked:
        table.validate(full=True)  # Parquet does not say whether bytes are UTF-8
    return table


@contextmanager
def opened(part: ShardRows, token: str | bool | None = None) -> Iterator[ds.ParquetFileFragment]:
    """A shard as a fragment of an Arrow dataset. What cannot be read of it meanwhile is an error of the shard.

    Raises:
        VerifyError: it is no Parquet file, or does not have the rows that the manifest names.
    """
    is_address = part.file.startswith("hf://")
    try:
        with open_on_the_hub(part.file, part.shard.bytes, token) if is_address else pa.OSFile(part.file) as handle:
            fragment = ds.ParquetFileFormat().make_fragment(handle)
            if (rows := fragment.metadata.num_rows) != part.shard.rows:
                raise VerifyError(f"has {rows} rows, the manifest says {part.shard.rows}", path=part.file)
            yield fragment
    except (pa.ArrowException, OSError) as error:
        raise VerifyError(f"cannot be read: {first_line(error)}", path=part.file) from None
