"""The form of a line."""

from __future__ import annotations

import pytest

from newsdata.parsing.notice_forms import is_advert, is_click, is_title, kind_of, last_group, name_in


@pytest.mark.parametrize(
    ("line", "linked", "kind"),
    [
        ("（责任编辑：甲乙）", False, "editor"),
        ("点击查看行情", True, "click"),
        ("点击查看行情走势的人", False, None),
        ("分享到：微信", False, "share"),
        ("本文不构成投资建议", False, "disclaimer"),
        ("来源：某报", False, "source-line"),
        ("（详见A05版）", False, "related"),
        ("全年订单比去年多两成。", False, None),
        ("（）", False, None),
    ],
)
def test_the_kind_of_a_line(line: str, linked: bool, kind: str | None) -> None:
    assert kind_of(line, linked=linked) == kind


def test_a_link_may_end_in_any_word() -> None:
    assert is_click("点击了解某公司", framed=True)
    assert not is_click("点击了解某公司", framed=False)


def test_an_advert_makes_promises_and_tells_no_news() -> None:
    assert is_advert("新人开户领取专享福利！", linked=False, beside=False)
    assert is_advert("开户有福利", linked=False, beside=True)
    assert not is_advert("开户有福利", linked=False, beside=False)
    assert not is_advert("某券商开户送福利，立即领取！", linked=True, beside=True)


def test_the_publisher_of_a_source_line() -> None:
    assert name_in("（来源：某报 记者 甲乙）") == "某报"
    assert name_in("来源：公司公告") is None
    assert name_in("订单增长") is None


def test_a_title_is_short_and_no_sentence() -> None:
    assert is_title("某公司如何满产？")
    assert not is_title("某公司满产。")
    assert not is_title("长" * 60)


@pytest.mark.parametrize(
    ("line", "start"), [("甲（乙）", 1), ("甲（乙（丙））", 1), ("甲乙）", None), ("甲", None), ("（乙）甲", None)]
)
def test_the_last_group_of_a_line(line: str, start: int | None) -> None:
    assert last_group(line, len(line)) == start
