"""Scratch folders: local copies of objects in a bucket, and what is not finished yet, while a process is at work."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import MachineError

__all__ = ["scratch_folder"]

_PREFIX = "newsdata-scratch-"
_LOCK = "lock"
_FORGOTTEN = 86_400.0  # seconds: a scratch folder without a lock that nobody used for so long is removed


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A context with an empty folder of this process in `NEWSDATA_SCRATCH`, or in the system's folder for temporary files.

    It is removed at the end. Those of processes that were killed are removed at the beginning.

    Raises:
        MachineError: it cannot be made.
    """
    from filelock import FileLock

    root = Path(os.environ.get("NEWSDATA_SCRATCH") or tempfile.gettempdir()).absolute()
    try:
        root.mkdir(parents=True, exist_ok=True)
        _remove_forgotten(root)
        scratch = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
    except OSError as error:
        raise MachineError(
            f"no scratch folder can be made here: {error.strerror}", path=root, hint="set NEWSDATA_SCRATCH"
        ) from error
    with FileLock(scratch / _LOCK):
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _remove_forgotten(root: Path) -> None:
    """Remove the scratch folders of this user whose process has ended."""
    from filelock import FileLock, Timeout

    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):
            if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
                continue
            if (folder / _LOCK).is_file():  # a worker on another machine than the build's makes none
                with FileLock(folder / _LOCK, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)
            elif time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir())) > _FORGOTTEN:
                shutil.rmtree(folder, ignore_errors=True)
