"""How a process of newsdata is set up: memory, signals, cores. All such settings are in this module."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time

from ..errors import MachineError

__all__ = [
    "ADDRESS_SPACE",
    "MEMORY",
    "STOPS",
    "available_cores",
    "check_memory",
    "do_without_pandas",
    "interrupt_on_signals",
    "prepare_foreign_worker",
    "prepare_worker",
]

ADDRESS_SPACE = 4 * 2**30
"""Bytes of address space that a build may need on two cores. 3.1 GB were measured; most of them are never touched."""

MEMORY = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": f"{2**20}",
    "MALLOC_TRIM_THRESHOLD_": f"{2**22}",
    "OMP_NUM_THREADS": "1",
}
"""Environment variables that make a process return freed memory to the system. They must be set before Arrow is loaded.
Measured: a build of 20,000 posts takes 438 MB with them and 642 MB without. The thresholds (bytes) matter for large builds: a
worker that grouped 680,000 articles keeps 89 MB afterwards, and 355 MB without them."""

STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that stop a command; a terminal that is closed sends SIGHUP, which Windows does not have."""

_RESEND_SECONDS = 0.02  # until a signal that Python dropped is sent again
_WATCH_SECONDS = 0.2  # between two looks at the parent process


def available_cores() -> int:
    """The number of cores that this process may use.

    >>> available_cores() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def check_memory() -> None:
    """Check that the limit of the address space (`ulimit -v`) is high enough.

    Libraries in C and Rust abort the process when they reach it.

    Raises:
        MachineError: the limit is below `ADDRESS_SPACE`.

    >>> check_memory()
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if allowed != resource.RLIM_INFINITY and allowed < ADDRESS_SPACE:
        raise MachineError(
            f"only {allowed / 2**30:.1f} GiB of address space are allowed; a build needs {ADDRESS_SPACE / 2**30:.0f} GiB",
            hint="raise the limit (ulimit -v)",
        )


def interrupt_on_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in this process. A signal that is ignored, as by `nohup`, stays so.

    Python drops an exception that is raised in a destructor or in a callback of an import. If it drops this one, the
    signal is sent again a moment later, so that it is never lost.

    >>> interrupt_on_signals()
    >>> sys.unraisablehook, _ = sys.__unraisablehook__, [signal.signal(stop, signal.SIG_DFL) for stop in STOPS[1:]]
    """

    def send_again(dropped: sys.UnraisableHookArgs) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(dropped)
            return
        main = threading.main_thread().ident
        if main is not None:
            threading.Timer(_RESEND_SECONDS, signal.pthread_kill, (main, signal.SIGINT)).start()

    for stop in STOPS[1:]:  # Python does so with SIGINT
        if stop == signal.SIGTERM or signal.getsignal(stop) != signal.SIG_IGN:
            signal.signal(stop, signal.default_int_handler)
    sys.unraisablehook = send_again


def do_without_pandas() -> None:
    """Keep pyarrow from importing pandas when it makes its first array, which costs 30 MB and half a second.

    Only for processes that newsdata started: pyarrow ignores pandas from then on.
    """
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas())
    pa.array([])
    del sys.meta_path[0]


class _NoPandas:
    """An import finder that says that pandas is not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def prepare_worker(parent: int) -> None:
    """Set up a worker process: it uses little memory, and ends soon after its parent process, however that one ended.

    Args:
        parent: the id of the parent process.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    prepare_foreign_worker()


def prepare_foreign_worker() -> None:
    """Set up a worker process that another program started, and ends. It does no harm to call this again."""
    do_without_pandas()
    gc.set_threshold(50_000)  # tasks leave no reference cycles behind, so looking for them often is a waste
