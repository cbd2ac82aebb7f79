"""Run the command that updates an archive, before a build reads it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["fetch"]

_SHOWN = 2000  # characters of the command's output that a failure shows, from its end
_END_SECONDS = 10  # that a stopped command has to tidy up


def fetch(command: str | None, line: str | None = None) -> str | None:
    """Run a command, or a line of the shell, and wait for its end.

    Args:
        command: words, quoted as for a shell; they are run without one. "none" runs nothing.
        line: a line for /bin/sh, if `command` is None.

    Returns:
        What went wrong, with the end of the output; None if all went well. The output of a command that succeeds is not
        shown, so that cron sends no mail.

    >>> fetch("none"), fetch("true"), fetch("false"), fetch(None, "exit 3")
    (None, None, 'false: exit code 1', 'exit 3: exit code 3')
    """
    shown = line if command is None else command
    if shown is None or command == "none":
        return None
    try:
        words = shlex.split(shown) if command is not None else ["/bin/sh", "-c", shown]
        if not words or not shown.strip():
            return "the command is empty; `none` fetches nothing"
        code, said = _run(words)
    except (OSError, ValueError) as error:
        return f"{shown}: {error}"
    return f"{shown}: exit code {code}{f': {said}' if said else ''}" if code else None


def _run(words: Sequence[str]) -> tuple[int, str]:
    """Run a command. Returns its exit code and the end of what it said."""
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603
        words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, errors="replace", start_new_session=True
    ) as process:
        try:
            output, said = process.communicate()
        except KeyboardInterrupt:
            _end(process)
            raise
    return process.returncode, (said.strip() or output.strip())[-_SHOWN:]


def _end(process: subprocess.Popen[str]) -> None:
    """End the command with everything that it started, and wait for it.

    It is terminated first, because a killed git leaves locks that stop the next run.
    """
    with suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=_END_SECONDS)  # until all of them are gone: the shell goes before its children
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
