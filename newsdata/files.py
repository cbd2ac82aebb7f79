"""Open files that somebody else may have put there.

A file may turn out to be a pipe that never ends, a device, or a link to somewhere else. So a file is read only if it is a
regular one, and written under a new name that nobody can guess, then renamed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import TypeVar, cast

__all__ = [
    "expand_home",
    "is_inside",
    "is_regular",
    "open_fresh",
    "open_regular",
    "read_regular",
    "write_whole",
    "written_beside",
]

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # opening a pipe returns at once; Windows has no such flag, and no such pipe
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_T = TypeVar("_T")


def expand_home(path: _T) -> _T:
    """A path with the home folder in place of a `~` at its beginning, as a shell has it. Anything else stays as it is.

    >>> expand_home("a/~"), expand_home(None), expand_home("~/a").endswith("/a"), expand_home("~/a").startswith("~")
    ('a/~', None, True, False)
    """
    if isinstance(path, str | Path) and str(path).startswith("~"):
        found = os.path.expanduser(str(path))  # noqa: PTH111 - a `Path` fails where there is no such user
        return cast(_T, Path(found) if isinstance(path, Path) else found)
    return path


def is_regular(path: Path) -> bool:
    """Whether `path` is a regular file and no link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def is_inside(folder: Path, path: Path) -> bool:
    """Whether `path`, with all links followed, lies in `folder`, or is a file that the Hub's cache keeps for it.

    The cache of `huggingface_hub` fills a folder `snapshots/COMMIT` with links to files in `blobs` beside `snapshots`.

    >>> is_inside(Path("newsdata"), Path("newsdata/files.py")), is_inside(Path("newsdata"), Path("newsdata/../README.md"))
    (True, False)
    """
    try:
        root, real = folder.resolve(), path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that no file can have
        return False
    return real.is_relative_to(root) or (
        root.parent.name == "snapshots" and real.parent == root.parent.parent / "blobs"
    )


def open_regular(path: Path, *, follow: bool = False) -> BufferedReader:
    """Open a regular file for reading.

    Args:
        path: the file.
        follow: whether it may be a link to a regular file.

    Raises:
        OSError: it is missing, may not be read, or is no regular file (a folder, a pipe, a device, or a link).

    >>> with open_regular(Path("newsdata/files.py")) as file:
    ...     file.read(3)
    b'\"""'
    >>> open_regular(Path("newsdata"))
    Traceback (most recent call last):
    OSError: [Errno 22] is not a regular file: 'newsdata'
    """
    try:
        number = os.open(path, os.O_RDONLY | _NO_WAIT | _BINARY | (0 if follow else _NO_LINK))
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _not_regular(path) from None
        raise
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.EINVAL, str(error), str(path)) from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise _not_regular(path)
    return os.fdopen(number, "rb")


def read_regular(path: Path, limit: int, *, follow: bool = False) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file.
        limit: the largest size in bytes that is read.
        follow: whether it may be a link to a regular file.

    Raises:
        OSError: as for `open_regular`, or the file is larger than `limit`.
    """
    with open_regular(path, follow=follow) as file:
        size = os.fstat(file.fileno()).st_size
        data = b"" if size > limit else file.read(limit + 1)
    if max(size, len(data)) > limit:
        raise OSError(errno.EFBIG, f"is larger than {limit:,} bytes", str(path))
    return data


def open_fresh(path: Path) -> BufferedWriter:
    """Create a file and open it for writing. Nothing that is there is opened or followed.

    Raises:
        OSError: something of this name is there, or the file cannot be made.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY, 0o666), "wb")


def write_whole(path: Path, data: bytes | Path) -> None:
    """Write a file completely or not at all. A link at its place is replaced, not followed.

    Args:
        path: of the file.
        data: its bytes, or a file that holds them.

    Raises:
        OSError: the file cannot be written. What was there stays.
    """
    with written_beside(path, data) as part:
        part.replace(path)


@contextlib.contextmanager
def written_beside(path: Path, data: bytes | Path) -> Iterator[Path]:
    """A complete file beside its place, under a name that nobody can guess; it is removed at the end, unless it was renamed.

    Args:
        path: the place.
        data: the bytes, or a file that holds them.

    Raises:
        OSError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with open_fresh(part) as file:
            if isinstance(data, Path):
                with open_regular(data, follow=True) as source:
                    shutil.copyfileobj(source, file, 1 << 20)
            else:
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield part
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _not_regular(path: Path) -> OSError:
    return OSError(errno.EINVAL, "is not a regular file", str(path))
