"""Markdown of other Jekyll sites, with what Liquid and kramdown add."""

from __future__ import annotations

import pytest

from newsdata.parsing.body import Body, read_body
from newsdata.schema import Image

from ..timing import growth


def site(body: str, markup: str = "markdown") -> Body:
    return read_body(body, feed="site", markup=markup)


def test_markdown_gives_text_headings_links_and_images() -> None:
    body = site(
        'Title\n=====\n\nA *soft*\nbreak, `x < y`  \nhard. ~~old~~ [l&k](/a?b=1&copy=2 "t") &copy;\n\n'
        "- one\n- two\n\n  more\n\n1. first\n2. second\n\n> quoted\n\n"
        "```ruby\ndef a\n\n  {:b => 1}\nend\n```\n\n"
        "    code *b*\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n![alt](/p.png)\n\n"
        "**Bold**\n\n* * *\n\n<b>html</b> end\n"
    )
    assert body.text.split("\n") == [
        "Title",
        "A soft break, x < y hard. old l&k ©",
        *("one", "two", "more", "first", "second", "quoted", "def a", "  {:b => 1}", "end", "code *b*"),
        *("a\tb", "1\t2", "Bold", "html end"),
    ]
    assert [body.text[h.start : h.end] for h in body.headings] == ["Title", "Bold"]
    assert [(body.text[x.start : x.end], x.url) for x in body.links] == [("l&k", "/a?b=1&copy=2")]
    assert body.images == (Image(url="/p.png", caption=None),)
    assert body.issues == ()


def test_liquid_that_is_not_text_stays_as_written() -> None:
    body = site(
        '{% include a_b_c.html x="*y*" %}\n\nSee [it]({{ site.url }}/a_b_) and {{ page.*x* }}.\n\n'
        "`{{ raw }}` {% open {{ end"
    )
    assert body.text.split("\n") == [
        '{% include a_b_c.html x="*y*" %}',
        "See it and {{ page.*x* }}.",
        "{{ raw }} {% open {{ end",
    ]
    assert [x.url for x in body.links] == ["{{ site.url }}/a_b_"]
    assert body.issues == ("liquid",)
    assert site("<p>{{ x }}</p>", "html").issues == ("liquid",)


def test_a_liquid_tag_alone_on_its_line_is_a_paragraph() -> None:
    body = site("{% if a %}\n| b | c |\n{% endif %} {% x %}\n- d\n  {% e %}\n  f\n{{ g }}\nh {% i %}\nj\n")
    assert body.text.split("\n") == [
        *("{% if a %}", "b\tc", "{% endif %} {% x %}", "d", "{% e %}", "f {{ g }} h {% i %} j"),
    ]


def test_liquid_that_is_text_is_read() -> None:
    body = site(
        "{% highlight js linenos %}\nvar a = '*b*';\n\n  if (a < 1) {}\n{% endhighlight %}\n\n"
        "Write `{% raw %}{{ *x* }}{% endraw %}`{% comment %} or\n\nnot {{ y }}{% endcomment %}, see\n"
        "[one]({% post_url 2021-03-01-a_b_c %}) and [two]({% link img/d_e_.png %}).\n"
    )
    assert body.text.split("\n") == [
        "var a = '*b*';",
        "  if (a < 1) {}",
        "Write {{ *x* }}, see one and two.",
    ]
    assert [x.url for x in body.links] == ["2021-03-01-a_b_c", "/img/d_e_.png"]
    assert body.issues == ()


def test_kramdown_is_dropped() -> None:
    body = site(
        "* TOC\n{:toc}\n\n# Head {#id}\n{: .big}\n\nText *em*{: .x #y}.\n{:.note}\n\n"
        "{::comment}\ngone\n{:/comment}\n\n"
        "```ruby\n{: .kept}\n```\n\n    {: .kept}\n\n{::options/}\n\n"
        "{ not: this } {:a => 1}\n\n{::comment}\nshown\n"
    )
    assert body.text.split("\n") == [
        *("Head", "Text em.", "{: .kept}", "{: .kept}"),
        *("{ not: this } {:a => 1}", "{::comment} shown"),
    ]
    assert body.issues == ("kramdown",)
    assert site("plain { text }").issues == ()


def test_footnotes_follow_the_text() -> None:
    body = site("A.[^1] B[^no].[^2]\n\n[^2]: Two[^1].\n[^3]: Not shown.\n[^1]:\n    One.\n\n    More.\n\nEnd.")
    assert body.text.split("\n") == ["A.1 B[^no].2", "End.", "One.", "More.", "Two1."]
    assert body.links == ()


def test_definitions_and_tables_are_lines() -> None:
    body = site("Term\n: *One*\n: Two\n\n{: .x }\n| a | b |\n|--|\n| c | `d|e` | [f|g](/h) |\n\ni | j\n")
    assert body.text.split("\n") == ["Term", "One", "Two", "a\tb\t", "c\td|e\tf|g", "i\tj"]


def test_formulas_stay_as_written() -> None:
    body = site("Let $$a_1 * b_2 \\{ <$$ hold.\n\n$$\n\\begin{x} a & b \\\\\n  c \\end{x}\n$$\n")
    assert body.text.split("\n") == [
        "Let $$a_1 * b_2 \\{ <$$ hold.",
        *("$$", "\\begin{x} a & b \\\\", "  c \\end{x}", "$$"),
    ]


def test_markdown_stands_behind_a_comment_and_inside_an_element_that_says_so() -> None:
    body = site(
        "<!--more-->See *[this](/a)*.\n\n<div dir='rtl' markdown='1'>\n### One\n- two\n</div>\n"
        "<div>*three*\n\n<pre>\n*four*\n</pre>\n</div>\n<p markdown='span'>*five*</p>\n"
    )
    assert body.text.split("\n") == ["See this.", "One", "two", "*three*", "*four*", "five"]
    assert [body.text[x.start : x.end] for x in body.headings] == ["One"]
    assert [x.url for x in body.links] == ["/a"]


def test_character_references_of_windows_1252_are_the_signs_that_were_meant() -> None:
    assert site("The bank&#146;s &#147;fee&#148;").text == "The bank’s “fee”"


def test_blocks_nested_too_deep_are_paragraphs() -> None:
    found = site("> " * 300 + "deep")
    assert found.text == "> " * 240 + "deep"
    assert site("- " * 300 + "deep").text.endswith("- - deep")


def test_markdown_that_would_take_too_long_is_read_as_text() -> None:
    body = "*a*\n\n" * 150_000
    found = site(body)
    assert found.issues == ("markup-broken",)
    assert found.text == body.strip().replace("\n\n", "\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["[", "![", "*a **b ", "***a ", "_a* ", "[a](", "{:a ", "{:a\n", "<b>", "`a``b", "~~a "]
)
def test_what_has_no_end_takes_linear_time(piece: str) -> None:
    """Four times the body takes about four times as long. If the time were quadratic, it would be sixteen times."""

    def read(size: int) -> None:
        assert site(piece * (size // len(piece)) + "x").text.endswith("x")

    assert growth(read, 20_000, 80_000, limit=10) < 10
