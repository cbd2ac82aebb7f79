"""What the HTML reader does at each tag, and what the archive's own tags name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from turbohtml import Token, TokenType

from .text_codes import exchange_of_mention

__all__ = ["ELEMENTS", "Action", "Tag", "Target", "address", "known_tags", "read_tag"]

Target = tuple[str, int | None, str | None, str | None, str | None]
"""What a mention names: kind, market, code, exchange, url."""


class Action(IntEnum):
    """What the reader does at a tag. `BLOCK` and all actions after it end the paragraph that is being collected."""

    NOTHING = 0
    SPAN = 1
    END_SPAN = 2
    MENTION = 3
    END_ANCHOR = 4
    BREAK = 5
    BOLD = 6
    END_BOLD = 7
    ANCHOR = 8
    IMAGE = 9
    RUBY = 10  # a part of `<ruby>`, or its end tag
    DROPPED = 11  # its content is dropped, up to its end tag
    HIDDEN = 12  # `display:none`: its content is dropped, at most up to the end of the paragraph
    RAW = 13  # its content is not HTML, and is dropped
    BLOCK = 14
    HIDDEN_BLOCK = 15
    PARAGRAPH = 16
    HEADING = 17
    ROW = 18
    CELL = 19
    TABLE = 20
    PRE = 21
    CAPTION = 22
    END_BLOCK = 23
    END_PARAGRAPH = 24
    END_ROW = 25
    END_CELL = 26
    END_PRE = 27
    CHART = 28
    END_CHART = 29


_NAMES = {
    Action.NOTHING: """abbr acronym area base basefont bdi bdo big blink button cite code col colgroup
        command data datalist del dfn em embed font frame head i input ins kbd keygen label link map mark
        meta meter nobr output param picture progress q s samp slot small source strike
        sub sup time track tt u var wbr math mi mn mo ms mtext mrow mfrac msqrt mroot mstyle mpadded
        mphantom msub msup msubsup munder mover munderover mtable mtr mtd mspace semantics annotation""",
    Action.BLOCK: """address article aside blockquote body caption center dd details dialog dir div dl dt
        fieldset figure footer form frameset header hgroup hr html legend li main menu nav ol optgroup option
        search section select summary tbody tfoot thead ul""",
    Action.PARAGRAPH: "p",
    Action.HEADING: "h1 h2 h3 h4 h5 h6",
    Action.BREAK: "br",
    Action.ANCHOR: "a",
    Action.SPAN: "span",
    Action.BOLD: "b strong",
    Action.IMAGE: "img",
    Action.RUBY: "ruby rb rp rt rtc",
    Action.ROW: "tr",
    Action.CELL: "td th",
    Action.TABLE: "table",
    Action.PRE: "pre listing xmp",
    Action.CAPTION: "figcaption",
    Action.DROPPED: "applet audio canvas object svg template video",
    Action.RAW: "iframe noembed noframes noscript script style textarea title",
}
ELEMENTS = {name: action for action, names in _NAMES.items() for name in names.split()}
"""The elements of HTML, and the MathML elements that hold words. Any other name in `<>` is text."""

_ENDS = {
    Action.SPAN: Action.END_SPAN,
    Action.ANCHOR: Action.END_ANCHOR,
    Action.BOLD: Action.END_BOLD,
    Action.RUBY: Action.RUBY,
    Action.RAW: Action.RAW,
    Action.PARAGRAPH: Action.END_PARAGRAPH,
    Action.HEADING: Action.END_PARAGRAPH,
    Action.ROW: Action.END_ROW,
    Action.TABLE: Action.END_ROW,
    Action.CELL: Action.END_CELL,
    Action.PRE: Action.END_PRE,
}
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "frame",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_TAGS = (TokenType.START_TAG, TokenType.END_TAG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag, as the reader needs it.

    Attributes:
        action: what to do.
        name: of the element, in lower case.
        closing: whether it is an end tag.
        kind: for a `<p>` or `<div>`: "p", "source" (the archive's source line), "center" or ""; for a link or an image:
            "chart" if it is a price chart.
        target: what a mention names.
        url: where a link leads, or where an image is, as written; None if there is no address, or an unsafe one.
        chart: the symbol of a price chart, `market.code`; "" for none.
    """

    action: Action
    name: str
    closing: bool = False
    kind: str = ""
    target: Target | None = None
    url: str | None = None
    chart: str = ""


