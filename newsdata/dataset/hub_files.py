"""Local copies of the files of one commit on the Hub, each checked against the manifest."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

from ..errors import HubError, VerifyError
from ..storage.manifest import MANIFEST_NAME, File, Manifest, Shard, fault_of, read_manifest
from .hub_client import Place
from .hub_download import download
from .hub_revisions import HubRevision

__all__ = ["fetch", "files_matching", "files_of"]

_AT_ONCE = 8  # files


def fetch(
    revision: HubRevision,
    patterns: Iterable[str],
    *,
    token: str | None = None,
    cache_dir: str | Path | None = None,
) -> Path:
    """A local folder with the wanted files of a commit, each checked against the manifest.

    Args:
        revision: the commit, from `resolve`.
        patterns: paths in the dataset, or shell patterns ("articles/test-*"). Nothing else is fetched.
        token, cache_dir: as for `resolve`.

    Returns:
        the commit's folder in the cache of `huggingface_hub`; it may hold more files of the same commit.

    Raises:
        HubError: the Hub cannot be reached, and a file is not in the cache or is damaged there.
        VerifyError: the Hub sends bytes that do not match the manifest; `faults` lists the files.
    """
    repo_id, commit = revision.repo_id, revision.commit
    place = Place(repo_id, token, cache_dir)
    folder = download(place, commit, MANIFEST_NAME).parent
    wanted = files_matching(read_manifest(folder), patterns)
    damaged = [file for file in wanted if fault_of(folder, file)]
    if damaged and revision.offline:
        names = _first_few([file.path for file in damaged])
        reason = f"the Hub cannot be reached; of version {revision.version} the cache does not hold {names}"
        raise HubError(reason, path=repo_id, hint="load it once while the Hub can be reached")
    faults = _fetch_all(place, commit, damaged)
    if faults:
        reason = f"the Hub sends bytes that do not match the manifest: {_first_few(faults)}"
        raise VerifyError(reason, path=repo_id, faults=faults)
    return folder


def _fetch_all(place: Place, commit: str, wanted: list[File | Shard]) -> tuple[str, ...]:
    """Fetch files that the cache lacks, or has damaged; returns the paths of those for which the Hub sends other bytes."""

    def arrives(file: File | Shard) -> bool:
        for _ in range(2):
            try:
                download(place, commit, file.path, listed=file)
                return True
            except VerifyError:  # perhaps damaged on its way: once more
                continue
        return False

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        good = list(pool.map(arrives, wanted))
    return tuple(file.path for file, arrived in zip(wanted, good, strict=True) if not arrived)


def files_of(manifest: Manifest) -> list[File | Shard]:
    """Every file of a version except the manifest itself."""
    return [*manifest.shards, *manifest.files]


def files_matching(manifest: Manifest, patterns: Iterable[str]) -> list[File | Shard]:
    """The files of a version whose path is one of the patterns or matches one."""
    paths = set(patterns)
    shapes = [pattern for pattern in paths if any(letter in pattern for letter in "*?[")]
    return [
        file
        for file in files_of(manifest)
        if file.path in paths or any(fnmatchcase(file.path, shape) for shape in shapes)
    ]


def _first_few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
