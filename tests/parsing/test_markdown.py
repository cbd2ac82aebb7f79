"""Markdown of other Jekyll sites, with what Liquid and kramdown add."""

from __future__ import annotations

from newsdata.parsing.body import Body, read_body
from newsdata.schema import Image


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


def test_liquid_stays_as_written() -> None:
    body = site(
        '{% include a_b_c.html x="*y*" %}\n\nSee [it]({{ site.url }}/a_b_) and {{ page.*x* }}.\n\n'
        "{% highlight js %}\nvar a = '*b*';\n\n  if (a < 1) {}\n{% endhighlight %}\n\n"
        "`{{ raw }}` {% open {{ end"
    )
    assert body.text.split("\n") == [
        '{% include a_b_c.html x="*y*" %}',
        "See it and {{ page.*x* }}.",
        "{% highlight js %}",
        "var a = '*b*';",
        "  if (a < 1) {}",
        "{% endhighlight %}",
        "{{ raw }} {% open {{ end",
    ]
    assert [x.url for x in body.links] == ["{{ site.url }}/a_b_"]
    assert body.issues == ("liquid",)
    assert site("<p>{{ x }}</p>", "html").issues == ("liquid",)


def test_kramdown_is_dropped() -> None:
    body = site(
        "* TOC\n{:toc}\n\n# Head {#id}\n{: .big}\n\nText *em*{: .x #y}.\n{:.note}\n\n"
        "{::comment}\ngone\n{:/comment}\n\n"
        "```ruby\n{: .kept}\n```\n\n    {: .kept}\n\n{::options}\n\n"
        "{ not: this } {:a => 1}\n\n{::comment}\nshown\n"
    )
    assert body.text.split("\n") == [
        "Head",
        "Text em.",
        "{: .kept}",
        "{: .kept}",
        "{ not: this } {:a => 1}",
        "shown",
    ]
    assert body.issues == ("kramdown",)
    assert site("plain { text }").issues == ()


def test_markdown_that_would_take_too_long_is_read_as_text() -> None:
    for body in ("*a*\n\n" * 150_000, "[" * 30_000):
        found = site(body)
        assert found.issues == ("markup-broken",)
        assert found.text == body.strip().replace("\n\n", "\n")