_WELL_FORMED = re.compile(
    r"""</?+[A-Za-z][A-Za-z0-9]*+
        (?:\s++[A-Za-z_:@][A-Za-z0-9_:@.-]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=`]++))?+)*+\s*+/?+>""",
    re.VERBOSE,
)
_COMMENTS = {"EM_StockImg_Start": Action.CHART, "EM_StockImg_End": Action.END_CHART}
_KNOWN: tuple[dict[str, Tag], dict[str, Tag]] = ({}, {})
_MAX_KNOWN = 16_384  # tags; two for each of about 6,000 securities take about 10 MB
_MAX_KNOWN_LENGTH = 400  # characters of a tag
_NOT_KEPT = frozenset((Action.IMAGE, Action.ANCHOR))  # nearly every one has another address


def known_tags(archive: bool) -> Mapping[str, Tag]:
    """The tags that `read_tag` has read, by what is written. The same few thousand make up nearly all of an archive."""
    return _KNOWN[archive]


def read_tag(token: Token, archive: bool) -> Tag | None:
    """Read a token that is not text. None if it is not a well-formed tag of HTML: then the body needs repair.

    Tags are kept (see `known_tags`), because reading one takes much longer than finding it.

    >>> from turbohtml import tokenize
    >>> (token,) = tokenize('<span class="em_stock_key_common" data-code="0,000333">', capture_source=True)
    >>> read_tag(token, True).target
    ('security', 0, '000333', 'XSHE', None)
    >>> (token,) = tokenize("<b则c>", capture_source=True)
    >>> read_tag(token, True) is None
    True
    """
    written = token.source or ""
    tag = _read_tag(token, written, archive)
    if tag is not None and len(written) <= _MAX_KNOWN_LENGTH and tag.action not in _NOT_KEPT:
        known = _KNOWN[archive]
        if len(known) >= _MAX_KNOWN:
            known.clear()
        known[written] = tag
    return tag


def _read_tag(token: Token, written: str, archive: bool) -> Tag | None:
    if token.type not in _TAGS:
        if written.startswith("</"):
            return None  # a comment to HTML, but more likely words in angle brackets
        name = (token.data or "").strip() if archive and token.type is TokenType.COMMENT else ""
        return Tag(action=_COMMENTS.get(name, Action.NOTHING), name="!--")
    name = token.tag or ""
    action = ELEMENTS.get(name)
    if action is None or _WELL_FORMED.fullmatch(written) is None:
        return None
    if token.type is TokenType.END_TAG:
        if action is not Action.BREAK:  # `</br>` is a line break, too
            action = _ENDS.get(action, Action.END_BLOCK if action >= Action.BLOCK else Action.NOTHING)
        return Tag(action=action, name=name, closing=True)
    if action is Action.DROPPED and token.self_closing:
        action = Action.NOTHING
    if not token.attrs or action is Action.RAW:
        return Tag(action=action, name=name, kind="p" if action is Action.PARAGRAPH else "")
    return _with_attributes(token, action, name, archive)


def _with_attributes(token: Token, action: Action, name: str, archive: bool) -> Tag:
    css = (token.attr("class") or "").split() if archive else []
    style = "".join((token.attr("style") or "").lower().split())
    if "display:none" in style:
        if name in _VOID:
            return Tag(action=Action.BLOCK if action >= Action.BLOCK else Action.NOTHING, name=name)
        if action is Action.PARAGRAPH or action < Action.DROPPED:
            return Tag(action=Action.HIDDEN, name=name)
        return Tag(action=Action.HIDDEN_BLOCK, name=name)
    if action is Action.SPAN and "em_stock_key_common" in css:
        target = _quote(token.attr("data-code"), token.attr("href"))
        return Tag(action=Action.MENTION if target else action, name=name, target=target)
    if action is Action.ANCHOR:
        return _anchor(token, css)
    if action is Action.IMAGE:
        return _image(token, archive)
    kind = "p" if action is Action.PARAGRAPH else ""
    if action is Action.PARAGRAPH or name == "div":
        if "em_media" in css:
            kind = "source"
        elif kind and ("text-align:center" in style or (token.attr("align") or "").lower() == "center"):
            kind = "center"
    return Tag(action=action, name=name, kind=kind)


