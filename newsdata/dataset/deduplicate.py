"""Which row stands for a duplicate cluster when only one row a cluster is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .parquet_rows import read_rows, spans_of
from .slices import Slice

__all__ = ["Representatives", "cluster_representatives"]

_KEYS = ["article_id", "duplicate_cluster", "published_at", "num_chars"]
_ORDER = [("published_at", "ascending"), ("num_chars", "descending"), ("article_id", "ascending")]


class Representatives(NamedTuple):
    """The rows of a slice that are kept.

    Attributes:
        positions: their places among the rows of the slice that the filter holds for, ascending (int64).
        article_ids: their article ids (strings), in the same order.
    """

    positions: np.ndarray
    article_ids: pa.Array


def cluster_representatives(
    parts: Sequence[Slice],
    files: Sequence[Sequence[str]],
    row_filter: pc.Expression | None = None,
    token: str | bool | None = None,
) -> list[Representatives]:
    """One row for each duplicate cluster over all slices, given as rows of each slice.

    Kept is the earliest row by `published_at` (rows without a date come last), among equals the longest by `num_chars`,
    then the first by `article_id`.

    Args:
        parts: slices of the configs `articles` or `excluded`.
        files: of each slice, the paths or addresses of its shards.
        row_filter: only the rows that it holds for are looked at; None for all.
        token: of the Hub, for addresses there.
    """
    tables = []
    for number, (part, some) in enumerate(zip(parts, files, strict=True)):
        keys = list(read_rows(some, spans_of(part), _KEYS, row_filter, token))
        tables += [_numbered(pa.concat_tables(keys), number)] if keys else []
    if not tables:
        return [Representatives(np.zeros(0, np.int64), pa.array([], pa.string())) for _ in parts]
    table = pa.concat_tables(tables).sort_by(_ORDER)
    clusters = table["duplicate_cluster"].combine_chunks().dictionary_encode().indices.to_numpy()
    first_of_each = np.sort(np.unique(clusters, return_index=True)[1])
    kept = table.take(pa.array(first_of_each)).sort_by("position")
    of_each_part = [kept.filter(pc.equal(kept["part"], number)) for number in range(len(parts))]
    return [Representatives(rows["position"].to_numpy(), rows["article_id"].combine_chunks()) for rows in of_each_part]


def _numbered(keys: pa.Table, number: int) -> pa.Table:
    """The keys of a slice's rows, with the slice's number and each row's position."""
    keys = keys.replace_schema_metadata(None)
    positions = np.arange(keys.num_rows)
    keys = keys.append_column("part", pa.array(np.full(len(positions), number)))
    return keys.append_column("position", pa.array(positions))
