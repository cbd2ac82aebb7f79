"""Facts about a version, and what differs between two versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..schema import CONFIGS
from ..storage.manifest import Manifest, read_yanked, shards_of, versions_in
from .open_version import find_version

if TYPE_CHECKING:
    from ..storage.difference import Difference

__all__ = ["diff", "info"]


def info(path: str | Path, *, revision: str | None = None) -> dict[str, Any]:
    """What is in a version: counts, dates, splits, configuration, licence and citation.

    Args:
        path, revision: as for `load_dataset`.

    Returns:
        a dictionary of plain values that can be written as JSON. `yanked` tells why the version was marked as bad, or is
        None; `versions` lists the versions in the same folder, `yanked_versions` the bad ones with their reasons; `configs`
        gives rows, bytes and shards by config and split; `dates` the first and last day by split; `commit` the commit on the Hub.

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
    from ..card.readme import card_facts

    version = find_version(path, revision)
    folder, manifest = version.folder, version.manifest
    beside = [] if version.on_hub else versions_in(folder.parent)
    readme = folder / "README.md"
    return {
        "version": manifest.dataset_version,
        "schema_version": manifest.schema_version,
        "path": str(path) if version.on_hub else str(folder),
        "commit": version.on_hub.commit if version.on_hub else None,
        "versions": beside,
        "yanked_versions": {v: reason for v in beside if (reason := read_yanked(folder.parent / v)) is not None},
        "yanked": version.yanked,
        **card_facts(readme.read_text(encoding="utf-8") if readme.is_file() else ""),
        "configs": {config: _sizes(manifest, config) for config in CONFIGS},
        "dates": manifest.accounting.get("dates_by_split", {}),
        "configuration": dict(manifest.configuration),
        "accounting": dict(manifest.accounting),
        "duplicates": dict(manifest.duplicates),
        "leakage": manifest.leakage,
        "tools": dict(manifest.tools),
    }


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


def diff(old: str | Path, new: str | Path) -> Difference:
    """What differs between two versions, row by row, and the version bump that it asks for.

    Args:
        old, new: versions in folders or on the Hub, as for `load_dataset`; of a folder that holds versions the newest is
            taken. Of versions on the Hub, the shards that only one of both has are fetched.

    Raises:
        VersionError: there is no such version.
        ManifestError: a manifest cannot be read.
        VerifyError, HubError: as for `load_dataset`, of a version on the Hub.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     diff(made.path, made.path).bump is None
    True
    """
    from ..storage.difference import compare, shards_of_one

    first, second = find_version(old), find_version(new)
    folders = [
        one.with_files(shard.path for shard in shards_of_one(one.manifest, other.manifest))
        for one, other in ((first, second), (second, first))
    ]
    return compare(folders[0], first.manifest, folders[1], second.manifest)
