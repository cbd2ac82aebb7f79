"""Bodies of posts: every form of the archive, every element, everything that goes wrong, and other sites."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from turbohtml import TokenType, tokenize

from newsdata.reading.body import Body, read_body
from newsdata.reading.markup import read_html
from newsdata.reading.repair import repaired
from newsdata.reading.tags import read_tag
from newsdata.schema import Image, Link

URL = "http://finance.example.com/news/1345,202201050000000001.html"
NAV = "[返回东财滚动新闻](//site.example/emnews/)｜[返回首页](//site.example/)"
TAIL = f"\n\n<{URL}>\n\n{NAV}"


def emnews(body: str) -> Body:
    return checked(read_body(body, feed="emnews", markup="archive"))


def market(body: str, title: str | None = None) -> Body:
    return checked(read_body(body, feed="market", markup="archive", title=title))


def article(html: str) -> Body:
    """A post of the annotated feed around some HTML."""
    return emnews("> 摘要一句。（某日报）\n\n" + html + TAIL)


def site(body: str, markup: str = "markdown") -> Body:
    return checked(read_body(body, feed="site", markup=markup))


def checked(body: Body) -> Body:
    """What holds for every body."""
    text = body.text
    for mention in body.mentions:
        assert text[mention.start : mention.end] == mention.text == mention.text.strip() != ""
    for span in (*body.headings, *body.links):
        assert 0 <= span.start < span.end <= len(text)
        assert text[span.start : span.end].strip()
        assert "\n" not in text[span.start : span.end]
    for spans in (body.mentions, body.links, body.headings):
        assert all(a.end <= b.start for a, b in pairwise(spans))
    assert "\n\n" not in text
    assert not text.startswith("\n")
    assert not text.endswith("\n")
    assert len(set(body.issues)) == len(body.issues)
    assert body.is_flash == (len(text) <= 300 and "\n" not in text)
    text.encode()
    return body


def security(code: str, words: str, market: int = 1) -> str:
    quote = f"http://quote.example.com/unify/r/{market}.{code}"
    return (
        f'<span id="stock_{market}.{code}"><a href="{quote}" class="keytip" data-code="{market},{code}">'
        f'{words}</a></span><span id="quote_{market}.{code}"></span>'
    )


def later(code: str, words: str, market: int = 1) -> str:
    quote = f"http://quote.example.com/unify/r/{market}.{code}"
    return (
        f'<span web="1" href="{quote}" class="em_stock_key_common" data-code="{market},{code}">{words}</span>'
    )


CHART = (
    '<p style="display:none;height:1px;overflow:hidden;"><br /></p><!-- EM_StockImg_Start -->'
    '<p style="text-align:center;"><a href="http://quote.example.com/unify/r/106.NIO" data-code="NIO|106|7" '
    'class="EmImageRemark" target="_blank"><img src="https://chart.example.com/GetPic.aspx?nid=106.NIO&imageType=k'
    '&token=28df" border="0" alt="K图 NIO_0" data-code="K NIO|106|7" width="578" /></a></p>'
    "<!-- EM_StockImg_End -->"
)


# -------------------------------------------------------------------------------------------- generations


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "\n",
        f"\n\n<{URL}>",
        f"\n\n<{URL}>\n\n[返回东财滚动新闻](./emnews/)\n[返回首页](./)",
        f"\n\n<{URL}>\n\n[返回东财滚动新闻](../emnews/)\n[返回首页](../)\n",
        f"\n\n<{URL}>\n\n[返回东财滚动新闻](//finews.example.me/emnews/)\n[返回首页](//finews.example.me/)",
        f"\n\n<{URL}>\n\n{NAV}",
        f"\n\n<{URL}> \n\n{NAV}  \n\n\n",
        f"\r\n\r\n<{URL}>\r\n\r\n{NAV}\r\n",
        f"\n\n{NAV}",
        f"\n\n<{URL}>\n\n[返回东财滚动新闻](//finews.exam",
    ],
)
def test_g0_is_a_plain_paragraph(tail: str) -> None:
    body = emnews("\n离岸汇率升至6.35，为三年来最高。 （某时报）" + tail)
    assert body.text == "离岸汇率升至6.35，为三年来最高。 （某时报）"
    assert (body.digest, body.digest_credit, body.source) == (None, None, None)
    assert body.url == (URL if URL in tail else None)
    assert body.generation == "G0"
    assert body.is_flash
    assert body.issues == ()


def test_g1_is_a_digest_and_html() -> None:
    body = emnews(
        "> 某地发布新政，自六月起施行。（某日报）\n\n<p>某地发布新政。</p>\n <p>自六月起施行。</p>"
        '<p class="em_media">（文章来源：某日报）</p>' + TAIL
    )
    assert body.digest == "某地发布新政，自六月起施行。"
    assert body.digest_credit == "某日报"
    assert body.text == "某地发布新政。\n自六月起施行。"
    assert body.source == "某日报"
    assert body.url == URL
    assert body.generation == "G1"
    assert not body.is_flash


def test_g2_is_a_headline_and_a_digest_without_html() -> None:
    raw = "某公司大涨 板块走强\n某公司今日大涨9%，带动板块走强。（某社）" + TAIL
    body = market(raw, title="某公司大涨，板块走强")
    assert (body.text, body.digest, body.digest_credit) == ("", "某公司今日大涨9%，带动板块走强。", "某社")
    assert body.generation == "G2"
    assert body.is_flash
    assert market(raw) == body
    assert market(raw, title="另有标题").text == "某公司大涨 板块走强"


def test_g2_with_one_line_only() -> None:
    assert market("只有一句话。" + TAIL).text == "只有一句话。"
    assert market("只有一句话。" + TAIL).digest is None
    assert market("只有标题" + TAIL, title="只有标题").text == ""


def test_g2_paragraphs_are_text() -> None:
    body = market("第一段到此为止。\n\n第二段。" + TAIL)
    assert (body.text, body.digest) == ("第一段到此为止。\n第二段。", None)


@pytest.mark.parametrize(
    ("nav", "host", "generation"),
    [
        ("", "choice.example.com", "G3"),
        ("[返回某报新闻](//site.example/moubao/)｜[返回首页](//site.example/)", "choice.example.com", "G3"),
        ("[返回某报新闻](//site.example/category/moubao.html)｜[返回首页](//s/)", "choice.example.com", "G4"),
        ("[返回某报新闻](//site.example/category/moubao.html)｜[返回首页](//s/)", "finews.zning.xyz", "G5"),
    ],
)
def test_later_generations_of_the_market_feed(nav: str, host: str, generation: str) -> None:
    body = market(f"<p>　　第一段。 </p>\n\n<http://{host}/html_News/NewsShare.html?infoCode=NW1>\n\n{nav}")
    assert body.generation == generation
    assert body.text == "第一段。"
    assert body.url == f"http://{host}/html_News/NewsShare.html?infoCode=NW1"


# ------------------------------------------------------------------------------------------------- digest


@pytest.mark.parametrize(
    ("raw", "digest", "credit"),
    [
        ("> 收盘上涨。（某证券报）", "收盘上涨。", "某证券报"),
        ("> 收盘上涨。(某证券报)", "收盘上涨。", "某证券报"),
        ("> 收盘上涨。 （某证券报）", "收盘上涨。", "某证券报"),
        ("> 收盘上涨！” （36氪）", "收盘上涨！”", "36氪"),
        ("> 收盘上涨。（来源：21世纪经济报道）", "收盘上涨。", "21世纪经济报道"),
        ("> 收盘上涨5%（某财经网）", "收盘上涨5%", "某财经网"),
        ("> 收盘上涨5%(较前日)", "收盘上涨5%(较前日)", None),
        ("> 收盘上涨（002456）", "收盘上涨（002456）", None),
        ("> 利润3.2亿元。（单位：亿元）", "利润3.2亿元。（单位：亿元）", None),
        ("> 利润3.2亿元。（100万元）", "利润3.2亿元。（100万元）", None),
        ("> 会议闭幕。（完）", "会议闭幕。（完）", None),
        ("> 会议闭幕。（全文完）", "会议闭幕。（全文完）", None),
        ("> 抬头显示（HUD）", "抬头显示（HUD）", None),
        ("> 他说。（这是一个很长很长的说明，里面有标点，不是署名）", "他说。（这是一个很长很长的说明，里面有标点，不是署名）", None),
        ("> （某证券报）", "（某证券报）", None),
        ("> 没有署名。", "没有署名。", None),
        ("> 第一行，\n第二行。（某社）", "第一行，第二行。", "某社"),
        ("> first line\nsecond line", "first line second line", None),
        ("\n\n> 前有空行。", "前有空行。", None),
        (">紧挨着。", "紧挨着。", None),
        ("> 含&lt;书名&gt;的。", "含<书名>的。", None),
        ("> 含 <5% 的。", "含 <5% 的。", None),
        (">　　缩进。​", "缩进。", None),
    ],
)  # fmt: skip
def test_digest(raw: str, digest: str, credit: str | None) -> None:
    for between in ("\n\n", "\n", "\n \n"):
        body = emnews(raw + between + "<p>正文。</p>" + TAIL)
        assert (body.digest, body.digest_credit) == (digest, credit)
        assert body.text == "正文。"
        assert body.issues == ()


@pytest.mark.parametrize(
    "raw", ["> \n\n<p>正文。</p>", ">\n\n<p>正文。</p>", "> \n<p>正文。</p>", ">　\n\n<p>正文。</p>"]
)
def test_empty_digest(raw: str) -> None:
    body = emnews(raw + TAIL)
    assert (body.digest, body.text, body.issues) == (None, "正文。", ("digest-empty",))


def test_digest_without_body_is_a_flash() -> None:
    body = emnews("> 只有摘要。（某社）" + TAIL)
    assert (body.digest, body.digest_credit, body.text, body.url, body.is_flash) == (
        "只有摘要。",
        "某社",
        "",
        URL,
        True,
    )


def test_a_digest_mark_elsewhere_is_text() -> None:
    assert emnews("甲 > 乙\n\n> 丙" + TAIL).text == "甲 > 乙\n> 丙"


# ----------------------------------------------------------------------------------------------- the tail


def test_an_empty_address_is_flagged() -> None:
    body = emnews(f"一句话。\n\n<>\n\n{NAV}")
    assert (body.text, body.url, body.issues) == ("一句话。", None, ("url-empty",))


def test_only_the_end_is_cut_off() -> None:
    middle = f"上文。\n\n<{URL}>\n\n{NAV}\n\n下文。"
    body = emnews(middle)
    assert body.url is None
    assert body.text == f"上文。\n{URL}\n{NAV}\n下文。"
    assert body.links == (Link(start=4, end=4 + len(URL), url=URL),)


def test_a_tail_alone_is_a_post_without_text() -> None:
    body = emnews(TAIL)
    assert (body.text, body.url, body.is_flash, body.issues) == ("", URL, True, ())


@pytest.mark.parametrize("body", ["", " ", "\n\n", "\ufeff", "　"])
def test_nothing(body: str) -> None:
    for found in (emnews(body), market(body), site(body), site(body, "html"), site(body, "text")):
        assert (found.text, found.digest, found.url, found.issues) == ("", None, None, ())


def test_an_address_that_was_cut_is_no_text() -> None:
    body = emnews("<p>正文。</p>\n\n<http://finance.example.com/news/13")
    assert (body.text, body.url, body.issues) == ("正文。", None, ("markup-broken",))


# --------------------------------------------------------------------------------- the archive's elements


def test_first_mention_of_a_security() -> None:
    body = article(f"<p>公告称{security('600160', '巨川股份')}涨停。</p>")
    (mention,) = body.mentions
    assert body.text == "公告称巨川股份涨停。"
    assert (mention.start, mention.end, mention.kind) == (3, 7, "security")
    assert (mention.market, mention.code, mention.exchange) == (1, "600160", "XSHG")
    assert mention.url == "http://quote.example.com/unify/r/1.600160"


@pytest.mark.parametrize(
    ("market", "code", "exchange", "kind"),
    [
        (0, "000333", "XSHE", "security"),
        (1, "600160", "XSHG", "security"),
        (105, "PDD", "XNAS", "security"),
        (106, "BRK_B", "XNYS", "security"),
        (116, "00700", "XHKG", "security"),
        (90, "BK0493", None, "board"),
        (153, "830799", None, "security"),
    ],
)
def test_markets(market: int, code: str, exchange: str | None, kind: str) -> None:
    for html in (security(code, "某某", market), later(code, "某某", market)):
        (mention,) = article(f"<p>甲{html}乙</p>").mentions
        assert (mention.market, mention.code, mention.exchange, mention.kind) == (
            market,
            code,
            exchange,
            kind,
        )


def test_mention_of_a_board_and_of_a_hong_kong_security() -> None:
    body = article(
        '<p><span id="bk_90.BK0493"><a href="http://q.example/r/90.BK0493" class="keytip" '
        'data-code="90,BK0493">新能源</a></span><span id="bkquote_90.BK0493"></span>和'
        '<span id="Info.116.06030"><a href="http://q.example/r/116.06030" class="keytip" data-code="116,06030">'
        "某信证券</a></span></p>"
    )
    assert [(m.text, m.kind, m.code) for m in body.mentions] == [
        ("新能源", "board", "BK0493"),
        ("某信证券", "security", "06030"),
    ]


def test_glossary_entry() -> None:
    (mention,) = article(
        '<p>C<span id="Info.338"><a href="http://d.example/ppi.html" class="infokey">PPI</a></span>B</p>'
    ).mentions
    assert (mention.text, mention.kind, mention.market, mention.code, mention.exchange, mention.url) == (
        "PPI",
        "glossary",
        None,
        None,
        None,
        "http://d.example/ppi.html",
    )


def test_mentions_keep_the_order_of_the_text() -> None:
    body = article(
        f"<p>{later('000333', '乙集团', 0)}、{security('600160', '甲股份')}，</p><p>{later('NIO', '丙', 106)}</p>"
    )
    assert [m.text for m in body.mentions] == ["乙集团", "甲股份", "丙"]
    assert [m.start for m in body.mentions] == [0, 4, 9]


def test_a_mention_without_data_code_is_named_by_its_page() -> None:
    link = '<a href="http://q.example/unify/r/0.002001" class="keytip">某和成</a>'
    (mention,) = article(f"<p>{link}</p>").mentions
    assert (mention.market, mention.code) == (0, "002001")


@pytest.mark.parametrize("pair", ["", "x", "1", "1,", ",600160", "1;600160", "12345678901,600160"])
def test_a_mention_that_names_nothing_is_text(pair: str) -> None:
    body = article(f'<p>甲<span class="em_stock_key_common" data-code="{pair}">乙</span></p>')
    assert (body.text, body.mentions) == ("甲乙", ())


def test_white_space_at_the_edges_of_a_mention() -> None:
    body = article(f"<p>　　前 {later('600160', '　巨川 股份 ')} 后{later('600161', ' ')}</p>")
    assert body.text == "前 巨川 股份 后"
    assert [(m.start, m.end, m.text) for m in body.mentions] == [(2, 7, "巨川 股份")]


def test_positions_survive_entities_and_removed_characters() -> None:
    body = article(f"<p>&nbsp;&lt;甲&gt;&amp;​​{later('1', 'A&amp;B  &#67;')}  \n{later('2', '丁')}\n戊</p>")
    assert body.text == "<甲>&A&B C 丁戊"
    assert [m.text for m in body.mentions] == ["A&B C", "丁"]


def test_of_nested_mentions_the_outer_one_counts() -> None:
    body = article(f"<p>{later('601318', '中国<span>平</span>' + security('2', '安') + '保险')}好</p>")
    assert [(m.text, m.code) for m in body.mentions] == [("中国平安保险", "601318")]


def test_a_mention_that_nothing_closes_is_dropped() -> None:
    body = article('<p>甲<a class="keytip" data-code="1,600160">乙</p><p>丙</p>')
    assert (body.text, body.mentions, body.issues) == ("甲乙\n丙", (), ("markup-broken",))


@pytest.mark.parametrize(
    ("html", "source"),
    [
        ("（文章来源：某海证券报）", "某海证券报"),
        ("(文章来源:某海证券报)", "某海证券报"),
        ("（文章来源： 某海证券报 ）", "某海证券报"),
        ("文章来源：某海证券报", "某海证券报"),
        ("（文章来源：某时报(e公司)）", "某时报(e公司)"),
        (f"（文章来源：某海{later('BK0473', '证券', 90)}报）", "某海证券报"),
        ("（文章来源：）", None),
        ("（某海证券报）", "某海证券报"),
        ("（责任编辑：甲）", None),
        ("", None),
    ],
)
def test_source_line(html: str, source: str | None) -> None:
    for tag in ('p class="em_media"', 'P CLASS="x em_media"'):
        body = article(f"<p>正文。</p><{tag}>{html}</p>")
        assert (body.text, body.source, body.mentions) == ("正文。", source, ())


def test_source_line_without_its_class() -> None:
    body = article("<p>正文。</p><p>（文章来源：某报）</p>")
    assert (body.text, body.source) == ("正文。", "某报")


def test_text_in_the_class_of_the_source_line_is_kept() -> None:
    words = "这一段其实是正文，只是用错了样式。" * 5
    body = article(f'<p class="em_media">{words}</p>')
    assert (body.text, body.source) == (words, None)


def test_price_chart() -> None:
    body = article(CHART + "<p>正文。</p>")
    assert (body.text, body.chart_symbol, body.images, body.links) == ("正文。", "106.NIO", (), ())


@pytest.mark.parametrize(
    "missing", ["<!-- EM_StockImg_Start -->", "<!-- EM_StockImg_End -->", "<!--", "</a>"]
)
def test_price_chart_with_parts_missing(missing: str) -> None:
    html = CHART.replace(missing, "") if missing != "<!--" else CHART.replace("<!-- EM_StockImg_Start -->", "").replace(
        "<!-- EM_StockImg_End -->", ""
    )  # fmt: skip
    body = article(html + "<p>正文一。</p><p>正文二。</p>")
    assert (body.text, body.chart_symbol, body.images) == ("正文一。\n正文二。", "106.NIO", ())


def test_price_chart_is_named_by_its_code_where_the_address_is_lost() -> None:
    html = '<p><a class="EmImageRemark" data-code="002752|0|2"><img src="x.png"></a></p><p>正文。</p>'
    body = article(html)
    assert (body.chart_symbol, body.images, body.text) == ("0.002752", (), "正文。")


@pytest.mark.parametrize(
    "style", ["display:none", "DISPLAY: None;", "color:red; display : none ", "display:\nnone !important"]
)
def test_hidden_elements(style: str) -> None:
    body = article(
        f'<p style="{style}">藏<b>一</b>{later("600160", "某")}</p><p>见<span style="{style}">藏<span>二</span></span>一</p>'
        f'<div style="{style}"><div><p>藏三</p></div>藏</div><p>见二<img src="a.png" style="{style}"></p>'
    )
    assert (body.text, body.mentions, body.images, body.issues) == ("见一\n见二", (), (), ())


def test_a_hidden_paragraph_ends_where_the_next_begins() -> None:
    body = article('<p style="display:none">藏<p>见一</p><p>见<i style="display:none">藏</p><p>见二</p>')
    assert body.text == "见一\n见\n见二"


@pytest.mark.parametrize(
    "html",
    [
        "<script>if (a < b) { x('<p>no</p>') }</script>",
        "<style>p > a { color: red }</style>",
        "<iframe src='x'><p>no</p></iframe>",
        "<svg width='1'><title>no</title><text>no</text></svg>",
        "<template><p>no</p></template>",
        "<noscript><img src='no.png'>no</noscript>",
        "<head><title>no</title></head>",
        "<textarea>no<p></textarea>",
        "<video src='x'>no</video>",
        "<!-- no -->",
        "<!-- <p>no</p> -->",
        "<!DOCTYPE html>",
        "<?xml no ?>",
    ],
)
def test_what_is_no_text(html: str) -> None:
    body = article(f"<p>前</p>{html}<p>后</p>")
    assert (body.text, body.images, body.issues) == ("前\n后", (), ())
    assert site(f"<p>前</p>{html}<p>后</p>", "html").text == "前\n后"


def test_headings() -> None:
    body = article(
        "<p>正文。</p><p><strong>一、标题 </strong></p><p><b>小</b> <b>题</b></p><h2>二、标题</h2>"
        "<p><strong>开头</strong>之后是正文</p><p><strong></strong></p><p>没有</p>"
    )
    assert [body.text[h.start : h.end] for h in body.headings] == ["一、标题", "小 题", "二、标题"]
    assert body.text.count("\n") == 5


def test_a_bold_tag_that_nothing_closes_makes_one_heading() -> None:
    body = article("<p><strong>标题</p><p>正文</p>")
    assert [body.text[h.start : h.end] for h in body.headings] == ["标题"]


def test_pictures_and_captions() -> None:
    body = article(
        '<p>前文</p><center><img src="https://i.example/1.jpg" alt="Image" /></center>'
        '<p style="text-align:center;">图一：<b>厂房</b></p><p>中</p><p style="TEXT-ALIGN: Center">居中的正文</p>'
        '<center><img orginial_src="https://i.example/2.jpg" src="blank.gif" /></center><p>后文</p>'
        '<p>内<img src="3.png">嵌</p><img src="data:image/png;base64,AA"><img><img src="">'
    )
    assert body.images == (
        Image(url="https://i.example/1.jpg", caption="图一：厂房"),
        Image(url="https://i.example/2.jpg", caption=None),
        Image(url="3.png", caption=None),
    )
    assert body.text == "前文\n中\n居中的正文\n后文\n内嵌"


def test_links() -> None:
    body = article(
        '<p>见<a href="http://a.example/?a=1&copy=2">公告 </a>、<a href="../b">乙</a>、<a name="x">丙</a>、'
        '<a href="javascript:void(0)">丁</a>、<a href=" Java&#10;Script:x">戊</a>、<a href="data:,x">己</a>'
        '<a href="/c"><img src="c.png"></a></p>'
    )
    assert body.text == "见公告 、乙、丙、丁、戊、己"
    assert [(body.text[x.start : x.end], x.url) for x in body.links] == [
        ("公告", "http://a.example/?a=1&copy=2"),
        ("乙", "../b"),
    ]


def test_a_link_over_paragraphs_is_a_link_in_each() -> None:
    body = article('<a href="/x"><p>甲</p><p>乙</p></a><p>丙<a href="/y">丁<a href="/z">戊</a></p>')
    assert [(body.text[x.start : x.end], x.url) for x in body.links] == [
        ("甲", "/x"),
        ("乙", "/x"),
        ("丁", "/y"),
        ("戊", "/z"),
    ]


# ------------------------------------------------------------------------------------ paragraphs and blanks


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>一</p>\n <p>二</p>", "一\n二"),
        ("<p>一<br><br>二<br/>\n<BR />\n<br>三<br></p>", "一\n二\n三"),
        ("<p>one<br>two</p>", "one two"),
        ("<p>甲<br>乙</p>", "甲 乙"),
        ("<p>甲<br>　　乙</p>", "甲\n乙"),
        ("<p>甲\n乙，\n“丙”\nA\nB\n丁</p>", "甲乙，“丙” A B 丁"),
        ("<p>　　甲&nbsp;&#xA0; 乙\u3000丙\t丁 </p>", "甲 乙 丙 丁"),
        ("<p> \u3000&nbsp;</p><p>一</p><p>\u200b</p>", "一"),
        ("一\n\n二\n \n三", "一\n二\n三"),
        ("<p>一<p>二<div>三</p>四", "一\n二\n三\n四"),
        ("<ul><li>一<li>二<ul><li>三</ul></ul>四", "一\n二\n三\n四"),
        ("<dl><dt>一<dd>二</dl>", "一\n二"),
        ("<blockquote>一</blockquote>二<hr>三", "一\n二\n三"),
        ("<pre>a  b\n\n    c\u200b \n</pre>d", "a  b\n    c\nd"),
        ("<p>a\u200bb\u00ad\ufeff \u202ec\u2066</p>", "ab c"),
        ("<p>👨\u200d👩 می\u200cخواهم 中\u200d文</p>", "👨\u200d👩 می\u200cخواهم 中文"),
        ("<p>H<sub>2</sub>O, <em>x</em><font color=red>y</font></p>", "H2O, xy"),
        ("<p>1&lt;2 &amp;lt; &gt; &#x4e2d; &hellip; &unknown; &</p>", "1<2 &lt; > 中 … &unknown; &"),
    ],
)
def test_paragraphs_and_white_space(html: str, text: str) -> None:
    assert article(html).text == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<tr><th>年</th><th>额</th></tr><tr><td>2021</td><td><p>3.2</p></td></tr>", "年\t额\n2021\t3.2"),
        ("<tr><td>a<td>b<tr><td>c<td>d", "a\tb\nc\td"),
        ("<tr><td></td><td>b</td><td></td></tr>", "\tb\t"),
        ("<tr><td></td><td> </td></tr>", ""),
        ("<tr><td><p>一</p><p>二</p></td></tr>", "一\n二"),
        ("<tr><td></td>一</tr>", "一"),
        ("<tr><td><p>一</p>二<br>三<br><br>四</td><td>五</td></tr>", "一 二 三 四\t五"),
        ("<tr><td>外<table><tr><td>内</td><td>里</td></tr></table></td><td>后</td></tr>", "外\n内\t里\n后"),
        ("<td>无行</td><td>二</td>", "无行\t二"),
    ],
)
def test_tables(html: str, text: str) -> None:
    assert article(f"<p>前</p><table>{html}</table><p>后</p>").text == "\n".join(
        filter(None, ["前", text, "后"])
    )


def test_mentions_in_tables() -> None:
    body = article(
        f"<table><tr><td></td><td>{later('1', '甲')}</td></tr><tr><td>乙</td><td>{later('2', '丙')}</td></tr></table>"
    )
    assert body.text == "\t甲\n乙\t丙"
    assert [m.start for m in body.mentions] == [1, 5]


def test_control_characters_are_removed_and_flagged() -> None:
    body = article("<p>甲\x00乙\x1f丙\x7f\u202e</p>")
    assert (body.text, body.issues) == ("甲乙丙", ("control-characters",))
    assert site("甲\x00乙").issues == site("甲\x00乙", "text").issues == ("control-characters",)
    assert site("甲\x00乙").text == site("甲\x00乙", "text").text == "甲乙"


def test_liquid_in_an_own_post_is_flagged() -> None:
    assert article("<p>{{ x }}</p>").issues == ("liquid",)


# ------------------------------------------------------------------------------------------- broken markup


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>增速<5%，好</p>", "增速<5%，好"),
        ("<p>若a<b则c</p>", "若a<b则c"),
        ("<p>若a<b 且 c>d，则可</p>", "若a<b 且 c>d，则可"),
        ("<p>a < b > c</p>", "a < b > c"),
        ("<p>《<某条约>修正案》</p>", "《<某条约>修正案》"),
        ("<p>见<HFO>与</HFO></p>", "见<HFO>与</HFO>"),
        ('<p>一<a href="x>二</a></p><p>三</p>', "一二\n三"),
        ('<p class="x>一</p><p>二</p>', "一\n二"),
        ('<p>一<img src="a.png" <p>二</p>', "一\n二"),
        ("<p>一</p</div><p>二</p>", "一\n二"),
        ("<p>一<!-- 没有结束<p>二</p>", "一 没有结束\n二"),
        ("<p>一<textarea>二</p>", "一二"),
        ("<p>一</textarea>二</p>", "一二"),
        ("<p>一<script>var a", "一"),
        ("<p>一<div><span><b>二", "一\n二"),
        ("</p></div>一</span></a></b></td></table>", "一"),
        ("<p>一<", "一<"),
        ("<p>一</", "一"),
        ("<p>一</p><", ""),
        ("<p>一</stro", "一"),
        ("<p>一<stron", "一"),
        ("<p>一<span cla", "一"),
        ("<p>价格a<b", "价格a<b"),
        ("<p>一<!-- EM_Sto", "一"),
    ],
)
def test_broken_markup_loses_no_text(html: str, text: str) -> None:
    body = article(html)
    expected = text or "一"
    assert body.text == expected
    assert body.url == URL
    assert body.digest == "摘要一句。"


@pytest.mark.parametrize(
    "cut",
    ['<center><img src="http://i.example/a.jpg" alt="Image" width="552" /', '<center><img src="http://i.example/a.jpg"'],
)  # fmt: skip
def test_a_body_cut_inside_a_tag(cut: str) -> None:
    body = article("<p>正文。</p>" + cut)
    assert (body.text, body.url, body.issues) == ("正文。", URL, ("markup-broken",))
    assert body.images == (Image(url="http://i.example/a.jpg", caption=None),)


def test_a_cut_address_is_not_kept() -> None:
    body = article('<p>正文。</p><img alt="x" src="http://i.exam')
    assert (body.text, body.images, body.issues) == ("正文。", (), ("markup-broken",))


def test_sound_markup_is_not_called_broken() -> None:
    for html in ("<p>一<!-- <b> --></p>", "<p>一<o:p></o:p></p>", '<p title="a > b">一</p>', "<P>一<BR></P>"):
        assert (article(html).text, article(html).issues) == ("一", ())


# --------------------------------------------------------------------------------------------- text codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("某光(002456)表示", ("002456",)),
        ("某城（601633.SH）与(03301.HK)", ("601633.SH", "03301.HK")),
        ("某星(600519，前收盘1800)和（000001.sz/00700.HK）", ("600519", "000001.sz", "00700.HK")),
        ("某甲(002456)又(002456)", ("002456",)),
        ("某乙(股票代码：688981)、(BABA.US)、(NASDAQ: PDD)、(SH600000)", ("688981", "BABA.US", "NASDAQ: PDD", "SH600000")),
        ("某丙(830799)、(920002)、(510300.SH)", ("830799", "920002", "510300.SH")),
        ("(2021)、(202112)、(20211208)、(123456)、(1234567)、(02112345678)、(12-08)", ()),
        ("(HUD)、(A股)、(较前日高17%)、(3.2亿元)、(510300)、(U.S.)", ()),
        ("002456、601633.SH 不在括号里", ()),
        ("(002456没有结束", ()),
    ],
)  # fmt: skip
def test_text_codes(text: str, codes: tuple[str, ...]) -> None:
    assert emnews(text + TAIL).text_codes == codes


@pytest.mark.parametrize(("length", "flash"), [(300, True), (301, False)])
def test_flash_length(length: int, flash: bool) -> None:
    assert emnews("甲" * length).is_flash is flash


# -------------------------------------------------------------------------------------------- other sites


def test_finance_fields_of_other_sites_are_empty() -> None:
    body = site(
        f"> 引文。（某报）\n\n<p class='em_media'>（文章来源：某报）</p>{security('600160', '某')}(002456)\n\n<{URL}>",
        "markdown",
    )
    assert (body.digest, body.digest_credit, body.source, body.url) == (None, None, None, None)
    assert (body.mentions, body.text_codes, body.chart_symbol, body.generation) == ((), (), None, None)
    assert "引文。（某报）\n（文章来源：某报）" in body.text
    assert body.text.endswith(URL)


def test_markdown() -> None:
    body = site(
        'Title\n=====\n\nA *soft*\nbreak, `x < y`  \nhard. ~~old~~ [l&k](/a?b=1&copy=2 "t") &copy;\n\n'
        "- one\n- two\n\n  more\n\n1. first\n2. second\n\n> quoted\n\n```ruby\ndef a\n\n  {:b => 1}\nend\n```\n\n"
        "    code *b*\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n![alt](/p.png)\n\n**Bold**\n\n* * *\n\n<b>html</b> end\n"
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


def test_liquid_is_left_raw() -> None:
    body = site(
        '{% include a_b_c.html x="*y*" %}\n\nSee [it]({{ site.url }}/a_b_) and {{ page.*x* }}.\n\n'
        "{% highlight js %}\nvar a = '*b*';\n\n  if (a < 1) {}\n{% endhighlight %}\n\n`{{ raw }}` {% open {{ end"
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
        "* TOC\n{:toc}\n\n# Head {#id}\n{: .big}\n\nText *em*{: .x #y}.\n{:.note}\n\n{::comment}\ngone\n{:/comment}\n\n"
        '```ruby\n{: .kept}\n```\n\n    {: .kept}\n\n{::options toc="1"}\n\n{ not: this } {:a => 1}\n\n{::comment}\nshown\n'
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


def test_html_and_text_of_other_sites() -> None:
    assert site("<p>a\n\nb</p><p>c", "html").text == "a b\nc"
    assert site("a\nb\n\n<c> &amp;\r\n\r\nd", "text").text == "a b\n<c> &amp;\nd"
    figure = site("<figure><img src='a.png'><figcaption>cap</figcaption></figure>x", "html")
    assert (figure.text, figure.images) == ("x", (Image(url="a.png", caption="cap"),))


def test_markdown_beyond_any_post_is_read_as_text() -> None:
    for body in ("*a*\n\n" * 150_000, "[" * 30_000):
        found = site(body)
        assert found.issues == ("markup-broken",)
        assert found.text == body.strip().replace("\n\n", "\n")


# ---------------------------------------------------------------------------------------- whatever comes

VISIBLE = ["<p>", "</p>", "<b>", "</b>", "<div>", "</div>", "<br>", "<i>", "</i>", "<li>", "&lt;", "&amp;", "甲", "x y", "1"]  # fmt: skip
PIECES = [
    *VISIBLE,
    *(
        "<",
        ">",
        "<!--",
        "-->",
        "\n\n",
        "\n",
        "\u3000\u3000",
        " ",
        "\u200b",
        "\x00",
        "\r",
        "<>",
        '"',
        "'",
        "=",
        "/",
    ),
    *(
        "<table>",
        "<tr>",
        "<td>",
        "</td>",
        "</tr>",
        "</table>",
        "<pre>",
        "</pre>",
        "<h2>",
        "</h2>",
        "<center>",
    ),
    *(
        "<script>",
        "</script>",
        "<svg>",
        "</svg>",
        "<textarea>",
        "<title>",
        "<o:p>",
        "<HFO>",
        '<b c="',
        "<a ",
        "</",
    ),
    *('<a href="/x">', "</a>", "<span>", "</span>", '<img src="a.png">', '<img src="a" /', "<figcaption>"),
    *('<p class="em_media">', "（文章来源：某报）", '<p style="display:none">', '<div style="display:none">'),
    *('<p style="text-align:center">', "<!-- EM_StockImg_Start -->", "<!-- EM_StockImg_End -->", CHART),
    *('<a class="keytip" data-code="1,600160">', '<span class="em_stock_key_common" data-code="0,1">'),
    *(
        '<a class="infokey">',
        '<a class="EmImageRemark" data-code="A|1|2">',
        "> ",
        "（某报）",
        NAV,
        f"<{URL}>",
    ),
    *("{{", "}}", "{% raw %}", "{: .a}", "`", "*", "- ", "```", "|", "[a](", "(600519)", "\u2028", "\ud800"),
]
MODES = [
    ("emnews", "archive"),
    ("market", "archive"),
    ("site", "html"),
    ("site", "markdown"),
    ("site", "text"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=400, deadline=None)
def test_soup_never_raises_and_offsets_hold(soup: str) -> None:
    for feed, markup in MODES:
        checked(read_body(soup, feed=feed, markup=markup))


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_text_raises(text: str) -> None:
    for feed, markup in MODES:
        checked(read_body(text, feed=feed, markup=markup))


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_repair_leaves_only_tags(soup: str) -> None:
    html, _ = repaired(soup)
    for part in html.split("<")[1:]:
        written, closed, _ = part.partition(">")
        assert closed
        assert read_tag(written, True) is not None


@given(st.lists(st.sampled_from([*VISIBLE, '<a href="/x?a=1&amp;b=2">', "</a>", "<table>", "<tr>", "<td>", later("1", "乙")])).map("".join))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_repair_changes_nothing_that_is_sound(html: str) -> None:
    again, broken = repaired(html)
    assert not broken
    assert read_html(again, archive=True) == read_html(html, archive=True)


@given(st.lists(st.sampled_from(VISIBLE)).map("".join))
@settings(max_examples=300, deadline=None)
def test_text_is_what_a_tokenizer_sees(html: str) -> None:
    seen = "".join(token.data or "" for token in tokenize(html) if token.type is TokenType.TEXT)
    assert "".join(read_html(html, archive=False).text.split()) == "".join(seen.split())


HOSTILE = {
    "deep paragraphs": "<p>" * 50_000,
    "deep divisions": "<div>" * 100_000 + "x" + "</div>" * 100_000,
    "deep mentions": '<span class="em_stock_key_common" data-code="1,2">' * 50_000 + "甲" + "</span>" * 50_000,
    "deep links": '<a href="/x">' * 50_000 + "x",
    "deep tables": "<table><tr><td>" * 30_000 + "x",
    "deep hidden": '<div style="display:none">' * 50_000 + "x",
    "less than": "<" * 100_000,
    "end tags": "</" * 50_000,
    "open comments": "<!--" * 50_000,
    "comments": "<!-- a > " * 50_000,
    "open quotes": '<a href="' * 20_000,
    "quotes that never close": "<a " + '"<a b" ' * 20_000,
    "giant attribute": '<p class="' + "x" * 1_000_000 + '">y',
    "many attributes": "<p " + 'a="b" ' * 50_000 + ">x",
    "open scripts": "<script><" * 30_000,
    "open titles": "<title>x" * 30_000,
    "blanks": "<p>" + " " * 1_000_000 + "x",
    "blank lines": " \n" * 200_000 + "x",
    "line breaks": "<p>" + "x<br> " * 50_000,
    "references": "&amp;" * 100_000 + "&#" + "9" * 100_000 + ";",
    "empty cells": "<table><tr>" + "<td>" * 100_000 + "x",
    "parentheses": "(" * 500_000 + "（600519）" * 10_000,
    "navigation": "[返回](x)\n" * 15_000,
    "addresses": "<http://a>\n" * 20_000,
    "digest": "> " + "a（" * 100_000 + "）",
    "zero width": "\u200b" * 500_000 + "\u200d" * 500_000,
    "liquid": "{{" * 50_000 + "{% raw %}" * 10_000,
    "attribute lists": "{:" * 100_000,
    "quotations": ">" * 100_000,
    "lists": "- " * 50_000,
    "backquotes": "` " * 20_000 + "`" * 50_000,
    "emphasis": "*a " * 20_000,
}


@pytest.mark.parametrize("mode", [("emnews", "archive"), ("site", "markdown")], ids="-".join)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_take_linear_time(name: str, mode: tuple[str, str]) -> None:
    """Anything quadratic would take minutes here; most take milliseconds."""
    start = time.process_time()
    read_body(HOSTILE[name], feed=mode[0], markup=mode[1])
    assert time.process_time() - start < 10


def test_a_body_cut_anywhere_keeps_what_stands_before() -> None:
    html = (
        f'{CHART}<p>甲公司{security("600160", "巨川股份")}<strong>涨停</strong></p><center><img src="http://i.example/1.jpg" '
        'alt="x" /></center><p style="text-align:center;">图注</p>\n <p>乙<a href="/x">公告</a></p>'
        '<p class="em_media">（文章来源：某报）</p>'
    )  # fmt: skip
    whole = article(html)
    assert (whole.text, whole.source) == ("甲公司巨川股份涨停\n乙公告", "某报")
    for end in range(html.index("<p>甲"), len(html)):
        body = article(html[:end])
        text = body.text[:-2] if body.text[-2:-1] == "<" else body.text.removesuffix("<")
        if "<p" + 'class="em_media">' in html[:end].replace(" ", ""):
            text = text.removesuffix("\n（文章来源：某报"[: len(text) - len(whole.text)] or "\n")
        assert whole.text.startswith(text), html[:end]
        assert body.url == URL
        assert body.chart_symbol == "106.NIO"


# ------------------------------------------------------------------------------------------------ real posts

REAL = Path(__file__).parent.parent.parent / "shared" / "data" / "finews"
