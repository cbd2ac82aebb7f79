"""Links, images and footnotes of Markdown as kramdown reads them: rules for markdown-it's inline parser."""

from __future__ import annotations

import re
from html import escape, unescape

from markdown_it.rules_inline import StateInline

from .kramdown_document import ID, MAX_LEVEL, Open, document_of, link_id
from .kramdown_reading import flush, give_up, push_html, read_until, take_words

__all__ = ["CHARACTER_REFERENCE", "ESCAPED", "read_autolink", "read_footnote", "read_link"]

_SPACE = r"[ \t\n\r\f\v]"
ESCAPED = re.compile(r"\\([\\.*_+`<>()\[\]{}#!:|\"'$=\-~])")
_AUTOLINK = re.compile(r"<((mailto|https?|ftps?):[^\n>]++|[\w.\-]+?@[\w.\-]+?)>")
_FOOTNOTE = re.compile(rf"\[\^({ID})\]")
_REFERENCE = re.compile(rf"{_SPACE}*?\[([^\]]+)?\]")
_ANGLE_ADDRESS = re.compile(r"\(<([^\n]*?)>")
_ADDRESS_STOP = re.compile(rf"(\()|(\))|{_SPACE}(?=['\"])")
_TITLE = re.compile(rf"{_SPACE}*?([\"'])(.+?)\1{_SPACE}*?\)", re.DOTALL)
CHARACTER_REFERENCE = re.compile(r"&(?:[A-Za-z0-9_:][-A-Za-z0-9_.:]*|#\d+|#x[0-9a-fA-F]+);")


def read_autolink(state: StateInline, silent: bool) -> bool:
    """The rule for an address in `<>`."""
    if state.src[state.pos] != "<" or state.html_terminator_last(">") < state.pos:
        return False
    match = _AUTOLINK.match(state.src, state.pos)
    if match is None:
        return False
    address = match[1] if match[2] else f"mailto:{match[1]}"
    flush(state)
    state.push("link_open", "a", 1).attrSet("href", _decoded(address))
    state.push("text", "", 0).content = _decoded(match[1].removeprefix("mailto:"))
    state.push("link_close", "a", -1)
    state.pos = match.end()
    return True


def _decoded(address: str) -> str:
    """An address, which may have character references."""
    return CHARACTER_REFERENCE.sub(lambda match: unescape(match[0]), address)


def _defined(state: StateInline) -> re.Match[str] | None:
    """The mark of a defined footnote at the current place."""
    match = _FOOTNOTE.match(state.src, state.pos) if state.src[state.pos] == "[" else None
    return match if match and match[1] in document_of(state).footnotes else None


def read_footnote(state: StateInline, silent: bool) -> bool:
    """The rule for the mark of a footnote. One that is not defined is words."""
    match = _defined(state)
    if match is None:
        return False
    document = document_of(state)
    number = document.numbers.setdefault(match[1], len(document.numbers) + 1)
    push_html(state, f"<sup>{number}</sup>")
    state.pos = match.end()
    return True


def read_link(state: StateInline, silent: bool) -> bool:
    """The rule for links and images."""
    source, start = state.src, state.pos
    is_image = source.startswith("![", start)
    if not is_image and source[start] != "[":
        return False
    words = "![" if is_image else "["
    label = start + len(words)
    if label == len(source) or source[label] == "^":
        return False
    document = document_of(state)
    if document.effort < 0 or (not is_image and document.has_open("a", "img")) or len(document.open) >= MAX_LEVEL:
        return take_words(state, words)
    flush(state)
    tokens = len(state.tokens)
    opened = state.push("link_open", "a", 1)
    state.pos = label
    address = None
    if _read_label(state, "img" if is_image else "a"):
        address = _read_address(state, source[label : state.pos])
    if address is None:
        return give_up(state, start, tokens, words)
    if is_image:
        del state.tokens[tokens:], state.tokens_meta[tokens:]
        push_html(state, f'<img src="{escape(_decoded(address))}">')
        if document.open:
            document.open[-1].images += 1
    else:
        opened.attrSet("href", _decoded(address))
        state.push("link_close", "a", -1)
    return True


def _read_label(state: StateInline, name: str) -> bool:
    """Read the words of a link or image up to its bracket. Returns whether there is one."""
    document = document_of(state)
    opened = Open(name, len(state.tokens))
    count = 1

    def ends() -> bool:
        nonlocal count
        if _defined(state):
            return False
        if state.src[state.pos] == "]":
            count -= 1
        elif state.src[state.pos] == "[" or state.src.startswith("![", state.pos):
            count += 1
        else:
            return False
        return count == opened.images

    document.open.append(opened)
    found = read_until(state, ends)
    document.open.pop()
    flush(state)
    return found


def _read_address(state: StateInline, words: str) -> str | None:
    """Read what follows the words of a link: an address in parentheses, or a reference to a definition."""
    source = state.src
    at = state.pos + 1
    reference = _REFERENCE.match(source, at)
    if reference is not None or not source.startswith("(", at):
        state.pos = reference.end() if reference else at
        named = reference[1] if reference else None
        return document_of(state).links.get(link_id(named or ESCAPED.sub(r"\1", words)))
    angle = _ANGLE_ADDRESS.match(source, at)
    if angle is not None:
        address, at, depth = angle[1], angle.end(), 1
        if source.startswith(")", at):
            at, depth = at + 1, 0
    else:
        begin, depth = at, 0
        for stop in _ADDRESS_STOP.finditer(source, begin):
            at = stop.end()
            depth += 1 if stop[1] else -1 if stop[2] else 0
            if depth == 0 or not (stop[1] or stop[2]):
                break
        address = source[begin + 1 : at - 1].strip()
    state.pos = at
    if depth:
        title = _TITLE.match(source, at)
        state.pos = title.end() if title else len(source)
        if title is None:
            return None
    return address
