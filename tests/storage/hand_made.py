"""Versions made by hand for the tests of storage: the rows of each split, and nothing that a test does not ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from newsdata.schema import table_schema
from newsdata.storage.manifest import Manifest, Shard, hash_file

__all__ = ["Rows", "write_version"]

Rows = Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]
"""(config, split) -> rows; columns that a row lacks are null."""


def write_version(
    folder: Path, rows: Rows, *, per_shard: int = 2, timezone: str = "UTC", without: Sequence[str] = (), **facts: Any
) -> Manifest:
    """Write the shards of a version, `per_shard` rows in each, and give its manifest.

    Args:
        folder: of the version.
        rows: see `Rows`.
        per_shard: rows of a shard; each row is a row group of its own.
        timezone: of the times.
        without: columns that the shards of this version lack.
        facts: fields of `Manifest` that a test asks for.
    """
    shards = []
    for (config, split), listed in rows.items():
        schema = table_schema(config, timezone)
        table = pa.Table.from_pylist(list(listed), schema=schema)
        table = table.select([name for name in table.column_names if name not in without])
        for number, begin in enumerate(range(0, table.num_rows, per_shard)):
            path = f"{config}/{split}-2022-03-{number:07d}.parquet"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            part = table.slice(begin, per_shard)
            pq.write_table(part, folder / path, row_group_size=1)
            size, digest = hash_file(folder / path)
            shards.append(
                Shard(
                    path=path, config=config, split=split, rows=part.num_rows, bytes=size, sha256=digest,
                    digest=digest, start="",
                )
            )  # fmt: skip
    columns = {config: dict.fromkeys(name for name in table_schema(config).names if name not in without)
               for config, _ in rows}  # fmt: skip
    given = {
        "dataset_version": "1.0.0",
        "schema_version": "2.0",
        "configuration": {"timezone": timezone},
        "source": {},
        "tools": {},
        "accounting": {},
        "columns": columns,
    }
    return Manifest(**{**given, **facts}, shards=tuple(shards))
