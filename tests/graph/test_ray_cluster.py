"""Ray without a cluster: what the process looks like while Ray runs, and what is left afterwards. Tests with a cluster are in
tests/building/test_ray.py."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from newsdata.errors import MachineError
from newsdata.graph.executors import ray_cluster, ray_watch
from newsdata.graph.executors.ray_cluster import ray_executor
from newsdata.graph.executors.ray_tasks import Order
from newsdata.graph.executors.ray_watch import processes_of
from newsdata.graph.process import MEMORY

from ..conftest import ROOT


def test_stdout_is_clean_while_ray_runs() -> None:
    code = """
import os
from newsdata.graph.executors.ray_cluster import _stdout_to_stderr
print("before")
with _stdout_to_stderr():
    print("(raylet) A worker died")
    os.write(1, b"from C++\\n")
print("after")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "before\nafter\n" and done.stderr == "(raylet) A worker died\nfrom C++\n"


@pytest.mark.parametrize("own", [True, False])
def test_the_environment_says_what_ray_may_do(own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    before = dict(os.environ)
    with ray_cluster._environment(own_cluster=own):
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        assert os.environ["RAY_AUTH_MODE"] == ("token" if own else "disabled"), "another cluster has its own mode"
        assert len(os.environ.get("RAY_AUTH_TOKEN", "")) == (64 if own else 0)
    assert dict(os.environ) == before


RAY_STARTS = """
import os, signal, sys, threading
from types import ModuleType
from newsdata.graph.executors import ray_cluster

def end(*_):
    os.write(1, b"a handler of Ray ran\\n")

def start_ray_process():
    with open("/proc/thread-self/status") as file:
        print([line for line in file if line.startswith("SigBlk")][0].split()[1] == mask)
    threads = [threading.Thread(target=lambda: threading.Event().wait(0.2)) for _ in range(3)]
    return threads

modules = {name: ModuleType(name) for name in ("ray", "ray._private", "ray._private.utils", "ray._private.services")}
sys.modules.update(modules)
utils, services = modules["ray._private.utils"], modules["ray._private.services"]
modules["ray._private"].utils, modules["ray._private"].services = utils, services
utils.set_sigterm_handler = lambda handler: signal.signal(signal.SIGTERM, handler)
services.start_ray_process = start_ray_process
mask = "%016x" % sum(1 << number - 1 for number in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
signal.signal(signal.SIGTERM, signal.default_int_handler)
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
try:
    with ray_cluster._signals_kept():
        utils.set_sigterm_handler(end)
        for thread in services.start_ray_process():
            thread.start()
        signal.signal(signal.SIGTERM, end)
        os.kill(os.getpid(), signal.SIGTERM)
        print("started", flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
print([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before)
print(services.start_ray_process is start_ray_process)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_signals_are_ours_while_ray_starts() -> None:
    """Ray sets a handler that ends this process, then one that aborts it. Its threads and processes are started meanwhile."""
    done = subprocess.run(
        [sys.executable, "-c", RAY_STARTS], env=os.environ | MEMORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["True", "started", "stopped", "True", "True"]


def test_without_ray_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def never(_: Order) -> Any:
        raise AssertionError

    executor = ray_executor(never, root=tmp_path, tools={}, workers=1, deadline=1)
    with pytest.raises(MachineError, match=r"Ray is not installed; pip install 'newsdata\[ray\]'"), executor:
        pass


@pytest.mark.parametrize("named", [False, True])
def test_the_head_of_a_cluster_has_a_token(named: bool, tmp_path: Path) -> None:
    """`ray.sh head` makes one, unless the caller names another."""
    ray = tmp_path / "ray"
    ray.write_text(f'#!/bin/bash\necho "$1" >> {tmp_path}/log\n')
    ray.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"PATH": f"{tmp_path}:{os.environ['PATH']}"} | ({"RAY_AUTH_TOKEN_PATH": "/token"} if named else {})
    subprocess.run(["bash", ROOT / "examples/cluster/ray.sh", "head", "10.0.0.1"], env=environment, check=True)
    assert (tmp_path / "log").read_text().split() == ([] if named else ["get-auth-token"]) + ["start"]


# ------------------------------------------------------------------------------------------------------ watcher

DRIVER = """
import sys
from newsdata.graph.executors.ray_cluster import _watched
with _watched(sys.argv[1]):
    print("ready", flush=True)
    sys.stdin.readline()
print("done", flush=True)
"""
AGENT = "import sys, time; file = open(sys.argv[1]); print('ready', flush=True); time.sleep(600)"


def ended(process: psutil.Process, seconds: float) -> bool:
    begin = time.monotonic()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() - begin > seconds:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("stop", [subprocess.Popen.kill, subprocess.Popen.terminate, None], ids=["kill", "term", "end"])
def test_no_agent_outlives_the_driver(stop: Callable[[subprocess.Popen[str]], None] | None, tmp_path: Path) -> None:
    """The file of the agent's log is open; its command does not name the folder."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / "agent.log").touch()
    script = tmp_path / "ray_watch.py"
    text = Path(str(ray_watch.__file__)).read_text("utf-8")
    script.write_text(text.replace("_PATIENCE = 8.0", "_PATIENCE = 0.3"), "utf-8")
    code = DRIVER.replace(
        "import sys\n",
        f"import sys\nfrom newsdata.graph.executors import ray_watch\nray_watch.__file__ = {str(script)!r}\n",
        1,
    )
    with (
        subprocess.Popen(
            [sys.executable, "-c", AGENT, "agent.log"], stdout=subprocess.PIPE, text=True, cwd=folder
        ) as agent,
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as driver,
    ):
        assert agent.stdout and driver.stdout and driver.stdin
        assert (agent.stdout.readline(), driver.stdout.readline()) == ("ready\n", "ready\n")
        (watcher,) = psutil.Process(driver.pid).children()
        assert set(processes_of(str(folder), 0)) == {agent.pid, driver.pid, watcher.pid}
        if stop:
            stop(driver)
        else:
            driver.stdin.write("\n")
            driver.stdin.flush()
            assert driver.stdout.readline() == "done\n"
        assert ended(psutil.Process(agent.pid), 20) and ended(watcher, 20)
        driver.wait(20)
    assert not folder.exists()
