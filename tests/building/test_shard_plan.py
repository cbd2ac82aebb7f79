"""Which rows go into which shard: borders that were drawn once stay, so that a new day rewrites one file."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import newsdata
from newsdata.building import shard_plan
from newsdata.building.shard_plan import PostShard, choose_shard_rows, cut, in_tasks, plan_posts
from newsdata.sources.source import Files, SourceFile
from newsdata.storage.manifest import Manifest, read_manifest

from ..conftest import many_posts, post, write_archive

KEYS = st.lists(st.integers(0, 60), unique=True, max_size=40).map(sorted)


def borders_of(keys: list[int], pieces: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Number and first key of each shard, as the next version finds them."""
    return [(number, keys[begin]) for number, begin, _ in pieces]


@given(KEYS, KEYS, st.integers(1, 9), st.booleans())
def test_borders_stay_and_every_row_has_one_shard(first: list[int], second: list[int], size: int, again: bool) -> None:
    before = cut(len(first), first.__getitem__, [], size)
    assert [(begin, end) for _, begin, end in before] == [
        (at, min(at + size, len(first))) for at in range(0, len(first), size)
    ]
    kept = borders_of(first, before)
    after = cut(len(second), second.__getitem__, kept, size, again=again)
    assert [row for _, begin, end in after for row in range(begin, end)] == list(range(len(second)))
    assert all(end > begin for _, begin, end in after)
    numbers = [number for number, _, _ in after]
    assert numbers == sorted(set(numbers))
    last = kept[-1][0] if kept else 0
    for number, begin, end in after:
        for row in range(
            begin, end
        ):  # a row belongs to the last border at or before it, and to the first shard before all
            mine = max((n for n, start in kept[1:] if start <= second[row]), default=kept[0][0] if kept else 0)
            assert number == mine or (number >= mine == last and not (again and kept))
    if not (again and kept):
        assert all(end - begin <= size for number, begin, end in after if number >= last)


def test_a_row_between_two_borders_changes_one_shard() -> None:
    before = cut(6, "bdfhjl".__getitem__, [(0, "b"), (1, "f"), (2, "j")], 2000)
    assert before == [(0, 0, 2), (1, 2, 4), (2, 4, 6)]
    assert cut(7, "bdfghjl".__getitem__, [(0, "b"), (1, "f"), (2, "j")], 2000) == [(0, 0, 2), (1, 2, 5), (2, 5, 7)]
    assert cut(7, "abdfhjl".__getitem__, [(0, "b"), (1, "f"), (2, "j")], 2000) == [(0, 0, 3), (1, 3, 5), (2, 5, 7)]
    assert cut(4, "bdjl".__getitem__, [(0, "b"), (1, "f"), (2, "j")], 2000) == [(0, 0, 2), (2, 2, 4)]
    assert cut(2, "bd".__getitem__, [(3, "b")], 2000) == [(3, 0, 2)]
    assert cut(0, "".__getitem__, [(0, "b")], 2000) == [] == cut(0, "".__getitem__, [], 2000)


@pytest.mark.slow
def test_the_rows_of_a_shard_are_chosen_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "out"
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 2)
    monkeypatch.setattr(shard_plan, "_MANY_POSTS", 6)
    first = newsdata.build(archive, out, num_proc=1).manifest  # 12 posts
    assert first.configuration["shard_rows"] == 4 and max(shard.rows for shard in first.shards) == 4
    write_archive(archive, many_posts(20, start_day=5))
    second = newsdata.build(archive, out, num_proc=1).manifest
    assert second.configuration["shard_rows"] == 4 and max(shard.rows for shard in second.shards) == 4
    old = replace(first, configuration={k: v for k, v in first.configuration.items() if k != "shard_rows"})
    assert choose_shard_rows(10**9, old) == 2


def test_bytes_cut_as_rows_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_plan, "SHARD_BYTES", 10)
    sizes = np.array([4, 4, 4, 50, 1, 1, 1, 1, 10])
    assert cut(9, range(9).__getitem__, [], 3, sizes=sizes) == [
        (0, 0, 2),
        (1, 2, 3),
        (2, 3, 4),
        (3, 4, 7),
        (4, 7, 8),
        (5, 8, 9),
    ]
    assert cut(9, range(9).__getitem__, [(0, 0), (1, 7)], 3, sizes=sizes) == [(0, 0, 7), (1, 7, 8), (2, 8, 9)]


def files(*paths: str) -> Files:
    return Files.of(SourceFile(path, 10, "") for path in sorted(paths))


def plan(found: Files, base: Manifest | None = None) -> dict[str, tuple[str, list[str]]]:
    return {shard.path: (shard.start, shard.files.path.to_pylist()) for shard in plan_posts(found, base, 2000)[1]}


