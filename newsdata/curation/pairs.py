"""Signature files to verified pairs: candidates share a band, and their rare shingles are counted exactly.

A pair is a function of its two signatures alone, and nothing depends on the order of files or articles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .counts import Counted, recall, remember
from .signatures import BANDS, SIGNATURE_SCHEMA, open_signatures

__all__ = ["CONTAINMENT", "JACCARD", "PAIR_SCHEMA", "Pairs", "match"]

MIN_RARE = 8
"""Articles with fewer rare shingles join on equal text only: their Jaccard is too coarse."""
SHORT_DAYS = 3
"""Days between two short articles of equal text; further apart it is the same phrase, not the same news."""

JACCARD = 0.35
"""Rule A (`duplicate_cluster`): Jaccard of the rare shingles. Measured: .5 loses copies with 30-40 % of the
paragraphs replaced (recall .83-.95), .35 finds them (.92-.99), as precise because facts are tested."""
CONTAINMENT, MAX_RATIO = 0.6, 3
"""Rule C (`leak_group`): rule A, or this share of the smaller stands in one at most 3 times as large."""
FACTS = 0.6
"""Shared facts over shared words. Filled forms share words but not numbers; copies lose both alike."""
FACT_SHARE = 0.05
"""Share of facts in the smaller article below which its numbers are too few to judge by."""

BUCKET_CAP, WINDOW = 64, 16
"""In a band bucket of more articles each meets its next neighbours only, in the order of the next bands."""
URL_CAP = 20
"""An address that more articles have is no article's address."""

_Rows = NDArray[np.int64]
_PENDING = 1 << 21  # candidate pairs that are collected before they are verified: 16 MB
_BLOCK = 1 << 22  # shingles that are in memory at once: 16 MB
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


