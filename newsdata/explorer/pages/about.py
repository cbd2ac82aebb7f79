"""The card of the version, and the other versions beside it.

The card may come from anywhere. markdown-it escapes all HTML in it and refuses addresses that run code; here pictures from
elsewhere become text, and inline styles, which the page's policy forbids, become classes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from ...storage.manifest import Manifest
from ..answers import Answer, Asked
from ..text_parts import visible
from ..view import View

__all__ = ["about", "picture_names", "render_card"]

_HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_PICTURE = re.compile(r"assets/[\w.-]+\.(?:svg|png)", re.ASCII)
_ALIGN = re.compile(r"text-align:(left|right|center)")


def about(asked: Asked) -> Answer:
    """The card."""
    asked.reader.end()
    view = asked.view
    card = render_card(view.readme, view.opened.manifest, asked.base)
    accounting = view.opened.manifest.accounting
    facts = {"card": card, "accounting": accounting, "changes": list(view.opened.manifest.changes)[::-1][:20]}
    data = {"total": 1, "facets": {}, "rows": [{"version": view.version, "card": view.readme} | _counts(view)]}
    return Answer(template="about", title="About", facts=facts, data=data)


def picture_names(manifest: Manifest) -> set[str]:
    """The pictures of the card that the version lists."""
    return {file.path for file in manifest.files if _PICTURE.fullmatch(file.path)}


def render_card(readme: str, manifest: Manifest, base: str) -> Markup:
    """The card as HTML: without its YAML header and comments, with the version's own pictures only."""
    text = _COMMENT.sub("", _HEADER.sub("", readme.replace("\r\n", "\n")))
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("image", _image)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    tokens = parser.parse(visible(text))
    _prepare(tokens)
    environment = {"pictures": picture_names(manifest), "base": base}
    # The one place where HTML is not made by a template: all text in it went through markdown-it's escaping.
    return Markup(parser.renderer.render(tokens, parser.options, environment))  # noqa: S704


def _image(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    token = tokens[at]
    source, words = str(token.attrs.get("src", "")), token.content
    if source in env["pictures"]:
        return str(Markup('<img src="{}/{}" alt="{}">').format(env["base"], source, words))
    return str(Markup('<span class="absent">[picture: {}; {}]</span>').format(words, source))


def _table_open(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    return '<div class="scroll" tabindex="0" role="region" aria-label="Table">\n<table>\n'


def _table_close(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    return "</table>\n</div>\n"


def _prepare(tokens: list[Token]) -> None:
    """Headings one level lower, because the page has its own; classes for styles; links that tell nobody where they came from."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        found = _ALIGN.search(str(token.attrs.pop("style", "")))
        if found:
            token.attrs["class"] = found[1]
        for child in token.children or ():
            if child.type == "link_open":
                child.attrs["rel"] = "noopener noreferrer nofollow"


def _counts(view: View) -> dict[str, Any]:
    accounting = view.opened.manifest.accounting
    return {
        name: accounting.get(name) for name in ("files_seen", "posts", "rejects", "ignored", "articles", "excluded")
    }
