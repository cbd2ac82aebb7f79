"""A build by Ray: the same bytes as by one process, and nothing that it leaves behind. Each test starts a cluster, so
`make cluster` runs them; they are skipped where Ray is not installed."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

import newsdata

from ..conftest import ROOT
from .edited_archive import digests
from .test_killed import LIMIT, Undisturbed

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (newsdata[ray])"),
]

LEFT_SECONDS = 60.0  # after which no process of a build is left, however it ended


class Running:
    """A build by Ray. Its temporary files lie in a folder of its own, by which all of its processes are found."""

    def __init__(self, archive: Path, out: Path, **environment: str) -> None:
        self.folder = Path("/tmp") / f"nd-test-{os.getpid()}-{random.randrange(10**6)}"
        self.folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        command = [sys.executable, "-m", "newsdata", "build", str(archive), str(out), "--engine", "ray"]
        with (self.folder / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [*command, "--num-proc", "2", "--json", "--quiet", "-v"],
                cwd=ROOT,
                env={**kept, "TMPDIR": str(self.folder), **environment},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )

    def complaints(self) -> str:
        return (self.folder / "stderr").read_text("utf-8", "replace")

    def wait_for(self, words: str) -> None:
        """Wait until the log says something."""
        begin = time.monotonic()
        while words not in self.complaints():
            assert self.process.poll() is None, self.complaints()
            assert time.monotonic() - begin < LIMIT
            time.sleep(0.1)

    def family(self) -> list[psutil.Process]:
        """Every process that this one started, also those that were left by their parents."""
        found = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return [one for one in found if one.is_running()]

    def answer(self) -> dict[str, Any]:
        told, _ = self.process.communicate(timeout=LIMIT)
        assert self.process.returncode == 0, self.complaints()
        answer: dict[str, Any] = json.loads(told)
        return answer


@pytest.fixture
def builds() -> Iterator[list[Running]]:
    made: list[Running] = []
    yield made
    for one in made:
        if one.process.poll() is None:
            for process in one.family():
                process.kill()
        one.process.communicate()
        shutil.rmtree(one.folder, ignore_errors=True)


def started(builds: list[Running], archive: Path, out: Path, **environment: str) -> Running:
    builds.append(Running(archive, out, **environment))
    return builds[-1]


def nothing_is_left(family: list[psutil.Process], run: Running) -> None:
    begin = time.monotonic()
    while alive := [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() - begin < LEFT_SECONDS, alive
        time.sleep(0.5)
    assert [path.name for path in run.folder.iterdir()] == ["stderr"]


def is_good(out: Path, given: Undisturbed) -> None:
    assert digests(out / "1.0.0") == given.digests
    assert sorted(path.name for path in (out / ".newsdata").iterdir()) == ["cache", "lock"]
    left = [path.name for path in (out / ".newsdata" / "cache").iterdir() if path.name.startswith(("part-", "plan"))]
    assert left == []


def test_ray_gives_the_same_bytes(small: Undisturbed, tmp_path: Path, builds: list[Running]) -> None:
    """It listens on loopback only, reports to nobody, and is gone afterwards. Then this machine uses its cache."""
    run = started(builds, small.archive, tmp_path / "out")
    run.wait_for("list: ")
    family = run.family()
    listening = {
        (process.name(), connection.laddr.ip)
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert len(listening) >= 3 and {ip for _, ip in listening} <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    settings = [one.environ() for one in family if "raylet" in one.name() or "gcs_server" in one.name()]
    assert len(settings) >= 2
    assert all(one["RAY_USAGE_STATS_ENABLED"] == "0" and one["RAY_AUTH_MODE"] == "token" for one in settings)
    assert run.answer()["created"]
    nothing_is_left(family, run)
    is_good(tmp_path / "out", small)
    shutil.rmtree(tmp_path / "out" / "1.0.0")
    again = newsdata.build(small.archive, tmp_path / "out", num_proc=1)
    assert digests(again.path) == small.digests and again.stages["parse"]["ran"] == again.stages["write"]["ran"] == 0


def test_ray_follows_a_version_of_this_machine(small: Undisturbed, tmp_path: Path, builds: list[Running]) -> None:
    """And with the cache of this machine."""
    archive = tmp_path / "in"
    shutil.copytree(small.archive, archive)
    for engine in ("ray", "local"):
        newsdata.build(archive, tmp_path / engine, num_proc=1)
    path = next((archive / "_posts").iterdir())
    path.write_bytes(path.read_bytes().replace("。".encode(), "！".encode()))
    run = started(builds, archive, tmp_path / "ray")
    local = newsdata.build(archive, tmp_path / "local", num_proc=1)
    assert digests(Path(run.answer()["path"])) == digests(local.path)
    assert "is given once more" not in run.complaints()


def test_workers_are_killed(small: Undisturbed, tmp_path: Path, builds: list[Running]) -> None:
    """One every second; what stdout says stays one JSON object."""
    rng = random.Random(1)
    run = started(builds, small.archive, tmp_path / "out")
    run.wait_for("list: ")
    family = run.family()
    killed = 0
    while run.process.poll() is None:
        time.sleep(1)
        if run.process.poll() is None:
            family += [one for one in run.family() if one not in family]
            workers = [
                one for one in family if one.is_running() and "ray::" in _name(one) and "Agent" not in _name(one)
            ]
            if workers:
                rng.choice(workers).kill()
                killed += 1
    assert run.answer()["created"] and killed >= 3
    nothing_is_left(family, run)
    is_good(tmp_path / "out", small)


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_the_driver_is_stopped(
    number: signal.Signals, small: Undisturbed, tmp_path: Path, builds: list[Running]
) -> None:
    """In the middle. Nothing is left, and the same command goes on."""
    run = started(builds, small.archive, tmp_path / "out")
    run.wait_for("parse: " if number == signal.SIGKILL else "list: ")
    family = run.family()
    run.process.send_signal(number)
    told, _ = run.process.communicate(timeout=LIMIT)
    assert told == ""
    assert run.process.returncode == (-9 if number == signal.SIGKILL else 130), run.complaints()
    nothing_is_left(family, run)
    again = started(builds, small.archive, tmp_path / "out")
    assert again.answer()["created"]
    is_good(tmp_path / "out", small)


@pytest.mark.parametrize("seconds", [0.0, 2.0, 4.0])
def test_a_stop_while_ray_starts(seconds: float, tmp_path: Path, builds: list[Running]) -> None:
    run = started(builds, ROOT / "examples" / "archive", tmp_path / "out")
    begin = time.monotonic()
    while not any("gcs_server" in _name(one) for one in run.family()):
        assert run.process.poll() is None, run.complaints()
        assert time.monotonic() - begin < LIMIT
        time.sleep(0.05)
    time.sleep(seconds)
    assert run.process.poll() is None, run.complaints()
    family = run.family()
    run.process.terminate()
    told, _ = run.process.communicate(timeout=LIMIT)
    assert (run.process.returncode, told) == (130, ""), run.complaints()
    assert "stopped; earlier versions are unchanged" in run.complaints() and "SIGTERM" not in run.complaints()
    nothing_is_left(family, run)


def test_an_error_of_a_task_is_ours(small: Undisturbed, tmp_path: Path, builds: list[Running]) -> None:
    """What a worker raises is what a user sees: here, files of the cache are cut while the build is at work."""
    run = started(builds, small.archive, tmp_path / "out")
    run.wait_for("parse: ")
    for spool in (tmp_path / "out" / ".newsdata" / "cache").glob("parse*.spool"):
        os.truncate(spool, 100)
    told, _ = run.process.communicate(timeout=LIMIT)
    assert (run.process.returncode, told) == (2, "")
    assert "this cached file was changed or removed while the build was at work" in run.complaints()
    assert "Traceback" not in run.complaints() and "RayTaskError" not in run.complaints()


def test_a_cluster_that_is_not_there(tmp_path: Path, builds: list[Running]) -> None:
    run = started(builds, ROOT / "examples" / "archive", tmp_path / "out", RAY_ADDRESS="127.0.0.1:1")
    told, _ = run.process.communicate(timeout=LIMIT)
    assert run.process.returncode == 2 and told == ""
    assert "the cluster at 127.0.0.1:1 cannot be used" in run.complaints() and "Traceback" not in run.complaints()
