"""Columns and lines by the width of letters."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.cli.output import Line, Styled, printable
from newsdata.cli.table import cut, parts_between, sparkline, table, width_of, wrap

from ..terminal import columns_of

TEXTS = st.text(st.characters(codec="utf-8")).map(printable)


def plain(line: Line) -> str:
    return line if isinstance(line, str) else "".join(part if isinstance(part, str) else part.text for part in line)


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("望山财经", 8), ("Ａ股", 4), ("é", 1), ("e\u0301", 1), ("👍", 2), ("　", 2), ("…", 1)],
)
def test_widths(text: str, width: int) -> None:
    assert width_of(text) == width


@given(TEXTS, st.integers(1, 30))
def test_a_cut_text_fits(text: str, width: int) -> None:
    shorter = cut(text, width)
    assert width_of(shorter) <= width
    assert shorter == text or (shorter.endswith("…") and text.startswith(shorter[:-1]))


@given(TEXTS, st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_only_blanks(text: str, width: int) -> None:
    lines = [text[start:end] for start, end in wrap(text, width)]
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_lines_end_at_words_and_keep_punctuation_together() -> None:
    text = "冷柜企业，说（Nuvetech announced that）首轮提价落地。"
    lines = [text[start:end] for start, end in wrap(text, 10)]
    assert all(line[0] not in "，）。" and line[-1] not in "（" for line in lines), lines
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert [text[a:b] for a, b in wrap("one two three", 7)] != []
    words = "one two three"
    assert [words[a:b] for a, b in wrap(words, 7)] == ["one two", "three"]


def test_columns_begin_below_each_other() -> None:
    rows = [["望山财经", "1", "x"], ["Nuvetech", "1,024", "y"], ["e\u0301", "7", "z"]]
    lines = [plain(line) for line in table(["name", "rows", "end"], rows, room=80, right=[1])]
    assert lines[0] == "  name       rows  end"
    assert {columns_of(line[: line.index(end)]) for line, end in zip(lines[1:], "xyz", strict=True)} == {19}
    assert {columns_of(line[: line.index(end) - 2]) for line, end in zip(lines[1:], "xyz", strict=True)} == {17}


def test_one_column_gives_way_on_a_terminal_and_nothing_is_cut_elsewhere() -> None:
    rows = [["1", "冷柜企业首轮提价落地" * 9, "id"]]
    (line,) = map(plain, table(["", "", ""], rows, room=70, flexible=1))
    assert columns_of(line) <= 70 and line.endswith("…  id")
    (line,) = map(plain, table(["", "", ""], rows, room=None, flexible=1))
    assert rows[0][1] in line


def test_a_narrow_terminal_gets_one_value_a_line() -> None:
    rows = [["望山", "1", "x" * 50], ["鹭洲", "", "y"]]
    lines = [plain(line) for line in table(["name", "rows", "what"], rows, room=40, flexible=2)]
    assert lines[:2] == ["  name  望山", "  rows  1"] and lines[2].startswith("  what  xxx") and lines[2][-1] == "…"
    assert lines[3:] == ["", "  name  鹭洲", "  what  y"] and max(map(columns_of, lines)) <= 40
    short = [plain(line) for line in table(["a", "b"], [["1", "2"]], room=40)]
    assert short == ["  a  b", "  1  2"], "what fits stays a table"


def test_cells_are_escaped_before_they_are_measured() -> None:
    lines = [plain(line) for line in table(["", ""], [["\x1b[31m", "a"], ["12345678", "b"]], room=80)]
    assert lines == ["  \\x1b[31m  a", "  12345678  b"]


def test_parts_keep_their_style() -> None:
    parts = [Styled("一二"), Styled("三四", "mark"), Styled("五")]
    assert parts_between(parts, 1, 3) == [Styled("二"), Styled("三", "mark")]
    assert parts_between(parts, 4, 9) == [Styled("五")]


def test_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(encoding: str, counts: list[int]) -> str:
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        return sparkline(counts, max(counts))

    assert drawn("utf-8", [0, 1, 50, 100]) == " ▁▃▇"
    assert drawn("ascii", [0, 1, 50, 100]) == " .-#"
    assert drawn("gb18030", [1, 1]) == "##", "only UTF-8 has the bars for sure"
