"""Erase an article from a repository: publish a version without it, then remove every way to the commits that hold it.

Tags of versions that hold it are deleted. The main branch and all others lose their history, and tags of other versions
whose history reaches it are set anew on a commit without history. Large files that only those commits have are deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from ..dataset.hub_client import attempt
from ..dataset.hub_download import download
from ..dataset.hub_files import files_of
from ..dataset.hub_listings import LargeFile, list_large_files
from ..errors import CallError, HubError, VerifyError
from ..storage.manifest import MANIFEST_NAME, read_manifest
from .checked_version import CheckedVersion
from .holders import Holders, find_holders, large_files
from .plan import Plan, Report
from .repository import (
    Repository,
    all_references,
    commit_files,
    difference,
    list_files,
    operations_for,
    set_tag,
)
from .to_repository import plan_commit

__all__ = ["Erasure", "erase", "plan_erasure"]

_MAIN = "main"
_HELPER = "newsdata-set-anew-"  # and the name of a tag: a branch with the commit that the tag is set anew on


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What has to be done, or was done, so that no reference of a repository reaches an article.

    Attributes:
        repo_id: "owner/name".
        version: the version without the article that is published.
        plan: what publishing it means; None where the article is nowhere.
        tags: of versions that hold it; they are deleted.
        moved: tags of other versions whose history reaches it; they are set anew, on a commit without history.
        branches: branches that hold it; they are deleted.
        squashed: branches that lose their history.
        pull_requests: that reach it. Nobody but the Hub can remove them.
        large_files: the number of large files that only commits with the article have; they are deleted.
        notes: what could not be done, one sentence each.
    """

    repo_id: str
    version: str
    plan: Plan | None = None
    tags: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    squashed: tuple[str, ...] = ()
    pull_requests: tuple[int, ...] = ()
    large_files: int = 0
    notes: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether anything has to be done."""
        return bool(self.tags or self.moved or self.branches or self.squashed or self.pull_requests or self.large_files)


def plan_erasure(version: CheckedVersion, repository: Repository, found: Holders) -> Erasure:
    """What `erase` would do.

    Raises:
        VersionError, HubError: as for `plan_commit`.
    """
    refs = found.references
    reached = {name for name, commit in refs.branches.items() if found.reaches(commit)}
    bad_branches = {name for name in reached - {_MAIN} if refs.branches[name] in found.commits}
    tags = tuple(name for name, commit in refs.tags.items() if commit in found.commits)
    erasure = Erasure(
        repo_id=repository.repo_id,
        version=version.version,
        tags=tags,
        moved=tuple(name for name, commit in refs.tags.items() if found.reaches(commit) and name not in tags),
        branches=tuple(sorted(bad_branches)),
        squashed=tuple(sorted(reached - bad_branches)),
        pull_requests=tuple(sorted(n for n, commit in refs.pull_requests.items() if found.reaches(commit))),
        large_files=len(_doomed(version, repository, found)),
    )
    return replace(erasure, plan=plan_commit(version, repository)) if erasure.is_needed else erasure


def _doomed(version: CheckedVersion, repository: Repository, found: Holders) -> set[str]:
    """The SHA-256 of the large files in the repository that only commits and versions with the article have."""
    refs = found.references
    heads = {*refs.branches.values(), *refs.tags.values(), *refs.pull_requests.values()} - found.commits
    kept = large_files(found.trees, heads) | {file.sha256 for file in version.files.values()}
    doomed = (large_files(found.trees, found.commits) | found.hashes_here) - kept
    try:
        return {file.file_oid for file in _listed(repository, doomed)}
    except HubError:  # the Hub does not list them; deleting them fails later, and then that is told
        return large_files(found.trees, found.commits) - kept


def _listed(repository: Repository, hashes: Collection[str]) -> list[LargeFile]:
    """The Hub's records of those large files that it has."""
    return [file for file in list_large_files(repository.place) if file.file_oid in hashes]


def erase(
    version: CheckedVersion,
    article_id: str,
    out: Path,
    repository: Repository,
    *,
    confirm: Callable[[Erasure], bool] | None,
    report: Report,
) -> Erasure:
    """Erase an article from a repository, and look for it again. A second run finishes what an interrupted run began.

    Args:
        version: without the article.
        article_id: the article.
        out: the folder of versions.
        repository: where.
        confirm: called with the plan before anything is changed; False ends the call. Not called if nothing is to be done.
        report: called with a line about each step.

    Raises:
        CallError: `confirm` said no.
        VersionError, HubError: as for `plan_commit`; or the Hub refused one of the steps.
        VerifyError: a branch or a tag still reaches the article.
    """
    _finish_tags(repository, report)
    found = find_holders(repository, article_id, out, known={}, report=report)
    erasure = plan_erasure(version, repository, found)
    if not erasure.is_needed:
        return erasure
    if confirm and not confirm(erasure):
        raise CallError("not confirmed; nothing was changed on the Hub")
    doomed = _doomed(version, repository, found)
    _replace_main(version, repository, found, erasure, report)
    for tag in erasure.tags:
        _delete_tag(repository, tag, report)
    for branch in erasure.branches:
        _delete_branch(repository, branch, report)
    for branch in erasure.squashed:
        _squash(repository, branch, report)
    for tag in erasure.moved:
        _set_anew(repository, tag, found.references.tags[tag], report)
    if erasure.plan and not erasure.plan.published:
        _tag_main(version, repository, report)
    notes = _delete_large_files(repository, doomed, report)
    again = find_holders(repository, article_id, out, known=found.known, report=report)
    left = plan_erasure(version, repository, again)
    names = (*left.tags, *left.moved, *left.branches, *left.squashed)
    if names:
        raise VerifyError(
            f"{names[0]} still reaches the article; repeat the command", path=repository.repo_id, faults=names
        )
    notes += [
        f"pull request {number} (refs/pr/{number}) still has its commits with their small files, such as the card: "
        "ask the Hub's support to remove it"
        for number in left.pull_requests
    ]
    return replace(erasure, notes=tuple(notes))


