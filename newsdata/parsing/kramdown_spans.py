"""Spans of Markdown as kramdown reads them: rules for markdown-it's inline parser.

An element is read up to its end. If it has none, its first characters are words, and what follows is read again. The
document limits how much is read twice, so time is linear.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html import escape
from html.entities import html5

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, newline, text

from .kramdown_document import ATTRIBUTES, BLANK, MAX_LEVEL, OPTIONS, Open, document_of, is_shown
from .kramdown_links import CHARACTER_REFERENCE, ESCAPED, read_autolink, read_footnote, read_link
from .kramdown_reading import SpanRule, flush, give_up, push_html, read_until, take_words
from .kramdown_tags import BLOCK_NAMES, CLOSING, end_tag, is_html, read_tag, shown

__all__ = ["use_spans"]


_SPACE = r"[ \t\n\r\f\v]"
_BACKTICKS = re.compile("`+")
_STRUCK = re.compile(rf"~~(?!{_SPACE}|~)(.*?[^ \t\n\r\f\v~])~~", re.DOTALL)
_EXTENSION = re.compile(rf"\{{::(\w+)(?:{_SPACE}({OPTIONS})|)(/)?\}}")
_ATTRIBUTE_LIST = re.compile(rf"\{{:({ATTRIBUTES})\}}")


def use_spans(parser: MarkdownIt) -> None:
    """Make the parser read spans as kramdown does."""
    rules: list[tuple[str, SpanRule]] = [
        ("kramdown_text", text),
        ("kramdown_newline", newline),
        ("kramdown_emphasis", _emphasis),
        ("kramdown_code", _code),
        ("kramdown_autolink", read_autolink),
        ("kramdown_html", _html),
        ("kramdown_footnote", read_footnote),
        ("kramdown_link", read_link),
        ("kramdown_math", _math),
        ("kramdown_attributes", _attributes),
        ("kramdown_entity", _entity),
        ("kramdown_escape", _escape),
        ("kramdown_struck", _struck),
    ]
    for name, rule in rules:
        parser.inline.ruler.push(name, rule)
    parser.inline.ruler.enableOnly([name for name, _ in rules])
    parser.inline.ruler2.enableOnly([])


# -------------------------------------------------------------------------------------------------- emphasis


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _after_word(state: StateInline) -> bool:
    """Whether a letter, or a letter and a hyphen, stands before the current place."""
    at = state.pos - 1
    if at > 0 and state.src[at] == "-":
        at -= 1
    return at >= 0 and _is_letter(state.src[at])


def _emphasis(state: StateInline, silent: bool) -> bool:
    start = state.pos
    mark = state.src[start]
    if mark not in "*_":
        return False
    double = state.src.startswith(mark, start + 1)
    name = "strong" if double else "em"
    marks = mark * (1 + double)
    document = document_of(state)
    if (
        (mark == "_" and _after_word(state))
        or state.src[start + len(marks) : start + len(marks) + 1] in BLANK
        or document.has_open(name)
        or document.effort < 0
    ):
        return take_words(state, marks)
    flush(state)
    tokens = len(state.tokens)
    around = document.open[-1].name if document.open else ""
    found = _emphasized(state, marks, name)
    if not found and double and around != "em":
        give_up(state, start, tokens, "")
        found = _emphasized(state, mark, "em")
    return found or give_up(state, start, tokens, marks)


def _emphasized(state: StateInline, marks: str, name: str) -> bool:
    """Read emphasis that starts at the current place. Returns whether it has an end."""
    source = state.src
    start = state.pos + len(marks)

    def ends() -> bool:
        at = state.pos
        if not source.startswith(marks, at) or at == start or source[at - 1] in BLANK:
            return False
        after = at + len(marks)
        if name == "em" and source.startswith(marks, after) and not source.startswith(marks, after + 1):
            return False
        return marks[0] != "_" or after == len(source) or unicodedata.category(source[after])[0] not in "LMN"

    document = document_of(state)
    state.push(f"{name}_open", name, 1)
    state.pos = start
    document.open.append(Open(name, len(state.tokens)))
    found = read_until(state, ends)
    document.open.pop()
    if found:
        flush(state)
        state.push(f"{name}_close", name, -1)
        state.pos += len(marks)
    return found


def _struck(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith("~~", state.pos) or document_of(state).effort < 0:
        return False
    match = _STRUCK.match(state.src, state.pos)
    if match is None:
        document_of(state).effort -= state.posMax - state.pos
        return False
    flush(state)
    document = document_of(state)
    around, document.open = document.open, [Open("html", len(state.tokens) + 1)]
    state.push("s_open", "del", 1)
    state.md.inline.parse(match[1], state.md, state.env, state.tokens)
    state.tokens_meta.extend([None] * (len(state.tokens) - len(state.tokens_meta)))
    state.push("s_close", "del", -1)
    document.open = around
    state.pos = match.end()
    return True


# ----------------------------------------------------------------------------------------- code, breaks, signs


def _code(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if source[start] != "`":
        return False
    run = _BACKTICKS.match(source, start)[0]  # type: ignore[index]
    after = start + len(run)
    if len(run) == 1 and (start == 0 or source[start - 1] in BLANK) and source[after : after + 1] in BLANK:
        return take_words(state, run)
    end = source.find(run, after)
    if end < 0:
        return take_words(state, run)
    code = source[after:end]
    if len(run) > 1:
        code = code.removeprefix(" ").removesuffix(" ")
    flush(state)
    state.push("code_inline", "code", 0).content = code
    state.pos = end + len(run)
    return True


def _math(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith("$$", state.pos):
        return False
    end = state.src.find("$$", state.pos + 2)
    if end < 0:
        return False
    push_html(state, escape(state.src[state.pos : end + 2]))
    state.pos = end + 2
    return True


def _entity(state: StateInline, silent: bool) -> bool:
    """A character reference. The HTML reader says what it means."""
    match = CHARACTER_REFERENCE.match(state.src, state.pos) if state.src[state.pos] == "&" else None
    if match is None or (match[0][1] != "#" and match[0][1:] not in html5):
        return False
    push_html(state, match[0])
    state.pos = match.end()
    return True


def _escape(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "\\":
        return False
    in_html = document_of(state).has_open("html")
    for mark in ("\\\\\n",) if in_html else ("\\\\\n", "\\\n"):
        if state.src.startswith(mark, state.pos):
            flush(state)
            state.push("hardbreak", "br", 0)
            state.pos += len(mark)
            return True
    match = ESCAPED.match(state.src, state.pos)
    if match is None:
        return False
    state.append_pending(match[1])
    state.pos += 2
    return True


# ------------------------------------------------------------------------------------ attribute lists, HTML


def _attributes(state: StateInline, silent: bool) -> bool:
    """An attribute list behind an element, or an extension."""
    if not state.src.startswith("{:", state.pos):
        return False
    document = document_of(state)
    extension = _EXTENSION.match(state.src, state.pos)
    if extension is not None:
        return _read_extension(state, extension)
    match = _ATTRIBUTE_LIST.match(state.src, state.pos)
    begin = document.open[-1].start if document.open else 0
    if match is None:
        return False
    if state.pending:
        if not state.pending.endswith(_SIGNS):
            return False
    elif len(state.tokens) <= begin or state.tokens[-1].type in _NO_ELEMENT:
        return False
    document.dropped = True
    state.pos = match.end()
    return True


_SIGNS = ('"', "'", "--", "...", "<<", ">>")  # elements to kramdown, which writes typographic signs for them
_NO_ELEMENT = ("text", "softbreak", "hardbreak")


def _read_extension(state: StateInline, extension: re.Match[str]) -> bool:
    name, end = extension[1], extension.end()
    content = ""
    if extension[3] is None:
        after = re.compile(rf"\{{:/(?:{name})?\}}").search(state.src, end)
        if after is None:
            return False
        content, end = state.src[end : after.start()], after.end()
    if name not in ("comment", "nomarkdown", "options"):
        return False
    if name == "nomarkdown" and is_shown(extension[2]):
        push_html(state, content)
    document_of(state).dropped = True
    state.pos = end
    return True


def _html(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if source[start] != "<":
        return False
    if source.startswith("<<", start):  # one sign to kramdown
        return take_words(state, "<<")
    if source.startswith("<!--", start):
        end = source.find("-->", start + 4) if state.html_terminator_last("-->") >= start + 4 else -1
        if end < 0:
            return False
        push_html(state, source[start : end + 3])
        state.pos = end + 3
        return True
    closing = CLOSING.match(source, start)
    if closing is not None:
        return take_words(state, closing[0])
    tag = read_tag(source, start)
    if tag is None:
        return False
    document = document_of(state)
    if tag.name in BLOCK_NAMES:
        return take_words(state, tag.html)
    push_html(state, shown(tag.name, tag.html))
    state.pos = start + len(tag.html)
    if not tag.empty and len(document.open) < MAX_LEVEL:
        raw = tag.content == "raw" or (document.open[-1:] != [] and document.open[-1].raw)
        if tag.markdown is not None and tag.markdown != "block":
            raw = tag.markdown == "raw"
        _read_element(state, tag.name, raw)
    return True


def _read_element(state: StateInline, name: str, raw: bool) -> None:
    """Read the content of an element, and its end. Without one, it ends with the block."""
    closing = re.compile(rf"</{re.escape(name)}[ \t\n\r\f\v]*>", re.IGNORECASE if is_html(name) else 0)
    document = document_of(state)
    opened = Open("html", len(state.tokens), raw)

    def ends() -> bool:
        return state.src[state.pos] == "<" and closing.match(state.src, state.pos) is not None

    document.open.append(opened)
    found = _read_raw(state, ends) if raw else read_until(state, ends)
    document.open.pop()
    push_html(state, end_tag(name))
    if found:
        state.pos = closing.match(state.src, state.pos).end()  # type: ignore[union-attr]


def _read_raw(state: StateInline, stop: Callable[[], bool]) -> bool:
    """Read HTML without Markdown in it up to where `stop` says."""
    while state.pos < state.posMax:
        if stop():
            return True
        if state.src[state.pos] == "<":
            if not _html(state, False):
                push_html(state, "&lt;")
                state.pos += 1
            continue
        end = state.src.find("<", state.pos)
        end = state.posMax if end < 0 else end
        push_html(state, state.src[state.pos : end])
        state.pos = end
    return False
