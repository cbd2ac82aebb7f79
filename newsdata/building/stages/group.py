"""Stage group: pairs of near-copies, and the groups that they form. The ids of groups in earlier versions stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ...arrow_files import mapped_table, numbers_of, values_of, write_table
from ...curation.merge import NO_DATE
from ...curation.splits import Borders, choose_borders, place
from ...errors import CallError
from ...graph.engine import Engine
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from ...near_duplicates.clusters import Clusters, assign
from ...near_duplicates.pairs import DOORS, Pairs
from ...near_duplicates.signatures import DEDUP_VERSION, method
from ...schema import Site
from ...storage.ledger import LEDGER_NAME, all_columns
from ..base import Base
from ..request import Settings
from .boilerplate import same_method
from .merge import Merged, read_articles
from .pairs import find_pairs, read_pairs
from .sign import Signed
from .versions import stage_of

__all__ = ["TASKS", "Grouped", "group_articles", "read_group_numbers"]

_MOST_EXCLUDED = 0.03
"""Doors join leak groups if together they exclude at most this share of all articles more."""
_MOST_EXCLUDED_BY = {"reworded": 0.01}
"""For a single door, a smaller share: an archive with many series keeps them in its splits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """The groups of all articles.

    Attributes:
        clusters, groups: for each article the id of its duplicate cluster, and of its leak group.
        has_copies: for each article whether its cluster has another article.
        aliases: ids that are given up because groups were merged: name of the column -> old id -> id that replaces it.
        pairs: the artifact with the verified pairs.
        artifact: the artifact with the groups.
        report: `Manifest.duplicates`.
    """

    clusters: pa.Array
    groups: pa.Array
    has_copies: np.ndarray
    aliases: Mapping[str, Mapping[str, str]]
    pairs: Artifact
    artifact: Artifact
    report: Mapping[str, Any]


def group_articles(
    merged: Merged, signed: Signed, site: Site, settings: Settings, base: Base, engine: Engine
) -> Grouped:
    """Find the pairs of near-copies among all articles, and give every article its duplicate cluster and its leak group.

    Which doors join leak groups (`_MOST_EXCLUDED`, `_MOST_EXCLUDED_BY`) is decided by the first version of the method, and kept.
    """
    same = same_method(base)
    doors = base.manifest.duplicates.get("doors") if base.manifest and same else None
    trial = _Trial(timezone=site.timezone, borders=settings.borders, gap_days=settings.asked_borders.gap_days or 0)
    ledger = base.stored(LEDGER_NAME) if base.folder and same else None
    with engine.stage("group", len(merged.articles)) as stage:
        pairs = find_pairs(signed, len(merged.articles), stage)
        artifact = stage.run_one(
            Task(
                stage=stage_of("group"),
                inputs=(pairs.key, merged.artifact.key, ledger.checksum if ledger else "", f"{doors or trial}"),
                function=_group,
                data=lambda: _GroupData(pairs=pairs, merged=merged.artifact, ledger=ledger, doors=doors, trial=trial),
                rows=len(merged.articles),
            )
        )
    table = mapped_table(artifact.files["groups"].checked())
    return Grouped(
        clusters=values_of(table, "duplicate_cluster"),
        groups=values_of(table, "leak_group"),
        has_copies=numbers_of(table, "has_copies"),
        aliases=artifact.facts["aliases"],
        pairs=pairs,
        artifact=artifact,
        report=_report(signed, pairs, artifact, _all_aliases(artifact, base, same)),
    )


def _all_aliases(artifact: Artifact, base: Base, same: bool) -> dict[str, dict[str, str]]:
    """The aliases of this build and of all versions before; only of this build if the method is another one."""
    old = base.manifest.duplicates.get("aliases", {}) if base.manifest and same else {}
    return {
        name: dict(sorted({**old.get(name, {}), **artifact.facts["aliases"].get(name, {})}.items()))
        for name in ("duplicate_cluster", "leak_group")
    }


