"""The bytes of a post to text: UTF-8, what is nearly UTF-8, UTF-16, and the encodings of East Asia.

What is valid UTF-8 is UTF-8. A file with a few bytes that are not is UTF-8 with damage: they become U+FFFD (issue
`encoding-invalid`). Else the file is UTF-16, by its mark or by its zero bytes, or one of GB18030 (which holds GBK and
GB2312), Big5, Shift_JIS and EUC-KR. No byte tells these four apart, only how likely the text is. So a file is read
(issue `encoding-guessed`) where

- `chardet`, which compares with the texts of many languages, prefers one of the four to every other encoding that it
  knows by at least 0.3 (`MARGIN`; its figures run from 0 to 1),
- it has eight characters or more beyond ASCII (`FEWEST`), and
- the text holds no character without a meaning, and no control character.

Else it is rejected: a reject can be read again some day, a misread post is never noticed. Of 25,600 posts transcoded to
these and other encodings, most of them with less than 40 such characters, a margin of 0.25 misread none, and 0.2 four.

Control characters U+0080 to U+009F are what a Windows-1252 file becomes that was taken for Latin-1. They are read as
the quotes and dashes that their authors typed (issue `windows-1252`), as browsers do with `&#146;`. Five of them mean nothing there, and stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["FEWEST", "MARGIN", "Decoded", "decode", "has_c1"]

MARGIN = 0.3
"""How far the detector must prefer one encoding to all others."""

FEWEST = 8
"""Characters beyond ASCII that a file must have for its encoding to be guessed."""


class Decoded(NamedTuple):
    """What a file says.

    Attributes:
        text: its text, with LF line ends. If it has to be rejected: what can be shown of it.
        issues: codes of `newsdata.schema.ISSUES`.
        fault: the rule that the file breaks and the reason in words, if it has to be rejected.
    """

    text: str
    issues: tuple[str, ...] = ()
    fault: tuple[str, str] | None = None


# The detector's names -> the family, and the codecs of a family: the narrow one first, since the wide one reads a few
# characters in another way.
_FAMILIES: Mapping[str, str] = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5", "big5hkscs": "big5", "cp950": "big5",
    "shift_jis": "shift_jis", "cp932": "shift_jis", "shift_jis_2004": "shift_jis", "shift_jisx0213": "shift_jis",
    "euc_kr": "euc_kr", "cp949": "euc_kr",
}  # fmt: skip
_CODECS: Mapping[str, tuple[str, ...]] = {
    "gb18030": ("gb18030",),
    "big5": ("big5", "big5hkscs", "cp950"),
    "shift_jis": ("shift_jis", "cp932"),
    "euc_kr": ("euc_kr", "cp949"),
}
_MEANINGLESS = frozenset({"Cc", "Cn", "Co", "Cs"})
_LINES_BEYOND_ASCII = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_BEYOND_LATIN = re.compile("[\u0800-\ufffc\ufffe-\U0010ffff]")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")


def decode(data: bytes) -> Decoded:
    """The text of a file. No bytes make this function raise, and it takes linear time.

    >>> decode("同社は昨日、受注が増えたと発表した。".encode("shift_jis"))
    Decoded(text='同社は昨日、受注が増えたと発表した。', issues=('encoding-guessed',), fault=None)
    """
    text, issues, fault = _characters(data)
    if fault is not None:
        return Decoded(text, fault=fault)
    if "\0" in text:
        zeros = text.count("\0")
        if zeros * 20 > len(text):
            blank = not text.replace("\0", "").strip()
            reason = "only zero bytes" if blank else "every twentieth character or more is a zero byte"
            return Decoded("", fault=("empty" if blank else "encoding", f"it has {reason}"))
        text = text.replace("\0", "")
        issues = (*issues, "control-characters")
    if not text or text.isspace():
        return Decoded("", fault=("empty", "the file has no text"))
    if has_c1(text):
        text = text.translate(_WINDOWS_1252)
        issues = (*issues, "windows-1252")
    text = text.replace("\r\n", "\n")
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
        issues = (*issues, "line-ends")
    return Decoded(text, issues)


def _characters(data: bytes) -> Decoded:
    """The text of a file as it stands."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        wide = _read_as(data, "utf-16")
        if wide is None:
            return Decoded("", fault=("encoding", "it starts like UTF-16 but cannot be read as such"))
        return Decoded(wide, ("encoding-utf-16",))
    text = data.decode(errors="replace")
    if "\0" in text and (wide := _utf_16_without_mark(data)) is not None:
        return Decoded(wide, ("encoding-utf-16",))
    lost = text.count("\ufffd") - data.count(b"\xef\xbf\xbd") if "\ufffd" in text else 0
    if lost and not _is_damaged_utf_8(data, text, lost):
        return _guessed(data, text, lost)
    issues: tuple[str, ...] = ()
    if text.startswith("\ufeff"):
        text = text[1:]
        issues = ("bom",)
    return Decoded(text, (*issues, "encoding-invalid") if lost else issues)


