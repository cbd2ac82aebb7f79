"""Stage merge: posts with the same article id become one article. Works on keys only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ...arrow_files import mapped_table, numbers_of, values_of, write_table
from ...curation.merge import Articles, PostHashes, merge_posts, take_keys
from ...graph.engine import Engine
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from .parse import Parsed
from .versions import stage_of

__all__ = ["TASKS", "Merged", "merge", "read_articles"]

_BY_ARTICLE = ("text", "title", "date", "url", "digest", "source", "labels", "starts")


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
    """Merge all posts into articles."""
    keys = [done.files["keys"] for done in parsed.artifacts]
    task = Task(
        stage=stage_of("merge"),
        inputs=tuple(done.key for done in parsed.artifacts),
        function=_merge,
        data=lambda: keys,
        rows=parsed.posts,
    )
    with engine.stage("merge", parsed.posts) as stage:
        artifact = stage.run_one(task)
    articles, posts = read_articles(artifact)
    return Merged(articles=articles, posts=posts, artifact=artifact)


def _merge(files: Sequence[StoredFile], bench: Bench) -> dict[str, Any]:
    keys, posts = take_keys(mapped_table(file.checked()) for file in files)
    articles = merge_posts(keys)
    by_article = {
        "article_id": articles.article_id,
        "published_at": pa.array(articles.published_at, pa.int64()),
        **{name: pa.array(getattr(articles, name), pa.int32()) for name in _BY_ARTICLE},
    }
    sha256 = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(32), len(posts.sha256), [None, pa.py_buffer(np.ascontiguousarray(posts.sha256))]
    )
    by_post = {
        "members": pa.array(articles.members, pa.int32()),
        "sha256": sha256,
        "name": pa.array(posts.name, pa.uint64()),
        "feed": pa.array(posts.feed, pa.int8()),
    }
    for name, columns in (("articles", by_article), ("posts", by_post)):
        write_table(pa.table(columns), bench.file(name))
    return {"articles": len(articles)}


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


TASKS: Mapping[str, TaskFunction] = {"merge": _merge}
"""The functions of this stage's tasks, by kind."""
