"""Which posts and articles go into which shard, and what each shard of articles is made from.

Shards follow (split, month, number). Borders between numbers are fixed when they are first drawn, so that a new day
touches the last shard of its month and no other file changes.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from .curation.merge import NO_DATE, Articles
from .curation.splits import Placement, local_days
from .packaging.manifest import Manifest, shards_of
from .packaging.rows import ArticleRows
from .packaging.shards import ROW_GROUP, digest_table
from .reading.sources import SourceFile
from .schema import SPLITS

__all__ = [
    "ArticleShard",
    "Decided",
    "PostShard",
    "day_of_name",
    "plan_articles",
    "plan_posts",
    "rows_of",
    "shard_key",
    "spool_places",
]

SHARD_ROWS = 4000
"""Rows of a shard when it is first cut: small enough that a day's run rewrites little."""

SHARD_BYTES = 64 * 2**20
"""Bytes of source files of a shard of posts when it is first cut."""

_NAME_DAY = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2])-\d{2})-", re.ASCII)


# ------------------------------------------------------------------------------------------------------- posts


@dataclass(frozen=True, slots=True, kw_only=True)
class PostShard:
    """A shard of posts to be: its path, the key at which it begins, and the files that go in."""

    path: str
    start: str
    files: tuple[SourceFile, ...]


def plan_posts(files: Sequence[SourceFile], base: Manifest | None, *, again: bool = False) -> list[PostShard]:
    """Cut the files into shards by the month of their names, in the order of (day, path).

    Args:
        files: the candidates.
        base: the version whose borders are kept.
        again: whether `base` itself is built again: then there are no other borders than its own.
    """
    months: dict[str, list[tuple[str, SourceFile]]] = {}
    for key, file in sorted(((_post_key(f.path), f) for f in files), key=lambda pair: pair[0]):
        months.setdefault(key[:7] if key[0] != "/" else "undated", []).append((key, file))
    shards = []
    for month, members in months.items():
        keys = [key for key, _ in members]
        sizes = np.array([file.size for _, file in members])
        for number, begin, end in _cut(keys, _kept_borders(base, "posts", "posts", month), sizes, again=again):
            shards.append(
                PostShard(
                    path=f"posts/posts-{month}-{number:05d}.parquet",
                    start=keys[begin],
                    files=tuple(file for _, file in members[begin:end]),
                )
            )
    return shards


def day_of_name(path: str) -> str:
    """The day that a file's name begins with, or "".

    >>> day_of_name("_posts/2022-05-30-NW202205302396671645.md")
    '2022-05-30'
    """
    match = _NAME_DAY.match(path, path.rfind("/") + 1)
    return match[1] if match else ""


def _post_key(path: str) -> str:
    return f"{day_of_name(path)}/{path}"


def _kept_borders(base: Manifest | None, config: str, split: str, month: str) -> list[tuple[int, str]]:
    """Number and start of the shards that the version before had for this month."""
    prefix = f"{config}/{split}-{month}-"
    shards = shards_of(base, config, split) if base else []
    return [(int(s.path[len(prefix) : len(prefix) + 5]), s.start) for s in shards if s.path.startswith(prefix)]


def _cut(
    keys: Sequence[Any], kept: list[tuple[int, Any]], sizes: np.ndarray | None = None, *, again: bool = False
) -> list[tuple[int, int, int]]:
    """Cut sorted keys into shards: (number, begin, end).

    Borders that the version before had stay; only what stands after the last one is cut anew, at SHARD_ROWS rows or
    SHARD_BYTES bytes, and not even that where a version is built `again`.
    """
    numbers = [number for number, _ in kept] or [0]
    begins = [0, *(bisect_left(keys, start) for _, start in kept[1:])]
    pieces = [(n, b, e) for n, b, e in zip(numbers, begins, [*begins[1:], len(keys)], strict=True)]
    if again and kept:
        return [piece for piece in pieces if piece[1] < piece[2]]
    number, begin, end = pieces.pop()
    while begin < end:
        cut = min(begin + SHARD_ROWS, end)
        if sizes is not None:
            fits = int(np.searchsorted(np.cumsum(sizes[begin:cut]), SHARD_BYTES, side="right"))
            cut = begin + min(max(1, fits), cut - begin)
        pieces.append((number, begin, cut))
        number, begin = number + 1, cut
    return [piece for piece in pieces if piece[1] < piece[2]]


