"""Read one post: from its bytes to a `Post` or a `Reject`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import expand_home
from ..schema import FEED_NAME, Post, RawPost, Reject, Site
from .site import POST_FOLDERS, read_site

if TYPE_CHECKING:
    from .body import Body
    from .front_matter import Header

__all__ = ["PARSER_VERSION", "article_id", "clashing_ids", "feed_of", "parse_bytes", "parse_post"]

PARSER_VERSION = "5"
"""Raise it with every change that can alter how a post is read: posts that another version read are read again."""

_MARKDOWN = frozenset({"md", "markdown", "mkdown", "mkdn", "mkd"})
_OWN_NAME = re.compile(rf"(?:.*-)?{FEED_NAME.pattern}", re.ASCII)
_TRAILING_NEWS = "新闻"


def article_id(path: str) -> str:
    """The id of the article that the post at `path` belongs to.

    In the archive's own feeds it is the 18 digits at the end of the file name. Any other post is an article of its own,
    and its id is its path without the extension.

    >>> article_id("_posts/2022-01-27-NW202201272263299588.md")
    '202201272263299588'
    >>> article_id("blog/_posts/2020-02-01-hello.md")
    'blog/_posts/2020-02-01-hello'
    """
    begin = path.rfind("/") + 1
    dot = path.rfind(".", begin)
    end = dot if begin < dot < len(path) - 1 else len(path)  # a dot at either end of a name starts no extension
    own = _OWN_NAME.fullmatch(path, begin, end)
    return own["id"] if own else path[:end]


def clashing_ids(paths: Iterable[str]) -> dict[str, str]:
    """Article ids for posts whose paths differ only in the extension: path -> id.

    Markdown goes first, then the order of the paths. The first of the posts is not in the result: it has the usual id,
    without the extension. The id of each of the others is its whole path.

    >>> clashing_ids(["_posts/2020-02-01-hello.html", "_posts/2020-02-01-hello.md"])
    {'_posts/2020-02-01-hello.html': '_posts/2020-02-01-hello.html'}
    """
    by_id: dict[str, list[str]] = {}
    for path in paths:
        own = article_id(path)
        if not own.isdigit():
            by_id.setdefault(own, []).append(path)
    return {
        path: path
        for clashing in by_id.values()
        if len(clashing) > 1
        for path in sorted(clashing, key=lambda p: (not p.endswith((".md", ".markdown")), p))[1:]
    }


def feed_of(path: str) -> str:
    """The feed that the post at `path` belongs to, by the name of the file.

    >>> feed_of("_posts/2022-01-27-NW202201272263299588.md"), feed_of("blog/_posts/2020-02-01-hello.md")
    ('market', 'site')
    """
    name = path.rpartition("/")[2]
    return _feed(_own_name(name))


def _own_name(name: str) -> re.Match[str] | None:
    """What the name of a file says if it belongs to the archive's own feeds."""
    stem, dot, _ = name.rpartition(".")
    return _OWN_NAME.fullmatch(stem if dot else name)


def _feed(own: re.Match[str] | None) -> str:
    return "site" if own is None else "market" if own["market"] else "emnews"


def parse_post(post: RawPost | str | Path, site: Site | None = None) -> Post | Reject:
    """Read one post.

    Args:
        post: a `RawPost`, or the path of a file. A file is read as part of its site: the folder above its `_posts` or
            `old_post`, with the `_config.yml` of that folder.
        site: what `_config.yml` says. The default is the `_config.yml` of the file's site; for a `RawPost`, none.

    Returns:
        A `Post`, or a `Reject` that says why the file cannot be read as one. Bad data never raises an error.

    Raises:
        OSError: the file at this path cannot be read.

    >>> raw = RawPost(path="_posts/2022-05-30-hello.md", data=b"---\\ntitle: Hello\\n---\\nGood *morning*.\\n")
    >>> found = parse_post(raw)
    >>> found.title, found.text, found.published_at.isoformat()
    ('Hello', 'Good morning.', '2022-05-30T00:00:00+00:00')
    """
    if not isinstance(post, RawPost):
        root, path = _locate(Path(expand_home(post)))
        if site is None:
            config = root / "_config.yml"
            site, _ = read_site(config.read_bytes() if config.is_file() else None)
        post = RawPost(path=path, data=(root / path).read_bytes())
    return parse_bytes(post.path, post.data, site or Site(), hashlib.sha256(post.data).hexdigest())


