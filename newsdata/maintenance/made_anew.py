"""Rows of articles, made anew from their posts, with the groups that a version gave them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..building.stages.write import GroupNames, article_rows
from ..curation.merge import merge_posts, take_keys
from ..storage.rows import PostTables
from ..storage.spool import SPOOL_BATCH, Spool, article_table

__all__ = ["make_articles"]


def make_articles(posts: PostTables, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Merge posts into articles.

    Args:
        posts: every post of the articles, and no other.
        rows: for each article `article_id`, `duplicate_cluster` and `leak_group`, and `excluded_reason` if the schema has it.
        schema: of the result: that of `articles` or `excluded`.

    Returns:
        The articles, in the order of `rows`.
    """
    keys, hashes = take_keys([posts.keys])
    articles = merge_posts(keys)
    given = {row["article_id"]: row for row in rows}
    ids = articles.article_id.to_pylist()
    excluded = "excluded_reason" in schema.names
    reasons = np.empty(len(ids), dtype=object)
    reasons[:] = [given[identity]["excluded_reason"] if excluded else None for identity in ids]
    names = GroupNames(
        clusters=pa.array([given[identity]["duplicate_cluster"] for identity in ids], pa.string()),
        groups=pa.array([given[identity]["leak_group"] for identity in ids], pa.string()),
        reasons=reasons,
    )
    place = {identity: number for number, identity in enumerate(ids)}
    chosen = np.array([place[row["article_id"]] for row in rows], np.int64)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "spool")
        _write_spool(posts.spool, file)
        wanted = article_rows(chosen, articles, hashes, np.array([0, posts.keys.num_rows]), names, excluded=excluded)
        return article_table(wanted, Spool(files={0: file}), schema)


def _write_spool(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.combine_chunks(), max_chunksize=SPOOL_BATCH)
