"""Measure how well near-copies are found: copies with known edits are planted among siblings from the same template.

``python scripts/quality.py --size 5000 wire flashes`` prints a table by style; scripts/benchmark.py calls `measure()`. The
sets differ in style, so that a rule that fits only one of them shows: long articles, flashes, articles made from few sentence
frames, an archive of three days, English briefs, a Markdown site, and stories that are reprinted up to eighty times.

``python scripts/quality.py --kinds --size 60 han latin`` prints precision and recall by kind, for each script: 60 cases of
each kind of `quality_kinds`. ``--json`` prints the same as JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate, combinations
from pathlib import Path

import opencc
import pyarrow as pa
from quality_kinds import SCRIPTS, tell

from newsdata.near_duplicates.boilerplate import find_boilerplate
from newsdata.near_duplicates.clusters import assign
from newsdata.near_duplicates.pairs import match
from newsdata.near_duplicates.signatures import Words, sign, write_signatures

__all__ = ["STYLES", "Planted", "measure", "measure_kinds", "plant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One made article.

    Attributes:
        article_id: unique, and random.
        text: paragraphs joined by a line feed.
        day: days since 1970.
        group: articles with the same number are copies of each other.
        family: the template that it was made from, or "".
        edit: what was done to the original; "" for an original.
        change: the share of its paragraphs or sentences that were cut or replaced, from 0 to 1.
    """

    article_id: str
    text: str
    day: int
    group: int
    family: str
    edit: str
    change: float


# ------------------------------------------------------------------------------------------ vocabularies

_SYLLABLES = (
    "华中东方信安金海天科新国长江南北恒达瑞康泰盛润丰源宏远创智联通航电力材化生物能光明星云图腾龙凤嘉和美德仁善福禄"
)
_COMMON = """
公司 市场 行业 经济 发展 企业 项目 产品 技术 投资 资金 政策 增长 下降 预计 目前 未来 持续 推动 提升
需求 供给 价格 成本 利润 业务 客户 合作 战略 平台 数据 服务 管理 改革 创新 风险 监管 机构 银行 基金
证券 债券 股票 期货 汇率 利率 通胀 就业 消费 出口 进口 贸易 制造 能源 电力 汽车 芯片 医药 地产 农业
物流 教育 旅游 环保 城市 农村 区域 国际 全球 美国 欧洲 亚洲 会议 报告 调研 专家 分析 认为 指出 表示
强调 介绍 透露 此外 同时 其中 因此 但是 由于 随着 通过 对于 关于 以及 进一步 积极 稳定 有效 重要
主要 明显 显著 快速 合理 全面 深入 加快 完善 优化 扩大 支持 促进 保障 落实 实施 建设 开展 参与 完成
""".split()  # noqa: SIM905
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_ENGLISH = """
the of and to in a is that for on with as by from at it are was be this which or an has have not
were their they but can more will new one all its been also into other than our when time some use
data user code release team project version build test server client page file system support change
update feature issue community work people year day first last report market price company growth
rate bank trade energy policy government industry global local research model design
""".split()  # noqa: SIM905


class _Words:
    """A vocabulary in which few words are frequent, as in natural languages."""

    def __init__(self, rng: random.Random, chinese: bool, size: int = 6000) -> None:
        common = _COMMON if chinese else _ENGLISH
        made: dict[str, None] = dict.fromkeys(common)
        while len(made) < size:
            made[_ideographs(rng, rng.choice((1, 2, 2, 2, 3))) if chinese else _english_word(rng)] = None
        self.words = list(made)
        self.weights = list(accumulate(1 / (rank + 8) for rank in range(size)))
        self.chinese = chinese

    def sentence(self, rng: random.Random) -> str:
        words = rng.choices(self.words, cum_weights=self.weights, k=rng.randint(7, 18))
        if rng.random() < 0.35:
            words.insert(rng.randrange(len(words)), _amount(rng) if self.chinese else f"{rng.uniform(1, 900):.1f}")
        if not self.chinese:
            return " ".join(words).capitalize() + "."
        comma = rng.randrange(3, len(words))
        return "".join(words[:comma]) + "，" + "".join(words[comma:]) + "。"

    def paragraph(self, rng: random.Random) -> str:
        return ("" if self.chinese else " ").join(self.sentence(rng) for _ in range(rng.randint(2, 5)))


