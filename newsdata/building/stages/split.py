"""Stage split: the split of every article, by its day and its leak group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...arrow_files import mapped_table, numbers_of, values_of, write_table
from ...curation.merge import Articles, PostHashes
from ...curation.renamed import find_former
from ...curation.splits import Borders, Placement, choose_borders, place
from ...graph.engine import Engine, Stage
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from ...schema import SPLITS, Site
from ...storage.ledger import LEDGER_NAME, all_columns, empty_ledger
from ..base import Base
from ..request import AskedBorders, Settings
from .gone import gone_shards, read_gone_hashes, with_gone_posts
from .group import Grouped, read_group_numbers
from .merge import Merged, read_articles
from .versions import stage_of

__all__ = ["TASKS", "Placed", "read_placement", "split_articles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The splits of all articles.

    Attributes:
        borders: the days between the splits.
        ledger_row: for each article its row in the ledger of the base; -1 if it is new. int32.
        first: for each article the number of the split that it keeps in the ledger.
        placement: split and reason of each article.
        newly_gone: articles that went away since the base: `row` in its ledger, and `posts` for `gone_posts` there.
        gone_splits: `split` and `excluded_reason` of all rows of the ledger if the splits were cut anew; else None.
        notes: what somebody should look at, one sentence each.
        artifact: holds all that.
    """

    borders: Borders
    ledger_row: np.ndarray
    first: np.ndarray
    placement: Placement
    newly_gone: pa.Table
    gone_splits: pa.Table | None
    notes: tuple[str, ...]
    artifact: Artifact


