"""A version that may be published: not yanked, without redacted articles, and with every file as the manifest says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..dataset.bucket import find_in_bucket
from ..dataset.hub_files import files_of
from ..dataset.open_version import open_version
from ..errors import CallError, VerifyError, VersionError
from ..maintenance.bucket_copy import named_version, versions_copy
from ..maintenance.verify import check_redactions
from ..objects import is_object_url
from ..storage.manifest import MANIFEST_NAME, File, Manifest, fault_of, hash_file, holds_text, read_yanked

__all__ = ["CheckedVersion", "check_version", "checked_version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedVersion:
    """A version whose files were checked.

    Attributes:
        folder: its folder, without links.
        version: "X.Y.Z".
        full_text: whether it holds the publishers' text.
        files: every file by its path, the manifest included; sorted by path.
    """

    folder: Path
    version: str
    full_text: bool
    files: Mapping[str, File]


@contextmanager
def checked_version(directory: str | Path, revision: str | None, *, full_text: bool = True) -> Iterator[CheckedVersion]:
    """A context with a version of which every file was checked. One in a bucket is copied to this machine for that time.

    Args:
        directory: the folder of a version, or the folder that holds versions; also in a bucket.
        revision: as for `open_version`.
        full_text: whether it may hold the publishers' text.

    Raises:
        VersionError: there is no such version, or it was yanked.
        CallError: it holds text and may not, holds an article that was redacted after it was built, or lies at another kind
            of address.
        VerifyError: a file is not the one that the manifest names.
        ManifestError: there is no usable manifest.
        MachineError: the object store refuses or cannot be reached.
    """
    if is_object_url(directory):
        found, manifest = find_in_bucket(directory, revision)
        _check_manifest(manifest, found.yanked, found.objects.url, full_text)  # before everything is fetched
        out, version = named_version(found.objects.url, None)
        with versions_copy(out, [version]) as copy:
            yield check_version(copy / version, None)
    elif "://" in str(directory):
        hint = "name a folder, s3://… or gs://…"
        raise CallError("versions at this kind of address cannot be published", path=directory, hint=hint)
    else:
        yield check_version(directory, revision, full_text=full_text)


def check_version(directory: str | Path, revision: str | None, *, full_text: bool = True) -> CheckedVersion:
    """A version in a folder of this machine, after every file was checked.

    Args:
        directory, revision, full_text: as for `checked_version`.

    Raises:
        VersionError, CallError, VerifyError, ManifestError: as for `checked_version`.
    """
    folder, manifest = open_version(directory, revision)
    folder = folder.resolve()
    check_redactions(folder, manifest)
    _check_manifest(manifest, read_yanked(folder), folder, full_text)
    return CheckedVersion(
        folder=folder,
        version=manifest.dataset_version,
        full_text=holds_text(manifest),
        files=_checked_files(folder, manifest),
    )


def _check_manifest(manifest: Manifest, yanked: str | None, place: str | Path, full_text: bool) -> None:
    """Check what can be told without the files of the version at `place`."""
    if yanked is not None:
        raise VersionError(
            f"{manifest.dataset_version} was yanked: {yanked}", path=place, hint="publish another version"
        )
    if manifest.configuration.get("text") == "partial":
        raise VersionError(
            f"this is only a part of {manifest.dataset_version}", path=place, hint="publish the release itself"
        )
    if holds_text(manifest) and not full_text:
        raise CallError(
            "this version holds the full text of the articles",
            path=place,
            hint="if its publishers' rights allow that, use --full-text; else build a version with --text none",
        )


def _checked_files(folder: Path, manifest: Manifest) -> dict[str, File]:
    size, digest = hash_file(folder / MANIFEST_NAME)
    files = {MANIFEST_NAME: File(path=MANIFEST_NAME, bytes=size, sha256=digest)}
    faults = []
    for named in files_of(manifest):
        if fault := fault_of(folder, named):
            faults.append(f"{named.path}: {fault}")
        files[named.path] = File(path=named.path, bytes=named.bytes, sha256=named.sha256)
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise VerifyError(f"damaged, so nothing was sent: {faults[0]}{more}", path=folder, faults=tuple(faults))
    return dict(sorted(files.items()))
