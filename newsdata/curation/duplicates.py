"""Near-duplicates: signature files, verified pairs over all of them, clusters with frozen ids.

::

    texts of a file ──sign──▶ signature file ──match──▶ Pairs ──assign──▶ Clusters
        (worker processes)      (kept while neither        (+ what the ledger
                                 texts nor list change)       decided before)

`find_boilerplate` comes first, once in the life of a dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .pairs import Pairs, match
from .shingles import Boilerplate, find_boilerplate, sample_ids
from .signatures import DEDUP_VERSION, method, sign, write_signatures

__all__ = [
    "DEDUP_VERSION",
    "Boilerplate",
    "Clusters",
    "Pairs",
    "assign",
    "find_boilerplate",
    "match",
    "method",
    "sample_ids",
    "sign",
    "write_signatures",
]

_Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The ids of each article's groups.

    Attributes:
        duplicate_cluster, leak_group: strings, aligned with the article ids that `assign` was given.
        aliases: for each of these two names, old id -> the older id that it was merged into.
    """

    duplicate_cluster: pa.Array
    leak_group: pa.Array
    aliases: Mapping[str, Mapping[str, str]]


def assign(pairs: Pairs, article_ids: pa.Array, ledger: pa.Table | None = None) -> Clusters:
    """Group articles and name each group by its first-ingested member.

    What the ledger joined stays joined and keeps its name; a new article takes the name of the group that
    it joins. Where old groups meet, the name that is first in the ledger wins; the others are its aliases.

    Args:
        pairs: from `match`, over these articles.
        article_ids: every article; those that the ledger lacks in the order of ingestion (by time, then id).
        ledger: earlier decisions in the order of ingestion, with the columns `article_id`,
            `duplicate_cluster` and `leak_group`; it may hold articles that are gone.
    """
    known = [] if ledger is None else ledger["article_id"].to_pylist()
    position = {name: at for at, name in enumerate(dict.fromkeys([*known, *article_ids.to_pylist()]))}
    names = list(position)
    left, right = _positions(pairs.table["left"], position), _positions(pairs.table["right"], position)
    duplicate = pc.not_equal(pairs.table["rule"], "containment").to_numpy()
    jaccard = pc.fill_null(pairs.table["jaccard"], 1.0).to_numpy()
    firm = duplicate & _no_bridges(left, right, duplicate, jaccard, len(names))
    old_clusters, old_groups = _old_names(ledger, "duplicate_cluster"), _old_names(ledger, "leak_group")
    cluster_links = [(left[firm], right[firm]), _old_links(old_clusters)]
    group_links = [(left, right), _old_links(old_groups), _old_links(old_clusters)]
    wanted = _positions(article_ids, position)
    clusters, cluster_aliases = _named(cluster_links, old_clusters, names)
    groups, group_aliases = _named(group_links, old_groups, names)
    return Clusters(
        duplicate_cluster=pa.array([clusters[at] for at in wanted.tolist()], pa.string()),
        leak_group=pa.array([groups[at] for at in wanted.tolist()], pa.string()),
        aliases={"duplicate_cluster": cluster_aliases, "leak_group": group_aliases},
    )


def _old_names(ledger: pa.Table | None, column: str) -> list[str]:
    """The group of each article of the ledger; an article without one is a group of its own."""
    return [] if ledger is None else pc.coalesce(ledger[column], ledger["article_id"]).to_pylist()


def _old_links(old: Sequence[str]) -> tuple[_Rows, _Rows]:
    """Each article of the ledger, linked to the first one of its group."""
    first: dict[str, int] = {}
    firsts = [first.setdefault(name, at) for at, name in enumerate(old)]
    return np.arange(len(old)), np.array(firsts, np.int64)


def _named(
    links: Sequence[tuple[_Rows, _Rows]], old: Sequence[str], names: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """The name of each article's group, and the old names that were given up."""
    first = _first_members(links, len(names)).tolist()
    named = [old[at] if at < len(old) else names[at] for at in first]
    return named, {name: named[at] for at, name in enumerate(old) if named[at] != name}


def _positions(article_ids: Any, position: Mapping[str, int]) -> _Rows:
    return np.fromiter((position[name] for name in article_ids.to_pylist()), np.int64, len(article_ids))


def _first_members(links: Sequence[tuple[_Rows, _Rows]], size: int) -> _Rows:
    """For each of `size` nodes the lowest node of its component."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left = np.concatenate([link[0] for link in links])
    right = np.concatenate([link[1] for link in links])
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    number, component = connected_components(graph, directed=False)
    first = np.full(number, size, np.int64)
    np.minimum.at(first, component, np.arange(size))
    lowest: _Rows = first[component]
    return lowest


_FIRM = 0.8  # Jaccard above which two articles need no third one


def _no_bridges(
    left: _Rows, right: _Rows, duplicate: NDArray[np.bool_], jaccard: NDArray[np.float32], size: int
) -> NDArray[np.bool_]:
    """Which pairs may join clusters: not those that chain two groups with no article near to both.

    A pair stays where it is firm, where one of the two has no other neighbour, or where they share one.
    """
    from scipy.sparse import coo_array

    ones = np.ones(np.count_nonzero(duplicate), np.int32)
    graph = coo_array((ones, (left[duplicate], right[duplicate])), shape=(size, size)).tocsr()
    graph = graph + graph.T
    degree = np.asarray(graph.sum(axis=1)).ravel()
    kept: NDArray[np.bool_] = (jaccard >= _FIRM) | (degree[left] == 1) | (degree[right] == 1)
    doubtful = np.flatnonzero(duplicate & ~kept)
    for begin in range(0, len(doubtful), 65_536):
        some = doubtful[begin : begin + 65_536]
        shared = graph[left[some]].multiply(graph[right[some]])
        kept[some] = np.asarray(shared.sum(axis=1)).ravel() > 0
    return kept
