"""Bodies of posts: every form of the archive, other sites, hostile bodies, and real posts."""

from __future__ import annotations

import hashlib
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.parsing.body import Body, read_body
from newsdata.schema import Image, Link, Notice

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


def ranges_of(body: Body) -> tuple[list[tuple[int, int]], ...]:
    return (
        [(mention.start, mention.end) for mention in body.mentions],
        [(heading.start, heading.end) for heading in body.headings],
        [(link.start, link.end) for link in body.links],
    )


def checked(body: Body) -> Body:
    """Check what holds for every body."""
    text = body.text
    for mention in body.mentions:
        assert text[mention.start : mention.end] == mention.text == mention.text.strip() != ""
    for ranges in ranges_of(body):
        assert all(0 <= start < end <= len(text) and "\n" not in text[start:end] for start, end in ranges)
        assert all(text[start:end].strip() for start, end in ranges)
        assert all(one[1] <= other[0] for one, other in pairwise(ranges))
    assert "\n\n" not in text
    assert not text.startswith("\n")
    assert not text.endswith("\n")
    assert len(set(body.issues)) == len(body.issues)
    assert body.is_flash == (len(text) <= 300 and "\n" not in text)
    text.encode()
    return body


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
    assert body.text == "离岸汇率升至6.35，为三年来最高。"
    assert (body.digest, body.digest_credit, body.source) == (None, "某时报", "某时报")
    assert body.url == (URL if URL in tail else None)
    assert body.generation == "G0"
    assert body.is_flash
    assert body.issues == ()


@pytest.mark.parametrize(
    "text",
    [
        "离岸汇率升至6.35，为三年来最高。（完）",
        "某公司大涨(600001)",
        "净利两亿元，同比增两成。（上年同期为一亿元）",
        "某公司设立新总部（研发大楼）",
        "汇率升至新高。（记者 甲乙）",
        "某公司（中国）",
        "（某时报）",
    ],
)
def test_what_is_no_credit_stays_in_the_text_of_g0(text: str) -> None:
    body = emnews(f"\n{text}{TAIL}")
    assert (body.text, body.digest_credit, body.source) == (text, None, None)


@pytest.mark.parametrize("credit", ["（来源：某时报）", "(某时报)", "（某时报）（责任编辑：甲乙）", " （某时报·某端）"])
def test_the_credit_of_g0_has_many_forms(credit: str) -> None:
    body = emnews(f"\n某公司大涨。{credit}{TAIL}")
    assert body.text == "某公司大涨。"
    assert body.source == body.digest_credit
    assert body.source is not None
    assert body.source.startswith("某时报")
    assert len(body.notices) == ("责任编辑" in credit)


def test_only_the_first_posts_have_a_credit_in_their_text() -> None:
    body = article("<p>某公司大涨。（某时报）</p>")
    assert (body.text, body.digest_credit, body.source) == ("某公司大涨。（某时报）", "某日报", None)


def test_notices_are_moved_and_spans_stay_exact() -> None:
    mention = '<span web="1" class="em_stock_key_common" data-code="1,600001">甲公司</span>'
    body = article(
        f"<p>来源：某晚报 记者 甲乙</p><p><strong>订单大增</strong></p><p>{mention}(600001)称<a href='/x'>订单</a>大增。"
        f'（<a href="/y">点击阅读公告全文</a>）{mention}明年扩产。（责任编辑：丙丁）</p>'
        f'<p><a href="/z"><strong>【点击查看{mention}行情】</strong></a></p>'
    )
    assert body.text == "订单大增\n甲公司(600001)称订单大增。甲公司明年扩产。"
    assert [(notice.kind, notice.text) for notice in body.notices] == [
        ("source-line", "来源：某晚报 记者 甲乙"),
        ("click", "（点击阅读公告全文）"),
        ("editor", "（责任编辑：丙丁）"),
        ("click", "【点击查看甲公司行情】"),
    ]
    assert body.source == "某晚报"
    assert [mention.text for mention in body.mentions] == ["甲公司", "甲公司"]
    assert [body.text[link.start : link.end] for link in body.links] == ["订单"]
    assert [body.text[heading.start : heading.end] for heading in body.headings] == ["订单大增"]
    assert [body.text[code.start : code.end] for code in body.text_codes] == ["600001"]


def test_a_source_line_may_have_two_parentheses() -> None:
    body = article('<p>正文。</p><p class="em_media">（文章来源：某日报） （责任编辑：DF123）</p>')
    assert (body.text, body.source, body.notices) == ("正文。", "某日报", (Notice("editor", "（责任编辑：DF123）"),))
    body = article('<p>正文。</p><p class="em_media">（责任编辑：DF123）（文章来源：某日报）</p>')
    assert (body.text, body.source, {notice.kind for notice in body.notices}) == (
        "正文。",
        "某日报",
        {"editor", "source-line"},
    )
    assert article('<p class="em_media">（文章来源：某报（海外版））</p>').source == "某报（海外版）"


