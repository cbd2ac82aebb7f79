"""The small columns of all articles, in memory: what filters, facets, charts and the lists of near-copies are counted from.

About 220 bytes an article. Row numbers are those of `Opened`: articles in the order of the splits, then excluded ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .opened import Damage, DamagedFile, Opened, read_table

__all__ = ["NO_DAY", "Coded", "Pairs", "Table", "load_table"]

NO_DAY = np.iinfo(np.int32).min
"""The day of an article without a date."""

_NO_TIME = np.iinfo(np.int64).min
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_TIMES = (-62_135_510_400_000, 253_402_214_400_000)
"""The times that Python can show, years 1 to 9999; any other one counts as none."""
_CODE_BITS = 31
_Keys = NDArray[np.int64]
"""Pairs of a row and a code as one number each, see `_CODE_BITS`."""

_COLUMNS = [
    "article_id", "published_at", "media", "source", "is_flash", "num_chars", "duplicate_cluster", "issues",
    "mentions.list.element.code", "mentions.list.element.text",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of strings: `values[codes[row]]`; the code -1 stands for none."""

    codes: NDArray[np.int32]
    values: tuple[str, ...]

    def code_of(self, value: str) -> int:
        """The code of a value, -2 if no row has it."""
        return self.values.index(value) if value in self.values else -2

    def at(self, row: int) -> str | None:
        """The value of a row."""
        code = int(self.codes[row])
        return None if code < 0 else self.values[code]


