from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from newsdata.curation.merge import KEYS, NO_DATE, members_of, merge_posts, name_hash, take_keys

BASE: dict[str, Any] = {
    "path": "_posts/a.md", "sha256": "0", "article_id": "1", "feed": 0, "published_at": 1000, "num_chars": 10,
    "num_mentions": 0, "has_title": True, "has_url": True, "has_digest": True, "has_source": True, "has_category": True,
}  # fmt: skip


def keys(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([BASE | row for row in rows], schema=KEYS)


def test_emnews_gives_the_text_and_market_the_labels() -> None:
    found = merge_posts(keys({"feed": 1, "path": "_posts/b.md", "num_chars": 99}, {"feed": 0}))
    assert (found.text.tolist(), found.labels.tolist()) == ([1], [0])


def test_of_copies_the_longest_text_then_mentions_then_folder_then_path() -> None:
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


def test_a_post_with_text_comes_before_one_without() -> None:
    assert merge_posts(keys({"feed": 0, "num_chars": 0}, {"feed": 1, "path": "_posts/b.md"})).text.tolist() == [1]


def test_undated_articles_and_members() -> None:
    found = merge_posts(
        keys({"article_id": "2", "published_at": None}, {"article_id": "1"}, {"article_id": "1", "path": "x"})
    )
    assert found.article_id.to_pylist() == ["1", "2"]
    assert found.published_at.tolist() == [1000, NO_DATE]
    assert found.members.tolist() == [1, 2, 0] and found.starts.tolist() == [0, 2]
    for chosen, members, starts in (([1, 0], [0, 1, 2], [0, 1]), ([1], [0], [0]), ([], [], [])):
        some = members_of(found, np.array(chosen, np.int64))
        assert (some[0].tolist(), some[1].tolist()) == (members, starts)


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


def test_site_gives_text_and_labels_last() -> None:
    rows = [{"feed": 2, "path": "_posts/a.md", "num_chars": 99}, {"feed": 1, "path": "_posts/b.md"}]
    found = merge_posts(keys(*rows))
    assert (found.text.tolist(), found.labels.tolist()) == ([1], [1])
    found = merge_posts(keys(rows[0], {"feed": 0, "path": "_posts/c.md"}))
    assert (found.text.tolist(), found.labels.tolist()) == ([1], [1])


def test_labels_come_from_the_next_post_if_the_first_has_no_category() -> None:
    found = merge_posts(keys({"feed": 1, "has_category": False}, {"feed": 0, "path": "_posts/b.md"}))
    assert found.labels.tolist() == [1]


def test_without_any_value_the_first_post_gives_the_column() -> None:
    found = merge_posts(keys({"has_title": False}, {"has_title": False, "path": "_posts/b.md", "num_chars": 50}))
    assert found.title.tolist() == found.text.tolist() == [1]


def test_hashes_are_kept_and_not_needed_for_merging() -> None:
    tables = [keys({"sha256": "0a" * 32, "name": 7}), keys({"sha256": "ff" * 32, "name": 2**64 - 1, "feed": 2})]
    merging, hashes = take_keys(tables)
    assert hashes.sha256.dtype == np.uint8 and hashes.sha256.tolist() == [[10] * 32, [255] * 32]
    assert (hashes.name.tolist(), hashes.feed.tolist()) == ([7, 2**64 - 1], [0, 2])
    assert not {"sha256", "name"} & set(merging.column_names)
    assert merge_posts(merging).members.tolist() == [0, 1]
    none, no_hashes = take_keys([])
    assert none.num_rows == 0 and no_hashes.sha256.shape == (0, 32)


def test_name_hash_tells_path_and_article_id_apart() -> None:
    hashes = {name_hash(*names) for names in (("a", "b"), ("ab", ""), ("", "ab"), ("b", "a"), ("\udcff", "b"))}
    assert len(hashes) == 5 and all(0 <= found < 2**64 for found in hashes)
