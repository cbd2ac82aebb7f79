"""Find a version of the dataset: in a folder, or on the Hub."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CallError, VerifyError, VersionError, shown
from ..files import expand_home
from ..objects import is_object_url
from ..storage.manifest import (
    MANIFEST_NAME,
    Manifest,
    Shard,
    every_yanked,
    fault_of,
    is_version,
    read_manifest,
    read_yanked,
    version_matches,
    versions_in,
)
from ..storage.reading import read_version

if TYPE_CHECKING:
    from .bucket import BucketVersion
    from .hub_revisions import HubRevision

__all__ = ["FoundVersion", "find_version", "named_repository", "open_version", "require_versions", "warn_if_yanked"]

_HUB = "hf://datasets/"
_REPOSITORY = re.compile(r"(?P<repo_id>[\w-][\w.-]*/[\w-][\w.-]*)(?:@(?P<revision>[^@/]+))?", re.ASCII)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
_LOOKED_INTO = 100  # entries of a folder without versions in which they are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVersion:
    """A version in a folder, in an object store, or on the Hub.

    Attributes:
        manifest: its manifest.
        folder: its folder. Of a version elsewhere: the folder in the local cache that holds what was fetched so far.
        on_hub: its repository and commit; None for a version that is not on the Hub.
        in_bucket: its place in an object store; None for a version that is not in one.
        token, cache_dir: as for `find_version`.
    """

    manifest: Manifest
    folder: Path
    on_hub: HubRevision | None = None
    in_bucket: BucketVersion | None = None
    token: str | None = field(default=None, repr=False)
    cache_dir: str | Path | None = None

    @property
    def yanked(self) -> str | None:
        """Why the version was marked as bad; None when it was not."""
        elsewhere = self.on_hub or self.in_bucket
        return elsewhere.yanked if elsewhere else read_yanked(self.folder)

    @property
    def is_here(self) -> bool:
        """Whether it is in a folder of this machine, so that nothing is fetched."""
        return self.on_hub is None and self.in_bucket is None

    def shard_files(self, shards: Sequence[Shard], *, streaming: bool) -> list[str]:
        """The path or address of each shard. Only these shards are fetched and checked.

        With `streaming`, shards on the Hub are neither fetched nor checked.

        Raises:
            VerifyError: a shard is not the file that the manifest names.
            HubError: the Hub cannot be reached, and a shard is not in the cache.
        """
        paths = [shard.path for shard in shards]
        if self.is_here:
            for shard in shards:
                _check_shard(self.folder, shard)
            return [str(self.folder / path) for path in paths]
        if streaming and self.on_hub and not self.on_hub.offline:
            from .hub_stream import stream_address

            return [stream_address(self.on_hub.repo_id, self.on_hub.commit, path) for path in paths]
        folder = self.with_files(paths)
        return [str(folder / path) for path in paths]

    def with_files(self, patterns: Iterable[str]) -> Path:
        """The folder of the version. Of a version elsewhere, some files are fetched into it and checked.

        Args:
            patterns: paths in the dataset, or shell patterns ("articles/test-*").

        Raises:
            VerifyError: bytes arrive that do not match the manifest.
            HubError: the Hub cannot be reached, and a file is not in the cache.
            VersionError, MachineError: the version left the object store meanwhile, or that cannot be reached.
        """
        if self.is_here:
            return self.folder
        from .hub_files import fetch, files_matching

        if self.in_bucket is not None:
            return self.in_bucket.fetch(files_matching(self.manifest, patterns))
        assert self.on_hub is not None  # or it would be here
        return fetch(self.on_hub, patterns, token=self.token, cache_dir=self.cache_dir)


def find_version(
    path: str | Path,
    revision: str | None = None,
    *,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    accept_moved: bool = False,
) -> FoundVersion:
    """A version in a folder, in an object store, or on the Hub.

    `path` names a repository when it begins with hf://datasets/. It does so, too, when it has the form owner/name, there
    is no such folder, and the folder `owner` holds no versions (then `name` is a version that does not exist). Of a
    repository, a revision may follow after "@".

    Args:
        path: the folder of a version, the folder that holds versions, both also in an object store ("s3://bucket/finews"),
            or a dataset repository on the Hub: "owner/name", "owner/name@1.0.0" or "hf://datasets/owner/name@1.0.0".
        revision: "1.0.0", "v1.0.0" or a range such as "1.*"; None is the newest. On the Hub also a branch or a commit.
        token, cache_dir, accept_moved: of a repository on the Hub, as for `resolve`.

    Raises:
        CallError: `path` is an address of another kind, or it and `revision` name two revisions.
        VersionError: there is no such version; the message lists those that are there.
        ManifestError: the manifest cannot be read.
        HubError: the Hub refused, or cannot be reached and this exact version is not cached.
        MachineError: the object store refuses or cannot be reached.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     find_version(out, "1.*").manifest.dataset_version
    '1.0.0'
    """
    path = expand_home(path)
    revision = None if revision is None else str(revision)  # people also give a `datasets.Version`
    repository = named_repository(path, revision)
    if is_object_url(path):
        from .bucket import find_in_bucket

        in_bucket, manifest = find_in_bucket(path, revision, cache_dir)
        return FoundVersion(manifest=manifest, folder=in_bucket.folder, in_bucket=in_bucket)
    if repository is None:
        folder, manifest = open_version(path, revision)
        return FoundVersion(manifest=manifest, folder=folder)
    from .hub_files import fetch
    from .hub_revisions import resolve

    repo_id, wanted = repository
    on_hub = resolve(repo_id, wanted, token=token, cache_dir=cache_dir, accept_moved=accept_moved)
    folder = fetch(on_hub, ["README.md"], token=token, cache_dir=cache_dir)
    return FoundVersion(manifest=read_manifest(folder), folder=folder, on_hub=on_hub, token=token, cache_dir=cache_dir)


def warn_if_yanked(version: FoundVersion) -> None:
    """Warn the caller of a public function that a version was marked as bad."""
    if (reason := version.yanked) is not None:
        warnings.warn(f"{version.manifest.dataset_version} was yanked: {shown(reason)}", UserWarning, stacklevel=3)


def named_repository(path: str | Path, revision: str | None) -> tuple[str, str | None] | None:
    """The repository on the Hub that a path names, and the revision; None if the path names a folder, also in a bucket.

    Args:
        path, revision: as for `find_version`.

    Raises:
        CallError: `path` is empty or an address of another kind, or it and `revision` name two revisions.

    >>> named_repository("hf://datasets/lab/finews@1.0.0", None)
    ('lab/finews', '1.0.0')
    """
    if not isinstance(path, str | PathLike) or not str(path):
        raise CallError(
            f"must be a folder or a repository, got {path!r}", field="path", hint='write "." for this folder'
        )
    if is_object_url(path):
        return None
    text = re.sub("^hf:/(?=[^/])", "hf://", str(path))  # a `Path` has lost one
    if _ADDRESS.match(text) and not text.startswith(_HUB):
        scheme = text.partition(":")[0]
        hint = f'copy it to a disk, for example by fsspec.filesystem("{scheme}").get(ADDRESS, FOLDER, recursive=True)'
        if scheme in ("hf", "http", "https"):
            hint = f'a repository on the Hub is written as "owner/name" or "{_HUB}owner/name@1.0.0"'
        raise CallError("a dataset cannot be loaded from this address", path=text, hint=hint)
    match = _REPOSITORY.fullmatch(text.removeprefix(_HUB).rstrip("/"))
    if not text.startswith(_HUB) and (not match or _is_here(Path(path))):
        return None
    if not match:
        raise CallError(
            "this is not the address of a repository", path=text, hint=f"write {_HUB}owner/name@1.0.0, without a file"
        )
    named = match["revision"]
    if named and revision and named.removeprefix("v") != revision.removeprefix("v"):
        raise CallError(f"the path names {named}, and revision= names {revision}", path=text, hint="leave one out")
    return match["repo_id"], named or revision


def _is_here(path: Path) -> bool:
    """Whether a path that could name a repository is one of this machine: it exists, or a version is sought in a folder."""
    folder = path.parent if is_version(path.name) else path.with_name(path.name.partition("@")[0])
    return path.exists() or folder.is_dir() or bool(versions_in(path.parent))


def open_version(path: str | Path, revision: str | None = None) -> tuple[Path, Manifest]:
    """The folder of a version and its manifest.

    Args:
        path: the folder of a version, or the folder that holds versions.
        revision: "1.0.0" or "v1.0.0"; a range such as "1.*" (its newest version); None for the newest. A yanked version
            is opened only when exactly it is named.

    Raises:
        VersionError: there is no such version, or only yanked ones; the message lists those that are there.
        ManifestError: the manifest cannot be read, or is of another version than the folder's name says.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     folder, manifest = open_version(out, "v1.0.0")
    >>> folder.name, manifest.dataset_version
    ('1.0.0', '1.0.0')
    """
    folder = Path(expand_home(path))
    wanted = (revision or "*").removeprefix("v")
    if (folder / MANIFEST_NAME).is_file():
        manifest = read_version(folder)
        if not version_matches(manifest.dataset_version, wanted):
            raise VersionError(f"this folder holds {manifest.dataset_version}, not {revision}", path=folder)
        return folder, manifest
    there = versions_in(folder)
    if not there and not folder.exists() and (beside := versions_in(folder.parent)):
        raise VersionError("there is no such version", path=folder, hint=f"there are: {', '.join(beside)}")
    if not there:
        raise _no_dataset(folder)
    found = [version for version in there if version_matches(version, wanted)]
    if not found:
        raise VersionError(f"there is no version {revision}", path=folder, hint=f"there are: {', '.join(there)}")
    if wanted.endswith("*"):
        found = _not_yanked(folder, found)
    return folder / found[-1], read_version(folder / found[-1])


def require_versions(out: Path) -> list[str]:
    """The versions in a folder, oldest first; at least one.

    Raises:
        VersionError: there is none.
    """
    there = versions_in(out)
    if not there:
        raise VersionError("there are no versions here", path=out, hint="name the folder that holds them")
    return there


def _no_dataset(folder: Path) -> VersionError:
    """The error for a folder that holds no versions and is none. Its hint names the version that may be meant."""
    if not folder.exists():
        before, _, version = str(folder).rpartition("@")
        if before and Path(before).is_dir():
            hint = (
                f"of a folder, name the version apart: {before} --revision {version} (in Python revision={version!r})"
            )
            return VersionError("there is no dataset here, and no such folder", path=folder, hint=hint)
        hint = "check the path, or build one: newsdata build SOURCE OUT; a repository on the Hub is written owner/name"
        return VersionError("there is no dataset here, and no such folder", path=folder, hint=hint)
    around = [above for above in folder.parents[:2] if (above / MANIFEST_NAME).is_file()]
    near = around[:1] or _versions_below(folder)[:3]
    hint = f"give {' or '.join(map(str, near))}" if near else "build one: newsdata build SOURCE OUT"
    return VersionError("there is no dataset here", path=folder, hint=hint)


def _versions_below(folder: Path) -> list[Path]:
    """The folders in a folder that hold versions or are one, such as X.Y.Z-partial; none if it has many entries."""
    try:
        inside = list(islice(folder.iterdir(), _LOOKED_INTO + 1))
        if len(inside) > _LOOKED_INTO:
            return []
        return [path for path in sorted(inside) if (path / MANIFEST_NAME).is_file() or versions_in(path)]
    except OSError:
        return []


def _not_yanked(folder: Path, versions: Sequence[str]) -> list[str]:
    """Those of some versions that were not yanked; an error if there are none."""
    yanked = {version: reason for version in versions if (reason := read_yanked(folder / version)) is not None}
    good = [version for version in versions if version not in yanked]
    if not good:
        raise every_yanked(folder, yanked)
    return good


def _check_shard(folder: Path, shard: Shard) -> None:
    if fault := fault_of(folder, shard):
        raise VerifyError(fault, path=folder / shard.path, hint="see `newsdata verify`")
