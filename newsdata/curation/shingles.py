"""Articles as sets of hashed shingles, and the list of shingles that are boilerplate.

A *unit* is one ideograph, one word of an alphabetic script or one number. A *shingle* is 5 units in a row
where at least half of the units are ideographs, else 3. A shingle that holds a number is a *fact*; dates,
times and years are no numbers here. Many articles are hashed at once with numpy: the same on every machine
and with any number of threads, and several times as fast as hashing strings one by one.
"""

from __future__ import annotations

import hashlib
import heapq
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BOILERPLATE_ARTICLES",
    "BOILERPLATE_DAYS",
    "PASSAGE",
    "SAMPLE_SIZE",
    "Boilerplate",
    "Shingles",
    "combine",
    "find_boilerplate",
    "sample_ids",
    "shingle",
    "text_table_digest",
]

BOILERPLATE_DAYS = 20
"""A shingle seen on this many days of the sample is boilerplate. Measured on labelled synthetic news."""

BOILERPLATE_ARTICLES = 7
"""So is one that this many articles of the sample share as the frame of a form, whatever the days. Measured
on a three-day archive, where days tell nothing; with 10, small families without numbers were merged."""

SAMPLE_SIZE = 20_000
"""Articles that the list of boilerplate is made from."""

PASSAGE = 50
"""Units of a passage, for coverage. Shorter ones say little: .91 of Chinese articles share 13 characters."""

_SLOT = 8  # units of a slot; it breaks that many shingles and one shingle's width less one, as a mere cut does
_END = 1000  # characters
_SLOTS = 2  # slots that make an article a filled form
_PASSAGE_RATE = 64  # one passage in so many is kept, chosen by its hash
_IDEOGRAPHIC, _ALPHABETIC = 5, 3  # units of a shingle
_OTHER, _IDEOGRAPH, _LETTER, _DIGIT, _JOINER = range(5)  # kinds of characters
_CHUNK = 1 << 16  # characters that are hashed at once: they fit the processor's cache
_LETTERS = 64  # letters of a word that get a multiplier of their own; it repeats after them

_SPILL = 1 << 19  # shingles that are read back at once
_PART = 1 << 21  # shingles that are sorted at once: 16 MB

_Unsigned = TypeVar("_Unsigned", np.uint32, np.uint64)
_Hashes = NDArray[np.uint64]
_Block = tuple[NDArray[np.uint32], NDArray[np.int64]]  # shingles in text order and the article of each


def _mix(values: _Hashes) -> _Hashes:
    """The finaliser of MurmurHash3 (fmix64, public domain): each bit of input reaches each of output."""
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xFF51AFD7ED558CCD)
    values = values ^ (values >> np.uint64(33))
    values = values * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


_MULTIPLIERS = _mix(np.arange(1, _LETTERS + 1, dtype=np.uint64)) | np.uint64(1)


