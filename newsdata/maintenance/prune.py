"""Remove old versions, and results of earlier builds that the last build did not use."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..building.bucket import mark_staged, remove_staged
from ..building.workspace import WORK, open_workspace
from ..card.versions_readme import update_versions_readme
from ..dataset.open_version import require_versions
from ..errors import CallError
from ..files import expand_home
from ..graph.store import Store
from ..objects import Objects, is_object_url
from ..storage.manifest import MANIFEST_NAME, read_yanked
from .bucket_copy import changed_copy

__all__ = ["Pruned", "prune"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What `prune` did.

    Attributes:
        removed, kept: versions, oldest first.
        cache_entries: the number of files that were removed from the store of earlier results.
        freed: bytes that became free. A file that still has a hard link, for example in a kept version, frees nothing. In
            an object store there are no links.
    """

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    cache_entries: int
    freed: int


def prune(out: str | Path, *, keep: int) -> Pruned:
    """Remove the oldest versions, and results of earlier builds that the last build did not use.

    The `keep` newest good versions stay; yanked versions are removed, except the newest version of all: it stays because the
    next build follows it. A version is removed completely or not at all.

    Args:
        out: the folder that holds versions, also in an object store. What an interrupted build or removal left there is
            removed, too.
        keep: the number of good versions that stay, at least 1.

    Raises:
        VersionError: there are no versions.
        CallError: `keep` is below 1.
        MachineError: a build is running in `out`, or the object store cannot be reached.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = [build("examples/archive", out, num_proc=1, version=v) for v in ("1.0.0", "1.0.1")]
    ...     prune(out, keep=1).removed
    ('1.0.0',)
    """
    if keep < 1:
        raise CallError(f"must be at least 1, got {keep}", field="keep")
    if is_object_url(out):
        return _prune_bucket(Objects(url=str(out)), keep)
    out = Path(expand_home(out))
    require_versions(out)
    with open_workspace(out, cache=True) as workspace:
        removed, kept = _chosen(out, keep)
        freed = _freed_bytes(_files_of(out, removed))
        for version in removed:
            (out / version).rename(workspace.staging / version)  # so that it disappears in one step
            shutil.rmtree(workspace.staging / version)
        update_versions_readme(out, scratch=workspace.staging)
        swept = _sweep_cache(workspace.store)
    return Pruned(
        removed=tuple(removed),
        kept=tuple(kept),
        cache_entries=len(swept),
        freed=freed + sum(swept),
    )


def _chosen(out: Path, keep: int) -> tuple[list[str], list[str]]:
    """The versions that go, and those that stay, oldest first."""
    there = require_versions(out)
    good = [version for version in there if read_yanked(out / version) is None]
    kept = {there[-1], *good[-keep:]}
    return [version for version in there if version not in kept], [version for version in there if version in kept]


def _prune_bucket(out: Objects, keep: int) -> Pruned:
    """The same in an object store. The manifest of a version goes first: from then on nobody sees the version."""
    with changed_copy(out, "prune") as (folder, lease):
        remove_staged(out)  # what an interrupted build or removal left
        removed, kept = _chosen(folder, keep)
        freed = 0
        for version in removed:
            sizes = dict(out.inside(version).names())
            lease.renew()
            mark_staged(out, version, sizes)
            out.inside(version).delete([MANIFEST_NAME])
            remove_staged(out)
            freed += sum(sizes.values())
            shutil.rmtree(folder / version)
        update_versions_readme(folder)
        lease.renew()
        swept = _sweep_cache(Store(folder=folder, remote=out.inside(f"{WORK}/cache")))
    return Pruned(removed=tuple(removed), kept=tuple(kept), cache_entries=len(swept), freed=freed + sum(swept))


def _sweep_cache(store: Store) -> list[int]:
    """Remove what the last build did not use, if that is known.

    Returns:
        For each removed file the bytes that became free.
    """
    used = store.last().keys
    return [freed for _, freed in store.sweep(used)] if used else []


def _files_of(out: Path, versions: Iterable[str]) -> list[Path]:
    return [
        file for version in versions for file in (out / version).rglob("*") if file.is_file() and not file.is_symlink()
    ]


def _freed_bytes(files: Iterable[Path]) -> int:
    """The bytes that become free if these files are removed: those of files all of whose hard links are among them."""
    names: Counter[tuple[int, int]] = Counter()
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    for file in files:
        status = file.stat()
        names[status.st_dev, status.st_ino] += 1
        sizes[status.st_dev, status.st_ino] = status.st_size, status.st_nlink
    return sum(size for inode, (size, links) in sizes.items() if names[inode] == links)
