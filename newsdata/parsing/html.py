"""Read HTML: its text, with the mentions, headings, links and images in it.

What `text` is
    Paragraphs joined by a line feed; none of them is empty. A paragraph ends at every block element, at two `<br>` in a
    row, at a `<br>` before an indented line (two ideographic spaces), at each `<br>` if all of them stand after the end
    of a Chinese sentence, and, in the archive's own posts, at a blank line. A table row is one line, its cells joined by
    a tab; a row of one cell is an ordinary paragraph. A list item is a paragraph. The lines of a code block are lines of
    `text` with their indentation, without blank lines.
White space
    A run of it is one blank, including no-break and ideographic spaces; at the edges of a line it is removed. Any other
    `<br>` is a blank, but nothing after full-width punctuation: it never joins two words and never makes a paragraph. A
    line break of the source between two East Asian wide characters is removed. So are control characters,
    bidirectional overrides and zero-width characters.
Ruby
    The reading of a word follows it in parentheses: those of the author (`<rp>`), else ASCII ones.
What is not part of `text`
    Scripts, styles, frames, templates, vector graphics, media players, comments, anything with the style
    `display:none`, price charts, captions of images (they go to `images`) and the source line (it goes to `source`).
Headings
    `<h1>` to `<h6>`, and a `<p>` that holds nothing but bold text.

Two mentions never overlap, and neither do two links: of nested ones the outer one counts. One without an end tag ends
with its paragraph. A mention is dropped then, because nobody can tell where it should have ended.

How it works: the tokens of turbohtml go through one loop. The state has no nesting, so depth costs nothing and time is
linear. A tree would read broken posts as browsers do: a hidden or linked word without an end tag hides or links the rest
of the post. A body with a tag that is not well-formed is repaired first, and so is one that ends inside a tag.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from turbohtml import tokenize

from ..schema import Image, Link, Mention, Span
from .html_lines import Lines
from .html_repair import repair_html
from .html_tags import Action, Tag, known_tags, read_tag
from .white_space import LINE_BREAK, clean_line, has_control

__all__ = ["Reading", "read_html", "read_text", "split_paragraphs"]

_SPAN, _END_SPAN, _MENTION, _END_ANCHOR = Action.SPAN, Action.END_SPAN, Action.MENTION, Action.END_ANCHOR
_NOTHING, _BLOCK, _PARAGRAPH, _END_PARAGRAPH = Action.NOTHING, Action.BLOCK, Action.PARAGRAPH, Action.END_PARAGRAPH
_SKIPS = frozenset((Action.DROPPED, Action.HIDDEN, Action.HIDDEN_BLOCK, Action.RAW))

_END = "<!--end-->"  # follows the body: it is the last token, unless something in the body has no end
_BARE = re.compile(r"<(?![A-Za-z/!?])")  # text to a tokenizer, but the publisher should have escaped it
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")


class Reading(NamedTuple):
    """What a body says. Each field is described in `newsdata.schema`, under the column of the same name.

    Attributes:
        chart_symbols: the symbols of the price charts, each once, in the order of the body.
        broken: whether the markup had to be repaired.
        control: whether control characters were removed.
    """

    text: str
    mentions: tuple[Mention, ...] = ()
    headings: tuple[Span, ...] = ()
    images: tuple[Image, ...] = ()
    links: tuple[Link, ...] = ()
    source: str | None = None
    chart_symbols: tuple[str, ...] = ()
    broken: bool = False
    control: bool = False


def read_html(html: str, *, archive: bool) -> Reading:
    """Read a body of HTML. With `archive`, also read what only the archive's own feeds mark.

    >>> found = read_html("<p>growth &lt;5%<br>or <a href='/m'>more</a></p><p>next</p>", archive=False)
    >>> found.text, found.links
    ('growth <5% or more\\nnext', (Link(start=14, end=18, url='/m'),))
    >>> read_html("<p><ruby>漢字<rt>かんじ</rt></ruby>", archive=False).text
    '漢字(かんじ)'
    """
    reader = _Reader(archive)
    if _BARE.search(html) or _END in html or not reader.read(html + _END):
        html, broken = repair_html(html)
        reader = _Reader(archive)
        reader.read(html)
        reader.broken = reader.broken or broken
    return reader.reading()


def read_text(text: str) -> Reading:
    """Read a body without markup.

    >>> read_text("a\\x00b").control
    True
    """
    return Reading(text=split_paragraphs(text), control=not text.isprintable() and has_control(text))


def split_paragraphs(text: str) -> str:
    """The text of a body without markup. Its paragraphs are separated by blank lines.

    >>> split_paragraphs("one\\ntwo\\n\\nthree")
    'one two\\nthree'
    """
    if "\n" not in text:
        return clean_line(text)
    return "\n".join(filter(None, map(clean_line, _BLANK_LINE.split(text))))


class _Reader:
    """The state of reading one body."""

    __slots__ = (
        "anchor",
        "bold",
        "bold_from",
        "broken",
        "chart_link",
        "chart_symbols",
        "in_ruby",
        "lines",
        "mention",
        "pieces",
        "reading_from",
        "rp",
        "spans",
    )

    def __init__(self, archive: bool) -> None:
        self.lines = Lines(archive)
        self.pieces = self.lines.pieces  # positions in a paragraph count these
        self.chart_symbols: dict[str, None] = {}  # as a set in order
        self.broken = False
        # what is open
        self.bold = self.bold_from = 0
        self.mention: tuple[int, Tag] | None = None
        self.spans = 0  # how many spans are open inside `mention`
        self.anchor: tuple[int, str] | None = None
        self.in_ruby = self.rp = False  # inside `<ruby>`, inside one with parentheses of its own
        self.reading_from: int | None = None  # the piece of the parenthesis before a reading of ruby
        self.chart_link: str | None = None  # inside the link around a price chart: the symbol it names

    def read(self, html: str) -> bool:
        """Read the whole body. Returns False if it has to be repaired: a tag is not well-formed, or has no end."""
        lines = self.lines
        archive = lines.archive
        known = known_tags(archive).get
        pieces = self.pieces
        skip: Tag | None = None  # an element with dropped content
        depth = 0  # how many elements of its name are open
        written: str | None = None
        for token in tokenize(html, capture_source=True):
            written = token.source
            if written is None:
                if skip is None:
                    text = token.data or ""
                    if "\n" in text or text[:1] == "\u3000" or lines.pre or self.chart_link is not None:
                        self.take_text(text)
                    else:
                        pieces.append(text)
                continue
            tag = known(written) or read_tag(token, archive)
            if tag is None:
                if skip is None or skip.action is not Action.DROPPED:
                    return False
                continue  # the elements of SVG, for example
            action = tag.action
            if skip is not None:
                if action is Action.RAW and written.endswith("/>"):
                    return False  # HTML looks for its end tag, SVG does not
                depth = _open_after(skip, tag, depth)
                closes = tag.closing and tag.name == skip.name
                skip = skip if depth else None
                if depth or closes:
                    continue
            if action is _PARAGRAPH or action is _END_PARAGRAPH:
                if pieces or self.mention is not None:
                    self.end_line()
                self.paragraph(tag)
            elif action is _SPAN or action is _END_SPAN:
                if self.mention is not None and self.mention[1].name == "span":
                    self.span_in_mention(tag)
            elif action is _MENTION:
                self.start_mention(tag)
            elif action is _END_ANCHOR:
                self.close_anchor()
            elif action is _NOTHING:
                pass
            elif action in _SKIPS:
                if tag.closing:  # of an element that is not open
                    self.broken = True
                    continue
                if action is Action.HIDDEN_BLOCK or tag.name == "p":
                    self.end_line()
                skip, depth = tag, 1
            elif action >= _BLOCK:
                self.block(tag, action)
            else:
                self.inline(tag, action)
        self.end_line()
        lines.text.end_row()
        self.broken = self.broken or skip is not None or self.anchor is not None
        return written == _END and (skip is None or skip.action is not Action.DROPPED)

    def reading(self) -> Reading:
        lines = self.lines
        return Reading(
            text=str(lines.text),
            mentions=tuple(lines.mentions),
            headings=tuple(lines.headings),
            images=tuple(lines.images),
            links=tuple(lines.links),
            source=lines.source,
            chart_symbols=tuple(self.chart_symbols),
            broken=self.broken,
            control=lines.control,
        )

    def end_line(self) -> None:
        """End the paragraph, and what may not be open any longer."""
        if self.mention is not None:
            self.mention, self.broken = None, True
        pieces = self.pieces
        if not pieces:
            return
        if self.reading_from is not None:
            self.end_ruby_reading()
        if self.anchor is not None:
            self.lines.anchors.append((self.anchor[0], len(pieces), self.anchor[1]))
            self.anchor = (0, self.anchor[1])
        if self.bold:
            self.lines.bolds.append((self.bold_from, len(pieces), None))
            self.bold_from = 0
        self.in_ruby = self.rp = False
        self.lines.end()

    # ------------------------------------------------------------------------------------------ inside a line

    def take_text(self, text: str) -> None:
        """Take the text between two tags, where it may hold white space that ends a paragraph."""
        pieces = self.pieces
        if self.chart_link is not None:
            return
        if self.lines.pre:
            self.add_parts(text.split("\n"))
        elif text.isspace():
            if pieces and not (self.lines.archive and _BLANK_LINE.search(text)):
                pieces.append("" if self.in_ruby else text)
            else:
                self.lines.control = self.lines.control or has_control(text)
                self.end_line()
        else:
            if text.startswith("\u3000\u3000") and pieces and pieces[-1] == LINE_BREAK:
                self.end_line()
            if self.in_ruby:
                text = text.strip()
            if self.lines.archive and _BLANK_LINE.search(text):
                self.add_parts(_BLANK_LINE.split(text))
            else:
                pieces.append(text)

    def add_parts(self, parts: list[str]) -> None:
        """Add text that is several paragraphs, or lines of code."""
        for number, part in enumerate(parts):
            if number:
                self.end_line()
            self.pieces.append(part)

    def inline(self, tag: Tag, action: Action) -> None:
        if action is Action.BOLD:
            if not self.bold:
                self.bold_from = len(self.pieces)
            self.bold += 1
        elif action is Action.END_BOLD:
            if self.bold:
                self.bold -= 1
                if not self.bold:
                    self.lines.bolds.append((self.bold_from, len(self.pieces), None))
        elif action is Action.BREAK:
            self.line_break()
        elif action is Action.IMAGE:
            self.image(tag)
        elif action is Action.RUBY:
            self.ruby(tag)
        elif action is Action.ANCHOR:
            self.close_anchor()
            if tag.kind == "chart":
                self.chart_link = tag.chart
            elif tag.url is not None:
                self.anchor = (len(self.pieces), tag.url)

    def line_break(self) -> None:
        """A `<br>`. The second one in a row ends the paragraph. (`take_text` ends it if an indented line follows.)"""
        pieces = self.pieces
        if self.lines.pre:
            self.end_line()
        at = len(pieces) - 1
        while at >= 0 and pieces[at] != LINE_BREAK and pieces[at].isspace():
            at -= 1
        if at >= 0 and pieces[at] == LINE_BREAK:
            self.end_line()
        elif pieces:
            pieces.append(LINE_BREAK)
            self.lines.breaks = True

    def ruby(self, tag: Tag) -> None:
        """A tag of `<ruby>`: any of them ends the reading before it."""
        self.end_ruby_reading()
        if tag.name == "ruby":
            self.in_ruby, self.rp = not tag.closing, False
        elif tag.name == "rp":
            self.rp = True
        elif tag.name == "rt" and not tag.closing and not self.rp and self.pieces:
            self.reading_from = len(self.pieces)
            self.pieces.append("(")

    def end_ruby_reading(self) -> None:
        if self.reading_from is None:
            return
        at, self.reading_from = self.reading_from, None
        if "".join(self.pieces[at + 1 :]).strip():
            self.pieces.append(")")
        else:
            self.pieces[at] = ""

    def start_mention(self, tag: Tag) -> None:
        if self.mention is None:
            self.mention, self.spans = (len(self.pieces), tag), 0
        elif tag.name == self.mention[1].name == "span":
            self.spans += 1

    def span_in_mention(self, tag: Tag) -> None:
        """A span tag inside a mention that started with a `<span>`. The end tag of the mention closes no other span."""
        if not tag.closing:
            self.spans += 1
        elif self.spans:
            self.spans -= 1
        elif self.mention is not None:
            self.lines.marks.append((self.mention[0], len(self.pieces), self.mention[1]))
            self.mention = None

    def close_anchor(self) -> None:
        if self.chart_link is not None:
            self.end_chart_link()
        if self.mention is not None and self.mention[1].name == "a":
            self.lines.marks.append((self.mention[0], len(self.pieces), self.mention[1]))
            self.mention = None
        elif self.anchor is not None:
            self.lines.anchors.append((self.anchor[0], len(self.pieces), self.anchor[1]))
            self.anchor = None

    def end_chart_link(self) -> None:
        if self.chart_link:
            self.chart_symbols[self.chart_link] = None
        self.chart_link = None

    def image(self, tag: Tag) -> None:
        if self.lines.chart or self.chart_link is not None or tag.kind == "chart":
            symbol = tag.chart or self.chart_link
            if symbol:
                self.chart_symbols[symbol] = None
            if self.chart_link is not None:
                self.chart_link = ""
        elif tag.url is not None:
            self.lines.images.append(Image(url=tag.url, caption=None))
            self.lines.after_image = not self.pieces and not self.lines.text.in_row

    # ------------------------------------------------------------------------------------------------- blocks

    def paragraph(self, tag: Tag) -> None:
        """The start or the end of a `<p>`, or the end of a heading. A bold tag without an end tag ends there."""
        if self.chart_link is not None:
            self.end_chart_link()
        self.lines.kind = tag.kind
        if tag.closing:
            self.bold = 0
            self.lines.chart = False
        elif tag.kind == "center":
            self.lines.kind = "caption" if self.lines.after_image else "p"

    def block(self, tag: Tag, action: Action) -> None:
        """The start or the end of any other block."""
        self.end_line()
        self.end_chart_link()
        self.lines.kind = ""
        text = self.lines.text
        if tag.closing:
            self.lines.chart = False
            if action is Action.END_CELL:
                text.end_cell()
            elif action is Action.END_ROW:
                text.end_row()
            elif action is Action.END_PRE:
                self.lines.pre = max(0, self.lines.pre - 1)
        elif action is Action.HEADING:
            self.lines.kind = "h"
        elif action is Action.CELL:
            text.start_cell()
        elif action in (Action.ROW, Action.TABLE):
            text.end_row()
            if action is Action.ROW:
                text.start_row()
        elif action is Action.PRE:
            self.lines.pre += 1
        elif action is Action.CAPTION:
            self.lines.kind = "caption" if self.lines.after_image else ""
        elif action in (Action.CHART, Action.END_CHART):
            self.lines.chart = action is Action.CHART
        else:
            self.lines.kind = tag.kind


def _open_after(skip: Tag, tag: Tag, depth: int) -> int:
    """How many elements with the name of the dropped element `skip` are open after a tag; 0 if it ends.

    A hidden paragraph or inline element ends with the paragraph at the latest; any other one with its end tag.
    """
    own = tag.name == skip.name
    if tag.closing and own:
        return depth - 1
    if tag.action >= _BLOCK and skip.action is Action.HIDDEN:
        return 0
    return depth + own
