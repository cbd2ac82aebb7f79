"""What is moved out of the text, with the spans in what stays, and near misses that must stay."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.parsing.html import Reading
from newsdata.parsing.notices import split_source, take_notices
from newsdata.schema import Link, Mention, Notice, Span

from ..timing import growth

NEWS = "某公司昨日表示，全年订单比去年多两成，工厂已经满产。"
WIDGET = "手机上阅读文章\n提示：\n微信扫一扫\n分享到您的\n朋友圈"

AT_END = {
    "disclaimer": [
        "(声明：本文所述仅供参考，不构成投资建议。投资者据此操作，风险自担。)", "免责声明：本文由某机构提供，不对其准确性作出保证。",
        "郑重声明：本站刊出此文只为传播消息，与本网站立场无关。", "风险提示：股市有风险，投资需谨慎。", "以上内容仅供参考，不构成投资建议。",
        "（本文不构成投资建议，据此操作风险自负）", "股市有风险，入市需谨慎。", "（本文只代表作者个人观点，不代表本报立场）", "未经授权，不得转载。",
        "文中提及个股仅为举例，不作买卖推荐。", "声明：本站文章版权归原作者所有，如有侵权请告知。",
        "免责声明\n本文仅供参考，不构成投资建议。",
    ],
    "editor": [
        "（责任编辑：甲乙）", "责任编辑：DF123", "(责任编辑：甲乙 HN666)", "【责任编辑:甲乙】", "编辑 甲乙 校对 丙丁", "（编辑：甲乙 审核：丙丁 戊己）",
        "责编 | 甲乙", "（责编：欧阳甲乙、丙丁）", "（记者 甲乙 编辑 丙丁）", "（责任编辑：）", "本文来源：某某日报 责任编辑：甲乙_NN1234",
    ],
    "click": [
        "点击查看全文>>", "【点击查看更多行情】", "（点击阅读报告全文）", "阅读全文", "阅读原文 >>", "点击进入专题>>>", "请点击此处查看", "点击下载某某APP，查看更多行情", "更多详情请点击>>",
    ],
    "share": [
        "分享到：微信 微博 QQ空间", "微信扫一扫分享", "扫描二维码关注我们", "长按扫码关注", "扫描下方二维码", "长按识别二维码，关注某某公众号", "扫一扫，分享到微信朋友圈", WIDGET,
        "打开微信，点击底部的“发现”，使用“扫一扫”即可将网页分享至朋友圈。",
    ],
    "advert": ["【炒股开户享福利，送投顾服务体验权，一对一指导！】", "立即下载某某APP，新人专享免费福利，一对一指导！"],
    "related": [
        "相关阅读\n某公司三季度订单创新高\n某公司拟扩产两条产线", "相关报道：\n《某公司扩产》\n某公司高管谈订单", "【相关阅读】\n某公司如何满产？",
        "相关阅读：某公司三季度订单创新高", "更多相关报道\n某公司扩产\n某公司满产", "（相关报道见A05版）",
    ],
    "source-line": ["（来源：某某日报）"],
}  # fmt: skip

NEAR_MISSES = [
    "该公司发布声明：不排除采取法律手段。", "他提醒，市场有风险，投资需谨慎。", "某券商指出，以上不构成投资建议。", "公司称，本报告不构成投资建议。",
    "声明：公司与对方无关联关系。", "本次交易不构成重大资产重组。", "以上数据仅供参考，以年报为准。", "上述经营目标不构成公司对投资者的承诺。",
    "本文件自公布之日起施行，未经批准不得变更。", "市场有风险偏好回升的迹象。", "风险提示：原材料涨价超预期；需求不及预期。",
    "风险提示：价格反复，测算仅供参考。", "编辑：“你为什么写这些？”", "主编：我们办刊的初衷没有变", "责任编辑制度要落实到人。",
    "责任编辑甲乙说，稿件要审三遍。", "（公司编辑部）", "（记者 甲乙）", "记者 甲乙 北京报道", "点击率上升两成。", "点击查看数据的用户增长两成。",
    "点击进入官网的人数创新高", "查看更多城市的房价走势", "更多内容将在年报中披露", "更多新品即将上市", "微信扫码支付用户突破十亿。",
    "扫描二维码查看成绩的考生超过百万。", "扫码下载量增长两成。", "分享到群里的红包超过一亿元。", "打印机销量增长", "开户送福利，券商打响佣金战！",
    "券商推出炒股开户送福利活动，监管要求整改。", "相关链接\n某公司成立于二十年前，主营设备制造。", "相关链接\n注册资本 两千万元\n主营 吊机与港口设备", "相关报道引发市场关注。", "相关新闻发布会将于明日举行",
    "推荐阅读经典著作成为风尚", "相关新闻：某市通报情况，新增两家企业。", "来源：Wind，某某证券研究所", "来源：公司公告", "资金来源：自筹资金。", "（完）",
    "(600123)", "预计净利一亿元（同比增两成）。", "（来源：公司公告）", "页面上有“点击查看”的按钮", "更多详情点击率很高", "更多人点击进入直播间", "编辑：好文章要反复改", "扫描下方道路的雷达", "更多精彩",
    "市场有风险，投资需谨慎，某所昨日发文。", "投资有风险，入市需谨慎，法院在判决中写道。", "本报告不构成投资建议的条款被写入合同。", "风险自担的原则应写入合同，专家建议。",
    "未经授权使用其商标，该公司被判赔两亿。", "风险提示：投资者据此操作，风险自担，公司公告说。", "扫描二维码关注微信公众号即可领取消费券，某市商务局昨日宣布。", "免责声明", "股市有风险，投资需谨慎是常识，业内人士重申。",
]  # fmt: skip


def moved(text: str) -> tuple[str, tuple[Notice, ...]]:
    taken = take_notices(Reading(text=text))
    return taken.reading.text, taken.notices


@pytest.mark.parametrize(("kind", "notice"), [(kind, text) for kind, texts in AT_END.items() for text in texts])
def test_a_notice_at_the_end_is_moved(kind: str, notice: str) -> None:
    text, notices = moved(f"{NEWS}\n{notice}")
    assert text == NEWS
    assert "\n".join(found.text for found in notices) == notice
    assert {found.kind for found in notices} == {kind}


@pytest.mark.parametrize("line", NEAR_MISSES)
def test_what_only_looks_like_a_notice_stays(line: str) -> None:
    for text in (f"{NEWS}\n{line}", f"{NEWS}\n{line}\n{NEWS}", NEWS + line):
        assert moved(text) == (text, ())
    if not line.startswith("来源"):
        assert moved(f"{line}\n{NEWS}") == (f"{line}\n{NEWS}", ())


def test_an_advert_beside_a_call_to_click_goes_with_it() -> None:
    text, notices = moved(f"{NEWS}\n【点击查看更多行情】\n炒股开户享福利，送投顾服务体验权，一对一指导！")
    assert (text, [notice.kind for notice in notices]) == (NEWS, ["click", "advert"])


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("来源：某某日报 记者 甲乙", "某某日报"),
        ("（来源：某某日报）", "某某日报"),
        ("作者：甲乙 来源：某某网", "某某网"),
        ("2022-03-01 10:00 来源：某某网", "某某网"),
        ("来源 | 某某日报", "某某日报"),
        ("来源：某某日报(ID:moumou)", "某某日报"),
        ("来源：某某日报，作者：甲乙", "某某日报"),
        ("文丨甲乙 来源丨某某日报", "某某日报"),
        ("转自：某某日报·某端 2022-03-01", "某某日报·某端"),
    ],
)
def test_a_source_line_at_the_start_names_the_source(line: str, source: str) -> None:
    taken = take_notices(Reading(text=f"{line}\n{NEWS}"))
    assert (taken.reading.text, taken.source) == (NEWS, source)
    assert taken.notices == (Notice("source-line", line),)


@pytest.mark.parametrize(
    "line", ["来源：多位人士证实，某公司将扩产。", "来源多元的资金涌入。", "来源于某省的货物增长两成"]
)
def test_a_sentence_that_begins_with_source_stays(line: str) -> None:
    assert moved(f"{line}\n{NEWS}") == (f"{line}\n{NEWS}", ())


@pytest.mark.parametrize(
    "groups",
    [
        ["（责任编辑：甲乙）"],
        ["（来源：某某日报）", "（编辑 甲乙）"],
        ["（点击查看全文）"],
        ["(声明：本文（含图）不构成投资建议。)"],
    ],
)
def test_groups_behind_the_last_sentence_are_moved(groups: list[str]) -> None:
    text, notices = moved(NEWS + " ".join(groups))
    assert text == NEWS
    assert [notice.text for notice in notices] == groups


def test_a_call_to_click_between_paragraphs_is_moved_if_it_is_a_link_or_in_brackets() -> None:
    text = f"{NEWS}\n【点击查看研报】\n{NEWS}"
    assert moved(text) == (f"{NEWS}\n{NEWS}", (Notice("click", "【点击查看研报】"),))
    text = f"{NEWS}\n点击查看研报\n{NEWS}"
    assert moved(text) == (text, ())
    start = len(NEWS) + 1
    linked = take_notices(Reading(text=text, links=(Link(start, start + 6, "/a"),)))
    assert (linked.reading.text, linked.reading.links) == (f"{NEWS}\n{NEWS}", ())


def test_spans_move_with_the_text_and_those_in_a_notice_go() -> None:
    text = "来源：某报\n订单大增（点击查看全文）\n甲公司大涨。乙\n（责任编辑：丙丁）"

    def mention(start: int, end: int) -> Mention:
        return Mention(start, end, text[start:end], "security", 1, "600001", "XSHG", None)

    reading = Reading(
        text=text,
        headings=(Span(6, 18),),
        mentions=(mention(3, 5), mention(6, 8), mention(19, 22), mention(35, 37)),
        links=(Link(10, 18, "/a"), Link(25, 26, "/b")),
    )
    taken = take_notices(reading)
    assert taken.reading.text == "订单大增\n甲公司大涨。乙"
    assert taken.reading.headings == (Span(0, 4),)
    assert [(m.start, m.end, m.text) for m in taken.reading.mentions] == [(0, 2, "订单"), (5, 8, "甲公司")]
    assert taken.reading.links == (Link(11, 12, "/b"),)


def test_a_text_of_notices_alone_becomes_empty() -> None:
    assert moved("（责任编辑：甲乙）\n阅读全文") == (
        "",
        (Notice("editor", "（责任编辑：甲乙）"), Notice("click", "阅读全文")),
    )
    assert moved("") == ("", ())


def test_a_source_line_may_go_on_in_further_parentheses() -> None:
    assert split_source("某报（海外版）") == ("某报（海外版）", ())
    assert split_source("某报）（原题：甲") == ("某报", (Notice("source-line", "（原题：甲）"),))
    assert split_source("某报） (原题：甲") == ("某报", (Notice("source-line", "(原题：甲)"),))
    assert split_source("某报 责任编辑：DF123") == ("某报", (Notice("editor", "责任编辑：DF123"),))
    assert split_source("某报 编辑部：甲乙丙丁戊己") == ("某报 编辑部：甲乙丙丁戊己", ())
    assert split_source(None) == (None, ())


LINES = [NEWS, "订单大增", *(line for texts in AT_END.values() for line in texts), *NEAR_MISSES[::5]]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=6), st.data())
def test_nothing_is_lost_and_spans_stay_exact(lines: list[str], data: st.DataObject) -> None:
    text = "\n".join(lines)
    spans = []
    at = 0
    for line in text.split("\n"):
        if line and data.draw(st.booleans()):
            start = data.draw(st.integers(0, len(line) - 1))
            spans.append((at + start, at + data.draw(st.integers(start + 1, len(line)))))
        at += len(line) + 1
    reading = Reading(
        text=text,
        headings=tuple(Span(*span) for span in spans),
        mentions=tuple(Mention(a, b, text[a:b], "board", 90, "BK1", None, None) for a, b in spans),
        links=tuple(Link(a, b, text[a:b]) for a, b in spans),
    )
    found, notices, _ = take_notices(reading)
    assert sorted(
        "".join((found.text, *(notice.text for notice in notices))).replace("\n", "").replace(" ", "")
    ) == sorted(text.replace("\n", "").replace(" ", ""))
    assert all(found.text[m.start : m.end] == m.text for m in found.mentions)
    assert all(found.text[link.start : link.end] == link.url for link in found.links)
    assert all(0 <= a < b <= len(found.text) and "\n" not in found.text[a:b] for a, b in found.headings)
    assert "\n\n" not in found.text
    assert found.text == found.text.strip("\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["（责任编辑：甲乙）\n", "（责任编辑：甲乙）", "（" * 7, "）" * 7, "点击", "（点击查看）", "【点击查看】\n", "相关阅读\n", "短题\n", "提示：\n", "来源：", "微信、", "编辑 编辑编辑 " * 12 + "\n"]
)  # fmt: skip
def test_time_is_linear(unit: str) -> None:
    """Four times as much text; if the time were quadratic, it would be sixteen times."""

    def take(times: int) -> None:
        take_notices(Reading(text=(unit * times).strip("\n")))

    assert growth(take, 20_000, 80_000, limit=10) < 10
