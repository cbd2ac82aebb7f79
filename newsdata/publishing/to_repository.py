"""Publish a version to a dataset repository: one commit, and the tag `vX.Y.Z` on it.

The tag is set last, after the hashes of the commit were read back. A tag is never moved. A second run finishes what an
interrupted run began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..dataset.hub_cache import git_hash
from ..dataset.hub_client import attempt, client
from ..dataset.hub_revisions import version_tags
from ..errors import HubError, VerifyError, VersionError
from ..schema import CONFIGS
from ..storage.manifest import MANIFEST_NAME, File, parse_version
from .checked_version import CheckedVersion
from .plan import Confirm, Plan, Published, Report, require_confirmation

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["Repository", "open_repository", "plan_commit", "publish_commit"]

_FOLDERS = (*CONFIGS, "assets")
"""Folders of a repository that belong to the dataset: a file in them that is not in the version is deleted."""


class Repository(NamedTuple):
    """A dataset repository, and the client to reach it.

    Attributes:
        api: the client, with the token.
        repo_id: "owner/name".
        private: whether to make it private, if it does not exist yet.
    """

    api: HfApi
    repo_id: str
    private: bool


def open_repository(repo_id: str, *, token: str | None, private: bool) -> Repository:
    """A repository to publish to; nothing is sent yet.

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
    return Repository(client(found), repo_id, private)


def plan_commit(version: CheckedVersion, repository: Repository) -> Plan:
    """What `publish_commit` would do. Nothing is changed.

    Raises:
        VersionError: the tag of this version names other content, or a newer version is published.
        HubError: the repository holds files of somebody else, or the Hub refused or cannot be reached.
    """
    api, repo_id, _ = repository
    there = attempt(lambda: _look_up(repository), repo_id)
    sizes = {path: file.bytes for path, file in version.files.items()}
    plan = Plan(target=repo_id, version=version.version, full_text=version.full_text)
    if there is None:
        total = sum(sizes.values())
        return replace(plan, new=tuple(sizes), bytes=total, create=True, private=repository.private)
    plan = replace(plan, private=bool(there.private), parent=there.sha)
    tags = version_tags(api, repo_id)
    if version.version in tags:
        _check_tagged(version, repository, tags[version.version])
        return replace(plan, published=True, parent=tags[version.version], unchanged=tuple(sizes))
    newer = [tag for tag in tags if parse_version(tag) > parse_version(version.version)]
    if newer:
        reason = f"{newer[-1]} is published, which is newer than {version.version}"
        raise VersionError(reason, path=repo_id, hint="publish a version that is newer than every published one")
    tree = _list_files(repository, there.sha)
    found = _difference(version, tree)
    lost = [path for path in (*found.changed, *found.deleted) if path != "README.md"]
    if lost and MANIFEST_NAME not in tree:
        reason = f"the repository holds something else: {lost[0]} would be lost"
        raise HubError(reason, path=repo_id, hint="name another repository, or an empty one")
    to_send = (*found.new, *found.changed)
    return replace(
        plan,
        new=found.new,
        changed=found.changed,
        deleted=found.deleted,
        unchanged=tuple(path for path in sizes if path not in set(to_send)),
        bytes=sum(sizes[path] for path in to_send),
    )


def publish_commit(
    version: CheckedVersion, repository: Repository, *, confirm: Confirm | None, report: Report
) -> Published:
    """Send a version as one commit, read its hashes back, then set the tag.

    Raises:
        CallError: `confirm` said no.
        VersionError, HubError: as for `plan_commit`; or somebody else committed or tagged meanwhile.
        VerifyError: the commit does not hold what was sent; it gets no tag.
    """
    api, repo_id, private = repository
    plan = plan_commit(version, repository)
    tag = f"v{version.version}"
    if plan.published:
        report(f"{repo_id}: {tag} is already published")
        return Published(target=repo_id, version=version.version, commit=plan.parent, tag=tag, already=True)
    require_confirmation(plan, confirm)
    created = plan.create
    if created:
        report(f"{repo_id}: making a {'private' if private else 'public'} repository")
        attempt(lambda: api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True), repo_id)
        plan = plan_commit(version, repository)
    commit = plan.parent
    if plan.new or plan.changed or plan.deleted:
        commit = _commit(version, repository, plan, report)
    wrong = tuple(path for paths in _difference(version, _list_files(repository, commit)) for path in paths)
    if wrong:
        reason = f"commit {commit} does not hold what was sent ({wrong[0]}), so it got no tag"
        raise VerifyError(reason, path=repo_id, faults=wrong)
    assert commit is not None
    _set_tag(repository, tag, commit, report)
    report(f"{repo_id}: {tag} is commit {commit}; {len(version.files)} hashes read back, all equal")
    return Published(
        target=repo_id,
        version=version.version,
        commit=commit,
        tag=tag,
        sent=(*plan.new, *plan.changed),
        deleted=plan.deleted,
        bytes=plan.bytes,
        created=created,
    )


