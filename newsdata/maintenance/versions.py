"""What becomes of versions after they are built: marked as bad, thinned out, an article kept out of those to come."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..building.tasks import read_parsed
from ..building.workspace import Workspace, open_workspace
from ..dataset.open_version import open_version
from ..errors import CallError, VersionError
from ..storage.ledger import REDACTIONS_NAME, content_key, read_ledger, read_redactions, tombstones
from ..storage.manifest import (
    MANIFEST_NAME,
    YANKED_NAME,
    Manifest,
    read_manifest,
    read_yanked,
    shards_of,
    versions_in,
)
from ..storage.shards import find_rows
from .verify import articles_held

__all__ = ["Pruned", "Redacted", "prune", "redact", "yank"]


def yank(path: str | Path, *, reason: str, revision: str | None = None) -> Path:
    """Mark a version as bad: "newest" and ranges pass it over, loading exactly it warns, `publish` refuses it.

    The mark is the file `yanked.json` in the version's folder, which no manifest lists; take it away to take it back.
    The next build still follows the version, as what it decided about splits stays decided.

    Args:
        path: the folder of a version, or with `revision` the folder that holds versions.
        reason: why, for whoever comes upon it.
        revision: "1.0.0"; never "newest" or a range.

    Returns:
        the folder of the version.

    Raises:
        VersionError, ManifestError: there is no such version, or its manifest cannot be read.
        CallError: the reason is empty, or no version is named.

    >>> import tempfile
    >>> from newsdata import build, info
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     folder = yank(made.path, reason="half of March was missing")
    ...     info(made.path)["yanked"]
    'half of March was missing'
    """
    reason = _reason(reason)
    if not (Path(path) / MANIFEST_NAME).is_file() and (revision is None or "*" in revision):
        raise CallError("holds versions; say which one is bad", path=path, hint="name its folder, or --revision X.Y.Z")
    folder, manifest = open_version(path, revision)
    _write_json(folder / YANKED_NAME, {"version": manifest.dataset_version, "reason": reason})
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What `prune` did.

    Attributes:
        removed, kept: versions, oldest first.
        cache_entries: files of the cache that were removed.
        freed: bytes that no kept file uses; what a kept version shares by a hard link is not counted.
    """

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    cache_entries: int
    freed: int


def prune(out: str | Path, *, keep: int) -> Pruned:
    """Remove the oldest versions, and of the cache what the newest version does not use.

    The `keep` newest good versions stay, and the newest one even if it was yanked: the next build follows it. A yanked
    version does not count, so it goes before any good one of its age. A version vanishes whole or not at all.

    Args:
        out: the folder that holds versions.
        keep: how many, at least 1.

    Raises:
        VersionError: there are no versions.
        CallError: `keep` is below 1.
        MachineError: a build is at work in `out`.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = [build("examples/archive", out, num_proc=1, version=v) for v in ("1.0.0", "1.0.1")]
    ...     prune(out, keep=1).removed
    ('1.0.0',)
    """
    out = Path(out)
    if keep < 1:
        raise CallError(f"cannot keep {keep} versions", field="keep", hint="keep at least 1")
    _some_versions(out)
    with open_workspace(out, cache=True) as workspace:
        there = _some_versions(out)
        good = [v for v in there if read_yanked(out / v) is None]
        kept = {there[-1], *good[-keep:]}
        removed = [v for v in there if v not in kept]
        stale = _stale_entries(workspace, read_manifest(out / there[-1]))
        files = [file for v in removed for file in (out / v).rglob("*") if file.is_file() and not file.is_symlink()]
        freed = _only_here([*files, *stale])
        for version in removed:
            (out / version).rename(workspace.staging / version)  # gone in one step; the rest may take its time
        for file in stale:
            file.unlink()
    return Pruned(
        removed=tuple(removed), kept=tuple(sorted(kept, key=there.index)), cache_entries=len(stale), freed=freed
    )


def _stale_entries(workspace: Workspace, newest: Manifest) -> list[Path]:
    """Cached posts that are not in the newest version. Everything else there is small, or the last build's own."""
    used = {shard.sha256 for shard in shards_of(newest, "posts")} | {shard.sha256 for shard in newest.full}
    stale = []
    for entry in sorted(workspace.cache.glob("*.json")):
        if len(entry.stem) != 40:
            continue
        parsed = read_parsed(workspace.cache, entry.stem)
        if parsed is None or (parsed.posts and parsed.posts.sha256 not in used):
            stale += sorted(workspace.cache.glob(f"{entry.stem}.*"))
    return stale


