"""Read the body of a post: text, digest, source, address, and what the publisher marked in it.

A post of the archive's own feeds has, from top to bottom: the digest (a `> …` line), the article as HTML, the source
line, the address in `<>`, and the navigation of the site. Posts of other sites are Markdown, HTML or plain text.
`newsdata.parsing.html` says what `text` is. The other rules, which are not obvious from the archive:

digest
    A `>` line at the top, up to a blank line or the first tag. The first form of the market feed has no `>`: the first
    line is a headline, and the next line is the digest. The headline is dropped if no title is given, or if it is the
    same as the title. A plain paragraph with neither is the text.
digest_credit
    The last thing in the digest, in parentheses after the end of a sentence: `……。（上海证券报）`. If no sentence ends
    before it, it must end in a word that publishers' names end in (报, 网, 社, …). A remark (`（完）`), a number with its
    unit, and anything with punctuation in it is not a credit and stays in the digest. The first posts (G0) have no
    digest, and the credit at the end of their text: it is taken from there, and is their source, too.
source
    What the source line names, `（文章来源：…）`; else what a line `来源：…` at the start of the text names.
notices
    What publishers add at the edges of the text: see `newsdata.parsing.notices`.
url
    The last line in `<>`, before the navigation. It is not searched for anywhere else, and neither is the navigation.
generation
    Which form of the archive's crawler wrote the body, told by the body alone. Annotated feed: G1 if it has `>` or
    HTML, else G0. Market feed: G2 without HTML; G3 with HTML; G4 and G5 if the navigation leads to `/category/`, G5 if
    also the address is on the archive's own host.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from turbohtml import unescape

from ..schema import Image, Link, Mention, Notice, Span, TextCode
from .html import Reading, read_html, read_text
from .notices import split_source, take_notices
from .text_codes import read_text_codes
from .white_space import clean_line

__all__ = ["FLASH_LENGTH", "Body", "read_body"]

FLASH_LENGTH = 300
"""A text of one paragraph with at most this many characters is a flash."""


class Body(NamedTuple):
    """What a body says. Each field is described in `newsdata.schema`, under the column of the same name."""

    text: str
    notices: tuple[Notice, ...]
    digest: str | None
    digest_credit: str | None
    source: str | None
    url: str | None
    mentions: tuple[Mention, ...]
    text_codes: tuple[TextCode, ...]
    headings: tuple[Span, ...]
    images: tuple[Image, ...]
    links: tuple[Link, ...]
    chart_symbols: tuple[str, ...]
    generation: str | None
    is_flash: bool
    issues: tuple[str, ...]


def read_body(
    body: str, *, feed: str, markup: str, title: str | None = None, excerpt_separator: str | None = None
) -> Body:
    """Read the body of a post, in linear time.

    Args:
        body: everything after the front matter.
        feed: "emnews" or "market" (the archive's own feeds), or "site".
        markup: "archive" (a post of the archive's own feeds), "html", "markdown" or "text".
        title: the title of the post, which the first line of a market post may repeat.
        excerpt_separator: of another site: what stands before it, if it stands in the body, is the digest, too.

    Raises:
        RecursionError: Markdown is nested deeper than its library can follow. No other error is raised.

    >>> post = "> 指数收高。（某报）\\n\\n<p>正文。</p>\\n\\n<http://example.org/1.html>"
    >>> found = read_body(post, feed="emnews", markup="archive")
    >>> found.digest, found.digest_credit, found.text, found.url
    ('指数收高。', '某报', '正文。', 'http://example.org/1.html')
    """
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    if markup == "archive":
        return _read_archive(body, feed, title)
    found = _read_site(body, markup)
    return found._replace(digest=_lead(body, markup, excerpt_separator)) if excerpt_separator else found


# ------------------------------------------------------------------------------------- the archive's posts

_BACK = "[返回"
_NAVIGATION = re.compile(r"\[返回[^\[\]\n]{0,40}\]\(")
_TAIL_LINES = 4  # at most; the archive has one or two lines of navigation
_ADDRESS = re.compile(r"<((?:https?:)?//[^<>\n]*|)\s*>")
_CUT_ADDRESS = re.compile(r"<(?:https?:)?/[^<>\n]*")
_DIGEST_END = re.compile(r"\n[^\S\n]*(?=\n|<[A-Za-z!/])")
_SOME_TAG = re.compile(r"<[/!]?[A-Za-z-]")
_EDGES = " \t\n\x0b\x0c\u00a0\u3000\ufeff\u200b"
_NO_WORD = re.compile(r"\W+")
_CATEGORY_NAV = "/category/"
_LAST_HOST = "finews.zning.xyz/"


def _read_archive(body: str, feed: str, title: str | None) -> Body:
    issues: list[str] = []
    rest, url, nav = _cut_tail(body, issues)
    rest = rest.strip(_EDGES)
    digest = credit = None
    marked = rest.startswith(">")
    if marked:
        end = _DIGEST_END.search(rest)
        digest = rest[1 : end.start()] if end else rest[1:]
        rest = rest[end.end() :].strip(_EDGES) if end else ""
    is_html = "<" in rest and _SOME_TAG.search(rest) is not None
    if feed == "market" and rest and not (marked or is_html):
        digest, rest = _headline_and_digest(rest, title)
    if digest is not None:
        digest, credit = _read_digest(digest, issues)
    reading = read_html(rest, archive=True) if is_html else read_text(unescape(rest))
    if reading.broken and "markup-broken" not in issues:
        issues.append("markup-broken")
    if reading.control:
        issues.append("control-characters")
    if "{" in rest and ("{%" in rest or "{{" in rest):
        issues.append("liquid")
    if _BACK in rest and _NAVIGATION.search(rest):
        issues.append("torn")
    if feed == "market":
        generation = _market_generation(is_html, url, nav)
    else:
        generation = "G1" if marked or is_html else "G0"
    source, more = split_source(reading.source)
    if generation == "G0":
        reading, credit = _without_credit(reading)
    reading, notices, named = take_notices(reading)
    if generation == "G0" and credit is None and notices:
        reading, credit = _without_credit(reading)  # a notice stood behind it
    source = source or (credit if generation == "G0" else None) or named
    text = reading.text
    return Body(
        text=text,
        notices=notices + more,
        digest=digest,
        digest_credit=credit,
        source=source,
        url=url,
        mentions=reading.mentions,
        text_codes=read_text_codes(text),
        headings=reading.headings,
        images=reading.images,
        links=reading.links,
        chart_symbols=reading.chart_symbols,
        generation=generation,
        is_flash=_is_flash(text),
        issues=tuple(issues),
    )


def _is_flash(text: str) -> bool:
    return len(text) <= FLASH_LENGTH and "\n" not in text


def _cut_tail(body: str, issues: list[str]) -> tuple[str, str | None, str]:
    """Cut the address and the navigation off the end of a body: what is left, the address, the navigation."""
    rest = body.rstrip()
    nav = ""
    for _ in range(_TAIL_LINES):
        start = rest.rfind("\n") + 1
        line = rest[start:].lstrip()
        if not line.startswith(_BACK) or "](" not in line:
            break
        nav = nav or line
        rest = rest[:start].rstrip()
    start = rest.rfind("\n") + 1
    line = rest[start:].strip()
    if not line.startswith("<"):
        return rest, None, nav
    address = _ADDRESS.fullmatch(line)
    if address is None:
        if _CUT_ADDRESS.fullmatch(line):
            issues.append("markup-broken")
            rest = rest[:start].rstrip()
        return rest, None, nav
    if not address[1]:
        issues.append("url-empty")
    return rest[:start].rstrip(), address[1].strip() or None, nav


def _headline_and_digest(rest: str, title: str | None) -> tuple[str | None, str]:
    """The digest below the headline of a market post, and what is left as text."""
    headline, newline, digest = rest.partition("\n")
    headline = headline.strip(_EDGES)
    same = title is not None and _NO_WORD.sub("", headline) == _NO_WORD.sub("", title)
    if not newline or not digest.strip(_EDGES):
        return None, "" if same else rest
    if headline.endswith("。") or digest.startswith("\n"):
        return None, rest
    return digest, "" if same or title is None else headline


def _market_generation(is_html: bool, url: str | None, nav: str) -> str:
    if not is_html:
        return "G2"
    if _CATEGORY_NAV not in nav:
        return "G3"
    return "G5" if url is not None and _LAST_HOST in url else "G4"


# ------------------------------------------------------------------------------------------------- digest

_CREDIT_LENGTH = 24
_CREDIT_LABEL = re.compile(r"(?:文章)?(?:来源|出处)\s*[：:]\s*")
_SENTENCE_END = tuple("。！？!?…”’』」；;.")
_NO_NAME = re.compile(
    r"[。，、；：！？“”《》,;:!?\"%％]|^[\d.\-+~/\s]*[万亿千百]*[元股点倍个年月日美港币]*$"
    r"|[为是的了将已约]|同期|[上去今明前]年|[0-9][%％元]|[万亿]元|其中|包括|不含|含税|[详参]见|预计|截至|折合|如下|左右|公告$|名单$"
    r"|^(?:(?:本报|本网)?记者|作者|编辑|文|图)(?:[\s：:/／丨|]|$)|(?:完|略|待续|下同|同上|有删节|见图|如图|征求意见稿|试行|修订|单位.*)$"
)
_NAME_PARTS = re.compile(r"[·・|丨]")  # `证券时报·e公司`
_PUBLISHER_END = re.compile(
    r"(?:[报网社台刊氪]|新闻|财经|经济报道|客户端|APP|在线|杂志|周刊|头条|..中国|卫视|公众号|研究院?|中心|资讯|通讯|经纬|之家|快讯"
    r"|Daily|News|Tech[Ww]eb)$"
)


def _read_digest(raw: str, issues: list[str]) -> tuple[str | None, str | None]:
    if "<" in raw or "&" in raw:
        raw = read_html(raw, archive=True).text
    digest = clean_line(raw)
    if not digest:
        issues.append("digest-empty")
        return None, None
    return _split_credit(digest)


def _without_credit(reading: Reading) -> tuple[Reading, str | None]:
    """A reading without markup, and the credit at the end of its text."""
    text, credit = _split_credit(reading.text)
    return (reading if credit is None else reading._replace(text=text)), credit


def _split_credit(text: str) -> tuple[str, str | None]:
    """Cut the credit off the end of a text: what is left, and the name; the text and None if it has none."""
    if not text or text[-1] not in "）)":
        return text, None
    start = max(text.rfind("（"), text.rfind("("))
    before = text[: max(start, 0)].rstrip()
    name = _CREDIT_LABEL.sub("", text[start + 1 : -1]).strip()
    if not before or not 2 <= len(name) <= _CREDIT_LENGTH or _NO_NAME.search(name):
        return text, None
    if not before.endswith(_SENTENCE_END) and not any(map(_PUBLISHER_END.search, _NAME_PARTS.split(name))):
        return text, None
    return before, name


# -------------------------------------------------------------------------------------------- other sites


def _read_site(body: str, markup: str) -> Body:
    issues: list[str] = []
    reading: Reading
    liquid, kramdown = "{%" in body or "{{" in body, False
    if markup == "markdown":
        from .markdown import read_markdown

        reading, liquid, kramdown = read_markdown(body)
    elif markup == "html":
        reading = read_html(body, archive=False)
    else:
        reading = read_text(body)
    if liquid:
        issues.append("liquid")
    if kramdown:
        issues.append("kramdown")
    if reading.broken:
        issues.append("markup-broken")
    if reading.control:
        issues.append("control-characters")
    return Body(
        text=reading.text,
        notices=(),
        digest=None,
        digest_credit=None,
        source=None,
        url=None,
        mentions=(),
        text_codes=(),
        headings=reading.headings,
        images=reading.images,
        links=reading.links,
        chart_symbols=(),
        generation=None,
        is_flash=_is_flash(reading.text),
        issues=tuple(issues),
    )


_LABEL = re.compile(r"\[[^\[\]\n]+\]")
_REFERENCE = re.compile(r"^ {0,3}(\[[^\[\]\n]+\])(:.+)$", re.MULTILINE)


def _lead(body: str, markup: str, separator: str) -> str | None:
    """The text before an excerpt separator, with the link definitions that it needs, as Jekyll cuts it; None without one."""
    head, found, tail = body.partition(separator)
    if not found or not tail:
        return None
    if markup == "markdown" and "[" in head:
        names = set(_LABEL.findall(head))
        used = [name + target for name, target in _REFERENCE.findall(tail) if name in names]
        head = "\n".join([head, "", *used])
    return _read_site(head, markup).text or None
