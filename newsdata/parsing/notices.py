"""Move what is no news from the text of the archive's own posts to `notices`.

Publishers put lines of their own at the edges of an article. They are recognised by their form, and only there:

===========  ======================================================================================================
kind         what it is, and where
===========  ======================================================================================================
disclaimer   `（声明：文章内容仅供参考，不构成投资建议）`, a copyright line: at the end
editor       `（责任编辑：…）`, `编辑 … 校对 …`: at the start or the end
click        `【点击查看更多行情】`, `阅读全文>>`: at the edges. A paragraph that is one link, or stands in brackets, and the
             words of a link in parentheses, `（点击阅读报告全文）`: anywhere
share        `分享到：微信 微博`, `扫描二维码关注…`: at the edges
advert       a call to open an account, to download an app or to take an offer: at the end
related      a heading such as `相关阅读` and the titles below it: at the end
source-line  `来源：… 记者 …`: at the start. `（来源：…）`: at the end
===========  ======================================================================================================

Whole paragraphs are moved, and what stands in parentheses at the end of the last paragraph after its last sentence. A
list of related titles is one notice, its lines joined by a line feed. Nothing is lost: each notice has its text as it
stood, in the order of the article.

The spans of what stays are moved with it. A mention or a link that touches a notice goes with it, and so does a heading
inside of one; a heading that ends in a notice is cut.

In doubt the text stays as it is. Patterns are only tried on short lines at the edges, so the time is linear.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from ..schema import Link, Mention, Notice, Span
from .html import Reading
from .notice_forms import (
    CLICK_GROUP,
    CLOSERS,
    DECORATION,
    DISCLAIMER_LABEL,
    ENDS_SENTENCE,
    LONGEST,
    OPENERS,
    RELATED_INLINE,
    RELATED_LABEL,
    SHARE_PARTS,
    is_advert,
    is_click,
    is_share,
    is_title,
    kind_of,
    last_group,
    name_in,
)

__all__ = ["Taken", "split_source", "take_notices"]


class Taken(NamedTuple):
    """A reading without its notices, the notices, and the publisher that a `来源：` line names, or None."""

    reading: Reading
    notices: tuple[Notice, ...] = ()
    source: str | None = None


# ------------------------------------------------------------------------------------------------ the text


def take_notices(reading: Reading) -> Taken:
    """Take the notices out of what was read of a post of the archive's own feeds.

    >>> taken = take_notices(Reading(text="订单增长两成。\\n（责任编辑：某某）"))
    >>> taken.reading.text, taken.notices
    ('订单增长两成。', (Notice(kind='editor', text='（责任编辑：某某）'),))
    """
    text = reading.text
    if not text or not _may_hold_notice(text):
        return Taken(reading)
    work = _Text(reading)
    work.take_from_the_end()
    work.take_from_the_start()
    if "点击" in text:
        work.take_clicks()
    if not work.kinds and not work.cuts:
        return Taken(reading)
    return Taken(*work.without_notices(), work.source)


_START_WORDS = (
    "来源", "文章来源", "本文来源", "稿件来源", "信息来源", "新闻来源", "出处", "转自", "作者", "记者", "时间", "日期", "发布",
    "文", "2", "分享", "转发", "扫", "微信", "手机", "打印", "字号", "责任编辑", "责编", "编辑", "提示", "打开", "一键", "点击",
    "长按", "阅读", "用", "使用", "请", "欢迎", "识别", "专业，", "方便，", "一手", *OPENERS,
)  # fmt: skip
_EDITOR_BEHIND = re.compile(r"[\s，,；;|]+(?:责任编辑|责编|编辑)\s*[：:][^（）()]*$")
_LONGEST_LIST = 30  # titles of a list of related articles
_LONGEST_WIDGET = 12  # lines
_SHORT = 100  # characters of a last line that is looked at if it does not end as a sentence
_END_WORDS = (
    "免责", "郑重", "特别", "重要", "版权", "法律", "声明", "风险", "温馨", "提示", "提醒", "说明", "揭示", "警示", "备注", "注", "本文", "本报告", "本资讯",
    "本内容", "本信息", "本栏目", "本号", "本新闻", "本站", "本网", "以上", "上述", "文章", "文中", "文内", "该文", "此文", "内容", "数据", "观点",
    "据此", "不构成", "仅供", "未经", "提及个股", "股市", "投资", "市场", "理财", "基金", "炒股", "期市", "扫", "微信", "打开", "使用", "用", "手机", "长按",
    "识别", "请", "欢迎", "海量资讯", "24小时", "更多", *OPENERS,
)  # fmt: skip


def _may_hold_notice(text: str) -> bool:
    """A quick look at the edges: most texts have no notice."""
    last = text[text.rfind("\n") + 1 :]
    return (
        (len(last) <= _SHORT and last[-1] != "。")
        or last[-1] in CLOSERS
        or last.startswith(_END_WORDS)
        or text.startswith(_START_WORDS)
        or "点击" in text
    )


class _Text:
    """The lines of a text, and what of them is a notice."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.lines = reading.text.split("\n")
        self.starts = [0]  # where each line starts in the text
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.link_starts = [link.start for link in reading.links]
        self.first, self.last = 0, len(self.lines)  # the lines that are not taken yet
        self.kinds: dict[int, str] = {}  # number of a line that is a notice -> kind
        self.lists: dict[int, int] = {}  # first line of a list -> line behind it
        self.cuts: dict[int, list[tuple[int, int, str]]] = {}  # number of a line -> start, end and kind of its notices
        self.source: str | None = None

    def is_link(self, number: int) -> bool:
        """Whether a line is one link, apart from brackets around it."""
        start, end = self.starts[number], self.starts[number] + len(self.lines[number])
        return self.is_linked(start, end)

    def is_linked(self, start: int, end: int) -> bool:
        at = bisect_right(self.link_starts, start + 2) - 1
        return at >= 0 and self.link_starts[at] >= start - 2 and self.reading.links[at].end >= end - 2

    # -------------------------------------------------------------------------------------------- the end

    def take_from_the_end(self) -> None:
        while self.last > self.first:
            number = self.last - 1
            kind = self.kind_at_end(number)
            if kind is not None:
                self.kinds[number] = kind
                self.last = number
            elif not (self.take_widget(number, -1) or self.take_related()):
                self.take_groups(number)
                return

    def kind_at_end(self, number: int) -> str | None:
        line = self.lines[number]
        if len(line) > LONGEST:
            return None
        linked = self.is_link(number)
        kind = kind_of(line, linked=linked)
        if kind == "source-line" and (line[0] not in OPENERS or not self.take_source(line)):
            return None  # below a table or picture, whose source it is
        if (
            kind is None
            and self.kinds.get(number + 1) == "disclaimer"
            and DISCLAIMER_LABEL.fullmatch(line.strip(DECORATION))
        ):
            return "disclaimer"  # the heading above one
        if kind is None and is_advert(line, linked=linked, beside=self.is_call(number - 1) or self.is_call(number + 1)):
            return "advert"
        return kind

    def is_call(self, number: int) -> bool:
        """Whether a line beside an advert is one itself, or calls to click."""
        if number < self.first or number >= len(self.lines) or len(self.lines[number]) > LONGEST:
            return False
        if number in self.kinds:
            return self.kinds[number] in ("click", "share", "advert")
        return kind_of(self.lines[number], linked=self.is_link(number)) in ("click", "share")

    def take_related(self) -> bool:
        """Take a list of related articles at the end."""
        number = self.last - 1
        while number >= max(self.first, self.last - _LONGEST_LIST):
            line = self.lines[number]
            if len(line) > LONGEST:
                return False
            core = line.strip(DECORATION)
            label = RELATED_LABEL.fullmatch(core) is not None
            if label and number < self.last - 1:
                if "链接" in core and not all(map(self.is_link, range(number + 1, self.last))):
                    return False  # newspapers print facts below this word
                self.take_list(number)
                return True
            inline = RELATED_INLINE.match(line.lstrip(DECORATION))
            if inline is not None and (
                self.is_title(number, line.lstrip(DECORATION)[inline.end() :]) or self.ends_in_link(number)
            ):
                self.take_list(number)
                return True
            if label or not self.is_title(number, core):
                return False
            number -= 1
        return False

    def ends_in_link(self, number: int) -> bool:
        end = self.starts[number] + len(self.lines[number])
        at = bisect_right(self.link_starts, end) - 1
        return at >= 0 and self.link_starts[at] <= self.starts[number] + 12 and self.reading.links[at].end >= end - 2

    def is_title(self, number: int, words: str) -> bool:
        return self.is_link(number) or is_title(words)

    def take_list(self, number: int) -> None:
        self.lists[number] = self.last
        self.kinds.update(dict.fromkeys(range(number, self.last), "related"))
        self.last = number

    def take_groups(self, number: int) -> None:
        """Take what stands in brackets at the end of the last paragraph, behind its last sentence."""
        line = self.lines[number]
        end = len(line)
        while (start := last_group(line, end)) is not None:
            before = _before_blanks(line, start)
            group = line[start:end]
            if (before and line[before - 1] not in ENDS_SENTENCE) or (not before and end == len(line)):
                return
            kind = kind_of(group, linked=False)
            if kind not in ("editor", "disclaimer", "click", "source-line", "related"):
                return
            if kind == "source-line" and not self.take_source(group):
                return
            self.cuts.setdefault(number, []).append((before, end, kind))
            end = before

    # ------------------------------------------------------------------------------------------ the start

    def take_from_the_start(self) -> None:
        while self.first < self.last:
            number = self.first
            line = self.lines[number]
            if len(line) > LONGEST or number in self.cuts:
                return
            kind = kind_of(line, linked=self.is_link(number))
            if kind in ("editor", "click", "share") or (kind == "source-line" and self.take_source(line)):
                self.kinds[number] = kind
                self.first += 1
            elif not self.take_widget(number, 1):
                return

    def take_source(self, line: str) -> bool:
        """Note the publisher that a source line names. Returns False if it names something else, such as a statistic."""
        name = name_in(line)
        if name is None:
            return False
        self.source = name
        return True

    def take_widget(self, number: int, step: int) -> bool:
        """Take a share widget whose parts are lines of their own: from the edge to the last line that names it."""
        at = number
        named = None
        for _ in range(_LONGEST_WIDGET):
            if not self.first <= at < self.last:
                break
            line = self.lines[at]
            if is_share(line):
                named = at
            elif line not in SHARE_PARTS:
                break
            at += step
        if named is None:
            return False
        first, last = sorted((number, named))
        self.kinds.update(dict.fromkeys(range(first, last + 1), "share"))
        if step < 0:
            self.last = first
        else:
            self.first = last + 1
        return True

    # ----------------------------------------------------------------------------------------- everywhere

    def take_clicks(self) -> None:
        """Take calls to click from the lines between: paragraphs that are one link or in brackets, words of a link."""
        for number in range(self.first, self.last):
            line = self.lines[number]
            if "点击" not in line:
                continue
            behind = min((start for start, _, _ in self.cuts.get(number, ())), default=len(line))  # what is cut already
            whole = behind == len(line) <= LONGEST and (self.is_link(number) or line[0] + line[-1] == "【】")
            if whole and is_click(line, framed=True):
                self.kinds[number] = "click"
                continue
            base = self.starts[number]
            for found in CLICK_GROUP.finditer(line):
                start, end = found.span()
                before = _before_blanks(line, start)
                closes = end == behind and (not before or line[before - 1] in ENDS_SENTENCE)
                if end <= behind and (closes or self.is_linked(base + start, base + end)):
                    self.cuts.setdefault(number, []).append((start, end, "click"))

    # -------------------------------------------------------------------------------------- what is left

    def without_notices(self) -> tuple[Reading, tuple[Notice, ...]]:
        """The reading without the notices, and the notices."""
        kept: list[str] = []
        notices: list[Notice] = []
        places = _Places()
        size = 0
        number = 0
        while number < len(self.lines):
            line = self.lines[number]
            kind = self.kinds.get(number)
            if kind is not None:
                behind = self.lists.get(number, number + 1)
                notices.append(Notice(kind, "\n".join(self.lines[number:behind])))
                number = behind
                continue
            done = 0
            pieces: list[str] = []
            for start, end, cut_kind in sorted(self.cuts.get(number, ())):
                pieces.append(line[done:start])
                places.keep(self.starts[number] + done, self.starts[number] + start, size)
                size += start - done
                notices.append(Notice(cut_kind, line[start:end].strip()))
                done = end
            pieces.append(line[done:])
            places.keep(self.starts[number] + done, self.starts[number] + len(line), size)
            size += len(line) - done
            whole = "".join(pieces)
            if whole:
                kept.append(whole)
                size += 1
            number += 1
        return places.moved(self.reading, "\n".join(kept)), tuple(notices)


