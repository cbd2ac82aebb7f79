"""Stage list: which files the archive holds, which of them are posts, and the hash of each post.

The store keeps path, stamp and hash of every post that was read. A file with the same stamp is not read again. If a whole
listing is the same as the one of the last build, no hash is even looked up: its digest is one of the facts in
`last-build.json`.
"""

from __future__ import annotations

import hashlib
import secrets
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...arrow_files import join_tables, strings_of, values_of
from ...errors import MachineError
from ...graph.engine import Engine, Stage
from ...graph.task import Bench, Task, TaskFunction, key_of
from ...near_duplicates.signatures import DEDUP_VERSION
from ...parsing.site import read_site
from ...schema import SCHEMA_VERSION, Reject, Site
from ...sources.files import FILES_AT_ONCE
from ...sources.listing_ahead import ListingAhead
from ...sources.source import Files, Listing, Source, list_files, read_file, read_files
from ...storage.shards import digest_table
from ..base import Base
from ..known_files import KnownFiles, known_hashes, read_known_files, settled, write_known_files
from ..posts_found import PostsFound, find_posts
from ..request import Request, Settings
from .versions import stage_of

__all__ = [
    "TASKS",
    "Listed",
    "describe_card",
    "describe_site",
    "digest_listing",
    "digest_source",
    "is_unchanged",
    "list_source",
]

_CHUNK_BYTES = 3 * 2**19
"""Bytes of files that are hashed by one call in a worker."""
_LINES = 10_000  # lines of the source's digest that are in memory at once
_PLACE = "list"