# ---------------------------------------------------------------------------------------------- addresses

_UNSAFE = ("javascript:", "data:", "vbscript:")
_JUNK = re.compile(r"[\x00-\x20\x7f-\xa0\ud800-\udfff]+")
_URL_JUNK = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def address(url: str | None) -> str | None:
    """The address as written; None if there is none, or if it would run code or holds its own content (`data:`).

    >>> address(" /a b.html "), address("java\\nscript:alert(1)")
    ('/a b.html', None)
    """
    if not url:
        return None
    if url.startswith(("http://", "https://")) and url.isprintable() and url[-1] != " ":
        return url  # nearly always; the rest gives the same
    url = _URL_JUNK.sub("", url).strip()
    if not url or _JUNK.sub("", url[:64]).lower().startswith(_UNSAFE):
        return None
    return url


# --------------------------------------------------------------------------------- the archive's own marks

_CODE_PAIR = re.compile(r"\s*([0-9]{1,6})\s*,\s*([0-9A-Za-z._-]{1,20})\s*")
_QUOTE_PAGE = re.compile(r"/r/([0-9]{1,6})\.([0-9A-Za-z._-]{1,20})/?$")
_CHART = re.compile(r"[?&](?:amp;)?nid=([0-9]{1,6}\.[0-9A-Za-z._-]{1,20})")
_CHART_CODE = re.compile(r"(?:K )?([0-9A-Za-z._-]{1,20})\|([0-9]{1,6})(?:\|.*)?")
_CHART_SERVICE = "GetPic.aspx"
_BOARDS = 90


def _quote(pair: str | None, href: str | None) -> Target | None:
    """What `data-code="1,600160"` names, or else the address of the quote page (`…/r/1.600160`); None for neither."""
    match = _CODE_PAIR.fullmatch(pair or "") or _QUOTE_PAGE.search(href or "")
    if match is None:
        return None
    market = int(match[1])
    return (
        "board" if market == _BOARDS else "security",
        market,
        match[2],
        exchange_of_mention(market, match[2]),
        address(href),
    )


def _anchor(token: Token, css: list[str]) -> Tag:
    href = token.attr("href")
    if "EmImageRemark" in css:
        return Tag(action=Action.ANCHOR, name="a", kind="chart", chart=_symbol(None, token.attr("data-code")))
    target: Target | None = None
    if "keytip" in css:
        target = _quote(token.attr("data-code"), href)
    elif "infokey" in css:
        target = ("glossary", None, None, None, address(href))
    if target is not None:
        return Tag(action=Action.MENTION, name="a", target=target)
    return Tag(action=Action.ANCHOR, name="a", url=address(href))


def _image(token: Token, archive: bool) -> Tag:
    url = address(token.attr("src"))
    kind = chart = ""
    if archive:
        if url and _CHART_SERVICE in url and "nid=" in url:
            kind = "chart"
        chart = _symbol(url, token.attr("data-code"))
        # `src` may be a placeholder. The misspelt attribute is the publisher's.
        url = address(token.attr("orginial_src")) or address(token.attr("original_src")) or url
    url = url or address(token.attr("data-src")) or address(token.attr("data-original"))
    return Tag(action=Action.IMAGE, name="img", kind=kind, url=url, chart=chart)


def _symbol(url: str | None, code: str | None) -> str:
    """The symbol of a price chart, from its address, else from `code|market|kind`; "" for none."""
    match = _CHART.search(url or "")
    if match is not None:
        return match[1]
    match = _CHART_CODE.fullmatch(code or "")
    return f"{match[2]}.{match[1]}" if match is not None else ""
