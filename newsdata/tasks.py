"""The units of work of a build: read a run of posts, write a run of articles.

A task is a fixed range of input; it writes its own files under a temporary name and renames them when they are whole.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from .engine import release_memory
from .errors import MachineError
from .packaging.rows import ArticleRows, Spool, article_table, keys_table, posts_table, spool_schema, spool_table
from .packaging.shards import ROW_GROUP, Written, hash_file, shard_schema, write_shard
from .reading.parse import PARSER_VERSION, parse_bytes
from .reading.sources import Source, SourceFile, read_files
from .schema import SCHEMA_VERSION, Post, Reject, Site

__all__ = [
    "SPOOL_BATCH",
    "ParseTask",
    "Parsed",
    "SignTask",
    "WriteTask",
    "find_parsed",
    "find_signed",
    "parse_posts",
    "sign_articles",
    "task_id",
    "words_of",
    "write_articles",
]

SPOOL_BATCH = 500
"""Rows of a batch of the spool; whoever gathers articles reads whole batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseTask:
    """Read `files` of `source` and leave the result in `folder`, under the name that `task_id` gives.

    Attributes:
        ids: article ids of files that would otherwise share one (path -> id).
        tools: what shapes the bytes besides the files, as one string; a part of the task's name.
    """

    source: Source
    files: tuple[SourceFile, ...]
    site: Site
    ids: Mapping[str, str]
    folder: Path
    tools: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a `ParseTask` left behind.

    Attributes:
        name: of the task; `<name>.posts` (a shard), `<name>.spool` and `<name>.keys` lie in its folder.
        posts: what was written to the shard, None where no file could be read.
        hashes: SHA-256 of each of the files above, by their ending.
        sha256: of each input file, in the order of the task's files; None where it could not be read.
        sizes: of each input file as read, in bytes.
        rejects: files that are no posts.
        issues, feeds: how many posts have each code, and come from each feed.
    """

    name: str
    posts: Written | None
    hashes: Mapping[str, str]
    sha256: tuple[str | None, ...]
    sizes: int
    rejects: tuple[Reject, ...]
    issues: Mapping[str, int]
    feeds: Mapping[str, int]


def task_id(task: ParseTask, hashes: tuple[str | None, ...]) -> str:
    """The name of a task: a digest of everything that its result depends on."""
    digest = hashlib.sha256(repr((SCHEMA_VERSION, PARSER_VERSION, task.tools, task.site)).encode())
    for file, sha256 in zip(task.files, hashes, strict=True):
        own = task.ids.get(file.path, "")
        digest.update(f"{file.path}\0{sha256}\0{own}\n".encode())
    return digest.hexdigest()[:40]


def parse_posts(task: ParseTask) -> Parsed:
    """Read the posts of a task; see `Parsed` for what it leaves in the task's folder."""
    timezone = task.site.timezone
    temporary = task.folder / f"{hashlib.sha256(task.files[0].path.encode()).hexdigest()[:40]}.unfinished"
    parts = {ending: temporary.with_suffix(f".unfinished-{ending}") for ending in ("posts", "spool", "keys")}
    hashes: list[str | None] = []
    rejects: list[Reject] = []
    issues: Counter[str] = Counter()
    feeds: Counter[str] = Counter()
    keys: list[pa.Table] = []
    size = 0

    def posts() -> Iterator[Post]:
        nonlocal size
        for file, data in read_files(task.source, task.files):
            if isinstance(data, Reject):
                hashes.append(data.sha256)
                rejects.append(data)
                continue
            sha256 = hashlib.sha256(data).hexdigest()
            hashes.append(sha256)
            size += len(data)
            try:
                post = parse_bytes(file.path, data, task.site, sha256, task.ids.get(file.path))
            except MemoryError as error:  # of the machine, not of the post: no reject, which the cache would keep
                raise MachineError(
                    "the machine ran out of memory while this was read", path=file.path, hint="try --num-proc 1"
                ) from error
            if isinstance(post, Reject):
                rejects.append(post)
                continue
            if post.issues:
                issues.update(post.issues)
            feeds[post.feed] += 1
            yield post

    lz4 = pa.ipc.IpcWriteOptions(compression="lz4")
    schema = spool_schema(timezone)
    with (
        pa.OSFile(str(parts["spool"]), "wb") as file,
        pa.ipc.new_file(file, schema, options=lz4) as spool,
    ):

        def row_groups() -> Iterator[pa.Table]:
            waiting: list[pa.Table] = []
            for chunk in _chunks(posts(), SPOOL_BATCH):
                spool.write_table(spool_table(chunk, timezone).combine_chunks())
                keys.append(keys_table(chunk))
                waiting.append(posts_table(chunk, timezone))
                if len(waiting) * SPOOL_BATCH == ROW_GROUP:
                    yield _joined(waiting)
            if waiting:
                yield _joined(waiting)

        written = write_shard(parts["posts"], row_groups(), "posts", shard_schema("posts", timezone))
    with (
        pa.OSFile(str(parts["keys"]), "wb") as file,
        pa.ipc.new_file(file, keys_table([]).schema, options=lz4) as out,
    ):
        out.write_table(pa.concat_tables([keys_table([]), *keys]).combine_chunks())

    name = task_id(task, tuple(hashes))
    parsed = Parsed(
        name=name,
        posts=written if written.rows else None,
        hashes={ending: written.sha256 if ending == "posts" else hash_file(part)[1] for ending, part in parts.items()},
        sha256=tuple(hashes),
        sizes=size,
        rejects=tuple(rejects),
        issues=dict(sorted(issues.items())),
        feeds=dict(sorted(feeds.items())),
    )
    for ending, part in parts.items():
        part.rename(task.folder / f"{name}.{ending}")
    _remember(parsed, task.folder)
    release_memory()
    return parsed


