"""Repairing HTML: broken markup loses no text, and sound markup is not changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from turbohtml import TokenType, tokenize

from newsdata.parsing.html import read_html
from newsdata.parsing.html_repair import repair_html
from newsdata.parsing.html_tags import read_tag
from newsdata.schema import Image

from ..timing import growth
from .html_bodies import CHART, URL, article, later, page, security


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


def test_sound_markup_is_not_reported_as_broken() -> None:
    for html in ("<p>一<!-- <b> --></p>", "<p>一<o:p></o:p></p>", '<p title="a > b">一</p>', "<P>一<BR></P>"):
        assert (article(html).text, article(html).issues) == ("一", ())


def test_a_body_cut_anywhere_keeps_the_text_before_the_cut() -> None:
    html = (
        f'{CHART}<p>甲公司{security("600160", "巨川股份")}<strong>涨停</strong></p>'
        '<center><img src="http://i.example/1.jpg" alt="x" /></center>'
        '<p style="text-align:center;">图注</p>\n <p>乙<a href="/x">公告</a></p>'
        '<p class="em_media">（文章来源：某报）</p>'
    )  # fmt: skip
    whole = article(html)
    assert (whole.text, whole.source) == ("甲公司巨川股份涨停\n乙公告", "某报")
    for end in range(html.index("<p>甲"), html.index("（文章来源")):
        body = article(html[:end])
        text = body.text.removesuffix("<").removesuffix("<a").removesuffix("<s")  # may be a comparison
        assert whole.text.startswith(text), html[:end]
        assert (body.url, body.chart_symbols) == (URL, ("106.NIO",))


WORDS = ["&lt;", "&amp;", "甲", "x y", "1"]


VISIBLE = [*WORDS, "<p>", "</p>", "<b>", "</b>", "<div>", "</div>", "<br>", "<i>", "</i>", "<li>"]


SOUND = [*VISIBLE, '<a href="/x?a=1&amp;b=2">', "</a>", "<table>", "<tr>", "<td>", later("1", "乙")]


BROKEN = [
    *VISIBLE,
    *(
        "<",
        ">",
        "<!--",
        "-->",
        "\n",
        " ",
        "<>",
        '"',
        "'",
        "=",
        "/",
        "<script>",
        "</script>",
        "<svg>",
        "</svg>",
    ),
    *(
        "<textarea>",
        "<title>",
        "<o:p>",
        "<HFO>",
        '<b c="',
        "<a ",
        "</",
        '<img src="a" /',
        "<!-- EM_StockImg_Start -->",
    ),
]


@pytest.mark.slow
@given(st.lists(st.sampled_from(BROKEN), max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_every_tag_of_a_repaired_body_can_be_read(soup: str) -> None:
    html, _ = repair_html(soup)
    tokens = list(tokenize(html, capture_source=True))
    tags = [token for token in tokens if token.type is not TokenType.TEXT]
    assert (
        sum((tag.source or "").count("<") for tag in tags) == len(tags) == html.count("<")
    )  # none is lost or in another
    assert all(read_tag(tag, True) is not None for tag in tags)


@pytest.mark.slow
@given(st.lists(st.sampled_from(SOUND)).map("".join))
@settings(max_examples=300, deadline=None)
def test_repair_does_not_change_sound_markup(html: str) -> None:
    again, broken = repair_html(html)
    assert not broken
    assert read_html(again, archive=True) == read_html(html, archive=True)


@pytest.mark.parametrize("name", ["svg", "video", "object", "template"])
def test_an_element_without_its_end_tag_hides_nothing(name: str) -> None:
    body = article(f"<p>一<{name}>二</p><p>三</p>")
    assert (body.text, body.issues) == ("一二\n三", ("markup-broken",))
    assert article(f"<p>一<{name}>二</p></{name}><p>三</p>").text == "一\n三"
    nested = f"<{name}>" * 3 + "二" + f"</{name}>" * (1 if name == "svg" else 3)
    assert article(f"<p>一{nested}<5</p>").text == "一<5"


def test_svg_with_empty_elements_hides_nothing_behind_it() -> None:
    svg = "<svg><title/><path d='m1'/></svg>"
    assert article(f"<p>一</p>{svg}<p>二</p>{svg}<p>三</p>").text == "一\n二\n三"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<!--end-->", "一"),
        ("<!--end--><a href='x", "一"),
        ("<!--end--><p>二<a href='x>三</p>", "一\n二三"),
        ("<!--en", "一"),
        ("<xmp>a<b>c</xmp>", "一\na<b>c"),
        ("<xmp>a", "一\na"),
        ("<plaintext>a", "一\na"),
    ],
)
def test_a_body_ends_as_it_is_written(html: str, text: str) -> None:
    assert page(f"<p>一</p>{html}").text == text


@pytest.mark.parametrize(
    "part",
    [
        "<video>",
        "<svg>",
        "<title/>",
        "<a ",
        "<ruby>a<rt>b",
        "a。<br>",
        "<b>a。<br></b>",
        "<!--",
        "<i style='display:none'>",
    ],
)
def test_reading_takes_linear_time(part: str) -> None:
    """Eight times as much; if the time were quadratic, it would be 64 times."""

    def read(times: int) -> None:
        article("<p>" + part * times)

    assert growth(read, 4_000, 32_000, limit=24) < 24
