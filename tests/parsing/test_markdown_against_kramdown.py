"""Bodies as kramdown, with its parser for GitHub's dialect, makes HTML of them in Jekyll's default settings.

Compared are the characters of the text that are not blank. Liquid tags are removed from both sides, except those that are
resolved here: `raw`, `highlight` and `comment`. Every intended difference is here and in docs/jekyll.md; a test fails if
it no longer exists.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from newsdata.parsing.html import read_html
from newsdata.parsing.html_tags import ELEMENTS
from newsdata.parsing.markdown import read_markdown
from newsdata.parsing.white_space import without_controls

from ..conftest import ROOT, SHARED

pytestmark = pytest.mark.skipif(not shutil.which("jekyll"), reason="jekyll is not installed")

_MARKDOWN = frozenset({".md", ".markdown", ".mkdown", ".mkdn", ".mkd"})
_HEADER = re.compile(r"\A\ufeff?---[ \t]*\n.*?^(?:---|\.\.\.)[ \t]*\n?", re.DOTALL | re.MULTILINE)
_LIQUID = re.compile(
    r"(\{%-?\s*(raw|comment|highlight)\b.*?%\})(.*?)(\{%-?\s*end\2\s*-?%\})|\{[{%].*?[%}]\}", re.DOTALL
)
_TAG = re.compile(r"</?([^\s<>/]+)[^<>]*>")


def without_liquid(body: str) -> str:
    """A body without the tags that are not resolved."""

    def resolved(match: re.Match[str]) -> str:
        if match[2] is None:
            return ""
        inside = match[3] if match[2] == "raw" else _LIQUID.sub(resolved, match[3])
        return f"{match[1]}{inside}{match[4]}"

    return _LIQUID.sub(resolved, body)


def ask_kramdown(sources: Iterable[str]) -> list[str | None]:
    """The HTML of each source; None if Liquid cannot read it."""
    command = ["ruby", str(ROOT / "tests" / "kramdown_answers.rb")]
    questions = "".join(json.dumps(source) + "\n" for source in sources)
    answers = subprocess.run(command, input=questions.encode(), stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in answers.decode().splitlines()]


def text_of(html: str) -> str:
    """The text of a page. A browser hides tags of elements that it does not know, and shows `<` before other letters."""

    def seen(match: re.Match[str]) -> str:
        if match[1].lower() in ELEMENTS or match[0].startswith("<!"):
            return match[0]
        if (match[1][0].isascii() and match[1][0].isalpha()) or match[0].startswith("</"):
            return ""
        return "&lt;" + match[0][1:]

    return read_html(_TAG.sub(seen, html), archive=False).text


def characters(text: str) -> str:
    return re.sub(r"\s+", "", text)


def differences(sources: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The sources that are read in another way, with the characters that kramdown shows and those read here."""
    for source, html in zip(sources, ask_kramdown(sources), strict=True):
        if html is not None:
            shown, read = characters(text_of(html)), characters(read_markdown(source)[0].text)
            if shown != read:
                yield source, shown, read


