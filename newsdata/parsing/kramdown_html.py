"""HTML between the blocks of Markdown, as kramdown reads it: a rule for markdown-it's block parser.

An element goes to its end tag, whatever stands in it, blank lines included. Only an element with `markdown="1"`, `"span"`
or `"block"` has Markdown in it. What follows on the line of the end tag, or of a comment, is a block of its own.
"""

from __future__ import annotations

import re
from html import escape

from markdown_it.rules_block import StateBlock

from .kramdown_document import MAX_LEVEL, document_of, nested
from .kramdown_lines import line_at, mark_boundary, move_to
from .kramdown_tags import CLOSING, SPAN_NAMES, Tag, end_tag, is_html, read_tag, shown

__all__ = ["read_html_block"]

_START = re.compile(r" {0,3}<(?:[^\W\d]|!--|/)")
# To kramdown, the end of the line after such an element is a blank line.
_ENDS_LIKE_BLANK = re.compile(
    r"(?:</(?:script|style)[ \t\n]*>|/>|\A<(?:area|base|br|col|command|embed|hr|img|input|link|meta|param|source|track)"
    r"\b[^<>]*>)\n\Z",
    re.IGNORECASE,
)


def read_html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for HTML blocks."""
    at = begin = state.bMarks[start]
    if _START.match(state.src, at) is None:
        return False
    while (after := _read_piece(state, at)) is not None:
        at = after
        line = line_at(state, at, start, end)
        if line >= end or not state.src[at : state.eMarks[line]].strip(" \t"):
            state.line = line + 1
            if _ENDS_LIKE_BLANK.search(state.tokens[-1].content):
                mark_boundary(state, line + 1)
            return True
    if at == begin:
        return False
    move_to(state, line, at)
    return any(rule(state, line, end, False) for rule in state.md.block.ruler.getRules(""))


def _read_piece(state: StateBlock, at: int) -> int | None:
    """Read the comment or element that starts here. Returns where it ends; None if there is none."""
    source = state.src
    if source.startswith("<!--", at):
        document = document_of(state)
        end = source.find("-->", at + 4) if document.effort > 0 else -1
        if end < 0:
            document.effort -= len(source) - at
            return None
        state.push("html_block", "", 0).content = source[at : end + 3] + "\n"
        return end + 3
    while source.startswith(" ", at):
        at += 1
    tag = read_tag(source, at)
    if tag is None or tag.name.lower() in SPAN_NAMES:
        return None
    return _Element(state).read(tag, at)


class _Element:
    """An element and everything in it."""

    def __init__(self, state: StateBlock) -> None:
        self.state = state
        self.source = state.src
        self.out: list[str] = []
        self.open: list[str] = []

    def read(self, tag: Tag, at: int) -> int:
        """Write the element. Returns where it ends."""
        at = self._start(tag, at)
        while self.open:
            found = self.source.find("<", at)
            if found < 0:
                self.out.append(self.source[at:])
                at = len(self.source)
                self.out.extend(end_tag(name) for name in reversed(self.open))
                break
            self.out.append(self.source[at:found])
            at = self._piece(found)
        self._flush()
        return at

    def _flush(self) -> None:
        if self.out:
            self.state.push("html_block", "", 0).content = "".join(self.out) + "\n"
            self.out = []

    def _piece(self, at: int) -> int:
        """Read what starts with `<`. Returns where it ends."""
        for opening, closing in (("<!--", "-->"), ("<?", "?>")):
            if self.source.startswith(opening, at) and document_of(self.state).effort > 0:
                end = self.source.find(closing, at + len(opening))
                if end >= 0:
                    return end + len(closing)
                document_of(self.state).effort -= len(self.source) - at
        tag = read_tag(self.source, at)
        if tag is not None:
            return self._start(tag, at)
        found = CLOSING.match(self.source, at)
        if found is None:
            self.out.append("&lt;")
            return at + 1
        innermost = self.open[-1]
        if (found[1].lower() if is_html(innermost) else found[1]) == innermost:
            self.out.append(end_tag(self.open.pop()))
        else:  # an end tag that ends nothing is words
            self.out.append(escape(found[0]))
        return found.end()

    def _start(self, tag: Tag, at: int) -> int:
        """Read the first tag of an element; all of it, if its content is neither HTML nor to be read as such."""
        after = at + len(tag.html)
        self.out.append(shown(tag.name, tag.html))
        if tag.name in ("script", "style"):
            end = re.compile(rf"</{tag.name}[ \t\n]*>", re.IGNORECASE).search(self.source, after)
            stop = end.end() if end else len(self.source)
            self.out.append(self.source[after:stop])
            if end is None:
                self.out.append(f"</{tag.name}>")
            return stop
        if tag.empty:
            return after
        content = tag.content if document_of(self.state).parse_html and not self.open else "raw"
        content = tag.markdown or content
        if content != "raw" and self.state.level < MAX_LEVEL:
            return self._markdown(tag, content, after)
        self.open.append(tag.name)
        return after

    def _markdown(self, tag: Tag, content: str, after: int) -> int:
        """Read an element with Markdown in it, blocks or spans. Returns where it ends."""
        stop, end = self._end(tag, content, after)
        words = self.source[after:stop]
        self._flush()
        if content == "block":
            self.state.level += 1
            nested(self.state, words + "\n")
            self.state.level -= 1
        else:
            token = self.state.push("inline", "", 0)
            token.content = words.strip(" \t\n")
            token.children = []
        self.out.append(end_tag(tag.name))
        return end

    def _end(self, tag: Tag, content: str, after: int) -> tuple[int, int]:
        """Where the content of an element ends, and where its end tag does."""
        depth = 1
        for found in re.compile(rf"<(/)?{re.escape(tag.name)}(?![\w.:-])[^<>]*>", re.IGNORECASE).finditer(
            self.source, after
        ):
            depth += -1 if found[1] else 1 if content == "block" else 0
            if depth == 0:
                return found.start(), found.end()
        return len(self.source), len(self.source)
