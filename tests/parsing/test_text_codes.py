"""Codes of securities in the text: what is one, what is none, where each stands, and which exchange it is of."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.parsing.text_codes import exchange_of_mention, read_text_codes
from newsdata.schema import TextCode


def found(text: str) -> list[tuple[str, str, str | None]]:
    """Words, code and exchange of each code, after its place was checked."""
    codes = read_text_codes(text)
    assert all(text[code.start : code.end] == code.text and code.code in code.text for code in codes)
    assert all(one.end <= other.start for one, other in pairwise(codes))
    return [(code.text, code.code, code.exchange) for code in codes]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("某光(002456)表示", [("002456", "002456", "XSHE")]),
        ("某城（601633.SH）与(03301.HK)", [("601633.SH", "601633", "XSHG"), ("03301.HK", "03301", "XHKG")]),
        (
            "某星(600519，前收盘1800)和（000001.sz/00700.HK）",
            [("600519", "600519", "XSHG"), ("000001.sz", "000001", "XSHE"), ("00700.HK", "00700", "XHKG")],
        ),
        ("某丁(NASDAQ: PDD)、(SH600000)", [("NASDAQ: PDD", "PDD", "XNAS"), ("SH600000", "600000", "XSHG")]),
        ("（NYSE: BABA；HKEX: 9988）", [("NYSE: BABA", "BABA", "XNYS"), ("HKEX: 9988", "9988", "XHKG")]),
        ("（纽交所：BRK.A）(NIO.N)(PDD.O)", [("纽交所：BRK.A", "BRK.A", "XNYS"), ("NIO.N", "NIO", "XNYS"), ("PDD.O", "PDD", "XNAS")]),
        ("(BABA.US)(000001.OF)", [("BABA.US", "BABA", None), ("000001.OF", "000001", None)]),
        ("某丙(830799)、(920002)、(430047)、(830799.BJ)", [("830799", "830799", None), ("920002", "920002", None), ("430047", "430047", None), ("830799.BJ", "830799", "BJSE")]),
        ("某投资(600784)人事变动、某股份(600519)元旦前、某股份(000001)股价、鲁某(600001)年报", [("600784", "600784", "XSHG"), ("600519", "600519", "XSHG"), ("000001", "000001", "XSHE"), ("600001", "600001", "XSHG")]),
        ("(510300.SH)", [("510300.SH", "510300", "XSHG")]),
        ("（*ST某康：600518）、(ST某安600654)、(*ST某 000001)", [("600518", "600518", "XSHG"), ("600654", "600654", "XSHG"), ("000001", "000001", "XSHE")]),
        ("*ST某康（600518）、神州数码(000034)、某某设计(603017)", [("600518", "600518", "XSHG"), ("000034", "000034", "XSHE"), ("603017", "603017", "XSHG")]),
        ("（A股：601318；H股：02318）(A股601318、H股 02318)", [("601318", "601318", "XSHG"), ("02318", "02318", "XHKG")] * 2),
        ("（港股00700）（H股：0857）（SH：600519）(HKG: 0700)", [("00700", "00700", "XHKG"), ("0857", "0857", "XHKG"), ("SH：600519", "600519", "XSHG"), ("HKG: 0700", "0700", "XHKG")]),
    ],
)  # fmt: skip
def test_codes_in_parentheses(text: str, codes: list[tuple[str, str, str | None]]) -> None:
    assert found(text) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A股代码：601318，H股代码：02318", [("601318", "601318", "XSHG"), ("02318", "02318", "XHKG")]),
        ("某公司股票代码：02318。", [("02318", "02318", "XHKG")]),
        ("（证券代码：600519 证券简称：某台）", [("600519", "600519", "XSHG")]),
        ("证券代码：000001、200002；900901", [("000001", "000001", "XSHE"), ("200002", "200002", "XSHE"), ("900901", "900901", "XSHG")]),
        ("H股代码 2318，股票代码为600519", [("2318", "2318", "XHKG"), ("600519", "600519", "XSHG")]),
        ("基金代码：000001，转债代码：113050", [("000001", "000001", None), ("113050", "113050", "XSHG")]),
        ("美股代码：BABA，股票代码：601633.SH/02333.HK", [("BABA", "BABA", None), ("601633.SH", "601633", "XSHG"), ("02333.HK", "02333", "XHKG")]),
        ("A 股代码：601318，H 股代码：02318，股份代号：700", [("601318", "601318", "XSHG"), ("02318", "02318", "XHKG"), ("700", "700", "XHKG")]),
        ("(股票代码：688981)", [("688981", "688981", "XSHG")]),
        ("组织机构代码：123456，邮政代码：100031，源代码：600000", []),
        ("股票代码：2022年公布", []),
    ],
)  # fmt: skip
def test_codes_behind_a_word_for_them(text: str, codes: list[tuple[str, str, str | None]]) -> None:
    assert found(text) == codes


@pytest.mark.parametrize(
    "text",
    [
        "(2021)、(202112)、(20211208)、(123456)、(1234567)、(02112345678)、(12-08)",
        "(HUD)、(A股)、(较前日高17%)、(3.2亿元)、(510300)、(U.S.)、(00700)、(8035)",
        "002456、601633.SH 不在括号里",
        "(002456没有结束",
        "电话(600123)、金额(300000)、热线(000123)、约(300000元)、合计(600000)、共(835000)人、编号(301000)",
        "(688000平方米)、(601000万元)、(000001-000100)、(2022-300001)、(400-600-1234)、(010-68001234)",
        "(热线 000123、000456)、（客服热线： 600123）、（邮编：430000）、(邮编 430000)",
        "（港股2022）、（A股2022）、（H股00700万股）、（A股600123万股）、证券代码：12、股票代码：3个，A股代码：5",
        "订单数（300100）、总额 (300000)、票价（000100）、共计（603000）",
        "金额为（300000）、合计达(600000)、浏览（300100）次",
        "某市 (600000)平方米、投入（300000）万元、来了（002000）人。",
    ],
)
def test_what_is_no_code(text: str) -> None:
    assert found(text) == []


def test_a_code_is_found_each_time() -> None:
    assert [code[:2] for code in read_text_codes("某甲(002456)又（002456）")] == [(3, 9), (12, 18)]
    assert read_text_codes("（股票代码：600519）") == (TextCode(6, 12, "600519", "600519", "XSHG"),)


@given(st.lists(st.sampled_from(["(", "（", ")", "）", "600519", ".SH", "HK", "NYSE: ", "BABA", "股票代码：", "、", " ", "*ST", "𠮷", "热线", "甲", "1"]), max_size=30).map("".join))  # fmt: skip
def test_places_are_exact_in_any_text(text: str) -> None:
    found(text)


@pytest.mark.parametrize(
    "piece", ["(", "(600519", "（6005190", "(HK:", "S*ST", "股票代码：", "股票代码：600519、", f"({'ST' * 29})"]
)
def test_the_time_is_linear(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    begun = time.process_time()
    read_text_codes(text)
    assert time.process_time() - begun < 5


def test_the_exchange_of_a_mention() -> None:
    known = [
        (0, "000858"),
        (0, "399001"),
        (0, "430047"),
        (0, "830799"),
        (0, "920002"),
        (1, "600519"),
        (116, "00700"),
        (150, "0"),
    ]
    assert [exchange_of_mention(*one) for one in known] == ["XSHE", "XSHE", None, None, None, "XSHG", "XHKG", None]
