"""Tag a version that stands on the main branch of a repository, for example after its pull request was merged."""

from __future__ import annotations

from ..dataset.hub_client import check_repo_id
from ..dataset.hub_marks import published_marks
from ..dataset.hub_revisions import references
from ..errors import ManifestError, VerifyError, VersionError
from ..storage.manifest import MANIFEST_NAME, parse_version
from .plan import Published, Report, report_nothing
from .published_version import version_in
from .repository import difference, list_files, open_repository, set_tag
from .to_repository import check_marks

__all__ = ["tag_version"]


def tag_version(repo_id: str, version: str, *, token: str | None = None, report: Report | None = None) -> Published:
    """Tag a version that the main branch of a repository holds, after the hash of every file was compared.

    Args:
        repo_id: a dataset repository "owner/name" on the Hub.
        version: "X.Y.Z".
        token: of the Hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).
        report: called with a line about each step.

    Raises:
        VersionError: the main branch holds another version; this one was yanked there; a newer one is published; or the
            tag names other content.
        VerifyError: a file on the main branch is not the one that the manifest names; no tag is set.
        ManifestError: the main branch has no usable manifest.
        HubError: there is no token, it may not do this, there is no such repository, or the Hub cannot be reached.

    >>> tag_version("lab/finews", "1.0")
    Traceback (most recent call last):
    newsdata.errors.VersionError: a version must have the form X.Y.Z, got '1.0'; write it like 1.0.0
    """
    check_repo_id(repo_id)
    version = version.removeprefix("v")
    parse_version(version)
    repository = open_repository(repo_id, token=token)
    found = references(repository.place)
    tree = list_files(repository, found.main)
    if found.main is None or MANIFEST_NAME not in tree:
        raise ManifestError("the main branch has no manifest.json: it holds no version", path=repo_id)
    there = version_in(repository, found.main)
    if there.version != version:
        reason = f"the main branch holds {there.version}, not {version}"
        raise VersionError(reason, path=repo_id, hint=f"merge the pull request of {version} first, or publish it")
    check_marks(there, repo_id, found.versions, published_marks(repository.place, found.main))
    wrong = difference(there, tree).paths
    if wrong:
        reason = f"commit {found.main} does not hold what its manifest says ({wrong[0]}), so it got no tag"
        raise VerifyError(reason, path=repo_id, faults=wrong)
    tag, commit = f"v{version}", found.versions.get(version)
    if commit is not None and difference(there, list_files(repository, commit)).paths:
        reason = f"the tag {tag} names other content (commit {commit}), and a tag is never moved"
        raise VersionError(reason, path=repo_id, hint="build the change as a new version")
    if commit is None:
        set_tag(repository, tag, found.main, report or report_nothing)
    return Published(target=repo_id, version=version, commit=commit or found.main, tag=tag, already=commit is not None)
