"""Stage merge: posts with the same article id become one article. Works on keys only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...arrow_files import join_tables, mapped_table, numbers_of, values_of, write_table
from ...curation.merge import KEYS, Articles, PostHashes, merge_posts, take_keys
from ...graph.engine import Engine, Stage
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from .parse import Parsed
from .versions import stage_of

__all__ = ["TASKS", "Merged", "merge", "read_articles"]

_ROLES = ("text", "title", "date", "url", "digest", "source", "labels")
_BY_ARTICLE = (*_ROLES, "starts")
_ARTICLES = pa.schema(
    [("article_id", pa.string()), ("published_at", pa.int64()), *((name, pa.int32()) for name in _BY_ARTICLE)]
)
_MEMBERS = pa.schema([("members", pa.int32())])
_HASHES = pa.schema([("sha256", pa.binary(32)), ("name", pa.uint64()), ("feed", pa.int8())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The result of merging.

    Attributes:
        articles: all articles.
        posts: the hashes of all posts.
        artifact: holds both.
    """

    articles: Articles
    posts: PostHashes
    artifact: Artifact


def merge(parsed: Parsed, engine: Engine) -> Merged:
    """Merge all posts into articles: a range of article ids at a time, then all ranges are joined."""
    keys = [done.files["keys"] for done in parsed.artifacts]
    made_from = tuple(done.key for done in parsed.artifacts)
    parts: list[Artifact] = []
    task = Task(
        stage=stage_of("merge"),
        inputs=made_from,
        function=_merge,
        data=lambda: _MergeData(keys=keys, parts=parts),
        rows=parsed.posts,
    )
    with engine.stage("merge", parsed.posts) as stage:
        if stage.lacks(task):
            parts += _merge_parts(keys, made_from, engine.partitions_for(parsed.posts), stage)
        artifact = stage.run_one(task)
    articles, posts = read_articles(artifact)
    return Merged(articles=articles, posts=posts, artifact=artifact)


# ------------------------------------------------------------------------------------------------------- ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class _RangesData:
    """The keys of all posts, and into how many ranges their article ids are divided."""

    keys: Sequence[StoredFile]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartData:
    """The keys of all posts, and the first article id of a range and of the next one; None where there is no border."""

    keys: Sequence[StoredFile]
    first: str | None
    end: str | None


def _merge_parts(keys: Sequence[StoredFile], made_from: tuple[str, ...], count: int, stage: Stage) -> list[Artifact]:
    """The articles of each range of ids."""
    borders: list[str] = []
    if count > 1:
        ranges = Task(
            stage=stage_of("ranges"),
            inputs=(*made_from, str(count)),
            function=_ranges,
            data=lambda: _RangesData(keys=keys, count=count),
            temporary=True,
        )
        borders = stage.run_one(ranges).facts["borders"]

    def task(first: str | None, end: str | None) -> Task:
        return Task(
            stage=stage_of("range"),
            inputs=(*made_from, repr((first, end))),
            function=_merge_part,
            data=lambda: _PartData(keys=keys, first=first, end=end),
            temporary=True,
        )

    return stage.run([task(first, end) for first, end in pairwise([None, *borders, None])])


_SAMPLED = 64  # one id in so many is looked at to find the ranges


