"""The records of a source: `Source`, its files, and the `Listing` of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from ..schema import Reject
from .folder_walk import MAX_PATH_BYTES, Fault, check_path

__all__ = ["Files", "Listing", "Source", "SourceFile", "as_reject", "in_order", "unreadable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened source. It is small and picklable, so every worker can have it.

    Attributes:
        kind: how it is read; "unpacked" is a tar or zip file or an address, unpacked into one local file.
        root: path of the folder, of the git folder, or of the unpacked file.
        exclude: a folder below `root` that is not part of the source, relative to it.
        commit: for git: full id of the commit.
        tree: for git: full id of the tree of the site's root.
        below: for git: the folder of the repository that is the site's root; "" for the repository's own.
    """

    kind: Literal["folder", "git", "unpacked"]
    root: str
    exclude: str | None = None
    commit: str | None = None
    tree: str = ""
    below: str = ""


class SourceFile(NamedTuple):
    """One regular file of a source.

    Attributes:
        path: relative to the source, with `/`.
        size: in bytes.
        stamp: files with equal stamps have equal content, as far as can be told without reading them:
            `mtime_ns:ctime_ns:inode:size` in a folder, `git:<blob id>` in git, `sha256:<hash>` if unpacked.
        offset: where its bytes start in the unpacked file; 0 for other kinds.
    """

    path: str
    size: int
    stamp: str
    offset: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Files(Sequence[SourceFile]):
    """Regular files of a source as Arrow columns, which take a tenth of the memory of a record for each file.

    Attributes:
        path, size, stamp, offset: see `SourceFile`; string, int64, string, int64.

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
        columns = zip(*(part._columns() for part in (cls.of(()), *parts)), strict=True)
        return cls(*(pa.concat_arrays(column) for column in columns))

    def take(self, at: Sequence[int] | np.ndarray) -> Files:
        """The files at these positions, in that order."""
        rows = pa.array(at, pa.int64())
        return Files(*(column.take(rows) for column in self._columns()))

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
        commit: for git: full id of the commit.
        notes: remarks for whoever reads the log.
        listed_at: for a folder: when the listing began, in nanoseconds since 1970. Other sources cannot change.
    """

    files: Files
    rejects: tuple[Reject, ...]
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
