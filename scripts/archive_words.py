"""Invented companies, publishers and sentences for scripts/make_archive.py. No text of other people is in here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = [
    "PUBLISHERS",
    "SECURITIES_BOARD",
    "Security",
    "Text",
    "article",
    "headline",
    "plain",
    "sentence",
    "skewed",
    "template",
]

Draw = Callable[[], float]
"""`random.Random(seed).random`: Python promises that its sequence never changes. All random choices here come from it."""


class Security(NamedTuple):
    """A name that the publisher marks in a text.

    Attributes:
        name: of the company, sector or topic.
        kind: "stock", "board" or "info".
        market: the publisher's number of the exchange.
        code: of the security on the exchange.
    """

    name: str
    kind: str
    market: int
    code: str


Paragraph = tuple[str | Security, ...]
"""Strings and marked names. A paragraph that begins with # is a heading."""
Text = tuple[Paragraph, ...]


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = "澜岫栈砚禾鹭沐松溪云枫荻榆芷蘅湄岚峤屿汀洲渚潭涧璟珩琅瑾玟琚"
_SECOND = "川石陵渡野桥舟帆原汐望桐梧杉樾野坡畔崖谷"
_TRADES = _split("股份 科技 能源 医药 重工 食品 物流 传媒 银行 汽车 材料 电子")
_MARKETS = ((0, "003"), (1, "605"), (0, "302"), (1, "689"), (116, "39"), (106, "X"), (105, "Z"))


