"""From signature files to verified pairs of near-copies.

Candidates are articles that share a band, and articles of which one may stand inside the other. Their common rare shingles
are counted exactly, and the rules below decide. A shingle is rare if it is not boilerplate. Two articles of different
scripts are never copies: a translation has other words. No pair depends on the order of files or articles.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .candidates import MAX_RATIO, Buckets, Keys, Positions, find_candidates, groups_of, lists_of, read_keys, runs_of
from .links import (
    MIN_INSIDE,
    Links,
    contained_candidates,
    days_agree,
    digest_links,
    forms,
    head_links,
    other_languages,
    text_links,
    url_links,
)
from .pair_counts import Counted, Remembered, recall, remember
from .siblings import compare_titles, is_filled, is_next
from .signatures import MIN_SHINGLES
from .units import IDEOGRAPHIC, SCRIPTS

__all__ = [
    "CONTAINED",
    "CONTAINMENT",
    "DOORS",
    "JACCARD",
    "MEASURED",
    "OTHER_STORIES",
    "PAIR_SCHEMA",
    "Candidates",
    "Pairs",
    "count_common",
    "decide",
    "match",
    "search",
]

JACCARD: Mapping[str, tuple[float, float, float, float]] = {
    "han": (0.98, 0.85, 0.42, 0.35),
    "kana": (0.98, 0.92, 0.42, 0.35),
    "hangul": (0.98, 0.92, 0.42, 0.35),
    "latin": (0.98, 0.9, 0.46, 0.36),
    "cyrillic": (0.98, 0.9, 0.46, 0.36),
    "arabic": (0.98, 0.9, 0.46, 0.36),
    "other": (0.98, 0.9, 0.46, 0.36),
}
"""Rule A (`duplicate_cluster`), by script: the Jaccard similarity of the rare shingles is at least this where the titles
contradict each other firmly, where they contradict each other, tell nothing, and say the same; see `compare_titles`."""
LATER: Mapping[bool, Sequence[tuple[int, float, float]]] = {
    True: ((10, 0.5, 0), (60, 0.65, 0.65)),
    False: ((3, 0.6, 0), (10, 0.96, 0), (60, 0.96, 0.96)),
}
"""By whether units are ideographs: the least similarity of articles that are more than so many days apart, and of those whose
titles say the same. The later one may be the next one of a series. English series differ in their dates alone, and articles
are reprinted months later in Chinese."""
_FAR = 0.65
"""From this least similarity on, more must be contained, too."""
SERIES_DAYS, SERIES = 3, 0.8
"""Articles so many days apart, of at least this similarity, may be those of a series, which differ in their numbers only."""
TRANSLATED = 0.95
"""The least similarity of articles that name different languages. A translation may leave a long list as it is; a post
that was put into the folder of another language as it is has all words in common."""
CONTAINMENT = 0.6
"""Rule C (`leak_group`): rule A, or at least this share of the smaller article's rare shingles is in the larger one, which
has at most `MAX_RATIO` times as many, and titles do not contradict each other."""
CONTAINED = 0.8
"""An article stands inside another one, of whatever size from twice its own on, if that has this share of its rare
shingles; all of them, if these are few."""
PARTLY = 0.5
"""The same for pairs that are only measured: an edited copy inside another article, such as a flash with another lead."""
REWORDED = 0.8
"""Articles in one script of at least this similarity give each other away, even if days, titles, numbers or languages say that
they are two stories: a reprint under another title a year later has nine tenths of its shingles if two of a hundred words differ."""
SIMILAR = 0.5
"""The same for pairs that are only measured."""
FACTS = 0.6
"""A pair needs at least this ratio of the share of common facts to the share of other common shingles. A fact is a shingle
that holds a number. Filled forms have words in common, but not numbers; an edited copy loses both alike."""
FACT_SHARE = 0.05
"""If less than this share of the smaller article's shingles are facts, facts are not compared."""

_BLOCK = 1 << 22  # shingles that are in memory at once: 16 MB
_REMEMBERED = 1 << 21  # candidate pairs whose counts are kept for the next build: 32 MB
_DECIDED_AT_ONCE = 1 << 17  # candidates whose similarities are in memory at once: 30 MB
_COMPARED_AT_ONCE = 1 << 14  # pairs whose titles and words are in memory at once

PAIR_SCHEMA = pa.schema(
    [
        ("left", pa.string()),  # article ids, left < right
        ("right", pa.string()),
        ("rule", pa.string()),  # one of `_RULES`
        ("jaccard", pa.float32()),  # of the rare shingles; 1 for equal short texts; null if they were not compared
        ("containment", pa.float32()),
    ]
)

