"""Take Liquid out of a body before its Markdown is read.

Nothing is run. What follows from a tag alone becomes text; everything else stays as the author wrote it:

raw
    The two tags go. What stands between them is Markdown like the rest, but `{{ … }}` and `{% … %}` in it are words.
highlight
    The two tags go. What stands between them is a block of code, without the tags `raw` in it.
comment
    Goes, with everything in it.
post_url
    Its text is the name that the tag gives: `{% post_url 2021-03-01-a %}` is `2021-03-01-a`. The address depends on
    the settings of the site.
link
    Its text is the path that the tag gives, from the root of the site: `{% link img/a.png %}` is `/img/a.png`.
any other tag, and every variable
    Stays as written. The body is flagged. A tag alone on its line is a paragraph, since Jekyll leaves an empty line.
"""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

__all__ = ["Liquid", "read_liquid"]

_OPENING = re.compile(r"\{[{%]")
_TAG = re.compile(r"\{%-?\s*(\w+)\s*(.*?)\s*-?%\}", re.DOTALL)
_WRAPPERS = ("raw", "highlight", "comment")
_ENDS = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in _WRAPPERS}
_RAW = re.compile(r"\{%-?\s*raw\s*-?%\}")
_PRIVATE_USE = range(0xE000, 0xF900)
_BLANKS = " \t\n\r"


class Liquid(NamedTuple):
    """A body without Liquid.

    Attributes:
        source: the body. In place of each piece stands its number between two `mark`s, a word to Markdown.
        html: what to write for each piece.
        mark: a character that the body has nowhere.
        kept: whether a tag or variable stays as written.
    """

    source: str
    html: tuple[str, ...]
    mark: str
    kept: bool

    def restored(self, html: str) -> str:
        """The HTML that was made of `source`, with the pieces in it."""
        if not self.html:
            return html
        return re.sub(f"{self.mark}([0-9]+){self.mark}", lambda match: self.html[int(match[1])], html)


def read_liquid(body: str) -> Liquid | None:
    """Take the Liquid out of a body, in linear time. Returns None for a body that has every private-use character.

    >>> found = read_liquid("{% comment %}not yet{% endcomment %}See {% link a.md %} {{ page.x }}")
    >>> found.restored(found.source), found.kept
    ('See /a.md {{ page.x }}', True)
    """
    mark = next((chr(code) for code in _PRIVATE_USE if chr(code) not in body), None)
    return None if mark is None else _Reader(body, mark).read()


class _Reader:
    """One pass over a body."""

    def __init__(self, body: str, mark: str) -> None:
        self.body = body
        self.mark = mark
        self.out: list[str] = []
        self.html: list[str] = []
        self.kept = False
        self.unclosed: set[str] = set()

    def read(self) -> Liquid:
        at = 0
        while (found := _OPENING.search(self.body, at)) is not None:
            self.out.append(self.body[at : found.start()])
            at = self._piece(found.start())
        self.out.append(self.body[at:])
        return Liquid(self._apart("".join(self.out)), tuple(self.html), self.mark, self.kept)

    def _apart(self, source: str) -> str:
        """Put blank lines around tags that stand alone on their line."""
        if not self.kept:
            return source
        piece = f"{self.mark}([0-9]+){self.mark}"
        alone = re.compile(rf"^[ \t]*(?:{piece}[ \t]*)+$", re.MULTILINE)

        def apart(line: re.Match[str]) -> str:
            tags = all(self.html[int(found[1])].startswith("{%") for found in re.finditer(piece, line[0]))
            return f"\n{line[0]}\n" if tags else line[0]

        return alone.sub(apart, source)

    def _piece(self, start: int) -> int:
        """Read what starts at `start`. Returns where it ends."""
        end = self._end(start)
        if end is None:
            self.out.append(self.body[start : start + 2])
            return start + 2
        written = self.body[start:end]
        tag = _TAG.fullmatch(written)
        name = tag[1] if tag else ""
        if name in _WRAPPERS:
            after = None if name in self.unclosed else self._end_tag(name, end)
            if after is not None:
                self._block(name, written, self.body[end : after.start()], after[0])
                return self._after(after[0], after.end())
            self.unclosed.add(name)
        elif tag and name in ("post_url", "link") and tag[2]:
            path = tag[2].strip("\"'")
            self._trim(written)
            self._mark(escape(path if name == "post_url" else "/" + path.lstrip("/")))
            return self._after(written, end)
        self.kept = True
        self._mark(escape(written))
        return end

    def _end(self, start: int) -> int | None:
        close = "}}" if self.body.startswith("{{", start) else "%}"
        end = -1 if close in self.unclosed else self.body.find(close, start + 2)
        if end < 0:
            self.unclosed.add(close)
            return None
        return end + 2

    def _end_tag(self, name: str, at: int) -> re.Match[str] | None:
        """The tag that ends a block whose content starts here. In a `highlight`, words in a `raw` end nothing."""
        found = _ENDS[name].search(self.body, at)
        while name == "highlight" and found is not None and "raw" not in self.unclosed:
            raw = _RAW.search(self.body, at, found.start())
            if raw is None:
                break
            after = _ENDS["raw"].search(self.body, raw.end())
            if after is None:
                self.unclosed.add("raw")
                break
            at = after.end()
            if at > found.start():
                found = _ENDS[name].search(self.body, at)
        return found

    def _block(self, name: str, opening: str, content: str, closing: str) -> None:
        self._trim(opening)
        if name == "highlight":
            self._mark(f"<pre>{escape(self._code(content))}</pre>")
        elif name == "raw":
            if opening.endswith("-%}"):
                content = content.lstrip(_BLANKS)
            if closing.startswith("{%-"):
                content = content.rstrip(_BLANKS)
            self._words(content)

    def _code(self, content: str) -> str:
        """The content of a `highlight` without the tags `raw` in it."""
        code: list[str] = []
        at = 0
        while (raw := _RAW.search(content, at)) is not None:
            after = _ENDS["raw"].search(content, raw.end())
            if after is None:
                break
            code.append(content[at : raw.start()])
            self.kept = self.kept or _OPENING.search(code[-1]) is not None
            code.append(content[raw.end() : after.start()])
            at = after.end()
        self.kept = self.kept or _OPENING.search(content, at) is not None
        return "".join([*code, content[at:]]).strip("\n")

    def _words(self, content: str) -> None:
        """Write what a `raw` tag shields: Markdown in which Liquid is words."""
        at = 0
        unclosed: set[str] = set()
        while (found := _OPENING.search(content, at)) is not None:
            close = "}}" if found[0] == "{{" else "%}"
            end = -1 if close in unclosed else content.find(close, found.end())
            if end < 0:
                unclosed.add(close)
            end = found.end() if end < 0 else end + 2
            self.out.append(content[at : found.start()])
            self._mark(escape(content[found.start() : end]))
            at = end
        self.out.append(content[at:])

    def _mark(self, html: str) -> None:
        self.out.append(f"{self.mark}{len(self.html)}{self.mark}")
        self.html.append(html)

    def _trim(self, opening: str) -> None:
        """Remove the blanks before a tag that begins with `{%-`."""
        while opening.startswith("{%-") and self.out:
            self.out[-1] = self.out[-1].rstrip(_BLANKS)
            if self.out[-1]:
                break
            self.out.pop()

    def _after(self, closing: str, end: int) -> int:
        """The position after a tag that ends at `end`, and after the blanks that follow if it ends with `-%}`."""
        if closing.endswith("-%}"):
            while end < len(self.body) and self.body[end] in _BLANKS:
                end += 1
        return end
