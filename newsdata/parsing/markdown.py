"""Read Markdown as Jekyll sites write it.

markdown-it-py reads CommonMark with tables and strikethrough. What Liquid and kramdown add is handled before that:

- Liquid (`{% … %}`, `{{ … }}`) stays as written, including whole `highlight`, `raw` and `comment` blocks.
- kramdown's attribute lists (`{: .lead}`), extensions (`{::comment}`), header ids (`{#id}`) and tables of contents are
  dropped.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape

from markdown_it import MarkdownIt

from .html import Reading, read_html, read_text
from .white_space import without_controls

__all__ = ["MAX_LENGTH", "read_markdown"]

MAX_LENGTH = 500_000
"""Markdown of more characters is read as plain text. At worst, parsing takes 10 us a character."""
_MAX_BRACKETS = 20_000  # for each `[`, the parser can look through the rest of the body

_LIQUID = re.compile(r"\{[{%]")
_LIQUID_BLOCK = re.compile(r"\{%-?\s*(highlight|raw|comment)\b")
_LIQUID_BLOCK_ENDS = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("highlight", "raw", "comment")}
_PRIVATE_USE = range(0xE000, 0xF900)

_FENCE = re.compile(r"[ >]*(`{3,}|~{3,})")
_TOC_ITEM = re.compile(r" {0,3}(?:[*+-]|1\.)[ \t]")
_ATTRIBUTE_LINE = re.compile(r"[ >]{0,5}\{:(?:[^{}=\n]|=(?!>))*\}[ \t]*")
_ATTRIBUTE = r"""(?:[.\#][\w-]+|[\w-]+=(?:"[^"\n]*"|'[^'\n]*'))"""
_ATTRIBUTES = re.compile(rf"""(?<=[)\]*_`">])\{{:[ ]?{_ATTRIBUTE}(?:[ ]+{_ATTRIBUTE})*[ ]?\}}""")
_HEADER_ID = re.compile(r"( {0,3}#{1,6}[ \t][^\n]*?)[ \t]*\{#[\w-]+\}[ \t]*")
_COMMENT_ENDS = ("{:/comment}", "{:/}")


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    # Addresses stay as written. `read_html` drops those that would run code.
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


def read_markdown(body: str) -> tuple[Reading, bool]:
    """Read a Markdown body. Returns the reading, and whether something of kramdown's was dropped.

    >>> reading, kramdown = read_markdown("# News\\n{: .big}\\n\\nSee [*all*](/all/) at {{ site.title }}.\\n")
    >>> reading.text, kramdown
    ('News\\nSee all at {{ site.title }}.', True)
    """
    clean = without_controls(body)
    mark = next((chr(code) for code in _PRIVATE_USE if chr(code) not in clean), None)
    if len(clean) > MAX_LENGTH or clean.count("[") > _MAX_BRACKETS or mark is None:
        return read_text(body)._replace(broken=True), False
    source, liquid = _without_liquid(clean, mark)
    source, kramdown = _without_kramdown(source)
    html: str = _parser().render(source)
    if liquid:
        html = re.sub(f"{mark}([0-9]+){mark}", lambda match: _restored(liquid[int(match[1])]), html)
    reading = read_html(html, archive=False)
    return (reading._replace(control=True) if clean != body else reading), kramdown


def _without_liquid(body: str, mark: str) -> tuple[str, list[str]]:
    """Replace each piece of Liquid by its number between two `mark`s, a word to Markdown. Returns the pieces, too."""
    out: list[str] = []
    pieces: list[str] = []
    unclosed: set[str] = set()
    done = at = 0
    while (found := _LIQUID.search(body, at)) is not None:
        start = found.start()
        close = "}}" if found[0] == "{{" else "%}"
        end = -1 if close in unclosed else body.find(close, start + 2)
        if end < 0:
            unclosed.add(close)
            at = start + 2
            continue
        at = end + 2
        block = _LIQUID_BLOCK.match(body, start)
        if block is not None and block[1] not in unclosed:
            block_end = _LIQUID_BLOCK_ENDS[block[1]].search(body, at)
            if block_end is None:
                unclosed.add(block[1])
            else:
                at = block_end.end()
        out.append(body[done:start])
        out.append(f"{mark}{len(pieces)}{mark}")
        pieces.append(body[start:at])
        done = at
    out.append(body[done:])
    return "".join(out), pieces


def _restored(liquid: str) -> str:
    written = escape(liquid)
    return f"<pre>{written}</pre>" if "\n" in liquid else written


def _without_kramdown(source: str) -> tuple[str, bool]:
    if "{:" not in source and "{#" not in source:
        return source, False
    lines: list[str] = []
    found = False
    fence = ""
    in_comment = False
    text = source.split("\n")
    last_comment_end = max((i for i, line in enumerate(text) if line.strip() in _COMMENT_ENDS), default=-1)
    for number, line in enumerate(text):
        if in_comment:
            if line.strip() in _COMMENT_ENDS:
                in_comment = False
            continue
        opened = _FENCE.match(line)
        if opened is not None and (not fence or opened[1].startswith(fence)):
            fence = "" if fence else opened[1]
        elif fence or line.startswith(("    ", "\t")):
            pass
        elif _ATTRIBUTE_LINE.fullmatch(line):
            found = True
            if line.strip() == "{::comment}" and number < last_comment_end:
                in_comment = True
            elif line.strip() in ("{:toc}", "{: toc}") and lines and _TOC_ITEM.match(lines[-1]):
                lines.pop()
            continue
        else:
            plain = _HEADER_ID.sub(r"\1", line) if line.endswith("}") and _HEADER_ID.fullmatch(line) else line
            plain = _ATTRIBUTES.sub("", plain)
            found = found or plain != line
            line = plain
        lines.append(line)
    return "\n".join(lines), found
