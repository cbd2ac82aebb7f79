"""Near-duplicates: signatures per file, verified pairs over all files, clusters with frozen ids.

::

    texts of a file --sign--> signature file --match--> Pairs --assign--> Clusters
          (worker processes)                  (main process)   (+ ledger)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .shingles import Boilerplate, shingle

__all__ = ["BANDS", "DEDUP_VERSION", "SIGNATURE_SCHEMA", "sign"]

DEDUP_VERSION = "1"
PERMUTATIONS = 256
SEED = 42
ROWS = 3
BANDS = PERMUTATIONS // ROWS
MIN_RARE = 8
SHORT_DAYS = 3
BUCKET_CAP = 128

SIGNATURE_SCHEMA = pa.schema(
    [
        ("article_id", pa.string()),
        ("day", pa.int32()),
        ("url", pa.uint64()),
        ("exact", pa.uint64()),
        ("bands", pa.list_(pa.uint32(), BANDS)),
        ("shingles", pa.list_(pa.uint32())),
    ]
)


def sign(article_ids: Sequence[str], texts: Sequence[str], days: Sequence[int | None], urls: Sequence[str | None], boilerplate: Boilerplate) -> pa.Table:
    import rensa

    found = shingle(texts)
    keep = ~boilerplate.holds(found.hashes)
    rare = found.hashes[keep]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(keep)])[found.offsets]
    digests = rensa.RMinHash.digest_matrix_from_flat_token_hashes(rare.astype(np.uint64), offsets, PERMUTATIONS, SEED).to_rows()
    rows = np.array(digests, dtype=np.uint64)[:, : BANDS * ROWS].reshape(-1, BANDS, ROWS)
    from .shingles import _MULTIPLIERS, _mix
    bands = (_mix((rows * _MULTIPLIERS[:ROWS]).sum(axis=2, dtype=np.uint64)) >> np.uint64(32)).astype(np.uint32)
    return pa.table(
        [
            pa.array(article_ids, pa.string()),
            pa.array(days, pa.int32()),
            pa.array([url_key(u) for u in urls], pa.uint64()),
            pa.array(found.exact),
            pa.FixedSizeListArray.from_arrays(pa.array(bands.ravel()), BANDS),
            pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(rare)),
        ],
        schema=SIGNATURE_SCHEMA,
    )


def url_key(url: str | None) -> int:
    if not url:
        return 0
    address = url.split("://", 1)[-1].split("#", 1)[0].rstrip("/")
    return int.from_bytes(hashlib.blake2b(address.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") | 1
