"""Stage history: what only git knows.

The config `origins` says from which blob and commit each file came; the config `revisions` says what every post said before.
They are configs of their own, so that all other configs are the same for every kind of source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ...graph.engine import Engine, Stage
from ...graph.task import Bench, StoredFile, Task, TaskFunction
from ...parsing.post import article_id, parse_bytes
from ...parsing.site import classify
from ...schema import Post, Reject, Site, table_schema
from ...sources.folder_walk import size_fault
from ...sources.git import blob_sizes, list_changes, read_blobs
from ...sources.source import Source
from ...storage.manifest import shards_of
from ...storage.rows import rows_of_posts
from ...storage.shards import ROW_GROUP, Written, read_shard, shard_schema, write_shard
from ..base import Base
from ..pieces import Piece, piece_of
from ..request import Request, Settings
from ..shard_plan import PostShard
from .list import Listed, describe_site
from .versions import stage_of

__all__ = ["TASKS", "Revision", "RevisionShard", "plan_revisions", "write_history"]

_LATEST = 253_402_000_000
"""Seconds since 1970, late in the year 9999. A commit with a later time counts as made then."""


def write_history(listed: Listed, settings: Settings, base: Base, request: Request, engine: Engine) -> list[Piece]:
    """Write the shards of `origins` if the source is from git, and those of `revisions` if the settings ask for a history.

    Raises:
        SourceError: git cannot read the history.
    """
    with engine.stage("history") as stage:
        origins = _base_origins(base) if request.again else _write_origins(listed, settings, base, stage)
        return [*origins, *(_write_revisions(listed, settings, base, stage) if settings.history else ())]


# ------------------------------------------------------------------------------------------------------ origins


def _base_origins(base: Base) -> list[Piece]:
    """The shards of `origins` of the base: a version that is built again keeps them."""
    assert base.folder and base.manifest
    pieces: list[Piece] = []
    for shard in shards_of(base.manifest, "origins"):
        file = base.folder / shard.path
        filled = {} if pieces else dict(base.manifest.columns["origins"])  # the manifest has the sum over all shards
        written = Written(rows=shard.rows, digest=shard.digest, bytes=shard.bytes, sha256=shard.sha256, filled=filled)
        stored = StoredFile.of(file)
        pieces.append(
            Piece(path=shard.path, config="origins", split="origins", start=shard.start, written=written, file=stored)
        )
    return pieces


_Origin = tuple[str, str, str]  # path, blob, commit


def _write_origins(listed: Listed, settings: Settings, base: Base, stage: Stage) -> list[Piece]:
    if listed.source.kind != "git" or listed.source.commit is None or listed.posts is None:
        return []
    old = shards_of(base.manifest, "origins") if base.manifest else []
    base.fetch(old)
    before = _read_origins([base.folder / shard.path for shard in old if base.folder])
    plan = listed.posts.plan
    paths = [shard.path.replace("posts/posts-", "origins/origins-") for shard in plan]
    commit, timezone = listed.source.commit, listed.site.timezone
    tasks = [_origins_task(shard, commit, before, settings.made_by, timezone) for shard in plan]
    made = [
        piece_of(artifact, "shard", path, "origins", shard.start)
        for artifact, path, shard in zip(stage.run(tasks), paths, plan, strict=True)
    ]
    return sorted(made, key=lambda piece: piece.path)


def _read_origins(files: Sequence[Path]) -> dict[str, tuple[str, str]]:
    """Path -> (blob, commit), for every row of some shards of `origins`."""
    found = {}
    for file in files:
        for rows in read_shard(file):
            columns = (rows[name].to_pylist() for name in ("path", "blob", "commit"))
            found.update({path: (blob, commit) for path, blob, commit in zip(*columns, strict=True)})
    return found


def _origins_task(
    shard: PostShard, commit: str, before: Mapping[str, tuple[str, str]], made_by: Sequence[str], timezone: str
) -> Task:
    """The task that writes the origins of the files in a shard of posts.

    A file with the same blob as in the base keeps its commit, so that the shard stays as it is.
    """
    rows: list[_Origin] = []
    for file in shard.files:
        blob = file.stamp.removeprefix("git:")
        known = before.get(file.path, ("", ""))
        rows.append((file.path, blob, known[1] if known[0] == blob else commit))
    digest = hashlib.sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()
    inputs = (*made_by, timezone, digest)
    return Task(stage=stage_of("origins"), inputs=inputs, function=_origins, data=lambda: (rows, timezone))


def _origins(data: tuple[Sequence[_Origin], str], bench: Bench) -> dict[str, Any]:
    rows, timezone = data
    schema = shard_schema("origins", timezone)
    named = [dict(zip(("path", "blob", "commit"), row, strict=True)) for row in rows]
    tables = (pa.Table.from_pylist(named[at : at + ROW_GROUP], schema=schema) for at in range(0, len(rows), ROW_GROUP))
    return {"written": {"shard": write_shard(bench.file("shard"), tables, "origins", schema)._asdict()}}


# ---------------------------------------------------------------------------------------------------- revisions


class Revision(NamedTuple):
    """One content of a post, or its removal.

    Attributes:
        article_id, path: of the post.
        commit: the one that brought this content.
        first_seen: when the article was first seen, in seconds since 1970.
        revised: when this content was committed, in seconds since 1970.
        blob: the content; None if the file was removed.
        size: bytes of the content.
    """

    article_id: str
    path: str
    commit: str
    first_seen: int
    revised: int
    blob: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionShard:
    """A planned shard of revisions: its path and its rows, in order."""

    path: str
    rows: tuple[Revision, ...]


def plan_revisions(
    source: Source, site: Site, ids: Mapping[str, str], shard_rows: int, redacted: Container[str] = ()
) -> list[RevisionShard]:
    """Every content of every post in the history of a git source, in the order of the commits, cut by month.

    Rows are only added at the end, so a full shard never changes.

    A commit counts as made at its committer's time, or at that of an earlier commit if that is later, because clocks may
    be wrong: a revision never becomes visible before its parent.

    Args:
        source: a git repository at a revision.
        site: says which files are posts, now and in the past.
        ids: path -> article id of files that would otherwise share an id with another post.
        shard_rows: the most rows of a shard.
        redacted: ids of articles that are left out.

    Raises:
        SourceError: git cannot read the history.
    """
    assert source.commit is not None
    now = 0
    is_post: dict[str, bool] = {}  # by path
    last_blob: dict[str, str | None] = {}  # by path
    first_seen: dict[str, int] = {}  # by article id
    found: list[Revision] = []
    for change in list_changes(source.root, source.commit, source.below):
        now = min(max(now, change.time), _LATEST)
        path = change.path
        if path not in is_post:
            is_post[path] = classify(path, site) is None
        if not is_post[path] or last_blob.get(path) == change.blob:
            continue
        last_blob[path] = change.blob
        identity = ids.get(path) or article_id(path)
        if identity in redacted:
            continue
        seen = first_seen.setdefault(identity, now)
        found.append(Revision(identity, path, change.commit, seen, now, change.blob, 0))
    sizes = blob_sizes(source.root, sorted({one.blob for one in found if one.blob}))
    months: dict[str, list[Revision]] = {}
    zone = ZoneInfo(site.timezone)
    for one in found:
        month = datetime.fromtimestamp(one.revised, UTC).astimezone(zone).strftime("%Y-%m")
        months.setdefault(month, []).append(one._replace(size=sizes.get(one.blob or "", 0)))
    return [
        RevisionShard(
            path=f"revisions/revisions-{month}-{number:07d}.parquet",
            rows=tuple(rows[number * shard_rows : (number + 1) * shard_rows]),
        )
        for month, rows in months.items()
        for number in range((len(rows) + shard_rows - 1) // shard_rows)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RevisionData:
    """What writing a shard of revisions needs.

    Attributes:
        source: the git repository.
        site: what the newest `_config.yml` says; it holds for all contents.
        refused: SHA-256 of contents that were redacted: their rows have no content, like those of removed files.
        rows: of the shard.
    """

    source: Source
    site: Site
    refused: frozenset[str]
    rows: tuple[Revision, ...]


def _write_revisions(listed: Listed, settings: Settings, base: Base, stage: Stage) -> list[Piece]:
    assert listed.posts is not None
    plan = plan_revisions(listed.source, listed.site, listed.posts.own_ids, listed.posts.shard_rows, base.redacted)
    made_by = (*settings.made_by, f"site {describe_site(listed.site)}", repr(sorted(base.refused)))
    tasks = [_revisions_task(shard, listed, base.refused, made_by) for shard in plan]
    return [
        piece_of(artifact, "shard", shard.path, "revisions", "")
        for artifact, shard in zip(stage.run(tasks), plan, strict=True)
    ]


def _revisions_task(shard: RevisionShard, listed: Listed, refused: frozenset[str], made_by: Sequence[str]) -> Task:
    source, site = listed.source, listed.site
    digest = hashlib.sha256(repr(shard.rows).encode("utf-8", "surrogatepass")).hexdigest()
    return Task(
        stage=stage_of("revisions"),
        inputs=(*made_by, digest),
        function=_revisions,
        data=lambda: _RevisionData(source=source, site=site, refused=refused, rows=shard.rows),
    )


def _revisions(data: _RevisionData, bench: Bench) -> dict[str, Any]:
    timezone = data.site.timezone

    def tables() -> Iterator[pa.Table]:
        for begin in range(0, len(data.rows), ROW_GROUP):
            yield _table(data, data.rows[begin : begin + ROW_GROUP])

    schema = shard_schema("revisions", timezone)
    return {"written": {"shard": write_shard(bench.file("shard"), tables(), "revisions", schema)._asdict()}}


def _table(data: _RevisionData, rows: Sequence[Revision]) -> pa.Table:
    """Rows of the config `revisions`, with their contents read."""
    there = [one for one in rows if one.blob and not size_fault(one.size)]
    contents = read_blobs(data.source.root, [(one.blob, one.size) for one in there if one.blob])
    hashes: list[str | None] = []
    posts: list[Post] = []
    post_of: list[int | None] = []
    for one in rows:
        sha256 = found = None
        content = next(contents) if one.blob and not size_fault(one.size) else None
        if content is not None:
            sha256, found = _read(one, content, data)
        hashes.append(sha256)
        post_of.append(None if found is None else len(posts))
        posts += [] if found is None else [found]
    said = rows_of_posts(posts, data.site.timezone).spool.take(pa.array(post_of, pa.int64()))
    own = {
        "article_id": [one.article_id for one in rows],
        "path": [one.path for one in rows],
        "commit": [one.commit for one in rows],
        "first_seen_at": [one.first_seen * 1000 for one in rows],
        "revised_at": [one.revised * 1000 for one in rows],
        "sha256": hashes,
        "publisher": pc.coalesce(said["media"], said["source"]).combine_chunks(),
    }
    schema = table_schema("revisions", data.site.timezone)
    arrays = [pa.array(own[f.name], f.type) if f.name in own else said[f.name] for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _read(one: Revision, content: bytes, data: _RevisionData) -> tuple[str | None, Post | None]:
    """The hash of a content, None if it was redacted; and the post in it, None if it cannot be read."""
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 in data.refused:
        return None, None
    post = parse_bytes(one.path, content, data.site, sha256, one.article_id)
    return sha256, None if isinstance(post, Reject) else post


TASKS: Mapping[str, TaskFunction] = {"origins": _origins, "revisions": _revisions}
"""The functions of this stage's tasks, by kind."""
