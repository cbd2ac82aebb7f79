"""Write a synthetic archive of any size that looks like a real one: `make_archive.py OUT --posts 100000`.

Half of the files are flashes (one short paragraph), half articles of 500 to 2,500 characters with a publisher's annotations.
Among them are twins (the same article from both feeds), copies in two folders, reprints with edits (listed in the file of
labels), siblings (flashes from the same template), and 0.5 % malformed files. Every word is from scripts/archive_words.py.

The same arguments give the same bytes on every machine: all choices come from `random.Random.random()`, seeded for each
article with a SHA-256 of its place, and Python promises that this sequence never changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import archive_words as words
from archive_words import Security, Text

__all__ = ["MALFORMED", "Made", "extend_archive", "make_archive"]

MALFORMED = 0.005
"""The share of malformed files. A real archive has about as many, because its crawler escapes nothing."""

_REPRINTS, _REPRINT_LAG = 0.05, 12  # the share of articles that are near-copies; the most days after the first print
_FLASHES = 0.55  # the share of articles that are flashes: they have fewer twins, so half of the files are flashes
_QUOTE, _NEWS, _SHARE = (
    "http://quote.example.com/unify/r/",
    "//news.example",
    ("share.news.example", "m.share.news.example"),
)
_FEED = "东财滚动新闻"
_FAULTS = (
    "quotes", "first-quote", "backslash", "escape", "line-break", "block-end", "control", "at-tag",
    "quoted-tag", "colon-tag", "comment-tag", "number-category", "no-url", "no-digest",
    "no-title", "no-bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written: the numbers of files, of their bytes, of articles in them, and of near-copies among the articles."""

    files: int
    bytes: int
    articles: int
    copies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What decides every article, together with its place (day and number in the day).

    Attributes:
        posts, days: of the archive.
        seed: another one gives another archive.
        start: the first day.
    """

    posts: int
    days: int
    seed: int
    start: date

    def quota(self, day: int) -> int:
        """The number of files of a day, counted from 0. Days after the last planned one are as full as the others."""
        return self.posts // self.days + (day < self.posts % self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Article:
    """One article before it is written to files. `copy_of`, `changed` and `family` are its labels; see `make_archive`."""

    identity: str
    day: str
    clock: str
    title: str
    digest: str
    publisher: int
    text: Text
    flash: bool
    family: str = ""
    copy_of: str = ""
    changed: float = 0.0


def make_archive(
    out: str | Path,
    *,
    posts: int,
    seed: int = 0,
    start: date = date(2021, 12, 1),
    days: int | None = None,
    labels: str | Path | None = None,
) -> Made:
    """Write an archive of exactly `posts` post files (and a `_config.yml`) into the folder `out`.

    Args:
        out: a folder that is empty or does not exist.
        posts: the number of post files.
        seed: another one gives another archive.
        start: the first day.
        days: the number of days; by default one for each 100 posts, at least 10 and at most 240.
        labels: the file to write the labels to, one JSON object a line: `article_id`, and either `copy_of` and `changed`
            (for a reprint: the id of the original, and the share of its paragraphs that were cut or replaced) or `family`
            (for a flash from a template: the name of the template).

    Raises:
        ValueError: there is less than one post a day, or `out` holds files.
    """
    plan = _plan(posts, seed, start, days)
    root = Path(out)
    if root.is_dir() and any(root.iterdir()):
        raise ValueError(f"{root} is not empty")
    _prepare(root)
    made, planted = _write_days(root, plan, range(plan.days))
    if labels is not None:
        Path(labels).write_text("".join(json.dumps(label) + "\n" for label in planted), encoding="utf-8")
    return made


def extend_archive(
    out: str | Path,
    *,
    posts: int,
    new: int,
    change: int,
    seed: int = 0,
    start: date = date(2021, 12, 1),
    days: int | None = None,
) -> Made:
    """Change an archive that `make_archive` wrote with the same arguments, as time would.

    A file that has the right bytes already is not written again. So calls with growing numbers give later and later states.

    Args:
        out: the archive.
        new: files of days after the last one that are added.
        change: files of the newest tenth of the days that get another ending.
        posts, seed, start, days: as for `make_archive`.

    Raises:
        ValueError: `change` is larger than the number of articles that can be changed.
    """
    plan = _plan(posts, seed, start, days)
    span = max(1, plan.days // 10)
    if change > span * -(-plan.quota(plan.days) // 3):  # an article has at most three files
        raise ValueError(f"at most {span * -(-plan.quota(plan.days) // 3)} files of this archive can change")
    root, rng, written, size = Path(out), random.Random(), 0, 0  # noqa: S311 - nothing here is a secret
    for number in range(change):
        day = plan.days - 1 - number % span
        article = _article(plan, rng, day, number // span)
        ending = (f"本文于{1 + number % 28}日更正：此前版本中的部分数据有误，{article.title}一文以此为准。",)
        article = replace(article, text=(*article.text, ending))
        path, data = _files(plan, rng, day, number // span, article, revised=True)[0]
        written, size = written + 1, size + len(data)
        _write(root, path, data)
    daily, last = plan.quota(plan.days), range(plan.days, plan.days + -(-new // plan.quota(plan.days)))
    made, _ = _write_days(root, plan, last, rest=new - daily * (len(last) - 1))
    return replace(made, files=made.files + written, bytes=made.bytes + size)


def _plan(posts: int, seed: int, start: date, days: int | None) -> _Plan:
    days = min(240, max(10, posts // 100)) if days is None else days
    if not 1 <= days <= posts:
        raise ValueError(f"{posts} posts over {days} days: at least one a day is needed")
    return _Plan(posts=posts, days=days, seed=seed, start=start)


# --------------------------------------------------------------------------------------------------- articles


def _article(plan: _Plan, rng: random.Random, day: int, number: int) -> _Article:
    """The article at this place. It is the same each time."""
    _seed(plan, rng, day, number)
    if day and rng.random() < _REPRINTS:
        lag = int(rng.random() * min(day, _REPRINT_LAG)) + (rng.random() < 0.5)
        first = int(rng.random() * max(1, plan.quota(day - lag) // 3))
        for at in range(first, -1, -1):  # the nearest earlier article that is long and not a reprint itself
            if lag or at < number:
                origin = _original(plan, rng, day - lag, at)
                if origin is not None and not origin.flash:
                    return _reprint(plan, rng, day, number, origin)
    _seed(plan, rng, day, number)
    rng.random()
    return _first_print(plan, rng, day, number)


def _original(plan: _Plan, rng: random.Random, day: int, number: int) -> _Article | None:
    """The article at this place if it is a first print, else None."""
    _seed(plan, rng, day, number)
    if rng.random() < _REPRINTS and day:
        return None
    return _first_print(plan, rng, day, number)


def _seed(plan: _Plan, rng: random.Random, *place: object) -> None:
    """Seed `rng` for a place."""
    key = "/".join(map(str, (plan.seed, *place)))
    rng.seed(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))


def _first_print(plan: _Plan, rng: random.Random, day: int, number: int) -> _Article:
    """An article that is not a reprint."""
    r = rng.random
    identity, when, clock = _place(plan, r(), r(), day, number)
    flash = r() < _FLASHES
    family = ""
    text: Text
    if flash and r() < 0.25:
        family, title, line = words.template(r)
        digest, text = words.plain(line), (line,)
    elif flash:
        line = words.sentence(r)
        digest, text, title = words.plain(line), (line,), words.headline(r)
    else:
        text, title = words.article(r, 500 + int(r() * 2050)), words.headline(r)
        digest = words.plain(text[0])[:120]
    return _Article(
        identity=identity, day=when, clock=clock, title=title, digest=digest, text=text, flash=flash,
        family=family, publisher=words.skewed(r, len(words.PUBLISHERS)),
    )  # fmt: skip


def _reprint(plan: _Plan, rng: random.Random, day: int, number: int, origin: _Article) -> _Article:
    """A near-copy of `origin`: another title and publisher, perhaps a lead, some paragraphs cut or replaced."""
    _seed(plan, rng, day, number, "reprint")
    r = rng.random
    identity, when, clock = _place(plan, r(), r(), day, number)
    share = r() * 0.3
    kept: list[tuple[str | Security, ...]] = []
    changed = 0
    for paragraph in origin.text:
        if r() >= share:
            kept.append(paragraph)
            continue
        changed += 1
        if r() < 0.5:
            kept.append(words.sentence(r))
    if r() < 0.5:
        kept.insert(0, (f"据{words.PUBLISHERS[origin.publisher][0]}消息，", *words.sentence(r)))
    return _Article(
        identity=identity, day=when, clock=clock, title=words.headline(r), digest=origin.digest,
        text=tuple(kept), flash=False, copy_of=origin.identity, changed=round(changed / len(origin.text), 3),
        publisher=(origin.publisher + 1 + int(r() * (len(words.PUBLISHERS) - 1))) % len(words.PUBLISHERS),
    )  # fmt: skip


def _place(plan: _Plan, a: float, b: float, day: int, number: int) -> tuple[str, str, str]:
    """Article id, day and time of day. Ids grow within a day, like the counter of a crawler."""
    when = (plan.start + timedelta(days=day)).isoformat()
    second = int(a * 86_400)
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{when.replace('-', '')}22{(number * 13 + int(b * 13)) % 10**8:08d}", when, clock


# ------------------------------------------------------------------------------------------------------ files


def _files(
    plan: _Plan, rng: random.Random, day: int, number: int, article: _Article, revised: bool = False
) -> list[tuple[str, bytes]]:
    """The files of an article, one to three: path and bytes of each."""
    _seed(plan, rng, day, number, "files")
    r = rng.random
    folders = ("old_post", "_posts") if day < plan.days * 4 // 5 else ("_posts", "old_post")
    twin, moved = r() < (0.35 if article.flash else 0.6), r() < (0.03 if article.flash else 0.08)
    market_alone = r() < 0.1
    early = day < plan.days // 6
    kinds = ["market"] if market_alone else ["emnews", *["market"] * twin, *["moved"] * moved]
    files = []
    for kind in kinds:
        fault = _FAULTS[int(r() * len(_FAULTS))] if r() < MALFORMED else ""
        if revised and fault == "no-bytes":
            fault = ""
        name = f"{article.day}-{'NW' if kind == 'market' else ''}{article.identity}.md"
        if fault == "no-title":
            name = f"-{article.identity}.md"
        folder = folders[kind == "moved"]
        if kind == "market":
            data = _market(article, fault, generation=2 + min(3, day * 8 // plan.days), chart=r() < 0.3)
        elif article.flash and early:
            data = _early(article, fault, zone=kind == "moved" or r() < 0.3, nav=int(r() * 4))
        else:
            data = _emnews(article, fault, chart=r() < 0.3, over=kind == "moved")
        files.append((f"{folder}/{name}", data))
    return files


def _early(article: _Article, fault: str, zone: bool, nav: int) -> bytes:
    """A post of generation 0: a plain paragraph, with or without time zone and navigation."""
    head = _head(article, fault, "emnews", _FEED, zone)
    end = (
        "",
        _nav("./", _FEED, "emnews/"),
        _nav("../", _FEED, "emnews/"),
        _nav(f"{_NEWS}/", _FEED, "emnews/", "｜"),
    )[nav]
    body = f"{head}\n{article.digest}\n\n{_url(article, fault, nav)}{end}"
    return _encode(("\n" if nav == 0 and not zone else "") + body, fault)


def _emnews(article: _Article, fault: str, chart: bool, over: bool) -> bytes:
    """A post of generation 1: digest, annotated HTML, address, navigation. With `over` annotated as by a later crawl."""
    media = words.PUBLISHERS[article.publisher][0]
    digest = "" if fault == "no-digest" else f"{article.digest}（{media}）"
    seen: set[str] = set()
    lines = "\n ".join(_paragraph(p, i, seen, over) for i, p in enumerate(article.text))
    source = media.replace("证券", _mark(words.SECURITIES_BOARD, set(), False))
    return _encode(
        f"{_head(article, fault, 'emnews', _FEED)}> {digest}\n\n{_chart(article) if chart else ''}{lines}"
        f'<p class="em_media">（文章来源：{source}）</p>\n\n{_url(article, fault, article.publisher)}'
        f"{_nav(f'{_NEWS}/', _FEED, 'emnews/', '｜')}",
        fault,
    )


def _market(article: _Article, fault: str, generation: int, chart: bool) -> bytes:
    """A post of generations 2 to 5: from the feed `market`, without annotations."""
    media, slug = words.PUBLISHERS[article.publisher]
    head = _head(article, fault, slug, f"{media}新闻")
    if generation == 2:
        body = f"{article.title}\n{article.digest}"
    else:
        indent = "　　" if generation == 3 else ""
        body = "\n ".join(f"<p>{indent}{words.plain(p).removeprefix('#')}</p>" for p in article.text)
        body = f'{_chart(article) if chart else ""}{body}<p class="em_media">（文章来源：{media}）</p>'
    url = (
        ""
        if fault == "no-url"
        else f"http://{_SHARE[generation == 5]}/html_News/NewsShare.html?infoCode=NW{article.identity}"
    )
    nav = _nav(f"{_NEWS}/", f"{media}新闻", f"category/{slug}.html", "｜") if generation > 3 else ""
    return _encode(f"{head}{body}\n\n<{url}>\n{nav}", fault)


def _head(article: _Article, fault: str, category: str, tag: str, zone: bool = True) -> str:
    """The front matter, perhaps with a fault."""
    title, moment = article.title, f"{article.day} {article.clock}{' +0800' if zone else ''}"
    middle = len(title) // 2
    start, end = title[:middle], title[middle:]
    match fault:
        case "quotes":
            title = f'{start}"{end}"热议'
        case "first-quote":
            title = f'"{start}"{end}'
        case "backslash":
            title = f"{start}\\股{end}\\"
        case "escape":
            title = f"{start}\\new{end}"
        case "line-break":
            title = f"{start}\n{end}"
        case "block-end":
            title = f"{start}\n---\n{end}"
        case "control":
            title = f"{start}\x08{end}"
        case "at-tag":
            tag = f"@{tag}"
        case "quoted-tag":
            tag = f'"{tag[:-2]}"新闻'
        case "colon-tag":
            tag = f"{tag[:2]}: {tag[2:]}"
        case "comment-tag":
            tag = f"{tag[:2]} #{tag[2:]}"
        case "number-category":
            category = "36"
        case "no-title":
            title, moment = "", " +0800"
    return f'---\nlayout: post\ntitle: "{title}"\ndate: {moment}\ncategories: {category}\ntags: {tag}\n---\n'


def _paragraph(parts: tuple[str | Security, ...], number: int, seen: set[str], over: bool) -> str:
    text = "".join(p if isinstance(p, str) else _mark(p, seen, over) for p in parts)
    if text.startswith("#"):
        return f"<p><strong>{text[1:]}</strong></p>"
    picture = ""
    if number == 3:
        src = f"https://img.example.com/{len(text)}_w800h{len(seen) * 10}.jpg?a=1&b=2"
        picture = (
            f'<center><img src="{src}" orginial_src="{src}" alt="Image" width="552" /></center>'
            '<p style="text-align:center;">图片来源：资料图</p>'
        )
    return f"<p>{text}</p>{picture}"


def _mark(security: Security, seen: set[str], over: bool) -> str:
    """The publisher's markup of a name: long at its first mention, short at later ones."""
    name, kind, market, code = security
    if over and market == 1 and code.endswith(("3", "7")):
        market, code = 116, code[1:]  # a later dictionary linked the listing on another exchange
    dot, data = f"{market}.{code}", f"{market},{code}"
    if kind == "info":
        if name in seen:
            return name
        seen.add(name)
        link = f'<a href="http://data.example.com/{code}/" class="infokey">{name}</a>'
        return f'<span id="Info.{code}">{link}</span>'
    if name in seen:
        later = f'class="em_stock_key_common" data-code="{data}"'
        return f'<span web="1" href="{_QUOTE}{dot}" {later}>{name}</span>'
    seen.add(name)
    link = f'<a href="{_QUOTE}{dot}" class="keytip" data-code="{data}">{name}</a></span>'
    if market == 116:
        return f'<span id="Info.{dot}">{link}'
    short, quote = ("bk", "bkquote") if kind == "board" else ("stock", "quote")
    return f'<span id="{short}_{dot}">{link}<span id="{quote}_{dot}"></span>'


