"""What only git knows: which blob and commit each file came from, and what every post said before.

Both stand in configs of their own (`origins`, `revisions`), so that the others are the same for every kind of source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from ..parsing.post import article_id, parse_bytes
from ..parsing.site import classify
from ..schema import Reject, Site, table_schema
from ..sources.folder_walk import size_fault
from ..sources.git import blob_sizes, list_changes, read_blobs
from ..sources.source import Source
from ..storage.shards import ROW_GROUP, Written, read_shard, shard_schema, write_shard
from .planning import PostShard

__all__ = [
    "Revision",
    "RevisionShard",
    "RevisionTask",
    "plan_revisions",
    "read_origins",
    "revisions_key",
    "write_origins",
    "write_revisions",
]

SHARD_ROWS = 2000
"""Rows of a shard of revisions. Rows are only ever added at the end, so full shards never change."""

_LATEST = 253_402_000_000
"""Seconds since 1970, late in the year 9999: a commit that claims to be later is taken for this."""


# ------------------------------------------------------------------------------------------------------ origins


def write_origins(
    path: Path, shard: PostShard, commit: str, before: Mapping[str, tuple[str, str]], timezone: str
) -> Written:
    """Write which blob each file of a shard of posts (read or rejected) was.

    Args:
        path: of the new shard.
        shard: the files, listed by git.
        commit: of the source; it stands at what is new.
        before: path -> (blob, commit) in the version before: what did not change keeps its commit, so that its shard
            stays as it is.
        timezone: the site's.
    """
    schema = shard_schema("origins", timezone)
    rows = []
    for file in shard.files:
        blob = file.stamp.removeprefix("git:")
        known = before.get(file.path, ("", ""))
        rows.append({"path": file.path, "blob": blob, "commit": known[1] if known[0] == blob else commit})
    tables = (pa.Table.from_pylist(rows[i : i + ROW_GROUP], schema=schema) for i in range(0, len(rows), ROW_GROUP))
    return write_shard(path, tables, "origins", schema)


def read_origins(files: Sequence[Path]) -> dict[str, tuple[str, str]]:
    """Path -> (blob, commit) of every row of some shards."""
    found = {}
    for file in files:
        for rows in read_shard(file):
            columns = (rows[name].to_pylist() for name in ("path", "blob", "commit"))
            found.update({path: (blob, commit) for path, blob, commit in zip(*columns, strict=True)})
    return found


# ---------------------------------------------------------------------------------------------------- revisions


class Revision(NamedTuple):
    """One content of a post: times in seconds since 1970; `blob` is None where the file was taken away."""

    article_id: str
    path: str
    commit: str
    first_seen: int
    revised: int
    blob: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionShard:
    """A shard of revisions to be: its path and its rows, in order."""

    path: str
    rows: tuple[Revision, ...]


def plan_revisions(
    source: Source, site: Site, ids: Mapping[str, str], redacted: Container[str] = ()
) -> list[RevisionShard]:
    """Every content of every post in the history of a git source, in the order of the commits, cut by month.

    A commit counts as made at its committer's time, or at that of an earlier commit if that is later: clocks go wrong,
    and nothing may be known before what it follows.

    Args:
        source: a git repository at a revision.
        site: says which files are posts, now and before.
        ids: article ids of files that would otherwise share one (path -> id).
        redacted: ids of articles that are left out.

    Raises:
        SourceError: git cannot read the history.
    """
    assert source.commit is not None
    now = 0
    last: dict[str, str | None] = {}
    first: dict[str, int] = {}
    found: list[Revision] = []
    post: dict[str, bool] = {}
    for change in list_changes(source.root, source.commit, source.below):
        now = min(max(now, change.time), _LATEST)
        path = change.path
        if path not in post:
            post[path] = classify(path, site) is None
        if not post[path] or last.get(path) == change.blob:
            continue
        last[path] = change.blob
        identity = ids.get(path) or article_id(path)
        if identity in redacted:
            continue
        seen = first.setdefault(identity, now)
        found.append(Revision(identity, path, change.commit, seen, now, change.blob, 0))
    sizes = blob_sizes(source.root, sorted({one.blob for one in found if one.blob}))
    months: dict[str, list[Revision]] = {}
    zone = ZoneInfo(site.timezone)
    for one in found:
        month = (datetime.fromtimestamp(one.revised, UTC)).astimezone(zone).strftime("%Y-%m")
        months.setdefault(month, []).append(one._replace(size=sizes.get(one.blob or "", 0)))
    return [
        RevisionShard(
            path=f"revisions/revisions-{month}-{number:05d}.parquet",
            rows=tuple(rows[number * SHARD_ROWS : (number + 1) * SHARD_ROWS]),
        )
        for month, rows in months.items()
        for number in range((len(rows) + SHARD_ROWS - 1) // SHARD_ROWS)
    ]


def revisions_key(shard: RevisionShard, about: str) -> str:
    """A digest of everything that the bytes of a shard depend on, made without reading a blob."""
    return hashlib.sha256(repr((about, shard.path, shard.rows)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionTask:
    """Read the blobs of `rows` from the git folder `root` and write the shard `path`.

    Contents with a SHA-256 in `refused` were redacted: their rows say no more than those of files that were taken away.
    """

    path: Path
    root: str
    site: Site
    refused: frozenset[str]
    rows: tuple[Revision, ...]


def write_revisions(task: RevisionTask) -> Written:
    """Write one shard of revisions; each content is read as the newest `_config.yml` says."""
    timezone = task.site.timezone

    def tables() -> Iterator[pa.Table]:
        for begin in range(0, len(task.rows), ROW_GROUP):
            yield _table(task, task.rows[begin : begin + ROW_GROUP])

    return write_shard(task.path, tables(), "revisions", shard_schema("revisions", timezone))


def _table(task: RevisionTask, rows: Sequence[Revision]) -> pa.Table:
    there = [one for one in rows if one.blob and not size_fault(one.size)]
    contents = read_blobs(task.root, [(one.blob, one.size) for one in there if one.blob])
    columns = []
    for one in rows:
        data = next(contents) if one.blob and not size_fault(one.size) else None
        row = {
            "article_id": one.article_id,
            "path": one.path,
            "commit": one.commit,
            "first_seen_at": one.first_seen * 1000,
            "revised_at": one.revised * 1000,
        }
        if data is not None:
            row |= _content(one, data, task)
        columns.append(row)
    schema = table_schema("revisions", task.site.timezone)
    arrays = [pa.array([row.get(field.name) for row in columns], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _content(one: Revision, data: bytes, task: RevisionTask) -> dict[str, object]:
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 in task.refused:
        return {}
    post = parse_bytes(one.path, data, task.site, sha256, one.article_id)
    if isinstance(post, Reject):
        return {"sha256": sha256}
    dated = None if post.published_at is None else round(post.published_at.timestamp() * 1000)
    return {
        "sha256": sha256,
        "title": post.title,
        "text": post.text,
        "digest": post.digest,
        "published_at": dated,
    }