def test_a_second_source_line_and_an_editor_in_its_place_are_notices() -> None:
    first, second = (f'<p class="em_media">（文章来源：{name}）</p>' for name in ("某日报", "某晚报"))
    body = article(f"<p>正文。</p>{first}{second}")
    assert (body.text, body.source) == ("正文。", "某日报")
    assert body.notices == (Notice("source-line", "（文章来源：某晚报）"),)
    body = article(f'<p>正文。</p>{first}<p class="em_media">（责任编辑：甲乙）</p>')
    assert (body.text, body.notices) == ("正文。", (Notice("editor", "（责任编辑：甲乙）"),))


def test_navigation_in_the_middle_tells_a_torn_file() -> None:
    body = emnews(f"> 摘要。\n\n<p>一。</p>{TAIL}\n\n<p>二。</p>{TAIL}")
    assert body.issues == ("torn",)
    assert (body.text[:2], body.text[-2:]) == ("一。", "二。")
    assert article("<p>点按[返回]即可。</p>").issues == ()


def test_a_less_than_sign_does_not_make_html() -> None:
    body = emnews("增速<5%，低于预期&amp;前值。" + TAIL)
    assert (body.text, body.generation, body.issues) == ("增速<5%，低于预期&前值。", "G0", ())
    assert market("增速放缓\n增速<5%，低于预期。" + TAIL).digest == "增速<5%，低于预期。"


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


def test_paragraphs_of_g2_are_text() -> None:
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
def test_generations_of_the_market_feed(nav: str, host: str, generation: str) -> None:
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
        ("> 他说。（有标点，不是署名）", "他说。（有标点，不是署名）", None),
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
def test_an_empty_digest_is_flagged(raw: str) -> None:
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


def test_a_digest_mark_in_another_place_is_text() -> None:
    assert emnews("甲 > 乙\n\n> 丙" + TAIL).text == "甲 > 乙\n> 丙"


# ----------------------------------------------------------------------------------------------- the tail


def test_an_empty_address_is_flagged() -> None:
    body = emnews(f"一句话。\n\n<>\n\n{NAV}")
    assert (body.text, body.url, body.issues) == ("一句话。", None, ("url-empty",))


def test_an_address_in_another_place_is_text() -> None:
    middle = f"上文。\n\n<{URL}>\n\n{NAV}\n\n下文。"
    body = emnews(middle)
    assert body.url is None
    assert body.text == f"上文。\n{URL}\n{NAV}\n下文。"
    assert body.links == (Link(start=4, end=4 + len(URL), url=URL),)


def test_a_body_of_nothing_but_address_and_navigation_has_no_text() -> None:
    body = emnews(TAIL)
    assert (body.text, body.url, body.is_flash, body.issues) == ("", URL, True, ())


@pytest.mark.parametrize("body", ["", " ", "\n\n", "\ufeff", "　"])
def test_a_blank_body_has_no_text(body: str) -> None:
    for found in (emnews(body), market(body), site(body), site(body, "html"), site(body, "text")):
        assert (found.text, found.digest, found.url, found.issues) == ("", None, None, ())


def test_an_address_that_is_cut_off_is_not_text() -> None:
    body = emnews("<p>正文。</p>\n\n<http://finance.example.com/news/13")
    assert (body.text, body.url, body.issues) == ("正文。", None, ("markup-broken",))


@pytest.mark.parametrize(("length", "flash"), [(300, True), (301, False)])
def test_a_flash_has_at_most_300_characters(length: int, flash: bool) -> None:
    assert emnews("甲" * length).is_flash is flash


# -------------------------------------------------------------------------------------------- other sites


def test_finance_fields_of_other_sites_are_empty() -> None:
    mention = '<span class="em_stock_key_common" data-code="1,600160">某</span>'
    raw = f"> 引文。（某报）\n\n<p class='em_media'>（文章来源：某报）</p>{mention}(002456)\n\n<http://a.example/1>"
    for markup in ("markdown", "html", "text"):
        body = site(raw, markup)
        assert (body.digest, body.digest_credit, body.source, body.url) == (None, None, None, None)
        assert (body.mentions, body.text_codes, body.chart_symbols, body.generation) == ((), (), (), None)
        assert "（文章来源：某报）" in body.text
        assert "http://a.example/1" in body.text


def test_html_and_text_of_other_sites() -> None:
    assert site("<p>a\n\nb</p><p>c", "html").text == "a b\nc"
    assert site("a\nb\n\n<c> &amp;\r\n\r\nd", "text").text == "a b\n<c> &amp;\nd"
    figure = site("<figure><img src='a.png'><figcaption>cap</figcaption></figure>x", "html")
    assert (figure.text, figure.images) == ("x", (Image(url="a.png", caption="cap"),))


# ---------------------------------------------------------------------------------------- hostile bodies

