"""Links between articles that need no comparison: the same address, short text, digest, or title and beginning.

And candidates for "one stands inside the other", found by the lowest shingles of each article.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .candidates import Keys, Positions, groups_of, runs_of
from .shuffle import shuffled
from .signatures import MIN_DIGEST, MIN_SHINGLES, open_signatures
from .units import IDEOGRAPHIC, SCRIPTS

__all__ = [
    "MIN_INSIDE",
    "Links",
    "contained_candidates",
    "days_agree",
    "digest_links",
    "forms",
    "head_links",
    "other_languages",
    "text_links",
    "url_links",
]

SHORT_DAYS, EQUAL_DAYS = 3, 1
"""The most days between two copies of a short text, and between two short texts that are equal. Further apart it is the same
phrase, but not the same news."""
FORM_DAYS = 3
"""A short text, or a digest, that is seen on this many days is a form ("markets closed higher"), and never news."""
NEWS_UNITS = tuple(40 if script in IDEOGRAPHIC else 24 for script in SCRIPTS)
"""By script: shorter texts that are equal are copies on one day only."""
LINK_CAP = 20
"""An address, digest or beginning that more articles than this have does not link them."""

LOWEST, NEEDED = 4, 2
"""A longer article is compared with a shorter one if it has so many of the shorter one's lowest shingles."""
MIN_INSIDE = 4
"""Rare shingles of an article that may be found inside another one, at least."""
MIN_MEASURED = tuple(MIN_INSIDE if script in IDEOGRAPHIC else 2 for script in SCRIPTS)
"""The same by script, for pairs that are only measured: eight ideographs, or four words."""
_HOLDERS = 64  # a shingle that more articles have finds none of them
_VALUES = 1 << 14  # shingles whose holders are in memory at once: 10 to 40 MB
_ARTICLES = 1 << 15  # smaller articles whose larger ones are in memory at once: about 10 MB
_AT_ONCE = 1 << 18  # pairs of both that are in memory at once: 10 MB


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Links:
    """Pairs of articles by position, `left < right`.

    Attributes:
        left, right: positions.
        left_out: the number of values that too many articles have.
    """

    left: Positions
    right: Positions
    left_out: int = 0


def _neighbours(order: Positions, linked: NDArray[np.bool_], left_out: int = 0) -> Links:
    """Pairs of neighbours in `order`: `linked` says for each but the last whether it is linked with the next one."""
    one, two = order[:-1][linked], order[1:][linked]
    return Links(left=np.minimum(one, two), right=np.maximum(one, two), left_out=left_out)


def _days(values: NDArray[np.uint64], days: NDArray[np.int32]) -> NDArray[np.int64]:
    """For each entry the number of different days of its value; entries are sorted by value, then day."""
    if not len(values):
        return np.zeros(0, np.int64)
    new = np.concatenate([[True], values[1:] != values[:-1]])
    another = new | np.concatenate([[True], days[1:] != days[:-1]])
    value = np.cumsum(new) - 1
    counts: NDArray[np.int64] = np.bincount(value[another])[value]
    return counts


def forms(keys: Keys) -> NDArray[np.bool_]:
    """For each article whether its text is short and seen on `FORM_DAYS` days: a form that is no news."""
    rows = np.flatnonzero(keys.short & (keys.whole != 0))
    order = rows[np.lexsort((keys.day[rows], keys.whole[rows]))]
    found = np.zeros(len(keys.day), np.bool_)
    found[order] = _days(keys.whole[order], keys.day[order]) >= FORM_DAYS
    return found


def days_agree(keys: Keys, is_form: NDArray[np.bool_], left: Positions, right: Positions) -> NDArray[np.bool_]:
    """For each two articles whether their days are those of copies. The days of long texts do not matter."""
    distance = np.abs(keys.day[left].astype(np.int64) - keys.day[right])
    long = ~(keys.short[left] & keys.short[right])
    equal = keys.whole[left] == keys.whole[right]
    news = ~is_form[left] & ~is_form[right] & (~equal | (keys.units[left] >= np.array(NEWS_UNITS)[keys.script[left]]))
    agree: NDArray[np.bool_] = long | (distance == 0) | (news & (distance <= np.where(equal, EQUAL_DAYS, SHORT_DAYS)))
    return agree


