"""Stage measure: what a later split shares with an earlier one, beside a random split of the same sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import newsdata
from newsdata.building.stages.measure import leaking_pairs
from newsdata.near_duplicates.leakage import Evidence

from ...conftest import many_posts, write_archive
from ..executors import Noting
from ..test_grouping import REPRINT, STORY, story

NOTHING: dict[str, Any] = {
    **{name: np.zeros(0, np.uint64) for name in ("sizes", "digests", "texts")},
    "similar": np.zeros(0, np.bool_),
    "near": (np.zeros(0, np.int64), np.zeros(0, np.int64)),
    "files": [],
    "owners": [],
}
"""What leaking pairs do not need."""


def test_leaking_pairs_are_named() -> None:
    evidence = Evidence(
        left=np.array([0, 0, 2]),
        right=np.array([1, 3, 3]),
        jaccard=np.array([0.9, 0.4, 0.6], dtype=np.float32),
        containment=np.ones(3, dtype=np.float32),
        **NOTHING,
    )
    ids = pa.array(["a", "b", "c", "d"])
    found = leaking_pairs(evidence, ids, np.array([True, False, True, False]), np.array([False, True, False, True]))
    assert found == [{"left": "a", "right": "b", "jaccard": 0.9}, {"left": "c", "right": "d", "jaccard": 0.6}]


def test_ten_leaking_pairs_at_most_the_closest_first() -> None:
    count = 15
    evidence = Evidence(
        left=np.arange(count),
        right=np.full(count, count),
        jaccard=np.linspace(0.45, 0.99, count).astype(np.float32),
        containment=np.ones(count, dtype=np.float32),
        **NOTHING,
    )
    ids = pa.array([f"{n:02d}" for n in range(count + 1)])
    seen = np.arange(count + 1) < count
    found = leaking_pairs(evidence, ids, seen, ~seen)
    assert [pair["left"] for pair in found] == [f"{n:02d}" for n in range(14, 4, -1)]
    assert leaking_pairs(evidence, ids, seen, seen) == []


def test_one_split_has_nothing_to_leak_to(tmp_path: Path) -> None:
    made = newsdata.build(write_archive(tmp_path / "in", many_posts(2)), tmp_path / "out", num_proc=1)
    assert made.manifest.leakage is None and made.stages["measure"]["tasks"] == 1


@pytest.mark.slow
def test_an_article_that_becomes_a_copy_is_set_aside_and_leaks_nothing(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(40) | story("2022-03-05", 77)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    one = newsdata.load_pandas(out, split="test").article_id.iloc[-1]
    (reprint,) = story("2022-04-09", 78, REPRINT).values()
    (archive / f"_posts/{one[:4]}-{one[4:6]}-{one[6:8]}-{one}.md").write_bytes(reprint)
    made = newsdata.build(archive, out, num_proc=1)
    assert newsdata.load_pandas(out, "excluded", split="excluded").article_id.tolist() == [one]
    leakage = made.manifest.leakage
    assert leakage is not None and all(row["leak_any"] == 0 for row in leakage["pairs"])
    assert any(one in (pair["left"], pair["right"]) for pair in leakage["examples"]), (
        "the time alone would have leaked it"
    )


@pytest.mark.slow
def test_what_was_measured_is_found(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(40) | story("2022-03-05", 77, STORY)), tmp_path / "out"
    first = newsdata.build(archive, out, num_proc=1)
    again = Noting()
    second = newsdata.build(archive, out, version="1.5.0", executor=again)
    assert first.manifest.leakage == second.manifest.leakage is not None
    # Every article was new before and is known now, so that its split is decided by another rule.
    assert set(again.kinds) <= {"hash", "group", "split", "measure"}
    third = newsdata.build(archive, out, version="1.6.0", executor=(noting := Noting()))
    assert set(noting.kinds) <= {"hash"} and third.stages["measure"]["found"] == 1
    report = third.manifest.leakage
    assert report is not None
    for row, other in zip(report["pairs"], report["random"], strict=True):
        assert (row["split"], row["against"], row["rows"]) == (other["split"], other["against"], other["rows"])
        assert row["latest_seen"] < row["earliest_tested"] and row["future_rows"] == 0
        assert other["future_rows"] > 0, "a random split looks into the future"
