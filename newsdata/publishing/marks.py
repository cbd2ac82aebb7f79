"""Mark a published version as bad, or take the mark away: one commit on the main branch of its repository.

The commit also moves the branch to the newest good version, because `datasets.load_dataset("owner/name")` reads what is
there. Tags stay: whoever names the bad version exactly still gets it, with a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..dataset.hub_cache import git_hash
from ..dataset.hub_download import download
from ..dataset.hub_files import files_of
from ..dataset.hub_marks import marks_text, published_marks
from ..dataset.hub_revisions import References, references
from ..errors import VerifyError, VersionError
from ..storage.manifest import (
    MANIFEST_NAME,
    PUBLISHED_MARKS_NAME,
    Manifest,
    parse_version,
    read_manifest,
)
from .checked_version import CheckedVersion
from .plan import Report
from .published_version import fetch_missing, version_in
from .repository import DATA_FOLDERS, Repository, Tree, commit_files, difference, list_files, operations_for

__all__ = ["Marked", "mark_published"]

_README = "README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What became of a repository.

    Attributes:
        repo_id: "owner/name".
        main: the version that its main branch holds now; None where every version was yanked.
        commit: the newest commit.
        already: it was so before; nothing was done.
    """

    repo_id: str
    main: str | None
    commit: str
    already: bool = False


class _Wanted(NamedTuple):
    """What the main branch shall hold.

    Attributes:
        texts: small files with new content.
        gone: paths that it shall not hold.
        version: the version whose files it shall hold; None where it may keep its files.
    """

    texts: Mapping[str, bytes]
    gone: frozenset[str]
    version: CheckedVersion | None

    def is_in(self, tree: Tree) -> bool:
        """Whether a commit with these files is as wanted."""
        return (
            all(path in tree and tree[path].blob_id == git_hash(data) for path, data in self.texts.items())
            and not self.gone & tree.keys()
            and not (self.version and difference(self.version, tree).paths)
        )


def mark_published(repository: Repository, version: str, reason: str | None, *, report: Report) -> Marked:
    """Mark a published version as bad, and move the main branch to the newest good one.

    Where no version is good, the main branch holds a README that says so and no data. A version on the main branch that
    has no tag stays there.

    Args:
        repository: where the version is published.
        version: "X.Y.Z".
        reason: why it is bad; None takes its mark away.
        report: called with a line about each step.

    Raises:
        VersionError: the version is not published there.
        HubError: the Hub refused or cannot be reached, or somebody else committed meanwhile.
        VerifyError: the new commit does not hold what was sent.
        ManifestError: the marks in the repository are damaged.
    """
    repo_id = repository.repo_id
    found = references(repository.place)
    if version not in found.versions or found.main is None:
        hint = f"published: {', '.join(found.versions)}" if found.versions else None
        raise VersionError(f"{version} is not published there", path=repo_id, hint=hint)
    marks = published_marks(repository.place, found.main)
    marks.pop(version, None)
    after = marks if reason is None else marks | {version: reason}
    after = {other: after[other] for other in sorted(after, key=parse_version)}
    tree = list_files(repository, found.main)
    now = read_manifest(download(repository.place, found.main, MANIFEST_NAME).parent) if MANIFEST_NAME in tree else None
    good = [other for other in found.versions if other not in after]
    newest = good[-1] if good else None
    holds = now.dataset_version if now else None
    if holds is not None and holds not in found.versions:
        report(f"{repo_id}: the main branch holds {holds}, which has no tag; it stays there")
        newest = holds
    wanted = _wanted(repository, found, after, newest, now, tree)
    if wanted.is_in(tree):
        return Marked(repo_id=repo_id, main=newest, commit=found.main, already=True)
    if newest != holds:
        report(f"{repo_id}: moving the main branch from {holds or 'no version'} to {newest or 'no version'}")
    title = f"Yank {version}" if reason is not None else f"Take back the yank of {version}"
    commit = _commit(repository, wanted, tree, title=title, parent=found.main, report=report)
    if not wanted.is_in(list_files(repository, commit)):
        raise VerifyError(f"commit {commit} does not hold what was sent", path=repo_id)
    return Marked(repo_id=repo_id, main=newest, commit=commit)


def _wanted(
    repository: Repository,
    found: References,
    marks: Mapping[str, str],
    newest: str | None,
    now: Manifest | None,
    tree: Tree,
) -> _Wanted:
    """What the main branch shall hold, which has the files `tree` and the manifest `now`."""
    texts = {PUBLISHED_MARKS_NAME: marks_text(marks).encode()} if marks else {}
    gone = set() if marks else {PUBLISHED_MARKS_NAME}
    if newest == (now and now.dataset_version):
        return _Wanted(texts, frozenset(gone), None)
    ours = {file.path for file in files_of(now)} | {MANIFEST_NAME} if now else set()
    ours |= {path for path in tree if path.split("/")[0] in DATA_FOLDERS}
    if newest is None:
        texts[_README] = _notice(marks).encode()
        return _Wanted(texts, frozenset(gone | ours - {_README}), None)
    version = version_in(repository, found.versions[newest])
    if version.version != newest:
        raise VersionError(f"the tag v{newest} holds version {version.version}", path=repository.repo_id)
    fetch_missing(repository, version, found.versions[newest], tree)
    return _Wanted(texts, frozenset(gone | ours - version.files.keys()), version)


def _commit(repository: Repository, wanted: _Wanted, tree: Tree, *, title: str, parent: str, report: Report) -> str:
    from huggingface_hub import CommitOperationAdd

    deleted = wanted.gone & tree.keys()
    operations = operations_for(Path(), (), sorted(deleted))
    if wanted.version:
        found = difference(wanted.version, tree)
        deleted |= set(found.deleted)
        operations = operations_for(wanted.version.folder, (*found.new, *found.changed), sorted(deleted))
    operations += [CommitOperationAdd(path, data) for path, data in wanted.texts.items()]
    return commit_files(repository, operations, title=title, parent=parent, is_done=wanted.is_in, report=report)


def _notice(marks: Mapping[str, str]) -> str:
    """The README of a repository without a good version. It names no data, so that nothing loads the bad rows."""
    listed = "".join(f"- {version}: {reason}\n" for version, reason in marks.items())
    return (
        "---\nviewer: false\n---\n\n# No version of this dataset is good\n\n"
        f"Every published version was yanked by its publisher:\n\n{listed}\n"
        "A version can still be loaded by its tag. The next good version will stand here.\n"
    )
