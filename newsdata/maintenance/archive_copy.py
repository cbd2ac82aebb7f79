"""A copy of an archive, compared with what a version was made from: which files are there as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..building.stages.list import describe_site
from ..errors import RehydrateError, SourceError
from ..graph.executors.local import InProcess, WorkerPool
from ..parsing.site import read_site
from ..schema import Reject, Site
from ..sources.source import Files, Source, list_files, open_source, read_file, read_files
from ..storage.manifest import Manifest, shards_of
from ..storage.reading import read_shard_of

__all__ = ["ArchiveCopy", "Missing", "compare_archive", "read_same"]

_HASHED_AT_ONCE = 1000  # files

_NAMED = pa.schema([("path", pa.string()), ("sha256", pa.string()), ("article_id", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A file that a version was made from and that a copy of the archive does not have as it was.

    Attributes:
        path: relative to the archive, with `/`.
        reason: "missing", "changed" or "cannot be read".
        article_id: the article that it is a post of; None if it is a reject.
    """

    path: str
    reason: str
    article_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveCopy:
    """What a copy of the archive has of a version.

    Attributes:
        source, site: the opened copy, and what its `_config.yml` says.
        files: the files that are there as they were.
        posts: the posts all of whose articles' posts are there: `path`, `sha256` and `article_id`.
        rejects: path -> reject of files that cannot be listed, now as then.
        missing: all other files of the version, by path.
    """

    source: Source
    site: Site
    files: Files
    posts: pa.Table
    rejects: Mapping[str, Reject]
    missing: tuple[Missing, ...]


def compare_archive(
    folder: Path, manifest: Manifest, archive: str | Path, *, scratch: Path, executor: InProcess | WorkerPool
) -> ArchiveCopy:
    """Compare every file that a version names with a copy of the archive.

    Args:
        folder, manifest: of the version.
        archive: anything that `newsdata.build` reads.
        scratch: a folder to unpack into.
        executor: hashes the files.

    Raises:
        RehydrateError: `_config.yml` says something else about posts, so every row could differ.
        SourceError: the archive cannot be opened.
    """
    source = open_source(archive, scratch=scratch)
    site, _ = read_site(read_file(source, "_config.yml"), drafts=bool(manifest.configuration["drafts"]))
    if describe_site(site) != manifest.configuration["site"]:
        raise RehydrateError(
            "_config.yml: what it says about posts has changed, so any row may differ",
            path=archive,
            faults=("_config.yml: what it says about posts has changed",),
            hint="use the _config.yml of the archive as it was then",
        )
    posts = _named(folder, manifest, "posts")
    named = pa.concat_tables([posts, _named(folder, manifest, "rejects")])
    listing = list_files(source)
    files = listing.files.take(np.flatnonzero(pc.is_in(listing.files.path, value_set=_one(named["path"]))))
    hashes = _hashes(source, files, executor)
    unlisted = {reject.path: reject for reject in listing.rejects}
    missing = sorted(_missing(named, hashes, unlisted), key=lambda one: one.path)
    lost = pa.array(sorted({one.article_id for one in missing if one.article_id is not None}), pa.string())
    gone = pa.array([one.path for one in missing], pa.string())
    return ArchiveCopy(
        source=source,
        site=site,
        files=files.take(np.flatnonzero(pc.invert(pc.is_in(files.path, value_set=gone)))),
        posts=posts.filter(pc.invert(pc.is_in(posts["article_id"], value_set=lost))),
        rejects=unlisted,
        missing=tuple(missing),
    )


def read_same(source: Source, files: Files, hashes: Mapping[str, str]) -> dict[str, bytes]:
    """Path -> content of some files, which must still have the hashes that they had when they were compared.

    Raises:
        SourceError: a file has changed since.
    """
    found = {}
    for file, data in read_files(source, files):
        if isinstance(data, Reject) or hashlib.sha256(data).hexdigest() != hashes[file.path]:
            raise SourceError(
                "this file changed while it was read",
                path=file.path,
                hint="run the same command again when nothing writes to the archive",
            )
        found[file.path] = data
    return found


def _named(folder: Path, manifest: Manifest, config: str) -> pa.Table:
    """The files that a config of a version names."""
    columns = ["path", "sha256", *(["article_id"] if config == "posts" else [])]
    tables = [table for shard in shards_of(manifest, config) for table in read_shard_of(folder, shard, columns)]
    whole = pa.concat_tables([*tables, _NAMED.empty_table()], promote_options="default")
    return whole.select(_NAMED.names).cast(_NAMED)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


def _missing(named: pa.Table, hashes: Mapping[str, str | None], unlisted: Mapping[str, Reject]) -> Iterator[Missing]:
    """Every named file that is not there as it was."""
    for path, sha256, article in zip(*(named[name].to_pylist() for name in _NAMED.names), strict=True):
        if path in unlisted:
            reason = None if sha256 is None else "cannot be read"
        elif path not in hashes:
            reason = "missing"
        elif hashes[path] is None:
            reason = "cannot be read"
        else:
            reason = None if hashes[path] == sha256 else "changed"
        if reason is not None:
            yield Missing(path=path, reason=reason, article_id=article)


def _hashes(source: Source, files: Files, executor: InProcess | WorkerPool) -> dict[str, str | None]:
    """Path -> SHA-256 of each file; None for one that cannot be read."""
    chunks = [
        (source, files.take(np.arange(begin, min(begin + _HASHED_AT_ONCE, len(files)))))
        for begin in range(0, len(files), _HASHED_AT_ONCE)
    ]
    found: Iterable[Sequence[str | None]] = executor.run(_hash, chunks)
    return dict(zip(files.path.to_pylist(), (one for some in found for one in some), strict=True))


def _hash(chunk: tuple[Source, Files]) -> list[str | None]:
    source, files = chunk
    return [
        None if isinstance(data, Reject) else hashlib.sha256(data).hexdigest() for _, data in read_files(source, files)
    ]
