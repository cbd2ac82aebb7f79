"""Which row stands for a duplicate cluster when only one row a cluster is loaded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from .parquet_rows import ShardRows, read_rows, rows_within, take_rows

__all__ = ["cluster_representatives"]

_KEYS = ["article_id", "duplicate_cluster", "published_at", "num_chars"]
_ORDER = [("published_at", "ascending"), ("num_chars", "descending"), ("article_id", "ascending")]


def cluster_representatives(
    groups: Sequence[Sequence[ShardRows]], token: str | bool | None = None
) -> list[list[ShardRows]]:
    """One row for each duplicate cluster over all groups.

    Kept is the earliest row by `published_at` (rows without a date come last), among equals the longest by `num_chars`,
    then the first by `article_id`.

    Args:
        groups: groups of rows of the configs `articles` or `excluded`.
        token: of the Hub, for addresses there.

    Returns:
        of each group the rows that are kept.
    """
    tables = [table for group in groups for table in read_rows(group, _KEYS, None, token)]
    if not tables:
        return [list(group) for group in groups]
    keys = pa.concat_tables([table.replace_schema_metadata(None) for table in tables])
    keys = keys.append_column("position", pa.array(np.arange(keys.num_rows))).sort_by(_ORDER)
    clusters = keys["duplicate_cluster"].combine_chunks().dictionary_encode().indices.to_numpy()
    first_of_each = np.unique(clusters, return_index=True)[1]
    kept = np.sort(keys["position"].to_numpy()[first_of_each])
    ends = np.cumsum([sum(len(part.rows) for part in group) for group in groups])
    return [
        take_rows(group, rows_within(kept, begin, end))
        for group, begin, end in zip(groups, [0, *ends[:-1]], ends, strict=True)
    ]
