"""Ray: runs tasks on a cluster of Ray, or on one that it starts on this machine. Needs the extra `newsdata[ray]`.

Ray runs functions and nothing else: tasks travel as rows of plans, their results lie in the store, and what Ray keeps of them is
small. Small tasks are bundled, so that an order lasts about a second. A worker that dies costs time only.
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
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import MachineError, first_line
from ..engine import Job, Jobs, run_job
from ..plan import Functions, read_plan, write_plans
from ..process import MEMORY, available_cores, prepare_foreign_worker
from ..store import Store
from ..task import Artifact
from . import ray_watch
from .versions import check_same_versions

__all__ = ["Done", "Order", "RayTasks", "ray_executor", "run_order"]

_LOG = logging.getLogger("newsdata")

_BUNDLE_SECONDS = 1.0  # that an order should last
_DEATHS = 12  # of workers at one order, after which it is given up; Ray's own tries are not counted
_RETRIES = 3  # by Ray, of an order whose worker died
_OBJECT_STORE = 80 * 2**20  # bytes of shared memory; next to nothing lies in it
_LOOPBACK = "127.0.0.1"
_LONGEST_FOLDER = 30  # characters of a path: those of Ray's sockets below it have 75 more, and 107 are allowed

_SETTINGS = {  # for Ray itself; what the caller has set stays
    "RAY_AUTH_MODE": "token",
    "RAY_task_oom_retries": "3",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a worker is told to do.

    Attributes:
        store: where the plan lies and results go.
        root: the folder of the build; see `plan.pack`.
        plan: the key of a plan.
        rows: of the plan.
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
class _Bundle:
    """An order that was given.

    Attributes:
        order: what is to be done.
        copies: what Ray calls each time that it was given and has not failed.
        deaths: how many of them failed, because a worker or its host died.
    """

    order: Order
    copies: list[Any] = field(default_factory=list)
    deaths: int = 0


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
        under_way: deque[_Bundle] = deque()
        speed = _Speed()
        left = len(tasks)
        try:
            for part in write_plans(tasks, self._root):
                begin, end = 0, int(part.facts["tasks"])
                while begin < end:
                    if len(under_way) == 2 * self._workers:
                        yield from self._finish(under_way, speed)
                    size = min(end - begin, speed.rows(left, self._workers))
                    order = Order(
                        store=tasks.store,
                        root=self._root,
                        plan=part.key,
                        rows=range(begin, begin + size),
                        tools=self._tools,
                    )
                    under_way.append(self._give(_Bundle(order=order)))
                    begin, left = begin + size, left - size
            while under_way:
                yield from self._finish(under_way, speed)
        finally:
            self._cancel(under_way)

    def _give(self, bundle: _Bundle) -> _Bundle:
        """Give an order, once more if it was given before; each time it may take twice as long before that is done again."""
        bundle.copies.append(self._submit(bundle.order))
        return bundle

    def _finish(self, under_way: deque[_Bundle], speed: _Speed) -> Iterator[Artifact]:
        """The results of the first order. It is given again if it takes too long or its worker died."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        bundle = under_way[0]
        while True:
            seconds = self._deadline * 2 ** max(len(bundle.copies) - 1, 0)
            ready, _ = ray.wait(bundle.copies, num_returns=1, timeout=seconds)
            try:
                if ready:
                    done: Done = ray.get(ready[0])
                    break
                _LOG.warning("an order took more than %.0f seconds; it is given once more", seconds)
            except RayTaskError as error:
                raise _cause(error) from None
            except RayError as error:
                bundle.copies.remove(ready[0])
                bundle.deaths += 1
                if bundle.deaths > _DEATHS:
                    raise MachineError(
                        f"Ray could not run a task: {first_line(error)}",
                        hint="look at the cluster (ray status); a worker may need more memory",
                    ) from error
                _LOG.warning("a worker died (%s); its order is given once more", first_line(error))
            self._give(bundle)
        under_way.popleft()
        speed.note(len(bundle.order.rows), done.seconds)
        yield from done.artifacts

    def _cancel(self, under_way: deque[_Bundle]) -> None:
        """Take back what nobody waits for any more."""
        import ray

        if ray.is_initialized():
            for copy in [copy for bundle in under_way for copy in bundle.copies]:
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


# ------------------------------------------------------------------------------------------------------ cluster


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
