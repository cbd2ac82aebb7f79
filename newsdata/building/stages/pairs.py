"""A part of stage group: the pairs of near-copies among all articles.

Candidates are searched in parts, by the band that two articles share; what they have in common is counted in parts, by the
first article. The rules then see all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ...arrow_files import mapped_table, numbers_of, write_table
from ...graph.engine import Stage
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from ...near_duplicates.candidates import Buckets
from ...near_duplicates.pair_counts import Counted
from ...near_duplicates.pairs import Pairs, count_common, decide, search
from ...near_duplicates.signatures import method
from .sign import Signed
from .versions import stage_of

__all__ = ["TASKS", "find_pairs", "read_pairs"]


def find_pairs(signed: Signed, articles: int, stage: Stage) -> Artifact:
    """The artifact with the verified pairs.

    Args:
        signed: the signatures of all articles.
        articles: their number.
        stage: runs the tasks.
    """
    files = signed.files
    inputs = (f"{sorted(method().items())}", *(one.key for one in signed.artifacts))
    searched: list[Artifact] = []
    counted: list[Artifact] = []
    task = Task(
        stage=stage_of("pairs"),
        inputs=inputs,
        function=_decide,
        data=lambda: _DecideData(signatures=files, searched=searched, counted=counted),
        place="pairs",
    )
    if stage.lacks(task):
        count = stage.engine.partitions_for(articles)
        seed = stage.engine.seed_of(task.key, task.place)
        known = seed.files["counts"] if seed else None
        searched += stage.run([_search_task(files, inputs, number, count) for number in range(count)])
        counted += stage.run([_count_task(files, inputs, searched, known, number) for number in range(count)])
    return stage.run_one(task)


def read_pairs(artifact: Artifact) -> Pairs:
    """The verified pairs, read from their artifact."""
    return Pairs(table=mapped_table(artifact.files["pairs"].checked()), report=artifact.facts)


# ---------------------------------------------------------------------------------------------------- searching


@dataclass(frozen=True, slots=True, kw_only=True)
class _SearchData:
    """The signature files, and which part of how many is searched."""

    signatures: Sequence[StoredFile]
    number: int
    count: int


def _search_task(files: Sequence[StoredFile], inputs: tuple[str, ...], number: int, count: int) -> Task:
    return Task(
        stage=stage_of("search"),
        inputs=(*inputs, f"{number} of {count}"),
        function=_search,
        data=lambda: _SearchData(signatures=files, number=number, count=count),
        temporary=True,
    )


def _search(data: _SearchData, bench: Bench) -> dict[str, Any]:
    found = search([file.checked() for file in data.signatures], data.number, data.count)
    write_table(pa.table({"code": found.codes}), bench.file("codes"))
    return {"large": found.buckets.large, "largest": found.buckets.largest}


# ----------------------------------------------------------------------------------------------------- counting


@dataclass(frozen=True, slots=True, kw_only=True)
class _CountData:
    """The signature files, all candidates, what the last build counted, and which part of the candidates is counted."""

    signatures: Sequence[StoredFile]
    searched: Sequence[Artifact]
    known: StoredFile | None
    number: int


def _count_task(
    files: Sequence[StoredFile],
    inputs: tuple[str, ...],
    searched: Sequence[Artifact],
    known: StoredFile | None,
    number: int,
) -> Task:
    return Task(
        stage=stage_of("common"),
        inputs=(*inputs, f"{number} of {len(searched)}"),
        function=_count,
        data=lambda: _CountData(signatures=files, searched=searched, known=known, number=number),
        temporary=True,
    )


def _count(data: _CountData, bench: Bench) -> dict[str, Any]:
    counted = count_common(
        [file.checked() for file in data.signatures],
        [numbers_of(mapped_table(one.files["codes"].checked()), "code") for one in data.searched],
        seed=data.known.checked() if data.known else None,
        number=data.number,
        count=len(data.searched),
    )
    columns = {name: getattr(counted, name) for name in _COUNTED}
    write_table(pa.table(columns), bench.file("counted"))
    return {"candidates": len(counted.left)}


_COUNTED = ("left", "right", "common", "facts")


# ----------------------------------------------------------------------------------------------------- deciding


@dataclass(frozen=True, slots=True, kw_only=True)
class _DecideData:
    """The signature files, and what searching and counting made, part after part."""

    signatures: Sequence[StoredFile]
    searched: Sequence[Artifact]
    counted: Sequence[Artifact]


def _decide(data: _DecideData, bench: Bench) -> dict[str, Any]:
    parts = [mapped_table(one.files["counted"].checked()) for one in data.counted]
    counted = Counted(**{name: np.concatenate([numbers_of(part, name) for part in parts]) for name in _COUNTED})
    buckets = Buckets(
        large=sum(one.facts["large"] for one in data.searched),
        largest=max(one.facts["largest"] for one in data.searched),
    )
    files = [file.checked() for file in data.signatures]
    found = decide(files, counted, buckets, counts=bench.file("counts"))
    write_table(found.table, bench.file("pairs"))
    return dict(found.report)


TASKS: Mapping[str, TaskFunction] = {"search": _search, "common": _count, "pairs": _decide}
"""The functions of these tasks, by kind."""
