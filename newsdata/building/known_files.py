"""The hashes of files that earlier builds read: path, stamp and SHA-256.

A *stamp* is what the source knows of a file without reading it: for a folder its times, inode and size, as in git's index. A
file with the same stamp is taken to be the same. A file that was changed shortly before it was listed could change again and
keep its stamp. It is not *settled*, and its hash is not kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..sources.source import Files

__all__ = ["KnownFiles", "known_hashes", "read_known_files", "settled", "write_known_files"]

_RACY = 2_000_000_000  # nanoseconds: a file that was changed this shortly before it was listed is not settled
_NOTED = 50_000  # files that are written at once
_BY_HASH = "sha256:"  # the beginning of a stamp that names the content itself
_SCHEMA = pa.schema([("path", pa.string()), ("stamp", pa.string()), ("sha256", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFiles:
    """Files whose hashes are to be kept.

    Attributes:
        files: of a listing.
        hashes: SHA-256 of each file, hexadecimal; null for one that cannot be read.
        settled: for each file whether it cannot change without a new stamp.
    """

    files: Files
    hashes: pa.StringArray
    settled: pa.BooleanArray


def read_known_files(path: Path | None) -> pa.Table:
    """Read what `write_known_files` wrote: the columns path, stamp and sha256. No rows if `path` is None."""
    if path is None:
        return _SCHEMA.empty_table()
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
        return reader.read_all().combine_chunks()


def write_known_files(known: KnownFiles, path: Path) -> None:
    """Write path, stamp and hash of the settled files to an Arrow file."""
    rows = pa.Table.from_arrays([known.files.path, known.files.stamp, known.hashes], schema=_SCHEMA)
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, _SCHEMA, options=options) as writer:
        for number, some in enumerate(rows.to_batches(max_chunksize=_NOTED)):
            writer.write_batch(some.filter(known.settled.slice(number * _NOTED, len(some))))


def known_hashes(files: Files, known: pa.Table) -> pa.StringArray:
    """The hash of each file, hexadecimal; null if the file is new or its stamp changed.

    Args:
        files: of a listing.
        known: from `read_known_files`.
    """
    by_hash = pc.starts_with(files.stamp, _BY_HASH)
    named = pa.nulls(len(files), pa.string())
    if by_hash.true_count:
        named = pc.if_else(by_hash, pc.replace_substring_regex(files.stamp, f"^{_BY_HASH}", ""), None)
    if not known.num_rows:
        return named
    path, stamp, sha256 = (column.chunk(0) for column in known.columns)
    at = pc.index_in(files.path, value_set=path)
    same = pc.equal(stamp.take(at), files.stamp).fill_null(False)
    return pc.if_else(same, sha256.take(at), named)


def settled(files: Files, hashes: pa.StringArray, was_known: pa.BooleanArray, listed_at: int) -> pa.BooleanArray:
    """For each file whether it is settled: it cannot change without a new stamp.

    Args:
        files, hashes: the files and their hashes; null for a file that cannot be read.
        was_known: for each file whether `known_hashes` found its hash.
        listed_at: when the listing began, in nanoseconds since 1970.
    """
    new = pc.invert(was_known)
    stamps, read = files.stamp.filter(new), hashes.filter(new)
    times = pc.extract_regex(stamps, r"^(?P<modified>-?\d+):(?P<changed>-?\d+):")
    # As floats: 64-bit integers of nanoseconds end in the year 2262, and a file may be dated later.
    border = float(listed_at - _RACY)
    late = pc.or_(*(pc.greater_equal(pc.struct_field(times, [n]).cast(pa.float64()), border) for n in (0, 1)))
    named = pc.and_(read.is_valid(), pc.not_equal(stamps, ""))
    return pc.replace_with_mask(was_known, new, pc.and_(named, pc.fill_null(pc.invert(late), True)))
