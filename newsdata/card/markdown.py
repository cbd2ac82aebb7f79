"""Markdown from values: text that is escaped, tables, numbers.

Values that come from data are escaped: they cannot open a tag, a link, a table cell or a code block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = [
    "code_span",
    "counts_table",
    "escape",
    "flatten",
    "join_blocks",
    "label_of",
    "one_line",
    "percent",
    "render_table",
    "show_value",
]

_RISKY = re.compile(r"[^\w\s.,/()'+-]|(?<=www)\.|_", re.ASCII)
_INVISIBLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


# ------------------------------------------------------------------------------------------------ one value


def escape(value: object, limit: int = 200) -> str:
    r"""`value` as one line of Markdown that is plain text, also inside a table.

    White space, control characters and direction marks become one blank. Text longer than `limit` characters is cut.

    >>> escape("a|b <i>\n`c`")
    'a&#124;b &#60;i&#62; &#96;c&#96;'
    """
    text = one_line(value, limit)
    return _RISKY.sub(lambda match: match[0] if match[0] > "\x7f" else f"&#{ord(match[0])};", text)


def one_line(value: object, limit: int = 200) -> str:
    r"""`value` as one line of at most `limit` characters, not escaped.

    >>> one_line("a\n\tb"), one_line("abcdef", 4)
    ('a b', 'abc…')
    """
    text = _INVISIBLE.sub(" ", str(value)).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def code_span(value: object, limit: int = 200) -> str:
    """`value` as a code span; escaped instead if it holds a character that could end the span or the table cell.

    >>> code_span("no-date"), code_span("a|b")
    ('`no-date`', 'a&#124;b')
    """
    text = one_line(value, limit)
    return f"`{text}`" if text and not re.search(r"[<>&|`\\]", text) else escape(text)


def label_of(key: str) -> str:
    """A key as words.

    >>> label_of("split_scheme")
    'split scheme'
    """
    return escape(key.replace("_", " "))


def show_value(value: object) -> str:
    """A value of a manifest, for a table cell.

    >>> [show_value(value) for value in (None, True, 12345, 0.5, "a|b")]
    ['–', 'yes', '12,345', '0.5', 'a&#124;b']
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else escape(value)


def percent(part: float, whole: float) -> str:
    """A share with one decimal. 0% means none at all and 100% means all: what is nearly so is 0.1% or 99.9%.

    >>> percent(0, 9), percent(1, 9999), percent(9998, 9999), percent(9, 9), percent(0, 0)
    ('0%', '0.1%', '99.9%', '100%', '–')
    """
    if not whole or part == whole:
        return "100%" if whole else "–"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f}%" if part else "0%"


# -------------------------------------------------------------------------------------------------- blocks


def render_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table of cells that are Markdown already; empty if there are no rows.

    Args:
        header: one cell for each column.
        rows: the cells of each row.
        right: numbers of the columns that hold numbers, aligned to the right.

    >>> print(render_table(("Split", "Rows"), [("train", "8")], right=(1,)))
    | Split | Rows |
    | --- | ---: |
    | train | 8 |
    """
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    rule = ["---:" if number in right else "---" for number in range(len(header))]
    return "\n".join([f"| {' | '.join(header)} |", f"| {' | '.join(rule)} |", *lines])


def counts_table(head: str, counts: Mapping[str, int], meanings: Mapping[str, str], unit: str) -> str:
    """A table of counts, with a column for the meanings of the keys where some are known; empty without counts.

    Args:
        head: what the keys are.
        counts: key -> how many; those that are 0 are left out.
        meanings: key -> its meaning.
        unit: what is counted.

    >>> print(counts_table("Why", {"a": 2000, "b": 0}, {}, "Files"))
    | Why | Files |
    | --- | ---: |
    | `a` | 2,000 |
    """
    filled = {key: count for key, count in counts.items() if count}
    known = any(key in meanings for key in filled)
    rows = [
        (code_span(key), *([meanings.get(key, "")] if known else []), f"{count:,}") for key, count in filled.items()
    ]
    return render_table((head, *(["Meaning"] if known else []), unit), rows, right=(2 if known else 1,))


def join_blocks(blocks: Iterable[str]) -> str:
    r"""Blocks with a blank line between them; empty ones are left out.

    >>> join_blocks(["a", "", "b"])
    'a\n\nb'
    """
    return "\n\n".join(block for block in blocks if block)


def flatten(data: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Keys and values; a map inside gives one entry for each of its keys, a list becomes text.

    >>> flatten({"a": 1, "b": {"c": 2}, "d": [3, 4]})
    [('a', 1), ('b c', 2), ('d', '3, 4')]
    """
    found: list[tuple[str, object]] = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            found += [(f"{key} {name}", inner) for name, inner in value.items()]
        elif isinstance(value, (list, tuple)):
            found.append((str(key), ", ".join(map(str, value)) or None))
        else:
            found.append((str(key), value))
    return found
