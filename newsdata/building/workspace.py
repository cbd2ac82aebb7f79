"""The folder `OUT/.newsdata`: the lock or lease, the staging folder, and the store. OUT is a folder, or lies in a bucket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..card.versions_readme import update_versions_readme
from ..errors import MachineError, errors_naming, first_line
from ..files import is_regular
from ..graph.lease import WORK, leased
from ..graph.store import Store
from ..objects import Objects, check_conditions, is_object_url
from ..storage.manifest import MANIFEST_NAME
from ..storage.version_place import check_holds_versions
from .bucket import Bucket, remove_staged
from .mirror import mirror_versions
from .scratch import scratch_folder

__all__ = ["WORK", "Workspace", "locked", "machine_errors", "open_workspace", "store_in"]

_STORE = "cache"
_UNCACHED = "uncached"  # in a bucket, the store of a build without a cache
_LOCKS = ("lock", "regenerate.lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where a build works.

    Attributes:
        out: the folder of versions; for one in a bucket, its mirror.
        staging: a folder for unfinished files: empty at the beginning, removed at the end.
        store: the results of earlier builds and of this one.
        scratch: the folder of this machine in which all of this lies, if `out` lies in a bucket; else None.
        bucket: of a folder of versions in a bucket; else None.
    """

    out: Path
    staging: Path
    store: Store
    scratch: Path | None = None
    bucket: Bucket | None = None

    def check(self) -> None:
        """Check that this process may still change the folder of versions. Raises a `MachineError` if it may not."""
        if self.bucket:
            self.bucket.lease.check()

    def excluded_from(self, source: str | Path, out: Path) -> str | Path:
        """The folder that is no part of the source, even if it lies in it: the one that this build writes to.

        Args:
            source: as the caller named it.
            out: the folder of the new version.
        """
        if self.bucket and is_object_url(source):
            return self.bucket.out.url
        return self.scratch or out

    def update_readme(self) -> str | None:
        """Write the README.md of the folder of versions. Returns why it was not written; see `card.versions_readme`."""
        if self.bucket:
            return self.bucket.update_readme(self.staging)
        return update_versions_readme(self.out, scratch=self.staging)

    def address(self, folder: Path) -> str:
        """The address of a version whose folder lies in `out`; the path of any other folder."""
        if self.bucket and folder.parent == self.out:
            return f"{self.bucket.out.url}/{folder.name}"
        return str(folder)


@contextmanager
def locked(out: Path, name: str = "lock", holder: str = "build") -> Iterator[None]:
    """A context that holds a lock of a folder of versions. Folders that it made and nobody used are gone at its end.

    Args:
        out: the folder of versions; it is made if it does not exist.
        name: of the lock, a file in `out/.newsdata`.
        holder: what holds it, for the message: "build" or "run".

    Raises:
        VersionError: `out` is itself the folder of a version.
        MachineError: `out` is a file, its work folder or a part of it is a link, or another process holds the lock.
    """
    from filelock import FileLock, Timeout

    if out.exists() and not out.is_dir():
        raise MachineError("is a file", path=out, hint="name a folder to write versions to")
    if os.path.lexists(out / MANIFEST_NAME):
        check_holds_versions(Objects(url=out.absolute().as_uri()), out)
    for inside in (WORK, f"{WORK}/{name}", f"{WORK}/{_STORE}"):
        if (out / inside).is_symlink():  # what is written would land outside of the folder
            raise MachineError("is a link", path=out / inside, hint="remove it; a build makes its own")
    for inside, is_good in ((WORK, Path.is_dir), (f"{WORK}/{name}", is_regular)):
        if os.path.lexists(out / inside) and not is_good(out / inside):
            kind = "folder" if inside == WORK else "regular file"
            raise MachineError(f"is no {kind}", path=out / inside, hint="remove it; a build makes its own")
    made = [folder for folder in (out / WORK, *(out / WORK).parents) if not folder.exists()]
    (out / WORK).mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(out / WORK / name).acquire(timeout=0)
    except Timeout:
        hint = "wait for it to end, then run this again"
        raise MachineError(f"another {holder} is at work here", path=out, hint=hint) from None
    with held:
        try:
            yield
        finally:
            if made:
                _remove_unused(out / WORK, made)


