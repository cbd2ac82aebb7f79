"""Two texts side by side: clause by clause, and character by character inside the clauses that differ."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import NamedTuple

__all__ = ["DiffRow", "Piece", "compare_texts"]

_CLAUSE = re.compile(r"[^。！？；，、.!?;,\n]*(?:[。！？；，、.!?;,]+[”’」』）)\"']*\n*|\n+|\Z)")
_MAX_CHARACTERS = 20_000  # of each text: what follows is not compared
_MAX_CLAUSE = 400  # longer clauses are not compared character by character
_MANY = 400  # with more clauses than that, frequent ones are not compared, or the time would be cubic
_CONTEXT = 2  # equal clauses that are shown on each side of a difference
_ALIKE = 0.3  # clauses that share less are marked whole


class Piece(NamedTuple):
    """A part of a text, and whether the other text lacks it."""

    text: str
    changed: bool


class DiffRow(NamedTuple):
    """Clauses that stand side by side. `kind`: "equal", "changed", "left", "right" (only there), or "folded" (equal, hidden)."""

    kind: str
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    characters: int


def compare_texts(left: str, right: str) -> tuple[list[DiffRow], bool]:
    """The rows of a comparison, and whether both texts were read to their ends.

    >>> rows, whole = compare_texts("今日上涨，成交放大。", "今日上涨，成交缩小。")
    >>> [row.kind for row in rows], [piece.text for piece in rows[-1].right if piece.changed]
    (['equal', 'changed'], ['缩小'])
    """
    whole = max(len(left), len(right)) <= _MAX_CHARACTERS
    ours, theirs = _clauses(left[:_MAX_CHARACTERS]), _clauses(right[:_MAX_CHARACTERS])
    rows: list[DiffRow] = []
    matcher = SequenceMatcher(None, ours, theirs, autojunk=len(theirs) > _MANY)
    operations = matcher.get_opcodes()
    for number, (kind, a, b, c, d) in enumerate(operations):
        if kind == "equal":
            rows += _fold(ours[a:b], is_first=number == 0, is_last=number == len(operations) - 1)
        else:
            rows.append(_changed("".join(ours[a:b]), "".join(theirs[c:d])))
    return rows, whole


def _clauses(text: str) -> list[str]:
    return [clause for clause in _CLAUSE.findall(text) if clause]


def _fold(clauses: list[str], *, is_first: bool, is_last: bool) -> list[DiffRow]:
    """Equal clauses, of which only those near a difference are shown."""
    before, after = (0 if is_first else _CONTEXT), (0 if is_last else _CONTEXT)
    if is_first and is_last:
        before = after = _CONTEXT
    if len(clauses) <= before + after + 1:
        return [_equal("".join(clauses))] if clauses else []
    middle = "".join(clauses[before : len(clauses) - after])
    rows = [_equal("".join(clauses[:before]))] if before else []
    rows.append(DiffRow("folded", (Piece(middle, False),), (Piece(middle, False),), len(middle)))
    return [*rows, _equal("".join(clauses[len(clauses) - after :]))] if after else rows


def _equal(text: str) -> DiffRow:
    return DiffRow("equal", (Piece(text, False),), (Piece(text, False),), len(text))


def _changed(left: str, right: str) -> DiffRow:
    characters = max(len(left), len(right))
    if not left or not right:
        return DiffRow("right" if not left else "left", _marked(left), _marked(right), characters)
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if characters > _MAX_CLAUSE or matcher.ratio() < _ALIKE:
        return DiffRow("changed", _marked(left), _marked(right), characters)
    ours: list[Piece] = []
    theirs: list[Piece] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if b > a:
            ours.append(Piece(left[a:b], kind != "equal"))
        if d > c:
            theirs.append(Piece(right[c:d], kind != "equal"))
    return DiffRow("changed", tuple(ours), tuple(theirs), characters)


def _marked(text: str) -> tuple[Piece, ...]:
    return (Piece(text, True),) if text else ()
