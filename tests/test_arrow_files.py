from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from newsdata.arrow_files import join_tables, mapped_table, numbers_of, values_of, write_table
from newsdata.storage.ledger import LEDGER_NAME, LEDGER_SCHEMA, write_ledger

SCHEMA = pa.schema(
    [("id", pa.string()), ("long", pa.large_string()), ("time", pa.int64()), ("hash", pa.binary(4)), ("n", pa.int8())]
)


def table(rows: int) -> pa.Table:
    """Rows of which some have no values."""
    at = range(rows)
    columns = [
        [None if n % 5 == 1 else "新" * (n % 7) for n in at],
        [f"{n}" for n in at],
        [None if n % 3 == 0 else n for n in at],
        [n.to_bytes(4, "big") for n in at],
        [n % 100 for n in at],
    ]
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)], schema=SCHEMA)


@pytest.mark.parametrize("cuts", [(), (0,), (1,), (7, 7, 8, 100, 999)])
def test_joined_parts_are_the_table_in_one_piece(cuts: tuple[int, ...], tmp_path: Path) -> None:
    whole = table(1000)
    ends = [*cuts, 1000]
    parts = [whole.slice(a, b - a) for a, b in zip([0, *cuts], ends, strict=True)]
    joined = join_tables(iter(parts), SCHEMA, tmp_path)
    assert joined.equals(whole)
    assert all(column.num_chunks == 1 for column in joined.columns)
    assert not [*tmp_path.iterdir()]


def test_no_parts_are_an_empty_table(tmp_path: Path) -> None:
    for parts in ([], [table(0)]):
        joined = join_tables(parts, SCHEMA, tmp_path)
        assert joined.num_rows == 0 and joined.schema == SCHEMA
        write_table(joined, tmp_path / "file")
        assert mapped_table(tmp_path / "file").num_rows == 0
        assert len(values_of(mapped_table(tmp_path / "file"), "id")) == 0


def test_a_mapped_table_is_read_without_a_copy(tmp_path: Path) -> None:
    write_table(table(100_000), tmp_path / "file")
    before = pa.total_allocated_bytes()
    found = mapped_table(tmp_path / "file")
    assert np.array_equal(numbers_of(found, "n"), np.arange(100_000) % 100)
    assert pa.total_allocated_bytes() - before < 10_000


@pytest.mark.slow
def test_a_joined_ledger_has_the_bytes_of_a_ledger_in_memory(tmp_path: Path) -> None:
    rows = 140_000
    every = pa.table(
        {
            name: pa.array(
                [None if (n + at) % 11 == 0 else n if kind == pa.int64() else f"{n}" for n in range(rows)], kind
            )
            for at, (name, kind) in enumerate(zip(LEDGER_SCHEMA.names, LEDGER_SCHEMA.types, strict=True))
        },
        schema=LEDGER_SCHEMA,
    )
    write_ledger(every, tmp_path)
    before = (tmp_path / LEDGER_NAME).read_bytes()
    parts = (every.slice(at, 65_537) for at in range(0, rows, 65_537))
    write_ledger(join_tables(parts, LEDGER_SCHEMA, tmp_path), tmp_path)
    assert (tmp_path / LEDGER_NAME).read_bytes() == before
