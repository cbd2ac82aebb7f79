"""A small program that ends what is left of a Ray cluster when the process that started it has ended, however that happened.

Ray's agents outlive a driver that was killed by minutes. The program reads its standard input, which ends with the driver; then
it waits a little, and kills every process that has a file of the cluster's folder open or names it. It removes the folder.

Run by its path, because importing the package would take longer than all of its work: `python ray_watch.py FOLDER`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["end_cluster", "processes_of"]

_PATIENCE = 8.0  # seconds in which the processes of the cluster may end by themselves
_PAUSE = 0.2


def processes_of(folder: str, but: int) -> list[int]:
    """The ids of the processes of a cluster: those that have a file in its folder open, or name the folder in their command.

    Args:
        folder: of the cluster; no other cluster has it.
        but: the id of the driver, which is left out.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) in (os.getpid(), but):
            continue
        with suppress(OSError):  # it has ended, or is another user's
            named = folder.encode() in (entry / "cmdline").read_bytes()
            if named or any(_link(file).startswith(folder) for file in (entry / "fd").iterdir()):
                found.append(int(entry.name))
    return found


def _link(file: Path) -> str:
    try:
        return os.readlink(file)  # noqa: PTH115  (the target may be no path)
    except OSError:
        return ""


def end_cluster(folder: str, driver: int) -> None:
    """End the processes of a cluster whose driver has ended, or needs it no longer, and remove its folder."""
    end = time.monotonic() + _PATIENCE
    while (left := processes_of(folder, driver)) and time.monotonic() < end:
        time.sleep(_PAUSE)
    for process in left:
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):  # a stop of the driver is not meant for this process
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end_cluster(sys.argv[1], parent)