def _chart(article: _Article) -> str:
    """The hidden paragraph and the price chart at the beginning of some articles."""
    found = (p for line in article.text for p in line if isinstance(p, Security) and p.kind == "stock")
    security = next(found, None)
    if security is None:
        return ""
    market, code = security.market, security.code
    return (
        '<p style="display:none;height:1px;overflow:hidden;"><br /></p><!-- EM_StockImg_Start -->'
        f'<p style="text-align:center;"><a href="{_QUOTE}{market}.{code}" data-code="{code}|{market}|2" '
        f'class="EmImageRemark" target="_blank"><img src="https://chart.example.com/GetPic.aspx?nid={market}.{code}'
        f'&imageType=k&at=1" border="0" alt="K图 {code}_0" data-code="K {code}|{market}|2" '
        'style="border:#d1d1d1 1px solid;" width="578" height="276" /></a></p><!-- EM_StockImg_End -->'
    )


def _url(article: _Article, fault: str, channel: int) -> str:
    return (
        "<>\n" if fault == "no-url" else f"<http://finance.example.com/news/{1340 + channel},{article.identity}.html>\n"
    )


def _nav(root: str, label: str, page: str, joint: str = "\n") -> str:
    return f"\n[返回{label}]({root}{page}){joint}[返回首页]({root})\n"