@dataclass(frozen=True, slots=True)
class Pairs:
    """A column of several strings a row: row `rows[i]` has `values[codes[i]]`. Sorted by row, each pair once."""

    rows: NDArray[np.int32]
    codes: NDArray[np.int32]
    values: tuple[str, ...]

    def mask(self, wanted: Sequence[str], size: int) -> NDArray[np.bool_]:
        """The rows that have one of the wanted values."""
        found = np.zeros(size, bool)
        numbers = [self.values.index(value) for value in wanted if value in self.values]
        found[self.rows[np.isin(self.codes, numbers)]] = True
        return found

    def at(self, row: int) -> list[str]:
        """The values of a row."""
        first, last = np.searchsorted(self.rows, [row, row + 1])
        return [self.values[code] for code in self.codes[first:last]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The small columns of articles and excluded articles.

    Attributes:
        articles: number of rows that are articles; the rows after them are excluded.
        ids: article ids.
        times: milliseconds since 1970; `_NO_TIME` without a date.
        days: local days since 1970; `NO_DAY` without a date.
        hours: local hours, 0 to 23; -1 without a date.
        split, publisher, cluster: by their values; every row has a split and a cluster.
        flash, chars: `is_flash`, `num_chars`.
        issues, codes: pairs of row and value; `code_names` has the words that each code is mentioned by most often.
        cluster_sizes: number of rows of each cluster.
        places: for each row its place by time, then id; rows without a time come first.
        newest: row numbers of the articles, the newest first, those without a date last.
        damaged: shards whose small columns cannot be read; their rows are no articles then: `known` is False for them.
    """

    articles: int
    ids: pa.ChunkedArray
    times: NDArray[np.int64]
    days: NDArray[np.int32]
    hours: NDArray[np.int8]
    split: Coded
    publisher: Coded
    cluster: Coded
    flash: NDArray[np.bool_]
    chars: NDArray[np.int32]
    issues: Pairs
    codes: Pairs
    code_names: tuple[str, ...]
    cluster_sizes: NDArray[np.int64]
    places: NDArray[np.int64]
    newest: NDArray[np.int64]
    known: NDArray[np.bool_]
    damaged: tuple[Damage, ...]

    def row_of(self, article_id: str) -> int | None:
        """The row of an article, excluded or not; None if there is none."""
        found = pc.index(self.ids, pa.scalar(article_id, pa.string())).as_py()
        return None if found < 0 else int(found)

    def copies(self, row: int) -> int:
        """How many near-copies a row has, itself included."""
        return int(self.cluster_sizes[self.cluster.codes[row]])

    def name_of(self, code: str) -> str:
        """The words that a code is mentioned by most often."""
        return self.code_names[self.codes.values.index(code)] if code in self.codes.values else ""


class _Numbers(dict[str, int]):
    """Strings, numbered in the order in which they come."""

    def __missing__(self, value: str) -> int:
        self[value] = number = len(self)
        return number

    def encode(self, values: pa.Array) -> NDArray[np.int32]:
        """The number of each value, -1 for null."""
        encoded = values.dictionary_encode()
        numbers = np.array([*(self[value] for value in encoded.dictionary.to_pylist()), -1], np.int32)
        codes: NDArray[np.int32] = numbers[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
        return codes


@dataclass(slots=True)
class _Part:
    """The columns of one shard."""

    ids: pa.Array
    times: NDArray[np.int64]
    publisher: NDArray[np.int32]
    cluster: NDArray[np.int32]
    flash: NDArray[np.bool_]
    chars: NDArray[np.int32]
    issues: _Keys
    codes: _Keys


class _Loader:
    """Reads shard after shard; strings of all shards share their numbers."""

    def __init__(self) -> None:
        self.publishers, self.clusters, self.issues, self.codes = _Numbers(), _Numbers(), _Numbers(), _Numbers()
        self.names: Counter[tuple[int, str]] = Counter()

    def part(self, table: pa.Table, start: int) -> _Part:
        """The columns of a shard whose first row has the number `start`."""
        rows = table.num_rows
        text = _filler(table, pa.string(), rows)
        publisher = pc.coalesce(_blank_to_null(text("media")), _blank_to_null(text("source")))
        ids = text("article_id").fill_null("")
        clusters = pc.coalesce(text("duplicate_cluster"), ids)
        time = _column(table, "published_at")
        times = np.full(rows, _NO_TIME) if time is None else time.cast(pa.int64()).fill_null(_NO_TIME).to_numpy()
        times = np.where((times >= _TIMES[0]) & (times <= _TIMES[1]), times, _NO_TIME)
        flash, chars = _column(table, "is_flash"), _column(table, "num_chars")
        return _Part(
            ids=ids,
            times=times,
            publisher=self.publishers.encode(publisher),
            cluster=self.clusters.encode(clusters),
            flash=np.zeros(rows, bool) if flash is None else flash.fill_null(False).to_numpy(zero_copy_only=False),
            chars=np.zeros(rows, np.int32) if chars is None else chars.fill_null(0).to_numpy(),
            issues=_pairs(_column(table, "issues"), self.issues, start),
            codes=self._mentions(_column(table, "mentions"), start),
        )

    def empty(self, rows: int) -> _Part:
        """The columns of a shard that cannot be read."""
        blank = pa.table({"article_id": pa.nulls(rows, pa.string())})
        return self.part(blank, 0)

    def _mentions(self, mentions: pa.Array | None, start: int) -> _Keys:
        if mentions is None or not len(mentions.flatten()):
            return _pairs(None, self.codes, start)
        parts = mentions.flatten()
        codes, texts = parts.field("code"), parts.field("text")
        rows = pc.list_parent_indices(mentions).to_numpy() + start
        numbers = self.codes.encode(codes)
        named = pa.table({"code": pa.array(numbers), "text": texts}).group_by(["code", "text"], use_threads=False)
        counts = named.aggregate([([], "count_all")]).to_pydict()
        for code, words, count in zip(counts["code"], counts["text"], counts["count_all"], strict=True):
            if code >= 0 and words:
                self.names[code, words] += count
        return _distinct(rows, numbers)

    def code_names(self) -> tuple[str, ...]:
        """For each code the words that it is mentioned by most often; of several, the first in alphabetical order."""
        best: dict[int, tuple[int, str]] = {}
        for (code, words), count in self.names.items():
            best[code] = min(best.get(code, (1, "")), (-count, words))
        return tuple(best.get(number, (0, ""))[1] for number in range(len(self.codes)))


def load_table(opened: Opened) -> Table:
    """Read the small columns of all shards. A shard that cannot be read is named in `damaged`."""
    loader = _Loader()
    parts: list[_Part] = []
    damaged: list[Damage] = []
    known = np.ones(opened.rows, bool)
    for config in ("articles", "excluded"):
        for shard in opened.shards(config):
            start = sum(len(part.ids) for part in parts)
            try:
                part = loader.part(read_table(opened, shard, _COLUMNS), start)
            except DamagedFile as error:
                damaged.append(error.damage)
                known[start : start + shard.rows] = False
                part = loader.empty(shard.rows)
            parts.append(part)
    times = _concat((part.times for part in parts), np.int64)
    ids = pa.chunked_array([part.ids for part in parts], pa.string())
    cluster = _concat((part.cluster for part in parts), np.int32)
    splits = [(group.shard.split, group.rows) for group in opened.groups]
    names = tuple(dict.fromkeys(split for split, _ in splits))
    split = np.repeat(np.array([names.index(split) for split, _ in splits], np.int32), [rows for _, rows in splits])
    days, hours = _local_days_and_hours(times, opened.zone_name)
    places = _places(times, ids)
    newest = np.argsort(-places[: opened.articles])
    return Table(
        articles=opened.articles,
        ids=ids,
        times=times,
        days=days,
        hours=hours,
        split=Coded(split, names),
        publisher=Coded(_concat((part.publisher for part in parts), np.int32), tuple(loader.publishers)),
        cluster=Coded(cluster, tuple(loader.clusters)),
        flash=_concat((part.flash for part in parts), np.bool_),
        chars=_concat((part.chars for part in parts), np.int32),
        issues=_joined((part.issues for part in parts), loader.issues),
        codes=_joined((part.codes for part in parts), loader.codes),
        code_names=loader.code_names(),
        cluster_sizes=np.bincount(cluster, minlength=len(loader.clusters)),
        places=places,
        newest=newest[known[newest]],
        known=known,
        damaged=tuple(damaged),
    )


def _column(table: pa.Table, name: str) -> Any:
    return table[name].combine_chunks() if name in table.column_names else None


def _filler(table: pa.Table, kind: pa.DataType, rows: int) -> Any:
    """A function that gives a column, or nulls where the table has none."""

    def column(name: str) -> pa.Array:
        found = _column(table, name)
        return pa.nulls(rows, kind) if found is None else found

    return column


def _blank_to_null(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def _pairs(lists: pa.Array | None, numbers: _Numbers, start: int) -> _Keys:
    """The pairs of a column of lists."""
    if lists is None:
        return np.empty(0, np.int64)
    return _distinct(pc.list_parent_indices(lists).to_numpy() + start, numbers.encode(lists.flatten()))


def _distinct(rows: NDArray[np.int64], codes: NDArray[np.int32]) -> _Keys:
    """Rows and codes as one number each, sorted, each once; without the code -1."""
    there = codes >= 0
    keys = np.sort((rows[there] << _CODE_BITS) | codes[there])
    return keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys


def _joined(parts: Iterator[_Keys], numbers: _Numbers) -> Pairs:
    """The pairs of all shards."""
    keys = _concat(parts, np.int64)
    codes = (keys & ((1 << _CODE_BITS) - 1)).astype(np.int32)
    return Pairs((keys >> _CODE_BITS).astype(np.int32), codes, tuple(numbers))


def _concat(arrays: Iterator[NDArray[Any]], kind: Any) -> NDArray[Any]:
    listed = list(arrays)
    return np.concatenate(listed).astype(kind, copy=False) if listed else np.empty(0, kind)


def _places(times: NDArray[np.int64], ids: pa.ChunkedArray) -> NDArray[np.int64]:
    order = pc.sort_indices(
        pa.table({"time": pa.array(times), "id": ids}), sort_keys=[("time", "ascending"), ("id", "ascending")]
    ).to_numpy()
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places


def _local_days_and_hours(times: NDArray[np.int64], zone: str) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    there = times != _NO_TIME
    local = pc.local_timestamp(pa.array(np.where(there, times, 0)).cast(pa.timestamp("ms", zone))).cast(pa.int64())
    days, rest = np.divmod(local.to_numpy(), _DAY_MS)
    hours = np.where(there, rest // _HOUR_MS, -1).astype(np.int8)
    return np.where(there, days, NO_DAY).astype(np.int32), hours
