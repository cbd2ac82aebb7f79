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
from ...graph.task import Artifact, Bench, Task
from ...schema import SPLITS, Site
from ..base import Base
from ..request import Settings
from .group import Grouped
from .merge import Merged, read_articles
from .versions import stage_of

__all__ = ["Placed", "read_placement", "split_articles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The splits of all articles.

    Attributes:
        borders: the days between the splits.
        before: for each article the number of its split in the ledger; -1 if it is new.
        placement: split and reason of each article.
        artifact: holds the placement.
    """

    borders: Borders
    before: np.ndarray
    placement: Placement
    artifact: Artifact


def split_articles(
    merged: Merged, grouped: Grouped, site: Site, settings: Settings, base: Base, engine: Engine
) -> Placed:
    """Place every article. The borders are those of the base, else those asked for, else chosen from the articles."""
    articles = merged.articles
    with engine.stage("split", len(articles)) as stage:
        borders = settings.borders or _new_borders(merged, site, settings)
        before = _splits_before(articles.article_id, base.ledger)
        artifact = stage.run_one(
            Task(
                stage=stage_of("split"),
                inputs=(merged.artifact.key, grouped.artifact.key, repr(borders), site.timezone, _digest(before)),
                function=_place,
                data=lambda: _SplitData(
                    merged=merged.artifact,
                    groups=grouped.groups,
                    borders=borders,
                    timezone=site.timezone,
                    before=before,
                ),
                rows=len(articles),
            )
        )
    return Placed(borders=borders, before=before, placement=read_placement(artifact), artifact=artifact)


def _new_borders(merged: Merged, site: Site, settings: Settings) -> Borders:
    asked = settings.asked_borders
    return choose_borders(
        merged.articles.published_at,
        site.timezone,
        validation_from=asked.validation_from,
        test_from=asked.test_from,
        gap_days=asked.gap_days or 0,
    )


def _splits_before(ids: pa.Array, ledger: pa.Table) -> np.ndarray:
    """For each article the number of its split in the ledger (as in `SPLITS`, then "excluded"); -1 if it is new."""
    numbers = pa.array([*SPLITS, "excluded"], pa.string())
    split = pc.index_in(ledger["split"].combine_chunks(), value_set=numbers)
    at = pc.index_in(ids, value_set=ledger["article_id"].combine_chunks())
    before: np.ndarray = split.take(at).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return before


def _digest(numbers: np.ndarray) -> str:
    return hashlib.sha256(numbers.astype("<i8").tobytes()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _SplitData:
    """What placing needs; `before` is as in `Placed`."""

    merged: Artifact
    groups: pa.Array
    borders: Borders
    timezone: str
    before: np.ndarray


def _place(data: _SplitData, bench: Bench) -> Mapping[str, Any]:
    articles, _ = read_articles(data.merged)
    numbers = data.groups.dictionary_encode().indices.to_numpy()
    placement = place(articles.published_at, numbers, data.borders, data.timezone, before=data.before)
    table = pa.table({"split": pa.array(placement.split, pa.int8()), "reason": pa.array(placement.reason, pa.string())})
    with pa.OSFile(str(bench.file("placement")), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return {}


def read_placement(artifact: Artifact) -> Placement:
    """The split and the reason of each article, read from the artifact of stage split."""
    with pa.OSFile(str(artifact.files["placement"].checked())) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all()
    reason = np.empty(table.num_rows, dtype=object)
    reason[:] = table["reason"].to_pylist()
    return Placement(split=table["split"].combine_chunks().to_numpy(), reason=reason)
