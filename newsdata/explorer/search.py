"""Find words: exactly as written, of any length, in title, digest and text, in the version's Parquet files as they are.

There is no index. A search runs in a thread of its own, one at a time, some shards after the other, so that it can report how
far it is and be given up when nobody waits for it any more. The hits of the last searches are kept.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..storage.manifest import Shard
from .opened import Damage, DamagedFile, Opened, read_table
from .text_cache import TextCache

__all__ = ["Phrase", "Searcher", "StillSearching"]

_BATCH = 16  # shards that are searched at once
_KEPT = 64  # searches whose hits are kept: a bit an article each
_FORGOTTEN_AFTER = 15.0  # seconds after which a search is given up that nobody asked for again


class Phrase(NamedTuple):
    """What is searched: the words, and the names of the columns."""

    words: str
    columns: tuple[str, ...]


class StillSearching(Exception):
    """The search takes longer than the caller wants to wait; `done` of `total` shards were searched so far."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"{done} of {total}")
        self.done = done
        self.total = total


@dataclass(slots=True)
class _Job:
    words: Phrase
    done: int = 0
    waiting: int = 0
    asked: float = 0.0
    hits: NDArray[np.bool_] | None = None
    error: BaseException | None = None
    finished: threading.Event = field(default_factory=threading.Event)

    def is_wanted(self) -> bool:
        return self.waiting > 0 or time.monotonic() - self.asked < _FORGOTTEN_AFTER


class Searcher:
    """Searches one version. Every method may be called from any thread.

    Attributes:
        damaged: shards that could not be read while searching.
    """

    def __init__(self, opened: Opened, cache: TextCache | None = None) -> None:
        self.damaged: tuple[Damage, ...] = ()
        self._opened = opened
        self._cache = cache
        self._shards = opened.shards("articles")
        self._lock = threading.Condition()
        self._jobs: list[_Job] = []
        self._hits: OrderedDict[Phrase, NDArray[np.uint8]] = OrderedDict()
        self._worker: threading.Thread | None = None

    def find(self, words: Phrase, patience: float = 5.0) -> NDArray[np.bool_]:
        """For each article whether it has the words.

        Args:
            words: what to search.
            patience: seconds to wait.

        Raises:
            StillSearching: it takes longer; ask again.
        """
        with self._lock:
            if words in self._hits:
                self._hits.move_to_end(words)
                return np.unpackbits(self._hits[words], count=self._opened.articles).view(bool)
            job = next((job for job in self._jobs if job.words == words), None)
            if job is None:
                job = _Job(words)
                self._jobs.append(job)
            job.waiting += 1
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, daemon=True, name="search")
                self._worker.start()
            self._lock.notify_all()
        job.finished.wait(patience)
        with self._lock:
            job.waiting -= 1
            job.asked = time.monotonic()
        if job.error is not None:
            raise job.error
        if job.hits is None:
            raise StillSearching(job.done, len(self._shards))
        return job.hits

    def _work(self) -> None:
        """Run the searches, the newest first. Ends when none is left."""
        while True:
            with self._lock:
                self._jobs = [job for job in self._jobs if job.is_wanted() and not job.finished.is_set()]
                if not self._jobs:
                    self._worker = None
                    return
                job = self._jobs[-1]
            try:
                hits = self._search(job)
            except Exception as error:
                job.error, hits = error, None
            with self._lock:
                if hits is not None:
                    job.hits = hits
                    self._hits[job.words] = np.packbits(hits)
                    while len(self._hits) > _KEPT:
                        self._hits.popitem(last=False)
                if job in self._jobs:
                    self._jobs.remove(job)
                job.finished.set()

    def _search(self, job: _Job) -> NDArray[np.bool_] | None:
        """The hits of a search; None if it was given up."""
        parts: list[NDArray[np.bool_]] = []
        for first in range(0, len(self._shards), _BATCH):
            if not job.is_wanted():
                return None
            parts.append(self._search_shards(self._shards[first : first + _BATCH], job.words))
            job.done = min(first + _BATCH, len(self._shards))
        return np.concatenate(parts) if parts else np.empty(0, bool)

    def _search_shards(self, shards: Sequence[Shard], words: Phrase) -> NDArray[np.bool_]:
        try:
            found = _matches(self._frames(shards), words)
            if len(found) == sum(shard.rows for shard in shards):
                return found
        except (OSError, pl.exceptions.PolarsError):
            pass  # one of them is damaged or lacks a column
        return np.concatenate([self._search_shard(shard, words) for shard in shards])

    def _search_shard(self, shard: Shard, words: Phrase) -> NDArray[np.bool_]:
        """The hits of one shard, which may lack columns; none if it cannot be read."""
        if self._cache:
            self._cache.forget(shard)
        try:
            table = read_table(self._opened, shard, words.columns)
            if table.num_rows != shard.rows:
                raise DamagedFile(shard.path, f"has {table.num_rows:,} rows, not the {shard.rows:,} of the manifest")
        except DamagedFile as error:
            if error.damage not in self.damaged:
                self.damaged = (*self.damaged, error.damage)
            return np.zeros(shard.rows, bool)
        there = tuple(name for name in words.columns if name in table.column_names)
        if not there:
            return np.zeros(shard.rows, bool)
        frame = pl.from_arrow(table)
        return _matches(
            frame.lazy() if isinstance(frame, pl.DataFrame) else frame.to_frame().lazy(), Phrase(words[0], there)
        )

    def _frames(self, shards: Sequence[Shard]) -> pl.LazyFrame:
        paths = [self._opened.folder / shard.path for shard in shards]
        if self._cache is None:
            return pl.scan_parquet(paths, glob=False, hive_partitioning=False)
        try:
            copies = [self._cache.copy_of(shard, path) for shard, path in zip(shards, paths, strict=True)]
        except OSError:  # no room, or no right: search the files themselves
            return pl.scan_parquet(paths, glob=False, hive_partitioning=False)
        return pl.concat([pl.scan_ipc(copy, glob=False) for copy in copies])


def _matches(frame: pl.LazyFrame, words: Phrase) -> NDArray[np.bool_]:
    """For each row whether one of the columns has the words. They are no pattern."""
    hit = pl.any_horizontal(
        [pl.col(name).str.contains(words.words, literal=True).fill_null(False) for name in words.columns]
    )
    found: Any = frame.select(hit.alias("hit")).collect(engine="streaming")
    return np.asarray(found["hit"].to_numpy(), bool)
