"""Stage write: a shard is written where anything that it holds changed, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.building import shard_plan
from newsdata.schema import table_schema
from newsdata.storage.manifest import Manifest

from ...conftest import many_posts, post, write_archive
from ..edited_archive import digests
from ..executors import Noting
from ..test_grouping import REPRINT, STORY, story

SHARDS_OF_ARTICLES = ("articles", "excluded")


@pytest.fixture(autouse=True)
def several_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 10)


def changed(before: Manifest, after: Manifest) -> set[str]:
    """The shards of articles whose bytes are new."""
    old = {shard.path: shard.sha256 for shard in before.shards}
    return {s.path for s in after.shards if s.config in SHARDS_OF_ARTICLES and old.get(s.path) != s.sha256}


def grow(tmp_path: Path, more: dict[str, bytes]) -> tuple[newsdata.Build, newsdata.Build, list[str]]:
    """Two versions, and the tasks of the second one; it is the same as a full build."""
    archive, out = write_archive(tmp_path / "in", many_posts(20) | story("2022-03-02", 77)), tmp_path / "out"
    first = newsdata.build(archive, out, num_proc=1)
    write_archive(archive, more)
    noting = Noting()
    second = newsdata.build(archive, out, executor=noting)
    full = newsdata.build(archive, tmp_path / "full", base=first.path, cache=False, num_proc=1)
    assert digests(second.path) == digests(full.path)
    return first, second, noting.kinds


@pytest.mark.slow
def test_an_edited_post_writes_its_shard(tmp_path: Path) -> None:
    path = "_posts/2022-03-04-202203040000000001.md"
    first, second, kinds = grow(tmp_path, {path: many_posts(4)[path].replace("仓库".encode(), "船坞".encode())})
    assert len(changed(first.manifest, second.manifest)) == 1 == kinds.count("write")


@pytest.mark.slow
def test_a_group_that_grows_writes_the_shards_of_its_members(tmp_path: Path) -> None:
    """A copy that came first gives nobody a new name; one that comes later is excluded."""
    first, second, kinds = grow(tmp_path, story("2022-03-18", 78, REPRINT, "多家公司产线投产"))
    assert changed(first.manifest, second.manifest) == {"excluded/excluded-2022-03-0000000.parquet"}
    assert kinds.count("write") == 1
    write_archive(tmp_path / "in", story("2022-03-03", 79, STORY))
    noting = Noting()
    third = newsdata.build(tmp_path / "in", tmp_path / "out", executor=noting)
    assert changed(second.manifest, third.manifest) == {"articles/train-2022-03-0000000.parquet"}
    assert noting.kinds.count("write") == 1


@pytest.mark.slow
def test_a_twin_that_adds_labels_writes_its_shard(tmp_path: Path) -> None:
    twin = {"_posts/2022-03-04-NW202203040000000001.md": post(category="chenbao", tag="晨报新闻")}
    first, second, kinds = grow(tmp_path, twin)
    assert len(changed(first.manifest, second.manifest)) == 1 == kinds.count("write")


@pytest.mark.slow
def test_a_post_that_moved_changes_no_article(tmp_path: Path) -> None:
    """Paths lie in the config `posts` only."""
    archive, out = write_archive(tmp_path / "in", many_posts(20)), tmp_path / "out"
    first = newsdata.build(archive, out, num_proc=1)
    (archive / "old_post").mkdir()
    name = "2022-03-04-202203040000000001.md"
    (archive / "_posts" / name).rename(archive / "old_post" / name)
    second = newsdata.build(archive, out, num_proc=1)
    assert second.created and changed(first.manifest, second.manifest) == set()


@pytest.mark.slow
def test_rejects_are_a_shard_of_their_own(tmp_path: Path) -> None:
    bad = {f"_posts/2022-03-05-bad-{number}.md": b"" for number in range(3)}
    archive, out = write_archive(tmp_path / "in", many_posts(20)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    write_archive(archive, bad)
    noting = Noting()
    made = newsdata.build(archive, out, executor=noting)
    assert noting.kinds.count("rejects") == 1 and "write" not in noting.kinds
    rows = pq.read_table(made.path / "rejects" / "rejects-undated-0000000.parquet").to_pylist()
    assert [row["path"] for row in rows] == sorted(bad) and {row["rule"] for row in rows} == {"empty"}
    for path in bad:
        (archive / path).unlink()
    gone = newsdata.build(archive, out, num_proc=1)
    assert not [s for s in gone.manifest.shards if s.config == "rejects"]


@pytest.mark.slow
def test_a_row_says_which_posts_it_was_merged_from(tmp_path: Path) -> None:
    one = "202203040000000001"
    twin = {f"_posts/2022-03-04-NW{one}.md": post(category="chenbao", tag="晨报新闻")}
    _, second, _ = grow(tmp_path, twin)
    posts = newsdata.load_pandas(second.path, "posts", split="posts")
    rows = {row["article_id"]: row for split in newsdata.load_dataset(second.path).values() for row in split}
    expected = set(posts[posts.article_id == one].sha256)
    assert {source["sha256"] for source in rows[one]["sources"]} == expected and len(expected) == 2
    assert [source["feed"] for source in rows[one]["sources"]] == ["emnews", "market"]
    assert all(row["fold"] in range(10) for row in rows.values()) and len({row["fold"] for row in rows.values()}) > 5


@pytest.mark.slow
def test_blanking_is_a_task_for_each_shard(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(20)), tmp_path / "out"
    noting = Noting()
    first = newsdata.build(archive, out, text="none", executor=noting)
    assert noting.kinds.count("blank") == len(first.manifest.shards) > 5
    path = "_posts/2022-03-04-202203040000000001.md"
    (archive / path).write_bytes(many_posts(4)[path].replace("仓库".encode(), "船坞".encode()))
    again = Noting()
    second = newsdata.build(archive, out, executor=again)
    assert again.kinds.count("blank") == 2 == again.kinds.count("write") + again.kinds.count("parse")
    assert second.stages["write"]["found"] > 0
    for shard in second.manifest.shards:
        table = pq.read_table(second.path / shard.path, partitioning=None)
        assert table.schema.remove_metadata().equals(table_schema(shard.config, "Asia/Shanghai"))
        if "title" in table.column_names:
            assert table["title"].null_count == table.num_rows
