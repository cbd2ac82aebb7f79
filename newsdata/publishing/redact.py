"""Redact an article: keep it out of every later version, and erase it from a repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..dataset.hub_client import check_repo_id
from ..dataset.hub_files import files_of
from ..dataset.hub_revisions import version_tags
from ..dataset.open_version import open_version
from ..errors import CallError
from ..files import expand_home
from ..maintenance.bucket_copy import changed_copy
from ..maintenance.redact import files_with_articles, note_redaction
from ..maintenance.verify import articles_held
from ..objects import Objects, is_object_url
from ..storage.ledger import read_ledger, tombstones
from .checked_version import CheckedVersion, check_version
from .erase import Erasure, erase
from .holders import find_holders
from .plan import Report, report_nothing
from .published_version import version_in
from .repository import Repository, open_repository

__all__ = ["Redacted", "redact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """What `redact` found and did.

    Attributes:
        article_id: the article.
        reason: as it is, or will be, in the ledger.
        held_by: the versions in the folder that hold the article, oldest first; they are not changed.
        copies: ids of other articles in the last of these versions: near-copies, and articles with the same title in
            `revisions` (a renamed post is another article there). They stay unless they are redacted, too.
        unread: damaged files of these versions, which may hold the article, too: "1.0.0/posts/…: is missing".
        erased: what was done in the repository; None where none was named.
    """

    article_id: str
    reason: str
    held_by: tuple[str, ...]
    copies: tuple[str, ...]
    unread: tuple[str, ...] = ()
    erased: Erasure | None = None


def redact(
    out: str | Path,
    article_id: str,
    *,
    reason: str,
    publish: str | None = None,
    full_text: bool = False,
    token: str | None = None,
    confirm: Callable[[Erasure], bool] | None = None,
    report: Report | None = None,
) -> Redacted:
    """Keep an article out of every later version: its row, its posts and its text.

    The redaction is written to `out/redactions.json`, which the next build reads. From then on the ledger has a tombstone
    for the article, and no build brings it back: neither from a file with its id, under any path, nor from a file with the
    bytes of one of its posts, under any name. Such files are ignored and counted as "redacted". The next build also removes
    the text from the results of earlier builds in `out/.newsdata`.

    Versions that exist stay as they are: remove them with `prune`. The same words in another file are another article.

    What was published stays, too, unless its repository is named with `publish`. Build the next version first: the newest
    good version in `out`, which must not hold the article, is published. Then the tags of all versions that hold the
    article are deleted, branches lose their history, tags whose history reaches the article are set anew on a commit
    without history, and large files that only such commits have are deleted for good. At the end every reference is looked
    through again. Copies that somebody has downloaded, and pull requests, cannot be reached.

    Args:
        out: the folder that holds versions, also in an object store. Of versions there, the rows are fetched.
        article_id: as in the column `article_id`.
        reason: why. It becomes part of the ledger, which is published with the version.
        publish: a repository "owner/name" on the Hub to erase the article from.
        full_text: whether text may be sent to a repository that has none so far.
        token: of the Hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).
        confirm: called with what will be done in the repository, before anything is changed there; False ends the call.
        report: called with a line about each step on the Hub.

    Raises:
        VersionError: there are no versions; or the newest one cannot be published, as for `publish`.
        CallError: no version has this article, or the reason is empty; the newest version still holds the article (the
            message lists the published versions that do); `confirm` said no.
        ManifestError: `redactions.json` cannot be read. A damaged file of a version is no error; it is named in `unread`.
        HubError: there is no token, it may not do this, or the Hub cannot be reached. Repeat the call: it goes on.
        VerifyError: something in the repository still reaches the article, or is damaged.
        MachineError: a build is running in `out`, or the object store cannot be reached.

    >>> import tempfile
    >>> from newsdata import build, load_dataset
    >>> with tempfile.TemporaryDirectory() as out:
    ...     first = build("examples/archive", out, num_proc=1)
    ...     one = load_dataset(out, split="train")[0]["article_id"]
    ...     held = redact(out, one, reason="asked for by its author").held_by
    ...     second = build("examples/archive", out, num_proc=1)
    ...     held, second.version, one in load_dataset(out, split="train")["article_id"]
    (('1.0.0',), '2.0.0', False)
    """
    report = report or report_nothing
    out = expand_home(out)
    if is_object_url(out):
        wanted = files_of if publish else files_with_articles
        with changed_copy(Objects(url=str(out)), "redact", None, wanted) as (folder, _):
            return redact(
                folder, article_id, reason=reason, publish=publish, full_text=full_text, token=token,
                confirm=confirm, report=report,
            )  # fmt: skip
    repository = None
    if publish is not None:
        check_repo_id(publish)
        repository = open_repository(publish, token=token)
    noted = note_redaction(out, article_id, reason)
    erased = None
    if repository is not None:
        version = _clean_version(Path(out), article_id, repository, report)
        _check_text(version, repository, full_text)
        erased = erase(version, article_id, Path(out), repository, confirm=confirm, report=report)
    return Redacted(
        article_id=article_id,
        reason=noted.reason,
        held_by=noted.held_by,
        copies=noted.copies,
        unread=noted.unread,
        erased=erased,
    )


def _clean_version(out: Path, article_id: str, repository: Repository, report: Report) -> CheckedVersion:
    """The newest good version, which does not hold the article.

    Raises:
        CallError: it does; the message lists the published versions that do, too.
    """
    folder, manifest = open_version(out)
    if article_id in tombstones(read_ledger(folder, manifest)) and not articles_held(folder, manifest, [article_id]):
        return check_version(out, None)
    found = find_holders(repository, article_id, out, known={}, report=report)
    tags = [tag for tag, commit in found.references.tags.items() if commit in found.commits]
    raise CallError(
        f"the newest version, {manifest.dataset_version}, was built before the redaction, so nothing was changed in "
        f"{repository.repo_id}; published versions that hold {article_id}: {', '.join(sorted(tags)) or 'none'}",
        path=out,
        hint="run `newsdata build SOURCE OUT`, then repeat this command",
    )


def _check_text(version: CheckedVersion, repository: Repository, full_text: bool) -> None:
    """Raise CallError where text would be sent to a repository that has none so far."""
    if not version.full_text or full_text:
        return
    tags = version_tags(repository.place)
    if not any(version_in(repository, commit).full_text for commit in reversed(tags.values())):
        raise CallError(
            "this version holds the full text of the articles, and no published version does",
            path=version.folder,
            hint="if its publishers' rights allow that, use --full-text; else build a version with --text none",
        )
