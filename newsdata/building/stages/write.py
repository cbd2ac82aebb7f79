"""Stage write: the shards of the configs `articles`, `excluded` and `rejects`. Stage parse has written those of `posts`.

There is one task for each planned shard; small shards share a task.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import accumulate, islice
from typing import Any

import numpy as np
import pyarrow as pa

from ...curation.merge import Articles, PostHashes, members_of
from ...graph.engine import Engine, Stage
from ...graph.task import Bench, StoredFile, Task, TaskFunction
from ...schema import CONFIGS, Reject
from ...storage.gathered import ROLES, MergedFrom
from ...storage.rows import rejects_table
from ...storage.shards import ROW_GROUP, digest_slices, shard_schema, write_shard, write_slices
from ...storage.spool import ArticleRows, article_table
from ...storage.statistics import Counts, add_counts, count_rows
from ...storage.text_free import blank_shard
from ..base import Base
from ..pieces import Piece, piece_of
from ..request import Request, Settings
from ..shard_plan import ArticleShard, in_tasks, plan_articles
from .group import Grouped
from .list import Listed, describe_site
from .merge import Merged
from .parse import Parsed
from .split import Placed
from .versions import stage_of
from .words import open_spool, spool_files_of, spool_places

__all__ = ["TASKS", "Decided", "GroupNames", "WrittenShards", "article_rows", "blank_all", "write_shards"]

_GATHERED_AT_ONCE = ROW_GROUP // 4
"""Rows whose posts are in memory at once, together with the other posts of their batches in the spool."""

_DIGESTED_AT_ONCE = 16_384  # articles whose columns are in memory at once to make keys: about 3 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the stages before decided about all articles."""

    parsed: Parsed
    merged: Merged
    grouped: Grouped
    placed: Placed


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenShards:
    """What the stage made.

    Attributes:
        pieces: all shards, those of `posts` included, in the order of the manifest: by config, split and path.
        counts: split and counts of all rows of `articles`, in parts.
    """

    pieces: list[Piece]
    counts: list[tuple[str, Counts]]

    def with_more(self, pieces: Sequence[Piece]) -> WrittenShards:
        """The same with shards of other configs at the end."""
        return WrittenShards(pieces=[*self.pieces, *pieces], counts=self.counts)


def write_shards(
    decided: Decided, listed: Listed, settings: Settings, base: Base, request: Request, engine: Engine
) -> WrittenShards:
    """Write every shard."""
    assert listed.posts is not None
    parsed, articles, site = decided.parsed, decided.merged.articles, listed.site
    made_by = (*settings.made_by, f"site {describe_site(site)}")
    with engine.stage("write", len(articles)) as stage:
        placement, rows = decided.placed.placement, listed.posts.shard_rows
        plan = plan_articles(articles, placement, site.timezone, base.manifest, rows, again=request.again)
        digests = _digests(plan, decided, "\0".join(made_by))
        groups = in_tasks(plan)
        tasks = [_task(shards, [*islice(digests, len(shards))], decided, site.timezone) for shards in groups]
        made = [*zip(stage.run(tasks), groups, strict=True)]
        written = [
            piece_of(artifact, f"shard-{number}", shard.path, shard.split, shard.start)
            for artifact, shards in made
            for number, shard in enumerate(shards)
        ]
        rejects = _write_rejects(parsed.rejects, made_by, site.timezone, stage)
    order = {config: number for number, config in enumerate(CONFIGS)}
    pieces = sorted(
        [*parsed.pieces, *written, *rejects],
        key=lambda piece: (order[piece.config], CONFIGS[piece.config].index(piece.split), piece.path),
    )
    counts = [(shards[0].split, artifact.facts["counts"]) for artifact, shards in made if "counts" in artifact.facts]
    return WrittenShards(pieces=pieces, counts=counts)


# ---------------------------------------------------------------------------------------------------- articles


@dataclass(frozen=True, slots=True, kw_only=True)
class _WriteData:
    """What a task needs to write its shards.

    Attributes:
        config: of the shards.
        timezone: the site's, an IANA name.
        spool: the spool files that hold the articles' posts, by number.
        sizes: the number of rows of each shard.
        groups: for each row group the instructions for its rows, `_GATHERED_AT_ONCE` rows at a time. If there are several
            shards, they are cut from the rows of all groups.
    """

    config: str
    timezone: str
    spool: Mapping[int, StoredFile]
    sizes: Sequence[int]
    groups: Sequence[Sequence[ArticleRows]]


