"""Publish a version to the Hub, a folder or a bucket.

Nothing is published before its hashes are read back, nothing published is ever changed, and a second run finishes what an
interrupted run began.
"""

from __future__ import annotations

from pathlib import Path

from ..dataset.hub_client import check_repo_id
from ..errors import CallError, HubError
from .checked_version import checked_version
from .plan import Confirm, Plan, Published, Report, report_nothing
from .pull_request import propose_commit
from .repository import open_repository
from .to_folder import open_store, plan_folder, publish_folder
from .to_repository import plan_commit, publish_commit

__all__ = ["is_repository", "plan", "publish"]


def plan(
    directory: str | Path,
    target: str,
    *,
    revision: str | None = None,
    private: bool = True,
    token: str | None = None,
) -> Plan:
    """What `publish` with the same arguments would do; nothing is sent or changed.

    Publishers' text is no error here: `Plan.full_text` says whether `publish` needs `full_text=True`.

    Raises:
        VersionError, HubError, VerifyError, ManifestError, CallError: as for `publish`.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = build("examples/archive", f"{folder}/out", num_proc=1)
    ...     found = plan(f"{folder}/out", f"{folder}/public")
    >>> found.version, found.published, "README.md" in found.new
    ('1.0.0', False, True)
    """
    with checked_version(directory, revision) as version:
        if is_repository(target):
            return plan_commit(version, open_repository(target, token=token, private=private))
        return plan_folder(version, open_store(target))


def publish(
    directory: str | Path,
    target: str,
    *,
    revision: str | None = None,
    full_text: bool = False,
    private: bool = True,
    create_pr: bool = False,
    token: str | None = None,
    confirm: Confirm | None = None,
    report: Report | None = None,
) -> Published:
    """Send a version to the Hub, a folder or a bucket, and check that what arrived is what was built.

    Args:
        directory: the folder of a version, or the folder that holds versions; also in a bucket ("s3://bucket/finews").
        target: a dataset repository "owner/name" (at HF_ENDPOINT; made if it does not exist), an address
            ("s3://bucket/prefix", "gs://…"), or the path of a folder, which starts with `/`, `.` or `~`.
        revision: which version in `directory`; None for the newest.
        full_text: whether the publishers' text may be sent. That is the caller's decision, so a version with text is
            refused without it; a text-free version never needs it.
        private: whether to make a new repository private. A repository that exists stays as it is.
        create_pr: open a pull request in a repository that exists, instead of a commit on its main branch and the tag.
            `tag_version` sets the tag once it is merged.
        token: of the Hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).
        confirm: called with the plan before anything is sent; False ends the call. Not called if there is nothing to do.
        report: called with a line about each step.

    Raises:
        CallError: the version holds text and `full_text` is False, it holds redacted articles, `confirm` said no, or
            `create_pr` has no repository to propose to.
        VersionError: the tag or folder of this version holds other content, a newer version is published, or this one
            was yanked.
        HubError: there is no token, it may not do this, there is no such repository, somebody else committed meanwhile,
            or the target cannot be reached.
        VerifyError: a file is not the one that the manifest names: here (nothing is sent) or there (no tag is set).
        ManifestError: there is no usable manifest.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = build("examples/archive", f"{folder}/out", num_proc=1)
    ...     first = publish(f"{folder}/out", f"{folder}/public", full_text=True)
    ...     again = publish(f"{folder}/out", f"{folder}/public", full_text=True)
    >>> first.already, again.already
    (False, True)
    """
    report = report or report_nothing
    if create_pr and not is_repository(target):
        raise CallError("only a repository on the Hub has pull requests", path=target)
    with checked_version(directory, revision, full_text=full_text) as version:
        if is_repository(target):
            repository = open_repository(target, token=token, private=private)
            send = propose_commit if create_pr else publish_commit
            return send(version, repository, confirm=confirm, report=report)
        return publish_folder(version, open_store(target), confirm=confirm, report=report)


def is_repository(target: str) -> bool:
    """Whether a target is a repository: it has no `://` and does not start like a path.

    >>> [is_repository(t) for t in ("lab/finews", "s3://bucket/finews", "./public", "/public", "~/public")]
    [True, False, False, False, False]
    """
    if target.startswith("hf://"):
        raise HubError(f"{target} is an address", hint="name the repository alone: owner/name")
    if "://" in target or target.startswith((".", "~")) or Path(target).is_absolute():
        return False
    check_repo_id(target)
    return True
