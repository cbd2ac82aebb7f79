"""How processes are set up: stops are heard, workers end with their parent, memory stays small."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

import psutil  # type: ignore[import-untyped]
import pytest

from newsdata.errors import MachineError
from newsdata.graph.process import ADDRESS_SPACE, available_cores, check_memory

DROPPED = """
import os, signal, sys, time
from newsdata.graph.process import interrupt_on_signals

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIG{name})
        time.sleep(0)  # the handler runs here, and Python drops what a destructor raises

interrupt_on_signals()
try:
    Last()
    time.sleep(30)
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_stop_is_heard_where_python_drops_it(name: str) -> None:
    command = [sys.executable, "-c", DROPPED.replace("{name}", name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")


def test_nohup_is_respected() -> None:
    command = [sys.executable, "-c", DROPPED.replace("{name}", "HUP").replace("time.sleep(30)", "print('went on')")]
    done = subprocess.run(
        ["nohup", *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (0, "went on\n")


LIMITED = f"""
import resource
from newsdata.errors import MachineError
from newsdata.graph.process import check_memory
check_memory()
resource.setrlimit(resource.RLIMIT_AS, ({ADDRESS_SPACE} - 1, {ADDRESS_SPACE}))
try:
    check_memory()
except MachineError as error:
    print(error)
"""


def test_too_little_address_space_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == (
        "only 4.0 GiB of address space are allowed; a build needs 4 GiB; raise the limit (ulimit -v)\n"
    )


def test_enough_address_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (ADDRESS_SPACE, ADDRESS_SPACE))
    check_memory()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (ADDRESS_SPACE // 2, ADDRESS_SPACE))
    with pytest.raises(MachineError, match=r"only 2\.0 GiB"):
        check_memory()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no system call for it here")
def test_cores_that_this_process_may_use() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert available_cores() == len(before)


WITHOUT = """
import sys
from newsdata.graph.process import do_without_pandas
do_without_pandas()
import pyarrow as pa
pa.array([1.5, None]).to_numpy(zero_copy_only=False)
print("pandas" in sys.modules)
import pandas
print(pandas.Series([1]).sum())
"""


@pytest.mark.slow
def test_pyarrow_does_without_pandas_and_nobody_else_has_to() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "1"]


PARENT = """
import os, subprocess, sys
child = "import os, sys, time; from newsdata.graph.process import prepare_worker; "
child += "prepare_worker(int(sys.argv[1])); print('ready', flush=True); time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", child, str(os.getpid())], stdout=subprocess.PIPE, text=True)
process.stdout.readline()
print(process.pid, flush=True)
sys.stdin.readline()
"""


@pytest.mark.slow
def test_a_worker_ends_with_its_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.5)
        assert worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE
        parent.kill()
        parent.wait()
        begin = time.monotonic()
        while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() - begin < 10
            time.sleep(0.05)
