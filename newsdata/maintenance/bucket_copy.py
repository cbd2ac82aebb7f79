"""Work on versions in an object store with the code that works on a folder.

What a call needs is copied to a folder of this machine, which then looks like the one in the store; files that are damaged there
have stand-ins with the same fault. What the call changed is put back, under the lease of the folder. Copies of data are hard
links to the files that loading keeps, so nothing is fetched twice.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..building.workspace import WORK
from ..card.versions_readme import README_NAME
from ..dataset.bucket import versions_in_bucket
from ..dataset.bucket_files import AT_ONCE, cache_folder, fetch_each
from ..dataset.hub_files import files_of
from ..errors import CallError, NewsdataError, VersionError, errors_naming
from ..graph.lease import LEASE_NAME, Lease, leased
from ..objects import Objects, ObjectTooLargeError, check_conditions
from ..storage.ledger import LARGEST_REDACTIONS, REDACTIONS_NAME
from ..storage.manifest import (
    LARGEST_MANIFEST,
    LARGEST_MARK,
    MANIFEST_NAME,
    YANKED_NAME,
    File,
    Manifest,
    Shard,
    read_manifest,
)

__all__ = ["changed_copy", "named_version", "versions_copy"]

_LARGEST = {README_NAME: 1 << 21, REDACTIONS_NAME: LARGEST_REDACTIONS, YANKED_NAME: LARGEST_MARK}

Wanted = Callable[[Manifest], Iterable[Shard | File]]
"""Which files of a version are copied, besides its manifest and its mark."""


def named_version(url: str | Path, revision: str | None) -> tuple[Objects, str]:
    """The folder of versions, and the one version in it that a call names exactly.

    Args:
        url: the address of a version, or with `revision` of the folder that holds versions.
        revision: "X.Y.Z".

    Raises:
        CallError: no exact version is named, or it lies in no folder.
    """
    place = Objects(url=str(url))
    if place.size(MANIFEST_NAME) is not None:
        above, _, name = place.url.rpartition("/")
        if above.endswith("/"):
            raise CallError("a version must lie in a folder of the bucket", path=place, hint="copy it to …/OUT/X.Y.Z")
        return Objects(url=above), name
    if revision is None or "*" in revision:
        hint = "name its address, or use --revision X.Y.Z"
        raise CallError("this folder holds versions; say which one is meant", path=place, hint=hint)
    return place, revision.removeprefix("v")


@contextlib.contextmanager
def versions_copy(
    out: Objects, versions: Sequence[str] | None = None, wanted: Wanted = files_of, *, anew: bool = False
) -> Iterator[Path]:
    """A context with a copy of a folder of versions. What is written into it goes nowhere.

    Args:
        out: the folder in the object store.
        versions: which versions are copied; None for all that have a manifest.
        wanted: which of their files.
        anew: fetch every byte from the store, and nothing from what loading keeps; files that no manifest lists are shown,
            too, as empty files.

    Raises:
        VersionError: a version was removed or replaced while it was read.
        MachineError: the store refuses or cannot be reached.
        NewsdataError: from the context; it names the address in place of the copy.
    """
    cache = cache_folder()
    (cache / "copies").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache / "copies") as scratch:
        folder = Path(scratch).resolve() / "out"  # without links, so that errors can name the address instead
        folder.mkdir()
        if anew:
            cache = Path(scratch)
        for version in versions_in_bucket(out) if versions is None else versions:
            _copy_version(out.inside(version), folder / version, wanted, cache, anew=anew)
        for name in (README_NAME, REDACTIONS_NAME):
            _copy_small(out, name, folder)
        with errors_naming(out.url, here=folder):
            yield folder


@contextlib.contextmanager
def changed_copy(
    out: Objects, work: str, versions: Sequence[str] | None = None, wanted: Wanted = lambda _: ()
) -> Iterator[tuple[Path, Lease]]:
    """A context with a copy of a folder of versions and its lease. Small files that change in it are put back at its end.

    These are the marks of versions, the redactions, and the README.md beside the versions.

    Args:
        out, versions, wanted: as for `versions_copy`.
        work: what is done, for the message to others.

    Raises:
        VersionError: there are no versions, or one was removed while it was read.
        MachineError: another process is at work there, the store ignores conditions, or it cannot be reached.
    """
    if versions is None and not versions_in_bucket(out):
        raise VersionError("there are no versions here", path=out, hint="name the folder that holds them")
    check_conditions(out)
    with leased(out, work) as lease, versions_copy(out, versions, wanted) as folder:
        if _has_builds(out):  # decides whether a README.md is made
            (folder / WORK).mkdir()
        before = _small_files(folder)
        yield folder, lease
        lease.renew()
        after = _small_files(folder)
        for name, data in sorted(after.items()):
            if before.get(name) != data:
                out.put(name, data)
        out.delete(sorted(name for name in before.keys() - after.keys() if (folder / name).parent.is_dir()))


def _copy_version(objects: Objects, folder: Path, wanted: Wanted, cache: Path, *, anew: bool) -> None:
    data = objects.read(MANIFEST_NAME, LARGEST_MANIFEST)
    if data is None:
        return  # it is no version, or not any more
    folder.mkdir()
    (folder / MANIFEST_NAME).write_bytes(data)
    _copy_small(objects, YANKED_NAME, folder)
    try:
        manifest = read_manifest(folder)
    except NewsdataError:  # the caller will find that, too
        return
    sizes = dict(objects.names()) if anew else {}
    listed = list(wanted(manifest))
    here = [file for file in listed if sizes.get(file.path, file.bytes) == file.bytes]
    faults = dict(zip((file.path for file in here), fetch_each(objects, here, folder, cache), strict=True))
    odd = [path for path, fault in faults.items() if fault] + [file.path for file in listed if file not in here]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, size in zip(odd, pool.map(objects.size, odd), strict=True):
            if size is not None:
                _stand_in(folder / path, size)
    for path in sizes.keys() - {file.path for file in files_of(manifest)} - {MANIFEST_NAME, YANKED_NAME}:
        with contextlib.suppress(OSError):  # its name is that of a folder here
            _stand_in(folder / path, 0)
    if objects.read(MANIFEST_NAME, LARGEST_MANIFEST) != data:
        raise VersionError(
            "this version was removed or replaced while it was read", path=objects, hint="run this again"
        )


def _stand_in(path: Path, size: int) -> None:
    """A file of this size, all zeros, that takes no space."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.truncate(size)


def _copy_small(objects: Objects, name: str, folder: Path) -> None:
    try:
        data = objects.read(name, _LARGEST[name])
    except ObjectTooLargeError:
        _stand_in(folder / name, _LARGEST[name] + 1)
        return
    if data is not None:
        (folder / name).write_bytes(data)


def _small_files(folder: Path) -> dict[str, bytes]:
    """The small files that a call may change, by name."""
    paths = [folder / README_NAME, folder / REDACTIONS_NAME, *folder.glob(f"*/{YANKED_NAME}")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def _has_builds(out: Objects) -> bool:
    """Whether versions are built in this folder: the work folder holds more than the lease."""
    return any(name != LEASE_NAME for name, _ in out.names(WORK))
