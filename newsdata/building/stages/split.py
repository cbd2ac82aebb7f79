"""Stage split: the split of every article, by its day and its leak group."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...curation.splits import Borders, Placement, choose_borders, place
from ...graph.engine import Engine
from ...graph.task import Artifact, Bench, Task, TaskFunction
from ...schema import SPLITS, Site
from ..arrow_files import read_table, write_table
from ..base import Base
from ..request import Settings
from .group import Grouped
from .merge import Merged, read_articles
from .versions import stage_of

__all__ = ["TASKS", "Placed", "read_placement", "split_articles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The splits of all articles.

    Attributes:
        borders: the days between the splits.
        is_new: for each article whether it is not in the ledger.
        first: for each article the number of the split that it keeps in the ledger.
        placement: split and reason of each article.
        artifact: holds the placement.
    """

    borders: Borders
    is_new: np.ndarray
    first: np.ndarray
    placement: Placement
    artifact: Artifact


def split_articles(
    merged: Merged, grouped: Grouped, site: Site, settings: Settings, base: Base, engine: Engine
) -> Placed:
    """Place every article. The borders are those of the base, else those asked for, else chosen from the articles."""
    articles = merged.articles
    with engine.stage("split", len(articles)) as stage:
        borders = settings.borders or _new_borders(merged, grouped, site, settings)
        ledger = base.ledger.take(pc.index_in(articles.article_id, base.ledger["article_id"].combine_chunks()))
        old = _split_numbers(ledger["split"].combine_chunks())
        before = np.full(len(articles), -1) if settings.resplit else old
        old_test = _old_test(ledger, settings)
        artifact = stage.run_one(
            Task(
                stage=stage_of("split"),
                inputs=(
                    merged.artifact.key,
                    grouped.artifact.key,
                    repr(borders),
                    site.timezone,
                    _digest(before),
                    _digest(old_test),
                ),
                function=_place,
                data=lambda: _SplitData(
                    merged=merged.artifact,
                    groups=grouped.groups,
                    borders=borders,
                    timezone=site.timezone,
                    before=before,
                    old_test=old_test,
                ),
                rows=len(articles),
            )
        )
    placement = read_placement(artifact)
    first = np.where((before >= 0) & (before < len(SPLITS)), before, placement.split)
    return Placed(borders=borders, is_new=old < 0, first=first, placement=placement, artifact=artifact)


def _new_borders(merged: Merged, grouped: Grouped, site: Site, settings: Settings) -> Borders:
    asked = settings.asked_borders
    return choose_borders(
        merged.articles.published_at,
        site.timezone,
        validation_from=asked.validation_from,
        test_from=asked.test_from,
        gap_days=asked.gap_days or 0,
        groups=_numbers(grouped.groups),
    )


def _numbers(groups: pa.Array) -> np.ndarray:
    numbers: np.ndarray = groups.dictionary_encode().indices.to_numpy()
    return numbers


def _split_numbers(splits: pa.Array) -> np.ndarray:
    """For each name of a split its number (as in `SPLITS`, then "excluded"); -1 for null."""
    found = pc.index_in(splits, value_set=pa.array([*SPLITS, "excluded"], pa.string()))
    numbers: np.ndarray = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _old_test(ledger: pa.Table, settings: Settings) -> np.ndarray:
    """For each article whether it must not be in another split than `test`, because it was in one of another scheme.

    Args:
        ledger: the row of each article; null for a new one.
        settings: `resplit` makes the test split of the base an old one; `allow_old_test` lets all of them go.
    """
    if settings.allow_old_test:
        return np.zeros(ledger.num_rows, bool)
    found = pc.equal(ledger["excluded_reason"], "old-test").fill_null(False)
    if settings.resplit:
        found = pc.or_(found, pc.equal(ledger["split"], "test").fill_null(False))
    return np.asarray(found.combine_chunks().to_numpy(zero_copy_only=False), bool)


def _digest(numbers: np.ndarray) -> str:
    return hashlib.sha256(numbers.astype("<i8").tobytes()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _SplitData:
    """What placing needs; `before` and `old_test` are as for `curation.splits.place`."""

    merged: Artifact
    groups: pa.Array
    borders: Borders
    timezone: str
    before: np.ndarray
    old_test: np.ndarray


def _place(data: _SplitData, bench: Bench) -> Mapping[str, Any]:
    articles, _ = read_articles(data.merged)
    times, numbers = articles.published_at, _numbers(data.groups)
    placement = place(times, numbers, data.borders, data.timezone, before=data.before, old_test=data.old_test)
    table = pa.table(
        {
            "split": pa.array(placement.split, pa.int8()),
            "reason": pa.array(placement.reason, pa.string()),
            "by_date": pa.array(placement.by_date, pa.int8()),
        }
    )
    write_table(table, bench.file("placement"))
    return {}


def read_placement(artifact: Artifact) -> Placement:
    """The split and the reason of each article, read from the artifact of stage split."""
    table = read_table(artifact.files["placement"])
    reason = np.empty(table.num_rows, dtype=object)
    reason[:] = table["reason"].to_pylist()
    split, by_date = (table[name].combine_chunks().to_numpy() for name in ("split", "by_date"))
    return Placement(split=split, reason=reason, by_date=by_date)


TASKS: Mapping[str, TaskFunction] = {"split": _place}
"""The functions of this stage's tasks, by kind."""
