"""The plan of the shards: which posts and which articles go into which shard.

There are shards for each config, split and month, numbered from 0. The border between two numbers stays once it is there, so
that a new day changes the last shard of its month and no other file. Small shards share a task: see `in_tasks`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import Articles
from ..curation.splits import Placement, local_days
from ..parsing.site import split_paths
from ..schema import SPLITS
from ..sources.files import FILES_AT_ONCE, Files
from ..storage.manifest import Manifest

__all__ = [
    "SHARD_BYTES",
    "SHARD_ROWS",
    "ArticleShard",
    "PostShard",
    "choose_shard_rows",
    "cut",
    "in_tasks",
    "plan_articles",
    "plan_key",
    "plan_posts",
]

SHARD_ROWS = 2000
"""The most rows of a shard when it is first cut, in a dataset of up to a million posts. So few that a day's run rewrites little.
Late rows may make it larger. `choose_shard_rows` says how it grows."""

_MANY_POSTS = 1_000_000

SHARD_BYTES = 64 * 2**20
"""The most bytes of source files in a shard of posts when it is first cut."""

_MONTHS = 120
"""The most shards of a task, if it has more than one: the months of a decade."""

_DECADE = re.compile(
    r"(.+-[0-9]{3})[0-9]-[0-9]{2}-[0-9]+\.parquet"
)  # the path of a shard: up to the decade of its month
_DAY = "([0-9]{4}-(?:0[1-9]|1[0-2])-[0-9]{2})-"  # the day at the beginning of a post's name

_Starts = Mapping[tuple[str, str, str], list[tuple[int, str]]]
"""(config, split, month) -> number and start of each shard that the base has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostShard:
    """A planned shard of posts: its path, the sort key at which it begins, and its files."""

    path: str
    start: str
    files: Files

    @property
    def is_small(self) -> bool:
        """Whether as many shards as a task may have are not larger than one full shard."""
        return _MONTHS * len(self.files) <= SHARD_ROWS and _MONTHS * self.files.size.to_numpy().sum() <= SHARD_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleShard:
    """A planned shard of articles: its path, the sort key at which it begins, and the positions of its articles, in order."""

    path: str
    config: str
    split: str
    start: str
    articles: np.ndarray

    @property
    def is_small(self) -> bool:
        """Whether as many shards as a task may have are not larger than one full shard."""
        return _MONTHS * len(self.articles) <= SHARD_ROWS


