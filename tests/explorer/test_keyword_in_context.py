"""Lines in context, their order and their neighbours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsdata.explorer.keyword_in_context import Line, neighbours, snippet, sort_lines

TEXTS = st.text(st.sampled_from("涨跌停。，\n a"), max_size=80)


def test_lines_are_sorted_by_what_stands_beside() -> None:
    lines = [
        Line(n, "text", 0, left, "涨", right)
        for n, (left, right) in enumerate([("乙甲", "丙"), ("甲乙", "乙"), ("丁甲", "")])
    ]
    assert [line.row for line in sort_lines(lines, "1L")] == [1, 0, 2]
    assert [line.row for line in sort_lines(lines, "2L")] == [1, 2, 0]
    assert [line.row for line in sort_lines(lines, "3R")] == [2, 0, 1]
    assert [line.row for line in sort_lines(lines, "oldest")] == [0, 1, 2]
    assert neighbours(lines, 1) == ([("甲", 2), ("乙", 1)], [("丙", 1), ("乙", 1)])


@given(TEXTS, st.text("涨跌停", min_size=1, max_size=3))
def test_a_snippet_has_the_words(text: str, words: str) -> None:
    assert words not in text or words in snippet(text, words, 5)
    assert len(snippet(text, words, 5)) <= 5 + 2 + len(words)
