"""A part of stage split: the hashes of the posts of articles that went away. A renamed post is found by them.

The ledger keeps them while an article is gone. Those of articles that went away since the base stand in its shards of posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...arrow_files import values_of
from ...counts import noun, plural
from ...errors import VerifyError
from ...graph.task import StoredFile
from ...storage.manifest import Shard, shards_of
from ...storage.reading import checked_values, damage_is_told, open_shard
from ..base import Base

__all__ = ["GoneShards", "gone_shards", "read_gone_hashes", "with_gone_posts"]

_COLUMNS = ["article_id", "sha256"]
_GONE = pa.schema([("row", pa.int32()), ("posts", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneShards:
    """The shards of posts of the base that have to be read.

    Attributes:
        version: the base; empty if there is none.
        count: their number.
        files: those that are not damaged.
    """

    version: str = ""
    count: int = 0
    files: tuple[StoredFile, ...] = ()

    def notes(self, read: int) -> tuple[str, ...]:
        """What the user should know if only `read` of them could be read."""
        damaged = self.count - read
        if not damaged:
            return ()
        return (
            f"{damaged:,} of {plural(self.count, 'shard')} of posts of {self.version} {noun(damaged, 'is', 'are')} damaged "
            "or missing: renamed files among what went away since count as new",
        )


def gone_shards(article_ids: pa.StringArray, base: Base) -> GoneShards:
    """The shards of posts of the base, if articles went away since.

    Else there are none, because none has to be read. There are none either if the base itself is built again: its ledger stays.

    Args:
        article_ids: of all articles that are in the archive.
        base: of the build.
    """
    if base.again or base.folder is None or base.manifest is None or not len(_gone_rows(base.ledger, article_ids)):
        return GoneShards()
    shards = shards_of(base.manifest, "posts")
    base.fetch(shards)
    files = tuple(base.stored(shard.path) for shard in shards if _is_usable(base, base.folder, shard))
    return GoneShards(version=base.manifest.dataset_version, count=len(shards), files=files)


def _is_usable(base: Base, folder: Path, shard: Shard) -> bool:
    """Whether a shard of the base has the bytes that the manifest names, and the columns that are read here."""
    if base.undamaged(shard) is None:
        return False
    with suppress(VerifyError), open_shard(folder, shard, _COLUMNS):
        return True
    return False


def read_gone_hashes(
    ledger: pa.Table, article_ids: pa.StringArray, shards: Sequence[StoredFile]
) -> tuple[pa.Table, int]:
    """The hashes of the posts of the articles that went away since the base.

    Args:
        ledger: of the base.
        article_ids: of all articles that are in the archive.
        shards: the files from `gone_shards`.

    Returns:
        For each such article its `row` in the ledger and its `posts`: SHA-256, hexadecimal, sorted, with blanks between; an
        empty text if no shard has them. No articles if no shard is given. Besides, how many shards could be read.
    """
    if not shards:
        return _GONE.empty_table(), 0
    rows = pa.array(_gone_rows(ledger, article_ids))
    ids = values_of(ledger, "article_id").take(rows)
    tables = [pa.table({name: pa.array([], pa.string()) for name in _COLUMNS})]
    read = 0
    wanted = pc.field("article_id").isin(ids)
    for shard in shards:
        path = shard.checked()
        with suppress(VerifyError), damage_is_told(path):
            tables.append(
                checked_values(pq.read_table(path, columns=_COLUMNS, filters=wanted, partitioning=None), path)
            )
            read += 1
    posts = pa.concat_tables(tables).drop_null().combine_chunks()
    posts = posts.take(pc.sort_indices(posts, [(name, "ascending") for name in _COLUMNS]))
    lists = posts.group_by("article_id", use_threads=False).aggregate([("sha256", "list")])
    texts = pc.binary_join(values_of(lists, "sha256_list"), " ")
    found = texts.take(pc.index_in(ids, values_of(lists, "article_id"))).fill_null("")
    return pa.table([rows, found], schema=_GONE), read


def _gone_rows(ledger: pa.Table, article_ids: pa.StringArray) -> np.ndarray:
    """The rows of articles that are not in the archive, and whose posts the ledger does not know yet; int32."""
    there = pc.is_in(ledger["article_id"], value_set=article_ids)
    known = pc.or_(ledger["gone_posts"].is_valid(), ledger["redacted_reason"].is_valid())
    gone: np.ndarray = pc.invert(pc.or_(there, known)).to_numpy()
    return np.flatnonzero(gone).astype(np.int32)


def with_gone_posts(ledger: pa.Table, newly_gone: pa.Table) -> pa.StringArray:
    """The column `gone_posts` of a ledger, with what `read_gone_hashes` returned.

    Articles that came back may still have a value.
    """
    numbers = pa.array(np.arange(ledger.num_rows, dtype=np.int32))
    added = values_of(newly_gone, "posts").take(pc.index_in(numbers, values_of(newly_gone, "row")))
    return pc.coalesce(values_of(ledger, "gone_posts"), added)
