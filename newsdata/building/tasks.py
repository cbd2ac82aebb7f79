"""The units of work of a build: read a run of posts, write a run of articles.

A task is a fixed range of input; it writes its own files under a temporary name and renames them when they are whole.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import FEEDS, KEYS
from ..errors import MachineError
from ..graph.engine import release_memory
from ..parsing.post import PARSER_VERSION, article_id, parse_bytes
from ..schema import SCHEMA_VERSION, Post, Reject, Site, table_schema
from ..sources.source import Files, Source, SourceFile, read_files
from ..storage.rows import ArticleRows, Spool, article_table, rows_of_posts, spool_schema
from ..storage.shards import ROW_GROUP, Written, digest_table, read_shard, shard_schema, write_shard
from .workspace import checksum

if TYPE_CHECKING:
    from ..near_duplicates.boilerplate import Spilled

__all__ = [
    "SPOOL_BATCH",
    "ParseTask",
    "Parsed",
    "SampleTask",
    "SignTask",
    "WriteTask",
    "find_parsed",
    "find_signed",
    "is_parsed",
    "parse_posts",
    "read_parsed",
    "sample_articles",
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
        known: hash of each file, null where it has to be read.
        refused: SHA-256 of contents that were redacted: such a file is neither post nor reject.
        earlier: a task done before, whose rows stand for files that have not changed since; None for none.
    """

    source: Source
    files: Files
    site: Site
    ids: Mapping[str, str]
    folder: Path
    tools: str
    known: pa.StringArray
    refused: frozenset[str] = frozenset()
    earlier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a `ParseTask` left behind.

    Attributes:
        name: of the task; `<name>.posts` (a shard), `<name>.spool` and `<name>.keys` lie in its folder.
        circumstances: what shapes a row besides its file, as `_circumstances` digests it.
        posts: what was written to the shard, None where no file could be read.
        checksums: of the files above, by their ending.
        sizes: of all input files as read, in bytes.
        rejects: files that are no posts.
        redacted: how many files were refused.
        issues, feeds: how many posts have each code, and come from each feed.
    """

    name: str
    circumstances: str
    posts: Written | None
    checksums: Mapping[str, str]
    sizes: int
    rejects: tuple[Reject, ...]
    redacted: int
    issues: Mapping[str, int]
    feeds: Mapping[str, int]


def task_id(task: ParseTask, hashes: pa.StringArray) -> str:
    """The name of a task: a digest of everything that its result depends on."""
    about = [_circumstances(task), sorted(task.ids.items()), sorted(task.refused.intersection(hashes.to_pylist()))]
    digest = hashlib.sha256(repr(about).encode())
    digest_table(pa.table({"path": task.files.path, "sha256": hashes}), digest)
    return digest.hexdigest()[:40]


def _circumstances(task: ParseTask) -> str:
    return hashlib.sha256(
        repr((SCHEMA_VERSION, PARSER_VERSION, KEYS.names, task.tools, task.site)).encode()
    ).hexdigest()


class _Rows(NamedTuple):
    """The same run of posts as rows of the three files of a task."""

    posts: pa.Table
    spool: pa.Table
    keys: pa.Table

    def slice(self, begin: int, end: int) -> _Rows:
        return _Rows(*(table.slice(begin, end - begin) for table in self))


class _Earlier(NamedTuple):
    """What an earlier task left: its rows, the row of each post by path and hash, and rejects by the same."""

    rows: _Rows
    row_of: Mapping[tuple[str, str], int]
    rejects: Mapping[tuple[str, str | None], Reject]


def _read_earlier(task: ParseTask) -> _Earlier | None:
    """The earlier task's rows, where it read posts under the same circumstances and is undamaged."""
    found = find_parsed(task.folder, task.earlier) if task.earlier else None
    if found is None or found.posts is None or found.circumstances != _circumstances(task):
        return None
    file = task.folder / found.name
    timezone = task.site.timezone
    with pa.OSFile(f"{file}.spool") as handle:
        spool = pa.ipc.open_file(handle).read_all()
    with pa.OSFile(f"{file}.keys") as handle:
        keys = pa.ipc.open_file(handle).read_all()
    posts = pa.concat_tables(read_shard(Path(f"{file}.posts"))).cast(table_schema("posts", timezone))
    paths, hashes, ids = (keys[name].to_pylist() for name in ("path", "sha256", "article_id"))
    row_of = {
        (path, sha256): row
        for row, (path, sha256, own) in enumerate(zip(paths, hashes, ids, strict=True))
        if own == task.ids.get(path, article_id(path))  # another file may have taken its id, or freed it
    }
    rejects = {(reject.path, reject.sha256): reject for reject in found.rejects}
    return _Earlier(_Rows(posts, spool, keys), row_of, rejects)