def other_languages(keys: Keys, left: Positions, right: Positions) -> NDArray[np.bool_]:
    """For each two articles whether they name different languages: "en" and "fr", "zh-CN" and "zh-TW", not "en" and "en-GB"."""
    one, two = keys.language[left], keys.language[right]
    language, region = ((one ^ two) >> np.uint32(16)) != 0, ((one ^ two) & np.uint32(0xFFFF)) != 0
    region &= ((one & np.uint32(0xFFFF)) != 0) & ((two & np.uint32(0xFFFF)) != 0)
    differ: NDArray[np.bool_] = (one != 0) & (two != 0) & (language | region)
    return differ


def text_links(keys: Keys, is_form: NDArray[np.bool_]) -> Links:
    """Articles of equal text with too few rare shingles to be compared otherwise."""
    rows = np.flatnonzero((keys.rare < MIN_SHINGLES) & (keys.whole != 0))
    order = rows[np.lexsort((rows, keys.day[rows], keys.language[rows], keys.whole[rows]))]
    same = keys.whole[order[1:]] == keys.whole[order[:-1]]
    same &= ~other_languages(keys, order[:-1], order[1:])
    return _neighbours(order, same & days_agree(keys, is_form, order[:-1], order[1:]))


def url_links(keys: Keys) -> Links:
    """Articles with the same address."""
    rows = np.flatnonzero(keys.url != 0)
    order = rows[np.argsort(keys.url[rows], kind="stable")]
    sizes = groups_of(keys.url[order])[1]
    common = np.repeat(sizes > LINK_CAP, sizes)
    same = (keys.url[order[1:]] == keys.url[order[:-1]]) & ~common[1:]
    return _neighbours(order, same, int((sizes > LINK_CAP).sum()))


def digest_links(keys: Keys) -> Links:
    """Articles with the same digest, and those whose text is another one's digest."""
    digests = np.flatnonzero(keys.digest != 0)
    texts = np.flatnonzero((keys.exact != 0) & (keys.units >= MIN_DIGEST))
    values, owners = np.concatenate([keys.digest[digests], keys.exact[texts]]), np.concatenate([digests, texts])
    is_digest = np.arange(len(values)) < len(digests)
    return _rare_values(keys, values, owners, is_digest)


def head_links(keys: Keys) -> Links:
    """Articles with the same title and the same beginning, and those of close days with the same long title."""
    links = []
    for values in (keys.head, keys.heading):
        rows = np.flatnonzero(values != 0)
        links.append(_rare_values(keys, values[rows], rows, np.ones(len(rows), np.bool_)))
    close = np.abs(keys.day[links[1].left].astype(np.int64) - keys.day[links[1].right]) <= SHORT_DAYS
    return Links(
        left=np.concatenate([links[0].left, links[1].left[close]]),
        right=np.concatenate([links[0].right, links[1].right[close]]),
    )


def _rare_values(keys: Keys, values: NDArray[np.uint64], owners: Positions, counts: NDArray[np.bool_]) -> Links:
    """Articles with the same value, if few articles have it, on few days, and one of its entries counts."""
    order = np.lexsort((owners, keys.day[owners], values))
    values, owners, counts = values[order], owners[order], counts[order]
    begins, sizes = groups_of(values)
    useful = (sizes <= LINK_CAP) & np.logical_or.reduceat(counts, begins) if len(begins) else np.zeros(0, np.bool_)
    kept = np.repeat(useful, sizes) & (_days(values, keys.day[owners]) < FORM_DAYS)
    same = (values[1:] == values[:-1]) & kept[1:] & (owners[1:] != owners[:-1])
    return _neighbours(owners, same)