# ---------------------------------------------------------------------------------------------------- articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Everything that curation decided, one entry an article (posts: one entry a post, in the order of the spool).

    Attributes:
        articles: which post speaks for which column.
        keys: of every post.
        rows_before: how many posts lie in the spool files before each one.
        clusters, groups: ids of duplicate cluster and leak group.
        placement: splits and reasons.
    """

    articles: Articles
    keys: pa.Table
    rows_before: np.ndarray
    clusters: pa.Array
    groups: pa.Array
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleShard:
    """A shard of articles to be: its path, the key at which it begins, and which articles go in, in order."""

    path: str
    config: str
    split: str
    start: str
    articles: np.ndarray


def plan_articles(decided: Decided, timezone: str, base: Manifest | None, *, again: bool = False) -> list[ArticleShard]:
    """Cut every split into shards by month, in the order of (published_at, article_id); see `plan_posts`."""
    articles, placement = decided.articles, decided.placement
    if not len(articles):
        return []
    order = np.lexsort((np.arange(len(articles)), articles.published_at))  # articles stand by id already
    months = local_days(articles.published_at[order], timezone).astype("datetime64[M]")
    undated = articles.published_at[order] == NO_DATE
    names = np.where(undated, "undated", np.datetime_as_string(months)).astype(object)
    plan = []
    for number, split in enumerate((*SPLITS, "excluded")):
        config = "excluded" if split == "excluded" else "articles"
        of_split = placement.split[order] == number
        for month in sorted(set(names[of_split])):
            members = order[of_split & (names == month)]
            ids = articles.article_id.take(pa.array(members)).to_pylist()
            keys = list(zip(articles.published_at[members].tolist(), ids, strict=True))
            kept = [(n, _start_key(start)) for n, start in _kept_borders(base, config, split, month)]
            for piece, begin, end in _cut(keys, kept, again=again):
                plan.append(
                    ArticleShard(
                        path=f"{config}/{split}-{month}-{piece:05d}.parquet",
                        config=config,
                        split=split,
                        start=f"{keys[begin][0]}/{keys[begin][1]}",
                        articles=members[begin:end],
                    )
                )
    return plan


def _start_key(start: str) -> tuple[int, str]:
    time, _, identity = start.partition("/")
    return int(time), identity


def spool_places(positions: np.ndarray, rows_before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where posts lie in the spool: the number of the file and the row in it.

    Args:
        positions: of the posts among all posts.
        rows_before: how many posts lie in the files before each one.

    >>> file, row = spool_places(np.array([0, 4]), np.array([0, 3, 5]))
    >>> file.tolist(), row.tolist()
    ([0, 1], [0, 1])
    """
    file = np.searchsorted(rows_before, positions, side="right") - 1
    return file, positions - rows_before[file]


def rows_of(shard: ArticleShard, decided: Decided) -> tuple[ArticleRows, ...]:
    """The instructions for each row group of a shard."""
    return tuple(
        _row_group(shard.articles[i : i + ROW_GROUP], decided, excluded=shard.config == "excluded")
        for i in range(0, len(shard.articles), ROW_GROUP)
    )


def _row_group(chosen: np.ndarray, decided: Decided, *, excluded: bool) -> ArticleRows:
    articles, rows_before = decided.articles, decided.rows_before

    members, starts = _members(articles, chosen)
    at = pa.array(chosen)
    group = decided.groups.take(at)
    return ArticleRows(
        article_id=articles.article_id.take(at),
        duplicate_cluster=decided.clusters.take(at),
        leak_group=group,
        fold=pa.array([_fold(g) for g in group.to_pylist()], pa.int32()),
        excluded_reason=pa.array(decided.placement.reason[chosen], pa.string()) if excluded else None,
        places={role: spool_places(getattr(articles, role)[chosen], rows_before) for role in _ROLES},
        member_places=spool_places(members, rows_before),
        member_starts=starts,
        member_sha256=decided.keys["sha256"].take(pa.array(members)).combine_chunks(),
        member_feed=decided.keys["feed"].take(pa.array(members)).to_numpy(),
    )


_ROLES = ("text", "title", "date", "url", "digest", "source", "labels")


def _members(articles: Articles, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The posts of the chosen articles, article after article, and where each article's posts begin."""
    ends = np.r_[articles.starts[1:], len(articles.members)]
    counts = (ends - articles.starts)[chosen]
    starts = np.r_[0, np.cumsum(counts)[:-1]].astype(np.int64)
    members = articles.members[np.repeat(articles.starts[chosen] - starts, counts) + np.arange(counts.sum())]
    return members, starts


def _fold(group: str) -> int:
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") % 10


def shard_key(shard: ArticleShard, decided: Decided, about: str) -> str:
    """A digest of everything that the bytes of a shard depend on, made without reading any text.

    Args:
        about: versions of tools and whatever else holds for all rows.
    """
    articles = decided.articles
    members, starts = _members(articles, shard.articles)
    place = np.empty(len(articles.members), dtype=np.int64)
    place[articles.members] = np.arange(len(articles.members))
    at = pa.array(shard.articles)
    rows = {
        "article_id": articles.article_id.take(at),
        "cluster": decided.clusters.take(at),
        "group": decided.groups.take(at),
        "reason": pa.array(decided.placement.reason[shard.articles], pa.string()),
        "begin": pa.array(starts),
    }
    for role in _ROLES:
        rows[role] = pa.array(place[getattr(articles, role)[shard.articles]] - articles.starts[shard.articles])
    posts = decided.keys.select(["path", "sha256", "article_id"]).take(pa.array(members))
    digest = hashlib.sha256(f"{about}\0{shard.config}\0{shard.split}".encode())
    digest_table(pa.table(rows), digest)
    digest_table(posts, digest)
    return digest.hexdigest()
