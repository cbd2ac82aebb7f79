"""The folder `OUT/.newsdata`: the lock, the unfinished version, and what earlier builds read already.

Nothing in it is trusted: every cached byte is checked against its hash before it is used, and a damaged cache is
rebuilt. Nothing in it ends in `.parquet`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from .errors import MachineError
from .packaging.shards import Written
from .reading.sources import SourceFile

__all__ = ["WORK", "CachedShard", "KnownFiles", "Workspace", "open_workspace"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFiles:
    """Files that earlier builds read: path -> (stamp, SHA-256 or None)."""

    hashes: Mapping[str, tuple[str, str]]

    def sha256(self, file: SourceFile) -> str | None:
        """The hash of a file that has not changed since it was read, as far as its stamp can tell; else None."""
        if file.stamp.startswith("sha256:"):
            return file.stamp[7:]
        stamp, sha256 = self.hashes.get(file.path, ("", ""))
        return sha256 if stamp and stamp == file.stamp else None


@contextmanager
def open_workspace(out: Path, *, cache: bool) -> Iterator[Workspace]:
    """Hold the lock of `out` and give its workspace.

    Args:
        out: the folder of versions; it is made when it is not there.
        cache: whether what earlier builds left may be used; if not, this build's cache is thrown away, too.

    Raises:
        MachineError: `out` is a file, or another build holds the lock.
    """
    from filelock import FileLock, Timeout

    if out.exists() and not out.is_dir():
        raise MachineError("is a file", path=out, hint="name a folder to write versions to")
    for name in (WORK, f"{WORK}/lock", f"{WORK}/cache"):
        if (out / name).is_symlink():  # it would lead what is written out of the folder
            raise MachineError("is a link", path=out / name, hint="remove it; a build makes its own")
    (out / WORK).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / WORK / "lock", timeout=0):
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
    except Timeout:
        raise MachineError(
            "another build is at work here", path=out, hint="wait for it to end, then run this again"
        ) from None


# ------------------------------------------------------------------------------------------------ known files

_INDEX = "files.arrow"
_INDEX_SCHEMA = pa.schema([("path", pa.string()), ("stamp", pa.string()), ("sha256", pa.string())])


def read_known(workspace: Workspace) -> KnownFiles:
    """What the last build knew of the source's files; nothing where that is missing or damaged."""
    try:
        with pa.OSFile(str(workspace.cache / _INDEX)) as file, pa.ipc.open_file(file) as reader:
            table = reader.read_all()
            if (reader.schema.metadata or {}).get(b"digest", b"").decode() != _digest(table):
                return KnownFiles(hashes={})
        paths, stamps, hashes = (table[name].to_pylist() for name in _INDEX_SCHEMA.names)
        return KnownFiles(hashes=dict(zip(paths, zip(stamps, hashes, strict=True), strict=True)))
    except (OSError, KeyError, pa.ArrowInvalid):
        return KnownFiles(hashes={})


def write_known(
    workspace: Workspace, files: Sequence[SourceFile], hashes: Sequence[str | None], listed_at: int
) -> None:
    """Remember the hashes of the files that were read.

    A file that was touched shortly before it was listed, or since, is left out: it could change again without a new
    stamp (git calls such an entry racily clean).

    Args:
        listed_at: when the listing began, in nanoseconds since 1970.
    """
    rows = [
        (file.path, file.stamp, sha256)
        for file, sha256 in zip(files, hashes, strict=True)
        if sha256 and file.stamp and _settled(file.stamp, listed_at)
    ]
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table([pa.array(c, pa.string()) for c in columns], schema=_INDEX_SCHEMA)
    schema = _INDEX_SCHEMA.with_metadata({"digest": _digest(table)})
    part = workspace.cache / f"{_INDEX}.unfinished"
    with (
        pa.OSFile(str(part), "wb") as file,
        pa.ipc.new_file(file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer,
    ):
        writer.write_table(table.replace_schema_metadata(schema.metadata))
    part.replace(workspace.cache / _INDEX)


def now() -> int:
    """Nanoseconds since 1970: for the cache, never for a version."""
    return time.time_ns()


def _settled(stamp: str, listed_at: int) -> bool:
    kind, _, rest = stamp.partition(":")
    if not kind.isdigit():
        return True  # a git blob: named by its content
    modified, changed = int(kind), int(rest.partition(":")[0])
    return max(modified, changed) < listed_at - _RACY


def _digest(table: pa.Table) -> str:
    from .packaging.shards import digest_table

    digest = hashlib.sha256()
    digest_table(table.replace_schema_metadata(None), digest)
    return digest.hexdigest()


# ------------------------------------------------------------------------------------------- shards of articles


def _digest_json(data: object) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def read_cached_shards(workspace: Workspace) -> dict[str, CachedShard]:
    """Shards of articles of the newest version, by path, and what their rows depend on."""
    try:
        data: Any = json.loads((workspace.cache / "shards.json").read_text(encoding="utf-8"))
        shards = data["shards"]
        if data["digest"] != _digest_json(shards):
            return {}
        return {path: CachedShard(key=s["key"], written=Written(**s["written"])) for path, s in shards.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_cached_shards(workspace: Workspace, shards: Mapping[str, CachedShard]) -> None:
    """Remember them."""
    part = workspace.cache / "shards.json.unfinished"
    data = {path: asdict(s) for path, s in shards.items()}
    part.write_text(json.dumps({"digest": _digest_json(data), "shards": data}), encoding="utf-8")
    part.replace(workspace.cache / "shards.json")


def drop_unused(workspace: Workspace, names: set[str]) -> None:
    """Remove what was parsed for posts that are no longer in the source; `names` are the tasks in use."""
    for file in os.scandir(workspace.cache):
        stem, _, ending = file.name.partition(".")
        if (
            ending in ("posts", "spool", "keys", "json", "signatures", "sha256")
            and len(stem) == 40
            and stem not in names
        ):
            Path(file.path).unlink(missing_ok=True)