def bodies(folder: Path) -> Iterator[str]:
    """The bodies of the Markdown posts of a site."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _MARKDOWN and path.is_file() and not {"_posts", "_drafts"}.isdisjoint(path.parts):
            source = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
            header = _HEADER.match(source)
            if header is not None:
                yield without_controls(without_liquid(source[header.end() :].lstrip("\n")))


# ------------------------------------------------------------------------------------------------ real posts


@pytest.mark.parametrize(
    "name",
    [
        "jekyll-fixtures",
        pytest.param("twbs", marks=pytest.mark.slow),
        pytest.param("mzlogin", marks=pytest.mark.slow),
        pytest.param("opensuse-news", marks=pytest.mark.slow),
    ],
)
def test_posts_of_other_sites_are_read_as_kramdown_reads_them(name: str) -> None:
    folder = SHARED / "jekyll" / name
    if not folder.is_dir():
        pytest.skip("the shared posts of other sites are not here")
    sources = list(bodies(folder))
    assert len(sources) > 50
    assert list(differences(sources)) == []


@pytest.mark.slow
def test_posts_of_the_tests_are_read_as_kramdown_reads_them() -> None:
    sources = list(bodies(ROOT / "tests")) + list(bodies(ROOT / "examples"))
    assert len(sources) > 10
    assert list(differences(sources)) == []


# ------------------------------------------------------------------------------------------------ our own

# Markdown that is read as kramdown reads it. ⏎ is a line break, · a blank at the end of a line.
AGREE = """
价格**“不涨。”**第二天变了*（暂定）*，~~作废。~~重来**（一）**和__二__三
a*b*c a_b_c __x__y 2*3 4 * 5 _ a **b* c** ***d*** ****e**** *f **g* h** **i *j* k** *l `*` m*
**a *b** c* _a*b_c* **「あ」**です 문서는**(M)**을 _한_글 -_a_- x-_y_
~~a~~ ~~ b ~~ ~c~ ~~d *e*~~ ~~~f~~~
`a` `` b`c `` ` d` e ` f `` g` h
[a](/b) [c](/d "e 'f' g") [h](</i j>) [k](/l(m)n) [o] [p]: [q][r] ![s](/t) [![u](/v)](/w) [x [y] z](/a) [*b*](/c)
[a](/b"c) [d](/e 'f) [g] (/h) [i](j k) [](/l) [m]( /n ) [\\]](/o)
[r]: /s⏎[ T  u ]: <v w> "x"⏎[y]:⏎  /z⏎⏎[r], [t U], [r][], [q][r], [r] [r], [ T u ], [y]
<https://e.org/%20?a=b&c> <mailto:a@e.org> <a.b@e.org> <ftp://x> <tel:1> <e.org> &lt;b&gt; &copy; &nothing; &#8212; &#x41;
a  ⏎b\\⏎c⏎d
<!--more-->a *b* `c`⏎⏎<!-- x --> d⏎⏎e <!-- f --> g⏎<!-- h⏎⏎i -->⏎## J
<br>*a* <img src="b">*c*⏎⏎<img src="d"> *e*⏎⏎<span>*f*</span> <u>*g*</u> <b>*h*</b> <code>*i*</code> </b> <p>j</p>
<div>*a*⏎⏎*b*</div> *c*⏎*d*⏎<hr>⏎e | f⏎⏎<div>⏎g⏎</div>⏎h | i
<div markdown="1">⏎*a*⏎⏎- b⏎- c⏎⏎</div>⏎⏎<p markdown="1">*d*⏎⏎</p>⏎<div markdown="span">- *e*</div>⏎<div markdown="0">*f*</div>
<div>⏎<div markdown="1">*a*⏎</div>⏎*b*</div>
<script>a *b*</script>*c*⏎⏎<style>d</style>⏎⏎<iframe src="x"></iframe> *e*⏎⏎<p>f *g*⏎⏎h</p>⏎<details><summary>i</summary>*j*</details>
<div>⏎<pre>⏎a⏎⏎*b*⏎</pre>⏎</div>⏎*c*⏎⏎<p>d⏎⏎*e*
# a⏎## b #⏎### c {#d}⏎#e⏎####### f⏎# ⏎g⏎# h⏎⏎i⏎===⏎j⏎---⏎⏎k⏎l⏎---⏎⏎m⏎***⏎n
a⏎- b⏎- c⏎d⏎⏎1. e⏎   f⏎⏎   g⏎2) h⏎⏎* i⏎    * j⏎* k⏎⏎    l⏎⏎        m⏎+ n⏎  - o⏎⏎p
- a⏎⏎⏎- b⏎  > c⏎  d⏎-e⏎- ⏎  f⏎⏎1. {: .x} g⏎*\th⏎⏎   * * *⏎- [ ] i⏎- [x] j⏎* k⏎^⏎* l
- a⏎  - b⏎    - c⏎ - d⏎⏎10. e⏎    1. f⏎⏎- ```⏎  *g*⏎  ```⏎- h⏎⏎      i⏎{: .x}⏎- j
> a⏎b⏎> - c⏎> d⏎⏎> > e⏎f⏎⏎>g⏎{: .x}⏎> h⏎⏎>⏎> i
    a *b*⏎⏎    c⏎d⏎⏎e⏎    f⏎⏎\tg
```a⏎*b*⏎```⏎~~~⏎```⏎*c*⏎~~~⏎``` d e⏎*f*⏎```⏎⏎```⏎*g*⏎⏎   ````⏎   *h*⏎   ````⏎i⏎```⏎*j*⏎```⏎⏎```⏎*k*
| a | b |⏎|---|⏎| c | *d* |⏎⏎| e | f |⏎| g | `h|i` |⏎⏎j | k⏎--|--⏎l \\| m | n⏎⏎o | p⏎q⏎⏎| r⏎|=|⏎| s⏎⏎|-⏎| t | u | v⏎⏎| w |⏎{: .x}
{: .x}⏎| a |⏎| b |⏎⏎c⏎| d |⏎⏎^⏎| e |⏎⏎f <b>g | h</b>⏎⏎<code>i | j</code>
a[^1] b[^no] c[^2] d[^1]⏎⏎[^1]: *e*⏎    f⏎⏎    g⏎[^2]:⏎⏎    h⏎[^3]: i⏎j⏎⏎k
1. > [^1]: a⏎   > b⏎⏎> 1. [^2]: c⏎>    d⏎⏎e[^1] f[^2]
a⏎: b⏎  c⏎: *d*⏎⏎e⏎f⏎⏎: g⏎⏎  h⏎⏎i⏎:j⏎⏎# k⏎: l
a $$b_c_ \\\\ *d*$$ e⏎⏎$$⏎f_g_ \\{⏎$$⏎⏎h⏎$$i$$⏎⏎\\$$j$$⏎⏎$$k$$ l⏎⏎$m_n_o$
*[AB]: Long⏎⏎AB ABC *AB*⏎⏎*[c d]: e⏎f
a⏎^⏎b⏎^ c⏎⏎- d⏎^⏎- e
*a*{: .b} c{: .d} `e`{:.f}{:g="h"} [i](/j){:target="_blank"⏎k="l"} **m**{: n "o"{: .p} {:q} \\*r\\*{: .s}
a⏎{: .b}⏎{: #c}⏎⏎{: .d⏎e="f"}⏎g⏎⏎{:h: .i}⏎{:.j}⏎# k⏎{:l}⏎m⏎{n: o}
{:toc}⏎- a⏎⏎- b⏎{:toc}⏎⏎{:toc}⏎⏎- c⏎⏎* d⏎* e⏎{: .toc}
a {::comment}b{:/comment} c {::nomarkdown}*d*{:/} {::options x="y" /}e⏎⏎{::comment}⏎f⏎{:/comment}⏎g⏎{::nomarkdown}⏎<b>*h*</b>⏎{:/}⏎{::unknown}⏎{:/}⏎{::comment}⏎i
{::options parse_block_html="true" /}⏎<div>⏎*a*⏎<p>*b*</p>⏎</div>⏎<pre>*c*</pre>
{::nomarkdown type="latex"}⏎\\a⏎{:/}⏎{::nomarkdown type="html"}⏎<i>b</i>⏎{:/}⏎c
\\*a\\* \\_b\\_ \\# \\[c\\] \\~~d~~ \\q \\\\ \\<e> \\{:f} \\`g\\` \\|
"a" 'b' -- c --- d... <<e>> << f >> it's '80s
a &amp; b &nothing; &hellip; < c > d <e f <1> <- => <<g> <h
<FONT color="red">*a*</FONT> <A HREF="/b">*c*</A> <a href=d>e</a> <X>f</X> <甲>g <center>*h*</center>
{% highlight a %}⏎*b* <c>⏎{% endhighlight %}⏎⏎d {% raw %}`{{ e }}` *f*{% endraw %}⏎⏎g{% comment %} *h*⏎⏎i {% endcomment %} j
a {%- comment -%} b {%- endcomment -%} c⏎⏎```⏎{% raw %}⏎{% if d %}⏎{% endraw %}⏎```⏎⏎- e⏎⏎{% highlight f %}⏎⏎  g⏎⏎{% endhighlight %}
{% highlight a %}⏎{% raw %}⏎*b* {{ c }} <d>⏎{% endraw %}⏎{% endhighlight %}⏎⏎{% raw %}{% highlight e %}f{% endhighlight %}{% endraw %}
"""

# Markdown that kramdown reads in another way. The reasons are in docs/jekyll.md.
DIFFER = [
    ("[a | b](/c)", "a|b"),
    ("[a[^1] b](/c)\n\n[^1]: d", "a1bd"),
    ("{::comment}\na <!-- b --> c\n{:/comment}\nd", "d"),
    ('<div markdown="1">\n| a |\n| b |\n</div>', "ab"),
    ('<div markdown="1">\na\\\nb\n</div>', "ab"),
    ("* a\n{:footnotes}\n\nb[^1]\n\n[^1]: c\n\nd", "b1dc"),
    ('<table><tr><td markdown="1">*a*</td><td>b</td></tr></table>', "ab"),
]


def own(line: str) -> str:
    return line.replace("⏎", "\n").replace("·", " ").replace("\\t", "\t").replace("\\\\", "\\") + "\n"


@pytest.mark.slow
def test_markdown_is_read_as_kramdown_reads_it() -> None:
    sources = [own(line) for line in AGREE.strip().split("\n")]
    assert list(differences(sources)) == []


@pytest.mark.slow
def test_each_intended_difference_exists() -> None:
    different = list(differences([source for source, _ in DIFFER]))
    assert [(source, read) for source, _, read in different] == DIFFER
