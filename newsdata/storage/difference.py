"""What differs between two versions, and the version number that the difference asks for.

MAJOR: rows of train, validation or test changed or removed, a column changed or removed, new borders, a new way of
finding duplicates. MINOR: rows or columns added, rows of any other split revised. PATCH: the same rows, other files.
A post whose file only moved is the same post.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import VerifyError
from ..schema import CONFIGS, columns
from .manifest import Manifest, Shard, parse_version, shards_of

__all__ = ["Change", "Difference", "bump", "compare", "next_version"]

_AT_ONCE = 2
"""Shards that are looked at at once; the rows of both are in memory."""
_FROZEN = ("train", "validation", "test")
_KEYS = {"articles": "article_id", "posts": "path", "rejects": "path"}
_MADE_FROM = {
    "articles": ("sources", "duplicate_cluster", "leak_group", "fold", "excluded_reason"),
    "posts": ("sha256", "article_id"),
}
"""What a row follows from, where tools, schema and the site's configuration are the same."""
_FIXED = ("validation_from", "test_from", "test_until", "gap_days", "split_scheme", "dedup_version", "timezone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row that differs.

    Attributes:
        config: "articles" (excluded rows among them), "posts" or "rejects".
        key: article id, or path of the post.
        kind: "added", "changed", "removed" or "moved" (to another split, or a file that only changed its place).
        old, new: the split before and after, None where there is no row.
        columns: which columns changed; where a build tells of it, only if it had to look at them.
        old_path: where a moved file was before.
    """

    config: str
    key: str
    kind: str
    old: str | None
    new: str | None
    columns: tuple[str, ...] = ()
    old_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything that differs between two versions.

    Attributes:
        old, new: the versions.
        bump: "major", "minor", "patch", or None where nothing differs.
        reasons: why that bump, in words.
        changes: every row that differs.
        columns_added, columns_removed, columns_changed: `config.column`.
        configuration: settings that differ: name -> (old, new).
        files: other files of the version that differ, by path.
    """

    old: str
    new: str
    bump: str | None
    reasons: tuple[str, ...]
    changes: tuple[Change, ...]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_changed: tuple[str, ...] = ()
    configuration: Mapping[str, tuple[Any, Any]]
    files: tuple[str, ...] = ()

    def counts(self) -> dict[str, dict[str, int]]:
        """For each config the number of rows by kind of change."""
        found: dict[str, dict[str, int]] = {}
        for change in self.changes:
            of_config = found.setdefault(change.config, {})
            of_config[change.kind] = of_config.get(change.kind, 0) + 1
        return found


def compare(
    old_folder: Path, old: Manifest, new_folder: Path, new: Manifest, *, name_columns: bool = True
) -> Difference:
    """Compare two versions row by row; shards whose bytes are equal are not opened.

    Where the same tools made both with the same configuration, rows are opened only where the files that they were
    made from, or what curation decided, differ: all else follows from those.

    Args:
        old_folder, new_folder: where the shards lie.
        old, new: the manifests.
        name_columns: whether to find out which columns of a row changed where it is clear that some did: a build does
            not ask, because it would have to read all their words.
    """
    changes: list[Change] = []
    added_columns: list[str] = []
    removed_columns: list[str] = []
    changed_columns: list[str] = []
    for config in CONFIGS:
        before, after = _columns(old, config), _columns(new, config)
        added_columns += [f"{config}.{c}" for c in after if before and c not in before]
        removed_columns += [f"{config}.{c}" for c in before if after and c not in after]
    derived = (
        old.tools == new.tools
        and old.schema_version == new.schema_version
        and old.configuration.get("site") == new.configuration.get("site")
        and bool(old.full) == bool(new.full)
    )
    for config in _KEYS:
        configs = ("articles", "excluded") if config == "articles" else (config,)
        same = {s.sha256 for s in old.shards} & {s.sha256 for s in new.shards}
        ours = [s for s in old.shards if s.config in configs and not _stays(s, new, same)]
        theirs = [s for s in new.shards if s.config in configs and not _stays(s, old, same)]
        changes += _compare_rows(config, old_folder, ours, new_folder, theirs, changed_columns, derived, name_columns)
    settings = {
        name: (old.configuration.get(name), new.configuration.get(name))
        for name in sorted(old.configuration.keys() | new.configuration.keys())
        if old.configuration.get(name) != new.configuration.get(name)
    }
    tools = {
        f"tools.{name}": (old.tools.get(name), new.tools.get(name))
        for name in sorted(old.tools.keys() | new.tools.keys())
        if old.tools.get(name) != new.tools.get(name)
    }
    old_files = {f.path: f.sha256 for f in old.files} if new.files else {}  # a draft has none yet
    new_files = {f.path: f.sha256 for f in new.files}
    files = tuple(p for p in sorted(old_files.keys() | new_files.keys()) if old_files.get(p) != new_files.get(p))
    level, reasons = bump(changes, added_columns, removed_columns, changed_columns, settings)
    words = _rewritten(old, new)
    if words:
        level = "major" if level == "major" or set(words) & set(_FROZEN) else "minor"
        reasons += tuple(f"the words of {n} shards of {split} changed" for split, n in words.items())
    if past := _revised(old, new):
        level, reasons = "major" if "major" in (level, past[0]) else "minor", (*reasons, past[1])
    if level is None and (files or tools or settings or old.source != new.source or _compared(old) != _compared(new)):
        level, reasons = "patch", ("the same rows, other files",)
    return Difference(
        old=old.dataset_version,
        new=new.dataset_version,
        bump=level,
        reasons=reasons,
        changes=tuple(changes),
        columns_added=tuple(added_columns),
        columns_removed=tuple(removed_columns),
        columns_changed=tuple(dict.fromkeys(changed_columns)),
        configuration={**settings, **tools},
        files=files,
    )


def _compared(manifest: Manifest) -> list[Shard]:
    """The shards that make a difference: where a source is the same, it is no matter which commit named it."""
    return [shard for shard in manifest.shards if shard.config != "origins"]


def _revised(old: Manifest, new: Manifest) -> tuple[str, str] | None:
    """What happened to the config `revisions`, a level and words; None where nothing did.

    Rows are only ever added at its end. Where others are gone, what was known at a time is not what it was.
    """
    before, after = (shards_of(manifest, "revisions") for manifest in (old, new))
    if [s.digest for s in before] == [s.digest for s in after]:
        return None
    more = sum(shard.rows for shard in after) - sum(shard.rows for shard in before)
    there = {shard.path: shard for shard in after}
    full = all(shard.path in there and there[shard.path].digest == shard.digest for shard in before[:-1])
    grown = all(shard.path in there and there[shard.path].rows >= shard.rows for shard in before[-1:])
    if full and grown and more > 0:
        return "minor", f"{more} rows added to revisions"
    return "major", "rows of revisions changed" if more >= 0 else f"{-more} rows of revisions removed"


def _rewritten(old: Manifest, new: Manifest) -> dict[str, int]:
    """Of two text-free versions, by split the shards that differ in the words alone, which only the hashes can tell."""
    ours, theirs = ({s.path: s.digest for s in m.shards} for m in (old, new))
    before, after = ({s.path: s.digest for s in m.full} for m in (old, new))
    split = {s.path: s.split for s in new.shards}
    both = before.keys() & after.keys() & ours.keys() & split.keys()
    paths = [path for path in both if ours[path] == theirs[path] and before[path] != after[path]]
    return dict(sorted(Counter(split[path] for path in paths).items()))


def bump(
    changes: Sequence[Change],
    columns_added: Sequence[str],
    columns_removed: Sequence[str],
    columns_changed: Sequence[str],
    configuration: Mapping[str, tuple[Any, Any]],
) -> tuple[str | None, tuple[str, ...]]:
    """The level that a difference asks for, and why.

    >>> bump([Change(config="articles", key="1", kind="added", old=None, new="newer")], [], [], [], {})
    ('minor', ('1 rows added to newer',))
    """
    major: dict[str, int] = {}
    minor: dict[str, int] = {}
    patch: dict[str, int] = {}
    for change in changes:
        if change.config == "articles":
            frozen = change.kind != "added" and change.old in _FROZEN
            words = f"rows added to {change.new}" if change.kind == "added" else f"rows of {change.old} {change.kind}"
            if change.kind == "moved":
                words = f"rows moved from {change.old} to {change.new}"
            level = major if frozen else minor
        elif change.kind == "moved":
            words, level = "files moved", patch
        else:
            words, level = f"rows of {change.config} {change.kind}", minor
        level[words] = level.get(words, 0) + 1
    reasons = {
        "major": [f"{n} {words}" for words, n in sorted(major.items())]
        + [f"column {c} removed" for c in columns_removed]
        + [f"column {c} has another type" for c in columns_changed]
        + [f"{name} is {new}, was {old}" for name, (old, new) in configuration.items() if name in _FIXED],
        "minor": [f"{n} {words}" for words, n in sorted(minor.items())] + [f"column {c} added" for c in columns_added],
        "patch": [f"{n} {words}" for words, n in sorted(patch.items())],
    }
    for level_name in ("major", "minor", "patch"):
        if reasons[level_name]:
            return level_name, tuple(r for name in ("major", "minor", "patch") for r in reasons[name])
    return None, ()


def next_version(old: str, level: str) -> str:
    """The version after `old` for a bump of that level.

    >>> next_version("1.4.2", "minor")
    '1.5.0'
    """
    major, minor, patch = parse_version(old)
    return {"major": f"{major + 1}.0.0", "minor": f"{major}.{minor + 1}.0", "patch": f"{major}.{minor}.{patch + 1}"}[
        level
    ]


def _columns(manifest: Manifest, config: str) -> list[str]:
    return list(manifest.columns.get(config, {})) or (list(columns(config)) if not manifest.columns else [])


def _stays(shard: Shard, other: Manifest, same: set[str]) -> bool:
    return shard.sha256 in same and any(
        s.sha256 == shard.sha256 and (s.config, s.split) == (shard.config, shard.split) for s in other.shards
    )


def _compare_rows(
    config: str,
    old_folder: Path,
    old: Sequence[Shard],
    new_folder: Path,
    new: Sequence[Shard],
    changed_columns: list[str],
    derived: bool,
    name_columns: bool,
) -> list[Change]:
    """Rows of the given shards that differ; the rows of a few shards are in memory at a time.

    Args:
        derived: whether both versions make the same rows of the same files. Then a row is opened only where its
            `_MADE_FROM` differs, if at all.
        name_columns: see `compare`.
    """
    key, made_from = _KEYS[config], _MADE_FROM.get(config, ())
    ours, theirs = _fields(old_folder, old), _fields(new_folder, new)
    both = set(ours) & set(theirs) | {"excluded_reason"}  # a row that is set aside, or comes back, changes that one
    names = [n for n in dict.fromkeys([*theirs, *ours]) if n != key and n in both]
    types = {n: (ours.get(n, theirs.get(n)), theirs.get(n, ours.get(n))) for n in names}
    changed_columns += [f"{config}.{n}" for n, (a, b) in types.items() if a != b]

    old_keys, new_keys = _keys(old_folder, old, key), _keys(new_folder, new, key)
    old_split, new_split = _splits(old), _splits(new)
    at = pc.index_in(new_keys, old_keys)  # for each new row its place among the old ones
    found = at.is_valid().to_numpy(zero_copy_only=False)
    common = np.flatnonzero(found)
    old_rows = at.drop_null().to_numpy()
    differing: dict[int, list[str]] = {}

    def look(rows: np.ndarray, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        """For each column which of the common `rows` differ in it."""
        a = _gather(old_folder, old, old_rows[rows], names)
        b = _gather(new_folder, new, common[rows], names)
        for name in names:
            yield name, rows[_unequal(a[name].combine_chunks(), b[name].combine_chunks())]

    def look_at_shard(span: tuple[int, int]) -> list[tuple[str, np.ndarray]]:
        rows = np.arange(*span)
        if derived and made_from and len(rows):
            rows = np.unique(np.concatenate([r for _, r in look(rows, [n for n in made_from if n in both])]))
            if not name_columns:
                return [("", rows)]
        return list(look(rows, names)) if len(rows) else []

    ends = np.cumsum([0, *(shard.rows for shard in new)])
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found_there in pool.map(look_at_shard, pairwise(np.searchsorted(common, ends).tolist())):
            for name, unequal in found_there:
                for row in unequal.tolist():
                    differing.setdefault(row, []).extend([name] if name else [])

    changes = []
    moved_rows = np.flatnonzero(old_split[old_rows] != new_split[common]).tolist()
    for row in sorted({*moved_rows, *differing}):
        was, is_ = old_split[old_rows[row]], new_split[common[row]]
        changes.append(
            Change(
                config=config,
                key=new_keys[common[row]].as_py(),
                kind="moved" if was != is_ else "changed",
                old=was,
                new=is_,
                columns=tuple(differing.get(row, ())),
            )
        )
    added = np.flatnonzero(~found)
    gone = np.flatnonzero(~pc.is_in(old_keys, new_keys).to_numpy(zero_copy_only=False))
    moved = _moved_files(config, old_folder, old, gone, new_folder, new, added)
    for place in added.tolist():
        name = new_keys[place].as_py()
        kind, origin = ("moved", moved[name]) if name in moved else ("added", None)
        split = old_split[0] if origin and len(old_split) else None
        changes.append(Change(config=config, key=name, kind=kind, old=split, new=new_split[place], old_path=origin))
    left = set(moved.values())
    for place in gone.tolist():
        name = old_keys[place].as_py()
        if name not in left:
            changes.append(Change(config=config, key=name, kind="removed", old=old_split[place], new=None))
    return sorted(changes, key=lambda c: (c.kind, c.key))


def _unequal(a: pa.Array, b: pa.Array) -> np.ndarray:
    """For each row whether two columns differ there."""
    if a.equals(b):
        return np.zeros(len(a), dtype=bool)
    if a.type != b.type:  # in another zone an instant is still the same
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


def _moved_files(
    config: str,
    old_folder: Path,
    old: Sequence[Shard],
    gone: np.ndarray,
    new_folder: Path,
    new: Sequence[Shard],
    added: np.ndarray,
) -> dict[str, str]:
    """New path -> old path of posts that are the same file at another place."""
    if config != "posts" or not len(gone) or not len(added):
        return {}
    before = _gather(old_folder, old, gone, ["sha256", "path"]).to_pylist()
    after = _gather(new_folder, new, added, ["sha256", "path"]).to_pylist()
    places: dict[str, list[str]] = {}
    for row in sorted(before, key=lambda r: r["path"], reverse=True):
        places.setdefault(row["sha256"], []).append(row["path"])
    moved = {}
    for row in sorted(after, key=lambda r: r["path"]):
        if places.get(row["sha256"]):
            moved[row["path"]] = places[row["sha256"]].pop()
    return moved


# ------------------------------------------------------------------------------------------------ reading shards


@contextmanager
def _opened(file: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(file) as opened:
            yield opened
    except (pa.ArrowException, FileNotFoundError):
        raise VerifyError(
            "is missing or damaged, so the versions cannot be compared; `newsdata verify` lists what is wrong",
            path=file,
        ) from None


def _fields(folder: Path, shards: Sequence[Shard]) -> dict[str, pa.DataType]:
    """The columns that some shard has, in order, and their types."""
    fields: dict[str, pa.DataType] = {}
    for shard in shards:
        with _opened(folder / shard.path) as file:
            fields |= {f.name: f.type for f in file.schema_arrow if f.name not in fields}
    return fields


def _keys(folder: Path, shards: Sequence[Shard], key: str) -> pa.Array:
    columns_ = [pa.array([], pa.string())]
    for shard in shards:
        with _opened(folder / shard.path) as file:
            columns_ += file.read([key])[key].chunks
    return pa.concat_arrays(columns_)


def _gather(folder: Path, shards: Sequence[Shard], rows: np.ndarray, names: Sequence[str]) -> pa.Table:
    """The given rows of all shards taken together, in that order; a column that a shard lacks is null there."""
    ends = np.cumsum([shard.rows for shard in shards])
    order = np.argsort(rows, kind="stable")
    wanted = rows[order]
    tables = []
    for number in np.unique(np.searchsorted(ends, wanted, side="right")).tolist():
        begin = int(ends[number]) - shards[number].rows
        with _opened(folder / shards[number].path) as file:
            columns_there = file.schema_arrow.names
            there = [n for n in names if n in columns_there]
            for group in range(file.num_row_groups):
                end = begin + file.metadata.row_group(group).num_rows
                here = wanted[slice(*np.searchsorted(wanted, [begin, end]))] - begin
                if len(here):
                    table = file.read_row_group(group, columns=there).take(pa.array(here))
                    for name in names:
                        if name not in there:  # `excluded_reason` in a shard of articles
                            table = table.append_column(name, pa.nulls(len(here), pa.string()))
                    tables.append(table.replace_schema_metadata(None).select(names))
                begin = end
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows))
    return pa.concat_tables(tables).take(pa.array(place))


def _splits(shards: Sequence[Shard]) -> np.ndarray:
    return np.repeat(np.array([shard.split for shard in shards], dtype=object), [shard.rows for shard in shards])