PIECES = [
    *("<p>", "</p>", "<b>", "</b>", "<div>", "</div>", "<br>", "<li>", "&lt;", "&amp;", "甲", "x y", "1"),
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
    *('<p style="text-align:center">', "<!-- EM_StockImg_Start -->", "<!-- EM_StockImg_End -->"),
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
def test_no_markup_raises_an_error_and_offsets_are_right(soup: str) -> None:
    for feed, markup in MODES:
        checked(read_body(soup, feed=feed, markup=markup))


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_text_raises_an_error(text: str) -> None:
    for feed, markup in MODES:
        checked(read_body(text, feed=feed, markup=markup))


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


@pytest.mark.slow
@pytest.mark.parametrize("mode", [("emnews", "archive"), ("site", "markdown")], ids="-".join)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_take_linear_time(name: str, mode: tuple[str, str]) -> None:
    """Anything quadratic would take minutes here; most take milliseconds."""
    start = time.process_time()
    read_body(HOSTILE[name], feed=mode[0], markup=mode[1])
    assert time.process_time() - start < 10


# ------------------------------------------------------------------------------------------------ real posts

REAL = Path(__file__).parents[3] / "shared" / "data" / "finews"
# paragraphs, characters, mentions, headings, images, generation, hash of text, digest, credit, source and url
COUNTS = {
    "_posts/-202205262391921712": (16, 1591, 14, 2, 3, "G1", "e52d5cd4"),
    "_posts/2021-12-08-202112082206672930": (1, 30, 0, 0, 0, "G0", "0868415e"),
    "_posts/2021-12-08-202112082206704122": (1, 88, 0, 0, 0, "G0", "ce41e368"),
    "_posts/2021-12-08-202112082206742097": (1, 13, 0, 0, 0, "G0", "47b9abdc"),
    "_posts/2021-12-08-202112082206749391": (1, 31, 0, 0, 0, "G0", "dc428c84"),
    "_posts/2021-12-08-202112082206779752": (1, 178, 0, 0, 0, "G0", "0403507e"),
    "_posts/2021-12-08-202112082206928461": (1, 48, 0, 0, 0, "G0", "9185b947"),
    "_posts/2021-12-08-202112082206934693": (1, 74, 0, 0, 0, "G0", "2e26e9d4"),
    "_posts/2022-01-07-202201072239307540": (39, 3413, 20, 5, 0, "G1", "95b66d91"),
    "_posts/2022-01-21-NW202201212257099936": (1, 192, 0, 0, 0, "G5", "54a0511a"),
    "_posts/2022-01-27-NW202201272263299588": (7, 1624, 0, 0, 0, "G5", "12580163"),
    "_posts/2022-05-26-202205262391921712": (16, 1591, 14, 2, 3, "G1", "ea4a86f6"),
    "_posts/2022-05-30-202205302396671645": (1, 172, 10, 0, 0, "G1", "414a4473"),
    "_posts/2022-05-30-NW202205302396671645": (1, 172, 0, 0, 0, "G5", "a2e57d32"),
    "old_post/2021-12-08-202112082206672930": (1, 30, 0, 0, 0, "G0", "0868415e"),
    "old_post/2021-12-08-202112082206703990": (1, 197, 0, 0, 0, "G0", "eee49801"),
    "old_post/2021-12-08-202112082207020388": (1, 23, 0, 0, 0, "G0", "9ca18465"),
    "old_post/2021-12-08-202112082207058923": (1, 45, 0, 0, 0, "G0", "8eb53f66"),
    "old_post/2021-12-08-202112082207152228": (1, 129, 0, 0, 0, "G0", "821252eb"),
    "old_post/2022-04-21-202204212352227421": (2, 167, 0, 0, 0, "G1", "6a07b719"),
    "old_post/2022-04-21-202204212352230938": (1, 290, 0, 0, 0, "G1", "1a884d07"),
    "old_post/2022-04-21-NW202204212352230938": (1, 290, 0, 0, 0, "G5", "580143a3"),
    "old_post/2022-05-30-202205302396671645": (1, 172, 10, 0, 0, "G1", "414a4473"),
}


@pytest.mark.parametrize("name", COUNTS)
def test_real_posts_give_the_same_counts(name: str) -> None:
    path = REAL / f"{name}.md"
    if not path.is_file():
        pytest.skip("the sample of real posts is not here")
    raw = path.read_text(encoding="utf-8").split("---\n", 2)[2]
    body = checked(read_body(raw, feed="market" if "NW" in path.stem else "emnews", markup="archive"))
    fields = repr((body.text, body.digest, body.digest_credit, body.source, body.url))
    assert COUNTS[name] == (
        body.text.count("\n") + 1,
        len(body.text),
        len(body.mentions),
        len(body.headings),
        len(body.images),
        body.generation,
        hashlib.sha256(fields.encode()).hexdigest()[:8],
    )
    assert body.issues == (("url-empty",) if path.stem.startswith("-") else ())
    assert (body.source is not None) == ("em_media" in raw or raw.rstrip().split("\n\n")[0].endswith("）"))
    assert not any(mark in body.text for mark in ("<p", "</", "文章来源", "返回首页", "K图"))
