"""Links that need no comparison, and which long articles are compared with short ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsdata.near_duplicates import links
from newsdata.near_duplicates.candidates import Keys, read_keys
from newsdata.near_duplicates.links import contained_candidates, digest_links, forms, head_links

from .made_articles import Heads, Row, matched, row, words


def keys_of(folder: Path, rows: list[Row], heads: Heads | None = None) -> Keys:
    """The keys of articles whose ids are in order, so that a position is the number of a row."""
    return read_keys(matched(folder, rows, heads=heads)[1])


def test_a_digest_that_many_articles_have_is_no_link(tmp_path: Path) -> None:
    size = links.LINK_CAP + 1
    rows = [row(f"{k:03d}", words(k)) for k in range(size + 2)]
    heads: Heads = {f"{k:03d}": (None, words(1000 + (k >= size), 24)) for k in range(size + 2)}
    found = digest_links(keys_of(tmp_path, rows, heads))
    assert (found.left.tolist(), found.right.tolist()) == ([size], [size + 1])


def test_short_titles_and_digests_are_no_links(tmp_path: Path) -> None:
    rows = [row(f"{k}", words(k)) for k in range(4)]
    heads: Heads = {
        "0": ("快讯", "详见附件"),
        "1": ("快讯", "详见附件"),
        "2": (words(9, 12), None),
        "3": (words(9, 12), None),
    }
    keys = keys_of(tmp_path, rows, heads)
    assert len(digest_links(keys).left) == 0
    assert head_links(keys).left.tolist() == [2], "a long title on one day"


def test_forms_are_short_texts_of_three_days(tmp_path: Path) -> None:
    rows = [row(f"a{day}", words(1, 36), day) for day in (1, 2, 9)]
    rows += [row(f"b{day}", words(2, 36), day) for day in (1, 2)]
    rows += [row(f"c{day}", words(3, 600), day) for day in (1, 2, 9)]
    assert forms(keys_of(tmp_path, rows)).tolist() == [True] * 3 + [False] * 5


def test_what_stands_inside_is_a_candidate_and_what_is_as_long_is_not(tmp_path: Path) -> None:
    flash = words(1, 36)
    rows = [row("a", flash), row("b", words(2, 240) + flash), row("c", flash + words(3, 12)), row("d", words(4, 240))]
    found = contained_candidates(keys_of(tmp_path, rows))
    assert (0, 1) in set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert all(3 not in pair and pair != (0, 2) for pair in zip(found.left.tolist(), found.right.tolist(), strict=True))


def test_what_is_contained_does_not_depend_on_how_much_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [words(k, 120) for k in range(6)]
    rows = [row(f"{k}", long[k]) for k in range(6)]
    rows += [row(f"{6 + k}", long[k][:50] + long[k - 1][-4:]) for k in range(6)]
    keys = keys_of(tmp_path, sorted(rows, key=lambda one: one[0]))
    found = []
    for size in (1, 7, 1 << 18):
        for name in ("_VALUES", "_ARTICLES", "_AT_ONCE"):
            monkeypatch.setattr(links, name, size)
        some = contained_candidates(keys)
        found.append([*zip(some.left.tolist(), some.right.tolist(), strict=True)])
    assert found[0] == found[1] == found[2] == sorted(set(found[0]))
    assert len(found[0]) >= 6
