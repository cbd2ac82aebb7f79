"""A part of stage split: the hashes of the posts of articles that went away. A renamed post is found by them.

The ledger keeps them while an article is gone. Those of articles that went away since the base stand in its shards of posts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...arrow_files import values_of
from ...errors import ManifestError
from ...graph.task import StoredFile
from ...storage.manifest import shards_of
from ...storage.reading import checked_values, damage_is_told, open_shard
from ..base import Base

__all__ = ["gone_posts", "gone_shards", "with_gone_posts"]

_COLUMNS = ["article_id", "sha256"]
_GONE = pa.schema([("row", pa.int32()), ("posts", pa.string())])


def gone_shards(article_ids: pa.StringArray, base: Base) -> tuple[StoredFile, ...]:
    """The shards of posts of the base, if articles went away since; else none, because none has to be read.

    Args:
        article_ids: of all articles that are in the archive.
        base: of the build.

    Raises:
        ManifestError: a shard is missing or damaged.
        VerifyError: a shard has other columns than it should have.
    """
    if base.folder is None or base.manifest is None or not len(_gone_rows(base.ledger, article_ids)):
        return ()
    shards = shards_of(base.manifest, "posts")
    base.fetch(shards)
    for shard in shards:
        if base.undamaged(shard) is None:
            raise ManifestError(
                "is missing or damaged; the build needs it to see which articles went away since this version",
                path=base.folder / shard.path,
                hint="restore the file from another copy of the version, or build upon another one (--base)",
            )
        with open_shard(base.folder, shard, _COLUMNS):
            pass
    return tuple(base.stored(shard.path) for shard in shards)


def gone_posts(ledger: pa.Table, article_ids: pa.StringArray, shards: Sequence[StoredFile]) -> pa.Table:
    """The hashes of the posts of the articles that went away since the base.

    Args:
        ledger: of the base.
        article_ids: of all articles that are in the archive.
        shards: from `gone_shards`.

    Returns:
        For each such article its `row` in the ledger and its `posts`: SHA-256, hexadecimal, sorted, with blanks between.
    """
    rows = pa.array(_gone_rows(ledger, article_ids))
    ids = values_of(ledger, "article_id").take(rows)
    tables = [pa.table({name: pa.array([], pa.string()) for name in _COLUMNS})]
    for shard in shards:
        path = shard.checked()
        with damage_is_told(path):
            wanted = pc.field("article_id").isin(ids)
            tables.append(
                checked_values(pq.read_table(path, columns=_COLUMNS, filters=wanted, partitioning=None), path)
            )
    posts = pa.concat_tables(tables).drop_null().combine_chunks()
    posts = posts.take(pc.sort_indices(posts, [(name, "ascending") for name in _COLUMNS]))
    lists = posts.group_by("article_id", use_threads=False).aggregate([("sha256", "list")])
    row = rows.take(pc.index_in(values_of(lists, "article_id"), ids))
    return pa.table([row, pc.binary_join(lists["sha256_list"], " ")], schema=_GONE)


def _gone_rows(ledger: pa.Table, article_ids: pa.StringArray) -> np.ndarray:
    """The rows of articles that are not in the archive, and whose posts the ledger does not know yet; int32."""
    there = pc.is_in(ledger["article_id"], value_set=article_ids)
    known = pc.or_(ledger["gone_posts"].is_valid(), ledger["redacted_reason"].is_valid())
    gone: np.ndarray = pc.invert(pc.or_(there, known)).to_numpy()
    return np.flatnonzero(gone).astype(np.int32)


def with_gone_posts(ledger: pa.Table, gone: pa.Table) -> pa.StringArray:
    """The column `gone_posts` of a ledger, with what `gone_posts` returned. Articles that came back may still have a value."""
    numbers = pa.array(np.arange(ledger.num_rows, dtype=np.int32))
    added = values_of(gone, "posts").take(pc.index_in(numbers, values_of(gone, "row")))
    return pc.coalesce(values_of(ledger, "gone_posts"), added)
