"""What earlier versions decided, one row an article: it is read first and written last.

With the configuration and the shard borders of the manifest it is all the memory that a build has.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from ..errors import ManifestError

__all__ = ["LEDGER_NAME", "LEDGER_SCHEMA", "empty_ledger", "read_ledger", "write_ledger"]

LEDGER_NAME = "ledger.arrow"

LEDGER_SCHEMA = pa.schema(
    [
        ("article_id", pa.string()),
        ("duplicate_cluster", pa.string()),
        ("leak_group", pa.string()),
        ("split", pa.string()),  # one of schema.SPLITS, or "excluded"
        ("excluded_reason", pa.string()),
        ("published_at", pa.int64()),  # ms since 1970 UTC when it was first seen, or null
        ("first_version", pa.string()),
        ("redacted_reason", pa.string()),  # a tombstone: the article was taken out and must not come back
    ]
)
"""Rows stand in the order of ingestion: by version, then by date, then by id."""


def empty_ledger() -> pa.Table:
    """The ledger before the first version.

    >>> empty_ledger().num_rows
    0
    """
    return LEDGER_SCHEMA.empty_table()


def read_ledger(folder: Path) -> pa.Table:
    """The ledger of the version in `folder`.

    Raises:
        ManifestError: it is missing or damaged.
    """
    path = folder / LEDGER_NAME
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            table = reader.read_all()
        return table.select(LEDGER_SCHEMA.names).cast(LEDGER_SCHEMA)
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise ManifestError(f"the ledger cannot be read: {error}", path=path) from None


def write_ledger(ledger: pa.Table, folder: Path) -> None:
    """Write the ledger into `folder`, compressed; equal rows give equal bytes."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    table = ledger.cast(LEDGER_SCHEMA).combine_chunks()
    with (
        pa.OSFile(str(folder / LEDGER_NAME), "wb") as file,
        pa.ipc.new_file(file, LEDGER_SCHEMA, options=options) as writer,
    ):
        writer.write_table(table, max_chunksize=65_536)
