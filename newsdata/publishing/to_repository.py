"""Publish a version to a dataset repository: one commit, and the tag `vX.Y.Z` on it.

The tag is set last, after the hashes of the commit were read back. A tag is never moved. A second run finishes what an
interrupted run began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..counts import file_size, plural
from ..dataset.hub_client import attempt
from ..dataset.hub_marks import published_marks
from ..dataset.hub_revisions import version_tags
from ..errors import HubError, VerifyError, VersionError
from ..storage.manifest import MANIFEST_NAME, parse_version
from .checked_version import CheckedVersion
from .plan import Confirm, Plan, Published, Report, require_confirmation
from .repository import Repository, commit_files, difference, list_files, look_up, operations_for, set_tag

__all__ = ["check_marks", "plan_commit", "publish_commit"]


def plan_commit(version: CheckedVersion, repository: Repository) -> Plan:
    """What `publish_commit` would do. Nothing is changed.

    Raises:
        VersionError: the tag of this version names other content, it was yanked there, or a newer version is published
            that was not yanked.
        HubError: the repository holds files of somebody else, or the Hub refused or cannot be reached.
    """
    repo_id = repository.repo_id
    there = look_up(repository)
    sizes = {path: file.bytes for path, file in version.files.items()}
    plan = Plan(target=repo_id, version=version.version, full_text=version.full_text)
    if there is None:
        total = sum(sizes.values())
        return replace(plan, new=tuple(sizes), bytes=total, create=True, private=repository.private)
    plan = replace(plan, private=bool(there.private), parent=there.sha)
    tags = version_tags(repository.place)
    marks = published_marks(repository.place, there.sha) if there.sha and tags else {}
    if version.version in tags:
        _check_tagged(version, repository, tags[version.version])
    check_marks(version, repo_id, tags, marks)
    if version.version in tags:
        return replace(plan, published=True, parent=tags[version.version], unchanged=tuple(sizes))
    tree = list_files(repository, there.sha)
    found = difference(version, tree)
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
    repo_id = repository.repo_id
    plan = plan_commit(version, repository)
    tag = f"v{version.version}"
    if plan.published:
        report(f"{repo_id}: {tag} is already published")
        return Published(target=repo_id, version=version.version, commit=plan.parent, tag=tag, already=True)
    require_confirmation(plan, confirm)
    created = plan.create
    if created:
        _create(repository, report)
        plan = plan_commit(version, repository)
    commit = plan.parent
    if plan.new or plan.changed or plan.deleted:
        commit = _commit(version, repository, plan, report)
    wrong = difference(version, list_files(repository, commit)).paths
    if wrong:
        reason = f"commit {commit} does not hold what was sent ({wrong[0]}), so it got no tag"
        raise VerifyError(reason, path=repo_id, faults=wrong)
    assert commit is not None
    set_tag(repository, tag, commit, report)
    report(f"{repo_id}: {tag} is commit {commit}; {plural(len(version.files), 'hash', 'hashes')} read back, all equal")
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


def _check_tagged(version: CheckedVersion, repository: Repository, commit: str) -> None:
    """Raise VersionError if the commit of the version's tag holds something else."""
    differing = difference(version, list_files(repository, commit)).paths
    if differing:
        reason = f"the tag v{version.version} names other content ({differing[0]} differs), and a tag is never moved"
        raise VersionError(reason, path=repository.repo_id, hint="build the change as a new version")


def check_marks(version: CheckedVersion, repo_id: str, tags: Mapping[str, str], marks: Mapping[str, str]) -> None:
    """Check that a version was not yanked in a repository, and that no newer good version is published there.

    Raises:
        VersionError: it was, or there is.
    """
    if version.version in marks:
        reason = f"{version.version} was yanked there: {marks[version.version]}"
        hint = (
            f"publish another version, or take the mark away: newsdata yank {version.folder} --undo --publish {repo_id}"
        )
        raise VersionError(reason, path=repo_id, hint=hint)
    newer = [tag for tag in tags if parse_version(tag) > parse_version(version.version) and tag not in marks]
    if newer and version.version not in tags:
        reason = f"{newer[-1]} is published, which is newer than {version.version}"
        raise VersionError(reason, path=repo_id, hint="publish a version that is newer than every published one")


def _create(repository: Repository, report: Report) -> None:
    api, repo_id, private = repository.api, repository.repo_id, repository.private
    report(f"{repo_id}: making a {'private' if private else 'public'} repository")
    attempt(lambda: api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True), repo_id)


def _commit(version: CheckedVersion, repository: Repository, plan: Plan, report: Report) -> str:
    """Make one commit on top of the one that the plan was made for; returns its id."""
    report(
        f"{repository.repo_id}: sending {plural(len(plan.new) + len(plan.changed), 'file')}, {file_size(plan.bytes)}"
    )
    return commit_files(
        repository,
        operations_for(version.folder, (*plan.new, *plan.changed), plan.deleted),
        title=f"Version {version.version}",
        parent=plan.parent,
        is_done=lambda tree: not difference(version, tree).paths,
        report=report,
    )
