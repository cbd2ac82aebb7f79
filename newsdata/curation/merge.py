"""Posts of one article to one article: which post speaks for which column.

Works on key columns only (a few dozen bytes a post), never on text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["FEEDS", "KEYS", "NO_DATE", "Articles", "PostHashes", "merge_posts", "name_hash", "take_keys"]

KEYS = pa.schema(
    [
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("article_id", pa.string()),
        ("name", pa.uint64()),  # `name_hash` of path and article id
        ("feed", pa.int8()),  # position in FEEDS
        ("published_at", pa.int64()),  # ms since 1970 UTC
        ("num_chars", pa.int32()),
        ("num_mentions", pa.int32()),
        ("has_title", pa.bool_()),
        ("has_url", pa.bool_()),
        ("has_digest", pa.bool_()),
        ("has_source", pa.bool_()),
        ("has_category", pa.bool_()),
    ]
)
"""What merging needs to know of a post."""

FEEDS = ("emnews", "market", "site")
"""In the order in which they speak for an article's text."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PostHashes:
    """What is kept of every post beside its article: 41 bytes.

    Attributes:
        sha256: a row of 32 bytes for each post.
        name: hash of path and article id, 8 bytes; with `sha256` it tells a post from all others.
        feed: position in `FEEDS`.
    """

    sha256: np.ndarray
    name: np.ndarray
    feed: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Articles:
    """One entry an article, in the order of `article_id`; the arrays hold positions in the keys (int32) where not said otherwise.

    Attributes:
        article_id: the ids, as a string array.
        text: the post that text, mentions and all spans are taken from.
        title, date, url, digest, source: the first post, beginning with that one, that has such a field.
        labels: the post that category, tags and media are taken from.
        published_at: milliseconds since 1970 UTC; `numpy.iinfo(int64).min` where no post has a date.
        members: all posts, article after article, in the order in which they speak.
        starts: where each article's posts begin in `members`.
    """

    article_id: pa.Array
    text: np.ndarray
    title: np.ndarray
    date: np.ndarray
    url: np.ndarray
    digest: np.ndarray
    source: np.ndarray
    labels: np.ndarray
    published_at: np.ndarray
    members: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)


NO_DATE = np.iinfo(np.int64).min


def take_keys(tables: Iterable[pa.Table]) -> tuple[pa.Table, PostHashes]:
    """The keys of every post: what merging needs, for a while, and what is kept.

    Args:
        tables: schema `KEYS`.

    >>> post = {"path": "_posts/a.md", "sha256": "ff" * 32, "article_id": "7", "name": 5, "feed": 0, "num_chars": 9}
    >>> keys, hashes = take_keys([pa.Table.from_pylist([post], KEYS)])
    >>> keys["article_id"].to_pylist(), hashes.sha256.shape, int(hashes.sha256[0, 0])
    (['7'], (1, 32), 255)
    """
    rest = [KEYS.empty_table().drop_columns(_KEPT)]
    sha256, name = [np.zeros((0, 32), np.uint8)], [np.zeros(0, np.uint64)]
    for table in tables:
        data = bytes.fromhex("".join(table["sha256"].to_pylist()))
        sha256.append(np.frombuffer(data, np.uint8).reshape(-1, 32))
        name.append(table["name"].to_numpy())
        rest.append(table.drop_columns(_KEPT))
    keys = pa.concat_tables(rest)
    feed = keys["feed"].to_numpy()
    return keys, PostHashes(sha256=np.concatenate(sha256), name=np.concatenate(name), feed=feed)


_KEPT = ["sha256", "name"]


def name_hash(path: str, article_id: str) -> int:
    """A hash of 8 bytes, the same on every machine."""
    state = blake2b(f"{path}\0{article_id}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(state.digest(), sys.byteorder)


def merge_posts(keys: pa.Table) -> Articles:
    """Group posts by article id and choose who speaks for what.

    The rule: text and what hangs from it from `emnews`, then `market`, then `site`, and from a post that has text
    before one that has none; category, tags and media from `market`, then the others; between copies of one feed the
    longest text, most mentions, `_posts` before other folders, path. Title, date, url, digest and source from the
    post whose text was taken; where it has none (an empty one counts as none), from the next.

    Args:
        keys: one row a post, schema `KEYS`; hashes are not needed, nor names.

    >>> twin = {"path": ["_posts/a.md", "_posts/NWa.md"], "sha256": ["1", "2"], "article_id": ["7", "7"], "name": [5, 6],
    ...         "feed": [0, 1], "published_at": [None, 5], "num_chars": [9, 10], "num_mentions": [1, 0],
    ...         "has_title": [False, True], "has_url": [True, True], "has_digest": [True, False],
    ...         "has_source": [False, False], "has_category": [True, True]}
    >>> article = merge_posts(pa.table(twin, schema=KEYS))
    >>> int(article.text[0]), int(article.title[0]), int(article.date[0]), int(article.labels[0])
    (0, 1, 1, 1)
    """
    count = keys.num_rows
    feed, chars, mentions = (keys[name].to_numpy() for name in ("feed", "num_chars", "num_mentions"))
    elsewhere = ~_flags(pc.match_substring_regex(keys["path"], r"(^|/)_posts/"))
    path_rank = np.empty(count, dtype=np.int32)
    path_rank[pc.sort_indices(keys["path"]).to_numpy()] = np.arange(count)
    ids = keys["article_id"].combine_chunks()
    by_id = pc.sort_indices(ids)
    sorted_ids = ids.take(by_id)
    begins = np.ones(count, dtype=bool)
    begins[1:] = pc.not_equal(sorted_ids[1:], sorted_ids[:-1]).to_numpy(zero_copy_only=False)
    del sorted_ids
    group = np.empty(count, dtype=np.int32)
    group[by_id.to_numpy()] = np.cumsum(begins) - 1

    order = np.lexsort((path_rank, elsewhere, -mentions, -chars, feed, chars == 0, group))
    speaking = order.astype(np.int32)
    starts = np.flatnonzero(begins).astype(np.int32)
    text = speaking[starts]

    def first_with(flag: np.ndarray, order: np.ndarray = speaking) -> np.ndarray:
        places = np.where(flag[order], np.arange(count, dtype=np.int32), np.int32(count))
        first = np.minimum.reduceat(places, starts) if count else places
        return order[np.where(first < count, first, starts)]

    market_first = np.array([1, 0, 2], dtype=np.int8)[feed]
    order = np.lexsort((path_rank, elsewhere, -mentions, -chars, market_first, group))
    labelling = order.astype(np.int32)
    del order
    date = first_with(_flags(keys["published_at"].is_valid()))
    return Articles(
        article_id=ids.take(pa.array(text)),
        text=text,
        title=first_with(_flags(keys["has_title"])),
        date=date,
        url=first_with(_flags(keys["has_url"])),
        digest=first_with(_flags(keys["has_digest"])),
        source=first_with(_flags(keys["has_source"])),
        labels=first_with(_flags(keys["has_category"]), labelling),
        published_at=keys["published_at"].fill_null(NO_DATE).to_numpy()[date],
        members=speaking,
        starts=starts,
    )


def _flags(values: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(values.to_numpy(), dtype=bool)
