"""The spool: parsed posts in Arrow files, and the rows of articles that are gathered from them.

Text lies in the spool until a shard of articles is written, so that little of it is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..curation.merge import FEEDS

__all__ = ["SPOOL_BATCH", "ArticleRows", "Gathered", "Spool", "article_table"]

SPOOL_BATCH = 500
"""Rows of a batch of a spool file. Whoever gathers rows reads whole batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """Where parsed posts lie: Arrow files of `SPOOL_BATCH` rows a batch, by the number that the posts' places name."""

    files: Mapping[int, Path]

    def take(self, file: np.ndarray, row: np.ndarray, columns: Sequence[str]) -> pa.Table:
        """The named columns of the posts at (file number, row), in that order."""
        return self.read(file, row, columns).take(file, row, columns)

    def read(self, file: np.ndarray, row: np.ndarray, columns: Sequence[str]) -> Gathered:
        """The named columns of the posts at (file number, row), to be taken from in any order; reads a batch once."""
        places = np.unique(_place(file, row))
        files, rows = places >> _ROW_BITS, places & ((1 << _ROW_BITS) - 1)
        at = np.empty(len(places), dtype=np.int64)
        tables = []
        done = size = 0
        while done < len(places):
            number = int(files[done])
            end = int(np.searchsorted(files, number + 1))
            with pa.OSFile(str(self.files[number])) as handle:
                schema = pa.ipc.open_file(handle).schema
                fields = sorted(schema.get_field_index(name) for name in columns)
                reader = pa.ipc.open_file(handle, options=pa.ipc.IpcReadOptions(included_fields=fields))
                while done < end:
                    batch = int(rows[done]) // SPOOL_BATCH
                    stop = done + int(np.searchsorted(rows[done:end], (batch + 1) * SPOOL_BATCH))
                    found = reader.get_batch(batch)
                    own = rows[done:stop] - batch * SPOOL_BATCH
                    if 2 * len(own) < found.num_rows:  # the others would only fill the memory
                        found, own = found.take(pa.array(own)), np.arange(len(own))
                    at[done:stop] = size + own
                    tables.append(pa.Table.from_batches([found]))
                    size += found.num_rows
                    done = stop
        return Gathered(places=places, at=at, table=pa.concat_tables(tables))


_ROW_BITS = 32


def _place(file: np.ndarray, row: np.ndarray) -> np.ndarray:
    places: np.ndarray = file.astype(np.int64) << _ROW_BITS | row
    return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Posts in memory: the row of `table` that each place of the spool is `at`."""

    places: np.ndarray
    at: np.ndarray
    table: pa.Table

    def take(self, file: np.ndarray, row: np.ndarray, columns: Sequence[str]) -> pa.Table:
        """As `Spool.take`, of what was read."""
        at = self.at[np.searchsorted(self.places, _place(file, row))]
        return self.table.select(list(columns)).take(pa.array(at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRows:
    """A run of articles to be written: for each column group the post (file number, row) that speaks for it.

    Attributes:
        article_id, duplicate_cluster, leak_group: strings.
        fold: int32.
        excluded_reason: strings, or None for the config `articles`.
        places: (file number, row) of the speaking post by role: "text", "title", "date", "url", "digest", "source",
            "labels".
        member_places: (file number, row) of every post of every article, article after article.
        member_starts: where each article's posts begin.
        member_sha256, member_feed: of every post.
    """

    article_id: pa.Array
    duplicate_cluster: pa.Array
    leak_group: pa.Array
    fold: pa.Array
    excluded_reason: pa.Array | None
    places: dict[str, tuple[np.ndarray, np.ndarray]]
    member_places: tuple[np.ndarray, np.ndarray]
    member_starts: np.ndarray
    member_sha256: pa.Array
    member_feed: np.ndarray


_ROLES = {
    "text": (
        "text", "feed", "mentions", "text_codes", "headings", "images", "links", "chart_symbol", "num_chars", "is_flash",
    ),
    "title": ("title",),
    "date": ("published_at",),
    "url": ("url",),
    "digest": ("digest", "digest_credit"),
    "source": ("source",),
    "labels": ("category", "tags", "media"),
}  # fmt: skip


def article_table(rows: ArticleRows, spool: Spool, schema: pa.Schema) -> pa.Table:
    """Gather the rows of `articles` (or `excluded`) from the spool."""
    columns: dict[str, pa.Array] = {
        "article_id": rows.article_id,
        "duplicate_cluster": rows.duplicate_cluster,
        "leak_group": rows.leak_group,
        "fold": rows.fold,
    }
    gathered = spool.read(*rows.member_places, [*(name for names in _ROLES.values() for name in names), "issues"])
    for role, names in _ROLES.items():
        columns |= _columns(gathered.take(*rows.places[role], names))
    columns["issues"] = _merged_issues(rows, gathered)
    offsets = pa.array(np.r_[rows.member_starts, len(rows.member_sha256)].astype(np.int32))
    sources = pa.StructArray.from_arrays(
        [rows.member_sha256, pa.array(FEEDS).take(pa.array(rows.member_feed))], names=["sha256", "feed"]
    )
    columns["sources"] = pa.ListArray.from_arrays(offsets, sources)
    if rows.excluded_reason is not None:
        columns["excluded_reason"] = rows.excluded_reason
    return pa.Table.from_arrays([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _columns(table: pa.Table) -> dict[str, pa.Array]:
    return {name: table[name].combine_chunks() for name in table.column_names}


def _merged_issues(rows: ArticleRows, gathered: Gathered) -> pa.Array:
    """The union of the issues of an article's posts, in the order in which the posts speak."""
    issues = gathered.take(*rows.member_places, ["issues"])["issues"].combine_chunks()
    starts = rows.member_starts
    ends = np.r_[starts[1:], len(issues)]
    if np.array_equal(ends - starts, np.ones(len(starts), dtype=np.int64)):
        return issues
    lists = issues.to_pylist()
    merged = [
        lists[a] if b - a == 1 else list(dict.fromkeys(code for codes in lists[a:b] for code in codes))
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    return pa.array(merged, pa.list_(pa.string()))
