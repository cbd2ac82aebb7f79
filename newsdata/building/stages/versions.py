"""The version of each kind of task. Raise it if you change the code of a task in a way that changes its result.

The schema (`SCHEMA_VERSION`), the parser (`PARSER_VERSION`), the search for near-copies (`DEDUP_VERSION`) and the libraries
have versions of their own, which are inputs of the tasks that depend on them.
"""

from __future__ import annotations

__all__ = ["stage_of"]

_VERSIONS = {
    "list": 2,
    "hash": 1,
    "parse": 3,
    "ranges": 1,
    "range": 1,
    "merge": 2,
    "sample": 1,
    "count": 1,
    "frame": 1,
    "boilerplate": 1,
    "sign": 3,
    "search": 2,
    "common": 2,
    "pairs": 5,
    "group": 4,
    "borders": 1,
    "split": 7,
    "write": 4,
    "rejects": 2,
    "blank": 3,
    "origins": 2,
    "revisions": 3,
    "measure": 5,
}


def stage_of(kind: str) -> str:
    """The field `Task.stage` for a task of this kind: the kind and the version of its code.

    >>> stage_of("parse")
    'parse/3'
    """
    return f"{kind}/{_VERSIONS[kind]}"