@lru_cache(maxsize=1)
def _text_table() -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.bool_]]:
    """For each character of the basic plane: what it becomes, its kind, whether its text needs full NFKC.

    A character becomes its NFKC form, lower case, traditional ideographs simplified one by one. OpenCC's
    phrases are left out on purpose: they read the context, and both scripts must come out the same.
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
        if unicodedata.combining(char) or 0x1100 <= code < 0x1200:  # accents and jamo may join what is before
            needs_nfkc[code] = True
        forms.append(form)
    simplified = opencc.OpenCC("t2s").convert("\n".join(forms[0x2E80:0xD800])).split("\n")
    for code, form in enumerate(simplified, start=0x2E80):
        forms[code] = form if len(form) == 1 else forms[code]
    kinds = np.array([_kind(form) for form in forms], dtype=np.uint8)
    return np.array([ord(form) for form in forms], dtype=np.uint32), kinds, needs_nfkc


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
    """Hash of the table that normalises characters: it tells versions of Unicode and OpenCC by what they do.

    >>> len(text_table_digest())
    16
    """
    codes, kinds, needs_nfkc = _text_table()
    state = hashlib.blake2b(codes.astype("<u4").tobytes(), digest_size=8)
    state.update(kinds.tobytes())
    state.update(needs_nfkc.tobytes())
    return state.hexdigest()


def combine(values: NDArray[np.integer]) -> _Hashes:
    """One hash of each row of `values`, a matrix of at most 64 columns.

    >>> int(combine(np.array([[1, 2]]))[0]) != int(combine(np.array([[2, 1]]))[0])
    True
    """
    weighted = values.astype(np.uint64) * _MULTIPLIERS[: values.shape[1]]
    return _mix(weighted.sum(axis=1, dtype=np.uint64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shingles:
    """The shingles of some articles, article by article.

    Attributes:
        offsets: article `i` has `hashes[offsets[i]:offsets[i + 1]]`.
        hashes: sorted within an article, each once; the lowest bit is set where the shingle holds a number.
        exact: one hash of the whole normalised text of each article; 0 where it has no word.
        passage_offsets, passages: hashes of a fixed share of the passages of `PASSAGE` units, in text order.
    """

    offsets: NDArray[np.int64]
    hashes: NDArray[np.uint32]
    exact: _Hashes
    passage_offsets: NDArray[np.int64]
    passages: _Hashes


def shingle(texts: Sequence[str]) -> Shingles:
    """The shingles of `texts`.

    >>> found = shingle(["今天股市上涨了", "今天，股市上漲了！", "a short text", ""])
    >>> found.offsets.tolist()
    [0, 3, 6, 7, 7]
    >>> bool(found.exact[0] == found.exact[1])
    True
    """
    counts, hashes, exact = [np.zeros(1, np.int64)], [np.zeros(0, np.uint32)], [np.zeros(0, np.uint64)]
    passage_counts, passages = [np.zeros(1, np.int64)], [np.zeros(0, np.uint64)]
    for chunk in _chunks(texts):
        units = _units(chunk)
        article, ordered = _windows(units, _widths(units, len(chunk)))
        keys = _distinct((article.astype(np.uint64) << np.uint64(32)) | ordered)
        counts.append(np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(chunk)))
        hashes.append(keys.astype(np.uint32))
        exact.append(_exact(units, len(chunk)))
        article, kept = _passages(units)
        passage_counts.append(np.bincount(article, minlength=len(chunk)))
        passages.append(kept)
    return Shingles(
        offsets=np.cumsum(np.concatenate(counts)),
        hashes=np.concatenate(hashes),
        exact=np.concatenate(exact),
        passage_offsets=np.cumsum(np.concatenate(passage_counts)),
        passages=np.concatenate(passages),
    )


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    first, size = 0, 0
    for index, text in enumerate(texts):
        size += len(text) + 1
        if size >= _CHUNK or index == len(texts) - 1:
            yield texts[first : index + 1]
            first, size = index + 1, 0


def _starts(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where each run of equal values begins."""
    if not len(values):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))


def _distinct(values: NDArray[_Unsigned]) -> NDArray[_Unsigned]:
    """Sorted, each once; sorts in place, and is several times as fast as `numpy.unique`."""
    values.sort()
    return values[_starts(values)]