def _ideographs(rng: random.Random, length: int) -> str:
    return "".join(chr(rng.randint(0x4E00, 0x6FFF)) for _ in range(length))


def _english_word(rng: random.Random) -> str:
    return "".join(rng.choice("bcdfghklmnprstvw") + rng.choice("aeiou") for _ in range(rng.randint(2, 4)))


def _company(rng: random.Random) -> str:
    return "".join(rng.sample(_SYLLABLES, 2)) + rng.choice(("股份", "科技", "集团", "电子", "医药", "能源"))


def _code(rng: random.Random) -> str:
    return rng.choice(("600", "601", "000", "002", "300", "688")) + f"{rng.randrange(1000):03d}"


def _amount(rng: random.Random) -> str:
    return rng.choice(
        (f"{rng.uniform(0.1, 99):.2f}亿元", f"{rng.uniform(1, 9999):.0f}万元", f"{rng.uniform(0, 40):.2f}%")
    )


def _date(day: int) -> str:
    return f"{day % 12 + 1}月{day % 28 + 1}日"


# --------------------------------------------------------------------------------------------- templates

_FAMILIES: dict[str, str] = {
    "margin": "{n}（{c}）{d}融资买入额{a}，融资偿还额{a}，融资净买入{a}，融资余额{a}，占流通市值的"
    "{p}%，超过近一年{i}%分位水平。融券方面，当日融券卖出{i}股，融券余额{a}。",
    "fund": "{d}，{n}精选混合型证券投资基金（{c}）最新单位净值为{f}，累计净值为{f}，较前一交易日"
    "上涨{p}%。该基金近一个月收益率为{p}%，同类排名{i}|{i}。",
    "meeting": "{n}（{c}）{d}公告，公司将于{i}号会议室召开年度股东大会，审议董事会工作报告、监事会工"
    "作报告、年度财务决算报告、利润分配预案及续聘会计师事务所等议案。"
    "本次股东大会采用现场表决与网络投票相结合的方式，网络投票时间为9:15-15:00。股权登记日"
    "收市后登记在册的全体股东均有权出席。会务联系电话：{t}，联系人：{s}。",
    "block": "{d}，{n}发生一笔大宗交易，成交量{i}万股，成交金额{a}，成交价{f}元，相对当日收盘价折"
    "价{p}%。买方营业部为机构专用。",
    "pledge": "{n}（{c}）发布公告，控股股东{s}将其所持有的公司{i}万股股份办理质押，占其所持股份的"
    "{p}%，占公司总股本的{p}%。质押用途为自身资金需求。截至公告日，累计质押{i}万股。",
    "limit": "{n}今日涨停，换手率{p}%，成交额{a}。龙虎榜数据显示，机构净买入{a}。",
    "profit": "{n}（{c}）{d}晚间披露业绩预告，预计上半年实现归属于上市公司股东的净利润{a}至{a}，同"
    "比增长{p}%至{p}%。业绩变动主要原因是报告期内公司主营业务收入增长，毛利率提升，期间费"
    "用得到有效控制。",
    "rating": "{s}证券给予{n}买入评级，目标价{f}元。预计公司未来三年每股收益分别为{f}元、{f}元、{f}"
    "元，对应市盈率{p}倍、{p}倍、{p}倍。风险提示：宏观经济波动，行业竞争加剧，原材料价格"
    "上涨。",
    "dividend": "{n}公告，每10股派发现金红利{f}元（含税），共计派发{a}，股权登记日为{d}。",
    "resign": "{n}公告，公司董事会近日收到董事{s}先生提交的书面辞职报告，{s}先生因个人原因申请辞去"
    "公司董事职务，辞职后将不再担任公司任何职务。公司对{s}先生在任职期间为公司发展所做的"
    "贡献表示衷心感谢。",
    "table": "{n}\n开盘\t{f}\t收盘\t{f}\n最高\t{f}\t最低\t{f}\n成交量\t{i}\t成交额\t{a}\n市盈率\t"
    "{p}\t市净率\t{p}\n五日均线\t{f}\t十日均线\t{f}\n二十日均线\t{f}\t六十日均线\t{f}",
    "fx": "中国外汇交易中心公布，{d}人民币汇率中间价为1美元对人民币{f}元，1欧元对人民币{f}元，1"
    "00日元对人民币{f}元，1港元对人民币{f}元，1英镑对人民币{f}元。",
    "notice": "证券代码：{c}　证券简称：{n}　公告编号：2022-{i}\n{n}股份有限公司关于使用部分闲置募"
    "集资金进行现金管理的进展公告\n"
    "本公司董事会及全体董事保证公告内容不存在虚假记载、误导性陈述或者重大遗漏，并对其内容"
    "的真实性、准确性和完整性承担个别及连带责任。\n"
    "公司于近日召开董事会会议和监事会会议，审议通过了《关于使用部分闲置募集资金进行现金管"
    "理的议案》，同意公司在不影响募集资金投资项目正常进行的前提下，使用额度不超过{a}的闲"
    "置募集资金进行现金管理，有效期为12个月，在上述额度内资金可滚动使用。\n"
    "近日，公司向{s}银行购买了结构性存款产品，金额{a}，期限{i}天，预期年化收益率{p}%。公"
    "司与上述受托方不存在关联关系。\n"
    "公司将严格按照相关规定控制风险，财务部门将及时分析和跟踪产品投向，独立董事、监事会有"
    "权对资金使用情况进行监督与检查。备查文件：1、产品说明书；2、回单。",
    "ann_en": "{N} Corp ({T}) reported quarterly revenue of {f} million dollars, compared with {f} "
    "million dollars a year earlier. Earnings per share came to {f}, against the {f} that"
    " analysts had expected. Shares closed at {f}, up {p} percent.",
    "nav_en": "{N} Global Equity Fund announced a net asset value per share of {f} as of the close "
    "of business, a change of {p} percent from the previous valuation. Total net assets s"
    "tood at {f} million.",
    "rel_en": "Version {i}.{i}.{i} of {N} has been released. It fixes {i} issues and brings {i} new"
    " features. Download it from the usual place, read the changelog, and report problems"
    " in the issue tracker. Thanks to everyone who contributed to this release.",
}


