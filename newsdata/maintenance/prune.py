"""Remove old versions, and results of earlier builds that the last build did not use."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..building.workspace import open_workspace
from ..card.versions_readme import update_versions_readme
from ..dataset.open_version import require_versions
from ..errors import CallError
from ..graph.store import Store
from ..storage.manifest import read_yanked

__all__ = ["Pruned", "prune"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What `prune` did.

    Attributes:
        removed, kept: versions, oldest first.
        cache_entries: the number of files that were removed from the store of earlier results.
        freed: bytes that became free. A file that still has a hard link, for example in a kept version, frees nothing.
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
        out: the folder that holds versions.
        keep: the number of good versions that stay, at least 1.

    Raises:
        VersionError: there are no versions.
        CallError: `keep` is below 1.
        MachineError: a build is running in `out`.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = [build("examples/archive", out, num_proc=1, version=v) for v in ("1.0.0", "1.0.1")]
    ...     prune(out, keep=1).removed
    ('1.0.0',)
    """
    out = Path(out)
    if keep < 1:
        raise CallError(f"must be at least 1, got {keep}", field="keep")
    require_versions(out)
    with open_workspace(out, cache=True) as workspace:
        there = require_versions(out)
        good = [version for version in there if read_yanked(out / version) is None]
        kept = {there[-1], *good[-keep:]}
        removed = [version for version in there if version not in kept]
        freed = _freed_bytes(_files_of(out, removed))
        for version in removed:
            (out / version).rename(workspace.staging / version)  # so that it disappears in one step
            shutil.rmtree(workspace.staging / version)
        update_versions_readme(out, scratch=workspace.staging)
        swept = _sweep_cache(workspace.store)
    return Pruned(
        removed=tuple(removed),
        kept=tuple(sorted(kept, key=there.index)),
        cache_entries=len(swept),
        freed=freed + sum(swept),
    )


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
