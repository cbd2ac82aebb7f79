"""Rows of any config by a value, without reading more than the row groups that may hold it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .opened import READ_ERRORS, DamagedFile, Opened, read_table

__all__ = ["find_in_config"]


def find_in_config(
    opened: Opened, config: str, column: str, value: str, columns: list[str] | None, most: int = 200
) -> list[dict[str, Any]]:
    """Rows of a config that have a value in a column; shards that cannot be read are passed over.

    Args:
        opened: the version.
        config: one of its configs.
        column: a column of strings.
        value: what it must hold.
        columns: the columns that the rows have, None for all.
        most: rows that are enough.
    """
    found: list[dict[str, Any]] = []
    for shard in opened.shards(config):
        try:
            with pq.ParquetFile(opened.folder / shard.path) as file:
                groups = list(_groups(file.metadata, column, value))
            for group in groups:
                here = read_table(opened, shard, [column], group)
                if column not in here.column_names:
                    continue
                rows = pc.indices_nonzero(pc.equal(here[column], pa.scalar(value, pa.string())))
                if len(rows):
                    found += read_table(opened, shard, columns, group).take(rows).to_pylist()
        except (DamagedFile, *READ_ERRORS):
            continue
        if len(found) >= most:
            break
    return found[:most]


def _groups(metadata: pq.FileMetaData, column: str, value: str) -> Iterator[int]:
    """The row groups whose statistics allow the value."""
    at = next((n for n in range(metadata.num_columns) if metadata.schema.column(n).path == column), None)
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(at).statistics if at is not None else None
        if statistics is None or not statistics.has_min_max or statistics.min <= value <= statistics.max:
            yield group