def _codes(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The code points of all texts, a line feed after each, and where each text starts."""
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    data = ("\n".join(texts) + "\n").encode("utf-32-le", "surrogatepass")
    return np.frombuffer(data, dtype="<u4").astype(np.uint32, copy=False), np.cumsum(lengths) - lengths


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Units:
    """The units of some articles in text order: article, hash, and whether it is an ideograph or a fact."""

    article: NDArray[np.int64]
    hashes: _Hashes
    ideograph: NDArray[np.bool_]
    fact: NDArray[np.bool_]


def _units(texts: Sequence[str]) -> _Units:
    table, kind_of, needs_nfkc = _text_table()
    raw, starts = _codes(texts)
    outside = raw > 0xFFFF
    strange = needs_nfkc[np.where(outside, 0, raw)] | outside
    if strange.any():
        wanted = set((np.searchsorted(starts, np.flatnonzero(strange), "right") - 1).tolist())
        texts = [unicodedata.normalize("NFKC", text) if i in wanted else text for i, text in enumerate(texts)]
        raw, starts = _codes(texts)
        outside = raw > 0xFFFF
    codes, kinds = table[np.where(outside, 0, raw)], kind_of[np.where(outside, 0, raw)]
    if outside.any():  # of the other planes only ideographs count, not pictures
        codes = np.where(outside, raw, codes)
        kinds = np.where(outside & (raw >= 0x20000) & (raw < 0x40000), np.uint8(_IDEOGRAPH), kinds)
    article = np.repeat(np.arange(len(texts)), np.diff(starts, append=len(codes)))

    # 1,234.5 and 12:30 are one number: drop a joiner between two digits, so that the digits meet
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
        weighted = (codes[first:].astype(np.uint64) + np.uint64(1)) * _MULTIPLIERS[inside % _LETTERS]
        weighted[kinds[first:] == _OTHER] = 0
        hashes = _mix(np.add.reduceat(weighted, begins - first))
    else:
        hashes = np.zeros(0, np.uint64)
    return _Units(
        article=article[begins],
        hashes=hashes,
        ideograph=kinds[begins] == _IDEOGRAPH,
        fact=_facts(codes, kinds, begins),
    )


_DATE_MARKS = np.array(sorted(map(ord, "年月日号时点分")), dtype=np.uint32)


def _facts(codes: NDArray[np.uint32], kinds: NDArray[np.uint8], begins: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which units are numbers, but neither date, time nor year: all forms of one day share those."""
    numbers = np.flatnonzero(kinds[begins] == _DIGIT)
    first = begins[numbers]
    end = np.flatnonzero((kinds == _DIGIT) & np.concatenate([kinds[1:] != _DIGIT, [True]])) + 1
    century = codes[first] * 10 + codes[np.minimum(first + 1, len(codes) - 1)]
    year = np.isin(century, [ord("1") * 10 + ord("9"), ord("2") * 10 + ord("0")]) & np.isin(end - first, [4, 8])
    dated = np.isin(codes[np.minimum(end, len(codes) - 1)], _DATE_MARKS)
    facts = np.zeros(len(begins), np.bool_)
    facts[numbers] = ~(year | dated)
    return facts


def _widths(units: _Units, articles: int) -> NDArray[np.int64]:
    """Units in a shingle of each article."""
    per_article = np.bincount(units.article, minlength=articles)
    ideographs = np.bincount(units.article[units.ideograph], minlength=articles)
    return np.where(2 * ideographs >= per_article, _IDEOGRAPHIC, _ALPHABETIC)


def _windows(units: _Units, widths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """In text order, the article and the hash of each shingle."""
    per_article = np.bincount(units.article, minlength=len(widths))
    width = widths[units.article]
    number = len(units.hashes)
    left = np.repeat(np.cumsum(per_article), per_article) - np.arange(number)  # units from here to the end
    hashes, fact = np.zeros(number, np.uint64), np.zeros(number, np.bool_)
    for k in range(min(_IDEOGRAPHIC, number)):
        use = width[: number - k] > k
        hashes[: number - k] += np.where(use, units.hashes[k:] * _MULTIPLIERS[k], np.uint64(0))
        fact[: number - k] |= use & units.fact[k:]
    whole = left >= width
    high = (_mix(hashes[whole]) >> np.uint64(32)).astype(np.uint32) & np.uint32(0xFFFFFFFE)
    return units.article[whole], high | fact[whole]


def _exact(units: _Units, articles: int) -> _Hashes:
    ends = np.cumsum(np.bincount(units.article, minlength=articles)).tolist()
    data = units.hashes.astype("<u8").tobytes()
    exact, begin = np.zeros(articles, np.uint64), 0
    for i, end in enumerate(ends):
        if end > begin:
            state = hashlib.blake2b(data[8 * begin : 8 * end], digest_size=8)
            exact[i] = int.from_bytes(state.digest(), "little") | 1
        begin = end
    return exact


def _passages(units: _Units) -> tuple[NDArray[np.int64], _Hashes]:
    """Article and hash of the kept passages: 50 units are 32, 16 and 2, each made of two halves."""
    powers = {1: units.hashes}
    for width in (2, 4, 8, 16, 32):
        half = powers[width // 2]
        powers[width] = _joined(half, half, width // 2)
    passages = _joined(_joined(powers[32], powers[16], 32), powers[2], 48)
    article = units.article[: len(passages)]
    kept = (passages % np.uint64(_PASSAGE_RATE) == 0) & (article == units.article[PASSAGE - 1 :][: len(passages)])
    return article[kept], passages[kept]


def _joined(left: _Hashes, right: _Hashes, distance: int) -> _Hashes:
    right = right[distance:]
    left = left[: len(right)]
    return _mix(left * _MULTIPLIERS[0] + right[: len(left)] * _MULTIPLIERS[1])


# ------------------------------------------------------------------------------------------- boilerplate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boilerplate:
    """Shingles that say nothing about an article; frozen with the dataset.

    Attributes:
        hashes: sorted, each once.
        digest: of the hashes.
    """

    hashes: NDArray[np.uint32]
    digest: str

    @staticmethod
    def of(hashes: NDArray[np.uint32]) -> Boilerplate:
        """The list made of `hashes`.

        >>> Boilerplate.of(np.array([4, 2, 4], dtype=np.uint32)).hashes.tolist()
        [2, 4]
        """
        hashes = _distinct(hashes.copy())
        state = hashlib.blake2b(hashes.astype("<u4").tobytes(), digest_size=16)
        return Boilerplate(hashes=hashes, digest=state.hexdigest())

    def holds(self, hashes: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which of `hashes` are boilerplate."""
        found = np.zeros(len(hashes), np.bool_)
        if not len(self.hashes):
            return found
        shift = np.uint32(max(0, 29 - len(self.hashes).bit_length()))  # most others fall through this sieve
        sieve = np.zeros(1 << (32 - int(shift)), np.bool_)
        sieve[self.hashes >> shift] = True
        for begin in range(0, len(hashes), 1 << 18):
            some = hashes[begin : begin + (1 << 18)]
            likely = np.flatnonzero(sieve[some >> shift])
            at = np.minimum(np.searchsorted(self.hashes, some[likely]), len(self.hashes) - 1)
            found[begin + likely] = self.hashes[at] == some[likely]
        return found

    def save(self, path: Path) -> None:
        """Write the list to `path`, byte for byte the same for the same list."""
        path.write_bytes(self.hashes.astype("<u4").tobytes())

    @staticmethod
    def load(path: Path) -> Boilerplate:
        """Read what `save` wrote.

        Raises:
            OSError: it cannot be read.
            ValueError: it is no such file.
        """
        return Boilerplate.of(np.frombuffer(path.read_bytes(), dtype="<u4").astype(np.uint32))


def sample_ids(article_ids: Iterable[str], size: int = SAMPLE_SIZE) -> frozenset[str]:
    """The articles that boilerplate is looked for in: those with the lowest hash, whatever their order.

    >>> sample_ids(["b", "a", "c"], 2) == sample_ids(["c", "b", "a"], 2)
    True
    """
    return frozenset(heapq.nsmallest(size, article_ids, key=_rank))


def _rank(article_id: str) -> bytes:
    name = article_id.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(name, digest_size=8).digest() + name


def find_boilerplate(sample: Iterable[tuple[int, str]]) -> Boilerplate:
    """The boilerplate of a sample of (day, text), in any order.

    A shingle is boilerplate where it is seen on `BOILERPLATE_DAYS` distinct days, or where it is part of the
    frame of `BOILERPLATE_ARTICLES` filled forms. A filled form is an article in which two or more slots
    (names and numbers, seen in few articles) stand between stretches seen in many; these are its frame.
    A copy of a much reprinted story has no slots, or few, so that the story is not taken for a form.

    Memory: about 0.1 GB, however large the sample; 4 bytes a character, of at most 2,000 of each article, are
    spilled to a temporary file. Undated articles go in under one day of their own.

    >>> len(find_boilerplate([(day, "本公司董事会保证公告内容真实") for day in range(20)]).hashes)
    10
    """
    with tempfile.TemporaryFile() as spilled:
        days, sizes, widths = _spill(sample, spilled)
        if not sizes.sum():
            return Boilerplate.of(np.zeros(0, np.uint32))
        blocks = partial(_blocks, spilled, sizes)
        often, by_day = _seen_often(blocks, BOILERPLATE_ARTICLES, days)
        common = Boilerplate.of(often)
        framed = _seen_often(lambda: _frames(blocks(), widths, common), BOILERPLATE_ARTICLES)[0]
    return Boilerplate.of(np.concatenate([by_day, framed]))


def _spill(
    sample: Iterable[tuple[int, str]], spilled: IO[bytes]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Write all shingles in text order; the day, the number of shingles and their width of each article."""
    days, sizes, widths = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for batch in _batches(sample):
        days.append(np.array([day for day, _ in batch], np.int64))
        for chunk in _chunks([_ends(text) for _, text in batch]):
            units = _units(chunk)
            widths.append(_widths(units, len(chunk)))
            article, ordered = _windows(units, widths[-1])
            sizes.append(np.bincount(article, minlength=len(chunk)))
            spilled.write(ordered.tobytes())
    return np.concatenate(days), np.concatenate(sizes), np.concatenate(widths)


def _blocks(spilled: IO[bytes], sizes: NDArray[np.int64]) -> Iterator[_Block]:
    """What was spilled, whole articles at a time: the shingles and the article of each."""
    spilled.seek(0)
    ends = np.cumsum(sizes)
    first = before = 0
    while first < len(sizes):
        last = max(first + 1, int(np.searchsorted(ends, before + _SPILL, "right")))
        data = spilled.read(4 * int(ends[last - 1] - before))
        yield np.frombuffer(data, np.uint32), np.repeat(np.arange(first, last), sizes[first:last])
        first, before = last, int(ends[last - 1])


def _frames(blocks: Iterable[_Block], widths: NDArray[np.int64], common: Boilerplate) -> Iterator[_Block]:
    """Of each block what is the frame of a filled form."""
    for shingles, article in blocks:
        if not len(shingles):
            continue
        often = common.holds(shingles)
        changes = (article[1:] != article[:-1]) | (often[1:] != often[:-1])
        begins = np.flatnonzero(np.concatenate([[True], changes]))
        length, owner, frame = np.diff(begins, append=len(shingles)), article[begins], often[begins]
        inner = owner[1:] == owner[:-1]  # another stretch of the article stands there
        inner_left, inner_right = np.concatenate([[False], inner]), np.concatenate([inner, [False]])
        width = widths[owner]
        slot = ~frame & (length >= width) & (length < width + _SLOT) & inner_left & inner_right
        form = np.bincount(owner[slot] - article[0], minlength=article[-1] - article[0] + 1) >= _SLOTS
        slot_left = np.concatenate([[False], slot[:-1]])
        slot_right = np.concatenate([slot[1:], [False]])
        frame &= form[owner - article[0]] & (slot_left | ~inner_left) & (slot_right | ~inner_right)
        framed = np.repeat(frame, length)
        yield shingles[framed], article[framed]


def _ends(text: str) -> str:
    """A long text's beginning and end: what repeats from article to article stands there."""
    return text if len(text) <= 2 * _END else text[:_END] + "\n" + text[-_END:]


def _seen_often(
    blocks: Callable[[], Iterable[_Block]], articles: int, days: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The shingles of at least `articles` articles; of these, if `days` says the day of each article, the ones
    seen on at least `BOILERPLATE_DAYS` days.

    Shingles are sorted by their highest bits, a part of them at a time.
    """
    total = sum(len(shingles) for shingles, _ in blocks())
    bits = max(1, (total // _PART).bit_length())
    often, by_day = [np.zeros(0, np.uint32)], [np.zeros(0, np.uint32)]
    for part in range(1 << bits):
        keys = [np.zeros(0, np.uint64)]
        for shingles, article in blocks():
            chosen = np.flatnonzero(shingles >> np.uint32(32 - bits) == part)
            keys.append((shingles[chosen].astype(np.uint64) << np.uint64(32)) | article[chosen].astype(np.uint64))
        distinct = _distinct(np.concatenate(keys))
        del keys
        shingle_of = (distinct >> np.uint64(32)).astype(np.uint32)
        begins = _starts(shingle_of)
        counts = np.diff(begins, append=len(shingle_of))
        often.append(shingle_of[begins[counts >= articles]])
        if days is None:
            continue
        kept = distinct[np.repeat(counts >= BOILERPLATE_DAYS, counts)]  # 20 days need 20 articles
        day = (days - days.min())[(kept & np.uint64(0xFFFFFFFF)).astype(np.int64)].astype(np.uint64)
        seen = (_distinct((kept & np.uint64(0xFFFFFFFF00000000)) | day) >> np.uint64(32)).astype(np.uint32)
        begins = _starts(seen)
        by_day.append(seen[begins[np.diff(begins, append=len(seen)) >= BOILERPLATE_DAYS]])
    return np.concatenate(often), np.concatenate(by_day)


def _batches(items: Iterable[tuple[int, str]], size: int = 1000) -> Iterator[list[tuple[int, str]]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
