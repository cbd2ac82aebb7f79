"""Tags: what a mention or a price chart names, and shortcuts with the same result."""

from __future__ import annotations

import pytest

from newsdata.parsing.html_tags import Action, address, read_own_chart, read_tag

from .html_bodies import CHART, article, later, security


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
def test_a_market_number_gives_exchange_and_kind(market: int, code: str, exchange: str | None, kind: str) -> None:
    for html in (security(code, "某某", market), later(code, "某某", market)):
        (mention,) = article(f"<p>甲{html}乙</p>").mentions
        assert (mention.market, mention.code, mention.exchange, mention.kind) == (
            market,
            code,
            exchange,
            kind,
        )


def test_a_mention_without_its_code_is_named_by_its_quote_page() -> None:
    link = '<a href="http://q.example/unify/r/0.002001" class="keytip">某和成</a>'
    (mention,) = article(f"<p>{link}</p>").mentions
    assert (mention.market, mention.code) == (0, "002001")


@pytest.mark.parametrize("pair", ["", "x", "1", "1,", ",600160", "1;600160", "12345678901,600160"])
def test_a_mention_without_a_valid_code_is_text(pair: str) -> None:
    body = article(f'<p>甲<span class="em_stock_key_common" data-code="{pair}">乙</span></p>')
    assert (body.text, body.mentions) == ("甲乙", ())


def test_a_price_chart_without_an_address_is_named_by_its_code() -> None:
    html = '<p><a class="EmImageRemark" data-code="002752|0|2"><img src="x.png"></a></p><p>正文。</p>'
    body = article(html)
    assert (body.chart_symbols, body.images, body.text) == (("0.002752",), (), "正文。")


@pytest.mark.parametrize(
    "address",
    ["https://i.example/a.jpg", "https://i.example/a?x=1&y=2&copy=3", "http://i.example/a?x&copy", "https://i.example/a&amp;b=1",
     "https://i.example/a?b&lt_c=1", "https://chart.example/GetPic.aspx?nid=1.600000&t=1", "https://i.example/图.jpg", "//i.example/a", "data:x",
     "https://i.example/a b", "https://i.example/'a'"],
)  # fmt: skip
@pytest.mark.parametrize(
    "rest", ['alt="Image" width="552" /', 'style="display:none"', 'alt="a b"', 'data-code="K 1|0|2"']
)
def test_the_shortcut_for_images_gives_the_same_tag(address: str, rest: str) -> None:
    own = f'img src="{address}" orginial_src="{address}" {rest}'
    other = f'img orginial_src="{address}" src="{address}" {rest}'  # not the form that is looked for
    assert read_tag(own, True) == read_tag(other, True)


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("p", Action.PARAGRAPH),
        ("/p", Action.END_PARAGRAPH),
        ("BR/", Action.BREAK),
        ("/br", Action.BREAK),
        ("div class='x'", Action.BLOCK),
        ("/div", Action.END_BLOCK),
        ("svg", Action.DROPPED),
        ("svg/", Action.NOTHING),
        ("p style='display : none'", Action.HIDDEN),
        ("div style='display:none'", Action.HIDDEN_BLOCK),
        ("br style='display:none'", Action.NOTHING),
        ("!-- x --", Action.NOTHING),
        ("!-- EM_StockImg_Start --", Action.CHART),
    ],
)
def test_a_tag_has_its_action(written: str, action: Action) -> None:
    tag = read_tag(written, True)
    assert tag is not None and tag.action is action
    assert read_tag(written, True) == tag  # the tag that was kept


@pytest.mark.parametrize("written", ["", "5%，b", "o:p", "HFO", "script", "!-- a -- b --", 'p class="x', "p 'x'", "/"])
def test_what_is_not_a_tag(written: str) -> None:
    assert read_tag(written, True) is None


def test_unsafe_addresses_are_dropped() -> None:
    assert address("http://a.example/x") == "http://a.example/x"
    for url in (None, "", " \n", "JavaScript:x", "java\x00script:x", "data:,x", "vbscript:x"):
        assert address(url) is None


def test_a_price_chart_in_its_own_form_is_read_as_a_whole() -> None:
    start = CHART.index("<!-- EM_StockImg_Start")
    own = CHART[start : CHART.index("</p><!-- EM_StockImg_End")]
    assert read_own_chart(own) == "106.NIO"
    assert read_own_chart(own + " ") is None and read_own_chart(own.replace("nid=", "n=")) is None
