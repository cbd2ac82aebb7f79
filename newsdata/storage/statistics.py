"""`Manifest.statistics`: the figures that the pictures of the card are drawn from, counted from the rows of a version.

They are about the config `articles`. The publisher of an article is `media`, or else `source`. Versions without text name no
publisher and no category.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import NO_DATE
from ..curation.splits import local_days
from ..schema import SPLITS
from .class_balance import ClassCounts, balance_faults, class_balance
from .manifest import Manifest, Shard, holds_text, shards_of
from .reading import checked_values, open_shard

__all__ = [
    "LENGTHS",
    "Counts",
    "add_counts",
    "choose_sample",
    "count_rows",
    "count_statistics",
    "sampled_shards",
    "statistics_faults",
    "sum_statistics",
]

LENGTHS = (0, 1, 50, 100, 200, 400, 800, 1600, 3200, 6400)
"""The smallest number of characters of each bin of lengths; the last bin has no end."""

_MOST_DAYS = 1000  # with articles; beyond that, months are counted
_NAMED = 12  # publishers
_NAME_CUT = 100  # characters of the name of a publisher or category
_CELL_CUT = 200  # characters of a value of the sample
_COUNTED_AT_ONCE = 20_000  # articles, or the next shard more
_SAMPLED = 500  # articles from which the sample is chosen
_SAMPLED_SHARDS = 20  # at most
_SAMPLE_CHARS = 300  # the sample's text has at most so many characters, if any article has
_COLUMNS = ("published_at", "num_chars", "duplicate_cluster")
_NAMES = ("media", "source", "category")


def count_statistics(folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    """The statistics of a version, in the form of `Manifest.statistics`; None if it has no articles.

    Args:
        folder: of the version, with its shards.
        manifest: of the version; its own statistics are not used.

    Raises:
        VerifyError: a shard is missing or damaged.
    """
    if not shards_of(manifest, "articles"):
        return None
    named = holds_text(manifest)
    return _told(_count(folder, manifest, LENGTHS), named) | {"sample": choose_sample(folder, manifest)}


def sum_statistics(
    parts: Iterable[tuple[str, Counts]], has_copies: np.ndarray, splits: np.ndarray, *, named: bool
) -> dict[str, Any] | None:
    """The same without the sample, from the counts of all shards; None if there are no articles.

    Args:
        parts: split and counts of each shard, or of several.
        has_copies: for each article, excluded ones included, whether its cluster has another one.
        splits: the number of its split in `SPLITS`, int8; any other number for excluded ones.
        named: whether publishers and categories may be named.
    """
    by_split: dict[str, list[Counts]] = {}
    for split, counts in parts:
        by_split.setdefault(split, []).append(counts)
    if not by_split:
        return None
    ordered = {split: add_counts(by_split[split]) for split in SPLITS if split in by_split}
    counts = np.bincount(splits[has_copies.astype(bool)], minlength=len(SPLITS)).tolist()
    copies = {split: counts[SPLITS.index(split)] for split in ordered}
    return _told(_Counted(by_split=ordered, copies=copies), named)


def _told(counted: _Counted, named: bool) -> dict[str, Any]:
    """Counts in the form of `Manifest.statistics`, without the sample."""
    days = {day for counts in counted.by_split.values() for day in counts["days"]}
    unit = "day" if len(days) <= _MOST_DAYS else "month"
    return {
        "unit": unit,
        "articles": {split: _by_unit(counts["days"], unit) for split, counts in counted.by_split.items()},
        "lengths": {
            "from": list(LENGTHS),
            "articles": {split: counts["lengths"] for split, counts in counted.by_split.items()},
        },
        **({"publishers": _publishers(counted.publishers), "classes": _classes(counted)} if named else {}),
        "near_copies": dict(counted.copies),
    }


def statistics_faults(folder: Path, manifest: Manifest) -> Iterator[str]:
    """What the statistics of a manifest say about the rows of the version that is not so, one sentence each.

    They are compared as they are: with their own unit, bins and names of publishers.

    Raises:
        VerifyError: a shard is missing or damaged.
    """
    said = manifest.statistics
    if said is None:
        return
    counted = _count(folder, manifest, said["lengths"]["from"])
    days = {split: _by_unit(counts["days"], said["unit"]) for split, counts in counted.by_split.items()}
    lengths = {split: counts["lengths"] for split, counts in counted.by_split.items()}
    for name, here, found in (
        ("articles", said["articles"], days),
        ("lengths", said["lengths"]["articles"], lengths),
        ("near_copies", said["near_copies"], counted.copies),
    ):
        for split in sorted(here.keys() | found.keys()):
            if here.get(split) != found.get(split):
                yield f"statistics.{name}: {split} is not what its rows give"
    if names := said.get("publishers"):
        every = counted.publishers
        top = {entry["name"]: entry["articles"] for entry in names["top"]}
        rest = sum(every.values()) - sum(top.values()) - names["none"]
        wrong = [name for name, count in top.items() if every.get(name, 0) != count]
        if wrong or (names["none"], names["others"]) != (every.get(None, 0), rest):
            yield "statistics.publishers: the numbers are not what the rows give"
    for name, balance in said.get("classes", {}).items():
        if wrong := [*balance_faults(balance, counted.classes.get(name, {}))]:
            yield f"statistics.classes: {', '.join(wrong)} of {name} are not what the rows give"


# ------------------------------------------------------------------------------------------------------ counting


class Counts(TypedDict):
    """What some rows of `articles` give; a task of a build keeps it as JSON.

    Attributes:
        days: day (YYYY-MM-DD) in the site's time zone -> articles, in the order of the days.
        lengths: articles in each bin of lengths.
        publishers: name and articles, by name; None, the last, stands for articles without a publisher.
        categories: the same of categories.
    """

    days: dict[str, int]
    lengths: list[int]
    publishers: list[tuple[str | None, int]]
    categories: list[tuple[str | None, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """What the rows of a version give.

    Attributes:
        by_split: split -> counts of its rows, in the order of the splits.
        copies: split -> articles that have a near-copy anywhere in the version, excluded articles included.
    """

    by_split: Mapping[str, Counts]
    copies: Mapping[str, int]

    @property
    def publishers(self) -> dict[str | None, int]:
        """Name -> articles of all splits, the most frequent first; None stands for articles without a publisher."""
        every = add_counts(self.by_split.values())["publishers"]
        return dict(sorted(every, key=lambda pair: -pair[1]))

    @property
    def classes(self) -> dict[str, dict[str, ClassCounts]]:
        """ "publisher" and "category" -> split -> classes and their articles."""
        return {
            "publisher": {split: counts["publishers"] for split, counts in self.by_split.items()},
            "category": {split: counts["categories"] for split, counts in self.by_split.items()},
        }


def count_rows(table: pa.Table, timezone: str, bins: Sequence[int] = LENGTHS) -> Counts:
    """Count rows of `articles`.

    Args:
        table: the rows; the columns `media`, `source` and `category` may be missing.
        timezone: the site's, an IANA name.
        bins: the smallest number of characters of each bin of lengths.
    """
    return {
        "days": _days(table, timezone),
        "lengths": _in_bins(table, bins).tolist(),
        "publishers": _name_counts(table, "media", "source"),
        "categories": _name_counts(table, "category"),
    }


def add_counts(parts: Iterable[Counts]) -> Counts:
    """The sum of some counts, of at least one.

    >>> one: Counts = {"days": {"2022-03-01": 1}, "lengths": [0, 1], "publishers": [("a", 1)], "categories": []}
    >>> add_counts([one, one])
    {'days': {'2022-03-01': 2}, 'lengths': [0, 2], 'publishers': [('a', 2)], 'categories': []}
    """
    some = [*parts]
    days: Counter[str] = Counter()
    for part in some:
        days.update(part["days"])
    return {
        "days": dict(sorted(days.items())),
        "lengths": [sum(counts) for counts in zip(*(part["lengths"] for part in some), strict=True)],
        "publishers": _sum_names(part["publishers"] for part in some),
        "categories": _sum_names(part["categories"] for part in some),
    }


def _sum_names(parts: Iterable[ClassCounts]) -> list[tuple[str | None, int]]:
    names: Counter[str | None] = Counter()
    for part in parts:
        names.update(dict(part))
    return sorted(names.items(), key=lambda pair: (pair[0] is None, pair[0] or ""))


def _count(folder: Path, manifest: Manifest, bins: Sequence[int]) -> _Counted:
    timezone = str(manifest.configuration["timezone"])
    named = holds_text(manifest)
    columns = [*_COLUMNS, *(_NAMES if named else ())]
    by_split: dict[str, list[Counts]] = {}
    clusters: dict[str, list[pa.Array]] = {}
    for split in SPLITS:
        for table in _tables(folder, shards_of(manifest, "articles", split), columns):
            by_split.setdefault(split, []).append(count_rows(table, timezone, bins))
            clusters.setdefault(split, []).extend(table["duplicate_cluster"].chunks)
    aside = _tables(folder, shards_of(manifest, "excluded"), ["duplicate_cluster"])
    others = [chunk for table in aside for chunk in table["duplicate_cluster"].chunks]
    return _Counted(
        by_split={split: add_counts(parts) for split, parts in by_split.items()}, copies=_copies(clusters, others)
    )


def _tables(folder: Path, shards: Sequence[Shard], columns: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of some shards, of many small ones in one table."""
    some: list[pa.Table] = []
    waiting = 0
    for shard in shards:
        with open_shard(folder, shard, columns) as file:
            # Threads cost more than they save for a few small columns.
            rows = checked_values(file.read(list(columns), use_threads=False), folder / shard.path)
        some.append(rows)
        waiting += rows.num_rows
        if waiting >= _COUNTED_AT_ONCE:
            yield pa.concat_tables(some)
            some, waiting = [], 0
    if some:
        yield pa.concat_tables(some)


