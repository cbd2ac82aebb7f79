"""Lists and definition lists of Markdown as kramdown reads them: rules for markdown-it's block parser."""

from __future__ import annotations

import re
from typing import NamedTuple

from markdown_it.rules_block import StateBlock

from .kramdown_document import ATTRIBUTES, MAX_LEVEL, document_of, nested
from .kramdown_lines import ATTRIBUTE_LINE, ends_with_html, is_blank, is_end_mark, is_list, text_of

__all__ = ["read_definitions", "read_list"]

_BULLET = re.compile(r"( {0,3}[+*-])([\t |].*)", re.DOTALL)
_NUMBER = re.compile(r"( {0,3}\d+\.)([\t |].*)", re.DOTALL | re.ASCII)
_DEFINITION = re.compile(r"( {0,3}:)([\t |].*)", re.DOTALL)
_RULE = re.compile(r" {0,3}([*\-_])[ \t]*\1[ \t]*\1(?:\1|[ \t])*$")
_ANY_ITEM = re.compile(r" {0,3}(?:[+*-]|\d+\.)[\t |]", re.ASCII)
_ITEM_ATTRIBUTES = re.compile(rf"\s*\{{:(?!(?:[\w-]+)?:|/)({ATTRIBUTES})\}}\s*", re.ASCII)
_TASK = re.compile(r"\s*\[[ xX]\]\s+")


class _Indent(NamedTuple):
    """How the lines of an item must be indented, in columns."""

    width: int

    def holds(self, line: str) -> bool:
        """Whether a line is indented far enough to belong to the item, whatever it says."""
        tabs, blanks = divmod(self.width, 4)
        return re.match(rf"(?:\t| {{4}}){{{tabs}}}(?: {{{blanks}}}|\t)", line) is not None

    def starts(self, line: str, marker: re.Pattern[str]) -> re.Match[str] | None:
        """Whether a line starts the next item."""
        match = marker.match(line)
        blanks = min(max(self.width - 1, 0), 3)
        return match if match and len(line) - len(line.lstrip(" ")) <= blanks else None


def _first_line(marker: str, rest: str) -> tuple[str, _Indent]:
    """The first line of an item without its marker, and the indentation of the lines that follow."""
    width = len(marker)
    attributes = _ITEM_ATTRIBUTES.match(rest)
    if not rest[attributes.end() if attributes else 0 :].strip(" \t"):
        width = 4
    else:
        blanks = rest[: len(rest) - len(rest.lstrip(" \t"))]
        column = width
        for blank in blanks:
            column += 4 - column % 4 if blank == "\t" else 1
        width = column
    rest = rest.lstrip(" \t")
    attributes = _ITEM_ATTRIBUTES.match(rest)
    return rest[attributes.end() if attributes else 0 :], _Indent(width)


def _is_lazy(state: StateBlock, line: int, indent: _Indent) -> bool:
    """Whether a line that is not indented continues the paragraph before it all the same."""
    at = state.bMarks[line]
    blanks = len(text_of(state, line)) - len(text_of(state, line).lstrip(" "))
    if blanks > min(indent.width, 3):
        return True
    return ATTRIBUTE_LINE.match(state.src, at) is None and not ends_with_html(state.src, at)


def _dedented(line: str, indent: _Indent) -> tuple[str, bool]:
    """A line of an item without the indentation of the item, and whether it had it."""
    tabs = len(line) - len(line.lstrip("\t"))
    line = " " * (4 * tabs) + line[tabs:]
    blanks = " " * indent.width
    return line.removeprefix(blanks), line.startswith(blanks)


# ---------------------------------------------------------------------------------------------------- lists


def read_list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for lists."""
    if not is_list(state, start) or state.level >= MAX_LEVEL:
        return False
    bullets = _BULLET.match(text_of(state, start)) is not None
    items, state.line = _items(state, start, end, _BULLET if bullets else _NUMBER)
    if document_of(state).contents == (len(state.tokens), start):
        return True
    tag = "ul" if bullets else "ol"
    state.push("list_open", tag, 1)
    for parts in items:
        state.push("list_item_open", "li", 1)
        first = len(state.tokens)
        for part in parts:
            nested(state, part)
        if len(state.tokens) > first and state.tokens[first].type == "paragraph_open":
            words = state.tokens[first + 1]
            words.content = _TASK.sub("", words.content, count=1) if _TASK.match(words.content) else words.content
        state.push("list_item_close", "li", -1)
    state.push("list_close", tag, -1)
    return True


def _items(state: StateBlock, start: int, end: int, marker: re.Pattern[str]) -> tuple[list[list[str]], int]:
    """The items of a list, each as the parts before and after its first inner list, and the line after the list."""
    items: list[list[list[str]]] = []
    indent = _Indent(4)
    inner = after_blank = False
    line = start
    while line < end:
        text = text_of(state, line)
        if after_blank and _RULE.match(text):
            break
        if is_end_mark(state, line):
            break
        begins = indent.starts(text, marker)
        if begins:
            first, indent = _first_line(begins[1], begins[2])
            items.append([[first + "\n"]])
            inner, after_blank = _ANY_ITEM.match(first) is not None, False
        elif is_blank(state, line):
            items[-1][-1].append("\n")
            inner = after_blank = True
        elif indent.holds(text) or (not after_blank and _is_lazy(state, line, indent)):
            text, indented = _dedented(text, indent)
            if _ANY_ITEM.match(text):
                if indented and not inner:
                    items[-1].append([])
                    inner = True
                elif inner and not indented:
                    text = " " * (indent.width + 4) + text
            items[-1][-1].append(text + "\n")
            after_blank = False
        else:
            break
        line += 1
    if line < end and is_end_mark(state, line):
        line += 1
    return [["".join(part) for part in item] for item in items], line


# --------------------------------------------------------------------------------------------- definition lists


def read_definitions(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for definition lists, whose terms are the paragraph before."""
    if _DEFINITION.match(text_of(state, start)) is None or state.level >= MAX_LEVEL:
        return False
    tokens, line = document_of(state).paragraph
    if tokens != len(state.tokens) or not (line == start or (line == start - 1 and is_blank(state, line))):
        return False
    terms = state.tokens[-2].content
    del state.tokens[-3:]
    state.push("dl_open", "dl", 1)
    for term in terms.split("\n"):
        state.push("dt_open", "dt", 1)
        token = state.push("inline", "", 0)
        attributes = _ITEM_ATTRIBUTES.match(term)
        token.content = term[attributes.end() if attributes else 0 :].strip(" \t")
        token.children = []
        state.push("dt_close", "dt", -1)
    texts, state.line = _definitions(state, start, end)
    for text in texts:
        state.push("dd_open", "dd", 1)
        nested(state, text)
        state.push("dd_close", "dd", -1)
    state.push("dl_close", "dl", -1)
    return True


def _definitions(state: StateBlock, start: int, end: int) -> tuple[list[str], int]:
    """The definitions that start at this line, and the line after them."""
    texts: list[list[str]] = []
    indent = _Indent(4)
    after_blank = False
    line = start
    while line < end and not is_end_mark(state, line):
        text = text_of(state, line)
        begins = indent.starts(text, _DEFINITION)
        if begins:
            first, indent = _first_line(begins[1], begins[2])
            texts.append([first + "\n"])
        elif is_blank(state, line):
            texts[-1].append("\n")
        elif indent.holds(text) or (not after_blank and _is_lazy(state, line, indent)):
            texts[-1].append(_dedented(text, indent)[0] + "\n")
        else:
            break
        after_blank = is_blank(state, line)
        line += 1
    return ["".join(text) for text in texts], line
