"""From parsed posts to Arrow tables: rows of the config `posts`, rows of the spool, and keys for merging."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import FEEDS, KEYS, name_hash
from ..schema import Post, Reject, table_schema

__all__ = ["PostTables", "rejects_table", "rows_of_posts", "spool_schema"]

_DECIDED_LATER = (
    "publisher",
    "duplicate_cluster",
    "leak_group",
    "fold",
    "sources",
)  # columns that a single post cannot fill
_FEED_NUMBER = {feed: number for number, feed in enumerate(FEEDS)}


def spool_schema(timezone: str) -> pa.Schema:
    """The Arrow schema of the spool: the columns of `articles` that a single post can fill.

    Args:
        timezone: the site's, an IANA name.
    """
    schema = table_schema("articles", timezone)
    return pa.schema([f for f in schema if f.name not in _DECIDED_LATER])


class PostTables(NamedTuple):
    """The same posts as three tables, in the same order.

    Attributes:
        posts: rows of the config `posts`.
        spool: rows of the spool, see `spool_schema`.
        keys: what merging needs, see `curation.merge.KEYS`.
    """

    posts: pa.Table
    spool: pa.Table
    keys: pa.Table

    def take(self, rows: Sequence[int]) -> PostTables:
        """The posts at some positions, in that order."""
        positions = pa.array(rows, pa.int64())
        return PostTables(*(table.take(positions) for table in self))


def rows_of_posts(posts: Sequence[Post], timezone: str) -> PostTables:
    """Posts as tables, in the same order.

    Args:
        posts: as `parsing.post.parse_bytes` returns them.
        timezone: the site's, an IANA name: the zone of the column `published_at`.
    """
    values = dict(zip(Post._fields, zip(*posts, strict=True), strict=True)) if posts else {}
    values = {name: values.get(name, ()) for name in Post._fields}
    values["published_at"] = tuple(map(_milliseconds, values["published_at"]))
    values["num_chars"] = tuple(map(len, values["text"]))
    arrays: dict[str, pa.Array] = {}  # each is made once: most columns are in more than one table

    def table(schema: pa.Schema) -> pa.Table:
        for field in schema:
            if field.name not in arrays:
                arrays[field.name] = _array(values[field.name], field.type)
        return pa.Table.from_arrays([arrays[name] for name in schema.names], schema=schema)

    shard, spool = table(table_schema("posts", timezone)), table(spool_schema(timezone))
    arrays["feed"] = pa.array(map(_FEED_NUMBER.__getitem__, values["feed"]), pa.int8())
    arrays["published_at"] = arrays["published_at"].view(pa.int64())
    arrays["name"] = pa.array(map(name_hash, values["path"], values["article_id"]), pa.uint64())
    arrays["num_mentions"] = pc.list_value_length(arrays["mentions"])
    arrays["has_title"] = pc.greater(pc.binary_length(arrays["title"]), 0)
    for name in ("url", "digest", "source", "category"):
        arrays[f"has_{name}"] = arrays[name].is_valid()
    return PostTables(shard, spool, table(KEYS))


def rejects_table(rejects: Sequence[Reject]) -> pa.Table:
    """Rejects as rows of the config `rejects`, in the same order."""
    schema = table_schema("rejects")
    return pa.Table.from_arrays(
        [_array(list(map(attrgetter(field.name), rejects)), field.type) for field in schema], schema=schema
    )


def _milliseconds(time: Any) -> int | None:
    """Milliseconds since 1970; None if there is no time."""
    return None if time is None else round(time.timestamp() * 1000)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """One column. Lists of records are made from flat columns: several times as fast as from dicts."""
    if pa.types.is_list(kind):
        offsets = np.zeros(len(values) + 1, dtype=np.int32)
        np.cumsum(list(map(len, values)), out=offsets[1:])
        flat = list(chain.from_iterable(values)) if offsets[-1] else []
        return pa.ListArray.from_arrays(pa.array(offsets), _array(flat, kind.value_type), type=kind)
    if pa.types.is_struct(kind):
        columns = zip(*values, strict=True) if values else repeat(())  # the records are named tuples
        children = [_array(list(column), f.type) for f, column in zip(kind, columns, strict=False)]
        return pa.StructArray.from_arrays(children, fields=list(kind))
    return pa.array(values, kind)