def _only_here(files: list[Path]) -> int:
    """Bytes of files all of whose names are among those given."""
    names: Counter[tuple[int, int]] = Counter()
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    for file in files:
        status = file.stat()
        names[status.st_dev, status.st_ino] += 1
        sizes[status.st_dev, status.st_ino] = status.st_size, status.st_nlink
    return sum(size for inode, (size, links) in sizes.items() if names[inode] == links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """What `redact` found.

    Attributes:
        article_id: the article.
        reason: as it will stand in the ledger.
        held_by: the versions that still hold it, oldest first; they are as they were.
        copies: ids of its near-copies in the last of these, and of what has its title in `revisions` (a post that was renamed
            is another article there): they stay until they are redacted, too.
    """

    article_id: str
    reason: str
    held_by: tuple[str, ...]
    copies: tuple[str, ...]


def redact(out: str | Path, article_id: str, *, reason: str) -> Redacted:
    """Keep an article out of every version to come: its row, its posts, its text and what is cached of it.

    It is noted in `out/redactions.json`, which the next build reads; from then on a tombstone stands in the ledger, and
    no rebuild brings the article back: neither a file with its id, under whatever path, nor a file whose bytes are those
    of one of its posts, under whatever name. Such files are counted as ignored, "redacted". Versions that are there already
    stay as they are: `prune` them, and take down what was published. Its words in other files are other articles.

    Args:
        out: the folder that holds versions.
        article_id: as in the column `article_id`.
        reason: why; it stands in the ledger, which is published with the version.

    Raises:
        VersionError: there are no versions.
        CallError: no version has such an article, or the reason is empty.
        ManifestError: a manifest, ledger or `redactions.json` cannot be read.

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
    out = Path(out)
    reason = _reason(reason)
    there = _some_versions(out)
    manifests = {version: read_manifest(out / version) for version in there}
    known = {version: tombstones(read_ledger(out / version, found)) for version, found in manifests.items()}
    held = tuple(version for version, found in manifests.items() if articles_held(out / version, found, [article_id]))
    buried = next((stones[article_id] for stones in reversed(known.values()) if article_id in stones), None)
    with open_workspace(out, cache=True):
        pending = read_redactions(out)
        if not held and buried is None and article_id not in pending:
            raise CallError(
                f"no version has an article {article_id}",
                path=out,
                hint="`newsdata where OUT PATH --json` shows a post's article id",
            )
        if buried is None:
            contents = {
                content_key(sha256): reason
                for version in held
                for sha256 in _contents(out / version, manifests[version], article_id)
            }
            pending |= {article_id: reason} | contents
            _write_json(out / REDACTIONS_NAME, dict(sorted(pending.items())))
    copies = _copies(out / held[-1], manifests[held[-1]], article_id) if held else ()
    return Redacted(article_id=article_id, reason=buried or reason, held_by=held, copies=copies)


def _contents(folder: Path, version: Manifest, article_id: str) -> set[str]:
    """SHA-256 of every file that the version has read for the article."""
    shards = [*shards_of(version, "posts"), *shards_of(version, "revisions")]
    rows = find_rows(folder, shards, "article_id", [article_id], ["sha256"])
    return {row["sha256"] for _, row in rows if row["sha256"]}


def _copies(folder: Path, version: Manifest, article_id: str) -> tuple[str, ...]:
    """Ids of near-copies, and of what bears one of its titles in the history: it may have had another name."""
    past = shards_of(version, "revisions")
    titles = {row["title"] for _, row in find_rows(folder, past, "article_id", [article_id], ["title"]) if row["title"]}
    former = {row["article_id"] for _, row in find_rows(folder, past, "title", titles, ["article_id"])}
    shards = [*shards_of(version, "articles"), *shards_of(version, "excluded")]
    own = find_rows(folder, shards, "article_id", [article_id], ["duplicate_cluster"])
    clusters = {row["duplicate_cluster"] for _, row in own}
    found = {row["article_id"] for _, row in find_rows(folder, shards, "duplicate_cluster", clusters, ["article_id"])}
    return tuple(sorted((found | former) - {article_id}))


def _some_versions(out: Path) -> list[str]:
    there = versions_in(out)
    if not there:
        raise VersionError("there are no versions here", path=out, hint="name the folder that holds them")
    return there


def _reason(reason: str) -> str:
    words = " ".join(reason.split())
    if not words:
        raise CallError("the reason is empty", field="reason", hint="say why, for whoever comes upon it")
    return words


def _write_json(path: Path, data: object) -> None:
    part = path.with_name(f"{path.name}.unfinished")
    part.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
