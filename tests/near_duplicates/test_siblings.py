"""Siblings: what titles tell, and which differences of short texts are those of a form."""

from __future__ import annotations

import numpy as np
import pytest

from newsdata.near_duplicates.shingles import shingle
from newsdata.near_duplicates.siblings import compare_titles, is_filled, is_next
from newsdata.near_duplicates.units import unit_lists


def units(text: str) -> np.ndarray:
    return unit_lists([text], 300).units


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        ("河湾港口恢复装卸", "河湾港口恢复装卸！", 1),
        ("河湾港口恢复装卸", "快讯：河湾港口恢复装卸", 1),
        ("河湾港口恢复装卸", "航线陆续开通", 0),
        ("", "航线陆续开通", 0),
        ("青岚股份：拟回购部分股份", "松陵重工：拟回购部分股份", -1),
        ("Ruby 2.7.0 released", "Ruby 2.7.1 released", -2),
        ("Ruby 2.7.0-rc1 released", "Ruby 2.7.0 released", -2),
        ("评选2020年度人物", "评选2021年度人物", -2),
        ("青岚股份净利1.2亿元", "冷柜龙头业绩同比增35%", 0),
        ("更正公告", "更正公告", 0),
        ("岸边编辑器7.4a发布", "岸边编辑器7.4b发布", -2),
        ("岸边编辑器7.4b公测开始", "岸边编辑器7.4开始", -2),
        ("岸辺エディタ8.1ベータ版を公開", "岸辺エディタ8.1を公開", -2),
        ("岸边编辑器7.4测试版", "岸边编辑器7.4测试版的新闻", 1),
        ("岸边编辑器教程", "岸边编辑器教程 多行同时改动的办法", 0),
        ("岸边教程-04-表格和它的行", "岸边教程-05-图形与颜色", -2),
    ],
)
def test_titles(one: str, two: str, told: int) -> None:
    a, b = units(one), units(two)
    assert compare_titles(a, b, ideographic=True) == told == compare_titles(b, a, ideographic=True)


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        ("Server maintenance", "Server maintenance", 0),
        ("Harbour crane back in service", "Harbour crane back in service", 1),
        ("Shoreline 7.4a is out", "Shoreline 7.4 is out", -2),
        ("Shoreline course part 4, tables", "Shoreline course part 5, drawing and colours", -2),
        ("Shoreline 2.0 bêta disponible", "Shoreline 2.0 disponible", -2),
        ("Reminder: club meeting", "Harbour crane back in service", 0),
    ],
)
def test_titles_of_words(one: str, two: str, told: int) -> None:
    a, b = units(one), units(two)
    assert compare_titles(a, b, ideographic=False) == told == compare_titles(b, a, ideographic=False)


FRAME = "the sailing club meets on {} at 19:30 in the boat house, everybody who likes the sea is welcome to come along"


@pytest.mark.parametrize(
    ("one", "two", "following"),
    [
        (FRAME.format("2031-05-03"), FRAME.format("2031-06-07"), True),
        (FRAME.format("2031-05-03"), FRAME.format("2031-06-07") + " with tea", True),
        (f"2031-05-03 {FRAME}", f"2031-06-07 {FRAME}", True),
        (FRAME.format("2031-05-03"), FRAME.format("2031-05-03"), False),
        (FRAME.format("2031-05-03"), FRAME.format("2031-05-03, a Friday,"), False),
        (FRAME.format("2031-05-03"), FRAME.format("2031-05-03") + ", bring 12 cups, 7 spoons and 3 pots", False),
        (
            FRAME.format("2031-05-03") + " last year 12 boats sailed round the island in a storm",
            FRAME.format("2031-05-03") + " since May 34 children learned to swim in our pool",
            False,
        ),
    ],
)
def test_numbers_of_a_series(one: str, two: str, following: bool) -> None:
    found = shingle([one, two])
    some, more = np.split(found.hashes, found.offsets[1:-1])
    assert is_next(some, more) == following == is_next(more, some)


FLASH = "公司与海外客户签订六台大型吊机的供货合同，交付期至明年三季度，首批设备已经下线"


@pytest.mark.parametrize(
    ("one", "two", "filled"),
    [
        (FLASH, f"财联社三月三日电，{FLASH}（来源：某报）", False),
        (f"财联社三月三日电，{FLASH}", f"本报记者王小明报道：{FLASH}", False),
        (f"青岚股份：{FLASH}", f"松陵重工：{FLASH}", True),
        (f"昨日，青岚股份称，{FLASH}", f"昨日，松陵重工称，{FLASH}", True),
        (f"{FLASH}，金额3.8亿元", f"{FLASH}，金额5.1亿元", True),
        (
            FLASH,
            FLASH.replace("海外", "境外").replace("首批", "第一批").replace("签订", "签署").replace("大型", "巨型"),
            False,
        ),
        (FLASH, FLASH[:20], False),
    ],
)
def test_short_texts(one: str, two: str, filled: bool) -> None:
    assert is_filled(units(one), units(two), 0, ideographic=True) == filled
    assert is_filled(units(two), units(one), 0, ideographic=True) == filled


def test_names_may_differ_where_the_titles_are_the_same_but_numbers_may_not() -> None:
    one, two = units(f"昨日，青岚股份称，{FLASH}"), units(f"昨日，松陵重工称，{FLASH}")
    assert is_filled(one, two, 0, ideographic=True) and not is_filled(one, two, 1, ideographic=True)
    assert is_filled(units(f"{FLASH}共3台已交"), units(f"{FLASH}共4台已交"), 1, ideographic=True)
