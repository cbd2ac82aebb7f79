"""Read HTML: its text, with the mentions, headings, links and images in it.

What `text` is
    Paragraphs joined by a line feed; none of them is empty. A paragraph ends at every block element, at two `<br>` in a
    row, at a `<br>` before an indented line (two ideographic spaces), and, in the archive's own posts, at a blank line.
    A table row is one line, its cells joined by a tab; a row of one cell is an ordinary paragraph. A list item is a
    paragraph. The lines of a code block are lines of `text` with their indentation, without blank lines.
White space
    A run of it is one blank, including no-break and ideographic spaces; at the edges of a line it is removed. A single
    `<br>` is a blank, too: it never joins two words and never makes a paragraph. A line break of the source between two
    East Asian wide characters is removed. So are control characters, bidirectional overrides and zero-width characters.
What is not part of `text`
    Scripts, styles, frames, templates, vector graphics, media players, comments, anything with the style
    `display:none`, price charts, captions of images (they go to `images`) and the source line (it goes to `source`).
Headings
    `<h1>` to `<h6>`, and a `<p>` that holds nothing but bold text.

Two mentions never overlap, and neither do two links: of nested ones the outer one counts. One without an end tag ends
with its paragraph. A mention is dropped then, because nobody can tell where it should have ended.

How it works: the body is split at each `<`, and every part must start with a well-formed tag; if one does not, the body
is repaired first. The state has no nesting, so depth costs nothing and time is linear. Nearly all paragraphs of the
archive hold nothing but words and mentions of a known form, or are a heading, an image, a price chart or the source
line in its usual form. Those are read as a whole, with the same result.
"""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from typing import NamedTuple, cast

from turbohtml import unescape

from ..schema import Image, Link, Mention, Span
from .html_repair import repair_html
from .html_tags import Action, Tag, Target, known_tags, known_targets, read_own_chart, read_tag
from .white_space import LINE_BREAK, Moves, clean, clean_line, has_control, is_clean, trimmed, verbatim

__all__ = ["Reading", "read_html", "read_text", "split_paragraphs"]

_NOTHING, _SPAN, _END_SPAN, _MENTION = Action.NOTHING, Action.SPAN, Action.END_SPAN, Action.MENTION
_BLOCK, _PARAGRAPH, _END_PARAGRAPH = Action.BLOCK, Action.PARAGRAPH, Action.END_PARAGRAPH
_END_ANCHOR = Action.END_ANCHOR
_SKIPS = frozenset((Action.DROPPED, Action.HIDDEN, Action.HIDDEN_BLOCK))

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_SOURCE = re.compile(r"[（(]\s*文章来源\s*[：:]\s*(.*?)\s*[）)]|文章来源\s*[：:]\s*(.*?)")
_SOURCE_STARTS = ("（文章来源", "(文章来源")
_SOURCE_LENGTH = 60  # a longer `em_media` paragraph that is not of the form `（文章来源：…）` is text
_EDITOR = "编辑"
# A mention as the archive's feed writes it: a link in a span, often with an empty span after it, or a span alone.
_USUAL_MENTION = re.compile(
    r"""<(?: (span\ id="[^"<>]*+"><)(?=a\ ) | (?=span\ ) ) ([^<>]*+) > ([^<]*+)
        </(?(1) a></span>(?:<span\ id="[^"<>]*+"></span>)?+ | span> )""",
    re.VERBOSE,
)
_USUAL_PARAGRAPH = re.compile(
    r"""(?:\n[ ])?<p><strong>([^<>&（(][^<>&]*)</strong>
        | <center><(img\ [^>]*)></center><p\ style="text-align:center;">([^<>&]+)
        | <p\ class="em_media">（文章来源：([^<>&）]+)）""",
    re.VERBOSE,
)
_EDGES = " \n\t\u3000\u00a0"
_STARTS = ("<p>", "\n <p>", "<!-- EM_StockImg_End --><p>")  # of a paragraph, right after the end of the one before
_SOURCE_TAG = '<p class="em_media">'
_HIDDEN = '<p style="display:none;height:1px;overflow:hidden;"><br />'
_new = tuple.__new__

