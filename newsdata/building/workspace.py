"""The folder `OUT/.newsdata`: the lock, the unfinished version, and what earlier builds read already.

Nothing in it is trusted: every cached byte is checked against its checksum before it is used, and a damaged cache is
rebuilt. Checksums are of XXH3, which tells damage as well as SHA-256 does and takes a tenth of its time; they are no
guard against somebody who may write here, who could write them, too. Nothing in it ends in `.parquet`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from ..errors import MachineError
from ..sources.source import Files
from ..storage.shards import Written

__all__ = ["WORK", "CachedShard", "Workspace", "checksum", "damaged_indexes", "locked", "open_workspace"]

WORK = ".newsdata"

_RACY = 2_000_000_000  # ns: a file touched this shortly before it was listed may change again under the same stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedShard:
    """A shard of articles that an earlier build wrote: `key` names everything that its rows depend on."""

    key: str
    written: Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Folders to work in: `staging` is empty at first and removed at the end, `cache` stays."""

    staging: Path
    cache: Path


def checksum(path: Path) -> str:
    """The XXH3 of a file's bytes, 128 bits in hexadecimal digits."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()


@contextmanager
def locked(out: Path, name: str = "lock", holder: str = "build") -> Iterator[None]:
    """Hold a lock of the folder of versions, which is made when it is not there.

    Args:
        out: the folder of versions.
        name: of the lock, a file in `out/.newsdata`.
        holder: what holds it, for the message.

    Raises:
        MachineError: `out` is a file, its work folder is a link, or another one holds the lock.
    """
    from filelock import FileLock, Timeout

    if out.exists() and not out.is_dir():
        raise MachineError("is a file", path=out, hint="name a folder to write versions to")
    for inside in (WORK, f"{WORK}/{name}", f"{WORK}/cache"):
        if (out / inside).is_symlink():  # it would lead what is written out of the folder
            raise MachineError("is a link", path=out / inside, hint="remove it; a build makes its own")
    (out / WORK).mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(out / WORK / name).acquire(timeout=0)
    except Timeout:
        hint = "wait for it to end, then run this again"
        raise MachineError(f"another {holder} is at work here", path=out, hint=hint) from None
    with held:
        yield


@contextmanager
def open_workspace(out: Path, *, cache: bool) -> Iterator[Workspace]:
    """Hold the lock of `out` and give its workspace.

    Args:
        out: the folder of versions; it is made when it is not there.
        cache: whether what earlier builds left may be used; if not, this build's cache is thrown away, too.

    Raises:
        MachineError: as for `locked`.
    """
    with locked(out):
        staging = out / WORK / "staging"
        shutil.rmtree(staging, ignore_errors=True)  # what a killed build left
        staging.mkdir()
        kept = out / WORK / "cache" if cache else staging / "cache"
        kept.mkdir(exist_ok=True)
        for left in kept.glob("*.unfinished*"):
            left.unlink(missing_ok=True)
        try:
            yield Workspace(staging=staging, cache=kept)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


# ------------------------------------------------------------------------------------------------ known files

_INDEX = "files.index"  # a checksum and what it is of, a line each; an Arrow stream; the checksum of all that
_DIGITS = 32
_HEAD_BYTES = 1000
_NOTED = 50_000  # files that are written down at once
_BY_HASH = "sha256:"  # how a stamp begins that names the content itself
_INDEX_SCHEMA = pa.schema([("path", pa.string()), ("stamp", pa.string()), ("sha256", pa.string())])


def read_listed(workspace: Workspace) -> tuple[str, str]:
    """The listing that the last build saw, as `digest_listing` names it, and what `describe_source` made of it.

    Both are "" where that is not known, or a file of the listing may have changed under the same stamp.
    """
    try:
        with (workspace.cache / _INDEX).open("rb") as file:
            digest, said = file.readline(_HEAD_BYTES).rstrip(), file.readline(_HEAD_BYTES).rstrip()
        listing, source = json.loads(said) if digest == _sum(said) else ("", "")
    except (OSError, ValueError):  # missing, or of another version of newsdata
        return "", ""
    return listing, source


def read_known(workspace: Workspace) -> pa.Table:
    """Path, stamp and SHA-256 of the files that the last build read; no rows where that is missing or damaged."""
    try:
        index = _read_whole(workspace.cache / _INDEX)
        for _ in range(2):  # what `read_listed` reads
            index.readline()
        with pa.ipc.open_stream(index) as reader:
            return reader.read_all().select(_INDEX_SCHEMA.names).combine_chunks()
    except (OSError, KeyError, ValueError):  # missing, damaged, or of another version of newsdata
        return _INDEX_SCHEMA.empty_table()


def known_hashes(files: Files, known: pa.Table) -> pa.StringArray:
    """The hash of each file that has not changed since it was read, as far as its stamp can tell; else null.

    Args:
        files: of a listing.
        known: from `read_known`.
    """
    by_hash = pc.starts_with(files.stamp, _BY_HASH)
    named = pa.nulls(len(files), pa.string())
    if by_hash.true_count:
        named = pc.if_else(by_hash, pc.replace_substring_regex(files.stamp, f"^{_BY_HASH}", ""), None)
    if not known.num_rows:
        return named
    path, stamp, sha256 = (column.chunk(0) for column in known.columns)
    at = pc.index_in(files.path, value_set=path)
    same = pc.equal(stamp.take(at), files.stamp).fill_null(False)
    return pc.if_else(same, sha256.take(at), named)


def _read_whole(index: Path) -> io.BytesIO:
    """The index; a `ValueError` where it is not as it was written."""
    data = index.read_bytes()
    if _sum(memoryview(data)[:-_DIGITS]) != data[-_DIGITS:]:
        raise ValueError("it is damaged")
    return io.BytesIO(data)


def _sum(data: bytes | memoryview) -> bytes:
    return xxhash.xxh3_128_hexdigest(data).encode()


def write_known(
    workspace: Workspace,
    files: Files,
    hashes: pa.StringArray,
    known: pa.BooleanArray,
    listed_at: int,
    listing: str,
    source: str,
) -> None:
    """Write down what is known of the files that were read; `keep_known` makes it what the next build sees.

    A file that was touched shortly before it was listed, or since, is left out: it could change again without a new
    stamp (git calls such an entry racily clean).

    Args:
        known: which hashes were known before, by a stamp that has not changed since.
        listed_at: see `Listing`.
        listing, source: see `read_listed`.
    """
    rows = pa.Table.from_arrays([files.path, files.stamp, hashes], schema=_INDEX_SCHEMA)
    begins = range(0, len(rows), _NOTED)
    settled = [
        _settled(some, known.slice(begin, _NOTED), listed_at - _RACY)
        for begin, some in zip(begins, rows.to_batches(max_chunksize=_NOTED), strict=True)
    ]
    said = json.dumps([listing, source] if all(pc.all(mask).as_py() is not False for mask in settled) else ["", ""])
    part = workspace.cache / f"{_INDEX}.unfinished"
    with part.open("wb") as file:
        file.write(b"%s\n%s\n" % (_sum(said.encode()), said.encode()))
        with pa.ipc.new_stream(file, _INDEX_SCHEMA, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            for some, mask in zip(rows.to_batches(max_chunksize=_NOTED), settled, strict=True):
                writer.write_batch(some.filter(mask))
    digest = checksum(part)
    with part.open("ab") as end:
        end.write(digest.encode())


def keep_known(workspace: Workspace) -> None:
    """Let the next build see what `write_known` wrote."""
    part = workspace.cache / f"{_INDEX}.unfinished"
    part.replace(workspace.cache / _INDEX)


def _settled(files: pa.RecordBatch, known: pa.BooleanArray, border: int) -> pa.BooleanArray:
    """Which files were read, and were `known` or last touched before `border` (ns since 1970) or are named by content."""
    rest = files.filter(pc.invert(known))
    times = pc.extract_regex(rest["stamp"], r"^(?P<modified>-?\d+):(?P<changed>-?\d+):")
    # As floats: whole numbers end in the year 2262, and a file may be dated later.
    late = pc.or_(*(pc.greater_equal(pc.struct_field(times, [n]).cast(pa.float64()), float(border)) for n in (0, 1)))
    named = pc.and_(rest["sha256"].is_valid(), pc.not_equal(rest["stamp"], ""))
    return pc.replace_with_mask(known, pc.invert(known), pc.and_(named, pc.fill_null(pc.invert(late), True)))


# ------------------------------------------------------------------------------------------- shards of articles


def _digest_json(data: object) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def read_cached_shards(workspace: Workspace) -> dict[str, CachedShard]:
    """Shards of articles of the newest version, by path, and what their rows depend on."""
    try:
        shards = _read_index(workspace)["shards"]
        return {path: CachedShard(key=s["key"], written=Written(**s["written"])) for path, s in shards.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def read_cached_tasks(workspace: Workspace) -> dict[str, str]:
    """The task that made each shard of posts of the newest version, by the path of the shard."""
    return _read_names(workspace, "tasks")


def read_cached_signatures(workspace: Workspace) -> dict[str, Path]:
    """The signatures of the articles whose texts are in a shard of posts of the newest version, by its path."""
    names = _read_names(workspace, "signatures")
    return {path: workspace.cache / f"{name}.signatures" for path, name in names.items()}


def _read_names(workspace: Workspace, kind: str) -> dict[str, str]:
    try:
        names = _read_index(workspace)[kind].items()
        return {str(path): name for path, name in names if _NAME.fullmatch(name)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _read_index(workspace: Workspace) -> Any:
    data: Any = json.loads((workspace.cache / "shards.json").read_text(encoding="utf-8"))
    return data["index"] if data["digest"] == _digest_json(data["index"]) else {}


def damaged_indexes(cache: Path) -> list[str]:
    """Indexes of a cache that are there and not as they were written."""
    workspace = Workspace(staging=cache, cache=cache)
    damaged = []
    try:
        _read_whole(cache / _INDEX)
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        damaged.append(_INDEX)
    try:
        whole = bool(_read_index(workspace))
    except FileNotFoundError:
        whole = True
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    return damaged if whole else [*damaged, "shards.json"]


def write_cached_shards(
    workspace: Workspace, shards: Mapping[str, CachedShard], tasks: Mapping[str, str], signatures: Mapping[str, str]
) -> None:
    """Remember the shards of articles, and by the path of each shard of posts the names of its task and signatures."""
    part = workspace.cache / "shards.json.unfinished"
    index = {
        "shards": {path: asdict(s) for path, s in shards.items()},
        "tasks": dict(tasks),
        "signatures": dict(signatures),
    }
    part.write_text(json.dumps({"digest": _digest_json(index), "index": index}), encoding="utf-8")
    part.replace(workspace.cache / "shards.json")


_NAME = re.compile("[0-9a-f]{40}")


def drop_unused(workspace: Workspace, names: set[str]) -> None:
    """Remove what was parsed for posts that are no longer in the source; `names` are the tasks in use."""
    for file in os.scandir(workspace.cache):
        stem, _, ending = file.name.partition(".")
        if ending in ("posts", "spool", "keys", "json", "signatures", "xxh3") and len(stem) == 40 and stem not in names:
            Path(file.path).unlink(missing_ok=True)
