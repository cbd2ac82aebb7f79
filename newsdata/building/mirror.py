"""The mirror: the small files of a folder of versions in a bucket, in a local folder, as far as a build reads them.

It holds every manifest and mark, and the other small files of the newest version and of the one to follow. Shards are fetched
where a build needs them. So all that reads a folder of versions reads a mirror, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..card.versions_readme import README_NAME
from ..errors import ManifestError, VersionError
from ..objects import Objects
from ..storage.ledger import LEDGER_NAME, REDACTIONS_NAME
from ..storage.manifest import (
    LARGEST_MANIFEST,
    LARGEST_MARK,
    MANIFEST_NAME,
    YANKED_NAME,
    File,
    Manifest,
    Shard,
    check_file,
    is_version,
    parse_version,
    read_manifest,
)

__all__ = ["AT_ONCE", "absent_files", "fetch_files", "fetch_small_files", "fetch_version", "mirror_versions"]

AT_ONCE = 16
"""Objects that are fetched, copied or written at the same time."""

_LARGEST = {MANIFEST_NAME: LARGEST_MANIFEST, YANKED_NAME: LARGEST_MARK, REDACTIONS_NAME: 1 << 28, README_NAME: 1 << 20}


def mirror_versions(out: Objects, folder: Path) -> None:
    """Fetch the manifest and the mark of every version, redactions and README.md, and the small files of the newest version.

    A listing may be late, so it only says where to look.

    Args:
        out: the folder of versions in the bucket.
        folder: the mirror; it is made.

    Raises:
        MachineError: the store fails, or a file is too large.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [REDACTIONS_NAME, README_NAME]
    listed = [name for name in out.folders() if is_version(name)]
    for version in listed:
        (folder / version).mkdir(exist_ok=True)
        wanted += [f"{version}/{MANIFEST_NAME}", f"{version}/{YANKED_NAME}"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: _fetch_bounded(out, folder, name), wanted))
    there = [version for version in listed if (folder / version / MANIFEST_NAME).is_file()]
    for version in set(listed).difference(there):
        if out.size(f"{version}/{LEDGER_NAME}") is not None:  # it lost its manifest
            (folder / version / LEDGER_NAME).touch()
        else:
            (folder / version).rmdir()
    for version in sorted(there, key=parse_version, reverse=True):
        if fetch_small_files(out.inside(version), folder / version):
            break


def fetch_version(version: Objects, mirror: Path) -> Path:
    """Fetch the small files of a version, and what the folder of versions that it lies in says of all versions.

    Args:
        version: the folder of the version in the bucket.
        mirror: of the folder of versions; it is made if it does not exist.

    Returns:
        The folder of the version in the mirror.

    Raises:
        ManifestError: there is no such version.
    """
    out, _, name = version.url.rpartition("/")
    if not is_version(name) or version.size(MANIFEST_NAME) is None:
        raise ManifestError(
            "there is no version here", path=version.url, hint="give the address of a version: OUT/1.0.0"
        )
    if not mirror.is_dir():
        mirror_versions(Objects(url=out), mirror)
    folder = mirror / name
    if not folder.is_dir():  # the listing is late
        folder.mkdir()
        _fetch_bounded(version, folder, MANIFEST_NAME)
        _fetch_bounded(version, folder, YANKED_NAME)
    fetch_small_files(version, folder)
    return folder


def fetch_small_files(version: Objects, folder: Path) -> bool:
    """Fetch all files of a version but its shards; its manifest is there.

    Returns:
        Whether its manifest and its ledger are good. One that is not is found and named where it is read.
    """
    try:
        manifest = read_manifest(folder)
        fetch_files(version, folder, manifest.files)
        check_file(folder, manifest, LEDGER_NAME)
    except (ManifestError, VersionError, OSError):
        return False
    return True


def fetch_files(version: Objects, folder: Path, files: Sequence[File | Shard]) -> None:
    """Fetch those files of a version that are not in its mirror, and have the size that the manifest names."""

    def fetch(file: File | Shard) -> None:
        path = folder / file.path
        if not path.is_file() and version.size(file.path) == file.bytes:
            path.parent.mkdir(parents=True, exist_ok=True)
            version.fetch(file.path, path, file.bytes)

    if files:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(fetch, files))


def absent_files(version: Objects, manifest: Manifest) -> list[str]:
    """The paths of files of a version that are missing in the bucket or have another size."""
    everything: Iterable[File | Shard] = (*manifest.shards, *manifest.files)
    listed = dict(version.names())
    doubtful = [file for file in everything if listed.get(file.path) != file.bytes]
    return [file.path for file in doubtful if version.size(file.path) != file.bytes]  # the listing may be late


def _fetch_bounded(out: Objects, folder: Path, name: str) -> None:
    limit = _LARGEST[name.rpartition("/")[2]]
    if name == README_NAME and (out.size(name) or 0) > limit:
        (folder / name).touch()  # somebody else's, and it stays
    else:
        out.fetch(name, folder / name, limit)
