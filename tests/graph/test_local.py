"""Where tasks run: in which process or thread, in which order, and what comes of an error."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import threading
import time

import psutil  # type: ignore[import-untyped]
import pytest

from newsdata.errors import CallError, MachineError, NewsdataError, RehydrateError, RejectsError, VerifyError
from newsdata.graph.executors.local import MAX_TASKS_IN_THREADS, InProcess, WorkerPool, local_executor


def where(number: int) -> tuple[int, int, int]:
    """The task, and the process and thread that did it."""
    time.sleep(0.02 * (number % 3))  # so that later ones are done first
    return number, os.getpid(), threading.get_ident()


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def test_one_worker_is_the_caller_itself() -> None:
    with local_executor(1) as executor:
        assert isinstance(executor, InProcess)
        assert list(executor.run(where, range(20))) == [(n, os.getpid(), threading.get_ident()) for n in range(20)]


@pytest.mark.slow
def test_a_few_tasks_run_in_threads_and_many_in_processes() -> None:
    with local_executor(2) as executor:
        assert isinstance(executor, WorkerPool)
        few = list(executor.run(where, range(MAX_TASKS_IN_THREADS)))
        assert [n for n, _, _ in few] == list(range(MAX_TASKS_IN_THREADS))
        assert {process for _, process, _ in few} == {os.getpid()}
        assert threading.get_ident() not in {thread for _, _, thread in few}
        assert list(executor.run(where, [5])) == [(5, os.getpid(), threading.get_ident())], "one is not worth the way"
        many = list(executor.run(where, range(40)))
        assert [n for n, _, _ in many] == list(range(40))
        processes = {process for _, process, _ in many}
        assert os.getpid() not in processes and len(processes) <= 2
        assert {process for _, process, _ in executor.run(where, range(3))} <= processes, "they are there now"
        assert {process for _, process, _ in executor.run(where, [5])} <= processes, "the main process stays small"
        assert list(executor.run(where, [])) == []
    assert not any(psutil.pid_exists(process) for process in processes), "they end with the context"


def test_tasks_begin_before_a_result_is_asked_for() -> None:
    begun = threading.Event()
    with local_executor(2) as executor:
        results = executor.run(lambda _: begun.set(), [1, 2])
        assert begun.wait(10)
        assert list(results) == [None, None]


def test_a_short_queue_waits() -> None:
    """When a build is stopped, few tasks that nobody needs any more are still to be run."""
    begun: list[int] = []
    with local_executor(2) as executor:
        results = executor.run(begun.append, range(12))
        next(results)
        time.sleep(0.1)
        assert len(begun) <= 5
        assert len(list(results)) == 11
    assert sorted(begun) == list(range(12))


def refuse(number: int) -> None:
    raise MachineError("no room", path=f"{number}.md", hint="make some")


@pytest.mark.slow
def test_our_errors_come_through_from_processes() -> None:
    with local_executor(2) as executor, pytest.raises(MachineError) as caught:
        list(executor.run(refuse, range(MAX_TASKS_IN_THREADS + 1)))
    assert str(caught.value) == "0.md: no room; make some" and caught.value.path == "0.md"


@pytest.mark.parametrize(
    "error",
    [
        NewsdataError("x"),
        CallError("x", path="a\n", line=3, field="f", hint="h"),
        RejectsError("x", rejects=(1, 2), hint="h"),
        VerifyError("x", path="p", faults=("a", "b")),
        RehydrateError("x", path="p", faults=("a",), hint="h"),
    ],
)
def test_errors_can_be_sent(error: NewsdataError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error) and str(again) == str(error)
        assert vars(again) == vars(error) and again.args == error.args


@pytest.mark.parametrize("count", [5, 20])
def test_an_error_comes_to_the_caller_in_its_turn(count: int) -> None:
    with local_executor(2) as executor:
        results = executor.run(fail_at_three, range(count))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="three"):
            next(results)


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.slow
def test_a_worker_that_is_killed_is_named() -> None:
    with (
        local_executor(2) as executor,
        pytest.raises(MachineError, match=r"process was killed.*continues.*--num-proc 1"),
    ):
        list(executor.run(die_at_three, range(MAX_TASKS_IN_THREADS + 1)))


def hears_stops(_: int) -> bool:
    """Whether SIGINT, SIGTERM and SIGHUP are held back here, as they are while a worker is started."""
    return {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.slow
def test_only_the_caller_hears_a_stop() -> None:
    with local_executor(2) as executor:
        assert all(executor.run(hears_stops, range(MAX_TASKS_IN_THREADS + 1)))
    assert not hears_stops(0)
