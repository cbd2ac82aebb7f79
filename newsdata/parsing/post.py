"""One post: bytes in, `Post` or `Reject` out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema import FEED_NAME, Post, RawPost, Reject, Site
from .site import POST_FOLDERS, read_site

if TYPE_CHECKING:
    from .body import Body
    from .front_matter import Header

__all__ = ["PARSER_VERSION", "article_id", "load_readers", "parse_bytes", "parse_post"]

PARSER_VERSION = "3"
"""Raised with every change that can alter what a post is read as; cached readings of other versions are not used."""

_MARKUP = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mkdown": "markdown",
    ".mkdn": "markdown",
    ".mkd": "markdown",
}
_OWN_NAME = re.compile(rf"(?:.*-)?{FEED_NAME.pattern}", re.ASCII)
_TRAILING_NEWS = "新闻"


def article_id(path: str) -> str:
    """The id of the article that the post at `path` belongs to.

    The archive's own feeds number their articles with 18 digits at the end of the file name; any other post is an
    article of its own, named by its path without extension.

    >>> article_id("_posts/2022-01-27-NW202201272263299588.md")
    '202201272263299588'
    >>> article_id("blog/_posts/2020-02-01-hello.md")
    'blog/_posts/2020-02-01-hello'
    """
    begin = path.rfind("/") + 1
    dot = path.rfind(".", begin)
    end = dot if begin < dot < len(path) - 1 else len(path)  # a dot that begins or ends a name begins no extension
    own = _OWN_NAME.fullmatch(path, begin, end)
    return own["id"] if own else path[:end]


def parse_post(post: RawPost | str | Path, site: Site | None = None) -> Post | Reject:
    """Read one post.

    Args:
        post: the file as a `RawPost`, or where it lies. A file is read as part of the site it lies in: the nearest
            folder above its `_posts` or `old_post`, with that folder's `_config.yml`.
        site: what `_config.yml` says; by default that of the file's own site, or no configuration at all.

    Returns:
        a `Post`, or a `Reject` that says why the file is none. Bad data never raises.

    Raises:
        OSError: a file named by path cannot be read.

    >>> raw = RawPost(path="_posts/2022-05-30-hello.md", data=b"---\\ntitle: Hello\\n---\\nGood *morning*.\\n")
    >>> found = parse_post(raw)
    >>> found.title, found.text, found.published_at.isoformat()
    ('Hello', 'Good morning.', '2022-05-30T00:00:00+00:00')
    """
    if not isinstance(post, RawPost):
        root, path = _locate(Path(post))
        if site is None:
            config = root / "_config.yml"
            site, _ = read_site(config.read_bytes() if config.is_file() else None)
        post = RawPost(path=path, data=(root / path).read_bytes())
    return parse_bytes(post.path, post.data, site or Site(), hashlib.sha256(post.data).hexdigest())


@cache
def load_readers() -> tuple[Callable[..., Header | Reject], Callable[..., Body]]:
    """Loaded when the first post is read: where nothing changed, none is."""
    from .body import read_body
    from .front_matter import read_header

    return read_header, read_body


def parse_bytes(path: str, data: bytes, site: Site, sha256: str, own_id: str | None = None) -> Post | Reject:
    """Read the bytes of one post, whose hash is known; `own_id` is its article id where the path does not say it."""
    read_header, read_body = load_readers()
    name = path.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    own = _OWN_NAME.fullmatch(stem if dot else name)
    header = read_header(data, path, site, own_feed=own is not None)
    if isinstance(header, Reject):
        return header
    if own is None:
        feed, markup = (
            "site",
            _MARKUP.get(f".{suffix.lower()}", "html" if "htm" in suffix.lower() else "text"),
        )
    else:
        feed, markup = ("market" if own["market"] else "emnews"), "archive"
    try:
        body = read_body(header.body, feed=feed, markup=markup, title=header.title)
    except RecursionError:  # of a Markdown or HTML library; our own readers do not recurse
        reason = "the body is nested deeper than can be followed"
        return Reject(
            path=path, sha256=sha256, size=len(data), rule="body-hostile", reason=reason, line=header.body_line
        )
    media = None
    if feed == "market" and header.tags:
        media = header.tags[0].removesuffix(_TRAILING_NEWS) or None
    return Post(
        path=path,
        sha256=sha256,
        article_id=own_id or (own["id"] if own else path[: len(path) - len(dot + suffix)] if dot else path),
        feed=feed,
        title=header.title,
        published_at=header.published_at,
        date_written=header.date_written,
        categories=header.categories,
        tags=header.tags,
        published=header.published,
        draft=header.draft,
        front_matter=header.front_matter,
        body=header.body,
        generation=body.generation,
        category=header.categories[0] if header.categories else None,
        media=media,
        digest=body.digest,
        digest_credit=body.digest_credit,
        text=body.text,
        source=body.source,
        url=body.url,
        mentions=body.mentions,
        text_codes=body.text_codes,
        headings=body.headings,
        images=body.images,
        links=body.links,
        chart_symbol=body.chart_symbol,
        is_flash=body.is_flash,
        issues=(*header.issues, *(code for code in body.issues if code not in header.issues)),
    )


def _locate(file: Path) -> tuple[Path, str]:
    """The root of the site that `file` lies in, and its path in that site."""
    file = Path(file.absolute())
    folders = file.parts
    marks = [i for i, part in enumerate(folders[:-1]) if part in POST_FOLDERS]
    root = Path(*folders[: marks[0]]) if marks else file.parent
    for above in file.parents:  # a site may keep its posts in folders of its own below the root
        if (above / "_config.yml").is_file():
            root = above
            break
    return root, file.relative_to(root).as_posix()
