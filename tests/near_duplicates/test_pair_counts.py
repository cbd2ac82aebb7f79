"""What candidates have in common, kept from build to build: it saves work and changes no pair."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.near_duplicates import candidates as candidates_module
from newsdata.near_duplicates import pairs as pairs_module
from newsdata.near_duplicates.pair_counts import Counted, recall, remember
from newsdata.near_duplicates.pairs import match

from .made_articles import matched, row, words

EDITS = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove"]), st.integers(0, 15), st.integers(0, 8)),
    min_size=1,
    max_size=12,
)


def text_of(story: int, edit: int) -> str:
    """One of a few stories, with more or less of another one in it."""
    return words(story % 3, 240)[: 26 * (9 - edit)] + words(100 + story, 26 * edit + 13)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(st.lists(EDITS, min_size=2, max_size=4))
def test_pairs_by_memory_are_those_found_anew(histories: list[list[tuple[str, int, int]]]) -> None:
    held: dict[str, str] = {f"{k:02d}": text_of(k, k % 4) for k in range(8)}
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates_module, "BUCKET_CAP", 4)  # so that crowded buckets are met, too
        patch.setattr(candidates_module, "WINDOW", 2)
        memory: Path | None = None
        for number, edits in enumerate(histories):
            for kind, at, edit in edits:
                if kind == "remove":
                    held.pop(f"{at:02d}", None)
                elif (kind == "add") == (f"{at:02d}" not in held):
                    held[f"{at:02d}"] = text_of(at, edit)
            folder = Path(name, str(number))
            folder.mkdir()
            _, files = matched(folder, [row(*item) for item in held.items()], per_file=5)
            counts = Path(name, f"counts-{number}")
            anew = match(files, counts=Path(name, "anew"))
            remembered = match(files, seed=memory, counts=counts)
            assert remembered.table.equals(anew.table)
            assert remembered.report == anew.report
            assert counts.read_bytes() == Path(name, "anew").read_bytes()
            memory = counts


def test_only_pairs_with_something_new_are_counted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(f"{k}-{c}", words(k, 240)[c * 26 :]) for k in range(10) for c in range(3)]
    _, files = matched(tmp_path, rows)
    memory, second = tmp_path / "counts", tmp_path / "second"
    whole = match(files, counts=memory)
    reads: list[int] = []
    lists_of = candidates_module.lists_of

    def counting(keys: Any, wanted: Any, column: str) -> Any:
        if column == "shingles":
            reads.append(len(np.unique(wanted)))
        return lists_of(keys, wanted, column)

    monkeypatch.setattr(pairs_module, "lists_of", counting)
    assert match(files, seed=memory, counts=second).table.equals(whole.table)
    assert reads == [] and second.read_bytes() == memory.read_bytes()
    rows[0] = row("0-0", words(0, 240)[13:])
    changed = matched(tmp_path, rows)[0]
    reads.clear()
    assert match(files, seed=second).table.equals(changed.table)
    assert reads == [3]


def test_counts_of_other_articles_are_of_no_use_and_do_no_harm(tmp_path: Path) -> None:
    """Damage is found by the store; a whole file of counts may still be of whatever else."""
    rows = [row(f"{k}-{c}", words(k, 240)[c * 26 :]) for k in range(4) for c in range(3)]
    (tmp_path / "own").mkdir()
    (tmp_path / "others").mkdir()
    whole, files = matched(tmp_path / "own", rows)
    match(files, counts=tmp_path / "counts")
    good = (tmp_path / "counts").read_bytes()
    others = [row(f"{k}-{c}", words(50 + k, 240)[c * 13 :]) for k in range(4) for c in range(3)]
    _, of_others = matched(tmp_path / "others", others)
    for name, some in (("nothing", []), ("others", of_others), ("part", files[:1])):
        match(some, counts=tmp_path / f"of-{name}")
        found = match(files, seed=tmp_path / f"of-{name}", counts=tmp_path / "again")
        assert found.table.equals(whole.table) and found.report == whole.report, name
        assert (tmp_path / "again").read_bytes() == good, name


def test_counts_are_by_the_sets_of_shingles(tmp_path: Path) -> None:
    identity = np.array([30, 10, 20, 10], np.uint64)
    counted = Counted(
        left=np.array([0, 0, 1]),
        right=np.array([1, 3, 2]),
        common=np.array([5, 5, 7], np.int32),
        facts=np.array([2, 2, 0], np.int32),
    )
    remember(tmp_path / "counts", identity, counted)
    known = recall(tmp_path / "counts")
    left, right = np.array([10, 30, 20, 20, 99], np.uint64), np.array([30, 10, 10, 30, 10], np.uint64)
    common, facts, found = known.find(left, right)
    assert found.tolist() == [True, True, True, False, False]
    assert (common.tolist(), facts.tolist()) == ([5, 5, 7, 0, 0], [2, 2, 0, 0, 0])
    nothing = recall(None).find(left, right)
    assert [part.any() for part in nothing] == [False, False, False]
