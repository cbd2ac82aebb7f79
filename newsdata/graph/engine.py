"""Where tasks run. A task is a plain function on one picklable argument that writes its own file and renames it.

Results come back in the order of the tasks, whatever runs them, so no output depends on the number of workers.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import islice
from typing import Any, Protocol, TypeVar

from ..errors import MachineError

__all__ = [
    "MEMORY",
    "Run",
    "available_cores",
    "check_memory",
    "do_without_pandas",
    "hear_stops",
    "release_memory",
    "workers",
]

Task = TypeVar("Task")
Result = TypeVar("Result")

NEEDED = 4 * 2**30
"""Bytes of address space that a build may need on two cores (3.1 GB measured); most of it is never touched."""

MEMORY = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
"""Environment of a process that gives memory back: Arrow's own pools keep 40 MB a worker, and each of its threads an
arena of its own. Set before Arrow is loaded."""

_TASKS = "newsdata.building.tasks"
"""What workers load before the first task comes."""

_FEW = 16
"""Tasks that are not worth starting processes for: a day's run has fewer."""

_IDLE = 600.0  # seconds after which an idle worker ends

_SOON = 0.02  # seconds after which a stop that was dropped is sent again

_several_processes = False  # whether this process is one of several that work on a build


class Run(Protocol):
    """Run a function of a module on each task; the results come in the order of the tasks.

    Workers begin at once, and the caller may do something else before it asks for the first result.
    """

    def __call__(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]: ...  # noqa: D102


def available_cores() -> int:
    """How many cores this process may use.

    >>> available_cores() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def hear_stops() -> None:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt in this process, whatever it does when they come.

    Python drops an exception that is raised while a destructor or a callback runs, as in the middle of an import: the
    stop would be lost, and a traceback printed. It is sent once more instead, when that is over.

    >>> hear_stops()
    >>> sys.unraisablehook, _ = sys.__unraisablehook__, signal.signal(signal.SIGTERM, signal.SIG_DFL)
    """

    def again(dropped: sys.UnraisableHookArgs) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(dropped)
            return
        main = threading.main_thread().ident
        if main is not None:
            threading.Timer(_SOON, signal.pthread_kill, (main, signal.SIGINT)).start()

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.unraisablehook = again


@contextmanager
def workers(num_proc: int, *, at_once: bool = False) -> Iterator[Run]:
    """Something to run tasks in: processes for many tasks, threads of this process for a few.

    Processes take half a second of each core to start, and then do everything at the same time. Threads start at once,
    and most of what a few tasks do (compress, hash, read) they do at the same time, too.

    Args:
        num_proc: how many; with one, everything runs in this process, one task after the other.
        at_once: start the processes now, while the caller goes on: there will be many tasks.

    Raises:
        MachineError: a worker was killed, by the system for want of memory, say.

    >>> with workers(1) as run:
    ...     list(run(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    with ExitStack() as stack:
        threads = ThreadPoolExecutor(num_proc)
        stack.callback(threads.shutdown, wait=True, cancel_futures=True)
        processes = _executor(num_proc, stack) if at_once and num_proc > 1 else None

        def run(function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
            nonlocal processes
            if num_proc == 1 or len(tasks) <= 1:
                return map(function, tasks)
            if processes is None and len(tasks) > _FEW:
                processes = _executor(num_proc, stack)
            executor = processes or threads
            rest = iter(tasks)

            def submit(count: int) -> list[Future[Result]]:
                with _unheard_by_workers():
                    return [executor.submit(function, task) for task in islice(rest, count)]

            def results(waiting: deque[Future[Result]]) -> Iterator[Result]:
                while waiting:
                    yield _result(waiting.popleft())
                    waiting.extend(submit(1))

            # A short queue: a stopped build must not wait for tasks that nobody wants any more.
            return results(deque(submit(2 * num_proc)))

        yield run


def _executor(num_proc: int, stack: ExitStack) -> Any:
    """Processes that are started now, and ended with the stack."""
    from multiprocessing import resource_tracker

    import loky

    resource_tracker.ensure_running()  # it would let the signals through again, started while they are held back
    executor = loky.ProcessPoolExecutor(
        max_workers=num_proc, timeout=_IDLE, initializer=_prepare, initargs=(os.getpid(),), env=MEMORY
    )
    stack.callback(_set_several, False)
    stack.callback(executor.shutdown, wait=True, kill_workers=True)
    _set_several(True)
    release_memory()
    with _unheard_by_workers():
        executor.submit(os.getpid)  # the first task starts them all
    return executor


@contextmanager
def _unheard_by_workers() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back while workers may be started: they inherit that, and this process ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def check_memory() -> None:
    """Refuse to work in an address space that is too small: libraries in C and Rust abort where it ends.

    Raises:
        MachineError: less than `NEEDED` is allowed.

    >>> check_memory()
    """
    import resource

    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if allowed != resource.RLIM_INFINITY and allowed < NEEDED:
        raise MachineError(
            f"only {allowed / 2**30:.1f} GiB of address space are allowed, and a build needs {NEEDED / 2**30:.0f} GiB",
            hint="raise the limit (ulimit -v)",
        )


def _result(future: Future[Result]) -> Result:
    from loky.process_executor import BrokenProcessPool

    try:
        return future.result()
    except BrokenProcessPool as error:
        raise MachineError(
            "a worker process was killed",
            hint="the machine may be out of memory; try --num-proc 1",
        ) from error


def _prepare(parent: int) -> None:
    """Make this worker small, and end it soon after the process that started it, however that was stopped."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    _set_several(True)
    threading.Thread(target=watch, daemon=True).start()
    do_without_pandas()
    import_module(_TASKS)
    gc.freeze()  # what is loaded by now stays; tasks leave no cycles behind, so there is little to look for
    gc.set_threshold(50_000)


def _set_several(several: bool) -> None:
    global _several_processes
    _several_processes = several


def do_without_pandas() -> None:
    """Keep pyarrow from loading pandas with the first array that it makes: 30 MB and half a second, for nothing.

    For processes of our own only: pyarrow knows no pandas from then on.
    """
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas())
    pa.array([])
    del sys.meta_path[0]


class _NoPandas:
    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def release_memory() -> None:
    """Give back what a step needed, before one comes that needs something else, where more processes need memory.

    Memory that is taken again costs the system some time, and a process alone has enough of it.
    """
    if _several_processes:
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