def _companies() -> tuple[Security, ...]:
    """720 invented companies, with codes that no exchange uses."""
    found = []
    for i, first in enumerate(_FIRST):
        for j in range(24):
            name = first + _SECOND[(i * 7 + j * 3) % len(_SECOND)] + _TRADES[(i + j) % len(_TRADES)]
            number = i * 24 + j
            market, prefix = _MARKETS[number % len(_MARKETS)]
            place = number // len(_MARKETS)
            letters = "".join(chr(65 + place // 26**k % 26) for k in range(3))
            found.append(
                Security(name, "stock", market, prefix + (letters if market in (105, 106) else str(700 + place)))
            )
    return tuple(found)


COMPANIES = _companies()
_BOARDS = tuple(
    Security(name, "board", 90, f"BK9{number:03d}")
    for number, name in enumerate(
        _split("储能 芯片 家电 冷链 创新药 光电 航运 种业 养殖 新材料 机器人 云计算 水泥 造纸 旅游")
    )
)
_INFO = tuple(
    Security(name, "info", 0, f"93{number:02d}") for number, name in enumerate(_split("业绩 基金 理财 研报 利率 汇率"))
)
SECURITIES_BOARD = Security("证券", "board", 90, "BK9900")

PUBLISHERS = (
    ("沧浪证券报", "canglangzhengquanbao"),
    ("望山财经", "wangshancaijing"),
    ("晨汐日报", "chenxiribao"),
    ("鹭洲晚报", "luzhouwanbao"),
    ("潮间财讯", "chaojiancaixun"),
    ("北岸新闻社", "beianxinwenshe"),
    ("云程证券周刊", "yunchengzhengquanzhoukan"),
    ("每日潮汐新闻", "meirichaoxixinwen"),
    ("溪桥经济报", "xiqiaojingjibao"),
    ("NuveTech", "NuveTech"),
    ("Nuvetech", "Nuvetech"),
    ("渡口观察", "dukouguancha"),
    ("长堤商报", "changdishangbao"),
    ("松间证券时讯", "songjianzhengquanshixun"),
    ("汀洲广播", "tingzhouguangbo"),
    ("湄川农报", "meichuannongbao"),
)
_PLACES = _split("临江 望川 鹭洲 北岸 溪桥 松陵 云程 长堤 湄川 汀洲 岚县 石渡 青坪 白塘 远安镇 南浦新区")
_ROLES = _split(
    "分析师 基金经理 采购负责人 渠道商 行业协会 客户经理 研发主管 监管人士 港口调度员 财务总监 门店店长 质检员"
)
_NOUNS = _split(
    "订单 产能 库存 渠道 成本 利润 现金 债券 份额 合同 样机 厂房 产线 仓库 船队 航线 门店 会员 配额 关税 "
    "补贴 税费 账期 毛利 专利 算法 平台 接口 模组 镜头 电池 电芯 电站 电价 煤炭 铜材 铝锭 锌锭 钢坯 玻璃 "
    "纸浆 水泥 橡胶 糖价 粮价 棉花 大豆 玉米 生猪 鲜奶 水产 茶叶 果蔬 种子 肥料 农机 冷柜 空调 洗衣机 面板 "
    "芯片组 晶圆 封装 光刻胶 靶材 传感器 机器人 无人机 卫星 火箭 船坞 港口 铁路 公路 桥梁 管网 水库 堤坝 "
    "园区 社区 学校 医院 疫苗 药品 耗材 诊断 影像 试剂 临床 审批 牌照 资质 标准 规则 指引 条例 协议 框架 "
    "方案 预案 报告 年报 季报 公告 通知 函件 评级 估值 溢价 折价 分红 回购 增发 配股 质押 担保 授信 贷款 "
    "存款 票据 保单 信托 期权 期货 指数 样本 权重 仓位 净值 规模 客户 用户 流量 广告 版权 剧集 影片 演出 "
    "景区 酒店 航班 客座 货量 运价 租金 房价 土地 工期 进度 招标 中标 投诉 召回 缺陷 隐患 火情 汛情 旱情 "
    "气温 降雨 海况 洋流 鱼汛 苗情"
)
_VERBS = _split(
    "上调 下调 锁定 释放 消化 压缩 扩大 收窄 披露 更正 核准 驳回 签署 终止 续签 转让 收购 剥离 注销 设立 "
    "投产 停产 检修 重启 试运 验收 交付 延期 提前 追加 削减 冻结 解冻 补缴 退还 抽查 抽检 通报 约谈 整改 "
    "复核 测算 评估 预告 修正 上修 下修 覆盖 替换 升级 迁移 合并 拆分 引进 出口 进口 转运 囤积 抛售 吸纳 "
    "调配 统筹 下放 收回 试点 推广 叫停 恢复 观望 看好 看淡 质疑 澄清 否认 证实 透露 强调 承诺 兑现 推迟 "
    "缓解 加剧 拖累 提振 对冲 平滑 传导 分摊 承接 巩固 打通 盘活 优化 梳理"
)
_ADJECTIVES = _split(
    "首批 新增 存量 剩余 海外 境内 西部 沿海 城郊 县域 高端 中低端 长期 短期 季节性 阶段性 临时 备用 闲置 "
    "老旧 自有 合资 外购 定制 通用 智能 低碳 可回收 高纯 超薄 微型 大型 分布式 集中 跨境 线上 线下 夜间 "
    "节前 节后 上半年 下半年 月度 季度 专项 配套 核心 边缘 主要 次要 潜在 既有 预期外 计划内 创纪录 罕见 "
    "温和 剧烈 平稳 零星 批量 独立 联合"
)
_ADVERBS = _split(
    "此前 随后 目前 近日 当天 本周 上月 年内 明年初 日前 再度 逐步 迅速 谨慎 全面 部分 分批 同步 单独 如期 "
    "意外 主动 被动 持续 暂时 首次 连续三次 不再 仍在 已经 即将 有望 或将 计划 拟 决定 开始 继续 尚未 基本"
)
_LINKS = ("", "", "", "", "", "同时", "因此", "但", "其中", "对此", "此外", "而")
_UNITS = _split("亿元 万吨 万台 万股 家 项 艘 万户 个百分点 公里 万平方米 兆瓦 天 次")

_TEMPLATES = (
    (
        "margin",
        "{name}：融资净买入{a}万元",
        "{name}({code}){m}月{d}日获融资净买入{a}万元，融资余额{b}亿元，占流通市值的{p}%，超过近一年{q}%分位水平。",
    ),
    (
        "fund",
        "{name}增强基金净值{up}{p}%",
        "{name}增强混合基金{m}月{d}日净值{up}{p}%，最新单位净值1.{a}，近一个月收益率{q}%，同类排名{b}。",
    ),
    (
        "meeting",
        "{name}：将于{m}月{d}日召开股东大会",
        "{name}({code})公告，公司将于{m}月{d}日召开股东大会，"
        "审议第{a}号议案等{b}项事项，股权登记日为会前第{q}个交易日。",
    ),
    (
        "buyback",
        "{name}：累计回购{a}万股",
        "{name}({code})公告，截至{m}月{d}日，公司累计回购股份{a}万股，占总股本的{p}%，成交总额{b}万元。",
    ),
    (
        "pledge",
        "{name}股东质押{a}万股",
        "{name}({code})公告，股东于{m}月{d}日质押股份{a}万股，占其所持股份的{q}%，累计质押比例为{p}%。",
    ),
    (
        "block",
        "{name}大宗交易成交{b}万元",
        "{name}({code}){m}月{d}日大宗交易平台出现一笔成交，成交量{a}万股，成交金额{b}万元，溢价率{p}%。",
    ),
    (
        "visit",
        "{name}：近期接待{b}家机构调研",
        "{name}({code})披露，公司于{m}月{d}日接待{b}家机构调研，共{a}名投资者参与，提问集中于{q}个方面。",
    ),
    (
        "forecast",
        "{name}：净利同比预增{p}%-{q}%",
        "{name}({code})公告，预计净利润{a}万元至{b}万元，同比增长{p}%-{q}%，业绩预告未经审计。",
    ),
)


def skewed(r: Draw, count: int) -> int:
    """A random position below `count`. Low positions are more frequent, like the common names in news."""
    return int(r() * r() * count)


def plain(parts: Paragraph) -> str:
    """The text of a paragraph, without marks."""
    return "".join(p if isinstance(p, str) else p.name for p in parts)


def headline(r: Draw) -> str:
    """A title, about 12 to 25 characters."""
    company = COMPANIES[skewed(r, len(COMPANIES))].name
    return f"{company}{_clause(r)} {_pick(r, _PLACES)}{_pick(r, _NOUNS)}{_pick(r, _VERBS)}{_number(r)}"


def sentence(r: Draw) -> Paragraph:
    """One sentence, about 30 to 110 characters, with up to two marked names."""
    parts: list[str | Security] = []
    kind = r()
    if kind < 0.3:
        parts.append(COMPANIES[skewed(r, len(COMPANIES))])
    elif kind < 0.65:
        parts.append(f"{_pick(r, _PLACES)}{_pick(r, _ROLES)}")
    else:
        parts.append(f"{_pick(r, _PLACES)}{_pick(r, _NOUNS)}")
    words = [_clause(r)]
    for _ in range(1 + int(r() * 4)):
        words.append(f"，{_pick(r, _LINKS)}{_clause(r)}")
        if r() < 0.35:
            words.append(_number(r))
    parts.append("".join(words))
    tail = r()
    if tail < 0.25:
        parts += ("，与", COMPANIES[skewed(r, len(COMPANIES))], f"的{_pick(r, _NOUNS)}相当")
    elif tail < 0.38:
        parts += ("，利好", _BOARDS[skewed(r, len(_BOARDS))], "板块")
    elif tail < 0.44:
        parts += ("，影响", _INFO[skewed(r, len(_INFO))])
    parts.append("。")
    return tuple(parts)


def article(r: Draw, length: int) -> Text:
    """Paragraphs of one to four sentences with some headings between them, about `length` characters in all."""
    paragraphs: list[Paragraph] = []
    while length > 0:
        if len(paragraphs) > 2 and r() < 0.12:
            paragraphs.append((f"#{_pick(r, _NOUNS)}{_clause(r)}",))
        parts: list[str | Security] = []
        for _ in range(1 + int(r() * 4)):
            parts += sentence(r)
        length -= len(plain(tuple(parts)))
        paragraphs.append(tuple(parts))
    return tuple(paragraphs)


def template(r: Draw) -> tuple[str, str, Paragraph]:
    """A flash made from a form, with its own company and numbers: the family of the form, the title, and the text."""
    family, title, text = _TEMPLATES[int(r() * len(_TEMPLATES))]
    company = COMPANIES[int(r() * len(COMPANIES))]
    slots = {
        "name": company.name, "code": company.code, "m": 1 + int(r() * 12), "d": 1 + int(r() * 28),
        "a": 1000 + int(r() * 9000), "b": 10 + int(r() * 900), "p": f"{r() * 20:.2f}",
        "q": 20 + int(r() * 70),
        "up": "上涨" if r() < 0.5 else "下跌",
    }  # fmt: skip
    _, _, rest = text.partition("{name}")
    return family, title.format(**slots), (company, rest.format(**slots))


def _pick(r: Draw, words: Sequence[str]) -> str:
    return words[int(r() * len(words))]


def _clause(r: Draw) -> str:
    return f"{_pick(r, _ADVERBS)}{_pick(r, _VERBS)}{_pick(r, _ADJECTIVES)}{_pick(r, _NOUNS)}"


def _number(r: Draw) -> str:
    value = r()
    return f"{value * 900:.{int(value * 3)}f}{_pick(r, _UNITS)}"
