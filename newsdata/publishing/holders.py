"""Which commits of a repository hold an article, and which references reach them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..counts import plural
from ..dataset.hub_cache import git_hash
from ..dataset.hub_files import fetch, files_of
from ..dataset.hub_listings import list_commits
from ..dataset.hub_revisions import HubRevision
from ..errors import NewsdataError
from ..maintenance.verify import articles_held
from ..storage.ledger import LEDGER_NAME, read_ledger
from ..storage.manifest import MANIFEST_NAME, Manifest, read_manifest, versions_in
from .plan import Report
from .repository import References, Repository, Tree, all_references, list_files

__all__ = ["Holders", "find_holders", "large_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Where an article is in a repository.

    Attributes:
        references: everything that names a commit.
        histories: for each named commit, it and all before it.
        trees: the files of each of these commits.
        commits: those of them that hold the article.
        known: whether a version holds it, by git's hash of its manifest.
        hashes_here: the SHA-256 of every file of the versions in the local folder that hold it.
    """

    references: References
    histories: Mapping[str, frozenset[str]]
    trees: Mapping[str, Tree]
    commits: frozenset[str]
    known: Mapping[str, bool]
    hashes_here: frozenset[str]

    def reaches(self, commit: str) -> bool:
        """Whether a named commit, or one before it, holds the article."""
        return bool(self.histories[commit] & self.commits)


def find_holders(
    repository: Repository, article_id: str, out: Path, *, known: Mapping[str, bool], report: Report
) -> Holders:
    """Look for an article in every commit that a reference reaches.

    A commit without manifest holds the article if it has a large file that only commits with the article have.

    Args:
        repository: where.
        article_id: the article.
        out: a folder of versions; those that are published need not be downloaded.
        known: whether versions hold it, by git's hash of the manifest.
        report: called with a line about each step.

    Raises:
        HubError: the Hub refused or cannot be reached.
        VerifyError, ManifestError: a published version is damaged, so that nobody can tell.
    """
    references = all_references(repository)
    named = {*references.branches.values(), *references.tags.values(), *references.pull_requests.values()}
    histories = {commit: _history(repository, commit) for commit in sorted(named)}
    every = sorted(frozenset().union(*histories.values()))
    report(f"{repository.repo_id}: looking for {article_id} in {plural(len(every), 'commit')}")
    trees = {commit: list_files(repository, commit) for commit in every}
    here: dict[str, Manifest] = {}
    held: dict[str, bool] = {}
    for version in versions_in(out):
        with contextlib.suppress(NewsdataError):  # damaged here: what is published is looked at
            found = read_manifest(out / version)
            held[version] = bool(articles_held(out / version, found, [article_id]))
            here[version] = found
    known = {**{git_hash(out / version / MANIFEST_NAME): holds for version, holds in held.items()}, **known}
    for commit, tree in trees.items():
        manifest = tree[MANIFEST_NAME].blob_id if MANIFEST_NAME in tree else None
        if manifest and manifest not in known:
            known[manifest] = _holds(repository, commit, article_id)
    with_manifest = [commit for commit, tree in trees.items() if MANIFEST_NAME in tree]
    holders = {commit for commit in with_manifest if known[trees[commit][MANIFEST_NAME].blob_id]}
    only = large_files(trees, holders) - large_files(trees, set(with_manifest) - holders)
    holders |= {commit for commit in every if commit not in with_manifest and large_files(trees, [commit]) & only}
    return Holders(
        references=references,
        histories=histories,
        trees=trees,
        commits=frozenset(holders),
        known=known,
        hashes_here=frozenset(file.sha256 for v, holds in held.items() if holds for file in files_of(here[v])),
    )


def large_files(trees: Mapping[str, Tree], commits: Iterable[str]) -> set[str]:
    """The SHA-256 of every large file in some commits."""
    return {entry.lfs.sha256 for commit in commits for entry in trees[commit].values() if entry.lfs is not None}


def _history(repository: Repository, commit: str) -> frozenset[str]:
    """A commit and all before it."""
    return frozenset({commit, *list_commits(repository.place, commit)})


def _holds(repository: Repository, commit: str, article_id: str) -> bool:
    """Whether the version in a commit holds the article. Its rows are fetched only if its ledger knows the article."""
    at = HubRevision(repo_id=repository.repo_id, commit=commit, version="")
    folder = fetch(at, [LEDGER_NAME], token=repository.token)
    ledger = read_ledger(folder, read_manifest(folder))
    alive = ledger.filter(ledger["redacted_reason"].is_null())
    if article_id not in alive["article_id"].to_pylist():
        return False
    folder = fetch(at, ["*.parquet"], token=repository.token)
    return bool(articles_held(folder, read_manifest(folder), [article_id]))
