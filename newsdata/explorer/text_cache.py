"""Uncompressed copies of the words of large versions, in the user's cache folder: they are searched four times as fast.

One file a shard, with the columns title, digest and text as Arrow. It is named by the hash of the shard and the checksum of its
own bytes, so the copies of an old version serve the next one, and a damaged copy is made anew. They hold the publishers' text:
the folder is only for its owner, and never in a version, which may be passed on.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import polars as pl
import xxhash

from ..errors import MachineError
from ..storage.manifest import Shard

__all__ = ["ARTICLES_WITHOUT", "TextCache", "cache_folder", "clear_cache"]

ARTICLES_WITHOUT = 400_000
"""Versions of up to so many articles are searched where they are. Measured: 193,000 articles take .5 seconds of a core, so
400,000 are searched in a second; making the copies takes twice as long as one search."""

_COLUMNS = ["title", "digest", "text"]
_ENDING = ".arrow"
_KEY = 40  # hexadecimal digits of the shard's hash in a name


def cache_folder() -> Path:
    """Where the copies are: `newsdata/explore` in the user's folder for caches."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "newsdata" / "explore"


def clear_cache(folder: Path) -> int:
    """Remove all copies; returns how many bytes they had."""
    if not folder.is_dir() or folder.is_symlink():
        return 0
    size = sum(path.lstat().st_size for path in folder.iterdir())
    shutil.rmtree(folder)
    return size


class TextCache:
    """The copies of shards in a folder, which keeps at most `limit` bytes.

    Raises:
        MachineError: the folder cannot be made, is a link, or belongs to somebody else.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._checked: dict[str, Path] = {}
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            raise MachineError(f"the cache cannot be made: {error.strerror}", path=folder, hint="--no-cache") from None
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise MachineError("is a link, or somebody else's; it would hold text", path=folder, hint="--no-cache")
        folder.chmod(0o700)

    def copy_of(self, shard: Shard, source: Path) -> Path:
        """The copy of a shard, made if there is no good one.

        Raises:
            OSError, polars.exceptions.PolarsError: the shard cannot be read, or the copy cannot be written.
        """
        key = shard.sha256[:_KEY]
        if key not in self._checked:
            self._checked[key] = self._find(key) or self._make(key, source)
        return self._checked[key]

    def forget(self, shard: Shard) -> None:
        """Check the copy of a shard again before it is used next."""
        self._checked.pop(shard.sha256[:_KEY], None)

    def _find(self, key: str) -> Path | None:
        for path in sorted(self._folder.glob(f"{key}-*{_ENDING}")):
            if path.is_file() and not path.is_symlink() and path.name == f"{key}-{_checksum(path)}{_ENDING}":
                os.utime(path)
                return path
            path.unlink()
        return None

    def _make(self, key: str, source: Path) -> Path:
        self._make_room(4 * source.stat().st_size)
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")  # readable by the owner only
        os.close(handle)
        part = Path(name)
        try:
            frame = pl.scan_parquet(source, glob=False, hive_partitioning=False).select(_COLUMNS).collect()
            frame.write_ipc(part, compression="uncompressed")
            return part.rename(self._folder / f"{key}-{_checksum(part)}{_ENDING}")
        finally:
            part.unlink(missing_ok=True)

    def _make_room(self, needed: int) -> None:
        """Remove the copies that were used longest ago, until so many bytes fit, but none that this process uses."""
        in_use = set(self._checked.values())
        there = sorted((path.lstat().st_mtime_ns, path) for path in self._folder.glob(f"*{_ENDING}"))
        size = sum(path.lstat().st_size for _, path in there)
        for _, path in there:
            if size + needed <= self._limit:
                return
            if path not in in_use:
                size -= path.lstat().st_size
                path.unlink()
        if size + needed > self._limit:
            raise OSError(0, "the cache is full")


def _checksum(path: Path) -> str:
    state = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()
