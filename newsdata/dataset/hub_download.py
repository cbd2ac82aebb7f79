"""Fetch one file of a commit into the cache of `huggingface_hub`.

The cache is that of the library, so other programs find the file: `blobs/HASH` holds its bytes, and
`snapshots/COMMIT/PATH` is a link to them. The library's own download takes both names from headers of the answer and
bounds neither the bytes nor the time. Here the hash is computed from the bytes, and only a file with the right hash gets a
name.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from ..errors import HubError, VerifyError
from ..files import is_regular, open_fresh, write_whole
from ..storage.manifest import File, Shard, fault_of
from .hub_cache import folder_of, git_hash, is_commit, read_ref
from .hub_client import Place, attempt
from .hub_http import endpoint, open_answer

__all__ = ["address_of", "download"]

_MAIN = "main"
_LARGEST = 1 << 28  # bytes of a file whose size nobody told


def download(
    place: Place,
    commit: str,
    path: str,
    *,
    listed: File | Shard | None = None,
    most: int = _LARGEST,
    force: bool = False,
    offline: bool = False,
) -> Path:
    """One file of a commit, in the local cache.

    Args:
        place: the repository.
        commit: 40 hexadecimal digits, or "main" for the newest commit.
        path: of the file; from a manifest, which is checked when it is read, or one of our own names.
        listed: what the manifest says about the file. Without it, the bytes must have the hash that the Hub names.
        most: the largest number of bytes of a file that is not listed.
        force: fetch it even if the cache holds it.
        offline: ask only the cache.

    Raises:
        VerifyError: the Hub sends other bytes. The cache stays as it was.
        HubError: as for `attempt`; or the Hub answers for another commit.
    """
    if commit != _MAIN and not is_commit(commit):
        raise HubError(f"{commit[:100]!r} is no commit", path=place.repo_id)
    repository = folder_of(place.repo_id, place.cache_dir)
    known = (read_ref(repository, _MAIN) if offline else None) if commit == _MAIN else commit
    there = repository / "snapshots" / known / path if known else None
    if (
        there
        and not force
        and there.is_file()
        and not (listed and fault_of(repository / "snapshots" / str(known), listed))
    ):
        return there
    if offline:
        raise HubError(f"{path} is not in the cache", path=place.repo_id)
    if listed and known and not force:
        blob = repository / "blobs" / listed.sha256
        if is_regular(blob) and _has_hash(blob, listed):
            return _link(repository, known, path, blob)
    return attempt(lambda: _fetch(place, commit, path, listed, listed.bytes if listed else most), place.repo_id)


def address_of(repo_id: str, commit: str, path: str) -> str:
    """The address of a file on the Hub."""
    return f"{endpoint()}/datasets/{repo_id}/resolve/{quote(commit, safe='')}/{quote(path)}"


def _has_hash(file: Path, listed: File | Shard) -> bool:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == listed.sha256


def _fetch(place: Place, commit: str, path: str, listed: File | Shard | None, most: int) -> Path:
    repository = folder_of(place.repo_id, place.cache_dir)
    blobs = repository / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    part = blobs / f".{secrets.token_hex(16)}.incomplete"
    digest = hashlib.sha256()
    try:
        with open_answer(address_of(place.repo_id, commit, path), place.token) as answer, open_fresh(part) as file:
            found = _commit_of(place, answer.first, commit)
            for chunk in answer.body(most):
                digest.update(chunk)
                file.write(chunk)
        if listed and digest.hexdigest() != listed.sha256:
            raise VerifyError(f"the Hub sends other bytes than the manifest names: {path}", path=place.repo_id)
        blob = blobs / _name_of(place, path, part, digest.hexdigest(), answer.first, listed is not None)
        part.replace(blob)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    if commit == _MAIN:
        with contextlib.suppress(OSError):  # only needed while the Hub cannot be reached
            (repository / "refs").mkdir(exist_ok=True)
            write_whole(repository / "refs" / _MAIN, found.encode())
    return _link(repository, found, path, blob)


def _commit_of(place: Place, headers: Mapping[str, str], asked: str) -> str:
    """The commit that an answer is from.

    Raises:
        HubError: it is another one than was asked for, or none.
    """
    found = headers.get("x-repo-commit", "")
    if not is_commit(found) or asked not in (_MAIN, found):
        said = repr(found[:100]) if found else "none"
        raise HubError(
            f"the Hub was asked for commit {asked}, and the commit of its answer is {said}", path=place.repo_id
        )
    return found


def _name_of(place: Place, path: str, file: Path, sha256: str, headers: Mapping[str, str], is_checked: bool) -> str:
    """The name of a file's bytes in the cache: the SHA-256 of a large file, git's hash of a small one.

    The Hub says which of both (ETag). The hash itself is computed from the bytes.

    Raises:
        VerifyError: the Hub names another hash, and nothing else vouches for the bytes.
    """
    named = (headers.get("x-linked-etag") or headers.get("etag", "")).removeprefix("W/").strip('"')
    if named == sha256:
        return sha256
    if len(named) == 40 and named == git_hash(file):
        return named
    if is_checked:
        return sha256
    raise VerifyError(f"the Hub's {path} does not have the hash that the Hub gives for it", path=place.repo_id)


def _link(repository: Path, commit: str, path: str, blob: Path) -> Path:
    """Let the snapshot of a commit have a file; returns its path there."""
    target = repository / "snapshots" / commit / path
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(16)}.incomplete")
    try:
        part.symlink_to(os.path.relpath(blob, target.parent))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT):
            raise
        shutil.copyfile(blob, part)  # a file system without links
    part.replace(target)
    return target
