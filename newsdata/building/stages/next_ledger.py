"""A part of stage describe: the ledger of the new version, from that of the base and from what was decided now."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...curation.merge import NO_DATE
from ...schema import SPLITS
from ...storage.ledger import LEDGER_SCHEMA
from ..base import Base
from .gone import with_gone_posts
from .write import Decided

__all__ = ["next_ledger"]

_ROWS_AT_ONCE = 65_536  # rows that are in memory at once


def next_ledger(decided: Decided, base: Base, version: str) -> Iterator[pa.Table]:
    """The ledger of the new version, in parts: known rows in their order, then new ones by date and id.

    An article keeps the first split that it was given in a split scheme, even while it is excluded or gone.
    """
    ledger, times, ledger_row = base.ledger, decided.merged.articles.published_at, decided.placed.ledger_row
    now = np.full(ledger.num_rows, -1, np.int32)  # for each row of the base the position of its article
    known = np.flatnonzero(ledger_row >= 0)
    now[ledger_row[known]] = known
    at = ledger.column_names.index("gone_posts")
    ledger = ledger.set_column(at, "gone_posts", with_gone_posts(ledger, decided.placed.newly_gone))
    if (splits := decided.placed.gone_splits) is not None:  # rows of articles that are there are made anew
        for name in splits.column_names:
            ledger = ledger.set_column(ledger.column_names.index(name), name, splits[name])
    for begin in range(0, ledger.num_rows, _ROWS_AT_ONCE):
        rows = ledger.slice(begin, _ROWS_AT_ONCE)
        yield _known_rows(rows, now[begin : begin + _ROWS_AT_ONCE], decided, version)
    new = np.flatnonzero(ledger_row < 0).astype(np.int32)
    new = new[np.lexsort((times[new], times[new] == NO_DATE))]  # articles are in the order of their ids
    for begin in range(0, len(new), _ROWS_AT_ONCE):
        yield _rows_of(new[begin : begin + _ROWS_AT_ONCE], decided, version)


def _rows_of(chosen: np.ndarray, decided: Decided, version: str) -> pa.Table:
    """The rows that some articles, given by position, would have if they were new."""
    articles, placed, at = decided.merged.articles, decided.placed, pa.array(chosen)
    times = articles.published_at[chosen]
    return pa.table(
        {
            "article_id": articles.article_id.take(at),
            "duplicate_cluster": decided.grouped.clusters.take(at),
            "leak_group": decided.grouped.groups.take(at),
            "split": pa.array([*SPLITS, "excluded"], pa.string()).take(pa.array(placed.first[chosen])),
            "excluded_reason": pa.array(placed.placement.reason[chosen], pa.string()),
            "published_at": pa.array(np.where(times == NO_DATE, 0, times), mask=times == NO_DATE),
            "first_version": pa.array([version] * len(chosen), pa.string()),
            "redacted_reason": pa.nulls(len(chosen), pa.string()),
            "gone_posts": pa.nulls(len(chosen), pa.string()),
        },
        schema=LEDGER_SCHEMA,
    )


def _known_rows(rows: pa.Table, now: np.ndarray, decided: Decided, version: str) -> pa.Table:
    """Some rows of the base's ledger, with what was decided now.

    If an article is not in the source any more, its row only follows when its cluster or group became part of another one.

    Args:
        rows: of the ledger.
        now: for each the position of its article; -1 if it is not in the source.
        decided: about all articles.
        version: the version that is being built.
    """
    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    if_gone = dict(columns)
    for name, renamed in decided.grouped.aliases.items():
        if renamed:
            if_gone[name] = pa.array([renamed.get(old, old) for old in rows[name].to_pylist()], pa.string())
    there = now >= 0
    if_there = _rows_of(np.where(there, now, 0), decided, version) if there.any() else rows
    for name in ("duplicate_cluster", "leak_group", "split", "excluded_reason", "gone_posts"):
        columns[name] = pc.if_else(pa.array(there), _one_chunk(if_there[name]), _one_chunk(if_gone[name]))
    return pa.table({name: columns[name] for name in LEDGER_SCHEMA.names}, schema=LEDGER_SCHEMA)


def _one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
