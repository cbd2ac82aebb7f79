"""Executors for tests: what they do to a build besides running its tasks."""

from __future__ import annotations

import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import fields, is_dataclass
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa

from newsdata.building.stages.functions import FUNCTIONS
from newsdata.graph.engine import Jobs
from newsdata.graph.plan import read_plan, write_plans
from newsdata.graph.store import Store

Function = Callable[[Any], Any]


def kind_of(tasks: Jobs) -> str:
    """The kind of some tasks, "parse" or "sign"."""
    return re.split("[0-9]*-", tasks.keys[0])[0]


class Before:
    """Does something once, before the first tasks of a kind run; `done` tells whether it did."""

    def __init__(self, kind: str, do: Callable[[], object]) -> None:
        self.kind, self.do, self.done = kind, do, False

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        if not self.done and kind_of(tasks) == self.kind:
            self.done = True
            self.do()
        return map(function, tasks)


class After(Before):
    """Does something once, after the first tasks of a kind ran."""

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        found = list(map(function, tasks))
        if not self.done and kind_of(tasks) == self.kind:
            self.done = True
            self.do()
        return found


class Noting:
    """Notes the kinds of the tasks that were run."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        self.kinds += [kind_of(tasks)] * len(tasks)
        return map(function, tasks)


class TwiceAtOnce:
    """Runs every task twice, at the same time, and gives the first result that is there."""

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        with ThreadPoolExecutor(2) as pool:
            for task in tasks:
                start = threading.Barrier(2)

                def one(task: Any = task, start: threading.Barrier = start) -> Any:
                    start.wait(30)
                    return function(task)

                first, second = pool.submit(one), pool.submit(one)
                yield first.result()
                second.result()


class TwiceInTurn:
    """Runs every task once, then every task once more, the last one first; gives the second results."""

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        for task in tasks:
            function(task)
        return [function(task) for task in reversed(tasks)][::-1]


class Shuffled:
    """Runs the tasks in an order by chance, and gives their results in the order of the tasks."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        order = self.rng.sample(range(len(tasks)), len(tasks))
        found = {number: function(tasks[number]) for number in order}
        return [found[number] for number in range(len(tasks))]


class Delayed:
    """Runs the tasks at once in two threads, the first one of a kind after some seconds."""

    def __init__(self, kind: str, seconds: float) -> None:
        self.kind, self.seconds, self.done = kind, seconds, False

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        wait = not self.done and kind_of(tasks) == self.kind
        self.done |= wait

        def some(number: int) -> Any:
            time.sleep(self.seconds if wait and not number else 0)
            return function(tasks[number])

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(some, range(len(tasks))))


class FreshProcesses:
    """Runs every task in a process of its own, forked from a server that knows nothing but newsdata's modules."""

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        context = get_context("forkserver")
        context.set_forkserver_preload(["newsdata.building.build", "pandas", "rensa", "opencc"])
        # Without this, every process would import the main module of pytest first.
        with (
            patch.dict(sys.modules, {"__main__": ModuleType("__main__")}),
            ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1) as pool,
        ):
            return list(pool.map(function, tasks))


class Mixed:
    """Does something to the list of results of one kind of tasks."""

    def __init__(self, kind: str, change: Callable[[list[Any]], list[Any]]) -> None:
        self.kind, self.change, self.done = kind, change, False

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        found = list(map(function, tasks))
        if kind_of(tasks) != self.kind:
            return found
        self.done = True
        return self.change(found)


class Planned:
    """Writes every task into a plan, and runs what is read there. Notes the kinds of the tasks."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        store, root = tasks.store, tasks.store.folder.parent
        at = 0
        for part in write_plans(tasks, root):
            plan = read_plan(part.key, store, root)
            for row in range(len(plan)):
                job = plan.job(row, FUNCTIONS, store)
                given = tasks[at]
                assert (job.key, job.function, job.seed) == (given.key, given.function, given.seed)
                assert same(job.data, given.data), job.key
                self.kinds.add(kind_of(tasks))
                yield function(job)
                at += 1


class OnOtherHosts:
    """Runs the tasks of each stage as another host does, whose scratch folder is empty. The store lies in a bucket."""

    elsewhere = True

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.hosts = scratch, 0

    def run(self, function: Function, tasks: Jobs) -> Iterable[Any]:
        self.hosts += 1
        root = self.scratch / f"{self.hosts}"
        store = Store(folder=root / "cache", remote=tasks.store.remote)
        for part in write_plans(tasks, tasks.store.folder.parent):
            plan = read_plan(part.key, store, root)
            for row in range(len(plan)):
                yield tasks.store.record(function(plan.job(row, FUNCTIONS, store)).key)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, types included. A list stands for any sequence."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, pa.Array | pa.Table):
        return type(one) is type(other) and bool(one.equals(other))
    if is_dataclass(one):
        return type(one) is type(other) and all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, Mapping):
        return len(one) == len(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        alike = type(one) is type(other) or not (hasattr(one, "_fields") or hasattr(other, "_fields"))
        return alike and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)
