"""Rows to shards: several small shards at once are the files that each would be alone, and digests are of the rows."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsdata.schema import CONFIGS, table_schema
from newsdata.storage.shards import digest_slices, digest_table, shard_schema, write_shard, write_slices

ZONE = "Asia/Shanghai"


def value_of(kind: pa.DataType, rng: random.Random) -> Any:
    """A value of the type: often null, empty, or zero."""
    if rng.random() < 0.2:
        return None
    if pa.types.is_list(kind):
        return [value_of(kind.value_type, rng) for _ in range(rng.choice((0, 1, 3)))]
    if pa.types.is_struct(kind):
        return {field.name: value_of(field.type, rng) for field in kind}
    if pa.types.is_timestamp(kind):
        return datetime.fromtimestamp(rng.randrange(-(10**9), 10**9), UTC)
    if pa.types.is_boolean(kind):
        return rng.random() < 0.5
    if pa.types.is_integer(kind):
        return rng.randrange(3)
    return rng.choice(("", "钢", "steel", "小麦 12"))


def random_table(schema: pa.Schema, rows: int, rng: random.Random) -> pa.Table:
    return pa.Table.from_pylist(
        [{field.name: value_of(field.type, rng) for field in schema} for _ in range(rows)], schema=schema
    )


def expected(values: list[Any], kind: pa.DataType, digest: Any) -> None:
    """What `digest_table` promises of a column, from Python values."""
    digest.update(len(values).to_bytes(8, "little"))
    if None in values:
        digest.update(bytes(value is not None for value in values))
    if pa.types.is_struct(kind):
        for field in kind:
            digest.update(field.name.encode())
            expected([value and value[field.name] for value in values], field.type, digest)
        return
    if pa.types.is_list(kind):
        digest.update(b"".join(len(value or ()).to_bytes(4, "little") for value in values))
        expected([item for value in values for item in value or ()], kind.value_type, digest)
    elif pa.types.is_string(kind):
        texts = [(value or "").encode() for value in values]
        digest.update(b"".join(len(text).to_bytes(4, "little") for text in texts) + b"".join(texts))
    elif pa.types.is_timestamp(kind):
        times = [0 if value is None else round(value.timestamp() * 1000) for value in values]
        digest.update(b"".join(time.to_bytes(8, "little", signed=True) for time in times))
    else:
        width = 1 if pa.types.is_boolean(kind) else kind.bit_width // 8
        digest.update(b"".join(int(value or 0).to_bytes(width, "little") for value in values))


@pytest.mark.parametrize("config", CONFIGS)
def test_the_digest_is_of_the_rows_alone(config: str) -> None:
    rng = random.Random(config)
    whole = random_table(table_schema(config, ZONE), 40, rng)
    for table in (whole, whole.slice(7, 20), whole.slice(3, 0), pa.concat_tables([whole.slice(0, 9), whole.slice(9)])):
        digest, wanted = hashlib.sha256(), hashlib.sha256()
        digest_table(table, digest)
        for field in table.schema:
            wanted.update(field.name.encode())
            expected(table[field.name].to_pylist(), field.type, wanted)
        assert digest.hexdigest() == wanted.hexdigest()


@pytest.mark.parametrize("config", CONFIGS)
def test_slices_are_digested_as_each_alone(config: str) -> None:
    table = random_table(table_schema(config, ZONE), 30, random.Random(config))
    ends = [1, 1, 9, 17, 30]
    found = [hashlib.sha256(b"x") for _ in ends]
    digest_slices(table, ends, found)
    for digest, (begin, end) in zip(found, pairwise([0, *ends]), strict=True):
        alone = hashlib.sha256(b"x")
        digest_table(table.slice(begin, end - begin), alone)
        assert digest.hexdigest() == alone.hexdigest()


@pytest.mark.parametrize("config", CONFIGS)
def test_several_shards_at_once_are_the_files_that_each_is_alone(config: str, tmp_path: Path) -> None:
    rng = random.Random(config)
    schema = shard_schema(config, ZONE)
    sizes = [1, 0, 2, 16, 5, 0, 1]
    tables = [random_table(table_schema(config, ZONE), size, rng) for size in sizes]
    alone = [
        write_shard(tmp_path / f"alone-{number}", [table] if table.num_rows else [], config, schema)
        for number, table in enumerate(tables)
    ]
    paths = [tmp_path / f"together-{number}" for number in range(len(sizes))]
    together = write_slices(paths, pa.concat_tables(tables), [*accumulate(sizes)], config, schema)
    assert together == alone
    for number, (path, table, written) in enumerate(zip(paths, tables, together, strict=True)):
        data = path.read_bytes()
        assert data == (tmp_path / f"alone-{number}").read_bytes()
        assert (written.rows, written.bytes) == (table.num_rows, len(data))
        assert written.sha256 == hashlib.sha256(data).hexdigest()
        assert pq.read_table(path, partitioning=None).equals(table)
        assert written.filled == {
            name: sum(value not in (None, "", []) for value in table[name].to_pylist()) for name in schema.names
        }
