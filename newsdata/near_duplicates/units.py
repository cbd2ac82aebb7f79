"""Texts as units: one ideograph, one word of an alphabetic script or one number each, hashed.

A number is a *fact*; dates, times and years do not count as facts. An unbroken run of 24 and more ASCII characters is an
address, a checksum or code: it is left out, because translations and releases share it. numpy hashes many articles at once:
the result is the same on every machine and with any number of threads, and this is several times as fast as hashing strings
one by one.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "IDEOGRAPHIC",
    "MULTIPLIERS",
    "SCRIPTS",
    "Hashes",
    "UnitLists",
    "Units",
    "chunks",
    "combine",
    "exact_hashes",
    "hash_runs",
    "join_lists",
    "list_units",
    "mix",
    "scripts_of",
    "text_table_digest",
    "unit_lists",
    "units_of",
]

SCRIPTS = ("latin", "han", "kana", "hangul", "cyrillic", "arabic", "other")
"""The scripts that are told apart; a text has the one of most of its words, see `Shingles.script`."""

_HAN = SCRIPTS.index("han")
IDEOGRAPHIC = ("han", "kana", "hangul")
"""Scripts of which each character is a unit; of the others each word is one."""

_CODE_RUN = 24  # printable ASCII characters without a space: no word is that long, addresses and checksums are
_OTHER, _IDEOGRAPH, _LETTER, _DIGIT, _JOINER = range(5)  # kinds of characters
_CHUNK = 1 << 16  # characters that are hashed at once; so many fit into the processor's cache
_LETTERS = 64  # different multipliers for the letters of a word; after that many letters they repeat

Hashes = NDArray[np.uint64]
"""64 bits each."""


def mix(values: Hashes) -> Hashes:
    """The finaliser of MurmurHash3 (fmix64, public domain): each bit of the input changes each bit of the output."""
    values = values ^ (values >> np.uint64(33))
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


MULTIPLIERS = mix(np.arange(1, _LETTERS + 1, dtype=np.uint64)) | np.uint64(1)


@lru_cache(maxsize=1)
def _text_table() -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]:
    """For each character of the basic plane: what it becomes, its kind, whether a text that has it needs full NFKC, and its
    script.

    A character becomes its NFKC form in lower case; a traditional ideograph becomes the simplified one. Ideographs are
    converted one by one, never as OpenCC's phrases: phrases depend on the context, and a text must give the same shingles in
    both scripts.
    """
    import opencc

    forms = []
    needs_nfkc = np.zeros(0x10000, dtype=np.bool_)
    for code in range(0x10000):
        char = chr(code)
        form = char if 0xD800 <= code < 0xE000 else unicodedata.normalize("NFKC", char).lower()
        if len(form) > 1:
            needs_nfkc[code] = any(part.isalnum() for part in form)
            form = form[0]
        if unicodedata.combining(char) or 0x1100 <= code < 0x1200:  # accents and jamo may join the character before
            needs_nfkc[code] = True
        forms.append(form)
    simplified = opencc.OpenCC("t2s").convert("\n".join(forms[0x2E80:0xD800])).split("\n")
    for code, form in enumerate(simplified, start=0x2E80):
        forms[code] = form if len(form) == 1 else forms[code]
    kinds = np.array([_kind(form) for form in forms], dtype=np.uint8)
    codes = np.array([ord(form) for form in forms], dtype=np.uint32)
    scripts = np.full(len(codes), SCRIPTS.index("other"), np.uint8)
    for name, ranges in _RANGES.items():
        for low, high in ranges:
            scripts[(codes >= low) & (codes < high)] = SCRIPTS.index(name)
    return codes, kinds, needs_nfkc, scripts


_RANGES = {
    "latin": ((0x41, 0x250), (0x1E00, 0x1F00)),
    "han": ((0x2E80, 0x3040), (0x3100, 0x3130), (0x31A0, 0xA4D0), (0xF900, 0xFB00)),
    "kana": ((0x3040, 0x3100), (0x31F0, 0x3200)),
    "hangul": ((0x1100, 0x1200), (0x3130, 0x3190), (0xAC00, 0xD7B0)),
    "cyrillic": ((0x400, 0x530),),
    "arabic": ((0x600, 0x780), (0xFB50, 0xFE00), (0xFE70, 0xFEFD)),
}


def _kind(char: str) -> int:
    code = ord(char)
    if char.isascii() and char.isdigit():
        return _DIGIT
    if char in ".,:-/":
        return _JOINER
    if not (char.isalnum() or unicodedata.category(char).startswith("M")):
        return _OTHER
    ideograph = 0x2E80 <= code < 0xA4D0 or 0xAC00 <= code < 0xD7B0 or 0xF900 <= code < 0xFB00
    return _IDEOGRAPH if ideograph else _LETTER


def text_table_digest() -> str:
    """A hash of the table that normalises characters. It changes if another version of Unicode or OpenCC changes it.

    >>> len(text_table_digest())
    16
    """
    codes, kinds, needs_nfkc, scripts = _text_table()
    state = hashlib.blake2b(codes.astype("<u4").tobytes(), digest_size=8)
    state.update(kinds.tobytes())
    state.update(needs_nfkc.tobytes())
    state.update(scripts.tobytes())
    return state.hexdigest()


def combine(values: NDArray[np.integer]) -> Hashes:
    """One 64-bit hash for each row of `values`, a matrix of at most 64 columns.

    >>> int(combine(np.array([[1, 2]]))[0]) != int(combine(np.array([[2, 1]]))[0])
    True
    """
    weighted = values.astype(np.uint64) * MULTIPLIERS[: values.shape[1]]
    return mix(weighted.sum(axis=1, dtype=np.uint64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitLists:
    """Units of some texts in order.

    Attributes:
        sizes: for each text the number of all its units.
        offsets: text `i` has `units[offsets[i]:offsets[i + 1]]`.
        units: a hash of each unit; the lowest bit is set if it is a number.
        exact: for each text one hash of all its units; 0 if it has none.
    """

    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    units: NDArray[np.uint32]
    exact: Hashes


def unit_lists(texts: Sequence[str], limit: int) -> UnitLists:
    """The first `limit` units of each of some short texts, such as titles.

    >>> found = unit_lists(["第3期开工", ""], 4)
    >>> found.sizes.tolist(), found.offsets.tolist(), (found.units & 1).tolist()
    ([5, 0], [0, 4, 4], [0, 1, 0, 0])
    """
    parts = []
    for chunk in chunks(texts):
        units = units_of(chunk)
        sizes = np.bincount(units.article, minlength=len(chunk))
        inside = np.arange(len(units.article)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        parts.append(list_units(units, sizes, inside < limit, exact_hashes(units, len(chunk))))
    return join_lists(parts)


def list_units(units: Units, sizes: NDArray[np.int64], kept: NDArray[np.bool_], exact: Hashes) -> UnitLists:
    """The kept ones among some units; `offsets` are the numbers of each text's units still."""
    hashes = (units.hashes[kept] >> np.uint64(32)).astype(np.uint32) & np.uint32(0xFFFFFFFE)
    return UnitLists(
        sizes=sizes,
        offsets=np.bincount(units.article[kept], minlength=len(sizes)),
        units=hashes | units.number[kept],
        exact=exact,
    )