def test_posts_go_by_the_day_in_their_names() -> None:
    assert plan(files()) == {}
    found = plan(
        files(
            "old_post/2022-03-01-b.md", "_posts/2022-03-02-a.md", "_posts/2022-03-01-c.md", "_posts/x/2021-12-31-d.md",
            "_posts/2022-13-01-e.md", "_posts/-202203010000000001.md", "_posts/f.md", "_posts/2022-3-1-g.md",
        )
    )  # fmt: skip
    assert found == {
        "posts/posts-undated-0000000.parquet": (
            "/_posts/-202203010000000001.md",
            ["_posts/-202203010000000001.md", "_posts/2022-13-01-e.md", "_posts/2022-3-1-g.md", "_posts/f.md"],
        ),
        "posts/posts-2021-12-0000000.parquet": ("2021-12-31/_posts/x/2021-12-31-d.md", ["_posts/x/2021-12-31-d.md"]),
        "posts/posts-2022-03-0000000.parquet": (
            "2022-03-01/_posts/2022-03-01-c.md",
            ["_posts/2022-03-01-c.md", "old_post/2022-03-01-b.md", "_posts/2022-03-02-a.md"],
        ),
    }


def groups(sizes: dict[str, int], size: int = 10) -> list[list[str]]:
    """The months of each task, for a plan of months with so many files."""
    plan = [
        PostShard(path=f"posts/posts-{month}.parquet", start="", files=Files.of([SourceFile("a", size, "")] * count))
        for month, count in sizes.items()
    ]
    return [[shard.path[12:-8] for shard in shards] for shards in in_tasks(plan)]


def test_small_neighbours_of_a_decade_share_a_task() -> None:
    assert groups({}) == []
    sizes = {"1999-12-00000": 1, "2000-01-00000": 16, "2000-02-00000": 16, "2009-12-00000": 1, "2010-01-00000": 2}
    assert groups(sizes) == [
        ["1999-12-00000"],
        ["2000-01-00000", "2000-02-00000", "2009-12-00000"],
        ["2010-01-00000"],
    ]
    assert groups(sizes | {"2000-02-00000": 17})[1:-1] == [["2000-01-00000"], ["2000-02-00000"], ["2009-12-00000"]]
    assert groups({"undated-00000": 1, "undated-00001": 1}) == [["undated-00000"], ["undated-00001"]]


def test_what_is_small_together_is_no_larger_than_a_full_shard() -> None:
    months = {
        f"200{year}-{month:02d}-{number:05d}": 16 for year in range(10) for month in range(1, 13) for number in (0, 1)
    }
    assert [len(task) for task in groups(months)] == [120, 120]
    assert 120 * 16 <= shard_plan.SHARD_ROWS < 120 * 17
    large = shard_plan.SHARD_BYTES // 120 // 2
    assert groups({"2000-01-00000": 2, "2000-02-00000": 2}, large) == [["2000-01-00000", "2000-02-00000"]]
    assert groups({"2000-01-00000": 3, "2000-02-00000": 3}, large) == [["2000-01-00000"], ["2000-02-00000"]]


@pytest.mark.slow
def test_a_new_day_touches_the_last_shard_of_its_month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 10)
    archive, out = write_archive(tmp_path / "in", many_posts(19)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    write_archive(archive, many_posts(2, start_day=20))
    second = newsdata.build(archive, out, num_proc=1)
    before, after = ({s.path: s for s in read_manifest(out / v).shards} for v in ("1.0.0", second.version))
    changed = {path for path in before if before[path].sha256 != after[path].sha256}
    assert changed == {max(path for path in before if path.startswith("posts/"))}
    assert {path for path in after.keys() - before.keys() if path.startswith("articles/")} == {
        "articles/newer-2022-03-0000000.parquet"
    }
    assert [s.rows for s in after.values() if s.path.startswith("posts/")] == [10] * 6 + [3]


@pytest.mark.slow
def test_articles_go_by_split_month_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 25)
    undated = {"_posts/x.md": post(date="").replace(b"date: \n", b"")}
    archive = write_archive(tmp_path / "in", many_posts(45) | undated)
    made = newsdata.build(archive, tmp_path / "out", num_proc=1)
    shards = [s for s in made.manifest.shards if s.config in ("articles", "excluded")]
    assert {s.path for s in shards} >= {
        "articles/train-2022-03-0000000.parquet",
        "articles/train-2022-03-0000001.parquet",
        "articles/train-2022-04-0000000.parquet",
        "excluded/excluded-undated-0000000.parquet",
    }
    for shard in shards:
        rows = newsdata.load_pandas(made.path, shard.config, split=shard.split)
        keys = [
            (time.value // 10**6, identity)
            for time, identity in zip(rows.published_at, rows.article_id, strict=True)
            if shard.split != "excluded"
        ]
        assert keys == sorted(keys)
        time, _, identity = shard.start.partition("/")
        assert shard.split == "excluded" or (int(time), identity) in keys
    starts = [s.start for s in shards if s.path.startswith("articles/train-2022-03")]
    assert all(int(a.partition("/")[0]) <= int(b.partition("/")[0]) for a, b in pairwise(starts))
