"""Lines of a body, and the lines at which kramdown ends a block."""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock

from .kramdown_document import ATTRIBUTES, document_of
from .kramdown_tags import BLOCK_END, BLOCK_START

__all__ = [
    "ATTRIBUTE_LINE",
    "after_boundary",
    "before_boundary",
    "ends_lazy",
    "ends_paragraph",
    "ends_with_html",
    "indented_end",
    "is_blank",
    "is_end_mark",
    "is_indented",
    "is_list",
    "line_at",
    "mark_boundary",
    "move_to",
    "text_of",
]

ATTRIBUTE_LINE = re.compile(rf" {{0,3}}\{{:(?![:/])({ATTRIBUTES})\}}[ \t]*$", re.MULTILINE)
_END_MARK = re.compile(r"\^[ \t]*$", re.MULTILINE)
_LIST = re.compile(r" {0,3}(?:[+*-]|\d+\.)[\t |]", re.ASCII)
_PARAGRAPH_END = re.compile(r" {0,3}(?:(?:[+*-]|[0-9]+\.|:)[\t |]|>|[~`]{3})|#{1,6}[\t ]")
_INDENT = re.compile(r"(?:\t| {4})")


def text_of(state: StateBlock, line: int) -> str:
    """A line, without its end."""
    return state.src[state.bMarks[line] : state.eMarks[line]]


def is_blank(state: StateBlock, line: int) -> bool:
    """Whether a line has nothing but blanks."""
    return not text_of(state, line).strip(" \t\f\v")


def is_list(state: StateBlock, line: int) -> bool:
    """Whether a line looks like the first of a list item."""
    return _LIST.match(state.src, state.bMarks[line]) is not None


def is_indented(state: StateBlock, line: int) -> bool:
    """Whether a line is indented like code."""
    return _INDENT.match(state.src, state.bMarks[line]) is not None and not is_blank(state, line)


def is_end_mark(state: StateBlock, line: int) -> bool:
    """Whether a line is `^`, which ends a block."""
    return _END_MARK.match(state.src, state.bMarks[line]) is not None


def ends_with_html(source: str, at: int) -> bool:
    """Whether a line that starts here starts or ends an HTML block."""
    return BLOCK_START.match(source, at) is not None or BLOCK_END.match(source, at) is not None


def ends_lazy(state: StateBlock, line: int) -> bool:
    """Whether a line is not a lazy continuation of the block before it."""
    at = state.bMarks[line]
    return (
        is_blank(state, line)
        or is_end_mark(state, line)
        or ATTRIBUTE_LINE.match(state.src, at) is not None
        or ends_with_html(state.src, at)
    )


def ends_paragraph(state: StateBlock, line: int) -> bool:
    """Whether a line ends the paragraph before it."""
    return _PARAGRAPH_END.match(state.src, state.bMarks[line]) is not None or ends_lazy(state, line)


def after_boundary(state: StateBlock, line: int) -> bool:
    """Whether a block can start at this line that must not follow another one directly."""
    if document_of(state).boundary == (len(state.tokens), line):
        return True
    if line == 0:
        return state.bMarks[0] == 0
    return is_blank(state, line - 1) and state.bMarks[line] == state.eMarks[line - 1] + 1


def before_boundary(state: StateBlock, line: int, end: int) -> bool:
    """Whether a block can end before this line that must not be followed by another one directly."""
    return (
        line >= end
        or is_blank(state, line)
        or is_end_mark(state, line)
        or ATTRIBUTE_LINE.match(state.src, state.bMarks[line]) is not None
    )


def mark_boundary(state: StateBlock, line: int) -> None:
    """Let the block that starts at this line follow as if a blank line stood before it."""
    document_of(state).boundary = (len(state.tokens), line)


def indented_end(state: StateBlock, line: int, end: int) -> int:
    """The line after the indented lines that start here, with blank lines between them and their lazy continuations."""
    stop = line
    inside = False
    while line < end:
        if is_blank(state, line):
            inside = False
        elif is_indented(state, line):
            inside, stop = True, line + 1
        elif inside and not ends_lazy(state, line):
            stop = line + 1
        else:
            break
        line += 1
    return stop


def line_at(state: StateBlock, at: int, start: int, end: int) -> int:
    """The line that a place in the source is in, at least `start`; `end` if it is behind the last one."""
    low, high = start, end
    while low < high:
        middle = (low + high) // 2
        if state.eMarks[middle] < at:
            low = middle + 1
        else:
            high = middle
    return low


def move_to(state: StateBlock, line: int, at: int) -> None:
    """Let a line start at a later place."""
    state.bMarks[line] = at
    rest = text_of(state, line)
    blanks = len(rest) - len(rest.lstrip(" \t"))
    state.tShift[line] = blanks
    state.sCount[line] = len(rest[:blanks].expandtabs(4))
