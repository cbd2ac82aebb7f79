"""The clusters of near-copies: which there are, and what their members are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .table import NO_DAY, Table

__all__ = ["CLUSTER_SORTS", "ClusterSummary", "all_clusters", "members_of", "sort_clusters"]

CLUSTER_SORTS = ("size", "span", "publishers", "newest")

_EPOCH = date(1970, 1, 1).toordinal()


class ClusterSummary(NamedTuple):
    """A cluster of several articles.

    Attributes:
        name: its id.
        first: the row of its first member in time.
        size, publishers: number of members and of their publishers.
        first_day, last_day: of the members with a date; None if none has one.
        splits: the splits of its members, `excluded` included, in order. More than one: it would cross a border.
    """

    name: str
    first: int
    size: int
    publishers: int
    first_day: date | None
    last_day: date | None
    splits: tuple[str, ...]

    @property
    def span(self) -> int:
        """Days from the first member to the last."""
        return (self.last_day - self.first_day).days if self.first_day and self.last_day else 0


def members_of(table: Table, name: str) -> list[int]:
    """The rows of a cluster in time order, those without a date last; [] if there is no such cluster."""
    code = table.cluster.code_of(name)
    if code < 0:
        return []
    rows = np.flatnonzero((table.cluster.codes == code) & table.known)
    return [int(row) for row in rows[np.argsort(_order(table, rows))]]


def all_clusters(table: Table) -> list[ClusterSummary]:
    """Every cluster of several articles."""
    rows = np.flatnonzero((table.cluster_sizes[table.cluster.codes] > 1) & table.known)
    if not len(rows):
        return []
    rows = rows[np.lexsort((_order(table, rows), table.cluster.codes[rows]))]
    codes, days = table.cluster.codes[rows], table.days[rows]
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    sizes = np.diff(np.append(starts, len(rows)))
    first_days = np.minimum.reduceat(np.where(days == NO_DAY, np.iinfo(np.int32).max, days), starts).tolist()
    last_days = np.maximum.reduceat(days, starts).tolist()
    names = table.split.values
    there = [np.bitwise_or.reduceat(table.split.codes[rows] == code, starts) for code in range(len(names))]
    publishers = _distinct_publishers(table, rows, starts)
    found = []
    for at, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
        if size > 1:
            first, last = first_days[at], last_days[at]
            summary = ClusterSummary(
                name=table.cluster.values[int(codes[start])],
                first=int(rows[start]),
                size=size,
                publishers=publishers[at],
                first_day=date.fromordinal(first + _EPOCH) if last != NO_DAY else None,
                last_day=date.fromordinal(last + _EPOCH) if last != NO_DAY else None,
                splits=tuple(name for name, has in zip(names, there, strict=True) if has[at]),
            )
            found.append(summary)
    return found


def sort_clusters(clusters: Sequence[ClusterSummary], sort: str) -> list[ClusterSummary]:
    """Clusters by one of `CLUSTER_SORTS`, the largest or newest first."""
    keys: dict[str, Callable[[ClusterSummary], tuple[int, int]]] = {
        "size": lambda one: (-one.size, -one.span),
        "span": lambda one: (-one.span, -one.size),
        "publishers": lambda one: (-one.publishers, -one.size),
        "newest": lambda one: (-(one.last_day or date.min).toordinal(), -one.size),
    }
    return sorted(clusters, key=lambda one: (*keys[sort](one), one.name))


def _order(table: Table, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers that sort rows by time, those without a date last."""
    places = table.places[rows]
    return np.where(table.days[rows] == NO_DAY, places + len(table.places), places)


def _distinct_publishers(table: Table, rows: NDArray[np.int64], starts: NDArray[np.int64]) -> list[int]:
    """The number of publishers of each cluster, whose rows begin at `starts`."""
    publishers = table.publisher.codes[rows]
    clusters = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(rows))))
    order = np.lexsort((publishers, clusters))
    publishers, clusters = publishers[order], clusters[order]
    is_new = np.concatenate([[True], (publishers[1:] != publishers[:-1]) | (clusters[1:] != clusters[:-1])])
    counts: list[int] = np.bincount(clusters[is_new & (publishers >= 0)], minlength=len(starts)).tolist()
    return counts
