"""The list of shingles that are boilerplate: made once in the life of a dataset, from a sample of its articles.

A shingle is boilerplate if it is seen on `BOILERPLATE_DAYS` distinct days, or if it is part of the frame of
`BOILERPLATE_ARTICLES` filled forms. A filled form is an article with at least two slots: a slot is a short stretch that few
articles have (a name, a number), between two stretches that many articles have. The stretches beside the slots are the
frame of the form. The copies of a story that was often reprinted have few slots or none, so they do not count as forms.

The work is cut into steps on files, so that each step can run in a process of its own:

1. `spill` writes the shingles of some texts to a file.
2. `count` finds the shingles of one range that are seen often in all of these files, and those that are seen on many days.
3. `spill_frames` writes the frames of filled forms, given the shingles that are seen often.
4. `count` does the same with the frames.
5. `Boilerplate.of` makes the list: the shingles that are seen on many days, and those that are seen often in frames.

Memory: about 0.1 GB a step, for a sample of any size.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .shingles import distinct, ordered, starts

__all__ = [
    "BOILERPLATE_ARTICLES",
    "BOILERPLATE_DAYS",
    "SAMPLE_SIZE",
    "Boilerplate",
    "Spilled",
    "choose_sample",
    "count",
    "find_boilerplate",
    "range_bits",
    "spill",
    "spill_frames",
]

BOILERPLATE_DAYS = 20
"""A shingle that is seen on this many days of the sample is boilerplate. Measured with `scripts/quality.py`."""

BOILERPLATE_ARTICLES = 7
"""A shingle that is part of the frame of this many filled forms is boilerplate, on however few days. Measured with
`scripts/quality.py` on an archive of three days, where days tell nothing: with 10, small families of forms without numbers
were taken for copies."""

SAMPLE_SIZE = 10_000
"""The number of articles that the list of boilerplate is made from."""

_SLOT_UNITS = 8  # units of a slot, at most; n changed units change n + width - 1 shingles, a cut changes width - 1
_END_CHARACTERS = 1000  # of a long text, at its beginning and at its end
_SLOTS = 2  # slots that make an article a filled form

_READ_AT_ONCE = 1 << 18  # shingles
_COUNTED_AT_ONCE = 1 << 21  # shingles: 32 MB

_Shingles = NDArray[np.uint32]
_Block = tuple[_Shingles, NDArray[np.int64]]  # shingles in text order, and the number of each one's article


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boilerplate:
    """The list of boilerplate of a dataset: shingles that are left out when articles are compared.

    Attributes:
        hashes: the shingles, sorted, each once.
        digest: BLAKE2b of the hashes, 32 hexadecimal digits.
    """

    hashes: NDArray[np.uint32]
    digest: str

    @staticmethod
    def of(hashes: NDArray[np.uint32]) -> Boilerplate:
        """The list of these shingles, given in any order.

        >>> Boilerplate.of(np.array([4, 2, 4], dtype=np.uint32)).hashes.tolist()
        [2, 4]
        """
        hashes = distinct(hashes.copy())
        state = hashlib.blake2b(hashes.astype("<u4").tobytes(), digest_size=16)
        return Boilerplate(hashes=hashes, digest=state.hexdigest())

    def holds(self, hashes: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """For each of `hashes` whether it is boilerplate."""
        found = np.zeros(len(hashes), np.bool_)
        if not len(self.hashes):
            return found
        # A sieve by the leading bits: only the few hashes that pass it are looked up.
        shift = np.uint32(max(0, 29 - len(self.hashes).bit_length()))
        sieve = np.zeros(1 << (32 - int(shift)), np.bool_)
        sieve[self.hashes >> shift] = True
        for begin in range(0, len(hashes), 1 << 18):
            some = hashes[begin : begin + (1 << 18)]
            likely = np.flatnonzero(sieve[some >> shift])
            at = np.minimum(np.searchsorted(self.hashes, some[likely]), len(self.hashes) - 1)
            found[begin + likely] = self.hashes[at] == some[likely]
        return found

    def save(self, path: Path) -> None:
        """Write the list to `path`: 4 bytes for each shingle, little-endian. Equal lists give equal bytes."""
        path.write_bytes(self.hashes.astype("<u4").tobytes())

    @staticmethod
    def load(path: Path) -> Boilerplate:
        """Read what `save` wrote.

        Raises:
            OSError: the file cannot be read.
            ValueError: its size is not a multiple of 4 bytes.
        """
        return Boilerplate.of(np.frombuffer(path.read_bytes(), dtype="<u4").astype(np.uint32))


def choose_sample(article_ids: pa.Array, size: int = SAMPLE_SIZE) -> NDArray[np.int64]:
    """The positions of the articles in the sample: those whose ids have the lowest hashes.

    The order of `article_ids` does not matter. Boilerplate is looked for in the sample only.

    >>> choose_sample(pa.array(["b", "a", "c"]), 2).tolist(), choose_sample(pa.array(["c", "b", "a"]), 2).tolist()
    ([1, 2], [0, 2])
    """
    hashes = np.zeros(len(article_ids), np.uint64)
    for begin in range(0, len(article_ids), 4096):
        names = article_ids.slice(begin, 4096).to_pylist()
        hashes[begin : begin + len(names)] = [_rank(name) for name in names]
    return np.sort(np.argsort(hashes, kind="stable")[:size])


def _rank(article_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spilled:
    """A file with the shingles of some articles in text order, 4 bytes each.

    Attributes:
        path: the file.
        sizes: for each article the number of its shingles.
        widths: for each article the number of units in a shingle: 5 or 3.
    """

    path: Path
    sizes: NDArray[np.int64]
    widths: NDArray[np.int64]


def spill(texts: Iterable[Sequence[str]], path: Path) -> Spilled:
    """Write the shingles of texts to `path`: of a long text those of its first and its last 1,000 characters.

    Args:
        texts: batches of texts.
        path: the file to write.
    """
    sizes, widths = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    with path.open("wb") as file:
        for batch in texts:
            for hashes, size, width in ordered([_ends(text) for text in batch]):
                file.write(hashes.tobytes())
                sizes.append(size)
                widths.append(width)
    return Spilled(path=path, sizes=np.concatenate(sizes), widths=np.concatenate(widths))


def _ends(text: str) -> str:
    """The beginning and the end of a long text: boilerplate is there. A short text is returned whole."""
    return text if len(text) <= 2 * _END_CHARACTERS else text[:_END_CHARACTERS] + "\n" + text[-_END_CHARACTERS:]


def find_boilerplate(articles: Iterable[tuple[int, str]]) -> Boilerplate:
    """The boilerplate of a sample of articles, found in this process.

    A build does the same steps as tasks; this function is for measuring (`scripts/quality.py`).

    Args:
        articles: (day, text) of each article, in any order; days are counted since 1970.

    >>> len(find_boilerplate([(day, "本公司董事会保证公告内容真实") for day in range(20)]).hashes)
    10
    """
    days: list[int] = []

    def texts() -> Iterator[list[str]]:
        iterator = iter(articles)
        while batch := list(islice(iterator, 1000)):
            days.extend(day for day, _ in batch)
            yield [text for _, text in batch]

    with tempfile.TemporaryDirectory() as folder:
        part = spill(texts(), Path(folder, "sample"))
        often, by_day = _count_all([part], np.array(days, np.int64))
        frames = spill_frames(part, Boilerplate.of(often), Path(folder, "frames"))
        framed, _ = _count_all([frames], None)
        return Boilerplate.of(np.concatenate([by_day, framed]))


def _count_all(parts: Sequence[Spilled], days: NDArray[np.int64] | None) -> tuple[_Shingles, _Shingles]:
    bits = range_bits(parts)
    counted = [count(parts, bits, number, days) for number in range(1 << bits)]
    return np.concatenate([often for often, _ in counted]), np.concatenate([by_day for _, by_day in counted])


# ------------------------------------------------------------------------------------------------ frames


def spill_frames(part: Spilled, common: Boilerplate, path: Path) -> Spilled:
    """Write the shingles that are part of the frame of a filled form to `path`.

    Args:
        part: some articles, from `spill`.
        common: the shingles that are seen often in the whole sample.
        path: the file to write.

    Returns:
        The same articles; those that are not filled forms have no shingles.
    """
    sizes = np.zeros(len(part.sizes), np.int64)
    with path.open("wb") as file:
        for shingles, article in _frames(_blocks(part), part.widths, common):
            sizes += np.bincount(article, minlength=len(sizes))
            file.write(shingles.tobytes())
    return Spilled(path=path, sizes=sizes, widths=part.widths)


def _blocks(part: Spilled) -> Iterator[_Block]:
    """The shingles of a file and the number of each one's article, some whole articles at a time."""
    ends = np.cumsum(part.sizes)
    first = before = 0
    with part.path.open("rb") as spilled:
        while first < len(ends):
            last = max(first + 1, int(np.searchsorted(ends, before + _READ_AT_ONCE, "right")))
            data = spilled.read(4 * int(ends[last - 1] - before))
            yield np.frombuffer(data, np.uint32), np.repeat(np.arange(first, last), part.sizes[first:last])
            first, before = last, int(ends[last - 1])