def _fill(frame: str, rng: random.Random, day: int) -> str:
    """A template with its slots filled: names stay the same within a text, numbers do not."""
    named = {"n": _company(rng), "c": _code(rng), "d": _date(day), "N": _english_word(rng).capitalize()}
    named["s"] = rng.choice(_SURNAMES) + _ideographs(rng, 2)
    named["T"] = "".join(rng.choices("ABCDEFGHKLMNPRSTVXYZ", k=4))
    named["t"] = f"0{rng.randint(10, 99)}-{rng.randint(20000000, 89999999)}"
    return re.sub(r"\{(.)\}", lambda slot: named.get(slot[1]) or _fresh_value(slot[1], rng), frame)


def _fresh_value(slot: str, rng: random.Random) -> str:
    """An amount, an integer, a price or a percentage: a new one for each slot."""
    if slot == "a":
        return _amount(rng)
    if slot == "i":
        return str(rng.randint(1, 3000))
    return f"{rng.uniform(0.5, 90):.4f}" if slot == "f" else f"{rng.uniform(0, 60):.2f}"


# --------------------------------------------------------------------------------------------- originals

_FRAMES = (
    "{n}发布公告称，报告期内公司实现营业收入{a}，同比增长{p}%。",
    "业内人士认为，{n}所处行业景气度持续回升，未来成长空间值得期待。",
    "数据显示，今年前{i}个月，全国相关产品产量达到{i}万吨，同比增长{p}%。",
    "{s}在接受记者采访时表示，公司将继续加大研发投入，提升核心竞争力。",
    "截至收盘，{n}报{f}元，涨幅{p}%，成交额{a}。",
    "分析人士指出，在政策支持下，市场信心有望进一步恢复。",
    "根据规划，该项目总投资{a}，建成后预计年产值可达{a}。",
    "{n}相关负责人告诉记者，目前生产经营一切正常，订单饱满。",
    "从行业来看，{w}板块表现活跃，{w}板块跌幅居前。",
    "值得注意的是，{w}与{w}之间的合作正在加深，涉及{w}等多个领域。",
    "北向资金全天净流入{a}，其中沪股通净流入{a}。",
    "{s}认为，{w}的变化对{w}影响有限，投资者应保持理性。",
    "公开资料显示，{n}成立于{i}年前，主要从事{w}的研发、生产和销售。",
    "与此同时，{w}需求回暖，带动{w}价格上涨{p}%。",
    "机构调研显示，{n}近一周获得{i}家机构调研，关注点集中在{w}。",
    "此前，{n}曾因{w}问题收到交易所问询函，公司回复称不存在应披露而未披露事项。",
)