def _look_up(repository: Repository) -> Any:
    """The Hub's record of a repository, with `sha` of the newest commit and `private`; None if there is none."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return repository.api.dataset_info(repository.repo_id)
    except HfHubHTTPError as error:
        if error.response.status_code == 404:
            return None
        raise


def _list_files(repository: Repository, commit: str | None) -> dict[str, Any]:
    """The Hub's records of the files of a commit, by path; none when there is no commit."""
    from huggingface_hub.hf_api import RepoFile

    if commit is None:
        return {}

    def listing() -> dict[str, Any]:
        entries = repository.api.list_repo_tree(
            repository.repo_id, repo_type="dataset", revision=commit, recursive=True
        )
        return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}

    return attempt(listing, repository.repo_id)


class _Difference(NamedTuple):
    """Paths in which a version and a commit differ, by hash."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]


def _difference(version: CheckedVersion, tree: Mapping[str, Any]) -> _Difference:
    """What a commit would have to change so that it holds the version; `tree` lists its files."""
    files = version.files
    return _Difference(
        new=tuple(path for path in files if path not in tree),
        changed=tuple(path for path, file in files.items() if path in tree and not _is_same(version, file, tree[path])),
        deleted=tuple(sorted(path for path in tree if path not in files and path.split("/")[0] in _FOLDERS)),
    )


def _is_same(version: CheckedVersion, file: File, entry: Any) -> bool:
    if entry.lfs is not None:
        return bool(entry.lfs.sha256 == file.sha256)
    return bool(entry.size == file.bytes and entry.blob_id == git_hash(version.folder / file.path))


def _check_tagged(version: CheckedVersion, repository: Repository, commit: str) -> None:
    """Raise VersionError if the commit of the version's tag holds something else."""
    found = _difference(version, _list_files(repository, commit))
    differing = (*found.changed, *found.new, *found.deleted)
    if differing:
        reason = f"the tag v{version.version} names other content ({differing[0]} differs), and a tag is never moved"
        raise VersionError(reason, path=repository.repo_id, hint="build the change as a new version")


def _commit(version: CheckedVersion, repository: Repository, plan: Plan, report: Report) -> str:
    """Make one commit on top of the one that the plan was made for; returns its id."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import HfHubHTTPError

    api, repo_id, _ = repository
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        *(CommitOperationAdd(path, str(version.folder / path)) for path in (*plan.new, *plan.changed)),
        *(CommitOperationDelete(path, is_folder=False) for path in plan.deleted),
    ]
    report(f"{repo_id}: sending {len(plan.new) + len(plan.changed)} files, {plan.bytes:,} bytes")

    def send() -> str:
        there = _look_up(repository)
        head = there and there.sha
        if head != plan.parent:  # an earlier try may have arrived, and only its answer was lost
            if any(_difference(version, _list_files(repository, head))):
                raise _changed_meanwhile(repo_id)
            return str(head)
        try:
            made = api.create_commit(
                repo_id,
                operations,
                commit_message=f"Version {version.version}",
                repo_type="dataset",
                parent_commit=plan.parent,
            )
        except HfHubHTTPError as error:
            if error.response.status_code == 412:  # the parent is not the newest commit
                raise _changed_meanwhile(repo_id) from error
            raise
        return str(made.oid)

    return attempt(send, repo_id, report=report)


def _changed_meanwhile(repo_id: str) -> HubError:
    reason = "somebody else committed to the repository meanwhile; nothing was changed"
    return HubError(reason, path=repo_id, hint="look at it, then publish again")


def _set_tag(repository: Repository, tag: str, commit: str, report: Report) -> None:
    from huggingface_hub.errors import HfHubHTTPError

    api, repo_id, _ = repository

    def send() -> None:
        try:
            api.create_tag(repo_id, tag=tag, revision=commit, repo_type="dataset")
        except HfHubHTTPError as error:
            if error.response.status_code != 409:  # 409: the tag exists; perhaps an earlier try arrived
                raise

    attempt(send, repo_id, report=report)
    there = version_tags(api, repo_id).get(tag.removeprefix("v"))
    if there != commit:
        reason = f"the tag {tag} names {there}, not {commit}: somebody else set it meanwhile"
        raise HubError(reason, path=repo_id, hint=f"the version is commit {commit}; find out who set the tag")
