"""The columns of articles from those of their posts: `curation.merge` decides which post gives which column.

A build reads the posts from the spool; what was known at a time is read from the config `revisions`. A *place* is the number
of a file and a row in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import FEEDS

__all__ = ["ROLES", "Gathered", "MergedFrom", "merged_columns", "place_number", "split_place"]

ROLES: Mapping[str, tuple[str, ...]] = {
    "text": (
        "text", "notices", "feed", "mentions", "text_codes", "headings", "images", "links", "chart_symbols", "num_chars", "is_flash",
    ),
    "title": ("title",),
    "date": ("published_at",),
    "url": ("url",),
    "digest": ("digest", "digest_credit"),
    "source": ("source",),
    "labels": ("category", "categories", "tags", "authors", "lang", "image", "media"),
}  # fmt: skip
"""Role -> its columns of `articles`. The post of an article that has a role gives these columns."""

_ROW_BITS = 32


def place_number(file: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Each place as one number, in the order of files and rows."""
    numbers: np.ndarray = file.astype(np.int64) << _ROW_BITS | row
    return numbers


def split_place(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places that have these numbers.

    >>> [part.tolist() for part in split_place(place_number(np.array([1, 2]), np.array([7, 0])))]
    [[1, 2], [7, 0]]
    """
    return numbers >> _ROW_BITS, numbers & ((1 << _ROW_BITS) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Posts in memory.

    Attributes:
        places: the places that were read, each as one number, sorted.
        at: for each place its row in `table`.
        table: the columns that were read.
    """

    places: np.ndarray
    at: np.ndarray
    table: pa.Table

    def take(self, places: tuple[np.ndarray, np.ndarray], columns: tuple[str, ...]) -> pa.Table:
        """Some columns of the posts at some places that were read, one row for each place, in that order."""
        at = self.at[np.searchsorted(self.places, place_number(*places))]
        return self.table.select(list(columns)).take(pa.array(at))


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedFrom:
    """For some articles, from which posts their columns come.

    The members of an article are the posts that were merged into it. For each role of `ROLES` one of them gives the values.

    Attributes:
        places: role -> places of the posts that give its columns, one entry for each article.
        member_places: places of all members, article after article.
        member_starts: the position of each article's first member in `member_places`.
        member_sha256: of each member, hexadecimal.
        member_feed: of each member, as its position in `curation.merge.FEEDS`.
    """

    places: Mapping[str, tuple[np.ndarray, np.ndarray]]
    member_places: tuple[np.ndarray, np.ndarray]
    member_starts: np.ndarray
    member_sha256: pa.Array
    member_feed: np.ndarray


def merged_columns(merged: MergedFrom, gathered: Gathered) -> dict[str, pa.Array]:
    """The columns of some articles that follow from their posts, as far as the columns were read.

    `sources` is always among them, `publisher` if `media` and `source` were read.

    Args:
        merged: from which posts each column comes.
        gathered: those of the posts' columns that are wanted, at all places that they need: of `issues`, all members.
    """
    read = set(gathered.table.column_names)
    columns: dict[str, pa.Array] = {}
    for role, names in ROLES.items():
        if wanted := tuple(name for name in names if name in read):
            taken = gathered.take(merged.places[role], wanted)
            columns |= {name: taken[name].combine_chunks() for name in wanted}
    if {"media", "source"} <= read:
        columns["publisher"] = pc.coalesce(columns["media"], columns["source"])
    if "issues" in read:
        columns["issues"] = _merged_issues(merged, gathered)
    offsets = pa.array(np.r_[merged.member_starts, len(merged.member_sha256)].astype(np.int32))
    sources = pa.StructArray.from_arrays(
        [merged.member_sha256, pa.array(FEEDS).take(pa.array(merged.member_feed))], names=["sha256", "feed"]
    )
    columns["sources"] = pa.ListArray.from_arrays(offsets, sources)
    return columns


def _merged_issues(merged: MergedFrom, gathered: Gathered) -> pa.Array:
    """For each article the issues of all of its members, each once, in the order of the members."""
    issues = gathered.take(merged.member_places, ("issues",))["issues"].combine_chunks()
    starts = merged.member_starts
    ends = np.r_[starts[1:], len(issues)]
    if np.array_equal(ends - starts, np.ones(len(starts), dtype=np.int64)):
        return issues
    lists = issues.to_pylist()
    codes = [
        lists[a] if b - a == 1 else list(dict.fromkeys(code for codes in lists[a:b] for code in codes or ()))
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    return pa.array(codes, pa.list_(pa.string()))
