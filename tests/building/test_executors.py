"""Whoever runs the tasks: the same bytes, whatever the order, the time, the process, and however often."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.errors import MachineError
from newsdata.graph.engine import Executor

from ..conftest import many_posts, post, write_archive
from .edited_archive import digests
from .executors import Delayed, FreshProcesses, Mixed, Noting, Planned, Shuffled, TwiceAtOnce, TwiceInTurn, kind_of
from .test_grouping import REPRINT, STORY, story

pytestmark = pytest.mark.usefixtures("several_shards")

KINDS = ("parse", "range", "merge", "sample", "count", "frame", "boilerplate", "sign", "search", "common", "pairs", "group", "borders", "split", "write", "rejects", "measure")  # fmt: skip
"""Every kind of task of a build of a folder."""


def first_files() -> dict[str, bytes]:
    files = many_posts(14, per_day=2) | story("2022-03-05", 77) | story("2022-03-13", 78, REPRINT, "多家公司产线投产")
    return files | {"_posts/2022-03-02-202203020000000099.md": b"", "_posts/2022-03-03-note.md": post(title="注")}


def second_files() -> dict[str, bytes]:
    path = "_posts/2022-03-04-202203040000000001.md"
    edited = {path: first_files()[path].replace("仓库".encode(), "船坞".encode())}
    return many_posts(2, start_day=15) | story("2022-03-16", 79, STORY) | edited


def two_versions(place: Path, **options: Any) -> list[dict[str, str]]:
    archive, out = write_archive(place / "in", first_files()), place / "out"
    first = newsdata.build(archive, out, **options)
    write_archive(archive, second_files())
    second = newsdata.build(archive, out, **options)
    assert first.created and second.created and newsdata.verify(out).notes == ()
    return [digests(first.path), digests(second.path)]


@pytest.mark.slow
def test_every_kind_of_task_is_run_by_the_executor(tmp_path: Path, expected: list[dict[str, str]]) -> None:
    noting = Noting()
    assert two_versions(tmp_path, executor=noting) == expected
    assert set(noting.kinds) == {"hash", *KINDS}
    assert noting.kinds.count("parse") >= 5 and noting.kinds.count("write") >= 5, "there is something to mix up"


@pytest.mark.parametrize(
    "executor",
    [
        TwiceAtOnce(),
        Planned(),
        *(
            pytest.param(executor, marks=pytest.mark.slow)
            for executor in [
                TwiceInTurn(),
                FreshProcesses(),
                *(Delayed(kind, 3) for kind in ("hash", *KINDS)),
                *(Shuffled(seed) for seed in range(1, 8)),
            ]
        ),
    ],
    ids=lambda executor: type(executor).__name__,
)
def test_any_executor_gives_the_same_bytes(executor: Executor, tmp_path: Path, expected: list[dict[str, str]]) -> None:
    assert two_versions(tmp_path, executor=executor) == expected
    assert getattr(executor, "done", True)


@pytest.mark.slow
@pytest.mark.parametrize("num_proc", [1, 5])
def test_any_number_of_workers_gives_the_same_bytes(
    num_proc: int, tmp_path: Path, expected: list[dict[str, str]]
) -> None:
    assert two_versions(tmp_path, num_proc=num_proc) == expected


def fewer(found: list[Any]) -> list[Any]:
    return found[:-1]


def none(found: list[Any]) -> list[Any]:
    return []


def more(found: list[Any]) -> list[Any]:
    return [*found, found[0]]


def swapped(found: list[Any]) -> list[Any]:
    return [*found[1:], found[0]]


def repeated(found: list[Any]) -> list[Any]:
    return [found[0]] * len(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "change"),
    [
        *(("parse", change) for change in (fewer, none, more, swapped, repeated)),
        ("write", swapped),
        ("pairs", none),
        ("measure", more),
    ],
)
def test_results_that_are_mixed_up_are_no_version(
    kind: str, change: Callable[[list[Any]], list[Any]], tmp_path: Path, expected: list[dict[str, str]]
) -> None:
    archive, out = write_archive(tmp_path / "in", first_files()), tmp_path / "out"
    executor = Mixed(kind, change)
    with pytest.raises(MachineError, match="the executor returned"):
        newsdata.build(archive, out, executor=executor)
    assert executor.done and [path.name for path in out.iterdir()] == [".newsdata"]
    assert digests(newsdata.build(archive, out, num_proc=1).path) == expected[0]


@pytest.mark.slow
@pytest.mark.parametrize("change", [fewer, none, more, swapped, repeated])
def test_hashes_that_are_mixed_up_are_no_version(
    change: Callable[[list[Any]], list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written down of them must not be believed by the next build, either."""
    monkeypatch.setattr("newsdata.building.stages.list._CHUNK_BYTES", 4000)
    monkeypatch.setattr("newsdata.building.known_files._RACY", 0)
    archive, out = write_archive(tmp_path / "in", first_files()), tmp_path / "out"
    executor = Mixed("hash", change)
    with pytest.raises(MachineError):
        newsdata.build(archive, out, executor=executor)
    assert executor.done
    made = newsdata.build(archive, out, num_proc=1)
    assert digests(made.path) == digests(newsdata.build(archive, tmp_path / "full", cache=False, num_proc=1).path)


def test_an_error_of_a_task_comes_through_any_executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def run(self, function: Callable[[Any], Any], tasks: Any) -> Any:
            if kind_of(tasks) == "write":
                raise MachineError("the cluster is gone")
            return map(function, tasks)

    archive = write_archive(tmp_path / "in", many_posts(3))
    with pytest.raises(MachineError, match="the cluster is gone"):
        newsdata.build(archive, tmp_path / "out", executor=Failing())
    made = newsdata.build(archive, tmp_path / "out", num_proc=1)
    for stage in ("parse", "merge", "sign", "group", "split"):
        assert made.stages[stage]["ran"] == 0 and made.stages[stage]["found"] == made.stages[stage]["tasks"] > 0
