"""Signatures of articles: bands, rare shingles, units in order, and hashes of text, digest, address and passages.

A signature depends on the article, the list of boilerplate and `method()` alone: it can be kept as long as none of them
changes.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .boilerplate import Boilerplate
from .shingles import shingle
from .units import Hashes, combine, text_table_digest, unit_lists

__all__ = [
    "BANDS",
    "DEDUP_VERSION",
    "MIN_SHINGLES",
    "SIGNATURE_SCHEMA",
    "Words",
    "method",
    "open_signatures",
    "sign",
    "write_signatures",
]

DEDUP_VERSION = "2"
"""The version of the whole method. Raise it if a rule or a constant changes, or if a library gives another result."""

PERMUTATIONS, SEED = 192, 42
"""Permutations of MinHash, and the seed that chooses them."""
ROWS = 3
"""Permutations in a band. Two articles share a band with a probability of 1 - (1 - J^rows)^bands: 64 bands of 3 find 99 % of
the pairs with a Jaccard similarity of .42, 98.5 % of those with .4 and 94 % of those with .35."""
BANDS = PERMUTATIONS // ROWS
"""Bands of a signature: two articles that share one are compared."""

MIN_SHINGLES = 8
"""A text with fewer shingles says little by itself ("see attachment"): it is compared by title, digest and text together,
and only with equal ones."""

TITLE_UNITS = 48
"""The units of a title that are kept."""
MIN_DIGEST, MIN_TITLE, MIN_HEADING = 8, 4, 10
"""A digest with fewer units is no link between articles; nor is a title, with the text's beginning or alone."""

DIGEST_UNITS = 160
"""The units of a digest that are kept."""

