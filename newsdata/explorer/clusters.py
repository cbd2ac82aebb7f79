"""The clusters of near-copies: which there are, and what their members are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

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
    rows = np.flatnonzero((table.cluster.codes == code) & table.known).tolist() if code >= 0 else []
    return sorted(rows, key=lambda row: _place(table, row))


def all_clusters(table: Table) -> list[ClusterSummary]:
    """Every cluster of several articles."""
    rows = np.flatnonzero((table.cluster_sizes[table.cluster.codes] > 1) & table.known)
    order = rows[np.argsort(table.cluster.codes[rows], kind="stable")]
    borders = np.flatnonzero(np.diff(table.cluster.codes[order])) + 1
    return [_summary(table, part.tolist()) for part in np.split(order, borders) if len(part) > 1]


def sort_clusters(clusters: Sequence[ClusterSummary], sort: str) -> list[ClusterSummary]:
    """Clusters by one of `CLUSTER_SORTS`, the largest or newest first."""
    keys: dict[str, Callable[[ClusterSummary], tuple[int, int]]] = {
        "size": lambda one: (-one.size, -one.span),
        "span": lambda one: (-one.span, -one.size),
        "publishers": lambda one: (-one.publishers, -one.size),
        "newest": lambda one: (-(one.last_day or date.min).toordinal(), -one.size),
    }
    return sorted(clusters, key=lambda one: (*keys[sort](one), one.name))


def _summary(table: Table, rows: list[int]) -> ClusterSummary:
    rows = sorted(rows, key=lambda row: _place(table, row))
    days = [int(table.days[row]) for row in rows if table.days[row] != NO_DAY]
    publishers = {int(table.publisher.codes[row]) for row in rows} - {-1}
    splits = sorted({int(table.split.codes[row]) for row in rows})
    return ClusterSummary(
        name=table.cluster.at(rows[0]) or "",
        first=rows[0],
        size=len(rows),
        publishers=len(publishers),
        first_day=date.fromordinal(min(days) + _EPOCH) if days else None,
        last_day=date.fromordinal(max(days) + _EPOCH) if days else None,
        splits=tuple(table.split.values[split] for split in splits),
    )


def _place(table: Table, row: int) -> tuple[bool, int, str]:
    return bool(table.days[row] == NO_DAY), int(table.times[row]), table.ids[row].as_py()
