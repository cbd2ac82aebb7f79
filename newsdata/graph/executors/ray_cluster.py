"""A cluster of Ray: the one that the caller names, or one that is started on this machine. Needs the extra `newsdata[ray]`.

`ray_tasks` runs tasks on it. This module sees to everything around that: the environment, the address that Ray listens on, its
output, its signal handlers, and processes that would outlive a build.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ...errors import MachineError, first_line
from ..process import MEMORY, available_cores
from . import ray_watch
from .ray_tasks import Done, Order, RayTasks

__all__ = ["ray_executor"]

_RETRIES = 3  # by Ray, of an order whose worker died
_OBJECT_STORE = 80 * 2**20  # bytes of shared memory; next to nothing lies in it
_LOOPBACK = "127.0.0.1"
_LONGEST_FOLDER = 30  # characters of a path: those of Ray's sockets below it have 75 more, and 107 are allowed

_SETTINGS = {  # for Ray itself; what the caller has set stays
    "RAY_AUTH_MODE": "token",
    "RAY_task_oom_retries": "3",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def ray_executor(
    work: Callable[[Order], Done], *, root: Path, tools: Mapping[str, str], workers: int | None, deadline: float
) -> Iterator[RayTasks]:
    """A context with an executor that runs tasks on Ray.

    `RAY_ADDRESS` names the cluster. Without it, one is started on this machine; it listens on the loopback interface only,
    reports nothing to anybody, and ends with the context.

    While the context is open, what this process prints to file descriptor 1 goes to stderr, because Ray prints there. SIGINT
    and SIGTERM are handled as before.

    Args:
        work: what a worker does with an order: a function of a module that every worker has.
        root: the folder of the build, which all hosts know under one path.
        tools: what shapes bytes: name -> version.
        workers: of a cluster that is started; None for as many as there are cores.
        deadline: seconds after which an order without a result is given to another worker.

    Raises:
        MachineError: Ray is not installed, or the cluster cannot be reached or started.
    """
    address = os.environ.get("RAY_ADDRESS", "")
    with ExitStack() as stack:
        stack.enter_context(_environment(own_cluster=not address))
        stack.enter_context(_stdout_to_stderr())
        ray = _load_ray()
        with _signals_kept():
            _connect(ray, address, workers, stack)
        submit = ray.remote(work).options(
            num_cpus=1, max_retries=_RETRIES, retry_exceptions=False, scheduling_strategy="SPREAD"
        )
        cores = int(ray.cluster_resources().get("CPU", 1))
        yield RayTasks(submit.remote, root, tools, workers=max(1, cores), deadline=deadline, elsewhere=bool(address))


def _load_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MachineError("Ray is not installed", hint="pip install 'newsdata[ray]'") from error
    return ray


def _connect(ray: Any, address: str, workers: int | None, stack: ExitStack) -> None:
    """Connect to the cluster at an address, or start one on this machine if that is "". The stack ends what was begun."""
    options: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": False,
        "runtime_env": {"env_vars": MEMORY},
    }
    if not address:
        folder = tempfile.mkdtemp(prefix="nd-ray-", dir=_short_folder())
        stack.enter_context(_watched(folder))
        options |= {
            "num_cpus": workers or available_cores(),
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE,
            "_node_ip_address": _LOOPBACK,
            "_temp_dir": folder,
        }
    stack.callback(ray.shutdown)
    try:
        with _loopback_allowed():
            ray.init(address=address or "local", **options)
        if not address and ray.util.get_node_ip_address() != _LOOPBACK:
            raise ValueError("this version of Ray would listen on other interfaces than loopback")
    except Exception as error:
        verb = f"the cluster at {address} cannot be used" if address else "Ray cannot be started"
        raise MachineError(
            f"{verb}: {first_line(error)}",
            hint="check RAY_ADDRESS, and that the token in ~/.ray/auth_token is that of the cluster"
            if address
            else "try --engine local",
        ) from error


@contextmanager
def _watched(folder: str) -> Iterator[None]:
    """A context after which no process of the cluster in a folder is left, nor the folder; also if this process is killed."""
    if not Path("/proc/self/fd").is_dir():  # macOS: Ray's agents may outlive a killed build there
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    command = [sys.executable, "-I", "-S", ray_watch.__file__, folder]
    with subprocess.Popen(  # noqa: S603  (a list, no shell)
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    ):
        yield  # leaving the context closes the pipe, which ends the watcher, and waits for it


def _short_folder() -> str:
    """A folder for temporary files whose path is short enough for the names of Ray's sockets."""
    folder = tempfile.gettempdir()
    return folder if len(folder) <= _LONGEST_FOLDER else "/tmp"  # noqa: S108  (mkdtemp makes a folder of its own there)


@contextmanager
def _loopback_allowed() -> Iterator[None]:
    """A context in which Ray takes 127.0.0.1 as the address of this machine, and so listens there only.

    Ray replaces that address by the one of the network, and has no option against it.
    """
    from ray._private import services

    known = services.resolve_ip_for_localhost
    services.resolve_ip_for_localhost = lambda host: host
    try:
        yield
    finally:
        services.resolve_ip_for_localhost = known


@contextmanager
def _environment(*, own_cluster: bool) -> Iterator[None]:
    """A context with Ray's settings in the environment: processes that it starts inherit them."""
    before = dict(os.environ)
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if own_cluster:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """A context in which everything that goes to file descriptor 1 goes to stderr."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """A context in which Ray is started, and SIGINT and SIGTERM keep their handlers.

    Ray sets a handler of SIGTERM that ends this process, and then its library in C++ one that aborts it. The first is not
    set here. The second finds nothing to do: SIGTERM is held back in this thread and in those that it starts meanwhile, until
    ours is set again. Processes are started with SIGTERM as it was, because they would inherit that.
    """
    from ray._private import services, utils

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    set_sigterm_handler, start_process = utils.set_sigterm_handler, services.start_ray_process

    def start_process_unmasked(*arguments: Any, **options: Any) -> Any:
        held_back = signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        try:
            return start_process(*arguments, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held_back)

    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    utils.set_sigterm_handler, services.start_ray_process = lambda handler: None, start_process_unmasked
    try:
        yield
    finally:
        utils.set_sigterm_handler, services.start_ray_process = set_sigterm_handler, start_process
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
