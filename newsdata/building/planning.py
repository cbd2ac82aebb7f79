"""Which posts and articles go into which shard, and what each shard of articles is made from.

Shards follow (split, month, number). Borders between numbers are fixed when they are first drawn, so that a new day
touches the last shard of its month and no other file changes.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import Articles, PostHashes
from ..curation.splits import Placement, local_days
from ..parsing.site import split_paths
from ..schema import SPLITS
from ..sources.source import Files
from ..storage.manifest import Manifest, shards_of
from ..storage.rows import ArticleRows
from ..storage.shards import ROW_GROUP, digest_table

__all__ = [
    "ArticleShard",
    "Decided",
    "Lazily",
    "PostShard",
    "plan_articles",
    "plan_posts",
    "rows_of",
    "shard_keys",
    "spool_places",
]

SHARD_ROWS = 2000
"""Rows of a shard when it is first cut: small enough that a day's run rewrites little."""

GATHERED = ROW_GROUP // 4
"""Rows of a row group that are gathered at once: their posts and all that lie beside them in the spool are in memory."""

SHARD_BYTES = 64 * 2**20
"""Bytes of source files of a shard of posts when it is first cut."""

Task = TypeVar("Task")

_NAME_DAY = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-[0-9]{2}-$"


# ------------------------------------------------------------------------------------------------------- posts


@dataclass(frozen=True, slots=True, kw_only=True)
class PostShard:
    """A shard of posts to be: its path, the key at which it begins, and the files that go in."""

    path: str
    start: str
    files: Files


def plan_posts(files: Files, base: Manifest | None, *, again: bool = False) -> list[PostShard]:
    """Cut the files into shards by the month of their names, in the order of (day, path).

    Args:
        files: the candidates.
        base: the version whose borders are kept.
        again: whether `base` itself is built again: then there are no other borders than its own.
    """
    # The day that a name begins with, "" where it begins with none; there are fewer days than names.
    begin = pc.utf8_slice_codeunits(split_paths(files.path)[1], 0, len("2022-01-31-")).dictionary_encode()
    is_day = pc.match_substring_regex(begin.dictionary, _NAME_DAY)
    days = pc.if_else(is_day, pc.utf8_slice_codeunits(begin.dictionary, 0, -1), "").take(begin.indices)
    in_order = pc.sort_indices(pc.binary_join_element_wise(days, files.path, "/"))
    files, days = files.take(in_order.to_numpy()), days.take(in_order)
    all_keys = pc.binary_join_element_wise(days, files.path, "/")
    months = pc.utf8_slice_codeunits(days, 0, 7).dictionary_encode()
    borders = [*np.flatnonzero(np.diff(months.indices.to_numpy(), prepend=-1)).tolist(), len(files)]
    shards = []
    for at, after in pairwise(borders):
        month = months[at].as_py() or "undated"
        keys, sizes = Lazily(after - at, _strings_of(all_keys[at:after])), files.size[at:after].to_numpy()
        for number, begin, end in _cut(keys, _kept_borders(base, "posts", "posts", month), sizes, again=again):
            path = f"posts/posts-{month}-{number:05d}.parquet"
            shards.append(PostShard(path=path, start=keys[begin], files=files[at + begin : at + end]))
    return shards


def _strings_of(array: pa.StringArray) -> Callable[[int], str]:
    return lambda number: str(array[number])


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


# ------------------------------------------------------------------------------------------------------- tasks


@dataclass(frozen=True, slots=True)
class Lazily(Sequence[Task]):
    """Items that are made when they are asked for: tasks that name many rows, keys of which few are looked at.

    >>> list(Lazily(2, lambda number: number + 10))
    [10, 11]
    """

    size: int
    make: Callable[[int], Task]

    def __len__(self) -> int:
        """How many there are."""
        return self.size

    def __getitem__(self, number: Any) -> Any:
        """Make the one at `number`."""
        if number >= self.size:
            raise IndexError(number)
        return self.make(number)


