"""The spool: Arrow files with the columns that parsed posts give to articles. Rows of articles are gathered from them.

Stage parse writes one spool file for each of its tasks. Text stays there until it is compared or a shard of articles is
written, so that little text is in memory at a time. A *place* in the spool is the number of a file and a row in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from .gathered import ROLES, Gathered, MergedFrom, merged_columns, place_number, split_place

__all__ = ["SPOOL_BATCH", "ArticleRows", "Spool", "article_table"]

SPOOL_BATCH = 500
"""Rows of a batch in a spool file. Rows are read in whole batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """Some files of the spool.

    Attributes:
        files: the files by number, with `SPOOL_BATCH` rows in each batch but the last.
    """

    files: Mapping[int, Path]

    def take(self, file: np.ndarray, row: np.ndarray, columns: Sequence[str]) -> pa.Table:
        """Some columns of the posts at some places, one row for each place, in that order.

        Args:
            file, row: the number of the file and the row in it, for each place.
            columns: their names.
        """
        return self.read(file, row, columns).take((file, row), tuple(columns))

    def read(self, file: np.ndarray, row: np.ndarray, columns: Sequence[str]) -> Gathered:
        """Read some columns of the posts at some places into memory; each batch is read once. Arguments as for `take`."""
        places = np.unique(place_number(file, row))
        files, rows = split_place(places)
        at = np.empty(len(places), dtype=np.int64)
        tables = []
        done = size = 0
        while done < len(places):
            number = int(files[done])
            end = int(np.searchsorted(files, number + 1))
            with pa.OSFile(str(self.files[number])) as handle:
                schema = pa.ipc.open_file(handle).schema
                fields = sorted(schema.get_field_index(name) for name in columns)
                reader = pa.ipc.open_file(handle, options=pa.ipc.IpcReadOptions(included_fields=fields))
                while done < end:
                    batch = int(rows[done]) // SPOOL_BATCH
                    stop = done + int(np.searchsorted(rows[done:end], (batch + 1) * SPOOL_BATCH))
                    found = reader.get_batch(batch)
                    own = rows[done:stop] - batch * SPOOL_BATCH
                    if 2 * len(own) < found.num_rows:  # do not keep a batch in memory for a few rows
                        found, own = found.take(pa.array(own)), np.arange(len(own))
                    at[done:stop] = size + own
                    tables.append(pa.Table.from_batches([found]))
                    size += found.num_rows
                    done = stop
        return Gathered(places=places, at=at, table=pa.concat_tables(tables))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRows:
    """Instructions for the rows of some articles.

    Attributes:
        article_id, duplicate_cluster, leak_group: strings.
        fold: int32.
        excluded_reason: strings, or None for the config `articles`.
        merged: from which posts the other columns come.
    """

    article_id: pa.Array
    duplicate_cluster: pa.Array
    leak_group: pa.Array
    fold: pa.Array
    excluded_reason: pa.Array | None
    merged: MergedFrom


def article_table(rows: ArticleRows, spool: Spool, schema: pa.Schema) -> pa.Table:
    """Gather the rows of some articles from the spool.

    Args:
        rows: from which post each column comes.
        spool: the files that hold all members.
        schema: of the config `articles` or `excluded`.
    """
    read = [*(name for names in ROLES.values() for name in names), "issues"]
    columns = merged_columns(rows.merged, spool.read(*rows.merged.member_places, read))
    columns |= {
        "article_id": rows.article_id,
        "duplicate_cluster": rows.duplicate_cluster,
        "leak_group": rows.leak_group,
        "fold": rows.fold,
    }
    if rows.excluded_reason is not None:
        columns["excluded_reason"] = rows.excluded_reason
    return pa.Table.from_arrays([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)
