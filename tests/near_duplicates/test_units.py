"""Units: what is left out, the script of a text, and runs that are hashed alike wherever they stand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.near_duplicates.shingles import shingle
from newsdata.near_duplicates.units import SCRIPTS, hash_runs, unit_lists, units_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("今天股市上涨", "han"),
        ("今日は株が上がりました", "kana"),
        ("오늘 주가가 올랐다", "hangul"),
        ("Сегодня акции выросли", "cyrillic"),
        ("ارتفعت الأسهم اليوم", "arabic"),
        ("shares rose today", "latin"),
        ("Ruby 3.2 リリース has many changes of the language", "kana"),
        ("12 34", "latin"),
        ("", "latin"),
    ],
)
def test_the_script_of_a_text(text: str, script: str) -> None:
    assert SCRIPTS[shingle([text, "今天"]).script[0]] == script


def test_long_runs_of_ascii_are_no_words() -> None:
    plain, marked = "see the notes here", f"see {'0a' * 32} the notes https://example.org/pub/archive.tar.gz here"
    found = shingle([plain, marked])
    assert found.exact[0] == found.exact[1] and found.units.sizes.tolist() == [4, 4]


def test_units_of_titles_stop_at_a_limit_and_numbers_are_marked() -> None:
    found = unit_lists(["Release 3.2.9 rc", "", "a b c d e f"], 3)
    assert found.sizes.tolist() == [3, 0, 6] and np.diff(found.offsets).tolist() == [3, 0, 3]
    assert (found.units & 1).tolist() == [0, 1, 0, 0, 0, 0]


@pytest.mark.slow
@given(st.lists(st.sampled_from("甲乙丙丁"), min_size=4, max_size=60), st.integers(0, 20), st.integers(1, 4))
def test_a_run_has_one_hash_wherever_it_stands(letters: list[str], before: int, size: int) -> None:
    one, two = units_of(["".join(letters)]), units_of(["戊" * before + "".join(letters)])
    begins = np.arange(len(letters) - size + 1)
    left, right = hash_runs(one.sums, begins, size), hash_runs(two.sums, begins + before, size)
    assert np.array_equal(left, right)
    words = ["".join(letters[k : k + size]) for k in begins]
    assert len(set(left.tolist())) == len(set(words))
