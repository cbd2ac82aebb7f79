"""Which rows differ between two versions of a table.

The caller leaves out the shards that both versions have with the same bytes: their rows are equal. Rows of the others
are matched by key, and a few shards at a time are read to compare them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .manifest import Shard
from .reading import checked_values, open_shard

__all__ = ["KEYS", "Change", "ShardSet", "compare_rows"]

KEYS: Mapping[str, str] = {"articles": "article_id", "posts": "path", "rejects": "path"}
"""The configs that are compared row by row, and the column that names a row. Excluded rows count as articles."""

_DECIDING: Mapping[str, tuple[str, ...]] = {
    "articles": ("sources", "duplicate_cluster", "leak_group", "fold", "excluded_reason"),
    "posts": ("sha256", "article_id"),
}
"""Columns that decide all others, as long as tools, schema and the site's configuration are the same."""

_SHARDS_AT_ONCE = 2
"""Shards that are compared at the same time; their rows of both versions are in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row that differs.

    Attributes:
        config: "articles" (excluded rows included), "posts" or "rejects".
        key: article id, or path of the post.
        kind: "added", "changed", "removed" or "moved" (to another split, or a file that changed its path only).
        old, new: the split before and after, None where there is no row.
        columns: which columns changed; in the difference that a build gives, only where it had to read them.
        old_path: path of a moved file before.
    """

    config: str
    key: str
    kind: str
    old: str | None
    new: str | None
    columns: tuple[str, ...] = ()
    old_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSet:
    """Shards of one version and the folder of that version. Row numbers count through all shards, in their order."""

    folder: Path
    shards: Sequence[Shard]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """The rows of a shard set without their content: column types, and key and split of each row."""

    source: ShardSet
    types: Mapping[str, pa.DataType]
    keys: pa.Array
    splits: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pairs:
    """Rows of two versions, matched by key.

    Attributes:
        old, new: the rows of each version.
        old_rows, new_rows: row numbers with the same key: `old_rows[i]` and `new_rows[i]` are pair `i`, in the order
            of the new rows.
        removed, added: row numbers without a partner, of the old and of the new version.
    """

    old: _Rows
    new: _Rows
    old_rows: np.ndarray
    new_rows: np.ndarray
    removed: np.ndarray
    added: np.ndarray


def compare_rows(
    config: str, old: ShardSet, new: ShardSet, *, same_rules: bool, name_columns: bool
) -> tuple[list[Change], list[str]]:
    """Every row that differs, sorted by kind and key; and the columns that have another type.

    Args:
        config: a key of `KEYS`.
        old, new: the shards of each version, without those that both have.
        same_rules: whether both versions would make the same rows from the same files. Then other columns are read
            only where one of the deciding columns differs.
        name_columns: whether to name the columns of a row even if the deciding columns show already that it changed.

    Raises:
        VerifyError: a shard is missing or damaged.
    """
    pairs = _match(_read_keys(old, KEYS[config]), _read_keys(new, KEYS[config]))
    names = _shared_columns(pairs, KEYS[config])
    retyped = [name for name in names if _type(pairs.old, pairs.new, name) != _type(pairs.new, pairs.old, name)]
    deciding = [name for name in _DECIDING.get(config, ()) if name in names] if same_rules else []
    differing = _differing_columns(pairs, names, deciding, name_columns)
    changes = [*_changes_of_pairs(config, pairs, differing), *_changes_without_pair(config, pairs)]
    return sorted(changes, key=lambda change: (change.kind, change.key)), retyped


# ------------------------------------------------------------------------------------------------ matching


def _read_keys(source: ShardSet, key: str) -> _Rows:
    types: dict[str, pa.DataType] = {}
    keys = [pa.array([], pa.string())]
    for shard in source.shards:
        with open_shard(source.folder, shard, [key]) as file:
            types |= {field.name: field.type for field in file.schema_arrow if field.name not in types}
            keys += checked_values(file.read([key]), source.folder / shard.path)[key].chunks
    splits = np.array([shard.split for shard in source.shards], dtype=object)
    counts = [shard.rows for shard in source.shards]
    return _Rows(source=source, types=types, keys=pa.concat_arrays(keys), splits=np.repeat(splits, counts))


