"""Stage measure: how much of each split is also in an earlier split, compared with a random split of the same sizes.

Shares are of the rows of the later split. Only pairs that were found are counted: 0 % means that no pair was found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...curation.merge import Articles
from ...curation.splits import Placement, local_days
from ...graph.engine import Engine
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from ...near_duplicates.leakage import Evidence, gather, leaked, passage_coverage
from ...near_duplicates.pairs import MEASURED, Pairs
from ...schema import SPLITS, Site
from .group import Grouped
from .merge import Merged, read_articles
from .pairs import read_pairs
from .sign import Signed
from .split import Placed, read_placement
from .versions import stage_of

__all__ = ["TASKS", "leaking_pairs", "measure_leakage"]

_HASHED_AT_ONCE = 4096  # article ids


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeasureData:
    """What measuring needs: results of earlier stages."""

    merged: Artifact
    pairs: Artifact
    placed: Artifact
    signatures: Sequence[StoredFile]
    largest_group: int
    timezone: str


def measure_leakage(
    merged: Merged, signed: Signed, grouped: Grouped, placed: Placed, site: Site, engine: Engine
) -> Mapping[str, Any] | None:
    """The leakage report (`Manifest.leakage`); None if there are fewer than two splits."""
    with engine.stage("measure", len(merged.articles)) as stage:
        artifact = stage.run_one(
            Task(
                stage=stage_of("measure"),
                inputs=(grouped.pairs.key, grouped.artifact.key, placed.artifact.key, site.timezone),
                function=_measure,
                data=lambda: _MeasureData(
                    merged=merged.artifact,
                    pairs=grouped.pairs,
                    placed=placed.artifact,
                    signatures=signed.files,
                    largest_group=grouped.artifact.facts["largest_group"],
                    timezone=site.timezone,
                ),
                rows=len(merged.articles),
            )
        )
    leakage: Mapping[str, Any] | None = artifact.facts["leakage"]
    return leakage


def _measure(data: _MeasureData, bench: Bench) -> dict[str, Any]:
    articles, _ = read_articles(data.merged)
    placement = read_placement(data.placed)
    ids = articles.article_id
    counts = np.bincount(placement.split, minlength=len(SPLITS) + 1)[: len(SPLITS)]
    present = [number for number in range(len(SPLITS)) if counts[number]]
    if len(present) < 2:
        return {"leakage": None}
    pairs = read_pairs(data.pairs)
    evidence = gather(pairs, [file.checked() for file in data.signatures], ids)
    sides = [(later, earlier) for later in present[1:] for earlier in present[: present.index(later)]]
    splits = {"pairs": placement.split, "random": _random_split(ids, placement.split, counts)}
    compared = [
        (name, _Comparison(articles, split, later, earlier, data.timezone))
        for name, split in splits.items()
        for later, earlier in sides
    ]
    coverages = passage_coverage(evidence, [(one.seen, one.tested) for _, one in compared])
    report: dict[str, Any] = {name: [] for name in splits}
    for (name, comparison), coverage in zip(compared, coverages, strict=True):
        report[name].append(_shares(evidence, comparison, coverage))
    report["leaking"] = [
        pair
        for later, earlier in sides
        for pair in leaking_pairs(evidence, ids, placement.split == earlier, placement.split == later)
    ]
    report["examples"] = _examples(pairs, articles, placement)
    report["largest_group"] = data.largest_group
    return {"leakage": report}


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A later split that is compared with an earlier one.

    Attributes:
        articles: all articles.
        split: the number of each article's split.
        later, earlier: the numbers of the two splits.
        timezone: the site's, an IANA name.
    """

    articles: Articles
    split: np.ndarray
    later: int
    earlier: int
    timezone: str

    @property
    def seen(self) -> np.ndarray:
        """For each article whether it is in the earlier split."""
        seen: np.ndarray = self.split == self.earlier
        return seen

    @property
    def tested(self) -> np.ndarray:
        """For each article whether it is in the later split."""
        tested: np.ndarray = self.split == self.later
        return tested