class _Shard(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def is_small(self) -> bool: ...


_AnyShard = TypeVar("_AnyShard", bound=_Shard)


def in_tasks(shards: Sequence[_AnyShard]) -> list[list[_AnyShard]]:
    """Divide a plan into groups of shards, in order: one for each task that writes them.

    Neighbours that are small, and of months of the same decade, are in one group, because a task costs as much as the rows of
    many such months. Every other shard is a group of its own. So a new month changes the groups of one decade only.

    Args:
        shards: of one config, in the order of the plan.
    """
    keys = (_DECADE.fullmatch(shard.path) if shard.is_small else None for shard in shards)
    names = [found[1] if found else shard.path for found, shard in zip(keys, shards, strict=True)]
    runs = ([shards[at] for at in run] for _, run in groupby(range(len(shards)), key=names.__getitem__))
    return [run[begin : begin + _MONTHS] for run in runs for begin in range(0, len(run), _MONTHS)]


def choose_shard_rows(posts: int, base: Manifest | None) -> int:
    """The most rows of a shard in a dataset. The first version chooses it by its size, and all later ones keep it.

    Up to a million posts it is `SHARD_ROWS`; then it doubles with the number of posts, so that a version has about as many files.

    Args:
        posts: the number of files that should be posts.
        base: the manifest of the version before, or None. Versions of schema 1 had `SHARD_ROWS`.

    >>> [choose_shard_rows(posts, None) for posts in (0, 1_000_000, 1_000_001, 10_000_000)]
    [2000, 2000, 4000, 32000]
    """
    if base is not None:
        return int(base.configuration.get("shard_rows", SHARD_ROWS))
    doubled = max(0, (posts - 1) // _MANY_POSTS).bit_length()
    return SHARD_ROWS << doubled


def plan_key(path: str) -> str:
    """What posts are sorted by: the day at the beginning of the name ("" if there is none), then the path.

    >>> plan_key("_posts/2022-03-01-a.md"), plan_key("_posts/a.md")
    ('2022-03-01/_posts/2022-03-01-a.md', '/_posts/a.md')
    """
    found = re.match(_DAY, path.rpartition("/")[2])
    return f"{found[1] if found else ''}/{path}"


def plan_posts(
    files: Files, base: Manifest | None, shard_rows: int, *, again: bool = False, scratch: Path | None = None
) -> tuple[Files, list[PostShard]]:
    """Cut the files into shards by the month in their names, in the order of (day, path).

    Args:
        files: every file that should be a post, sorted by path.
        base: the manifest of the version whose borders stay, or None.
        shard_rows: the most rows of a shard, see `choose_shard_rows`.
        again: whether `base` itself is built again; then no new border is made.
        scratch: a folder for temporary files.

    Returns:
        The files in the order of the plan, and the shards, whose files are parts of these.
    """
    days = np.concatenate([np.zeros(0, np.int32), *(_days(part.path) for part in files.parts())])
    order = np.argsort(days, kind="stable").astype(np.int32)
    some = (order[begin : begin + FILES_AT_ONCE] for begin in range(0, len(order), FILES_AT_ONCE))
    files = Files.on_disk((files.take(rows) for rows in some), scratch)
    month_of = days[order] // 100
    ends = [*np.flatnonzero(np.diff(month_of, prepend=-1)).tolist(), len(files)]
    kept = _starts_of(base)
    shards = []
    for at, after in pairwise(ends):
        year, number = divmod(int(month_of[at]), 100)
        month = f"{year:04}-{number:02}" if year or number else "undated"
        starts = kept.get(("posts", "posts", month), [])
        sizes = files.size[at:after].to_numpy()
        pieces = cut(after - at, _key_at(files, at), starts, shard_rows, sizes=sizes, again=again)
        for number, first, last in pieces:
            path = f"posts/posts-{month}-{number:07d}.parquet"
            start = plan_key(files.path[at + first].as_py())
            shards.append(PostShard(path=path, start=start, files=files.slice(at + first, last - first)))
    return files, shards


def _days(paths: pa.StringArray) -> np.ndarray:
    """The day at the beginning of each name as a number (20220301), int32; 0 if there is none."""
    # As a dictionary, because there are fewer days than names.
    begin = pc.utf8_slice_codeunits(split_paths(paths)[1], 0, len("2022-01-31-")).dictionary_encode()
    is_day = pc.match_substring_regex(begin.dictionary, f"^{_DAY}$")
    digits = pc.replace_substring(pc.if_else(is_day, begin.dictionary, "0"), "-", "")
    days: np.ndarray = digits.cast(pa.int32()).take(begin.indices).to_numpy()
    return days


def _key_at(files: Files, offset: int) -> Callable[[int], str]:
    """A function that returns the sort key of the file at a number, counted from `offset`."""
    return lambda number: plan_key(files.path[offset + number].as_py())


def plan_articles(
    articles: Articles,
    placement: Placement,
    timezone: str,
    base: Manifest | None,
    shard_rows: int,
    *,
    again: bool = False,
) -> list[ArticleShard]:
    """Cut every split into shards by month, in the order of (published_at, article_id).

    Args:
        articles: all articles.
        placement: the split of each.
        timezone: the site's, an IANA name: months are counted in it.
        base, shard_rows, again: as for `plan_posts`.
    """
    if not len(articles):
        return []
    order = np.argsort(articles.published_at, kind="stable").astype(np.int32)  # articles are in the order of their ids
    dates = local_days(articles.published_at[order], timezone).astype("datetime64[M]")
    months, month_of = np.unique(dates, return_inverse=True)
    names = ["undated" if np.isnat(month) else str(month) for month in months]
    cell = placement.split[order].astype(np.int64) * len(months) + month_of
    by_cell = np.argsort(cell, kind="stable")
    cells, firsts = np.unique(cell[by_cell], return_index=True)
    kept = _starts_of(base)
    plan = []
    for number, first, last in zip(cells.tolist(), firsts.tolist(), [*firsts[1:].tolist(), len(order)], strict=True):
        split, month = (*SPLITS, "excluded")[number // len(months)], names[number % len(months)]
        config = "excluded" if split == "excluded" else "articles"
        members = order[by_cell[first:last]]
        key_at = _keys_of(articles, members)
        starts = [(n, _start_key(start)) for n, start in kept.get((config, split, month), [])]
        for piece, begin, end in cut(len(members), key_at, starts, shard_rows, again=again):
            path = f"{config}/{split}-{month}-{piece:07d}.parquet"
            time, identity = key_at(begin)
            chosen = members[begin:end]
            plan.append(
                ArticleShard(path=path, config=config, split=split, start=f"{time}/{identity}", articles=chosen)
            )
    return plan


def _keys_of(articles: Articles, members: np.ndarray) -> Callable[[int], tuple[int, str]]:
    """A function that returns the sort key of the n-th of some articles."""

    def key_at(number: int) -> tuple[int, str]:
        member = int(members[number])
        return int(articles.published_at[member]), articles.article_id[member].as_py()

    return key_at


def _start_key(start: str) -> tuple[int, str]:
    """The sort key of an article, read from `Shard.start`."""
    time, _, identity = start.partition("/")
    return int(time), identity


def _starts_of(base: Manifest | None) -> _Starts:
    """Where the shards of the version before start."""
    starts: dict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
    for shard in base.shards if base else ():
        name = shard.path.removeprefix(f"{shard.config}/{shard.split}-").removesuffix(".parquet")
        month, _, number = name.rpartition("-")
        if shard.config in ("articles", "excluded", "posts") and number.isdecimal():
            starts[shard.config, shard.split, month].append((int(number), shard.start))
    return starts


def cut(
    count: int,
    key_at: Callable[[int], Any],
    kept: list[tuple[int, Any]],
    shard_rows: int,
    *,
    sizes: np.ndarray | None = None,
    again: bool = False,
) -> list[tuple[int, int, int]]:
    """Cut rows that are sorted by a key into shards.

    The borders that the base has stay. Only the rows after the last one are cut, at `shard_rows` rows or `SHARD_BYTES` bytes;
    not even these if the base itself is built `again`.

    Args:
        count: the number of rows.
        key_at: returns the key of a row by its number.
        kept: number and first key of each shard that the base has, in order.
        shard_rows: the most rows of a shard.
        sizes: the bytes of each row; None if there is no limit by bytes.
        again: whether the base itself is built again.

    Returns:
        For each shard its number, its first row, and the row after its last one.

    >>> cut(5, "abdef".__getitem__, [(0, "a"), (1, "c")], 2000)
    [(0, 0, 2), (1, 2, 5)]
    """
    numbers = [number for number, _ in kept] or [0]
    begins = [0, *(bisect_left(range(count), start, key=key_at) for _, start in kept[1:])]
    pieces = [(n, b, e) for n, b, e in zip(numbers, begins, [*begins[1:], count], strict=True)]
    if again and kept:
        return [piece for piece in pieces if piece[1] < piece[2]]
    number, begin, end = pieces.pop()
    while begin < end:
        stop = min(begin + shard_rows, end)
        if sizes is not None:
            fits = int(np.searchsorted(np.cumsum(sizes[begin:stop]), SHARD_BYTES, side="right"))
            stop = begin + min(max(1, fits), stop - begin)
        pieces.append((number, begin, stop))
        number, begin = number + 1, stop
    return [piece for piece in pieces if piece[1] < piece[2]]
