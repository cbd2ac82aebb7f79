"""HTML to text: every element of the archive, white space and tables."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from turbohtml import TokenType, tokenize

from newsdata.parsing.html import read_html
from newsdata.schema import Image

from .html_bodies import CHART, article, later, page, security

# --------------------------------------------------------------------------------- the archive's elements


def test_the_first_mention_of_a_security() -> None:
    body = article(f"<p>公告称{security('600160', '巨川股份')}涨停。</p>")
    (mention,) = body.mentions
    assert body.text == "公告称巨川股份涨停。"
    assert (mention.start, mention.end, mention.kind) == (3, 7, "security")
    assert (mention.market, mention.code, mention.exchange) == (1, "600160", "XSHG")
    assert mention.url == "http://quote.example.com/unify/r/1.600160"


def test_mentions_of_a_board_and_of_a_hong_kong_security() -> None:
    body = article(
        '<p><span id="bk_90.BK0493"><a href="http://q.example/r/90.BK0493" class="keytip" '
        'data-code="90,BK0493">新能源</a></span><span id="bkquote_90.BK0493"></span>和'
        '<span id="Info.116.06030"><a href="http://q.example/r/6" class="keytip" data-code="116,06030">'
        "某信证券</a></span></p>"
    )
    assert [(m.text, m.kind, m.code) for m in body.mentions] == [
        ("新能源", "board", "BK0493"),
        ("某信证券", "security", "06030"),
    ]


def test_a_glossary_entry() -> None:
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


def test_mentions_are_in_text_order() -> None:
    body = article(
        f"<p>{later('000333', '乙集团', 0)}、{security('600160', '甲股份')}，</p><p>{later('NIO', '丙', 106)}</p>"
    )
    assert [m.text for m in body.mentions] == ["乙集团", "甲股份", "丙"]
    assert [m.start for m in body.mentions] == [0, 4, 9]


def test_white_space_at_the_edges_of_a_mention_is_cut() -> None:
    body = article(f"<p>　　前 {later('600160', '　巨川 股份 ')} 后{later('600161', ' ')}</p>")
    assert body.text == "前 巨川 股份 后"
    assert [(m.start, m.end, m.text) for m in body.mentions] == [(2, 7, "巨川 股份")]


def test_positions_survive_entities_and_removed_characters() -> None:
    body = article(f"<p>&nbsp;&lt;甲&gt;&amp;​​{later('1', 'A&amp;B  &#67;')}  \n{later('2', '丁')}\n戊</p>")
    assert body.text == "<甲>&A&B C 丁戊"
    assert [m.text for m in body.mentions] == ["A&B C", "丁"]


def test_the_outer_one_of_nested_mentions_counts() -> None:
    body = article(f"<p>{later('601318', '中国<span>平</span>' + security('2', '安') + '保险')}好</p>")
    assert [(m.text, m.code) for m in body.mentions] == [("中国平安保险", "601318")]


def test_a_mention_without_an_end_tag_is_dropped() -> None:
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
        ("（来源：某海证券报）", "某海证券报"),
        ("（责任编辑：甲）", None),
        ("", None),
    ],
)
def test_the_source_line(html: str, source: str | None) -> None:
    for tag in ('p class="em_media"', 'P CLASS="x em_media"'):
        body = article(f"<p>正文。</p><{tag}>{html}</p>")
        assert (body.text, body.source, body.mentions) == ("正文。", source, ())


def test_a_source_line_without_its_class() -> None:
    body = article("<p>正文。</p><p>（文章来源：某报）</p>")
    assert (body.text, body.source) == ("正文。", "某报")


def test_text_with_the_class_of_the_source_line_is_kept() -> None:
    words = "这一段其实是正文，只是用错了样式。" * 5
    body = article(f'<p class="em_media">{words}</p>')
    assert (body.text, body.source) == (words, None)


def test_a_price_chart_is_not_text() -> None:
    body = article(CHART + "<p>正文。</p>")
    assert (body.text, body.chart_symbols, body.images, body.links) == ("正文。", ("106.NIO",), (), ())


@pytest.mark.parametrize(
    "missing",
    [
        ["<!-- EM_StockImg_Start -->"],
        ["<!-- EM_StockImg_End -->"],
        ["<!-- EM_StockImg_Start -->", "<!-- EM_StockImg_End -->"],
        ["</a>"],
    ],
)
def test_a_price_chart_with_parts_missing(missing: list[str]) -> None:
    html = CHART
    for part in missing:
        html = html.replace(part, "")
    body = article(html + "<p>正文一。</p><p>正文二。</p>")
    assert (body.text, body.chart_symbols, body.images) == ("正文一。\n正文二。", ("106.NIO",), ())


@pytest.mark.parametrize(
    "style", ["display:none", "DISPLAY: None;", "color:red; display : none ", "display:\nnone !important"]
)
def test_hidden_elements_are_not_text(style: str) -> None:
    body = article(
        f'<p style="{style}">藏<b>一</b>{later("600160", "某")}</p>'
        f'<p>见<span style="{style}">藏<span>二</span></span>一</p>'
        f'<div style="{style}"><div><p>藏三</p></div>藏</div><p>见二<img src="a.png" style="{style}"></p>'
    )
    assert (body.text, body.mentions, body.images, body.issues) == ("见一\n见二", (), (), ())


def test_a_hidden_paragraph_ends_at_the_next_one() -> None:
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
def test_what_is_not_text_is_dropped(html: str) -> None:
    body = article(f"<p>前</p>{html}<p>后</p>")
    assert (body.text, body.images, body.issues) == ("前\n后", (), ())
    assert page(f"<p>前</p>{html}<p>后</p>").text == "前\n后"


def test_headings() -> None:
    body = article(
        "<p>正文。</p><p><strong>一、标题 </strong></p><p><b>小</b> <b>题</b></p><h2>二、标题</h2>"
        "<p><strong>开头</strong>之后是正文</p><p><strong></strong></p><p>没有</p>"
    )
    assert [body.text[h.start : h.end] for h in body.headings] == ["一、标题", "小 题", "二、标题"]
    assert body.text.count("\n") == 5


def test_a_bold_tag_without_an_end_tag_makes_one_heading() -> None:
    body = article("<p><strong>标题</p><p>正文</p>")
    assert [body.text[h.start : h.end] for h in body.headings] == ["标题"]


def test_images_and_captions() -> None:
    body = article(
        '<p>前文</p><center><img src="https://i.example/1.jpg" alt="Image" /></center>'
        '<p style="text-align:center;">图一：<b>厂房</b></p><p>中</p>'
        '<p style="TEXT-ALIGN: Center">居中的正文</p>'
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


def test_a_link_across_paragraphs_is_a_link_in_each() -> None:
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
    assert article(f"<p>前</p><table>{html}</table><p>后</p>").text == "\n".join(filter(None, ["前", text, "后"]))


def test_mentions_in_tables() -> None:
    body = article(
        f"<table><tr><td></td><td>{later('1', '甲')}</td></tr><tr><td>乙</td><td>{later('2', '丙')}</td></tr></table>"
    )
    assert body.text == "\t甲\n乙\t丙"
    assert [m.start for m in body.mentions] == [1, 5]


def test_control_characters_are_removed_and_flagged() -> None:
    body = article("<p>甲\x00乙\x1f丙\x7f\u202e</p>")
    assert (body.text, body.issues) == ("甲乙丙", ("control-characters",))
    assert page("甲\x00乙").issues == ("control-characters",)


def test_liquid_in_a_post_of_the_archive_is_flagged() -> None:
    assert article("<p>{{ x }}</p>").issues == ("liquid",)


# ------------------------------------------------------------------------------------------- broken markup


# ---------------------------------------------------------------------------------------- any markup

WORDS = ["&lt;", "&amp;", "甲", "x y", "1"]
VISIBLE = [*WORDS, "<p>", "</p>", "<b>", "</b>", "<div>", "</div>", "<br>", "<i>", "</i>", "<li>"]


@pytest.mark.slow
@given(st.lists(st.sampled_from(VISIBLE)).map("".join))
@settings(max_examples=300, deadline=None)
def test_text_is_the_text_that_a_tokenizer_gives(html: str) -> None:
    seen = "".join(token.data or "" for token in tokenize(html) if token.type is TokenType.TEXT)
    assert "".join(read_html(html, archive=False).text.split()) == "".join(seen.split())


# ------------------------------------------------------------------------- the archive's elements in any order

PARAGRAPHS = [
    "<p>", "</p>", "<p>", "</p>", "\n <p>", "<p>　　", "甲公司", "业绩增长", " ", "  ", "\n", "\n\n", "\u3000\u3000", "&lt;", "&nbsp;", "&#10;",
    "\x00", "\x1c", "\u200b", "（文章来源：某报）", "（", "(注)", "<strong>", "</strong>", "<br />", "<br>", "<b>", "</b>",
    security("600000", "甲银行"), security("", "丙", 90), security("600001", " 乙\n股 "), later("000001", "丁"), later("x", "&amp;"),
    '<span id="Info.1"><a href="/g" class="infokey">', "</a>", "</span>", "<a href='/l'>", '<span id="quote_1.6"></span>', "<span>",
    '<span style="display:none">', '<span id="a"><span id="b">', '<p style="text-align:center">', '<p class="em_media">', "<center>",
    "</center>", '<img src="/i.png">', "<div>", "</div>", "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<pre>", "</pre>", "<h2>",
    "</h2>", "<script>", "</script>", "<!-- EM_StockImg_Start -->", "<!-- EM_StockImg_End -->", '<p style="display:none">', "<ul>", "<li>",
    '<center style="display:none">', '<center><img src="/c.png"></center>', "<center><img></center>", '<p style="display:none"><br /></p>',
    '<p style="text-align:center">图</p>', '<p class="em_media">（文章来源：<span id="x">甲</span>报）</p>', "<p><strong>小标题</strong></p>", '<p class="em_media">（文章来源：乙报）</p>',
    '<center><img src="/d.png"></center><p style="text-align:center;">丁</p>',
    '<p class="em_media">' + "长" * 70 + later("1,600000", "丁") + "</p>", "<p>a<a href='/b'> c </a>&amp;</p>", "<5%", ">", "<p></p>",
    '<!-- EM_StockImg_Start --><p style="text-align:center;"><a class="EmImageRemark" data-code="1|2|0"><img src="/GetPic.aspx?nid=2.1"></a>'
    "</p><!-- EM_StockImg_End -->",
    *(
        f'<!-- EM_StockImg_Start --><p style="text-align:center;"><a href="/r/2.1" data-code="7|2|0" class="EmImageRemark" target="_blank">'
        f'<img src="http://x.org/GetPic.aspx?{query}" border="0" alt="K图 {query}" data-code="K 3|4|0" style="{style}" width="9" /></a></p>'
        for query in ("nid=2.1", "a=b&nid=2.2&c=d", "nid=2.3&lt;", "n=1", "&amp;nid=2.4")
        for style in ("border:#d1d1d1 1px solid;", "display:none;")
    ),
    "<!-- EM_StockImg_End --><p>", '<p style="display:none;height:1px;overflow:hidden;"><br /></p>',
    '<p class="em_media">（文章来源：' + later("1,600000", "丁") + "报）</p>",
    '<!-- EM_StockImg_Start --><p><a class="EmImageRemark" data-code="1|2|0">字<img data-code="K 3|4|0"></a></p><!-- EM_StockImg_End -->',
]  # fmt: skip


def _in_pieces(html: str) -> str:
    """The same body with an empty comment before each end tag."""
    return re.sub(r"<(?=/(?:p|center)>|!-- EM_StockImg_End)", "<!----><", html)


@pytest.mark.slow
@pytest.mark.parametrize("archive", [True, False])
@given(st.lists(st.sampled_from(PARAGRAPHS)).map("".join))
@settings(max_examples=1000, deadline=None)
def test_an_empty_comment_changes_nothing(archive: bool, html: str) -> None:
    assert read_html(html, archive=archive) == read_html(_in_pieces(html), archive=archive)


def test_a_usual_article() -> None:
    html = (
        '<p style="display:none;height:1px;overflow:hidden;"><br /></p><!-- EM_StockImg_Start --><p style="text-align:center;">'
        '<a href="/r/1.600000" data-code="600000|1|2" class="EmImageRemark" target="_blank"><img src="https://x.org/GetPic.aspx?nid=1.600000&t=k"'
        ' border="0" alt="K图 600000_1" data-code="K 600000|1|2" style="border:#d1d1d1 1px solid;" width="5" height="2" /></a></p>'
        f"<!-- EM_StockImg_End --><p>甲</p>\r\n <p>　　{security('600000', '乙')}和{later('000001', '丁')}</p><p><strong>己</strong></p>"
        '<center><img src="/c.png"></center><p style="text-align:center;">庚</p>'
        f'<p class="em_media">（文章来源：辛{later("90.BK1", "证券")}报）</p>'
    )
    found = read_html(html, archive=True)
    assert (len(found.mentions), len(found.headings), found.images) == (2, 1, (Image(url="/c.png", caption="庚"),))
    assert (found.text, found.source, found.chart_symbols) == ("甲\n乙和丁\n己", "辛证券报", ("1.600000",))


# ------------------------------------------------------------------------------------------------------- ruby


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>。", "漢字(かんじ)。"),
        ("<ruby>漢字<rp>（</rp><rt>かんじ</rt><rp>）</rp></ruby>。", "漢字（かんじ）。"),
        ("<ruby>漢字<rp>【<rt>かんじ<rp>】</ruby>。", "漢字【かんじ】。"),
        ("<ruby>漢字<rt>かんじ</rt></ruby>。", "漢字(かんじ)。"),
        ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>", "漢(かん)字(じ)"),
        ("<ruby>漢<rt>かん<rb>字<rt>じ</ruby>と", "漢(かん)字(じ)と"),
        ("<ruby>\n  漢字\n  <rp>(</rp>\n  <rt>かんじ</rt>\n  <rp>)</rp>\n</ruby>\n。", "漢字(かんじ) 。"),
        ("<ruby>\n漢\n<rt>かん</rt>\n字\n<rt>じ</rt>\n</ruby>と", "漢(かん)字(じ)と"),
        ("<ruby>漢字<rt> </rt></ruby>と<ruby>語<rt></ruby>", "漢字 と語"),
        ("<ruby>漢字<rt>かんじ", "漢字(かんじ)"),
        ("<p><ruby>漢字<rt>かんじ</p><p>one\n<b>two</b></p>", "漢字(かんじ)\none two"),
        ("<rt>かんじ</rt>", "かんじ"),
    ],
)
def test_a_reading_of_ruby_is_in_parentheses(html: str, text: str) -> None:
    assert page(html).text == text


def test_ruby_keeps_spans_exact() -> None:
    body = article(
        f"<p>甲{later('1', '<ruby>乙<rt>yǐ</rt></ruby>')}丙<a href='/x'><ruby>丁<rt>dīng</rt></ruby></a></p>"
    )
    assert body.text == "甲乙(yǐ)丙丁(dīng)"
    assert [(m.start, m.end, m.text) for m in body.mentions] == [(1, 6, "乙(yǐ)")]
    assert [(x.start, x.end) for x in body.links] == [(7, 14)]


# ------------------------------------------------------------------------------------------------ line breaks


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>甲涨。<br>乙跌。<br/>丙平。</p>", "甲涨。\n乙跌。\n丙平。"),
        ("<p>他说“好。”<br>乙跌</p>", "他说“好。”\n乙跌"),
        ("<p>甲涨。<br />\n</p><p>乙</p>", "甲涨。\n乙"),
        ("<p>甲涨。<br>乙公司<br>跌。</p>", "甲涨。乙公司 跌。"),
        ("<p>甲：<br>乙</p>", "甲：乙"),
        ("<p>up.<br>down</p>", "up. down"),
        ("<p>甲涨。<br>（文章来源：某报）</p>", "甲涨。"),
        ("<h2>甲涨。<br>乙</h2>", "甲涨。乙"),
        ("<table><tr><td>甲。<br>乙</td><td>丙</td></tr></table>", "甲。乙\t丙"),
    ],
)
def test_a_line_break_after_a_chinese_sentence(html: str, text: str) -> None:
    assert article(html).text == text


def test_spans_of_a_paragraph_whose_lines_are_paragraphs() -> None:
    body = article(
        f"<p>甲{later('1', '乙')}涨。<br>{later('2', '丙 ')}跌。<br><a href='/x'>丁。<br>戊</a><br></p><p><b>己。<br>庚</b></p>"
    )
    assert body.text == "甲乙涨。\n丙 跌。\n丁。\n戊\n己。\n庚"
    assert [body.text[m.start : m.end] for m in body.mentions] == [m.text for m in body.mentions] == ["乙", "丙"]
    assert [(body.text[x.start : x.end], x.url) for x in body.links] == [("丁。", "/x"), ("戊", "/x")]
    assert [body.text[h.start : h.end] for h in body.headings] == ["己。", "庚"]
