"""Measure simple models on the frozen test of a version, and what each guard of its splits is worth.

``python scripts/baselines.py out`` prints a table, ``--json`` the same as JSON, for ``newsdata build --baselines FILE``.
Each task is measured three times: on the splits of the version; on a random split of the same sizes, which lets copies on
both sides; and on ten folds that keep the copies of a story together. ``--prices FILE`` adds the direction of the next
session, from your own prices.

The same version, seed and libraries give the same bytes: one thread, and every choice is seeded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from baseline_prices import PriceError, direction, read_prices
from baseline_tasks import TASKS, Cut, LeftOut, Parts, Task
from threadpoolctl import threadpool_limits

import newsdata
from newsdata.card.baselines import BASELINES_FORMAT
from newsdata.errors import NewsdataError

__all__ = ["measure", "show"]

MOST_ROWS = 120_000
"""Of a larger version so many rows of train and test are taken, by a hash of their ids."""
RESAMPLES = 200  # for an interval
_COLUMNS = [
    "article_id", "title", "digest", "text", "publisher", "mentions", "tags", "categories", "published_at", "leak_group",
    "fold",
]  # fmt: skip
_CHARS = 1000  # of a text that are kept


def measure(
    directory: str, *, prices: Path | None = None, seed: int = 0, revision: str | None = None
) -> dict[str, Any]:
    """Measure every task on a version.

    Args:
        directory: of the version, or of several; as for `newsdata.load_dataset`.
        prices: a CSV file for the direction of the next session.
        seed: of models, random split and intervals.
        revision: as for `newsdata.load_dataset`.

    Returns:
        what was measured on which rows, as plain values.
    """
    facts = newsdata.info(directory, revision=revision)
    version = str(facts["version"])
    rows = _load(directory, version)
    tasks = dict(TASKS)
    if prices is not None:
        tasks["next session"] = partial(direction, prices=read_prices(prices))
    splits = facts["configs"]["articles"]
    with threadpool_limits(1):  # sums depend on the number of threads
        measured = [_measured(name, make, rows, seed) for name, make in tasks.items()]
    return {
        "format": BASELINES_FORMAT,
        "version": version,
        "content": facts["frozen_digest"],
        "rows": {split: splits[split]["rows"] for split in ("train", "test")},
        "used": {split: int((rows["split"] == split).sum()) for split in ("train", "test")},
        "seed": seed,
        "resamples": RESAMPLES,
        "tools": {name: installed(name) for name in ("numpy", "scikit-learn", "scipy")},
        "tasks": measured,
    }


def _load(directory: str, version: str) -> pd.DataFrame:
    """The rows of train and test, in the order of their ids, with short texts and a number for each leak group."""
    frames = []
    for split in ("train", "test"):
        frame = newsdata.load_pandas(directory, split=split, revision=version, columns=_COLUMNS)
        frames.append(frame.assign(split=split, text=frame["text"].str.slice(0, _CHARS)))
    rows = pd.concat(frames, ignore_index=True)
    if len(rows) > MOST_ROWS:
        dealt = rows["article_id"].map(lambda name: hashlib.sha256(name.encode()).hexdigest())
        rows = rows.iloc[np.sort(dealt.argsort(kind="stable").to_numpy()[:MOST_ROWS])]
    rows = rows.sort_values("article_id", kind="stable", ignore_index=True)
    return rows.assign(group=pd.factorize(rows["leak_group"])[0])


# ---------------------------------------------------------------------------------------------------- measuring


def _measured(name: str, make: Any, rows: pd.DataFrame, seed: int) -> dict[str, Any]:
    """What the tasks of a version gave: scores, or why there are none."""
    try:
        task: Task = make(rows)
        scores = [score for how, cuts in _cuts(task.rows, seed).items() for score in _scores(task, how, cuts, seed)]
    except LeftOut as why:
        return {"name": name, "left_out": str(why)}
    return {"name": name, "about": task.about, **task.facts, "scores": scores}


def _cuts(rows: pd.DataFrame, seed: int) -> Mapping[str, Sequence[Cut]]:
    """How the rows are cut: as in the version, at random with the same sizes, and by fold."""
    tested, fold = (rows["split"] == "test").to_numpy(), rows["fold"].to_numpy()
    dealt = np.random.default_rng([seed, 1]).permutation(len(rows))
    size = int(tested.sum())
    folds = [Cut(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(10)]
    return {
        "frozen": [Cut(np.flatnonzero(~tested), np.flatnonzero(tested))],
        "random": [Cut(np.sort(dealt[size:]), np.sort(dealt[:size]))],
        "folds": [cut for cut in folds if len(cut.train) and len(cut.test)],
    }


def _scores(task: Task, how: str, cuts: Sequence[Cut], seed: int) -> Iterator[dict[str, Any]]:
    """The score of each measure over the tested rows of all cuts, with its interval."""
    measured = [task.parts(cut, seed) for cut in cuts]
    at, parts = (np.concatenate(some) for some in zip(*measured, strict=True))
    groups = pd.factorize(task.rows["group"].to_numpy()[at])[0]
    draws = _drawn(parts, groups, seed)
    for name, score in task.measures.items():
        found = score(parts.sum(axis=0))
        low, high = np.quantile([score(sums) for sums in draws], (0.025, 0.975))
        low, high = min(low, found), max(high, found)
        yield {
            "split": how,
            "measure": name,
            "score": round(found, 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
            "train": round(sum(len(cut.train) for cut in cuts) / len(cuts)),
            "test": len(at),
        }


def _drawn(parts: Parts, groups: np.ndarray, seed: int) -> list[Parts]:
    """The summed parts of groups that were drawn with replacement, `RESAMPLES` times."""
    sums = np.stack([np.bincount(groups, column) for column in parts.T], axis=1)
    rng = np.random.default_rng([seed, 2])
    drawn = (np.bincount(rng.integers(0, len(sums), len(sums)), minlength=len(sums)) for _ in range(RESAMPLES))
    # Not `drawn @ sums`: a product of matrices may add up in another order on another machine.
    return [(times[:, None] * sums).sum(axis=0) for times in drawn]


# ------------------------------------------------------------------------------------------------------ printing


def show(report: Mapping[str, Any]) -> str:
    """The report as text, a table for each task."""
    rows = report["used"]
    lines = [
        f"version {report['version']}: {rows['train']:,} rows of train, {rows['test']:,} of test, seed {report['seed']}"
    ]
    for task in report["tasks"]:
        lines += ["", f"{task['name']}: {task.get('about') or 'left out, ' + task['left_out']}"]
        for score in task.get("scores", ()):
            interval = f"{score['low']:.3f} to {score['high']:.3f}"
            lines.append(
                f"  {score['split']:8}{score['measure']:34}{score['score']:.3f}  ({interval}, {score['test']:,} rows)"
            )
    return "\n".join(lines)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {2**32 - 1}, got {text!r}")
    return int(text)


def main() -> None:
    """Print the scores of a version."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", help="of a version, or of several: then the newest")
    parser.add_argument("--revision", metavar="X.Y.Z", help="the version")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="CSV with the columns symbol or code, date, close")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="from 0 to 4294967295")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    try:
        report = measure(asked.directory, prices=asked.prices, seed=asked.seed, revision=asked.revision)
    except (NewsdataError, PriceError) as error:
        sys.exit(f"error: {error}")
    print(json.dumps(report, ensure_ascii=False, indent=1) if asked.json else show(report))


if __name__ == "__main__":
    main()
