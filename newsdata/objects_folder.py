"""Objects in a folder on a disk, with the promises of an object store: whole writes, creation only if absent, swaps.

`newsdata.objects` calls this for `file://`. It needs no library, so ranks that share a folder can use the same API.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from .files import read_regular, write_whole, written_beside

__all__ = ["create_file", "files_below", "folders_in", "put_file", "read_file", "swap_file", "tag_of"]

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


def read_file(path: Path, limit: int) -> bytes | None:
    """The bytes of a file; None if it is not there.

    Raises:
        OSError: it is no regular file, or larger than `limit` bytes.
    """
    try:
        return read_regular(path, limit)
    except OSError as error:
        if error.errno in _MISSING:
            return None
        raise


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
    try:
        with os.scandir(folder) as found:
            return sorted(one.name for one in found if one.is_dir(follow_symlinks=False))
    except OSError as error:
        if error.errno in _MISSING:
            return []
        raise


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(folder) as found:
            entries = [(one.name + "/" * one.is_dir(follow_symlinks=False), one) for one in found]
    except OSError as error:
        if error.errno in _MISSING:  # also one that was removed meanwhile
            return
        raise
    for name, entry in sorted(entries, key=lambda item: item[0]):
        if name.endswith("/"):
            yield from _below(folder / entry.name, prefix + name)
        elif not _is_ours(name) and entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):
                yield prefix + name, entry.stat(follow_symlinks=False).st_size


def _is_ours(name: str) -> bool:
    """Whether a file is a lock, or one that is being written."""
    return name == _LOCK or (name.startswith(".") and name.endswith(".part"))
