"""The version of each kind of task: raise it when a change of its code changes what the task makes.

What a change of the schema, of the parser, of the method for near-duplicates or of a library alters is told by their own
versions, which are inputs of the tasks that depend on them.
"""

from __future__ import annotations

__all__ = ["stage_of"]

_VERSIONS = {
    "list": 1,
    "parse": 1,
    "merge": 1,
    "sample": 1,
    "count": 1,
    "frame": 1,
    "boilerplate": 1,
    "sign": 1,
    "pairs": 1,
    "group": 1,
    "split": 1,
    "write": 1,
    "rejects": 1,
    "blank": 1,
    "origins": 1,
    "revisions": 1,
    "measure": 1,
}


def stage_of(kind: str) -> str:
    """The `stage` of a task of this kind.

    >>> stage_of("parse")
    'parse/1'
    """
    return f"{kind}/{_VERSIONS[kind]}"