def split_articles(
    merged: Merged, grouped: Grouped, site: Site, settings: Settings, base: Base, engine: Engine
) -> Placed:
    """Place every article. The borders are those of the base, else those asked for, else chosen from the articles."""
    ledger = base.stored(LEDGER_NAME) if base.folder else None
    posts = gone_shards(merged.articles.article_id, base)
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
                    repr([file.checksum for file in posts.files]),
                    repr(rules),
                ),
                function=_place,
                data=lambda: _SplitData(
                    merged=merged.artifact, grouped=grouped.artifact, ledger=ledger, posts=posts.files, rules=rules
                ),
                rows=len(merged.articles),
            )
        )
    table = mapped_table(artifact.files["placement"].checked())
    return Placed(
        borders=borders,
        ledger_row=numbers_of(table, "ledger_row"),
        first=numbers_of(table, "first"),
        placement=read_placement(artifact),
        newly_gone=mapped_table(artifact.files["gone"].checked()),
        gone_splits=_in_a_new_scheme(base.ledger, rules) if rules.resplit else None,
        notes=posts.notes(artifact.facts["read"]),
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
    """What placing needs: articles and groups, the ledger of the base (None for the first version), and the rules.

    `posts` are the shards of posts of the base, if articles went away since; else there are none.
    """

    merged: Artifact
    grouped: Artifact
    ledger: StoredFile | None
    posts: Sequence[StoredFile]
    rules: _Rules


def _place(data: _SplitData, bench: Bench) -> Mapping[str, Any]:
    rules = data.rules
    articles, posts = read_articles(data.merged)
    ledger = all_columns(mapped_table(data.ledger.checked())) if data.ledger else empty_ledger()
    newly_gone, read = read_gone_hashes(ledger, articles.article_id, data.posts)
    before = _decisions_before(articles, posts, ledger, newly_gone, rules)
    placement = place(
        articles.published_at,
        read_group_numbers(data.grouped),
        rules.borders,
        rules.timezone,
        before=before.first_split,
        old_test=before.old_test,
    )
    table = pa.table(
        {
            "split": pa.array(placement.split, pa.int8()),
            "reason": pa.array(placement.reason, pa.string()),
            "by_date": pa.array(placement.by_date, pa.int8()),
            "first": pa.array(_first_splits(before, placement), pa.int8()),
            "ledger_row": pa.array(before.ledger_row, pa.int32()),
        }
    )
    write_table(table, bench.file("placement"))
    write_table(newly_gone, bench.file("gone"))
    return {"read": read}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What earlier versions decided, one entry for each article.

    Attributes:
        ledger_row: its row in the ledger of the base; -1 if it is new. int32.
        first_split: the number of its first split, or of that of the article that it was under another name; `len(SPLITS)`
            if that was always excluded, -1 if it is new, or if the splits are cut anew.
        old_test: whether it was in an old test split, or has a post of a gone article that was.
    """

    ledger_row: np.ndarray
    first_split: np.ndarray
    old_test: np.ndarray


def _decisions_before(
    articles: Articles, posts: PostHashes, ledger: pa.Table, newly_gone: pa.Table, rules: _Rules
) -> _Before:
    """What earlier versions decided about all articles, also about those that have another name now."""
    ids = values_of(ledger, "article_id")
    ledger_row = pc.index_in(articles.article_id, ids).fill_null(-1).to_numpy()
    there = pc.is_in(ids, value_set=articles.article_id)
    gone = pc.if_else(there, None, with_gone_posts(ledger, newly_gone))
    split, tested = _split_numbers(values_of(ledger, "split")), _old_test(ledger, rules)
    former = find_former(articles, posts, np.flatnonzero(ledger_row < 0), gone, split, tested)
    row = np.where(ledger_row < 0, former.row, ledger_row)  # of the article, or of the one that it was before
    return _Before(
        ledger_row=ledger_row,
        first_split=np.full(len(row), -1) if rules.resplit else np.r_[split, -1][row],
        old_test=np.r_[tested, False][row] | former.tested,
    )


def _first_splits(before: _Before, placement: Placement) -> np.ndarray:
    """For each article the number of the split that it keeps in the ledger.

    One of an old test that is excluded for another reason, such as `gap`, keeps `test`: else that would be forgotten.
    """
    aside = before.old_test & (placement.split == len(SPLITS)) & (placement.reason != "old-test")
    now = np.where(aside, SPLITS.index("test"), placement.split)
    first = before.first_split
    return np.where((first >= 0) & (first < len(SPLITS)), first, now)


def _split_numbers(splits: pa.Array) -> np.ndarray:
    """For each name of a split its number (as in `SPLITS`, then "excluded"); -1 for null."""
    found = pc.index_in(splits, value_set=pa.array([*SPLITS, "excluded"], pa.string()))
    numbers: np.ndarray = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _old_test(ledger: pa.Table, rules: _Rules) -> np.ndarray:
    """For each row of the ledger whether its article must not be in another split than `test`: it was in an old one.

    Args:
        ledger: of the base.
        rules: `resplit` makes the test split of the base an old one; `allow_old_test` lets all of them go.
    """
    if rules.allow_old_test:
        return np.zeros(ledger.num_rows, bool)
    found = pc.equal(ledger["excluded_reason"], "old-test").fill_null(False)
    if rules.resplit:
        found = pc.or_(found, pc.equal(ledger["split"], "test").fill_null(False))
    return np.asarray(found.to_numpy(), bool)


def _in_a_new_scheme(ledger: pa.Table, rules: _Rules) -> pa.Table:
    """`split` and `excluded_reason` of all rows of the ledger, as they are for gone articles in a new split scheme.

    None of them was placed in it yet. Those of the old test stay those of the old test.
    """
    reasons = pc.if_else(pa.array(_old_test(ledger, rules)), pa.scalar("old-test"), pa.scalar(None, pa.string()))
    placed = values_of(ledger, "split").is_valid()  # a tombstone may have no split
    splits = pc.if_else(placed, pa.scalar("excluded"), pa.scalar(None, pa.string()))
    return pa.table({"split": splits, "excluded_reason": reasons})


def read_placement(artifact: Artifact) -> Placement:
    """The split and the reason of each article, read from the artifact of stage split."""
    table = mapped_table(artifact.files["placement"].checked())
    reason = np.empty(table.num_rows, dtype=object)
    reason[:] = table["reason"].to_pylist()
    split, by_date = (numbers_of(table, name) for name in ("split", "by_date"))
    return Placement(split=split, reason=reason, by_date=by_date)


TASKS: Mapping[str, TaskFunction] = {"borders": _choose_borders, "split": _place}
"""The functions of this stage's tasks, by kind."""
