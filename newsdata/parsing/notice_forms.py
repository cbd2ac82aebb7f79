"""What kind of notice a line is, by its form alone. `newsdata.parsing.notices` says where such lines are looked for.

The patterns are narrow on purpose. A name after a label is a name of a person and no clause; a disclaimer says what
disclaimers say, and no speaker says it; a call to click has nothing behind the call; an advert promises more than one
thing, and speaks of nothing that news speak of.
"""

from __future__ import annotations

import re

__all__ = [
    "CLICK_GROUP", "CLOSERS", "DECORATION", "DISCLAIMER_LABEL", "ENDS_SENTENCE", "LONGEST", "OPENERS", "RELATED_INLINE",
    "RELATED_LABEL", "SHARE_PARTS", "is_advert", "is_click", "is_share", "is_title", "kind_of", "last_group", "name_in",
]  # fmt: skip

LONGEST = 300  # characters of a line that can be a notice
OPENERS = "（(【[〔"
CLOSERS = "）)】]〕"
_BRACKETS = OPENERS + CLOSERS
DECORATION = _BRACKETS + " \u3000>＞》»▶►→☞*＊●◆■※▼▲-—~·"
ENDS_SENTENCE = "。！？!?…”’』」；;.）)】]"

# ------------------------------------------------------------------------------------------------ patterns

_SPEAKER = re.compile(r"表示|指出|认为|强调|提醒|告诉|介绍|(?<![名简])称[，：“]|“")
_TELLS = re.compile(
    r"昨[日天]|今[日天]|日前|近日|宣布|透露|回应|重申|发文|写[道在入进]|主持人|公告[说称]|发布公告|监管人士|专家建议|常识"
    r"|判决|被判|被罚|被处|该公司被|法院[判认在裁]|(?:认定|公司规定|[^传胡瞎]说)。?$"
)
"""Words that a sentence of the news has, and a notice has not."""

_ADVICE = (
    r"不构成[^，。；]{0,10}(?:建议|意见|推荐)"
    r"|不(?:应)?[作做]为?[^，。；]{0,6}(?:投资|买卖|操作|交易)[^，。；]{0,4}(?:建议|推荐|依据)"
    r"|据此(?:操作|入市|投资|买卖|交易)[^。]{0,10}(?:风险|后果|责任)"
    r"|(?:风险|后果)(?:请|由[^，。]{1,6})?自[担负]|(?:风险|后果)自行承担"
    r"|(?:股市|市场|投资|理财|基金|炒股|期市)有?风险[，,]?\s*(?:投资|入市|选择|交易|操作)?[须需应要]?谨慎"
    r"|(?:股市|市场|投资|理财|基金|炒股|期市)有风险[，,]\s*(?:投资|入市|选择|交易|操作|理财)[须需应要]?(?:谨慎|三思)"
)
_LEGAL = (
    r"(?:仅|只)供(?:投资者|读者|大家)?参考|与本(?:网站?|站|报|平台|公众号|公司)[^，。]{0,6}无关|不代表[^，。]{0,24}(?:立场|观点)"
    r"|未经[^，。]{0,16}(?:授权|许可|允许|同意)|版权(?:归|所有)|侵权|不对[^。]{0,30}(?:作出?|承担)[^。]{0,12}(?:保证|责任)|不保证"
)
_IS_ADVICE = re.compile(_ADVICE)
_IS_LEGAL = re.compile(f"{_ADVICE}|{_LEGAL}")
_DECLARES = re.compile(r"(?:免责|郑重|特别|重要|版权|法律|本[文站网报])?(?:声明|免责条款)\s*[：:丨|】）)]")
DISCLAIMER_LABEL = re.compile(r"(?:(?:免责|郑重|特别|重要|版权|法律)声明|免责条款|风险(?:提示|揭示))\s*[：:]?")
_HINTS = re.compile(r"(?:特别|温馨|重要|投资)?(?:风险)?(?:提示|提醒|说明|揭示|警示|备注|注)\s*[：:丨|】）)]")
_SPEAKS_OF_ITSELF = re.compile(
    r"本(?:文|报告|资讯|内容|信息|栏目|号|新闻)|以上|上述|文[章中内]|该文|此文|内容|数据|观点|投资者据此|据此|(?:股市|市场|投资|理财|基金|炒股|期市)有?风险"
    r"|不构成|仅供|未经|提及个股|风险自担"
)
_SENTENCES = re.compile(r"[。！；;]")

