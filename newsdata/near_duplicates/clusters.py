"""From pairs to groups: each group of near-copies has one id, and the ids of earlier versions stay.

::

    texts ──sign──▶ signature files ──match──▶ Pairs ──assign──▶ Clusters
                                                         ▲
                                       ledger of the version before
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .pairs import DOORS, MEASURED, Pairs

__all__ = ["Clusters", "assign"]

_Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The groups of each article.

    Attributes:
        duplicate_cluster, leak_group: string arrays, in the order of the article ids that `assign` was given.
        aliases: ids that are given up: for each of these two names, old id -> the id that replaces it.
    """

    duplicate_cluster: pa.Array
    leak_group: pa.Array
    aliases: Mapping[str, Mapping[str, str]]


def assign(
    pairs: Pairs, article_ids: pa.Array, ledger: pa.Table | None = None, *, doors: Collection[str] = DOORS
) -> Clusters:
    """Group articles. The id of a group is the id of its first article.

    Articles that the ledger has in one group stay together, and the group keeps its id. A new article gets the id of the
    group that it joins. If old groups are merged, the id that is first in the ledger stays; the others become aliases.
    Doors join new articles to leak groups and to each other, but never merge groups of the ledger.

    Args:
        pairs: from `match`, over these articles.
        article_ids: every article, each once. Those that are not in the ledger must be in the order of time, then id.
        ledger: the decisions of earlier versions, oldest first, with the columns `article_id`, `duplicate_cluster` and
            `leak_group`; it may hold articles that are gone. None for the first version.
        doors: the rules among `pairs.DOORS` that join leak groups.
    """
    known = _column(ledger, "article_id")
    old = pc.index_in(article_ids, value_set=known)
    names = pa.concat_arrays([known, article_ids.filter(old.is_null())])
    ends = pa.chunked_array([*pairs.table["left"].chunks, *pairs.table["right"].chunks], pa.string())
    left, right = np.split(pc.index_in(ends, value_set=names).to_numpy().astype(np.int64), 2)
    rule = pairs.table["rule"]
    duplicate, near = (
        pc.invert(pc.is_in(rule, pa.array(rules, pa.string()))).to_numpy()
        for rules in (_NO_COPIES, (*DOORS, *MEASURED))
    )
    jaccard = pc.fill_null(pairs.table["jaccard"], 1.0).to_numpy()
    firm = duplicate & _no_bridges(left, right, duplicate, jaccard, len(names))
    old_clusters, old_groups = _old_names(ledger, "duplicate_cluster"), _old_names(ledger, "leak_group")
    cluster_links = [(left[firm], right[firm]), _old_links(old_clusters)]
    group_links = [(left[near], right[near]), _old_links(old_groups), _old_links(old_clusters)]
    is_new = old.is_null().to_numpy(zero_copy_only=False)
    wanted = old.fill_null(0).to_numpy().astype(np.int64)
    wanted[is_new] = np.arange(len(known), len(names))
    clusters, cluster_aliases = _named(_first_members(cluster_links, len(names)), old_clusters, names)
    first = _first_members(group_links, len(names))
    through = pc.is_in(rule, pa.array([*doors], pa.string())).to_numpy()
    groups, group_aliases = _named(_widened(first, left[through], right[through], len(known)), old_groups, names)
    return Clusters(
        duplicate_cluster=clusters.take(pa.array(wanted)),
        leak_group=groups.take(pa.array(wanted)),
        aliases={"duplicate_cluster": cluster_aliases, "leak_group": group_aliases},
    )


_NO_COPIES = ("containment", *DOORS, *MEASURED)
"""Rules by which articles share no duplicate cluster."""


def _widened(first: _Positions, left: _Positions, right: _Positions, known: int) -> _Positions:
    """The first member of each article's group after groups were joined by links; a group with a known article stays.

    Args:
        first: for each article the lowest member of its group.
        left, right: the two articles of each link.
        known: articles below this number are known.
    """
    joined = _first_members([(first[left], first[right])], len(first))[first]
    return np.where(first < known, first, joined)


