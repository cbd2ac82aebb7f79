"""The order of an epoch."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from newsdata.dataset.shuffled_order import permutation, windows_of

GOLDEN = {
    (1, 0): [5, 4, 8, 6, 9, 1, 0, 3, 7, 2],
    (1, 1): [0, 1, 5, 9, 4, 3, 6, 2, 8, 7],
    (2, 0): [2, 9, 3, 5, 1, 0, 6, 4, 7, 8],
}


@given(
    groups=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 1 << 28)), max_size=20),
    window=st.integers(1, 60),
    seed=st.integers(-5, 5),
    epoch=st.integers(0, 5),
)
def test_windows_hold_every_row_group_once_and_are_bounded(
    groups: list[tuple[int, int]], window: int, seed: int, epoch: int
) -> None:
    rows, sizes = [one for one, _ in groups], [size for _, size in groups]
    found = windows_of(rows, sizes, window=window, seed=seed, epoch=epoch)
    assert sorted(group for one in found for group in one.groups) == list(range(len(groups)))
    assert [one.number for one in found] == list(range(len(found)))
    assert [one.begin for one in found] == list(accumulate((one.rows for one in found), initial=0))[: len(found)]
    for one in found:
        assert one.rows == sum(rows[group] for group in one.groups)
        if len(one.groups) > 1:
            assert one.rows <= window and sum(sizes[group] for group in one.groups) <= 1 << 28


def test_a_window_ends_only_where_the_next_row_group_is_too_many() -> None:
    found = windows_of([5] * 20, [1] * 20, window=17, seed=3, epoch=0)
    assert [one.rows for one in found] == [15] * 6 + [10]


def test_an_order_is_the_same_on_every_machine_for_ever() -> None:
    """These numbers never change, or what was saved during training means other rows: see ORDER_VERSION."""
    assert permutation(10, 1, 0, 0).tolist() == GOLDEN[1, 0]
    assert permutation(10, 1, 1, 0).tolist() == GOLDEN[1, 1]
    assert permutation(10, 2, 0, 0).tolist() == GOLDEN[2, 0]


def test_every_row_comes_everywhere() -> None:
    """Each of 20 rows is about equally often at each of 20 places: chi-square of 400 cells, 361 degrees of freedom."""
    counts = np.zeros((20, 20))
    for epoch in range(2000):
        counts[np.arange(20), permutation(20, 7, epoch, "rows")] += 1
    assert 250 < ((counts - 100) ** 2 / 100).sum() < 500
