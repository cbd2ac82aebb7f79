"""Bodies of HTML, for the tests of the HTML reader."""

from __future__ import annotations

from newsdata.parsing.body import Body, read_body

URL = "http://finance.example.com/news/1345,202201050000000001.html"
NAV = "[返回东财滚动新闻](//site.example/emnews/)｜[返回首页](//site.example/)"
TAIL = f"\n\n<{URL}>\n\n{NAV}"


def article(html: str) -> Body:
    """A post of the annotated feed around some HTML."""
    return read_body("> 摘要一句。（某日报）\n\n" + html + TAIL, feed="emnews", markup="archive")


def page(html: str) -> Body:
    """A page of another site."""
    return read_body(html, feed="site", markup="html")


def security(code: str, words: str, market: int = 1) -> str:
    quote = f"http://quote.example.com/unify/r/{market}.{code}"
    return (
        f'<span id="stock_{market}.{code}"><a href="{quote}" class="keytip" data-code="{market},{code}">'
        f'{words}</a></span><span id="quote_{market}.{code}"></span>'
    )


def later(code: str, words: str, market: int = 1) -> str:
    quote = f"http://quote.example.com/unify/r/{market}.{code}"
    return f'<span web="1" href="{quote}" class="em_stock_key_common" data-code="{market},{code}">{words}</span>'


CHART = (
    '<p style="display:none;height:1px;overflow:hidden;"><br /></p><!-- EM_StockImg_Start -->'
    '<p style="text-align:center;"><a href="http://quote.example.com/unify/r/106.NIO" data-code="NIO|106|7" '
    'class="EmImageRemark" target="_blank"><img src="https://chart.example.com/GetPic.aspx?nid=106.NIO&imageType=k'
    '&token=28df" border="0" alt="K图 NIO_0" data-code="K NIO|106|7" width="578" /></a></p>'
    "<!-- EM_StockImg_End -->"
)
