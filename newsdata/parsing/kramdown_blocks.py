"""Blocks of Markdown as kramdown reads them, with its parser for GitHub's dialect: rules for markdown-it's block parser.

Lists, HTML and tables have modules of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from .kramdown_document import ATTRIBUTES, ID, MAX_LEVEL, OPTIONS, document_of, is_shown, link_id, nested
from .kramdown_html import read_html_block
from .kramdown_lines import (
    ATTRIBUTE_LINE,
    after_boundary,
    before_boundary,
    ends_lazy,
    ends_paragraph,
    indented_end,
    is_blank,
    is_end_mark,
    is_indented,
    line_at,
    mark_boundary,
    text_of,
)
from .kramdown_lists import read_definitions, read_list
from .kramdown_tables import read_table

__all__ = ["use_blocks"]

_Rule = Callable[[StateBlock, int, int, bool], bool]

_INDENT = re.compile(r"^(?:\t| {4})", re.MULTILINE)
_FENCE = re.compile(r" {0,3}((?:[~`])(?:[~`]){2,})[ \t]*(\S*)[ \t]*$", re.MULTILINE)
_QUOTE_MARK = re.compile(r"^ {0,3}> ?", re.MULTILINE)
_QUOTE = re.compile(r" {0,3}>")
_HEADING = re.compile(r"(#{1,6})[\t ]+([^\n]*)")
_HEADING_ID = re.compile(r"[\t ]\{#[^\W\d][\w.:\-]*\}$")
_CLOSING_MARKS = re.compile(r"[\t ]#+$")
_UNDERLINED = re.compile(r" {0,3}([^ \t\n][^\n]*)\n([-=])[-=]*[ \t\r\f\v]*$", re.MULTILINE)
_RULE = re.compile(r" {0,3}([*\-_])[ \t]*\1[ \t]*\1(?:\1|[ \t])*$", re.MULTILINE)
_MATH = re.compile(r" {0,3}(\\)?\$\$")
_FOOTNOTE = re.compile(rf" {{0,3}}\[\^({ID})\]:")
_LINK = re.compile(
    r"""[ ]{0,3}\[([^\n\]]{1,999})\]:[ \t]*+(?:<([^\n>]*)>|(?=[^ \t\n])([^\n]{1,4000}?))
        (?:(?:[ \t]*\n|[ \t]+)[ \t]*(["'])([^\n]{1,4000}?)\4)?[ \t]*$""",
    re.MULTILINE | re.VERBOSE,
)
_LINK_START = re.compile(r" {0,3}\[[^\n\]]{1,999}\]:")
_ABBREVIATION = re.compile(r" {0,3}\*\[[^\n]+?\]:")
_NAMED_ATTRIBUTES = re.compile(rf" {{0,3}}\{{:{ID}:{ATTRIBUTES}\}}[ \t]*$", re.MULTILINE)
_EXTENSION = re.compile(rf" {{0,3}}\{{::(\w+)(?:[ \t\n]({OPTIONS})|)(/)?\}}[ \t]*$", re.MULTILINE)
_PARSE_HTML = re.compile(r"""parse_block_html=["']true["']""")


def use_blocks(parser: MarkdownIt) -> None:
    """Make the parser read blocks as kramdown does."""
    rules: list[tuple[str, _Rule]] = [
        ("kramdown_code", _code),
        ("kramdown_fence", _fence),
        ("kramdown_quote", _quote),
        ("kramdown_heading", _heading),
        ("kramdown_rule", _rule),
        ("kramdown_list", read_list),
        ("kramdown_definitions", read_definitions),
        ("kramdown_html", read_html_block),
        ("kramdown_underlined", _underlined),
        ("kramdown_math", _math),
        ("kramdown_table", read_table),
        ("kramdown_footnote", _footnote),
        ("kramdown_link", _link),
        ("kramdown_abbreviation", _abbreviation),
        ("kramdown_attributes", _attributes),
        ("kramdown_end", _end),
        ("kramdown_paragraph", _paragraph),
    ]
    for name, rule in rules:
        parser.block.ruler.push(name, rule)
    parser.block.ruler.enableOnly([name for name, _ in rules])


def _push_inline(state: StateBlock, tag: str, kind: str, content: str) -> None:
    state.push(f"{kind}_open", tag, 1)
    token = state.push("inline", "", 0)
    token.content = content
    token.children = []
    state.push(f"{kind}_close", tag, -1)


# --------------------------------------------------------------------------------------------- code, quotes


def _code(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if not is_indented(state, start):
        return False
    state.line = indented_end(state, start, end)
    code = state.src[state.bMarks[start] : state.eMarks[state.line - 1]]
    code = re.sub(r"\n( {0,3}[^ \t\n])", r" \1", code)
    state.push("code_block", "code", 0).content = _INDENT.sub("", code) + "\n"
    return True


def _fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    match = _FENCE.match(state.src, state.bMarks[start])
    document = document_of(state)
    if match is None or document.effort < 0:
        return False
    marks = match[1]
    for size in (len(marks), 3):  # a shorter fence, with the other marks as the name of the language
        closing = re.compile(rf"^ {{0,3}}{re.escape(marks[:size])}{re.escape(marks[size - 1])}*[ \t]*$", re.MULTILINE)
        found = closing.search(state.src, match.end() + 1)
        if found is not None:
            break
        document.effort -= len(state.src) - match.end()
    else:
        return False
    state.push("code_block", "code", 0).content = state.src[match.end() + 1 : found.start()]
    state.line = line_at(state, found.end(), start, end) + 1
    return True


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if _QUOTE.match(state.src, state.bMarks[start]) is None or state.level >= MAX_LEVEL:
        return False
    line = start + 1
    while line < end and not ends_lazy(state, line):
        line += 1
    state.push("blockquote_open", "blockquote", 1)
    nested(state, _QUOTE_MARK.sub("", state.src[state.bMarks[start] : state.eMarks[line - 1]]) + "\n")
    state.push("blockquote_close", "blockquote", -1)
    state.line = line
    return True


# ------------------------------------------------------------------------------------------ headings, rules


def _heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    match = _HEADING.match(state.src, state.bMarks[start])
    if match is None:
        return False
    return _push_heading(state, f"h{len(match[1])}", _CLOSING_MARKS.sub("", _without_id(state, match[2])), start + 1)


def _underlined(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    match = _UNDERLINED.match(state.src, state.bMarks[start])
    if match is None or not after_boundary(state, start):
        return False
    return _push_heading(state, "h2" if match[2] == "-" else "h1", _without_id(state, match[1]), start + 2)


def _without_id(state: StateBlock, heading: str) -> str:
    heading = heading.rstrip(" \t\f\v")
    match = _HEADING_ID.search(heading) if heading.endswith("}") else None
    if match is None:
        return heading
    document_of(state).dropped = True
    return heading[: match.start()].rstrip(" \t")


def _push_heading(state: StateBlock, tag: str, heading: str, after: int) -> bool:
    if not heading.strip(" \t"):
        return False
    _push_inline(state, tag, "heading", heading.strip(" \t"))
    state.line = after
    return True


def _rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if _RULE.match(state.src, state.bMarks[start]) is None:
        return False
    state.push("hr", "hr", 0)
    state.line = start + 1
    return True


def _math(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    match = _MATH.match(state.src, state.bMarks[start])
    if match is None or match[1] or not after_boundary(state, start):
        return False
    close = state.src.find("$$", match.end())
    if close < 0:
        return False
    line = line_at(state, close, start, end)
    if state.src[close + 2 : state.eMarks[line]].strip(" \t") or not before_boundary(state, line + 1, end):
        return False
    state.push("code_block", "code", 0).content = state.src[match.start() : close + 2].lstrip(" ") + "\n"
    state.line = line + 1
    return True


# ---------------------------------------------------------------------------------------------- definitions


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    match = _FOOTNOTE.match(state.src, state.bMarks[start])
    if match is None or state.level >= MAX_LEVEL:
        return False
    state.line = indented_end(state, start + 1, end)
    tokens: list[Token] = []
    nested(state, _INDENT.sub("", state.src[match.end() : state.eMarks[state.line - 1]].lstrip(" \t")) + "\n", tokens)
    document_of(state).footnotes[match[1]] = tokens
    return True


def _link(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if _LINK_START.match(state.src, state.bMarks[start]) is None:
        return False
    match = _LINK.match(state.src, state.bMarks[start])
    if match is None or (match[3] and re.search(r"""[ \t]["']""", match[3])):
        return False
    document_of(state).links[link_id(match[1])] = match[2] if match[3] is None else match[3]
    state.line = line_at(state, match.end(), start, end) + 1
    return True


def _abbreviation(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if _ABBREVIATION.match(state.src, state.bMarks[start]) is None:
        return False
    document_of(state).dropped = True
    state.line = start + 1
    return True


# --------------------------------------------------------------------------- attribute lists, ends, paragraphs


def _attributes(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    at = state.bMarks[start]
    if not text_of(state, start).lstrip(" ").startswith("{:"):
        return False
    document = document_of(state)
    match = _NAMED_ATTRIBUTES.match(state.src, at)
    if match is None:
        extension = _EXTENSION.match(state.src, at)
        if extension is not None:
            return _read_extension(state, extension, start, end)
        match = ATTRIBUTE_LINE.match(state.src, at)
        if match is None:
            return False
        state.line = line_at(state, match.end(), start, end) + 1
        _read_attributes(state, match[1], start)
    document.dropped = True
    state.line = line_at(state, match.end(), start, end) + 1
    if document.boundary == (len(state.tokens), start):
        mark_boundary(state, state.line)
    return True


def _read_attributes(state: StateBlock, attributes: str, start: int) -> None:
    """Read an attribute list: it belongs to the block before it, or to the next one if a blank line is before it."""
    document = document_of(state)
    contents = not {"toc", "footnotes"}.isdisjoint(attributes.split())
    if after_boundary(state, start):
        mark_boundary(state, start)
        if contents or document.contents == (len(state.tokens), start):
            document.contents = (len(state.tokens), _next_block(state, start))
    elif contents and state.tokens and state.tokens[-1].type == "list_close":
        opened = len(state.tokens) - 1
        while state.tokens[opened].type != "list_open" or state.tokens[opened].level != state.tokens[-1].level:
            opened -= 1
        del state.tokens[opened:]


def _next_block(state: StateBlock, start: int) -> int:
    """The line of the block that an attribute list belongs to. Blank lines may only follow it if one is before it."""
    line = state.line
    while start > 0 and is_blank(state, start - 1) and line < state.lineMax and is_blank(state, line):
        line += 1
    return line


def _read_extension(state: StateBlock, extension: re.Match[str], start: int, end: int) -> bool:
    name, after = extension[1], extension.end()
    content = ""
    if name not in ("comment", "nomarkdown", "options"):
        return False
    if extension[3] is None:
        closing = re.compile(rf"^ {{0,3}}\{{:/(?:{name})?\}}[ \t]*$", re.MULTILINE)
        found = closing.search(state.src, after)
        if found is None:
            document_of(state).effort -= len(state.src) - after
            return False
        content, after = state.src[extension.end() : found.start()], found.end()
    if name == "options" and _PARSE_HTML.search(extension[2] or ""):
        document_of(state).parse_html = True
    if name == "nomarkdown" and is_shown(extension[2]):
        state.push("html_block", "", 0).content = content + "\n"
    document_of(state).dropped = True
    state.line = line_at(state, after, start, end) + 1
    return True


def _end(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if not is_end_mark(state, start):
        return False
    document_of(state).dropped = True
    state.line = start + 1
    mark_boundary(state, start + 1)
    return True


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    line = start + 1
    while line < end and not ends_paragraph(state, line):
        line += 1
    content = state.src[state.bMarks[start] : state.eMarks[line - 1]].rstrip(" \t\n\r\f\v")
    document = document_of(state)
    if document.paragraph == (len(state.tokens), start) and not is_blank(state, start - 1):
        state.tokens[-2].content += "\n" + content
    else:
        _push_inline(state, "p", "paragraph", content.lstrip(" \t\n\r\f\v"))
    document.paragraph = (len(state.tokens), line)
    state.line = line
    return True
