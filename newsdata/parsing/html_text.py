"""The text of a body of HTML, line by line: paragraphs, and the rows of tables."""

from __future__ import annotations

__all__ = ["Text"]


class Text:
    """The lines of a text so far. A row of a table is one line, its cells joined by a tab.

    Attributes:
        size: length of the text so far: where the next line starts.
        in_row: whether a row is open.

    >>> text = Text()
    >>> text.start_row()
    >>> for words in ("2021", "3.2"):
    ...     text.start_cell()
    ...     place = text.add(words)
    >>> text.end_row()
    >>> text.add("after"), str(text)
    (9, '2021\\t3.2\\nafter')
    """

    __slots__ = ("_blanks", "_cell", "_cells", "_lines", "_row", "_separators", "in_row", "size")

    def __init__(self) -> None:
        self.size = 0
        self.in_row = False
        self._lines: list[str] = []
        self._separators: dict[int, str] = {}  # what is before a line, if it is not a line feed
        self._row = 0  # how many lines there were when the row began
        self._cells = self._blanks = 0  # cells of the row; the empty ones since its last line
        self._cell = False  # inside a cell that has no line yet

    def __str__(self) -> str:
        if not self._separators:
            return "\n".join(self._lines)
        before = self._separators
        return "".join(before.get(number, "\n") + line for number, line in enumerate(self._lines))[1:]

    def add(self, line: str) -> int:
        """Append a line. Returns where it starts in the text."""
        if self.in_row:
            if self._blanks and self._cells > 1:
                self._add_blanks()
            if len(self._lines) > self._row:
                self._separators[len(self._lines)] = "\t" if self._cell else " "
            self._cell = False
            self._blanks = 0
        base = self.size
        self._lines.append(line)
        self.size += len(line) + 1
        return base

    def start_row(self) -> None:
        """Start a row. End the one before first."""
        self.in_row = True
        self._row, self._cells, self._cell, self._blanks = len(self._lines), 0, False, 0

    def start_cell(self) -> None:
        """Start a cell, in a row of its own if no row is open."""
        if not self.in_row:
            self.start_row()
        self.end_cell()
        self._cells += 1
        self._cell = True

    def end_cell(self) -> None:
        """End the cell, if one is open."""
        self._blanks += self._cell
        self._cell = False

    def end_row(self) -> None:
        """End the row, if one is open. The paragraphs of a row of one cell stay lines, and an empty row is left out."""
        if not self.in_row:
            return
        self.end_cell()
        if self._cells <= 1:
            for number in range(self._row, len(self._lines)):
                self._separators.pop(number, None)
        elif len(self._lines) > self._row:
            self._add_blanks()
        self.in_row = False

    def _add_blanks(self) -> None:
        """Add the empty cells before this one, so that later cells stay in their columns."""
        for _ in range(self._blanks):
            if len(self._lines) > self._row:
                self._separators[len(self._lines)] = "\t"
            self._lines.append("")
            self.size += 1
        self._blanks = 0