def _frames(blocks: Iterable[_Block], widths: NDArray[np.int64], common: Boilerplate) -> Iterator[_Block]:
    """From each block only the shingles that are part of the frame of a filled form."""
    for shingles, article in blocks:
        if not len(shingles):
            continue
        often = common.holds(shingles)
        changes = (article[1:] != article[:-1]) | (often[1:] != often[:-1])
        begins = np.flatnonzero(np.concatenate([[True], changes]))
        length, owner, frame = np.diff(begins, append=len(shingles)), article[begins], often[begins]
        inner = owner[1:] == owner[:-1]  # whether this stretch and the next one are of the same article
        inner_left, inner_right = np.concatenate([[False], inner]), np.concatenate([inner, [False]])
        width = widths[owner]
        slot = ~frame & (length >= width) & (length < width + _SLOT_UNITS) & inner_left & inner_right
        form = np.bincount(owner[slot] - article[0], minlength=article[-1] - article[0] + 1) >= _SLOTS
        slot_left = np.concatenate([[False], slot[:-1]])
        slot_right = np.concatenate([slot[1:], [False]])
        frame &= form[owner - article[0]] & (slot_left | ~inner_left) & (slot_right | ~inner_right)
        framed = np.repeat(frame, length)
        yield shingles[framed], article[framed]


