"""Counts and sizes in words, for people."""

from __future__ import annotations

import re

__all__ = ["file_size", "in_number", "noun", "plural"]

_ONE = re.compile(r"(?<![\d,.])1 (article|change|day|file|post|reject|row|shard)s\b")


def plural(count: int, name: str, more: str | None = None) -> str:
    """A count and its noun.

    Args:
        count: of the things.
        name: of one of them.
        more: of several of them, if that is not `name` with an s.

    >>> plural(1, "post"), plural(2000, "post"), plural(2, "near-copy", "near-copies")
    ('1 post', '2,000 posts', '2 near-copies')
    """
    return f"{count:,} {noun(count, name, more)}"


def noun(count: int, name: str, more: str | None = None) -> str:
    """The noun that goes behind a count; the arguments are those of `plural`.

    >>> noun(0, "post"), noun(1, "post")
    ('posts', 'post')
    """
    return name if count == 1 else more or f"{name}s"


def in_number(reason: str) -> str:
    """A reason of a release note with its nouns in the right number. Manifests hold "1 rows added".

    >>> in_number("1 rows added to newer; 21 rows of train changed")
    '1 row added to newer; 21 rows of train changed'
    """
    return _ONE.sub(r"1 \1", reason)


def file_size(count: int) -> str:
    """A number of bytes in kB or, from one million on, in MB: 1,000 and 1,000,000 bytes.

    >>> file_size(1234), file_size(234_567), file_size(1_234_567)
    ('1.2 kB', '234.6 kB', '1.2 MB')
    """
    return f"{count / 1e6:,.1f} MB" if count >= 1_000_000 else f"{count / 1e3:,.1f} kB"
