"""The spool: Arrow files with the columns that parsed posts give to articles. Rows of articles are gathered from them.

Stage parse writes one spool file for each of its tasks. Text stays there until it is compared or a shard of articles is
written, so that little text is in memory at a time. A *place* in the spool is the number of a file and a row in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import FEEDS

__all__ = ["SPOOL_BATCH", "ArticleRows", "Gathered", "Spool", "article_table"]

SPOOL_BATCH = 500
"""Rows of a batch in a spool file. Rows are read in whole batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """Some files of the spool.

    Attributes:
        files: the files by number, with `SPOOL_BATCH` rows in each batch but the last.
    """

    files: Mapping[int, Path]

    def take(self, file: np.ndarray, row: np.ndarray, columns: Sequence[str]) -> pa.Table:
        """Some columns of the posts at some places, one row for each place, in that order.

        Args:
            file, row: the number of the file and the row in it, for each place.
            columns: their names.
        """
        return self.read(file, row, columns).take(file, row, columns)

    def read(self, file: np.ndarray, row: np.ndarray, columns: Sequence[str]) -> Gathered:
        """Read some columns of the posts at some places into memory; each batch is read once. Arguments as for `take`."""
        places = np.unique(_place_number(file, row))
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
                    if 2 * len(own) < found.num_rows:  # do not keep a batch in memory for a few rows
                        found, own = found.take(pa.array(own)), np.arange(len(own))
                    at[done:stop] = size + own
                    tables.append(pa.Table.from_batches([found]))
                    size += found.num_rows
                    done = stop
        return Gathered(places=places, at=at, table=pa.concat_tables(tables))


_ROW_BITS = 32


def _place_number(file: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Each place as one number, in the order of files and rows."""
    numbers: np.ndarray = file.astype(np.int64) << _ROW_BITS | row
    return numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Posts in memory.

    Attributes:
        places: the places that were read, each as one number, sorted.
        at: for each place its row in `table`.
        table: the columns that were read.
    """

    places: np.ndarray
    at: np.ndarray
    table: pa.Table

    def take(self, file: np.ndarray, row: np.ndarray, columns: Sequence[str]) -> pa.Table:
        """Like `Spool.take`, for places and columns that were read."""
        at = self.at[np.searchsorted(self.places, _place_number(file, row))]
        return self.table.select(list(columns)).take(pa.array(at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRows:
    """Instructions for the rows of some articles: from which post each column comes.

    The members of an article are the posts that were merged into it. For each role, which is a group of columns, one of them
    gives the values. The roles are "text", "title", "date", "url", "digest", "source" and "labels".

    Attributes:
        article_id, duplicate_cluster, leak_group: strings.
        fold: int32.
        excluded_reason: strings, or None for the config `articles`.
        places: role -> places of the posts that give its columns: (file numbers, rows), one entry for each article.
        member_places: places of all members, article after article: (file numbers, rows).
        member_starts: the position of each article's first member in `member_places`.
        member_sha256: of each member, hexadecimal.
        member_feed: of each member, as its position in `curation.merge.FEEDS`.
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


_ROLES = {  # role -> its columns of `articles`
    "text": (
        "text", "notices", "feed", "mentions", "text_codes", "headings", "images", "links", "chart_symbols", "num_chars", "is_flash",
    ),
    "title": ("title",),
    "date": ("published_at",),
    "url": ("url",),
    "digest": ("digest", "digest_credit"),
    "source": ("source",),
    "labels": ("category", "categories", "tags", "authors", "lang", "image", "media"),
}  # fmt: skip


def article_table(rows: ArticleRows, spool: Spool, schema: pa.Schema) -> pa.Table:
    """Gather the rows of some articles from the spool.

    Args:
        rows: from which post each column comes.
        spool: the files that hold all members.
        schema: of the config `articles` or `excluded`.
    """
    columns: dict[str, pa.Array] = {
        "article_id": rows.article_id,
        "duplicate_cluster": rows.duplicate_cluster,
        "leak_group": rows.leak_group,
        "fold": rows.fold,
    }
    gathered = spool.read(*rows.member_places, [*(name for names in _ROLES.values() for name in names), "issues"])
    for role, names in _ROLES.items():
        columns |= _columns(gathered.take(*rows.places[role], names))
    columns["publisher"] = pc.coalesce(columns["media"], columns["source"])
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
    """For each article the issues of all of its members, each once, in the order of the members."""
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