# ------------------------------------------------------------------------------------------------ counts


def range_bits(parts: Sequence[Spilled]) -> int:
    """The number of leading bits that cut the shingles into ranges, so that counting one range takes about 32 MB.

    With `n` bits there are `2**n` ranges.
    """
    total = sum(int(part.sizes.sum()) for part in parts)
    return max(1, (total // _COUNTED_AT_ONCE).bit_length())


def count(
    parts: Sequence[Spilled], bits: int, number: int, days: NDArray[np.int64] | None = None
) -> tuple[_Shingles, _Shingles]:
    """The shingles of one range that are seen often, and those that are seen on many days.

    Args:
        parts: all articles, from `spill` or `spill_frames`.
        bits: from `range_bits`.
        number: of the range, from 0 to 2**bits - 1: the first `bits` bits of its shingles.
        days: for each article its day, part after part; all undated articles have the same day, which no other article
            has. None if days do not matter.

    Returns:
        The shingles that are seen in at least `BOILERPLATE_ARTICLES` articles; of these, the ones that are seen on at least
        `BOILERPLATE_DAYS` days (empty if `days` is None). Both are sorted.
    """
    found, owners, first = [], [], 0
    for part in parts:
        for shingles, article in _blocks(part):
            chosen = np.flatnonzero(shingles >> np.uint32(32 - bits) == number)
            found.append(shingles[chosen])
            owners.append((article[chosen] + first).astype(np.uint32))
        first += len(part.sizes)
    shingle_of = np.concatenate([np.zeros(0, np.uint32), *found])
    owner = np.concatenate([np.zeros(0, np.uint32), *owners])
    del found, owners
    # Most shingles are seen once or twice. They are left out before the rest is sorted: if few shingles have the same
    # trailing bits, none of them can be seen often.
    buckets = ((shingle_of >> np.uint32(2)) & np.uint32((1 << len(shingle_of).bit_length()) - 1)).astype(np.int64)
    often = np.flatnonzero(np.bincount(buckets)[buckets] >= BOILERPLATE_ARTICLES) if len(buckets) else buckets
    del buckets
    keys = distinct((shingle_of[often].astype(np.uint64) << np.uint64(32)) | owner[often])
    shingle_of = (keys >> np.uint64(32)).astype(np.uint32)
    begins = starts(shingle_of)
    counts = np.diff(begins, append=len(shingle_of))
    seen = shingle_of[begins[counts >= BOILERPLATE_ARTICLES]]
    if days is None or not len(days):
        return seen, np.zeros(0, np.uint32)
    kept = keys[np.repeat(counts >= BOILERPLATE_DAYS, counts)]  # 20 days need 20 articles
    day = (days - days.min())[(kept & np.uint64(0xFFFFFFFF)).astype(np.int64)].astype(np.uint64)
    by_day = (distinct((kept & np.uint64(0xFFFFFFFF00000000)) | day) >> np.uint64(32)).astype(np.uint32)
    begins = starts(by_day)
    return seen, by_day[begins[np.diff(begins, append=len(by_day)) >= BOILERPLATE_DAYS]]
