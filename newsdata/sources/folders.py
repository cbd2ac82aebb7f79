"""What a folder holds: every file below it, or why a name in it cannot be taken.

Nothing but the standard library is used here, so that this file can be run by itself: `listing_ahead` lists a folder in
a process of its own, while the one that asked loads the libraries that it needs, which takes about as long.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    import subprocess

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PATH_BYTES",
    "Fault",
    "Folders",
    "Listed",
    "check_path",
    "is_listing_ahead",
    "list_folder",
    "listing_ahead",
    "path_inside",
    "reason_for",
    "size_fault",
    "stamp_of",
]

MAX_FILE_BYTES = 8 * 2**20
"""A larger file is rejected unread; the largest post known has 11 KB. Reading takes at worst 2.5 us a byte."""
MAX_PATH_BYTES = 4096
"""A longer path is rejected; it is also what Linux allows."""

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MACHINE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # no fault of the file


class Fault(NamedTuple):
    """Why a member cannot be taken: a rule of `REJECT_RULES`, the reason, the size in bytes if known."""

    rule: str
    reason: str
    size: int | None = None


def check_path(raw: bytes) -> str | Fault:
    """The path of a member as the source names it, or why it has none.

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
        return Fault("path-not-utf-8", "the name is not UTF-8")
    if text.startswith("/"):
        return Fault("path-unsafe", "the path is absolute")
    if "\0" in text:
        return Fault("path-unsafe", "the name holds a NUL")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts:
        return Fault("path-unsafe", "the name is empty")
    if ".." in parts:
        return Fault("path-unsafe", "the path leads out of the source")
    return "/".join(parts)


def size_fault(size: int) -> Fault | None:
    """What is wrong with a file of `size` bytes, if anything."""
    if size <= MAX_FILE_BYTES:
        return None
    return Fault("too-large", f"{size:,} bytes; a post has at most {MAX_FILE_BYTES:,}", size)


def reason_for(error: OSError) -> str:
    """Why a file or folder cannot be opened or read.

    Raises:
        OSError: the error itself, where it is the machine's.
    """
    if error.errno in _MACHINE:
        raise error
    return f"cannot be opened or read: {error.strerror}"


def stamp_of(status: os.stat_result) -> str:
    """`mtime_ns:ctime_ns:inode:size`."""
    return f"{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}:{status.st_size}"


def path_inside(root: str, other: str | os.PathLike[str]) -> str | None:
    """The path of `other` relative to `root` (a real path), "." for the root itself; None where it is not inside."""
    relative = os.path.relpath(os.path.realpath(other), root)
    return None if Path(relative).parts[:1] == ("..",) else relative


class Folders:
    """The root of a source and the folder below it that was asked for last, both open.

    A folder is opened step by step from the root, or from the last one if it lies in that: no step may be a
    link, and no path is too long for the system.
    """

    def __init__(self, root: str) -> None:
        """Open the root; an `OSError` says why it cannot be."""
        self.root = os.open(root, _FOLDER_FLAGS)
        self.here, self.at = os.dup(self.root), b""

    def __enter__(self) -> Self:
        """Both are closed at the end."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close them."""
        os.close(self.here)
        os.close(self.root)

    def open(self, folder: bytes) -> int:
        """A descriptor of `folder` that is good until the next call."""
        if folder == self.at:
            return self.here
        inside = not self.at or folder.startswith(self.at + b"/")
        here = os.dup(self.here if inside else self.root)
        try:
            for part in folder[len(self.at) if inside else 0 :].lstrip(b"/").split(b"/") if folder else ():
                below = os.open(part, _FOLDER_FLAGS, dir_fd=here)
                os.close(here)
                here = below
        except OSError:
            os.close(here)
            raise
        os.close(self.here)
        self.here, self.at = here, folder
        return here


# ---------------------------------------------------------------------------------------------------- listing


class Listed(NamedTuple):
    """What a folder holds.

    Attributes:
        began: nanoseconds since 1970 when the first name was read.
        files: path, size in bytes and stamp of every file, in the order of their paths, with a NUL between each two; no
            record each, for there are many.
        faults: name (relative to the root) and fault of what cannot be taken.
    """

    began: int
    files: bytes
    faults: list[tuple[bytes, Fault]]


def _file(path: str, status: os.stat_result) -> str:
    return f"{path}\0{status.st_size}\0{stamp_of(status)}"


