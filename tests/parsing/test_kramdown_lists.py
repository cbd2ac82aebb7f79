"""Lists of Markdown: where they begin and end, and what belongs to an item.

`test_markdown_against_kramdown` compares the same rules with kramdown itself.
"""

from __future__ import annotations

import pytest

from newsdata.parsing.markdown import read_markdown


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("a\n- b\n- c\nd\n\n1. e\n   f\n\n   g\n2) h\n", ["a", "b", "c d", "e f", "g 2) h"]),
        ("- a\n    * b\n* c\n\n    d\n\n        e\n\nf\n", ["a", "b", "c", "d", "  e", "f"]),
        ("- a\n{: .x}\n- b\n^\n- c\n\n* * *\n- d\n", ["a", "b", "c", "d"]),
        ("-a\n- \n  b\n*\tc\n\n1.d\n", ["-a", "b", "c", "1.d"]),
        ("- [ ] a\n- [x] b\n- c [ ] d\n", ["a", "b", "c [ ] d"]),
        ("1. {: .x} a\n   <div>\n   b\n   </div>\n<p>c</p>\n", ["a", "b", "c"]),
        ("- ```\n  *a*\n  ```\n- > b\n  c\n", ["*a*", "b c"]),
        (
            "a\nb\n: c\n  d\n: *e*\n\nf\n\n: g\n\n  h\n\ni\n:j\n\n# k\n: l\n",
            ["a", "b", "c d", "e", "f", "g", "h", "i :j", "k", ": l"],
        ),
        ("* TOC\n{:toc}\n\n{:toc}\n- a\n\nb\n", ["b"]),
    ],
)
def test_items_hold_what_they_do_for_kramdown(source: str, lines: list[str]) -> None:
    assert read_markdown(source)[0].text.split("\n") == lines
