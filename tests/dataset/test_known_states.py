"""Which posts made up each article at some steps, from shards of revisions that are made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsdata.dataset.known_states import States, known_states
from newsdata.dataset.parquet_rows import ShardRows
from newsdata.dataset.revision_keys import read_keys
from newsdata.errors import VerifyError
from newsdata.schema import table_schema
from newsdata.storage.manifest import Shard

SCHEMA = table_schema("revisions")
FEED = "_posts/2022-03-01-202203010000000001.md"
TWIN = "_posts/2022-03-01-NW202203010000000001.md"

Row = tuple[int, str, str, str | None]
"""Time, path, article id, title: "" for an empty one, "broken" for a file that cannot be read, None for one that is removed."""


def shards(folder: Path, *files: list[Row], schema: pa.Schema = SCHEMA) -> list[ShardRows]:
    parts = []
    for number, rows in enumerate(files):
        table = pa.Table.from_pylist([row_of(*row) for row in rows], SCHEMA).select(schema.names)
        path = folder / f"{number}.parquet"
        pq.write_table(table, path)
        shard = Shard(
            path=f"revisions/{number}", config="revisions", split="revisions", rows=len(rows), bytes=1, sha256="", digest="",
            start="",
        )  # fmt: skip
        parts.append(ShardRows(shard=shard, file=str(path), rows=range(len(rows))))
    return parts


def row_of(time: int, path: str, article_id: str, title: str | None) -> dict[str, Any]:
    feed = "market" if "-NW" in path else "emnews" if article_id.isdigit() else "site"
    there = title not in (None, "broken")
    return {
        "article_id": article_id, "path": path, "revised_at": time, "first_seen_at": 0,
        "sha256": None if title is None else f"{title}@{time}", "title": title if there else None,
        "text": f"text of {title}" if there else None, "feed": feed if there else None,
        "num_chars": 9 if there else None, "mentions": [] if there else None,
    }  # fmt: skip


def states(folder: Path, steps: list[int], *files: list[Row]) -> States:
    return known_states(read_keys(shards(folder, *files), SCHEMA), np.array(steps, np.int64))


def known(found: States, step: int) -> dict[str, list[int]]:
    """Article id -> the rows of its posts, the one that gives the text first."""
    chosen = found.at(step)
    if not len(chosen):
        return {}
    merged = found.merged_from(chosen)
    rows = np.split(merged.member_places[1], merged.member_starts[1:])
    ids = found.article_id.take(pa.array(chosen)).to_pylist()
    assert len(set(ids)) == len(ids)
    return {identity: own.tolist() for identity, own in zip(ids, rows, strict=True)}


def test_each_post_counts_as_its_last_revision_left_it(tmp_path: Path) -> None:
    found = states(
        tmp_path,
        [-1, 0, 1, 2, 99],
        [(0, "a.md", "a", "first"), (0, "b.md", "b", "other"), (1, "a.md", "a", "second")],
        [(2, "a.md", "a", None), (3, "a.md", "a", "third")],
    )
    assert [known(found, step) for step in range(5)] == [
        {},
        {"a": [0], "b": [1]},
        {"a": [2], "b": [1]},
        {"b": [1]},
        {"a": [4], "b": [1]},
    ]
    assert len(found.begin) == 4, "what does not change is merged once"


def test_of_two_revisions_of_one_time_the_later_row_counts(tmp_path: Path) -> None:
    assert known(states(tmp_path, [0], [(0, "a.md", "a", "first"), (0, "a.md", "a", "second")]), 0) == {"a": [1]}


def test_what_changes_between_two_steps_alone_is_not_merged(tmp_path: Path) -> None:
    found = states(tmp_path, [0, 9], [(0, "a.md", "a", "x"), (3, "a.md", "a", "y"), (5, "a.md", "a", "z")])
    assert [known(found, step) for step in (0, 1)] == [{"a": [0]}, {"a": [2]}]
    assert len(found.begin) == 2


def test_a_row_is_never_visible_before_the_one_before_it(tmp_path: Path) -> None:
    found = states(tmp_path, [5, 10], [(10, "a.md", "a", "x"), (2, "b.md", "b", "y")])
    assert [known(found, step) for step in (0, 1)] == [{}, {"a": [0], "b": [1]}]


def test_a_file_that_cannot_be_read_leaves_the_other_feed(tmp_path: Path) -> None:
    identity = "202203010000000001"
    rows: list[Row] = [
        (0, FEED, identity, "x"),
        (0, TWIN, identity, "y"),
        (1, FEED, identity, "broken"),
        (2, TWIN, identity, "broken"),
        (3, FEED, identity, ""),
    ]
    found = states(tmp_path, [0, 1, 2, 3], rows)
    assert [known(found, step) for step in range(4)] == [{identity: [0, 1]}, {identity: [1]}, {}, {identity: [4]}]
    assert found.revised_at(found.at(0)).tolist() == [0] and found.revised_at(found.at(3)).tolist() == [3]


def test_posts_of_a_site_that_differ_in_the_extension_stay_apart(tmp_path: Path) -> None:
    rows: list[Row] = [
        (0, "_posts/a.html", "_posts/a", "x"),  # alone: in the newest archive, too
        (1, "_posts/a.md", "_posts/a", "y"),
        (2, "_posts/a.md", "_posts/a", "broken"),  # it keeps its id
        (3, "_posts/a.md", "_posts/a", None),
        (4, "_posts/b.txt", "_posts/b.txt", "x"),  # in the newest archive with b.html
    ]
    found = states(tmp_path, [0, 1, 2, 3, 4], rows)
    assert [known(found, step) for step in range(5)] == [
        {"_posts/a": [0]},
        {"_posts/a": [1], "_posts/a.html": [0]},
        {"_posts/a.html": [0]},
        {"_posts/a": [0]},
        {"_posts/a": [0], "_posts/b": [4]},
    ]


def test_revisions_of_schema_1_say_less(tmp_path: Path) -> None:
    schema = table_schema("revisions", version="1.1")
    identity = "202203010000000001"
    parts = shards(tmp_path, [(0, TWIN, identity, "x"), (0, FEED, identity, ""), (1, "a.md", "a", "z")], schema=schema)
    keys = read_keys(parts, schema)
    assert keys.keys["feed"].to_pylist() == [1, 0, 2] and keys.keys["num_chars"].to_pylist() == [9, 8, 9]
    assert known(known_states(keys, np.array([1])), 0) == {identity: [1, 0], "a": [2]}


def test_nothing_is_known_before_the_first_revision(tmp_path: Path) -> None:
    found = states(tmp_path, [-5], [(0, "a.md", "a", "x")])
    assert len(found.begin) == len(found.at(0)) == 0


@pytest.mark.parametrize("column", ["article_id", "path", "revised_at"])
def test_a_row_that_says_too_little_is_damage(tmp_path: Path, column: str) -> None:
    (part,) = shards(tmp_path, [(0, "a.md", "a", "x")])
    table = pq.read_table(part.file)
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, column, pa.nulls(1, table.schema.field(column).type)), part.file)
    with pytest.raises(VerifyError, match=f"rows without {column}"):
        read_keys([part], SCHEMA)
