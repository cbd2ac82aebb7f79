"""Signatures of articles: bands, rare shingles, and hashes of text, address and passages.

A signature depends on the article, the list of boilerplate and `method()` alone: it can be kept as long as none of them
changes.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .boilerplate import Boilerplate
from .shingles import combine, shingle, text_table_digest

__all__ = [
    "BANDS",
    "DEDUP_VERSION",
    "SIGNATURE_SCHEMA",
    "method",
    "open_signatures",
    "sign",
    "write_signatures",
]

DEDUP_VERSION = "1"
"""The version of the whole method. Raise it if a rule or a constant changes, or if a library gives another result."""

PERMUTATIONS, SEED = 256, 42
"""Permutations of MinHash, and the seed that chooses them."""
ROWS = 3
"""Permutations in a band. Two articles share a band with a probability of 1 - (1 - J^rows)^bands: 85 bands of 3 find 98 % of
the pairs with a Jaccard similarity of .35 and 90 % of those with .3; 64 bands of 4 find 62 % and 41 %."""
BANDS = PERMUTATIONS // ROWS
"""Bands of a signature: two articles that share one are compared."""

SIGNATURE_SCHEMA = pa.schema(
    [
        ("key", pa.binary()),  # hash of everything that the row depends on; null if `sign` was given no keys
        ("article_id", pa.string()),
        ("day", pa.int32()),  # days since 1970; null if not known
        ("url", pa.uint64()),  # hash of the address; 0 if there is none
        ("exact", pa.uint64()),  # hash of the normalised text; 0 if it has no unit
        ("rare", pa.int32()),  # number of rare shingles: those that are not boilerplate
        ("facts", pa.int32()),  # number of these that hold a number
        ("identity", pa.uint64()),  # hash of the rare shingles
        ("bands", pa.list_(pa.uint32(), BANDS)),
        ("shingles", pa.list_(pa.uint32())),  # the rare ones, sorted
        ("passages", pa.list_(pa.uint64())),
    ]
)


def method() -> dict[str, Any]:
    """What decides signatures and pairs, for the manifest. Signatures of different methods cannot be compared.

    >>> method()["version"]
    '1'
    """
    import rensa

    return {
        "version": DEDUP_VERSION,
        "characters": text_table_digest(),
        "minhash": f"rensa R-MinHash {rensa.RMinHash.ALGORITHM_VERSION}, {PERMUTATIONS}, seed {SEED}",
        "bands": f"{BANDS} of {ROWS}",
    }


def sign(
    article_ids: Sequence[str] | pa.Array,
    texts: Sequence[str],
    days: Sequence[int | None] | pa.Array,
    urls: Sequence[str | None],
    boilerplate: Boilerplate,
    keys: Sequence[bytes] | None = None,
) -> pa.Table:
    """The signatures of some articles: a table with the columns of `SIGNATURE_SCHEMA` and one row for each article.

    Args:
        article_ids: of the articles; no id occurs twice, in any file.
        texts: the words to compare: the text, or the digest or title of an article whose text is empty.
        days: days since 1970; None if not known.
        urls: addresses of the articles; None if not known.
        boilerplate: the dataset's list.
        keys: for each article a hash of everything that its row depends on, so that a later build can take the row over;
            None for no keys.

    >>> none = Boilerplate.of(np.zeros(0, np.uint32))
    >>> sign(["1"], ["今天股市上涨了"], [19000], [None], none)["rare"].to_pylist()
    [3]
    """
    import rensa

    found = shingle(texts)
    rare = ~boilerplate.holds(found.hashes)
    hashes = found.hashes[rare]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(rare)])[found.offsets]
    facts = np.concatenate([np.zeros(1, np.int64), np.cumsum(hashes & 1)])[offsets]
    minima = rensa.RMinHash.digest_matrix_from_flat_token_hashes(hashes.astype(np.uint64), offsets, PERMUTATIONS, SEED)
    rows = np.array(minima.to_rows(), dtype=np.uint64).reshape(-1, PERMUTATIONS)[:, : BANDS * ROWS]
    bands = (combine(rows.reshape(-1, ROWS)) >> np.uint64(32)).astype(np.uint32)
    return pa.table(
        [
            pa.nulls(len(article_ids), pa.binary()) if keys is None else pa.array(keys, pa.binary()),
            pa.array(article_ids, pa.string()),
            pa.array(days, pa.int32()),
            pa.array([_url_key(url) for url in urls], pa.uint64()),
            pa.array(found.exact),
            pa.array(np.diff(offsets).astype(np.int32)),
            pa.array(np.diff(facts).astype(np.int32)),
            pa.array(_identities(hashes, offsets)),
            pa.FixedSizeListArray.from_arrays(pa.array(bands), BANDS),
            pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(hashes)),
            pa.ListArray.from_arrays(pa.array(found.passage_offsets.astype(np.int32)), pa.array(found.passages)),
        ],
        schema=SIGNATURE_SCHEMA,
    )


def _url_key(url: str | None) -> int:
    """A hash of an address without scheme, fragment and final slash; 0 if it is empty."""
    address = (url or "").split("://", 1)[-1].split("#", 1)[0].rstrip("/")
    if not address:
        return 0
    state = hashlib.blake2b(address.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(state.digest(), "little") | 1


def _identities(hashes: NDArray[np.uint32], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """For each article one hash of its shingles."""
    data, ends = hashes.astype("<u4", copy=False).tobytes(), (4 * offsets).tolist()
    states = (hashlib.blake2b(data[begin:end], digest_size=8) for begin, end in pairwise(ends))
    return np.fromiter((int.from_bytes(s.digest(), "little") for s in states), np.uint64, len(ends) - 1)


def write_signatures(signatures: pa.Table, path: Path) -> None:
    """Write a table from `sign` to the file `path`: uncompressed and in one batch, so that it can be mapped into memory."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, SIGNATURE_SCHEMA) as writer:
        writer.write_table(signatures.combine_chunks())


def open_signatures(path: Path, columns: Sequence[str] = SIGNATURE_SCHEMA.names) -> pa.Table:
    """Some columns of a signature file, in one chunk.

    The file is mapped into memory for as long as any part of a column is in use. Copy what is kept longer.
    """
    with path.open("rb") as file:  # Python's map: Arrow's own asks the system for the whole file each time
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    # All columns are read, which costs nothing here: Arrow copies a whole batch if it is asked for some of its fields.
    rows = pa.ipc.open_file(pa.py_buffer(mapped)).read_all().select(columns)
    return rows if rows.num_rows else SIGNATURE_SCHEMA.empty_table().select(columns).combine_chunks()