def _report(signed: Signed, pairs: Artifact, groups: Artifact, aliases: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dedup_version": DEDUP_VERSION,
        "method": method(),
        "boilerplate": {"shingles": len(signed.boilerplate.hashes), "digest": signed.boilerplate.digest},
        **pairs.facts,
        "doors": dict(groups.facts["doors"]),
        **groups.facts["clusters"],
        "aliases": aliases,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """How splits are cut to find out what a door excludes; `borders` is None if they are still to be chosen."""

    timezone: str
    borders: Borders | None
    gap_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupData:
    """The pairs, the articles, the ledger of the base (None if its groups are not kept), and what it decided on doors."""

    pairs: Artifact
    merged: Artifact
    ledger: StoredFile | None
    doors: Mapping[str, bool] | None
    trial: _Trial


def _group(data: _GroupData, bench: Bench) -> dict[str, Any]:
    """Group the articles. Those that are not in the ledger are ordered by date, undated ones last."""
    articles, _ = read_articles(data.merged)
    order = np.lexsort((articles.published_at, articles.published_at == NO_DATE))
    ids = articles.article_id.take(pa.array(order))
    ledger = all_columns(mapped_table(data.ledger.checked())) if data.ledger else None
    pairs = read_pairs(data.pairs)
    if data.doors is None:
        found, doors = _try_doors(pairs, ids, ledger, articles.published_at[order], data.trial)
    else:
        doors = dict(data.doors)
        found = assign(pairs, ids, ledger, doors=[door for door in DOORS if doors.get(door)])
    back = np.empty(len(order), dtype=np.int32)
    back[order] = np.arange(len(order))
    clusters, groups = (ids.take(pa.array(back)) for ids in (found.duplicate_cluster, found.leak_group))
    cluster, group = _number_groups(clusters), _number_groups(groups)
    sizes = np.bincount(cluster)
    columns = {
        "duplicate_cluster": clusters,
        "leak_group": groups,
        "group": pa.array(group),
        "has_copies": pa.array((sizes[cluster] > 1).astype(np.int8)),
    }
    write_table(pa.table(columns), bench.file("groups"))
    return {
        "aliases": {name: dict(old) for name, old in found.aliases.items()},
        "doors": dict(doors),
        "clusters": {
            "clusters": len(sizes),
            "clusters_of_several": int((sizes > 1).sum()),
            "articles_with_copies": int(sizes[sizes > 1].sum()),
            "largest_cluster": int(sizes.max(initial=0)),
        },
        "largest_group": int(np.bincount(group).max(initial=0)),
    }


def _number_groups(names: pa.Array) -> np.ndarray:
    """For each article the number of its group, int32, given the name; they are counted in the order of the articles."""
    numbers: np.ndarray = names.dictionary_encode().indices.to_numpy()
    return numbers


def read_group_numbers(artifact: Artifact) -> np.ndarray:
    """The number of the leak group of each article, int32, read from the artifact of stage group."""
    return numbers_of(mapped_table(artifact.files["groups"].checked()), "group")


def _try_doors(
    pairs: Pairs, ids: pa.Array, ledger: pa.Table | None, times: np.ndarray, trial: _Trial
) -> tuple[Clusters, dict[str, bool]]:
    """The groups with those doors that exclude few articles more, and for each door whether it is one of them."""

    try:
        borders = trial.borders or choose_borders(times, trial.timezone, gap_days=trial.gap_days)
    except CallError:  # stage split says what is wrong
        borders = None

    def excluded_by(doors: Collection[str]) -> float:
        if borders is None:
            return 0.0
        groups = _number_groups(assign(pairs, ids, ledger, doors=doors).leak_group)
        placement = place(times, groups, borders, trial.timezone, before=np.full(len(times), -1))
        return int((placement.reason == "straddle").sum()) / max(len(times), 1)

    share = excluded_by(())
    most = share + _MOST_EXCLUDED
    doors: list[str] = []
    for door in DOORS:
        wider = excluded_by([*doors, door])
        if wider <= min(most, share + _MOST_EXCLUDED_BY.get(door, _MOST_EXCLUDED)):
            share = wider
            doors.append(door)
    return assign(pairs, ids, ledger, doors=doors), {door: door in doors for door in DOORS}


TASKS: Mapping[str, TaskFunction] = {"group": _group}
"""The functions of this stage's tasks, by kind."""
