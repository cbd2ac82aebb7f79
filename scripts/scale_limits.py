"""What breaks when an archive grows, and at how many posts: the table of limits for scripts/scale_model.py.

Each limit names the module that has it. Bytes for each article or post were counted in the arrays that the module holds at
its peak.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from newsdata.building.shard_plan import SHARD_BYTES, choose_shard_rows
from newsdata.sources.unpacked import MAX_TOTAL_BYTES

__all__ = ["COMPARED", "DECIDE", "DRIVER", "MOST_POSTS", "MOST_SHARDS", "Limit", "limits"]

MOST_POSTS = 10**12
"""Limits beyond are not named."""

MOST_SHARDS = 500_000
"""Of one manifest."""

DRIVER, _RANGE = 40, 250
"""Bytes of memory for each post: of the driver, and of a range of the step merge."""
_SEARCH, DECIDE = 160, 210
"""Bytes of memory for each article: to search candidates, and to decide on pairs."""
_COUNT, COMPARED = 24, 50
"""Bytes of memory for each pair that is compared: to count what it has in common, and to decide on it."""
_PAGES = 40e6  # bytes of memory of a process before its rows
_ID = 18  # bytes of an article id
_STRINGS, _POSITIONS = 2**31 - 1, 2**31 - 1
_CODES = 2**31.5  # n * n must fit into 63 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """From `posts` on, `step` does not work because of `why`, in some builds only if `only_if` says so.
    `source` is the module that has the limit."""

    posts: float
    step: str
    why: str
    source: str
    only_if: str = ""


def limits(
    *,
    memory: float,
    cores: int,
    articles_a_post: float,
    bytes_a_post: float,
    partitions: Callable[[int], int],
    candidates: Callable[[float], float],
) -> Sequence[Limit]:
    """All limits, the lowest number of posts first.

    Args:
        memory, cores: of each machine, in bytes.
        articles_a_post, bytes_a_post: of the archive.
        partitions: number of posts -> number of partitions.
        candidates: number of posts -> pairs of articles that are compared.
    """
    per = articles_a_post
    free = max(memory - _PAGES, 1.0)

    def full(rows: Callable[[float], float], *, tasks: int = cores) -> float:
        """The posts from which on so many of the step's tasks, each with its bytes of rows, do not fit into one machine."""
        return _first(lambda n: (rows(n) + _PAGES) * min(tasks, partitions(int(n))) > memory)

    found = [
        Limit(
            posts=full(lambda n: _SEARCH * per * n),
            step="search",
            why=f"all articles' keys in each worker, {_SEARCH} B",
            source="near_duplicates/candidates.py",
        ),
        Limit(
            posts=full(lambda n: _COUNT * candidates(n) / partitions(int(n))),
            step="common",
            why=f"pairs of a range in each worker, {_COUNT} B",
            source="building/stages/pairs.py",
        ),
        Limit(
            posts=full(lambda n: COMPARED * candidates(n), tasks=1),
            step="pairs",
            why=f"all compared pairs in one task, {COMPARED} B",
            source="near_duplicates/pairs.py",
        ),
        Limit(
            posts=free / (DECIDE * per),
            step="pairs",
            why=f"all articles' keys in one task, {DECIDE} B",
            source="near_duplicates/pairs.py",
        ),
        Limit(
            posts=full(lambda n: _RANGE * n / partitions(int(n))),
            step="merge",
            why=f"posts of a range in each worker, {_RANGE} B",
            source="building/stages/merge.py",
        ),
        Limit(
            posts=free / DRIVER,
            step="driver",
            why=f"{DRIVER} B a post in its memory",
            source="building/stages",
        ),
        Limit(
            posts=_STRINGS / (_ID * per),
            step="merge",
            why="article ids in one pa.string, 2 GiB",
            source="arrow_files.py",
        ),
        Limit(
            posts=_POSITIONS,
            step="merge",
            why="positions of posts in int32",
            source="curation/merge.py",
        ),
        Limit(
            posts=_CODES / per,
            step="search",
            why="pairs as left * articles + right, int64",
            source="near_duplicates/pairs.py",
        ),
        Limit(
            posts=_first(lambda n: _shards(n, per, bytes_a_post) > MOST_SHARDS),
            step="describe",
            why=f"{MOST_SHARDS:,} shards in a manifest",
            source="storage/manifest.py",
        ),
        Limit(
            posts=MAX_TOTAL_BYTES / bytes_a_post,
            step="list",
            why="bytes unpacked of a tar or zip, 64 GiB",
            only_if="SOURCE is a tar or zip",
            source="sources/unpacked.py",
        ),
    ]
    return sorted((one for one in found if one.posts < MOST_POSTS), key=lambda one: one.posts)


def _shards(posts: float, articles_a_post: float, bytes_a_post: float) -> float:
    """The number of shards of a version, months with few rows apart."""
    rows = choose_shard_rows(int(posts), None)
    return posts / min(rows, SHARD_BYTES / bytes_a_post) + posts * articles_a_post / rows


def _first(is_broken: Callable[[float], bool]) -> float:
    """The number of posts from which on something is broken, within a thousandth; `MOST_POSTS` if it is not broken there.

    >>> round(_first(lambda n: n > 5_000_000), -4)
    5000000.0
    """
    low, high = 1.0, float(MOST_POSTS)
    if not is_broken(high):
        return high
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if is_broken(middle) else (middle, high)
    return high
