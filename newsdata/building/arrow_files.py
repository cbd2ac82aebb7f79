"""Tables that tasks hand on to each other, as files of Arrow."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from ..graph.task import StoredFile

__all__ = ["read_table", "write_table"]


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table to a file."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def read_table(stored: StoredFile) -> pa.Table:
    """Read a table from a file of an artifact.

    Raises:
        MachineError: the file is missing or changed.
    """
    with pa.OSFile(str(stored.checked())) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()
