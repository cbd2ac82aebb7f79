"""Facts about a version, and what differs between two versions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ManifestError, VerifyError
from ..schema import CONFIGS
from ..storage.manifest import Manifest, fault_of, read_yanked, shards_of, versions_in
from ..storage.reading import damage_is_told, read_text_file
from .open_version import FoundVersion, find_version

if TYPE_CHECKING:
    from ..storage.difference import Difference
    from .bucket import BucketVersion
    from .hub_revisions import HubRevision

__all__ = ["diff", "info"]


def info(path: str | Path, *, revision: str | None = None, token: str | None = None) -> dict[str, Any]:
    """What is in a version: counts, dates, splits, configuration, licence and citation.

    Args:
        path, revision, token: as for `load_dataset`.

    Returns:
        a dictionary of plain values that can be written as JSON. `yanked` tells why the version was marked as bad, or is
        None; `versions` lists the versions in the same folder or repository, `yanked_versions` the bad ones with their
        reasons; `configs` gives rows, bytes and shards by config and split; `dates` the first and last day by split; `statistics` the part of the manifest, or None; `frozen_digest`
        32 hexadecimal digits over the rows of train, validation and test; `commit` the commit on the Hub.

    Raises:
        VersionError: there is no such version.
        ManifestError: its manifest cannot be read.
        HubError: the Hub refused, or cannot be reached and this exact version is not cached.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     facts = info(out)
    >>> facts["version"], facts["accounting"]["articles"], facts["configs"]["articles"]["newer"]
    ('1.0.0', 36, {'rows': 0, 'bytes': 0, 'shards': 0})
    """
    from ..card.contents import frozen_digest
    from ..card.readme import card_facts

    version = find_version(path, revision, token=token)
    manifest = version.manifest
    place: object = version.folder
    if version.in_bucket:
        beside, yanked = _in_bucket(version.in_bucket)
        place = version.in_bucket.objects
    elif version.on_hub:
        beside, yanked = _published(version.on_hub, token)
        place = path
    else:
        beside, yanked = _in_folder(version.folder.parent)
    return {
        "version": manifest.dataset_version,
        "schema_version": manifest.schema_version,
        "path": str(place),
        "frozen_digest": frozen_digest(manifest),
        "commit": version.on_hub.commit if version.on_hub else None,
        "versions": beside,
        "yanked_versions": yanked,
        "yanked": version.yanked,
        **card_facts(_card(version)),
        "configs": {config: _sizes(manifest, config) for config in CONFIGS},
        "dates": manifest.accounting.get("dates_by_split", {}),
        "configuration": dict(manifest.configuration),
        "accounting": dict(manifest.accounting),
        "duplicates": dict(manifest.duplicates),
        "leakage": manifest.leakage,
        "statistics": manifest.statistics,
        "tools": dict(manifest.tools),
    }


def _card(version: FoundVersion) -> str:
    """The card of a version; "" if it has none."""
    folder = version.with_files(["README.md"])
    return read_text_file(folder, "README.md") if os.path.lexists(folder / "README.md") else ""


def _in_bucket(version: BucketVersion) -> tuple[list[str], dict[str, str]]:
    """The versions beside one in an object store, and the reasons of those that were yanked."""
    from .bucket import versions_in_bucket, yanked_in_bucket

    there = versions_in_bucket(version.out) if version.out else []
    return there, yanked_in_bucket(version.out, there) if version.out else {}


def _in_folder(out: Path) -> tuple[list[str], dict[str, str]]:
    """The versions in a folder, and the reasons of those that were yanked."""
    there = versions_in(out)
    return there, {version: reason for version in there if (reason := read_yanked(out / version)) is not None}


def _published(on_hub: HubRevision, token: str | None) -> tuple[list[str], dict[str, str]]:
    """The versions of a repository, and the reasons of those that were yanked; none while the Hub cannot be reached."""
    from .hub_client import Place, Unreachable
    from .hub_marks import published_marks
    from .hub_revisions import version_tags

    try:
        place = Place(on_hub.repo_id, token)
        tags = {} if on_hub.offline else version_tags(place)
        marks = published_marks(place) if tags else {}
    except (Unreachable, ManifestError):  # ManifestError: the marks cannot be read
        return [], {}
    return list(tags), {version: reason for version, reason in marks.items() if version in tags}


def _sizes(manifest: Manifest, config: str) -> dict[str, dict[str, int]]:
    """Rows, bytes and shards of each split of a config."""
    sizes = {}
    for split in CONFIGS[config]:
        shards = shards_of(manifest, config, split)
        sizes[split] = {
            "rows": sum(shard.rows for shard in shards),
            "bytes": sum(shard.bytes for shard in shards),
            "shards": len(shards),
        }
    return sizes


def diff(old: str | Path, new: str | Path, *, token: str | None = None) -> Difference:
    """What differs between two versions, row by row, and the version bump that it asks for.

    Args:
        old, new: versions in folders or on the Hub, as for `load_dataset`; of a folder that holds versions the newest is
            taken. Of versions on the Hub, the shards that only one of both has are fetched.
        token: of the Hub, as for `load_dataset`.

    Raises:
        VersionError: there is no such version.
        ManifestError: a manifest cannot be read.
        VerifyError: a shard is missing or damaged.
        HubError: as for `load_dataset`, of a version on the Hub.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     diff(made.path, made.path).bump is None
    True
    """
    from ..storage.difference import compare, shards_of_one

    first, second = find_version(old, token=token), find_version(new, token=token)
    folders = [
        one.with_files(shard.path for shard in shards_of_one(one.manifest, other.manifest))
        for one, other in ((first, second), (second, first))
    ]
    checked: set[tuple[int, int, str]] = set()
    for one in (first, second):
        if one.is_here:
            _check_shards(one.folder, one.manifest, checked)
    with damage_is_told(folders[1]):
        return compare(folders[0], first.manifest, folders[1], second.manifest)


def _check_shards(folder: Path, manifest: Manifest, checked: set[tuple[int, int, str]]) -> None:
    """Check every shard, those that both versions list, too: their rows count as equal and are not read.

    Args:
        folder, manifest: of the version.
        checked: device, inode and hash of files that were checked already; versions share files. New ones are added.

    Raises:
        VerifyError: a shard is not the file that the manifest lists.
    """
    for shard in manifest.shards:
        try:
            status = (folder / shard.path).stat()
        except OSError:
            known = None
        else:
            known = (status.st_dev, status.st_ino, shard.sha256)
        if known in checked:
            continue
        if fault := fault_of(folder, shard):
            raise VerifyError(
                f"{fault}, so the versions cannot be compared", path=folder / shard.path, hint="see `newsdata verify`"
            )
        if known:
            checked.add(known)
