"""Read the files of a version, which somebody else may have made.

Everything here checks first that a file is a regular one inside the version's folder, and that a shard has the columns and the
number of rows that it should have. Whatever Arrow says about damaged data is told as one error of ours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import ManifestError, VerifyError, first_line
from ..files import is_inside, is_regular, read_regular
from ..schema import CONFIGS, KNOWN_SCHEMAS, table_schema
from .manifest import MANIFEST_NAME, Manifest, Shard, is_version, read_manifest

__all__ = [
    "checked_values",
    "damage_is_told",
    "find_rows",
    "open_shard",
    "read_rows",
    "read_shard_of",
    "read_text_file",
    "read_version",
    "why_unusable",
    "wrong_name",
]

_LARGEST_TEXT = 1 << 26  # bytes of a README.md or another text
_KEYS = frozenset({"article_id", "path", "duplicate_cluster", "leak_group", "excluded_reason", "rule"})
_REMEDY = "fetch or build this version again; `newsdata verify` lists everything that is wrong"


def wrong_name(folder: Path, manifest: Manifest) -> str | None:
    """What is wrong with the name of a version's folder; None if it is that of the version, or not of the form X.Y.Z.

    Whoever opens versions by number, and every build, goes by the names of folders.
    """
    name = folder.absolute().name
    if name == manifest.dataset_version or not is_version(name):
        return None
    return f"this is the manifest of {manifest.dataset_version}, and the folder is named {name}"


def read_version(folder: Path) -> Manifest:
    """The manifest of a version, after its number was compared with the name of the folder.

    Raises:
        ManifestError, VersionError: as for `read_manifest`, or the folder has the name of another version.
    """
    manifest = read_manifest(folder)
    if reason := wrong_name(folder, manifest):
        hint = f"rename the folder to {manifest.dataset_version}, or remove it if there is one of that name"
        raise ManifestError(reason, path=folder / MANIFEST_NAME, hint=hint)
    return manifest


def why_unusable(folder: Path, name: str) -> str | None:
    """Why a file of a version must not be opened; None if it may.

    Args:
        folder: of the version.
        name: path of the file in it, as the manifest has it.

    >>> why_unusable(Path("newsdata"), "errors.py") is None, why_unusable(Path("newsdata"), "nothing.py")
    (True, 'is missing')
    """
    path = folder / name
    try:
        path.lstat()
    except OSError:
        return "is missing"
    if not is_inside(folder, path):
        return "is a link to a file elsewhere, or in a folder that is one"
    return None if is_regular(path.resolve()) else "is no regular file"


@contextmanager
def damage_is_told(path: Path) -> Iterator[None]:
    """A context in which errors of Arrow about data become one error of ours; those of the machine stay what they are.

    Raises:
        VerifyError: the data cannot be read; the reason is the first line of what Arrow says.
    """
    try:
        yield
    except (pa.ArrowMemoryError, pa.ArrowCapacityError):
        raise
    except (pa.ArrowException, UnicodeDecodeError, OverflowError) as error:
        raise _damaged(path, error) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged(path, error) from None  # Arrow tells some kinds of damage as an error of the system


def _damaged(path: Path, error: Exception) -> VerifyError:
    return VerifyError(f"is damaged ({first_line(error)})", path=path, hint=_REMEDY)


@contextmanager
def open_shard(folder: Path, shard: Shard, columns: Sequence[str] | None = None) -> Iterator[pq.ParquetFile]:
    """A context with the open file of a shard.

    Args:
        folder: of the version.
        shard: from its manifest.
        columns: the columns that will be read; None for all that it has.

    Raises:
        VerifyError: the file is missing, no regular file of this version, damaged, lacks a column, or has another number of
            rows than the manifest says.
    """
    path = folder / shard.path
    if reason := why_unusable(folder, shard.path):
        raise VerifyError(reason, path=path, hint=_REMEDY)
    with damage_is_told(path), pq.ParquetFile(path) as file:
        if fault := _fault(file, shard, columns):
            raise VerifyError(fault, path=path, hint=_REMEDY)
        yield file


def _fault(file: pq.ParquetFile, shard: Shard, columns: Sequence[str] | None) -> str | None:
    """What contradicts the manifest in the footer of a shard."""
    if file.metadata.num_rows != shard.rows:
        return f"has {file.metadata.num_rows:,} rows, and the manifest says {shard.rows:,}"
    tables = [table_schema(shard.config, version=schema) for schema in KNOWN_SCHEMAS if shard.config in CONFIGS]
    there = file.schema_arrow
    if len({*there.names}) < len(there.names):
        return "has a column twice"
    for name in there.names if columns is None else columns:
        if name not in there.names:
            return f"lacks the column {name}"
        known = [table.field(name).type for table in tables if name in table.names]
        if known and not any(_same_kind(there.field(name).type, kind) for kind in known):
            return f"has a column {name} of type {there.field(name).type} instead of {known[-1]}"
    return None


def _same_kind(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether two types are equal, whatever the zone of a time."""
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other):
        return bool(one.unit == other.unit and one.tz)
    return bool(one == other)


