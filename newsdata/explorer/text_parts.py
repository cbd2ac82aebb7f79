"""Texts in parts: hits, mentions, links and headings, so that a template can mark them without making HTML of text.

What a browser would not show, or what would turn the direction of the text around it, is made visible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from .keyword_in_context import find_all

__all__ = ["Paragraph", "Part", "Verbatim", "annotate", "mark", "visible"]

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_MAX_CHARACTERS = 100_000  # of a text that is shown on its page


class Verbatim(str):
    """Text that must stay as it is, although it may hold letters that do not show: the value of a form's field."""


class Part(NamedTuple):
    """A part of a text: `hit` if it was searched for; `mention` is its row of `mentions`, `link` the address that it leads to."""

    text: str
    hit: bool = False
    mention: Mapping[str, Any] | None = None
    link: str | None = None


class Paragraph(NamedTuple):
    """A line of a text, in parts."""

    parts: tuple[Part, ...]
    is_heading: bool


def visible(text: str) -> str:
    """The text with letters that do not show, or turn the direction of text, written as `⟨U+202E⟩`.

    >>> visible("a\\u202eb\\x00")
    'a⟨U+202E⟩b⟨U+0000⟩'
    """
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def mark(text: str, words: str) -> list[Part]:
    """A text in parts, with the words that were searched marked.

    >>> [(part.text, part.hit) for part in mark("指数上涨", "上涨")]
    [('指数', False), ('上涨', True)]
    """
    parts, done = [], 0
    for start in find_all(text, words):
        if start > done:
            parts.append(Part(text[done:start]))
        done = start + len(words)
        parts.append(Part(text[start:done], hit=True))
    return [*parts, Part(text[done:])] if done < len(text) else parts


def annotate(row: Mapping[str, Any], words: str) -> tuple[list[Paragraph], bool]:
    """The text of an article as paragraphs, and whether all of it is there.

    Spans that do not fit the text, as a version from elsewhere may have them, are left out; of spans that overlap, the first
    one stays.

    Args:
        row: a row of `articles`.
        words: what was searched, "" for nothing.
    """
    text = (row.get("text") or "")[:_MAX_CHARACTERS]
    spans = [_Span(mention["start"], mention["end"], mention) for mention in row.get("mentions") or () if mention]
    spans += [_Span(link["start"], link["end"], link=link["url"]) for link in row.get("links") or () if link]
    kept = _without_overlaps([span for span in spans if _fits(span.start, span.end, len(text))])
    headings = {
        span["start"] for span in row.get("headings") or () if span and _fits(span["start"], span["end"], len(text))
    }
    hits = [_Span(start, start + len(words)) for start in find_all(text, words)]
    paragraphs, start, span_at, hit_at = [], 0, 0, 0
    for line in text.split("\n"):
        end = start + len(line)
        span_at, inside = _inside(kept, span_at, start, end)
        hit_at, near = _inside(hits, hit_at, start, end)
        paragraphs.append(Paragraph(tuple(_parts(text, _Span(start, end), inside, near)), start in headings))
        start = end + 1
    return paragraphs, len(row.get("text") or "") <= _MAX_CHARACTERS


class _Span(NamedTuple):
    start: int
    end: int
    mention: Mapping[str, Any] | None = None
    link: str | None = None


def _without_overlaps(spans: list[_Span]) -> list[_Span]:
    kept: list[_Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _inside(spans: Sequence[_Span], at: int, start: int, end: int) -> tuple[int, list[_Span]]:
    """The spans that reach into a line, and where to look for those of the next line."""
    while at < len(spans) and spans[at].end <= start:
        at += 1
    last = at
    while last < len(spans) and spans[last].start < end:
        last += 1
    return at, list(spans[at:last])


def _fits(start: Any, end: Any, size: int) -> bool:
    return start is not None and end is not None and 0 <= start < end <= size


def _parts(text: str, line: _Span, spans: Sequence[_Span], hits: Sequence[_Span]) -> list[Part]:
    """A line in parts, cut wherever a span or a hit begins or ends."""
    cuts = {line.start, line.end} | {at for span in (*spans, *hits) for at in span[:2]}
    places = sorted(at for at in cuts if line.start <= at <= line.end)
    parts, span_at, hit_at = [], 0, 0
    for start, end in pairwise(places):
        while span_at < len(spans) and spans[span_at].end <= start:
            span_at += 1
        while hit_at < len(hits) and hits[hit_at].end <= start:
            hit_at += 1
        hit = hit_at < len(hits) and hits[hit_at].start <= start
        inside = span_at < len(spans) and spans[span_at].start <= start
        mention, link = spans[span_at][2:] if inside else (None, None)
        parts.append(Part(text[start:end], hit, mention, link))
    return parts
