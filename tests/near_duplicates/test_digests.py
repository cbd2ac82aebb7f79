"""Tests of digests that are nearly the same: edits are found, filled forms and phrases are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from newsdata.near_duplicates import digests
from newsdata.near_duplicates.digests import near_digests

from .made_articles import matched, row, words

FLASH = words(1, 48)
ENGLISH = "the council of the old harbour town has agreed to repair both bridges before the winter storms return"
FRAME = "公告称股东已将所持部分股份办理解除质押手续，累计质押比例有所下降，敬请关注后续进展。"


def near(folder: Path, *posts: tuple[str, str], per_file: int = 7) -> set[tuple[int, int]]:
    """The pairs among posts of (digest, text), by their numbers."""
    names = [f"{number:03}" for number in range(len(posts))]
    rows = [row(name, text) for name, (_, text) in zip(names, posts, strict=True)]
    heads = {name: (None, digest) for name, (digest, _) in zip(names, posts, strict=True)}
    _, files = matched(folder, rows, per_file=per_file, heads=heads)
    begins = range(0, len(posts), per_file)
    owners = [np.arange(begin, min(begin + per_file, len(posts)), dtype=np.int32) for begin in begins]
    left, right = near_digests(files, owners)
    return {(min(pair), max(pair)) for pair in zip(left.tolist(), right.tolist(), strict=True)}


@pytest.mark.parametrize(
    ("digest", "edited"),
    [
        (FLASH, words(2, 12)[:10] + "，" + FLASH),
        (FLASH, f"【{words(3, 12)}】{FLASH}"),
        (FLASH, FLASH[:-10]),
        (ENGLISH, "as reported on monday: " + ENGLISH),
        (ENGLISH, ENGLISH.removesuffix(" before the winter storms return")),
    ],
)
def test_an_edited_digest_is_found_in_digests_and_in_short_texts(digest: str, edited: str, tmp_path: Path) -> None:
    body = words(9, 600) if digest is FLASH else " ".join(f"plain{number}" for number in range(200))
    posts = [(digest, body), (edited, body[::-1]), ("", digest)]
    assert near(tmp_path, *posts, per_file=2) == {(0, 1), (1, 2)}, "equal ones are no edited ones"


@pytest.mark.parametrize(
    "other",
    [
        FRAME.replace("股东", "京川集团"),
        words(5, 48),
        FRAME[:12] + words(6, 36),
    ],
)
def test_forms_and_phrases_are_not_found(other: str, tmp_path: Path) -> None:
    assert near(tmp_path, (FRAME, words(7, 600)), (other, words(8, 600))) == set()


def test_two_short_texts_are_left_to_the_other_rules(tmp_path: Path) -> None:
    assert near(tmp_path, ("", FLASH), ("", words(2, 12) + FLASH)) == set()


def test_what_many_digests_say_is_a_phrase(tmp_path: Path) -> None:
    posts = [(words(20 + number, 12) + FLASH, words(50 + number, 600)) for number in range(digests._HOLDERS + 1)]
    assert near(tmp_path, *posts) == set()
    assert len(near(tmp_path, *posts[:3])) == 3


def test_parts_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    posts = [(words(k % 5, 48) + words(100 + k, 12), words(200 + k, 300)) for k in range(20)]
    whole = near(tmp_path, *posts)
    monkeypatch.setattr(digests, "_AT_ONCE", 16)
    assert whole == near(tmp_path, *posts) and len(whole) == 5 * 6


def test_no_articles() -> None:
    left, right = near_digests([], [])
    assert not len(left) and not len(right)
