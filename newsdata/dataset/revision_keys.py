"""What the config `revisions` says about which post was there at a time, and about how posts are merged: never a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ..curation.merge import FEEDS, KEYS
from ..errors import VerifyError
from ..parsing.post import article_id, feed_of
from .parquet_rows import ShardRows, read_rows

__all__ = ["RevisionKeys", "read_keys"]

_KEYS = pa.schema([f for f in KEYS if f.name not in ("sha256", "name")])
_NEEDED = ("article_id", "path", "first_seen_at", "revised_at")
_SITE = FEEDS.index("site")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RevisionKeys:
    """One entry for each row of `revisions`, in order, which is that of the commits.

    Attributes:
        keys: what merging needs, `curation.merge.KEYS` without `sha256` and `name`. `article_id` is the usual id of the path,
            also where another post has it, too.
        sha256: hash of the content; null where the file was removed.
        is_post: whether the content could be read.
        revised_at, first_seen_at: milliseconds since 1970; `revised_at` never decreases.
    """

    keys: pa.Table
    sha256: pa.Array
    is_post: np.ndarray
    revised_at: np.ndarray
    first_seen_at: np.ndarray


def read_keys(wanted: Sequence[ShardRows], schema: pa.Schema) -> RevisionKeys:
    """Read the keys of some revisions. One row group is in memory at a time.

    Args:
        wanted: rows of shards of `revisions`.
        schema: of `revisions` in the version. Schema 1 had title, text, digest and date alone: what it does not have counts as
            missing, and the feed follows from the path.

    Raises:
        VerifyError: a shard cannot be read, or a row has no id, path or time.
    """
    expressions = _expressions(schema)
    types = {"revised_at": pa.int64(), "first_seen_at": pa.int64(), "sha256": pa.string(), "is_post": pa.bool_()}
    fields = [*_KEYS, *(pa.field(name, kind) for name, kind in types.items())]
    tables = [pa.schema(fields).empty_table()]
    for table in read_rows(wanted, expressions):
        for name in _NEEDED:
            if table[name].null_count:
                raise VerifyError(f"has rows without {name}", path=wanted[0].file)
        if "feed" not in expressions:
            feeds = pa.array([FEEDS.index(feed_of(path)) for path in table["path"].to_pylist()], pa.int8())
            table = table.append_column("feed", feeds)
        tables.append(pa.table([table[f.name].cast(f.type) for f in fields], schema=tables[0].schema))
    table = pa.concat_tables(tables).combine_chunks()
    ids = _usual_ids(table["path"], table["article_id"])
    keys = table.select(_KEYS.names).set_column(_KEYS.get_field_index("article_id"), "article_id", ids)
    return RevisionKeys(
        keys=keys,
        sha256=table["sha256"].combine_chunks(),
        is_post=table["is_post"].to_numpy(),
        revised_at=np.maximum.accumulate(table["revised_at"].to_numpy()),
        first_seen_at=table["first_seen_at"].to_numpy(),
    )


def _expressions(schema: pa.Schema) -> dict[str, pc.Expression]:
    """The columns of `RevisionKeys` as computed from those of `revisions`; `feed` is missing if it has no such column."""

    def field(name: str) -> pc.Expression:
        return ds.field(name) if name in schema.names else pc.scalar(pa.scalar(None, pa.string()))

    mentions = pc.scalar(pa.scalar(0, pa.int32()))
    if "mentions" in schema.names:
        mentions = pc.list_value_length(ds.field("mentions"))
    chars = ds.field("num_chars") if "num_chars" in schema.names else pc.utf8_length(ds.field("text"))
    found = {
        "path": ds.field("path"),
        "article_id": ds.field("article_id"),
        "published_at": ds.field("published_at").cast(pa.int64()),
        "num_chars": pc.coalesce(chars, pc.scalar(pa.scalar(0, pa.int32()))),
        "num_mentions": pc.coalesce(mentions, pc.scalar(pa.scalar(0, pa.int32()))),
        "has_title": pc.coalesce(pc.binary_length(ds.field("title")), pc.scalar(pa.scalar(0, pa.int32()))) > 0,
        **{f"has_{name}": field(name).is_valid() for name in ("url", "digest", "source", "category")},
        "revised_at": ds.field("revised_at").cast(pa.int64()),
        "first_seen_at": ds.field("first_seen_at").cast(pa.int64()),
        "sha256": ds.field("sha256"),
        "is_post": ds.field("title").is_valid() & ds.field("sha256").is_valid(),
    }
    if "feed" in schema.names:
        number = pc.index_in(ds.field("feed"), pa.array(FEEDS))
        found["feed"] = pc.coalesce(number, pc.scalar(pa.scalar(_SITE, pa.int32()))).cast(pa.int8())
    return found


def _usual_ids(paths: pa.ChunkedArray, ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The ids that the posts have if no other post has the same path up to the extension.

    Otherwise the id of one of them is its whole path: which one, depends on the posts that are there at a time.
    """
    whole = pc.equal(paths, ids).combine_chunks()
    if not pc.any(whole).as_py():
        return ids
    usual = [article_id(path) for path in paths.filter(whole).to_pylist()]
    return pc.replace_with_mask(ids, whole, pa.array(usual, pa.string()))
