"""From signature files to verified pairs of near-copies.

Candidates are articles that share a band. Their common rare shingles are counted exactly, and the rules below decide. A
shingle is rare if it is not boilerplate. Whether two articles are a pair depends on their two signatures alone, and never on
the order of files or articles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .pair_counts import Counted, Remembered, recall, remember
from .signatures import BANDS, SIGNATURE_SCHEMA, open_signatures

__all__ = ["CONTAINMENT", "JACCARD", "PAIR_SCHEMA", "Pairs", "match"]

MIN_RARE = 8
"""Articles with fewer rare shingles are *short*. They are pairs only if their texts are equal: with so few shingles the
Jaccard similarity is too coarse."""
SHORT_DAYS = 3
"""The most days between two short articles of equal text. Further apart it is the same phrase, but not the same news."""

JACCARD = 0.35
"""Rule A (`duplicate_cluster`): the Jaccard similarity of the rare shingles is at least this. Measured with
`scripts/quality.py`: .5 misses copies with 30 to 40 % of the paragraphs replaced (recall .83 to .95), .35 finds them (.92
to .99) and is as precise, because facts are compared, too."""
CONTAINMENT, MAX_RATIO = 0.6, 3
"""Rule C (`leak_group`): rule A, or at least this share of the smaller article's rare shingles is in the larger one, which
has at most 3 times as many."""
FACTS = 0.6
"""A pair needs at least this ratio of the share of common facts to the share of other common shingles. A fact is a shingle
that holds a number. Filled forms have words in common, but not numbers; an edited copy loses both alike."""
FACT_SHARE = 0.05
"""If less than this share of the smaller article's shingles are facts, facts are not compared."""

BUCKET_CAP, WINDOW = 64, 16
"""If more than `BUCKET_CAP` articles share a band, each is compared only with the `WINDOW` articles after it, in the order
of the following bands."""
URL_CAP = 20
"""An address that more articles than this have does not make them pairs."""

_Positions = NDArray[np.int64]  # of articles, in the order of their ids
_PENDING = 1 << 20  # candidate pairs that are collected before they are verified: 8 MB
_BLOCK = 1 << 20  # shingles that are in memory at once: 4 MB
_BANDS_BYTES = 1 << 23  # bytes of bands that are in memory at once; at least a few bands are
_FOLLOWING = 3  # bands after a band by which its large buckets are sorted
_REMEMBERED = 1 << 21  # candidate pairs whose counts are kept for the next build: 32 MB

