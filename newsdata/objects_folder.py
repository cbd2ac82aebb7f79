"""Objects in a folder on a disk, with the promises of an object store: whole writes, creation only if absent, swaps.

`newsdata.objects` calls this for `file://`. It needs no library, so ranks that share a folder can use the same API.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import ClassVar, TypeVar

from .files import open_fresh, open_regular, read_regular, write_whole, written_beside
from .objects_errors import too_large

__all__ = ["Folder"]

_T = TypeVar("_T")

_LOCK = ".swap.lock"  # beside the object; those who swap an object of a folder wait for each other
_MISSING = (errno.ENOENT, errno.ENOTDIR)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on a disk. Each method does what that of `newsdata.objects.Objects` promises.

    The caller checks names, and turns each OSError into an error of ours. Links are not followed.

    Attributes:
        path: of the folder.
        url: its address, for errors.
    """

    deletes_at_once: ClassVar[int] = 1

    path: Path
    url: str

    def put(self, name: str, data: bytes | Path) -> None:
        """Write a file completely or not at all; its folders are made."""
        write_whole(self.make_room(name), data)

    def create(self, name: str, data: bytes | Path) -> bool:
        """Write a file completely, unless something of this name is there. The file system must have hard links."""
        path = self.make_room(name)
        with written_beside(path, data) as part, contextlib.suppress(FileExistsError):
            path.hardlink_to(part)
            return True
        return self._holds(name, data)

    def read(self, name: str, limit: int) -> bytes | None:
        """The bytes of a file."""
        try:
            return _unless_missing(lambda: read_regular(self.path / name, limit))
        except OSError as error:
            if error.errno == errno.EFBIG:
                raise too_large(self.url, name, limit) from None
            raise

    def fetch(self, name: str, part: Path, limit: int | None) -> bool:
        """Copy a file to a new local file; returns whether there is such a file."""
        if (source := self._open(name)) is None:
            return False
        with source, open_fresh(part) as file:
            if limit is not None and os.fstat(source.fileno()).st_size > limit:
                raise too_large(self.url, name, limit)
            shutil.copyfileobj(source, file, 1 << 20)
        return True

    def size(self, name: str) -> int | None:
        """The size of a file in bytes."""
        return _unless_missing(lambda: (self.path / name).lstat().st_size)

    def sha256(self, name: str) -> str | None:
        """The SHA-256 of the bytes of a file, in hexadecimal digits."""
        if (file := self._open(name)) is None:
            return None
        with file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def tagged(self, name: str, limit: int) -> tuple[bytes, str] | None:
        """The bytes of a file, and its tag: equal content has equal tags."""
        data = self.read(name, limit)
        return None if data is None else (data, hashlib.sha256(data).hexdigest())

    def swap(self, name: str, data: bytes, tag: str, limit: int) -> bool:
        """Replace a file of at most `limit` bytes, if its content still has this tag."""
        from filelock import FileLock

        path = self.path / name
        if not path.parent.is_dir():
            return False
        with FileLock(path.with_name(_LOCK)):
            now = self.tagged(name, limit)
            if now is None or now[1] != tag:
                return False
            write_whole(path, data)
            return True

    def listed(self, prefix: str) -> Iterator[tuple[str, int, str]]:
        """The regular files below a folder of this one, in the order of the names: names inside that folder, sizes, no stamps."""
        return ((name, size, "") for name, size in _below(self.path / prefix, ""))

    def read_stamped(self, name: str, limit: int) -> tuple[bytes, str] | None:
        """The bytes of a file, and no stamp."""
        data = self.read(name, limit)
        return None if data is None else (data, "")

    def read_ranges(self, name: str, starts: Sequence[int], sizes: Sequence[int]) -> list[bytes] | None:
        """Parts of a file. What lies after its end is left out."""
        if (file := self._open(name)) is None:
            return None
        with file:
            return [os.pread(file.fileno(), size, start) for start, size in zip(starts, sizes, strict=True)]

    def folders(self) -> list[str]:
        """The names of the folders directly below this one, sorted."""
        return sorted(entry.name for entry in _entries_of(self.path) if entry.is_dir(follow_symlinks=False))

    def delete(self, names: Sequence[str]) -> None:
        """Remove files."""
        for name in names:
            _unless_missing((self.path / name).unlink)

    def make_room(self, name: str) -> Path:
        """The path of a file that will be written; its folders are made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _open(self, name: str) -> BufferedReader | None:
        return _unless_missing(lambda: open_regular(self.path / name))

    def _holds(self, name: str, data: bytes | Path) -> bool:
        """Whether a file has just these bytes."""
        wanted = data.stat().st_size if isinstance(data, Path) else len(data)
        if self.size(name) != wanted:
            return False
        return self.read(name, wanted) == (data.read_bytes() if isinstance(data, Path) else data)


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    entries = [(one.name + "/" * one.is_dir(follow_symlinks=False), one) for one in _entries_of(folder)]
    for name, entry in sorted(entries, key=lambda item: item[0]):
        if name.endswith("/"):
            yield from _below(folder / entry.name, prefix + name)
        elif not _is_ours(name) and entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):
                yield prefix + name, entry.stat(follow_symlinks=False).st_size


def _entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing if it is not there, or was removed meanwhile."""

    def scan() -> list[os.DirEntry[str]]:
        with os.scandir(folder) as found:
            return list(found)

    return _unless_missing(scan) or []


def _is_ours(name: str) -> bool:
    """Whether a file is a lock, or one that is being written."""
    return name == _LOCK or (name.startswith(".") and name.endswith(".part"))


def _unless_missing(read: Callable[[], _T]) -> _T | None:
    """What a function returns that looks at a file or folder; None if that is not there."""
    try:
        return read()
    except OSError as error:
        if error.errno in _MISSING:
            return None
        raise
