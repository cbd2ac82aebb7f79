"""List a folder in another process, while this one loads the libraries that it needs. Both take about as long."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from . import folder_walk
from .folder_walk import Listed, read_listed

__all__ = ["ListingAhead", "list_ahead"]


class ListingAhead:
    """A listing that another process makes; see `list_ahead`.

    Attributes:
        root: the folder that is listed, a real path.
        exclude: the folder below it that is skipped, relative to it, or None.
    """

    def __init__(self, root: str, exclude: str | None) -> None:
        """Start the process; if that fails, there is nothing to take."""
        self.root, self.exclude = root, exclude
        self._process: subprocess.Popen[bytes] | None = None
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - no pipe: the process must not wait until it is read
        # Isolated (-I -S): neither the working folder nor the environment can bring in other modules.
        command = [sys.executable, "-I", "-S", "-X", "utf8", folder_walk.__file__, root]
        with suppress(OSError, ValueError):  # no more processes, or no path of an interpreter (Python is embedded)
            self._process = subprocess.Popen(  # noqa: S603 - our own file, by this very interpreter
                [*command, *([exclude] if exclude is not None else [])],
                stdin=subprocess.DEVNULL,
                stdout=self._file,
                stderr=subprocess.DEVNULL,
            )

    def take(self) -> Listed | None:
        """Wait for the listing and return it, once; None if the process failed, or if it was taken before."""
        process, self._process = self._process, None
        if process is None or process.wait():
            return None
        try:
            return read_listed(self._file)
        except (OSError, ValueError, TypeError):
            return None

    def stop(self) -> None:
        """End the process if nobody took the listing, and forget the listing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        self._file.close()


@contextmanager
def list_ahead(root: str, exclude: str | None = None) -> Iterator[ListingAhead]:
    """Start to list a folder in another process; hand the result to `newsdata.sources.source.list_files`.

    A process that fails does no harm: `list_files` lists the folder itself then. At the end of the `with` block the
    process is gone.

    Args:
        root: a real path.
        exclude: a folder to skip, relative to `root`.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as root, list_ahead(os.path.realpath(root)) as ahead:
    ...     ([*ahead.take().files], ahead.take())
    ([], None)
    """
    ahead = ListingAhead(root, exclude)
    try:
        yield ahead
    finally:
        ahead.stop()