_Mark = tuple[int, int, str, Target]
"""A mention: start, end, words, and what it names. `_LAST` ends every list of marks."""
_LAST: _Mark = (sys.maxsize, 0, "", ("", None, None, None, None))
_NO_MARKS = [_LAST]


class Reading(NamedTuple):
    """What a body says. Each field is described in `newsdata.schema`, under the column of the same name.

    Attributes:
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
    """
    reader = _Reader(archive)
    if not reader.read(html):
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
        "after_image",
        "anchor",
        "anchors",
        "archive",
        "blanks",
        "bold",
        "bold_from",
        "bolds",
        "broken",
        "cell",
        "cells",
        "chart",
        "chart_link",
        "chart_symbols",
        "control",
        "depth",
        "headings",
        "images",
        "kind",
        "lines",
        "links",
        "marks",
        "mention",
        "mentions",
        "pieces",
        "pre",
        "row",
        "separators",
        "size",
        "skip",
        "source",
        "spans",
    )

    def __init__(self, archive: bool) -> None:
        self.archive = archive
        # what is finished
        self.lines: list[str] = []
        self.separators: dict[int, str] = {}  # what is before a line, if it is not a line feed
        self.size = 0  # length of the text so far: where the next line starts
        self.mentions: list[Mention] = []
        self.headings: list[Span] = []
        self.images: list[Image] = []
        self.links: list[Link] = []
        self.source: str | None = None
        self.chart_symbols: dict[str, None] = {}  # as a set in order
        self.broken = self.control = False
        # the paragraph that is being collected; positions in it count `pieces`
        self.kind = ""  # "p", "h", "source", "center", "caption" or ""
        self.pieces: list[str] = []
        self.bolds: list[tuple[int, int]] = []
        self.marks: list[tuple[int, int, Tag]] = []
        self.anchors: list[tuple[int, int, str]] = []
        # what is open
        self.bold = self.bold_from = self.pre = 0
        self.mention: tuple[int, Tag] | None = None
        self.spans = 0  # how many spans are open inside `mention`
        self.anchor: tuple[int, str] | None = None
        self.skip: Tag | None = None  # an element with dropped content; `depth`: how many of its name are open
        self.depth = 0
        self.chart_link: str | None = None  # inside the link around a price chart: the symbol it names
        self.chart = False  # between the comments around a price chart
        self.after_image = False  # the last thing was an image, which may get a caption
        self.row: int | None = None  # how many lines there were when the table row began
        self.cells = self.blanks = 0  # cells of the row; the empty ones since its last line
        self.cell = False  # inside a cell that has no line yet

    def read(self, html: str) -> bool:
        """Read the whole body. Returns False, at once, if something in `<>` is not a tag."""
        *written, rest = html.split("</p>")
        shown, marks = written, _NO_MARKS  # without mentions of the usual form, `shown` is `written`
        if "<span " in html:
            found = self.find_usual_mentions(html)
            if found:
                shown, marks = found
        at = 0  # position of the next mark in `marks`
        begin = 0  # where the paragraph starts, counted in what is shown
        resting = True
        for paragraph, original in zip(shown, written, strict=False):
            end = begin + len(paragraph)
            first = at
            while marks[at][0] < end:
                at += 1
            # A shortcut with the same result, because nearly all paragraphs of the archive are nothing but words and
            # mentions.
            if resting and paragraph.startswith(_STARTS) and original.startswith(_STARTS):
                start = paragraph.index("<p>") + 3
                inner = paragraph[start:].lstrip(_EDGES)
                line = inner.rstrip(_EDGES)
                if (
                    line.isprintable() and "  " not in line and "<" not in line and "&" not in line
                    and line[:1] not in ("（", "(")
                ):  # fmt: skip
                    if line:
                        if first < at:
                            moved = self.size - begin - (len(paragraph) - len(inner))
                            self.mentions += [
                                _new(Mention, (a + moved, b + moved, c, *d)) for a, b, c, d in marks[first:at]
                            ]
                        self.lines.append(line)
                        self.size += len(line) + 1
                        self.after_image = False
                    self.kind = ""
                    begin = end + 4
                    continue
            # A mention in the source line does not count.
            whole = resting and (paragraph == original or original.startswith(_SOURCE_TAG))
            if not (whole and self.read_usual_paragraph(paragraph)):
                if not self.read_tags(f"{original}</p>"):
                    return False
                resting = self.is_at_rest()
            begin = end + 4
        if rest and not self.read_tags(rest):
            return False
        self.end_row()
        if self.skip is not None or self.anchor is not None:
            self.broken = True
        return True

    def is_at_rest(self) -> bool:
        """Whether nothing is open or collected, so that the next paragraph does not depend on what came before."""
        return not (
            self.pieces or self.bold or self.pre or self.chart
            or self.skip or self.mention or self.anchor or self.chart_link is not None or self.row is not None
        )  # fmt: skip

    def read_usual_paragraph(self, paragraph: str) -> bool:
        """Read a heading, an image, a price chart, the source line or the empty paragraph, in the archive's own form.

        Returns False, and does nothing, if the paragraph has another form.
        """
        if paragraph == _HIDDEN:
            return True
        if self.archive and (symbol := read_own_chart(paragraph)):
            self.chart_symbols[symbol] = None
            self.kind = ""
            return True
        found = _USUAL_PARAGRAPH.fullmatch(paragraph)
        if found is None:
            return False
        heading, image, caption, source = found.groups()
        line = heading or caption or source
        if not is_clean(line):
            return False
        if heading:
            self.headings.append(Span(self.size, self.size + len(line)))
            self.lines.append(line)
            self.size += len(line) + 1
        elif source:
            if not self.archive:
                return False
            self.source = self.source or source
        else:
            tag = read_tag(image, self.archive)
            if tag is None or tag.action is not Action.IMAGE or tag.kind or tag.url is None:
                return False
            self.images.append(Image(tag.url, line))
        self.after_image = self.after_image and source is not None  # a caption may still follow after the source line
        self.kind = ""
        return True

    def find_usual_mentions(self, html: str) -> tuple[list[str], list[_Mark]] | None:
        """The body without the markup of its mentions, split at `</p>`, and where the mentions are in it.

        None if one of them has an unusual form, no words, or white space at its edges; then the body is read tag by
        tag.
        """
        parts = _USUAL_MENTION.split(html)
        written, words = parts[2::4], parts[3::4]
        targets = list(map(known_targets(self.archive).get, written))
        if None in targets:
            targets = [tag.target if (tag := read_tag(one, self.archive)) else None for one in written]
        if not words or None in targets or "" in words or list(map(str.strip, words)) != words:
            return None
        pieces = [""] * (2 * len(words) + 1)
        pieces[::2], pieces[1::2] = parts[::4], words
        ends = list(accumulate(map(len, pieces)))
        *shown, _ = "".join(pieces).split("</p>")
        if len(shown) != html.count("</p>"):
            return None  # a mention was inside a tag
        return shown, [*zip(ends[::2], ends[1::2], words, cast("list[Target]", targets), strict=False), _LAST]

    def read_tags(self, html: str) -> bool:
        """Read HTML tag by tag. Returns False, at once, if something in `<>` is not a tag."""
        parts = html.split("<")
        archive = self.archive
        known = known_tags(archive).get
        pieces = self.pieces
        skip, depth = self.skip, self.depth
        if parts[0] and skip is None:
            self.take_text(parts[0])
        del parts[0]
        for part in parts:
            written, closed, text = part.partition(">")
            if not closed:
                return False
            tag = known(written) or read_tag(written, archive)
            if tag is None:
                return False
            action = tag.action
            if skip is not None:
                ends, depth = _ends_skip(skip, tag, depth)
                if not ends:
                    continue
                inside = tag.closing and tag.name == skip.name
                skip = None
                if inside:
                    action = _NOTHING
            if action is _SPAN or action is _END_SPAN:
                if self.mention is not None and self.mention[1].name == "span":
                    self.span_in_mention(tag)
            elif action is _MENTION:
                if self.mention is None:
                    self.mention, self.spans = (len(pieces), tag), 0
                elif tag.name == self.mention[1].name == "span":
                    self.spans += 1
            elif action is _END_ANCHOR:
                self.close_anchor()
            elif action is _END_PARAGRAPH:
                if pieces or self.mention is not None:
                    self.end_line()
                if self.chart_link is not None:
                    self.end_chart_link()
                self.kind = ""
                self.bold = 0  # a bold tag without an end tag ends with the paragraph
                self.chart = False
            elif action is _NOTHING:
                pass
            elif action in _SKIPS:
                if action is Action.HIDDEN_BLOCK or tag.name == "p":
                    self.end_line()
                skip, depth = tag, 1
                continue
            elif action >= _BLOCK:
                self.block(tag, action)
            else:
                self.inline(tag, action)
            if text:
                self.take_text(text)
        self.skip, self.depth = skip, depth
        return True

    def take_text(self, written: str) -> None:
        """Take the text between two tags."""
        if "\n" in written or written[0] == "\u3000" or self.pre or self.chart_link is not None:
            self.split_text(written)
        else:
            self.pieces.append(unescape(written) if "&" in written else written)

    def split_text(self, written: str) -> None:
        """Take text that may hold white space that ends a paragraph."""
        if self.chart_link is not None:
            return
        pieces = self.pieces
        text = unescape(written) if "&" in written else written
        if self.pre:
            first, *others = text.split("\n")
            pieces.append(first)
            for other in others:
                self.end_line()
                pieces.append(other)
        elif text.isspace():
            if pieces and not (self.archive and _BLANK_LINE.search(text)):
                pieces.append(text)
            else:
                self.control = self.control or has_control(text)
                if pieces:
                    self.end_line()
        else:
            if text.startswith("\u3000\u3000") and pieces and pieces[-1] == LINE_BREAK:
                self.end_line()
            if self.archive and _BLANK_LINE.search(text):
                first, *others = _BLANK_LINE.split(text)
                pieces.append(first)
                for other in others:
                    self.end_line()
                    pieces.append(other)
            else:
                pieces.append(text)

    # ------------------------------------------------------------------------------------------ inside a line

    def inline(self, tag: Tag, action: Action) -> None:
        if action is Action.BOLD:
            if not self.bold:
                self.bold_from = len(self.pieces)
            self.bold += 1
        elif action is Action.END_BOLD:
            if self.bold:
                self.bold -= 1
                if not self.bold:
                    self.bolds.append((self.bold_from, len(self.pieces)))
        elif action is Action.BREAK:
            self.line_break()
        elif action is Action.IMAGE:
            self.image(tag)
        elif action is Action.ANCHOR:
            self.close_anchor()
            if tag.kind == "chart":
                self.chart_link = tag.chart
            elif tag.url is not None:
                self.anchor = (len(self.pieces), tag.url)

    def line_break(self) -> None:
        """A `<br>`. The second one in a row ends the paragraph. (`split_text` ends it if an indented line follows.)"""
        pieces = self.pieces
        if self.pre:
            self.end_line()
        at = len(pieces) - 1
        while at >= 0 and pieces[at] != LINE_BREAK and pieces[at].isspace():
            at -= 1
        if at >= 0 and pieces[at] == LINE_BREAK:
            self.end_line()
        elif pieces:
            pieces.append(LINE_BREAK)

    def span_in_mention(self, tag: Tag) -> None:
        """A span tag inside a mention that started with a `<span>`. The end tag of the mention closes no other span."""
        if not tag.closing:
            self.spans += 1
        elif self.spans:
            self.spans -= 1
        elif self.mention is not None:
            self.marks.append((self.mention[0], len(self.pieces), self.mention[1]))
            self.mention = None

    def close_anchor(self) -> None:
        if self.chart_link is not None:
            self.end_chart_link()
        if self.mention is not None and self.mention[1].name == "a":
            self.marks.append((self.mention[0], len(self.pieces), self.mention[1]))
            self.mention = None
        elif self.anchor is not None:
            self.anchors.append((self.anchor[0], len(self.pieces), self.anchor[1]))
            self.anchor = None

    def end_chart_link(self) -> None:
        if self.chart_link:  # no picture in it
            self.chart_symbols[self.chart_link] = None
        self.chart_link = None

    def image(self, tag: Tag) -> None:
        if self.chart or self.chart_link is not None or tag.kind == "chart":
            if symbol := tag.chart or self.chart_link:
                self.chart_symbols[symbol] = None
            if self.chart_link:
                self.chart_link = ""  # its picture has named it
        elif tag.url is not None:
            self.images.append(Image(url=tag.url, caption=None))
            self.after_image = not self.pieces and self.row is None

    # ------------------------------------------------------------------------------------------------- blocks

    def block(self, tag: Tag, action: Action) -> None:
        if self.pieces or self.mention is not None:
            self.end_line()
        if self.chart_link is not None:
            self.end_chart_link()
        if action is _PARAGRAPH:
            self.kind = tag.kind
            if tag.kind == "center":
                self.kind = "caption" if self.after_image else "p"
            return
        self.kind = ""
        if tag.closing:
            self.chart = False
            if action is Action.END_CELL:
                self.end_cell()
            elif action is Action.END_ROW:
                self.end_row()
            elif action is Action.END_PRE:
                self.pre = max(0, self.pre - 1)
        elif action is Action.HEADING:
            self.kind = "h"
        elif action is Action.CELL:
            self.start_cell()
        elif action in (Action.ROW, Action.TABLE):
            self.end_row()
            if action is Action.ROW:
                self.start_row()
        elif action is Action.PRE:
            self.pre += 1
        elif action is Action.CAPTION:
            self.kind = "caption" if self.after_image else ""
        elif action is Action.CHART:
            self.chart = True
        elif action is Action.END_CHART:
            self.chart = False
        elif tag.kind:
            self.kind = tag.kind

    def start_row(self) -> None:
        self.row, self.cells, self.cell, self.blanks = len(self.lines), 0, False, 0

    def start_cell(self) -> None:
        if self.row is None:
            self.start_row()
        self.end_cell()
        self.cells += 1
        self.cell = True

    def end_cell(self) -> None:
        self.blanks += self.cell
        self.cell = False

    def end_row(self) -> None:
        """End a table row. The paragraphs of a row of one cell stay paragraphs, and an empty row is left out."""
        self.end_line()
        if self.row is None:
            return
        self.end_cell()
        if self.cells <= 1:
            for number in range(self.row, len(self.lines)):
                self.separators.pop(number, None)
        elif len(self.lines) > self.row:
            self.add_blanks()
        self.row = None

    def add_blanks(self) -> None:
        """Add the empty cells before this one, so that later cells stay in their columns."""
        for _ in range(self.blanks):
            if len(self.lines) > (self.row or 0):
                self.separators[len(self.lines)] = "\t"
            self.lines.append("")
            self.size += 1
        self.blanks = 0

    # -------------------------------------------------------------------------------------------------- lines

    def end_line(self) -> None:
        """End the paragraph that was collected, and put it where it belongs."""
        if self.mention is not None:
            self.mention, self.broken = None, True
        pieces = self.pieces
        if not pieces:
            return
        if self.anchor is not None:
            self.anchors.append((self.anchor[0], len(pieces), self.anchor[1]))
            self.anchor = (0, self.anchor[1])
        if self.bold:
            self.bolds.append((self.bold_from, len(pieces)))
            self.bold_from = 0
        line = "".join(pieces)
        moves = None
        if not line.isprintable() or "  " in line or line[:1] == " " or line[-1:] == " ":  # not is_clean(line)
            self.control = self.control or has_control(line)
            line, moves = verbatim(line) if self.pre else clean(line)
        if line and not self.chart:
            kind = self.kind
            if self.bolds or kind == "source" or line[0] in "（(":
                kind = self.line_kind(line)
            if kind == "source":
                self.take_source(line)
            elif kind == "caption":
                self.images[-1] = Image(url=self.images[-1].url, caption=line)
                self.after_image = False
            else:
                base = self.add(line)
                self.after_image = False
                if kind == "h":
                    self.headings.append(Span(start=base, end=base + len(line)))
                if self.marks or self.anchors:
                    self.take_marks(line, base, moves)
        pieces.clear()
        if self.bolds:
            self.bolds.clear()
        if self.marks:
            self.marks.clear()
        if self.anchors:
            self.anchors.clear()

    def line_kind(self, line: str) -> str:
        kind = self.kind
        if self.bolds and kind in ("p", "caption") and self.row is None:
            plain = []
            done = 0
            for start, end in self.bolds:
                plain += self.pieces[done:start]
                done = end
            plain += self.pieces[done:]
            if not clean_line("".join(plain)):
                return "h"
        if self.archive:
            if line.startswith(_SOURCE_STARTS) and _SOURCE.fullmatch(line):
                return "source"
            if kind == "source" and len(line) > _SOURCE_LENGTH and not _SOURCE.fullmatch(line):
                return "p"
        return kind

    def take_source(self, line: str) -> None:
        found = _SOURCE.fullmatch(line)
        if found is not None:
            name = found[1] or found[2] or ""
        else:
            name = "" if _EDITOR in line else line.strip("（）()")
        self.source = self.source or name or None

    def take_marks(self, line: str, base: int, moves: Moves | None) -> None:
        at = [0, *accumulate(map(len, self.pieces))]
        mentions = self.mentions
        for begin, stop, tag in self.marks:
            start, end = at[begin], at[stop]
            if moves is not None:
                start, end = moves.new(start), moves.new(end)
            words = line[start:end]
            if not words.isprintable() or words[:1] == " " or words[-1:] == " ":
                start, end = trimmed(line, start, end)
                words = line[start:end]
            if words and tag.target is not None:
                kind, market, code, exchange, url = tag.target
                mentions.append(Mention(base + start, base + end, words, kind, market, code, exchange, url))
        for begin, stop, address in self.anchors:
            start, end = at[begin], at[stop]
            if moves is not None:
                start, end = moves.new(start), moves.new(end)
            start, end = trimmed(line, start, end)
            if start < end:
                self.links.append(Link(start=base + start, end=base + end, url=address))

    def add(self, line: str) -> int:
        """Append a line to the text. Returns where it starts."""
        if self.row is not None:
            if self.blanks and self.cells > 1:
                self.add_blanks()
            if len(self.lines) > self.row:
                self.separators[len(self.lines)] = "\t" if self.cell else " "
            self.cell = False
            self.blanks = 0
        base = self.size
        self.lines.append(line)
        self.size += len(line) + 1
        return base

    def reading(self) -> Reading:
        lines = self.lines
        if self.separators:
            before = self.separators
            lines = [before.get(number, "\n") + line for number, line in enumerate(lines)]
            text = "".join(lines)[1:]
        else:
            text = "\n".join(lines)
        return Reading(
            text=text,
            mentions=tuple(self.mentions),
            headings=tuple(self.headings),
            images=tuple(self.images),
            links=tuple(self.links),
            source=self.source,
            chart_symbols=tuple(self.chart_symbols),
            broken=self.broken,
            control=self.control,
        )


def _ends_skip(skip: Tag, tag: Tag, depth: int) -> tuple[bool, int]:
    """Whether a tag ends the dropped element `skip`, and how many elements of its name are open then.

    A hidden paragraph or inline element ends with the paragraph at the latest; any other one with its end tag.
    """
    own = tag.name == skip.name
    if tag.closing and own:
        return depth == 1, depth - 1
    if tag.action >= _BLOCK and skip.action is Action.HIDDEN:
        return True, 0
    return False, depth + own
