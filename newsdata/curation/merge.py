"""Posts of one article to one article: which post speaks for which column.

Works on key columns only (a few dozen bytes a post), never on text.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["KEYS", "Articles", "merge_posts"]

KEYS = pa.schema(
    [
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("article_id", pa.string()),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Articles:
    """One entry an article, in the order of `article_id`; every array but the last two holds positions in the keys.

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


def merge_posts(keys: pa.Table) -> Articles:
    """Group posts by article id and choose who speaks for what.

    The rule: text and what hangs from it from `emnews`, then `market`, then `site`, and from a post that has text
    before one that has none; category, tags and media from `market`, then the others; between copies of one feed the
    longest text, most mentions, `_posts` before other folders, path. Title, date, url, digest and source from the
    post whose text was taken; where it has none (an empty one counts as none), from the next.

    Args:
        keys: one row a post, schema `KEYS`.

    >>> twin = {"path": ["_posts/a.md", "_posts/NWa.md"], "sha256": ["1", "2"], "article_id": ["7", "7"],
    ...         "feed": [0, 1], "published_at": [None, 5], "num_chars": [9, 10], "num_mentions": [1, 0],
    ...         "has_title": [False, True], "has_url": [True, True], "has_digest": [True, False],
    ...         "has_source": [False, False], "has_category": [True, True]}
    >>> article = merge_posts(pa.table(twin, schema=KEYS))
    >>> int(article.text[0]), int(article.title[0]), int(article.date[0]), int(article.labels[0])
    (0, 1, 1, 1)
    """
    keys = keys.combine_chunks()
    count = keys.num_rows
    if not count:
        none = np.empty(0, dtype=np.int64)
        names = (
            "text",
            "title",
            "date",
            "url",
            "digest",
            "source",
            "labels",
            "published_at",
            "members",
            "starts",
        )
        return Articles(article_id=pa.array([], pa.string()), **dict.fromkeys(names, none))
    ids = keys["article_id"].combine_chunks()
    id_rank = _rank(ids)
    path_rank = _rank(keys["path"].combine_chunks())
    feed = keys["feed"].to_numpy()
    chars = keys["num_chars"].to_numpy()
    mentions = keys["num_mentions"].to_numpy()
    elsewhere = ~_flags(pc.match_substring_regex(keys["path"], r"(^|/)_posts/"))
    dates = keys["published_at"]
    has_date = _flags(dates.is_valid())
    empty = chars == 0

    speaking = np.lexsort((path_rank, elsewhere, -mentions, -chars, feed, empty, id_rank))
    grouped = id_rank[speaking]
    starts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    text = speaking[starts]

    def first_with(flag: np.ndarray, order: np.ndarray = speaking) -> np.ndarray:
        places = np.where(flag[order], np.arange(count), count)
        first = np.minimum.reduceat(places, starts)
        return order[np.where(first < count, first, starts)]

    market_first = np.array([1, 0, 2])[feed]
    labelling = np.lexsort((path_rank, elsewhere, -mentions, -chars, market_first, id_rank))
    date = first_with(has_date)
    times = dates.fill_null(NO_DATE).to_numpy()
    return Articles(
        article_id=ids.take(pa.array(text)),
        text=text,
        title=first_with(_flags(keys["has_title"])),
        date=date,
        url=first_with(_flags(keys["has_url"])),
        digest=first_with(_flags(keys["has_digest"])),
        source=first_with(_flags(keys["has_source"])),
        labels=first_with(_flags(keys["has_category"]), labelling),
        published_at=times[date],
        members=speaking,
        starts=starts,
    )


def _flags(values: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(values.to_numpy(), dtype=bool)


def _rank(strings: pa.Array) -> np.ndarray:
    """For each string its place among the sorted distinct strings (by bytes, as UTF-8 sorts code points)."""
    encoded = strings.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    ranks: np.ndarray = place[encoded.indices.to_numpy()]
    return ranks
