"""Scores of simple models: read from the file that scripts/baselines.py prints, and shown in the card."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from ..counts import plural
from ..errors import CallError
from ..files import read_regular
from ..storage.manifest import Manifest
from ..storage.manifest_shapes import Baselines
from .citation import Citation
from .contents import frozen_digest
from .markdown import escape, join_blocks, render_table

__all__ = ["BASELINES_FORMAT", "describe_baselines", "read_baselines", "show_baselines"]

BASELINES_FORMAT = "newsdata baselines 1"
_LARGEST = 1_000_000  # bytes of a file
_SPLITS = {"frozen": "On these splits", "random": "On a random split", "folds": "On grouped folds"}


def read_baselines(path: str | Path) -> Mapping[str, Any]:
    """The scores in a file. Keys that are not known are left out.

    Raises:
        CallError: the file cannot be read, is too large, holds something else, or its numbers contradict each other.
    """
    try:
        data = read_regular(Path(path), _LARGEST, follow=True).removeprefix(BOM_UTF8)
        _check_format(msgspec.json.decode(data))
        found = msgspec.json.decode(data, type=Baselines)
        _check_scores(found)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise CallError(
            f"the scores of baselines cannot be read: {reason}",
            path=path,
            field="baselines",
            hint="give what `scripts/baselines.py OUT --json` printed",
        ) from None
    return dict(found)


def _check_format(data: object) -> None:
    """Raise a `ValueError` for a file of something else, or of another version of this script."""
    name = data.get("format") if isinstance(data, Mapping) else None
    if name != BASELINES_FORMAT:
        raise ValueError(f"the format is {name!r:.100}, must be {BASELINES_FORMAT!r}")


def _check_scores(found: Baselines) -> None:
    """Raise a `ValueError` for scores that contradict each other."""
    if found["used"]["train"] > found["rows"]["train"] or found["used"]["test"] > found["rows"]["test"]:
        raise ValueError("more rows are used than there are - at `$.used`")
    if not found["tasks"]:
        raise ValueError("there are no tasks - at `$.tasks`")
    names: set[str] = set()
    for number, task in enumerate(found["tasks"]):
        if task["name"] in names:
            raise ValueError(f"the task {task['name']!r:.100} is there twice - at `$.tasks[{number}]`")
        names.add(task["name"])
        measures: set[tuple[str, str]] = set()
        for at, score in enumerate(task.get("scores", ())):
            where = f"at `$.tasks[{number}].scores[{at}]`"
            if not score["low"] <= score["score"] <= score["high"]:
                raise ValueError(f"the score must be from `low` to `high` - {where}")
            if (key := (score["split"], score["measure"])) in measures:
                raise ValueError(f"the measure is there twice for this split - {where}")
            measures.add(key)


def describe_baselines(scores: Mapping[str, Any]) -> str:
    """A digest of scores, 16 hexadecimal digits. The manifest holds it."""
    return sha256(json.dumps(scores, sort_keys=True).encode()).hexdigest()[:16]


def show_baselines(manifest: Manifest, citation: Citation) -> str:
    """Tasks and scores by split; empty if there are none."""
    found = manifest.baselines
    measured = [task for task in found["tasks"] if task.get("scores")] if found else []
    if not found or not measured:
        return ""
    used, same = found["used"], found["content"] == frozen_digest(manifest)
    rows = [row for task in measured for row in _rows(task)]
    out = [f"- {escape(task['name'])}: {escape(task['left_out'])}" for task in found["tasks"] if task.get("left_out")]
    return join_blocks(
        [
            "Scores of simple models (hashed character n-grams, a linear model), to compare yours with. They were measured"
            f" on version {escape(found['version'])}, {plural(used['train'], 'row')} of `train` and"
            f" {plural(used['test'], 'row')} of `test`, with seed {found['seed']}. "
            + ("Those rows are the rows of this version." if same else "**This version has other rows.**"),
            render_table(("Task", "Measure", *_SPLITS.values()), rows, right=(2, 3, 4)),
            "\n".join(f"- {escape(task['name'])}: {escape(task['about'])}" for task in measured if task.get("about")),
            "In parentheses: an interval of 95 %, over test rows that were drawn again, copies together. A random split of the"
            " same size has copies and days on both sides, so its scores are too good. Grouped folds keep copies together"
            " but not days.",
            "Left out:" if out else "",
            "\n".join(out),
        ]
    )


def _rows(task: Mapping[str, Any]) -> list[list[str]]:
    """A row for each measure of a task."""
    measures = dict.fromkeys(score["measure"] for score in task["scores"])
    rows = []
    for measure in measures:
        by_split = {score["split"]: score for score in task["scores"] if score["measure"] == measure}
        cells = [_cell(by_split.get(split)) for split in _SPLITS]
        rows.append([escape(task["name"]), escape(measure), *cells])
    return rows


def _cell(score: Mapping[str, Any] | None) -> str:
    return f"{score['score']:.3f} ({score['low']:.3f} to {score['high']:.3f})" if score else "–"