def parse_posts(task: ParseTask) -> tuple[Parsed, pa.StringArray]:
    """Read the posts of a task; see `Parsed` for what it leaves in the task's folder.

    Returns:
        What is there now, and the SHA-256 of each file of the task, null where it could not be read.
    """
    timezone = task.site.timezone
    temporary = task.folder / f"{hashlib.sha256(task.files[0].path.encode()).hexdigest()[:40]}.unfinished"
    parts = {ending: temporary.with_suffix(f".unfinished-{ending}") for ending in ("posts", "spool", "keys")}
    hashes: list[str | None] = []
    rejects: list[Reject] = []
    issues: Counter[str] = Counter()
    keys: list[pa.Table] = []
    size = redacted = 0

    def rows() -> Iterator[_Rows]:
        """Runs of rows, in the order of the files: read, or taken over from the earlier task."""
        nonlocal size, redacted
        files, hashes_before = list(task.files), task.known.to_pylist()
        earlier = _read_earlier(task)
        row_of, old_rejects = (earlier.row_of, earlier.rejects) if earlier else ({}, {})
        known = [
            sha256 is not None
            and (sha256 in task.refused or (file.path, sha256) in row_of or (file.path, sha256) in old_rejects)
            for file, sha256 in zip(files, hashes_before, strict=True)
        ]
        contents = read_files(task.source, [file for file, taken in zip(files, known, strict=True) if not taken])
        posts: list[Post] = []
        begin = end = 0  # of the run of earlier rows that is being taken over
        for file, sha256, taken in zip(files, hashes_before, known, strict=True):
            data = None if taken else next(contents)[1]
            if data is not None:
                sha256 = data.sha256 if isinstance(data, Reject) else hashlib.sha256(data).hexdigest()
                size += 0 if isinstance(data, Reject) else len(data)
            else:
                size += file.size
            hashes.append(sha256)
            if sha256 in task.refused:
                redacted += 1
                continue
            row = row_of.get((file.path, sha256)) if sha256 else None
            if end > begin and row != end:
                assert earlier is not None
                yield earlier.rows.slice(begin, end)
                begin = end = 0
            if posts and (row is not None or len(posts) == SPOOL_BATCH):
                yield _Rows(*rows_of_posts(posts, timezone))
                posts = []
            if row is not None:
                begin, end = (begin if end > begin else row), row + 1
                continue
            found = old_rejects[file.path, sha256] if data is None else _read(task, file, data, sha256)
            if isinstance(found, Reject):
                rejects.append(found)
            else:
                posts.append(found)
        if end > begin and earlier is not None:
            yield earlier.rows.slice(begin, end)
        if posts:
            yield _Rows(*rows_of_posts(posts, timezone))

    lz4 = pa.ipc.IpcWriteOptions(compression="lz4")
    with (
        pa.OSFile(str(parts["spool"]), "wb") as file,
        pa.ipc.new_file(file, spool_schema(timezone), options=lz4) as spool,
    ):

        def row_groups() -> Iterator[pa.Table]:
            to_spool: list[pa.Table] = []
            waiting: list[pa.Table] = []
            for run in rows():
                issues.update(pc.list_flatten(run.posts["issues"]).to_pylist())
                keys.append(run.keys)
                to_spool.append(run.spool)
                waiting.append(run.posts)
                for batch in _batches(to_spool, SPOOL_BATCH):
                    spool.write_table(batch)
                yield from _batches(waiting, ROW_GROUP)
            for batch in _batches(to_spool, SPOOL_BATCH, last=True):
                spool.write_table(batch)
            yield from _batches(waiting, ROW_GROUP, last=True)

        written = write_shard(parts["posts"], row_groups(), "posts", shard_schema("posts", timezone))
    all_keys = pa.concat_tables([KEYS.empty_table(), *keys]).combine_chunks()
    with (
        pa.OSFile(str(parts["keys"]), "wb") as file,
        pa.ipc.new_file(file, all_keys.schema, options=lz4) as out,
    ):
        out.write_table(all_keys)

    sha256_of_files = pa.array(hashes, pa.string())
    name = task_id(task, sha256_of_files)
    feeds = Counter(FEEDS[number] for number in all_keys["feed"].to_pylist())
    parsed = Parsed(
        name=name,
        circumstances=_circumstances(task),
        posts=written if written.rows else None,
        checksums={ending: checksum(part) for ending, part in parts.items()},
        sizes=size,
        rejects=tuple(rejects),
        redacted=redacted,
        issues=dict(sorted(issues.items())),
        feeds=dict(sorted(feeds.items())),
    )
    for ending, part in parts.items():
        part.rename(task.folder / f"{name}.{ending}")
    _remember(parsed, task.folder)
    return parsed, sha256_of_files