_KEYS = ["day", "url", "exact", "rare", "facts", "identity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Articles that are copies of one another.

    Attributes:
        table: as `PAIR_SCHEMA`, sorted by `left` and `right`, each pair once.
        report: counts for the manifest: `articles`, `short` (compared by equal text only), `candidates`,
            `pairs` by rule, `large_buckets`, `largest_bucket`, `shared_urls` (addresses above `URL_CAP`).
    """

    table: pa.Table
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Keys:
    """All signatures but for their shingles, by article id; `file` and `row` say where each stands.

    `bands` has a row for each band, so that one band of all articles lies together.
    """

    files: Sequence[Path]
    article_id: pa.Array
    day: NDArray[np.int64]
    url: NDArray[np.uint64]
    exact: NDArray[np.uint64]
    rare: _Rows
    facts: _Rows
    identity: NDArray[np.uint64]
    bands: NDArray[np.uint32]
    file: _Rows
    row: _Rows


_NO_DAY = 1 << 40


def _read_keys(files: Sequence[Path]) -> _Keys:
    names = [pa.array([], pa.string())]
    sizes = []
    for path in files:
        with open_signatures(path, ["article_id"]) as rows:
            sizes.append(rows.num_rows)
            names.append(rows["article_id"].take(pa.array(np.arange(rows.num_rows))).combine_chunks())
    article_id = pa.concat_arrays(names)
    del names
    order = pc.sort_indices(article_id).to_numpy().astype(np.int64)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    held = {name: np.zeros(len(order), SIGNATURE_SCHEMA.field(name).type.to_pandas_dtype()) for name in _KEYS}
    held["day"] = np.zeros(len(order), np.int64)
    bands = np.zeros((BANDS, len(order)), np.uint32)
    begin = 0
    for path, size in zip(files, sizes, strict=True):
        to = place[begin : begin + size]
        begin += size
        with open_signatures(path, [*_KEYS, "bands"]) as rows:
            for name in _KEYS:
                column = rows[name].cast(pa.int64()).fill_null(_NO_DAY) if name == "day" else rows[name]
                held[name][to] = column.to_numpy()
            some = rows["bands"].combine_chunks().flatten().to_numpy().reshape(-1, BANDS)
            bands[:, to] = some.T
    return _Keys(
        files=files,
        article_id=article_id.take(pa.array(order)),
        day=held["day"],
        url=held["url"],
        exact=held["exact"],
        rare=held["rare"].astype(np.int64),
        facts=held["facts"].astype(np.int64),
        identity=held["identity"],
        bands=bands,
        file=np.repeat(np.arange(len(files)), sizes)[order],
        row=np.concatenate([np.zeros(0, np.int64), *(np.arange(size) for size in sizes)])[order],
    )


def match(files: Sequence[Path], memory: Path | None = None) -> Pairs:
    """Find and verify all pairs among the articles of signature files (see `write_signatures`), in any order.

    Candidates are looked for among all articles each time, which is cheap; what two articles have in common is
    counted anew only where one of them is new or has other shingles than `memory` says.

    Memory: about 0.6 KB an article plus 0.2 GB; shingles are read from the files for the candidates only.

    Args:
        files: signature files that hold each article once.
        memory: the file that keeps the counts of one build for the next; the pairs are the same without it, and
            where it is damaged.

    >>> match([]).table.num_rows
    0
    """
    keys = _read_keys(files)
    known = recall(memory, keys.article_id, keys.identity)
    signed = np.flatnonzero(keys.rare >= MIN_RARE)
    buckets = _Buckets()
    parts = [_short_pairs(keys), url_pairs := _url_pairs(keys)]
    counted: list[Counted] = []
    candidates = 0
    for left, right in _candidates(keys, signed, buckets):
        counts = _counted(keys, left, right, known)
        parts.append(_verified(keys, counts))
        if candidates < _REMEMBERED:
            counted.append(counts)
        candidates += len(left)
    if memory is not None:
        remember(memory, keys.article_id, keys.identity, counted)
    table = _pair_table(keys, parts)
    rules = {str(count["values"]): count["counts"] for count in pc.value_counts(table["rule"]).to_pylist()}
    return Pairs(
        table=table,
        report={
            "articles": len(keys.rare),
            "short": len(keys.rare) - len(signed),
            "candidates": candidates,
            "pairs": dict(sorted(rules.items())),
            "large_buckets": buckets.large,
            "largest_bucket": buckets.largest,
            "shared_urls": url_pairs.left_out,
        },
    )


@dataclass(slots=True)
class _Buckets:
    large: int = 0
    largest: int = 0


_RULES = ("url", "text", "jaccard", "containment")  # the strongest first


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """Verified pairs of rows, `left < right`; `rule` counts in `_RULES`."""

    left: _Rows
    right: _Rows
    rule: NDArray[np.int8]
    jaccard: NDArray[np.float32]
    containment: NDArray[np.float32]
    left_out: int = 0


def _groups(values: NDArray[np.integer]) -> tuple[_Rows, _Rows]:
    """Where each run of equal values begins, and how long it is."""
    begins = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else np.zeros(0, int)
    return begins, np.diff(begins, append=len(values))


def _linked(keys: _Keys, order: _Rows, linked: NDArray[np.bool_], rule: str, value: float) -> _Found:
    """Pairs of neighbours in `order`."""
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
    rows = np.flatnonzero((keys.rare < MIN_RARE) & (keys.exact != 0))
    order = rows[np.lexsort((rows, keys.day[rows], keys.exact[rows]))]
    near = np.diff(keys.day[order]) <= SHORT_DAYS
    return _linked(keys, order, near & (keys.exact[order[1:]] == keys.exact[order[:-1]]), "text", 1.0)


def _url_pairs(keys: _Keys) -> _Found:
    rows = np.flatnonzero(keys.url != 0)
    order = rows[np.argsort(keys.url[rows], kind="stable")]
    _, sizes = _groups(keys.url[order])
    common = np.repeat(sizes > URL_CAP, sizes)
    same = (keys.url[order[1:]] == keys.url[order[:-1]]) & ~common[1:]
    found = _linked(keys, order, same, "url", np.nan)
    return replace(found, left_out=int((sizes > URL_CAP).sum()))


def _candidates(keys: _Keys, rows: _Rows, buckets: _Buckets) -> Iterator[tuple[_Rows, _Rows]]:
    """Distinct pairs that share a band, in batches; a pair may come again in a later batch."""
    total = len(keys.rare)
    codes = np.zeros(0, np.int64)
    pending: list[_Rows] = []
    for band in range(BANDS):
        order = _repeated(keys.bands[band], rows)
        begins, sizes = _groups(keys.bands[band, order])
        for size in np.unique(sizes[(sizes > 1) & (sizes <= BUCKET_CAP)]).tolist():
            members = order[begins[sizes == size][:, None] + np.arange(size)]
            one, two = np.triu_indices(size, 1)
            pending.append(_comparable(keys, members[:, one].ravel(), members[:, two].ravel()))
        for begin, size in zip(begins[sizes > BUCKET_CAP].tolist(), sizes[sizes > BUCKET_CAP].tolist(), strict=True):
            buckets.large += 1
            buckets.largest = max(buckets.largest, size)
            members = order[begin : begin + size]
            following = [keys.bands[(band + k) % BANDS, members] for k in (3, 2, 1)]
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


def _repeated(band: NDArray[np.uint32], rows: _Rows) -> _Rows:
    """The rows by their key in a band; most keys stand once only, and such rows are left out as far as is cheap."""
    slots = band[rows] & np.uint32((1 << max(8, len(rows).bit_length() + 3)) - 1)
    some = rows[np.bincount(slots)[slots] > 1] if len(rows) else rows
    return some[np.argsort(band[some], kind="stable")]


def _comparable(keys: _Keys, left: _Rows, right: _Rows) -> _Rows:
    """The pairs that are not too different in size, each as one number."""
    one, two = keys.rare[left], keys.rare[right]
    kept = np.maximum(one, two) <= MAX_RATIO * np.minimum(one, two)
    return left[kept] * len(keys.rare) + right[kept]


def _counted(keys: _Keys, left: _Rows, right: _Rows, known: Counted) -> Counted:
    """What the two articles of each candidate have in common: as `known` says, else by their shingles."""
    total = len(keys.rare)
    common, facts = np.zeros(len(left), np.int32), np.zeros(len(left), np.int32)
    found = np.zeros(len(left), np.bool_)
    if len(known.left):
        codes = left * total + right
        known_codes = known.left * total + known.right
        at = np.minimum(np.searchsorted(known_codes, codes), len(known_codes) - 1)
        found = known_codes[at] == codes
        common[found], facts[found] = known.common[at[found]], known.facts[at[found]]
    new = np.flatnonzero(~found)
    again = np.concatenate([[False], left[new][1:] == left[new][:-1]]) if len(new) else np.zeros(0, np.bool_)
    weight = np.cumsum(np.where(again, 0, keys.rare[left[new]]) + keys.rare[right[new]])
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
    """The pairs that rule A or C accepts, by their exact common shingles."""
    left, right = counted.left, counted.right
    common, facts = counted.common.astype(np.int64), counted.facts.astype(np.int64)
    one, two = keys.rare[left], keys.rare[right]
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


def _facts_agree(keys: _Keys, left: _Rows, right: _Rows, common: _Rows, facts: _Rows) -> NDArray[np.bool_]:
    """Whether the numbers agree about as well as the words do."""
    fact_size = np.minimum(keys.facts[left], keys.facts[right])
    word_size = np.minimum(keys.rare[left] - keys.facts[left], keys.rare[right] - keys.facts[right])
    few = fact_size < FACT_SHARE * np.minimum(keys.rare[left], keys.rare[right])
    shared_facts = facts / np.maximum(fact_size, 1)
    shared_words = np.where(word_size > 0, (common - facts) / np.maximum(word_size, 1), 1.0)
    return few | (shared_facts >= FACTS * shared_words)


def _shingles_of(keys: _Keys, rows: _Rows) -> dict[int, NDArray[np.uint32]]:
    """The rare shingles of some rows; each file is mapped and let go, so that only these stay in memory."""
    rows = np.unique(rows)
    rows = rows[np.lexsort((keys.row[rows], keys.file[rows]))]
    held: dict[int, NDArray[np.uint32]] = {}
    begins, sizes = _groups(keys.file[rows])
    for begin, size in zip(begins.tolist(), sizes.tolist(), strict=True):
        wanted = rows[begin : begin + size]
        with open_signatures(keys.files[keys.file[wanted[0]]], ["shingles"]) as table:
            column = table["shingles"].chunk(0)
            offsets, values = column.offsets.to_numpy(), column.values.to_numpy()
            for row, at in zip(wanted.tolist(), keys.row[wanted].tolist(), strict=True):
                held[row] = values[offsets[at] : offsets[at + 1]].copy()
            del table, column, offsets, values
    return held


def _pair_table(keys: _Keys, parts: Sequence[_Found]) -> pa.Table:
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
