"""HTML between the blocks of Markdown, and Markdown in HTML.

`test_markdown_against_kramdown` compares the same rules with kramdown itself.
"""

from __future__ import annotations

import pytest

from newsdata.parsing.markdown import read_markdown


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("<div>*a*\n\n*b*</div> *c*\n*d*\n", ["*a* *b*", "c d"]),
        ('<div markdown="1">\n*a*\n- b\n\n</div>\n*c*\n', ["a", "b", "c"]),
        ("<div>\n<p markdown='span'>*a*\n- b</p>\n<b>*c*</b></div>\n", ["a - b", "*c*"]),
        ("<div markdown=1>\n<div>*a*</div>\n*b*\n</div>\n", ["*a*", "b"]),
        ("<!--more-->a *b*\n<!-- c\n\nd --> *e*\n\n f <!-- g --> h\n", ["a b <!-- c", "d --> e", "f h"]),
        ("<p>a\n\n*b*\n", ["a *b*"]),
        ("a\n</div>\n<hr>*b*\n<hr>\nc | d\n", ["a </div>", "b", "c\td"]),
        ("<script>a *b*</script>*c*\n<style>\nd\n</style>\n", ["c"]),
        ("<div>a</p> &lt;b < c <id>d</id></div>\n", ["a</p> <b < c d"]),
        ("<table><tr><td>*a*\n\nb</td></tr></table>\n<pre>\n*c*\n\nd\n</pre>\n", ["*a* b", "*c*", "d"]),
        ('{::options parse_block_html="true" /}\n<div>\n*a*\n<pre>*b*</pre>\n</div>\n', ["a", "*b*"]),
    ],
)
def test_html_holds_markdown_only_where_it_says_so(source: str, lines: list[str]) -> None:
    assert read_markdown(source)[0].text.split("\n") == lines