def _read(task: ParseTask, file: SourceFile, data: bytes | Reject, sha256: str | None) -> Post | Reject:
    if isinstance(data, Reject):
        return data
    assert sha256 is not None
    try:
        return parse_bytes(file.path, data, task.site, sha256, task.ids.get(file.path))
    except MemoryError as error:  # of the machine, not of the post: no reject, which the cache would keep
        raise MachineError(
            "the machine ran out of memory while this was read", path=file.path, hint="try --num-proc 1"
        ) from error


def _batches(waiting: list[pa.Table], size: int, *, last: bool = False) -> Iterator[pa.Table]:
    """Take tables of `size` rows off the front of those that wait; the `last` one may be smaller."""
    rows = sum(table.num_rows for table in waiting)
    if rows < size and not (last and rows):
        return
    whole = pa.concat_tables(waiting).combine_chunks()
    waiting.clear()
    for begin in range(0, rows, size):
        if last or begin + size <= rows:
            yield whole.slice(begin, size)
        else:
            waiting.append(whole.slice(begin))


def _remember(parsed: Parsed, folder: Path) -> None:
    """Write down what was done: the SHA-256 of the rest in hexadecimal digits, then JSON."""
    part = folder / f"{parsed.name}.unfinished-json"
    data = {f.name: getattr(parsed, f.name) for f in fields(parsed)}
    data["posts"] = parsed.posts and asdict(parsed.posts)
    data["rejects"] = [asdict(reject) for reject in parsed.rejects]
    text = json.dumps(data).encode()
    part.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    part.rename(folder / f"{parsed.name}.json")