def checked_values(table: pa.Table, path: Path) -> pa.Table:
    """The rows of a shard, after their values were checked: text is UTF-8, offsets fit, and no key is null.

    Raises:
        VerifyError: a key is null.
        pyarrow.ArrowInvalid: a value is damaged; in the context of `open_shard` that is a VerifyError, too.
    """
    table.validate(full=True)  # Parquet says neither
    for name in _KEYS.intersection(table.column_names):
        if table[name].null_count:
            raise VerifyError(f"has a row without {name}", path=path, hint=_REMEDY)
    return table


def read_shard_of(folder: Path, shard: Shard, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The row groups of a shard of a version, in order; one is in memory at a time.

    Raises:
        VerifyError: as for `open_shard`, or a value is no valid text.
    """
    with open_shard(folder, shard, columns) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=None if columns is None else list(columns))
            yield checked_values(table, folder / shard.path)


def read_rows(
    folder: Path, shard: Shard, columns: Sequence[str] | None = None, *, where: tuple[str, pa.Array] | None = None
) -> pa.Table:
    """The rows of a shard as one table.

    Args:
        folder: of the version.
        shard: from its manifest.
        columns: the columns of the table; None for all.
        where: a column and values: only rows that have one of these values there.

    Raises:
        VerifyError: as for `read_shard_of`.
    """
    names = None if columns is None else list(columns)
    with open_shard(folder, shard, names and [*names, *([where[0]] if where else [])]) as file:
        if where is None:
            table = file.read(names)
        elif where[0] in file.schema_arrow.names:
            chosen = pc.field(where[0]).isin(where[1])
            table = pq.read_table(folder / shard.path, columns=names, filters=chosen, partitioning=None)
        else:
            raise VerifyError(f"lacks the column {where[0]}", path=folder / shard.path, hint=_REMEDY)
        return checked_values(table, folder / shard.path)


def find_rows(
    folder: Path, shards: Iterable[Shard], column: str, values: Collection[str], columns: Sequence[str] | None = None
) -> Iterator[tuple[Shard, dict[str, Any]]]:
    """The rows of some shards that have one of `values` in `column`, each with its shard.

    Args:
        folder: of the version.
        shards: the shards to search.
        column: a column of strings.
        values: the values to look for.
        columns: the names of the columns that the rows have; None for all.

    Raises:
        VerifyError: as for `read_shard_of`.
    """
    if not values:
        return
    wanted = pa.array(list(values), pa.string())
    for shard in shards:
        rows = read_rows(folder, shard, columns, where=(column, wanted))
        with damage_is_told(folder / shard.path):  # a time that Python cannot hold
            found = rows.to_pylist()
        yield from ((shard, row) for row in found)


def read_text_file(folder: Path, name: str) -> str:
    """The text of a file of a version, such as its README.md. Bytes that are not UTF-8 become U+FFFD.

    Raises:
        VerifyError: it is missing, no regular file of this version, or too large.
    """
    if reason := why_unusable(folder, name):
        raise VerifyError(reason, path=folder / name, hint=_REMEDY)
    try:
        return read_regular(folder / name, _LARGEST_TEXT, follow=True).decode("utf-8", "replace")
    except OSError as error:
        raise VerifyError(str(error.strerror or error), path=folder / name, hint=_REMEDY) from None
