"""How much of one set of articles stands in another: by verified pairs, and by passages of 50 units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .pairs import Pairs
from .signatures import open_signatures

__all__ = ["Evidence", "gather", "leaked", "passage_coverage"]

_Which = NDArray[np.bool_]  # of the articles


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What tells a leak, by the position of each article.

    Attributes:
        left, right: the two articles of each pair.
        jaccard, containment: of the pair; 1 for one address.
        owner, passages: the article of each kept passage, and its hash, sorted by the hash. A passage is 50 units in a row; one in 64,
            chosen by its hash, stands for all: about 200 bytes for an article of 1,500 characters.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    jaccard: NDArray[np.float32]
    containment: NDArray[np.float32]
    owner: NDArray[np.int32]
    passages: NDArray[np.uint64]


def gather(pairs: Pairs, files: Sequence[Path], article_ids: pa.Array) -> Evidence:
    """Read it once, for any number of splits.

    Args:
        pairs: from `match`.
        files: signature files that hold these articles.
        article_ids: every article, each once.
    """
    owners, passages = [np.zeros(0, np.int32)], [np.zeros(0, np.uint64)]
    for path in files:
        with open_signatures(path, ["article_id", "passages"]) as rows:
            lengths = pc.list_value_length(rows["passages"]).to_numpy()
            at = pc.index_in(rows["article_id"], value_set=article_ids).to_numpy().astype(np.int32)
            owners.append(np.repeat(at, lengths))
            passages.append(pc.list_flatten(rows["passages"]).to_numpy().copy())
    left, right = (
        pc.index_in(pairs.table[side], value_set=article_ids).to_numpy().astype(np.int64) for side in ("left", "right")
    )
    every, owner = np.concatenate(passages), np.concatenate(owners)
    del passages, owners
    order = np.argsort(every, kind="stable")
    return Evidence(
        left=left,
        right=right,
        jaccard=pc.fill_null(pairs.table["jaccard"], 1.0).to_numpy(),
        containment=pc.fill_null(pairs.table["containment"], 1.0).to_numpy(),
        owner=owner[order],
        passages=every[order],
    )


def leaked(evidence: Evidence, seen: _Which, tested: _Which) -> dict[str, int]:
    """How many of the `tested` articles have a copy among the `seen` ones, by the pairs that were found.

    Args:
        seen: which articles the earlier split (train) holds.
        tested: which ones the later split (test) holds; none of `seen`.

    Returns:
        Articles of which a copy has a Jaccard of at least .5 (`leak_j50`), .8 (`leak_j80`), a containment of
        at least .8 (`leak_c80`), or which have any copy (`leak_any`).

    >>> from .pairs import PAIR_SCHEMA
    >>> row = {"left": "a", "right": "b", "rule": "jaccard", "jaccard": 0.6, "containment": 0.9}
    >>> pairs = Pairs(table=pa.Table.from_pylist([row], PAIR_SCHEMA), report={})
    >>> leaked(gather(pairs, [], pa.array(["a", "b"])), np.array([False, True]), np.array([True, False]))
    {'leak_j50': 1, 'leak_j80': 0, 'leak_c80': 1, 'leak_any': 1}
    """
    masks = {
        "leak_j50": evidence.jaccard >= 0.5,
        "leak_j80": evidence.jaccard >= 0.8,
        "leak_c80": evidence.containment >= 0.8,
        "leak_any": np.ones(len(evidence.left), np.bool_),
    }
    counts = {}
    for name, mask in masks.items():
        articles = [
            other[mask & seen[one] & tested[other]]
            for one, other in ((evidence.left, evidence.right), (evidence.right, evidence.left))
        ]
        counts[name] = len(np.unique(np.concatenate(articles)))
    return counts


def passage_coverage(evidence: Evidence, seen: _Which, tested: _Which) -> float | None:
    """The share of the passages of the `tested` articles that stand in the `seen` ones, word for word.

    Args:
        seen, tested: as for `leaked`.

    Returns:
        A share from 0 to 1, or None where no tested article has a passage.
    """
    asked = evidence.passages[tested[evidence.owner]]
    if not len(asked):
        return None
    known = evidence.passages[seen[evidence.owner]]
    if not len(known):
        return 0.0
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.count_nonzero(known[at] == asked) / len(asked)
