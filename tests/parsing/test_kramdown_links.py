"""Links, images and footnotes of Markdown.

`test_markdown_against_kramdown` compares the same rules with kramdown itself.
"""

from __future__ import annotations

import pytest

from newsdata.parsing.markdown import read_markdown


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("[a](/b) [c](/d \"e 'f'\") [g](</h i>) [j](/k(l)m) [n] (o)", ["a c g j [n] (o)"]),
        ("[a [b] c](/d) [e [f](/g) h](/i) [*j*](/k) [l", ["a [b] c e [f](/g) h j [l"]),
        ("a ![b](/c) [![d](/e)](/f) [g](h i) []( /j )", ["a g"]),
        ("[a]: /b\n[ C  d ]: </e> 'f'\n\n[a] [x][a] [C d][] [ c D ] [y][z]", ["[a] x [C d] [y][z]"]),
        (
            "<https://e.org/%20?a=b&amp;c> <mailto:a@e.org> <a.b@e.org> <tel:1>",
            ["https://e.org/%20?a=b&c a@e.org a.b@e.org <tel:1>"],
        ),
        ("a[^1] b[^x] [c[^1] d](/e)\n\n[^1]: f", ["a1 b[^x] c1 d", "f"]),
    ],
)
def test_links_are_words(source: str, lines: list[str]) -> None:
    assert read_markdown(source)[0].text.split("\n") == lines