_EDITOR = r"(?:责任编辑|责编|(?:值班|执行|见习|实习|本文|本期|文字|网络|图文|新媒体)?编辑|编审|校对|审校|审核|审读|主编|监制|统筹|终审|复审|初审|排版|制作|美编)"
_REPORTER = r"(?:(?:本报|本网|见习|实习|特约)?记者|通讯员|作者|文|图|摄影|供稿|(?:本文|文章)?来源)"
_PERSON = r"(?!编辑|责编|责任|记者|校对|审)(?:[\u4e00-\u9fff]{1,4}(?:_[A-Z]{1,3}[0-9]{1,6})?|[\u4e00-\u9fff]{1,8}·[\u4e00-\u9fff·]{1,12}|[A-Za-z]{1,6}[_-]?\d{1,8}|[A-Za-z]{2,12}(?: [A-Z][a-z]+)?)"
_LONGEST_CREDIT = 100
_PEOPLE = rf"{_PERSON}(?:[ 、，,/]+{_PERSON}){{0,5}}"
_IS_EDITOR = re.compile(
    rf"(?:责任编辑|责编)\s*[：:]"
    rf"|(?:{_REPORTER}\s*[：:丨|/／\s]\s*{_PEOPLE}[ 、，,；;|丨]*)?"
    rf"{_EDITOR}\s*[：:丨|/／\s]\s*{_PEOPLE}"
    rf"(?:[ 、，,；;|丨/]*(?:{_EDITOR}|{_REPORTER})\s*[：:丨|/／\s]\s*{_PEOPLE}){{0,5}}"
)

_VERB = r"(?:进入|阅读|查看|下载|观看|打开|了解|参与|领取|报名|订阅|关注|收听|播放|获取|试读|购买|查询|浏览|直达|跳转|看|进)"
_PLACE = r"(?:此处|这里|此|下方|下面|上方|文末|左下角|链接|图片|蓝字|标题|[“「][^”」]{1,8}[”」])"
_IS_CLICK = re.compile(
    rf"(?:(?:更多|想|欲|如需|了解|查看|获取|欲知)[^。！？]{{0,20}}[，,]?\s*)?(?:请您?|可|欢迎)?点击(?:{_PLACE}{_VERB}?|{_VERB})[^。！？；]{{0,30}}[。！]?"
    r"|(?:更多|详情)[^。！？，]{0,12}请?点击"
    r"|(?:阅读|查看|展开)(?:原文|全文|更多|详情|报告全文)|继续阅读"
)
_CLICK_ENDS = re.compile(
    r"(?:全文|原文|详情|更多(?:内容|资讯|信息|行情|精彩|新闻|数据)?|专题|视频|下载|链接|点击|此处|这里|此|查看|了解|进入|阅读|观看|直播)[>》＞!！… ]*$"
    r"|[>》＞]$"
)
_CLICK_SPEAKER = re.compile(r"表示|指出|认为|强调|告诉|称[，：“]")
CLICK_GROUP = re.compile(rf"[（(【\[]\s*(?:请|可)?点击(?:{_PLACE}|{_VERB})[^（）()【】\[\]\n。，]{{0,30}}[）)】\]]")

_PLATFORM = r"(?:微信(?:好友|朋友圈)?|好友|朋友圈|新浪微博|腾讯微博|微博|QQ空间|QQ好友|QQ|qq|人人网|豆瓣|领英|复制链接|更多|您的|打印|收藏)"
_IS_SHARE = re.compile(
    rf"(?:一键)?(?:分享|转发)(?:到|至|给)?\s*[：:]?\s*(?:{_PLATFORM}[\s、/|和]*)*"
    rf"|(?:打开|使用|用)?微信扫一扫(?:[，,]?\s*分享(?:到|至)?\s*(?:{_PLATFORM}[\s、/|和]*)*)?[。！]?"
    rf"|扫一扫[，,]?\s*分享(?:到|至)?\s*(?:{_PLATFORM}[\s、/|和]*)*[。！]?"
    r"|打开微信[，,]\s*(?:点击|使用)[^。]{0,30}扫一扫[^。]{0,30}朋友圈[。！]?"
    r"|手机上阅读文章|手机查看财经快讯|方便，快捷|专业，丰富|一手掌握市场脉搏|分享到您的|扫码分享|分享至好友和朋友圈"
    r"|【?打印本?页?】?\s*【?关闭(?:窗口)?】?|【?字号\s*[：:]?\s*大\s*中\s*小】?"
)
_QR = re.compile(
    r"(?:请|欢迎)?(?:打开|使用|用)?(?:手机)?(?:微信)?(?:长按)?(?:扫一扫|扫码|扫描|识别|长按)(?:上方|下方|下面|上面|图中|文末|左侧|右侧|本文)?的?(?:二维码)?"
    r"[，,\s]*(?:即可|可|立即|快速|一键)?(?:分享|关注|阅读|查看|下载|添加|加入|进群|入群|访问|打开|观看|订阅|领取|识别|二维码|获取)([^。！？]{0,40})([。！!]?)"
)
_QR_OBJECT = re.compile(r"即可|朋友圈|公众号|APP|App|客户端|我们|更多|详情|小程序|视频号|群")
_FIGURES = re.compile(r"[0-9][0-9.]*(?:%|％|万|亿|倍|元)|[一二两三四五六七八九]成|超过|增长|下降|用户|人数")
SHARE_PARTS = frozenset(
    [
        "提示",
        "提示:",
        "提示：",
        "朋友圈",
        "微信",
        "微博",
        "新浪微博",
        "QQ",
        "QQ空间",
        "QQ好友",
        "复制链接",
        "打印",
        "关闭",
        "收藏",
        "评论",
        "点赞",
        "举报",
        "字号",
        "大",
        "中",
        "小",
        "更多",
        "返回顶部",
    ]
)

