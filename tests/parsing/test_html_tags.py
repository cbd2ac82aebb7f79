"""Tags: what a mention or a price chart names, and shortcuts with the same result."""

from __future__ import annotations

import pytest
from turbohtml import Token, tokenize

from newsdata.parsing.html_tags import Action, address, known_tags, read_tag

from .html_bodies import article, later, security


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


def token(written: str) -> Token:
    return next(tokenize(f"<{written}>", capture_source=True))


@pytest.mark.parametrize(
    "url", ["https://i.example/a?x=1&y=2&copy=3", "//i.example/a b", "https://i.example/a ", "https://i.example/a\nb"]
)
def test_the_address_of_an_image(url: str) -> None:
    tag = read_tag(token(f'img src="blank.gif" orginial_src="{url}"'), True)
    assert tag is not None and tag.url == url.replace("\n", "").rstrip()


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
        ("script src='x' style='display:none'", Action.RAW),
        ("/script", Action.RAW),
        ("ruby", Action.RUBY),
        ("/rt", Action.RUBY),
        ("!DOCTYPE html", Action.NOTHING),
        ("?xml x ?", Action.NOTHING),
        ("!-- a -- b --", Action.NOTHING),
        ("p style='display : none'", Action.HIDDEN),
        ("div style='display:none'", Action.HIDDEN_BLOCK),
        ("br style='display:none'", Action.NOTHING),
        ("!-- x --", Action.NOTHING),
        ("!-- EM_StockImg_Start --", Action.CHART),
    ],
)
def test_a_tag_has_its_action(written: str, action: Action) -> None:
    tag = read_tag(token(written), True)
    assert tag is not None and tag.action is action
    assert known_tags(True)[f"<{written}>"] == tag  # it was kept


@pytest.mark.parametrize(
    "written", ["o:p", "HFO", "plaintext", 'p class="x" <b', "p 'x'", "p 且", "b则c", "/某", 'a href="x"y"']
)
def test_what_is_not_a_tag(written: str) -> None:
    assert read_tag(token(written), True) is None


def test_unsafe_addresses_are_dropped() -> None:
    assert address("http://a.example/x") == "http://a.example/x"
    for url in (None, "", " \n", "JavaScript:x", "java\x00script:x", "data:,x", "vbscript:x"):
        assert address(url) is None
