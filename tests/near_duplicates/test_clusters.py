"""Pairs to groups: what joins, what stays apart, and that names stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.near_duplicates import clusters as clusters_module
from newsdata.near_duplicates.clusters import Clusters, assign
from newsdata.near_duplicates.pairs import PAIR_SCHEMA, Pairs


def clusters_of(clusters: Clusters, ids: Sequence[str]) -> dict[str, str]:
    return dict(zip(ids, clusters.duplicate_cluster.to_pylist(), strict=True))


def chain(*names: str, jaccard: float = 0.6, rule: str = "jaccard") -> list[dict[str, object]]:
    return [
        {"left": min(pair), "right": max(pair), "rule": rule, "jaccard": jaccard, "containment": jaccard}
        for pair in pairwise(names)
    ]


def grouped(rows: list[dict[str, object]], ids: list[str], ledger: pa.Table | None = None) -> Clusters:
    return assign(Pairs(table=pa.Table.from_pylist(rows, PAIR_SCHEMA), report={}), pa.array(ids), ledger)


def ledger_of(ids: list[str], clusters: Clusters) -> pa.Table:
    return pa.table(
        {
            "article_id": ids,
            "duplicate_cluster": clusters.duplicate_cluster,
            "leak_group": clusters.leak_group,
        }
    )


def test_the_first_ingested_member_names_the_cluster() -> None:
    assert clusters_of(grouped(chain("b", "c"), ["c", "a", "b"]), ["c", "a", "b"]) == {
        "a": "a",
        "b": "c",
        "c": "c",
    }


def test_what_is_only_measured_joins_nothing() -> None:
    found = grouped(chain("a", "b", jaccard=0.9, rule="partly"), ["a", "b"])
    assert found.duplicate_cluster.to_pylist() == found.leak_group.to_pylist() == ["a", "b"]


def test_a_long_chain_does_not_make_one_cluster() -> None:
    names = [f"{k:02d}" for k in range(20)]
    found = clusters_of(grouped(chain(*names), names), names)
    assert max(list(found.values()).count(name) for name in found.values()) <= 3
    firm = clusters_of(grouped(chain(*names, jaccard=0.9), names), names)
    assert set(firm.values()) == {"00"}
    assert set(grouped(chain(*names), names).leak_group.to_pylist()) == {"00"}


def test_old_ids_stay_when_new_articles_join_and_merge() -> None:
    first_ids = ["m", "n", "x", "y", "z"]
    first = grouped(chain("m", "n") + chain("x", "y"), first_ids)
    ledger = ledger_of(first_ids, first)
    # "a" is older by name and time and joins m; "b" joins both m's and x's clusters firmly; "y" is gone
    ids = ["a", "b", "m", "n", "x", "z"]
    second = grouped(chain("a", "m") + chain("m", "b", "x", jaccard=0.9), ids, ledger)
    assert clusters_of(second, ids) == {"a": "m", "b": "m", "m": "m", "n": "m", "x": "m", "z": "z"}
    assert second.aliases == {"duplicate_cluster": {"x": "m"}, "leak_group": {"x": "m"}}


def test_what_was_joined_stays_joined_without_its_pairs() -> None:
    first = grouped(chain("a", "b"), ["a", "b", "c"])
    second = grouped([], ["a", "b", "c", "d"], ledger_of(["a", "b", "c"], first))
    assert second.duplicate_cluster.to_pylist() == ["a", "a", "c", "d"]
    assert second.aliases == {"duplicate_cluster": {}, "leak_group": {}}


def test_a_removed_article_still_names_its_cluster() -> None:
    first = grouped(chain("a", "b"), ["a", "b"])
    second = grouped(chain("b", "c"), ["b", "c"], ledger_of(["a", "b"], first))
    assert second.duplicate_cluster.to_pylist() == ["a", "a"]


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20), st.integers(1, 12))
def test_two_versions_rename_nothing_but_by_alias(links: list[tuple[int, int]], cut: int) -> None:
    ids = [f"{k:02d}" for k in range(13)]
    rows = [one for a, b in links if a != b for one in chain(ids[a], ids[b], jaccard=0.9)]
    first = grouped([r for r in rows if str(r["right"]) < ids[cut]], ids[:cut])
    second = grouped(rows, ids, ledger_of(ids[:cut], first))
    for column in ("duplicate_cluster", "leak_group"):
        old, new = getattr(first, column).to_pylist(), getattr(second, column).to_pylist()
        aliases = second.aliases[column]
        assert [aliases.get(name, name) for name in old] == new[:cut]
        assert not set(aliases.values()) & set(aliases)
    assert second.duplicate_cluster.equals(grouped(rows, ids).duplicate_cluster)


# ------------------------------------------------------------------------------------------------ graphs


def reached(links: list[tuple[int, int]], size: int) -> list[int]:
    """The lowest node of each node's component, by walking."""
    lowest = list(range(size))
    for _ in range(size):
        for a, b in links:
            lowest[a] = lowest[b] = min(lowest[a], lowest[b])
    return lowest


LINKS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)).filter(lambda pair: pair[0] < pair[1]), unique=True)


@given(LINKS)
def test_components_are_those_found_by_walking(links: list[tuple[int, int]]) -> None:
    left, right = (np.array([link[side] for link in links], np.int64) for side in (0, 1))
    assert clusters_module._first_members([(left, right)], 20).tolist() == reached(links, 20)


@pytest.mark.slow
@given(LINKS, st.integers(1, 50), st.data())
def test_a_bridge_is_a_doubtful_pair_without_a_common_neighbour(
    links: list[tuple[int, int]], together: int, data: st.DataObject
) -> None:
    left, right = (np.array([link[side] for link in links], np.int64) for side in (0, 1))
    jaccard = np.array([data.draw(st.sampled_from([0.4, 0.9])) for _ in links], np.float32)
    duplicate = np.array([data.draw(st.booleans()) for _ in links], np.bool_)
    near: dict[int, set[int]] = {node: set() for node in range(20)}
    for (a, b), counts in zip(links, duplicate, strict=True):
        if counts:
            near[a].add(b)
            near[b].add(a)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters_module, "_NEIGHBOURS_AT_ONCE", together)
        kept = clusters_module._no_bridges(left, right, duplicate, jaccard, 20)
    for (a, b), counts, firm, stays in zip(links, duplicate, jaccard > 0.5, kept, strict=True):
        if counts:
            assert stays == (firm or len(near[a]) == 1 or len(near[b]) == 1 or bool(near[a] & near[b]))
