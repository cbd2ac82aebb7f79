"""The lines of a body of HTML: what a paragraph holds becomes text, heading, caption or source line, with its spans."""

from __future__ import annotations

import re
from collections import deque
from itertools import accumulate
from typing import TypeVar

from ..schema import Image, Link, Mention, Span
from .html_tags import Tag
from .html_text import Text
from .white_space import LINE_BREAK, Moves, clean, clean_line, has_control, trimmed, verbatim

__all__ = ["Lines"]

_SENTENCE_END = re.compile(r"[。！？…][”’」』）]*\s*\Z")
_SOURCE = re.compile(r"[（(]\s*(?:文章)?来源\s*[：:]\s*(.*?)\s*[）)]|(?:文章)?来源\s*[：:]\s*(.*?)")
_SOURCE_STARTS = ("（文章来源", "(文章来源")
_SOURCE_LENGTH = 60  # a longer `em_media` paragraph that is not of the form `（文章来源：…）` is text
_EDITOR = "编辑"
T = TypeVar("T")


class Lines:
    """The lines of a body so far, and the paragraph that is being collected.

    Attributes:
        archive: whether the body is one of the archive's own feeds.
        text, mentions, headings, images, links, source, control: as in `newsdata.parsing.html.Reading`.
        kind: of the paragraph: "p", "h" (heading), "source", "caption" or "".
        pieces: its text. This list stays the same one.
        breaks: whether one of the pieces is a line break.
        bolds, marks, anchors: bold text, mentions and links in it, in order: the first piece, the one after the last,
            and what it is.
        pre: how many code blocks are open.
        chart: whether it is between the comments around a price chart, and no text.
        after_image: whether the last thing was an image, which may get a caption.
    """

    __slots__ = (
        "after_image",
        "anchors",
        "archive",
        "bolds",
        "breaks",
        "chart",
        "control",
        "headings",
        "images",
        "kind",
        "links",
        "marks",
        "mentions",
        "pieces",
        "pre",
        "source",
        "text",
    )

    def __init__(self, archive: bool) -> None:
        self.archive = archive
        self.text = Text()
        self.mentions: list[Mention] = []
        self.headings: list[Span] = []
        self.images: list[Image] = []
        self.links: list[Link] = []
        self.source: str | None = None
        self.control = False
        self.kind = ""
        self.pieces: list[str] = []
        self.breaks = False
        self.bolds: list[tuple[int, int, None]] = []
        self.marks: list[tuple[int, int, Tag]] = []
        self.anchors: list[tuple[int, int, str]] = []
        self.pre = 0
        self.chart = self.after_image = False

    def end(self) -> None:
        """End the paragraph, and put it where it belongs."""
        if self.breaks and self._lines_are_paragraphs():
            self._take_lines()
        else:
            self._take_line()
        self.pieces.clear()
        self.breaks = False
        if self.bolds:
            self.bolds = []
        if self.marks:
            self.marks = []
        if self.anchors:
            self.anchors = []

    def _lines_are_paragraphs(self) -> bool:
        """Whether every `<br>` between two lines of this paragraph stands after the end of a Chinese sentence."""
        if self.pre or self.text.in_row or self.kind not in ("", "p"):
            return False
        *lines, _ = "".join(self.pieces).strip().split(LINE_BREAK)
        return bool(lines) and all(map(_SENTENCE_END.search, lines))

    def _take_lines(self) -> None:
        """Take each line of the paragraph as a paragraph of its own."""
        pieces, kind = self.pieces, self.kind
        bolds, marks, anchors = deque(self.bolds), deque(self.marks), deque(self.anchors)
        breaks = [number for number, piece in enumerate(pieces) if piece == LINE_BREAK]
        for begin, end in zip([0, *(at + 1 for at in breaks)], [*breaks, len(pieces)], strict=True):
            self.pieces, self.kind = pieces[begin:end], kind
            self.bolds = _between(bolds, begin, end)
            self.marks = _between(marks, begin, end)
            self.anchors = _between(anchors, begin, end)
            self._take_line()
        self.pieces = pieces  # the list that others hold

    def _take_line(self) -> None:
        """Put what was collected where it belongs."""
        line = "".join(self.pieces)
        moves = None
        if not line.isprintable() or "  " in line or line[:1] == " " or line[-1:] == " ":  # not is_clean(line)
            self.control = self.control or has_control(line)
            line, moves = verbatim(line) if self.pre else clean(line)
        if not line or self.chart:
            return
        kind = self.kind
        if self.bolds or kind == "source" or line[0] in "（(":
            kind = self._line_kind(line)
        if kind == "source":
            self._take_source(line)
            return
        self.after_image = False
        if kind == "caption":
            self.images[-1] = Image(url=self.images[-1].url, caption=line)
            return
        base = self.text.add(line)
        if kind == "h":
            self.headings.append(Span(start=base, end=base + len(line)))
        if self.marks or self.anchors:
            self._take_marks(line, base, moves)

    def _line_kind(self, line: str) -> str:
        kind = self.kind
        if self.bolds and kind in ("p", "caption") and not self.text.in_row:
            plain = []
            done = 0
            for start, end, _ in self.bolds:
                plain += self.pieces[done:start]
                done = end
            plain += self.pieces[done:]
            if not clean_line("".join(plain)):
                return "h"
        if self.archive:
            form = _SOURCE.fullmatch(line)
            if form is not None and line.startswith(_SOURCE_STARTS):
                kind = "source"
            other = form is None and (len(line) > _SOURCE_LENGTH or _EDITOR in line)
            if kind == "source" and (self.source or other):
                return "p"  # a second source, or an editor: `newsdata.parsing.notices` takes it
        return kind

    def _take_source(self, line: str) -> None:
        found = _SOURCE.fullmatch(line)
        if found is not None:
            name = found[1] or found[2] or ""
        else:
            name = line.strip("（）()")
        self.source = self.source or name or None

    def _take_marks(self, line: str, base: int, moves: Moves | None) -> None:
        at = [0, *accumulate(map(len, self.pieces))]
        if moves is not None:
            at = list(map(moves.new, at))
        for begin, stop, tag in self.marks:
            start, end = at[begin], at[stop]
            words = line[start:end]
            if words != words.strip():
                start, end = trimmed(line, start, end)
                words = line[start:end]
            if words and tag.target is not None:
                self.mentions.append(Mention(base + start, base + end, words, *tag.target))
        for begin, stop, address in self.anchors:
            start, end = trimmed(line, at[begin], at[stop])
            if start < end:
                self.links.append(Link(start=base + start, end=base + end, url=address))


def _between(spans: deque[tuple[int, int, T]], begin: int, end: int) -> list[tuple[int, int, T]]:
    """The parts of spans that are in `begin:end`, counted from `begin`. Spans that end there are taken off `spans`."""
    found = []
    while spans and spans[0][0] < end:
        start, stop, what = spans[0]
        found.append((max(start, begin) - begin, min(stop, end) - begin, what))
        if stop > end:
            break
        spans.popleft()
    return found