def list_folder(root: str, exclude: str | None = None) -> Listed:
    """Every regular file below `root`, whatever order the file system has them in. No link is followed.

    Args:
        root: a real path.
        exclude: a folder below it that is passed over.

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
    if (key := (root, exclude)) in _ahead and (listed := _take_ahead(*key)):
        return listed
    began = time.time_ns()
    files: list[str] = []
    faults: list[tuple[bytes, Fault]] = []
    passed_over = None if exclude is None else os.fsencode(exclude)
    waiting = [b""]
    with Folders(root) as folders:
        while waiting:
            folder = waiting.pop()
            path = check_path(folder) if folder else ""
            above = None if isinstance(path, Fault) else f"{path}/" if path else ""
            try:
                with os.scandir(folders.open(folder)) as entries:
                    found = _take_plain(entries, above, files) if above is not None else list(entries)
            except OSError as error:
                if not folder:
                    raise
                faults.append((folder, Fault("unreadable", f"the folder {reason_for(error)}")))
                continue
            for entry in found:
                raw = folder + b"/" + os.fsencode(entry.name) if folder else os.fsencode(entry.name)
                item = None if entry.name == ".git" else _look(entry, raw)
                if isinstance(item, Fault):
                    faults.append((raw, item))
                elif isinstance(item, str):
                    files.append(item)
                elif item is not None and item != passed_over:
                    waiting.append(item)
    files.sort()  # NUL comes before all that a name can hold, so this is the order of the paths
    return Listed(began=began, files="\0".join(files).encode(), faults=faults)


def _take_plain(entries: Iterable[os.DirEntry[str]], above: str, files: list[str]) -> list[os.DirEntry[str]]:
    """Add the ordinary files of a folder to `files`, and give the entries that need a closer look.

    An entry's name is never empty, "." or "..", and holds no slash: `above + name` is what `check_path` would say.

    Args:
        above: what stands before the names of its files.
    """
    rest = []
    room = MAX_PATH_BYTES - len(above.encode())
    for entry in entries:
        name = entry.name
        if name.isascii() and len(name) <= room and name != ".git":
            try:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_size <= MAX_FILE_BYTES:
                        files.append(_file(above + name, status))
                        continue
            except OSError:  # `_look` says why
                pass
        rest.append(entry)
    return rest


def _look(entry: os.DirEntry[str], raw: bytes) -> str | Fault | bytes:
    """A file, why it is none, or the path of a folder to walk.

    Args:
        entry: of a folder.
        raw: its path, as the system names it.
    """
    path = check_path(raw)
    if entry.is_dir(follow_symlinks=False):
        return path if isinstance(path, Fault) and path.rule == "path-unsafe" else raw
    if isinstance(path, Fault):
        return path
    if not entry.is_file(follow_symlinks=False):
        link = "a link; links are not followed"
        return Fault("not-a-file", link if entry.is_symlink() else "a device, pipe or socket")
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return Fault("unreadable", reason_for(error))
    return size_fault(status.st_size) or _file(path, status)


# ------------------------------------------------------------------------------------------------------ ahead

_ahead: dict[tuple[str, str | None], subprocess.Popen[bytes]] = {}


@contextmanager
def listing_ahead(root: str, exclude: str | None = None) -> Iterator[None]:
    """List a folder in another process, beginning now; the first `list_folder` of it takes the answer.

    Where that process fails, for whatever reason, the folder is listed as if it had never been started.
    """
    import subprocess

    # Isolated: neither the working folder nor the environment can bring other modules in.
    command = [sys.executable, "-I", "-S", "-X", "utf8", __file__, root, *([exclude] if exclude is not None else [])]
    with suppress(OSError, ValueError):  # no more processes, or an interpreter within another program
        _ahead[root, exclude] = subprocess.Popen(  # noqa: S603 - this very file, by this very interpreter
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    try:
        yield
    finally:
        if process := _ahead.pop((root, exclude), None):  # nobody asked
            process.kill()
            process.communicate()


def is_listing_ahead() -> bool:
    """Whether another process lists a folder for this one, which would wait for it."""
    return bool(_ahead)


def _take_ahead(root: str, exclude: str | None) -> Listed | None:
    process = _ahead.pop((root, exclude))
    answer, _ = process.communicate()
    if process.returncode:
        return None
    head, _, files = answer.partition(b"\n")
    began, faults = json.loads(head)
    return Listed(began=began, files=files, faults=[(bytes.fromhex(raw), Fault(*fault)) for raw, fault in faults])


def _answer(listed: Listed) -> Iterator[bytes]:
    yield json.dumps([listed.began, [(raw.hex(), fault) for raw, fault in listed.faults]]).encode() + b"\n"
    yield listed.files


if __name__ == "__main__":
    gc.disable()  # there are no cycles, and many records to look for them in
    sys.stdout.buffer.writelines(_answer(list_folder(*sys.argv[1:])))
    sys.stdout.buffer.flush()
    os._exit(0)  # the records need not be taken apart one by one
