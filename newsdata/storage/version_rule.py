"""The version number that a difference between two versions asks for.

MAJOR: rows of train, validation or test changed or were removed, a column changed its type or was removed, the split
borders or the way of finding near-duplicates changed. MINOR: rows or columns were added, or rows outside those three
splits changed. PATCH: the same rows in other files. A post that only changed its path is the same post.

The names of the levels are those of Semantic Versioning (semver.org).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .manifest import parse_version
from .row_changes import Change

__all__ = ["FROZEN_SPLITS", "bump", "highest", "next_version"]

FROZEN_SPLITS = ("train", "validation", "test")
"""Splits that a minor version leaves as they are, apart from rows that are added."""

_LEVELS = ("major", "minor", "patch")
_MAJOR_SETTINGS = (
    "validation_from",
    "test_from",
    "test_until",
    "gap_days",
    "split_scheme",
    "dedup_version",
    "timezone",
)


_MEANINGS = {
    "dedup_version": "near-copies are found in another way, and groups have new ids: ",
    "split_scheme": "the splits were cut anew: ",
}
"""What a setting means, where its name does not say it."""


def bump(
    changes: Sequence[Change],
    columns_added: Sequence[str],
    columns_removed: Sequence[str],
    columns_changed: Sequence[str],
    configuration: Mapping[str, tuple[Any, Any]],
) -> tuple[str | None, tuple[str, ...]]:
    """The level that a difference asks for ("major", "minor", "patch", or None), and the reasons, highest level first.

    Args:
        changes: the rows that differ.
        columns_added, columns_removed, columns_changed: `config.column`.
        configuration: settings that differ: name -> (old, new).

    >>> bump([Change(config="articles", key="1", kind="added", old=None, new="newer")], [], [], [], {})
    ('minor', ('1 rows added to newer',))
    """
    rows = sorted(Counter(map(_rule, changes)).items())
    reasons: dict[str, list[str]] = {level: [] for level in _LEVELS}
    for (level, words), count in rows:
        reasons[level].append(f"{count} {words}")
    reasons["major"] += [f"column {column} removed" for column in columns_removed]
    reasons["major"] += [f"column {column} has another type" for column in columns_changed]
    reasons["major"] += [
        f"{_MEANINGS.get(name, '')}{name} is {new}, was {old}"
        for name, (old, new) in configuration.items()
        if name in _MAJOR_SETTINGS
    ]
    reasons["minor"] += [f"column {column} added" for column in columns_added]
    asked = highest(*(level for level in _LEVELS if reasons[level]))
    return asked, tuple(reason for level in _LEVELS for reason in reasons[level])


def _rule(change: Change) -> tuple[str, str]:
    """The level that one row asks for, and the words that go behind the number of such rows."""
    if change.config != "articles":
        return (
            ("patch", "files moved") if change.kind == "moved" else ("minor", f"rows of {change.config} {change.kind}")
        )
    if change.kind == "added":
        return "minor", f"rows added to {change.new}"
    level = "major" if change.old in FROZEN_SPLITS else "minor"
    if change.kind == "moved":
        return level, f"rows moved from {change.old} to {change.new}"
    return level, f"rows of {change.old} {change.kind}"


def highest(*levels: str | None) -> str | None:
    """The highest of some levels; None where none is given.

    >>> highest("patch", None, "minor")
    'minor'
    """
    return next((level for level in _LEVELS if level in levels), None)


def next_version(old: str, level: str) -> str:
    """The version after `old` for a bump of that level ("major", "minor" or "patch").

    >>> next_version("1.4.2", "minor")
    '1.5.0'
    """
    major, minor, patch = parse_version(old)
    following = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}[level]
    return ".".join(map(str, following))
