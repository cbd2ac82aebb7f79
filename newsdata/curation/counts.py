"""What candidate pairs have in common, kept from one build to the next.

Only counts are kept, and only for articles whose rare shingles are the same, so that the rules can change and a pair
is judged as if it had been counted anew. The file is hashed; a damaged one is as good as none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["Counted", "recall", "remember"]

_SCHEMA = pa.schema(
    [
        ("article_id", pa.list_(pa.string())),
        ("identity", pa.list_(pa.uint64())),
        ("left", pa.list_(pa.int32())),  # positions in article_id
        ("right", pa.list_(pa.int32())),
        ("common", pa.list_(pa.int32())),
        ("facts", pa.list_(pa.int32())),
    ]
)
_HASH = 32  # bytes of SHA-256 at the beginning


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Pairs of rows by `left`, then `right`, `left < right`, and how many shingles and facts each has in common."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    common: NDArray[np.int32]
    facts: NDArray[np.int32]


_NONE = Counted(
    left=np.zeros(0, np.int64),
    right=np.zeros(0, np.int64),
    common=np.zeros(0, np.int32),
    facts=np.zeros(0, np.int32),
)


def remember(path: Path, article_id: pa.Array, identity: NDArray[np.uint64], counted: Sequence[Counted]) -> None:
    """Keep the counts of some batches of pairs in `path`.

    Args:
        article_id, identity: of each row; the identity is a hash of the rare shingles.
        counted: pairs of rows.
    """
    counted = [_NONE, *counted]
    left, right = (np.concatenate([getattr(c, side) for c in counted]) for side in ("left", "right"))
    rows = np.unique(np.concatenate([left, right]))
    values = [
        article_id.take(pa.array(rows)),
        pa.array(identity[rows]),
        pa.array(np.searchsorted(rows, left).astype(np.int32)),
        pa.array(np.searchsorted(rows, right).astype(np.int32)),
        pa.array(np.concatenate([c.common for c in counted])),
        pa.array(np.concatenate([c.facts for c in counted])),
    ]
    lists = [pa.ListArray.from_arrays(pa.array([0, len(v)], pa.int32()), v) for v in values]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SCHEMA, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(pa.table(lists, schema=_SCHEMA))
    data = sink.getvalue()
    part = path.with_name(f"{path.name}.unfinished")
    with part.open("wb") as file:
        file.write(hashlib.sha256(data).digest())
        file.write(data)
    part.replace(path)


def recall(path: Path | None, article_id: pa.Array, identity: NDArray[np.uint64]) -> Counted:
    """The counts in `path` of pairs whose articles are both still there and the same; none where it is damaged.

    Args:
        path: what `remember` wrote, or None.
        article_id, identity: of the rows of this build, sorted by article id.
    """
    try:
        data = path.read_bytes() if path is not None else b""
    except OSError:
        data = b""
    if len(data) <= _HASH or hashlib.sha256(memoryview(data)[_HASH:]).digest() != data[:_HASH]:
        return _NONE
    table = pa.ipc.open_stream(pa.py_buffer(data).slice(_HASH)).read_all()
    held = {name: table[name].chunk(0).flatten() for name in _SCHEMA.names}
    at = pc.fill_null(pc.index_in(held["article_id"], value_set=article_id), -1).to_numpy().astype(np.int64)
    if not len(at) or not len(identity):
        return _NONE
    same = (at >= 0) & (identity[at] == held["identity"].to_numpy())
    at = np.where(same, at, -1)
    left, right = at[held["left"].to_numpy()], at[held["right"].to_numpy()]
    kept = np.flatnonzero((left >= 0) & (right >= 0))
    kept = kept[np.lexsort((right[kept], left[kept]))]
    return Counted(
        left=left[kept],
        right=right[kept],
        common=held["common"].to_numpy()[kept],
        facts=held["facts"].to_numpy()[kept],
    )
