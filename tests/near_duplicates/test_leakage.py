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
    none = {"leak_j50": 0, "leak_j80": 0, "leak_c80": 0, "leak_any": 0}
    assert leaked(evidence, seen, ~seen) == {"leak_j50": 2, "leak_j80": 1, "leak_c80": 1, "leak_any": 2}
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
