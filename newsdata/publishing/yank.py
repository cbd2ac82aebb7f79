"""Yank a version, in its folder and where it is published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..dataset.bucket import versions_in_bucket
from ..dataset.hub_client import check_repo_id
from ..errors import CallError
from ..files import expand_home
from ..maintenance.bucket_copy import changed_copy, named_version
from ..maintenance.yank import mark_as_bad, take_mark_away
from ..objects import is_object_url
from .marks import Marked, mark_published
from .plan import Report, report_nothing
from .repository import open_repository

__all__ = ["Yanked", "yank"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Yanked:
    """What was marked.

    Attributes:
        path: the folder of the version; in an object store its address.
        version: the version.
        reason: why it is bad; None where the mark was taken away.
        published: what became of the repository; None where none was named.
    """

    path: Path | str
    version: str
    reason: str | None
    published: Marked | None = None


def yank(
    path: str | Path,
    *,
    reason: str | None = None,
    revision: str | None = None,
    undo: bool = False,
    publish: str | None = None,
    token: str | None = None,
    report: Report | None = None,
) -> Yanked:
    """Mark a version as bad, or take the mark away.

    From then on "the newest version" and ranges skip it, loading exactly this version warns, and `publish` refuses it. The
    mark is the file `yanked.json` in the version's folder, which no manifest lists. The next build still follows the
    version, because its decisions about splits stay valid.

    A copy that was published is not touched, unless its repository is named. There the mark is the file `.yanked.json` on
    the main branch, which moves to the newest good version; the bad version keeps its tag. Where no version is good, the
    main branch has a README that says so, and no data.

    Args:
        path: the folder of a version, or with `revision` the folder that holds versions; both also in an object store.
        reason: why, for people who read it later.
        revision: the version, "1.0.0"; a range is not allowed.
        undo: take the mark away. No reason is needed.
        publish: a repository "owner/name" on the Hub to do the same in.
        token: of the Hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).
        report: called with a line about each step on the Hub.

    Raises:
        VersionError: the version does not exist, or is not published in that repository.
        ManifestError: its manifest cannot be read, or the marks in the repository are damaged.
        CallError: there is no reason, or no exact version is named.
        HubError: there is no token, it may not do this, or the Hub cannot be reached. The folder has its mark then.
        VerifyError: the new commit does not hold what was sent.
        MachineError: another process is at work in the object store, or that cannot be reached.

    >>> import tempfile
    >>> from newsdata import build, info
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     bad = yank(made.path, reason="half of March was missing")
    ...     before = info(made.path)["yanked"]
    ...     good = yank(made.path, undo=True)
    ...     bad.version, before, info(made.path)["yanked"]
    ('1.0.0', 'half of March was missing', None)
    """
    if undo and reason is not None:
        raise CallError("undo needs no reason", field="reason")
    if not undo and reason is None:
        raise CallError("a reason is missing", field="reason", hint="say why, for people who read it later")
    path = expand_home(path)
    if is_object_url(path):
        out, named = named_version(path, revision)
        versions = sorted({*versions_in_bucket(out), named})
        with changed_copy(out, "yank", versions) as (folder, _):
            done = yank(folder, reason=reason, revision=named, undo=undo, publish=publish, token=token, report=report)
        return replace(done, path=f"{out}/{named}")
    repository = None
    if publish is not None:
        check_repo_id(publish)
        repository = open_repository(publish, token=token)
    if reason is None:
        folder, version = take_mark_away(path, revision)
    else:
        folder, version, reason = mark_as_bad(path, reason, revision)
    marked = repository and mark_published(repository, version, reason, report=report or report_nothing)
    return Yanked(path=folder, version=version, reason=reason, published=marked)
