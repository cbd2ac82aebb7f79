"""Open, list and read a source of any kind: a folder, a git repository, a tar or zip file, an fsspec address.

Each kind has a module of its own: `folder`, `git`, `bucket`, `archive` and `remote`, which unpack into a local file, and
`unpacked`, which reads that. What holds for all kinds: no link is followed, no name from a source is used to write a
file, and listings are sorted by path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow.compute as pc

from ..errors import SourceError
from ..files import expand_home
from ..objects import is_object_url
from ..schema import Reject
from . import bucket, folder, git, unpacked
from .archive import unpack_file
from .files import Files, Listing, Source, SourceFile
from .folder_walk import FOLLOWS_NO_LINK
from .listing_ahead import ListingAhead
from .remote import unpack_url

__all__ = [
    "Files",
    "Listing",
    "Source",
    "SourceFile",
    "list_files",
    "open_in_place",
    "open_source",
    "read_file",
    "read_files",
]

_HINT = "give a folder, repo@REVISION, a tar or zip file, or an address of one"


def open_source(spec: str | os.PathLike[str], *, scratch: Path, exclude: str | Path | None = None) -> Source:
    """Open a source. An archive or address is unpacked here.

    Args:
        spec: a folder; a bare git repository (read at HEAD); `repo@REV` or `repo@REV:sub/folder`; a tar (plain, gz,
            bz2, xz, zst) or zip file; a folder in an object store (s3://, gs://); an fsspec address of such a file or of a
            folder. A git work tree without `@REV` is read as a folder.
        scratch: a folder to unpack into. The caller deletes it when the source is no longer needed.
        exclude: a folder, or its address in an object store, to skip if it lies inside the source: the output.

    Raises:
        SourceError: the source cannot be opened, is damaged, or is above a limit of `newsdata.sources.unpacked`; or the
            system is not Linux, macOS or another POSIX system.
        MachineError: the disk is full.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     _ = Path(name, "a.md").write_bytes(b"hello")
    ...     source = open_source(name, scratch=Path(name, "scratch"))
    ...     [(file.path, data) for file, data in read_files(source, list_files(source).files)]
    [('a.md', b'hello')]
    """
    if found := open_in_place(spec, exclude=exclude):
        return found
    text = _without_protocol(spec)
    target = unpacked.new_unpacked(scratch)
    if _is_address(text):
        unpack_url(text, target)
    else:
        unpack_file(Path(text), target, name=text)
    return Source(kind="unpacked", root=str(target))


def open_in_place(spec: str | os.PathLike[str], *, exclude: str | Path | None = None) -> Source | None:
    """Open what need not be unpacked: a folder, here or in an object store, or a git repository. Nothing is written.

    Args:
        spec, exclude: as for `open_source`.

    Raises:
        SourceError: there is no such source, or it cannot be opened. An archive or another address is not looked into.

    Returns:
        None for an archive or another address.
    """
    text = _without_protocol(spec)
    if not FOLLOWS_NO_LINK:
        raise SourceError(
            "no archive can be read on this system: it cannot open files without following links",
            path=text,
            hint="use Linux or macOS to build; versions that were built can be read here",
        )
    if _is_address(text):
        return bucket.open_folder(text, exclude) if is_object_url(text) else None
    try:
        mode = Path(text).stat().st_mode
    except (OSError, ValueError) as error:
        if found := git.split_revision(text):
            return git.open_revision(*found)
        before, at, _ = text.partition("@")
        # A folder that may not be looked into counts as none.
        if at and os.path.isdir(before):  # noqa: PTH112
            hint = f"give {before} to read the folder as it is"
            raise SourceError(f"no such source: {before} is no git repository", path=text, hint=hint) from error
        reason = f"no such source: {getattr(error, 'strerror', error)}"
        raise SourceError(reason, path=text, hint=_HINT) from error
    if stat.S_ISDIR(mode):
        bare = git.git_folder(text)
        return git.open_revision(bare, "HEAD", "") if bare else folder.open_folder(text, _local(exclude))
    if not stat.S_ISREG(mode):
        raise SourceError("neither a folder nor a file", path=text, hint=_HINT)
    return None


def _local(exclude: str | Path | None) -> Path | None:
    """The folder to skip, if it is one of this machine."""
    return None if exclude is None or is_object_url(exclude) else Path(exclude)


def _without_protocol(spec: str | os.PathLike[str]) -> str:
    """The path behind `file://`; any other source as it is."""
    text = expand_home(os.fspath(spec))
    if text.startswith(("file://", "local://")):
        path = text.partition("://")[2]
        text = path if os.path.lexists(path) else unquote(path)
    return text


def _is_address(text: str) -> bool:
    return "://" in text and not os.path.lexists(text)


def list_files(source: Source, ahead: ListingAhead | None = None, scratch: Path | None = None) -> Listing:
    """List everything in the source, sorted by path.

    Args:
        source: what `open_source` returned.
        ahead: a listing of this folder that another process makes, if there is one: see
            `newsdata.sources.listing_ahead.list_ahead`. A failed one, or one of another folder, is not used.
        scratch: a folder for temporary files that hold the listing; by default the system's.

    Raises:
        SourceError: the source cannot be listed.
    """
    if source.kind == "folder":
        return folder.list_files(source, ahead, scratch)
    if source.kind == "bucket":
        return bucket.list_files(source, scratch)
    return git.list_files(source) if source.kind == "git" else unpacked.list_files(source)


def read_files(source: Source, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes | Reject]]:
    """Read files that `list_files` listed: each with its bytes, in the order given.

    A file that has vanished or changed since, or that cannot be read, comes with a `Reject` instead.

    Raises:
        SourceError: the whole source is gone.
    """
    if source.kind == "folder":
        return folder.read_files(source, files)
    if source.kind == "bucket":
        return bucket.read_files(source, files)
    return git.read_files(source, files) if source.kind == "git" else unpacked.read_files(source, files)


def read_file(source: Source, path: str) -> bytes | None:
    """Read one file, such as `_config.yml`; None if there is none at `path`.

    Raises:
        SourceError: there is something at `path`, but it is a link, too large, or cannot be read.
    """
    if source.kind == "folder":
        listing = folder.list_file(source, path)
    elif source.kind == "bucket":
        listing = bucket.list_file(source, path)
    elif source.kind == "git":
        listing = git.list_files(source, path)
    else:
        listing = unpacked.list_files(source)
    for file, data in read_files(source, listing.files.take(np.flatnonzero(pc.equal(listing.files.path, path)))):
        if isinstance(data, Reject):
            raise SourceError(data.reason, path=file.path)
        return data
    for reject in listing.rejects:
        if reject.path == path:
            raise SourceError(reject.reason, path=path, hint="replace it by a regular file that can be read")
    return None
