"""The bytes of a file that are not UTF-8, so that what U+FFFD took the place of is not lost."""

from __future__ import annotations

import re

from ..schema import InvalidByte

__all__ = ["invalid_bytes"]

_ESCAPED = re.compile("[\udc80-\udcff]")


def invalid_bytes(data: bytes) -> tuple[InvalidByte, ...]:
    """Every byte that is no part of a character in UTF-8, in order. Linear time.

    >>> invalid_bytes("甲\\n".encode() + b"\\xff\\xfe.")
    (InvalidByte(offset=4, byte=255), InvalidByte(offset=5, byte=254))
    """
    text = data.decode("utf-8", "surrogateescape")  # a byte that cannot be decoded becomes one surrogate
    found = []
    begin = offset = 0
    for match in _ESCAPED.finditer(text):
        offset += len(text[begin : match.start()].encode())
        found.append(InvalidByte(offset, ord(match[0]) - 0xDC00))
        begin, offset = match.end(), offset + 1
    return tuple(found)