def _framed(rng: random.Random, words: _Words, day: int) -> str:
    name = _company(rng)
    paragraphs = []
    for _ in range(rng.randint(4, 9)):
        sentences = []
        for frame in rng.sample(_FRAMES, rng.randint(2, 4)):
            while "{w}" in frame:
                frame = frame.replace("{w}", "".join(rng.choices(words.words[100:], k=2)), 1)
            sentences.append(_fill(frame.replace("{n}", name), rng, day))
        paragraphs.append("".join(sentences))
    return "\n".join(paragraphs)


def _brief(rng: random.Random, words: _Words, day: int) -> str:
    return " ".join(words.sentence(rng) for _ in range(rng.randint(1, 3)))


def _wire(rng: random.Random, words: _Words, day: int) -> str:
    return "\n".join(words.paragraph(rng) for _ in range(rng.randint(4, 16)))


def _flash(rng: random.Random, words: _Words, day: int) -> str:
    text = f"{_company(rng)}：" if rng.random() < 0.5 else ""
    while len(text) < rng.randint(40, 110):
        text += words.sentence(rng)
    return text


def _markdown(rng: random.Random, words: _Words, day: int) -> str:
    parts = []
    for _ in range(rng.randint(3, 10)):
        kind = rng.random()
        if kind < 0.15:
            parts.append("## " + " ".join(rng.choices(words.words, cum_weights=words.weights, k=4)))
        elif kind < 0.3:
            parts.append("\n".join("* " + words.sentence(rng) for _ in range(4)))
        else:
            parts.append(words.paragraph(rng))
    return "\n\n".join(parts)


# ------------------------------------------------------------------------------------------------ copies


@lru_cache(maxsize=4)
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)


def _cut(paragraphs: list[str], share: float, rng: random.Random) -> list[str]:
    gone = set(rng.sample(range(len(paragraphs)), min(len(paragraphs) - 1, round(share * len(paragraphs)))))
    return [part for i, part in enumerate(paragraphs) if i not in gone]


def _copy(text: str, rng: random.Random, fresh: Callable[[], str], chinese: bool) -> tuple[str, str, float]:
    """A copy of `text`, the edit that was made, and the share of the text that was changed."""
    paragraphs = text.split("\n")
    long = len(paragraphs) > 3
    edit = rng.choice(
        ("credit", "cut", "replace", "reorder", "sentences", "variant") if long else ("credit", "credit", "variant")
    )
    change = 0.0
    if edit in ("cut", "replace"):
        change = rng.choice((0.05, 0.1, 0.2, 0.3, 0.4))
        if edit == "cut":
            paragraphs = _cut(paragraphs, change, rng)
        else:
            for i in rng.sample(range(len(paragraphs)), round(change * len(paragraphs))):
                paragraphs[i] = fresh()
    elif edit == "reorder":
        rng.shuffle(paragraphs)
    elif edit == "sentences":
        change = rng.choice((0.1, 0.2))
        stop = "。" if chinese else ". "
        for i, part in enumerate(paragraphs):
            sentences = part.split(stop)
            for j in range(len(sentences) - 1):
                if rng.random() < change:
                    sentences[j] = fresh().split(stop)[0]
            paragraphs[i] = stop.join(sentences)
    elif edit == "variant" and chinese:
        joined = "\n".join(paragraphs)
        if rng.random() < 0.6:
            joined = _converter(rng.choice(("s2t", "s2tw", "s2hk"))).convert(joined)
        if rng.random() < 0.6:
            joined = joined.translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)})
        paragraphs = joined.split("\n")
    if rng.random() < 0.6:
        name = rng.choice(_SURNAMES) + _ideographs(rng, 2)
        lead = rng.choice(
            (
                f"本报记者{name}报道，",
                f"财联社{rng.randint(1, 12)}月{rng.randint(1, 28)}日电，",
                "【快讯】",
                f"{name}综合消息：",
            )
        )
        paragraphs[0] = (lead if chinese else f"By {_english_word(rng).capitalize()} Staff: ") + paragraphs[0]
    if rng.random() < 0.5:
        paragraphs.append(
            rng.choice(
                (
                    "（文章来源：证券时报网）",
                    "（责任编辑：DF" + str(rng.randint(100, 999)) + "）",
                    "免责声明：本文不构成投资建议。",
                )
            )
            if chinese
            else "Reprinted with permission."
        )
    return "\n".join(paragraphs), edit, change


