"""An archive or address, unpacked into one local file: the bytes of all members one after the other, and an index.

No name from an archive is ever used as a path on this machine: the names are only in the index. So `../`, absolute
names and links do no harm.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from ..errors import MachineError, NewsdataError, SourceError
from ..objects import Objects
from ..schema import Reject
from .files import Files, Listing, Source, SourceFile, as_reject, in_order, unreadable
from .folder_walk import Fault, check_path

__all__ = [
    "UNPACK_HINT",
    "Member",
    "check_limits",
    "digest_unpacked",
    "driver_hint",
    "list_files",
    "new_unpacked",
    "read_files",
    "unpacking",
    "write_unpacked",
]

MAX_TOTAL_BYTES = 64 * 2**30
"""An archive that unpacks to more bytes is refused."""
MAX_RATIO = 200
"""An archive that unpacks to more than this many times its size is refused, above `RATIO_FREE_BYTES`."""
RATIO_FREE_BYTES = 2**30
"""Up to this many unpacked bytes the ratio does not matter: small, repetitive archives do no harm."""
MAX_MEMBERS = 4_000_000
"""An archive with more members is refused."""

_BATCH_FILES, _BATCH_BYTES = 64, 8 * 2**20  # files of an object that are fetched together

UNPACK_HINT = "unpack it yourself and give the folder"
"""What to do about an archive that is refused."""

_MACHINE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE}  # not the archive's fault

Member = tuple[bytes, "bytes | Fault"]
"""A file of an archive: its name as written there, and its bytes, or why it cannot be taken."""


def check_limits(unpacked: int, packed: int, members: int, name: str) -> None:
    """Refuse an archive that unpacks to too much.

    Args:
        unpacked: bytes unpacked so far.
        packed: size of the archive in bytes.
        members: members so far.
        name: what messages call the archive.

    Raises:
        SourceError: it is above a limit.
    """
    if members > MAX_MEMBERS:
        raise SourceError(f"more than {MAX_MEMBERS:,} members", path=name, hint=UNPACK_HINT)
    if unpacked > MAX_TOTAL_BYTES:
        raise SourceError(f"unpacks to more than {MAX_TOTAL_BYTES:,} bytes", path=name, hint=UNPACK_HINT)
    if unpacked > RATIO_FREE_BYTES and unpacked > MAX_RATIO * packed:
        raise SourceError(f"unpacks to more than {MAX_RATIO} times its size", path=name, hint=UNPACK_HINT)


# ---------------------------------------------------------------------------------------------------- writing


def new_unpacked(scratch: Path) -> Path:
    """Create an empty file in the folder `scratch`, which is made if need be.

    Raises:
        MachineError: the machine refused.
    """
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="source-", suffix=".unpacked", dir=scratch)
    except OSError as error:
        raise MachineError(f"cannot write here: {error.strerror}", path=scratch) from error
    os.close(handle)
    return Path(name)


def write_unpacked(members: Iterable[Member], unpacked: Path) -> None:
    """Write the bytes of all members, and the index. Of two members with the same name the later counts, as in tar.

    A folder that holds all members is left out of their paths if it is the root of a site, as in the archives that
    code hosts make.
    """
    files: dict[str, SourceFile] = {}
    rejects: list[Reject] = []
    folders: set[str] = set()
    offset = 0
    with unpacked.open("wb", buffering=2**20) as file:
        for raw, content in members:
            if b".git" in raw.split(b"/"):
                continue  # as in a folder: git's own files are not part of the source
            path = check_path(raw)
            if isinstance(path, Fault):
                size = content.size if isinstance(content, Fault) else len(content)
                rejects.append(as_reject(raw, path._replace(size=size)))
                continue
            if earlier := files.pop(path, None):
                taken = Fault("path-taken", "a later file of the archive has the same path", earlier.size)
                rejects.append(replace(as_reject(raw, taken), sha256=earlier.stamp.removeprefix("sha256:")))
            if isinstance(content, Fault):
                rejects.append(as_reject(raw, content))
                if content.folder:
                    folders.add(path)
                continue
            digest = hashlib.sha256(content, usedforsecurity=False).hexdigest()
            files[path] = SourceFile(path, len(content), f"sha256:{digest}", offset)
            file.write(content)
            offset += len(content)
    top = _top_folder([*files, *(reject.path for reject in rejects if reject.rule != "path-unsafe")])
    index = {
        "files": sorted(file._replace(path=file.path.removeprefix(top)) for file in files.values()),
        "rejects": [asdict(reject) | {"path": reject.path.removeprefix(top)} for reject in rejects],
        "folders": sorted(path.removeprefix(top) for path in folders),
        "notes": [f"paths are given without the archive's top folder {top}"] if top else [],
    }
    _index_path(unpacked).write_text(json.dumps(index), encoding="utf-8")


def _index_path(unpacked: Path) -> Path:
    return unpacked.with_suffix(".index")


def _top_folder(paths: list[str]) -> str:
    """The folder (`name/`) that holds all paths and is the root of a site, or ""."""
    top = paths[0].partition("/")[0] + "/" if paths else ""
    if not all(path.startswith(top) for path in paths):
        return ""
    posts = (f"{top}_posts/", f"{top}old_post/")
    return top if any(path.startswith(posts) or path == f"{top}_config.yml" for path in paths) else ""


@contextmanager
def unpacking(unpacked: Path, name: str, *, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Remove what was written if there is an error, and turn it into one of ours.

    Args:
        unpacked: the file that is written.
        name: what messages call the archive.
        secrets: parts of its address that no message may show.

    Raises:
        SourceError: the archive cannot be read.
        MachineError: the disk is full, or there are too many open files.
    """
    try:
        yield
    except BaseException as error:
        unpacked.unlink(missing_ok=True)
        _index_path(unpacked).unlink(missing_ok=True)
        if isinstance(error, NewsdataError) or not isinstance(error, Exception):
            raise
        raise _our_error(error, name, secrets) from error


