"""Where tasks run. A task is a plain function on picklable arguments that writes its own file and renames it.

Results come back in the order of the tasks, whatever runs them, so no output depends on the number of workers.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from .errors import MachineError

__all__ = ["available_cores", "run"]

Task = TypeVar("Task")
Result = TypeVar("Result")


def available_cores() -> int:
    """How many cores this process may use.

    >>> available_cores() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def run(
    function: Callable[[Task], Result], tasks: Sequence[Task], *, num_proc: int = 1, patience: float = 600.0
) -> Iterator[Result]:
    """Run `function` on each task and give the results in the order of `tasks`.

    Args:
        function: a function of a module, with one picklable argument and a small picklable result.
        tasks: what to run it on.
        num_proc: how many processes; with one, or with one task, everything runs in this process.
        patience: seconds after which an idle worker ends.

    Raises:
        MachineError: a worker was killed, by the system for want of memory, say.

    >>> list(run(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    if num_proc <= 1 or len(tasks) <= 1:
        yield from map(function, tasks)
        return
    import loky

    workers = min(num_proc, len(tasks))
    executor = loky.ProcessPoolExecutor(
        max_workers=workers, timeout=patience, initializer=_end_with_parent, initargs=(os.getpid(),)
    )
    waiting: list[Future[Any]] = []
    try:
        # A short queue: results are taken in order, and a stopped build must not wait for tasks nobody wants.
        ahead = 2 * workers
        for position in range(len(tasks) + ahead):
            if position < len(tasks):
                waiting.append(executor.submit(function, tasks[position]))
            if position >= ahead:
                yield waiting[position - ahead].result()
                waiting[position - ahead] = None  # type: ignore[call-overload]
    except loky.process_executor.TerminatedWorkerError as error:
        raise MachineError(
            "a worker process was killed",
            hint="the machine may be out of memory; try --num-proc 1",
        ) from error
    finally:
        executor.shutdown(wait=True, kill_workers=True)


def _end_with_parent(parent: int) -> None:
    """Make this worker end soon after the process that started it, however that was stopped."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