def _long_lines(text: str, rng: random.Random) -> str:
    """The text, or (in half of the cases) the text with a long line at its end that many articles have."""
    return text + rng.choice(
        (
            "",
            "\n（以上内容为本网原创，未经许可不得转载。投资有风险，入市需谨慎，据此操作，风险自担。本网对文中陈述保持中立。）",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """What the articles of a set are like.

    Attributes:
        originals: functions that make originals.
        chinese: whether the language is Chinese; else English.
        days: the number of days of the archive.
        families: names of templates.
        siblings: the share of originals that are made from a template.
        copied: the share of the other originals that have copies.
        copies: the number of copies is chosen from these.
    """

    originals: tuple[Callable[[random.Random, _Words, int], str], ...]
    chinese: bool
    days: int
    families: tuple[str, ...]
    siblings: float
    copied: float = 0.45
    copies: tuple[int, ...] = (1, 1, 1, 2, 3, 7)


_ZH = tuple(name for name in _FAMILIES if not name.endswith("_en"))
_EN = tuple(name for name in _FAMILIES if name.endswith("_en"))

STYLES: dict[str, _Style] = {
    "wire": _Style(originals=(_wire, _wire, _flash), chinese=True, days=180, families=_ZH, siblings=0.3),
    "flashes": _Style(originals=(_flash,), chinese=True, days=120, families=_ZH, siblings=0.5),
    "frames": _Style(originals=(_framed,), chinese=True, days=150, families=_ZH, siblings=0.3),
    "three-days": _Style(originals=(_framed, _wire, _flash), chinese=True, days=3, families=_ZH, siblings=0.4),
    "briefs": _Style(originals=(_brief, _brief, _markdown), chinese=False, days=60, families=_EN, siblings=0.5),
    "viral": _Style(
        originals=(_wire, _framed, _flash),
        chinese=True,
        days=9,
        families=_ZH,
        siblings=0.7,
        copied=0.1,
        copies=(5, 80),
    ),
    "markdown": _Style(originals=(_markdown,), chinese=False, days=2000, families=_EN, siblings=0.3),
}


def _fresh(rng: random.Random, words: _Words, day: int) -> str:
    """A paragraph that replaces another."""
    return words.paragraph(rng) if rng.random() < 0.5 or not words.chinese else _framed(rng, words, day).split("\n")[0]


def plant(style: str, size: int, seed: int = 1) -> list[Planted]:
    """Make `size` articles in one of `STYLES`: originals, siblings from templates, and copies of both.

    The same arguments give the same articles.

    >>> len(plant("flashes", 50)), plant("flashes", 50) == plant("flashes", 50)
    (50, True)
    """
    how = STYLES[style]
    rng = random.Random(f"{style} {seed}")  # noqa: S311
    words = _Words(rng, how.chinese)
    made: list[Planted] = []
    group = 0
    while len(made) < size:
        group += 1
        day = 19000 + rng.randrange(how.days)
        family = ""
        if rng.random() < how.siblings:
            family = rng.choice(how.families)
            text = _fill(_FAMILIES[family], rng, day)
        else:
            text = rng.choice(how.originals)(rng, words, day)
            if how.chinese and "\n" in text:
                text = _long_lines(text, rng)
        made.append(_planted(rng, text, day, group, family, "", 0.0))
        if rng.random() < (0.1 if family else how.copied):
            for _ in range(rng.choice((1, 2) if family else how.copies)):
                copy, edit, change = _copy(text, rng, partial(_fresh, rng, words, day), how.chinese)
                made.append(_planted(rng, copy, day + rng.randrange(2), group, family, edit, change))
    return sorted(made[:size], key=lambda article: article.article_id)


def _planted(rng: random.Random, text: str, day: int, group: int, family: str, edit: str, change: float) -> Planted:
    return Planted(
        article_id=f"{rng.getrandbits(60):018d}",
        text=text,
        day=day,
        group=group,
        family=family,
        edit=edit,
        change=change,
    )


# --------------------------------------------------------------------------------------------- measuring


def measure(style: str, size: int, seed: int = 1) -> dict[str, float]:
    """Make articles, find the copies, and compare with what was planted.

    Args:
        style: one of `STYLES`.
        size: the number of articles.
        seed: another one gives other articles.

    Returns:
        `precision` and `recall` of the pairs that share a duplicate cluster; `leak_precision` and `leak_recall` of those
        that share a leak group; `long_recall`: the share of copies of 600 characters and more, with at most 20 % changed,
        that are in the cluster of their original (NaN if there are none); `excess`: the most articles in one cluster that
        do not belong to its largest group; seconds of processor time for the list of boilerplate (`list_seconds`), the
        signatures (`sign_seconds`), and pairs and clusters (`match_seconds`); `characters`: the mean length of a text.
    """
    planted = plant(style, size, seed)
    clock = [time.process_time()]
    boilerplate = find_boilerplate((article.day, article.text) for article in planted)
    clock.append(time.process_time())
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for begin in range(0, size, 4000):
            some = planted[begin : begin + 4000]
            files.append(Path(folder, f"{begin}.arrow"))
            table = sign(
                [article.article_id for article in some],
                Words.of([article.text for article in some]),
                [article.day for article in some],
                boilerplate,
            )
            write_signatures(table, files[-1])
        clock.append(time.process_time())
        pairs = match(files)
    ids = [article.article_id for article in sorted(planted, key=lambda a: (a.day, a.article_id))]
    clusters = assign(pairs, pa.array(ids))
    clock.append(time.process_time())
    cluster = dict(zip(ids, clusters.duplicate_cluster.to_pylist(), strict=True))
    leak = dict(zip(ids, clusters.leak_group.to_pylist(), strict=True))
    precision, recall = _pair_scores(planted, cluster)
    leak_precision, leak_recall = _pair_scores(planted, leak)
    original = {article.group: article for article in planted if not article.edit}
    long = [
        cluster[article.article_id] == cluster[original[article.group].article_id]
        for article in planted
        if article.edit and not article.family and len(article.text) >= 600 and article.change <= 0.2
        if article.group in original
    ]
    members: dict[str, Counter[int]] = defaultdict(Counter)
    for article in planted:
        members[cluster[article.article_id]][article.group] += 1
    return {
        "precision": precision,
        "recall": recall,
        "leak_precision": leak_precision,
        "leak_recall": leak_recall,
        "long_recall": sum(long) / len(long) if long else float("nan"),
        "excess": max(count.total() - max(count.values()) for count in members.values()),
        "list_seconds": clock[1] - clock[0],
        "sign_seconds": clock[2] - clock[1],
        "match_seconds": clock[3] - clock[2],
        "characters": sum(len(article.text) for article in planted) / size,
    }


def _pair_scores(planted: Sequence[Planted], found: dict[str, str]) -> tuple[float, float]:
    """Precision and recall of the pairs in the found groups."""

    def pairs(keys: Iterable[object]) -> int:
        return sum(count * (count - 1) // 2 for count in Counter(keys).values())

    both = pairs((article.group, found[article.article_id]) for article in planted)
    made = pairs(article.group for article in planted)
    joined = pairs(found[article.article_id] for article in planted)
    return both / joined if joined else 1.0, both / made if made else 1.0


def measure_kinds(script: str, cases: int, seed: int = 1) -> dict[str, dict[str, float]]:
    """Make cases of each kind in one script, group them, and compare with what was planted.

    Args:
        script: one of `quality_kinds.SCRIPTS`.
        cases: of each kind.
        seed: another one gives other words.

    Returns:
        For each kind, and for "all": the number of planted pairs of copies (`pairs`) and of those in one cluster (`found`);
        `false` pairs in one cluster; `precision` and `recall` (NaN where there is nothing to divide by); and of the articles
        that leak to the first one of their case the share in its leak group (`leaks`). "all but stubs" leaves the kind
        "lead-only" out.
    """
    made = tell(script, cases, seed)
    rows = [
        (f"{kind}-{number:04d}-{at:02d}", kind, number, one)
        for kind, some in made.items()
        for number, case in enumerate(some)
        for at, one in enumerate(case)
    ]
    rows.sort(key=lambda row: (row[3].day, row[0]))
    words = [told.text or told.digest or told.title for *_, told in rows]
    with tempfile.TemporaryDirectory() as folder:
        titles, digests = [told.title for *_, told in rows], [told.digest for *_, told in rows]
        given = Words(
            texts=words, titles=titles, digests=digests, urls=[None] * len(rows), langs=[told.lang for *_, told in rows]
        )
        days = [told.day for *_, told in rows]
        path = Path(folder, "signatures")
        write_signatures(
            sign([row[0] for row in rows], given, days, find_boilerplate(zip(days, words, strict=True))), path
        )
        found = assign(match([path]), pa.array([row[0] for row in rows]))
    truth = {name: (kind, number, told.copy_of) for name, kind, number, told in rows}
    clusters: dict[object, list[str]] = defaultdict(list)
    planted: dict[object, list[str]] = defaultdict(list)
    for (name, *_), cluster in zip(rows, found.duplicate_cluster.to_pylist(), strict=True):
        clusters[cluster].append(name)
        planted[truth[name]].append(name)
    right, false, pairs = Counter[str](), Counter[str](), Counter[str]()
    for names in clusters.values():
        for one, two in combinations(names, 2):
            (right if truth[one] == truth[two] else false)[truth[one][0]] += 1
    for case in planted.values():
        pairs[truth[case[0]][0]] += len(case) * (len(case) - 1) // 2
    group = dict(zip((row[0] for row in rows), found.leak_group.to_pylist(), strict=True))
    leaks: dict[str, list[bool]] = defaultdict(list)
    for name, kind, number, told in rows:
        if told.leaks:
            leaks[kind].append(group[name] == group[f"{kind}-{number:04d}-00"])
    figures = {kind: _figures(right[kind], false[kind], pairs[kind], leaks[kind]) for kind in made}
    every = [hit for hits in leaks.values() for hit in hits]
    figures["all"] = _figures(right.total(), false.total(), pairs.total(), every)
    del right["lead-only"], pairs["lead-only"]
    return figures | {"all but stubs": _figures(right.total(), false.total(), pairs.total(), every)}


def _figures(right: int, false: int, pairs: int, leaks: Sequence[bool]) -> dict[str, float]:
    none = float("nan")
    return {
        "pairs": pairs,
        "found": right,
        "false": false,
        "precision": right / (right + false) if right + false else none,
        "recall": right / pairs if pairs else none,
        "leaks": sum(leaks) / len(leaks) if leaks else none,
    }


def _without_nan(table: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    """The same figures with null for those that do not exist, because JSON has no NaN."""
    return {
        row: {name: None if math.isnan(value) else value for name, value in figures.items()}
        for row, figures in table.items()
    }


def main() -> None:
    """Print the figures of the styles or scripts that the command line names, by default all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="styles, or scripts with --kinds (default: all)")
    parser.add_argument("--kinds", action="store_true", help="precision and recall by kind, in each script")
    parser.add_argument(
        "--size", type=int, help="articles of a style (default: 5000), or cases of a kind (default: 40)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    if asked.kinds:
        told = {script: measure_kinds(script, asked.size or 40) for script in asked.names or SCRIPTS}
    else:
        told = {"styles": {style: measure(style, asked.size or 5000) for style in asked.names or STYLES}}
    if asked.json:
        print(json.dumps({name: _without_nan(table) for name, table in told.items()}, indent=1))
        return
    for name, table in told.items():
        for number, (row, figures) in enumerate(table.items()):
            if number == 0:
                print(" ".join([name.ljust(14), *(column[:9].rjust(9) for column in figures)]))
            print(" ".join([row.ljust(14), *(f"{value:9.4g}" for value in figures.values())]), flush=True)


if __name__ == "__main__":
    main()
