"""The splits side by side: lengths, publishers, kinds, codes, hours, and the words that one has more often than the others."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .parameters import NO_PUBLISHER
from .rows import Rows
from .table import Table

__all__ = ["Comparison", "Shares", "compare_splits", "typical_words"]

_LENGTHS = (0, 1, 50, 100, 200, 400, 800, 1600, 3200, 6400)
_TOP = 12
_SAMPLE = 240  # articles of each split whose words are counted
_READ = 800  # characters of each of them
_WORDS = 15
_LEAST = 5  # articles of the sample that a word must stand in
_PIECE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]{2,}|[^\W\d_\u3400-\u9fff\uf900-\ufaff]{3,}")


class Shares(NamedTuple):
    """A table of counts: one row a value, one number a split."""

    title: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class Comparison(NamedTuple):
    """Splits in order with their numbers of articles, and the tables."""

    splits: tuple[str, ...]
    articles: tuple[int, ...]
    tables: tuple[Shares, ...]


def compare_splits(table: Table) -> Comparison:
    """Counts by split."""
    size = table.articles
    splits = table.split.codes[:size]
    there = [code for code in range(len(table.split.values)) if (splits == code).any()]
    masks = [(splits == code) & table.known[:size] for code in there]

    def counted(title: str, labels: Sequence[str], codes: Any, shift: int = 0) -> Shares:
        columns = [np.bincount(codes[mask] + shift, minlength=len(labels)) for mask in masks]
        rows = tuple(tuple(int(column[number]) for column in columns) for number in range(len(labels)))
        return Shares(title, tuple(labels), rows)

    lengths = np.searchsorted(np.array(_LENGTHS), table.chars[:size], side="right") - 1
    of_lengths = counted("Length of text, in characters", _length_labels(), np.maximum(lengths, 0))
    of_publishers = counted("Publishers", (NO_PUBLISHER, *table.publisher.values), table.publisher.codes[:size], 1)
    of_kinds = counted("Kinds", ("articles", "flashes"), table.flash[:size].astype(np.int64))
    of_hours = counted("Hours", ("none", *(f"{hour:02}" for hour in range(24))), table.hours[:size], 1)
    inside = table.codes.rows < size
    rows, codes = table.codes.rows[inside], table.codes.codes[inside]
    labels = [f"{code} {name}" for code, name in zip(table.codes.values, table.code_names, strict=True)]
    by_split = [np.bincount(codes[mask[rows]], minlength=len(labels)) for mask in masks]
    of_codes = Shares("Codes", tuple(labels), tuple(zip(*(column.tolist() for column in by_split), strict=True)))
    tables = (of_lengths, of_kinds, _top(of_publishers), _top(of_codes), of_hours)
    names = tuple(table.split.values[code] for code in there)
    return Comparison(names, tuple(int(mask.sum()) for mask in masks), tables)


def typical_words(table: Table, rows: Rows) -> dict[str, list[tuple[str, int, float]]]:
    """For each split the words that its articles have more often than those of the other splits.

    Words are runs of two to four Chinese characters, and words of other letters. They are counted in a sample, once an
    article. The measure is the logarithm of the odds, with half an article added everywhere.

    Returns:
        split -> (word, per mille of the split's sample, log odds), the highest first; {} with fewer than two splits.

    Raises:
        DamagedFile: a shard cannot be read.
    """
    size = table.articles
    counts: dict[str, Counter[str]] = {}
    samples: dict[str, int] = {}
    for code, name in enumerate(table.split.values):
        of_split = np.flatnonzero((table.split.codes[:size] == code) & table.known[:size])
        if len(of_split):
            sample = _sample(of_split.tolist())
            samples[name] = len(sample)
            counts[name] = Counter()
            for values in rows.read(sample, ["title", "digest", "text"]):
                text = "\n".join(values[column] or "" for column in ("title", "digest", "text"))
                counts[name].update(_words(text[:_READ]))
    if len(counts) < 2:
        return {}
    return {name: _over_represented(name, counts, samples) for name in counts}


def _sample(rows: list[int]) -> list[int]:
    """Articles in blocks that lie evenly, so that few row groups are read."""
    blocks, length = 8, _SAMPLE // 8
    if len(rows) <= _SAMPLE:
        return rows
    starts = [number * (len(rows) - length) // (blocks - 1) for number in range(blocks)]
    return sorted({rows[start + step] for start in starts for step in range(length)})


def _words(text: str) -> set[str]:
    found: set[str] = set()
    for piece in _PIECE.findall(text):
        if piece[0] < "\u3400" or piece[0] > "\ufaff":
            found.add(piece.lower())
        else:
            found.update(piece[at : at + n] for n in (2, 3, 4) for at in range(len(piece) - n + 1))
    return found


def _over_represented(
    name: str, counts: dict[str, Counter[str]], samples: dict[str, int]
) -> list[tuple[str, int, float]]:
    here, size = counts[name], samples[name]
    elsewhere: Counter[str] = Counter()
    for other, found in counts.items():
        if other != name:
            elsewhere.update(found)
    rest = sum(samples.values()) - size

    def odds(word: str) -> float:
        a, b = here[word] + 0.5, elsewhere[word] + 0.5
        return math.log(a / (size + 1 - a)) - math.log(b / (rest + 1 - b))

    scored = sorted(
        ((odds(word), word) for word, count in here.items() if count >= min(_LEAST, size)),
        key=lambda one: (-one[0], -len(one[1]), one[1]),
    )
    kept: list[tuple[str, int, float]] = []
    for score, word in scored:
        if score <= 0 or len(kept) == _WORDS:
            break
        if not any(word in other or other in word for other, _, _ in kept):
            kept.append((word, round(1000 * here[word] / size), score))
    return kept


def _length_labels() -> list[str]:
    ends = [*(str(end - 1) for end in _LENGTHS[1:]), ""]
    labels = [
        f"{start:,} to {int(end):,}" if end else f"{start:,} and more"
        for start, end in zip(_LENGTHS, ends, strict=True)
    ]
    return ["none", *labels[1:]]


def _top(shares: Shares) -> Shares:
    """The values that most articles have, and a row for all others."""
    order = sorted(range(len(shares.labels)), key=lambda n: (-sum(shares.counts[n]), shares.labels[n]))
    order = [number for number in order if sum(shares.counts[number])]
    kept, others = order[:_TOP], order[_TOP:]
    labels = [shares.labels[number] for number in kept]
    counts = [shares.counts[number] for number in kept]
    if others and shares.title != "Codes":  # an article has several codes, so their sum says nothing
        labels.append(f"{len(others):,} others")
        counts.append(tuple(sum(column) for column in zip(*(shares.counts[number] for number in others), strict=True)))
    return Shares(shares.title, tuple(labels), tuple(counts))