def _match(old: _Rows, new: _Rows) -> _Pairs:
    places = pc.index_in(new.keys, old.keys)  # of each new row: its number among the old ones, or null
    matched = places.is_valid().to_numpy(zero_copy_only=False)
    kept = pc.is_in(old.keys, new.keys).to_numpy(zero_copy_only=False)
    return _Pairs(
        old=old,
        new=new,
        old_rows=places.drop_null().to_numpy(),
        new_rows=np.flatnonzero(matched),
        removed=np.flatnonzero(~kept),
        added=np.flatnonzero(~matched),
    )


def _shared_columns(pairs: _Pairs, key: str) -> list[str]:
    """The columns to compare: those that both versions have.

    `excluded_reason` counts as shared if one of them has it: it changes when a row goes to `excluded` or comes back.
    """
    old, new = pairs.old.types, pairs.new.types
    shared = {*old} & {*new} | {"excluded_reason"}
    return [name for name in {**new, **old} if name != key and name in shared]


def _type(rows: _Rows, others: _Rows, name: str) -> pa.DataType:
    return rows.types.get(name, others.types.get(name))


# ------------------------------------------------------------------------------------------------ comparing


def _differing_columns(
    pairs: _Pairs, names: Sequence[str], deciding: Sequence[str], name_columns: bool
) -> dict[int, list[str]]:
    """Pair number -> columns that differ; an empty list means that the pair differs and its columns were not asked for.

    Args:
        pairs: the matched rows.
        names: the columns to compare.
        deciding: columns that are compared first; a pair that is equal in them is equal. If empty, every
            column of every pair is compared.
        name_columns: see `compare_rows`.
    """

    def of_shard(span: tuple[int, int]) -> list[tuple[str, np.ndarray]]:
        candidates = np.arange(*span)
        if deciding and len(candidates):
            unequal = [found for _, found in _unequal_pairs(pairs, candidates, deciding)]
            candidates = np.unique(np.concatenate(unequal))
            if not name_columns:
                return [("", candidates)]
        return list(_unequal_pairs(pairs, candidates, names)) if len(candidates) else []

    ends = np.cumsum([0, *(shard.rows for shard in pairs.new.source.shards)])
    spans = pairwise(np.searchsorted(pairs.new_rows, ends).tolist())  # the pairs of each shard of the new version
    differing: dict[int, list[str]] = {}
    with ThreadPoolExecutor(_SHARDS_AT_ONCE) as pool:
        for found in pool.map(of_shard, spans):
            for name, numbers in found:
                for number in numbers.tolist():
                    differing.setdefault(number, []).extend([name] if name else [])
    return differing


def _unequal_pairs(pairs: _Pairs, numbers: np.ndarray, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """For each column the numbers of the pairs that differ in it."""
    old = _take(pairs.old.source, pairs.old_rows[numbers], names)
    new = _take(pairs.new.source, pairs.new_rows[numbers], names)
    for name in names:
        yield name, numbers[_unequal(old[name].combine_chunks(), new[name].combine_chunks())]


def _unequal(a: pa.Array, b: pa.Array) -> np.ndarray:
    """For each row whether two columns differ there."""
    if a.equals(b):
        return np.zeros(len(a), dtype=bool)
    if a.type != b.type:  # a time in another zone may be the same instant: compare Python values
        return np.array([x != y for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True)], dtype=bool)
    unequal: np.ndarray = pc.not_equal(a.is_null(), b.is_null()).to_numpy(zero_copy_only=False).copy()
    if pa.types.is_struct(a.type):
        for x, y in zip(a.flatten(), b.flatten(), strict=True):
            unequal |= _unequal(x, y)
    elif pa.types.is_list(a.type):
        lengths = a.value_lengths().fill_null(0).to_numpy()
        unequal |= lengths != b.value_lengths().fill_null(0).to_numpy()
        same = pa.array(~unequal)
        row_of = np.repeat(np.flatnonzero(~unequal), lengths[~unequal])
        unequal[row_of[_unequal(a.filter(same).flatten(), b.filter(same).flatten())]] = True
    else:
        unequal |= pc.not_equal(a, b).fill_null(False).to_numpy(zero_copy_only=False)
    return unequal