def _our_error(error: Exception, name: str, secrets: tuple[str, ...]) -> NewsdataError:
    if isinstance(error, OSError) and error.errno in _MACHINE_ERRORS:
        return MachineError(f"cannot unpack: {error.strerror}", path=name, hint="make room and try again")
    if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # fsspec raises FileNotFoundError for any HTTP error
    if isinstance(error, FileNotFoundError) or getattr(error, "status", 0) in (404, 410):
        return SourceError("there is nothing at this address", path=name)
    if isinstance(error, ImportError):
        return SourceError(f"a driver is not installed: {error}", path=name, hint=driver_hint(name, error))
    text = f"{type(error).__name__}: {error}"
    for secret in secrets:
        text = text.replace(secret, "…")
    if isinstance(error, PermissionError):
        return SourceError(f"access refused: {text}", path=name, hint="check the credentials")
    return SourceError(f"cannot be read: {text}", path=name)


def driver_hint(address: str, error: Exception) -> str | None:
    """What to install where an address needs a library that is missing; None if newsdata has no extra for it.

    >>> driver_hint("s3://bucket/site.tar", ImportError("Install s3fs to access S3"))
    "pip install 'newsdata[cluster]' for a folder, pip install 'newsdata[s3]' for a tar or zip file"
    """
    if not isinstance(error, ImportError) or not address.startswith(("s3://", "s3a://", "gs://")):
        return None
    folder = "pip install 'newsdata[cluster]' for a folder"
    return folder if address.startswith("gs://") else f"{folder}, pip install 'newsdata[s3]' for a tar or zip file"


def digest_unpacked(source: Source) -> str:
    """A digest of all files of the archive: 40 hexadecimal digits."""
    return hashlib.sha256(_index_path(Path(source.root)).read_bytes()).hexdigest()[:40]


# ---------------------------------------------------------------------------------------------------- reading


def list_files(source: Source) -> Listing:
    """Every member of the archive, sorted by path."""
    index = json.loads(_index_path(Path(source.root)).read_text(encoding="utf-8"))
    return Listing(
        files=Files.of(SourceFile(*file) for file in index["files"]),
        rejects=in_order(Reject(**reject) for reject in index["rejects"]),
        folders=frozenset(index["folders"]),
        notes=tuple(index["notes"]),
    )


def read_files(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    """Each file with its bytes, or with a reject if the unpacked file is too short.

    Raises:
        SourceError: the unpacked file is gone, or the object that takes its place was changed.
        MachineError: the object store refuses or cannot be reached.
    """
    if source.remote and not Path(source.root).is_file():
        yield from _read_remote(source, files)
        return
    try:
        handle = os.open(source.root, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"the unpacked archive is gone: {error.strerror}", path=source.root) from error
    try:
        for file in files:
            data = os.pread(handle, file.size, file.offset)
            whole = len(data) == file.size
            yield file, data if whole else unreadable(file, "the unpacked archive is cut short")
    finally:
        os.close(handle)


def _read_remote(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    """The same from the object. Files that lie close together are fetched together."""
    folder, _, name = source.remote.rpartition("/")
    objects, rest = Objects(url=folder), iter(files)
    while some := _batch(rest):
        parts = [file for file in some if file.size]
        found = objects.read_ranges(name, [file.offset for file in parts], [file.size for file in parts])
        if found is None:
            raise SourceError("the unpacked archive is gone", path=source.remote, hint="run the same command again")
        data = dict(zip((file.path for file in parts), found, strict=True))
        for file in some:
            content = data.get(file.path, b"")
            if file.stamp != f"sha256:{hashlib.sha256(content, usedforsecurity=False).hexdigest()}":
                reason = "the unpacked archive was changed while the build was at work"
                raise SourceError(reason, path=source.remote, hint="run the same command again")
            yield file, content


def _batch(files: Iterator[SourceFile]) -> list[SourceFile]:
    some: list[SourceFile] = []
    size = 0
    for file in files:
        some.append(file)
        size += file.size
        if len(some) == _BATCH_FILES or size >= _BATCH_BYTES:
            break
    return some
