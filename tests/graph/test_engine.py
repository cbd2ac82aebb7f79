"""The engine: what is found is not run, what is missing is run once, and no seed and no executor changes a result."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from newsdata.errors import MachineError
from newsdata.graph.engine import Engine, Executor
from newsdata.graph.executors.local import InProcess, local_executor
from newsdata.graph.store import LastBuild, Store
from newsdata.graph.task import Artifact, Bench, StoredFile, Task


def doubled(data: Any, bench: Bench) -> dict[str, Any]:
    """Doubles some letters; those that the seed has are taken from there. Says on a file beside the store what it did."""
    letters, log = data
    known = {}
    if bench.seed:
        text = bench.seed.files["text"].checked().read_text()
        known = dict(zip(text[::2], zip(text[::2], text[1::2], strict=True), strict=True))
    new = [letter for letter in letters if letter not in known]
    bench.file("text").write_text("".join("".join(known.get(letter, 2 * letter)) for letter in letters))
    with Path(log).open("a") as file:
        file.write(f"{letters}: {''.join(new)}\n")
    return {"letters": len(letters)}


def failing(data: Any, bench: Bench) -> dict[str, Any]:
    bench.file("half").write_bytes(b"x")
    raise ValueError("no")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "cache").mkdir()
    return Store(folder=tmp_path / "cache")


def task(store: Store, letters: str, place: str = "", rows: int = 0) -> Task:
    log = str(store.folder.parent / "log")
    return Task(
        stage="double/1", inputs=(letters,), function=doubled, data=lambda: (letters, log), place=place, rows=rows
    )


def log(store: Store) -> list[str]:
    """What ran since this was asked last."""
    path = store.folder.parent / "log"
    lines = path.read_text().splitlines() if path.exists() else []
    path.write_text("")
    return lines


def texts(artifacts: Iterable[Artifact]) -> list[str]:
    return [artifact.files["text"].checked().read_text() for artifact in artifacts]


def engine(store: Store, executor: Executor | None = None, **more: Any) -> Engine:
    return Engine(store=store, executor=executor or InProcess(), **more)


def test_what_is_in_the_store_is_not_run(store: Store) -> None:
    first = engine(store)
    with first.stage("double", rows=2) as stage:
        made = stage.run([task(store, "ab"), task(store, "c")])
    assert texts(made) == ["aabb", "cc"] and log(store) == ["ab: ab", "c: c"]
    assert [artifact.facts for artifact in made] == [{"letters": 2}, {"letters": 1}]
    second = engine(store)
    with second.stage("double", rows=3) as stage:
        again = stage.run([task(store, "c"), task(store, "new"), task(store, "ab")])
    assert texts(again) == ["cc", "nneeww", "aabb"] and log(store) == ["new: new"]
    counts = second.counts["double"]
    assert (counts.rows, counts.tasks, counts.ran, counts.found) == (3, 3, 1, 2)
    assert second.used == {artifact.key for artifact in again}


def test_equal_tasks_run_once(store: Store) -> None:
    one = engine(store)
    with one.stage("double") as stage:
        made = stage.run([task(store, "ab"), task(store, "ab"), task(store, "c"), task(store, "ab")])
    assert texts(made) == ["aabb", "aabb", "cc", "aabb"] and log(store) == ["ab: ab", "c: c"]
    counts = one.counts["double"]
    assert (counts.tasks, counts.ran, counts.found) == (4, 2, 2)


def test_data_is_made_for_what_has_to_run_only(store: Store) -> None:
    def never() -> None:
        raise AssertionError("nobody needs it")

    made = task(store, "ab")
    with engine(store).stage("double") as stage:
        stage.run_one(made)
        stage.run_one(Task(stage=made.stage, inputs=made.inputs, function=made.function, data=never))


def test_a_task_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(ValueError, match="no"), engine(store).stage("fail") as stage:
        stage.run([Task(stage="fail/1", inputs=(), function=failing, data=lambda: None)])
    assert list(store.folder.iterdir()) == []


def test_data_is_made_when_a_task_is_taken(store: Store) -> None:
    """The engine never holds the data of all tasks: only of those that an executor holds."""
    made: list[str] = []

    def one(letters: str) -> Task:
        def data() -> tuple[str, str]:
            made.append(letters)
            return letters, str(store.folder.parent / "log")

        return replace(task(store, letters), data=data)

    class InTurn:
        def run(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterable[Any]:
            assert made == [] and len(tasks) == 3
            for number in range(3):
                yield function(tasks[number])
                assert len(made) == number + 1
            assert [job.key for job in tasks[1:]] == [job.key for job in tasks][1:]

    with engine(store, InTurn()).stage("double") as stage:
        assert texts(stage.run([one("ab"), one("c"), one("d")])) == ["aabb", "cc", "dd"]


@pytest.mark.parametrize("damage", ["cut", "missing", "folder"])
def test_a_damaged_result_is_made_anew(damage: str, store: Store) -> None:
    with engine(store).stage("double") as stage:
        path = stage.run_one(task(store, "ab")).files["text"].path
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "cut":
        path.write_text("aab")
    log(store)
    with engine(store).stage("double") as stage:
        assert texts([stage.run_one(task(store, "ab"))]) == ["aabb"]
        assert (stage.counts.ran, log(store)) == (1, ["ab: ab"])


# ------------------------------------------------------------------------------------------------------------ seeds


def two_builds(store: Store, *, seeds: bool = True, damage: Callable[[Path], object] | None = None) -> list[str]:
    first = engine(store)
    with first.stage("double") as stage:
        made = stage.run([task(store, "abc", place="here"), task(store, "x", place="there")])
    first.remember({})
    if damage:
        damage(made[0].files["text"].path)
    log(store)
    second = engine(store, seeds=seeds)
    with second.stage("double") as stage:
        made = stage.run([task(store, "abcd", place="here"), task(store, "y", place="nowhere")])
    assert texts(made) == ["aabbccdd", "yy"]
    return log(store)


def test_a_seed_saves_work_and_changes_nothing(store: Store) -> None:
    assert two_builds(store) == ["abcd: d", "y: y"]


def test_seeds_can_be_left_out(store: Store) -> None:
    assert two_builds(store, seeds=False) == ["abcd: abcd", "y: y"]


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"zz"), Path.unlink])
def test_a_damaged_seed_is_none(damage: Callable[[Path], object], store: Store) -> None:
    assert two_builds(store, damage=damage) == ["abcd: abcd", "y: y"]


@pytest.mark.parametrize("key", ["", "double1-nothing", "double1-", "a", "a/b"])
def test_a_place_may_name_anything(key: str, store: Store) -> None:
    store.remember(LastBuild(places={"here": key}))
    found = engine(store)
    assert found.seed_of(task(store, "a").key, "here") is None
    assert found.seed_of(task(store, "a").key, "elsewhere") is found.seed_of(task(store, "a").key, "") is None


def test_a_seed_is_of_the_same_code(store: Store) -> None:
    """Another version of a stage may have written another format."""
    first = engine(store)
    with first.stage("double") as stage:
        made = stage.run_one(task(store, "abc", place="here"))
    first.remember({})
    second = engine(store)
    today = task(store, "abcd", place="here")
    assert second.seed_of(today.key, "here") == made
    for stage_of_it in ("double/2", "double/11", "other/1"):
        assert second.seed_of(replace(today, stage=stage_of_it).key, "here") is None


# --------------------------------------------------------------------------------------------------------- memory


def test_what_the_build_did_not_use_is_swept(store: Store) -> None:
    first = engine(store)
    with first.stage("double") as stage:
        old = stage.run([task(store, "a", place="here"), task(store, "b")])
    first.remember({"said": 1})
    second = engine(store)
    assert second.last.facts == {"said": 1} and set(second.last.keys) == {artifact.key for artifact in old}
    with second.stage("double") as stage:
        new = stage.run([task(store, "c", place="here"), task(store, "b")])
    second.remember({})
    assert store.keys() == sorted(artifact.key for artifact in new)
    assert store.last() == LastBuild(places={"here": new[0].key}, keys=tuple(store.keys()))


def test_a_build_that_ends_early_keeps_what_the_last_one_used(store: Store) -> None:
    first = engine(store)
    with first.stage("double") as stage:
        old = stage.run([task(store, "a", place="here"), task(store, "b"), task(store, "c", place="there")])
    first.remember({"said": 1})
    early = engine(store)
    early.remember_more({"said": 2})
    assert store.last().facts == {"said": 1}, "it used nothing, so there is nothing to add"
    with early.stage("double") as stage:
        new = stage.run_one(task(store, "d", place="here"))
    early.remember_more({"said": 3})
    assert store.last().places == {"here": new.key, "there": old[2].key} and store.last().facts == {"said": 3}
    assert set(store.keys()) == {new.key, old[1].key, old[2].key} == set(store.last().keys)


# ----------------------------------------------------------------------------------------------- counts, progress


def test_progress_ends_at_all_rows(store: Store) -> None:
    told: list[tuple[str, int, int]] = []
    one = engine(store, progress=lambda *seen: told.append(seen))
    for _ in range(2):
        with one.stage("double", rows=5) as stage:
            stage.run([task(store, "abc", rows=3), task(store, "de", rows=2)])
    assert told == [
        ("double", 0, 5), ("double", 3, 5), ("double", 5, 5), ("double", 0, 10), ("double", 3, 10), ("double", 5, 10),
    ]  # fmt: skip


def test_a_stage_is_counted_and_timed(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    one = engine(store)
    with caplog.at_level(logging.INFO, logger="newsdata"), one.stage("double", rows=3) as stage:
        stage.run([task(store, "a")])
        stage.count_task()
        stage.count_task(ran=False)
        time.sleep(0.02)
    counts = one.counts["double"]
    assert (counts.tasks, counts.ran, counts.found) == (3, 2, 1) and 0.02 <= counts.seconds < 60
    assert "double: 3 rows, 3 tasks, 1 found in the store, 2 run" in caplog.text


# ------------------------------------------------------------------------------------------------------ executors


class Odd:
    """An executor that does something to the results."""

    def __init__(self, change: Callable[[list[Any]], Iterable[Any]]) -> None:
        self.change = change

    def run(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterable[Any]:
        return self.change([function(one) for one in tasks])


def foreign(results: list[Artifact]) -> list[Artifact]:
    nowhere = StoredFile(path=Path("/nowhere"), checksum="0" * 32, bytes=0)
    return [Artifact(key="double1-other", facts={}, files={"text": nowhere}), *results[1:]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda found: found[:-1], "returned 2 results for 3 tasks"),
        (lambda found: [], "returned 0 results for 3 tasks"),
        (lambda found: [*found, found[-1]], "not a result of a task"),
        (lambda found: [*found, None], "not a result of a task"),
        (lambda found: [found[1], found[0], found[2]], "as the result of"),
        (lambda found: [found[0], found[0], found[2]], "as the result of"),
        (lambda found: [None, *found[1:]], "None, which is not a result of a task"),
        (foreign, "returned double1-other as the result of"),
    ],
    ids=range(8),
)
def test_an_executor_that_mixes_up_results_is_found_out(
    change: Callable[[list[Any]], Iterable[Any]], why: str, store: Store
) -> None:
    with pytest.raises(MachineError, match=why), engine(store, Odd(change)).stage("double") as stage:
        stage.run([task(store, letters) for letters in ("a", "b", "c")])


def test_results_may_come_in_any_iterable(store: Store) -> None:
    kinds: tuple[Callable[[list[Any]], Iterable[Any]], ...] = (tuple, iter, list)
    for number, change in enumerate(kinds):
        with engine(store, Odd(change)).stage("double") as stage:
            assert texts(stage.run([task(store, f"{number}{letter}") for letter in "ab"]))


@pytest.mark.slow
def test_many_tasks_in_processes(store: Store) -> None:
    letters = [(number // 10, number % 10) for number in range(40)]
    with local_executor(2) as executor, engine(store, executor).stage("double") as stage:
        made = stage.run([task(store, f"{a}{b}") for a, b in letters])
    assert texts(made) == [f"{a}{a}{b}{b}" for a, b in letters] and len(log(store)) == 40