def _encode(text: str, fault: str) -> bytes:
    return b"" if fault == "no-bytes" else text.encode()


# ---------------------------------------------------------------------------------------------------- writing


def _prepare(root: Path) -> None:
    for folder in ("_posts", "old_post"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    _write(
        root,
        "_config.yml",
        "title: 示例财经消息\nurl: https://news.example\ntimezone: Asia/Shanghai\n".encode(),
    )


def _write_days(
    root: Path, plan: _Plan, days: Sequence[int], rest: int | None = None
) -> tuple[Made, list[dict[str, object]]]:
    """Write the files of some days, of the last day only `rest` files. Returns what was written, and the labels."""
    rng = random.Random()  # noqa: S311 - nothing here is a secret
    files = size = articles = copies = 0
    planted: list[dict[str, object]] = []
    for day in days:
        quota = rest if rest is not None and day == days[-1] else plan.quota(day)
        for article, path, data in _day(plan, rng, day, quota):
            _write(root, path, data)
            files, size = files + 1, size + len(data)
            if article is None:
                continue
            articles += 1
            if article.copy_of:
                copies += 1
                label = {"copy_of": article.copy_of, "changed": article.changed}
                planted.append({"article_id": article.identity, **label})
            elif article.family:
                planted.append({"article_id": article.identity, "family": article.family})
    return Made(files=files, bytes=size, articles=articles, copies=copies), planted


def _day(plan: _Plan, rng: random.Random, day: int, quota: int) -> Iterator[tuple[_Article | None, str, bytes]]:
    """The first `quota` files of a day: path and bytes, and with the first file of an article the article."""
    number = 0
    while quota > 0:
        article = _article(plan, rng, day, number)
        files = _files(plan, rng, day, number, article)[:quota]
        for at, (path, data) in enumerate(files):
            yield None if at else article, path, data
        quota, number = quota - len(files), number + 1


def _write(root: Path, path: str, data: bytes) -> None:
    """Write a file unless it has these bytes already: a file that is written again looks changed."""
    place = os.path.join(root, path)  # noqa: PTH118 - with a Path, the whole run takes a fifth longer
    try:
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        if Path(place).read_bytes() == data:
            return
        file = os.open(place, os.O_WRONLY | os.O_TRUNC)
    try:
        os.write(file, data)
    finally:
        os.close(file)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Write a synthetic archive of news posts.")
    parser.add_argument("out", type=Path, help="the folder to write; it must be empty or not exist")
    parser.add_argument("--posts", type=int, required=True, help="the number of post files")
    parser.add_argument("--seed", type=int, default=0, help="another number gives another archive (default: 0)")
    parser.add_argument(
        "--start",
        type=date.fromisoformat,
        default=date(2021, 12, 1),
        metavar="DAY",
        help="the first day (default: 2021-12-01)",
    )
    parser.add_argument("--days", type=int, help="the number of days (default: one for each 100 posts, 10 to 240)")
    parser.add_argument("--labels", type=Path, help="write the labels of copies to this file, outside of the archive")
    parser.add_argument("--extend", type=int, default=0, metavar="NEW", help="then add NEW files of later days")
    parser.add_argument("--change", type=int, default=0, metavar="N", help="then change N files of the newest days")
    given = parser.parse_args()
    options = {"posts": given.posts, "seed": given.seed, "start": given.start, "days": given.days}
    try:
        if not ((given.extend or given.change) and (given.out / "_config.yml").is_file()):
            made = make_archive(given.out, labels=given.labels, **options)
            print(f"{made.files:,} posts, {made.bytes:,} bytes, {made.articles:,} articles, {made.copies:,} copies")
        if given.extend or given.change:
            made = extend_archive(given.out, new=given.extend, change=given.change, **options)
            print(f"then {made.files:,} new or changed files, {made.bytes:,} bytes")
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    _main()
