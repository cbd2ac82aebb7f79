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
from typing import BinaryIO, NamedTuple, Self

__all__ = [
    "FOLLOWS_NO_LINK",
    "MAX_FILE_BYTES",
    "MAX_PATH_BYTES",
    "Fault",
    "Faults",
    "FolderOpener",
    "Listed",
    "check_path",
    "list_folder",
    "path_inside",
    "read_listed",
    "reason_for",
    "size_fault",
    "stamp_of",
    "write_listed",
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
        folder: whether it is a folder, or a link that may lead to one: what is inside is not listed.
    """

    rule: str
    reason: str
    size: int | None = None
    folder: bool = False


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


_AT_ONCE = 16_384  # files in a piece of a listing

Faults = list[tuple[bytes, Fault]]
"""(path relative to the root, fault) of each name that cannot be taken."""


def list_folder(root: str, exclude: str | None, faults: Faults) -> Iterator[bytes]:
    """List every regular file below `root`. The order of the file system does not matter, and no link is followed.

    Only one folder is in memory at a time, and the folders around it.

    Args:
        root: a real path.
        exclude: a folder to skip, relative to `root`; None for none.
        faults: faults are added to this list; it is complete when everything was listed.

    Returns:
        Path, size in bytes and stamp of each file, sorted by path, all separated by NUL, in pieces.

    Raises:
        OSError: the root cannot be listed, or the machine is out of memory or of open files.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("b.md", "a.md"):
    ...         with open(os.path.join(root, name), "w") as file: _ = file.write("hello")
    ...     [piece.split(b"\\0")[:2] for piece in list_folder(os.path.realpath(root), None, [])]
    [[b'a.md', b'5']]
    """
    excluded = None if exclude is None else os.fsencode(exclude)
    full: list[str] = []
    # What is not listed yet, the next one last: records of files, and folders as their path with a slash at its end. NUL and
    # slash sort before and after as the whole paths below a folder do.
    waiting = ["/"]
    with FolderOpener(root) as opener:
        while waiting:
            found = waiting.pop()
            if "\0" in found:
                full.append(found)
                if len(full) == _AT_ONCE:
                    yield "\0".join(full).encode()
                    full = []
                continue
            inside = _list_one(opener, os.fsencode(found[:-1]), faults)
            inside.sort(reverse=True)
            waiting += [one for one in inside if "\0" in one or os.fsencode(one[:-1]) != excluded]
    if full:
        yield "\0".join(full).encode()


def _list_one(opener: FolderOpener, folder: bytes, faults: Faults) -> list[str]:
    """The records of the files in a folder, and the paths of the folders in it, with a slash at their end."""
    path = check_path(folder) if folder else ""
    prefix = None if isinstance(path, Fault) else f"{path}/" if path else ""
    files: list[str] = []
    try:
        with os.scandir(opener.open(folder)) as entries:
            rest = _take_plain_files(entries, prefix, files) if prefix is not None else list(entries)
    except OSError as error:
        if not folder:
            raise
        faults.append((folder, Fault("unreadable", f"the folder {reason_for(error)}", folder=True)))
        return []
    for entry in rest:
        raw = folder + b"/" + os.fsencode(entry.name) if folder else os.fsencode(entry.name)
        found = None if entry.name == ".git" else _examine(entry, raw)
        if isinstance(found, Fault):
            faults.append((raw, found))
        elif isinstance(found, str):
            files.append(found)
        elif found is not None:
            files.append(f"{os.fsdecode(found)}/")
    return files


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
        if isinstance(path, Fault) and path.rule == "path-unsafe":
            return path._replace(folder=True)
        return raw
    if isinstance(path, Fault):
        return path
    if not entry.is_file(follow_symlinks=False):
        if entry.is_symlink():
            return Fault("not-a-file", "this is a link, and links are not followed", folder=True)
        return Fault("not-a-file", "this is a device, a pipe or a socket")
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return Fault("unreadable", reason_for(error))
    return size_fault(status.st_size) or _record(path, status)


# ------------------------------------------------------------------------------------------ between processes


class Listed(NamedTuple):
    """What a folder holds, in a file that another process wrote.

    Attributes:
        began: when the walk began, in nanoseconds since 1970.
        faults: see `Faults`.
        files: as from `list_folder`. Each piece is read from the file when it is asked for.
    """

    began: int
    faults: Faults
    files: Iterator[bytes]


_NUMBER = 8  # bytes of a number in the file


def write_listed(file: BinaryIO, began: int, faults: Faults, pieces: Iterable[bytes]) -> None:
    """Write a listing to a file: the size of each piece and the piece, 0, and then the rest as JSON.

    Args:
        file: what is written to.
        began, faults: see `Listed`; `faults` is complete after the last piece.
        pieces: from `list_folder`.
    """
    for piece in pieces:
        file.write(len(piece).to_bytes(_NUMBER, "big") + piece)
    file.write(bytes(_NUMBER))
    file.write(json.dumps([began, [(raw.hex(), fault) for raw, fault in faults]]).encode())
    file.flush()


def read_listed(file: BinaryIO) -> Listed:
    """Read what `write_listed` wrote.

    Raises:
        ValueError: this file holds no listing.

    >>> import io
    >>> file, faults = io.BytesIO(), [(b"b", Fault("not-a-file", "a pipe"))]
    >>> write_listed(file, 7, faults, [b"a.md\\x005\\x00stamp"])
    >>> listed = read_listed(file)
    >>> listed.began, listed.faults == faults, [*listed.files]
    (7, True, [b'a.md\\x005\\x00stamp'])
    """
    places = []
    at = 0
    while size := _number_at(file, at):
        places.append((at + _NUMBER, size))
        at += _NUMBER + size
    began, faults = json.loads(file.read())
    found = [(bytes.fromhex(raw), Fault(*fault)) for raw, fault in faults]
    return Listed(began=began, faults=found, files=_pieces(file, places))


def _number_at(file: BinaryIO, at: int) -> int:
    file.seek(at)
    number = file.read(_NUMBER)
    if len(number) < _NUMBER:
        raise ValueError("the listing is not whole")
    return int.from_bytes(number, "big")


def _pieces(file: BinaryIO, places: list[tuple[int, int]]) -> Iterator[bytes]:
    for begin, size in places:
        file.seek(begin)
        yield file.read(size)


def _main(root: str, exclude: str | None = None) -> None:
    """Write the listing of a folder to standard output."""
    faults: Faults = []
    began = time.time_ns()
    write_listed(sys.stdout.buffer, began, faults, list_folder(root, exclude, faults))


if __name__ == "__main__":
    gc.disable()  # there are no cycles to collect, and many records to search for them
    _main(*sys.argv[1:])
    os._exit(0)  # skips freeing the records one by one
