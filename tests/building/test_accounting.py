"""Where every file and every article went: a sum that is not equal is named."""

from __future__ import annotations

from typing import Any

import pytest

from newsdata.building.accounting import unequal_sums

GOOD: dict[str, Any] = {
    "files_seen": 20,
    "posts": 12,
    "rejects": 3,
    "ignored": 5,
    "articles": 10,
    "merged_posts": 2,
    "excluded": 1,
    "articles_by_split": {"train": 6, "validation": 2, "test": 1},
}
ROWS = {
    ("articles", "train"): 6,
    ("articles", "validation"): 2,
    ("articles", "test"): 1,
    ("excluded", "excluded"): 1,
    ("posts", "posts"): 12,
    ("rejects", "rejects"): 3,
}


def test_sums_that_are_equal() -> None:
    assert unequal_sums(GOOD, ROWS) == []
    nothing: dict[str, Any] = {**dict.fromkeys(GOOD, 0), "articles_by_split": {}}
    assert unequal_sums(nothing, {}) == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("files_seen", ["files_seen = posts + rejects + ignored"]),
        ("ignored", ["files_seen = posts + rejects + ignored"]),
        ("posts", ["files_seen = posts + rejects + ignored", "posts = articles + merged_posts", "rows of posts"]),
        ("rejects", ["files_seen = posts + rejects + ignored", "rows of rejects"]),
        ("articles", ["posts = articles + merged_posts", "rows of articles and excluded"]),
        ("merged_posts", ["posts = articles + merged_posts"]),
        ("excluded", ["rows of excluded"]),
    ],
)
def test_a_count_that_is_wrong_is_named(name: str, wrong: list[str]) -> None:
    assert [what for what, _, _ in unequal_sums(GOOD | {name: GOOD[name] + 1}, ROWS)] == wrong


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("articles", "train"), ["rows of articles and excluded", "rows of split train"]),
        (("articles", "newer"), ["rows of articles and excluded", "rows of split newer"]),
        (("excluded", "excluded"), ["rows of excluded", "rows of articles and excluded"]),
        (("posts", "posts"), ["rows of posts"]),
        (("rejects", "rejects"), ["rows of rejects"]),
    ],
)
def test_a_row_too_many_is_named(place: tuple[str, str], wrong: list[str]) -> None:
    found = unequal_sums(GOOD, ROWS | {place: ROWS.get(place, 0) + 1})
    assert [what for what, _, _ in found] == wrong
    assert all(is_ == said + 1 for _, said, is_ in found)
