"""What the Hub's API says about a repository: its references, commits and files. Each field has a type and bounds.

A repository may have commits of anybody, so names and paths are only compared and shown, never used as paths here.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import msgspec

from ..errors import HubError
from .hub_client import Place, attempt
from .hub_http import read_json, read_pages

__all__ = [
    "Commit",
    "Facts",
    "LargeFile",
    "Reference",
    "RemoteFile",
    "list_commits",
    "list_large_files",
    "list_references",
    "list_remote_files",
    "repository_facts",
]

Commit = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}\Z")]
"""A commit id: 40 hexadecimal digits."""

_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Size = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class Reference(msgspec.Struct, frozen=True, rename="camel"):
    """A branch, a tag or a pull request."""

    name: _Name
    ref: _Name
    target_commit: Commit


class _References(msgspec.Struct, frozen=True, rename="camel"):
    branches: list[Reference]
    tags: list[Reference]
    pull_requests: list[Reference] | None = None


class _Large(msgspec.Struct, frozen=True):
    sha256: _Sha256 = msgspec.field(name="oid")


class RemoteFile(msgspec.Struct, frozen=True):
    """A file of a commit: git's hash of it, its size, and of a large file its SHA-256 in `lfs`."""

    type: Annotated[str, msgspec.Meta(max_length=40)]
    path: _Name
    blob_id: Commit = msgspec.field(name="oid")
    size: _Size = 0
    lfs: _Large | None = None


class _CommitEntry(msgspec.Struct, frozen=True):
    id: Commit


class LargeFile(msgspec.Struct, frozen=True, rename="camel"):
    """A large file that the Hub keeps for a repository; `file_oid` is its SHA-256."""

    file_oid: _Sha256


class Facts(msgspec.Struct, frozen=True):
    """A repository: its newest commit, or that of the revision that was asked for, and whether it is private."""

    sha: Commit | None = None
    private: bool = False


def repository_facts(place: Place, revision: str | None = None) -> Facts:
    """The commit of a revision, or the newest one. For use within `attempt`.

    Raises:
        HubError: the answer has another form.
        Exception: what the client raises.
    """
    at = "" if revision is None else f"/revision/{quote(revision, safe='')}"
    return read_json(f"/api/datasets/{place.repo_id}{at}", place.token, Facts)


def list_references(
    place: Place, *, pull_requests: bool = False
) -> tuple[list[Reference], list[Reference], list[Reference]]:
    """Branches, tags and pull requests of a repository.

    Raises:
        HubError: the Hub refused, cannot be reached, or names a reference twice.
    """
    path = f"/api/datasets/{place.repo_id}/refs{'?include_prs=1' if pull_requests else ''}"
    refs = attempt(lambda: read_json(path, place.token, _References), place.repo_id)
    for kind in (refs.branches, refs.tags):
        if len({ref.name for ref in kind}) < len(kind):
            raise HubError("the Hub lists a reference twice", path=place.repo_id)
    return refs.branches, refs.tags, refs.pull_requests or []


def list_remote_files(place: Place, commit: str) -> dict[str, RemoteFile]:
    """The files of a commit by path.

    Raises:
        HubError: the Hub refused, cannot be reached, or lists a file twice or outside the repository.
    """
    path = f"/api/datasets/{place.repo_id}/tree/{quote(commit, safe='')}?recursive=true"
    entries = attempt(lambda: read_pages(path, place.token, RemoteFile), place.repo_id)
    files = [entry for entry in entries if entry.type == "file"]
    found = {file.path: file for file in files}
    if len(found) < len(files):
        raise HubError(f"the Hub lists a file of commit {commit} twice", path=place.repo_id)
    for name in found:
        if name.startswith("/") or {"", ".", ".."} & {*name.split("/")}:
            raise HubError(f"the Hub lists a file outside the repository: {name[:200]!r}", path=place.repo_id)
    return found


def list_commits(place: Place, commit: str) -> list[str]:
    """A commit and those before it.

    Raises:
        HubError: the Hub refused or cannot be reached.
    """
    path = f"/api/datasets/{place.repo_id}/commits/{quote(commit, safe='')}"
    return [entry.id for entry in attempt(lambda: read_pages(path, place.token, _CommitEntry), place.repo_id)]


def list_large_files(place: Place) -> list[LargeFile]:
    """The large files that the Hub keeps for a repository.

    Raises:
        HubError: the Hub refused or cannot be reached.
    """
    path = f"/api/datasets/{place.repo_id}/lfs-files"
    return attempt(lambda: read_pages(path, place.token, LargeFile), place.repo_id)
