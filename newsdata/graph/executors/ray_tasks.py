"""Tasks on Ray: they are bundled into orders, which the workers of a cluster carry out.

Ray runs functions and nothing else: tasks travel as rows of plans, their results lie in the store, and what Ray keeps of them is
small. Small tasks are bundled, so that an order lasts about a second. A worker that dies costs time only. `ray_cluster` has the
cluster itself.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import MachineError, first_line
from ..engine import Job, Jobs, run_job
from ..plan import Functions, read_plan, write_plans
from ..process import prepare_foreign_worker
from ..store import Store
from ..task import Artifact
from .versions import check_same_versions

__all__ = ["Done", "Order", "RayTasks", "run_order"]

_LOG = logging.getLogger("newsdata")

_BUNDLE_SECONDS = 1.0  # that an order should last
_DEATHS = 12  # of workers that finish no task of an order, after which it is given up; Ray's own tries are not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a worker is told to do.

    Attributes:
        store: where the plan lies and results go.
        root: the folder of the build; see `plan.pack`.
        plan: the key of a plan.
        rows: the numbers of rows of the plan.
        tools: what shapes bytes, as the driver has it: name -> version.
    """

    store: Store
    root: Path
    plan: str
    rows: Sequence[int]
    tools: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a worker did: the results, in the order of the rows, and the seconds that they took."""

    artifacts: Sequence[Artifact]
    seconds: float


def run_order(order: Order, functions: Functions, tools: Mapping[str, str]) -> Done:
    """Run the tasks of an order. What is in the store already, because the order was given twice, is not run again.

    Args:
        order: what is to be done.
        functions: the functions that may be called.
        tools: what shapes bytes on this host.

    Raises:
        MachineError: this host has other versions of what shapes bytes than the driver, or the plan is damaged.
    """
    check_same_versions(tools, order.tools, own_name="a worker", leader_name="here")
    prepare_foreign_worker()
    begin = time.monotonic()
    plan = read_plan(order.plan, order.store, order.root)
    results = []
    for row in order.rows:
        found = order.store.record(plan.key(row))
        results.append(found or run_job(plan.job(row, functions, order.store)))
    return Done(artifacts=results, seconds=time.monotonic() - begin)


@dataclass(slots=True, kw_only=True)
class _GivenOrder:
    """An order that was given, once or several times.

    Attributes:
        order: what is to be done.
        keys: of its tasks.
        copies: Ray's reference to each time that it was given, those that failed excepted.
        deaths: how many failed since the last task was finished, because a worker or its host died.
        finished: how many tasks were finished when the last worker died.
    """

    order: Order
    keys: Sequence[str]
    copies: list[Any]
    deaths: int = 0
    finished: int = 0

    def note_death(self) -> None:
        """Note that a worker died. Each task that it had finished stays finished, so the next worker has less to do."""
        finished = len(self.order.store.find_all(self.keys))
        self.deaths = 1 if finished > self.finished else self.deaths + 1
        self.finished = finished


class RayTasks:
    """The executor; `ray_executor` makes it.

    Attributes:
        elsewhere: its workers may be on other hosts.
    """

    def __init__(
        self,
        submit: Callable[[Order], Any],
        root: Path,
        tools: Mapping[str, str],
        *,
        workers: int,
        deadline: float,
        elsewhere: bool,
    ) -> None:
        self.elsewhere = elsewhere
        self._submit = submit
        self._root = root.absolute()
        self._tools = tools
        self._workers = workers
        self._deadline = deadline

    def run(self, function: Callable[[Job], Artifact], tasks: Jobs) -> Iterator[Artifact]:
        """Run the tasks of a stage; a few orders are under way at a time."""
        tasks.store.forget(tasks.keys)
        under_way: deque[_GivenOrder] = deque()
        speed = _Speed()
        try:
            for order, keys in self._orders(tasks, speed):
                under_way.append(_GivenOrder(order=order, keys=keys, copies=[self._submit(order)]))
                if len(under_way) == 2 * self._workers:
                    yield from self._finish(under_way, speed)
            while under_way:
                yield from self._finish(under_way, speed)
        finally:
            self._cancel(under_way)

    def _orders(self, tasks: Jobs, speed: _Speed) -> Iterator[tuple[Order, Sequence[str]]]:
        """Orders for all tasks, with the keys of their tasks. How many tasks the next one has follows from the speed so far."""
        done = 0
        for part in write_plans(tasks, self._root):
            begin, end = 0, int(part.facts["tasks"])
            while begin < end:
                size = min(end - begin, speed.rows(len(tasks) - done, self._workers))
                rows = range(begin, begin + size)
                order = Order(store=tasks.store, root=self._root, plan=part.key, rows=rows, tools=self._tools)
                yield order, tasks.keys[done : done + size]
                begin, done = begin + size, done + size

    def _finish(self, under_way: deque[_GivenOrder], speed: _Speed) -> Iterator[Artifact]:
        """The results of the first order. It is given once more if its worker died, or if it takes too long.

        What is too long doubles with each copy that is under way.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        given = under_way[0]
        while True:
            seconds = self._deadline * 2 ** max(len(given.copies) - 1, 0)
            ready, _ = ray.wait(given.copies, num_returns=1, timeout=seconds)
            try:
                if ready:
                    done: Done = ray.get(ready[0])
                    break
                _LOG.warning("an order took more than %.0f seconds; it is given once more", seconds)
            except RayTaskError as error:
                raise _cause(error) from None
            except RayError as error:
                given.copies.remove(ready[0])
                given.note_death()
                if given.deaths > _DEATHS:
                    raise MachineError(
                        f"Ray could not run a task: {first_line(error)}",
                        hint="look at the cluster (ray status); a worker may need more memory",
                    ) from error
                _LOG.warning("a worker died (%s); its order is given once more", first_line(error))
            given.copies.append(self._submit(given.order))
        under_way.popleft()
        speed.note(len(given.order.rows), done.seconds)
        yield from done.artifacts

    def _cancel(self, under_way: deque[_GivenOrder]) -> None:
        """Take back what nobody waits for any more."""
        import ray

        if ray.is_initialized():
            for copy in [copy for given in under_way for copy in given.copies]:
                ray.cancel(copy, force=True)


def _cause(error: Any) -> BaseException:
    """The error of the task itself, as it was raised in the worker."""
    cause = error.cause
    return cause if isinstance(cause, BaseException) else MachineError(f"a task failed: {first_line(error)}")


class _Speed:
    """How long a task of a stage takes, to bundle tasks."""

    def __init__(self) -> None:
        self._rows = 0
        self._seconds = 0.0

    def note(self, rows: int, seconds: float) -> None:
        """Note that some tasks took some seconds."""
        self._rows += rows
        self._seconds += seconds

    def rows(self, left: int, workers: int) -> int:
        """How many tasks the next order should have; one until the first is done, and few at the end of a stage."""
        if not self._rows:
            return 1
        wanted = int(_BUNDLE_SECONDS * self._rows / max(self._seconds, 0.001))
        return max(1, min(wanted, left // (2 * workers)))
