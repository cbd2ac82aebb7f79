"""Two hosts, as network namespaces of this machine: a cluster of Ray over both, by the script of the documents. The bytes are
those of one process, also when a host dies. Needs root; skipped where that, `ip` or Ray is missing."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..conftest import ROOT
from .edited_archive import digests
from .test_killed import LIMIT, Undisturbed


def may_make_hosts() -> bool:
    """Whether this process may make network namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    made = subprocess.run(["ip", "netns", "add", "nd-probe"], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "delete", "nd-probe"], capture_output=True, check=False)
    return made.returncode == 0


pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (newsdata[ray])"),
    pytest.mark.skipif(not may_make_hosts(), reason="this process may not make network namespaces"),
]

HEAD, OTHER = "nd-head", "nd-other"
ADDRESS = {HEAD: "10.77.0.1", OTHER: "10.77.0.2"}


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, check=True, text=True).stdout


class Cluster:
    """Two hosts with a CPU each, and Ray on both. They share the file system, but not Ray's folder for temporary files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> None:
        folder = self.folder
        (folder / "token").write_text("7" * 64)
        (folder / "ray").write_text(f'#!/bin/sh\nexec {sys.executable} -m ray.scripts.scripts "$@"\n')  # of this Python
        (folder / "ray").chmod(0o755)
        ip("link", "add", "nd-v1", "type", "veth", "peer", "name", "nd-v2")
        for host, device in ((HEAD, "nd-v1"), (OTHER, "nd-v2")):
            ip("netns", "add", host)
            ip("link", "set", device, "netns", host)
            for line in (f"addr add {ADDRESS[host]}/24 dev {device}", f"link set {device} up", "link set lo up"):
                ip("-n", host, *line.split())
        self.run(HEAD, "head", ADDRESS[HEAD])
        self.run(OTHER, "worker", ADDRESS[OTHER], ADDRESS[HEAD])

    def environment(self, host: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        options = (
            f"--num-cpus=1 --object-store-memory=80000000 {f'--temp-dir={self.folder}/{host}' if host == HEAD else ''}"
        )
        return kept | {
            "PATH": str(self.folder) + os.pathsep + os.environ["PATH"],
            "RAY_AUTH_TOKEN_PATH": str(self.folder / "token"),
            "RAY_OPTIONS": options,
        }

    def run(self, host: str, *arguments: str) -> None:
        """Start Ray on a host. On a busy machine it may not come up in its own time; then once more."""
        script = str(ROOT / "examples" / "cluster" / "ray.sh")
        for _ in range(3):
            done = subprocess.run(
                ["ip", "netns", "exec", host, script, *arguments],
                env=self.environment(host),
                capture_output=True,
                text=True,
                timeout=LIMIT,
                check=False,
            )
            if done.returncode == 0:
                return
            self.kill(host)
        raise AssertionError(done.stdout + done.stderr)

    def build(self, archive: Path, out: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "newsdata", "build", str(archive), str(out), "--engine", "ray", "--json", "-v"]
        with (self.folder / "stderr").open("wb") as stderr:
            return subprocess.Popen(
                ["ip", "netns", "exec", HEAD, *command],
                env=self.environment(HEAD) | {"RAY_ADDRESS": f"{ADDRESS[HEAD]}:6379", "RAY_AUTH_MODE": "token"},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )

    def complaints(self) -> str:
        return (self.folder / "stderr").read_text("utf-8", "replace")

    def kill(self, host: str) -> None:
        """End every process of a host at once."""
        for process in ip("netns", "pids", host).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)

    def remove(self) -> None:
        for host in ADDRESS:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.kill(host)
                ip("netns", "delete", host)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    folder = Path("/tmp") / f"nd-two-{os.getpid()}"
    folder.mkdir()
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.mark.parametrize("stage", ["", "list", "parse", "merge", "sign", "group"])
def test_two_hosts_and_one_of_them_dies(stage: str, small: Undisturbed, tmp_path: Path, cluster: Cluster) -> None:
    """It dies when a stage has ended, so in the next one; "" lets both live."""
    process = cluster.build(small.archive, tmp_path / "out")
    if stage:
        begin = time.monotonic()
        while f"newsdata: {stage}: " not in cluster.complaints():
            assert process.poll() is None and time.monotonic() - begin < LIMIT, cluster.complaints()
            time.sleep(0.05)
        cluster.kill(OTHER)
    told, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, cluster.complaints()
    answer: dict[str, Any] = json.loads(told)
    assert answer["created"] and digests(Path(answer["path"])) == small.digests
