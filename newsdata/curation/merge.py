"""Posts that have one article id become one article: which post gives which column.

Only key columns are needed (a few dozen bytes for each post), never text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["FEEDS", "KEYS", "NO_DATE", "Articles", "PostHashes", "members_of", "merge_posts", "name_hash", "take_keys"]

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
"""What merging needs to know about a post."""

FEEDS = ("emnews", "market", "site")
"""In the order in which they are asked for the text of an article."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PostHashes:
    """What is kept of each post after merging, in the order of the keys: 41 bytes.

    Attributes:
        sha256: of the file, uint8, shape (posts, 32).
        name: `name_hash` of path and article id, uint64; together with `sha256` it identifies the post.
        feed: position in `FEEDS`, int8.
    """

    sha256: np.ndarray
    name: np.ndarray
    feed: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Articles:
    """One entry for each article, sorted by article id. A post is named by its row number in the keys (int32).

    Attributes:
        article_id: the ids, a string array.
        text: the post that gives text, mentions and all spans.
        title, date, url, digest, source: the post that gives this column: the one that gives the text if it has a value,
            else the next one that has.
        labels: the post that gives category, tags and media.
        published_at: milliseconds since 1970 UTC, `NO_DATE` where no post has a date; int64.
        members: all posts, article by article, in the order in which they are asked for the text.
        starts: where the posts of each article begin in `members`; int32.
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
"""Stands for a missing date among times in milliseconds."""

_LABEL_RANK = np.array([1, 0, 2], dtype=np.int8)
"""For each feed of `FEEDS` its rank when category, tags and media are asked for: `market` comes first."""

_HASHES = ["sha256", "name"]


def take_keys(tables: Iterable[pa.Table]) -> tuple[pa.Table, PostHashes]:
    """Divide the keys of all posts into what only merging needs and what is kept after it.

    Args:
        tables: schema `KEYS`; their rows are put together in this order.

    Returns:
        The keys without `sha256` and `name`, and these two columns as arrays.

    >>> post = {"path": "_posts/a.md", "sha256": "ff" * 32, "article_id": "7", "name": 5, "feed": 0, "num_chars": 9}
    >>> keys, hashes = take_keys([pa.Table.from_pylist([post], KEYS)])
    >>> keys["article_id"].to_pylist(), hashes.sha256.shape, int(hashes.sha256[0, 0])
    (['7'], (1, 32), 255)
    """
    rest = [KEYS.empty_table().drop_columns(_HASHES)]
    sha256, name = [np.zeros((0, 32), np.uint8)], [np.zeros(0, np.uint64)]
    for table in tables:
        data = bytes.fromhex("".join(table["sha256"].to_pylist()))
        sha256.append(np.frombuffer(data, np.uint8).reshape(-1, 32))
        name.append(table["name"].to_numpy())
        rest.append(table.drop_columns(_HASHES))
    keys = pa.concat_tables(rest)
    feed = keys["feed"].to_numpy()
    return keys, PostHashes(sha256=np.concatenate(sha256), name=np.concatenate(name), feed=feed)


def name_hash(path: str, article_id: str) -> int:
    """A hash of path and article id, 64 bits; its bytes in memory are the same on every machine."""
    state = blake2b(f"{path}\0{article_id}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(state.digest(), sys.byteorder)


def merge_posts(keys: pa.Table) -> Articles:
    """Group posts by article id and choose the post that gives each column.

    - Text, mentions and spans: a post that has text comes before one without; then `emnews`, `market`, `site`.
    - Category, tags and media: `market`, `emnews`, `site`.
    - Between copies of one feed: the longest text, the most mentions, a path below `_posts`, the first path.
    - Title, date, url, digest and source: the post that gives the text, or the next one that has a value; an empty
      value counts as none.

    Args:
        keys: one row for each post, schema `KEYS`; `sha256` and `name` may be missing.

    >>> twin = {"path": ["_posts/a.md", "_posts/NWa.md"], "sha256": ["1", "2"], "article_id": ["7", "7"], "name": [5, 6],
    ...         "feed": [0, 1], "published_at": [None, 5], "num_chars": [9, 10], "num_mentions": [1, 0],
    ...         "has_title": [False, True], "has_url": [True, True], "has_digest": [True, False],
    ...         "has_source": [False, False], "has_category": [True, True]}
    >>> article = merge_posts(pa.table(twin, schema=KEYS))
    >>> int(article.text[0]), int(article.title[0]), int(article.date[0]), int(article.labels[0])
    (0, 1, 1, 1)
    """
    ids = keys["article_id"].combine_chunks()
    article_of, starts = _number_articles(ids)
    feed, chars = keys["feed"].to_numpy(), keys["num_chars"].to_numpy()
    copies = _rank_copies(keys)
    for_text = np.lexsort((*copies, feed, chars == 0, article_of)).astype(np.int32)
    for_labels = np.lexsort((*copies, _LABEL_RANK[feed], article_of)).astype(np.int32)

    def first_with(flag: str, order: np.ndarray = for_text) -> np.ndarray:
        """For each article the first post that has something, or its first post if none has it."""
        places = np.where(_flags(keys[flag])[order], np.arange(len(order), dtype=np.int32), np.int32(len(order)))
        first = np.minimum.reduceat(places, starts) if len(order) else places
        return order[np.where(first < len(order), first, starts)]

    text = for_text[starts]
    date = first_with("published_at")
    return Articles(
        article_id=ids.take(pa.array(text)),
        text=text,
        title=first_with("has_title"),
        date=date,
        url=first_with("has_url"),
        digest=first_with("has_digest"),
        source=first_with("has_source"),
        labels=first_with("has_category", for_labels),
        published_at=keys["published_at"].fill_null(NO_DATE).to_numpy()[date],
        members=for_text,
        starts=starts,
    )


def members_of(articles: Articles, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The posts of the articles at the positions `chosen`, article after article, and the position of each one's first post."""
    ends = np.r_[articles.starts[1:], len(articles.members)]
    counts = (ends - articles.starts)[chosen]
    starts = np.cumsum(counts) - counts
    members = articles.members[np.repeat(articles.starts[chosen] - starts, counts) + np.arange(counts.sum())]
    return members, starts


def _number_articles(ids: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """For each post the number of its article in the order of the ids; where each article begins in sorted posts."""
    by_id = pc.sort_indices(ids)
    ordered = ids.take(by_id)
    begins = np.ones(len(ids), dtype=bool)
    begins[1:] = pc.not_equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)
    article_of = np.empty(len(ids), dtype=np.int32)
    article_of[by_id.to_numpy()] = np.cumsum(begins) - 1
    return article_of, np.flatnonzero(begins).astype(np.int32)


def _rank_copies(keys: pa.Table) -> tuple[np.ndarray, ...]:
    """Sort keys for the copies of one feed, the most important last, as `numpy.lexsort` takes them."""
    by_path = np.empty(keys.num_rows, dtype=np.int32)
    by_path[pc.sort_indices(keys["path"]).to_numpy()] = np.arange(keys.num_rows)
    outside_posts = ~_flags(pc.match_substring_regex(keys["path"], r"(^|/)_posts/"))
    return by_path, outside_posts, -keys["num_mentions"].to_numpy(), -keys["num_chars"].to_numpy()


def _flags(column: pa.ChunkedArray) -> np.ndarray:
    """A column of booleans; of any other column, where it has a value."""
    values = column if pa.types.is_boolean(column.type) else column.is_valid()
    return np.asarray(values.to_numpy(), dtype=bool)