def parse_bytes(path: str, data: bytes, site: Site, sha256: str, own_id: str | None = None) -> Post | Reject:
    """Read the bytes of one post.

    Args:
        path: the file, relative to the site's root, with `/`.
        data: its bytes.
        site: what `_config.yml` says.
        sha256: the hash of `data`.
        own_id: the article id, if it is another one than `article_id(path)`.
    """
    read_header, read_body = _readers()
    name = path.rpartition("/")[2]
    own = _own_name(name)
    header = read_header(data, path, site, own_feed=own is not None)
    if isinstance(header, Reject):
        return header
    feed = _feed(own)
    markup = _markup(name.rpartition(".")[2].lower()) if own is None else "archive"
    try:
        separator = header.fields.excerpt_separator
        body = read_body(header.body, feed=feed, markup=markup, title=header.title, excerpt_separator=separator)
    except RecursionError:  # in a Markdown or HTML library; our own code does not recurse
        reason = "the body is nested too deep to be read"
        return Reject(
            path=path, sha256=sha256, size=len(data), rule="body-hostile", reason=reason, line=header.body_line
        )
    media = None
    if feed == "market" and header.tags:
        media = header.tags[0].removesuffix(_TRAILING_NEWS) or None
    fields = header.fields
    return Post(
        path=path,
        sha256=sha256,
        article_id=own_id or (own["id"] if own else article_id(path)),
        feed=feed,
        title=header.title,
        published_at=header.published_at,
        date_written=header.date_written,
        categories=header.categories,
        tags=header.tags,
        authors=fields.authors,
        lang=fields.lang,
        image=fields.image,
        published=header.published,
        draft=header.draft,
        front_matter=header.front_matter,
        body=header.body,
        invalid_bytes=header.invalid_bytes,
        generation=body.generation,
        category=header.categories[0] if header.categories else None,
        media=media,
        digest=fields.digest or body.digest,
        digest_credit=body.digest_credit,
        text=body.text,
        notices=body.notices,
        source=body.source,
        url=fields.url or body.url,
        mentions=body.mentions,
        text_codes=body.text_codes,
        headings=body.headings,
        images=body.images,
        links=body.links,
        chart_symbols=body.chart_symbols,
        is_flash=body.is_flash,
        issues=(*header.issues, *(code for code in body.issues if code not in header.issues)),
    )


@cache
def _readers() -> tuple[Callable[..., Header | Reject], Callable[..., Body]]:
    """The functions that read a post. They are imported at the first post: a build in which none changed needs no library.

    An import statement in `parse_bytes` would take 5 % of its time.
    """
    from .body import read_body
    from .front_matter import read_header

    return read_header, read_body


def _markup(extension: str) -> str:
    if extension in _MARKDOWN:
        return "markdown"
    return "html" if "htm" in extension else "text"


def _locate(file: Path) -> tuple[Path, str]:
    """The root of the site of `file`, and the path of `file` relative to it."""
    file = Path(file.absolute())
    folders = file.parts
    marks = [i for i, part in enumerate(folders[:-1]) if part in POST_FOLDERS]
    root = Path(*folders[: marks[0]]) if marks else file.parent
    for above in file.parents:  # the root can be further up: a site may keep `_posts` in a folder of its own
        if (above / "_config.yml").is_file():
            root = above
            break
    return root, file.relative_to(root).as_posix()
