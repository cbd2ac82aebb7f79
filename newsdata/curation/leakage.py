"""How much of one set of articles stands in another: by verified pairs, and by passages of 50 units."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .pairs import Pairs
from .signatures import SIGNATURE_SCHEMA

__all__ = ["leaked", "passage_coverage"]


def leaked(pairs: Pairs, seen: Collection[str], tested: Collection[str]) -> dict[str, int]:
    """How many articles of `tested` have a copy in `seen`, among the pairs that were found.

    Args:
        pairs: from `match`.
        seen: article ids of the earlier split (train).
        tested: article ids of the later one (test); disjoint from `seen`.

    Returns:
        Articles of which a copy has a Jaccard of at least .5 (`leak_j50`), .8 (`leak_j80`), a containment of
        at least .8 (`leak_c80`), or which have any copy (`leak_any`).

    >>> from .pairs import PAIR_SCHEMA
    >>> row = {"left": "a", "right": "b", "rule": "jaccard", "jaccard": 0.6, "containment": 0.9}
    >>> leaked(Pairs(table=pa.Table.from_pylist([row], PAIR_SCHEMA), report={}), {"b"}, {"a"})
    {'leak_j50': 1, 'leak_j80': 0, 'leak_c80': 1, 'leak_any': 1}
    """
    table = pairs.table
    seen_ids, tested_ids = pa.array(seen, pa.string()), pa.array(tested, pa.string())
    best: dict[str, set[str]] = {"leak_j50": set(), "leak_j80": set(), "leak_c80": set(), "leak_any": set()}
    for one, other in (("left", "right"), ("right", "left")):
        across = pc.and_(pc.is_in(table[one], seen_ids), pc.is_in(table[other], tested_ids))
        rows = table.filter(across)
        jaccard, containment = pc.fill_null(rows["jaccard"], 1.0), pc.fill_null(rows["containment"], 1.0)
        for name, mask in (
            ("leak_j50", pc.greater_equal(jaccard, 0.5)),
            ("leak_j80", pc.greater_equal(jaccard, 0.8)),
            ("leak_c80", pc.greater_equal(containment, 0.8)),
        ):
            best[name].update(rows.filter(mask)[other].to_pylist())
        best["leak_any"].update(rows[other].to_pylist())
    return {name: len(articles) for name, articles in best.items()}


def passage_coverage(files: Sequence[Path], seen: Collection[str], tested: Collection[str]) -> float | None:
    """The share of the passages of `tested` that stand in `seen`, word for word.

    A passage is 50 units in a row; one in 64, chosen by its hash, stands for all. Memory: about 400 bytes for
    each article of `seen` of 1,500 characters.

    Args:
        files: signature files that hold all these articles.
        seen, tested: article ids.

    Returns:
        A share from 0 to 1, or None where no article of `tested` has a passage.
    """
    seen_ids, tested_ids = pa.array(seen, pa.string()), pa.array(tested, pa.string())
    known = np.unique(
        np.concatenate([np.zeros(0, np.uint64), *(_passages(path, seen_ids) for path in files)])
    )
    total = found = 0
    for path in files:
        passages = _passages(path, tested_ids)
        total += len(passages)
        if len(known):
            at = np.minimum(np.searchsorted(known, passages), len(known) - 1)
            found += int(np.count_nonzero(known[at] == passages))
    return found / total if total else None


def _passages(path: Path, article_ids: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    columns = ["article_id", "passages"]
    at = [SIGNATURE_SCHEMA.get_field_index(name) for name in columns]
    with pa.OSFile(str(path)) as source:
        table = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=at)).read_all()
    rows = table.filter(pc.is_in(table["article_id"], article_ids)).combine_chunks()
    passages: np.ndarray[tuple[int], np.dtype[np.uint64]] = pc.list_flatten(rows["passages"]).to_numpy()
    return passages