def join_lists(parts: Sequence[UnitLists]) -> UnitLists:
    """What `list_units` made of some chunks, put together."""
    none = np.zeros(0, np.int64)
    return UnitLists(
        sizes=np.concatenate([none, *(part.sizes for part in parts)]),
        offsets=np.cumsum(np.concatenate([np.zeros(1, np.int64), *(part.offsets for part in parts)])),
        units=np.concatenate([np.zeros(0, np.uint32), *(part.units for part in parts)]),
        exact=np.concatenate([np.zeros(0, np.uint64), *(part.exact for part in parts)]),
    )


def chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in runs of about `_CHUNK` characters."""
    first, size = 0, 0
    for index, text in enumerate(texts):
        size += len(text) + 1
        if size >= _CHUNK or index == len(texts) - 1:
            yield texts[first : index + 1]
            first, size = index + 1, 0


def _codes(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The code points of all texts, with a line feed after each text, and the position at which each text starts."""
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    data = ("\n".join(texts) + "\n").encode("utf-32-le", "surrogatepass")
    return np.frombuffer(data, dtype="<u4").astype(np.uint32, copy=False), np.cumsum(lengths) - lengths


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """The units of some articles in text order.

    Attributes:
        article: the number of each unit's article.
        hashes: of each unit.
        ideograph: whether it is an ideograph.
        number: whether it is a number.
        fact: whether it is a number, and neither date, time nor year.
        script: a position in `SCRIPTS`.
        sums: prefix sums of the hashes, for `hash_runs`.
    """

    article: NDArray[np.int64]
    hashes: Hashes
    ideograph: NDArray[np.bool_]
    number: NDArray[np.bool_]
    script: NDArray[np.uint8]
    fact: NDArray[np.bool_]
    sums: Hashes


