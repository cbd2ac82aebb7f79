"""Leaks between two sets of articles: by pairs, and by passages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from newsdata.near_duplicates import leakage as leakage_module
from newsdata.near_duplicates.leakage import gather, leaked, passage_coverage

from .made_articles import matched, row, words


def which(ids: Sequence[str], chosen: set[str]) -> np.ndarray:
    return np.array([name in chosen for name in ids])


def test_leaks_are_counted_once_an_article(tmp_path: Path) -> None:
    text = words(1, 360)
    rows = [
        row("train1", text),
        row("train2", text + words(2, 36)),
        row("test1", "记者报道" + text),
        row("test2", words(3, 360)),
        row("test3", text[: 13 * 22] + words(4, 96)),
    ]
    pairs, files = matched(tmp_path, rows)
    ids = [r[0] for r in rows]
    evidence = gather(pairs, files, pa.array(ids))
    seen = which(ids, {"train1", "train2"})
    names = ("leak_any", "leak_j50", "leak_j80", "leak_c80", "similar", "same_digest", "contained", "contains")
    none = dict.fromkeys(names, 0)
    assert leaked(evidence, seen, ~seen) == dict(zip(names, (2, 2, 1, 1, 0, 0, 1, 1), strict=True))
    assert leaked(evidence, seen, which(ids, {"test2"})) == none
    assert passage_coverage(evidence, [(seen, which(ids, set()))]) == [None]


@pytest.mark.parametrize("together", [1 << 18, 64])
def test_coverage_by_passages(tmp_path: Path, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leakage_module, "_SORTED_AT_ONCE", together)
    long = words(1, 12_000)
    rows = [
        row("seen", long),
        row("same", long),
        row("half", long[:6500] + words(2, 6000)),
        row("other", words(3, 12_000)),
    ]
    pairs, files = matched(tmp_path, rows, per_file=2)
    ids = [r[0] for r in rows]
    evidence = gather(pairs, files, pa.array(ids))
    cuts = [(which(ids, {"seen"}), which(ids, {tested})) for tested in ("same", "other", "half")]
    same, other, half = passage_coverage(evidence, cuts)
    assert (same, other) == (1, 0)
    assert half is not None
    assert 0.35 < half < 0.65


def test_digests_and_roundups_are_counted_both_ways(tmp_path: Path) -> None:
    digest, flashes = words(1, 24), [words(10 + k, 36) for k in range(4)]
    rows = [row("seen1", words(2)), row("seen2", digest), row("seen3", "\n".join(flashes)), row("seen4", words(20, 36))]
    rows += [row("same1", words(3)), row("same2", words(4)), row("inside", flashes[0])]
    rows += [row("round", "\n".join([words(20, 36), words(21, 96)])), row("other", words(5))]
    heads = {"seen1": (None, words(6, 24)), "same1": (None, words(6, 24)), "same2": (None, digest)}
    pairs, files = matched(tmp_path, rows, heads=heads)
    ids = [r[0] for r in rows]
    seen = which(ids, {name for name in ids if name.startswith("seen")})
    counted = leaked(gather(pairs, files, pa.array(ids)), seen, ~seen)
    assert (counted["same_digest"], counted["contained"], counted["contains"]) == (2, 1, 1)
    assert (counted["leak_j50"], counted["leak_any"]) == (0, 4)
