"""Scores of baselines: what is read from a file, and what the card says of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from newsdata.card.baselines import describe_baselines, read_baselines, show_baselines
from newsdata.card.citation import Citation
from newsdata.card.contents import frozen_digest
from newsdata.errors import CallError
from newsdata.storage.manifest import FullShard, Manifest

from .small_version import build_version

CITATION = Citation(title="news")
SCORE = {
    "split": "frozen",
    "measure": "accuracy",
    "score": 0.5,
    "low": 0.25,
    "high": 0.75,
    "train": 8,
    "test": 3,
}
TASK = {"name": "publisher", "about": "who wrote it", "classes": 3, "scores": [SCORE, {**SCORE, "split": "random"}]}
SCORES: dict[str, Any] = {
    "format": "newsdata baselines 1",
    "version": "1.2.0",
    "content": "0" * 32,
    "rows": {"train": 8, "test": 3},
    "used": {"train": 8, "test": 3},
    "seed": 0,
    "resamples": 200,
    "tools": {"scikit-learn": "1.9.1"},
    "tasks": [TASK, {"name": "boards", "left_out": "no mentions"}],
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return build_version(tmp_path_factory.mktemp("version"))


def written(folder: Path, data: object) -> Path:
    (folder / "scores.json").write_text(json.dumps(data), "utf-8")
    return folder / "scores.json"


def test_what_is_read_is_what_was_printed(tmp_path: Path) -> None:
    assert read_baselines(written(tmp_path, SCORES)) == SCORES
    assert read_baselines(written(tmp_path, {**SCORES, "more": ["x"] * 100})) == SCORES
    path = written(tmp_path, SCORES)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_baselines(path) == SCORES
    assert describe_baselines(SCORES) != describe_baselines({**SCORES, "seed": 1})


def test_the_card_has_a_row_for_each_measure(manifest: Manifest) -> None:
    shown = show_baselines(dataclasses.replace(manifest, baselines=SCORES), CITATION)
    assert "| publisher | accuracy | 0.500 (0.250 to 0.750) | 0.500 (0.250 to 0.750) | – |" in shown
    assert "version 1.2.0, 8 rows of `train` and 3 rows of `test`" in shown and "- boards: no mentions" in shown
    assert "**This version has other rows.**" in shown
    same = {**SCORES, "content": frozen_digest(manifest)}
    assert "the rows of this version" in show_baselines(dataclasses.replace(manifest, baselines=same), CITATION)
    nothing = {**SCORES, "tasks": [SCORES["tasks"][1]]}
    assert (
        show_baselines(manifest, CITATION)
        == show_baselines(dataclasses.replace(manifest, baselines=nothing), CITATION)
        == ""
    )


def test_the_digest_is_that_of_the_full_rows_without_text(manifest: Manifest) -> None:
    full = tuple(FullShard(path=s.path, bytes=s.bytes, sha256=s.sha256, digest=s.digest) for s in manifest.shards)
    blank = tuple(dataclasses.replace(shard, digest="f" * 64) for shard in manifest.shards)
    free = dataclasses.replace(manifest, shards=blank, full=full)
    assert frozen_digest(free) == frozen_digest(manifest) != frozen_digest(dataclasses.replace(free, full=()))
    newer = dataclasses.replace(manifest.shards[0], path="articles/newer-2022-03-0000000.parquet")
    more = dataclasses.replace(manifest, shards=(*manifest.shards, newer))
    assert frozen_digest(more) == frozen_digest(manifest)


def test_words_cannot_change_the_markup(manifest: Manifest) -> None:
    def shape(words: str) -> list[str]:
        task = {**TASK, "name": words, "about": words, "scores": [{**SCORE, "measure": words}]}
        scores = {**SCORES, "tasks": [task, {"name": words, "left_out": words}]}
        shown = show_baselines(dataclasses.replace(manifest, baselines=scores), CITATION)
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(shown)
        return [token.type for token in tokens] + [
            c.type for token in tokens for c in token.children or () if "text" not in c.type
        ]

    assert shape("a|b `c` <script>x</script> ![x](http://e.example/a.png) <!-- newsdata:columns -->\n# H") == shape("a")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "newsdata baselines 2"},
        {"version": "1.2"},
        {"version": "1.2.0\n"},
        {"content": "x"},
        {"seed": -1},
        {"seed": True},
        {"rows": {"train": 8}},
        {"tools": {"a" * 51: ""}},
        {"tasks": [TASK] * 21},
        {"tasks": [{**TASK, "scores": [SCORE] * 101}]},
        {"tasks": [{**TASK, "name": ""}]},
        {"tasks": [{**TASK, "about": "x" * 201}]},
        *({"tasks": [{**TASK, "scores": [{**SCORE, "score": value}]}]} for value in (float("nan"), float("inf"), 1.1, -0.1, "0.5", None)),
        {"tasks": [{**TASK, "scores": [{**SCORE, "split": "train"}]}]},
        {"tasks": ...},
    ],
    ids=str,
)  # fmt: skip
def test_hostile_scores_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    data = {key: value for key, value in {**SCORES, **change}.items() if value is not ...}
    with pytest.raises(CallError, match=r"scores\.json"):
        read_baselines(written(tmp_path, data))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "newsdata baselines 2"}, "the format is 'newsdata baselines 2', must be 'newsdata baselines 1'; give"),
        ({"format": ...}, "the format is None, must be"),
        ({"used": {"train": 9, "test": 3}}, "more rows are used than there are"),
        ({"used": {"train": 8, "test": 4}}, "more rows are used than there are"),
        ({"tasks": []}, "there are no tasks"),
        ({"tasks": [TASK, TASK]}, r"the task 'publisher' is there twice - at `\$.tasks\[1\]`"),
        ({"tasks": [{**TASK, "scores": [SCORE, SCORE]}]}, r"twice for this split - at `\$.tasks\[0\].scores\[1\]`"),
        *(({"tasks": [{**TASK, "scores": [{**SCORE, **one}]}]}, r"must be from `low` to `high` - at `\$.tasks\[0\]")
          for one in ({"low": 0.8}, {"score": 0.2}, {"score": 0.8}, {"low": 0.75, "high": 0.25})),
    ],
    ids=str,
)  # fmt: skip
def test_scores_that_contradict_each_other_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    data = {key: value for key, value in {**SCORES, **change}.items() if value is not ...}
    with pytest.raises(CallError, match=message):
        read_baselines(written(tmp_path, data))


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"[" * 100_000, b" " * 1_000_001])
def test_a_file_that_is_none(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_bytes(data)
    for path in (tmp_path / "scores.json", tmp_path, tmp_path / "none.json"):
        with pytest.raises(CallError, match="cannot be read"):
            read_baselines(path)
