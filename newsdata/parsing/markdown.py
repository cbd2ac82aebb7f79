"""Read Markdown as Jekyll sites write it: Liquid around kramdown's Markdown, with its parser for GitHub's dialect.

markdown-it-py is the parser. Its rules for blocks and spans are replaced by rules that read what kramdown reads:
`kramdown_blocks`, `kramdown_lists`, `kramdown_html`, `kramdown_tables` and `kramdown_spans`. Quotes, dashes and dots stay
as they were typed. docs/jekyll.md lists the differences.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from .html import Reading, read_html, read_text
from .kramdown_blocks import use_blocks
from .kramdown_document import Document
from .kramdown_spans import use_spans
from .liquid import read_liquid
from .white_space import without_controls

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore

__all__ = ["MAX_LENGTH", "read_markdown"]

MAX_LENGTH = 500_000
"""Markdown of more characters is read as plain text. At worst, parsing takes 10 us a character."""


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 1_000})
    use_blocks(parser)
    use_spans(parser)
    parser.core.ruler.push("kramdown_footnotes", _write_footnotes)
    # Addresses stay as written. `read_html` drops those that would run code.
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


def read_markdown(body: str) -> tuple[Reading, bool, bool]:
    """Read a Markdown body. Returns the reading, whether Liquid stays in it, and whether something of kramdown's went.

    >>> reading, liquid, kramdown = read_markdown("# News\\n{: .big}\\n\\nSee [*all*](/all/) at {{ site.title }}.\\n")
    >>> reading.text, liquid, kramdown
    ('News\\nSee all at {{ site.title }}.', True, True)
    """
    clean = without_controls(body)
    liquid = read_liquid(clean)
    if len(clean) > MAX_LENGTH or liquid is None:
        return read_text(body)._replace(broken=True), "{{" in body or "{%" in body, False
    document = Document.of(len(liquid.source))
    html: str = _parser().render(liquid.source, {"document": document})
    reading = read_html(liquid.restored(html), archive=False)
    return (reading._replace(control=True) if clean != body else reading), liquid.kept, document.dropped


def _write_footnotes(state: StateCore) -> None:
    """Write the footnotes that the text refers to, in the order in which it does, after it."""
    document: Document = state.env["document"]
    done = 0
    while done < len(document.numbers):
        for name in list(document.numbers)[done:]:
            for token in document.footnotes[name]:
                if token.children is not None:
                    state.md.inline.parse(token.content, state.md, state.env, token.children)
            state.tokens.extend(document.footnotes[name])
            done += 1
