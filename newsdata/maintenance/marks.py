"""What `yank` and `redact` have in common: a reason, and a small JSON file that holds it."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import CallError, MachineError
from ..files import write_whole

__all__ = ["checked_reason", "write_mark"]


def checked_reason(reason: str) -> str:
    """The reason on one line, with single blanks.

    Raises:
        CallError: the reason is empty.

    >>> checked_reason("half of\\nMarch was missing")
    'half of March was missing'
    """
    words = " ".join(reason.split())
    if not words:
        raise CallError("the reason is empty", field="reason", hint="say why, for people who read it later")
    return words


def write_mark(path: Path, data: object) -> None:
    """Write a JSON file completely or not at all; see `files.write_whole`.

    Raises:
        MachineError: it cannot be written.
    """
    try:
        write_whole(path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise MachineError(
            f"cannot be written: {error.strerror}", path=path, hint="check the rights of the folder"
        ) from None
