"""Find a version of the dataset: in a folder, or on the Hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import VerifyError, VersionError
from ..storage.manifest import (
    MANIFEST_NAME,
    Manifest,
    Shard,
    hash_file,
    parse_version,
    read_manifest,
    read_yanked,
    versions_in,
)

if TYPE_CHECKING:
    from .hub_revisions import HubRevision

__all__ = ["FoundVersion", "find_version", "open_version", "require_versions"]

_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVersion:
    """A version in a folder or on the Hub.

    Attributes:
        manifest: its manifest.
        folder: its folder. Of a version on the Hub: the folder in the local cache that holds what was fetched so far.
        on_hub: its repository and commit; None for a version in a folder.
    """

    manifest: Manifest
    folder: Path
    on_hub: HubRevision | None = None

    @property
    def yanked(self) -> str | None:
        """Why the version was marked as bad; None when it was not. No version on the Hub has such a mark."""
        return None if self.on_hub else read_yanked(self.folder)

    def shard_files(self, shards: Sequence[Shard], *, streaming: bool) -> list[str]:
        """The path or address of each shard. Only these shards are fetched and checked.

        With `streaming`, shards on the Hub are neither fetched nor checked.

        Raises:
            VerifyError: a shard is not the file that the manifest names.
            HubError: the Hub cannot be reached, and a shard is not in the cache.
        """
        paths = [shard.path for shard in shards]
        if self.on_hub is None:
            for shard in shards:
                _check_shard(self.folder, shard)
            return [str(self.folder / path) for path in paths]
        if streaming and not self.on_hub.offline:
            return [f"hf://datasets/{self.on_hub.repo_id}@{self.on_hub.commit}/{path}" for path in paths]
        from .hub_files import fetch

        folder = fetch(self.on_hub, paths)
        return [str(folder / path) for path in paths]


def find_version(path: str | Path, revision: str | None = None) -> FoundVersion:
    """A version in a folder, or on the Hub.

    `path` names a repository when it has the form owner/name, there is no such folder, and the folder `owner` holds no
    versions (then `name` is a version that does not exist).

    Args:
        path: the folder of a version, the folder that holds versions, or a dataset repository on the Hub ("owner/name").
        revision: "1.0.0", "v1.0.0" or a range such as "1.*"; None is the newest. On the Hub also a branch or a commit.

    Raises:
        VersionError: there is no such version; the message lists those that are there.
        ManifestError: the manifest cannot be read.
        HubError: the Hub refused, or cannot be reached and this exact version is not cached.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     find_version(out, "1.*").manifest.dataset_version
    '1.0.0'
    """
    if _REPOSITORY.fullmatch(str(path)) and not Path(path).exists() and not versions_in(Path(path).parent):
        from .hub_files import fetch
        from .hub_revisions import resolve

        on_hub = resolve(str(path), revision)
        folder = fetch(on_hub, ["README.md"])
        return FoundVersion(manifest=read_manifest(folder), folder=folder, on_hub=on_hub)
    folder, manifest = open_version(path, revision)
    return FoundVersion(manifest=manifest, folder=folder)


def open_version(path: str | Path, revision: str | None = None) -> tuple[Path, Manifest]:
    """The folder of a version and its manifest.

    Args:
        path: the folder of a version, or the folder that holds versions.
        revision: "1.0.0" or "v1.0.0"; a range such as "1.*" (its newest version); None for the newest. A yanked version
            is opened only when exactly it is named.

    Raises:
        VersionError: there is no such version, or only yanked ones; the message lists those that are there.
        ManifestError: the manifest cannot be read.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     folder, manifest = open_version(out, "v1.0.0")
    >>> folder.name, manifest.dataset_version
    ('1.0.0', '1.0.0')
    """
    folder = Path(path)
    wanted = (revision or "*").removeprefix("v")
    if (folder / MANIFEST_NAME).is_file():
        manifest = read_manifest(folder)
        if not _matches(manifest.dataset_version, wanted):
            raise VersionError(f"this folder holds {manifest.dataset_version}, not {revision}", path=folder)
        return folder, manifest
    there = versions_in(folder)
    if not there and not folder.exists() and (beside := versions_in(folder.parent)):
        raise VersionError("there is no such version", path=folder, hint=f"there are: {', '.join(beside)}")
    if not there:
        raise VersionError("there is no dataset here", path=folder, hint="build one: newsdata build SOURCE OUT")
    found = [version for version in there if _matches(version, wanted)]
    if not found:
        raise VersionError(f"there is no version {revision}", path=folder, hint=f"there are: {', '.join(there)}")
    if wanted.endswith("*"):
        found = _not_yanked(folder, found)
    return folder / found[-1], read_manifest(folder / found[-1])


def require_versions(out: Path) -> list[str]:
    """The versions in a folder, oldest first; at least one.

    Raises:
        VersionError: there is none.
    """
    there = versions_in(out)
    if not there:
        raise VersionError("there are no versions here", path=out, hint="name the folder that holds them")
    return there


def _matches(version: str, wanted: str) -> bool:
    """Whether a version is the wanted one ("1.0.0") or in the wanted range ("*", "1.*")."""
    if wanted == "*" or wanted.endswith(".*"):
        return version.startswith(wanted[:-1])
    parse_version(wanted)
    return version == wanted


def _not_yanked(folder: Path, versions: Sequence[str]) -> list[str]:
    """Those of some versions that were not yanked; an error if there are none."""
    yanked = {version: read_yanked(folder / version) for version in versions}
    good = [version for version, reason in yanked.items() if reason is None]
    if not good:
        listed = "; ".join(f"{version}: {reason}" for version, reason in yanked.items())
        raise VersionError(f"every version was yanked ({listed})", path=folder, hint="name one exactly to open it")
    return good


def _check_shard(folder: Path, shard: Shard) -> None:
    file = folder / shard.path
    try:
        good = file.stat().st_size == shard.bytes and hash_file(file)[1] == shard.sha256
    except OSError as error:
        raise VerifyError(f"is missing or cannot be read: {error.strerror}", path=file) from None
    if not good:
        raise VerifyError("is not the file that the manifest names; see `newsdata verify`", path=file)
