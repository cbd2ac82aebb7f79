"""Note that an article is redacted: no later version holds it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..building.workspace import open_workspace
from ..dataset.open_version import require_versions
from ..errors import CallError, ManifestError, VerifyError
from ..storage.ledger import LEDGER_NAME, REDACTIONS_NAME, content_key, read_ledger, read_redactions, tombstones
from ..storage.manifest import MANIFEST_NAME, File, Manifest, Shard, read_manifest, shards_of
from ..storage.reading import find_rows
from .marks import checked_reason, write_mark

__all__ = ["Noted", "files_with_articles", "note_redaction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What the versions in a folder hold of a redacted article.

    Attributes:
        article_id: the article.
        reason: as it is, or will be, in the ledger.
        held_by: the versions that hold the article, oldest first; they are not changed.
        copies: ids of other articles in the last of these versions: near-copies, and articles with the same title in
            `revisions` (a renamed post is another article there). They stay unless they are redacted, too.
        unread: damaged files of these versions, which may hold the article, too: "1.0.0/posts/…: is missing".
    """

    article_id: str
    reason: str
    held_by: tuple[str, ...]
    copies: tuple[str, ...]
    unread: tuple[str, ...] = ()


def note_redaction(out: str | Path, article_id: str, reason: str) -> Noted:
    """Keep an article out of every later version; see `newsdata.redact`.

    Args:
        out: the folder that holds versions.
        article_id: as in the column `article_id`.
        reason: why. It becomes part of the ledger, which is published with the version.

    Raises:
        VersionError: there are no versions.
        CallError: no version has this article, or the reason is empty.
        ManifestError: `redactions.json` cannot be read. A damaged file of a version is no error; it is named in `unread`.
    """
    out = Path(out)
    reason = checked_reason(reason)
    unread: list[str] = []
    versions = [found for version in require_versions(out) if (found := _open(out, version, unread))]
    held_by = [version for version in versions if version.ids("article_id", [article_id], "article_id", _WITH_ARTICLES)]
    reasons = (version.redacted(article_id) for version in reversed(versions))
    known_reason = next((known for known in reasons if known is not None), None)
    with open_workspace(out, cache=True):
        waiting = read_redactions(out)
        if not held_by and known_reason is None and article_id not in waiting:
            raise CallError(
                f"no version has an article {article_id}",
                path=out,
                hint="`newsdata where OUT PATH --json` shows a post's article id",
            )
        if known_reason is None:
            contents = {content_key(sha256) for version in held_by for sha256 in version.hashes_of_posts(article_id)}
            waiting |= dict.fromkeys([article_id, *contents], reason)
            write_mark(out / REDACTIONS_NAME, dict(sorted(waiting.items())))
    return Noted(
        article_id=article_id,
        reason=known_reason or reason,
        held_by=tuple(version.name for version in held_by),
        copies=held_by[-1].copies(article_id) if held_by else (),
        unread=tuple(dict.fromkeys(unread)),
    )


_WITH_ARTICLES = ("articles", "excluded", "posts", "revisions")


def files_with_articles(manifest: Manifest) -> list[File | Shard]:
    """The files of a version that `note_redaction` reads."""
    ledger = [file for file in manifest.files if file.path == LEDGER_NAME]
    return [*ledger, *(shard for config in _WITH_ARTICLES for shard in shards_of(manifest, config))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """A version that is searched as far as its files can be read; the others are added to `unread`."""

    name: str
    folder: Path
    manifest: Manifest
    unread: list[str]

    def rows(self, column: str, values: Collection[str], wanted: str, configs: Iterable[str]) -> Iterator[Any]:
        """The values of the column `wanted` in the rows that have one of `values` in another column."""
        for shard in (shard for config in configs for shard in shards_of(self.manifest, config)):
            try:
                yield from [row[wanted] for _, row in find_rows(self.folder, [shard], column, values, [wanted])]
            except VerifyError as error:
                self.unread.append(f"{self.name}/{shard.path}: {error.reason}")

    def ids(self, column: str, values: Collection[str], wanted: str, configs: Iterable[str]) -> set[str]:
        """The different values of a text column that `rows` gives, without nulls and empty ones."""
        return {value for value in self.rows(column, values, wanted, configs) if value}

    def redacted(self, article_id: str) -> str | None:
        """The reason in the tombstone of the article; None if the ledger has none or cannot be read."""
        try:
            return tombstones(read_ledger(self.folder, self.manifest)).get(article_id)
        except ManifestError as error:
            self.unread.append(f"{self.name}/{LEDGER_NAME}: {error.reason}")
            return None

    def hashes_of_posts(self, article_id: str) -> set[str]:
        """SHA-256 of every file that the version has of an article, earlier revisions included."""
        hashes = self.ids("article_id", [article_id], "sha256", ("posts", "revisions"))
        for sources in self.rows("article_id", [article_id], "sources", ("articles", "excluded")):
            hashes |= {source["sha256"] for source in sources or () if source and source["sha256"]}
        return hashes

    def copies(self, article_id: str) -> tuple[str, ...]:
        """The ids of near-copies, and of articles that had one of its titles in the past: perhaps earlier names of it."""
        titles = self.ids("article_id", [article_id], "title", ("revisions",))
        former = self.ids("title", titles, "article_id", ("revisions",))
        clusters = self.ids("article_id", [article_id], "duplicate_cluster", ("articles", "excluded"))
        found = self.ids("duplicate_cluster", clusters, "article_id", ("articles", "excluded"))
        return tuple(sorted((found | former) - {article_id}))


def _open(out: Path, version: str, unread: list[str]) -> _Version | None:
    """A version; None if its manifest cannot be read."""
    try:
        manifest = read_manifest(out / version)
    except CallError as error:
        unread.append(f"{version}/{MANIFEST_NAME}: {error.reason}")
        return None
    return _Version(name=version, folder=out / version, manifest=manifest, unread=unread)
