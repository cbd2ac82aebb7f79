"""Every error that newsdata raises on purpose, under one root.

::

    NewsdataError               caught in one place, newsdata.cli; the command exits with its `exit_code`
    ├── DataError               exit code 1: something is wrong with the data
    │   ├── RejectsError        too many rejects, or any reject with --strict
    │   ├── LeakError           more near-duplicates between two splits than --max-leak allows
    │   ├── VerifyError         a version differs from its manifest
    │   ├── DriftError          dataset_card.md differs from the data
    │   └── RehydrateError      the archive does not give the full build of a text-free version
    └── CallError               exit code 2: something is wrong with the call or the machine
        ├── SourceError         the archive cannot be opened
        ├── VersionError        a version that does not exist, exists already, is too small, or is not X.Y.Z
        ├── ManifestError       a manifest, or a file that it lists, is missing, damaged or of an unknown format
        ├── MachineError        the disk is full, permission is missing, another build holds the lock, or an object store fails
        └── HubError            the Hub refused, or cannot be reached and the version is not cached

A fault of a single post raises no error: it is a `Reject`, or a code in the column `issues`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unicodedata import category

__all__ = [
    "CallError",
    "DataError",
    "DriftError",
    "HubError",
    "LeakError",
    "MachineError",
    "ManifestError",
    "NewsdataError",
    "RehydrateError",
    "RejectsError",
    "SourceError",
    "VerifyError",
    "VersionError",
    "errors_naming",
    "first_line",
    "shown",
]


def shown(text: str) -> str:
    """`text`, for example a file name of an archive, safe to print: characters that do not print are escaped.

    These are controls, marks that turn the direction of text, separators of lines and halves of surrogate pairs. Blanks of
    every width stay.

    >>> print(shown("a\\nb\\x1b[31m新　闻"))
    a\\nb\\x1b[31m新　闻
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or category(letter) == "Zs" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def first_line(error: BaseException) -> str:
    """The first line of what an error of another library says, at most some 300 characters; its type if it says nothing.

    >>> first_line(ValueError("no such column\\nschema: …")), first_line(KeyError())
    ('no such column', 'KeyError')
    """
    line = (str(error).splitlines() or [type(error).__name__])[0]
    if len(line) <= 300:
        return line
    return f"{line[:300].rpartition(' ')[0] or line[:300]} …"


def _shown_lines(text: str) -> str:
    """A message that may quote anybody, safe to print in a traceback, too. Its own line ends stay."""
    return text if text.isprintable() else "\n".join(map(shown, text.split("\n")))


class NewsdataError(Exception):
    """The root of all errors: what is wrong, where, and what to do.

    Attributes:
        reason: what is wrong, in one sentence; safe to print, as all of the message is.
        path: the file or folder, or None.
        line: the line of the file, counted from 1, or None.
        field: the key, column or option, or None.
        hint: what to do, or None.
        exit_code: what the command line returns: 1 for `DataError`, 2 for all others.

    >>> print(DataError("no title", path="_posts/a.md", line=3, field="title", hint="add one"))
    _posts/a.md, line 3, title: no title; add one
    """

    exit_code = 2

    def __init__(
        self,
        reason: str,
        *,
        path: object = None,
        line: int | None = None,
        field: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.reason = reason = _shown_lines(reason)
        self.path = None if path is None else shown(str(path))
        self.line = line
        self.field = field
        self.hint = hint = hint and _shown_lines(hint)
        where = ", ".join(part for part in (self.path, line and f"line {line}", field) if part)
        super().__init__(f"{where}: {reason}" if where else reason, *([hint] if hint else []))

    def __str__(self) -> str:
        parts = [str(part) for part in self.args]
        after_list = parts[0].rpartition("\n")[2].startswith("  ")
        return ("\n" if after_list else "; ").join(parts)  # after a list, the hint has a line of its own

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickling that does not call `__init__`, so that every subclass comes back from another process unchanged."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(kind: type[NewsdataError], args: tuple[Any, ...]) -> NewsdataError:
    return kind.__new__(kind, *args)


@contextmanager
def errors_naming(there: str, *, here: object) -> Iterator[None]:
    """A context with a local copy of something: errors that are raised in it name the original.

    Args:
        there: the address of the original.
        here: the path of the copy.

    >>> with errors_naming("s3://bucket/out", here="/tmp/copy"):
    ...     raise DataError("no title", path="/tmp/copy/a.md")
    Traceback (most recent call last):
    newsdata.errors.DataError: s3://bucket/out/a.md: no title
    """
    try:
        yield
    except NewsdataError as error:
        copy = str(here)
        error.args = tuple(str(part).replace(copy, there) for part in error.args)
        error.reason = error.reason.replace(copy, there)
        error.path = error.path and error.path.replace(copy, there)
        error.hint = error.hint and error.hint.replace(copy, there)
        raise


class DataError(NewsdataError):
    """Something is wrong with the data."""

    exit_code = 1


class RejectsError(DataError):
    """More posts were rejected than the build allows; `rejects` holds each `newsdata.Reject`."""

    def __init__(self, reason: str, *, rejects: tuple[object, ...] = (), hint: str | None = None) -> None:
        super().__init__(reason, hint=hint)
        self.rejects = rejects


class LeakError(DataError):
    """More rows of a split than `max_leak` allows have a near-duplicate in an earlier split."""


class VerifyError(DataError):
    """A version differs from its manifest; `faults` lists every difference."""

    def __init__(
        self, reason: str, *, path: object = None, faults: tuple[str, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(reason, path=path, hint=hint)
        self.faults = faults


class DriftError(DataError):
    """dataset_card.md differs from the data; `faults` lists every difference."""

    def __init__(self, reason: str, *, path: object = None, faults: tuple[str, ...] = ()) -> None:
        super().__init__(reason, path=path)
        self.faults = faults


class RehydrateError(DataError):
    """The archive does not give the full build of a text-free version; `faults` lists every difference."""

    def __init__(
        self, reason: str, *, path: object = None, faults: tuple[str, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(reason, path=path, hint=hint)
        self.faults = faults


class CallError(NewsdataError):
    """Something is wrong with the call (arguments, options) or the machine."""


class SourceError(CallError):
    """The archive cannot be opened."""


class VersionError(CallError):
    """The version does not exist, exists already, is too small, or is not of the form X.Y.Z."""


class ManifestError(CallError):
    """The manifest, or a file that it lists, is missing, damaged, or has a format that this newsdata does not know."""


class MachineError(CallError):
    """The disk is full, permission is missing, another build holds the lock, or an object store fails."""


class HubError(CallError):
    """The Hub refused, or cannot be reached and the version is not cached."""
