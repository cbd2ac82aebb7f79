"""A dataset repository on the Hub: what it holds, and how a commit and a tag are made in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..dataset.hub_cache import git_hash, is_commit
from ..dataset.hub_client import Place, attempt, client
from ..dataset.hub_listings import Facts, RemoteFile, list_references, list_remote_files, repository_facts
from ..dataset.hub_revisions import version_tags
from ..errors import HubError
from ..schema import CONFIGS
from ..storage.manifest import File
from .checked_version import CheckedVersion
from .plan import Report

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

__all__ = [
    "DATA_FOLDERS",
    "Difference",
    "References",
    "Repository",
    "Tree",
    "all_references",
    "changed_meanwhile",
    "commit_files",
    "difference",
    "list_files",
    "look_up",
    "open_repository",
    "operations_for",
    "set_tag",
]

DATA_FOLDERS = (*CONFIGS, "assets")
"""Folders of a repository that belong to the dataset: a file in them that is not in the version is deleted."""

_PULL_REQUEST = re.compile(r"refs/pr/(\d{1,9})", re.ASCII)

Tree = Mapping[str, RemoteFile]
"""The Hub's records of the files of a commit, by path."""


class Repository(NamedTuple):
    """A dataset repository, and the client to reach it.

    Attributes:
        api: the client, with the token.
        repo_id: "owner/name".
        private: whether to make it private, if it does not exist yet.
        token: of the Hub.
    """

    api: HfApi
    repo_id: str
    private: bool
    token: str

    @property
    def place(self) -> Place:
        """The repository, for what downloads from it."""
        return Place(self.repo_id, self.token)


class References(NamedTuple):
    """Everything in a repository that names a commit.

    Attributes:
        branches, tags: by name.
        pull_requests: by number, open or not.
    """

    branches: dict[str, str]
    tags: dict[str, str]
    pull_requests: dict[int, str]


class Difference(NamedTuple):
    """Paths in which a version and a commit differ, by hash."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.changed, *self.new, *self.deleted)


def open_repository(repo_id: str, *, token: str | None, private: bool = True) -> Repository:
    """A repository to write to; nothing is sent yet.

    Args:
        repo_id: "owner/name".
        token: of the Hub; None takes the one that `huggingface_hub` finds.
        private: whether to make it private, if it does not exist yet.

    Raises:
        HubError: there is no token.
    """
    from huggingface_hub import get_token

    found = token or get_token()
    if not found:
        raise HubError("publishing needs a token", path=repo_id, hint="set HF_TOKEN or run `hf auth login`")
    return Repository(client(found), repo_id, private, found)


def look_up(repository: Repository) -> Facts | None:
    """The Hub's record of a repository, with `sha` of the newest commit and `private`; None if there is none.

    Raises:
        HubError: the Hub refused or cannot be reached.
    """
    return attempt(lambda: _look_up(repository), repository.repo_id)


def _look_up(repository: Repository) -> Facts | None:
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return repository_facts(repository.place)
    except HfHubHTTPError as error:
        if error.response.status_code == 404:
            return None
        raise


def all_references(repository: Repository) -> References:
    """Everything in a repository that names a commit.

    Raises:
        HubError: the Hub refused or cannot be reached.
    """
    branches, tags, pull_requests = list_references(repository.place, pull_requests=True)
    pulls = ((_PULL_REQUEST.fullmatch(ref.ref), ref.target_commit) for ref in pull_requests)
    return References(
        branches={ref.name: ref.target_commit for ref in branches},
        tags={ref.name: ref.target_commit for ref in tags},
        pull_requests={int(match[1]): commit for match, commit in pulls if match},
    )


def list_files(repository: Repository, commit: str | None) -> dict[str, RemoteFile]:
    """The files of a commit; none when there is no commit.

    Raises:
        HubError: the Hub refused or cannot be reached.
    """
    return {} if commit is None else list_remote_files(repository.place, commit)


def difference(version: CheckedVersion, tree: Tree) -> Difference:
    """What a commit would have to change so that it holds the version; `tree` lists its files."""
    files = version.files
    return Difference(
        new=tuple(path for path in files if path not in tree),
        changed=tuple(path for path, file in files.items() if path in tree and not _is_same(version, file, tree[path])),
        deleted=tuple(sorted(path for path in tree if path not in files and path.split("/")[0] in DATA_FOLDERS)),
    )


def _is_same(version: CheckedVersion, file: File, entry: RemoteFile) -> bool:
    if entry.lfs is not None:
        return bool(entry.lfs.sha256 == file.sha256)
    return bool(entry.size == file.bytes and entry.blob_id == git_hash(version.folder / file.path))


def operations_for(
    folder: Path, sent: Iterable[str], deleted: Iterable[str]
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """The operations of a commit that sends some files of a folder and deletes others."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    return [
        *(CommitOperationAdd(path, str(folder / path)) for path in sent),
        *(CommitOperationDelete(path, is_folder=False) for path in deleted),
    ]


def commit_files(
    repository: Repository,
    operations: Sequence[CommitOperationAdd | CommitOperationDelete],
    *,
    title: str,
    parent: str | None,
    is_done: Callable[[Tree], bool],
    report: Report,
) -> str:
    """Make one commit on the main branch, on top of the commit `parent`; returns its id.

    Args:
        repository: where.
        operations: what the commit does.
        title: of the commit.
        parent: the newest commit now; None where there is none.
        is_done: whether the files of a commit are as wanted: an earlier try may have arrived, and only its answer was lost.
        report: called with a line before each new try.

    Raises:
        HubError: somebody else committed meanwhile; the Hub refused or cannot be reached.
    """
    from huggingface_hub.errors import HfHubHTTPError

    api, repo_id = repository.api, repository.repo_id

    def send() -> str:
        there = _look_up(repository)
        head = there.sha if there else None
        if head != parent:
            if not is_done(list_files(repository, head)):
                raise changed_meanwhile(repo_id)
            return str(head)
        try:
            made = api.create_commit(
                repo_id, operations, commit_message=title, repo_type="dataset", parent_commit=parent
            )
        except HfHubHTTPError as error:
            if error.response.status_code == 412:  # the parent is not the newest commit
                raise changed_meanwhile(repo_id) from error
            raise
        if not is_commit(str(made.oid)):
            raise HubError(f"the Hub says that it made commit {str(made.oid)[:100]!r}, which is none", path=repo_id)
        return str(made.oid)

    return attempt(send, repo_id, report=report)


def changed_meanwhile(repo_id: str) -> HubError:
    """The error where somebody else was faster."""
    reason = "somebody else committed to the repository meanwhile; nothing was changed"
    return HubError(reason, path=repo_id, hint="look at it, then repeat the command")


def set_tag(repository: Repository, tag: str, commit: str, report: Report) -> None:
    """Set the tag of a version, and read it back. A tag that is there is not moved.

    Raises:
        HubError: somebody else set it to another commit; the Hub refused or cannot be reached.
    """
    from huggingface_hub.errors import HfHubHTTPError

    api, repo_id = repository.api, repository.repo_id

    def send() -> None:
        try:
            api.create_tag(repo_id, tag=tag, revision=commit, repo_type="dataset")
        except HfHubHTTPError as error:
            if error.response.status_code != 409:  # 409: the tag exists; perhaps an earlier try arrived
                raise

    attempt(send, repo_id, report=report)
    there = version_tags(repository.place).get(tag.removeprefix("v"))
    if there != commit:
        reason = f"the tag {tag} names {there}, not {commit}: somebody else set it meanwhile"
        raise HubError(reason, path=repo_id, hint=f"the version is commit {commit}; find out who set the tag")
