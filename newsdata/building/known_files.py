"""The hashes of files that earlier builds read: path, stamp and SHA-256.

A *stamp* is what the source knows of a file without reading it: for a folder its times, inode and size, as in git's index. A
file with the same stamp is taken to be the same. A file that was changed shortly before it was listed could change again and
keep its stamp. It is not *settled*, and its hash is not kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..arrow_files import mapped_table, strings_of, values_of
from ..sources.source import Files
from .shard_plan import plan_key

__all__ = ["KnownFiles", "known_hashes", "read_known_files", "settled", "write_known_files"]

_RACY = 2_000_000_000  # nanoseconds: a file that was changed this shortly before it was listed is not settled
_BY_HASH = "sha256:"  # the beginning of a stamp that names the content itself
_SCHEMA = pa.schema([("path", pa.large_string()), ("stamp", pa.large_string()), ("sha256", pa.large_string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFiles:
    """Files whose hashes are to be kept.

    Attributes:
        files: in the order of the plan.
        hashes: SHA-256 of each file, hexadecimal; null for one that cannot be read.
        settled: for each file whether it cannot change without a new stamp.
    """

    files: Files
    hashes: pa.LargeStringArray
    settled: pa.BooleanArray


def read_known_files(path: Path | None) -> pa.Table:
    """What `write_known_files` wrote, mapped into memory: the columns path, stamp and sha256. No rows if `path` is None."""
    return _SCHEMA.empty_table() if path is None else mapped_table(path)


def write_known_files(known: KnownFiles, path: Path) -> None:
    """Write path, stamp and hash of the settled files to an Arrow file, some at a time."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, _SCHEMA) as writer:
        begin = 0
        for files in known.files.parts():
            some = slice(begin, begin + len(files))
            begin += len(files)
            rows = pa.table([files.path, files.stamp, known.hashes[some]], names=_SCHEMA.names).cast(_SCHEMA)
            writer.write_table(rows.filter(known.settled[some]))


def known_hashes(files: Files, known: pa.Table) -> pa.StringArray:
    """The hash of each file, hexadecimal; null if the file is new or its stamp changed.

    Args:
        files: some files of a plan, in its order.
        known: from `read_known_files`. Only the rows between the first and the last of the files are read.
    """
    by_hash = pc.starts_with(files.stamp, _BY_HASH)
    named = pa.nulls(len(files), pa.string())
    if by_hash.true_count:
        named = pc.if_else(by_hash, pc.replace_substring_regex(files.stamp, f"^{_BY_HASH}", ""), None)
    if not known.num_rows or not len(files):
        return named
    paths = known["path"]

    def key_at(row: int) -> str:
        return plan_key(paths[row].as_py())

    first, last = (plan_key(files.path[at].as_py()) for at in (0, -1))
    begin = bisect_left(range(len(paths)), first, key=key_at)
    end = bisect_right(range(len(paths)), last, key=key_at)
    near = known.slice(begin, end - begin)
    path, stamp, sha256 = (strings_of(values_of(near, name)) for name in _SCHEMA.names)
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
