"""Stage parse: posts are read into rows. There is one task for each planned shard of posts; small shards share a task.

The artifact of a task has these files: `posts-0`, `posts-1`, …, its finished shards of the config `posts`; `spool`, from which
rows of articles are gathered; and `keys`, what merging needs to know. Its seed is the artifact that the last build made of
the same shards: the rows of files that did not change are copied from there.
"""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...arrow_files import strings_of
from ...curation.merge import FEEDS, KEYS
from ...errors import MachineError, SourceError
from ...graph.engine import Engine
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from ...parsing.post import article_id, parse_bytes
from ...schema import Post, Reject, Site, table_schema
from ...sources.source import Files, Source, SourceFile, read_files
from ...storage.rows import PostTables, rows_of_posts, spool_schema
from ...storage.shards import ROW_GROUP, Written, digest_table, read_shard, shard_schema, write_shard, write_slices
from ...storage.spool import SPOOL_BATCH
from ..base import Base
from ..pieces import Piece, piece_of
from ..posts_found import PostsFound, count_unread
from ..request import Settings
from ..shard_plan import PostShard, in_tasks
from .list import Listed
from .versions import stage_of

__all__ = ["TASKS", "Parsed", "parse_posts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """All posts, read.

    Attributes:
        pieces: the finished shards of posts that have rows.
        places: for each task the path of its first shard.
        artifacts: the result of each task.
        spool: the spool file of each task. Their positions are the file numbers in places; see `storage.spool`.
        rejects: every file that should be a post and cannot be read, in the order of the paths.
        unread: the number of posts of the base in folders that are links now or cannot be read, see `posts_found.count_unread`.
        redacted: the number of files that were left out because their content was redacted.
        rows_before: for each task the number of posts in the tasks before it; at the end the number of all posts.
    """

    pieces: Sequence[Piece]
    places: Sequence[str]
    artifacts: Sequence[Artifact]
    spool: Sequence[StoredFile]
    rejects: Sequence[Reject]
    unread: int
    redacted: int
    rows_before: np.ndarray

    @property
    def posts(self) -> int:
        """The number of posts."""
        return int(self.rows_before[-1])

    def counts(self, name: str) -> Counter[str]:
        """The number of posts by issue code (`name` is "issues") or by feed ("feeds")."""
        total: Counter[str] = Counter()
        for artifact in self.artifacts:
            total.update(artifact.facts[name])
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class _ParseData:
    """What a parse task needs.

    Attributes:
        source, files: the files to read.
        sizes: how many of them are in each shard.
        hashes: SHA-256 of each; null for one that cannot be read.
        unreadable: path -> reject of each file that cannot be read.
        site: what `_config.yml` says.
        ids: path -> article id of files that would otherwise share an id with another post.
        refused: hashes of contents that were redacted: a file with one is neither post nor reject.
        circumstances: a digest of everything that decides a row, except the file. A seed with other circumstances is
            not used.
    """

    source: Source
    files: Files
    sizes: Sequence[int]
    hashes: pa.StringArray
    unreadable: Mapping[str, Reject]
    site: Site
    ids: Mapping[str, str]
    refused: frozenset[str]
    circumstances: str


def parse_posts(listed: Listed, settings: Settings, base: Base, engine: Engine) -> Parsed:
    """Read all posts.

    Raises:
        SourceError: a file changed since it was hashed.
        MachineError: the machine ran out of memory.
    """
    found = listed.posts
    assert found is not None
    circumstances = hashlib.sha256(repr((settings.made_by, KEYS.names, listed.site)).encode()).hexdigest()
    plan = in_tasks(found.plan)
    ends = accumulate(sum(len(shard.files) for shard in shards) for shards in plan)
    common = _Common(listed, found, base.refused, circumstances)
    tasks = [_task(shards, listed.hashes, end, common) for shards, end in zip(plan, ends, strict=True)]
    with engine.stage("parse", len(listed.hashes)) as stage:
        artifacts = stage.run(tasks)
    rejects = [*found.rejects, *(Reject(**reject) for done in artifacts for reject in done.facts["rejects"])]
    rows = [sum(written["rows"] for written in done.facts["written"].values()) for done in artifacts]
    pieces = (
        piece_of(artifact, f"posts-{number}", shard.path, "posts", shard.start)
        for artifact, shards in zip(artifacts, plan, strict=True)
        for number, shard in enumerate(shards)
    )
    return Parsed(
        pieces=[piece for piece in pieces if piece.written.rows],
        places=[shards[0].path for shards in plan],
        artifacts=artifacts,
        spool=[done.files["spool"] for done in artifacts],
        rejects=sorted(rejects, key=lambda reject: reject.path),
        unread=count_unread(found, listed.hashes, base),
        redacted=sum(done.facts["redacted"] for done in artifacts),
        rows_before=np.cumsum([0, *rows]),
    )


class _Common(NamedTuple):
    """What all parse tasks of a build have in common."""

    listed: Listed
    found: PostsFound
    refused: frozenset[str]
    circumstances: str


def _task(shards: Sequence[PostShard], all_hashes: pa.LargeStringArray, end: int, common: _Common) -> Task:
    """The task of some shards of posts, whose hashes end at the position `end` of all hashes.

    What it needs is gathered to name it, and gathered again when it runs: all tasks together would need it for every post.
    """
    data = _data(shards, all_hashes, end, common)
    digest = hashlib.sha256(repr(data.sizes).encode())
    digest_table(pa.table({"path": data.files.path, "sha256": data.hashes}), digest)
    ids, refused, unreadable = sorted(data.ids.items()), sorted(data.refused), data.unreadable
    return Task(
        stage=stage_of("parse"),
        inputs=(common.circumstances, repr(ids), repr(refused), repr(unreadable), digest.hexdigest()),
        function=_parse,
        data=lambda: _data(shards, all_hashes, end, common),
        place=f"parse {shards[0].path}",
        rows=len(data.hashes),
    )


def _data(shards: Sequence[PostShard], all_hashes: pa.LargeStringArray, end: int, common: _Common) -> _ParseData:
    """What the task of some shards needs; arguments as for `_task`."""
    files = Files.joined(shard.files for shard in shards)
    hashes = strings_of(all_hashes[end - len(files) : end])  # a slice would be sent to a worker with the whole array
    own_ids, unread = common.found.own_ids, files.path.filter(hashes.is_null()).to_pylist()
    return _ParseData(
        source=common.listed.source,
        files=files,
        sizes=[len(shard.files) for shard in shards],
        hashes=hashes,
        unreadable={path: common.listed.unreadable[path] for path in unread},
        site=common.listed.site,
        ids={path: own_ids[path] for path in files.path.to_pylist() if path in own_ids} if own_ids else {},
        refused=common.refused.intersection(hashes.to_pylist()) if common.refused else frozenset(),
        circumstances=common.circumstances,
    )


# ------------------------------------------------------------------------------------------------------ the task


def _parse(data: _ParseData, bench: Bench) -> dict[str, Any]:
    rejects: list[Reject] = []
    written, keys, issues = _write(_rows(data, bench.seed, rejects.append), data, bench)
    feeds = Counter(FEEDS[number] for number in keys["feed"].to_pylist())
    redacted = sum(sha256 in data.refused for sha256 in data.hashes.to_pylist()) if data.refused else 0
    return {
        "circumstances": data.circumstances,
        "written": {name: one._asdict() for name, one in written.items()},
        "rejects": [asdict(reject) for reject in sorted(rejects, key=lambda reject: reject.path)],
        "redacted": redacted,
        "issues": dict(sorted(issues.items())),
        "feeds": dict(sorted(feeds.items())),
    }


class _Entry(NamedTuple):
    """A file of the task, its hash, and its row in the seed (None if it must be read)."""

    file: SourceFile
    sha256: str
    row: int | None


def _rows(data: _ParseData, artifact: Artifact | None, reject: Callable[[Reject], None]) -> Iterator[PostTables]:
    """The posts of the task, in the order of the files: read, or copied from the seed. `reject` is called for each reject."""
    seed = _open_seed(data, artifact)
    entries = []
    for file, sha256 in zip(data.files, data.hashes.to_pylist(), strict=True):
        if sha256 is None:
            reject(data.unreadable[file.path])
        elif sha256 in data.refused:
            continue
        elif old := seed.rejects.get((file.path, sha256)):
            reject(old)
        else:
            entries.append(_Entry(file, sha256, seed.row_of.get((file.path, sha256))))
    contents = read_files(data.source, [entry.file for entry in entries if entry.row is None])
    for is_known, group in groupby(entries, key=lambda entry: entry.row is not None):
        if is_known and seed.tables:
            yield seed.tables.take([entry.row for entry in group if entry.row is not None])
            continue
        posts: list[Post] = []
        for entry in group:
            found = _read(entry, next(contents)[1], data)
            if isinstance(found, Reject):
                reject(found)
            else:
                posts.append(found)
            if len(posts) == SPOOL_BATCH:
                yield rows_of_posts(posts, data.site.timezone)
                posts = []
        if posts:
            yield rows_of_posts(posts, data.site.timezone)


def _read(entry: _Entry, content: bytes | Reject, data: _ParseData) -> Post | Reject:
    """Parse the content of a file, after it was compared with the hash of stage list."""
    path = entry.file.path
    if isinstance(content, Reject) or hashlib.sha256(content).hexdigest() != entry.sha256:
        if data.source.shared:
            raise SourceError(
                f"on the host {platform.node()}, this file is missing or has another content than where it was listed",
                path=path,
                hint="copy the archive to every host again, and write nothing to it during the build",
            )
        raise SourceError(
            "this file changed while the build was reading the archive",
            path=path,
            hint="run the same command again when nothing writes to the archive",
        )
    try:
        return parse_bytes(path, content, data.site, entry.sha256, data.ids.get(path))
    except MemoryError as error:  # not a reject: the post is fine
        raise MachineError(
            "the machine ran out of memory while it read this file", path=path, hint="try --num-proc 1"
        ) from error


class _Seed(NamedTuple):
    """What can be copied from an earlier artifact: its rows, the row of each post, and rejects; both by (path, hash)."""

    tables: PostTables | None
    row_of: Mapping[tuple[str, str], int]
    rejects: Mapping[tuple[str, str], Reject]


def _open_seed(data: _ParseData, artifact: Artifact | None) -> _Seed:
    """What can be copied from an earlier artifact; nothing if it was made under other circumstances."""
    if artifact is None or artifact.facts["circumstances"] != data.circumstances:
        return _Seed(None, {}, {})
    file = {name: stored.checked() for name, stored in artifact.files.items()}
    schema = table_schema("posts", data.site.timezone)
    posts = [rows for name in artifact.facts["written"] for rows in read_shard(file[name])]
    tables = PostTables(
        posts=pa.concat_tables(posts).cast(schema) if posts else schema.empty_table(),
        spool=_read_table(file["spool"]),
        keys=_read_table(file["keys"]),
    )
    paths, hashes, ids = (tables.keys[name].to_pylist() for name in ("path", "sha256", "article_id"))
    row_of = {
        (path, sha256): row
        for row, (path, sha256, own) in enumerate(zip(paths, hashes, ids, strict=True))
        if own == data.ids.get(path, article_id(path))  # its id changes if another file takes the id, or frees it
    }
    rejects = (Reject(**reject) for reject in artifact.facts["rejects"])
    return _Seed(tables, row_of, {(one.path, one.sha256): one for one in rejects if one.sha256 is not None})


def _read_table(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def _write(
    runs: Iterator[PostTables], data: _ParseData, bench: Bench
) -> tuple[dict[str, Written], pa.Table, Counter[str]]:
    """Write the files of the artifact.

    Returns:
        What was written to each shard, by the name of its file; the keys; and the number of posts by issue code.
    """
    timezone = data.site.timezone
    issues: Counter[str] = Counter()
    keys: list[pa.Table] = [KEYS.empty_table()]
    lz4 = pa.ipc.IpcWriteOptions(compression="lz4")

    def row_groups(spool: pa.RecordBatchFileWriter) -> Iterator[pa.Table]:
        """The rows of the shards, in tables of one row group each. The rows of the spool are written on the way."""
        to_spool: list[pa.Table] = []
        waiting: list[pa.Table] = []
        for run in runs:
            issues.update(pc.list_flatten(run.posts["issues"]).to_pylist())
            keys.append(run.keys)
            to_spool.append(run.spool)
            waiting.append(run.posts)
            for batch in _take_full(to_spool, SPOOL_BATCH):
                spool.write_table(batch)
            yield from _take_full(waiting, ROW_GROUP)
        for batch in _take_full(to_spool, SPOOL_BATCH, last=True):
            spool.write_table(batch)
        yield from _take_full(waiting, ROW_GROUP, last=True)

    with (
        pa.OSFile(str(bench.file("spool")), "wb") as file,
        pa.ipc.new_file(file, spool_schema(timezone), options=lz4) as spool,
    ):
        tables = row_groups(spool)
        schema = shard_schema("posts", timezone)
        names = [f"posts-{number}" for number in range(len(data.sizes))]
        paths = [bench.file(name) for name in names]
        if len(paths) == 1:
            written = [write_shard(paths[0], tables, "posts", schema)]
        else:
            posts = pa.concat_tables([schema.remove_metadata().empty_table(), *tables])
            written = write_slices(paths, posts, _ends(keys, data), "posts", schema)
    table = pa.concat_tables(keys).combine_chunks()
    with pa.OSFile(str(bench.file("keys")), "wb") as file, pa.ipc.new_file(file, KEYS, options=lz4) as writer:
        writer.write_table(table)
    return dict(zip(names, written, strict=True)), table, issues


def _ends(keys: Sequence[pa.Table], data: _ParseData) -> list[int]:
    """For each shard the position after its last post, among the posts of the task."""
    paths = pa.concat_tables([table.select(["path"]) for table in keys])["path"].combine_chunks()
    files = pc.index_in(paths, value_set=data.files.path).to_numpy()  # rejects have no row
    ends: list[int] = np.searchsorted(files, np.cumsum(data.sizes)).tolist()
    return ends


def _take_full(waiting: list[pa.Table], size: int, *, last: bool = False) -> Iterator[pa.Table]:
    """Take tables of `size` rows from the front of the rows that wait; with `last` the rest, too, which may be fewer rows."""
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


TASKS: Mapping[str, TaskFunction] = {"parse": _parse}
"""The functions of this stage's tasks, by kind."""
