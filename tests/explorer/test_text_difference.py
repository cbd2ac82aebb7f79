"""Both sides of a difference are the texts, and hostile ones take no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.explorer.text_difference import compare_texts

TEXTS = st.text(st.sampled_from("涨跌停。，\n a"), max_size=80)


@given(TEXTS, TEXTS)
def test_both_sides_of_a_difference_are_the_texts(left: str, right: str) -> None:
    rows, whole = compare_texts(left, right)
    assert whole
    assert "".join(piece.text for row in rows for piece in row.left) == left
    assert "".join(piece.text for row in rows for piece in row.right) == right
    assert left != right or all(row.kind in ("equal", "folded") for row in rows)


@pytest.mark.parametrize(
    "texts", [("。" * 20_000, "，" * 20_000), ("涨。" * 10_000, "跌。涨。" * 5_000), ("a" * 20_000, "b" * 20_000)]
)
def test_a_difference_is_bounded(texts: tuple[str, str]) -> None:
    begun = time.process_time()
    compare_texts(*texts)
    assert time.process_time() - begun < 10
    assert not compare_texts("x" * 20_001, "x")[1]
