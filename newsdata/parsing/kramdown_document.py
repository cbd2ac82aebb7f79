"""What the rules of kramdown's Markdown share while a body is read: definitions, open elements, and limits of work."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from markdown_it.rules_block import StateBlock

if TYPE_CHECKING:
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

__all__ = [
    "ATTRIBUTES",
    "BLANK",
    "ID",
    "MAX_LEVEL",
    "OPTIONS",
    "Document",
    "Open",
    "document_of",
    "is_shown",
    "link_id",
    "nested",
]

MAX_LEVEL = 60
"""Blocks nested deeper are read as plain paragraphs, and spans nested deeper as words."""
_EFFORT = 50_000  # characters of any body that may be read again, on top of its own length

BLANK = tuple(" \t\n\r\f\v")
ID = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
"""The name of a footnote or of an attribute list, for a regular expression."""
ATTRIBUTES = r"(?:\\\}|[^}]){1,1000}+"
"""What stands between the braces of an attribute list. More characters than these are words."""
OPTIONS = r"(?:\\\}|[^}/]|/(?!\})){0,1000}+"
"""The same of an extension, which may end with a slash."""


@dataclass
class Open:
    """An element whose end was not read yet.

    Attributes:
        name: `em`, `strong`, `a`, `img`, or `html`.
        start: the number of tokens before its content.
        raw: whether Markdown in it is words.
        images: how many images are directly in it.
    """

    name: str
    start: int
    raw: bool = False
    images: int = 0


@dataclass
class Document:
    """A body that is being read.

    Attributes:
        effort: how many characters may still be read again after something turned out to have no end.
        links: the address of each link definition.
        footnotes: the tokens of each footnote definition.
        numbers: the footnotes that the text refers to, in order.
        open: the elements around the current place in a span.
        boundary: the number of tokens and the line after something that ends a block as a blank line does.
        paragraph: the number of tokens and the line after the last paragraph.
        contents: the line of a list that is only the place of a table of contents, with the number of tokens before it.
        parse_html: whether elements have Markdown in them without an attribute that says so.
        dropped: whether something of kramdown's was dropped.
    """

    effort: int
    links: dict[str, str] = field(default_factory=dict)
    footnotes: dict[str, list[Token]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    open: list[Open] = field(default_factory=list)
    boundary: tuple[int, int] = (-1, -1)
    paragraph: tuple[int, int] = (-1, -1)
    contents: tuple[int, int] = (-1, -1)
    parse_html: bool = False
    dropped: bool = False

    @classmethod
    def of(cls, length: int) -> Document:
        """A body of so many characters.

        >>> Document.of(10).effort
        50010
        """
        return cls(effort=length + _EFFORT)

    def has_open(self, *names: str) -> bool:
        """Whether one of these elements is around the current place."""
        return any(one.name in names for one in self.open)


def document_of(state: StateBlock | StateInline) -> Document:
    """The body that this state of the library belongs to."""
    return cast("Document", state.env["document"])


def link_id(words: str) -> str:
    """The words of a reference as link definitions are looked up by.

    >>> link_id("The  Report")
    'the report'
    """
    return re.sub(r"[ \t\n\r\f\v]+", " ", words).lower()


def is_shown(attributes: str | None) -> bool:
    """Whether a page has what stands in an extension `nomarkdown` with these attributes.

    >>> is_shown(None), is_shown('type="latex"')
    (True, False)
    """
    kinds = re.search(r"""type=["']([^"']+)["']""", attributes or "")
    return kinds is None or "html" in kinds[1].split()


def nested(state: StateBlock, text: str, tokens: list[Token] | None = None) -> None:
    """Read the blocks of `text`, which stands in a block of `state`, into its tokens, or into those given."""
    inner = StateBlock(text, state.md, state.env, state.tokens if tokens is None else tokens)
    inner.level = state.level
    state.md.block.tokenize(inner, 0, inner.lineMax)
    if tokens is not None:  # its places are those of another list of tokens
        document = document_of(state)
        document.boundary = document.paragraph = document.contents = (-1, -1)
