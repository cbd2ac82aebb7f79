"""Candidates: all two articles that share a whole band, each pair once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from newsdata.near_duplicates.candidates import find_candidates, read_keys
from newsdata.near_duplicates.signatures import BANDS, Words, sign, write_signatures

from .made_articles import NONE, words


def with_bands(folder: Path, bands: np.ndarray) -> list[Path]:
    """Signature files of as many articles as there are rows in `bands`."""
    count = len(bands)
    table = sign([f"{k}" for k in range(count)], Words.of([words(k) for k in range(count)]), [1] * count, NONE)
    column = pa.FixedSizeListArray.from_arrays(pa.array(bands.astype(np.uint64).ravel()), BANDS)
    table = table.set_column(table.schema.get_field_index("bands"), "bands", column)
    write_signatures(table, folder / "some")
    return [folder / "some"]


def test_bands_are_compared_whole(tmp_path: Path) -> None:
    """The upper halves are equal in articles 0, 1 and 2; the whole band is equal in 0 and 2 alone."""
    bands = np.arange(4 * BANDS, dtype=np.uint64).reshape(4, BANDS) << np.uint64(40)
    bands[:3, 5] = (7 << 32) + np.array([1, 2, 1])
    left, right, buckets = find_candidates(read_keys(with_bands(tmp_path, bands)))
    assert (left.tolist(), right.tolist(), buckets.large) == ([0], [2], 0)


def test_a_pair_that_shares_many_bands_counts_once(tmp_path: Path) -> None:
    bands = np.arange(3 * BANDS, dtype=np.uint64).reshape(3, BANDS) << np.uint64(32)
    bands[1] = bands[2]
    left, right, _ = find_candidates(read_keys(with_bands(tmp_path, bands)))
    assert (left.tolist(), right.tolist()) == ([1], [2])
