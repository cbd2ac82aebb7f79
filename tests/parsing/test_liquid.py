"""Liquid in a body: what becomes text, and what stays."""

from __future__ import annotations

import pytest

from newsdata.parsing.liquid import read_liquid


def read(body: str) -> tuple[str, bool]:
    found = read_liquid(body)
    assert found is not None
    return found.restored(found.source), found.kept


@pytest.mark.parametrize(
    ("body", "html", "kept"),
    [
        ("a {{ b }} {% c %}", "a {{ b }} {% c %}", True),
        ("{{ 'a' | b: \"<c>\" }}", "{{ &#x27;a&#x27; | b: &quot;&lt;c&gt;&quot; }}", True),
        ("a {% comment %}b {{ c }}{% endcomment %}d", "a d", False),
        ("a {%- comment -%} b {%- endcomment -%} c", "ac", False),
        ("{% raw %}{{ a }} *b*{% endraw %} c", "{{ a }} *b* c", False),
        ("a {%- raw -%} b {%- endraw -%} c", "abc", False),
        ("{% raw %}{{ a {% b{% endraw %}", "{{ a {% b", False),
        ("{% highlight a %}\n\n  b < c\n\n{% endhighlight %}", "<pre>  b &lt; c</pre>", False),
        ("{% highlight a %}{{ b }}{% endhighlight %}", "<pre>{{ b }}</pre>", True),
        (
            "{% highlight a %}\n{% raw %}\n  {{ b }}\n{% endraw %}\nc\n{% endhighlight %}",
            "<pre>  {{ b }}\n\nc</pre>",
            False,
        ),
        (
            "{% highlight a %}{{ b }}{% raw %}{% endhighlight %}{% endraw %}{% endhighlight %}c",
            "<pre>{{ b }}{% endhighlight %}</pre>c",
            True,
        ),
        ("{% highlight a %}{% raw %}b{% endhighlight %}", "<pre>{% raw %}b</pre>", True),
        ("{% post_url 2021-03-01-a_b %} {% post_url c/2021-03-01-d %}", "2021-03-01-a_b c/2021-03-01-d", False),
        ("{% link a/b.md %} {%- link /c.pdf -%} d", "/a/b.md/c.pdfd", False),
        ("a {% link %}", "a {% link %}", True),
        ("a\n{% b %}\n{{ c }}", "a\n\n{% b %}\n\n{{ c }}", True),
        ("{% raw %}a", "{% raw %}a", True),
        ("{% comment %}{% raw %}a{% endraw %}", "{% comment %}a", True),
        ("{{ a {% b", "{{ a {% b", False),
        ("{ { a } }", "{ { a } }", False),
    ],
)
def test_liquid_is_text_or_stays(body: str, html: str, kept: bool) -> None:
    assert read(body) == (html, kept)


def test_a_piece_is_a_word_to_markdown() -> None:
    found = read_liquid("[a]({{ b) }}) \ue000")
    assert found is not None
    assert found.source == "[a](\ue0010\ue001) \ue000"


def test_a_body_with_every_private_character_is_not_read() -> None:
    assert read_liquid("".join(map(chr, range(0xE000, 0xF900)))) is None
