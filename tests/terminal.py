"""The command line in a terminal of some width, as a process of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from pathlib import Path
from typing import NamedTuple

__all__ = ["Told", "columns_of", "in_terminal"]

_ROOT = Path(__file__).resolve().parent.parent
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Told(NamedTuple):
    """What a command did: its exit code, what it wrote with styles, and the lines without them."""

    code: int
    raw: str
    lines: list[str]


def in_terminal(width: int, *arguments: object, **environment: str) -> Told:
    """Run `newsdata` in a terminal with `width` columns."""
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        known = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        process = subprocess.Popen(
            [sys.executable, "-m", "newsdata", *map(str, arguments)],
            cwd=_ROOT,
            env={**known, "TERM": "xterm", **environment},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    told = bytearray()
    try:
        while part := os.read(ours, 65536):
            told += part
    except OSError:  # the terminal is closed at the other end
        pass
    finally:
        os.close(ours)
    text = told.decode("utf-8").replace("\r\n", "\n")
    return Told(process.wait(60), text, _STYLE.sub("", text).splitlines())


def columns_of(text: str) -> int:
    """The columns that a text takes, counted apart from `newsdata.cli.table`."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text
    )
