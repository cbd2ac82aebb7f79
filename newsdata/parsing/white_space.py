"""White space in posts: clean a line of text, and keep track of positions in it."""

from __future__ import annotations

import re
from bisect import bisect_right

__all__ = [
    "LINE_BREAK",
    "Moves",
    "clean",
    "clean_line",
    "has_control",
    "is_clean",
    "trimmed",
    "verbatim",
    "without_controls",
]

LINE_BREAK = "\u2028"
"""Stands for a `<br>` while a paragraph is collected."""

_INVISIBLE = (
    "\u00ad\u200b\u200e\u200f\u2060-\u2064\ufeff"  # soft hyphen, zero-width space, marks, joiners, BOM
    "\u202a-\u202e\u2066-\u2069"  # bidirectional overrides, which show a line in another order than it is stored
)
_CONTROLS = "\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff"
# A joiner is kept only before a character that it can shape: emoji, and the scripts from Arabic to the Indic ones.
_JOINER = "[\u200c\u200d](?![\u0600-\u1fff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])"
_RUN = re.compile(  # white space, except a single blank between two words, which is clean already
    rf"(?:\A|(?! [^\s\u200c\u200d{_INVISIBLE}{_CONTROLS}]))(?:[\s{_INVISIBLE}{_CONTROLS}]++|{_JOINER})++"
)
_UNSEEN = re.compile(rf"[{_INVISIBLE}{_CONTROLS}]|{_JOINER}")
_UNSEEN_IN_CODE = re.compile(rf"[{_INVISIBLE}{_CONTROLS}\x0c\x85\u2028\u2029]|{_JOINER}")
_CONTROL = re.compile(rf"[{_CONTROLS}\u202a-\u202e\u2066-\u2069]")
_BLANK = re.compile(r"[^\S\x0b\x1c-\x1f]")
_WIDE_STOPS = frozenset("。！？；：，、")  # their own width separates words
_SOFT = re.compile(r"[ \t\r\f]*\n[ \t\r\f\n]*")
_WIDE = (
    "\u2e80-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003ffff"
)
_WELDS = re.compile(rf"[{_WIDE}][{_WIDE}“”‘’…—·]|[“”‘’…—·][{_WIDE}]")


class Moves:
    """Maps positions of a raw line to positions of its clean form.

    It holds, for each run of characters that was cut, where it starts and ends, and how many characters were lost up to
    its end.
    """

    __slots__ = ("_begins", "_ends", "_lost")

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._lost: list[int] = []

    def cut(self, begin: int, end: int, kept: int) -> None:
        """Note that `raw[begin:end]` became `kept` characters. Call it in the order of the line."""
        self._begins.append(begin)
        self._ends.append(end)
        self._lost.append((self._lost[-1] if self._lost else 0) + end - begin - kept)

    def new(self, position: int) -> int:
        """The new position of a position of the raw line; inside a run, the end of the run."""
        at = bisect_right(self._begins, position) - 1
        return position if at < 0 else max(position, self._ends[at]) - self._lost[at]


def is_clean(line: str) -> bool:
    """Whether `clean` would change nothing. (`str.isprintable` is False for all white space but the plain blank.)"""
    return line.isprintable() and "  " not in line and line[:1] != " " and line[-1:] != " "


def clean(raw: str) -> tuple[str, Moves]:
    """Clean a line. Returns the clean line, and the map of its positions.

    A run of white space becomes one blank, at the edges nothing. A line break of the source between two East Asian wide
    characters becomes nothing (the "segment break transformation" of CSS Text 4, section 4.1.3), and so does a `<br>`
    after full-width punctuation.

    >>> line, moved = clean("  growth\\u200b of\\n 5% ")
    >>> line, line[moved.new(14):]
    ('growth of 5%', '5%')
    """
    moves = Moves()
    line = raw.strip()
    if is_clean(line):  # only the edges are to be cut: nearly always
        begin = len(raw) - len(raw.lstrip())
        if begin:
            moves.cut(0, begin, 0)
        moves.cut(begin + len(line), len(raw), 0)
        return line, moves
    pieces: list[str] = []
    done = 0
    for match in _RUN.finditer(raw):
        begin, end = match.span()
        run = match[0]
        blank = ""
        if begin and end < len(raw) and (run == " " or _BLANK.search(run)):
            soft = "\n" in run and _SOFT.fullmatch(_UNSEEN.sub("", run))
            welded = soft and _WELDS.fullmatch(raw[begin - 1] + raw[end])
            blank = "" if welded or (LINE_BREAK in run and raw[begin - 1] in _WIDE_STOPS) else " "
        pieces.append(raw[done:begin])
        pieces.append(blank)
        moves.cut(begin, end, len(blank))
        done = end
    pieces.append(raw[done:])
    return "".join(pieces), moves


def verbatim(raw: str) -> tuple[str, Moves]:
    """Like `clean`, for a line of code: only invisible characters, and white space at the end, are removed."""
    pieces: list[str] = []
    moves = Moves()
    kept = raw.rstrip()
    done = 0
    for match in _UNSEEN_IN_CODE.finditer(kept):
        pieces.append(kept[done : match.start()])
        moves.cut(match.start(), match.end(), 0)
        done = match.end()
    pieces.append(kept[done:])
    moves.cut(len(kept), len(raw), 0)
    return "".join(pieces), moves


def clean_line(raw: str) -> str:
    """Remove superfluous white space, control characters and zero-width characters from one line of text.

    >>> clean_line("　　甲公司\\n公告：  net\\tprofit\\u200b ")
    '甲公司公告： net profit'
    """
    return raw if is_clean(raw) else clean(raw)[0]


def has_control(raw: str) -> bool:
    """Whether the text has control characters or bidirectional overrides.

    >>> has_control("a\\tb"), has_control("a\\x00b")
    (False, True)
    """
    return _CONTROL.search(raw) is not None


def without_controls(raw: str) -> str:
    """Remove control characters and bidirectional overrides.

    >>> without_controls("a\\x00\\tb")
    'a\\tb'
    """
    return _CONTROL.sub("", raw)


def trimmed(line: str, start: int, end: int) -> tuple[int, int]:
    """The span `line[start:end]` without the white space at its edges.

    >>> trimmed("a b c", 1, 4)
    (2, 3)
    """
    while start < end and line[start].isspace():
        start += 1
    while start < end and line[end - 1].isspace():
        end -= 1
    return start, end