_PROMISES = re.compile(
    r"开户|福利|体验权|投顾服务|一对一|免费|领取|立即|马上|速来|限时|优惠|红包|扫码|微信|公众号|金麒麟|助您|尽在|一键|佣金|炒股就看|炒股必备|海量资讯|精准解读"
    r"|牛股|入群|进群|加群|下载[^，。]{0,12}(?:APP|App|客户端)|送给你|豪礼|新人|神器|专享"
)
_ADDRESSES_READER = re.compile(
    r"您|你|享福利|送投顾|助您|尽在|立即|马上|速来|赶紧|快来|领取|免费|一对一|下载|扫码|炒股就看|海量资讯"
)
_NEWS_WORDS = re.compile(
    r"公司|券商|银行|监管|证监会|公告|记者|同比|亿元|万元|[%％]|获悉|据悉|昨日|今日|[0-9]月[0-9]|表示|指出|称，|“|投资者"
)
_LONGEST_ADVERT = 90
_KNOWN_ADVERT = re.compile(
    r"炒股开户享福利|炒股就看金麒麟|海量资讯、精准解读，尽在|24小时滚动播报最新的财经资讯和视频|更多精彩内容[，,]?请(?:下载|关注)"
)

_RELATED = r"(?:(?:更多)?(?:相关|延伸|推荐|更多|往期|热门|扩展|拓展|精彩|关联|精选)(?:阅读|报道|新闻|链接|文章|推荐|资讯|回顾|专题|精选|话题)|猜你喜欢|阅读推荐|新闻链接)"
RELATED_LABEL = re.compile(rf"{_RELATED}\s*[：:]?")
RELATED_INLINE = re.compile(rf"{_RELATED}\s*[】\]：:]+\s*(?=\S)")
_RELATED_PAGE = re.compile(r"(?:(?:相关|详细)(?:报道|内容|新闻))?(?:详见|见|刊于|下转)[^，。]{0,10}[0-9A-Z]{1,3}版")
_ENDS_TITLE = re.compile(r"[。；：:…，,.][”’」』]?$")
_LONGEST_TITLE = 45

_ORIGIN = r"(?:(?:文章|本文|稿件|信息|新闻)?(?:来源|出处)|转自)\s*[：:丨|]\s*"
_IS_SOURCE = re.compile(
    rf"(?:[0-9年月日时分: .\-/]{{6,24}}|(?:作者|记者|文|时间|日期|发布时间)\s*[：:丨|]\s*[\w :.\-/]{{2,24}}?)?\s*{_ORIGIN}"
    r"([\w·•\-（）() ]+?)\s*(?:[（(][^（）()]{1,30}[）)])?\s*(?:[ |丨/／，]\s*(?:.*))?"
)
_NO_PUBLISHER = re.compile(
    r"(?:公告|[年季]报|数据|研报|官网|整理|资料|统计|Wind|wind|Choice|iFinD|同花顺|报告|研究所|研究院)$"
)
_NAME_ENDS = re.compile(r"[\s|丨/／，]|(?:本报)?记者|作者|编辑|责编|时间|日期|发布")
_NO_SOURCE_LINE = re.compile(r"[。！？；“”]|，(?!作者|记者|编辑)")
_LONGEST_SOURCE = 60


