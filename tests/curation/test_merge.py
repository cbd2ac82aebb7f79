from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from newsdata.curation.merge import KEYS, NO_DATE, merge_posts

BASE: dict[str, Any] = {
    "path": "_posts/a.md", "sha256": "0", "article_id": "1", "feed": 0, "published_at": 1000, "num_chars": 10,
    "num_mentions": 0, "has_title": True, "has_url": True, "has_digest": True, "has_source": True, "has_category": True,
}  # fmt: skip


def keys(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([BASE | row for row in rows], schema=KEYS)


def test_text_from_emnews_labels_from_market() -> None:
    found = merge_posts(keys({"feed": 1, "path": "_posts/b.md", "num_chars": 99}, {"feed": 0}))
    assert (found.text.tolist(), found.labels.tolist()) == ([1], [0])


def test_copies_longest_text_then_mentions_then_folder_then_path() -> None:
    old = {"path": "old_post/a.md"}
    assert merge_posts(keys(old | {"num_chars": 11}, {})).text.tolist() == [0]
    assert merge_posts(keys(old | {"num_mentions": 2}, {"num_mentions": 1})).text.tolist() == [0]
    assert merge_posts(keys(old, {})).text.tolist() == [1]
    assert merge_posts(keys({"path": "b/_posts/a.md"}, {"path": "a/_posts/a.md"})).text.tolist() == [1]


def test_what_the_text_post_lacks_comes_from_the_next() -> None:
    lacking = dict.fromkeys(("has_title", "has_url", "has_digest", "has_source"), False)
    found = merge_posts(
        keys({"path": "_posts/a.md", "published_at": None, "num_chars": 50} | lacking, {"path": "_posts/b.md"})
    )
    assert found.text.tolist() == [0]
    for column in (found.title, found.url, found.digest, found.source, found.date):
        assert column.tolist() == [1]
    assert found.published_at.tolist() == [1000]


def test_a_post_without_text_does_not_speak_before_one_that_has_some() -> None:
    assert merge_posts(keys({"feed": 0, "num_chars": 0}, {"feed": 1, "path": "_posts/b.md"})).text.tolist() == [1]


def test_undated_articles_and_members() -> None:
    found = merge_posts(
        keys({"article_id": "2", "published_at": None}, {"article_id": "1"}, {"article_id": "1", "path": "x"})
    )
    assert found.article_id.to_pylist() == ["1", "2"]
    assert found.published_at.tolist() == [1000, NO_DATE]
    assert found.members.tolist() == [1, 2, 0] and found.starts.tolist() == [0, 2]


def test_no_posts() -> None:
    assert len(merge_posts(KEYS.empty_table())) == 0


def test_order_of_input_does_not_matter() -> None:
    rows = [
        {"article_id": str(i % 5), "path": f"_posts/{i}.md", "num_chars": (i * 7) % 4, "feed": i % 3} for i in range(40)
    ]
    first = merge_posts(keys(*rows))
    shuffled = np.random.default_rng(0).permutation(40)
    second = merge_posts(keys(*(rows[i] for i in shuffled)))
    for name in ("text", "labels", "title", "members"):
        assert getattr(first, name).tolist() == shuffled[getattr(second, name)].tolist()