def _days(table: pa.Table, timezone: str) -> dict[str, int]:
    """Day -> articles."""
    times = table["published_at"].cast(pa.int64()).fill_null(NO_DATE).to_numpy()
    days, counts = np.unique(local_days(times[times != NO_DATE], timezone), return_counts=True)
    return {str(day): count for day, count in zip(days, counts.tolist(), strict=True)}


def _in_bins(table: pa.Table, bins: Sequence[int]) -> np.ndarray:
    places = np.searchsorted(bins, table["num_chars"].fill_null(0).to_numpy(), side="right") - 1
    return np.bincount(np.maximum(places, 0), minlength=len(bins))


def _name_counts(table: pa.Table, *columns: str) -> list[tuple[str | None, int]]:
    """The names in the first of these columns that has one, and their numbers of articles; none without the columns."""
    if not {*columns} <= {*table.column_names}:
        return []
    names = pc.coalesce(*(pc.if_else(pc.equal(table[name], ""), None, table[name]) for name in columns))
    counts = pc.value_counts(pc.utf8_slice_codeunits(names, 0, _NAME_CUT))
    return [*zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)]


def _copies(clusters: Mapping[str, Sequence[pa.Array]], others: Sequence[pa.Array]) -> dict[str, int]:
    """Split -> articles whose cluster has another article."""
    every = pa.chunked_array([chunk for chunks in clusters.values() for chunk in chunks] + [*others], pa.string())
    counts = pc.value_counts(every)
    several = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    return {
        split: int(pc.sum(pc.is_in(pa.chunked_array(chunks, pa.string()), value_set=several)).as_py() or 0)
        for split, chunks in clusters.items()
    }