def _task(shards: Sequence[ArticleShard], digests: Sequence[str], decided: Decided, timezone: str) -> Task:
    """The task that writes some shards; the `digests` of these are its only inputs, see `_digests`."""
    config, sizes = shards[0].config, [len(shard.articles) for shard in shards]

    def data() -> _WriteData:
        articles = np.concatenate([shard.articles for shard in shards])
        groups = [
            [_rows_of(some, decided, excluded=config == "excluded") for some in _cut(group, _GATHERED_AT_ONCE)]
            for group in _cut(articles, ROW_GROUP)
        ]
        places = [rows.merged.member_places for group in groups for rows in group]
        spool = spool_files_of(decided.parsed.spool, places)
        return _WriteData(config=config, timezone=timezone, spool=spool, sizes=sizes, groups=groups)

    return Task(stage=stage_of("write"), inputs=tuple(digests), function=_write, data=data, rows=sum(sizes))


def _cut(chosen: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (chosen[begin : begin + size] for begin in range(0, len(chosen), size))


def _write(data: _WriteData, bench: Bench) -> dict[str, Any]:
    schema = shard_schema(data.config, data.timezone)
    spool = open_spool(data.spool)
    counts: list[Counts] = []

    def groups() -> Iterator[pa.Table]:
        for group in data.groups:
            table = pa.concat_tables([article_table(some, spool, schema) for some in group])
            if data.config == "articles":
                counts.append(count_rows(table, data.timezone))
            yield table

    names = [f"shard-{number}" for number in range(len(data.sizes))]
    paths = [bench.file(name) for name in names]
    if len(paths) == 1:
        written = [write_shard(paths[0], groups(), data.config, schema)]
    else:
        written = write_slices(paths, pa.concat_tables(groups()), [*accumulate(data.sizes)], data.config, schema)
    facts: dict[str, Any] = {"written": {name: one._asdict() for name, one in zip(names, written, strict=True)}}
    return facts | ({"counts": add_counts(counts)} if counts else {})


def _rows_of(chosen: np.ndarray, decided: Decided, *, excluded: bool) -> ArticleRows:
    names = GroupNames(
        clusters=decided.grouped.clusters, groups=decided.grouped.groups, reasons=decided.placed.placement.reason
    )
    merged = decided.merged
    return article_rows(chosen, merged.articles, merged.posts, decided.parsed.rows_before, names, excluded=excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNames:
    """For each article the ids of its duplicate cluster and leak group, and why it is excluded (None if it is not)."""

    clusters: pa.Array
    groups: pa.Array
    reasons: np.ndarray


def article_rows(
    chosen: np.ndarray,
    articles: Articles,
    posts: PostHashes,
    rows_before: np.ndarray,
    names: GroupNames,
    *,
    excluded: bool,
) -> ArticleRows:
    """The instructions for the rows of some articles: from which post each column comes.

    Args:
        chosen: the positions of the articles.
        articles, posts: all articles, and the hashes of all posts.
        rows_before: see `Parsed.rows_before`.
        names: of all articles.
        excluded: whether the rows are of the config `excluded`.
    """
    members, starts = members_of(articles, chosen)
    at = pa.array(chosen)
    group = names.groups.take(at)
    return ArticleRows(
        article_id=articles.article_id.take(at),
        duplicate_cluster=names.clusters.take(at),
        leak_group=group,
        fold=pa.array([_fold(g) for g in group.to_pylist()], pa.int32()),
        excluded_reason=pa.array(names.reasons[chosen], pa.string()) if excluded else None,
        merged=MergedFrom(
            places={role: spool_places(getattr(articles, role)[chosen], rows_before) for role in ROLES},
            member_places=spool_places(members, rows_before),
            member_starts=starts,
            member_sha256=pa.array([sha256.tobytes().hex() for sha256 in posts.sha256[members]], pa.string()),
            member_feed=posts.feed[members],
        ),
    )


def _fold(group: str) -> int:
    """The column `fold`: 0 to 9, by a hash of the leak group."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") % 10


def _digests(shards: Sequence[ArticleShard], decided: Decided, made_by: str) -> Iterator[str]:
    """For each shard a digest of everything that decides its bytes. No text is read for it.

    Args:
        shards: the plan.
        decided: about all articles.
        made_by: versions of everything that makes rows.
    """
    rows = 0
    some: list[ArticleShard] = []
    for number, shard in enumerate(shards, 1):  # many shards at a time, because gathering columns takes time
        some.append(shard)
        rows += len(shard.articles)
        if rows >= _DIGESTED_AT_ONCE or number == len(shards):
            yield from _some_digests(some, decided, made_by)
            rows, some = 0, []


def _some_digests(shards: Sequence[ArticleShard], decided: Decided, made_by: str) -> Iterator[str]:
    """The digests of shards whose columns are in memory at once; see `_digests`."""
    articles, posts = decided.merged.articles, decided.merged.posts
    chosen = np.concatenate([shard.articles for shard in shards])
    members, starts = members_of(articles, chosen)
    counts = np.diff(starts, append=len(members))
    at = pa.array(chosen)
    names = pa.table(
        {
            "article_id": articles.article_id.take(at),
            "cluster": decided.grouped.clusters.take(at),
            "group": decided.grouped.groups.take(at),
            "reason": pa.array(decided.placed.placement.reason[chosen], pa.string()),
        }
    )
    # For each article the number of its posts, and for each role which of them gives the columns.
    giving = (np.flatnonzero(members == np.repeat(getattr(articles, role)[chosen], counts)) for role in ROLES)
    numbers = np.stack([counts, *(posts_at - starts for posts_at in giving)], axis=1).astype("<i4")
    sha256, name = posts.sha256[members], posts.name[members]
    digests = [hashlib.sha256(f"{made_by}\0{shard.config}\0{shard.split}".encode()) for shard in shards]
    ends = [*accumulate(len(shard.articles) for shard in shards)]
    digest_slices(names, ends, digests)
    row = post = 0
    for digest, end in zip(digests, ends, strict=True):
        last = post + int(counts[row:end].sum())
        for part in (numbers[row:end], sha256[post:last], name[post:last]):
            digest.update(part.tobytes())
        yield digest.hexdigest()
        row, post = end, last


# ----------------------------------------------------------------------------------------------------- rejects


def _write_rejects(rejects: Sequence[Reject], made_by: Sequence[str], timezone: str, stage: Stage) -> list[Piece]:
    """The shard of rejects; none if there are no rejects."""
    if not rejects:
        return []
    rows = repr([asdict(reject) for reject in rejects]).encode("utf-8", "surrogatepass")
    task = Task(
        stage=stage_of("rejects"),
        inputs=(*made_by, hashlib.sha256(rows).hexdigest()),
        function=_rejects,
        data=lambda: (rejects, timezone),
    )
    return [piece_of(stage.run_one(task), "shard", "rejects/rejects-undated-0000000.parquet", "rejects", "")]


def _rejects(data: tuple[Sequence[Reject], str], bench: Bench) -> dict[str, Any]:
    rejects, timezone = data
    tables = (rejects_table(rejects[at : at + ROW_GROUP]) for at in range(0, len(rejects), ROW_GROUP))
    written = write_shard(bench.file("shard"), tables, "rejects", shard_schema("rejects", timezone))
    return {"written": {"shard": written._asdict()}}


# --------------------------------------------------------------------------------------------------- text-free


@dataclass(frozen=True, slots=True, kw_only=True)
class _BlankData:
    """A full shard to blank."""

    file: StoredFile
    config: str
    timezone: str


def blank_all(pieces: Sequence[Piece], settings: Settings, timezone: str, engine: Engine) -> list[Piece]:
    """The same shards without the publishers' words, for a text-free version."""
    tasks = [
        Task(
            stage=stage_of("blank"),
            inputs=(*settings.made_by, piece.written.sha256, piece.config, timezone),
            function=_blank,
            data=partial(_BlankData, file=piece.file, config=piece.config, timezone=timezone),
        )
        for piece in pieces
    ]
    with engine.stage("write") as stage:
        artifacts = stage.run(tasks)
    return [
        piece_of(artifact, "shard", piece.path, piece.split, piece.start)
        for artifact, piece in zip(artifacts, pieces, strict=True)
    ]


def _blank(data: _BlankData, bench: Bench) -> dict[str, Any]:
    written = blank_shard(data.file.checked(), bench.file("shard"), data.config, data.timezone)
    return {"written": {"shard": written._asdict()}}


TASKS: Mapping[str, TaskFunction] = {"write": _write, "rejects": _rejects, "blank": _blank}
"""The functions of this stage's tasks, by kind."""
