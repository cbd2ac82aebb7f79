"""Spans of Markdown: emphasis, code, formulas, signs and attribute lists.

`test_markdown_against_kramdown` compares the same rules with kramdown itself.
"""

from __future__ import annotations

import pytest

from newsdata.parsing.markdown import read_markdown


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (
            "价**“不涨。”**第*（二）*天，~~作废。~~重来 문서는**(M)**을",
            ["价“不涨。”第（二）天，作废。重来 문서는(M)을"],
        ),
        ("a*b*c a_b_c __d__e 2*3 4 * 5 **f* g** ***h*** *i **j* k**", ["abc a_b_c __d__e 23 4 * 5 f* g *h *i j* k"]),
        ("_a_- x-_y_ _字_字 **a *b** c*", ["a- x-_y_ _字_字 *a *b** c"]),
        ("~~a~~ ~~ b ~~ ~c~ ~~d *e*~~", ["a ~~ b ~~ ~c~ d e"]),
        ("`a` `` b`c `` ` d` `e", ["a b`c ` d e"]),
        ("$$a_b_*c*$$ $d_e_f$ $$", ["$$a_b_*c*$$ $d_e_f$ $$"]),
        ("a  \nb\\\nc\\\\\nd", ["a b c d"]),
        ("\\*a\\* \\_b\\_ \\~~c\\~~ \\d \\\\", ["*a* _b_ ~~c~~ \\d \\"]),
        ('*a*{: .b} c{: .d} `e`{:.f}{:g="h"} "i"{:.j}', ['a c{: .d} e "i"']),
        ("a {::comment}b{:/comment} {::nomarkdown}*c*{:/}d {::e}", ["a *c*d {::e}"]),
        ("<b>*a*</b> <u>*b*</u> <code>*c*</code> <i>d</b> e", ["a *b* *c* d</b> e"]),
        ("a < b <1> <<c> <X>d</X> <甲>e &amp; &nothing; &hellip; f", ["a < b <1> <<c> d <甲>e & ¬hing; … f"]),
        ("\"a\" 'b' -- c --- d...", ["\"a\" 'b' -- c --- d..."]),
        ("&amp; &nothing; &hellip; &#8212; &#x41; &#; &", ["& &nothing; … — A &#; &"]),
    ],
)
def test_spans_begin_and_end_where_they_do_for_kramdown(source: str, lines: list[str]) -> None:
    assert read_markdown(source)[0].text.split("\n") == lines