# ------------------------------------------------------------------------------------------------- changes


def _changes_of_pairs(config: str, pairs: _Pairs, differing: Mapping[int, list[str]]) -> Iterator[Change]:
    old_splits, new_splits = pairs.old.splits[pairs.old_rows], pairs.new.splits[pairs.new_rows]
    moved = np.flatnonzero(old_splits != new_splits).tolist()
    for number in sorted({*moved, *differing}):
        old, new = old_splits[number], new_splits[number]
        yield Change(
            config=config,
            key=pairs.new.keys[pairs.new_rows[number]].as_py(),
            kind="moved" if old != new else "changed",
            old=old,
            new=new,
            columns=tuple(differing.get(number, ())),
        )


def _changes_without_pair(config: str, pairs: _Pairs) -> Iterator[Change]:
    """Rows that were added or removed; of posts, an added and a removed one with the same bytes are one moved file."""
    old_path_of = _moved_files(pairs) if config == "posts" else {}
    for row in pairs.added.tolist():
        key, split = pairs.new.keys[row].as_py(), pairs.new.splits[row]
        if key in old_path_of:
            yield Change(config=config, key=key, kind="moved", old=split, new=split, old_path=old_path_of[key])
        else:
            yield Change(config=config, key=key, kind="added", old=None, new=split)
    moved_away = set(old_path_of.values())
    for row in pairs.removed.tolist():
        key = pairs.old.keys[row].as_py()
        if key not in moved_away:
            yield Change(config=config, key=key, kind="removed", old=pairs.old.splits[row], new=None)


def _moved_files(pairs: _Pairs) -> dict[str, str]:
    """New path -> old path of posts that have the same bytes under another path; the first paths are matched first."""
    if not len(pairs.removed) or not len(pairs.added):
        return {}
    removed = _take(pairs.old.source, pairs.removed, ["sha256", "path"]).to_pylist()
    added = _take(pairs.new.source, pairs.added, ["sha256", "path"]).to_pylist()
    old_paths: dict[str, list[str]] = {}
    for row in sorted(removed, key=lambda row: row["path"], reverse=True):
        old_paths.setdefault(row["sha256"], []).append(row["path"])
    moved = {}
    for row in sorted(added, key=lambda row: row["path"]):
        if old_paths.get(row["sha256"]):
            moved[row["path"]] = old_paths[row["sha256"]].pop()
    return moved


# ------------------------------------------------------------------------------------------- reading shards


def _take(source: ShardSet, rows: np.ndarray, names: Sequence[str]) -> pa.Table:
    """The given rows, in the given order; a column that a shard lacks is null there."""
    ends = np.cumsum([shard.rows for shard in source.shards])
    order = np.argsort(rows, kind="stable")
    wanted = rows[order]
    tables = []
    for number in np.unique(np.searchsorted(ends, wanted, side="right")).tolist():
        shard = source.shards[number]
        begin = int(ends[number]) - shard.rows
        with open_shard(source.folder, shard, []) as file:
            for group in range(file.num_row_groups):
                end = begin + file.metadata.row_group(group).num_rows
                inside = wanted[slice(*np.searchsorted(wanted, [begin, end]))] - begin
                if len(inside):
                    tables.append(_take_from_group(file, group, inside, names))
                begin = end
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows))
    return pa.concat_tables(tables).take(pa.array(place))


def _take_from_group(file: pq.ParquetFile, group: int, rows: np.ndarray, names: Sequence[str]) -> pa.Table:
    present = [name for name in names if name in file.schema_arrow.names]
    table = file.read_row_group(group, columns=present).take(pa.array(rows))
    for name in names:
        if name not in present:  # `excluded_reason` in a shard of articles
            table = table.append_column(name, pa.nulls(len(rows), pa.string()))
    return table.replace_schema_metadata(None).select(names)
