"""Find the codes of securities that are written in the text of the archive's own feeds, each time that they stand there.

What is a code:

- In parentheses: six digits that a mainland A share can have (Shanghai 600, 601, 603, 605, 688, 689; Shenzhen 000-003,
  300-302; Beijing 43, 83, 87, 92), also behind a name such as `*ST…`; any six digits with their exchange (`510300.SH`,
  `SZ000001`); Hong Kong codes (`03301.HK`); tickers with their market (`BABA.US`, `NYSE: BABA`); `A股：601318；H股：02318`. One pair of parentheses may
  hold several, between commas and the like.
- Anywhere: what stands behind a word for it (`股票代码：02318`, `A股代码：601318，H股代码：02318`).

Six digits alone are no code where the word before them names something else that is counted or numbered (`热线`, `金额`,
`合计`, `共`). Years, dates, sums and telephone numbers are no codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..schema import MICS, TextCode

__all__ = ["exchange_of_mention", "read_text_codes"]

_MICS = {
    "SH": "XSHG", "SS": "XSHG", "SSE": "XSHG", "上交所": "XSHG",
    "SZ": "XSHE", "SZSE": "XSHE", "深交所": "XSHE",
    "BJ": "BJSE", "BSE": "BJSE", "北交所": "BJSE",
    "HK": "XHKG", "HKG": "XHKG", "HKEX": "XHKG", "SEHK": "XHKG", "港交所": "XHKG", "联交所": "XHKG",
    "N": "XNYS", "NYSE": "XNYS", "纽交所": "XNYS",
    "O": "XNAS", "OQ": "XNAS", "NASDAQ": "XNAS", "纳斯达克": "XNAS",
    "AMEX": "XASE",
}  # fmt: skip
"""The exchange as it is written beside a code -> its code of ISO 10383. `US` and `OF` (funds) name none."""

_A_SHARE = "(?:60[0135]|68[89]|00[0-3]|30[0-2]|43[0-9]|8[37][0-9]|92[0-9])[0-9]{3}"
_WITH_EXCHANGE = r"""
    (?P<number>[0-9]{6})\.(?P<after>(?i:SH|SS|SZ|BJ|OF))
  | (?P<before>(?i:SH|SZ|BJ))[.:：]?(?P<number_2>[0-9]{6})
  | (?P<number_3>[0-9]{4,5})\.(?P<after_3>(?i:HK)) | (?P<before_4>(?i:HK))[.:：]?(?P<number_4>[0-9]{4,5})
  | (?P<ticker>[A-Z]{1,5}(?:[._][AB])?)\.(?P<after_5>US|N|O|OQ)
  | (?P<market>(?i:NASDAQ|NYSE|AMEX|HKEX|HKG|SEHK|SSE|SZSE|BSE)|纳斯达克|纽交所|港交所|联交所|上交所|深交所|北交所)
    \s{0,3}[：:]\s{0,3}(?P<listed>[A-Z0-9.]{1,6})"""
_SEPARATORS = r",，、;；/|\s"
_NAME = r"S?\*?ST[\u4e00-\u9fffA-Za-z]{0,6}[：:]?|[AＡ]\s?股\s{0,3}[：:]?\s{0,3}"
_HONG_KONG = r"(?:[HＨ]\s?股|港股)\s{0,3}(?:[：:]\s{0,3}(?P<short>[0-9]{4})|[：:]?\s{0,3}(?P<long>0[0-9]{4}))"

_GROUP = re.compile(r"[（(]([^（）()]{1,60})[)）]")
_MAY_HOLD_CODE = re.compile(r"[0-9]{4}|[A-Z]\.[NOU]|[A-Za-z克所][：:]")
_IN_GROUP = re.compile(
    rf"(?<![^（({_SEPARATORS}])(?:(?:{_NAME})?(?P<all>{_WITH_EXCHANGE}|(?P<bare>{_A_SHARE}))|{_HONG_KONG})(?![^）){_SEPARATORS}])",
    re.VERBOSE,
)
_LABEL = re.compile(
    r"(?:(?P<kind>[ABHＡＢＨ]\s?股|港股|美股|股票|证券|股份|上市|交易|基金|转债|债券)(?:股票|证券|股份|交易|上市)?|(?<![\u4e00-\u9fff]))"
    r"(?:代码|代号)(?:分别)?(?:为|是)?\s{0,3}[：:]?\s{0,3}(?=[0-9A-Z])"
)
_LABEL_BEGINS = 5  # characters before 代码, at most
_LABELLED = re.compile(
    rf"(?P<all>{_WITH_EXCHANGE}|(?P<bare>[0-9]{{1,6}}|[A-Z]{{1,5}}))(?![0-9A-Za-z.]|\s?[年月万亿元%])", re.VERBOSE
)
_NEXT = re.compile(r"\s{0,3}[,，、;；/|和及]\s{0,3}(?=[0-9A-Z])")
_LISTED = 10  # codes behind one label

_NO_CODE = re.compile(
    r"(?:电话|热线|专线|传真|手机|座机|邮编|QQ|微信|[号编密条证]码|[^\W\d]号|日期|时间|年份|[^\W\d]额|[^\W\d]数|[产销总数流存]量"
    r"|[^\W\d]价|[^\W\d]费|[^\W\d][款]|[奖资现罚本租定]金|收入|营收|利润|净利|支出|成本|负债|市值|票房|面积|人口|里程|库存|订单"
    r"|[合总共小累统]计|浏览|阅读|点击|转发|播放|评论|下载|达到|超过|多达|不足|不到)[为是达共约近]?[（(\s：:]*$"
    r"|[共约逾仅是][（(\s：:]*$"
)
_UNIT = re.compile(
    r"[)）]\s?(?:平方|公里|万元|亿元|美元|港元|欧元|人次|吨|千瓦|兆瓦|亩|[人元户票次][，。；、]?$|[人元户票次][，。；、])"
)
_LOOK_BACK = 12  # characters before a code in which such a word is looked for
_LOOSE_LABEL = re.compile(r"[：:]\s+$")


def read_text_codes(text: str) -> tuple[TextCode, ...]:
    """The codes in a text, each time that one stands there, in text order. Linear time.

    >>> [code[2:] for code in read_text_codes("甲（601633.SH）与乙(002456)；热线(000123)")]
    [('601633.SH', '601633', 'XSHG'), ('002456', '002456', 'XSHE')]
    >>> [code[2:] for code in read_text_codes("丙A股代码：601318，H股代码：02318")]
    [('601318', '601318', 'XSHG'), ('02318', '02318', 'XHKG')]
    """
    found: dict[int, TextCode] = {}  # by where it ends: a labelled code in parentheses is found twice
    if "代码" in text or "代号" in text:
        for code in _labelled(text):
            found[code.end] = code
    if "(" in text or "（" in text:
        for group in _GROUP.finditer(text):
            if _MAY_HOLD_CODE.search(group[1]):
                for code in _in_group(text, *group.span()):
                    found.setdefault(code.end, code)
    return tuple(sorted(found.values())) if found else ()


def exchange_of_mention(market: int, code: str) -> str | None:
    """The exchange of a code in one of the archive's markets: its code of ISO 10383, None where it is not known.

    Market 0 is Shenzhen, and also Beijing and the third board, whose codes begin with 4, 8 or 92.

    >>> exchange_of_mention(0, "000858"), exchange_of_mention(0, "830799"), exchange_of_mention(150, "000001")
    ('XSHE', None, None)
    """
    return None if market == 0 and code.startswith(("4", "8", "92")) else MICS.get(market)


def _in_group(text: str, begin: int, end: int) -> Iterator[TextCode]:
    """The codes between the parentheses at `begin` and before `end`."""
    refused = False
    for match in _IN_GROUP.finditer(text, begin, end):
        if (listed := "short" if match["short"] else "long" if match["long"] else "") != "":
            yield TextCode(match.start(listed), match.end(listed), match[listed], match[listed], "XHKG")
        elif match["bare"] is None:
            yield _with_exchange(match)
        elif match.start() == match.start("bare"):  # no name in front of it
            before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
            refused = refused or bool(_NO_CODE.search(before) or _LOOSE_LABEL.search(before))
            if not refused and not _UNIT.match(text, match.end()):
                yield _bare(match, _exchange_of(match["bare"]))
        else:
            yield _bare(match, _exchange_of(match["bare"]))


def _labelled(text: str) -> Iterator[TextCode]:
    """The codes behind words such as 股票代码, one or several."""
    for label in _labels(text):
        kind, at = re.sub(r"\s", "", label["kind"] or ""), label.end()
        for _ in range(_LISTED):
            match = _LABELLED.match(text, at)
            if match is None:
                break
            if match["bare"] is None:
                yield _with_exchange(match)
            elif _fits(kind, match["bare"]):
                yield _bare(match, _exchange_behind(kind, match["bare"]))
            else:
                break
            following = _NEXT.match(text, match.end())
            if following is None:
                break
            at = following.end()


def _labels(text: str) -> Iterator[re.Match[str]]:
    """The words for a code, in text order. Only where 代 stands the expression is tried: that is ten times as fast."""
    at = text.find("代")
    while at >= 0:
        for begin in range(max(0, at - _LABEL_BEGINS), at + 1):
            label = _LABEL.match(text, begin)
            if label is not None:
                yield label
                break
        at = text.find("代", at + 1)


def _fits(kind: str, code: str) -> bool:
    """Whether a code without its exchange can be what a label says."""
    if not code.isdecimal():
        return kind not in ("A股", "Ａ股", "B股", "Ｂ股", "H股", "Ｈ股", "港股", "基金", "转债", "债券")
    if kind in ("H股", "Ｈ股", "港股", "股份"):
        return len(code) <= 5 or (len(code) == 6 and kind == "股份")
    return len(code) == 6 or (4 <= len(code) <= 5 and kind in ("股票", "证券", "上市", "交易"))


def _exchange_behind(kind: str, code: str) -> str | None:
    """The exchange of a code behind a label."""
    if code.isdecimal() and len(code) <= 5 and (len(code) == 5 or kind in ("H股", "Ｈ股", "港股", "股份")):
        return "XHKG"
    return _exchange_of(code) if len(code) == 6 and kind != "基金" else None


def _exchange_of(code: str) -> str | None:
    """The exchange of six digits, by their range; None where it does not tell, as for Beijing and the third board."""
    if code.startswith(("60", "68", "900", "51", "56", "58", "11")):
        return "XSHG"
    return "XSHE" if code.startswith(("00", "30", "200", "15", "12")) else None


def _bare(match: re.Match[str], exchange: str | None) -> TextCode:
    return TextCode(match.start("bare"), match.end("bare"), match["bare"], match["bare"], exchange)


def _with_exchange(match: re.Match[str]) -> TextCode:
    """The code of a match of `_WITH_EXCHANGE`: of its groups, two have matched, the code and the exchange."""
    numbers = (
        match["number"],
        match["number_2"],
        match["number_3"],
        match["number_4"],
        match["ticker"],
        match["listed"],
    )
    names = (match["after"], match["before"], match["after_3"], match["before_4"], match["after_5"], match["market"])
    code = next(filter(None, numbers)).rstrip(".") or match["all"]
    exchange = next(filter(None, names))
    return TextCode(*match.span("all"), match["all"], code, _MICS.get(exchange.upper()))
