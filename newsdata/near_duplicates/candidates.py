"""Which articles are compared: all two that share a band, found by sorting.

What is in memory of every article is in `Keys`; everything else is read from the signature files for those that need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .signatures import BANDS, MIN_SHINGLES, SIGNATURE_SCHEMA, open_signatures

__all__ = [
    "BUCKET_CAP",
    "MAX_RATIO",
    "NO_DAY",
    "WINDOW",
    "Buckets",
    "Keys",
    "Positions",
    "each_two",
    "find_candidates",
    "groups_of",
    "lists_of",
    "read_keys",
    "runs_of",
]

BUCKET_CAP, WINDOW = 64, 16
"""If more than `BUCKET_CAP` articles share a band, each is compared only with the `WINDOW` articles after it, in the order
of the following bands."""

MAX_RATIO = 3
"""Two articles are compared if one has at most this many times the rare shingles of the other."""

Positions = NDArray[np.int64]
"""Of articles, in the order of their ids."""

_PENDING = 1 << 20  # pairs that are collected before those that were found twice are dropped: 8 MB
_BANDS_BYTES = 1 << 23  # bytes of bands that are in memory at once; at least a few bands are
_FOLLOWING = 3  # bands after a band by which its large buckets are sorted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keys:
    """What is in memory of every article, in the order of the article ids.

    Attributes:
        files: the signature files.
        places: for each file the position of each of its rows among all articles.
        article_id and the others: columns of the signatures; `NO_DAY` for no day. Empty, if it was not asked for.
    """

    files: Sequence[Path]
    places: Sequence[NDArray[np.int32]]
    article_id: pa.Array
    day: NDArray[np.int32]
    url: NDArray[np.uint64]
    exact: NDArray[np.uint64]
    whole: NDArray[np.uint64]
    digest: NDArray[np.uint64]
    head: NDArray[np.uint64]
    heading: NDArray[np.uint64]
    script: NDArray[np.uint8]
    language: NDArray[np.uint32]
    units: NDArray[np.int32]
    short: NDArray[np.bool_]
    rare: NDArray[np.int32]
    facts: NDArray[np.int32]
    identity: NDArray[np.uint64]


NO_DAY = 1 << 30
"""Stands for the day of an article without one."""
_NUMBERS = (
    "day",
    "url",
    "exact",
    "whole",
    "digest",
    "head",
    "heading",
    "script",
    "language",
    "units",
    "short",
    "rare",
    "facts",
    "identity",
)


def read_keys(files: Sequence[Path], columns: Sequence[str] = _NUMBERS) -> Keys:
    """Read what is kept in memory of every article from signature files.

    Args:
        files: of all articles.
        columns: those to read, by name; the article ids are always read.
    """
    names = [pa.array([], pa.string())]
    numbers: dict[str, list[NDArray[Any]]] = {
        name: [np.zeros(0, SIGNATURE_SCHEMA.field(name).type.to_pandas_dtype())] for name in _NUMBERS
    }
    for path in files:
        rows = open_signatures(path, ["article_id", *columns])
        names.append(rows["article_id"].chunk(0).take(pa.array(np.arange(rows.num_rows))))  # copied from the map
        for name in columns:
            column = rows[name].fill_null(NO_DAY) if name == "day" else rows[name]
            numbers[name].append(column.to_numpy().copy())  # so that the file does not stay mapped
    ends = np.cumsum([len(some) for some in names[1:]])
    article_id = pa.concat_arrays(names)
    del names
    order = pc.sort_indices(article_id).to_numpy()
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    return Keys(
        files=files,
        places=np.split(place, ends)[:-1],
        article_id=article_id.take(pa.array(order)),
        **{name: np.concatenate(numbers[name])[order if name in columns else []] for name in _NUMBERS},
    )


def _bands(keys: Keys, first: int, count: int) -> NDArray[np.uint64]:
    """`count` bands of all articles from band `first` on, one row each. After the last band comes the first one.

    Articles are in the order of the files here.
    """
    values = np.empty((count, len(keys.rare)), np.uint64)
    begin = 0
    for path, place in zip(keys.files, keys.places, strict=True):
        some = open_signatures(path, ["bands"])["bands"].chunk(0).flatten().to_numpy().reshape(-1, BANDS)
        for k in range(count):
            values[k, begin : begin + len(place)] = some[:, (first + k) % BANDS]
        begin += len(place)
    return values


def groups_of(values: NDArray[np.integer]) -> tuple[Positions, Positions]:
    """Where each run of equal values begins, and its length."""
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.zeros(0, int)
    return begins, np.diff(begins, append=len(values))


def runs_of(weight: NDArray[np.integer], most: int) -> Iterator[slice]:
    """Entries in a row that weigh at most `most` together, or one entry: all of them, run after run.

    >>> [*runs_of(np.array([2, 3, 9, 1]), 5)]
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    total, begin = np.cumsum(weight, dtype=np.int64), 0
    while begin < len(total):
        spent = int(total[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, spent + most, "right")))
        yield slice(begin, end)
        begin = end


@dataclass(slots=True)
class Buckets:
    """The number of bands that more than `BUCKET_CAP` articles share, and the most articles that share one."""

    large: int = 0
    largest: int = 0