def _ranges(data: _RangesData, bench: Bench) -> dict[str, Any]:
    """Ids between ranges of about the same number of posts. Any others would give the same articles."""
    ids = [pa.array([], pa.string())]
    for file in data.keys:
        every = values_of(mapped_table(file.checked()), "article_id")
        ids.append(every.take(pa.array(np.arange(0, len(every), _SAMPLED))))
    sample = pa.concat_arrays(ids)
    sample = sample.take(pc.sort_indices(sample))
    cuts = [len(sample) * number // data.count for number in range(1, data.count)] if len(sample) else []
    return {"borders": sorted({sample[at].as_py() for at in cuts})}


def _merge_part(data: _PartData, bench: Bench) -> dict[str, Any]:
    """The articles of a range of ids; posts are named by their row among all posts."""
    some, rows, before = [], [np.zeros(0, np.int32)], 0
    for file in data.keys:
        table = mapped_table(file.checked()).drop_columns(["sha256", "name"])
        inside = _inside(values_of(table, "article_id"), data)
        some.append(table if len(inside) == table.num_rows else table.take(pa.array(inside)))
        rows.append(inside + np.int32(before))
        before += table.num_rows
    posts = np.concatenate(rows)
    articles = merge_posts(pa.concat_tables([KEYS.empty_table().drop_columns(["sha256", "name"]), *some]))
    columns = {
        "article_id": articles.article_id,
        "published_at": pa.array(articles.published_at, pa.int64()),
        **{name: pa.array(posts[getattr(articles, name)], pa.int32()) for name in _ROLES},
        "starts": pa.array(articles.starts, pa.int32()),
    }
    write_table(pa.table(columns, schema=_ARTICLES), bench.file("articles"))
    write_table(pa.table({"members": pa.array(posts[articles.members], pa.int32())}), bench.file("members"))
    return {"articles": len(articles)}


def _inside(ids: pa.StringArray, data: _PartData) -> np.ndarray:
    """The rows whose ids are in the range, int32."""
    inside = np.ones(len(ids), bool)
    if data.first is not None:
        inside &= pc.greater_equal(ids, data.first).to_numpy(zero_copy_only=False)
    if data.end is not None:
        inside &= pc.less(ids, data.end).to_numpy(zero_copy_only=False)
    return np.flatnonzero(inside).astype(np.int32)


# ------------------------------------------------------------------------------------------------------ joining


@dataclass(frozen=True, slots=True, kw_only=True)
class _MergeData:
    """The keys of all posts, and the articles of each range of ids, in order."""

    keys: Sequence[StoredFile]
    parts: Sequence[Artifact]


def _merge(data: _MergeData, bench: Bench) -> dict[str, Any]:
    """The articles of all ranges, and the hashes of all posts, in one piece."""
    articles = join_tables(_articles(data.parts), _ARTICLES, bench.folder)
    members = join_tables(
        (mapped_table(part.files["members"].checked()) for part in data.parts), _MEMBERS, bench.folder
    )
    hashes = join_tables(_hashes(data.keys), _HASHES, bench.folder)
    write_table(articles, bench.file("articles"))
    write_table(
        pa.table([*members.columns, *hashes.columns], names=[*_MEMBERS.names, *_HASHES.names]), bench.file("posts")
    )
    return {"articles": len(articles)}


def _articles(parts: Sequence[Artifact]) -> Iterator[pa.Table]:
    before = 0
    for part in parts:
        table = mapped_table(part.files["articles"].checked())
        at = table.column_names.index("starts")
        yield table.set_column(at, "starts", pa.array(numbers_of(table, "starts") + np.int32(before), pa.int32()))
        before += mapped_table(part.files["members"].checked()).num_rows


def _hashes(keys: Sequence[StoredFile]) -> Iterator[pa.Table]:
    for file in keys:
        _, posts = take_keys([mapped_table(file.checked())])
        sha256 = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(32), len(posts.sha256), [None, pa.py_buffer(np.ascontiguousarray(posts.sha256))]
        )
        yield pa.table([sha256, pa.array(posts.name), pa.array(posts.feed)], schema=_HASHES)


def read_articles(artifact: Artifact) -> tuple[Articles, PostHashes]:
    """The articles and the hashes of all posts, read from the artifact of stage merge.

    Raises:
        MachineError: a file of the artifact is missing or changed.
    """
    by_article, by_post = (mapped_table(artifact.files[name].checked()) for name in ("articles", "posts"))

    hashes = values_of(by_post, "sha256")
    data = hashes.buffers()[1]
    sha256 = np.frombuffer(data or b"", np.uint8)[32 * hashes.offset : 32 * (hashes.offset + len(hashes))]
    posts = PostHashes(
        sha256=sha256.reshape(-1, 32), name=numbers_of(by_post, "name"), feed=numbers_of(by_post, "feed")
    )
    articles = Articles(
        article_id=values_of(by_article, "article_id"),
        published_at=numbers_of(by_article, "published_at"),
        members=numbers_of(by_post, "members"),
        **{name: numbers_of(by_article, name) for name in _BY_ARTICLE},
    )
    return articles, posts


TASKS: Mapping[str, TaskFunction] = {"ranges": _ranges, "range": _merge_part, "merge": _merge}
"""The functions of this stage's tasks, by kind."""
