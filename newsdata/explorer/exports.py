"""The articles of a selection as a file: CSV, Parquet, or their ids. All of them, in the order of the version, as a stream.

The same selection gives the same bytes. One row group is in memory at a time.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..schema import columns, features_json, table_schema
from .opened import Opened, read_table
from .table import Table

__all__ = ["csv_of", "csv_of_rows", "file_name", "ids_of", "parquet_of"]

_FIRST = ("article_id", "split", "publisher")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOM = "\ufeff"


def ids_of(table: Table, mask: NDArray[np.bool_]) -> Iterator[bytes]:
    """The ids of the wanted articles, one a line."""
    rows = np.flatnonzero(mask)
    for first in range(0, len(rows), 10_000):
        ids = table.ids.take(pa.array(rows[first : first + 10_000])).to_pylist()
        yield "".join(f"{identity}\n" for identity in ids).encode()


def csv_of(opened: Opened, table: Table, mask: NDArray[np.bool_], *, for_spreadsheet: bool) -> Iterator[bytes]:
    """The wanted articles as CSV: all columns but offsets and source files, with split and publisher.

    Lists are JSON. For a spreadsheet, a byte order mark comes first, and a cell that it would take for a formula begins
    with an apostrophe.

    Raises:
        DamagedFile: a shard cannot be read.
    """
    every = columns("articles", opened.manifest.schema_version)
    kept = [name for name in every if name not in ("mentions", "headings", "links", "sources", "images")]
    header = [*_FIRST, *(name for name in kept if name not in _FIRST)]

    def rows() -> Iterator[list[dict[str, Any]]]:
        for start, split, found in _tables(opened, mask, kept):
            listed = found.to_pylist()
            for number, row in zip(start.tolist(), listed, strict=True):
                row |= {"split": split, "publisher": table.publisher.at(number)}
                if row.get("text_codes") and isinstance(row["text_codes"][0], dict):
                    row["text_codes"] = [code["text"] for code in row["text_codes"]]
            yield listed

    return csv_of_rows(header, rows(), for_spreadsheet=for_spreadsheet)


def csv_of_rows(
    header: list[str], blocks: Iterator[list[dict[str, Any]]], *, for_spreadsheet: bool = False
) -> Iterator[bytes]:
    """Blocks of rows as CSV; None is an empty cell."""
    yield (_BOM if for_spreadsheet else "").encode() + _lines([header])
    for block in blocks:
        cells = [[_cell(row.get(name)) for name in header] for row in block]
        if for_spreadsheet:
            cells = [[f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in line] for line in cells]
        yield _lines(cells)


def parquet_of(opened: Opened, mask: NDArray[np.bool_]) -> Iterator[bytes]:
    """The wanted articles as one Parquet file with all columns, `split`, and the features for `datasets`.

    Raises:
        DamagedFile: a shard cannot be read.
    """
    sink = io.BytesIO()
    writer: pq.ParquetWriter | None = None
    for _, split, found in _tables(opened, mask, None):
        found = found.append_column("split", pa.array([split] * found.num_rows, pa.string()))
        if writer is None:
            writer = pq.ParquetWriter(
                sink, _with_features(found.schema, opened), compression="zstd", compression_level=3
            )
        if found.num_rows:
            writer.write_table(found.cast(writer.schema))
        yield _drain(sink)
    if writer is None:
        schema = table_schema("articles", opened.zone_name, opened.manifest.schema_version)
        if opened.articles:
            schema = read_table(opened, opened.groups[0].shard, None, 0).schema
        writer = pq.ParquetWriter(sink, _with_features(schema.append(pa.field("split", pa.string())), opened))
    writer.close()
    yield _drain(sink)


def file_name(version: str, words: tuple[str, ...], ending: str) -> str:
    """A name for an export: the version and what was selected, without letters that file systems refuse.

    >>> file_name("1.0.0", ("净利润", "2022-03"), "csv")
    'newsdata-1.0.0-净利润-2022-03.csv'
    """
    kept = ("".join(c if c.isalnum() or c in "-_." else "_" for c in word)[:40] for word in words)
    return "-".join(["newsdata", version, *(word for word in kept if word.strip("._"))])[:120] + f".{ending}"


def _tables(
    opened: Opened, mask: NDArray[np.bool_], names: list[str] | None
) -> Iterator[tuple[NDArray[np.int64], str, pa.Table]]:
    """The wanted rows of each row group that has some: their numbers, the split, and the rows."""
    for group in opened.groups:
        wanted = np.flatnonzero(mask[group.start : group.start + group.rows])
        if group.start < opened.articles and len(wanted):
            found = read_table(opened, group.shard, names, group.number).take(pa.array(wanted))
            yield wanted + group.start, group.shard.split, found


def _with_features(schema: pa.Schema, opened: Opened) -> pa.Schema:
    zone = next((field.type.tz for field in schema if pa.types.is_timestamp(field.type)), None)
    known = features_json("articles", zone or "UTC", opened.manifest.schema_version) | {
        "split": {"dtype": "string", "_type": "Value"}
    }
    info = {"info": {"features": {name: known[name] for name in schema.names if name in known}}}
    plain = schema.remove_metadata()
    return plain.with_metadata({"huggingface": json.dumps(info)}) if set(schema.names) <= set(known) else plain


def _drain(sink: io.BytesIO) -> bytes:
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data


def _lines(cells: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(cells)
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
