from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from newsdata.near_duplicates.shuffle import shuffled


@pytest.mark.parametrize("borders", [[], [500], [0, 0, 3, 999, 2000]])
def test_ranges_are_the_sorted_numbers(borders: list[int], tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, 1000, 5000)
    parts = np.split(numbers, [0, 7, 4000])
    found = [*shuffled(iter(parts), np.array(borders, np.int64), tmp_path)]
    assert np.concatenate(found).tolist() == np.sort(numbers).tolist()
    assert len(found) == len(borders) + 1
    for low, high, some in zip([0, *borders], [*borders, 3000], found, strict=True):
        assert not len(some) or (low <= some[0] and some[-1] < high)
    assert not [*tmp_path.iterdir()]


def test_no_parts_are_empty_ranges(tmp_path: Path) -> None:
    assert [len(some) for some in shuffled([], np.array([5], np.int64), tmp_path)] == [0, 0]


@pytest.mark.parametrize("ranges", [199, 200, 201, 202, 401, 700])
def test_any_number_of_ranges_needs_one_file(ranges: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(2).integers(0, 1400, 3000)
    borders = np.arange(1, ranges) * 2
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    already_open = len([*Path("/dev/fd").iterdir()])
    resource.setrlimit(resource.RLIMIT_NOFILE, (already_open + 5, limit[1]))
    try:
        found = [*shuffled([numbers], borders, tmp_path)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    expected = np.split(np.sort(numbers), np.searchsorted(np.sort(numbers), borders))
    assert [some.tolist() for some in found] == [some.tolist() for some in expected]