def _column(ledger: pa.Table | None, name: str) -> pa.Array:
    return pa.array([], pa.string()) if ledger is None else ledger[name].combine_chunks()


def _old_names(ledger: pa.Table | None, column: str) -> pa.Array:
    """The group of each article of the ledger; an article without a group is a group of its own."""
    return pc.coalesce(_column(ledger, column), _column(ledger, "article_id"))


def _old_links(old: pa.Array) -> tuple[_Positions, _Positions]:
    """Links from each article of the ledger to the first article of its group."""
    codes = old.dictionary_encode().indices.to_numpy()
    first = np.unique(codes, return_index=True)[1][codes]
    others = np.flatnonzero(first != np.arange(len(codes)))
    return others, first[others]


def _named(first: _Positions, old: pa.Array, names: pa.Array) -> tuple[pa.Array, dict[str, str]]:
    """The name of each article's group, given its first member; and the old names that are given up: old -> new."""
    named = pa.concat_arrays([old, names[len(old) :]]).take(pa.array(first))
    changed = pc.not_equal(named[: len(old)], old)
    aliases = zip(old.filter(changed).to_pylist(), named[: len(old)].filter(changed).to_pylist(), strict=True)
    return named, dict(aliases)


def _first_members(links: Sequence[tuple[_Positions, _Positions]], size: int) -> _Positions:
    """For each of `size` nodes the lowest node of its connected component.

    The algorithm of Shiloach and Vishkin: in each round every root takes the lowest root that it is linked with, and paths
    are shortened, so that few rounds are needed. scipy has the same, but takes 25 MB of memory. Only nodes with a link take
    part.
    """
    nodes, ends = np.unique(np.concatenate([link[side] for side in (0, 1) for link in links]), return_inverse=True)
    left, right = np.split(ends, 2)
    root = np.arange(len(nodes))
    while True:
        one, two = root[left], root[right]
        apart = np.flatnonzero(one != two)
        if not len(apart):
            break
        left, right, one, two = left[apart], right[apart], one[apart], two[apart]
        np.minimum.at(root, np.maximum(one, two), np.minimum(one, two))
        while not np.array_equal(shorter := root[root], root):
            root = shorter
    first = np.arange(size)
    first[nodes] = nodes[root]
    return first


_FIRM = 0.8  # Jaccard similarity from which a pair always joins clusters
_NEIGHBOURS_AT_ONCE = 1 << 20  # 16 MB


def _no_bridges(
    left: _Positions, right: _Positions, duplicate: NDArray[np.bool_], jaccard: NDArray[np.float32], size: int
) -> NDArray[np.bool_]:
    """For each pair whether it may join clusters: a pair that is the only bridge between two groups may not.

    A pair stays if its Jaccard similarity is high, if one of its articles has no other neighbour, or if they share one.
    """
    one, two = left[duplicate], right[duplicate]
    links = np.concatenate([one * size + two, two * size + one])
    links.sort()
    degree = np.bincount(np.concatenate([one, two]), minlength=size)
    begins = np.cumsum(degree) - degree
    kept: NDArray[np.bool_] = (jaccard >= _FIRM) | (degree[left] == 1) | (degree[right] == 1)
    doubtful = np.flatnonzero(duplicate & ~kept)
    swap = degree[left[doubtful]] > degree[right[doubtful]]
    fewer, more = (np.where(swap, a[doubtful], b[doubtful]) for a, b in ((right, left), (left, right)))
    ends = np.cumsum(degree[fewer])
    begin = 0
    while begin < len(doubtful):
        end = max(begin + 1, int(np.searchsorted(ends, (ends[begin - 1] if begin else 0) + _NEIGHBOURS_AT_ONCE)))
        counts = degree[fewer[begin:end]]
        starts = np.cumsum(counts) - counts
        neighbours = links[np.repeat(begins[fewer[begin:end]] - starts, counts) + np.arange(counts.sum())] % size
        wanted = np.repeat(more[begin:end], counts) * size + neighbours
        shared = links[np.minimum(np.searchsorted(links, wanted), len(links) - 1)] == wanted
        kept[doubtful[begin:end]] = np.logical_or.reduceat(shared, starts)
        begin = end
    return kept