_RULES = ("url", "text", "jaccard", "containment", "digest", "head", "contained", "reworded", "partly", "similar")
DOORS = ("digest", "head", "contained", "reworded")
"""Rules by which a leak passes between articles that are no near-copies of each other."""
MEASURED = ("partly", "similar")
"""Rules that join nothing: their pairs are only counted as leaks."""
OTHER_STORIES = ("reworded", "similar")
"""Rules of articles that have most of their words in common, and are no near-copies all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of articles that are near-copies of each other, or that leak by another way.

    Attributes:
        table: with the columns of `PAIR_SCHEMA`, sorted by `left` and `right`: each pair once, with the strongest rule; or
            if that is a door, once for each rule.
        report: counts for the manifest: `articles`; `short` ones, which are compared as a whole; `candidates`, each pair
            once; `pairs` by rule; `large_buckets` (bands that more than `BUCKET_CAP` articles share) and the
            `largest_bucket`; `shared_urls` (addresses that too many articles have).
    """

    table: pa.Table
    report: Mapping[str, Any]


def match(files: Sequence[Path], *, seed: Path | None = None, counts: Path | None = None) -> Pairs:
    """Find and verify all pairs among the articles of signature files: `search`, `count_common` and `decide`.

    Args:
        files: from `write_signatures`, in any order; together they have each article once.
        seed: the file `counts` of an earlier call, or None; the pairs are the same without it.
        counts: the file to write for the next call: what candidates have in common; None to write none.

    >>> match([]).table.num_rows
    0
    """
    found = search(files)
    return decide(files, count_common(files, [found.codes], seed=seed), found.buckets, counts=counts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Pairs of articles to compare.

    Attributes:
        codes: of each pair the position of the first article * number of articles + that of the second one; sorted, once.
        buckets: the crowded buckets.
    """

    codes: Positions
    buckets: Buckets


def search(files: Sequence[Path], number: int = 0, count: int = 1) -> Candidates:
    """Find the articles to compare. It is done anew each time, which is cheap.

    Args:
        files: as for `match`.
        number, count: only this part of so many is searched; together the parts have all candidates.
    """
    keys = read_keys(files, ("rare", "script"))
    left, right, buckets = find_candidates(keys, number, count)
    codes = left * len(keys.rare) + right
    if number == 0:
        held = contained_candidates(keys)
        codes = np.union1d(codes, held.left * len(keys.rare) + held.right)
    return Candidates(codes=codes, buckets=buckets)


def count_common(
    files: Sequence[Path], parts: Sequence[Positions], *, seed: Path | None = None, number: int = 0, count: int = 1
) -> Counted:
    """Count what the articles of candidates have in common, where `seed` does not know these two sets of shingles.

    Args:
        files, seed: as for `match`.
        parts: the codes of all candidates, see `Candidates`; those of each part are sorted.
        number, count: only the pairs of this range of first articles, of so many, are counted, in the order of the codes.
    """
    keys = read_keys(files, ("rare", "identity"))
    total = max(len(keys.rare), 1)
    # An article near the beginning is the first one of more pairs, so its range is shorter.
    first, end = (total - math.isqrt(total * total * (count - part) // count) for part in (number, number + 1))
    ranges = [slice(*np.searchsorted(codes, [first * total, end * total])) for codes in parts]
    codes = np.unique(np.concatenate([codes[some] for codes, some in zip(parts, ranges, strict=True)]))
    return _counted(keys, codes // total, codes % total, recall(seed))


def decide(files: Sequence[Path], counted: Counted, buckets: Buckets, *, counts: Path | None = None) -> Pairs:
    """Apply the rules to the candidates, and find the pairs that need no counting.

    Memory: about 0.2 KB an article, 24 bytes a candidate and 0.1 KB a pair. Shingles, titles and words are read for
    candidates only.

    Args:
        files, counts: as for `match`.
        counted: all candidates.
        buckets: the crowded buckets.
    """
    keys = read_keys(files)
    if counts is not None:
        remember(counts, keys.identity, counted.rows(0, _REMEMBERED))
    is_form = forms(keys)
    addresses = url_links(keys)
    parts = [
        _linked(addresses, "url", np.nan),
        _linked(_without_siblings(keys, text_links(keys, is_form)), "text", 1.0),
        *(
            _verified(keys, counted.rows(begin, begin + _DECIDED_AT_ONCE), is_form)
            for begin in range(0, len(counted.left), _DECIDED_AT_ONCE)
        ),
        _linked(digest_links(keys), "digest", np.nan),
        _linked(_without_siblings(keys, head_links(keys)), "head", np.nan),
    ]
    table = _pair_table(keys, parts)
    rules = {str(count["values"]): count["counts"] for count in pc.value_counts(table["rule"]).to_pylist()}
    return Pairs(
        table=table,
        report={
            "articles": len(keys.rare),
            "short": int((keys.rare < MIN_SHINGLES).sum()),
            "candidates": len(counted.left),
            "pairs": dict(sorted(rules.items())),
            "large_buckets": buckets.large,
            "largest_bucket": buckets.largest,
            "shared_urls": addresses.left_out,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """Verified pairs.

    Attributes:
        left, right: positions of the two articles, `left < right`.
        rule: the position of the rule in `_RULES`.
        jaccard, containment: similarities of the pair; NaN if they are not known.
    """

    left: Positions
    right: Positions
    rule: NDArray[np.int8]
    jaccard: NDArray[np.float32]
    containment: NDArray[np.float32]


def _linked(links: Links, rule: str, value: float) -> _Found:
    """Links as pairs of one similarity."""
    same = np.full(len(links.left), value, np.float32)
    return _Found(
        left=links.left,
        right=links.right,
        rule=np.full(len(links.left), _RULES.index(rule), np.int8),
        jaccard=same,
        containment=same,
    )


def _counted(keys: Keys, left: Positions, right: Positions, known: Remembered) -> Counted:
    """What the two articles of each candidate have in common: looked up in `known`, or counted."""
    common, facts, found = known.find(keys.identity[left], keys.identity[right])
    new = np.flatnonzero(~found)
    again = np.concatenate([[False], left[new][1:] == left[new][:-1]]) if len(new) else np.zeros(0, np.bool_)
    weight = np.where(again, 0, keys.rare[left[new]]).astype(np.int64) + keys.rare[right[new]]
    for run in runs_of(weight, _BLOCK):
        some = new[run]
        held = lists_of(keys, np.concatenate([left[some], right[some]]), "shingles")
        for k in some.tolist():
            both = np.concatenate((held[int(left[k])], held[int(right[k])]))
            both.sort()
            shared = both[1:][both[1:] == both[:-1]]
            common[k] = len(shared)
            facts[k] = np.count_nonzero(shared & 1)
    return Counted(left=left, right=right, common=common, facts=facts)


def _verified(keys: Keys, counted: Counted, is_form: NDArray[np.bool_]) -> _Found:
    """The candidates that rule A or C accepts, those of which one stands inside the other, and those of similar texts."""
    left, right = counted.left, counted.right
    common, facts = counted.common.astype(np.int64), counted.facts.astype(np.int64)
    one, two = keys.rare[left].astype(np.int64), keys.rare[right].astype(np.int64)
    smaller, larger = np.minimum(one, two), np.maximum(one, two)
    jaccard = common / (one + two - common)
    containment = common / smaller
    agree = _facts_agree(keys, left, right, common, facts)
    thresholds = np.array([JACCARD[name] for name in SCRIPTS])[keys.script[left]]
    close = agree & ((jaccard >= thresholds[:, 3]) | (containment >= CONTAINMENT)) & (larger <= MAX_RATIO * smaller)
    close &= (keys.script[left] == keys.script[right]) & days_agree(keys, is_form, left, right)
    alike = close & (jaccard >= SERIES) & (_distance(keys, left, right) >= SERIES_DAYS)
    close[_series(keys, left, right, np.flatnonzero(alike & ~(keys.short[left] & keys.short[right])))] = False
    titles, siblings = _compared(keys, left, right, np.flatnonzero(close))
    close &= ~siblings
    needed = np.take_along_axis(thresholds, titles[:, None] + 2, axis=1)[:, 0]
    later = _later(keys, left, right, titles)
    least = np.where(other_languages(keys, left, right), np.maximum(later, TRANSLATED), later)
    alike = close & (jaccard >= np.maximum(needed, least))
    wide = close & (containment >= np.where(later >= _FAR, np.maximum(CONTAINED, later), CONTAINMENT)) & (titles >= 0)
    partly = agree & (containment >= np.where(smaller < MIN_SHINGLES, 1, PARTLY)) & (larger >= 2 * smaller)
    inside = partly & (containment >= CONTAINED) & (smaller >= MIN_INSIDE)
    similar = (jaccard >= SIMILAR) & (keys.script[left] == keys.script[right])
    kept = alike | wide | partly | similar
    holds = [alike, wide, inside, similar & (jaccard >= REWORDED), partly, similar]
    rules = ("jaccard", "containment", "contained", "reworded", "partly", "similar")
    rule = np.select(holds, [_RULES.index(name) for name in rules])
    return _Found(
        left=left[kept],
        right=right[kept],
        rule=rule[kept].astype(np.int8),
        jaccard=jaccard[kept].astype(np.float32),
        containment=containment[kept].astype(np.float32),
    )


def _later(keys: Keys, left: Positions, right: Positions, titles: Positions) -> NDArray[np.float64]:
    """For each candidate the least similarity by the days between; see `LATER`."""
    ideographic = np.array([script in IDEOGRAPHIC for script in SCRIPTS])[keys.script[left]]
    distance, least = _distance(keys, left, right), np.zeros(len(left))
    for kind, steps in LATER.items():
        for days, other, same in steps:
            least[(ideographic == kind) & (distance > days) & (titles != 1)] = other
            least[(ideographic == kind) & (distance > days) & (titles == 1)] = same
    return least


def _distance(keys: Keys, left: Positions, right: Positions) -> Positions:
    """For each two articles the days between."""
    distance: Positions = np.abs(keys.day[left].astype(np.int64) - keys.day[right])
    return distance


def _series(keys: Keys, left: Positions, right: Positions, some: Positions) -> Positions:
    """Those of some candidates that differ in their numbers only; see `is_next`."""
    found = []
    for run in runs_of(keys.rare[left[some]].astype(np.int64) + keys.rare[right[some]], _BLOCK):
        held = lists_of(keys, np.concatenate([left[some[run]], right[some[run]]]), "shingles")
        found += [at for at in some[run].tolist() if is_next(held[int(left[at])], held[int(right[at])])]
    return np.array(found, np.int64)


def _without_siblings(keys: Keys, links: Links) -> Links:
    """The links between articles that are no siblings of each other."""
    _, siblings = _compared(keys, links.left, links.right, np.arange(len(links.left)))
    return Links(left=links.left[~siblings], right=links.right[~siblings])


def _compared(
    keys: Keys, left: Positions, right: Positions, some: Positions
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each candidate what its titles tell (see `compare_titles`), and whether its texts are siblings.

    Args:
        keys: of all articles.
        left, right: of all candidates.
        some: the numbers of the candidates that are compared; the others are 0 and no siblings.
    """
    titles, siblings = np.zeros(len(left), np.int64), np.zeros(len(left), np.bool_)
    ideographic = [script in IDEOGRAPHIC for script in SCRIPTS]
    none = np.zeros(0, np.uint32)
    for begin in range(0, len(some), _COMPARED_AT_ONCE):
        chosen = some[begin : begin + _COMPARED_AT_ONCE]
        ends = np.unique(np.concatenate([left[chosen], right[chosen]]))
        heads = lists_of(keys, ends, "title")
        words = lists_of(keys, ends[keys.short[ends]], "words")
        for at, one, two in zip(chosen.tolist(), left[chosen].tolist(), right[chosen].tolist(), strict=True):
            kind = ideographic[keys.script[one]]
            titles[at] = compare_titles(heads[one], heads[two], ideographic=kind)
            a, b = words.get(one, none), words.get(two, none)
            if len(a) and len(b):
                siblings[at] = titles[at] < 0 or is_filled(a, b, titles[at], ideographic=kind)
    return titles, siblings


def _facts_agree(
    keys: Keys, left: Positions, right: Positions, common: Positions, facts: Positions
) -> NDArray[np.bool_]:
    """For each candidate whether its facts agree about as well as its other shingles; see `FACTS`."""
    fact_size = np.minimum(keys.facts[left], keys.facts[right])
    word_size = np.minimum(keys.rare[left] - keys.facts[left], keys.rare[right] - keys.facts[right])
    few = fact_size < FACT_SHARE * np.minimum(keys.rare[left], keys.rare[right])
    shared_facts = facts / np.maximum(fact_size, 1)
    shared_words = np.where(word_size > 0, (common - facts) / np.maximum(word_size, 1), 1.0)
    return few | (shared_facts >= FACTS * shared_words)


def _pair_table(keys: Keys, parts: Sequence[_Found]) -> pa.Table:
    """All pairs as a table with the columns of `PAIR_SCHEMA`: each with its strongest rule, or with all if that is a door.

    An archive may not use a door, and the pair may then be joined by another one.
    """
    left, right = (
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
    )
    rule = np.concatenate([part.rule for part in parts])
    jaccard = np.concatenate([part.jaccard for part in parts])
    containment = np.concatenate([part.containment for part in parts])
    order = np.lexsort((rule, right, left))
    first, sizes = groups_of(left[order] * len(keys.rare) + right[order])
    another = np.concatenate([[False], rule[order][1:] != rule[order][:-1]])[: len(order)]
    kept = another & (np.repeat(rule[order][first], sizes) >= _RULES.index(DOORS[0]))
    kept[first] = True
    order = order[kept]
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
