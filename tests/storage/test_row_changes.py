from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsdata.errors import VerifyError
from newsdata.storage.row_changes import Change, ShardSet, compare_rows

from .hand_made import Rows, write_version


def article(number: int, **fields: Any) -> dict[str, Any]:
    """A row whose columns follow from its number; another number gives other sources."""
    return {
        "article_id": str(number),
        "title": f"第{number}报",
        "tags": ["要闻"] * (number % 3),
        "mentions": [{"start": 0, "end": 2, "text": "甲厂", "code": "000333"}] * (number % 2),
        "published_at": datetime(2022, 3, 1, tzinfo=UTC) + timedelta(hours=number),
        "sources": [{"sha256": f"{number:064}", "feed": "site"}],
    } | fields


def post(path: str, sha256: str) -> dict[str, Any]:
    return {"path": path, "sha256": sha256, "article_id": "1", "body": f"words of {sha256}"}


def changes(
    tmp_path: Path, old: Rows, new: Rows, config: str = "articles", same_rules: bool = False, name_columns: bool = True
) -> list[Change]:
    old_shards = write_version(tmp_path / "old", old).shards
    new_shards = write_version(tmp_path / "new", new).shards
    found, retyped = compare_rows(
        config,
        ShardSet(folder=tmp_path / "old", shards=old_shards),
        ShardSet(folder=tmp_path / "new", shards=new_shards),
        same_rules=same_rules,
        name_columns=name_columns,
    )
    assert retyped == []
    return found


def test_equal_rows_in_other_shards_are_no_change(tmp_path: Path) -> None:
    rows = [article(n) for n in range(7)]
    assert changes(tmp_path, {("articles", "train"): rows}, {("articles", "train"): rows[::-1]}) == []


def test_added_changed_and_removed_rows(tmp_path: Path) -> None:
    old = [article(n) for n in range(5)]
    new = [*old[:1], article(1, title="更正", tags=["要闻", "更正"]), *old[3:], article(9)]
    assert changes(tmp_path, {("articles", "train"): old}, {("articles", "train"): new}) == [
        Change(config="articles", key="9", kind="added", old=None, new="train"),
        Change(config="articles", key="1", kind="changed", old="train", new="train", columns=("title", "tags")),
        Change(config="articles", key="2", kind="removed", old="train", new=None),
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("title", None),
        ("title", ""),
        ("tags", []),
        ("tags", None),
        ("tags", ["要闻", "行情"]),
        ("tags", ["要闻", "要闻", "要闻"]),
        ("mentions", [{"start": 0, "end": 2, "text": "甲厂", "code": "000334"}]),
        ("mentions", [{"start": 0, "end": 2, "text": "甲厂"}]),
        ("published_at", None),
    ],
)
def test_a_change_in_any_kind_of_column_is_found(tmp_path: Path, column: str, value: object) -> None:
    old = [article(n) for n in (5, 11, 17)]
    new = [old[0], old[1] | {column: value}, old[2]]
    found = changes(tmp_path, {("articles", "train"): old}, {("articles", "train"): new})
    assert [(change.key, change.columns) for change in found] == [("11", (column,))]


def test_a_row_that_goes_to_excluded_is_moved(tmp_path: Path) -> None:
    rows = [article(n) for n in range(3)]
    excluded = {("excluded", "excluded"): [rows[2] | {"excluded_reason": "moved"}]}
    found = changes(tmp_path, {("articles", "train"): rows}, {("articles", "train"): rows[:2], **excluded})
    assert found == [
        Change(
            config="articles", key="2", kind="moved", old="train", new="excluded", columns=("excluded_reason",)
        )
    ]  # fmt: skip


def test_a_row_in_another_split_is_moved_without_a_changed_column(tmp_path: Path) -> None:
    found = changes(tmp_path, {("articles", "train"): [article(1)]}, {("articles", "newer"): [article(1)]})
    assert found == [Change(config="articles", key="1", kind="moved", old="train", new="newer")]


def test_posts_with_equal_bytes_under_another_path_are_moved(tmp_path: Path) -> None:
    old = [post("_posts/a.md", "aa"), post("_posts/b.md", "aa"), post("_posts/c.md", "cc"), post("_posts/d.md", "dd")]
    new = [post("old_post/a.md", "aa"), post("_posts/d.md", "dd"), post("_posts/e.md", "ee")]
    assert changes(tmp_path, {("posts", "posts"): old}, {("posts", "posts"): new}, "posts") == [
        Change(config="posts", key="_posts/e.md", kind="added", old=None, new="posts"),
        Change(
            config="posts", key="old_post/a.md", kind="moved", old="posts", new="posts", old_path="_posts/a.md"
        ),
        Change(config="posts", key="_posts/b.md", kind="removed", old="posts", new=None),
        Change(config="posts", key="_posts/c.md", kind="removed", old="posts", new=None),
    ]  # fmt: skip