def _joined(tables: list[pa.Table]) -> pa.Table:
    """The tables as one; the list is emptied, so that nothing is in memory twice."""
    whole = pa.concat_tables(tables).combine_chunks()
    tables.clear()
    return whole


def _chunks(posts: Iterator[Post], size: int) -> Iterator[list[Post]]:
    chunk: list[Post] = []
    for post in posts:
        chunk.append(post)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _remember(parsed: Parsed, folder: Path) -> None:
    from dataclasses import asdict

    part = folder / f"{parsed.name}.unfinished-json"
    data = asdict(parsed)
    part.write_text(json.dumps(data | {"digest": _digest(data)}, ensure_ascii=False), encoding="utf-8")
    part.rename(folder / f"{parsed.name}.json")


def _digest(data: object) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def find_parsed(folder: Path, name: str) -> Parsed | None:
    """What an earlier build left for the task `name`; None unless every byte of it is as it was written."""
    try:
        data: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        if data.pop("digest") != _digest(data):
            return None
        written = Written(**data.pop("posts")) if data["posts"] else data.pop("posts")
        rejects = tuple(Reject(**reject) for reject in data.pop("rejects"))
        parsed = Parsed(posts=written, rejects=rejects, sha256=tuple(data.pop("sha256")), **data)
        whole = parsed.name == name and all(
            hash_file(folder / f"{name}.{ending}")[1] == sha256 for ending, sha256 in parsed.hashes.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return parsed if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTask:
    """Gather `rows` from the spool, one run a row group, and write them to the shard `path` of `config`."""

    path: Path
    config: str
    timezone: str
    spool: Spool
    rows: tuple[ArticleRows, ...]


def write_articles(task: WriteTask) -> Written:
    """Write one shard of `articles` or `excluded`."""
    schema = shard_schema(task.config, task.timezone)
    tables = (article_table(run, task.spool, schema) for run in task.rows)
    written = write_shard(task.path, tables, task.config, schema)
    release_memory()
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTask:
    """Sign articles for the search for near-copies, and leave the signatures in `path`.

    Attributes:
        text, digest, title, url: for each article the (file number, row) in the spool of the post that speaks.
        days: days since 1970 in the site's zone, None where unknown.
        boilerplate: the file of the dataset's list.
    """

    path: Path
    spool: Spool
    article_id: tuple[str, ...]
    days: tuple[int | None, ...]
    text: tuple[np.ndarray, np.ndarray]
    digest: tuple[np.ndarray, np.ndarray]
    title: tuple[np.ndarray, np.ndarray]
    url: tuple[np.ndarray, np.ndarray]
    boilerplate: Path


def sign_articles(task: SignTask) -> int:
    """Sign the articles of a task; returns how many there are."""
    from .curation.duplicates import Boilerplate, sign, write_signatures

    urls = task.spool.take(*task.url, ["url"])["url"].to_pylist()
    boilerplate = Boilerplate.load(task.boilerplate)
    signatures = []
    for begin in range(0, len(urls), SPOOL_BATCH):  # so that little text is in memory at a time
        some = slice(begin, begin + SPOOL_BATCH)
        places = ((file[some], row[some]) for file, row in (task.text, task.digest, task.title))
        texts = words_of(task.spool, *places)
        signatures.append(sign(task.article_id[some], texts, task.days[some], urls[some], boilerplate))
    part = task.path.with_name(f"{task.path.name}.unfinished")
    write_signatures(pa.concat_tables(signatures), part)
    task.path.with_suffix(".sha256").write_text(hash_file(part)[1], encoding="ascii")
    part.rename(task.path)
    del signatures
    release_memory()
    return len(urls)


def find_signed(path: Path) -> bool:
    """Whether the signatures at `path` are there, as they were written."""
    try:
        return path.with_suffix(".sha256").read_text(encoding="ascii") == hash_file(path)[1]
    except (OSError, ValueError):
        return False


def words_of(
    spool: Spool,
    text: tuple[np.ndarray, np.ndarray],
    digest: tuple[np.ndarray, np.ndarray],
    title: tuple[np.ndarray, np.ndarray],
) -> list[str]:
    """What articles are compared by: the text; where it is empty the digest, else the title."""
    texts: list[str] = spool.take(*text, ["text"])["text"].to_pylist()
    empty = np.array([not words for words in texts], dtype=bool)
    if empty.any():
        digests = spool.take(digest[0][empty], digest[1][empty], ["digest"])["digest"].to_pylist()
        titles = spool.take(title[0][empty], title[1][empty], ["title"])["title"].to_pylist()
        for at, lead, head in zip(np.flatnonzero(empty).tolist(), digests, titles, strict=True):
            texts[at] = lead or head or ""
    return texts
