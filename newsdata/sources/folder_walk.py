"""Walk a folder: every regular file below it, and every name that cannot be taken, with the reason.

This file is also run as a script by `listing_ahead`, in an isolated process of its own. So it may import nothing but
the standard library, and it holds what that walk shares with the other kinds of source: `Fault`, the limits and
`check_path`.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

__all__ = [
    "FOLLOWS_NO_LINK",
    "MAX_FILE_BYTES",
    "MAX_PATH_BYTES",
    "Fault",
    "FolderOpener",
    "Listed",
    "check_path",
    "decode_listed",
    "encode_listed",
    "list_folder",
    "path_inside",
    "reason_for",
    "size_fault",
    "stamp_of",
]

MAX_FILE_BYTES = 8 * 2**20
"""A larger file is rejected without being read. The largest known post has 11 KB; parsing takes up to 2.5 us a byte."""
MAX_PATH_BYTES = 4096
"""A longer path is rejected. Linux has the same limit."""

FOLLOWS_NO_LINK = hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_DIRECTORY")
"""Whether this system can open files and folders without following links. Windows cannot; there nothing is walked."""

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC if FOLLOWS_NO_LINK else os.O_RDONLY
_MACHINE_ERRORS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # the machine is at fault, not the file


class Fault(NamedTuple):
    """Why a file cannot be taken.

    Attributes:
        rule: a key of `newsdata.schema.REJECT_RULES`.
        reason: what is wrong, in words. It reaches the rejects table.
        size: size of the file in bytes, None if unknown.
    """

    rule: str
    reason: str
    size: int | None = None


def check_path(raw: bytes) -> str | Fault:
    """Decode the path of a file in a source, or say why it cannot be used.

    Empty parts and `.` are dropped, as every file system does.

    >>> check_path(b"./_posts//a.md")
    '_posts/a.md'
    >>> check_path(b"../a.md").rule
    'path-unsafe'
    """
    if len(raw) > MAX_PATH_BYTES:
        return Fault("path-unsafe", f"the path has {len(raw):,} bytes; at most {MAX_PATH_BYTES:,} are read")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Fault("path-not-utf-8", "the name of the file is not UTF-8")
    if text.startswith("/"):
        return Fault("path-unsafe", "the path is absolute")
    if "\0" in text:
        return Fault("path-unsafe", "the path has a NUL character")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts:
        return Fault("path-unsafe", "the name is empty")
    if ".." in parts:
        return Fault("path-unsafe", "the path leads out of the source")
    return "/".join(parts)


def size_fault(size: int) -> Fault | None:
    """The fault of a file of `size` bytes: "too-large" above `MAX_FILE_BYTES`, else None."""
    if size <= MAX_FILE_BYTES:
        return None
    return Fault("too-large", f"the file has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read", size)


def reason_for(error: OSError) -> str:
    """Say why a file or folder cannot be opened or read.

    Raises:
        OSError: `error` itself, if the machine is at fault: out of memory or of open files.
    """
    if error.errno in _MACHINE_ERRORS:
        raise error
    return f"cannot be opened or read: {error.strerror}"


def stamp_of(status: os.stat_result) -> str:
    """The stamp of a file in a folder: `mtime_ns:ctime_ns:inode:size`."""
    return f"{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}:{status.st_size}"


def path_inside(root: str, other: str | os.PathLike[str]) -> str | None:
    """The path of `other` relative to `root` (a real path); "." for the root itself, None if it is outside."""
    relative = os.path.relpath(os.path.realpath(other), root)
    return None if Path(relative).parts[:1] == ("..",) else relative


class FolderOpener:
    """Opens folders below a root without following links, and keeps the last one open.

    Each folder is opened one path part at a time, so that no part can be a link and no path is too long for the
    system. It starts from the last folder if the new one lies inside it, else from the root.

    Attributes:
        root: descriptor of the root.
    """

    def __init__(self, root: str) -> None:
        """Open the root; raises `OSError` if that fails."""
        self.root = os.open(root, _FOLDER_FLAGS)
        self._last, self._last_path = os.dup(self.root), b""

    def __enter__(self) -> Self:
        """Use it in a `with` statement, which closes both descriptors."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close both descriptors."""
        os.close(self._last)
        os.close(self.root)

    def open(self, path: bytes) -> int:
        """The descriptor of a folder, valid until the next call; `path` is relative to the root, b"" for the root."""
        if path == self._last_path:
            return self._last
        inside = not self._last_path or path.startswith(self._last_path + b"/")
        folder = os.dup(self._last if inside else self.root)
        rest = path[len(self._last_path) if inside else 0 :].lstrip(b"/")
        try:
            for part in rest.split(b"/") if rest else ():
                below = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
                os.close(folder)
                folder = below
        except OSError:
            os.close(folder)
            raise
        os.close(self._last)
        self._last, self._last_path = folder, path
        return folder


# ---------------------------------------------------------------------------------------------------- listing


