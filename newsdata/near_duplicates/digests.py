"""Digests that are nearly another article's digest or short text: with another lead, a title in front, or without the end.

They are only measured as leaks. Digests are found by their lowest runs of units, and compared unit by unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .candidates import Positions, each_two, groups_of
from .shuffle import shuffled
from .siblings import is_filled
from .signatures import open_signatures
from .units import IDEOGRAPHIC, MULTIPLIERS, SCRIPTS, mix

__all__ = ["near_digests"]

LOWEST = 16
"""Of a digest, or a short text, the lowest runs of units that are looked for in others."""
SHARE, LEAST = 0.5, 6
"""Two lists are compared if they have this share of the shorter one's lowest runs in common, and at least so many."""
_RUN = tuple(5 if script in IDEOGRAPHIC else 3 for script in SCRIPTS)
_HOLDERS = 20  # a run that more of them have is a phrase, and finds none
_COLUMNS = ("digest_words", "words")
_AT_ONCE = 1 << 18  # runs that are in memory at once, about; their pairs may take 40 MB
_LISTS = 1 << 15  # lists whose pairs are in memory at once


def near_digests(files: Sequence[Path], owners: Sequence[NDArray[np.int32]]) -> tuple[Positions, Positions]:
    """Pairs of articles of which one's digest is nearly the digest, or the short text, of the other.

    Digests that are one form, filled in two ways, are not; see `siblings.is_filled`.

    Args:
        files: signature files.
        owners: for each file the article of each of its rows.

    Returns:
        The two articles of each pair.
    """
    left, right = _close(files, owners)
    near = _edited(files, owners, left, right)
    return left[near] // 2, right[near] // 2


def _close(files: Sequence[Path], owners: Sequence[NDArray[np.int32]]) -> tuple[Positions, Positions]:
    """Pairs of lists, at least one of them a digest, with many of their lowest runs in common.

    Returns:
        The number of both lists: twice the article's for its digest, and one more for its text.
    """
    lists = 2 * sum(len(owner) for owner in owners)
    close = [np.zeros(0, np.int64)]
    if lists:
        folder, sizes = files[0].parent, np.zeros(lists, np.uint8)

        def in_common() -> Iterator[Positions]:
            parts = 1 + lists // 2 * LOWEST // _AT_ONCE
            borders = np.arange(1, parts) * ((1 << 32) // parts) * lists
            for runs in shuffled(_lowest(files, owners), borders, folder):
                np.add.at(sizes, runs % lists, np.uint8(1))
                yield _common(runs, lists)

        for codes in shuffled(in_common(), np.arange(_LISTS, lists, _LISTS) * lists, folder):
            begins, common = groups_of(codes)
            left, right = codes[begins] // lists, codes[begins] % lists
            enough = common >= np.maximum(LEAST, SHARE * np.minimum(sizes[left], sizes[right]))
            close.append(codes[begins[enough]])
    every = np.concatenate(close)
    return every // max(lists, 1), every % max(lists, 1)


def _lowest(files: Sequence[Path], owners: Sequence[NDArray[np.int32]]) -> Iterator[Positions]:
    """The lowest runs of all lists: hash * lists + list. The bytes of a hash are swapped: low ones differ in the last bytes."""
    lists = 2 * sum(len(owner) for owner in owners)
    for path, owner in zip(files, owners, strict=True):
        rows = open_signatures(path, ["script", "exact", "digest", *_COLUMNS])
        other = rows["exact"].to_numpy() != rows["digest"].to_numpy()  # the text is not the digest again
        width = np.array(_RUN)[rows["script"].to_numpy()]
        for kind, name in enumerate(_COLUMNS):
            column = rows[name].chunk(0)
            offsets, units = column.offsets.to_numpy().astype(np.int64), column.values.to_numpy()
            every = np.concatenate(
                [_runs(offsets, units, size, (width == size) & (other | (kind == 0))) for size in set(_RUN)]
            )
            every.sort()
            number, hashes = (every >> np.uint64(32)).astype(np.int64), every.astype(np.uint32)
            begins, many = groups_of(number)
            kept = np.arange(len(number)) - np.repeat(begins, many) < LOWEST
            yield hashes[kept].byteswap().astype(np.int64) * lists + 2 * owner[number[kept]].astype(np.int64) + kind
            del column, units
        del rows


def _runs(offsets: Positions, units: NDArray[np.uint32], size: int, chosen: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """The runs of so many units of some lists: the number of the list << 32 | hash."""
    many = np.where(chosen, np.maximum(np.diff(offsets) - size + 1, 0), 0)
    number = np.repeat(np.arange(len(many)), many)
    at = np.arange(len(number)) + np.repeat(offsets[:-1] - (np.cumsum(many) - many), many)
    total = np.zeros(len(number), np.uint64)
    for k in range(size):
        total += units[at + k] * MULTIPLIERS[k]
    runs: NDArray[np.uint64] = number.astype(np.uint64) << np.uint64(32) | mix(total) >> np.uint64(32)
    return runs


def _common(runs: Positions, lists: int) -> Positions:
    """Two lists for each run that both have, at least one of them a digest: left * lists + right.

    Args:
        runs: hash * lists + list, sorted.
        lists: the number of lists.
    """
    begins, sizes = groups_of(runs // lists)
    holders = runs % lists
    found = [np.zeros(0, np.int64)]
    for size in range(2, _HOLDERS + 1):
        some = holders[begins[sizes == size][:, None] + np.arange(size)]
        one, two = each_two(size)
        left, right = some[:, one].ravel(), some[:, two].ravel()
        kept = (left // 2 != right // 2) & ((left % 2 == 0) | (right % 2 == 0))
        found.append(left[kept] * lists + right[kept])
    return np.concatenate(found)


def _edited(
    files: Sequence[Path], owners: Sequence[NDArray[np.int32]], left: Positions, right: Positions
) -> NDArray[np.bool_]:
    """For each two lists whether they differ, and are not one form that was filled in two ways."""
    wanted = np.unique(np.concatenate([left, right]))
    held: dict[int, NDArray[np.uint32]] = {}
    ideographic = {}
    for path, owner in zip(files, owners, strict=True):
        rows = open_signatures(path, ["script", *_COLUMNS])
        for kind, name in enumerate(_COLUMNS):
            here = np.flatnonzero(np.isin(2 * owner.astype(np.int64) + kind, wanted))
            for row in here.tolist():
                at = 2 * int(owner[row]) + kind
                held[at] = rows[name][row].values.to_numpy().copy()
                ideographic[at] = SCRIPTS[rows["script"][row].as_py()] in IDEOGRAPHIC
        del rows
    near = np.zeros(len(left), np.bool_)
    for number, (one, two) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        a, b = held[one], held[two]
        near[number] = not np.array_equal(a, b) and not is_filled(a, b, 0, ideographic=ideographic[one])
    return near
