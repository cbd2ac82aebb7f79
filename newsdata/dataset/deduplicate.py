"""Which row stands for a duplicate cluster when only one row a cluster is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .slices import Slice

__all__ = ["Representatives", "cluster_representatives"]

_KEYS = ["article_id", "duplicate_cluster", "published_at", "num_chars"]
_ORDER = [("published_at", "ascending"), ("num_chars", "descending"), ("article_id", "ascending")]


class Representatives(NamedTuple):
    """The rows of a slice that are kept.

    Attributes:
        positions: their places in the slice, ascending (int64).
        article_ids: their article ids (strings), in the same order.
    """

    positions: np.ndarray
    article_ids: pa.Array


def cluster_representatives(parts: Sequence[Slice], files: Sequence[Sequence[str]]) -> list[Representatives]:
    """One row for each duplicate cluster over all slices, given as rows of each slice.

    Kept is the earliest row by `published_at` (rows without a date come last), among equals the longest by `num_chars`,
    then the first by `article_id`.

    Args:
        parts: slices of the configs `articles` or `excluded`.
        files: of each slice, the paths or addresses of its shards.
    """
    tables = [
        _keys_of(part, some, number) for number, (part, some) in enumerate(zip(parts, files, strict=True)) if some
    ]
    if not tables:
        return [Representatives(np.zeros(0, np.int64), pa.array([], pa.string())) for _ in parts]
    table = pa.concat_tables(tables).sort_by(_ORDER)
    clusters = table["duplicate_cluster"].combine_chunks().dictionary_encode().indices.to_numpy()
    first_of_each = np.sort(np.unique(clusters, return_index=True)[1])
    kept = table.take(pa.array(first_of_each)).sort_by("position")
    of_each_part = [kept.filter(pc.equal(kept["part"], number)) for number in range(len(parts))]
    return [Representatives(rows["position"].to_numpy(), rows["article_id"].combine_chunks()) for rows in of_each_part]


def _keys_of(part: Slice, files: Sequence[str], number: int) -> pa.Table:
    """The keys of a slice's rows, with the slice's number and each row's position in the slice."""
    import fsspec

    tables = []
    for name in files:
        with fsspec.open(name, "rb") as file:
            tables.append(pq.read_table(file, columns=_KEYS))
    keys = pa.concat_tables(tables).replace_schema_metadata(None).slice(part.begin, part.end - part.begin)
    positions = np.arange(keys.num_rows)
    keys = keys.append_column("part", pa.array(np.full(len(positions), number)))
    return keys.append_column("position", pa.array(positions))