def _remove_unused(work: Path, made: list[Path]) -> None:
    """Remove the folders that were made for a call that then was refused: they hold no more than locks and an empty store.

    Args:
        work: the work folder.
        made: it and the folders around it that were made, the innermost one first.
    """
    with suppress(OSError):
        locks = [path for path in work.iterdir() if path.name != _STORE]
        if any(path.name not in _LOCKS for path in locks):
            return
        if (work / _STORE).exists():
            (work / _STORE).rmdir()
        for path in locks:
            path.unlink()
        for folder in made:
            folder.rmdir()


@contextmanager
def machine_errors(out: Path) -> Iterator[None]:
    """A context that turns errors of the system and of Arrow into a `MachineError`."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # Arrow's, about the content of a file
            raise _unreadable(out, error) from error
        raise MachineError(
            f"the system said: {error.strerror or error}",
            path=error.filename or out,
            hint="earlier versions are untouched; make room or check permissions, then run the same command again",
        ) from error
    except (pa.ArrowMemoryError, pa.ArrowCapacityError) as error:
        raise MachineError(
            f"Arrow said: {first_line(error)}",
            path=out,
            hint="earlier versions are untouched; the machine may be out of memory, "
            "or one month may have more than 2 GB of text",
        ) from error
    except pa.ArrowException as error:
        raise _unreadable(out, error) from error


def _unreadable(out: Path, error: Exception) -> MachineError:
    return MachineError(
        f"data cannot be read: {first_line(error)}",
        path=out,
        hint="earlier versions are untouched; `newsdata verify` finds a damaged version, --no-cache ignores the cache",
    )


def open_workspace(out: str | Path, *, cache: bool) -> AbstractContextManager[Workspace]:
    """A context that holds the lock of a folder of versions and gives its workspace.

    Args:
        out: the folder of versions, which is made if it does not exist; or its address in a bucket.
        cache: whether to use the store of earlier builds; if not, the build gets an empty store that is removed at the end.

    Raises:
        VersionError, MachineError: as for `locked`; or something in the context failed because of the machine.
    """
    if is_object_url(out):
        return _open_bucket(Objects(url=str(out)), cache)
    return _open_folder(Path(out), cache)


@contextmanager
def _open_folder(out: Path, cache: bool) -> Iterator[Workspace]:
    with machine_errors(out), locked(out):
        staging = out / WORK / "staging"
        if staging.is_symlink() or not staging.is_dir():
            staging.unlink(missing_ok=True)
        shutil.rmtree(staging, ignore_errors=True)  # of a build that was killed
        staging.mkdir()
        folder = out / WORK / _STORE if cache else staging / _STORE
        if not folder.is_dir():
            folder.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)
        try:
            yield Workspace(out=out, staging=staging, store=Store(folder=folder))
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _open_bucket(out: Objects, cache: bool) -> Iterator[Workspace]:
    check_holds_versions(out, out.url)
    check_conditions(out, WORK)
    uncached = out.inside(f"{WORK}/{_UNCACHED}")
    with (
        scratch_folder() as scratch,
        errors_naming(out.url, here=scratch / "out"),
        machine_errors(scratch / "out"),
        leased(out) as lease,
    ):
        remove_staged(out)
        _empty(uncached)
        mirror_versions(out, scratch / "out")
        for folder in ("staging", _STORE):
            (scratch / folder).mkdir()
        remote = out.inside(f"{WORK}/{_STORE}") if cache else uncached
        try:
            yield Workspace(
                out=scratch / "out",
                staging=scratch / "staging",
                store=Store(folder=scratch / _STORE, remote=remote),
                scratch=scratch,
                bucket=Bucket(out=out, mirror=scratch / "out", lease=lease),
            )
        finally:
            if not cache:
                with suppress(MachineError):
                    lease.check()
                    _empty(uncached)


def _empty(folder: Objects) -> None:
    folder.delete([name for name, _ in folder.names()])


def store_in(out: Path) -> Store | None:
    """The store of a folder of versions; None if it has none, or a link in its place."""
    folder = out / WORK / _STORE
    return Store(folder=folder) if folder.is_dir() and not folder.is_symlink() else None
