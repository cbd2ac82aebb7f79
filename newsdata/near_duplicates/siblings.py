"""Whether two articles with many common words are siblings instead of copies: this year's and last year's, two companies.

Titles and short texts are compared unit by unit. A unit is a number whose lowest bit is set if it stands for a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .units import unit_lists

__all__ = ["compare_titles", "is_filled", "is_next"]

SLOT_UNITS = {True: 12, False: 6}
"""A stretch of at most this many units that is replaced by another one is a slot of a form: a name, an amount. By whether
units are ideographs."""
NAME_UNITS = {True: range(3, 7), False: range(1, 3)}
"""Where a stretch of so many units begins one text, and another stretch the other one, it is the name of another company;
shorter and longer ones are the words that a newspaper puts before a story."""

_AROUND = 24  # units before and after a common stretch, at most, so that nothing else that is common is looked for
_NAMES = 2
"""Different names in a form, at most: with more of them it is a copy whose words were replaced by others."""
_FORM_SHARE, _FORM_UNITS = 0.5, 4  # what two titles of a form have in common at least
_STAGES = (
    "alpha", "beta", "preview", "pre", "rc", "candidate", "candidato", "candidata", "bêta", "альфа", "бета",
    "ベータ", "アルファ", "プレビュー", "候補", "测试版", "公测", "内测", "预览", "候选", "베타", "알파", "후보",
)  # fmt: skip
"""What a version is called before it is released."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"  # one of them after a number is part of a version: "7.4b"
_CONTAINED_UNITS = 4  # of a title that stands in another one
_ADDED_UNITS = {True: 6, False: 3}
"""A title with more units than another one that it holds tells more: the next step, another part."""
_TITLE_UNITS = {True: 8, False: 3}
"""Equal titles of fewer units ("correction", "team meeting") tell nothing. By whether units are ideographs."""
_CHANGED = 3  # shingles that a changed number changes, unless it is the first or last unit
_SERIES_UNITS = 2  # by which the titles of two parts of a series begin, at least

_Units = NDArray[np.uint32]


def compare_titles(one: _Units, two: _Units, *, ideographic: bool) -> int:
    """What two titles tell: 1 if they say the same, -1 or -2 if they contradict each other, 0 if nothing.

    They say the same if they are equal and not short, or if one stands inside a little longer one with the same numbers. They
    contradict each other if they are equal but for one stretch in both (-1); and firmly (-2) if they have half of their words
    in common, and each has a number that the other does not have, or only one names a stage of a version, such as "rc".
    Titles without common words may name other numbers of the same story.

    Args:
        one, two: the units of the titles.
        ideographic: whether units are ideographs.

    >>> compare_titles(np.array([2, 4, 7], np.uint32), np.array([2, 4, 9], np.uint32), ideographic=False)
    -2
    """
    if not len(one) or not len(two):
        return 0
    shorter, longer = sorted((one.tolist(), two.tolist()), key=len)
    if shorter == longer:
        return int(len(shorter) >= _TITLE_UNITS[ideographic])
    some, more = _versions(shorter), _versions(longer)
    if (some or more) and (_numbered(shorter, longer) or _versions_differ(shorter, longer, some, more)):
        return -2
    few = len(longer) - len(shorter) <= _ADDED_UNITS[ideographic]
    if few and len(shorter) >= _CONTAINED_UNITS and some == more and _inside(shorter, longer):
        return 1
    alike = sum(_common_ends(shorter, longer))
    if alike < len(shorter) and alike >= max(_FORM_UNITS, _FORM_SHARE * len(longer)):
        return -1
    return 0


def _versions(title: list[int]) -> set[tuple[int, int]]:
    """The numbers of a title, each with the letter that follows it, or 0."""
    if not any(unit & 1 for unit in title):
        return set()
    letters = _letters()
    following = (*title[1:], 0)
    return {(unit, after if after in letters else 0) for unit, after in zip(title, following, strict=True) if unit & 1}


def _numbered(one: list[int], two: list[int]) -> bool:
    """Whether two titles begin with the same words, and go on with different numbers: parts of a series."""
    begin = _common_ends(one, two)[0]
    return _SERIES_UNITS <= begin < min(len(one), len(two)) and bool(one[begin] & two[begin] & 1)


def _versions_differ(
    shorter: list[int], longer: list[int], some: set[tuple[int, int]], more: set[tuple[int, int]]
) -> bool:
    """Whether two titles have half of their words in common, and name other versions or stages of one.

    Args:
        shorter, longer: the titles.
        some, more: from `_versions`, of each.
    """
    early, late = _stages_in(shorter), _stages_in(longer)
    if not (some - more and more - some) and not (some and early != late):
        return False
    known = _letters() | {unit for stage in early | late for unit in stage}
    words, others = ({unit for unit in title if not unit & 1} - known for title in (shorter, longer))
    return 2 * len(words & others) >= min(len(words), len(others))


@cache
def _letters() -> frozenset[int]:
    return frozenset(unit_lists([" ".join(_LETTERS)], len(_LETTERS)).units.tolist())


@cache
def _stages() -> dict[int, list[tuple[int, ...]]]:
    """The units of each stage, by their first unit."""
    found = unit_lists(_STAGES, 20)
    stages: dict[int, list[tuple[int, ...]]] = {}
    for begin, end in pairwise(found.offsets.tolist()):
        stage = tuple(found.units[begin:end].tolist())
        stages.setdefault(stage[0], []).append(stage)
    return stages


