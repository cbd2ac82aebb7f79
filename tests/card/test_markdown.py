from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from newsdata.card.markdown import code_span, escape, flatten, join_blocks, one_line, percent, render_table, show_value


@given(st.text(max_size=60))
def test_escaped_text_reads_back_as_itself(text: str) -> None:
    shown = escape(text)
    assert "\n" not in shown
    assert "|" not in shown
    inline = MarkdownIt("commonmark", {"html": True}).parseInline("x " + shown + " x")[0].children or []
    plain = "".join(token.content for token in inline)
    assert {token.type for token in inline} <= {"text", "text_special"}
    wanted = re.sub(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+", " ", text)
    assert plain == f"x {wanted.strip()} x"


@given(st.text(max_size=60))
def test_a_code_span_or_its_replacement_stays_in_its_table_cell(text: str) -> None:
    table = render_table(("Key",), [(code_span(text),)])
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(table)
    assert [token.type for token in tokens].count("td_open") == 1
    inline = [child.type for token in tokens for child in token.children or ()]
    assert set(inline) <= {"text", "text_special", "code_inline"}


def test_long_text_is_cut() -> None:
    assert one_line("x" * 300) == "x" * 199 + "…"
    assert one_line("x" * 200) == "x" * 200
    assert escape("<" * 10, 3) == "&#60;&#60;…"


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "–"), (0, 5, "0%"), (5, 5, "100%"), (1, 10_000, "0.1%"), (9_999, 10_000, "99.9%"), (0.25, 1, "25.0%")],
)
def test_percent(part: float, whole: float, shown: str) -> None:
    assert percent(part, whole) == shown


def test_a_table_without_rows_is_empty() -> None:
    assert render_table(("a", "b"), []) == ""
    assert join_blocks([]) == join_blocks(["", ""]) == ""


def test_values_and_maps() -> None:
    assert show_value(0) == "0" and show_value("") == "" and show_value(False) == "no"
    assert flatten({"a": [], "b": {}, "c": None, "d": ("x", 1)}) == [("a", None), ("c", None), ("d", "x, 1")]