# ---------------------------------------------------------------------------------------------------- articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Everything that curation decided, one entry an article (posts: one entry a post, in the order of the spool).

    Attributes:
        articles: which post speaks for which column.
        posts: hashes of every post.
        rows_before: how many posts lie in the spool files before each one.
        clusters, groups: ids of duplicate cluster and leak group.
        placement: splits and reasons.
    """

    articles: Articles
    posts: PostHashes
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
    order = np.argsort(articles.published_at, kind="stable").astype(np.int32)  # articles stand by id already
    dates = local_days(articles.published_at[order], timezone).astype("datetime64[M]")
    months, month_of = np.unique(dates, return_inverse=True)
    names = ["undated" if np.isnat(month) else str(month) for month in months]
    cell = placement.split[order].astype(np.int64) * len(months) + month_of  # an int8 holds 127 cells only
    by_cell = np.argsort(cell, kind="stable")
    cell = cell[by_cell]
    plan = []
    for number, split in enumerate((*SPLITS, "excluded")):
        config = "excluded" if split == "excluded" else "articles"
        for at, month in enumerate(names):
            first, last = np.searchsorted(cell, [number * len(months) + at, number * len(months) + at + 1])
            members = order[by_cell[first:last]]
            keys = Lazily(len(members), _keys_of(articles, members))
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


def _keys_of(articles: Articles, members: np.ndarray) -> Callable[[int], tuple[int, str]]:
    return lambda number: (
        int(articles.published_at[members[number]]),
        articles.article_id[int(members[number])].as_py(),
    )


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


def rows_of(shard: ArticleShard, decided: Decided) -> tuple[tuple[ArticleRows, ...], ...]:
    """The instructions for the rows of a shard: for each row group those of its pieces."""
    rows, excluded = shard.articles, shard.config == "excluded"
    return tuple(
        tuple(_some_rows(group[i : i + GATHERED], decided, excluded=excluded) for i in range(0, len(group), GATHERED))
        for group in (rows[i : i + ROW_GROUP] for i in range(0, len(rows), ROW_GROUP))
    )


def _some_rows(chosen: np.ndarray, decided: Decided, *, excluded: bool) -> ArticleRows:
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
        member_sha256=pa.array([sha256.tobytes().hex() for sha256 in decided.posts.sha256[members]], pa.string()),
        member_feed=decided.posts.feed[members],
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


def shard_keys(shards: Sequence[ArticleShard], decided: Decided, about: str) -> dict[str, str]:
    """For each shard (by path) a digest of everything that its bytes depend on, made without reading any text.

    Args:
        about: versions of tools and whatever else holds for all rows.
    """
    keys: dict[str, str] = {}
    rows = 0
    some: list[ArticleShard] = []
    for shard in shards:  # many at a time: the columns are gathered once for all of them
        some.append(shard)
        rows += len(shard.articles)
        if rows >= _KEYED or shard is shards[-1]:
            keys |= _keys_of_some(some, decided, about)
            rows, some = 0, []
    return keys


_KEYED = 16_384  # rows whose columns are gathered at once: about 3 MB


def _keys_of_some(shards: Sequence[ArticleShard], decided: Decided, about: str) -> Iterator[tuple[str, str]]:
    articles = decided.articles
    chosen = np.concatenate([shard.articles for shard in shards])
    members, starts = _members(articles, chosen)
    counts = np.diff(starts, append=len(members))
    at = pa.array(chosen)
    names = pa.table(
        {
            "article_id": articles.article_id.take(at),
            "cluster": decided.clusters.take(at),
            "group": decided.groups.take(at),
            "reason": pa.array(decided.placement.reason[chosen], pa.string()),
        }
    )
    speaking = (np.flatnonzero(members == np.repeat(getattr(articles, role)[chosen], counts)) for role in _ROLES)
    numbers = np.stack([counts, *(posts - starts for posts in speaking)], axis=1).astype("<i4")
    sha256, name = decided.posts.sha256[members], decided.posts.name[members]
    row = post = 0
    for shard in shards:
        end = row + len(shard.articles)
        last = post + int(counts[row:end].sum())
        digest = hashlib.sha256(f"{about}\0{shard.config}\0{shard.split}".encode())
        digest_table(names.slice(row, end - row), digest)
        for about_rows in (numbers[row:end], sha256[post:last], name[post:last]):
            digest.update(about_rows.tobytes())
        yield shard.path, digest.hexdigest()
        row, post = end, last
