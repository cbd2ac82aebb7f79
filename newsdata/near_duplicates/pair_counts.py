"""How many shingles the candidate pairs have in common, kept from one build to the next.

Only these counts are kept, under the hashes of the two sets of rare shingles. The rules are applied to the counts anew
each time, so a change of the rules needs no new counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["Counted", "Remembered", "recall", "remember"]

_SCHEMA = pa.schema(
    [
        ("identity", pa.list_(pa.uint64())),  # sorted, each once
        ("left", pa.list_(pa.int32())),  # a position in identity; left <= right
        ("right", pa.list_(pa.int32())),
        ("common", pa.list_(pa.int32())),
        ("facts", pa.list_(pa.int32())),
    ]
)

_Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Candidate pairs and what their articles have in common.

    Attributes:
        left, right: positions of the two articles, `left < right`; sorted by `left`, then `right`.
        common: the number of rare shingles that both have.
        facts: the number of these that hold a number.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    common: _Numbers
    facts: _Numbers

    def rows(self, begin: int, end: int) -> Counted:
        """The pairs from `begin` to before `end`."""
        some = slice(begin, end)
        return Counted(left=self.left[some], right=self.right[some], common=self.common[some], facts=self.facts[some])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remembered:
    """Counts that were kept. An article is known by its identity: the hash of its rare shingles.

    Attributes:
        identity: all identities, sorted, each once.
        pairs: each pair as one number, sorted: lower position in `identity` * number of identities + higher position.
        common, facts: of each pair, as in `Counted`.
    """

    identity: NDArray[np.uint64]
    pairs: NDArray[np.int64]
    common: _Numbers
    facts: _Numbers

    def find(self, left: NDArray[np.uint64], right: NDArray[np.uint64]) -> tuple[_Numbers, _Numbers, NDArray[np.bool_]]:
        """Look up pairs of identities.

        Returns:
            `common` and `facts` of each pair (0 if it is not remembered), and whether it is remembered.
        """
        common, facts = np.zeros(len(left), np.int32), np.zeros(len(left), np.int32)
        if not len(self.pairs):
            return common, facts, np.zeros(len(left), np.bool_)
        one, one_known = _find_sorted(self.identity, left)
        two, two_known = _find_sorted(self.identity, right)
        at, known = _find_sorted(self.pairs, np.minimum(one, two) * len(self.identity) + np.maximum(one, two))
        known &= one_known & two_known
        common[known], facts[known] = self.common[at[known]], self.facts[at[known]]
        return common, facts, known


def _find_sorted(
    values: NDArray[np.integer], wanted: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each of `wanted` its position in the sorted `values`, and whether it is one of them."""
    at = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return at, values[at] == wanted


def remember(path: Path, identity: NDArray[np.uint64], counted: Counted) -> None:
    """Write the counts of some pairs to the file `path`.

    Args:
        path: the file to write.
        identity: for each article the hash of its rare shingles.
        counted: the pairs.
    """
    left, right = identity[counted.left], identity[counted.right]
    names = np.unique(np.concatenate([left, right]))
    one, two = np.searchsorted(names, left), np.searchsorted(names, right)
    pairs, first = np.unique(np.minimum(one, two) * max(len(names), 1) + np.maximum(one, two), return_index=True)
    values = [
        pa.array(names),
        pa.array((pairs // max(len(names), 1)).astype(np.int32)),
        pa.array((pairs % max(len(names), 1)).astype(np.int32)),
        pa.array(counted.common[first]),
        pa.array(counted.facts[first]),
    ]
    lists = [pa.ListArray.from_arrays(pa.array([0, len(v)], pa.int32()), v) for v in values]
    with (
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_stream(file, _SCHEMA, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer,
    ):
        writer.write_table(pa.table(lists, schema=_SCHEMA))


def recall(path: Path | None) -> Remembered:
    """Read what `remember` wrote to `path`; no counts if `path` is None."""
    if path is None:
        none = np.zeros(0, np.int32)
        return Remembered(identity=np.zeros(0, np.uint64), pairs=np.zeros(0, np.int64), common=none, facts=none)
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
        table = reader.read_all()
    held = {name: table[name].chunk(0).flatten().to_numpy() for name in _SCHEMA.names}
    return Remembered(
        identity=held["identity"],
        pairs=held["left"].astype(np.int64) * len(held["identity"]) + held["right"],
        common=held["common"],
        facts=held["facts"],
    )
