"""Executors for this machine: they run tasks in this process, in threads of it, or in worker processes."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any, TypeVar

from ...errors import MachineError
from ..process import MEMORY, STOPS, prepare_worker

__all__ = ["MAX_TASKS_IN_THREADS", "InProcess", "WorkerPool", "local_executor"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

MAX_TASKS_IN_THREADS = 16
"""A stage of at most this many tasks runs in threads, as long as no worker process was started. Measured: a day's run takes
2.6 s of CPU with threads and 3.7 s with processes, which take half a second each to start. Compressing, hashing and reading,
which is most of a task's work, run in several threads at once."""

_IDLE_SECONDS = 600.0  # after which an idle worker process ends


class InProcess:
    """Runs tasks in this process, one after the other.

    >>> list(InProcess().run(abs, [-1, 2]))
    [1, 2]
    """

    def run(self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> Iterator[_Result]:
        """Run `function` on each of `tasks`."""
        return map(function, tasks)


class WorkerPool:
    """Runs few tasks in threads and many in worker processes; these are started once and then run all tasks of later stages.

    Args:
        workers: how many tasks run at the same time.
        stack: ends threads and processes when it is closed.
    """

    def __init__(self, workers: int, stack: ExitStack) -> None:
        self._workers = workers
        self._stack = stack
        self._processes: Any = None
        self._threads = ThreadPoolExecutor(workers)
        stack.callback(self._threads.shutdown, wait=True, cancel_futures=True)

    def run(self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> Iterator[_Result]:
        """Run `function` on each of `tasks`.

        Raises:
            MachineError: a worker process was killed.
        """
        if self._processes is None and len(tasks) == 1:
            return map(function, tasks)
        if self._processes is None and len(tasks) > MAX_TASKS_IN_THREADS:
            self._processes = _start_processes(self._workers, self._stack)
        pool = self._processes or self._threads
        rest = iter(tasks)

        def submit(count: int) -> list[Future[_Result]]:
            some = [*islice(rest, count)]  # this may take its time: the data of a task is made now
            with _signals_held_back():
                return [pool.submit(function, task) for task in some]

        def results(waiting: deque[Future[_Result]]) -> Iterator[_Result]:
            while waiting:
                yield _result(waiting.popleft())
                waiting.extend(submit(1))

        # A short queue: when a build is stopped, few tasks are waiting that would still be run for nothing.
        return results(deque(submit(2 * self._workers)))


@contextmanager
def local_executor(workers: int) -> Iterator[InProcess | WorkerPool]:
    """A context with an executor for this machine; its threads and processes end with the context.

    Args:
        workers: how many tasks run at the same time; with 1, everything runs in this process.

    >>> with local_executor(1) as executor:
    ...     list(executor.run(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    with ExitStack() as stack:
        yield InProcess() if workers == 1 else WorkerPool(workers, stack)


def _start_processes(workers: int, stack: ExitStack) -> Any:
    """A pool of worker processes that end with the stack."""
    from multiprocessing import resource_tracker

    import loky

    resource_tracker.ensure_running()  # if it started later, it would undo `_signals_held_back`
    pool = loky.ProcessPoolExecutor(
        max_workers=workers, timeout=_IDLE_SECONDS, initializer=prepare_worker, initargs=(os.getpid(),), env=MEMORY
    )
    stack.callback(pool.shutdown, wait=True, kill_workers=True)
    return pool


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Hold the signals that stop a command back while workers may be started.

    Workers inherit that, so only this process is stopped.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _result(future: Future[_Result]) -> _Result:
    from loky.process_executor import BrokenProcessPool

    try:
        return future.result()
    except BrokenProcessPool as error:
        raise MachineError(
            "a worker process was killed",
            hint="run the same command again: it continues where it stopped; if memory is short, use --num-proc 1",
        ) from error