PAIR_SCHEMA = pa.schema(
    [
        ("left", pa.string()),  # article ids, left < right
        ("right", pa.string()),
        ("rule", pa.string()),  # "jaccard" (rule A), "containment" (rule C alone), "text" or "url"
        ("jaccard", pa.float32()),  # of the rare shingles; 1 for equal short texts; null for "url"
        ("containment", pa.float32()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of articles that are near-copies of each other.

    Attributes:
        table: with the columns of `PAIR_SCHEMA`, sorted by `left` and `right`, each pair once.
        report: counts for the manifest: `articles`; `short` ones; `candidates`; `pairs` by rule; `large_buckets` (bands
            that more than `BUCKET_CAP` articles share) and the `largest_bucket`; `shared_urls` (addresses that more than
            `URL_CAP` articles have).
    """

    table: pa.Table
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Keys:
    """What is in memory of every article, in the order of the article ids.

    Attributes:
        files: the signature files.
        places: for each file the position of each of its rows among all articles.
        article_id, day, url, exact, rare, facts, identity: columns of the signatures; `_NO_DAY` for no day.
    """

    files: Sequence[Path]
    places: Sequence[NDArray[np.int32]]
    article_id: pa.Array
    day: NDArray[np.int32]
    url: NDArray[np.uint64]
    exact: NDArray[np.uint64]
    rare: NDArray[np.int32]
    facts: NDArray[np.int32]
    identity: NDArray[np.uint64]


_NO_DAY = 1 << 30
_NUMBERS = ("day", "url", "exact", "rare", "facts", "identity")


def _read_keys(files: Sequence[Path]) -> _Keys:
    names = [pa.array([], pa.string())]
    numbers: dict[str, list[NDArray[Any]]] = {
        name: [np.zeros(0, SIGNATURE_SCHEMA.field(name).type.to_pandas_dtype())] for name in _NUMBERS
    }
    for path in files:
        rows = open_signatures(path, ["article_id", *_NUMBERS])
        names.append(rows["article_id"].chunk(0).take(pa.array(np.arange(rows.num_rows))))  # copied from the map
        for name in _NUMBERS:
            numbers[name].append(np.array(rows[name].fill_null(_NO_DAY)))
    ends = np.cumsum([len(some) for some in names[1:]])
    article_id = pa.concat_arrays(names)
    del names
    order = pc.sort_indices(article_id).to_numpy()
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    return _Keys(
        files=files,
        places=np.split(place, ends)[:-1],
        article_id=article_id.take(pa.array(order)),
        **{name: np.concatenate(numbers.pop(name))[order] for name in _NUMBERS},
    )


def _bands(keys: _Keys, first: int, count: int) -> NDArray[np.uint32]:
    """`count` bands of all articles from band `first` on, one row each. After the last band comes the first one.

    Articles are in the order of the files here.
    """
    values = np.empty((count, len(keys.rare)), np.uint32)
    begin = 0
    for path, place in zip(keys.files, keys.places, strict=True):
        some = open_signatures(path, ["bands"])["bands"].chunk(0).flatten().to_numpy().reshape(-1, BANDS)
        for k in range(count):
            values[k, begin : begin + len(place)] = some[:, (first + k) % BANDS]
        begin += len(place)
    return values


def match(files: Sequence[Path], *, seed: Path | None = None, counts: Path | None = None) -> Pairs:
    """Find and verify all pairs among the articles of signature files.

    Candidates are searched among all articles each time, which is cheap. The common shingles of two articles are only
    counted if `seed` does not know these two sets of shingles.

    Memory: about 0.2 KB an article, plus 0.1 GB if there are millions of candidates. Bands are read from the files a few
    at a time, and shingles for candidates only.

    Args:
        files: from `write_signatures`, in any order; together they have each article once.
        seed: the file `counts` of an earlier call, or None; the pairs are the same without it.
        counts: the file to write for the next call: what candidates have in common; None to write none.

    >>> match([]).table.num_rows
    0
    """
    keys = _read_keys(files)
    known = recall(seed)
    buckets = _Buckets()
    parts = [_short_pairs(keys), url_pairs := _url_pairs(keys)]
    counted: list[Counted] = []
    candidates = 0
    for left, right in _candidates(keys, buckets):
        some = _counted(keys, left, right, known)
        parts.append(_verified(keys, some))
        if candidates < _REMEMBERED:
            counted.append(some)
        candidates += len(left)
    if counts is not None:
        remember(counts, keys.identity, counted)
    table = _pair_table(keys, parts)
    rules = {str(count["values"]): count["counts"] for count in pc.value_counts(table["rule"]).to_pylist()}
    return Pairs(
        table=table,
        report={
            "articles": len(keys.rare),
            "short": int((keys.rare < MIN_RARE).sum()),
            "candidates": candidates,
            "pairs": dict(sorted(rules.items())),
            "large_buckets": buckets.large,
            "largest_bucket": buckets.largest,
            "shared_urls": url_pairs.left_out,
        },
    )


@dataclass(slots=True)
class _Buckets:
    """The number of bands that more than `BUCKET_CAP` articles share, and the most articles that share one."""

    large: int = 0
    largest: int = 0


_RULES = ("url", "text", "jaccard", "containment")  # of several that accept a pair, the first one is named


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """Verified pairs.

    Attributes:
        left, right: positions of the two articles, `left < right`.
        rule: the position of the rule in `_RULES`.
        jaccard, containment: similarities of the pair; NaN if they are not known.
        left_out: the number of addresses that too many articles have.
    """

    left: _Positions
    right: _Positions
    rule: NDArray[np.int8]
    jaccard: NDArray[np.float32]
    containment: NDArray[np.float32]
    left_out: int = 0


def _groups(values: NDArray[np.integer]) -> tuple[_Positions, _Positions]:
    """Where each run of equal values begins, and its length."""
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.zeros(0, int)
    return begins, np.diff(begins, append=len(values))


def _linked(order: _Positions, linked: NDArray[np.bool_], rule: str, value: float) -> _Found:
    """Pairs of neighbours in `order`: `linked` says for each but the last whether it is a pair with the next one."""
    one, two = order[:-1][linked], order[1:][linked]
    same = np.full(len(one), value, np.float32)
    return _Found(
        left=np.minimum(one, two),
        right=np.maximum(one, two),
        rule=np.full(len(one), _RULES.index(rule), np.int8),
        jaccard=same,
        containment=same,
    )


def _short_pairs(keys: _Keys) -> _Found:
    """Short articles of equal text whose days are close."""
    day, exact = keys.day, keys.exact
    rows = np.flatnonzero((keys.rare < MIN_RARE) & (exact != 0))
    order = rows[np.lexsort((rows, day[rows], exact[rows]))]
    near = np.diff(day[order].astype(np.int64)) <= SHORT_DAYS
    return _linked(order, near & (exact[order[1:]] == exact[order[:-1]]), "text", 1.0)


def _url_pairs(keys: _Keys) -> _Found:
    """Articles with the same address."""
    url = keys.url
    rows = np.flatnonzero(url != 0)
    order = rows[np.argsort(url[rows], kind="stable")]
    _, sizes = _groups(url[order])
    common = np.repeat(sizes > URL_CAP, sizes)
    same = (url[order[1:]] == url[order[:-1]]) & ~common[1:]
    found = _linked(order, same, "url", np.nan)
    return replace(found, left_out=int((sizes > URL_CAP).sum()))


def _candidates(keys: _Keys, buckets: _Buckets) -> Iterator[tuple[_Positions, _Positions]]:
    """Pairs of articles that are not short and share a band, in batches: (left, right), `left < right`.

    A batch has each pair once; a later batch may have it again.
    """
    total = len(keys.rare)
    rows = np.concatenate([np.zeros(0, np.int32), *keys.places])  # the position of each row of the files
    signed = np.flatnonzero(keys.rare[rows] >= MIN_RARE)
    numbers = rows[signed].astype(np.uint64)
    where = np.empty(total, np.int32)  # the row of the files for each position
    where[rows] = np.arange(total)
    codes = np.zeros(0, np.int64)
    pending: list[_Positions] = []
    together = max(8, _BANDS_BYTES // max(4 * total, 1))
    for band in range(BANDS):
        here = band % together
        if here == 0:
            bands = _bands(keys, band, min(together, BANDS - band) + _FOLLOWING)
        # Sorted by band, then by position, both in one number: several times as fast as `argsort` of the bands.
        order = bands[here].take(signed).astype(np.uint64)
        order <<= np.uint64(32)
        order |= numbers
        order.sort()
        band_keys = order >> np.uint64(32)
        again = np.flatnonzero(band_keys[1:] == band_keys[:-1])  # few, because most keys occur only once
        first = np.flatnonzero(np.diff(again, prepend=-2) > 1)
        begins, sizes = again[first], np.diff(first, append=len(again)) + 1
        for size in np.unique(sizes[sizes <= BUCKET_CAP]).tolist():
            members = _positions_in(order[begins[sizes == size][:, None] + np.arange(size)])
            one, two = _each_two(size)
            pending.append(_comparable(keys, members[:, one].ravel(), members[:, two].ravel()))
        for begin, size in zip(begins[sizes > BUCKET_CAP].tolist(), sizes[sizes > BUCKET_CAP].tolist(), strict=True):
            buckets.large += 1
            buckets.largest = max(buckets.largest, size)
            members = _positions_in(order[begin : begin + size])
            following = [bands[here + k, where[members]] for k in range(_FOLLOWING, 0, -1)]
            members = members[np.lexsort((members, *following))]
            for step in range(1, WINDOW + 1):
                one, two = members[:-step], members[step:]
                pending.append(_comparable(keys, np.minimum(one, two), np.maximum(one, two)))
        if band == BANDS - 1 or sum(map(len, pending)) > _PENDING:
            codes = np.concatenate([codes, *pending])
            codes.sort()
            codes = codes[_groups(codes)[0]]
            pending = []
            if band == BANDS - 1 or len(codes) > _PENDING:
                yield codes // max(total, 1), codes % max(total, 1)
                codes = codes[:0]


@cache
def _each_two(size: int) -> tuple[_Positions, _Positions]:
    """Each two of `size` members, by their number."""
    one, two = np.triu_indices(size, 1)
    return one, two


def _positions_in(order: NDArray[np.uint64]) -> _Positions:
    """The positions in the lower halves of numbers."""
    return (order & np.uint64(0xFFFF_FFFF)).astype(np.int64)


def _comparable(keys: _Keys, left: _Positions, right: _Positions) -> _Positions:
    """The pairs whose sizes do not differ too much for any rule, each as one number: left * articles + right."""
    one, two = keys.rare[left].astype(np.int64), keys.rare[right].astype(np.int64)
    kept = np.maximum(one, two) <= MAX_RATIO * np.minimum(one, two)
    codes: _Positions = left[kept] * len(keys.rare) + right[kept]
    return codes


def _counted(keys: _Keys, left: _Positions, right: _Positions, known: Remembered) -> Counted:
    """What the two articles of each candidate have in common: looked up in `known`, or counted."""
    common, facts, found = known.find(keys.identity[left], keys.identity[right])
    new = np.flatnonzero(~found)
    again = np.concatenate([[False], left[new][1:] == left[new][:-1]]) if len(new) else np.zeros(0, np.bool_)
    weight = np.cumsum(np.where(again, 0, keys.rare[left[new]]) + keys.rare[right[new]], dtype=np.int64)
    begin = 0
    while begin < len(new):
        spent = weight[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(weight, spent + _BLOCK)))
        some = new[begin:end]
        held = _shingles_of(keys, np.concatenate([left[some], right[some]]))
        for k in some.tolist():
            both = np.concatenate((held[int(left[k])], held[int(right[k])]))
            both.sort()
            shared = both[1:][both[1:] == both[:-1]]
            common[k] = len(shared)
            facts[k] = np.count_nonzero(shared & 1)
        begin = end
    return Counted(left=left, right=right, common=common, facts=facts)


def _verified(keys: _Keys, counted: Counted) -> _Found:
    """The candidates that rule A or C accepts."""
    left, right = counted.left, counted.right
    common, facts = counted.common.astype(np.int64), counted.facts.astype(np.int64)
    one, two = keys.rare[left].astype(np.int64), keys.rare[right].astype(np.int64)
    smaller = np.minimum(one, two)
    jaccard = common / (one + two - common)
    containment = common / smaller
    kept = _facts_agree(keys, left, right, common, facts) & ((jaccard >= JACCARD) | (containment >= CONTAINMENT))
    rule = np.where(jaccard >= JACCARD, _RULES.index("jaccard"), _RULES.index("containment"))
    return _Found(
        left=left[kept],
        right=right[kept],
        rule=rule[kept].astype(np.int8),
        jaccard=jaccard[kept].astype(np.float32),
        containment=containment[kept].astype(np.float32),
    )


def _facts_agree(
    keys: _Keys, left: _Positions, right: _Positions, common: _Positions, facts: _Positions
) -> NDArray[np.bool_]:
    """For each candidate whether its facts agree about as well as its other shingles; see `FACTS`."""
    fact_size = np.minimum(keys.facts[left], keys.facts[right])
    word_size = np.minimum(keys.rare[left] - keys.facts[left], keys.rare[right] - keys.facts[right])
    few = fact_size < FACT_SHARE * np.minimum(keys.rare[left], keys.rare[right])
    shared_facts = facts / np.maximum(fact_size, 1)
    shared_words = np.where(word_size > 0, (common - facts) / np.maximum(word_size, 1), 1.0)
    return few | (shared_facts >= FACTS * shared_words)


def _shingles_of(keys: _Keys, rows: _Positions) -> dict[int, NDArray[np.uint32]]:
    """The rare shingles of some articles, by position. They are copied, so that no file stays mapped."""
    wanted = np.zeros(len(keys.rare), np.bool_)
    wanted[rows] = True
    held: dict[int, NDArray[np.uint32]] = {}
    for path, place in zip(keys.files, keys.places, strict=True):
        some = np.flatnonzero(wanted[place])
        if not len(some):
            continue
        column = open_signatures(path, ["shingles"])["shingles"].chunk(0)
        offsets, values = column.offsets.to_numpy(), column.values.to_numpy()
        for row, at in zip(place[some].tolist(), some.tolist(), strict=True):
            held[row] = values[offsets[at] : offsets[at + 1]].copy()
        del column, offsets, values
    return held


def _pair_table(keys: _Keys, parts: Sequence[_Found]) -> pa.Table:
    """All pairs as a table with the columns of `PAIR_SCHEMA`: each once, with its strongest rule."""
    left, right = (
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
    )
    rule = np.concatenate([part.rule for part in parts])
    jaccard = np.concatenate([part.jaccard for part in parts])
    containment = np.concatenate([part.containment for part in parts])
    order = np.lexsort((rule, right, left))
    first = _groups(left[order] * len(keys.rare) + right[order])[0]
    order = order[first]
    return pa.table(
        [
            keys.article_id.take(pa.array(left[order])),
            keys.article_id.take(pa.array(right[order])),
            pa.array(np.array(_RULES, dtype=object)[rule[order]], pa.string()),
            pa.array(jaccard[order], from_pandas=True),
            pa.array(containment[order], from_pandas=True),
        ],
        schema=PAIR_SCHEMA,
    )