def units_of(texts: Sequence[str]) -> Units:
    """Normalise texts and cut them into units."""
    table, kind_of, needs_nfkc, script_of = _text_table()
    raw, starts = _codes(texts)
    outside = raw > 0xFFFF
    strange = needs_nfkc[np.where(outside, 0, raw)] | outside
    if strange.any():
        wanted = set((np.searchsorted(starts, np.flatnonzero(strange), "right") - 1).tolist())
        texts = [unicodedata.normalize("NFKC", text) if i in wanted else text for i, text in enumerate(texts)]
        raw, starts = _codes(texts)
        outside = raw > 0xFFFF
    inside = np.where(outside, 0, raw)
    codes, kinds = table[inside], kind_of[inside]
    kinds[_code_runs(raw)] = _OTHER
    if outside.any():  # in the other planes only ideographs count; emoji and other symbols do not
        codes = np.where(outside, raw, codes)
        kinds = np.where(outside & (raw >= 0x20000) & (raw < 0x40000), np.uint8(_IDEOGRAPH), kinds)
    article = np.repeat(np.arange(len(texts)), np.diff(starts, append=len(codes)))

    # 1,234.5 and 12:30 are one number each: drop a joiner between two digits, so that the digits follow each other
    digit = kinds == _DIGIT
    joins = kinds == _JOINER
    joins[1:-1] &= digit[:-2] & digit[2:]
    joins[:1] = joins[-1:] = False
    if joins.any():
        codes, kinds, article = codes[~joins], kinds[~joins], article[~joins]
    kinds = np.where(kinds == _JOINER, np.uint8(_OTHER), kinds)

    before = np.concatenate([np.zeros(1, np.uint8), kinds[:-1]])
    begins = np.flatnonzero((kinds != _OTHER) & ((kinds == _IDEOGRAPH) | (kinds != before)))
    if len(begins):
        first = begins[0]
        inside = np.arange(first, len(codes)) - np.repeat(begins, np.diff(begins, append=len(codes)))
        weighted = (codes[first:].astype(np.uint64) + np.uint64(1)) * MULTIPLIERS[inside % _LETTERS]
        weighted[kinds[first:] == _OTHER] = 0
        hashes = mix(np.add.reduceat(weighted, begins - first))
    else:
        hashes = np.zeros(0, np.uint64)
    return Units(
        article=article[begins],
        hashes=hashes,
        ideograph=kinds[begins] == _IDEOGRAPH,
        number=kinds[begins] == _DIGIT,
        script=np.where(codes[begins] > 0xFFFF, np.uint8(_HAN), script_of[np.minimum(codes[begins], 0xFFFF)]),
        fact=_facts(codes, kinds, begins),
        sums=_prefix_sums(hashes),
    )


