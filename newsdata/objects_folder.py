"""Objects in a folder on a disk, with the promises of an object store: whole writes, creation only if absent, swaps.

`newsdata.objects` calls this for `file://`. It needs no library, so ranks that share a folder can use the same API.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from .files import open_regular, read_regular, write_whole, written_beside

__all__ = [
    "create_file",
    "files_below",
    "folders_in",
    "hash_file",
    "open_file",
    "put_file",
    "read_file",
    "read_parts",
    "remove_file",
    "size_of_file",
    "swap_file",
    "tag_of",
]

_T = TypeVar("_T")

_LOCK = ".swap.lock"  # beside the object; those who swap an object of a folder wait for each other
_MISSING = (errno.ENOENT, errno.ENOTDIR)


def put_file(path: Path, data: bytes | Path) -> None:
    """Write a file completely or not at all; its folders are made.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)


def create_file(path: Path, data: bytes | Path) -> bool:
    """Write a file completely, unless something of this name is there; returns whether it was written.

    Raises:
        OSError: it cannot be written; also, the file system has no hard links.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path, data) as part:
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return False
    return True


def open_file(path: Path) -> BufferedReader | None:
    """A file, opened for reading; None if it is not there.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    return _unless_missing(lambda: open_regular(path))


def read_file(path: Path, limit: int) -> bytes | None:
    """The bytes of a file; None if it is not there.

    Raises:
        OSError: it is no regular file, or larger than `limit` bytes.
    """
    return _unless_missing(lambda: read_regular(path, limit))


def read_parts(path: Path, starts: Sequence[int], sizes: Sequence[int]) -> list[bytes] | None:
    """Parts of a file, given by start and size in bytes; None if it is not there. What lies after its end is left out.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    if (file := open_file(path)) is None:
        return None
    with file:
        return [os.pread(file.fileno(), size, start) for start, size in zip(starts, sizes, strict=True)]


def size_of_file(path: Path) -> int | None:
    """The size of a file in bytes; None if it is not there.

    Raises:
        OSError: it cannot be looked at.
    """
    return _unless_missing(lambda: path.lstat().st_size)


def hash_file(path: Path) -> str | None:
    """The SHA-256 of the bytes of a file, in hexadecimal digits; None if it is not there.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    if (file := open_file(path)) is None:
        return None
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_file(path: Path) -> None:
    """Remove a file, if it is there.

    Raises:
        OSError: it cannot be removed.
    """
    _unless_missing(path.unlink)


def tag_of(data: bytes) -> str:
    """The tag of an object in a folder: equal content has equal tags."""
    return hashlib.sha256(data).hexdigest()


def swap_file(path: Path, data: bytes, tag: str, limit: int) -> bool:
    """Replace a file if its content has this tag; returns whether it was replaced.

    Raises:
        OSError: it cannot be read, locked or written.
    """
    from filelock import FileLock

    if not path.parent.is_dir():
        return False
    with FileLock(path.with_name(_LOCK)):
        now = read_file(path, limit)
        if now is None or tag_of(now) != tag:
            return False
        write_whole(path, data)
        return True


def files_below(folder: Path) -> Iterator[tuple[str, int]]:
    """The regular files below a folder: names with "/" and sizes in bytes, in the order of the names. Links are left out.

    Raises:
        OSError: a folder cannot be read.
    """
    return _below(folder, "")


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted. Links are left out.

    Raises:
        OSError: it cannot be read.
    """
    return sorted(entry.name for entry in _entries_of(folder) if entry.is_dir(follow_symlinks=False))


def _entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing if it is not there, or was removed meanwhile."""

    def scan() -> list[os.DirEntry[str]]:
        with os.scandir(folder) as found:
            return list(found)

    return _unless_missing(scan) or []


def _unless_missing(read: Callable[[], _T]) -> _T | None:
    """What a function returns that looks at a file or folder; None if that is not there."""
    try:
        return read()
    except OSError as error:
        if error.errno in _MISSING:
            return None
        raise


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    entries = [(one.name + "/" * one.is_dir(follow_symlinks=False), one) for one in _entries_of(folder)]
    for name, entry in sorted(entries, key=lambda item: item[0]):
        if name.endswith("/"):
            yield from _below(folder / entry.name, prefix + name)
        elif not _is_ours(name) and entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):
                yield prefix + name, entry.stat(follow_symlinks=False).st_size


def _is_ours(name: str) -> bool:
    """Whether a file is a lock, or one that is being written."""
    return name == _LOCK or (name.startswith(".") and name.endswith(".part"))
