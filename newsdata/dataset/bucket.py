"""Find versions in an object store (s3://, gs://). A version counts only with its manifest, which is put last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..errors import ManifestError, VersionError
from ..objects import Objects, ObjectTooLargeError
from ..storage.manifest import (
    LARGEST_MANIFEST,
    LARGEST_MARK,
    MANIFEST_NAME,
    YANKED_NAME,
    File,
    Manifest,
    Shard,
    every_yanked,
    is_version,
    parse_version,
    read_manifest,
    version_matches,
    yanked_reason,
)
from ..storage.reading import wrong_name
from .bucket_files import AT_ONCE, cache_folder, fetch_files, keep_manifest

__all__ = ["BucketVersion", "find_in_bucket", "versions_in_bucket", "yanked_in_bucket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketVersion:
    """A version in an object store.

    Attributes:
        objects: its folder there.
        out: the folder that holds it and other versions; None if it lies alone.
        folder: its local folder, with its manifest and what was fetched so far.
        cache: where fetched files are kept.
        yanked: why it was marked as bad; None when it was not.
    """

    objects: Objects
    out: Objects | None
    folder: Path
    cache: Path
    yanked: str | None

    def fetch(self, files: Iterable[File | Shard]) -> Path:
        """The local folder, into which some files are fetched and checked.

        Args:
            files: from its manifest.

        Raises:
            VersionError, VerifyError, MachineError: as for `fetch_files`.
        """
        fetch_files(self.objects, files, self.folder, self.cache)
        return self.folder


def find_in_bucket(
    url: str | Path, revision: str | None = None, cache_dir: str | Path | None = None
) -> tuple[BucketVersion, Manifest]:
    """A version in an object store, and its manifest. Nothing else is fetched.

    Args:
        url: the address of a version, or of the folder that holds versions.
        revision: as for `open_version`.
        cache_dir: where fetched files are kept; None is beside the cache of `huggingface_hub`.

    Raises:
        VersionError: there is no such version, or only yanked ones; the message lists those that are there.
        ManifestError: the manifest cannot be read.
        CallError: this is no address in an object store.
        MachineError: the store refuses or cannot be reached.
    """
    place, cache = Objects(url=str(url)), cache_folder(cache_dir)
    wanted = (revision or "*").removeprefix("v")
    data = place.read(MANIFEST_NAME, LARGEST_MANIFEST)
    if data is not None:
        found, manifest = _opened(place, _folder_above(place), data, cache, _yanked(place))
        if not version_matches(manifest.dataset_version, wanted):
            raise VersionError(f"this folder holds {manifest.dataset_version}, not {revision}", path=place)
        return found, manifest
    yanked: dict[str, str] = {}
    is_range = wanted.endswith("*")
    names = [name for name in _folders(place) if version_matches(name, wanted)] if is_range else [wanted]
    for version in reversed(names):  # one that is named exactly is found even if the store does not list it yet
        parse_version(version)
        objects = place.inside(version)
        data = objects.read(MANIFEST_NAME, LARGEST_MANIFEST)
        if data is None:  # a build is under way, or was interrupted
            continue
        reason = _yanked(objects)
        if reason is None or not is_range:
            return _opened(objects, place, data, cache, reason)
        yanked[version] = reason
    raise _not_there(place, revision, yanked)


def _opened(
    objects: Objects, out: Objects | None, data: bytes, cache: Path, yanked: str | None
) -> tuple[BucketVersion, Manifest]:
    folder = keep_manifest(data, cache)
    found = BucketVersion(objects=objects, out=out, folder=folder, cache=cache, yanked=yanked)
    try:
        manifest = read_manifest(folder)
        if reason := wrong_name(Path(objects.url), manifest):
            raise ManifestError(reason, hint=f"copy its objects below {manifest.dataset_version}/ instead")
        return found, manifest
    except ManifestError as error:
        raise ManifestError(error.reason, path=f"{objects}/{MANIFEST_NAME}", hint=error.hint) from None


def _not_there(place: Objects, revision: str | None, yanked: dict[str, str]) -> VersionError:
    if yanked:
        return every_yanked(place, dict(reversed(yanked.items())))
    there = versions_in_bucket(place)
    if there:
        return VersionError(f"there is no version {revision}", path=place, hint=f"there are: {', '.join(there)}")
    above = _folder_above(place)
    if above and (beside := versions_in_bucket(above)):
        return VersionError("there is no such version", path=place, hint=f"there are: {', '.join(beside)}")
    hint = "check the address; a version counts once its manifest.json is there"
    return VersionError("there is no dataset here", path=place, hint=hint)


def _folder_above(objects: Objects) -> Objects | None:
    """The folder that holds the folder of a version; None if its name is no version."""
    above, _, name = objects.url.rpartition("/")
    return Objects(url=above) if is_version(name) and not above.endswith("/") else None


def versions_in_bucket(out: Objects) -> list[str]:
    """The versions in a folder of an object store, oldest first; those with a manifest.

    Raises:
        MachineError: the store refuses or cannot be reached.
    """
    names = _folders(out)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sizes = list(pool.map(lambda name: out.size(f"{name}/{MANIFEST_NAME}"), names))
    return [name for name, size in zip(names, sizes, strict=True) if size is not None]


def yanked_in_bucket(out: Objects, versions: Sequence[str]) -> dict[str, str]:
    """Those of some versions that were marked as bad, and why."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reasons = list(pool.map(lambda version: _yanked(out.inside(version)), versions))
    return {version: reason for version, reason in zip(versions, reasons, strict=True) if reason is not None}


def _yanked(version: Objects) -> str | None:
    """Why a version was marked as bad; None when it was not."""
    try:
        data = version.read(YANKED_NAME, LARGEST_MARK)
    except ObjectTooLargeError:
        data = b""
    return None if data is None else yanked_reason(data)


def _folders(out: Objects) -> list[str]:
    """The folders named X.Y.Z, oldest first."""
    return sorted(filter(is_version, out.folders()), key=parse_version)
