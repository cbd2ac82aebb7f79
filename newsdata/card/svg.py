"""Parts of an SVG picture: text that is escaped, coordinates with one decimal, and a light card that holds everything.

Only presentation attributes are used, so a picture looks the same wherever it is shown: in an `<img>`, under a strict policy,
on a light and on a dark page. Lengths are whole tenths of a unit, so that no number depends on how a machine rounds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import quoteattr

__all__ = ["COLORS", "SOFT", "WIDTH", "bars", "fit", "frame", "line", "scale", "square", "text"]

WIDTH = 5200
"""Of every picture, in tenths of a unit: 520 units."""

SOFT = "#615c53"
"""The colour of what is less important."""

COLORS = {
    "train": "#4d7c9e",
    "validation": "#c28a2c",
    "test": "#a9484f",
    "newer": "#4a8f66",
    "other": "#85807a",
    "pale": "#c9c4ba",
}
"""The colours of splits and of other things."""

_INK, _PAPER, _EDGE = "#1f1d1a", "#ffffff", "#d9d4ca"
_FONT = 16  # units
_SHOWN_WIDTH = 640  # pixels, where there is room
_DROPPED = re.compile(r"[\ud800-\udfff\ufffe\uffff]")


def frame(height: int, title: str, label: str, parts: Iterable[str]) -> str:
    """A whole picture: a light card with a title.

    Args:
        height: of the card, in tenths.
        title: the words at the top.
        label: what the picture shows, for those who cannot see it.
        parts: the elements.
    """
    shown = _SHOWN_WIDTH * height // WIDTH
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(WIDTH)} {_n(height)}" width="{_SHOWN_WIDTH}" '
        f'height="{shown}" role="img" aria-label={quoteattr(_clean(label))} font-family="system-ui,sans-serif" '
        f'font-size="{_FONT}" fill="{_INK}">'
    )
    card = (
        f'<rect x="0.5" y="0.5" width="{_n(WIDTH - 10)}" height="{_n(height - 10)}" rx="12" fill="{_PAPER}" '
        f'stroke="{_EDGE}"/>'
    )
    return "\n".join([head, card, text(200, 320, title, bold=True), *(part for part in parts if part), "</svg>", ""])


def text(
    x: int, y: int, words: str, *, anchor: str = "start", color: str | None = None, bold: bool = False
) -> str:  # fmt: skip
    """Words at a place.

    Args:
        x, y: where the words begin, end or have their middle, and their base line; in tenths.
        words: any text; what cannot be printed is left out.
        anchor: "start", "middle" or "end".
        color: of the words, if not that of the picture.
        bold: whether the words are bold.
    """
    more = "" if anchor == "start" else f' text-anchor="{anchor}"'
    more += f' fill="{color}"' if color else ""
    more += ' font-weight="600"' if bold else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{more}>{_escaped(words)}</text>'


def line(x1: int, y1: int, x2: int, y2: int, color: str, *, dashed: bool = False) -> str:
    """A line between two places, in tenths."""
    more = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<path d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" stroke="{color}"{more}/>'


def square(x: int, y: int, color: str) -> str:
    """A small square for a legend, beside words whose base line is `y`; in tenths."""
    return bars([(x, y - 115, 120, 120)], color)


def bars(boxes: Sequence[tuple[int, int, int, int]], color: str) -> str:
    """Rectangles of one colour as one element; empty if there are none. Each is x, y, width and height, in tenths."""
    paths = (f"M{_n(x)} {_n(y)}h{_n(w)}v{_n(h)}h{_n(-w)}z" for x, y, w, h in boxes if w > 0 and h > 0)
    data = "".join(paths)
    return f'<path d="{data}" fill="{color}"/>' if data else ""


def scale(value: int, most: int, length: int) -> int:
    """The length of a value if the largest value has the length `length`; at least 5 tenths if it is not 0.

    >>> scale(1, 3, 100), scale(0, 3, 100), scale(1, 10**6, 100), scale(0, 0, 100)
    (33, 0, 5, 0)
    """
    if value <= 0 or most <= 0:
        return 0
    return min(max(length * value // most, 5), length)


def fit(words: str, length: int) -> str:
    """The words as they can be printed, cut with … to about `length` tenths.

    >>> fit("abc", 1000), fit("望山财经日报", 700)
    ('abc', '望山财…')
    """
    words = _clean(words)
    widths = [_width(character) for character in words]
    if sum(widths) <= length:
        return words
    room, kept = length - 160, 0
    while kept < len(words) and room >= widths[kept]:
        room -= widths[kept]
        kept += 1
    return f"{words[:kept].rstrip()}…"


def _width(character: str) -> int:
    """About how wide a character is, in tenths; never too little for usual fonts."""
    if character in "WMwm@%&" or unicodedata.east_asian_width(character) in "WFA":
        return 160
    return 120 if character.isupper() else 100


def _clean(words: str) -> str:
    """The words without what cannot be printed: control characters, marks of direction, halves of a pair."""
    kept = "".join(c if c.isprintable() else " " for c in _DROPPED.sub("", words))
    return " ".join(kept.split())


def _escaped(words: str) -> str:
    return _clean(words).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _n(tenths: int) -> str:
    """Tenths as a number of units.

    >>> _n(125), _n(120), _n(-5)
    ('12.5', '12', '-0.5')
    """
    sign, (whole, rest) = "-" if tenths < 0 else "", divmod(abs(tenths), 10)
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"
