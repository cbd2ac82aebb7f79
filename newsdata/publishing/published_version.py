"""A version as it stands in a commit on the Hub."""

from __future__ import annotations

from ..dataset.hub_files import fetch, files_of
from ..dataset.hub_revisions import HubRevision
from ..storage.manifest import MANIFEST_NAME, File, hash_file, read_manifest
from .checked_version import CheckedVersion
from .repository import Repository, Tree, difference, list_files

__all__ = ["fetch_missing", "version_in"]


def version_in(repository: Repository, commit: str) -> CheckedVersion:
    """The version whose manifest a commit holds.

    Its folder holds the manifest and copies of the small files, which git keeps and whose SHA-256 only a copy tells. Shards
    are not fetched.

    Raises:
        ManifestError: the manifest cannot be read.
        VerifyError: a small file does not match the manifest.
        HubError: there is no manifest; the Hub refused or cannot be reached.
    """
    at = HubRevision(repo_id=repository.repo_id, commit=commit, version="")
    folder = fetch(at, [], token=repository.token)
    manifest = read_manifest(folder)
    size, digest = hash_file(folder / MANIFEST_NAME)
    files = {file.path: File(path=file.path, bytes=file.bytes, sha256=file.sha256) for file in files_of(manifest)}
    files[MANIFEST_NAME] = File(path=MANIFEST_NAME, bytes=size, sha256=digest)
    tree = list_files(repository, commit)
    fetch(at, [path for path in files if path in tree and tree[path].lfs is None], token=repository.token)
    return CheckedVersion(
        folder=folder,
        version=manifest.dataset_version,
        full_text=manifest.configuration.get("text", "full") == "full",
        files=dict(sorted(files.items())),
    )


def fetch_missing(repository: Repository, version: CheckedVersion, commit: str, tree: Tree) -> None:
    """Fetch the files of a version, which stands in `commit`, that a commit with the files `tree` lacks or has otherwise.

    Raises:
        VerifyError: the Hub sends bytes that do not match the manifest.
        HubError: the Hub refused or cannot be reached.
    """
    here = {path for path in version.files if (version.folder / path).is_file()}
    found = difference(version, {path: entry for path, entry in tree.items() if entry.lfs or path in here})
    at = HubRevision(repo_id=repository.repo_id, commit=commit, version=version.version)
    fetch(at, (*found.new, *found.changed), token=repository.token)
