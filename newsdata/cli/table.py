"""Lay out text for terminals: columns and lines by the width of letters, tables, and small charts of counts.

A Chinese letter takes two columns, a combining mark none. Letters whose width depends on the terminal (“”, …, ①) count as one
column, so nothing that must stand in a column comes after text of others where that can be avoided.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from .output import Line, Styled, printable

__all__ = ["NARROW", "cut", "parts_between", "sparkline", "table", "width_of", "wrap"]

NARROW = 60
"""Terminals with fewer columns get one value a line instead of a table."""

Cell = str | Styled

_NOT_FIRST = frozenset("，。、；：！？）》」』】〉”’％…,.;:!?)]}%")
"""Punctuation that begins no line."""

_NOT_LAST = frozenset("（《「『【〈“‘([{")
"""Punctuation that ends no line."""

_BARS, _PLAIN_BARS = "▁▂▃▅▇", ".:-=#"


def width_of(text: str) -> int:
    """The columns that a text takes on a terminal.

    >>> width_of("望山 A1"), width_of("e\\u0301"), width_of("👍")
    (7, 1, 2)
    """
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def cut(text: str, width: int) -> str:
    """A text in at most `width` columns; where something is left out, it ends with "…".

    >>> cut("冷柜为何涨价", 12), cut("冷柜为何涨价", 8), cut("冷柜为何涨价", 1)
    ('冷柜为何涨价', '冷柜为…', '…')
    """
    if width_of(text) <= width:
        return text
    ending = printable("…")
    taken, room = 0, width - len(ending)
    for at, letter in enumerate(text):
        taken += _width(letter)
        if taken > room:
            return text[:at].rstrip() + ending
    return text


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Where the lines of a text begin and end that take at most `width` columns.

    A line ends at a blank or beside a wide letter, before no closing and after no opening punctuation; a word that is too
    long is cut. Blanks at the end of a line belong to no line.

    >>> text = "青岚股份昨日说，Nuvetech 会。"
    >>> [text[start:end] for start, end in wrap(text, 16)]
    ['青岚股份昨日说，', 'Nuvetech 会。']
    """
    lines, start, last, taken = [], 0, 0, 0
    for at, letter in enumerate(text):
        if at > start and _may_break(text[at - 1], letter):
            last = at
        taken += _width(letter)
        if taken > width and letter != " " and at > start:
            end = last if last > start else at
            lines.append((start, start + len(text[start:end].rstrip(" "))))
            start = end
            taken = width_of(text[start : at + 1])
    if start < len(text) or not lines:
        lines.append((start, start + len(text[start:].rstrip(" "))))
    return lines


def _may_break(before: str, after: str) -> bool:
    if after in _NOT_FIRST or before in _NOT_LAST or after == " " or not _width(after):
        return False
    return before == " " or _width(before) == 2 or _width(after) == 2


def parts_between(parts: Sequence[Styled], start: int, end: int) -> list[Styled]:
    """The letters from `start` to `end` of some parts of a line, in their styles.

    >>> parts_between([Styled("ab"), Styled("cd", "mark")], 1, 3)
    [Styled(text='b', style=''), Styled(text='c', style='mark')]
    """
    letters = [(letter, part.style) for part in parts for letter in part.text][start:end]
    return [
        Styled("".join(letter for letter, _ in run), style) for style, run in groupby(letters, key=lambda pair: pair[1])
    ]


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    room: int | None,
    right: Collection[int] = (),
    flexible: int | None = None,
    indent: str = "  ",
) -> Iterator[Line]:
    """The lines of a table, with columns as wide as their widest cell.

    Args:
        header: a name for each column; "" for all of them prints no header.
        rows: the cells of each row.
        room: the columns of the terminal, None for any. A row that does not fit into fewer than 60 becomes lines with one
            cell each.
        right: the numbers of the columns that are set on the right: those with numbers.
        flexible: the number of the column that is cut when a row is too long; without it, no cell is cut.
        indent: stands before each line.
    """
    names = [printable(name) for name in header]
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(map(width_of, [name, *(row[at].text for row in cells)])) for at, name in enumerate(names)]
    if room is not None and room < min(NARROW, len(indent) + sum(widths) + 2 * (len(widths) - 1)):
        yield from _one_cell_a_line(names, cells, indent, room if flexible is not None else None)
        return
    if room is not None and flexible is not None:
        others = len(indent) + sum(widths) - widths[flexible] + 2 * (len(widths) - 1)
        widths[flexible] = max(min(widths[flexible], room - others), min(widths[flexible], 8))
    if any(names):
        yield _row([Styled(name, "quiet") for name in names], widths, right, indent)
    for row in cells:
        yield _row(row, widths, right, indent)


def _cell(cell: Cell) -> Styled:
    return Styled(printable(cell)) if isinstance(cell, str) else Styled(printable(cell.text), cell.style)


def _row(cells: Sequence[Styled], widths: Sequence[int], right: Collection[int], indent: str) -> Line:
    """One row; no line ends with blanks."""
    used = max((at for at, cell in enumerate(cells) if cell.text), default=-1)
    parts: list[str | Styled] = [indent]
    for at, (cell, width) in enumerate(zip(cells[: used + 1], widths, strict=False)):
        text = cut(cell.text, width)
        blanks = " " * (width - width_of(text))
        parts += [blanks if at in right else "", Styled(text, cell.style), "" if at in right else blanks, "  "]
    while parts and isinstance(parts[-1], str) and not parts[-1].strip():
        parts.pop()
    return parts


def _one_cell_a_line(
    names: Sequence[str], rows: Sequence[Sequence[Styled]], indent: str, room: int | None
) -> Iterator[Line]:
    """Each row as lines of a name and a cell, with an empty line between rows; empty cells are left out."""
    width = max(map(width_of, names), default=0)
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, cell in zip(names, row, strict=True):
            if cell.text:
                before = f"{indent}{name}{' ' * (width - width_of(name) + 2)}" if width else indent
                text = cell.text if room is None else cut(cell.text, max(room - width_of(before), 8))
                yield [Styled(before, "quiet"), Styled(text, cell.style)]


def sparkline(counts: Sequence[int], highest: int) -> str:
    """One sign for each count: a bar of five heights, or signs of ASCII where stdout has no bars; a blank for nothing.

    Args:
        counts: what to draw.
        highest: the count of the highest bar.
    """
    bars = _BARS if printable(_BARS) == _BARS and _is_unicode() else _PLAIN_BARS
    return "".join(bars[(count * len(bars) - 1) // highest] if count else " " for count in counts)


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")
