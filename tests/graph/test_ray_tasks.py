"""Tasks on Ray, without a cluster: what a worker does with an order, and how many tasks an order has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from newsdata.errors import MachineError
from newsdata.graph.engine import Jobs
from newsdata.graph.executors import ray_tasks
from newsdata.graph.executors.ray_tasks import Order, run_order
from newsdata.graph.plan import read_plan, write_plans
from newsdata.graph.store import Store
from newsdata.graph.task import Bench, Task

TOOLS = {"pyarrow": "26"}


def noted(data: Sequence[str], bench: Bench) -> Mapping[str, Any]:
    letter, log = data
    with Path(log).open("a") as file:
        file.write(letter)
    bench.file("text").write_text(letter)
    return {"letter": letter}


def order(folder: Path, letters: str, rows: Sequence[int]) -> Order:
    (folder / "cache").mkdir(exist_ok=True)
    store = Store(folder=folder / "cache")
    log = str(folder / "log")

    def task(letter: str) -> Task:
        return Task(stage="note/1", inputs=(letter,), function=noted, data=lambda: [letter, log])

    tasks = [task(letter) for letter in letters]
    jobs = Jobs(store=store, keys=[one.key for one in tasks], tasks=tasks, seeds=[""] * len(tasks))
    (plan,) = write_plans(jobs, folder)
    return Order(store=store, root=folder, plan=plan.key, rows=rows, tools=TOOLS)


def test_a_worker_runs_its_rows_once(tmp_path: Path) -> None:
    given = order(tmp_path, "abcd", [1, 2])
    done = run_order(given, {"note/1": noted}, TOOLS)
    assert [one.facts["letter"] for one in done.artifacts] == ["b", "c"] and done.seconds >= 0
    assert run_order(given, {"note/1": noted}, TOOLS).artifacts == done.artifacts
    assert (tmp_path / "log").read_text() == "bc", "an order that is given twice is not run twice"


@pytest.mark.parametrize(
    ("tools", "why"), [({"pyarrow": "25"}, r"pyarrow 25 \(here: 26\)"), ({}, r"pyarrow missing \(here: 26\)")]
)
def test_a_worker_with_other_versions_is_refused(tools: dict[str, str], why: str, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=why):
        run_order(order(tmp_path, "ab", [0]), {"note/1": noted}, tools)
    assert not (tmp_path / "log").exists()


def test_small_tasks_are_bundled() -> None:
    speed = ray_tasks._Speed()
    assert speed.rows(1000, 2) == 1, "nothing is known yet"
    speed.note(10, 1.0)
    assert speed.rows(1000, 2) == 10
    assert speed.rows(20, 2) == 5, "at the end every worker has something to do"
    assert speed.rows(1, 2) == 1
    speed.note(1, 30.0)
    assert speed.rows(1000, 2) == 1
    fast = ray_tasks._Speed()
    fast.note(5, 0.0)
    assert fast.rows(10**9, 1) <= 5000


def test_deaths_are_counted_since_the_last_finished_task(tmp_path: Path) -> None:
    """Workers that die one after the other do no harm as long as each finishes a task."""
    given = order(tmp_path, "abc", range(3))
    plan = read_plan(given.plan, given.store, given.root)
    watched = ray_tasks._GivenOrder(order=given, keys=[plan.key(row) for row in given.rows], copies=[])
    watched.note_death()
    watched.note_death()
    assert watched.deaths == 2
    run_order(replace(given, rows=[0]), {"note/1": noted}, TOOLS)
    watched.note_death()
    assert watched.deaths == 1
    watched.note_death()
    assert watched.deaths == 2