def kind_of(line: str, *, linked: bool) -> str | None:
    """What kind of notice a line is by its words alone, or None."""
    core = line.strip(DECORATION)
    if not core:
        return None
    if len(core) <= _LONGEST_CREDIT and _IS_EDITOR.fullmatch(core):
        return "editor"
    if "点击" in core or len(core) <= 6:
        framed = linked or line[0] + line[-1] in ("【】", "[]")
        if is_click(line, framed=framed):
            return "click"
    if is_share(line):
        return "share"
    if _is_disclaimer(core, in_brackets=line[0] in OPENERS and line[-1] in CLOSERS):
        return "disclaimer"
    if _is_source_line(_inside(line)):
        return "source-line"
    if line[0] in OPENERS and _RELATED_PAGE.fullmatch(core):
        return "related"
    return None


def is_click(line: str, *, framed: bool) -> bool:
    """Whether a line calls to click. If it is `framed`, a link or in square brackets, it may end in any word."""
    core = line.strip(DECORATION)
    found = _IS_CLICK.fullmatch(core)
    if found is None or _CLICK_SPEAKER.search(core):
        return False
    return framed or _CLICK_ENDS.search(line.strip(_BRACKETS + " ")) is not None


def is_share(line: str) -> bool:
    """Whether a line is a widget to share the page, or the words around a QR code."""
    core = line.strip(DECORATION)
    if len(core) > 80:
        return False
    if _IS_SHARE.fullmatch(core):
        return True
    found = _QR.fullmatch(core)
    if found is None or _FIGURES.search(core) or _TELLS.search(core):
        return False
    return not found[2] or "二维码" in core or _QR_OBJECT.search(found[1]) is not None


def _is_disclaimer(core: str, *, in_brackets: bool) -> bool:
    if _TELLS.search(core):
        return False
    if _DECLARES.match(core):
        return _IS_LEGAL.search(core) is not None
    hints = _HINTS.match(core)
    if hints is not None:
        return _every_sentence(core[hints.end() :], _IS_ADVICE)
    if _SPEAKS_OF_ITSELF.match(core) is None or _SPEAKER.search(core):
        return False
    if in_brackets or core.startswith(("本文", "未经")):
        return _IS_LEGAL.search(core) is not None
    return _IS_ADVICE.search(core) is not None


def _every_sentence(text: str, pattern: re.Pattern[str]) -> bool:
    sentences = [sentence for sentence in _SENTENCES.split(text) if sentence.strip(DECORATION)]
    return bool(sentences) and all(pattern.search(sentence) for sentence in sentences)


def _inside(line: str) -> str:
    """A line without the brackets around it."""
    core = line.strip()
    return core[1:-1].strip() if core[0] in OPENERS and core[-1] in CLOSERS else core


def _is_source_line(core: str) -> bool:
    return (
        len(core) <= _LONGEST_SOURCE and _NO_SOURCE_LINE.search(core) is None and _IS_SOURCE.fullmatch(core) is not None
    )


def name_in(line: str) -> str | None:
    """The publisher that a source line names; None if it names something else, such as a statistic."""
    found = _IS_SOURCE.fullmatch(_inside(line))
    if found is None:
        return None
    name = _NAME_ENDS.split(found[1].strip(), maxsplit=1)[0].strip(DECORATION)
    return None if not name or _NO_PUBLISHER.search(name) else name


def is_title(words: str) -> bool:
    """Whether words without a link could be the title of an article."""
    return 0 < len(words) <= _LONGEST_TITLE and _ENDS_TITLE.search(words) is None


def is_advert(line: str, *, linked: bool, beside: bool) -> bool:
    """Whether a line is an advert.

    Args:
        line: the line.
        linked: whether it is one link.
        beside: whether a call to click, a widget or another advert stands beside it.
    """
    if len(line) > _LONGEST_ADVERT or _NEWS_WORDS.search(line):
        return False
    core = line.strip(DECORATION)
    if _KNOWN_ADVERT.match(core):
        return True
    promises = len(set(_PROMISES.findall(core)))
    framed = linked or line[0] + line[-1] == "【】"
    if promises >= 2 and (beside or framed):
        return True
    calls = line[-1] in "！!>》＞" and _ADDRESSES_READER.search(core) is not None
    return promises >= 3 and calls


def last_group(line: str, end: int) -> int | None:
    """Where the brackets start that close at `end`; None if none do."""
    if not end or line[end - 1] not in CLOSERS:
        return None
    depth = 0
    for at in range(end - 1, max(end - 1 - LONGEST, -1), -1):
        if line[at] in CLOSERS:
            depth += 1
        elif line[at] in OPENERS:
            depth -= 1
            if not depth:
                return at
    return None