def find_candidates(keys: Keys, number: int = 0, count: int = 1) -> tuple[Positions, Positions, Buckets]:
    """All pairs of articles that say enough, have one script, do not differ too much in size and share a band.

    Args:
        keys: of all articles, with the columns `rare` and `script`.
        number, count: only bands whose remainder by `count` is `number` are looked at, so that several calls find all pairs.

    Returns:
        left, right: each pair once, `left < right`, sorted; and the crowded buckets.
    """
    total, buckets = len(keys.rare), Buckets()
    rows = np.concatenate([np.zeros(0, np.int32), *keys.places])  # the position of each row of the files
    signed = np.flatnonzero(keys.rare[rows] >= MIN_SHINGLES)
    where = np.empty(total, np.int32)  # the row of the files for each position
    where[rows] = np.arange(total)
    codes = np.zeros(0, np.int64)
    pending: list[Positions] = []
    together = max(8, _BANDS_BYTES // max(8 * total, 1))
    for band in range(BANDS):
        here = band % together
        if here == 0:
            bands = _bands(keys, band, min(together, BANDS - band) + _FOLLOWING)
        some = signed if count == 1 else signed[bands[here, signed] % np.uint64(count) == number]
        members, sizes = _shared(bands[here], rows, some, where)
        begins = np.cumsum(sizes) - sizes
        for size in np.unique(sizes[sizes <= BUCKET_CAP]).tolist():
            some = members[begins[sizes == size][:, None] + np.arange(size)]
            one, two = each_two(size)
            pending.append(_comparable(keys, some[:, one].ravel(), some[:, two].ravel()))
        for begin, size in zip(begins[sizes > BUCKET_CAP].tolist(), sizes[sizes > BUCKET_CAP].tolist(), strict=True):
            buckets.large += 1
            buckets.largest = max(buckets.largest, size)
            some = members[begin : begin + size]
            following = [bands[here + k, where[some]] for k in range(_FOLLOWING, 0, -1)]
            some = some[np.lexsort((some, *following))]
            for step in range(1, WINDOW + 1):
                one, two = some[:-step], some[step:]
                pending.append(_comparable(keys, np.minimum(one, two), np.maximum(one, two)))
        if band == BANDS - 1 or sum(map(len, pending)) > _PENDING:
            codes = np.concatenate([codes, *pending])
            codes.sort()
            codes = codes[groups_of(codes)[0]]
            pending = []
    return codes // max(total, 1), codes % max(total, 1), buckets


def _shared(
    values: NDArray[np.uint64], rows: NDArray[np.int32], signed: Positions, where: NDArray[np.int32]
) -> tuple[Positions, NDArray[np.int64]]:
    """The articles that share one band with another: bucket after bucket, by position; and the size of each bucket.

    Args:
        values: the band of each row of the files.
        rows: the position of each row.
        signed: the rows that are compared.
        where: the row of each position.
    """
    # Sorted by half of the band, then by position, both in one number: several times as fast as `argsort` of the bands.
    order = values.take(signed) & np.uint64(0xFFFF_FFFF_0000_0000)
    order |= rows[signed].astype(np.uint64)
    order.sort()
    half = order >> np.uint64(32)
    same = half[1:] == half[:-1]
    chosen = np.concatenate([same, [False]]) | np.concatenate([[False], same]) if len(order) else np.zeros(0, np.bool_)
    members = (order[chosen] & np.uint64(0xFFFF_FFFF)).astype(np.int64)  # few, because most bands occur only once
    whole = values[where[members]]
    by_band = np.argsort(whole, kind="stable")
    members = members[by_band]
    sizes = groups_of(whole[by_band])[1]
    several = np.repeat(sizes > 1, sizes)
    return members[several], sizes[sizes > 1]


@cache
def each_two(size: int) -> tuple[Positions, Positions]:
    """Each two of `size` members, by their number."""
    one, two = np.triu_indices(size, 1)
    return one, two


def _comparable(keys: Keys, left: Positions, right: Positions) -> Positions:
    """The pairs of one script whose sizes do not differ too much, each as one number: left * articles + right."""
    one, two = keys.rare[left].astype(np.int64), keys.rare[right].astype(np.int64)
    kept = np.maximum(one, two) <= MAX_RATIO * np.minimum(one, two)
    kept &= keys.script[left] == keys.script[right]
    codes: Positions = left[kept] * len(keys.rare) + right[kept]
    return codes


def lists_of(keys: Keys, rows: Positions, column: str) -> dict[int, NDArray[np.uint32]]:
    """A list column of some articles, by position. The lists are copied, so that no file stays mapped."""
    wanted = np.zeros(len(keys.rare), np.bool_)
    wanted[rows] = True
    held: dict[int, NDArray[np.uint32]] = {}
    for path, place in zip(keys.files, keys.places, strict=True):
        some = np.flatnonzero(wanted[place])
        if not len(some):
            continue
        lists = open_signatures(path, [column])[column].chunk(0)
        offsets, values = lists.offsets.to_numpy(), lists.values.to_numpy()
        for row, at in zip(place[some].tolist(), some.tolist(), strict=True):
            held[row] = values[offsets[at] : offsets[at + 1]].copy()
        del lists, offsets, values
    return held
