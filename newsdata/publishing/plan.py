"""What publishing a version would do, and what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import CallError

__all__ = ["Confirm", "Plan", "Published", "Report", "report_nothing", "require_confirmation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What publishing would do.

    Attributes:
        target: the repository ("owner/name"), or the address of the folder that the version gets.
        version: "X.Y.Z".
        published: the target holds exactly this version already; there is nothing to do.
        new, changed, deleted, unchanged: paths. For a repository compared with its newest commit; for a folder or bucket
            with the files that are there. There, `unchanged` files may be copied from an earlier version.
        bytes: how many will be sent.
        create: the repository does not exist yet.
        private: whether only its owners see the repository, as it is or would be made; None for a folder or bucket.
        full_text: the version holds the publishers' text.
        parent: the commit that the new commit follows; None for a new or empty repository, a folder or a bucket.
    """

    target: str
    version: str
    published: bool = False
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    bytes: int = 0
    create: bool = False
    private: bool | None = None
    full_text: bool = True
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publishing did. The hash of every file was read back from the target and equals the manifest's.

    Attributes:
        target, version: as in `Plan`.
        commit, tag: of the version in a repository; None for a folder or bucket. A pull request has no tag.
        sent: paths of the files that were sent.
        deleted: paths that the commit deleted.
        bytes: the sizes of the sent files together.
        already: the version was published before; nothing was done.
        created: the repository is new.
        pull_request: the address of the pull request that was opened; None where the main branch got the commit.
    """

    target: str
    version: str
    commit: str | None = None
    tag: str | None = None
    sent: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    bytes: int = 0
    already: bool = False
    created: bool = False
    pull_request: str | None = None


Confirm = Callable[[Plan], bool]
"""Asked before anything is sent; False ends the call."""

Report = Callable[[str], None]
"""Told what is being done, one line at a time."""


def report_nothing(_: str) -> None:
    """A `Report` for callers that want none."""


def require_confirmation(plan: Plan, confirm: Confirm | None) -> None:
    """Ask `confirm`, if there is one, whether to go on with a plan.

    Raises:
        CallError: the answer is no.
    """
    if confirm and not confirm(plan):
        raise CallError("not confirmed; nothing was sent")