def _is_damaged_utf_8(data: bytes, text: str, lost: int) -> bool:
    """Whether a file is UTF-8, apart from a few bytes."""
    if lost > 1 + len(text) // 100:
        return False
    if len(_BEYOND_LATIN.findall(text)) >= 3 * lost:  # of three bytes each, and valid: no accident
        return True
    return all(_is_damage(data, *run.span()) for run in _HIGH_BYTES.finditer(data))


def _is_damage(data: bytes, start: int, end: int) -> bool:
    """Whether a run of bytes beyond ASCII is UTF-8, or no character of an encoding of East Asia either."""
    byte = data[start]
    if end - start > 1:
        return b"\xff" in data[start:end] or _read_as(data[start:end], "utf-8") is not None
    before, after = data[start - 1 : start], data[end : end + 1]
    if byte == 0x92 and before.isalpha() and after.isalpha():  # `don't` in Windows-1252
        return True
    if after.isalnum() and data[end + 1 : end + 2] >= b"\x80":  # signs of two or four bytes stand in a row
        return False
    return byte == 0x80 or byte >= 0xD8 or not b"\x40" <= after <= b"\x7e"


def _utf_16_without_mark(data: bytes) -> str | None:
    """The text of a file that starts with a line `---` of UTF-16, or in which every other byte is mostly zero."""
    start = data[:64].lstrip(b"\0\r\n\t ")
    first, second = data[::2].count(0), data[1::2].count(0)
    if start.startswith((b"-\0-\0-\0", b"-\0-\0-")):
        pass
    elif max(first, second) * 2 < len(data) // 2 or min(first, second) * 8 > max(first, second):
        return None
    text = _read_as(data, "utf-16-be" if first > second else "utf-16-le")
    return text if text is not None and _is_meaningful(text) else None


def _guessed(data: bytes, text: str, lost: int) -> Decoded:
    import chardet

    fault = "encoding", f"{lost:,} places are not UTF-8, and no other encoding is certain"
    figures: dict[str, float] = {}
    lines = b"\n".join(_LINES_BEYOND_ASCII.findall(data))
    for result in chardet.detect_all(lines, ignore_threshold=True, compat_names=False):
        name = (result["encoding"] or "").lower().replace("-", "_")
        family = _FAMILIES.get(name, name)
        figures[family] = max(figures.get(family, 0.0), result["confidence"])
    best = max(figures, key=figures.__getitem__)
    rivals = [figure for family, figure in figures.items() if family != best]
    if best not in _CODECS or figures[best] - max(rivals, default=0.0) < MARGIN:
        return Decoded(text, fault=fault)
    for codec in _CODECS[best]:
        read = _read_as(data, codec)
        if read is not None and len(_BEYOND_ASCII.findall(read)) >= FEWEST and _is_meaningful(read):
            return Decoded(read, ("encoding-guessed",))
    return Decoded(text, fault=fault)


def _read_as(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _is_meaningful(text: str) -> bool:
    return all(unicodedata.category(char) not in _MEANINGLESS or char in "\t\n\r\f\v" for char in set(text))


_C1 = re.compile("[\x80-\x9f]")
_WINDOWS_1252 = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}


def has_c1(text: str) -> bool:
    """Whether a text has control characters U+0080 to U+009F.

    >>> has_c1("it\\x92s"), decode("it\\x92s".encode()).text
    (True, 'it’s')
    """
    return _C1.search(text) is not None