class Listed(NamedTuple):
    """What a folder holds.

    Attributes:
        began: when the walk began, in nanoseconds since 1970.
        files: path, size in bytes and stamp of each file, sorted by path, all separated by NUL. One string instead of a
            record for each file, because there can be millions.
        faults: (path relative to the root, fault) of each name that cannot be taken.
    """

    began: int
    files: bytes
    faults: list[tuple[bytes, Fault]]


def list_folder(root: str, exclude: str | None = None) -> Listed:
    """List every regular file below `root`. The order of the file system does not matter, and no link is followed.

    Args:
        root: a real path.
        exclude: a folder to skip, relative to `root`.

    Raises:
        OSError: the root cannot be listed, or the machine is out of memory or of open files.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("b.md", "a.md"):
    ...         with open(os.path.join(root, name), "w") as file: _ = file.write("hello")
    ...     found = list_folder(os.path.realpath(root))
    >>> found.files.split(b"\\0")[::3], found.files.split(b"\\0")[1::3], found.faults
    ([b'a.md', b'b.md'], [b'5', b'5'], [])
    """
    began = time.time_ns()
    files: list[str] = []
    faults: list[tuple[bytes, Fault]] = []
    excluded = None if exclude is None else os.fsencode(exclude)
    waiting = [b""]
    with FolderOpener(root) as opener:
        while waiting:
            folder = waiting.pop()
            path = check_path(folder) if folder else ""
            prefix = None if isinstance(path, Fault) else f"{path}/" if path else ""
            try:
                with os.scandir(opener.open(folder)) as entries:
                    rest = _take_plain_files(entries, prefix, files) if prefix is not None else list(entries)
            except OSError as error:
                if not folder:
                    raise
                faults.append((folder, Fault("unreadable", f"the folder {reason_for(error)}")))
                continue
            for entry in rest:
                raw = folder + b"/" + os.fsencode(entry.name) if folder else os.fsencode(entry.name)
                found = None if entry.name == ".git" else _examine(entry, raw)
                if isinstance(found, Fault):
                    faults.append((raw, found))
                elif isinstance(found, str):
                    files.append(found)
                elif found is not None and found != excluded:
                    waiting.append(found)
    files.sort()  # NUL sorts before every character of a name, so this is the order of the paths
    return Listed(began=began, files="\0".join(files).encode(), faults=faults)


def _record(path: str, status: os.stat_result) -> str:
    return f"{path}\0{status.st_size}\0{stamp_of(status)}"


def _take_plain_files(entries: Iterable[os.DirEntry[str]], prefix: str, files: list[str]) -> list[os.DirEntry[str]]:
    """Add the ordinary files of a folder to `files`; return the other entries, for `_examine`.

    The name of an entry is never empty, "." or "..", and holds no slash, so for an ASCII name `check_path` would return
    `prefix + name`.

    Args:
        entries: of the folder.
        prefix: the path of the folder with a slash at its end, "" for the root.
        files: where the records are added.
    """
    rest = []
    room = MAX_PATH_BYTES - len(prefix.encode())
    for entry in entries:
        name = entry.name
        if name.isascii() and len(name) <= room and name != ".git":
            try:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_size <= MAX_FILE_BYTES:
                        files.append(_record(prefix + name, status))
                        continue
            except OSError:  # `_examine` says what is wrong
                pass
        rest.append(entry)
    return rest


def _examine(entry: os.DirEntry[str], raw: bytes) -> str | Fault | bytes:
    """The record of a file, the fault of a name, or the path of a folder to walk.

    Args:
        entry: of a folder.
        raw: its path relative to the root.
    """
    path = check_path(raw)
    if entry.is_dir(follow_symlinks=False):
        return path if isinstance(path, Fault) and path.rule == "path-unsafe" else raw
    if isinstance(path, Fault):
        return path
    if not entry.is_file(follow_symlinks=False):
        link = "this is a link, and links are not followed"
        return Fault("not-a-file", link if entry.is_symlink() else "this is a device, a pipe or a socket")
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return Fault("unreadable", reason_for(error))
    return size_fault(status.st_size) or _record(path, status)


# ------------------------------------------------------------------------------------------ between processes


def encode_listed(listed: Listed) -> Iterator[bytes]:
    """The bytes of a listing, for another process: one line of JSON, then `files`."""
    yield json.dumps([listed.began, [(raw.hex(), fault) for raw, fault in listed.faults]]).encode() + b"\n"
    yield listed.files


def decode_listed(data: bytes) -> Listed:
    """Read what `encode_listed` gave.

    Raises:
        ValueError: these bytes are not a listing.

    >>> listed = Listed(began=7, files=b"a.md\\x005\\x00stamp", faults=[(b"b", Fault("not-a-file", "a pipe"))])
    >>> decode_listed(b"".join(encode_listed(listed))) == listed
    True
    """
    head, _, files = data.partition(b"\n")
    began, faults = json.loads(head)
    return Listed(began=began, files=files, faults=[(bytes.fromhex(raw), Fault(*fault)) for raw, fault in faults])


if __name__ == "__main__":
    gc.disable()  # there are no cycles to collect, and many records to search for them
    sys.stdout.buffer.writelines(encode_listed(list_folder(*sys.argv[1:])))
    sys.stdout.buffer.flush()
    os._exit(0)  # skips freeing the records one by one
