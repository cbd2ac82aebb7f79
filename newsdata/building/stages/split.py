"""Stage split: the split of every article, by its day and its leak group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...arrow_files import mapped_table, numbers_of, values_of, write_table
from ...curation.splits import Borders, Placement, choose_borders, place
from ...graph.engine import Engine, Stage
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from ...schema import SPLITS, Site
from ...storage.ledger import LEDGER_NAME, LEDGER_SCHEMA
from ..base import Base
from ..request import AskedBorders, Settings
from .group import Grouped, read_group_numbers
from .merge import Merged, read_articles
from .versions import stage_of

__all__ = ["TASKS", "Placed", "read_placement", "split_articles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The splits of all articles.

    Attributes:
        borders: the days between the splits.
        before: for each article its row in the ledger of the base; -1 if it is new. int32.
        first: for each article the number of the split that it keeps in the ledger.
        placement: split and reason of each article.
        artifact: holds all that.
    """

    borders: Borders
    before: np.ndarray
    first: np.ndarray
    placement: Placement
    artifact: Artifact


def split_articles(
    merged: Merged, grouped: Grouped, site: Site, settings: Settings, base: Base, engine: Engine
) -> Placed:
    """Place every article. The borders are those of the base, else those asked for, else chosen from the articles."""
    ledger = base.stored(LEDGER_NAME) if base.folder else None
    with engine.stage("split", len(merged.articles)) as stage:
        borders = settings.borders or _new_borders(merged, grouped, site, settings, stage)
        rules = _Rules(
            borders=borders,
            timezone=site.timezone,
            resplit=bool(settings.resplit),
            allow_old_test=bool(settings.allow_old_test),
        )
        artifact = stage.run_one(
            Task(
                stage=stage_of("split"),
                inputs=(
                    merged.artifact.key,
                    grouped.artifact.key,
                    ledger.checksum if ledger else "",
                    repr(rules),
                ),
                function=_place,
                data=lambda: _SplitData(merged=merged.artifact, grouped=grouped.artifact, ledger=ledger, rules=rules),
                rows=len(merged.articles),
            )
        )
    table = mapped_table(artifact.files["placement"].checked())
    return Placed(
        borders=borders,
        before=numbers_of(table, "before"),
        first=numbers_of(table, "first"),
        placement=read_placement(artifact),
        artifact=artifact,
    )


# ------------------------------------------------------------------------------------------------------ borders


@dataclass(frozen=True, slots=True, kw_only=True)
class _BorderData:
    """What choosing borders needs: articles and groups, the site's time zone, and what was asked for."""

    merged: Artifact
    grouped: Artifact
    timezone: str
    asked: AskedBorders


def _new_borders(merged: Merged, grouped: Grouped, site: Site, settings: Settings, stage: Stage) -> Borders:
    task = Task(
        stage=stage_of("borders"),
        inputs=(merged.artifact.key, grouped.artifact.key, site.timezone, repr(settings.asked_borders)),
        function=_choose_borders,
        data=lambda: _BorderData(
            merged=merged.artifact, grouped=grouped.artifact, timezone=site.timezone, asked=settings.asked_borders
        ),
    )
    facts = stage.run_one(task).facts
    days = {name: facts[name] and date.fromisoformat(facts[name]) for name in _DAYS}
    return Borders(**days, gap_days=facts["gap_days"])


_DAYS = ("validation_from", "test_from", "test_until")


def _choose_borders(data: _BorderData, bench: Bench) -> dict[str, Any]:
    articles, _ = read_articles(data.merged)
    borders = choose_borders(
        articles.published_at,
        data.timezone,
        validation_from=data.asked.validation_from,
        test_from=data.asked.test_from,
        gap_days=data.asked.gap_days or 0,
        groups=read_group_numbers(data.grouped),
    )
    days = {name: getattr(borders, name) for name in _DAYS}
    return {name: day and day.isoformat() for name, day in days.items()} | {"gap_days": borders.gap_days}


# ------------------------------------------------------------------------------------------------------ placing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """Borders, the site's time zone, and what `--resplit` and `--allow-old-test` ask for."""

    borders: Borders
    timezone: str
    resplit: bool
    allow_old_test: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _SplitData:
    """What placing needs: articles and groups, the ledger of the base (None for the first version), and the rules."""

    merged: Artifact
    grouped: Artifact
    ledger: StoredFile | None
    rules: _Rules


def _place(data: _SplitData, bench: Bench) -> Mapping[str, Any]:
    rules = data.rules
    articles, _ = read_articles(data.merged)
    ledger = (
        mapped_table(data.ledger.checked()).select(LEDGER_SCHEMA.names) if data.ledger else LEDGER_SCHEMA.empty_table()
    )
    at = pc.index_in(articles.article_id, values_of(ledger, "article_id"))
    known = ledger.select(["split", "excluded_reason"]).take(at)
    old = _split_numbers(values_of(known, "split"))
    before = np.full(len(old), -1) if rules.resplit else old
    placement = place(
        articles.published_at,
        read_group_numbers(data.grouped),
        rules.borders,
        rules.timezone,
        before=before,
        old_test=_old_test(known, rules),
    )
    table = pa.table(
        {
            "split": pa.array(placement.split, pa.int8()),
            "reason": pa.array(placement.reason, pa.string()),
            "by_date": pa.array(placement.by_date, pa.int8()),
            "first": pa.array(np.where((before >= 0) & (before < len(SPLITS)), before, placement.split), pa.int8()),
            "before": at.fill_null(-1),
        }
    )
    write_table(table, bench.file("placement"))
    return {}


def _split_numbers(splits: pa.Array) -> np.ndarray:
    """For each name of a split its number (as in `SPLITS`, then "excluded"); -1 for null."""
    found = pc.index_in(splits, value_set=pa.array([*SPLITS, "excluded"], pa.string()))
    numbers: np.ndarray = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _old_test(ledger: pa.Table, rules: _Rules) -> np.ndarray:
    """For each article whether it must not be in another split than `test`, because it was in one of another scheme.

    Args:
        ledger: the row of each article; null for a new one.
        rules: `resplit` makes the test split of the base an old one; `allow_old_test` lets all of them go.
    """
    if rules.allow_old_test:
        return np.zeros(ledger.num_rows, bool)
    found = pc.equal(ledger["excluded_reason"], "old-test").fill_null(False)
    if rules.resplit:
        found = pc.or_(found, pc.equal(ledger["split"], "test").fill_null(False))
    return np.asarray(found.combine_chunks().to_numpy(zero_copy_only=False), bool)


def read_placement(artifact: Artifact) -> Placement:
    """The split and the reason of each article, read from the artifact of stage split."""
    table = mapped_table(artifact.files["placement"].checked())
    reason = np.empty(table.num_rows, dtype=object)
    reason[:] = table["reason"].to_pylist()
    split, by_date = (numbers_of(table, name) for name in ("split", "by_date"))
    return Placement(split=split, reason=reason, by_date=by_date)


TASKS: Mapping[str, TaskFunction] = {"borders": _choose_borders, "split": _place}
"""The functions of this stage's tasks, by kind."""