# ------------------------------------------------------------------------------------------------ what is written


def _by_unit(days: Mapping[str, int], unit: str) -> dict[str, int]:
    """Day -> articles, as it is or added up by month (YYYY-MM)."""
    if unit == "day":
        return dict(days)
    months: Counter[str] = Counter()
    for day, count in days.items():
        months[day[:7]] += count
    return dict(sorted(months.items()))


def _classes(counted: _Counted) -> dict[str, Any]:
    balances = {name: class_balance(by_split) for name, by_split in counted.classes.items()}
    return {name: balance for name, balance in balances.items() if balance}


def _publishers(counts: Mapping[str | None, int]) -> dict[str, Any]:
    named = [(name, count) for name, count in counts.items() if name is not None]
    return {
        "names": len(named),
        "top": [{"name": name, "articles": count} for name, count in named[:_NAMED]],
        "others": sum(count for _, count in named[_NAMED:]),
        "none": counts.get(None, 0),
    }


# ---------------------------------------------------------------------------------------------------- the sample


def choose_sample(folder: Path, manifest: Manifest) -> dict[str, str]:
    """One article to look at, of a version that has some: column -> value as text, without columns that have no value.

    It is a short one with much in it, among the first ones of the first split, so that a day's new posts leave it as it is.
    """
    table = _first_rows(folder, manifest)
    filled = sum(
        _has_value(table[name]) * weight
        for name, weight in (("title", 1), ("digest", 1), ("media", 1), ("mentions", 2), ("issues", -1))
    )
    chars = table["num_chars"].fill_null(0).to_numpy()
    short = (chars > 0) & (chars <= _SAMPLE_CHARS)
    row = int(np.lexsort((-np.asarray(filled), ~short))[0])
    values = table.slice(row, 1).to_pylist()[0]
    if not holds_text(manifest):
        del values["category"]  # it may be the publisher's name in Latin letters
    return {name: _cell(value) for name, value in values.items() if value not in (None, "", [])}


def sampled_shards(manifest: Manifest) -> list[Shard]:
    """The shards that `choose_sample` may open: the first ones of the first split; none if there are no articles."""
    shards: Iterator[list[Shard]] = (shards_of(manifest, "articles", split) for split in SPLITS)
    return next((found for found in shards if found), [])[:_SAMPLED_SHARDS]


def _first_rows(folder: Path, manifest: Manifest) -> pa.Table:
    """The first `_SAMPLED` articles of the first split, or a few more; fewer if its shards are small."""
    tables: list[pa.Table] = []
    for shard in sampled_shards(manifest):
        with open_shard(folder, shard) as file:
            tables.append(
                checked_values(file.read_row_group(0, use_threads=False).slice(0, _SAMPLED), folder / shard.path)
            )
        if sum(table.num_rows for table in tables) >= _SAMPLED:
            break
    return pa.concat_tables(tables)


def _has_value(column: pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    size = pc.list_value_length(column) if pa.types.is_list(kind) else pc.binary_length(column)
    values: np.ndarray = (size.fill_null(0).to_numpy() > 0).astype(np.int8)
    return values


def _cell(value: object) -> str:
    """A value of a row as text of at most `_CELL_CUT` characters; of a list the first entry."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        more = f" and {len(value) - 1:,} more" if len(value) > 1 else ""
        return f"{_cut(_shown(value[0]), _CELL_CUT - len(more))}{more}"
    return _cut(_shown(value), _CELL_CUT)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