def _before_blanks(line: str, at: int) -> int:
    """Where the blanks start that end at `at`. Nothing is copied: a line may have a million groups."""
    while at and line[at - 1].isspace():
        at -= 1
    return at


class _Places:
    """Where the kept parts of a text went."""

    def __init__(self) -> None:
        self.old: list[int] = []
        self.ends: list[int] = []
        self.new: list[int] = []

    def keep(self, start: int, end: int, new: int) -> None:
        self.old.append(start)
        self.ends.append(end)
        self.new.append(new)

    def find(self, start: int, end: int) -> tuple[int, int, bool]:
        """The new place of a span, cut at the end of the part that it starts in, and whether it was whole in there."""
        at = bisect_right(self.old, start) - 1
        if at < 0 or start >= self.ends[at]:
            return 0, 0, False
        moved = self.new[at] - self.old[at]
        return start + moved, min(end, self.ends[at]) + moved, end <= self.ends[at]

    def moved(self, reading: Reading, text: str) -> Reading:
        mentions = []
        for mention in reading.mentions:
            start, end, whole = self.find(mention.start, mention.end)
            if whole:
                mentions.append(Mention(start, end, *mention[2:]))
        links = []
        for link in reading.links:
            start, end, whole = self.find(link.start, link.end)
            if whole:
                links.append(Link(start, end, link.url))
        headings = []
        for heading in reading.headings:
            start, end, _ = self.find(*heading)
            if start < end:
                headings.append(Span(start, end))
        return reading._replace(text=text, mentions=tuple(mentions), links=tuple(links), headings=tuple(headings))


def split_source(source: str | None) -> tuple[str | None, tuple[Notice, ...]]:
    """The publisher of a source line, and what stands in further parentheses behind it.

    >>> split_source("某报） （责任编辑：DF123")
    ('某报', (Notice(kind='editor', text='（责任编辑：DF123）'),))
    """
    editor = _EDITOR_BEHIND.search(source) if source is not None and "编" in source else None
    if source is not None and editor is not None and kind_of(editor[0].strip(" ，,；;|"), linked=False) == "editor":
        return source[: editor.start()].strip() or None, (Notice("editor", editor[0].strip(" ，,；;|")),)
    depths = accumulate((char in "（(") - (char in "）)") for char in source or "")
    end = next((at for at, depth in enumerate(depths) if depth < 0), None)
    if source is None or end is None:
        return source, ()
    more = source[end + 1 :].strip()
    more += ")" if more.startswith("(") else "）"
    return source[:end].strip() or None, (Notice(kind_of(more, linked=False) or "source-line", more),)
