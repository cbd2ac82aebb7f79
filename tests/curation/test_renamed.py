"""Renamed articles: found by the bytes of their posts, and only where there is no doubt."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pytest

from newsdata.curation.merge import Articles, PostHashes
from newsdata.curation.renamed import Former, find_former

TRAIN, TEST, NEVER = 0, 2, 4


def digest(content: str) -> bytes:
    return sha256(content.encode()).digest()


def former(
    articles: Sequence[str],
    gone: Sequence[str | None],
    split: Sequence[int],
    tested: Sequence[int] = (),
    known: int = 0,
) -> Former:
    """Each article and each row of the ledger is given by its contents, a letter each; the first `known` articles are not new."""
    contents = [letter for one in articles for letter in one]
    counts = [len(one) for one in articles]
    backwards = np.arange(len(contents))[::-1].astype(np.int32)  # posts stand in another order than articles
    none = np.zeros(len(articles), np.int32)
    hashes = np.frombuffer(b"".join(map(digest, contents[::-1])), np.uint8).reshape(-1, 32)
    found = Articles(
        article_id=pa.array([str(number) for number in range(len(articles))]), published_at=none, members=backwards,
        starts=(np.cumsum(counts) - counts).astype(np.int32), text=none, title=none, date=none, url=none, digest=none,
        source=none, labels=none,
    )  # fmt: skip
    rows = [one and " ".join(sorted(digest(letter).hex() for letter in one)) for one in gone]
    return find_former(
        found, PostHashes(sha256=hashes, name=np.zeros(len(contents), np.uint64), feed=np.zeros(len(contents), np.int8)),
        np.arange(known, len(articles)), pa.array(rows, pa.string()), np.array(split), np.isin(range(len(gone)), tested),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("articles", "gone", "split", "rows"),
    [
        pytest.param(["a", "b", "x"], ["b", None, "a"], [TEST, TRAIN, TRAIN], [2, 0, -1], id="one each"),
        pytest.param(["ab"], ["ab", "c"], [TEST, TRAIN], [0], id="several posts"),
        pytest.param(["a", "b"], ["ab"], [TEST], [0, 0], id="an article in two parts"),
        pytest.param(["ab"], ["a", "b"], [TEST, TEST], [0], id="two articles of one split"),
        pytest.param(["ab"], ["a", "b"], [TEST, TRAIN], [-1], id="two articles of two splits"),
        pytest.param(["ax"], ["a"], [TEST], [-1], id="a post more"),
        pytest.param(["a", "a"], ["a"], [TEST], [0, 0], id="two copies"),
        pytest.param(["a"], ["a", "a"], [TEST, TEST], [0], id="bytes of two articles of one split"),
        pytest.param(["a"], ["a", "a"], [TEST, TRAIN], [-1], id="bytes of two articles of two splits"),
        pytest.param(["a"], ["a", "a"], [NEVER, TEST], [1], id="one of them never was in a split"),
        pytest.param(["a"], ["a"], [NEVER], [-1], id="it never was in a split"),
        pytest.param(["a"], [None, ""], [TEST, TRAIN], [-1], id="nothing is known"),
        pytest.param(["a"], [None], [TEST], [-1], id="nothing is gone"),
        pytest.param(["a"], [], [], [-1], id="no ledger"),
    ],
)
def test_the_row_whose_decisions_hold(
    articles: list[str], gone: list[str | None], split: list[int], rows: list[int]
) -> None:
    assert former(articles, gone, split).row.tolist() == rows


def test_articles_that_are_known_are_left_alone() -> None:
    assert former(["a", "b"], ["a", "b"], [TEST, TEST], known=1).row.tolist() == [-1, 1]
    assert former(["a"], ["a"], [TEST], known=1).row.tolist() == [-1]


def test_bytes_of_an_old_test_are_told_also_in_doubt() -> None:
    found = former(
        ["a", "bx", "c", "d"], ["a", "b", "c", "c", "d"], [NEVER, NEVER, NEVER, TRAIN, TRAIN], tested=[0, 1, 2]
    )
    assert found.row.tolist() == [0, -1, -1, 4]
    assert found.tested.tolist() == [True, True, True, False]


def test_many_equal_posts_take_no_more_time_than_others() -> None:
    count = 20_000  # each with each would be 400 million pairs
    found = former(["a"] * count, ["a"] * count, [TEST] * count)
    assert set(found.row.tolist()) == {0}
