"""Tables of Markdown as kramdown reads them: a rule for markdown-it's block parser.

Every line with a `|` makes a row. Lines of dashes set the header apart; there need not be one, nor need they have as many
columns as the rows.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock

from .kramdown_lines import after_boundary, before_boundary, text_of

__all__ = ["read_table"]

_PIPE = re.compile(r"\||.*?[^\\]\|")
_RULER = re.compile(r"[+|: \t-]*-[+|: \t-]*")
_FOOTER = re.compile(r"[+|: \t=]*=[+|: \t=]*")
_MASKED = re.compile(
    r"""(?P<marks>`+)(?!`).{1,2000}?(?<!`)(?P=marks)(?!`)   # code
        | <code\b[^<>]{0,200}>.{0,2000}?</code>
        | \[[^\[\]\n]*\]\([^()\n]*\)                        # a link: a pipe in its words ends no cell
        | </?[a-zA-Z][^<>\n]*>
    """,
    re.VERBOSE | re.DOTALL,
)
_ELEMENT = re.compile(r"<([a-zA-Z]\w*)\b[^<>]{0,200}>.{0,2000}?</\1>", re.DOTALL)
_NOT_LINE_END = re.compile(r"[^\n]")
_CELL_END = re.compile(r"(?<!\\)\|")


def read_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for tables."""
    first = text_of(state, start)
    if "|" not in first or len(first) - len(first.lstrip(" ")) > 3 or not after_boundary(state, start):
        return False
    line = start
    while line < end and _PIPE.match(text_of(state, line)):
        line += 1
    if line == start or not before_boundary(state, line, end):
        return False
    lines = state.src[state.bMarks[start] : state.eMarks[line - 1]]
    if not all(map(_PIPE.match, _masked(_masked(lines, _ELEMENT)).split("\n"))):
        return False
    rows: list[list[str]] = []
    head = 0
    leading = first.lstrip(" \t").startswith("|")
    for text in lines.split("\n"):
        if _RULER.fullmatch(text):
            head = head or len(rows)
        elif not _FOOTER.fullmatch(text):
            rows.append(_cells(text, leading))
    if len(rows) == head:
        return False
    _write(state, rows, head)
    state.line = line
    return True


def _masked(text: str, pattern: re.Pattern[str] = _MASKED) -> str:
    """Lines with every character replaced of code, links and tags: a pipe that is left ends a cell."""
    return pattern.sub(lambda match: _NOT_LINE_END.sub("x", match[0]), text)


def _cells(text: str, leading: bool) -> list[str]:
    cells: list[str] = []
    at = 0
    for found in _CELL_END.finditer(_masked(text)):
        cells.append(text[at : found.start()])
        at = found.end()
    cells.append(text[at:])
    if leading and not cells[0].strip():
        cells.pop(0)
    if cells and not cells[-1].strip():
        cells.pop()
    return [cell.strip().replace(r"\|", "|") for cell in cells]


def _write(state: StateBlock, rows: list[list[str]], head: int) -> None:
    columns = max(map(len, rows))
    state.push("table_open", "table", 1)
    for number, cells in enumerate(rows):
        tag = "th" if number < head else "td"
        state.push("tr_open", "tr", 1)
        for cell in [*cells, *[""] * (columns - len(cells))]:
            state.push(f"{tag}_open", tag, 1)
            token = state.push("inline", "", 0)
            token.content = cell
            token.children = []
            state.push(f"{tag}_close", tag, -1)
        state.push("tr_close", "tr", -1)
    state.push("table_close", "table", -1)
