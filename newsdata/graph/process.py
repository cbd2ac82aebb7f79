"""How a process of newsdata is set up: memory, signals, cores. Every such setting stands here."""

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
    "available_cores",
    "check_memory",
    "do_without_pandas",
    "hear_stops",
    "prepare_worker",
]

ADDRESS_SPACE = 4 * 2**30
"""Bytes of address space that a build may need on two cores (3.1 GB measured); most of it is never touched."""

MEMORY = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
"""Environment variables of a process that returns freed memory to the system: 438 instead of 642 MB for a build of 20,000 posts.
Arrow reads them when it is loaded."""

_SOON = 0.02  # seconds until a signal that Python dropped is sent again
_LOOK = 0.2  # seconds between two looks for the parent process


def available_cores() -> int:
    """How many cores this process may use.

    >>> available_cores() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


def check_memory() -> None:
    """Refuse to work in an address space that is too small: libraries in C and Rust abort when it ends.

    Raises:
        MachineError: less than `ADDRESS_SPACE` is allowed.

    >>> check_memory()
    """
    import resource

    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if allowed != resource.RLIM_INFINITY and allowed < ADDRESS_SPACE:
        raise MachineError(
            f"only {allowed / 2**30:.1f} GiB of address space are allowed; a build needs {ADDRESS_SPACE / 2**30:.0f} GiB",
            hint="raise the limit (ulimit -v)",
        )


def hear_stops() -> None:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt in this process.

    Python drops an exception that is raised in a destructor or in a callback of an import. Such a stop is sent again
    a moment later, so that it is never lost.

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


def do_without_pandas() -> None:
    """Keep pyarrow from importing pandas with the first array that it makes: 30 MB and half a second saved.

    Only for processes that newsdata started: pyarrow ignores pandas from then on.
    """
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas())
    pa.array([])
    del sys.meta_path[0]


class _NoPandas:
    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def prepare_worker(parent: int) -> None:
    """Set up a worker process: small, and ended soon after its parent process, however that one ended.

    Args:
        parent: the id of the process that started it.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    do_without_pandas()
    gc.set_threshold(50_000)  # tasks leave no reference cycles behind
