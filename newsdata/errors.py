"""Every error newsdata raises on purpose, under one root.

::

    NewsdataError               caught once, in newsdata.cli; `exit_code` is what the command returns
    ├── DataError               exit 1: the data is at fault
    │   ├── RejectsError        too many rejects, or any under --strict
    │   ├── LeakError           near-copies on two sides of a split, above --max-leak
    │   ├── VerifyError         a built version is not what its manifest says
    │   ├── DriftError          dataset_card.md and the data disagree
    │   └── RehydrateError      a copy of the archive does not give the full build of a text-free version
    └── CallError               exit 2: the call or the machine
        ├── SourceError         the archive cannot be opened
        ├── VersionError        no such version, a version that is taken, too small or not X.Y.Z
        ├── ManifestError       a manifest that this newsdata cannot read
        ├── MachineError        disk full, no permission, another build holds the lock
        └── HubError            the hub refused, or is out of reach and the version is not cached

What is wrong with one *post* is no exception: it is a `Reject` or a code in `issues`.
"""

from __future__ import annotations

from typing import Any

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
    "shown",
]


def shown(text: str) -> str:
    """A name from an archive as a terminal may show it: what does not print is escaped.

    >>> print(shown("a\\nb\\x1b[31m新"))
    a\\nb\\x1b[31m新
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class NewsdataError(Exception):
    """The root: what is wrong, where, and what to do.

    Attributes:
        reason: what is wrong, one sentence.
        path: the file or folder it is about, or None.
        line: the line in it, counted from 1, or None.
        field: the key or column in it, or None.
        hint: what to do about it, or None.

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
        self.reason = reason
        self.path = None if path is None else shown(str(path))
        self.line = line
        self.field = field
        self.hint = hint
        where = ", ".join(part for part in (self.path, line and f"line {line}", field) if part)
        super().__init__(f"{where}: {reason}" if where else reason, *([hint] if hint else []))

    def __str__(self) -> str:
        return "; ".join(str(part) for part in self.args)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it comes through from another process as it is, whatever its `__init__` wants."""
        return _made_again, (type(self), self.args), self.__dict__


def _made_again(kind: type[NewsdataError], args: tuple[Any, ...]) -> NewsdataError:
    return kind.__new__(kind, *args)


class DataError(NewsdataError):
    """The data is at fault."""

    exit_code = 1


class RejectsError(DataError):
    """More posts were rejected than the build allows; `rejects` holds every `newsdata.Reject`."""

    def __init__(self, reason: str, *, rejects: tuple[object, ...] = (), hint: str | None = None) -> None:
        super().__init__(reason, hint=hint)
        self.rejects = rejects


class LeakError(DataError):
    """Near-copies stand on two sides of a split, above the threshold."""


class VerifyError(DataError):
    """A built version is not what its manifest says; `faults` lists every difference."""

    def __init__(self, reason: str, *, path: object = None, faults: tuple[str, ...] = ()) -> None:
        super().__init__(reason, path=path)
        self.faults = faults


class DriftError(DataError):
    """dataset_card.md and the data disagree; `faults` lists every difference."""

    def __init__(self, reason: str, *, path: object = None, faults: tuple[str, ...] = ()) -> None:
        super().__init__(reason, path=path)
        self.faults = faults


class RehydrateError(DataError):
    """A copy of the archive does not give a version's full build; `faults` lists every difference."""

    def __init__(
        self, reason: str, *, path: object = None, faults: tuple[str, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(reason, path=path, hint=hint)
        self.faults = faults


class CallError(NewsdataError):
    """The call or the machine is at fault."""


class SourceError(CallError):
    """The archive cannot be opened."""


class VersionError(CallError):
    """No such version, a taken one, one that is too small, or not of the form X.Y.Z."""


class ManifestError(CallError):
    """The manifest is missing, damaged, or of a format that this newsdata does not know."""


class MachineError(CallError):
    """The machine refused: disk full, no permission, a lock held by another build."""


class HubError(CallError):
    """The hub refused or is out of reach."""
