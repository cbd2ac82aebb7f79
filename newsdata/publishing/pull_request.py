"""Propose a version as a pull request: its commit, without a tag. `tag_version` tags it once it is merged."""

from __future__ import annotations

from ..counts import file_size, plural
from ..dataset.hub_cache import is_commit
from ..dataset.hub_client import attempt
from ..errors import CallError, HubError, VerifyError
from .checked_version import CheckedVersion
from .plan import Confirm, Plan, Published, Report, require_confirmation
from .repository import Repository, all_references, changed_meanwhile, difference, list_files, operations_for
from .to_repository import plan_commit

__all__ = ["propose_commit"]


def propose_commit(
    version: CheckedVersion, repository: Repository, *, confirm: Confirm | None, report: Report
) -> Published:
    """Open a pull request with a version, and read its hashes back.

    Raises:
        CallError: `confirm` said no, or the main branch holds this version already.
        VersionError, HubError: as for `plan_commit`; or there is no such repository.
        VerifyError: the pull request does not hold what was sent.
    """
    repo_id = repository.repo_id
    plan = plan_commit(version, repository)
    if plan.published:
        report(f"{repo_id}: v{version.version} is already published")
        return Published(
            target=repo_id, version=version.version, commit=plan.parent, tag=f"v{version.version}", already=True
        )
    if plan.create or plan.parent is None:
        reason = "a pull request needs a repository with a commit, and there is none"
        raise HubError(reason, path=repo_id, hint="publish the first version without a pull request")
    if not (plan.new or plan.changed or plan.deleted):
        reason = f"the main branch holds {version.version} already, without a tag"
        raise CallError(reason, path=repo_id, hint=f"newsdata publish {repo_id} --tag {version.version}")
    require_confirmation(plan, confirm)
    commit, number = _open(version, repository, plan, report)
    wrong = difference(version, list_files(repository, commit)).paths
    if wrong:
        reason = f"pull request {number} does not hold what was sent ({wrong[0]}): do not merge it"
        raise VerifyError(reason, path=repo_id, faults=wrong)
    report(f"{repo_id}: pull request {number} is commit {commit}; {len(version.files)} hashes read back, all equal")
    return Published(
        target=repo_id,
        version=version.version,
        commit=commit,
        sent=(*plan.new, *plan.changed),
        deleted=plan.deleted,
        bytes=plan.bytes,
        pull_request=f"{repository.api.endpoint}/datasets/{repo_id}/discussions/{number}",
    )


def _open(version: CheckedVersion, repository: Repository, plan: Plan, report: Report) -> tuple[str, int]:
    """Open the pull request; returns its commit and its number."""
    from huggingface_hub.errors import HfHubHTTPError

    api, repo_id = repository.api, repository.repo_id
    before = all_references(repository).pull_requests
    operations = operations_for(version.folder, (*plan.new, *plan.changed), plan.deleted)
    report(f"{repo_id}: sending {plural(len(plan.new) + len(plan.changed), 'file')}, {file_size(plan.bytes)}")

    def send() -> tuple[str, int]:
        now = all_references(repository).pull_requests
        for number in now.keys() - before.keys():  # an earlier try may have arrived, and only its answer was lost
            if not difference(version, list_files(repository, now[number])).paths:
                return now[number], number
        try:
            made = api.create_commit(
                repo_id,
                operations,
                commit_message=f"Version {version.version}",
                repo_type="dataset",
                parent_commit=plan.parent,
                create_pr=True,
            )
        except HfHubHTTPError as error:
            if error.response.status_code == 412:  # the parent is not the newest commit
                raise changed_meanwhile(repo_id) from error
            raise
        if made.pr_num is None:
            raise HubError("the Hub made a commit, but gives no number of a pull request", path=repo_id)
        if not is_commit(str(made.oid)):
            raise HubError(f"the Hub says that it made commit {str(made.oid)[:100]!r}, which is none", path=repo_id)
        return str(made.oid), int(made.pr_num)

    return attempt(send, repo_id, report=report)