def test_articles_with_equal_sources_are_not_moved_files(tmp_path: Path) -> None:
    found = changes(
        tmp_path, {("articles", "train"): [article(1)]}, {("articles", "train"): [article(1, article_id="2")]}
    )
    assert [change.kind for change in found] == ["added", "removed"]


@pytest.mark.parametrize("config", ["articles", "posts", "rejects"])
def test_nothing_on_one_side_or_on_both(tmp_path: Path, config: str) -> None:
    rows = {(config, config): [{"article_id": "1", "path": "_posts/a.md", "sha256": "aa"}]}
    key = "1" if config == "articles" else "_posts/a.md"
    assert changes(tmp_path / "a", {}, rows, config) == [
        Change(config=config, key=key, kind="added", old=None, new=config)
    ]
    assert changes(tmp_path / "b", rows, {}, config) == [
        Change(config=config, key=key, kind="removed", old=config, new=None)
    ]
    assert changes(tmp_path / "c", {}, {}, config) == []


def test_with_the_same_rules_only_deciding_columns_tell(tmp_path: Path) -> None:
    old = [article(n) for n in range(6)]
    other = [{"sha256": "f" * 64, "feed": "site"}]
    new = [*old[:2], old[2] | {"title": "更正"}, old[3] | {"title": "更正", "sources": other}, *old[4:]]
    sides: tuple[Rows, Rows] = {("articles", "train"): old}, {("articles", "train"): new}
    named = changes(tmp_path, *sides, same_rules=True)
    assert [(change.key, change.columns) for change in named] == [("3", ("title", "sources"))]
    unnamed = changes(tmp_path, *sides, same_rules=True, name_columns=False)
    assert [(change.key, change.columns) for change in unnamed] == [("3", ())]


def test_rejects_have_no_deciding_columns(tmp_path: Path) -> None:
    old, new = ([{"path": "_posts/a.md", "sha256": "aa", "reason": reason}] for reason in ("no text", "no title"))
    found = changes(tmp_path, {("rejects", "rejects"): old}, {("rejects", "rejects"): new}, "rejects", True, False)
    assert [(change.kind, change.columns) for change in found] == [("changed", ("reason",))]


def test_a_time_in_another_zone_is_the_same_instant(tmp_path: Path) -> None:
    rows = [article(n) for n in range(3)]
    later = [*rows[:2], article(2, published_at=datetime(2022, 4, 1, tzinfo=UTC))]
    old = write_version(tmp_path / "old", {("articles", "train"): rows})
    new = write_version(tmp_path / "new", {("articles", "train"): later}, timezone="Asia/Shanghai")
    found, retyped = compare_rows(
        "articles",
        ShardSet(folder=tmp_path / "old", shards=old.shards),
        ShardSet(folder=tmp_path / "new", shards=new.shards),
        same_rules=False,
        name_columns=True,
    )
    assert retyped == ["published_at"]
    assert [(change.key, change.columns) for change in found] == [("2", ("published_at",))]


def test_a_column_that_one_version_lacks_is_not_compared(tmp_path: Path) -> None:
    rows = [article(n) for n in range(3)]
    old = write_version(tmp_path / "old", {("articles", "train"): rows}, without=["tags"])
    new = write_version(tmp_path / "new", {("articles", "train"): rows})
    found, retyped = compare_rows(
        "articles",
        ShardSet(folder=tmp_path / "old", shards=old.shards),
        ShardSet(folder=tmp_path / "new", shards=new.shards),
        same_rules=False,
        name_columns=True,
    )
    assert (found, retyped) == ([], [])


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_shard_that_cannot_be_read_is_named(tmp_path: Path, damage: str) -> None:
    version = write_version(tmp_path, {("articles", "train"): [article(1)]})
    file = tmp_path / version.shards[0].path
    file.unlink() if damage == "missing" else file.write_bytes(file.read_bytes()[:-20] + bytes(20))
    side = ShardSet(folder=tmp_path, shards=version.shards)
    with pytest.raises(VerifyError, match=r"train-2022-03-0000000\.parquet: is (missing|damaged)"):
        compare_rows("articles", side, side, same_rules=False, name_columns=True)
