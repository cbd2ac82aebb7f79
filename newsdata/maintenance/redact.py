"""Note that an article is redacted: no later version holds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..building.workspace import open_workspace
from ..dataset.open_version import require_versions
from ..errors import CallError
from ..storage.ledger import REDACTIONS_NAME, content_key, read_ledger, read_redactions, tombstones
from ..storage.manifest import Manifest, read_manifest, shards_of
from ..storage.reading import find_rows
from .marks import checked_reason, write_mark
from .verify import articles_held

__all__ = ["Noted", "note_redaction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What the versions in a folder hold of a redacted article.

    Attributes:
        article_id: the article.
        reason: as it is, or will be, in the ledger.
        held_by: the versions that hold the article, oldest first; they are not changed.
        copies: ids of other articles in the last of these versions: near-copies, and articles with the same title in
            `revisions` (a renamed post is another article there). They stay unless they are redacted, too.
    """

    article_id: str
    reason: str
    held_by: tuple[str, ...]
    copies: tuple[str, ...]


def note_redaction(out: str | Path, article_id: str, reason: str) -> Noted:
    """Keep an article out of every later version; see `newsdata.redact`.

    Args:
        out: the folder that holds versions.
        article_id: as in the column `article_id`.
        reason: why. It becomes part of the ledger, which is published with the version.

    Raises:
        VersionError: there are no versions.
        CallError: no version has this article, or the reason is empty.
        ManifestError: a manifest, ledger or `redactions.json` cannot be read.
    """
    out = Path(out)
    reason = checked_reason(reason)
    manifests = {version: read_manifest(out / version) for version in require_versions(out)}
    held_by = tuple(v for v, manifest in manifests.items() if articles_held(out / v, manifest, [article_id]))
    known_reason = _reason_in_ledgers(out, manifests, article_id)
    with open_workspace(out, cache=True):
        waiting = read_redactions(out)
        if not held_by and known_reason is None and article_id not in waiting:
            raise CallError(
                f"no version has an article {article_id}",
                path=out,
                hint="`newsdata where OUT PATH --json` shows a post's article id",
            )
        if known_reason is None:
            contents = {
                content_key(sha256)
                for version in held_by
                for sha256 in _hashes_of_posts(out / version, manifests[version], article_id)
            }
            waiting |= dict.fromkeys([article_id, *contents], reason)
            write_mark(out / REDACTIONS_NAME, dict(sorted(waiting.items())))
    copies = _copies(out / held_by[-1], manifests[held_by[-1]], article_id) if held_by else ()
    return Noted(article_id=article_id, reason=known_reason or reason, held_by=held_by, copies=copies)


def _reason_in_ledgers(out: Path, manifests: dict[str, Manifest], article_id: str) -> str | None:
    """The reason in the newest ledger that has a tombstone for the article; None if no ledger has one."""
    reason = None
    for version, manifest in manifests.items():
        reason = tombstones(read_ledger(out / version, manifest)).get(article_id, reason)
    return reason


def _hashes_of_posts(folder: Path, manifest: Manifest, article_id: str) -> set[str]:
    """SHA-256 of every file that a version has of an article, earlier revisions included."""
    shards = [*shards_of(manifest, "posts"), *shards_of(manifest, "revisions")]
    rows = find_rows(folder, shards, "article_id", [article_id], ["sha256"])
    return {row["sha256"] for _, row in rows if row["sha256"]}


def _copies(folder: Path, manifest: Manifest, article_id: str) -> tuple[str, ...]:
    """The ids of near-copies, and of articles that had one of its titles in the past, which may be earlier names of it."""
    past = shards_of(manifest, "revisions")
    titles = {row["title"] for _, row in find_rows(folder, past, "article_id", [article_id], ["title"]) if row["title"]}
    former = {row["article_id"] for _, row in find_rows(folder, past, "title", titles, ["article_id"])}
    shards = [*shards_of(manifest, "articles"), *shards_of(manifest, "excluded")]
    own = find_rows(folder, shards, "article_id", [article_id], ["duplicate_cluster"])
    clusters = {row["duplicate_cluster"] for _, row in own}
    found = {row["article_id"] for _, row in find_rows(folder, shards, "duplicate_cluster", clusters, ["article_id"])}
    return tuple(sorted((found | former) - {article_id}))
