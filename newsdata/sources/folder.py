"""A folder as a source: open it, list it, read its files. No link is followed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import MachineError, SourceError
from ..schema import Reject
from .files import Files, Listing, Source, SourceFile, as_reject, in_order, unreadable
from .folder_walk import (
    FOLLOWS_NO_LINK,
    Fault,
    Faults,
    FolderOpener,
    Listed,
    list_folder,
    path_inside,
    reason_for,
    size_fault,
    stamp_of,
)
from .listing_ahead import ListingAhead

__all__ = ["list_file", "list_files", "open_folder", "read_files"]

_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC if FOLLOWS_NO_LINK else os.O_RDONLY
_BATCH_FILES = 64
"""Files that are opened before the first of them is read, so that the disk can fetch all of them at once. Fewer where the process
may open few: up to 16 threads read at a time."""
_BATCH_BYTES = 2**20
"""At most this much is read in such a batch, unless a single file is larger."""


def open_folder(path: str, exclude: str | os.PathLike[str] | None) -> Source:
    """Open a folder; `exclude` is skipped if it lies inside.

    Raises:
        SourceError: `exclude` is the folder itself.
    """
    root = os.path.realpath(path)
    inside = None if exclude is None else path_inside(root, exclude)
    if inside == ".":
        raise SourceError("the output folder is the source itself", path=path, hint="give another output folder")
    return Source(kind="folder", root=root, exclude=inside)


def list_files(source: Source, ahead: ListingAhead | None = None, scratch: Path | None = None) -> Listing:
    """Everything in the folder, sorted by path.

    Args:
        source: the folder.
        ahead: a listing that another process makes. It is used if it is for this folder and did not fail.
        scratch: a folder for temporary files.

    Raises:
        SourceError: the folder cannot be listed.
    """
    listed = None
    if ahead is not None and (ahead.root, ahead.exclude) == (source.root, source.exclude):
        listed = ahead.take()
    if listed is None:
        faults: Faults = []
        listed = Listed(began=time.time_ns(), faults=faults, files=_listed_here(source, faults))
    files = Files.on_disk(map(_as_columns, listed.files), scratch)
    rejects = [as_reject(raw, fault) for raw, fault in listed.faults]
    folders = frozenset(reject.path for reject, (_, fault) in zip(rejects, listed.faults, strict=True) if fault.folder)
    return Listing(files=files, rejects=in_order(rejects), folders=folders, listed_at=listed.began)


def _listed_here(source: Source, faults: Faults) -> Iterator[bytes]:
    try:
        yield from list_folder(source.root, source.exclude, faults)
    except OSError as error:
        raise SourceError(_reason(error), path=source.root) from error


def _as_columns(piece: bytes) -> Files:
    """The files of one piece of a listing."""
    values = pc.split_pattern(pa.array([piece], pa.string()), "\0").flatten()
    path, size, stamp = (values[begin::3] for begin in range(3))
    return Files(path, size.cast(pa.int64()), stamp, pa.array(np.zeros(len(path), np.int64)))


def list_file(source: Source, path: str) -> Listing:
    """The listing of one file: empty if there is none at `path`, a reject if it cannot be taken.

    Raises:
        SourceError: the folder cannot be opened.
    """
    raw = path.encode()
    try:
        with _opened(source) as opener:
            status = os.stat(raw, dir_fd=opener.root, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return Listing(files=Files.of(()), rejects=())
    except OSError as error:
        fault: Fault | None = Fault("unreadable", _reason(error))
    else:
        fault = size_fault(status.st_size)
        if not stat.S_ISREG(status.st_mode):
            fault = Fault("not-a-file", "this is a link or no regular file, and links are not followed")
    if fault is not None:
        return Listing(files=Files.of(()), rejects=(as_reject(raw, fault),))
    return Listing(files=Files.of([SourceFile(path, status.st_size, stamp_of(status))]), rejects=())


def read_files(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    """Each file with its bytes, or with a reject if it vanished, changed or cannot be read.

    Raises:
        SourceError: the folder cannot be opened.
    """
    with _opened(source) as opener:
        for batch in _batches(files):
            handles: list[int | Reject] = []
            try:
                for file in batch:
                    handles.append(_open_file(opener, file))
                found = [_read_file(file, handle, source) for file, handle in zip(batch, handles, strict=True)]
            finally:
                for handle in handles:
                    if isinstance(handle, int):
                        os.close(handle)
            yield from zip(batch, found, strict=True)


def _batches(files: Iterable[SourceFile]) -> Iterator[list[SourceFile]]:
    import resource  # Windows has no such module

    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = _BATCH_FILES if allowed == resource.RLIM_INFINITY else min(_BATCH_FILES, max(1, allowed // 32))
    batch: list[SourceFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) == most or size + file.size > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _opened(source: Source) -> FolderOpener:
    try:
        return FolderOpener(source.root)
    except OSError as error:
        raise SourceError(_reason(error), path=source.root) from error


def _open_file(opener: FolderOpener, file: SourceFile) -> int | Reject:
    """The descriptor of a listed file; the system is told to fetch its bytes."""
    folder, _, name = file.path.encode().rpartition(b"/")
    try:
        handle = os.open(name, _FILE_FLAGS, dir_fd=opener.open(folder))
    except OSError as error:
        return unreadable(file, _reason(error))
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # the file has become a pipe, for example; `_read_unchanged` notices
            os.posix_fadvise(handle, 0, file.size, os.POSIX_FADV_WILLNEED)
    return handle


def _read_file(file: SourceFile, handle: int | Reject, source: Source) -> bytes | Reject:
    """The bytes of an opened file, or the reject that opening it gave."""
    if isinstance(handle, Reject):
        return handle
    try:
        data = _read_unchanged(handle, file, by_time=not source.shared)
    except OSError as error:
        return unreadable(file, _reason(error))
    return unreadable(file, "changed while it was read") if data is None else data


def _read_unchanged(handle: int, file: SourceFile, *, by_time: bool) -> bytes | None:
    """The bytes of a file; None if it is not the file that was listed (as far as size and time tell), or not any more."""
    size = file.size
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size != size or (by_time and not _same_time(file, status)):
        return None
    data = os.read(handle, size + 1)
    while len(data) < size and (more := os.read(handle, size + 1 - len(data))):
        data += more
    # The time is compared again after reading, so that a file that is being written never gives a mix of old and new.
    return data if len(data) == size and os.fstat(handle).st_mtime_ns == status.st_mtime_ns else None


def _same_time(file: SourceFile, status: os.stat_result) -> bool:
    return file.stamp.startswith(f"{status.st_mtime_ns}:")


def _reason(error: OSError) -> str:
    try:
        return reason_for(error)
    except OSError:
        raise MachineError(f"the machine refused: {error.strerror}") from error
