"""Tables in files of Arrow, mapped into memory: only the parts in use take up any."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

__all__ = ["join_tables", "mapped_table", "numbers_of", "strings_of", "values_of", "write_table"]


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table to a file: uncompressed and in one batch, so that it can be mapped into memory.

    Raises:
        OSError: the file cannot be written.
    """
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.combine_chunks())


def mapped_table(path: Path) -> pa.Table:
    """A table from a file of Arrow; columns that are not compressed stay in the file.

    Raises:
        OSError: the file cannot be opened or mapped.
        ValueError: it is empty.
        pyarrow.ArrowInvalid: it is no file of Arrow.
    """
    with path.open("rb") as file:  # Python's map: Arrow's own asks the system for the whole file each time
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.py_buffer(mapped)).read_all()


def values_of(table: pa.Table, name: str) -> pa.Array:
    """A column of a table in one piece, without a copy if it is in one piece already."""
    column = table[name]
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def numbers_of(table: pa.Table, name: str) -> np.ndarray:
    """A column of numbers without nulls, as for `values_of`. The array cannot be written to."""
    values: np.ndarray = values_of(table, name).to_numpy()
    return values


def strings_of(array: pa.Array) -> pa.StringArray:
    """A copy of a few strings in memory, as an array of the type `string`; `array` may also be a `large_string`."""
    return array.take(pa.array(np.arange(len(array)))).cast(pa.string())


def join_tables(parts: Iterable[pa.Table], schema: pa.Schema, folder: Path | None) -> pa.Table:
    """One table with the rows of all parts, each column in one piece. It lies in temporary files that are mapped into memory.

    Args:
        parts: tables, one after the other; only one of them is in memory at a time.
        schema: of all of them; columns of numbers, strings and bytes of a fixed size.
        folder: on the disk that has room for the files; None for the system's folder of temporary files. They have no name,
            and are gone with the table.

    Raises:
        pyarrow.ArrowCapacityError: a column of the type `string` has more than 2 GiB.
        OSError: there is no room for the files.

    >>> schema = pa.schema([("id", pa.string())])
    >>> parts = [pa.table({"id": ["a", "b"]}), pa.table({"id": pa.array(["c", None])})]
    >>> join_tables(parts, schema, Path("/tmp"))["id"].chunk(0).to_pylist()
    ['a', 'b', 'c', None]
    """
    with ExitStack() as stack:

        def new_file() -> BinaryIO:
            return stack.enter_context(tempfile.TemporaryFile(dir=folder))

        columns = [_Column(kind, new_file) for kind in schema.types]
        for part in parts:
            for column, chunks in zip(columns, part.columns, strict=True):
                for chunk in chunks.chunks:
                    column.append(chunk)
        return pa.Table.from_arrays([column.array() for column in columns], schema=schema)


class _Column:
    """A column that grows on the disk: a file of values, and one of offsets if the values are strings."""

    def __init__(self, kind: pa.DataType, new_file: Callable[[], BinaryIO]) -> None:
        self._kind, self._rows, self._bytes = kind, 0, 0
        self._is_string = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        self._values = new_file()
        self._offsets = new_file() if self._is_string else None
        self._offset_type = np.dtype(np.int64 if pa.types.is_large_string(kind) else np.int32)
        self._valid: list[tuple[int, np.ndarray | None]] = []
        if self._offsets:
            self._offsets.write(bytes(self._offset_type.itemsize))

    def append(self, array: pa.Array) -> None:
        rows = len(array)
        if not rows:
            return
        nulls = array.null_count > 0
        self._valid.append((rows, array.is_valid().to_numpy(zero_copy_only=False) if nulls else None))
        self._rows += rows
        _, *buffers = array.buffers()
        if self._offsets:
            offsets = np.frombuffer(buffers[0], self._offset_type)[array.offset : array.offset + rows + 1]
            begin, end = int(offsets[0]), int(offsets[-1])
            self._offsets.write((offsets[1:] - begin + self._bytes).tobytes())
            self._bytes += end - begin
            if self._bytes > 2 ** (8 * self._offset_type.itemsize - 1) - 1:
                raise pa.ArrowCapacityError("a column of strings has more than 2 GiB")
            self._values.write(buffers[1].slice(begin, end - begin) if end > begin else b"")
        else:
            width = self._kind.bit_width // 8
            self._values.write(buffers[0].slice(array.offset * width, rows * width))

    def array(self) -> pa.Array:
        files = [self._offsets, self._values] if self._offsets else [self._values]
        return pa.Array.from_buffers(self._kind, self._rows, [self._bitmap(), *map(_mapped, files)])

    def _bitmap(self) -> pa.Buffer | None:
        if all(valid is None for _, valid in self._valid):
            return None
        every = np.concatenate([np.ones(rows, bool) if valid is None else valid for rows, valid in self._valid])
        return pa.py_buffer(np.packbits(every, bitorder="little"))


def _mapped(file: BinaryIO) -> pa.Buffer:
    """A file that was written, mapped into memory. It is closed: a map keeps its own."""
    with file:
        file.flush()
        size = file.tell()
        return pa.py_buffer(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b"")