def _stages_in(title: list[int]) -> set[tuple[int, ...]]:
    """The stages that a title names."""
    known = _stages()
    return {
        stage
        for at, unit in enumerate(title)
        for stage in known.get(unit, ())
        if tuple(title[at : at + len(stage)]) == stage
    }


def is_next(one: _Units, two: _Units) -> bool:
    """Whether two texts that are nearly the same differ in their numbers only: this meeting's and the next one's.

    Half of the shingles that only one of them has hold a number, on both sides. Those of an edited copy seldom do. Where
    words were added beside a number, sides differ in size, and one has few.

    Args:
        one, two: the shingles of the texts, sorted, as `shingles.shingle` gives them.

    >>> july, august = np.array([4, 6, 10, 14], np.uint32), np.array([4, 18, 22, 26], np.uint32)
    >>> is_next(july, august), is_next(july, np.array([4, 16, 20, 24], np.uint32)), is_next(july, july)
    (True, False, False)
    """
    some, more = np.setdiff1d(one, two, assume_unique=True), np.setdiff1d(two, one, assume_unique=True)
    numbers, others = np.count_nonzero(some & 2), np.count_nonzero(more & 2)
    least = _CHANGED if len(some) != len(more) else 1
    return bool(min(numbers, others) >= least and 2 * (numbers + others) >= len(some) + len(more))


def is_filled(one: _Units, two: _Units, titles: int, *, ideographic: bool) -> bool:
    """Whether two short texts are one form, filled in two ways: in one or two places a stretch of few units is another one.

    Args:
        one, two: the texts.
        titles: from `compare_titles`. If it is 1, names may differ, but no numbers.
        ideographic: whether units are ideographs.

    >>> frame = np.arange(10, 60, 2, dtype=np.uint32)
    >>> other = np.concatenate([[2, 4], frame]).astype(np.uint32)
    >>> is_filled(np.concatenate([[6, 8], frame]).astype(np.uint32), other, 0, ideographic=False)
    True
    >>> is_filled(frame, other, 0, ideographic=False)
    False
    """
    a, b = one.tolist(), two.tolist()
    if _inside(*sorted((a, b), key=len)):
        return False
    begin, end = _common_ends(a, b)
    a, b = a[begin : len(a) - end], b[begin : len(b) - end]
    if not a or not b:
        return False
    names = set()
    for left, right, first, last in _replaced(a, b, apart=begin == end == 0):
        numbers, others = {unit for unit in left if unit & 1}, {unit for unit in right if unit & 1}
        if numbers - others and others - numbers:
            return True
        size, least = max(len(left), len(right)), min(len(left), len(right))
        first, last = first and begin == 0, last and end == 0
        if first and least in NAME_UNITS[ideographic] and titles < 1:
            return True
        if not first and not last and size <= SLOT_UNITS[ideographic]:
            names.add((*left, 0, *right))
    return titles < 1 and 0 < len(names) <= _NAMES


def _replaced(a: list[int], b: list[int], *, apart: bool) -> Iterator[tuple[list[int], list[int], bool, bool]]:
    """The stretches of `a` that another stretch of `b` stands for, and whether it is the first or the last of both lists.

    Args:
        a, b: what is left of two texts without their common ends.
        apart: whether they had no common ends: then they often have one long common stretch between others.
    """
    at, other, size = _core(a, b) if apart else (0, 0, 0)
    if (
        apart and size and max(at, other) <= _AROUND and max(len(a) - at, len(b) - other) - size <= _AROUND
    ):  # most copies are so
        blocks = [(0, at, 0, other), (at + size, len(a), other + size, len(b))]
    else:
        found = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
        blocks = [(i, j, k, m) for tag, i, j, k, m in found if tag == "replace"]
    for i, j, k, m in blocks:
        if i < j and k < m:
            yield a[i:j], b[k:m], i == 0 and k == 0, j == len(a) and m == len(b)


def _core(a: list[int], b: list[int]) -> tuple[int, int, int]:
    """A common stretch around the middle of the shorter list: where it begins in `a` and in `b`, and its length."""
    if len(b) < len(a):
        other, at, size = _core(b, a)
        return at, other, size
    middle = len(a) // 2
    anchor = a[middle : middle + 4]
    places = [k for k in range(len(b) - len(anchor) + 1) if b[k] == anchor[0] and b[k : k + len(anchor)] == anchor]
    if len(places) != 1:
        return 0, 0, 0
    at, other = middle, places[0]
    while at and other and a[at - 1] == b[other - 1]:
        at, other = at - 1, other - 1
    end = middle + len(anchor)
    while end < len(a) and other + end - at < len(b) and a[end] == b[other + end - at]:
        end += 1
    return at, other, end - at


def _inside(shorter: list[int], longer: list[int]) -> bool:
    """Whether one list stands in the other, in one piece."""
    size = len(shorter)
    return any(longer[at : at + size] == shorter for at in range(len(longer) - size + 1) if longer[at] == shorter[0])


def _common_ends(one: list[int], two: list[int]) -> tuple[int, int]:
    """How many units two lists have in common at their beginning, and at their end without these."""
    most = min(len(one), len(two))
    begin = next((at for at in range(most) if one[at] != two[at]), most)
    end = next((at for at in range(most - begin) if one[-1 - at] != two[-1 - at]), most - begin)
    return begin, end
