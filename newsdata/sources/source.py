"""Where posts come from: a folder, a git repository at a revision, a tar or zip file, an fsspec address.

One way to name them, list them and read them. No link is followed, anywhere; no name from a source is used to
write; a list is in the order of the paths, whatever the file system says.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import MachineError, SourceError
from ..schema import Reject
from .archives import as_reject, read_index, unpack_file
from .folders import Fault, Folders, Listed, list_folder, path_inside, reason_for, size_fault, stamp_of
from .git_objects import git_folder, list_tree, read_blobs, resolve, split_revision
from .remote import unpack_url

__all__ = ["Files", "Listing", "Source", "SourceFile", "list_files", "open_source", "read_file", "read_files"]

_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HINT = "give a folder, repo@REVISION, a tar or zip file, or an address of one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened source; small, and picklable, so that every worker can have it.

    Attributes:
        kind: how it is read; "spool" is an archive or address that was unpacked.
        root: the folder, the git folder, or the spool file.
        exclude: a folder below `root` that is no part of the source, relative to it.
        commit: full id of the commit, for git.
        tree: full id of the tree that is the site's root, for git.
        below: the folder of the repository that is the site's root, "" for its own, for git.
    """

    kind: Literal["folder", "git", "spool"]
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
        stamp: equal stamps mean equal content, as far as can be told without reading:
            `mtime_ns:ctime_ns:inode:size` in a folder, `git:<blob id>` in git, `sha256:<hash>` in an archive.
        offset: where its bytes start in the spool.
    """

    path: str
    size: int
    stamp: str
    offset: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Files(Sequence[SourceFile]):
    """Regular files of a source, as Arrow columns: a record each takes ten times the memory, and steps of a loop.

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
        """The files of several parts, one part after the other."""
        columns = zip(*(part._columns() for part in (cls.of(()), *parts)), strict=True)
        return cls(*(pa.concat_arrays(column) for column in columns))

    def take(self, at: Sequence[int] | np.ndarray) -> Files:
        """Those at some places, in that order."""
        rows = pa.array(at, pa.int64())
        return Files(*(column.take(rows) for column in self._columns()))

    def _columns(self) -> tuple[pa.Array, ...]:
        return self.path, self.size, self.stamp, self.offset

    def __len__(self) -> int:
        """How many there are."""
        return len(self.path)

    def __iter__(self) -> Iterator[SourceFile]:
        """One after the other."""
        return map(SourceFile._make, zip(*(column.to_pylist() for column in self._columns()), strict=True))

    def __getitem__(self, at: Any) -> Any:
        """The file at a place, or those of a slice."""
        if isinstance(at, slice):
            return self.take(np.arange(*at.indices(len(self))))
        return SourceFile._make(column[at].as_py() for column in self._columns())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a source holds: whatever was seen is in `files` or in `rejects`, once.

    Attributes:
        files: sorted by path, by code points.
        rejects: what is no regular file, cannot be read, or cannot be told apart; sorted by path, too.
        commit: full id of the commit, for git.
        notes: what a reader of the log should know.
        listed_at: when the listing of a folder began, in nanoseconds since 1970; other sources cannot change meanwhile.
    """

    files: Files
    rejects: tuple[Reject, ...]
    commit: str | None = None
    notes: tuple[str, ...] = ()
    listed_at: int = 0


def open_source(spec: str | os.PathLike[str], *, scratch: Path, exclude: Path | None = None) -> Source:
    """Open a source; an archive or address is unpacked here.

    Args:
        spec: a folder; a bare git repository (read at HEAD); `repo@REV` or `repo@REV:sub/folder`; a tar
            (plain, gz, bz2, xz, zst) or zip file; an fsspec address of such a file or a folder. A work tree
            without `@REV` is read as a folder.
        scratch: a folder for the spool; whoever gives it deletes it when the source is no longer needed.
        exclude: a folder that is skipped if it lies inside the source: the output.

    Raises:
        SourceError: it cannot be opened, is damaged, or breaks a limit of `archives`.
        MachineError: the disk is full.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     _ = Path(name, "a.md").write_bytes(b"hello")
    ...     source = open_source(name, scratch=Path(name, "scratch"))
    ...     [(file.path, data) for file, data in read_files(source, list_files(source).files)]
    [('a.md', b'hello')]
    """
    text = os.fspath(spec)
    if text.startswith(("file://", "local://")):
        path = text.partition("://")[2]
        text = path if os.path.lexists(path) else unquote(path)
    if "://" in text and not os.path.lexists(text):
        spool = _new_spool(scratch)
        unpack_url(text, spool)
        return Source(kind="spool", root=str(spool))
    try:
        mode = Path(text).stat().st_mode
    except (OSError, ValueError) as error:
        if found := split_revision(text):
            return _open_git(*found)
        reason = f"no such source: {getattr(error, 'strerror', error)}"
        raise SourceError(reason, path=text, hint=_HINT) from error
    if stat.S_ISDIR(mode):
        bare = git_folder(text)
        return _open_git(bare, "HEAD", "") if bare else _open_folder(text, exclude)
    if not stat.S_ISREG(mode):
        raise SourceError("neither a folder nor a file", path=text, hint=_HINT)
    spool = _new_spool(scratch)
    unpack_file(Path(text), spool, name=text)
    return Source(kind="spool", root=str(spool))


def list_files(source: Source) -> Listing:
    """Everything in the source, in the order of the paths.

    Raises:
        SourceError: the source cannot be listed at all.
    """
    if source.kind == "folder":
        return _list_folder(source)
    if source.kind == "git":
        return _list_git(source)
    index = read_index(Path(source.root))
    files = Files.of(
        SourceFile(path=path, size=size, stamp=f"sha256:{sha256}", offset=offset)
        for path, size, offset, sha256 in index.files
    )
    return Listing(files=files, rejects=_in_order(index.rejects), notes=index.notes)


def read_files(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    """The bytes of `files`, which `list_files` gave, in the order asked for.

    A file that vanished, changed or cannot be read since it was listed comes as a `Reject`.

    Raises:
        SourceError: the source as a whole is gone.
    """
    if source.kind == "folder":
        return _read_folder(source, files)
    if source.kind == "git":
        return _read_git(source, tuple(files))
    return _read_spool(source, files)


def read_file(source: Source, path: str) -> bytes | None:
    """The bytes of one file, None where there is none: for `_config.yml`.

    Raises:
        SourceError: there is something at `path`, but it is a link, too large, or cannot be read.
    """
    if source.kind == "folder":
        listing = _list_one(source, path)
    elif source.kind == "git":
        listing = _list_git(source, path)
    else:
        listing = list_files(source)
    for file, data in read_files(source, listing.files.take(np.flatnonzero(pc.equal(listing.files.path, path)))):
        if isinstance(data, Reject):
            raise SourceError(data.reason, path=file.path)
        return data
    for reject in listing.rejects:
        if reject.path == path:
            raise SourceError(reject.reason, path=path, hint="replace it by a file that can be read")
    return None


def _in_order(rejects: Iterable[Reject]) -> tuple[Reject, ...]:
    return tuple(sorted(rejects, key=lambda found: (found.path, found.rule, found.sha256 or "", found.reason)))


def _unreadable(file: SourceFile, reason: str) -> Reject:
    return as_reject(file.path.encode(), Fault("unreadable", reason, file.size))


# ------------------------------------------------------------------------------------------------ folder


def _open_folder(text: str, exclude: Path | None) -> Source:
    root = os.path.realpath(text)
    inside = None
    if exclude is not None:
        inside = path_inside(root, exclude)
        if inside == ".":
            raise SourceError("the output folder is the source itself", path=text, hint="give another one")
    return Source(kind="folder", root=root, exclude=inside)


def _list_folder(source: Source) -> Listing:
    try:
        found = list_folder(source.root, source.exclude)
    except OSError as error:
        raise SourceError(_why(error), path=source.root) from error
    rejects = _in_order(as_reject(raw, fault) for raw, fault in found.faults)
    return Listing(files=_columns(found), rejects=rejects, listed_at=found.began)


def _columns(found: Listed) -> Files:
    values = pc.split_pattern(pa.array([found.files] if found.files else [], pa.string()), "\0").flatten()
    path, size, stamp = (values[begin::3] for begin in range(3))
    return Files(path, size.cast(pa.int64()), stamp, pa.array(np.zeros(len(path), np.int64)))


def _listed(path: str, status: os.stat_result) -> SourceFile | Reject:
    size = status.st_size
    if fault := size_fault(size):
        return as_reject(path.encode(), fault)
    return SourceFile(path, size, stamp_of(status))


def _why(error: OSError) -> str:
    try:
        return reason_for(error)
    except OSError:
        raise MachineError(f"the machine refused: {error.strerror}") from error


def _list_one(source: Source, path: str) -> Listing:
    raw = path.encode()
    found: SourceFile | Reject
    try:
        with _opened(source) as folders:
            status = os.stat(raw, dir_fd=folders.root, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return Listing(files=Files.of(()), rejects=())
    except OSError as error:
        found = as_reject(raw, Fault("unreadable", _why(error)))
    else:
        found = _listed(path, status)
        if not stat.S_ISREG(status.st_mode):
            found = as_reject(raw, Fault("not-a-file", "a link or no regular file; links are not followed"))
    if isinstance(found, Reject):
        return Listing(files=Files.of(()), rejects=(found,))
    return Listing(files=Files.of([found]), rejects=())


_TOGETHER = 64
"""Files that are opened, then read, at once: a disk is asked for all of them together, and each step runs warm."""
_TOGETHER_BYTES = 2**20


def _read_folder(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    with _opened(source) as folders:
        for some in _together(files):
            handles: list[int | Reject] = []
            try:
                for file in some:
                    handles.append(_open_regular(folders, file))
                found = [_take_regular(file, handle) for file, handle in zip(some, handles, strict=True)]
            finally:
                for handle in handles:
                    if isinstance(handle, int):
                        os.close(handle)
            yield from zip(some, found, strict=True)


def _together(files: Iterable[SourceFile]) -> Iterator[list[SourceFile]]:
    some: list[SourceFile] = []
    size = 0
    for file in files:
        if some and (len(some) == _TOGETHER or size + file.size > _TOGETHER_BYTES):
            yield some
            some, size = [], 0
        some.append(file)
        size += file.size
    if some:
        yield some


def _opened(source: Source) -> Folders:
    try:
        return Folders(source.root)
    except OSError as error:
        raise SourceError(_why(error), path=source.root) from error


def _open_regular(folders: Folders, file: SourceFile) -> int | Reject:
    """A descriptor of the file that was listed, with its bytes on their way."""
    folder, _, name = file.path.encode().rpartition(b"/")
    try:
        handle = os.open(name, _FILE_FLAGS, dir_fd=folders.open(folder))
    except OSError as error:
        return _unreadable(file, _why(error))
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # a pipe, say, which is no post
            os.posix_fadvise(handle, 0, file.size, os.POSIX_FADV_WILLNEED)
    return handle


def _take_regular(file: SourceFile, handle: int | Reject) -> bytes | Reject:
    """The bytes of an opened file."""
    if isinstance(handle, Reject):
        return handle
    try:
        data = _read_regular(handle, file)
    except OSError as error:
        return _unreadable(file, _why(error))
    return _unreadable(file, "changed while it was read") if data is None else data


def _read_regular(handle: int, file: SourceFile) -> bytes | None:
    """The bytes of a file, None if it is not the one that was listed."""
    size = file.size
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size != size or not _same_time(file, status):
        return None
    data = os.read(handle, size + 1)
    while len(data) < size and (more := os.read(handle, size + 1 - len(data))):
        data += more
    # Once more, so that a file written to meanwhile is not taken half old and half new.
    return data if len(data) == size and _same_time(file, os.fstat(handle)) else None


def _same_time(file: SourceFile, status: os.stat_result) -> bool:
    return file.stamp.startswith(f"{status.st_mtime_ns}:")


# --------------------------------------------------------------------------------------------------- git


def _open_git(folder: str, revision: str, below: str) -> Source:
    root = os.path.realpath(folder)
    commit, tree = resolve(root, revision, below)
    return Source(kind="git", root=root, commit=commit, tree=tree, below=below)


def _list_git(source: Source, only: str | None = None) -> Listing:
    blobs, rejects, notes = list_tree(source.root, source.tree, only)
    return Listing(
        files=Files.of(SourceFile(path=path, size=size, stamp=f"git:{blob}") for path, size, blob in sorted(blobs)),
        rejects=_in_order(rejects),
        commit=source.commit,
        notes=tuple(notes),
    )


def _read_git(source: Source, files: Sequence[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    blobs = [(file.stamp.removeprefix("git:"), file.size) for file in files]
    for file, data in zip(files, read_blobs(source.root, blobs), strict=True):
        yield file, _unreadable(file, "git cannot read the object; see `git fsck`") if data is None else data


# ------------------------------------------------------------------------------------------------- spool


def _new_spool(scratch: Path) -> Path:
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="source-", suffix=".spool", dir=scratch)
    except OSError as error:
        raise MachineError(f"cannot write here: {error.strerror}", path=scratch) from error
    os.close(handle)
    return Path(name)


def _read_spool(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    try:
        handle = os.open(source.root, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"the unpacked archive is gone: {error.strerror}", path=source.root) from error
    try:
        for file in files:
            data = os.pread(handle, file.size, file.offset)
            whole = len(data) == file.size
            yield file, data if whole else _unreadable(file, "the unpacked archive is cut short")
    finally:
        os.close(handle)