SIGNATURE_SCHEMA = pa.schema(
    [
        ("key", pa.binary()),  # hash of everything that the row depends on; null if `sign` was given no keys
        ("article_id", pa.string()),
        ("day", pa.int32()),  # days since 1970; null if not known
        ("url", pa.uint64()),  # hash of the address; 0 if there is none
        ("exact", pa.uint64()),  # hash of the normalised text; 0 if it has no unit
        ("whole", pa.uint64()),  # the same; of a text that says little, a hash of title, digest and text
        ("digest", pa.uint64()),  # hash of the normalised digest; 0 if it is short
        ("head", pa.uint64()),  # hash of the title and the first units of the text; 0 if one of them is short
        ("heading", pa.uint64()),  # hash of the title; 0 if it is short
        ("script", pa.uint8()),  # a position in `units.SCRIPTS`
        ("language", pa.uint32()),  # hash of the language that the post names; see `_language_key`
        ("units", pa.int32()),  # number of units of the text
        ("short", pa.bool_()),  # whether these are few
        ("rare", pa.int32()),  # number of rare shingles: those that are not boilerplate
        ("facts", pa.int32()),  # number of these that hold a number
        ("identity", pa.uint64()),  # hash of the rare shingles
        ("bands", pa.list_(pa.uint64(), BANDS)),
        ("shingles", pa.list_(pa.uint32())),  # the rare ones, sorted; see `shingles.Shingles`
        ("passages", pa.list_(pa.uint64())),
        ("title", pa.list_(pa.uint32())),  # units in order, the lowest bit of a number is set
        ("digest_words", pa.list_(pa.uint32())),  # the same
        ("words", pa.list_(pa.uint32())),  # the text's units in order; none of a long text or of one that says little
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is compared of some articles, one entry each.

    Attributes:
        texts: the text, or the digest or title of an article whose text is empty.
        titles, digests, urls, langs: "" or None if there is none. A lang is a language tag, such as "zh-Hant".
    """

    texts: Sequence[str]
    titles: Sequence[str | None]
    digests: Sequence[str | None]
    urls: Sequence[str | None]
    langs: Sequence[str | None]

    @staticmethod
    def of(texts: Sequence[str]) -> Words:
        """Texts without title, digest, address and language."""
        none = [None] * len(texts)
        return Words(texts=texts, titles=none, digests=none, urls=none, langs=none)


def method() -> dict[str, Any]:
    """What decides signatures and pairs, for the manifest. Signatures of different methods cannot be compared.

    >>> method()["version"]
    '2'
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
    words: Words,
    days: Sequence[int | None] | pa.Array,
    boilerplate: Boilerplate,
    keys: Sequence[bytes] | None = None,
) -> pa.Table:
    """The signatures of some articles: a table with the columns of `SIGNATURE_SCHEMA` and one row for each article.

    Args:
        article_ids: of the articles; no id occurs twice, in any file.
        words: what is compared of each.
        days: days since 1970; None if not known.
        boilerplate: the dataset's list.
        keys: for each article a hash of everything that its row depends on, so that a later build can take the row over;
            None for no keys.

    >>> none = Boilerplate.of(np.zeros(0, np.uint32))
    >>> sign(["1"], Words.of(["今天股市上涨了"]), [19000], none)["rare"].to_pylist()
    [3]
    """
    import rensa

    found = shingle(words.texts)
    titles = unit_lists([title or "" for title in words.titles], TITLE_UNITS)
    digests = unit_lists([digest or "" for digest in words.digests], DIGEST_UNITS)
    rare = ~boilerplate.holds(found.hashes)
    hashes = found.hashes[rare]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(rare)])[found.offsets]
    facts = np.concatenate([np.zeros(1, np.int64), np.cumsum(hashes & 1)])[offsets]
    minima = rensa.RMinHash.digest_matrix_from_flat_token_hashes(hashes.astype(np.uint64), offsets, PERMUTATIONS, SEED)
    rows = np.array(minima.to_rows(), dtype=np.uint64).reshape(-1, ROWS)
    little = np.diff(found.offsets) < MIN_SHINGLES
    whole = _together(titles.exact, digests.exact, found.exact)
    head = _together(titles.exact, found.lead)
    listed = _rows_kept(found.units.offsets, found.units.units, ~little)
    return pa.table(
        [
            pa.nulls(len(article_ids), pa.binary()) if keys is None else pa.array(keys, pa.binary()),
            pa.array(article_ids, pa.string()),
            pa.array(days, pa.int32()),
            pa.array([_url_key(url) for url in words.urls], pa.uint64()),
            pa.array(found.exact),
            pa.array(np.where(little, whole, found.exact)),
            pa.array(np.where(digests.sizes >= MIN_DIGEST, digests.exact, np.uint64(0))),
            pa.array(np.where((titles.sizes >= MIN_TITLE) & (found.lead != 0), head, np.uint64(0))),
            pa.array(np.where(titles.sizes >= MIN_HEADING, titles.exact, np.uint64(0))),
            pa.array(found.script),
            pa.array([_language_key(lang) for lang in words.langs], pa.uint32()),
            pa.array(found.units.sizes.astype(np.int32)),
            pa.array(found.short),
            pa.array(np.diff(offsets).astype(np.int32)),
            pa.array(np.diff(facts).astype(np.int32)),
            pa.array(_identities(hashes, offsets)),
            pa.FixedSizeListArray.from_arrays(pa.array(combine(rows)), BANDS),
            _lists(offsets, hashes),
            _lists(found.passage_offsets, found.passages),
            _lists(titles.offsets, titles.units),
            _lists(digests.offsets, digests.units),
            listed,
        ],
        schema=SIGNATURE_SCHEMA,
    )


def _lists(offsets: NDArray[np.int64], values: NDArray[np.integer]) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))


def _rows_kept(offsets: NDArray[np.int64], values: NDArray[np.uint32], kept: NDArray[np.bool_]) -> pa.ListArray:
    """The lists of the kept rows; those of the others are empty."""
    sizes = np.diff(offsets)
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.where(kept, sizes, 0))])
    return _lists(ends, values[np.repeat(kept, sizes)])


def _together(*parts: Hashes) -> Hashes:
    """One hash for each row of some columns of hashes; 0 where all of them are 0."""
    columns = np.stack(parts, axis=1)
    return np.where(columns.any(axis=1), combine(columns) | np.uint64(1), np.uint64(0))


def _url_key(url: str | None) -> int:
    """A hash of an address without scheme, fragment and final slash; 0 if it is empty."""
    address = (url or "").split("://", 1)[-1].split("#", 1)[0].rstrip("/")
    if not address:
        return 0
    state = hashlib.blake2b(address.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(state.digest(), "little") | 1


def _language_key(lang: str | None) -> int:
    """A hash of a language tag: 16 bits of the language, then 16 bits of script and region; 0 where it names none."""
    language, _, region = (lang or "").lower().replace("_", "-").partition("-")
    states = (hashlib.blake2b(part.encode("utf-8", "surrogatepass"), digest_size=2) for part in (language, region))
    one, two = (int.from_bytes(state.digest(), "little") | 1 for state in states)
    return (one << 16 | (two if region else 0)) if language else 0


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
