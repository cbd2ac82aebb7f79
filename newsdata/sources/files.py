"""The records of a source: `Source`, its files, and the `Listing` of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrow_files import join_tables
from ..schema import Reject
from .folder_walk import MAX_PATH_BYTES, Fault, check_path

__all__ = ["FILES_AT_ONCE", "Files", "Listing", "Source", "SourceFile", "as_reject", "in_order", "unreadable"]

FILES_AT_ONCE = 50_000
"""The most files that a step over all files has in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened source. It is small and picklable, so every worker can have it.

    Attributes:
        kind: how it is read; "bucket" is a folder in an object store; "unpacked" is a tar or zip file or another address,
            unpacked into one local file.
        root: path of the folder, of the git folder, or of the unpacked file; the address of a bucket.
        exclude: a folder below `root` that is not part of the source, relative to it.
        commit: for git: full id of the commit.
        tree: for git: full id of the tree of the site's root.
        below: for git: the folder of the repository that is the site's root; "" for the repository's own.
        shared: for a folder: whether other hosts read it, too. A file may then have another time than where it was listed: only
            its size and content count.
        remote: for an unpacked file: the address of an object with the same bytes, for hosts that do not have the file.
    """

    kind: Literal["folder", "git", "bucket", "unpacked"]
    root: str
    exclude: str | None = None
    commit: str | None = None
    tree: str = ""
    below: str = ""
    shared: bool = False
    remote: str = ""


class SourceFile(NamedTuple):
    """One regular file of a source.

    Attributes:
        path: relative to the source, with `/`.
        size: in bytes.
        stamp: files with equal stamps have equal content, as far as can be told without reading them:
            `mtime_ns:ctime_ns:inode:size` in a folder, `git:<blob id>` in git, `etag:<tag>:<size>` in a bucket, `sha256:<hash>`
            if unpacked.
        offset: where its bytes start in the unpacked file; 0 for other kinds.
    """

    path: str
    size: int
    stamp: str
    offset: int = 0


_SCHEMA = pa.schema(
    [("path", pa.large_string()), ("size", pa.int64()), ("stamp", pa.large_string()), ("offset", pa.int64())]
)


@dataclass(frozen=True, slots=True, eq=False)
class Files(Sequence[SourceFile]):
    """Regular files of a source as Arrow columns, which take a tenth of the memory of a record for each file.

    Attributes:
        path, size, stamp, offset: see `SourceFile`; string (large_string if they are from `on_disk`), int64, string, int64.

    >>> files = Files.of([SourceFile("a.md", 5, "git:1"), SourceFile("b.md", 7, "git:2")])
    >>> files.path.to_pylist(), files[1].size, files.take([1]).path.to_pylist()
    (['a.md', 'b.md'], 7, ['b.md'])
    """

    path: pa.StringArray
    size: pa.Int64Array
    stamp: pa.StringArray
    offset: pa.Int64Array

    @classmethod
    def of(cls, files: Iterable[SourceFile]) -> Files:
        """The same files as columns."""
        columns = [*zip(*files, strict=True)] or [(), (), (), ()]
        kinds = (pa.string(), pa.int64(), pa.string(), pa.int64())
        return cls(*(pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))

    @classmethod
    def joined(cls, parts: Iterable[Files]) -> Files:
        """The files of all parts, one part after the other."""
        columns = zip(*(part.in_memory()._columns() for part in (cls.of(()), *parts)), strict=True)
        return cls(*(pa.concat_arrays(column) for column in columns))

    @classmethod
    def on_disk(cls, parts: Iterable[Files], folder: Path | None) -> Files:
        """The files of all parts, in temporary files that are mapped into memory. There may be any number of them.

        Args:
            parts: one after the other; only one is in memory at a time.
            folder: where the temporary files lie; None for the system's folder.
        """
        tables = (pa.table([*part._columns()], names=_SCHEMA.names).cast(_SCHEMA) for part in parts)
        table = join_tables(tables, _SCHEMA, folder)
        return cls(*(column.chunk(0) for column in table.columns))

    def parts(self) -> Iterator[Files]:
        """The same files, `FILES_AT_ONCE` at a time, in memory."""
        return (self.slice(at, FILES_AT_ONCE).in_memory() for at in range(0, len(self), FILES_AT_ONCE))

    def slice(self, begin: int, count: int) -> Files:
        """`count` files from the position `begin` on, without a copy."""
        return Files(*(column.slice(begin, count) for column in self._columns()))

    def in_memory(self) -> Files:
        """The same files as columns of strings in memory."""
        if self.path.type == pa.string():
            return self
        return self.take(np.arange(len(self)))

    def take(self, at: Sequence[int] | np.ndarray) -> Files:
        """The files at these positions, in that order, in memory."""
        rows = pa.array(at, pa.int64())
        path, size, stamp, offset = (column.take(rows) for column in self._columns())
        return Files(path.cast(pa.string()), size, stamp.cast(pa.string()), offset)

    def _columns(self) -> tuple[pa.Array, ...]:
        return self.path, self.size, self.stamp, self.offset

    def __len__(self) -> int:
        """The number of files."""
        return len(self.path)

    def __iter__(self) -> Iterator[SourceFile]:
        """Iterate over the files as records."""
        return map(SourceFile._make, zip(*(column.to_pylist() for column in self._columns()), strict=True))

    def __getitem__(self, at: Any) -> Any:
        """The file at a position as a record, or the files of a slice as `Files`."""
        if isinstance(at, slice):
            return self.take(np.arange(*at.indices(len(self))))
        return SourceFile._make(column[at].as_py() for column in self._columns())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a source holds. Everything that was found is in `files` or in `rejects`, once.

    Attributes:
        files: sorted by path, by code points.
        rejects: what is not a regular file, cannot be read, or has a name twice; sorted by path.
        folders: paths of those rejects that are folders, or links that may lead to one: what is inside is not listed.
        commit: for git: full id of the commit.
        notes: remarks for whoever reads the log.
        listed_at: for a folder: when the listing began, in nanoseconds since 1970. Other sources cannot change.
    """

    files: Files
    rejects: tuple[Reject, ...]
    folders: frozenset[str] = frozenset()
    commit: str | None = None
    notes: tuple[str, ...] = ()
    listed_at: int = 0


def as_reject(raw: bytes, fault: Fault) -> Reject:
    """The reject of a file with a fault. Where its path cannot be used, the bytes that are not UTF-8 are escaped."""
    path = check_path(raw)
    shown = path if isinstance(path, str) else raw[:MAX_PATH_BYTES].decode("utf-8", "backslashreplace")
    return Reject(path=shown, sha256=None, size=fault.size, rule=fault.rule, reason=fault.reason)


def unreadable(file: SourceFile, reason: str) -> Reject:
    """The reject of a listed file that cannot be read."""
    return as_reject(file.path.encode(), Fault("unreadable", reason, file.size))


def in_order(rejects: Iterable[Reject]) -> tuple[Reject, ...]:
    """The rejects, sorted by path, rule, hash and reason."""
    return tuple(sorted(rejects, key=lambda found: (found.path, found.rule, found.sha256 or "", found.reason)))
