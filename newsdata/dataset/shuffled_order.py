"""The order of an epoch: row groups are shuffled, and rows within windows of some row groups."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

__all__ = ["ORDER_VERSION", "Window", "permutation", "windows_of"]

ORDER_VERSION = 1
"""Raise it when the same rows, seed and epoch would come in another order: positions that were saved then mean nothing."""

_WINDOW_BYTES = 1 << 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Row groups that follow each other in the order of an epoch. Their rows are shuffled together.

    Attributes:
        number: how many windows come before it.
        begin: the position of its first row in the epoch.
        rows: how many rows it has.
        groups: the numbers of its row groups.
    """

    number: int
    begin: int
    rows: int
    groups: tuple[int, ...]


def windows_of(rows: Sequence[int], sizes: Sequence[int], *, window: int, seed: int, epoch: int) -> list[Window]:
    """The windows of an epoch.

    A window ends before the row group with which it would have more than `window` rows or more than 256 MiB. So one that
    is larger has one row group only.

    Args:
        rows: for each row group, how many rows of it are wanted.
        sizes: for each row group, its bytes.
        window: the most rows of a window.
        seed, epoch: any whole numbers; others give another order.

    >>> [(one.begin, one.groups) for one in windows_of([3, 3, 3], [9, 9, 9], window=6, seed=1, epoch=0)]
    [(0, (2, 0)), (6, (1,))]
    """
    found: list[list[int]] = []
    held = held_bytes = 0
    for group in permutation(len(rows), seed, epoch, "row groups").tolist():
        if not found or held + rows[group] > window or held_bytes + sizes[group] > _WINDOW_BYTES:
            found.append([])
            held = held_bytes = 0
        found[-1].append(group)
        held, held_bytes = held + rows[group], held_bytes + sizes[group]
    counts = [sum(rows[group] for group in groups) for groups in found]
    begins = accumulate(counts, initial=0)
    return [
        Window(number=number, begin=begin, rows=count, groups=tuple(groups))
        for number, (groups, count, begin) in enumerate(zip(found, counts, begins, strict=False))
    ]


def permutation(n: int, seed: int, epoch: int, what: object) -> np.ndarray:
    """The numbers 0 to `n` - 1 in random order: the same for the same arguments with every version of numpy.

    numpy promises that the bits of its generators stay the same, but not how its `shuffle` uses them.

    >>> permutation(5, 1, 0, "rows").tolist()
    [2, 4, 3, 0, 1]
    """
    key = hashlib.sha256(f"{ORDER_VERSION}/{seed}/{epoch}/{what}".encode()).digest()[:16]
    return np.argsort(np.random.Philox(key=int.from_bytes(key, "little")).random_raw(n), kind="stable")
