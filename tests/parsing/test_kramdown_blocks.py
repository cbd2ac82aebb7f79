"""Blocks of Markdown: headings, code, quotes, definitions and what ends a paragraph.

`test_markdown_against_kramdown` compares the same rules with kramdown itself.
"""

from __future__ import annotations

import pytest

from newsdata.parsing.markdown import read_markdown


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("# a\n## b #\n### c {#d}\n#e\n\nf\n===\n\ng\nh\n---\n", ["a", "b", "c", "#e", "f", "g h ---"]),
        ("a\n# b\nc\n> d\ne\n```\nf\n```\ng\n", ["a", "b", "c", "d e", "f", "g"]),
        ("a\n***\nb\n\n---\nc\n    d\n", ["a *** b", "c d"]),
        ("    a\n\n    b\nc\n\nd\n    e\n", ["a", "b c", "d e"]),
        (
            "```a\nb\n\n```\n``` c d\ne\n```\n\n~~~\n```\nf\n~~~\n\n```\ng\n",
            ["b", "``` c d e", "~~~", "f ~~~", "``` g"],
        ),
        ("> a\nb\n> - c\n\n> d\n{: .x}\n> e\n", ["a b", "c", "d", "e"]),
        ("a\n^\nb\n^ c\n", ["a", "b ^ c"]),
        ('a\n{: .b}\nc\n{: .d\ne="f"}\n{:.g}\nh\n{i: j}\n', ["a", "c", "h {i: j}"]),
        ("*[AB]: Long\nAB\n\n[c]: /d 'e'\n[c] [f]: g\n", ["AB", "[c] [f]: g"]),
        ("[^1]: a\n    b\n\n    c\nd\n\ne[^1]\n", ["e1", "a b", "c d"]),
        ("$$\na_b_ \\\\\n$$\n\n\\$$c$$\n\n$$d$$ e\n", ["$$", "a_b_ \\\\", "$$", "$$c$$", "$$d$$ e"]),
        ("{::comment}\na\n{:/comment}\n{::nomarkdown}\n<b>*c*</b>\n{:/}\n{::d}\n", ["*c*", "{::d}"]),
    ],
)
def test_blocks_begin_and_end_where_they_do_for_kramdown(source: str, lines: list[str]) -> None:
    assert read_markdown(source)[0].text.split("\n") == lines
