"""Sort more numbers than there is room for in memory: by way of the disk, a range of them at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

__all__ = ["shuffled"]

_RANGES = 200  # that are read from the disk one by one: more of them would be in small pieces


def shuffled(
    parts: Iterable[NDArray[np.int64]], borders: NDArray[np.int64], folder: Path
) -> Iterator[NDArray[np.int64]]:
    """The numbers of all parts, sorted, a range at a time. Only one part, and then one range, is in memory.

    Of more than 200 ranges, some that follow each other are in memory together.

    Args:
        parts: numbers in any order; they are read to the end before the first range comes.
        borders: the first number of each range but the first one, sorted.
        folder: for a temporary file without a name.

    >>> parts = [np.array([5, 1, 9]), np.array([4, 5])]
    >>> [some.tolist() for some in shuffled(parts, np.array([2, 9]), Path("/tmp"))]
    [[1], [4, 5, 5], [9]]
    """
    together = len(borders) // _RANGES + 1  # ranges that are read together
    between = borders[together - 1 :: together]
    with tempfile.TemporaryFile(dir=folder) as file:
        begins, written = [], 0  # for each part where each of its ranges begins in the file
        for part in parts:
            some = np.sort(part)
            begins.append(written + np.concatenate([[0], np.searchsorted(some, between), [len(some)]]))
            file.write(some.tobytes())
            written += len(some)
        for at in range(len(between) + 1):
            numbers = _read(file, [(int(some[at]), int(some[at + 1])) for some in begins])
            numbers.sort()
            inside = borders[at * together : (at + 1) * together - 1]
            yield from np.split(numbers, np.searchsorted(numbers, inside))


def _read(file: IO[bytes], pieces: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Some pieces of a file of numbers, one after the other. A piece is given by its first number and the one after it."""
    numbers = np.empty(sum(end - begin for begin, end in pieces), np.int64)
    done = 0
    for begin, end in pieces:
        if begin < end:
            file.seek(8 * begin)
            here = numbers[done : done + end - begin]
            here[:] = np.frombuffer(file.read(here.nbytes), np.int64)
            done += len(here)
    return numbers
