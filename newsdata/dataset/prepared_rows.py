"""Row groups of shards as Arrow files in the cache, mapped into memory: each is prepared once, whatever call needs it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pyarrow as pa

from ..errors import MachineError
from .parquet_rows import Rows, ShardRows, opened, read_typed, rows_within

if TYPE_CHECKING:
    import datasets

__all__ = ["Cache", "Prepared", "prepare_rows"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A row group in the cache.

    Attributes:
        table: its rows, a `datasets.table.Table` that is mapped into memory.
        rows: the numbers of the wanted ones.
    """

    table: Any
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Where row groups are kept.

    Attributes:
        folder: the folder. It may be deleted at any time.
        num_threads: how many row groups are prepared at once.
        again: prepare those that are there once more.
    """

    folder: Path
    num_threads: int = 1
    again: bool = False


def prepare_rows(
    wanted: Sequence[ShardRows], features: datasets.Features, every: datasets.Features, cache: Cache
) -> list[Prepared]:
    """The row groups that hold wanted rows, in order.

    There is one file for each row group and set of columns, whatever their order. Where the file with all columns is there,
    it serves for every set.

    Args:
        wanted: rows of shards on this machine.
        features: the columns to read, with their types; the tables have them in this order.
        every: all columns of the config, with their types.
        cache: where to keep them.

    Raises:
        VerifyError: a shard cannot be read.
        MachineError: a file cannot be written.
    """
    import datasets

    _make_folder(cache.folder)
    in_file = datasets.Features({name: kind for name, kind in every.items() if name in features})

    def prepare(group: _RowGroup) -> Prepared:
        rows = len(group.rows.rows)
        kept = None
        for columns in [] if cache.again else [every, in_file]:
            kept = kept or _kept(cache.folder / _name(group, columns), columns, rows)
        table = kept or _written(group.rows, in_file, cache.folder / _name(group, in_file))
        if table.column_names != list(features):
            table = table.select(list(features))
        return Prepared(table=table, rows=group.wanted)

    groups = [group for part in wanted for group in _row_groups(part)]
    with ThreadPoolExecutor(cache.num_threads) as threads:
        return list(threads.map(prepare, groups))


class _RowGroup(NamedTuple):
    """A row group of a shard: all its rows, its number, and which of the rows are wanted, counted in it."""

    rows: ShardRows
    number: int
    wanted: Rows


def _row_groups(part: ShardRows) -> Iterator[_RowGroup]:
    """The row groups of a shard that hold wanted rows."""
    with opened(part) as fragment:
        sizes = [group.num_rows for group in fragment.row_groups]
    before = 0
    for number, size in enumerate(sizes):
        wanted = rows_within(part.rows, before, before + size)
        if len(wanted):
            yield _RowGroup(replace(part, rows=range(before, before + size)), number, wanted)
        before += size


def _name(group: _RowGroup, columns: datasets.Features) -> str:
    """The name of the file, by everything that decides what it holds."""
    types = [(field.name, str(field.type)) for field in columns.arrow_schema]
    content = json.dumps([group.rows.shard.sha256, group.number, types])
    return hashlib.sha256(content.encode()).hexdigest()[:40] + ".arrow"


def _kept(file: Path, columns: datasets.Features, rows: int) -> Any:
    """The rows in a file of the cache; None if it is missing or damaged."""
    from datasets.table import MemoryMappedTable

    with contextlib.suppress(OSError, pa.ArrowException):
        if stat.S_ISREG(file.lstat().st_mode):
            table = MemoryMappedTable.from_file(str(file))
            if table.schema == columns.arrow_schema and table.num_rows == rows:
                table.validate()
                return table
    return None


def _written(rows: ShardRows, columns: datasets.Features, file: Path) -> Any:
    """Rows, written to a file of the cache: whole or not at all."""
    from datasets.table import MemoryMappedTable

    tables = list(read_typed([rows], columns))
    beside = file.with_name(f"{file.name}.{uuid4().hex}.tmp")
    try:
        try:
            with pa.OSFile(str(beside), "wb") as sink, pa.ipc.new_stream(sink, columns.arrow_schema) as writer:
                for table in tables:
                    writer.write_table(table)
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
        return MemoryMappedTable.from_file(str(file))
    except OSError as error:
        raise _not_writable(error, file.parent) from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(error, folder) from None


def _not_writable(error: OSError, folder: Path) -> MachineError:
    return MachineError(
        f"rows cannot be kept here: {error.strerror or error}",
        path=folder,
        hint="give another folder as cache_dir=, or use keep_in_memory=True, streaming=True or load_pandas",
    )