def read_parsed(folder: Path, name: str) -> Parsed | None:
    """What was written down of the task `name`; None where that is missing or damaged."""
    try:
        digest, _, text = (folder / f"{name}.json").read_bytes().partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            return None
        data: dict[str, Any] = json.loads(text)
        written = Written(**data.pop("posts")) if data["posts"] else data.pop("posts")
        rejects = tuple(Reject(**reject) for reject in data.pop("rejects"))
        return Parsed(posts=written, rejects=rejects, **data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_parsed(folder: Path, name: str) -> bool:
    """Whether an earlier build left something for the task `name`, damaged or not."""
    return (folder / f"{name}.json").is_file()


def find_parsed(folder: Path, name: str) -> Parsed | None:
    """What an earlier build left for the task `name`; None unless every byte of it is as it was written."""
    parsed = read_parsed(folder, name)
    if parsed is None or parsed.name != name:
        return None
    try:
        whole = all(checksum(folder / f"{name}.{end}") == sum_ for end, sum_ in parsed.checksums.items())
    except OSError:
        return None
    return parsed if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTask:
    """Gather `rows` from the spool, piece by piece of each row group, and write them to the shard `path` of `config`."""

    path: Path
    config: str
    timezone: str
    spool: Spool
    rows: tuple[tuple[ArticleRows, ...], ...]


def write_articles(task: WriteTask) -> Written:
    """Write one shard of `articles` or `excluded`."""
    schema = shard_schema(task.config, task.timezone)
    tables = (pa.concat_tables([article_table(some, task.spool, schema) for some in group]) for group in task.rows)
    return write_shard(task.path, tables, task.config, schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTask:
    """Sign articles for the search for near-copies, and leave the signatures in `path`.

    Attributes:
        article_id: strings.
        days: days since 1970 in the site's zone (int32), null where unknown.
        keys: for each article a row of bytes: all that its signature depends on.
        text, digest, title, url: for each article the (file number, row) in the spool of the post that speaks.
        boilerplate: the file of the dataset's list.
        earlier: signatures of an earlier build, whose rows stand for articles with the same key; None for none.
    """

    path: Path
    spool: Spool
    article_id: pa.Array
    days: pa.Array
    keys: np.ndarray
    text: tuple[np.ndarray, np.ndarray]
    digest: tuple[np.ndarray, np.ndarray]
    title: tuple[np.ndarray, np.ndarray]
    url: tuple[np.ndarray, np.ndarray]
    boilerplate: Path
    earlier: Path | None


def sign_articles(task: SignTask) -> int:
    """Sign the articles of a task; returns how many there are."""
    from ..near_duplicates.clusters import Boilerplate, open_signatures, sign, write_signatures

    keys = [hashlib.sha256(key.tobytes()).digest() for key in task.keys]
    tables = []
    known = pa.nulls(len(keys), pa.int32())
    if task.earlier and find_signed(task.earlier):
        rows = open_signatures(task.earlier)
        known = pc.index_in(pa.array(keys, pa.binary()), value_set=rows["key"].combine_chunks())
        tables.append(rows.take(known.drop_null()))
        del rows
    new = np.flatnonzero(known.is_null().to_numpy(zero_copy_only=False))
    boilerplate = Boilerplate.load(task.boilerplate)
    for begin in range(0, len(new), SPOOL_BATCH):  # so that little text is in memory at a time
        some = new[begin : begin + SPOOL_BATCH]
        file, row = task.url
        urls = task.spool.take(file[some], row[some], ["url"])["url"].to_pylist()
        places = ((file[some], row[some]) for file, row in (task.text, task.digest, task.title))
        texts, at = words_of(task.spool, *places), pa.array(some)
        signed = sign(
            task.article_id.take(at), texts, task.days.take(at), urls, boilerplate, [keys[n] for n in some.tolist()]
        )
        tables.append(signed)
    order = np.argsort(np.concatenate([np.flatnonzero(known.is_valid()), new]))  # where each article's row is now
    part = task.path.with_name(f"{task.path.name}.unfinished")
    write_signatures(pa.concat_tables(tables).take(pa.array(order)), part)
    task.path.with_suffix(".xxh3").write_text(checksum(part), encoding="ascii")
    part.rename(task.path)
    del tables
    release_memory()
    return len(task.article_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTask:
    """Leave the shingles of articles in `path`, for the list of boilerplate; places as in `SignTask`."""

    path: Path
    spool: Spool
    text: tuple[np.ndarray, np.ndarray]
    digest: tuple[np.ndarray, np.ndarray]
    title: tuple[np.ndarray, np.ndarray]


def sample_articles(task: SampleTask) -> Spilled:
    """Spill the shingles of the articles of a task."""
    from ..near_duplicates.clusters import spill

    batches = (slice(begin, begin + SPOOL_BATCH) for begin in range(0, len(task.text[0]), SPOOL_BATCH))
    texts = (
        words_of(task.spool, *((file[some], row[some]) for file, row in (task.text, task.digest, task.title)))
        for some in batches
    )
    spilled = spill(texts, task.path)
    release_memory()
    return spilled


def find_signed(path: Path) -> bool:
    """Whether the signatures at `path` are there, as they were written."""
    try:
        return path.with_suffix(".xxh3").read_text(encoding="ascii") == checksum(path)
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
