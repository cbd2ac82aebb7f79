"""What the local cache of `huggingface_hub` holds of a repository, and whether it is undamaged. No network.

The layout is the documented one: `refs/<tag>` holds the commit of a tag, `snapshots/<commit>/` its files.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ..errors import ManifestError, VersionError
from ..files import is_regular, read_regular, write_whole
from ..storage.manifest import MANIFEST_NAME, hash_file, parse_version, read_manifest

__all__ = [
    "cached_versions",
    "folder_of",
    "git_hash",
    "is_cached",
    "is_commit",
    "is_undamaged",
    "read_ref",
    "remember_tag",
    "remembered_commit",
]

_LARGEST_REF = 100  # bytes
_LARGEST_SMALL = 1 << 28  # bytes of a file that is known by the hash of git
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)


def is_commit(text: str) -> bool:
    """Whether a text is a full commit id: 40 hex digits.

    >>> is_commit("0" * 40), is_commit("main")
    (True, False)
    """
    return _COMMIT.fullmatch(text) is not None


def cached_versions(repo_id: str, cache_dir: str | Path | None = None) -> dict[str, str]:
    """The versions of a repository that are in the cache, oldest first, and the commit of each.

    A version counts when its tag was resolved before and its manifest is cached, undamaged, and of the same version.

    Args:
        repo_id: "owner/name".
        cache_dir: the cache; None is that of `huggingface_hub`.

    >>> cached_versions("nobody/nothing")
    {}
    """
    repository = folder_of(repo_id, cache_dir)
    found = {}
    for ref in repository.glob("refs/v*"):
        version = ref.name.removeprefix("v")
        try:
            parse_version(version)
            commit = read_regular(ref, _LARGEST_REF).decode("ascii")
            folder = repository / "snapshots" / commit
            if (
                is_commit(commit)
                and is_undamaged(folder / MANIFEST_NAME)
                and read_manifest(folder).dataset_version == version
            ):
                found[version] = commit
        except (OSError, ValueError, ManifestError, VersionError):
            continue  # another tag, or a damaged or half-written entry
    return dict(sorted(found.items(), key=lambda item: parse_version(item[0])))


def folder_of(repo_id: str, cache_dir: str | Path | None) -> Path:
    """The folder of a repository in the cache; it may not exist."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(cache_dir or HF_HUB_CACHE).expanduser() / f"datasets--{repo_id.replace('/', '--')}"


def is_cached(repo_id: str, commit: str, cache_dir: str | Path | None = None) -> bool:
    """Whether the manifest of a commit is in the cache."""
    return (folder_of(repo_id, cache_dir) / "snapshots" / commit / MANIFEST_NAME).is_file()


def remembered_commit(repo_id: str, tag: str, cache_dir: str | Path | None = None) -> str | None:
    """The commit that the cache knows for a tag; None where it knows none.

    >>> remembered_commit("nobody/nothing", "v1.0.0") is None
    True
    """
    return read_ref(folder_of(repo_id, cache_dir), tag)


def read_ref(repository: Path, name: str) -> str | None:
    """The commit that a repository in the cache knows for a tag or a branch; None where it knows none."""
    try:
        commit = read_regular(repository / "refs" / name, _LARGEST_REF).decode("ascii")
    except (OSError, ValueError):  # ValueError: not ASCII
        return None
    return commit if is_commit(commit) else None


def remember_tag(manifest: Path, tag: str, commit: str) -> None:
    """Write the commit of a tag into the cache, so that the tag can be resolved without the Hub later.

    Args:
        manifest: the cached `manifest.json` of the commit.
        tag, commit: the tag and the commit that it names.
    """
    ref = manifest.parent.parent.parent / "refs" / tag
    try:
        if not is_regular(ref) or read_regular(ref, _LARGEST_REF) != commit.encode():
            ref.parent.mkdir(parents=True, exist_ok=True)
            write_whole(ref, commit.encode())
    except OSError:  # the cache is read-only or full: this call needs no entry
        return


def is_undamaged(path: Path) -> bool:
    """Whether a cached file has the hash that the Hub knows it by: the cache names each file by its hash.

    On a machine without symbolic links the cache has no such names; there every file counts as undamaged.
    """
    name = path.resolve(strict=True).name
    if is_commit(name):  # git's hash, of a small file
        return git_hash(path) == name
    return hash_file(path)[1] == name if len(name) == 64 else True


def git_hash(file: Path | bytes) -> str:
    """The hash that git, and so the Hub, gives to a small file: SHA-1 of its length and its bytes.

    >>> git_hash(b"hello")
    'b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0'
    """
    data = file if isinstance(file, bytes) else read_regular(file, _LARGEST_SMALL, follow=True)
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