def _replace_main(
    version: CheckedVersion, repository: Repository, found: Holders, erasure: Erasure, report: Report
) -> None:
    """Make a commit on the main branch so that it holds the version, if it has no tag or the branch holds the article."""
    head = found.references.branches[_MAIN]
    tree = found.trees[head]
    differing = difference(version, tree)
    untagged = erasure.plan is not None and not erasure.plan.published
    if not differing.paths or not (untagged or head in found.commits):
        return
    gone = set(differing.deleted)
    if MANIFEST_NAME in tree:
        before = read_manifest(download(repository.place, head, MANIFEST_NAME).parent)
        gone |= {file.path for file in files_of(before) if file.path in tree} - version.files.keys()
    sent = (*differing.new, *differing.changed)
    report(f"{repository.repo_id}: sending {version.version}, {len(sent)} files")
    commit = commit_files(
        repository,
        operations_for(version.folder, sent, sorted(gone)),
        title=f"Version {version.version}",
        parent=head,
        is_done=lambda there: not difference(version, there).paths,
        report=report,
    )
    _check(version, repository, commit)


def _check(version: CheckedVersion, repository: Repository, commit: str) -> None:
    wrong = difference(version, list_files(repository, commit)).paths
    if wrong:
        reason = f"commit {commit} does not hold what was sent ({wrong[0]})"
        raise VerifyError(reason, path=repository.repo_id, faults=wrong)


def _tag_main(version: CheckedVersion, repository: Repository, report: Report) -> None:
    """Tag the version, which the main branch holds."""
    head = all_references(repository).branches[_MAIN]
    _check(version, repository, head)
    set_tag(repository, f"v{version.version}", head, report)


def _delete_tag(repository: Repository, tag: str, report: Report) -> None:
    report(f"{repository.repo_id}: deleting the tag {tag}")
    _drop(repository, lambda: repository.api.delete_tag(repository.repo_id, tag=tag, repo_type="dataset"), report)


def _delete_branch(repository: Repository, branch: str, report: Report) -> None:
    report(f"{repository.repo_id}: deleting the branch {branch}")
    _drop(
        repository, lambda: repository.api.delete_branch(repository.repo_id, branch=branch, repo_type="dataset"), report
    )


def _drop(repository: Repository, call: Callable[[], None], report: Report) -> None:
    """Delete a reference; if it is not there, an earlier try arrived."""
    from huggingface_hub.errors import HfHubHTTPError

    def send() -> None:
        try:
            call()
        except HfHubHTTPError as error:
            if error.response.status_code != 404:
                raise

    attempt(send, repository.repo_id, report=report)


def _squash(repository: Repository, branch: str, report: Report) -> None:
    api, repo_id = repository.api, repository.repo_id
    report(f"{repo_id}: removing the history of the branch {branch}")
    attempt(
        lambda: api.super_squash_history(
            repo_id, branch=branch, commit_message="Remove earlier versions", repo_type="dataset"
        ),
        repo_id,
        report=report,
    )


def _set_anew(repository: Repository, tag: str, commit: str, report: Report) -> None:
    """Set a tag on a commit with the same files and no history."""
    api, repo_id = repository.api, repository.repo_id
    helper = f"{_HELPER}{tag}"
    report(f"{repo_id}: setting the tag {tag} on a commit without history")
    attempt(
        lambda: api.create_branch(repo_id, branch=helper, revision=commit, repo_type="dataset", exist_ok=True), repo_id
    )
    _squash(repository, helper, report)
    _delete_tag(repository, tag, report)
    _finish_tags(repository, report)


def _finish_tags(repository: Repository, report: Report) -> None:
    """Set the tags whose commits without history are ready, here or by a run that was interrupted."""
    api, repo_id = repository.api, repository.repo_id
    refs = all_references(repository)
    for branch, commit in refs.branches.items():
        if not branch.startswith(_HELPER):
            continue
        tag = branch.removeprefix(_HELPER)
        if tag not in refs.tags:
            attempt(
                partial(api.create_tag, repo_id, tag=tag, revision=commit, repo_type="dataset", exist_ok=True), repo_id
            )
        _delete_branch(repository, branch, report)


def _delete_large_files(repository: Repository, doomed: set[str], report: Report) -> list[str]:
    """Delete large files for good; returns what could not be done."""
    api, repo_id = repository.api, repository.repo_id
    try:
        files = _listed(repository, doomed) if doomed else []
        if files:
            report(f"{repo_id}: deleting {len(files)} large files for good")
            attempt(
                lambda: api.permanently_delete_lfs_files(
                    repo_id, cast(Any, files), rewrite_history=False, repo_type="dataset"
                ),
                repo_id,
                report=report,
            )
            files = _listed(repository, doomed)
    except HubError as error:
        return [
            f"large files could not be deleted for good ({error.reason}): delete them on the page of the repository"
        ]
    return [f"{len(files)} large files are still there: delete them on the page of the repository"] if files else []