def _code_runs(raw: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The positions of all characters in unbroken runs of at least `_CODE_RUN` printable ASCII characters."""
    edges = np.flatnonzero(np.diff(((raw > 0x20) & (raw < 0x7F)).astype(np.int8), prepend=0, append=0))
    begins, ends = edges[::2], edges[1::2]
    long = ends - begins >= _CODE_RUN
    return np.concatenate([np.zeros(0, np.int64), *map(np.arange, begins[long].tolist(), ends[long].tolist())])


def scripts_of(units: Units, articles: int) -> NDArray[np.uint8]:
    """The script of each article: the first of kana, Hangul, Han, Cyrillic, Arabic and others that a tenth of its words has,
    else Latin: Han and Latin words stand among those of other scripts."""
    words = ~units.number
    counts = np.bincount(units.article[words] * len(SCRIPTS) + units.script[words], minlength=articles * len(SCRIPTS))
    counts = counts.reshape(articles, len(SCRIPTS))
    needed = 10 * counts >= np.maximum(counts.sum(axis=1, keepdims=True), 1)
    order = [SCRIPTS.index(name) for name in ("kana", "hangul", "han", "cyrillic", "arabic", "other", "latin")]
    needed[:, SCRIPTS.index("latin")] = True
    found: NDArray[np.uint8] = np.array(order, np.uint8)[needed[:, order].argmax(axis=1)]
    return found


_DATE_MARKS = np.array(sorted(map(ord, "年月日号时点分")), dtype=np.uint32)


def _facts(codes: NDArray[np.uint32], kinds: NDArray[np.uint8], begins: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each unit whether it is a number, and neither date, time nor year: all articles of a day have those in common."""
    numbers = np.flatnonzero(kinds[begins] == _DIGIT)
    first = begins[numbers]
    end = np.flatnonzero((kinds == _DIGIT) & np.concatenate([kinds[1:] != _DIGIT, [True]])) + 1
    century = codes[first] * 10 + codes[np.minimum(first + 1, len(codes) - 1)]
    year = np.isin(century, [ord("1") * 10 + ord("9"), ord("2") * 10 + ord("0")]) & np.isin(end - first, [4, 8])
    dated = np.isin(codes[np.minimum(end, len(codes) - 1)], _DATE_MARKS)
    facts = np.zeros(len(begins), np.bool_)
    facts[numbers] = ~(year | dated)
    return facts


def exact_hashes(units: Units, articles: int) -> Hashes:
    """For each article one hash of all its units in order; 0 if it has none."""
    sizes = np.bincount(units.article, minlength=articles)
    begins = np.cumsum(sizes) - sizes
    return np.where(sizes > 0, hash_runs(units.sums, begins, sizes) | np.uint64(1), np.uint64(0))


def hash_runs(sums: Hashes, begins: NDArray[np.int64], sizes: NDArray[np.int64] | int) -> Hashes:
    """One hash for each run of units in order, wherever it stands: a polynomial of the units, from its prefix sums.

    Args:
        sums: `Units.sums`.
        begins, sizes: of the runs; none goes beyond the last unit.
    """
    down = _powers(len(sums))[1]
    return mix((sums[begins + sizes] - sums[begins]) * down[begins] + np.asarray(sizes).astype(np.uint64))


def _prefix_sums(hashes: Hashes) -> Hashes:
    """The sums of units times rising powers of a multiplier: entry `i` is the sum of the first `i` of them."""
    sums = np.zeros(len(hashes) + 1, np.uint64)
    np.cumsum(hashes * _powers(len(sums))[0][: len(hashes)], out=sums[1:])
    return sums


def _powers(size: int) -> tuple[Hashes, Hashes]:
    """At least `size` powers of a multiplier, and of its inverse, modulo 2^64."""
    return _powers_of_two(max(16, size.bit_length()))


@lru_cache(maxsize=2)
def _powers_of_two(bits: int) -> tuple[Hashes, Hashes]:
    base = int(MULTIPLIERS[0])
    up, down = (np.full(1 << bits, factor, np.uint64) for factor in (base, pow(base, -1, 1 << 64)))
    up[0] = down[0] = 1
    return np.cumprod(up, dtype=np.uint64), np.cumprod(down, dtype=np.uint64)
