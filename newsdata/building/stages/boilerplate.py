"""A part of stage sign: the dataset's list of boilerplate. It is made once, from a sample of the first version's articles."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...graph.engine import Stage
from ...graph.task import Artifact, Bench, StoredFile, Task, TaskFunction
from ...near_duplicates.boilerplate import (
    Boilerplate,
    Spilled,
    choose_sample,
    count,
    range_bits,
    spill,
    spill_frames,
)
from ...near_duplicates.signatures import method
from ...storage.manifest import BOILERPLATE_NAME, check_file
from ..base import Base
from .merge import Merged
from .parse import Parsed
from .versions import stage_of
from .words import WORDS, Places, open_spool, places_of, spool_files_of, texts_of

__all__ = ["TASKS", "find_boilerplate", "same_method"]

_SAMPLE_ROWS = 1250  # articles of the sample in a task
_FILE = "list"  # the name of the list in its artifact


def same_method(base: Base) -> bool:
    """Whether the base was made with the method of this code, so that its boilerplate and its groups are kept."""
    return base.manifest is not None and base.manifest.duplicates.get("method") == method()


def find_boilerplate(
    merged: Merged, parsed: Parsed, days: np.ndarray, base: Base, made_by: Sequence[str], stage: Stage
) -> StoredFile:
    """The file of the list: the one of the base, or a new one.

    The steps are those of `near_duplicates.boilerplate`.

    Args:
        merged, parsed: articles and posts.
        days: for each article its day, counted since 1970; all undated articles have the same day, which no other has.
        base: the version before.
        made_by: versions of everything that reads posts: inputs of the tasks.
        stage: runs the tasks.

    Raises:
        ManifestError: the list of the base is damaged.
    """
    if base.folder and base.manifest and same_method(base):
        check_file(base.folder, base.manifest, BOILERPLATE_NAME)
        return base.stored(BOILERPLATE_NAME)
    chosen = choose_sample(merged.articles.article_id)
    chosen = chosen[np.argsort(merged.articles.text[chosen], kind="stable")]  # in the order of the spool
    some = [chosen[begin : begin + _SAMPLE_ROWS] for begin in range(0, len(chosen), _SAMPLE_ROWS)]
    samples = stage.run([_sample_task(merged, parsed, rows, made_by) for rows in some])
    often = stage.run(_count_tasks(samples, days[chosen]))
    frames = stage.run([_frame_task(sample, often) for sample in samples])
    framed = stage.run(_count_tasks(frames, None))
    final = Task(
        stage=stage_of("boilerplate"),
        inputs=(*(one.key for one in often), *(one.key for one in framed)),
        function=_join,
        data=lambda: [*(one.files["by_day"] for one in often), *(one.files["often"] for one in framed)],
    )
    return stage.run_one(final).files[_FILE]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SampleData:
    """Some articles of the sample: the places of their words, and the spool files that hold them."""

    spool: Mapping[int, StoredFile]
    places: Places


def _sample_task(merged: Merged, parsed: Parsed, chosen: np.ndarray, made_by: Sequence[str]) -> Task:
    articles, posts = merged.articles, merged.posts
    digest = hashlib.sha256()
    for role in WORDS:
        giving = getattr(articles, role)[chosen]
        digest.update(posts.sha256[giving].tobytes())
        digest.update(posts.name[giving].astype("<u8").tobytes())

    def data() -> _SampleData:
        places = places_of(articles, chosen, parsed.rows_before, WORDS)
        return _SampleData(spool=spool_files_of(parsed.spool, [*places.roles.values()]), places=places)

    inputs = (*made_by, digest.hexdigest())
    return Task(stage=stage_of("sample"), inputs=inputs, function=_sample, data=data, temporary=True)


def _sample(data: _SampleData, bench: Bench) -> dict[str, Any]:
    spilled = spill(texts_of(open_spool(data.spool), data.places), bench.file("shingles"))
    return _sizes(spilled)


def _sizes(spilled: Spilled) -> dict[str, Any]:
    return {"sizes": spilled.sizes.tolist(), "widths": spilled.widths.tolist()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The file of a `Spilled` in the store."""

    file: StoredFile
    sizes: np.ndarray
    widths: np.ndarray

    def checked(self) -> Spilled:
        """Compare the file with its checksum; see `StoredFile.checked`."""
        return Spilled(path=self.file.checked(), sizes=self.sizes, widths=self.widths)


def _part(artifact: Artifact) -> _Part:
    sizes, widths = (np.array(artifact.facts[name], np.int64) for name in ("sizes", "widths"))
    return _Part(file=artifact.files["shingles"], sizes=sizes, widths=widths)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CountData:
    """A range of shingles to count over all parts; see `near_duplicates.boilerplate.count`."""

    parts: Sequence[_Part]
    bits: int
    number: int
    days: np.ndarray | None


def _count_tasks(artifacts: Sequence[Artifact], days: np.ndarray | None) -> list[Task]:
    """A task for each range of shingles."""
    parts = [_part(artifact) for artifact in artifacts]
    bits = range_bits([Spilled(path=part.file.path, sizes=part.sizes, widths=part.widths) for part in parts])
    about = "" if days is None else hashlib.sha256(days.astype("<i8").tobytes()).hexdigest()
    keys = tuple(artifact.key for artifact in artifacts)

    def task(number: int) -> Task:
        return Task(
            stage=stage_of("count"),
            inputs=(about, f"{number} of {1 << bits}", *keys),
            function=_count,
            data=lambda: _CountData(parts=parts, bits=bits, number=number, days=days),
            temporary=True,
        )

    return [task(number) for number in range(1 << bits)]


def _count(data: _CountData, bench: Bench) -> dict[str, Any]:
    often, by_day = count([part.checked() for part in data.parts], data.bits, data.number, data.days)
    _save(often, bench.file("often"))
    _save(by_day, bench.file("by_day"))
    return {"often": len(often), "by_day": len(by_day)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _FrameData:
    """A part of the sample, and the shingles that are seen often in the whole sample."""

    part: _Part
    often: Sequence[StoredFile]


def _frame_task(sample: Artifact, often: Sequence[Artifact]) -> Task:
    files = [one.files["often"] for one in often]
    return Task(
        stage=stage_of("frame"),
        inputs=(sample.key, *(one.key for one in often)),
        function=_frame,
        data=lambda: _FrameData(part=_part(sample), often=files),
        temporary=True,
    )


def _frame(data: _FrameData, bench: Bench) -> dict[str, Any]:
    common = Boilerplate.of(_load(data.often))
    return _sizes(spill_frames(data.part.checked(), common, bench.file("shingles")))


def _join(files: Sequence[StoredFile], bench: Bench) -> dict[str, Any]:
    found = Boilerplate.of(_load(files))
    found.save(bench.file(_FILE))
    return {"digest": found.digest}


def _save(hashes: np.ndarray, path: Path) -> None:
    path.write_bytes(hashes.astype("<u4").tobytes())


def _load(files: Sequence[StoredFile]) -> np.ndarray:
    parts = [np.frombuffer(file.checked().read_bytes(), "<u4").astype(np.uint32) for file in files]
    return np.concatenate([np.zeros(0, np.uint32), *parts])


TASKS: Mapping[str, TaskFunction] = {"sample": _sample, "count": _count, "frame": _frame, "boilerplate": _join}
"""The functions of this stage's tasks, by kind."""
