"""HTML tags as kramdown tells them from words, and what it reads as Markdown between them."""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

from .html_tags import ELEMENTS

__all__ = [
    "BLOCK_END",
    "BLOCK_NAMES",
    "BLOCK_START",
    "CLOSING",
    "COMMENT",
    "SPAN_NAMES",
    "Tag",
    "end_tag",
    "is_html",
    "read_tag",
    "shown",
]


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


SPAN_NAMES = _names(
    "a abbr acronym b big bdo br button cite code del dfn em i img input ins kbd label mark option q rb rbc rp rt rtc "
    "ruby samp select small span strong sub sup tt u var"
)
"""Elements that can stand in a paragraph. Every other one is a block."""
BLOCK_NAMES = _names(
    "address article aside applet body blockquote caption col colgroup dd div dl dt fieldset figcaption footer form h1 "
    "h2 h3 h4 h5 h6 header hgroup hr html head iframe legend menu li main map nav ol optgroup p pre section summary "
    "table tbody td th thead tfoot tr ul"
)
"""Elements whose tags are words if they stand in a paragraph."""
_VOID_NAMES = _names("area base br col command embed hr img input keygen link meta param source track wbr")
_HOLD_BLOCKS = _names(
    "address applet article aside blockquote body dd details div dl fieldset figure figcaption footer form header "
    "hgroup iframe li main map menu nav noscript object section summary td"
)
_HOLD_SPANS = _names(
    "a abbr acronym b bdo big button cite caption del dfn dt em h1 h2 h3 h4 h5 h6 i ins label legend optgroup p q rb "
    "rbc rp rt rtc ruby select small span strong sub sup th tt"
)
_HOLD_WORDS = _names("script style math option textarea pre code kbd samp var")
_NAMES = SPAN_NAMES | BLOCK_NAMES | _VOID_NAMES | _HOLD_BLOCKS | _HOLD_SPANS | _HOLD_WORDS
_NAME = r"[^\W\d][\w.\-]*+(?::[^\W\d][\w.\-]*+)?+"
_SPACE = r"[ \t\n\r\f\v]"
_VALUE = rf"""(?:{_SPACE}*+={_SPACE}*+(?:\w++|"[^"]*+"|'[^']*+'))?+"""
_OPENING = re.compile(rf"<({_NAME}){_SPACE}*+((?:(?<={_SPACE}){_NAME}{_VALUE}{_SPACE}*+)*+)(/)?>")
_MARKDOWN = re.compile(rf"""(?:^|{_SPACE})markdown{_SPACE}*={_SPACE}*(?:"([^"]*)"|'([^']*)'|(\w+))""", re.IGNORECASE)

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
CLOSING = re.compile(rf"</({_NAME}){_SPACE}*+>")
_SPANS = "|".join([*SPAN_NAMES, "script"])
BLOCK_START = re.compile(rf" {{0,3}}<(?!(?:{_SPANS})\b){_NAME}")
"""The start of a line that ends a paragraph."""
BLOCK_END = re.compile(rf" {{0,3}}</(?!(?:{_SPANS})\b){_NAME}{_SPACE}*>")


class Tag(NamedTuple):
    """The first tag of an element.

    Attributes:
        name: in small letters if HTML has it.
        html: as written.
        empty: whether the element has no content.
        content: what its content is by default: `block`, `span` or `raw` (no Markdown).
        markdown: what the attribute `markdown` says its content is; None without one.
    """

    name: str
    html: str
    empty: bool
    content: str
    markdown: str | None


def is_html(name: str) -> bool:
    """Whether HTML has an element of this name.

    >>> is_html("em"), is_html("EM"), is_html("blink")
    (True, False, False)
    """
    return name in _NAMES


def shown(name: str, html: str) -> str:
    """What a page has of a tag of this name.

    A browser hides a tag that names no element of HTML, and shows one whose name does not begin with a Latin letter.

    >>> shown("b", "<b>"), shown("id", "<id>"), shown("甲", "<甲>")
    ('<b>', '', '&lt;甲&gt;')
    """
    if name.lower() in ELEMENTS:
        return html
    return "" if name[0].isascii() and name[0].isalpha() else escape(html)


def end_tag(name: str) -> str:
    """The end tag of an element, nothing if HTML has no such element.

    >>> end_tag("b"), end_tag("id")
    ('</b>', '')
    """
    return f"</{name}>" if name.lower() in ELEMENTS else ""


def read_tag(source: str, at: int) -> Tag | None:
    """Read the tag that starts an element at this place; None if there is none.

    >>> read_tag('<DIV markdown="1">', 0)
    Tag(name='div', html='<DIV markdown="1">', empty=False, content='block', markdown='block')
    """
    match = _OPENING.match(source, at)
    if match is None:
        return None
    name = match[1]
    small = name.lower()
    if is_html(small):
        name = small
    content = "block" if name in _HOLD_BLOCKS else "span" if name in _HOLD_SPANS else "raw"
    markdown = None
    if "markdown" in match[2].lower() and (given := _MARKDOWN.search(match[2])) is not None:
        value = given[1] or given[2] or given[3]
        markdown = {"0": "raw", "1": content, "span": "span", "block": "block"}.get(value)
    return Tag(name, match[0], match[3] is not None or name in _VOID_NAMES, content, markdown)
