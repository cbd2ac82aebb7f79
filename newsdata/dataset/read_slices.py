"""Rows of shards as a `datasets.Dataset`, a stream or an Arrow table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from .deduplicate import cluster_representatives
from .parquet_rows import Rows, ShardRows, matching_rows, read_typed
from .prepared_rows import Cache, prepare_rows

if TYPE_CHECKING:
    import datasets
    import pyarrow.compute as pc

__all__ = ["Reading", "chosen_rows", "read_chosen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the rows of a call are read.

    Attributes:
        features: the columns in the order in which they were asked for, with their types.
        every: all columns of the config.
        streaming: give an `IterableDataset`, which reads rows when they are asked for.
        deduplicate: give one row of each duplicate cluster.
        row_filter: only the rows that it holds for; None for all. It may use other columns.
        token: of the Hub; None for the one that `huggingface_hub` finds. Passed to addresses of the Hub only.
        cache_dir: where prepared rows are kept; None is the cache of `datasets`.
        keep_in_memory: read rows into memory, and keep none in the cache.
        num_proc: how many row groups are prepared at once.
        again: prepare rows that are in the cache once more.
    """

    features: datasets.Features
    every: datasets.Features
    streaming: bool = False
    deduplicate: bool = False
    row_filter: pc.Expression | None = None
    token: str | bool | None = field(default=None, repr=False)
    cache_dir: str | None = None
    keep_in_memory: bool = False
    num_proc: int | None = None
    again: bool = False


def chosen_rows(groups: Sequence[Sequence[ShardRows]], reading: Reading) -> list[list[ShardRows]]:
    """Those of the rows that the filter holds for; of these, with `deduplicate`, one for each duplicate cluster.

    Rows of a stream that are only filtered are all given: the filter is used when they are read.

    Args:
        groups: groups of rows, for example of one split each. A cluster has one row over all of them.
        reading: how to read.

    Raises:
        VerifyError: a shard cannot be read.
    """
    found = [list(group) for group in groups]
    if reading.row_filter is not None and (reading.deduplicate or not reading.streaming):
        found = [matching_rows(group, reading.row_filter, reading.token) for group in found]
    return cluster_representatives(found, reading.token) if reading.deduplicate else found


def read_chosen(wanted: Sequence[ShardRows], reading: Reading, split: str | None) -> Any:
    """The rows as a `datasets.Dataset`, or with `streaming` as a `datasets.IterableDataset`.

    Args:
        wanted: rows of shards, from `chosen_rows`; without rows the result is empty and has its columns.
        reading: how to read.
        split: the name of the split; None if they are rows of several.

    Raises:
        VerifyError: a shard cannot be read.
        MachineError: the cache cannot be written.
    """
    import datasets

    from .no_rows import DatasetWithoutRows, StreamWithoutRows

    some = [part for part in wanted if len(part.rows)]
    if not some:
        return (StreamWithoutRows if reading.streaming else DatasetWithoutRows)(reading.features, split)
    about: dict[str, Any] = {
        "info": datasets.DatasetInfo(features=reading.features),
        "split": None if split is None else datasets.NamedSplit(split),
    }
    if reading.streaming:
        return datasets.IterableDataset(_stream(some, reading), **about)
    about["fingerprint"] = _fingerprint(some, reading.features)
    if reading.keep_in_memory:
        return datasets.Dataset(_in_memory(some, reading), **about)
    folder = Path(reading.cache_dir or datasets.config.HF_DATASETS_CACHE) / "newsdata"
    cache = Cache(folder=folder, num_threads=reading.num_proc or 1, again=reading.again)
    table, positions = _in_cache(some, reading, cache)
    if isinstance(positions, range):
        return datasets.Dataset(table.slice(positions.start, len(positions)), **about)
    return datasets.Dataset(table, **about).select(positions)


def _stream(wanted: list[ShardRows], reading: Reading) -> Any:
    """What a stream of rows is made of. Each shard is read by one worker: `skip` and `take` would count anew in each.

    It gives tables, not rows as dictionaries: types are kept, and a stream that is resumed knows the place of every row.
    """
    from datasets.iterable_dataset import ArrowExamplesIterable

    arguments = {
        "wanted": wanted,  # workers share out what is in a list
        "features": reading.features,
        "row_filter": None if reading.deduplicate else reading.row_filter,
        "token": reading.token,
    }
    return ArrowExamplesIterable(_numbered_tables, arguments)


def _in_memory(wanted: Sequence[ShardRows], reading: Reading) -> Any:
    """Rows as a table of `datasets`. Nothing is written."""
    from datasets.table import InMemoryTable

    tables = read_typed(wanted, reading.features, None, reading.token)
    return InMemoryTable(pa.concat_tables(tables))


def _in_cache(wanted: Sequence[ShardRows], reading: Reading, cache: Cache) -> tuple[Any, Rows]:
    """The row groups that hold wanted rows as one table of `datasets`, and the numbers of the wanted rows in it."""
    from datasets.table import concat_tables

    groups = prepare_rows(wanted, reading.features, reading.every, cache)
    starts = np.cumsum([0, *(len(group.table) for group in groups[:-1])])
    table = concat_tables([group.table for group in groups])
    first, last = int(starts[0] + groups[0].rows[0]), int(starts[-1] + groups[-1].rows[-1])
    if last - first + 1 == sum(len(group.rows) for group in groups):
        return table, range(first, last + 1)
    return table, np.concatenate([start + np.asarray(group.rows) for start, group in zip(starts, groups, strict=True)])


def _numbered_tables(
    wanted: Sequence[ShardRows],
    features: datasets.Features,
    row_filter: pc.Expression | None,
    token: str | bool | None,
) -> Iterator[tuple[int, pa.Table]]:
    yield from enumerate(read_typed(wanted, features, row_filter, token))


def _fingerprint(wanted: Sequence[ShardRows], features: datasets.Features) -> str:
    """What `datasets` knows the rows by when it keeps results of `map`: the same for the same rows and columns."""
    digest = hashlib.sha256(str(features.arrow_schema.remove_metadata()).encode())
    for part in wanted:
        digest.update(part.shard.sha256.encode())
        digest.update(np.asarray(part.rows, np.int64).tobytes())
    return digest.hexdigest()[:16]