def _shares(evidence: Evidence, comparison: _Comparison, coverage: float | None) -> dict[str, Any]:
    """The entry of the report for two splits."""
    times, seen, tested = comparison.articles.published_at, comparison.seen, comparison.tested
    counted = leaked(evidence, seen, tested)
    rows = int(tested.sum())
    last_seen, first_tested = times[seen].max(), times[tested].min()
    ends = local_days(np.array([last_seen, first_tested]), comparison.timezone)
    return {
        "split": SPLITS[comparison.later],
        "against": SPLITS[comparison.earlier],
        "rows": rows,
        **{name: round(count / rows, 6) for name, count in counted.items()},
        "coverage_50gram": None if coverage is None else round(coverage, 6),
        "latest_seen": str(ends[0]),
        "earliest_tested": str(ends[1]),
        "future_rows": int((times[seen] >= first_tested).sum()),
    }


def leaking_pairs(evidence: Evidence, ids: pa.Array, seen: np.ndarray, tested: np.ndarray) -> list[dict[str, Any]]:
    """At most ten pairs with one article in each of two splits and a Jaccard similarity of at least .5, closest first.

    Args:
        evidence: about all articles.
        ids: of the articles, in the order of the evidence.
        seen, tested: for each article whether it is in the earlier split, and in the later one.

    Returns:
        For each pair `left` and `right` (article ids) and `jaccard`.
    """
    left, right = evidence.left, evidence.right
    across = (seen[left] & tested[right]) | (tested[left] & seen[right])
    rows = np.flatnonzero(across & (evidence.jaccard >= 0.5))
    rows = rows[np.argsort(-evidence.jaccard[rows], kind="stable")][:10]
    return [
        {"left": ids[left[r]].as_py(), "right": ids[right[r]].as_py(), "jaccard": round(float(evidence.jaccard[r]), 3)}
        for r in rows.tolist()
    ]


def _random_split(ids: pa.Array, split: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The same articles in splits of the same sizes, distributed by a hash of their ids."""
    inside = np.flatnonzero(split < len(SPLITS))
    keys = np.zeros(len(inside), dtype=np.uint64)
    for begin in range(0, len(inside), _HASHED_AT_ONCE):
        names = ids.take(pa.array(inside[begin : begin + _HASHED_AT_ONCE])).to_pylist()
        states = (hashlib.sha256(name.encode()).digest() for name in names)
        keys[begin : begin + len(names)] = [int.from_bytes(state[:8], "big") for state in states]
    dealt = np.full(len(split), len(SPLITS), dtype=np.int8)
    dealt[inside[np.argsort(keys, kind="stable")]] = np.repeat(np.arange(len(SPLITS), dtype=np.int8), counts)
    return dealt


def _examples(pairs: Pairs, articles: Articles, placement: Placement) -> list[dict[str, Any]]:
    """The five closest pairs that would leak if splits were cut by date alone: ids, rule and similarity."""
    rows = pairs.table
    aside = articles.article_id.filter(pa.array(placement.reason == "straddle"))
    rows = rows.filter(pc.invert(pc.is_in(rows["rule"], pa.array(MEASURED))))
    touched = rows.filter(pc.or_(pc.is_in(rows["left"], aside), pc.is_in(rows["right"], aside)))
    best = touched.sort_by([("jaccard", "descending"), ("left", "ascending"), ("right", "ascending")]).slice(0, 5)
    return [
        {"left": r["left"], "right": r["right"], "rule": r["rule"], "jaccard": r["jaccard"] and round(r["jaccard"], 3)}
        for r in best.to_pylist()
    ]


TASKS: Mapping[str, TaskFunction] = {"measure": _measure}
"""The functions of this stage's tasks, by kind."""
