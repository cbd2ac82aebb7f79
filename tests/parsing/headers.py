"""Headers of posts, for the tests of the front matter."""

from __future__ import annotations

import hashlib

from newsdata.parsing.front_matter import Header, read_header
from newsdata.schema import REJECT_RULES, Reject, Site

SHANGHAI = Site(timezone="Asia/Shanghai")
OWN = "_posts/2022-05-30-202205302396671645.md"
OTHER = "_posts/2020-02-03-a-Tale-of-two.md"


def own(
    title: str = '"晨光初照"',
    date: str = "2022-05-30 22:00:29 +0800",
    categories: str = "emnews",
    tags: str = "晨报新闻",
    path: str = OWN,
) -> Header:
    """What is read of a post of the archive's own feeds; `title` with its quotes."""
    front = f"layout: post\ntitle: {title}\ndate: {date}\ncategories: {categories}\ntags: {tags}"
    text = f"---\n{front}\n---\n正文\n"
    header = read_header(text.encode(), path, SHANGHAI, own_feed=True)
    assert isinstance(header, Header), header
    assert header.body == "正文\n"
    return header


def other(front: str, path: str = OTHER, site: Site | None = None) -> Header:
    """What is read of another site's post with these lines of front matter."""
    header = read_header(f"---\n{front}\n---\nText\n".encode(), path, site or Site(), own_feed=False)
    assert isinstance(header, Header), header
    return header


def rejected(data: bytes, path: str = OTHER, *, own_feed: bool = False) -> Reject:
    reject = read_header(data, path, SHANGHAI, own_feed=own_feed)
    assert isinstance(reject, Reject), reject
    assert reject.rule in REJECT_RULES
    assert (reject.sha256, reject.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert len(reject.excerpt or "") <= 200
    return reject
