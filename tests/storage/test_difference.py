from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from newsdata.storage.difference import Difference, compare
from newsdata.storage.manifest import File, FullShard, Manifest

from .hand_made import Rows, write_version

ROWS: Rows = {
    ("articles", "train"): [{"article_id": str(n), "title": f"第{n}报"} for n in range(4)],
    ("posts", "posts"): [{"path": f"_posts/{n}.md", "sha256": f"{n:064}"} for n in range(4)],
}


def difference(tmp_path: Path, old: Manifest, new: Manifest, **options: bool) -> Difference:
    return compare(tmp_path / "old", old, tmp_path / "new", new, **options)


def both(tmp_path: Path, rows: Rows, new_rows: Rows, **facts: Any) -> tuple[Manifest, Manifest]:
    old = write_version(tmp_path / "old", rows)
    return old, write_version(tmp_path / "new", new_rows, dataset_version="1.1.0", **facts)


def test_equal_versions_do_not_differ(tmp_path: Path) -> None:
    found = difference(tmp_path, *both(tmp_path, ROWS, ROWS))
    assert (found.old, found.new, found.bump, found.reasons, found.changes) == ("1.0.0", "1.1.0", None, (), ())


def test_shards_with_equal_bytes_are_not_opened(tmp_path: Path) -> None:
    rows = {**ROWS, ("articles", "newer"): [{"article_id": "9"}]}
    old, new = both(tmp_path, ROWS, rows)
    for folder in ("old", "new"):
        for shard in old.shards:
            (tmp_path / folder / shard.path).unlink()
    found = difference(tmp_path, old, new)
    assert (found.bump, found.reasons) == ("minor", ("1 rows added to newer",))
    assert found.counts() == {"articles": {"added": 1}}


def test_equal_bytes_in_another_split_are_a_move(tmp_path: Path) -> None:
    old, new = both(
        tmp_path, ROWS, {("articles", "test"): ROWS["articles", "train"], ("posts", "posts"): ROWS["posts", "posts"]}
    )
    found = difference(tmp_path, old, new)
    assert found.bump == "major" and found.counts() == {"articles": {"moved": 4}}
    assert found.reasons == ("4 rows moved from train to test",)


def test_a_build_does_not_ask_for_the_columns(tmp_path: Path) -> None:
    changed = [{**row, "title": "更正", "sources": [{"sha256": "aa"}]} for row in ROWS["articles", "train"][:1]]
    rows = {**ROWS, ("articles", "train"): [*changed, *ROWS["articles", "train"][1:]]}
    old, new = both(tmp_path, ROWS, rows)
    assert difference(tmp_path, old, new).changes[0].columns == ("title", "sources")
    assert difference(tmp_path, old, new, name_columns=False).changes[0].columns == ()
    other_tools = dataclasses.replace(new, tools={"pyarrow": "99"})
    assert difference(tmp_path, old, other_tools, name_columns=False).changes[0].columns == ("title", "sources")


def test_columns_that_came_and_went(tmp_path: Path) -> None:
    old = write_version(tmp_path / "old", ROWS, without=["tags"])
    new = write_version(tmp_path / "new", ROWS, without=["headings"])
    found = difference(tmp_path, old, new)
    assert found.columns_added == ("articles.tags", "posts.tags") and found.columns_removed == ("articles.headings",)
    assert found.bump == "major" and "column articles.headings removed" in found.reasons


def test_a_config_that_is_new_adds_no_columns(tmp_path: Path) -> None:
    rejects = {("rejects", "rejects"): [{"path": "_posts/x.md", "rule": "empty"}]}
    found = difference(tmp_path, *both(tmp_path, ROWS, {**ROWS, **rejects}))
    assert (found.columns_added, found.reasons) == ((), ("1 rows of rejects added",))


def test_settings_and_tools_are_named(tmp_path: Path) -> None:
    old, new = both(tmp_path, ROWS, ROWS, configuration={"timezone": "UTC", "gap_days": 1}, tools={"pyarrow": "99"})
    found = difference(tmp_path, old, new)
    assert found.configuration == {"gap_days": (None, 1), "tools.pyarrow": (None, "99")}
    assert (found.bump, found.reasons) == ("major", ("gap_days is 1, was None",))


@pytest.mark.parametrize(
    "facts",
    [
        {"tools": {"pyarrow": "99"}},
        {"source": {"digest": "ab"}},
        {"files": (File(path="README.md", bytes=1, sha256="ab"),)},
        {"configuration": {"timezone": "UTC", "card": "ab"}},
    ],
)
def test_other_files_with_the_same_rows_are_a_patch(tmp_path: Path, facts: dict[str, Any]) -> None:
    found = difference(tmp_path, *both(tmp_path, ROWS, ROWS, **facts))
    assert (found.bump, found.reasons, found.changes) == ("patch", ("the same rows, other files",), ())
    assert found.files == (("README.md",) if "files" in facts else ())


def test_the_same_rows_in_other_shards_are_a_patch(tmp_path: Path) -> None:
    old, new = write_version(tmp_path / "old", ROWS), write_version(tmp_path / "new", ROWS, per_shard=3)
    assert difference(tmp_path, old, new).bump == "patch"


def test_a_draft_without_files_lacks_none(tmp_path: Path) -> None:
    old, new = both(tmp_path, ROWS, ROWS)
    old = dataclasses.replace(old, files=(File(path="README.md", bytes=1, sha256="ab"),))
    found = difference(tmp_path, old, new)
    assert (found.bump, found.files) == (None, ())


def test_other_origins_alone_are_no_difference(tmp_path: Path) -> None:
    old, new = (
        write_version(tmp_path / name, {**ROWS, ("origins", "origins"): [{"path": "_posts/0.md", "commit": name}]})
        for name in ("old", "new")
    )
    assert difference(tmp_path, old, new).bump is None


# ----------------------------------------------------------------------------------------------- revisions


def revisions(*titles: str) -> Rows:
    return {("revisions", "revisions"): [{"article_id": "1", "title": title} for title in titles]}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("abc", "abcde", ("minor", ("2 rows added to revisions",))),
        ("", "ab", ("minor", ("2 rows added to revisions",))),
        ("abc", "xbc", ("major", ("rows of revisions changed",))),
        ("abc", "xbcd", ("major", ("rows of revisions changed",))),
        ("abcd", "ab", ("major", ("2 rows of revisions removed",))),
        ("abc", "abc", (None, ())),
    ],
)
def test_revisions_may_only_grow(tmp_path: Path, before: str, after: str, expected: tuple[Any, ...]) -> None:
    found = difference(tmp_path, *both(tmp_path, {**ROWS, **revisions(*before)}, {**ROWS, **revisions(*after)}))
    assert (found.bump, found.reasons) == expected


# ----------------------------------------------------------------------------------------- text-free versions


@pytest.mark.parametrize(("split", "level"), [("train", "major"), ("newer", "minor")])
def test_other_words_of_a_text_free_version_are_told_by_the_full_hashes(tmp_path: Path, split: str, level: str) -> None:
    rows = {("articles", split): ROWS["articles", "train"]}
    old, new = both(tmp_path, rows, rows)
    paths = [shard.path for shard in old.shards]
    full = [tuple(FullShard(path=p, bytes=1, sha256="", digest=d) for p in paths) for d in ("aa", "bb")]
    old, new = (dataclasses.replace(m, full=f) for m, f in zip((old, new), full, strict=True))
    found = difference(tmp_path, old, new)
    assert (found.bump, found.reasons) == (level, (f"the words of 2 shards of {split} changed",))