_HASH = pa.large_string()
_LINE = pa.schema([("path", pa.string()), ("read", pa.string())])  # of the source's digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the archive holds.

    Attributes:
        source: the opened archive.
        site: what `_config.yml` says about posts.
        config_notes: notes about `_config.yml`, for the manifest.
        files_seen: the number of files, ignored ones included.
        listing: from `digest_listing`.
        posts: the files that are posts; None if the last build saw the same listing, so that nothing can have changed.
        hashes: SHA-256 of each file of `posts`, in order, hexadecimal; null for one that cannot be read. large_string.
        unreadable: path -> reject of each file of `posts` that cannot be read.
        described: `files`, `bytes` and `digest` of the source, for the manifest.
        all_settled: whether no file of `posts` can change without a new stamp; see `known_files`.
    """

    source: Source
    site: Site
    config_notes: tuple[str, ...]
    files_seen: int
    listing: str
    posts: PostsFound | None
    hashes: pa.LargeStringArray
    unreadable: Mapping[str, Reject]
    described: Mapping[str, Any]
    all_settled: bool

    @property
    def facts(self) -> dict[str, str]:
        """What the next build needs to see that nothing changed. Empty if a stamp could hide a change."""
        return {"listing": self.listing, "source": self.described["digest"]} if self.all_settled else {}

    def without_files(self) -> Listed:
        """The same without its files and their hashes, which are needed no longer once all posts are parsed.

        Of a git source the files stay: their origins are written later.
        """
        posts = self.posts
        if posts and self.source.kind != "git":
            posts = replace(posts, files=Files.of(()), plan=())
        return replace(self, posts=posts, hashes=pa.array([], _HASH))


def list_source(
    source: Source, request: Request, settings: Settings, base: Base, engine: Engine, ahead: ListingAhead | None = None
) -> Listed:
    """List the archive and hash the posts that are new or changed.

    Args:
        source: the opened archive.
        request, settings, base: of the build.
        engine: runs the hashing, and has the store.
        ahead: a listing that another process is making, or None.

    Raises:
        SourceError: the source cannot be listed, or no file of it belongs to a Jekyll site.
    """
    scratch = engine.store.folder
    with engine.stage("list") as stage:
        listing = list_files(source, ahead, scratch)
        config = read_file(source, "_config.yml")
        site, notes = read_site(config, drafts=settings.drafts)
        stage.counts.rows = len(listing.files) + len(listing.rejects)
        digest = digest_listing(listing, site, config, base.redacted, settings)
        listed = Listed(
            source=source,
            site=site,
            config_notes=notes,
            files_seen=stage.counts.rows,
            listing=digest,
            posts=None,
            hashes=pa.array([], _HASH),
            unreadable={},
            described=dict(base.manifest.source) if base.manifest else {},
            all_settled=True,
        )
        # The last build noted the listing of the base.
        if _may_stay(request, settings, base, site) and engine.last.facts == listed.facts:
            stage.count_task(ran=False)
            return listed
        posts, listed_at = find_posts(listing, site, base, request, scratch), listing.listed_at
        del listing  # its temporary files are closed now
        files = posts.files
        known = _known_files(digest, engine)
        hashed = _hash_files(source, files, known, stage)
        mask = _settled(files, hashed, listed_at)
        _store_known(digest, KnownFiles(files=files, hashes=hashed.hashes, settled=mask), engine)
        stage.advance(stage.counts.rows)
    return replace(
        listed,
        posts=posts,
        hashes=hashed.hashes,
        unreadable=hashed.unreadable,
        described=digest_source(posts, hashed.hashes, config),
        all_settled=pc.all(mask).as_py() is not False,
    )


def _may_stay(request: Request, settings: Settings, base: Base, site: Site) -> bool:
    """Whether a build would make the base again if the files are the same."""
    manifest, folder = base.manifest, base.folder
    return (
        manifest is not None
        and folder is not None
        and not request.version
        and not request.again
        and not request.resplit
        and manifest.tools == settings.tools
        and manifest.configuration.get("dedup_version") == DEDUP_VERSION
        and manifest.schema_version == SCHEMA_VERSION
        and not settings.history  # the history may have changed though the files have not
        and not manifest.configuration.get("history")
        and manifest.configuration.get("site") == describe_site(site)
        and manifest.configuration.get("card") == describe_card(settings.card)
        and manifest.baselines == settings.baselines
        and folder.parent.resolve() == Path(request.out).resolve()
    )


def is_unchanged(listed: Listed, request: Request, settings: Settings, base: Base) -> bool:
    """Whether the files are the same as those of the base, and nothing else asks for a new version."""
    if base.manifest is None or not _may_stay(request, settings, base, listed.site):
        return False
    return listed.hashes.null_count == 0 and dict(listed.described) == dict(base.manifest.source)


def describe_site(site: Site) -> str:
    """A digest of what `_config.yml` says about posts, 16 hexadecimal digits. The manifest holds it."""
    return hashlib.sha256(repr(site).encode()).hexdigest()[:16]


def describe_card(card: str) -> str:
    """A digest of the curator's prose, 16 hexadecimal digits. The manifest holds it."""
    return hashlib.sha256(card.encode()).hexdigest()[:16]


def digest_listing(
    listing: Listing, site: Site, config: bytes | None, redacted: Mapping[str, str], settings: Settings
) -> str:
    """A digest of names and stamps, and of everything else that decides which files are posts, except the base.

    If two digests are equal, names and contents are equal, as far as stamps can tell.

    Args:
        listing: of the source.
        site: what `_config.yml` says.
        config: the bytes of `_config.yml`; None if there is none.
        redacted: see `Base.redacted`.
        settings: have the versions of tools, schema and parser.

    Returns:
        SHA-256, hexadecimal.
    """
    rejects = [(reject.path, reject.rule) for reject in listing.rejects]
    folders = sorted(listing.folders)
    about = (settings.made_by, site, config, sorted(redacted), rejects, folders, len(listing.files))
    digest = hashlib.sha256(repr(about).encode())
    for files in listing.files.parts():
        digest_table(pa.table({"path": files.path, "stamp": files.stamp}), digest)
    return digest.hexdigest()


