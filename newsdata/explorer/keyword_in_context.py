"""Words in context: each place where a word stands, with the characters before and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .rows import Rows

__all__ = ["MAX_LINES", "Concordance", "Line", "find_all", "neighbours", "snippet", "sort_lines", "words_in_context"]

MAX_LINES = 10_000
"""Most lines of a concordance; those of the newest articles."""

_SIDE = 60  # characters that are kept on each side
_AT_ONCE = 1_000  # articles that are read at once


class Line(NamedTuple):
    """A place of a word: the row of the article, the column, where the word starts, and what stands around it."""

    row: int
    column: str
    start: int
    left: str
    node: str
    right: str


class Concordance(NamedTuple):
    """Lines of the newest articles first, and the number of articles that they are from; `cut` if there are more lines."""

    lines: tuple[Line, ...]
    articles: int
    cut: bool


def find_all(text: str, words: str) -> list[int]:
    """Where words start in a text; places do not overlap.

    >>> find_all("涨涨涨停", "涨涨")
    [0]
    """
    found, at = [], text.find(words) if words else -1
    while at >= 0:
        found.append(at)
        at = text.find(words, at + len(words))
    return found


def words_in_context(rows: Rows, wanted: Sequence[int], words: str, columns: Sequence[str]) -> Concordance:
    """The lines of the wanted articles, in their order, up to `MAX_LINES`.

    Raises:
        DamagedFile: a shard cannot be read.
    """
    lines: list[Line] = []
    for first in range(0, len(wanted), _AT_ONCE):
        block = wanted[first : first + _AT_ONCE]
        for done, (row, values) in enumerate(zip(block, rows.read(block, list(columns)), strict=True), first + 1):
            lines += _lines(row, values, words, columns)
            if len(lines) >= MAX_LINES:
                cut = len(lines) > MAX_LINES or done < len(wanted)
                return Concordance(tuple(lines[:MAX_LINES]), done, cut)
    return Concordance(tuple(lines), len(wanted), False)


def _lines(row: int, values: dict[str, Any], words: str, columns: Sequence[str]) -> Iterable[Line]:
    for column in columns:
        text = values.get(column) or ""
        for start in find_all(text, words):
            end = start + len(words)
            yield Line(row, column, start, text[max(0, start - _SIDE) : start], words, text[end : end + _SIDE])


def sort_lines(lines: Sequence[Line], sort: str) -> list[Line]:
    """Lines by their characters to the left (`2L`: the two nearest ones, the nearest first) or to the right; else as they are.

    >>> a, b = Line(0, "text", 1, "乙", "涨", "停"), Line(1, "text", 1, "甲", "涨", "幅")
    >>> [line.left for line in sort_lines([a, b], "1L")]
    ['乙', '甲']
    """
    if not sort or sort[0] not in "123":
        return list(lines)
    count = int(sort[0])
    if sort[1] == "L":
        return sorted(lines, key=lambda line: line.left[: -count - 1 : -1])
    return sorted(lines, key=lambda line: line.right[:count])


def neighbours(
    lines: Iterable[Line], count: int, most: int = 12
) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """The most frequent characters just before and just after the word, `count` at a time, with their numbers."""
    left: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for line in lines:
        left[line.left[-count:]] += 1
        right[line.right[:count]] += 1
    return _most(left, most), _most(right, most)


def _most(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    return sorted(((words, n) for words, n in counts.items() if words), key=lambda item: (-item[1], item[0]))[:most]


def snippet(text: str, words: str, length: int = 110) -> str:
    """A part of a text around the first place of some words, or its beginning; `…` stands for what was cut.

    >>> snippet("一二三四五六七八九十", "七", 4)
    '…六七八九…'
    """
    at = text.find(words) if words else -1
    first = max(0, at - length // 3) if at >= 0 else 0
    last = max(first + length, at + len(words))
    return ("…" if first else "") + text[first:last].strip() + ("…" if last < len(text) else "")
