"""What was known at a time, from tables of revisions that are made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsdata.dataset.as_of import check_as_of, rows_known_at
from newsdata.errors import CallError
from newsdata.storage.manifest import Manifest, read_manifest

from ..versions import make_version

START = datetime(2022, 3, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def write(folder: Path, *files: list[tuple[int, str, str, str | None, bool]]) -> list[str]:
    """Shards of revisions: hour, path, article id, title (None: removed or unreadable), whether it has a date."""
    paths = []
    for number, rows in enumerate(files):
        hours, names, ids, titles, dated = zip(*rows, strict=True)
        table = pa.table(
            {
                "article_id": pa.array(ids, pa.string()),
                "path": pa.array(names, pa.string()),
                "revised_at": pa.array([at(hour) for hour in hours], pa.timestamp("ms", "UTC")),
                "title": pa.array(titles, pa.string()),
                "published_at": pa.array([START if has else None for has in dated], pa.timestamp("ms", "UTC")),
            }
        )
        paths.append(str(folder / f"{number}.parquet"))
        pq.write_table(table, paths[-1])
    return paths


def test_each_post_counts_as_its_last_revision_left_it(tmp_path: Path) -> None:
    files = write(
        tmp_path,
        [(0, "a.md", "a", "first", True), (0, "b.md", "b", "other", True), (1, "a.md", "a", "second", True)],
        [(2, "a.md", "a", None, False), (3, "a.md", "a", "third", True)],
    )
    assert rows_known_at(files, at(-1)) == []
    assert rows_known_at(files, at(0)) == [0, 1]
    assert rows_known_at(files, at(1.5)) == [1, 2]
    assert rows_known_at(files, at(2)) == [1], "it was removed"
    assert rows_known_at(files, at(99)) == [1, 4]


def test_of_two_revisions_of_one_time_the_later_row_counts(tmp_path: Path) -> None:
    files = write(tmp_path, [(0, "a.md", "a", "first", True), (0, "a.md", "a", "second", True)])
    assert rows_known_at(files, at(0)) == [1]


@pytest.mark.parametrize(
    ("one", "other", "taken"),
    [
        ((0, "a.md", "x", "t", True), (1, "b.md", "x", "t", True), 1),  # revised last
        ((1, "a.md", "x", "t", True), (0, "b.md", "x", "t", True), 0),
        ((0, "a.md", "x", "", True), (0, "b.md", "x", "t", True), 1),  # has a title
        ((0, "a.md", "x", "t", False), (0, "b.md", "x", "t", True), 1),  # has a date
        ((0, "b.md", "x", "t", True), (0, "a.md", "x", "t", True), 1),  # first by path
        ((0, "a.md", "x", "", False), (1, "b.md", "x", None, False), 0),  # the other was removed
    ],
)
def test_of_the_posts_of_an_article_one_is_taken(
    tmp_path: Path,
    one: tuple[int, str, str, str | None, bool],
    other: tuple[int, str, str, str | None, bool],
    taken: int,
) -> None:
    assert rows_known_at(write(tmp_path, [one, other]), at(5)) == [taken]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return read_manifest(make_version(tmp_path_factory.mktemp("out")))


def test_a_version_without_revisions(manifest: Manifest) -> None:
    with pytest.raises(CallError, match=r"as_of: needs the config revisions, which 1\.0\.0 does not have.*--history"):
        check_as_of("2022-03-01T09:30+08:00", manifest, config="revisions", split=None, streaming=False)


def test_arguments_that_do_not_go_with_it(manifest: Manifest) -> None:
    for config, split, streaming in (
        ("articles", None, False),
        ("revisions", "train", False),
        ("revisions", None, True),
    ):
        with pytest.raises(CallError, match="leave out name, split and streaming"):
            check_as_of("2022-03-01T09:30+08:00", manifest, config=config, split=split, streaming=streaming)
