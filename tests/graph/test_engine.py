"""Where tasks run: in which process or thread, in which order, and what comes of an error."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
import time

import pytest

from newsdata.errors import CallError, MachineError, NewsdataError, RehydrateError, RejectsError, VerifyError
from newsdata.graph.engine import workers


def where(number: int) -> tuple[int, int, int]:
    """The task, and the process and thread that did it."""
    time.sleep(0.02 * (number % 3))  # so that later ones are done first
    return number, os.getpid(), threading.get_ident()


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def test_one_worker_is_the_caller_itself() -> None:
    with workers(1) as run:
        assert list(run(where, range(20))) == [(n, os.getpid(), threading.get_ident()) for n in range(20)]


def test_a_few_tasks_run_in_threads_and_many_in_processes() -> None:
    with workers(2) as run:
        few = list(run(where, range(16)))
        assert [n for n, _, _ in few] == list(range(16))
        assert {process for _, process, _ in few} == {os.getpid()}
        assert threading.get_ident() not in {thread for _, _, thread in few}
        many = list(run(where, range(40)))
        assert [n for n, _, _ in many] == list(range(40))
        assert os.getpid() not in {process for _, process, _ in many}
        assert os.getpid() not in {process for _, process, _ in run(where, range(3))}, "they are there now"
        assert list(run(where, [5])) == [(5, os.getpid(), threading.get_ident())], "one task is not worth the way"


def test_processes_that_start_at_once_do_everything() -> None:
    with workers(2, at_once=True) as run:
        assert os.getpid() not in {process for _, process, _ in run(where, range(2))}


def test_tasks_begin_before_a_result_is_asked_for() -> None:
    begun = threading.Event()
    with workers(2) as run:
        results = run(lambda _: begun.set(), [1, 2])
        assert begun.wait(10)
        assert list(results) == [None, None]


def refuse(number: int) -> None:
    raise MachineError("no room", path=f"{number}.md", hint="make some")


def test_our_errors_come_through_from_processes() -> None:
    with workers(2, at_once=True) as run, pytest.raises(MachineError) as caught:
        list(run(refuse, range(4)))
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
    with workers(2) as run:
        results = run(fail_at_three, range(count))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="three"):
            next(results)


DROPPED = """
import os, signal, sys, time
from newsdata.graph.engine import hear_stops

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIG{name})
        time.sleep(0)  # the handler runs here, and Python drops what a destructor raises

hear_stops()
try:
    Last()
    time.sleep(30)
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_a_stop_is_heard_where_python_drops_it(name: str) -> None:
    command = [sys.executable, "-c", DROPPED.replace("{name}", name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")
