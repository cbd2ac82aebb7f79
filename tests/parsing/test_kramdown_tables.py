"""Tables of Markdown.

`test_markdown_against_kramdown` compares the same rules with kramdown itself.
"""

from __future__ import annotations

import pytest

from newsdata.parsing.markdown import read_markdown


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("| a | b |\n|---|\n| c | *d* |\n", ["a\tb", "c\td"]),
        ("a | b\nc | d\n\ne\nf | g\n", ["a\tb", "c\td", "e f | g"]),
        ("| a\n|=\n| b | c\n|-\n| d \\| e\n", ["a\t", "b\tc", "d | e\t"]),
        ("| a |\n|---|\n\nb\n", ["| a | |---|", "b"]),
        ("| `a|b` | c |\n| <code>d|e</code> | [f|g](/h) |\n", ["a|b\tc", "d|e\tf|g"]),
        ("`a | b`\n\n[c | d](/e)\n\n<b>f | g</b>\n", ["a | b", "c | d", "f | g"]),
        ("{: .a}\n| b |\n{: .c}\n\n^\n| d |\n", ["b", "d"]),
        ("|a||b|\n|c|d|e|\n", ["a\t\tb", "c\td\te"]),
    ],
)
def test_a_line_with_a_pipe_is_a_row(source: str, lines: list[str]) -> None:
    assert read_markdown(source)[0].text.split("\n") == lines