def digest_source(posts: PostsFound, hashes: pa.LargeStringArray, config: bytes | None) -> dict[str, Any]:
    """The source as the manifest describes it.

    Args:
        posts: the files. A reject that cannot be listed counts as a file, with its rule in place of its hash.
        hashes: of each file of `posts`, in order; null for one that cannot be read.
        config: the bytes of `_config.yml`; None if there is none.

    Returns:
        The number of `files` that were read or rejected, the `bytes` of those that were read, and one `digest` (SHA-256) over
        all paths and hashes, in the order of the paths, and over `_config.yml`.
    """
    files = posts.files
    order = pc.sort_indices(files.path)
    rejects = sorted((reject.path, reject.rule) for reject in posts.rejects)
    digest = hashlib.sha256()
    begun = False
    for begin in range(0, max(len(order), 1), _LINES):
        at = order[begin : begin + _LINES]
        path, read = files.path.take(at).cast(pa.string()), hashes.take(at).cast(pa.string()).fill_null("None")
        last = begin + _LINES >= len(order)
        here = len(rejects) if last else bisect_right(rejects, path[-1].as_py(), key=lambda reject: reject[0])
        among = pa.Table.from_pylist([{"path": path, "read": rule} for path, rule in rejects[:here]], _LINE)
        del rejects[:here]
        some = pa.concat_tables([pa.table([path, read], schema=_LINE), among])
        some = some.sort_by([("path", "ascending"), ("read", "ascending")]).combine_chunks()
        lines = pc.binary_join_element_wise(some["path"], some["read"], "\0").combine_chunks()
        if len(lines):
            digest.update(b"\n" if begun else b"")
            digest.update(pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")[0].as_buffer())
            begun = True
    digest.update(hashlib.sha256(config or b"").digest())
    size = pc.sum(files.size.filter(hashes.is_valid())).as_py() or 0
    return {"files": len(files) + len(posts.rejects), "digest": digest.hexdigest(), "bytes": size}


# ------------------------------------------------------------------------------------------------------ hashing


class _Hashed(NamedTuple):
    """For each file its hash and whether it was known before; and path -> reject of each file that cannot be read."""

    hashes: pa.LargeStringArray
    was_known: np.ndarray
    unreadable: Mapping[str, Reject]


def _known_files(digest: str, engine: Engine) -> pa.Table:
    """The hashes that an earlier build stored for this listing, or else those that the last build used."""
    key = _known_key(digest)
    found = engine.store.find(key) or engine.seed_of(key, _PLACE)
    return read_known_files(found.files["files"].checked() if found else None)


def _store_known(digest: str, known: KnownFiles, engine: Engine) -> None:
    """Put the hashes into the store now, so that they are found again if this build is killed later."""
    key, bench = _known_key(digest), engine.store.begin()
    write_known_files(known, bench.file("files"))
    engine.store.commit(key, bench, {})
    engine.use(key, _PLACE)


def _known_key(digest: str) -> str:
    """The key of the hashes of a listing. They are no result of a task: what a folder holds follows from no input."""
    return key_of(stage_of("list"), (digest,))


def _hash_files(source: Source, files: Files, known: pa.Table, stage: Stage) -> _Hashed:
    """The hash of every file; only files whose hash is not known are read."""
    scratch = stage.engine.store.folder
    hashes = _on_disk((known_hashes(part, known).cast(_HASH) for part in files.parts()), scratch)
    was_known = hashes.is_valid().to_numpy(zero_copy_only=False)
    new = np.flatnonzero(~was_known).astype(np.int32)
    stage.count_task(ran=bool(len(new)))
    if not len(new):
        return _Hashed(hashes, was_known, {})
    unreadable: dict[str, Reject] = {}

    build = secrets.token_hex(16)
    source = replace(source, shared=False)  # another copy of the folder counts only where the times are the same, too
    chunks = [*_chunks(new, files)]
    tasks = [_hash_task(source, files, some, f"{build} {n}") for n, some in enumerate(chunks)]

    def found() -> Iterator[pa.LargeStringArray]:
        for some, done in zip(chunks, stage.run_anew(tasks), strict=True):
            facts = done.facts
            if stage.engine.elsewhere and facts["rejects"]:  # what another host cannot read, this one may have
                facts = _hashes(_Chunk(source=source, files=files.take(some)))
            unreadable.update((reject["path"], Reject(**reject)) for reject in facts["rejects"])
            yield pa.array(facts["hashes"], _HASH)

    read = _on_disk(found(), scratch)
    if len(read) != len(new):
        raise MachineError(f"the executor returned {len(read)} hashes of {len(new)} files")
    if len(new) < len(files):
        read = _on_disk(_filled(hashes, was_known, read), scratch)
    return _Hashed(read, was_known, unreadable)


def _on_disk(parts: Iterable[pa.LargeStringArray], scratch: Path) -> pa.LargeStringArray:
    """The hashes of all parts, one after the other, in a temporary file that is mapped into memory."""
    schema = pa.schema([("sha256", _HASH)])
    return values_of(join_tables((pa.table([part], schema=schema) for part in parts), schema, scratch), "sha256")


def _filled(
    hashes: pa.LargeStringArray, was_known: np.ndarray, read: pa.LargeStringArray
) -> Iterator[pa.LargeStringArray]:
    """The hashes, in parts, with those that were read in place of those that are missing."""
    done = 0
    for begin in range(0, len(hashes), FILES_AT_ONCE):
        some = slice(begin, begin + FILES_AT_ONCE)
        missing = ~was_known[some]
        count = int(missing.sum())
        yield pc.replace_with_mask(hashes[some], pa.array(missing), read[done : done + count])
        done += count


def _settled(files: Files, hashed: _Hashed, listed_at: int) -> pa.BooleanArray:
    """For each file whether it is settled; see `known_files.settled`."""
    parts = [pa.array([], pa.bool_())]
    begin = 0
    for part in files.parts():
        some = slice(begin, begin + len(part))
        hashes = strings_of(hashed.hashes[some])
        parts.append(settled(part, hashes, pa.array(hashed.was_known[some]), listed_at))
        begin += len(part)
    return pa.concat_arrays(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Some files to hash."""

    source: Source
    files: Files


def _chunks(new: np.ndarray, files: Files) -> Iterator[np.ndarray]:
    """The positions of new files, in chunks of about `_CHUNK_BYTES`."""
    ends = np.cumsum(files.size.to_numpy()[new])
    cuts = np.flatnonzero(np.diff(ends // _CHUNK_BYTES)) + 1
    return (some for some in np.split(new, cuts) if len(some))


def _hash_task(source: Source, files: Files, some: np.ndarray, name: str) -> Task:
    """The task that hashes the files at some positions. What a folder holds follows from no input, so nobody finds its result
    again: the name is of this build only."""
    return Task(
        stage=stage_of("hash"),
        inputs=(name,),
        function=_hash,
        data=lambda: _Chunk(source=source, files=files.take(some)),
        temporary=True,
    )


def _hash(chunk: _Chunk, bench: Bench) -> dict[str, Any]:
    return _hashes(chunk)


def _hashes(chunk: _Chunk) -> dict[str, Any]:
    """The SHA-256 of each file, hexadecimal; None, and a reject, for a file that cannot be read."""
    contents = [data for _, data in read_files(chunk.source, chunk.files)]
    return {
        "hashes": [None if isinstance(data, Reject) else hashlib.sha256(data).hexdigest() for data in contents],
        "rejects": [asdict(data) for data in contents if isinstance(data, Reject)],
    }


TASKS: Mapping[str, TaskFunction] = {"hash": _hash}
"""The functions of this stage's tasks, by kind."""
