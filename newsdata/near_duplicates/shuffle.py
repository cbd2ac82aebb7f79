"""Sort more numbers than there is room for in memory: by way of the disk, a range of them at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["shuffled"]

_FILES = 200  # that are open at once, of the 1,024 that a process may have


def shuffled(
    parts: Iterable[NDArray[np.int64]], borders: NDArray[np.int64], folder: Path
) -> Iterator[NDArray[np.int64]]:
    """The numbers of all parts, sorted, a range at a time. Only one part, and then one range, is in memory.

    Of more than 200 ranges, some that follow each other are in memory together.

    Args:
        parts: numbers in any order; they are read to the end before the first range comes.
        borders: the first number of each range but the first one, sorted.
        folder: for temporary files without a name.

    >>> parts = [np.array([5, 1, 9]), np.array([4, 5])]
    >>> [some.tolist() for some in shuffled(parts, np.array([2, 9]), Path("/tmp"))]
    [[1], [4, 5, 5], [9]]
    """
    together = len(borders) // _FILES + 1  # ranges in one file
    between = borders[together - 1 :: together]
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in range(len(between) + 1)]
        for part in parts:
            some = np.sort(part)
            for file, piece in zip(files, np.split(some, np.searchsorted(some, between)), strict=True):
                file.write(piece.tobytes())
        for at, file in enumerate(files):
            file.seek(0)
            numbers = np.frombuffer(bytearray(file.read()), np.int64)
            numbers.sort()
            inside = borders[at * together : (at + 1) * together - 1]
            yield from np.split(numbers, np.searchsorted(numbers, inside))
            file.truncate(0)