def contained_candidates(keys: Keys) -> Links:
    """Two articles of which the larger one has some of the lowest shingles of the smaller one, at twice its size or more."""
    low, owner = _lowest(keys)
    codes, total = [np.zeros(0, np.int64)], max(len(keys.rare), 1)
    if len(low):
        first = groups_of(low)[0]
        borders = np.arange(_VALUES, len(first), _VALUES) * total
        held = shuffled(_holders(keys, low[first]), borders, keys.files[0].parent)
        pairs = _found(keys, held, owner, np.append(first, len(low)))
        borders = np.arange(_ARTICLES, total, _ARTICLES) * total
        for some in shuffled(pairs, borders, keys.files[0].parent):
            begins, sizes = groups_of(some)
            kept = some[begins[sizes >= NEEDED]]
            inner, outer = kept // total, kept % total
            codes.append(np.minimum(inner, outer) * total + np.maximum(inner, outer))
    every = np.concatenate(codes)
    every.sort()
    return Links(left=every // total, right=every % total)


def _holders(keys: Keys, values: NDArray[np.uint32]) -> Iterator[Positions]:
    """Every occurrence of some shingles (sorted, each once) in any article: number of the shingle * articles + article."""
    shift = np.uint32(max(0, 29 - len(values).bit_length()))
    sieve = np.zeros(1 << (32 - int(shift)), np.bool_)
    sieve[values >> shift] = True
    for path, place in zip(keys.files, keys.places, strict=True):
        column = open_signatures(path, ["shingles"])["shingles"].chunk(0)
        hashes, offsets = column.values.to_numpy(), column.offsets.to_numpy()
        likely = np.flatnonzero(sieve[hashes >> shift])
        at = np.minimum(np.searchsorted(values, hashes[likely]), len(values) - 1)
        sure = values[at] == hashes[likely]
        holder = place[np.searchsorted(offsets, likely[sure], "right") - 1]
        yield at[sure] * len(keys.rare) + holder
        del column, hashes, offsets


def _found(
    keys: Keys, held: Iterable[Positions], owner: NDArray[np.int32], begins: NDArray[np.int64]
) -> Iterator[Positions]:
    """Articles that hold a lowest shingle of one that is at most half as large: smaller article * articles + larger one.

    Args:
        keys: of all articles.
        held: occurrences of lowest shingles, sorted, as from `_holders`; all of a shingle are in one part.
        owner: the articles that have each of these shingles among their lowest, shingle after shingle.
        begins: where those of each shingle begin, and the end of the last one.
    """
    for occurrences in held:
        sizes = groups_of(occurrences // len(keys.rare))[1]
        kept = np.repeat(sizes <= _HOLDERS, sizes)
        value, holder = occurrences[kept] // len(keys.rare), occurrences[kept] % len(keys.rare)
        counts = np.diff(begins)[value]  # how many articles have this shingle among their lowest
        for run in runs_of(counts, _AT_ONCE):
            size = counts[run]
            inner = owner[np.repeat(begins[value[run]] - (np.cumsum(size) - size), size) + np.arange(size.sum())]
            outer = np.repeat(holder[run], size)
            larger = keys.rare[outer].astype(np.int64) >= 2 * keys.rare[inner].astype(np.int64)
            yield inner[larger].astype(np.int64) * len(keys.rare) + outer[larger]


def _lowest(keys: Keys) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """The lowest shingles of every article that says enough, sorted, and the article of each."""
    low, owner = [np.zeros(0, np.uint32)], [np.zeros(0, np.int32)]
    for path, place in zip(keys.files, keys.places, strict=True):
        column = open_signatures(path, ["shingles"])["shingles"].chunk(0)
        begins = column.offsets.to_numpy()[:-1]
        enough = keys.rare[place] >= np.array(MIN_MEASURED)[keys.script[place]]
        for k in range(LOWEST):
            some = np.flatnonzero(enough & (keys.rare[place] > k))
            low.append(column.values.to_numpy()[begins[some] + k])
            owner.append(place[some])
        del column, begins
    every, articles = np.concatenate(low), np.concatenate(owner)
    order = np.lexsort((articles, every))
    return every[order], articles[order]
